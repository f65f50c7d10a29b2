//! Alarm: a mailbox that was not read for long is told to the department at once, by one mail, and one more when it is
//! read again. Which alarms are out stands in the ledger (table `alarm`), so restarts repeat none.
//!
//! It looks at what the looks at the mailboxes have noted, and at the clock; a mailbox that is left alone for hours
//! because it fails is no exception. That nothing can be *sent* cannot be mailed: it is logged, `check` and the exit
//! code tell it, and the next digest.

mod decide;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tracing::{error, info, warn};

use super::post::{self, Post};
use crate::config::{Config, Mailbox};
use crate::db::Db;
use crate::outbox::compose::{Composed, alarm};
use crate::outbox::{Kind, store};
use decide::{Decision, Standing, decide};

/// Stands for sending, where a mailbox's name would.
const SENDING: &str = "";

/// An alarm that is out.
struct Open {
    id: i64,
    since: DateTime<Utc>,
    raised_at: DateTime<Utc>,
}

/// Raises what is to be raised and ends what is over. Returns one line for each.
pub async fn watch(db: &Db, config: &Config, now: DateTime<Utc>) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for mailbox in &config.mailboxes {
        lines.extend(watch_mailbox(db, config, mailbox, now).await?);
    }
    forget_removed(db, config, now).await?;
    lines.extend(watch_sending(db, config, now).await?);
    Ok(lines)
}

async fn watch_mailbox(db: &Db, config: &Config, mailbox: &Mailbox, now: DateTime<Utc>) -> Result<Option<String>> {
    let mut tx = db.begin().await?;
    let Some((standing, failure, cause)) = standing(&mut tx, &mailbox.name).await? else { return Ok(None) };
    let open = open(&mut tx, &mailbox.name).await?;
    let (key, composed, line) = match (decide(&standing, open.is_some(), config.department.alarm_after, now), open) {
        (Decision::Raise { since }, _) => {
            warn!(mailbox = mailbox.name, %since, "a mailbox was not read for long: the department is told");
            raise(&mut tx, &mailbox.name, (since, &failure), now).await?;
            let view = view(config, mailbox, (since, now), (cause, failure));
            (format!("alarm {} {}", mailbox.name, now.to_rfc3339()), alarm::raised(&view), "alarm")
        }
        (Decision::Recover, Some(open)) => {
            let taken = taken(&mut tx, &mailbox.name, open.since).await?;
            info!(mailbox = mailbox.name, since = %open.since, taken, "a mailbox is read again: the department is told");
            recover(&mut tx, open.id, now).await?;
            let zone = config.timezone;
            let (since, until) = (open.since.with_timezone(&zone), now.with_timezone(&zone));
            let told = alarm::Recovered { mailbox: named(mailbox), since, until, taken, signature: signature() };
            let key = format!("recovered {} {}", mailbox.name, open.raised_at.to_rfc3339());
            (key, alarm::recovered(&told), "recovered")
        }
        (Decision::Quiet | Decision::Recover, _) => return Ok(None),
    };
    tell(&mut tx, config, &key, &composed, now).await?;
    tx.commit().await?;
    Ok(Some(format!("{line} {}", mailbox.name)))
}

/// Nobody waits for a mailbox that is no longer in the settings: its alarm ends without a word.
async fn forget_removed(db: &Db, config: &Config, now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    let out = sqlx::query_as("SELECT id, mailbox FROM alarm WHERE recovered_at IS NULL AND mailbox <> ?");
    let out: Vec<(i64, String)> = out.bind(SENDING).fetch_all(&mut *tx).await?;
    for (id, mailbox) in out.iter().filter(|(_, name)| config.mailboxes.iter().all(|m| m.name != *name)) {
        info!(mailbox, "a mailbox is not in the settings any more: its alarm ends");
        recover(&mut tx, *id, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// How the mailbox stands, what failed last and what that means.
async fn standing(conn: &mut SqliteConnection, mailbox: &str) -> Result<Option<(Standing, String, String)>> {
    let row = sqlx::query(
        "SELECT succeeded_at, failed_at, coalesce(failure, ''), coalesce(failure_words, '') FROM cursor WHERE mailbox = ?",
    );
    let Some(row) = row.bind(mailbox).fetch_optional(conn).await? else { return Ok(None) };
    let standing = Standing { succeeded_at: row.try_get(0)?, failed_at: row.try_get(1)? };
    Ok(Some((standing, row.try_get(2)?, row.try_get(3)?)))
}

fn view(
    config: &Config,
    mailbox: &Mailbox,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
    (cause, failure): (String, String),
) -> alarm::Alarm {
    alarm::Alarm {
        mailbox: named(mailbox),
        now: now.with_timezone(&config.timezone),
        since: since.with_timezone(&config.timezone),
        cause,
        failure,
        signature: signature(),
    }
}

/// What the department calls a mailbox of the settings: by its committee and address. One that is no longer there keeps
/// the name it had.
pub fn called(config: &Config, name: &str) -> String {
    let found = config.mailboxes.iter().find(|m| m.name == name);
    found.map_or_else(|| name.to_owned(), |mailbox| named(mailbox).words())
}

fn named(mailbox: &Mailbox) -> alarm::Named {
    alarm::Named { committee: mailbox.committee.clone(), address: mailbox.address.clone() }
}

fn signature() -> String {
    "台账系统".to_owned()
}

async fn watch_sending(db: &Db, config: &Config, now: DateTime<Utc>) -> Result<Option<String>> {
    let mut tx = db.begin().await?;
    let stuck = stuck(&mut tx, config, now).await?;
    let line = match (stuck, open(&mut tx, SENDING).await?) {
        (Some(stuck), None) => {
            error!(since = %stuck.since, waiting = stuck.waiting, "no mail could be sent for long");
            raise(&mut tx, SENDING, (stuck.since, &stuck.reason), now).await?;
            "alarm sending"
        }
        (None, Some(open)) if store::outage(&mut tx).await?.is_none() => {
            info!(since = %open.since, "mail can be sent again");
            let sent = sqlx::query_scalar("SELECT min(sent_at) FROM outbox WHERE sent_at > ? AND sent_at <= ?");
            let sent: Option<DateTime<Utc>> = sent.bind(open.raised_at).bind(now).fetch_one(&mut *tx).await?;
            recover(&mut tx, open.id, sent.unwrap_or(now)).await?;
            "recovered sending"
        }
        _ => return Ok(None),
    };
    tx.commit().await?;
    Ok(Some(line.to_owned()))
}

/// Mail that waits because no server takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// When the first of it was queued.
    pub since: DateTime<Utc>,
    pub waiting: u32,
    pub reason: String,
}

/// What waits for longer than `alarm_after` while nothing at all can be sent.
pub async fn stuck(conn: &mut SqliteConnection, config: &Config, now: DateTime<Utc>) -> Result<Option<Stuck>> {
    let Some(outage) = store::outage(conn).await? else { return Ok(None) };
    let sql = "SELECT min(created_at), count(*) FROM outbox WHERE state IN ('queued', 'sending') AND created_at <= ?
               AND created_at > (SELECT coalesce(max(sent_at), '') FROM outbox)";
    let (since, waiting): (Option<DateTime<Utc>>, u32) = sqlx::query_as(sql).bind(now).fetch_one(conn).await?;
    let since = since.filter(|since| now - *since >= config.department.alarm_after);
    Ok(since.map(|since| Stuck { since, waiting, reason: outage.reason }))
}

async fn open(conn: &mut SqliteConnection, mailbox: &str) -> Result<Option<Open>> {
    let row = sqlx::query("SELECT id, since, raised_at FROM alarm WHERE mailbox = ? AND recovered_at IS NULL");
    let row = row.bind(mailbox).fetch_optional(conn).await?;
    Ok(row.map(|r| Open { id: r.get(0), since: r.get(1), raised_at: r.get(2) }))
}

async fn raise(
    conn: &mut SqliteConnection,
    mailbox: &str,
    (since, failure): (DateTime<Utc>, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    let insert = sqlx::query("INSERT INTO alarm (mailbox, since, raised_at, failure) VALUES (?, ?, ?, ?)");
    insert.bind(mailbox).bind(since).bind(now).bind(failure).execute(conn).await?;
    Ok(())
}

async fn recover(conn: &mut SqliteConnection, id: i64, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE alarm SET recovered_at = ? WHERE id = ?").bind(now).bind(id).execute(conn).await?;
    Ok(())
}

async fn taken(conn: &mut SqliteConnection, mailbox: &str, since: DateTime<Utc>) -> Result<u32> {
    let count = sqlx::query_scalar("SELECT count(*) FROM sighting WHERE mailbox = ? AND seen_at > ?");
    Ok(count.bind(mailbox).bind(since).fetch_one(conn).await?)
}

async fn tell(
    conn: &mut SqliteConnection,
    config: &Config,
    key: &str,
    composed: &Composed,
    now: DateTime<Utc>,
) -> Result<()> {
    for to in &config.department.addresses {
        let post = Post {
            kind: Kind::Notice,
            key: &format!("{key} {to}"),
            to,
            cc: None,
            reply_to: None,
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
            answers: None,
            unit: None,
            period: None,
        };
        post::enqueue(conn, config, composed.clone(), post, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};

    #[tokio::test]
    async fn the_alarm_of_a_mailbox_that_was_removed_from_the_settings_ends_without_a_word() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        let (since, now) = (at("2011-09-20T01:00:00Z"), at("2011-09-20T04:00:00Z"));
        let mut conn = db.pool().acquire().await.unwrap();
        for mailbox in ["removed", &config.mailboxes[0].name] {
            raise(&mut conn, mailbox, (since, "no connection"), since).await.unwrap();
        }
        drop(conn);
        assert!(watch(&db, &config, now).await.unwrap().is_empty());
        let mut conn = db.pool().acquire().await.unwrap();
        assert!(open(&mut conn, "removed").await.unwrap().is_none());
        assert!(open(&mut conn, &config.mailboxes[0].name).await.unwrap().is_some());
        let told: u32 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&mut *conn).await.unwrap();
        assert_eq!(told, 0);
    }
}
