//! The stored mail itself: every message's file is there, as long as it was, and what came lately has not changed.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::SqliteConnection;
use tracing::error;

use super::seals;
use crate::db::Db;
use crate::jobs::pass;
use crate::jobs::schedule::Occurrence;
use crate::ledger::mailstore;

/// What a look at the stored mail found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inspected {
    pub files: usize,
    /// Numbers of messages whose file is gone or was changed.
    pub lost: Vec<i64>,
}

/// Looks once a night, at the seals too, and notes what it found; the digest tells it. True if something is lost or was
/// changed.
pub async fn scheduled(db: &Db, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    let since = last(&mut *db.pool().acquire().await?, now).await?;
    let found = inspect(db, since).await?;
    let changed = seals::broken(db).await?;
    let mut tx = db.begin().await?;
    if !pass::claim(&mut tx, occurrence, now).await? {
        return Ok(false);
    }
    let insert = sqlx::query("INSERT OR REPLACE INTO stored_files (at, files, lost, changed) VALUES (?, ?, ?, ?)");
    let row = insert.bind(now).bind(i64::try_from(found.files)?).bind(serde_json::to_string(&found.lost)?);
    row.bind(serde_json::to_string(&changed)?).execute(&mut *tx).await?;
    tx.commit().await?;
    if !found.lost.is_empty() {
        error!(messages = ?found.lost, "stored mail is gone or was changed");
    }
    if !changed.is_empty() {
        error!(subjects = changed.len(), "the ledger was changed by something else; see `taizhang verify`");
    }
    Ok(!found.lost.is_empty() || !changed.is_empty())
}

/// When somebody looked last; what came since is read whole.
pub async fn last(conn: &mut SqliteConnection, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let at: Option<DateTime<Utc>> =
        sqlx::query_scalar("SELECT max(at) FROM stored_files WHERE at <= ?").bind(now).fetch_one(conn).await?;
    Ok(at.unwrap_or(DateTime::UNIX_EPOCH))
}

/// All by size; those stored after `since`, and those of another size than noted, by digest: of a mail that was too
/// large only the header is stored.
pub async fn inspect(db: &Db, since: DateTime<Utc>) -> Result<Inspected> {
    let rows: Vec<(i64, String, i64, bool)> =
        sqlx::query_as("SELECT id, digest, size, stored_at > ? FROM message ORDER BY id")
            .bind(since)
            .fetch_all(db.pool())
            .await?;
    let dir = db.dir().to_owned();
    let look = move || {
        let is_lost = |(_, digest, size, fresh): &&(i64, String, i64, bool)| {
            let there = std::fs::metadata(mailstore::path(&dir, digest)).map(|meta| meta.len());
            let right = there.is_ok_and(|length| i64::try_from(length) == Ok(*size));
            (*fresh || !right) && mailstore::get(&dir, digest).is_err()
        };
        let lost = rows.iter().filter(is_lost).map(|row| row.0).collect();
        Inspected { files: rows.len(), lost }
    };
    Ok(tokio::task::spawn_blocking(look).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};
    use crate::ledger::store::{self, Sighting};

    async fn stored(db: &Db, raw: &[u8], size: u64, when: &str) -> (i64, std::path::PathBuf) {
        let digest = mailstore::put(db.dir(), raw).unwrap();
        let seen = Sighting { mailbox: "news", locator: &digest, digest: &digest, size, received_at: at(when) };
        let mut tx = db.begin().await.unwrap();
        let id = store::take(&mut tx, &seen, at(when)).await.unwrap();
        tx.commit().await.unwrap();
        (id, mailstore::path(db.dir(), &digest))
    }

    #[tokio::test]
    async fn a_lost_a_shortened_and_a_freshly_changed_file_are_found_and_a_mere_header_is_not() {
        let (_dir, db) = fixture::ledger().await;
        let (early, late) = ("2011-09-19T00:00:00Z", "2011-09-20T00:00:00Z");
        let (lost, gone) = stored(&db, b"one", 3, early).await;
        let (short, shortened) = stored(&db, b"two!", 4, early).await;
        let (_, unread) = stored(&db, b"three", 5, early).await;
        let (fresh, changed) = stored(&db, b"fourth", 6, late).await;
        stored(&db, b"Subject: large\r\n\r\n", 90_000_000, early).await;
        assert_eq!(inspect(&db, at(early)).await.unwrap(), Inspected { files: 5, lost: vec![] });
        std::fs::remove_file(gone).unwrap();
        std::fs::write(shortened, "two").unwrap();
        std::fs::write(changed, "forth!").unwrap();
        // Of old ones only the size is looked at.
        std::fs::write(unread, "THREE").unwrap();
        assert_eq!(inspect(&db, at(early)).await.unwrap().lost, [lost, short, fresh]);
    }
}
