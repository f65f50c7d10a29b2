//! `remind`: what would be sent to whom, or queue it now.

use std::sync::Arc;

use anyhow::Result;

use super::{Office, Outcome, print};
use crate::jobs::remind::{self, Owing};
use crate::outbox::Kind;
use crate::period::Period;

pub async fn run(office: Office, period: Option<Period>, dry_run: bool) -> Result<Outcome> {
    let period = period.unwrap_or_else(|| office.open_period());
    let now = office.clock.now();
    let db = office.db().await?;
    if !dry_run {
        let overdue = now > office.config.deadline.due(period).to_utc();
        let kind = if overdue { Kind::Overdue } else { Kind::Reminder };
        let config = Arc::new(office.config);
        let letters = remind::letters(&db, &config, (kind, period), now).await?;
        let mut tx = db.begin().await?;
        let slot = format!("by hand {}", now.to_rfc3339());
        let queued = remind::queue(&mut tx, &config, letters, (period, &slot), now).await?;
        let owing = remind::owing(&mut tx, &config, period, now).await?;
        tx.commit().await?;
        print::line(&format!("queued for {queued} units; `taizhang run` or `taizhang once` sends them"))?;
        for owing in owing.iter().filter(|o| o.address.is_none()) {
            print::line(&format!("{} has no address in the registry: remind it by telephone", owing.unit.name))?;
        }
        return Ok(Outcome::Done);
    }
    let mut conn = db.pool().acquire().await?;
    let list = remind::owing(&mut conn, &office.config, period, now).await?;
    let missing = |o: &Owing| -> Vec<String> {
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
