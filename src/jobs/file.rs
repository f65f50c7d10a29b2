//! File: the mailbox is changed (flag, move) only after what came of the message is in the ledger.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::take::TakeError;
use crate::config::{Mailbox, Source};
use crate::db::Db;
use crate::mailbox::Connection;

/// Flags or moves every processed message of one mailbox; repeating it is harmless. Returns how many.
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
    open.file(&locators, after).await?;
    mark(db, &mailbox.name, &locators, now).await?;
    Ok(locators.len())
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
