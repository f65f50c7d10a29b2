//! Take: new mail of one mailbox is stored raw, whole and once, before anything else happens to it.

mod patience;
mod unfetched;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::Row as _;
use tracing::{info, warn};

use crate::config::{After, Config, Mailbox, Source};
use crate::db::Db;
use crate::ledger::{mailstore, store};
use crate::mailbox::{Connection, Cursor, Failure, Fetched, Listed};
use crate::message::parse;
use unfetched::Turn;

/// After so many mails that could not be fetched, a look ends: each may have cost a login.
const FAILED: usize = 3;

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
        Err(TakeError::Mailbox(failure)) => note_failure(db, &mailbox.name, failure, now).await,
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
    let mut taken = Taken::default();
    let mut cursor = read_cursor(db, &mailbox.name).await?;
    // A mail is still to be tried again: the stored cursor stays before it.
    let mut held = false;
    let mut failed = 0;
    loop {
        let listing = connection.list(&cursor).await?;
        let (old, new): (Vec<_>, Vec<_>) = listing.new.iter().partition(|listed| too_old(config, mailbox, listed));
        pass_over(connection, old).await?;
        for listed in new {
            match attempt(db, mailbox, connection, listed, now).await? {
                Came::Stored => taken.new += 1,
                Came::Nothing => {}
                Came::Later => (taken.left, held) = (taken.left + 1, true),
                Came::Failed { failure, given_up } => {
                    (taken.left, held, failed) = (taken.left + 1, held || !given_up, failed + 1);
                    if failed == FAILED {
                        return Err(failure.into());
                    }
                    // A failure of this is the mailbox's own and not the next mail's.
                    connection.ready().await?;
                }
            }
        }
        cursor = listing.cursor;
        if !held {
            write_cursor(db, &mailbox.name, &cursor).await.context(UNWRITABLE)?;
        }
        if !listing.more {
            break;
        }
    }
    if taken.new > 0 {
        info!(mailbox = mailbox.name, new = taken.new, "taken");
    }
    let (name, left) = (&mailbox.name, taken.left);
    taken.trouble = (left > 0).then(|| format!("mailbox {name}: mails that could not be fetched: {left}"));
    Ok(taken)
}

/// What came of a listed mail.
enum Came {
    Stored,
    /// It is in the ledger already, no longer there, or was given up.
    Nothing,
    /// It failed before and is not tried yet.
    Later,
    Failed {
        failure: Failure,
        given_up: bool,
    },
}

async fn attempt(
    db: &Db,
    mailbox: &Mailbox,
    connection: &mut Connection,
    listed: &Listed,
    now: DateTime<Utc>,
) -> Result<Came, TakeError> {
    let (name, locator) = (mailbox.name.as_str(), listed.locator.as_str());
    if known(db, name, locator).await? {
        return Ok(Came::Nothing);
    }
    let turn = unfetched::turn(db, name, locator, now).await?;
    match turn {
        Turn::First | Turn::Again => {}
        Turn::Later => return Ok(Came::Later),
        Turn::Never => return Ok(Came::Nothing),
    }
    match fetch(db, mailbox, connection, listed, now).await {
        Ok(came) => {
            if turn == Turn::Again {
                unfetched::came(db, name, locator).await.context(UNWRITABLE)?;
            }
            Ok(came)
        }
        // A server that asks us to come later, or turns us away, means every mail.
        Err(TakeError::Mailbox(failure)) if !failure.kind.means_everything() => {
            let turn = unfetched::failed(db, (name, locator), &failure.to_string(), now).await.context(UNWRITABLE)?;
            let given_up = turn == Turn::Never;
            warn!(mailbox = name, locator, given_up, %failure, "a mail cannot be read; the others go on");
            Ok(Came::Failed { failure, given_up })
        }
        Err(other) => Err(other),
    }
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

/// A Maildir, which has no cursor, need not open them again.
async fn pass_over(connection: &mut Connection, old: Vec<&Listed>) -> Result<(), Failure> {
    let locators: Vec<String> = old.into_iter().map(|listed| listed.locator.clone()).collect();
    connection.file(&locators, &After::Keep).await
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
) -> Result<Came, TakeError> {
    let (raw, size) = match connection.fetch(listed).await? {
        Fetched::Mail(raw) => {
            let size = raw.len() as u64;
            (raw, size)
        }
        // Its header is kept and answered; the size tells that the rest was left on the server.
        Fetched::TooLarge { header, size } => (header, size),
        Fetched::Gone => return Ok(Came::Nothing),
    };
    keep(db, mailbox, listed, (&raw, size), now).await?;
    Ok(Came::Stored)
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

/// The mailbox was read; `trouble` says what in it could not be.
async fn note_success(db: &Db, mailbox: &str, trouble: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO cursor (mailbox, succeeded_at, failure) VALUES (?1, ?2, ?3)
               ON CONFLICT (mailbox) DO UPDATE SET succeeded_at = ?2, failed_at = NULL, failure = ?3,
               failure_words = NULL";
    sqlx::query(sql).bind(mailbox).bind(now).bind(trouble).execute(db.pool()).await?;
    patience::admitted(db, mailbox).await
}

/// The mailbox does not answer. The first failure in a row is the one that says since when.
async fn note_failure(db: &Db, mailbox: &str, failure: &Failure, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO cursor (mailbox, failed_at, failure, failure_words) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (mailbox) DO UPDATE SET failed_at = coalesce(failed_at, ?2), failure = ?3,
               failure_words = ?4";
    let note = sqlx::query(sql).bind(mailbox).bind(now).bind(failure.to_string()).bind(failure.chinese());
    note.execute(db.pool()).await?;
    match failure.kind.refuses_login() {
        true => patience::refused(db, mailbox, failure, now).await,
        false => Ok(()),
    }
}

/// A person has seen that the login works (`taizhang check`): the mailbox need not wait any longer.
pub async fn admitted(db: &Db, mailbox: &str) -> Result<()> {
    patience::admitted(db, mailbox).await
}
