//! `ledger decisions`: everything that people, and units by mail, have decided, oldest first.

use anyhow::Result;

use crate::cli::listing::short;
use crate::cli::{Office, Outcome, print};
use crate::ledger::query;

pub async fn list(office: &Office) -> Result<Outcome> {
    let db = office.db().await?;
    let list = query::decisions(&mut *db.pool().acquire().await?).await?;
    if office.json {
        print::json(&list)?;
        return Ok(Outcome::Done);
    }
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    let rows = list.into_iter().map(|d| {
        let what = [d.unit, d.stream, d.form, d.period, d.rule, d.subject, d.other, d.address];
        let what: Vec<String> = what.into_iter().flatten().collect();
        vec![short(d.at, office.config.timezone), d.who, d.kind, number(d.message), what.join(" "), d.reason]
    });
    print::table(&["when", "who", "decision", "mail", "about", "reason"], rows.collect())?;
    Ok(Outcome::Done)
}
