//! File: the mailbox is changed (flag, move) only after what came of the message is in the ledger.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::take::TakeError;
use crate::config::{Mailbox, Source};
use crate::db::Db;
use crate::mailbox::{Connection, Failure};

/// Flags or moves every processed message of one mailbox; repeating it is harmless. Returns how many.
///
/// # Errors
/// [`TakeError::Mailbox`] when the mailbox cannot be changed; its row says so, and mail can still be taken from it.
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
    let locators = unfiled(db, &mailbox.name).await?;
    if locators.is_empty() {
        return Ok(0);
    }
    if let Err(failure) = open.file(&locators, after).await {
        note(db, &mailbox.name, &failure).await?;
        return Err(failure.into());
    }
    mark(db, &mailbox.name, &locators, now).await?;
    Ok(locators.len())
}

/// Whether a processed message of this mailbox waits to be filed.
pub async fn waits(db: &Db, mailbox: &str) -> Result<bool> {
    Ok(!unfiled(db, mailbox).await?.is_empty())
}

async fn unfiled(db: &Db, mailbox: &str) -> Result<Vec<String>> {
    let rows = sqlx::query_scalar(
        "SELECT s.locator FROM sighting s JOIN message m ON m.id = s.message
         WHERE s.mailbox = ? AND s.filed_at IS NULL AND m.disposition IS NOT NULL ORDER BY s.id",
    );
    Ok(rows.bind(mailbox).fetch_all(db.pool()).await?)
}

async fn mark(db: &Db, mailbox: &str, locators: &[String], now: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    for locator in locators {
        let update = sqlx::query("UPDATE sighting SET filed_at = ? WHERE mailbox = ? AND locator = ?");
        update.bind(now).bind(mailbox).bind(locator).execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}

/// The mailbox can be read, so that `failed_at` stays as it is. The next look takes this back, and filing says it again.
async fn note(db: &Db, mailbox: &str, failure: &Failure) -> Result<()> {
    let update = sqlx::query("UPDATE cursor SET failure = ? WHERE mailbox = ?");
    update.bind(format!("mail cannot be flagged or moved: {failure}")).bind(mailbox).execute(db.pool()).await?;
    Ok(())
}
