//! File: the mailbox is changed (flag, move) only after what came of the message is in the ledger.
//!
//! All that waits is filed by as few commands as the mailbox takes. Where it refuses, the batch is halved until the mail
//! is found that it will not have changed; that one is put off for an hour, and the others are filed.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::take::TakeError;
use crate::config::{After, Mailbox, Source};
use crate::db::Db;
use crate::mailbox::{Connection, Failure, Kind};

/// So long a mail is left alone that the mailbox would not have changed.
const AGAIN: TimeDelta = TimeDelta::hours(1);
/// Refusals in one go: enough to find one mail among a thousand.
const REFUSALS: usize = 12;

/// Flags or moves every processed message of one mailbox; repeating it is harmless. Returns how many.
///
/// # Errors
/// [`TakeError::Mailbox`] when some cannot be changed; the mailbox's row says so, and mail can still be taken from it.
pub async fn file(
    db: &Db,
    mailbox: &Mailbox,
    connection: &mut Option<Connection>,
    now: DateTime<Utc>,
) -> Result<usize, TakeError> {
    let after = match &mailbox.source {
        Source::Imap(imap) => &imap.after,
        Source::Maildir(maildir) => &maildir.after,
    };
    let Some(open) = connection.as_mut() else { return Ok(0) };
    let (mut filed, mut refused) = (0, None);
    let mut refusals = 0;
    let mut batches = vec![unfiled(db, &mailbox.name, now).await?];
    while let Some(mut batch) = batches.pop().filter(|_| refusals < REFUSALS) {
        if batch.is_empty() {
            continue;
        }
        match open.file(&batch, after).await {
            Ok(()) => {
                mark(db, (&mailbox.name, after), &batch, now).await?;
                filed += batch.len();
            }
            Err(failure) if is_about_mails(&failure) => {
                refusals += 1;
                match &batch[..] {
                    [one] => put_off(db, (&mailbox.name, one), &failure, now).await?,
                    _ => {
                        let second = batch.split_off(batch.len() / 2);
                        batches.extend([second, batch]);
                    }
                }
                refused = Some(failure);
            }
            Err(failure) => {
                note(db, &mailbox.name, &failure.to_string()).await?;
                return Err(failure.into());
            }
        }
    }
    if let Some(failure) = refused {
        note(db, &mailbox.name, &failure.to_string()).await?;
        return Err(failure.into());
    }
    if let Some(refusal) = refusal(db, &mailbox.name).await? {
        note(db, &mailbox.name, &refusal).await?;
    }
    Ok(filed)
}

/// A refusal of these mails; anything else would meet all mails.
fn is_about_mails(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Refused | Kind::Protocol | Kind::Io)
}

/// Whether a processed message of this mailbox waits to be filed.
pub async fn waits(db: &Db, mailbox: &str, now: DateTime<Utc>) -> Result<bool> {
    Ok(!unfiled(db, mailbox, now).await?.is_empty())
}

/// A refusal that lies in the future was noted by a clock that was ahead.
async fn unfiled(db: &Db, mailbox: &str, now: DateTime<Utc>) -> Result<Vec<String>> {
    let rows = sqlx::query_scalar(
        "SELECT s.locator FROM sighting s JOIN message m ON m.id = s.message
         WHERE s.mailbox = ?1 AND s.filed_at IS NULL AND m.disposition IS NOT NULL
         AND (s.refused_at IS NULL OR s.refused_at <= ?2 OR s.refused_at > ?3) ORDER BY s.refused_at, s.id",
    );
    Ok(rows.bind(mailbox).bind(now - AGAIN).bind(now).fetch_all(db.pool()).await?)
}

async fn mark(db: &Db, (mailbox, after): (&str, &After), locators: &[String], now: DateTime<Utc>) -> Result<()> {
    let moved = matches!(after, After::Move(_));
    let mut tx = db.begin().await?;
    for locator in locators {
        let update = sqlx::query(
            "UPDATE sighting SET filed_at = ?, moved = ?, refused_at = NULL, refusal = NULL WHERE mailbox = ? AND locator = ?",
        );
        update.bind(now).bind(moved).bind(mailbox).bind(locator).execute(&mut *tx).await?;
    }
    tx.commit().await
}

async fn put_off(db: &Db, (mailbox, locator): (&str, &str), failure: &Failure, now: DateTime<Utc>) -> Result<()> {
    let update = sqlx::query("UPDATE sighting SET refused_at = ?, refusal = ? WHERE mailbox = ? AND locator = ?");
    update.bind(now).bind(failure.to_string()).bind(mailbox).bind(locator).execute(db.pool()).await?;
    Ok(())
}

/// Why a mail that was put off is not filed, if there is one.
async fn refusal(db: &Db, mailbox: &str) -> Result<Option<String>> {
    let row = sqlx::query_scalar(
        "SELECT refusal FROM sighting WHERE mailbox = ? AND filed_at IS NULL AND refusal IS NOT NULL ORDER BY refused_at DESC",
    );
    Ok(row.bind(mailbox).fetch_optional(db.pool()).await?)
}

/// The mailbox can be read, so that `failed_at` stays as it is. The next look takes this back, and filing says it again.
async fn note(db: &Db, mailbox: &str, failure: &str) -> Result<()> {
    let update = sqlx::query("UPDATE cursor SET failure = ? WHERE mailbox = ?");
    update.bind(format!("mail cannot be flagged or moved: {failure}")).bind(mailbox).execute(db.pool()).await?;
    Ok(())
}
