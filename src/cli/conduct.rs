//! `conduct`: how each unit reports, as counts and points.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Office, Outcome, print};
use crate::jobs::gather;
use crate::period::Period;
use crate::report::conduct::{self, Conduct, Tally};
use crate::report::table::Edition;

pub async fn run(office: Office, period: Option<Period>) -> Result<Outcome> {
    let period = period.unwrap_or_else(|| office.open_period());
    let now = office.clock.now();
    let db = office.db().await?;
    let mut tx = db.pool().begin().await?;
    let gathered = gather::gather(&mut tx, &office.config, period, now).await?;
    tx.commit().await?;
    let data = gathered.report(&office.config, Edition::First, now);
    let list = conduct::assess(&data);
    if office.json {
        let rule = data.conduct;
        let units: Vec<Value> = conduct::ranking(&list).into_iter().map(unit_json).collect();
        print::json(&json!({
            "period": period, "first": data.targets.first.min(period),
            "rule": {
                "start": rule.start, "late_per_day": rule.late_per_day, "late_at_most": rule.late_at_most,
                "missing": rule.missing, "rejected": rule.rejected,
                "correction_after_publication": rule.correction, "floor": rule.floor,
            },
            "units": units,
        }))?;
        return Ok(Outcome::Done);
    }
    print::line(&format!(
        "periods {} to {period}; points of {period} alone in the last column",
        data.targets.first.min(period)
    ))?;
    let headers = [
        "rank",
        "unit",
        "points",
        "due",
        "on time",
        "late",
        "days late",
        "missing",
        "waiting",
        "excused",
        "rejected",
        "corrections",
        "open findings",
        "this period",
    ];
    print::table(&headers, conduct::ranking(&list).into_iter().map(row).collect())?;
    Ok(Outcome::Done)
}

fn row(c: &Conduct) -> Vec<String> {
    let t = &c.campaign;
    let some = |n: i64| if n == 0 { String::new() } else { n.to_string() };
    let count = |n: u32| some(i64::from(n));
    vec![
        c.rank.map(|r| r.to_string()).unwrap_or_default(),
        c.unit.name.clone(),
        c.points.to_string(),
        count(t.due),
        count(t.on_time),
        count(t.late),
        some(t.days_late),
        count(t.missing),
        count(t.waiting),
        count(t.excused),
        count(t.rejected),
        count(t.corrections),
        count(t.open),
        c.points_period.to_string(),
    ]
}

fn unit_json(c: &Conduct) -> Value {
    json!({
        "unit": c.unit.name, "rank": c.rank, "points": c.points,
        "campaign": tally_json(&c.campaign, c.points), "period": tally_json(&c.period, c.points_period),
    })
}

fn tally_json(t: &Tally, points: i64) -> Value {
    json!({
        "points": points, "due": t.due, "on_time": t.on_time, "late": t.late, "days_late": t.days_late,
        "missing": t.missing, "waiting": t.waiting, "excused": t.excused, "rejected": t.rejected,
        "corrections_after_publication": t.corrections, "open_findings": t.open, "cost": t.cost,
    })
}
