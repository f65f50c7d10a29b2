//! The demo's two forms, in the layouts that its clerks have made of them, and the cells of every column.

use super::district::{NONPUBLIC, UNITS};
use super::organisations::{Figures, Organisation};
use super::sheets::{Cell, Column};

const fn column(key: &'static str, group: &'static str, heading: &'static str) -> Column {
    Column { key, group, heading }
}

/// The progress table as the department sent it out.
const PROGRESS: [Column; 26] = [
    column("seq", "", "序号"),
    column("unit", "", "单位"),
    column("orgs", "", "组织总数"),
    column("orgs_large", "", "其中：规模以上"),
    column("orgs_3plus", "", "有3名以上正式党员的组织数"),
    column("members", "", "党员总数"),
    column("members_transferred", "其中", "已转组织关系"),
    column("members_untransferred", "其中", "未转组织关系"),
    column("party_orgs", "", "党组织总数"),
    column("party_orgs_single", "其中", "单独组建"),
    column("party_orgs_joint", "其中", "联合组建"),
    column("party_orgs_mixed", "其中", "“兼合式”"),
    column("new_party_orgs_month", "新建党组织", "上月"),
    column("new_party_orgs_total", "新建党组织", "累计"),
    column("orgs_covered", "", "党组织覆盖组织数"),
    column("org_coverage", "", "组织覆盖率（%）"),
    column("instructors_month", "选派党建指导员", "上月"),
    column("instructors_total", "选派党建指导员", "累计"),
    column("mass_orgs_month", "新建群团组织", "上月"),
    column("mass_orgs_total", "新建群团组织", "累计"),
    column("orgs_work_covered", "", "工作覆盖组织数"),
    column("work_coverage", "", "工作覆盖率（%）"),
    column("recruits_month", "新发展党员", "上月"),
    column("recruits_total", "新发展党员", "累计"),
    column("venues", "", "活动场所数"),
    column("remark", "", "备注"),
];

/// One clerk's own version: other words, another order, the optional columns left out.
const PROGRESS_RENAMED: [Column; 18] = [
    column("unit", "", "填报单位"),
    column("orgs", "", "总数"),
    column("orgs_3plus", "", "应单独建立党组织数"),
    column("party_orgs", "", "已建党组织数"),
    column("party_orgs_single", "其中", "单建"),
    column("party_orgs_joint", "其中", "联建"),
    column("new_party_orgs_month", "新建党组织", "当月"),
    column("new_party_orgs_total", "新建党组织", "累计"),
    column("members", "", "党员人数"),
    column("members_transferred", "其中", "已转"),
    column("members_untransferred", "其中", "未转"),
    column("orgs_covered", "", "覆盖数"),
    column("org_coverage", "", "党组织覆盖率"),
    column("orgs_work_covered", "", "党的工作覆盖数"),
    column("work_coverage", "", "党的工作覆盖率"),
    column("instructors_month", "选派党建指导员", "当月"),
    column("instructors_total", "选派党建指导员", "累计"),
    column("remark", "", "说明"),
];

/// The register as the department sent it out.
const REGISTER: [Column; 28] = [
    column("seq", "", "序号"),
    column("name", "", "名称"),
    column("code", "", "组织机构代码"),
    column("category", "", "类型（行业）"),
    column("address", "", "地址"),
    column("legal_rep", "", "法定代表人（负责人）"),
    column("phone", "", "联系电话"),
    column("employees", "", "从业人数"),
    column("members", "", "党员总数"),
    column("members_full", "", "正式党员数"),
    column("members_transferred", "", "已转组织关系"),
    column("members_untransferred", "", "未转组织关系"),
    column("party_org", "党组织", "党组织名称"),
    column("party_org_kind", "党组织", "组建形式"),
    column("party_org_mixed", "党组织", "是否“兼合式”"),
    column("founded", "党组织", "党组织成立时间"),
    column("secretary", "党组织", "书记姓名"),
    column("secretary_phone", "党组织", "书记电话"),
    column("instructor", "", "党建指导员"),
    column("instructor_post", "", "指导员单位及职务"),
    column("union", "群团组织", "工会"),
    column("youth_league", "群团组织", "共青团"),
    column("womens_fed", "群团组织", "妇联"),
    column("venue", "", "活动场所"),
    column("status", "", "状态"),
    column("closed_reason", "", "销户原因"),
    column("closed_on", "", "销户时间"),
    column("remark", "", "备注"),
];

/// One header row, other words, another order.
const REGISTER_RENAMED: [Column; 20] = [
    column("seq", "", "编号"),
    column("name", "", "企业（组织）名称"),
    column("category", "", "所属行业"),
    column("code", "", "营业执照号"),
    column("legal_rep", "", "法人代表"),
    column("phone", "", "联系方式"),
    column("address", "", "经营地址"),
    column("employees", "", "职工数"),
    column("party_org_kind", "", "组建方式"),
    column("party_org", "", "所在党组织"),
    column("founded", "", "组建时间"),
    column("secretary", "", "支部书记"),
    column("members", "", "党员人数"),
    column("members_full", "", "其中正式党员"),
    column("instructor", "", "指导员姓名"),
    column("union", "", "工会"),
    column("youth_league", "", "团组织"),
    column("womens_fed", "", "妇女组织"),
    column("status", "", "经营状态"),
    column("remark", "", "备注"),
];

/// The department's own layout, or one clerk's version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Issued,
    Renamed,
}

/// The columns of the progress table, or of the register.
pub fn columns(form: Form, layout: Layout) -> &'static [Column] {
    match (form, layout) {
        (Form::Progress, Layout::Issued) => &PROGRESS,
        (Form::Progress, Layout::Renamed) => &PROGRESS_RENAMED,
        (Form::Register, Layout::Issued) => &REGISTER,
        (Form::Register, Layout::Renamed) => &REGISTER_RENAMED,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Progress,
    Register,
}

impl Form {
    /// Title of the table for a stream, as the notice has it.
    pub fn title(self, stream: usize) -> String {
        let what = if stream == NONPUBLIC { "非公有制企业" } else { "社会组织" };
        match self {
            Self::Progress => format!("“建组织、扩覆盖，抓规范、强功能”活动进展情况统计表（{what}）"),
            Self::Register => format!("“建组织、扩覆盖，抓规范、强功能”活动台账（{what}）"),
        }
    }
}

/// The one row of a unit's progress table.
pub fn progress_row(unit: usize, figures: &Figures, columns: &[Column]) -> Vec<Cell> {
    columns.iter().map(|c| progress_cell(unit, figures, c.key)).collect()
}

fn progress_cell(unit: usize, f: &Figures, key: &str) -> Cell {
    Cell::Count(match key {
        "seq" => 1,
        "unit" => return Cell::Text(UNITS[unit].name.to_owned()),
        "orgs" => f.orgs,
        "orgs_large" => f.orgs_large,
        "orgs_3plus" => f.orgs_3plus,
        "members" => f.members,
        "members_transferred" => f.members_transferred,
        "members_untransferred" => f.members_untransferred(),
        "party_orgs" => f.party_orgs(),
        "party_orgs_single" => f.single,
        "party_orgs_joint" => f.joint,
        "party_orgs_mixed" => f.mixed,
        "new_party_orgs_month" => f.new_month,
        "new_party_orgs_total" => f.new_total,
        "orgs_covered" => f.covered,
        "org_coverage" => return Cell::Percent(f.percent(f.covered)),
        "instructors_month" => f.instructors_month,
        "instructors_total" => f.instructors_total,
        "mass_orgs_month" | "mass_orgs_total" => 0,
        "orgs_work_covered" => f.work_covered,
        "work_coverage" => return Cell::Percent(f.percent(f.work_covered)),
        "recruits_month" => f.recruits_month,
        "recruits_total" => f.recruits_total,
        "venues" => f.venues,
        _ => return Cell::Blank,
    })
}

/// The rows of a unit's register.
pub fn register_rows(book: &[Organisation], columns: &[Column]) -> Vec<Vec<Cell>> {
    let row = |(i, o): (usize, &Organisation)| columns.iter().map(|c| register_cell(i, o, c.key)).collect();
    book.iter().enumerate().map(row).collect()
}

fn register_cell(i: usize, o: &Organisation, key: &str) -> Cell {
    let text = |t: &str| Cell::Text(t.to_owned());
    let maybe = |t: &Option<String>| t.as_deref().map_or(Cell::Blank, text);
    match key {
        "seq" => Cell::Count(i as i64 + 1),
        "name" => text(&o.name),
        "code" => text(&o.code),
        "category" => text(o.category),
        "address" => text(&o.address),
        "legal_rep" => text(&o.legal_rep),
        "phone" => text(&o.phone),
        "employees" => Cell::Count(o.employees),
        "members" => Cell::Count(o.members),
        "members_full" => Cell::Count(o.members_full),
        "members_transferred" => Cell::Count(o.members_transferred),
        "members_untransferred" => Cell::Count(o.members - o.members_transferred),
        "party_org" => maybe(&o.party_org),
        "party_org_kind" => text(o.kind.chinese()),
        "party_org_mixed" => Cell::YesNo(o.mixed),
        "founded" => o.founded.map_or(Cell::Blank, Cell::Date),
        "secretary" => maybe(&o.secretary),
        "secretary_phone" => o.secretary.as_ref().map_or(Cell::Blank, |_| text(&o.phone)),
        "instructor" => maybe(&o.instructor),
        "instructor_post" => o.instructor.as_ref().map_or(Cell::Blank, |_| text("党建办 干事")),
        "union" => Cell::YesNo(o.union),
        "youth_league" => Cell::YesNo(o.youth_league),
        "womens_fed" => Cell::YesNo(o.womens_fed),
        "venue" => Cell::YesNo(o.venue),
        "status" => text(if o.closed.is_some() { "销户" } else { "正常" }),
        "closed_reason" => o.closed.map_or(Cell::Blank, |(reason, _)| text(reason)),
        "closed_on" => o.closed.map_or(Cell::Blank, |(_, date)| Cell::Date(date)),
        _ => Cell::Blank,
    }
}
