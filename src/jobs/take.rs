//! Take: new mail of one mailbox is stored raw, whole and once, before anything else happens to it.

pub(in crate::jobs) mod fetch;
mod patience;
mod unfetched;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::Row as _;
use tracing::info;

use crate::config::{After, Config, Mailbox, Source};
use crate::db::Db;
use crate::mailbox::{Connection, Cursor, Failure, Listed};
use fetch::{Taker, Tally};

/// What one look at a mailbox brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub new: usize,
    /// Mails that could not be fetched. They are tried again later, three times in all.
    pub left: usize,
    /// What a person should know of a look that otherwise succeeded.
    pub trouble: Option<String>,
}

/// A mailbox that cannot be read is not our own world breaking: the others go on.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    #[error(transparent)]
    Mailbox(#[from] Failure),
    /// Its server has refused the login: it is left alone, and nothing was tried.
    #[error("{failure}; no login before {}", .until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    Waits { failure: String, until: DateTime<Utc> },
    #[error(transparent)]
    Own(#[from] anyhow::Error),
}

/// What the database's own words (“disk I/O error”) leave out.
const UNWRITABLE: &str = "the ledger cannot be written";

/// Fetches and stores what is new. The cursor moves only over mail that is stored, or was given up.
///
/// # Errors
/// [`TakeError::Mailbox`] when the mailbox does not answer (recorded in its cursor), [`TakeError::Waits`] when it may not
/// be asked yet, [`TakeError::Own`] when the ledger
/// or the disk fails: then nothing more is taken.
pub async fn take(
    db: &Db,
    config: &Config,
    mailbox: &Mailbox,
    connection: &mut Option<Connection>,
    now: DateTime<Utc>,
) -> Result<Taken, TakeError> {
    if let Some((until, failure)) = patience::held(db, &mailbox.name, now).await? {
        // Kept, it would log in again for whatever is asked of it next.
        *connection = None;
        return Err(TakeError::Waits { failure, until });
    }
    let result = look(db, config, mailbox, connection, now).await;
    let noted = match &result {
        Ok(taken) => note_success(db, &mailbox.name, taken.trouble.as_deref(), now).await,
        Err(TakeError::Mailbox(failure)) => note_failure(db, mailbox, failure, now).await,
        Err(TakeError::Waits { .. } | TakeError::Own(_)) => Ok(()),
    };
    noted.context(UNWRITABLE)?;
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
    let taker = Taker { db, mailbox, now };
    let mut tally = Tally::default();
    let mut cursor = read_cursor(db, &mailbox.name).await?;
    loop {
        let listing = connection.list(&cursor).await?;
        let (old, new): (Vec<_>, Vec<_>) = listing.new.iter().partition(|listed| too_old(config, mailbox, listed));
        pass_over(db, mailbox, connection, old).await?;
        taker.take(connection, new, &mut tally).await?;
        cursor = listing.cursor;
        // While a mail is still to be tried again, the stored cursor stays before it.
        if !tally.held {
            write_cursor(db, &mailbox.name, &cursor).await.context(UNWRITABLE)?;
        }
        if !listing.more {
            break;
        }
    }
    let Tally { new, left, .. } = tally;
    if new > 0 {
        info!(mailbox = mailbox.name, new, "taken");
    }
    let name = &mailbox.name;
    let trouble = (left > 0).then(|| format!("mailbox {name}: mails that could not be fetched: {left}"));
    Ok(Taken { new, left, trouble })
}

/// Opens a mailbox. A Maildir has no cursor, so it is told which mails are done with; it never opens those again.
async fn open(db: &Db, config: &Config, mailbox: &Mailbox) -> Result<Connection, TakeError> {
    let mut connection = Connection::open(mailbox, &config.limits).await?;
    if let Source::Maildir(_) = mailbox.source {
        let done = sqlx::query_scalar(
            "SELECT locator FROM sighting WHERE mailbox = ?1 AND filed_at IS NOT NULL
             UNION ALL SELECT locator FROM passed_over WHERE mailbox = ?1 AND since <= ?2",
        );
        let done = done.bind(&mailbox.name).bind(mailbox.since).fetch_all(db.pool()).await;
        let done: Vec<String> = done.map_err(anyhow::Error::from)?;
        connection.file(&done, &After::Keep).await?;
    }
    Ok(connection)
}

/// Mails from before `since`. A Maildir, which has no cursor, need not open them again, now or ever.
async fn pass_over(
    db: &Db,
    mailbox: &Mailbox,
    connection: &mut Connection,
    old: Vec<&Listed>,
) -> Result<(), TakeError> {
    if !matches!(mailbox.source, Source::Maildir(_)) || old.is_empty() {
        return Ok(());
    }
    let locators: Vec<String> = old.into_iter().map(|listed| listed.locator.clone()).collect();
    let mut tx = db.begin().await?;
    for locator in &locators {
        let sql = "INSERT INTO passed_over (mailbox, locator, since) VALUES (?, ?, ?)
                   ON CONFLICT (mailbox, locator) DO UPDATE SET since = excluded.since";
        let row = sqlx::query(sql).bind(&mailbox.name).bind(locator).bind(mailbox.since);
        row.execute(&mut *tx).await.context(UNWRITABLE)?;
    }
    tx.commit().await.context(UNWRITABLE)?;
    Ok(connection.file(&locators, &After::Keep).await?)
}

/// Mail from before the mailbox's `since`. One without a readable date is not.
pub(super) fn too_old(config: &Config, mailbox: &Mailbox, listed: &Listed) -> bool {
    let day = listed.received_at.map(|t| t.with_timezone(&config.timezone).date_naive());
    mailbox.since.zip(day).is_some_and(|(since, day)| day < since)
}

pub(super) async fn read_cursor(db: &Db, mailbox: &str) -> Result<Cursor> {
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

/// The mailbox was read; `trouble` says what in it could not be.
async fn note_success(db: &Db, mailbox: &str, trouble: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO cursor (mailbox, succeeded_at, failure) VALUES (?1, ?2, ?3)
               ON CONFLICT (mailbox) DO UPDATE SET succeeded_at = ?2, failed_at = NULL, failure = ?3,
               failure_words = NULL";
    sqlx::query(sql).bind(mailbox).bind(now).bind(trouble).execute(db.pool()).await?;
    patience::admitted(db, mailbox).await
}

/// A person has seen that the login works (`taizhang check`): the mailbox need not wait any longer.
pub async fn admitted(db: &Db, mailbox: &str) -> Result<()> {
    patience::admitted(db, mailbox).await
}

/// The mailbox does not answer. The first failure in a row is the one that says since when; one in the future was noted
/// by a clock that was ahead.
async fn note_failure(db: &Db, mailbox: &Mailbox, failure: &Failure, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO cursor (mailbox, failed_at, failure, failure_words) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (mailbox) DO UPDATE SET failed_at = min(coalesce(failed_at, ?2), ?2), failure = ?3,
               failure_words = ?4";
    let note = sqlx::query(sql).bind(&mailbox.name).bind(now).bind(failure.to_string()).bind(failure.chinese());
    note.execute(db.pool()).await?;
    match failure.kind.refuses_login() {
        true => patience::refused(db, &mailbox.name, failure, now).await,
        false => Ok(()),
    }
}
