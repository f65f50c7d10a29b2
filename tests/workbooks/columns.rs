//! The columns of the two forms and every heading they are known under, from the forms' description; told here once
//! more, so that the program's own form files are checked against it.

/// What stands in a column, and so how clerks write it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Sequence,
    Unit,
    Name,
    /// A number of these: 个, 人 …
    Count(char),
    Rate,
    Day,
    Text,
    Person,
    Phone,
    Code,
    YesNo,
    Founding,
    Status,
    Reason,
}

#[derive(Debug)]
pub struct Column {
    pub key: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// Columns of one block stay together, in this order.
    pub block: u8,
    /// The group heading above it; empty for none.
    pub group: &'static str,
    /// A further heading above all columns of the block, where the header has three rows.
    pub over: &'static str,
    /// The blank form's own heading first.
    pub headings: &'static [&'static str],
    /// The last part says nothing without its group.
    pub shared: bool,
}

const fn column(key: &'static str, kind: Kind, block: u8, headings: &'static [&'static str]) -> Column {
    Column { key, kind, required: false, block, group: "", over: "", headings, shared: false }
}

impl Column {
    const fn must(self) -> Self {
        Self { required: true, ..self }
    }

    const fn below(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    const fn over(self, over: &'static str) -> Self {
        Self { over, ..self }
    }

    const fn shared(self) -> Self {
        Self { shared: true, ..self }
    }
}

use Kind::*;

const MONTH: &[&str] = &["上月", "本月", "当月"];

pub const PROGRESS: &[Column] = &[
    column("seq", Sequence, 0, &["序号", "编号", "№"]),
    column("unit", Unit, 1, &["单位", "填报单位", "街道（镇）", "单位名称", "报送单位"]).must(),
    column(
        "orgs",
        Count('家'),
        2,
        &["组织总数", "非公企业总数", "非公企业数", "企业数", "社会组织总数", "社会组织数", "总数"],
    )
    .must(),
    column("orgs_large", Count('家'), 2, &["其中：规模以上", "规模以上企业数", "规上"]),
    column("orgs_3plus", Count('家'), 3, &["有3名以上正式党员的组织数", "3名以上党员企业数", "应单独建立党组织数"]),
    column("members", Count('人'), 4, &["党员总数", "党员数", "党员人数"]).must().over("党员情况"),
    column("members_transferred", Count('人'), 4, &["已转组织关系", "已转", "组织关系在本单位"])
        .must()
        .below("其中")
        .over("党员情况"),
    column("members_untransferred", Count('名'), 4, &["未转组织关系", "未转", "流动党员和兼职党员", "“跨支部”党员"])
        .must()
        .below("其中")
        .over("党员情况"),
    column("party_orgs", Count('个'), 5, &["党组织总数", "已建党组织数", "党组织数"]).must().over("党组织情况"),
    column("party_orgs_single", Count('个'), 5, &["单独组建", "单独", "单建"]).must().below("其中").over("党组织情况"),
    column("party_orgs_joint", Count('个'), 5, &["联合组建", "联合", "联建"]).must().below("其中").over("党组织情况"),
    column("party_orgs_mixed", Count('个'), 5, &["“兼合式”", "兼合式党组织"]).below("其中").over("党组织情况"),
    column("new_party_orgs_month", Count('个'), 6, &["上月", "本月", "当月", "本月新建"])
        .must()
        .below("新建党组织")
        .shared(),
    column("new_party_orgs_total", Count('个'), 6, &["累计", "累计新建", "累计数"]).must().below("新建党组织").shared(),
    column("orgs_covered", Count('家'), 7, &["党组织覆盖组织数", "已覆盖企业数", "覆盖数"]).must(),
    column("org_coverage", Rate, 8, &["组织覆盖率（%）", "党组织覆盖率"]),
    column("instructors_month", Count('名'), 9, MONTH).below("选派党建指导员").shared(),
    column("instructors_total", Count('名'), 9, &["累计", "指导员累计", "指导员数"])
        .must()
        .below("选派党建指导员")
        .shared(),
    column("mass_orgs_month", Count('个'), 10, MONTH).below("新建群团组织").shared(),
    column("mass_orgs_total", Count('个'), 10, &["累计"]).below("新建群团组织").shared(),
    column("orgs_work_covered", Count('家'), 11, &["工作覆盖组织数", "党的工作覆盖数"]).must(),
    column("work_coverage", Rate, 12, &["工作覆盖率（%）", "党的工作覆盖率"]),
    column("recruits_month", Count('人'), 13, MONTH).below("新发展党员").shared(),
    column("recruits_total", Count('人'), 13, &["累计"]).below("新发展党员").shared(),
    column("venues", Count('处'), 14, &["活动场所数", "活动场所", "阵地"]),
    column("remark", Text, 15, &["备注", "说明"]),
];

pub const REGISTER: &[Column] = &[
    column("seq", Sequence, 0, &["序号", "编号"]),
    column("name", Name, 1, &["名称", "企业名称", "组织名称", "单位名称", "企业（组织）名称", "社会组织名称"]).must(),
    column("code", Code, 2, &["组织机构代码", "统一社会信用代码", "信用代码", "注册号", "营业执照号", "登记证号"]),
    column("category", Text, 3, &["类型（行业）", "行业", "企业类型", "所属行业", "类别"]),
    column("address", Text, 4, &["地址", "单位地址", "注册地址", "经营地址"]),
    column("legal_rep", Person, 5, &["法定代表人（负责人）", "法人", "法人代表", "负责人", "出资人"]),
    column("phone", Phone, 6, &["联系电话", "电话", "手机", "联系方式"]),
    column("employees", Count('人'), 7, &["从业人数", "职工数", "员工人数", "从业人员"]),
    column("members", Count('人'), 8, &["党员总数", "党员数", "党员人数"]).must(),
    column("members_full", Count('名'), 9, &["正式党员数", "其中正式党员", "正式党员"]).must(),
    column("members_transferred", Count('人'), 10, &["已转组织关系", "已转"]),
    column("members_untransferred", Count('人'), 11, &["未转组织关系", "未转", "跨支部党员"]),
    column("party_org", Text, 12, &["党组织名称", "所在党组织"]).below("党组织"),
    column("party_org_kind", Founding, 12, &["组建形式", "组建方式", "党组织类型"]).must().below("党组织"),
    column("party_org_mixed", YesNo, 12, &["是否“兼合式”", "兼合式"]).below("党组织"),
    column("founded", Day, 12, &["党组织成立时间", "成立时间", "建立时间", "组建时间"]).below("党组织"),
    column("secretary", Person, 12, &["书记姓名", "党组织书记", "支部书记"]).below("党组织"),
    column("secretary_phone", Phone, 12, &["书记电话"]).below("党组织"),
    column("instructor", Person, 13, &["党建指导员", "指导员姓名"]),
    column("instructor_post", Text, 14, &["指导员单位及职务", "指导员单位"]),
    column("union", YesNo, 15, &["工会", "有无工会"]).below("群团组织"),
    column("youth_league", YesNo, 15, &["共青团", "团组织"]).below("群团组织"),
    column("womens_fed", YesNo, 15, &["妇联", "妇女组织", "妇委会"]).below("群团组织"),
    column("venue", YesNo, 16, &["活动场所", "有无活动场所"]),
    column("status", Status, 17, &["状态", "经营状态", "是否销户"]),
    column("closed_reason", Reason, 18, &["销户原因"]),
    column("closed_on", Day, 19, &["销户时间"]),
    column("remark", Text, 20, &["备注"]),
];
