//! What the digest has to tell of the books: read from what the night has noted.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::account::Account;
use crate::config::Config;
use crate::db::seal::{JOINT, Subject};
use crate::jobs::alarm::called;
use crate::mailbox::cursor;
use crate::outbox::compose::books::Matter;

/// What was noted after `since` and up to `now`; of each mailbox its newest count.
pub async fn matters(
    conn: &mut SqliteConnection,
    config: &Config,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Matter>> {
    let mut matters = Vec::new();
    for mailbox in &config.mailboxes {
        let rows = sqlx::query_as(
            "SELECT account, gone, failure FROM balance WHERE mailbox = ? AND at > ? AND at <= ? ORDER BY at",
        );
        let rows: Vec<(String, u32, Option<String>)> =
            rows.bind(&mailbox.name).bind(since).bind(now).fetch_all(&mut *conn).await?;
        let count = rows.iter().map(|(_, gone, _)| gone).sum();
        let name = || called(config, &mailbox.name);
        if count > 0 {
            matters.push(Matter::Gone { mailbox: name(), count });
        }
        match rows.into_iter().next_back() {
            Some((_, _, Some(failure))) => matters.push(Matter::Uncounted { mailbox: name(), failure }),
            Some((account, _, None)) => matters.extend(differences(&name(), &serde_json::from_str(&account)?)),
            None => {}
        }
    }
    matters.extend(lost(conn, (since, now)).await?);
    matters.extend(changed(conn, (since, now)).await?);
    matters.extend(unsent(conn, config, (since, now)).await?);
    Ok(matters)
}

fn differences(mailbox: &str, account: &Account) -> Vec<Matter> {
    let mut matters = Vec::new();
    if !account.missing.is_empty() {
        let (count, which) = (account.missing.len(), cursor::shown(&account.missing));
        matters.push(Matter::Missing { mailbox: mailbox.to_owned(), count, which });
    }
    if account.unseen > 0 {
        let (counted, unseen) = (account.on_server, account.unseen);
        matters.push(Matter::Unseen { mailbox: mailbox.to_owned(), counted, unseen });
    }
    matters
}

async fn lost(conn: &mut SqliteConnection, (since, now): (DateTime<Utc>, DateTime<Utc>)) -> Result<Option<Matter>> {
    let row = sqlx::query_scalar("SELECT lost FROM stored_files WHERE at > ? AND at <= ? ORDER BY at DESC LIMIT 1");
    let row: Option<String> = row.bind(since).bind(now).fetch_optional(conn).await?;
    let messages: Vec<i64> = row.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default();
    Ok((!messages.is_empty()).then_some(Matter::Lost { messages }))
}

/// What of the ledger was not as it was sealed when somebody looked last.
async fn changed(conn: &mut SqliteConnection, (since, now): (DateTime<Utc>, DateTime<Utc>)) -> Result<Option<Matter>> {
    let row = sqlx::query_scalar("SELECT changed FROM stored_files WHERE at > ? AND at <= ? ORDER BY at DESC LIMIT 1");
    let row: Option<String> = row.bind(since).bind(now).fetch_optional(conn).await?;
    let subjects: Vec<Subject> = row.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default();
    let name = |subject: &Subject| match (subject.kind.as_str(), subject.key.split_once(JOINT)) {
        ("message", _) => format!("来信编号{}", subject.key),
        ("book", Some((unit, _))) => format!("{unit}的台账"),
        ("decision", _) => format!("人工处理记录{}", subject.key),
        ("mail sent", _) => format!("发出的邮件{}", subject.key),
        _ => "其他记录".to_owned(),
    };
    let mut which: Vec<String> = subjects.iter().map(name).collect();
    which.dedup();
    Ok((!which.is_empty()).then_some(Matter::Changed { count: subjects.len(), which }))
}

/// Outages of sending that last, or ended since.
async fn unsent(
    conn: &mut SqliteConnection,
    config: &Config,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Matter>> {
    let rows: Vec<(DateTime<Utc>, Option<DateTime<Utc>>, String)> = sqlx::query_as(
        "SELECT since, recovered_at, failure FROM alarm
         WHERE mailbox = '' AND (recovered_at IS NULL OR recovered_at > ? AND recovered_at <= ?) ORDER BY id",
    )
    .bind(since)
    .bind(now)
    .fetch_all(conn)
    .await?;
    let zone = config.timezone;
    let matter = |(since, until, failure): (DateTime<Utc>, Option<DateTime<Utc>>, String)| Matter::Unsent {
        since: since.with_timezone(&zone),
        until: until.map(|until| until.with_timezone(&zone)),
        failure,
    };
    Ok(rows.into_iter().map(matter).collect())
}
