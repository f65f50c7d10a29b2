//! `remind`: what would be sent to whom, or queue it now.

use anyhow::Result;

use super::{Office, Outcome, print};
use crate::jobs::remind::{owing, remind_all};
use crate::outbox::Kind;
use crate::period::Period;

pub async fn run(office: Office, period: Option<Period>, dry_run: bool) -> Result<Outcome> {
    let period = period.unwrap_or_else(|| office.open_period());
    let now = office.clock.now();
    let db = office.db().await?;
    if !dry_run {
        let overdue = now > office.config.deadline.due(period).to_utc();
        let kind = if overdue { Kind::Overdue } else { Kind::Reminder };
        let mut tx = db.begin().await?;
        let slot = format!("by hand {}", now.to_rfc3339());
        let queued = remind_all(&mut tx, &office.config, (kind, period, &slot), now).await?;
        tx.commit().await?;
        print::line(&format!("queued for {queued} units; `taizhang run` or `taizhang once` sends them"))?;
        return Ok(Outcome::Done);
    }
    let mut conn = db.pool().acquire().await?;
    let list = owing(&mut conn, &office.config, period, now).await?;
    let missing = |o: &crate::jobs::remind::Owing| -> Vec<String> {
        o.obligations.iter().map(|x| format!("{}/{} ({})", x.stream, x.form, x.state.as_str())).collect()
    };
    if office.json {
        let rows = list.iter().map(|o| {
            serde_json::json!({ "unit": o.unit.name, "to": o.address, "supervisor": o.unit.supervisor, "missing": missing(o) })
        });
        print::json(&rows.collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let rows = list.iter().map(|o| {
        let to = o.address.clone().unwrap_or_else(|| "(no address)".into());
        vec![o.unit.name.clone(), to, missing(o).join(", ")]
    });
    print::table(&["unit", "to", "missing"], rows.collect())?;
    Ok(Outcome::Done)
}
