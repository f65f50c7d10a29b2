//! Remind: units that owe are told exactly what is missing, with the forms attached, filled in with what is known.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::answer::owed_view;
use super::pass;
use super::post::{self, Post};
use super::schedule::{Job, Occurrence};
use super::templates;
use crate::config::{Config, Unit};
use crate::db::Db;
use crate::ledger::obligation::Obligation;
use crate::ledger::query;
use crate::outbox::compose::reminder::{self, Reminder};
use crate::outbox::{Attached, Kind};
use crate::period::Period;

/// One unit with what it owes for a period.
pub struct Owing<'a> {
    pub unit: &'a Unit,
    pub obligations: Vec<Obligation>,
    /// Whom the reminder goes to: its first address that has not bounced.
    pub address: Option<String>,
}

/// Units that still owe something, in the registry's order.
pub async fn owing<'a>(
    conn: &mut SqliteConnection,
    config: &'a Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<Owing<'a>>> {
    let all = query::obligations(conn, config, period, now).await?;
    let bounced: Vec<String> = sqlx::query_scalar("SELECT address FROM bounced").fetch_all(conn).await?;
    let mut list = Vec::new();
    for unit in &config.registry.units {
        let mine = all.iter().filter(|o| o.unit == unit.name && o.state.owed());
        let obligations: Vec<Obligation> = mine.cloned().collect();
        if !obligations.is_empty() {
            let good = unit.addresses.iter().find(|a| !bounced.contains(a)).or(unit.addresses.first());
            list.push(Owing { unit, obligations, address: good.cloned() });
        }
    }
    Ok(list)
}

/// A reminder or overdue notice that has become due. False when it was sent before.
pub async fn scheduled(db: &Db, config: &Arc<Config>, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    let kind = if occurrence.job == Job::Overdue { Kind::Overdue } else { Kind::Reminder };
    let mut tx = db.begin().await?;
    if !pass::claim(&mut tx, occurrence, now).await? {
        return Ok(false);
    }
    let sent = remind_all(&mut tx, config, (kind, occurrence.period, &occurrence.slot), now).await?;
    tx.commit().await?;
    tracing::info!(job = occurrence.job.name(), period = %occurrence.period, units = sent, "queued");
    Ok(true)
}

/// Queues one mail to every unit that owes and has an address. Returns how many.
pub async fn remind_all(
    conn: &mut SqliteConnection,
    config: &Config,
    (kind, period, slot): (Kind, Period, &str),
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut queued = 0;
    for owing in owing(conn, config, period, now).await? {
        let Some(address) = &owing.address else {
            tracing::warn!(unit = owing.unit.name, "owes returns but has no address to remind");
            continue;
        };
        let attachments = forms(conn, config, &owing, now).await?;
        let supervisor = owing.unit.supervisor.as_deref().filter(|_| kind == Kind::Overdue);
        let composed = reminder::compose(&view(config, &owing, &attachments, supervisor.is_some(), now));
        let reply_to = reply_to(config, &owing.obligations);
        let post = Post {
            kind,
            key: &format!("{} {period} {slot}", owing.unit.name),
            to: address,
            cc: supervisor,
            reply_to: reply_to.as_deref(),
            in_reply_to: None,
            references: Vec::new(),
            attachments,
            answers: None,
            unit: Some(&owing.unit.name),
            period: Some(period),
        };
        post::enqueue(conn, config, composed, post, now).await?;
        queued += 1;
    }
    Ok(queued)
}

fn view(config: &Config, owing: &Owing, attachments: &[Attached], supervisor: bool, now: DateTime<Utc>) -> Reminder {
    Reminder {
        unit: owing.unit.name.clone(),
        now: now.with_timezone(&config.timezone),
        owed: owing.obligations.iter().map(|o| owed_view(config, o)).collect(),
        forms: attachments.iter().map(|a| a.name.clone()).collect(),
        supervisor,
        contact: config.department.contact.clone(),
        signature: config.department.name.clone(),
    }
}

/// The mailbox of the first stream that is missing; the text names the right one for each form.
fn reply_to(config: &Config, obligations: &[Obligation]) -> Option<String> {
    let stream = &obligations.first()?.stream;
    config.mailboxes.iter().find(|m| m.stream.as_ref() == Some(stream)).map(|m| m.address.clone())
}

async fn forms(
    conn: &mut SqliteConnection,
    config: &Config,
    owing: &Owing<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Attached>> {
    let mut attached = Vec::new();
    for o in &owing.obligations {
        let wanted = templates::Wanted { unit: &o.unit, stream: &o.stream, form: &o.form, period: o.period };
        if let Some((name, bytes)) = templates::build(conn, config, &wanted, now).await? {
            attached.push(post::workbook(&name, bytes));
        }
    }
    Ok(attached)
}
