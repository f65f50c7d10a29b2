//! Take: new mail of one mailbox is stored raw, whole and once, before anything else happens to it.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tracing::{info, warn};

use crate::config::{After, Config, Mailbox, Source};
use crate::db::Db;
use crate::ledger::{mailstore, store};
use crate::mailbox::{Connection, Cursor, Failure, Fetched, Kind, Listed};
use crate::message::parse;

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

/// What the database's own words (“disk I/O error”) leave out.
const UNWRITABLE: &str = "the ledger cannot be written";

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
        note(&mut conn, &mailbox.name, failure.as_deref(), now).await.context(UNWRITABLE)?;
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
    let connection = match connection {
        Some(open) => open,
        none => none.insert(open(db, config, mailbox).await?),
    };
    let mut taken = Taken::default();
    let mut cursor = read_cursor(db, &mailbox.name).await?;
    loop {
        let listing = connection.list(&cursor).await?;
        for failure in &listing.unreadable {
            warn!(mailbox = mailbox.name, %failure, "a mail cannot be read; the others go on");
        }
        taken.left += listing.unreadable.len();
        for listed in &listing.new {
            if known(db, &mailbox.name, &listed.locator).await? || too_old(config, mailbox, listed) {
                continue;
            }
            match fetch(db, mailbox, connection, listed, now).await {
                Ok(()) => taken.new += 1,
                Err(TakeError::Mailbox(failure)) if matches!(failure.kind, Kind::Refused | Kind::Io) => {
                    warn!(mailbox = mailbox.name, locator = listed.locator, %failure, "a mail cannot be fetched; the others go on");
                    taken.left += 1;
                }
                Err(other) => return Err(other),
            }
        }
        cursor = listing.cursor;
        // What could not be read is listed again next time: the stored cursor stays before it.
        if taken.left == 0 {
            write_cursor(db, &mailbox.name, &cursor).await.context(UNWRITABLE)?;
        }
        if !listing.more {
            break;
        }
    }
    if taken.new > 0 {
        info!(mailbox = mailbox.name, new = taken.new, "taken");
    }
    Ok(taken)
}

/// Opens a mailbox. A Maildir has no cursor, so it is told which mails are done with; it never opens those again.
async fn open(db: &Db, config: &Config, mailbox: &Mailbox) -> Result<Connection, TakeError> {
    let mut connection = Connection::open(mailbox, &config.limits).await?;
    if let Source::Maildir(_) = mailbox.source {
        let done = sqlx::query_scalar("SELECT locator FROM sighting WHERE mailbox = ? AND filed_at IS NOT NULL");
        let done: Vec<String> = done.bind(&mailbox.name).fetch_all(db.pool()).await.map_err(anyhow::Error::from)?;
        connection.file(&done, &After::Keep).await?;
    }
    Ok(connection)
}

fn too_old(config: &Config, mailbox: &Mailbox, listed: &Listed) -> bool {
    let day = listed.received_at.map(|t| t.with_timezone(&config.timezone).date_naive());
    mailbox.since.zip(day).is_some_and(|(since, day)| day < since)
}

async fn fetch(
    db: &Db,
    mailbox: &Mailbox,
    connection: &mut Connection,
    listed: &Listed,
    now: DateTime<Utc>,
) -> Result<(), TakeError> {
    let (raw, size) = match connection.fetch(listed).await? {
        Fetched::Mail(raw) => {
            let size = raw.len() as u64;
            (raw, size)
        }
        // Its header is kept and answered; the size tells that the rest was left on the server.
        Fetched::TooLarge { header, size } => (header, size),
        Fetched::Gone => return Ok(()),
    };
    Ok(keep(db, mailbox, listed, (&raw, size), now).await?)
}

/// Stores one message: first the bytes, then that they are there.
async fn keep(
    db: &Db,
    mailbox: &Mailbox,
    listed: &Listed,
    (raw, size): (&[u8], u64),
    now: DateTime<Utc>,
) -> Result<()> {
    let digest = mailstore::put(db.dir(), raw)?;
    let seen = store::Sighting {
        mailbox: &mailbox.name,
        locator: &listed.locator,
        digest: &digest,
        size,
        // A server without a readable date: what the provider wrote into the mail, else now.
        received_at: listed.received_at.or_else(|| received(raw)).unwrap_or(now),
    };
    let mut tx = db.begin().await?;
    store::take(&mut tx, &seen, now).await.context(UNWRITABLE)?;
    tx.commit().await.context(UNWRITABLE)
}

fn received(raw: &[u8]) -> Option<DateTime<Utc>> {
    parse::parse(raw, &parse::Limits::default()).received
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
