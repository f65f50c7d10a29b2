//! An invented district for the tests of this module: any number of units, organisations spread over them.

use chrono::{DateTime, NaiveDate, TimeDelta};
use chrono_tz::Tz;

use crate::config::{Conduct, Department, Measure, Milestone, Registry, Targets, Unit};
use crate::form::record::Values;
use crate::form::{Campaign, Datum, Finding, Place, Severity};
use crate::ledger::obligation::{Obligation, State};
use crate::period::Period;
use crate::report::course::{Course, Month, Open, Received};
use crate::report::table::{Arrival, Change, ChangeKind, Edition, Entry, Figure, OpenFinding, Outcome, ReportData};

/// What [`ReportData`] borrows.
pub struct District {
    pub department: Department,
    pub campaign: Campaign,
    pub registry: Registry,
    pub targets: Targets,
    pub conduct: Conduct,
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
                digest: "30 8 * * *".parse().expect("a schedule"),
                balance: "30 2 * * *".parse().unwrap(),
                alarm_after: chrono::TimeDelta::hours(2),
                digest_bytes: 15 << 20,
            },
            campaign: Campaign::builtin(),
            registry: Registry { units: (0..units).map(unit).collect() },
            conduct: Conduct {
                start: 100,
                late_per_day: -1,
                late_at_most: -10,
                missing: -15,
                rejected: -2,
                correction: -3,
                floor: 0,
            },
            targets: Targets {
                first: "2011-07".parse().expect("a period"),
                by: NaiveDate::from_ymd_opt(2011, 12, 30).expect("a date"),
                new_party_orgs: vec![("nonpublic".to_owned(), 100), ("social".to_owned(), 15)],
                org_coverage: 60.0,
                work_coverage: 100.0,
                milestones: vec![
                    milestone("摸底数", "2011-09-25", Measure::Register),
                    milestone("理台账", "2011-10-25", Measure::RegisterWithoutErrors),
                    milestone("建组织", "2011-11-25", Measure::Quota),
                ],
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
            conduct: &self.conduct,
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
            course: Course {
                months: ["2011-07", "2011-08"].map(month).to_vec(),
                returns: reported
                    .iter()
                    .flat_map(|o| [1, 0].map(|ago| received(o, figure(o, ago), ago)))
                    .flatten()
                    .collect(),
                open: reported.iter().map(|(_, u, _)| open(u)).collect(),
                ..Course::default()
            },
            entries,
        }
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
    let founded = (n % 3 < 2).then(|| text(if n.is_multiple_of(2) { "2009-06-18" } else { "2010-07" }));
    let tail = if stream == "nonpublic" { "有限责任公司" } else { "行业协会" };
    let values = values([
        ("seq", Datum::Int(n as i64)),
        ("name", text(format!("白鹭区{place}恒{}{}{n}{tail}", ["丰", "泰", "和", "瑞"][n % 4], trades[n % 5]))),
        ("code", text(format!("91370100{n:09}X"))),
        ("category", text(trades[n % 5])),
        (
            "address",
            text(format!(
                "白鹭区{place}路{}号{}",
                n % 300 + 1,
                if n.is_multiple_of(4) { "创业园3号楼201室" } else { "" }
            )),
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
        ("party_org_mixed", if n % 3 == 2 { Datum::Null } else { Datum::Bool(n.is_multiple_of(2)) }),
        ("founded", founded.unwrap_or(Datum::Null)),
        ("secretary", text("方舟")),
        ("secretary_phone", text("0999-8000000")),
        ("instructor", text("齐云")),
        ("instructor_post", text("街道办事处组织委员")),
        ("union", Datum::Bool(true)),
        ("youth_league", Datum::Bool(false)),
        ("womens_fed", Datum::Null),
        ("venue", Datum::Bool(n.is_multiple_of(3))),
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

pub fn milestone(name: &str, by: &str, measure: Measure) -> Milestone {
    Milestone { name: name.to_owned(), by: by.parse().expect("a day"), measure }
}

/// A period of the campaign, due on the 25th of the month after it and published three days later.
pub fn month(period: &str) -> Month {
    let period: Period = period.parse().expect("a period");
    let due = at(&format!("{}-25T23:59:59+08:00", period.next()));
    let published = Some((due + TimeDelta::days(3)).to_utc());
    Month { period, due, published, excused: Vec::new(), books: Default::default() }
}

/// Both forms of a unit, on time in July and as [`obligation`] has it in August.
fn received((i, unit, stream): &(usize, &Unit, &str), figure: Figure, months_ago: i64) -> Vec<Received> {
    let one = |form: &str| {
        let (period, day) = if months_ago == 1 { (period().prev(), "2011-08-20") } else { (period(), "2011-09-20") };
        let state = obligation((*i, unit, stream), form).state;
        let day = if state == State::Late && months_ago == 0 { "2011-09-28" } else { day };
        let rejected = state == State::Rejected && months_ago == 0;
        Received {
            unit: unit.name.clone(),
            stream: (*stream).to_owned(),
            form: form.to_owned(),
            period,
            at: at(&format!("{day}T09:00:00+08:00")).to_utc(),
            outcome: if rejected { Outcome::Rejected } else { Outcome::Accepted },
            idle: false,
            baseline: false,
            errors: u32::from(*i % 5 == 0),
            figures: (form == "progress").then(|| figure.values.clone()),
        }
    };
    ["progress", "register"].map(one).to_vec()
}

fn open(unit: &Unit) -> Open {
    Open { unit: unit.name.clone(), period: period(), severity: Severity::Warning }
}

fn findings(i: usize, unit: &Unit, stream: &str) -> Vec<OpenFinding> {
    let place = Place {
        file: Some("8月台账.xls".to_owned()),
        sheet: Some("台账".to_owned()),
        cell: Some(format!("J{}", i + 5)),
        row: Some(i as u32 + 5),
    };
    let message = "第5行正式党员有3名，组建形式却是“联合组建”：应单独建立党组织的请核对，确属联合的请在备注中说明。";
    let severity = if i.is_multiple_of(5) { Severity::Error } else { Severity::Warning };
    vec![OpenFinding {
        unit: unit.name.clone(),
        stream: stream.to_owned(),
        form: "register".to_owned(),
        finding: Finding::new("R06", severity, place, message),
        waived: None,
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
