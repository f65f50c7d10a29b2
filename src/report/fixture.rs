//! An invented district for the tests of this module: any number of units, organisations spread over them.

use chrono::{DateTime, NaiveDate, TimeDelta};
use chrono_tz::Tz;

use crate::config::{Department, Registry, Targets, Unit};
use crate::form::record::Values;
use crate::form::{Campaign, Column, ColumnKind, Datum, Finding, Form, FormKind, Place, Severity, Stream};
use crate::ledger::obligation::{Obligation, State};
use crate::period::Period;
use crate::report::table::{Arrival, Change, ChangeKind, Edition, Entry, Figure, OpenFinding, Outcome, ReportData};

/// What [`ReportData`] borrows.
pub struct District {
    pub department: Department,
    pub campaign: Campaign,
    pub registry: Registry,
    pub targets: Targets,
}

pub fn period() -> Period {
    "2011-08".parse().expect("a period")
}

pub fn at(text: &str) -> DateTime<Tz> {
    DateTime::parse_from_rfc3339(text).expect("a time").with_timezone(&chrono_tz::Asia::Shanghai)
}

impl District {
    /// Two in three units are streets and towns that owe both streams, the rest bureaus that owe `social`.
    pub fn new(units: usize) -> Self {
        let places =
            ["松涛", "碧溪", "云岭", "柳堤", "芦汀", "石桥", "枫林", "竹坞", "梅坪", "银杏", "沙洲", "鹿鸣", "桂湖"];
        let bureaus = ["教育局", "民政局", "司法局", "卫生局", "文化局", "人社局", "住建局", "农业局", "商务局"];
        let unit = |i: usize| {
            let bureau = i % 3 == 2;
            let round = if i / 3 >= bureaus.len() { format!("{}", i / 3) } else { String::new() };
            let (name, kind) = match i % 3 {
                0 => (format!("{}街道办事处{round}", places[i / 3 * 2 % places.len()]), "street"),
                1 => (format!("{}镇人民政府{round}", places[(i / 3 * 2 + 1) % places.len()]), "town"),
                _ => (format!("区{}{round}", bureaus[i / 3 % bureaus.len()]), "bureau"),
            };
            let streams: &[&str] = if bureau { &["social"] } else { &["nonpublic", "social"] };
            Unit {
                name,
                kind: kind.to_owned(),
                streams: streams.iter().map(|s| (*s).to_owned()).collect(),
                quotas: vec![("nonpublic".to_owned(), 4 + i as u32 % 5), ("social".to_owned(), i as u32 % 2)],
                ..Unit::default()
            }
        };
        Self {
            department: Department {
                name: "中共白鹭区委组织部".to_owned(),
                district: "白鹭区".to_owned(),
                addresses: vec!["zzb@bailu.example".to_owned()],
                contact: "区委组织部 周老师".to_owned(),
            },
            campaign: campaign(),
            registry: Registry { units: (0..units).map(unit).collect(), ..Registry::default() },
            targets: Targets {
                by: NaiveDate::from_ymd_opt(2011, 12, 30).expect("a date"),
                new_party_orgs: vec![("nonpublic".to_owned(), 100), ("social".to_owned(), 15)],
                org_coverage: 60.0,
                work_coverage: 100.0,
            },
        }
    }

    /// August 2011 with `organisations` in the ledger; the fourth unit has not reported, the seventh came late.
    pub fn data(&self, organisations: usize) -> ReportData<'_> {
        let owed: Vec<(usize, &Unit, &str)> = self
            .registry
            .units
            .iter()
            .enumerate()
            .flat_map(|(i, u)| u.streams.iter().map(move |s| (i, u, s.as_str())))
            .collect();
        let entries: Vec<Entry> = (0..organisations).map(|n| entry(n, owed[n % owed.len()])).collect();
        let organisations_of =
            |u: &Unit, s: &str| entries.iter().filter(|e| e.unit == u.name && e.stream == s).count() as i64;
        let figure = |(i, u, s): &&(usize, &Unit, &str), months_ago: i64| {
            figure((*i as i64, organisations_of(u, s)), &u.name, s, months_ago)
        };
        let reported: Vec<_> = owed.iter().filter(|(i, _, _)| *i != 3).collect();
        ReportData {
            department: &self.department,
            committees: vec!["区非公党工委".to_owned(), "区社会组织党工委".to_owned()],
            campaign: &self.campaign,
            registry: &self.registry,
            targets: &self.targets,
            period: period(),
            due: at("2011-09-25T23:59:59+08:00"),
            generated_at: at("2011-09-26T10:00:00+08:00"),
            edition: Edition::First,
            obligations: owed.iter().flat_map(|o| ["progress", "register"].map(|form| obligation(*o, form))).collect(),
            figures: reported.iter().map(|o| figure(o, 0)).collect(),
            previous: reported.iter().map(|o| figure(o, 1)).collect(),
            findings: reported.iter().flat_map(|(i, u, s)| findings(*i, u, s)).collect(),
            arrivals: reported.iter().flat_map(|o| ["progress", "register"].map(|form| arrival(**o, form))).collect(),
            changes: Some(entries.iter().step_by(17).map(change).collect()),
            entries,
        }
    }
}

pub fn campaign() -> Campaign {
    let stream = |key: &str, title: &str, organisation: &str, words: &[&str]| Stream {
        key: key.to_owned(),
        title: title.to_owned(),
        organisation: organisation.to_owned(),
        words: words.iter().map(|w| (*w).to_owned()).collect(),
    };
    Campaign {
        title: "“建组织、扩覆盖，抓规范、强功能”活动".to_owned(),
        streams: vec![
            stream("nonpublic", "非公有制企业", "企业", &["非公有制企业", "非公有制", "非公企业", "非公"]),
            stream("social", "社会组织", "社会组织", &["社会组织", "社会团体"]),
        ],
        forms: vec![
            form("progress", FormKind::Figures, "活动进展情况统计表", "附件1 统计表", PROGRESS),
            form("register", FormKind::Book, "活动台账", "附件2 台账", REGISTER),
        ],
    }
}

const PROGRESS: &str = "seq n 序号|unit t 单位|orgs n 组织总数|orgs_large n 其中：规模以上|orgs_3plus n 有3名以上正式党员的组织数|\
members n 党员总数|members_transferred n 其中/已转组织关系|members_untransferred n 其中/未转组织关系|party_orgs n 党组织总数|\
party_orgs_single n 其中/单独组建|party_orgs_joint n 其中/联合组建|party_orgs_mixed n 其中/“兼合式”|\
new_party_orgs_month n 新建党组织/上月|new_party_orgs_total n 新建党组织/累计|orgs_covered n 党组织覆盖组织数|\
org_coverage % 组织覆盖率（%）|instructors_month n 选派党建指导员/上月|instructors_total n 选派党建指导员/累计|\
mass_orgs_month n 新建群团组织/上月|mass_orgs_total n 新建群团组织/累计|orgs_work_covered n 工作覆盖组织数|\
work_coverage % 工作覆盖率（%）|recruits_month n 新发展党员/上月|recruits_total n 新发展党员/累计|venues n 活动场所数|remark t 备注";

const REGISTER: &str = "seq n 序号|name t 名称|code t 组织机构代码|category t 类型（行业）|address t 地址|legal_rep t 法定代表人（负责人）|\
phone t 联系电话|employees n 从业人数|members n 党员总数|members_full n 正式党员数|members_transferred n 已转组织关系|\
members_untransferred n 未转组织关系|party_org t 党组织/党组织名称|party_org_kind e:单独组建,联合组建,未建 党组织/组建形式|\
party_org_mixed yn 党组织/是否“兼合式”|founded d 党组织/党组织成立时间|secretary t 党组织/书记姓名|secretary_phone t 党组织/书记电话|\
instructor t 党建指导员|instructor_post t 指导员单位及职务|union yn 群团组织/工会|youth_league yn 群团组织/共青团|\
womens_fed yn 群团组织/妇联|venue yn 活动场所|status e:正常,销户 状态|closed_reason e:破产,迁移,注销,其他 销户原因|\
closed_on d 销户时间|remark t 备注";

fn form(key: &str, kind: FormKind, title: &str, short_title: &str, columns: &str) -> Form {
    Form {
        key: key.to_owned(),
        kind,
        title: title.to_owned(),
        short_title: short_title.to_owned(),
        words: Vec::new(),
        columns: columns.split('|').map(column).collect(),
    }
}

fn column(line: &str) -> Column {
    let parts: Vec<&str> = line.splitn(3, ' ').collect();
    let kind = match parts[1] {
        "n" => ColumnKind::Count,
        "%" => ColumnKind::Rate,
        "d" => ColumnKind::Date,
        "yn" => ColumnKind::YesNo,
        "t" => ColumnKind::Text,
        words => ColumnKind::OneOf(
            words[2..]
                .split(',')
                .map(|w| crate::form::definition::Choice { value: w.to_owned(), spellings: Vec::new() })
                .collect(),
        ),
    };
    Column {
        key: parts[0].to_owned(),
        heading: parts[2].split('/').map(str::to_owned).collect(),
        synonyms: Vec::new(),
        kind,
        required: false,
    }
}

pub fn values<const N: usize>(pairs: [(&str, Datum); N]) -> Values {
    pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

fn text(s: impl Into<String>) -> Datum {
    Datum::Text(s.into())
}

fn figure((i, n): (i64, i64), unit: &str, stream: &str, months_ago: i64) -> Figure {
    let founded = if stream == "nonpublic" { 2 + i % 6 } else { i % 2 };
    let int = |n: i64| Datum::Int(n.max(0));
    let mut values = values([
        ("unit", text(unit)),
        ("orgs", int(n)),
        ("orgs_large", int(n / 4)),
        ("members", int(n * 3 - months_ago)),
        ("members_transferred", int(n * 2)),
        ("members_untransferred", int(n - months_ago)),
        ("party_orgs", int(n / 2 - months_ago)),
        ("party_orgs_single", int(n / 3)),
        ("party_orgs_joint", int(n / 2 - n / 3 - months_ago)),
        ("new_party_orgs_month", int(1 + i % 2)),
        ("new_party_orgs_total", int(founded - months_ago)),
        ("orgs_covered", int(n / 2 + i % 5 - 1)),
        ("org_coverage", Datum::Rate(50.0)),
        ("orgs_work_covered", int(n - 1)),
        ("instructors_total", int(n / 2)),
        ("mass_orgs_total", int(i % 5)),
    ]);
    values.insert("remark".to_owned(), if i == 1 { text("含开发区3家") } else { Datum::Null });
    Figure { unit: unit.to_owned(), stream: stream.to_owned(), values }
}

fn entry(n: usize, (_, unit, stream): (usize, &Unit, &str)) -> Entry {
    let trades = ["机械制造", "批发零售", "信息技术服务", "餐饮", "建筑安装"];
    let place: String = unit.name.chars().take(2).collect();
    let kind = ["单独组建", "联合组建", "未建"][n % 3];
    let founded = (n % 3 < 2).then(|| text(if n % 2 == 0 { "2009-06-18" } else { "2010-07" }));
    let tail = if stream == "nonpublic" { "有限责任公司" } else { "行业协会" };
    let values = values([
        ("seq", Datum::Int(n as i64)),
        ("name", text(format!("白鹭区{place}恒{}{}{n}{tail}", ["丰", "泰", "和", "瑞"][n % 4], trades[n % 5]))),
        ("code", text(format!("91370100{n:09}X"))),
        ("category", text(trades[n % 5])),
        (
            "address",
            text(format!("白鹭区{place}路{}号{}", n % 300 + 1, if n % 4 == 0 { "创业园3号楼201室" } else { "" })),
        ),
        ("legal_rep", text(["陆一鸣", "方舟", "欧阳若水", "齐云"][n % 4])),
        ("phone", text(format!("1380000{:04}", n % 10000))),
        ("employees", Datum::Int(10 + n as i64 % 200)),
        ("members", Datum::Int(4)),
        ("members_full", Datum::Int(3)),
        ("members_transferred", Datum::Int(3)),
        ("members_untransferred", Datum::Int(1)),
        ("party_org", if n % 3 == 2 { Datum::Null } else { text(format!("中共恒{n}支部委员会")) }),
        ("party_org_kind", text(kind)),
        ("party_org_mixed", if n % 3 == 2 { Datum::Null } else { Datum::Bool(n % 2 == 0) }),
        ("founded", founded.unwrap_or(Datum::Null)),
        ("secretary", text("方舟")),
        ("secretary_phone", text("0999-8000000")),
        ("instructor", text("齐云")),
        ("instructor_post", text("街道办事处组织委员")),
        ("union", Datum::Bool(true)),
        ("youth_league", Datum::Bool(false)),
        ("womens_fed", Datum::Null),
        ("venue", Datum::Bool(n % 3 == 0)),
        ("status", text("正常")),
        ("closed_reason", Datum::Null),
        ("closed_on", Datum::Null),
        ("remark", Datum::Null),
    ]);
    Entry { unit: unit.name.clone(), stream: stream.to_owned(), values }
}

fn obligation((i, unit, stream): (usize, &Unit, &str), form: &str) -> Obligation {
    let state = match i {
        3 => State::Missing,
        6 => State::Late,
        9 if form == "register" => State::Rejected,
        10 => State::Excused,
        _ => State::OnTime,
    };
    Obligation {
        unit: unit.name.clone(),
        stream: stream.to_owned(),
        form: form.to_owned(),
        period: period(),
        state,
        received_at: state.reported().then(|| at("2011-09-20T09:00:00+08:00").to_utc()),
        amended_at: None,
        version: u32::from(state.reported()),
        errors: 0,
        warnings: 0,
    }
}

fn arrival((i, unit, stream): (usize, &Unit, &str), form: &str) -> Arrival {
    Arrival {
        received_at: (at("2011-09-20T09:00:00+08:00") + TimeDelta::minutes(37 * i as i64)).to_utc(),
        unit: unit.name.clone(),
        stream: stream.to_owned(),
        form: form.to_owned(),
        period: period(),
        from: format!("unit{i}@mail.example"),
        file: format!("{}2011年8月报表.xls", unit.name),
        sheet: "Sheet1".to_owned(),
        outcome: Outcome::Accepted,
        version: Some(1),
        counts: true,
    }
}

fn findings(i: usize, unit: &Unit, stream: &str) -> Vec<OpenFinding> {
    let place = Place {
        file: Some("8月台账.xls".to_owned()),
        sheet: Some("台账".to_owned()),
        cell: Some(format!("J{}", i + 5)),
        row: Some(i as u32 + 5),
    };
    let message = "第5行正式党员有3名，组建形式却是“联合组建”：应单独建立党组织的请核对，确属联合的请在备注中说明。";
    let severity = if i % 5 == 0 { Severity::Error } else { Severity::Warning };
    vec![OpenFinding {
        unit: unit.name.clone(),
        stream: stream.to_owned(),
        form: "register".to_owned(),
        finding: Finding::new("R06", severity, place, message),
    }]
}

fn change(entry: &Entry) -> Change {
    let mut before = entry.values.clone();
    before.insert("members".to_owned(), Datum::Int(2));
    Change {
        unit: entry.unit.clone(),
        stream: entry.stream.clone(),
        name: entry.values["name"].text().unwrap_or_default().to_owned(),
        kind: ChangeKind::Changed,
        before,
        after: entry.values.clone(),
    }
}
