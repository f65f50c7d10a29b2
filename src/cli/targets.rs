//! `targets`: how far each unit has come with its quota, at what pace, and which milestones it has reached.

use anyhow::Result;
use serde_json::{Value, json};

use super::listing::unit_name;
use super::{Office, Outcome, print};
use crate::jobs::gather;
use crate::period::Period;
use crate::report::milestones::{Gap, Mark};
use crate::report::table::{COVERED, Edition, ReportData, WORK_COVERED};
use crate::report::targets::{self, Projection, Standing, Targets, UnitTargets};

pub async fn run(office: Office, period: Option<Period>, unit: Option<String>) -> Result<Outcome> {
    let period = period.unwrap_or_else(|| office.open_period());
    let unit = unit.map(|u| unit_name(&office, &u)).transpose()?;
    let now = office.clock.now();
    let db = office.db().await?;
    let mut tx = db.pool().begin().await?;
    let gathered = gather::gather(&mut tx, &office.config, period, now).await?;
    tx.commit().await?;
    let data = gathered.report(&office.config, Edition::First, now);
    let tables = data.tables();
    let streams = targets::assess(&data, &tables);
    let shown = |u: &UnitTargets| unit.as_ref().is_none_or(|name| u.unit.name == *name);
    if office.json {
        let list: Vec<Value> = streams.iter().map(|s| stream_json(&data, s, &shown)).collect();
        print::json(&json!({
            "period": period, "first": data.targets.first, "by": data.targets.by,
            "months_left": tables.first().map(|t| t.months_left),
            "org_coverage": data.targets.org_coverage, "work_coverage": data.targets.work_coverage,
            "streams": list,
        }))?;
        return Ok(Outcome::Done);
    }
    print::line(&format!("period {period}, target date {}", data.targets.by))?;
    let mut headers = vec![
        "stream",
        "rank",
        "unit",
        "quota",
        "done",
        "completion",
        "pace",
        "needed",
        "projected",
        "ahead",
        "org",
        "work",
    ];
    headers.extend(data.targets.milestones.iter().map(|m| m.name.as_str()));
    let mut rows = Vec::new();
    for stream in &streams {
        rows.extend(stream.units.iter().filter(|u| shown(u)).map(|u| unit_row(stream, u)));
        rows.extend(unit.is_none().then(|| district_row(stream)));
    }
    print::table(&headers, rows)?;
    Ok(Outcome::Done)
}

fn unit_row(stream: &Targets, of: &UnitTargets) -> Vec<String> {
    let line = of.line;
    let (place, name) = (line.rank.map(|r| r.to_string()).unwrap_or_default(), of.unit.name.clone());
    let coverage = [line.coverage(COVERED), line.coverage(WORK_COVERED)];
    let mut row = row(stream, (place, name), &of.standing, coverage);
    row.extend(of.marks.iter().map(|(_, mark)| mark_text(mark)));
    row
}

fn district_row(stream: &Targets) -> Vec<String> {
    let coverage = [stream.table.coverage(COVERED), stream.table.coverage(WORK_COVERED)];
    row(stream, (String::new(), "(all)".to_owned()), &stream.district, coverage)
}

fn row(stream: &Targets, (place, name): (String, String), s: &Standing, coverage: [Option<f64>; 2]) -> Vec<String> {
    let count = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let number = |n: Option<f64>| n.map(|n| format!("{n:.1}")).unwrap_or_default();
    let rate = |n: Option<f64>| n.map(|n| format!("{:.1}%", n * 100.0)).unwrap_or_default();
    vec![
        stream.table.stream.key.clone(),
        place,
        name,
        count(s.quota),
        count(s.done),
        rate(s.completion),
        number(s.pace),
        number(s.needed),
        projection_text(s.projection),
        s.ahead.map(|n| format!("{n:+.1}")).unwrap_or_default(),
        rate(coverage[0]),
        rate(coverage[1]),
    ]
}

fn projection_text(projection: Projection) -> String {
    match projection {
        Projection::On(day) => day.to_string(),
        other => word(other).replace('_', " "),
    }
}

fn word(projection: Projection) -> &'static str {
    match projection {
        Projection::Reached => "reached",
        Projection::On(_) => "date",
        Projection::Never => "never",
        Projection::TooLittle => "too_little_data",
        Projection::NoQuota => "no_quota",
    }
}

fn mark_text(mark: &Mark) -> String {
    match mark {
        Mark::Reached { day, late: 0, .. } => day.to_string(),
        Mark::Reached { day, late, .. } => format!("{day} ({late} days late)"),
        Mark::Missed(gap) => format!("missed: {}", gap_text(gap)),
        Mark::Open(gap) => format!("open: {}", gap_text(gap)),
        Mark::Nothing => String::new(),
    }
}

fn gap_text(gap: &Gap) -> String {
    match gap {
        Gap::Unreported => "nothing reported".to_owned(),
        Gap::Errors(n) => format!("{n} errors"),
        Gap::Organisations(n) => format!("{n} short"),
        Gap::Points(n) => format!("{n:.1} points short"),
    }
}

fn stream_json(data: &ReportData, stream: &Targets, shown: &dyn Fn(&UnitTargets) -> bool) -> Value {
    let table = stream.table;
    let mut all = standing_json(&stream.district, [table.coverage(COVERED), table.coverage(WORK_COVERED)]);
    all["reported"] = json!(table.reported());
    all["paced"] = json!(stream.paced());
    all["stream"] = json!(table.stream.key);
    all["milestones"] = data
        .targets
        .milestones
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let marks: Vec<&Mark> = stream.units.iter().filter_map(|u| u.marks.get(i)).map(|(_, mark)| mark).collect();
            let count = |f: &dyn Fn(&Mark) -> bool| marks.iter().filter(|mark| f(mark)).count();
            json!({
                "name": m.name, "by": m.by, "measure": m.measure.as_str(),
                "in_time": count(&|mark| matches!(mark, Mark::Reached { late: 0, .. })),
                "late": count(&|mark| matches!(mark, Mark::Reached { late: 1.., .. })),
                "missed": count(&|mark| matches!(mark, Mark::Missed(_))),
                "open": count(&|mark| matches!(mark, Mark::Open(_))),
            })
        })
        .collect();
    all["units"] = stream.units.iter().filter(|u| shown(u)).map(unit_json).collect();
    all
}

fn unit_json(of: &UnitTargets) -> Value {
    let mut unit = standing_json(&of.standing, [of.line.coverage(COVERED), of.line.coverage(WORK_COVERED)]);
    unit["unit"] = json!(of.unit.name);
    unit["rank"] = json!(of.line.rank);
    unit["milestones"] = of
        .marks
        .iter()
        .map(|(milestone, mark)| {
            let mut one = mark_json(mark);
            one["name"] = json!(milestone.name);
            one["by"] = json!(milestone.by);
            one["measure"] = json!(milestone.measure.as_str());
            one
        })
        .collect();
    unit
}

fn standing_json(s: &Standing, [org, work]: [Option<f64>; 2]) -> Value {
    let percent = |n: Option<f64>| rounded(n.map(|n| n * 100.0));
    let date = match s.projection {
        Projection::On(day) => Some(day),
        _ => None,
    };
    let history = s.reported.iter().map(|(period, done)| json!({ "period": period, "done": done }));
    json!({
        "quota": s.quota, "done": s.done, "completion": percent(s.completion), "pace": rounded(s.pace),
        "needed": rounded(s.needed), "projection": word(s.projection), "projected": date, "ahead": rounded(s.ahead),
        "org_coverage": percent(org), "work_coverage": percent(work), "history": history.collect::<Vec<_>>(),
    })
}

fn mark_json(mark: &Mark) -> Value {
    let missing = |state: &str, gap: &Gap| match gap {
        Gap::Unreported => json!({ "state": state, "lacks": "return", "by_how_much": null }),
        Gap::Errors(n) => json!({ "state": state, "lacks": "errors", "by_how_much": n }),
        Gap::Organisations(n) => json!({ "state": state, "lacks": "party_orgs", "by_how_much": n }),
        Gap::Points(n) => json!({ "state": state, "lacks": "points", "by_how_much": rounded(Some(*n)) }),
    };
    match mark {
        Mark::Reached { period, day, late } => {
            json!({ "state": if *late == 0 { "in_time" } else { "late" }, "period": period, "day": day, "days_late": late })
        }
        Mark::Missed(gap) => missing("missed", gap),
        Mark::Open(gap) => missing("open", gap),
        Mark::Nothing => json!({ "state": "nothing" }),
    }
}

/// Two decimals, so that a third is no line of digits.
fn rounded(n: Option<f64>) -> Option<f64> {
    n.map(|n| (n * 100.0).round() / 100.0)
}
