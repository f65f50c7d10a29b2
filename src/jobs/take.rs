//! Take: new mail of one mailbox is stored raw, whole and once, before anything else happens to it.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tracing::{info, warn};

use crate::config::{Config, Mailbox};
use crate::db::Db;
use crate::ledger::{mailstore, store};
use crate::mailbox::{Connection, Cursor, Failure, Listed};

/// What one look at a mailbox brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub new: usize,
    /// Mails that could not be fetched now; they are tried again at the next look.
    pub left: usize,
}

/// A mailbox that cannot be read is not our own world breaking: the others go on.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    #[error(transparent)]
    Mailbox(#[from] Failure),
    #[error(transparent)]
    Own(#[from] anyhow::Error),
}

/// Fetches and stores what is new. The cursor moves only over mail that is stored.
///
/// # Errors
/// [`TakeError::Mailbox`] when the mailbox does not answer (recorded in its cursor), [`TakeError::Own`] when the ledger
/// or the disk fails: then nothing more is taken.
pub async fn take(
    db: &Db,
    config: &Config,
    mailbox: &Mailbox,
    connection: &mut Option<Connection>,
    now: DateTime<Utc>,
) -> Result<Taken, TakeError> {
    let result = look(db, config, mailbox, connection, now).await;
    let failure = match &result {
        Err(TakeError::Mailbox(failure)) => Some(failure.to_string()),
        _ => None,
    };
    if !matches!(result, Err(TakeError::Own(_))) {
        let mut conn = db.pool().acquire().await.map_err(anyhow::Error::from)?;
        note(&mut conn, &mailbox.name, failure.as_deref(), now).await?;
    }
    if failure.is_some() {
        *connection = None;
    }
    result
}

async fn look(
    db: &Db,
    config: &Config,
    mailbox: &Mailbox,
    connection: &mut Option<Connection>,
    now: DateTime<Utc>,
) -> Result<Taken, TakeError> {
    if connection.is_none() {
        *connection = Some(Connection::open(mailbox, &config.limits).await?);
    }
    let Some(connection) = connection else { unreachable!("opened above") };
    let cursor = read_cursor(db, &mailbox.name).await?;
    let listing = connection.list(&cursor).await?;
    let mut taken = Taken::default();
    let mut unbroken = true;
    for listed in &listing.new {
        if known(db, &mailbox.name, &listed.locator).await? || too_old(config, mailbox, listed) {
            continue;
        }
        match connection.fetch(listed).await {
            Ok(raw) => {
                keep(db, mailbox, listed, &raw, now).await?;
                taken.new += 1;
            }
            Err(failure) if failure.ends_session() => return Err(failure.into()),
            Err(failure) => {
                warn!(mailbox = mailbox.name, locator = listed.locator, %failure, "a mail cannot be fetched; the others go on");
                (unbroken, taken.left) = (false, taken.left + 1);
            }
        }
    }
    if unbroken {
        write_cursor(db, &mailbox.name, &listing.cursor).await?;
    }
    if taken.new > 0 {
        info!(mailbox = mailbox.name, new = taken.new, "taken");
    }
    Ok(taken)
}

fn too_old(config: &Config, mailbox: &Mailbox, listed: &Listed) -> bool {
    mailbox.since.is_some_and(|day| listed.received_at.with_timezone(&config.timezone).date_naive() < day)
}

/// Stores one message: first the bytes, then that they are there.
async fn keep(db: &Db, mailbox: &Mailbox, listed: &Listed, raw: &[u8], now: DateTime<Utc>) -> Result<()> {
    let digest = mailstore::put(db.dir(), raw)?;
    let seen = store::Sighting {
        mailbox: &mailbox.name,
        locator: &listed.locator,
        digest: &digest,
        size: raw.len() as u64,
        received_at: listed.received_at,
    };
    let mut tx = db.begin().await?;
    store::take(&mut tx, &seen, now).await?;
    Ok(tx.commit().await?)
}

async fn known(db: &Db, mailbox: &str, locator: &str) -> Result<bool> {
    let found = sqlx::query("SELECT 1 FROM sighting WHERE mailbox = ? AND locator = ?").bind(mailbox).bind(locator);
    Ok(found.fetch_optional(db.pool()).await?.is_some())
}

async fn read_cursor(db: &Db, mailbox: &str) -> Result<Cursor> {
    let row = sqlx::query("SELECT uidvalidity, last_uid FROM cursor WHERE mailbox = ?").bind(mailbox);
    let row = row.fetch_optional(db.pool()).await?;
    Ok(row.map_or(Cursor::default(), |r| Cursor { uidvalidity: r.get(0), last_uid: r.get(1) }))
}

async fn write_cursor(db: &Db, mailbox: &str, cursor: &Cursor) -> Result<()> {
    sqlx::query(
        "INSERT INTO cursor (mailbox, uidvalidity, last_uid) VALUES (?, ?, ?)
         ON CONFLICT (mailbox) DO UPDATE SET uidvalidity = excluded.uidvalidity, last_uid = excluded.last_uid",
    )
    .bind(mailbox)
    .bind(cursor.uidvalidity)
    .bind(cursor.last_uid)
    .execute(db.pool())
    .await?;
    Ok(())
}

async fn note(conn: &mut SqliteConnection, mailbox: &str, failure: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let sql = match failure {
        None => {
            "INSERT INTO cursor (mailbox, succeeded_at) VALUES (?1, ?2) ON CONFLICT (mailbox) DO UPDATE SET
             succeeded_at = ?2, failed_at = NULL, failure = ?3"
        }
        // The first failure in a row is the one that says since when.
        Some(_) => {
            "INSERT INTO cursor (mailbox, failed_at, failure) VALUES (?1, ?2, ?3) ON CONFLICT (mailbox) DO UPDATE SET
             failed_at = coalesce(failed_at, ?2), failure = ?3"
        }
    };
    sqlx::query(sql).bind(mailbox).bind(now).bind(failure).execute(conn).await?;
    Ok(())
}
