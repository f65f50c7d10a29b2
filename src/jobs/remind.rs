//! Remind: units that owe are told exactly what is missing, with the forms attached, filled in with what is known.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::answer::owed_view;
use super::pass;
use super::post::{self, Post};
use super::schedule::{Job, Occurrence};
use super::templates::{self, Draft};
use crate::config::{Config, Unit};
use crate::db::Db;
use crate::ledger::obligation::Obligation;
use crate::ledger::query::{self, Whose};
use crate::outbox::compose::Composed;
use crate::outbox::compose::reminder::{self, Reminder};
use crate::outbox::{Attached, Kind};
use crate::period::Period;
use crate::report;

/// One unit with what it owes for a period.
pub struct Owing {
    pub unit: Unit,
    pub obligations: Vec<Obligation>,
    /// Whom the reminder goes to: its first address that has not bounced.
    pub address: Option<String>,
}

/// Units that still owe something, in the registry's order.
pub async fn owing(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<Owing>> {
    let all = query::obligations(conn, config, period, now).await?;
    let bounced = bounced(conn).await?;
    let mut list = Vec::new();
    for unit in &config.registry.units {
        let mine = all.iter().filter(|o| o.unit == unit.name && o.state.owed());
        let obligations: Vec<Obligation> = mine.cloned().collect();
        if !obligations.is_empty() {
            list.push(Owing { unit: unit.clone(), obligations, address: reachable(unit, &bounced) });
        }
    }
    Ok(list)
}

/// Addresses that mail came back from.
pub async fn bounced(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT address FROM bounced").fetch_all(conn).await?)
}

/// Whom mail to a unit goes to: its first address that has not bounced, else its first.
pub fn reachable(unit: &Unit, bounced: &[String]) -> Option<String> {
    unit.addresses.iter().find(|a| !bounced.contains(a)).or(unit.addresses.first()).cloned()
}

/// A reminder or overdue notice that has become due. False when it was sent before.
pub async fn scheduled(db: &Db, config: &Arc<Config>, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    if pass::claimed(&mut *db.pool().acquire().await?, occurrence).await? {
        return Ok(false);
    }
    let kind = if occurrence.job == Job::Overdue { Kind::Overdue } else { Kind::Reminder };
    let letters = letters(db, config, (kind, occurrence.period), now).await?;
    let mut tx = db.begin().await?;
    if !pass::claim(&mut tx, occurrence, now).await? {
        return Ok(false);
    }
    let queued = queue(&mut tx, config, letters, (occurrence.period, &occurrence.slot), now).await?;
    tx.commit().await?;
    tracing::info!(job = occurrence.job.name(), period = %occurrence.period, units = queued, "queued");
    Ok(true)
}

/// One unit's reminder, ready to be queued.
pub struct Letter {
    kind: Kind,
    unit: String,
    to: String,
    cc: Option<String>,
    reply_to: Option<String>,
    composed: Composed,
    attachments: Vec<Attached>,
}

/// A letter to every unit that owes and has an address. The ledger is held only while one unit's book is read: writing
/// the forms takes a while, and meanwhile mail goes on being taken.
pub async fn letters(
    db: &Db,
    config: &Arc<Config>,
    (kind, period): (Kind, Period),
    now: DateTime<Utc>,
) -> Result<Vec<Letter>> {
    let mut letters = Vec::new();
    let list = owing(&mut *db.pool().acquire().await?, config, period, now).await?;
    for owing in list {
        let Some(to) = owing.address.clone() else {
            tracing::warn!(unit = owing.unit.name, "owes returns but has no address to remind");
            continue;
        };
        let mut drafts = Vec::new();
        let mut conn = db.pool().acquire().await?;
        for o in &owing.obligations {
            let whose = Whose { unit: &o.unit, stream: &o.stream, form: &o.form };
            drafts.extend(templates::draft(&mut conn, config, whose, o.period).await?);
        }
        drop(conn);
        let config = config.clone();
        let work = move || letter(&config, kind, owing, to, (&drafts, now));
        letters.push(tokio::task::spawn_blocking(work).await.context("a reminder cannot be written")??);
    }
    Ok(letters)
}

fn letter(
    config: &Config,
    kind: Kind,
    owing: Owing,
    to: String,
    (drafts, now): (&[Draft], DateTime<Utc>),
) -> Result<Letter, report::Error> {
    let attachments = drafts.iter().map(|d| templates::write(config, d, now)).collect::<Result<Vec<_>, _>>()?;
    let cc = owing.unit.supervisor.clone().filter(|_| kind == Kind::Overdue);
    Ok(Letter {
        kind,
        composed: reminder::compose(&view(config, &owing, &attachments, cc.is_some(), now)),
        reply_to: reply_to(config, &owing.obligations),
        unit: owing.unit.name,
        to,
        cc,
        attachments,
    })
}

/// Queues the letters, each once a slot. Returns how many can be sent and were not queued before.
pub async fn queue(
    conn: &mut SqliteConnection,
    config: &Config,
    letters: Vec<Letter>,
    (period, slot): (Period, &str),
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut queued = 0;
    for letter in letters {
        let post = Post {
            kind: letter.kind,
            key: &format!("{} {period} {slot}", letter.unit),
            to: &letter.to,
            cc: letter.cc.as_deref(),
            reply_to: letter.reply_to.as_deref(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: letter.attachments,
            answers: None,
            unit: Some(&letter.unit),
            period: Some(period),
        };
        let rows = post::enqueue(conn, config, letter.composed, post, now).await?;
        queued += usize::from(rows > 0);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};
    use crate::outbox::store;

    const NINE: &str = "2011-09-20T01:00:00Z";

    fn august() -> Period {
        "2011-08".parse().unwrap()
    }

    #[tokio::test]
    async fn the_ledger_is_free_while_the_forms_are_written() {
        let (mut config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        config.registry.units.truncate(1);
        let config = Arc::new(config);
        let names: Vec<String> = (0..200).map(|n| format!("第{n}公司")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let of = [config.registry.units[0].name.as_str(), "nonpublic", "register", "2011-07"];
        fixture::reported(&db, &config, of, "2011-08-20T00:00:00Z", fixture::rows(&names)).await;
        let mut free = false;
        let watch = async {
            // Between two readings the connection is free for a turn or two; while a form is written, for thousands.
            let mut turns = 0;
            while turns < 50 {
                tokio::task::yield_now().await;
                turns = if db.pool().num_idle() == 1 { turns + 1 } else { 0 };
            }
            free = true;
            std::future::pending::<()>().await;
        };
        let letters = tokio::select! {
            biased;
            letters = letters(&db, &config, (Kind::Reminder, august()), at(NINE)) => letters.unwrap(),
            () = watch => unreachable!(),
        };
        assert_eq!(letters.len(), 1);
        assert!(free);
    }

    #[tokio::test]
    async fn a_reminder_that_another_process_has_sent_meanwhile_is_dropped() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        let here = at(NINE).with_timezone(&config.timezone);
        let due = Occurrence { at: here, job: Job::Reminder, period: august(), slot: here.to_rfc3339() };
        let (one, two) = tokio::join!(scheduled(&db, &config, &due, at(NINE)), scheduled(&db, &config, &due, at(NINE)));
        assert_ne!(one.unwrap(), two.unwrap());
        assert_eq!(fixture::queued(&db).await, (4, 0));
    }

    #[tokio::test]
    async fn an_address_that_is_none_counts_as_given_up_and_not_as_reminded() {
        let (mut config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        config.registry.units[0].addresses = vec!["yunxi@@office.test".to_owned()];
        let (config, now) = (Arc::new(config), at(NINE));
        let letters = letters(&db, &config, (Kind::Reminder, august()), now).await.unwrap();
        let mut conn = db.pool().acquire().await.unwrap();
        assert_eq!(queue(&mut conn, &config, letters, (august(), "09-20"), now).await.unwrap(), 3);
        let told = store::undelivered(&mut conn, at("2011-09-20T00:00:00Z")).await.unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].recipient, "yunxi@@office.test");
        assert!(told[0].failure.contains("is not a mail address"));
        assert!(store::due(&mut conn, now, 10).await.unwrap().len() == 3);
    }
}
