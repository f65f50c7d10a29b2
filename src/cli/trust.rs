//! `quarantine trusted` and `quarantine distrust`: who may report for a unit without being registered; and what units said
//! of the returns in their name.

use anyhow::Result;
use serde_json::{Value, json};

use super::listing::{short, unit_name};
use super::{Office, Outcome, print, usage};
use crate::db::Db;
use crate::jobs::decide;
use crate::ledger::inquiry::{self, Inquiry, Reply};
use crate::ledger::store::{self, Decision, Trusted};

/// Everybody who is trusted: since when, on whose word, and which mails that was about.
pub async fn list(office: &Office, db: &Db) -> Result<Outcome> {
    let zone = office.config.timezone;
    let trusted = store::trusted(&mut *db.pool().acquire().await?).await?;
    if office.json {
        let row = |t: &Trusted| {
            json!({ "address": t.address, "unit": t.unit, "since": t.since.with_timezone(&zone).to_rfc3339(), "who": t.who,
                    "message": t.message, "by_message": t.by_message })
        };
        print::json(&trusted.iter().map(row).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    let rows = trusted
        .into_iter()
        .map(|t| vec![t.address, t.unit, short(t.since, zone), t.who, number(t.message), number(t.by_message)]);
    print::table(&["address", "unit", "since", "who", "mail", "answered by"], rows.collect())?;
    Ok(Outcome::Done)
}

/// Mail of this address waits again from now on; what was accepted stays.
pub async fn distrust(office: &Office, db: &Db, address: &str, unit: Option<&str>) -> Result<Outcome> {
    let address = address.trim().to_lowercase();
    let named = unit.map(|u| unit_name(office, u)).transpose()?;
    let mut tx = db.begin().await?;
    let mut trusted = store::trusted(&mut tx).await?;
    trusted.retain(|t| t.address == address && named.as_ref().is_none_or(|n| *n == t.unit));
    if trusted.is_empty() {
        return Err(usage(format!(
            "{address} is not trusted; see `taizhang quarantine trusted` (registered addresses stand in the registry)"
        )));
    }
    for Trusted { unit, .. } in &trusted {
        let decision = Decision {
            kind: "distrust",
            who: "operator",
            unit: Some(unit),
            address: Some(&address),
            ..Decision::default()
        };
        decide::enter(&mut tx, &office.config.campaign, &decision, office.clock.now()).await?;
    }
    tx.commit().await?;
    for Trusted { unit, .. } in &trusted {
        print::line(&format!("{address}: returns for {unit} wait again from now on; what was accepted stays"))?;
    }
    Ok(Outcome::Done)
}

/// The inquiries about one message, and what came back.
pub struct Asked {
    inquiries: Vec<Inquiry>,
    replies: Vec<Reply>,
}

impl Asked {
    pub async fn about(conn: &mut sqlx::SqliteConnection, message: i64) -> Result<Self> {
        let inquiries = inquiry::asked_about(conn, message).await?;
        Ok(Self { inquiries, replies: inquiry::replies(conn, message).await? })
    }

    pub fn json(&self, office: &Office) -> (Value, Value) {
        let at = |t: chrono::DateTime<chrono::Utc>| t.with_timezone(&office.config.timezone).to_rfc3339();
        let asked = self.inquiries.iter().map(|i| json!({ "unit": i.unit, "address": i.recipient, "at": at(i.at) }));
        let answered = self.replies.iter().map(|r| {
            json!({ "message": r.message, "unit": r.unit, "from": r.from, "at": at(r.received_at), "said": r.said })
        });
        (asked.collect(), answered.collect())
    }

    pub fn print(&self, office: &Office) -> Result<()> {
        let at = |t| short(t, office.config.timezone);
        for i in &self.inquiries {
            print::line(&format!("asked     {}  {}  {}", at(i.at), i.unit, i.recipient))?;
        }
        for r in &self.replies {
            print::line(&format!(
                "answered  {}  {}  {}  {} (message {})",
                at(r.received_at),
                r.unit,
                r.from,
                r.said,
                r.message
            ))?;
        }
        Ok(())
    }
}
