//! A copy that came earlier than what was read first: the ledger stands as if it had been read in order of arrival. Runs
//! inside the caller's transaction, and keeps how things stood before.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::ledger::known::past;
use crate::ledger::store::{Origin, insert_finding};
use crate::submission::Fate;
use crate::submission::repeats::Repeat;

/// What a copy was found of.
#[derive(Clone, Copy)]
pub(super) enum Came {
    Message(i64),
    Submission(i64),
}

/// A copy was taken by its provider at `at`: the earlier time counts. Returns whose returns are older now.
pub(super) async fn came_earlier(
    conn: &mut SqliteConnection,
    what: Came,
    at: DateTime<Utc>,
    known_at: DateTime<Utc>,
) -> Result<Vec<(String, String)>> {
    let (sql, id) = match what {
        Came::Message(id) => {
            past::message(conn, id, known_at).await?;
            let sql =
                "UPDATE message SET received_at = ?1, known_at = min(known_at, ?3) WHERE id = ?2 AND received_at > ?1";
            sqlx::query(sql).bind(at).bind(id).bind(known_at).execute(&mut *conn).await?;
            ("SELECT id FROM submission WHERE message = ? AND received_at > ?", id)
        }
        Came::Submission(id) => ("SELECT id FROM submission WHERE id = ? AND received_at > ?", id),
    };
    let later: Vec<i64> = sqlx::query_scalar(sql).bind(id).bind(at).fetch_all(&mut *conn).await?;
    let mut older = Vec::new();
    for id in later {
        past::submission(conn, id, known_at).await?;
        let sql = "UPDATE submission SET received_at = ?, known_at = min(known_at, ?) WHERE id = ?
                   RETURNING unit, stream, state";
        let row: (String, String, String) =
            sqlx::query_as(sql).bind(at).bind(known_at).bind(id).fetch_one(&mut *conn).await?;
        older.extend((row.2 == Fate::Accepted.as_str()).then_some((row.0, row.1)));
    }
    Ok(older)
}

/// What was read first but came later shows the file's name and the findings of the copy, as if that had been read first.
/// How it stood before was kept by [`came_earlier`].
pub(super) async fn show_instead(conn: &mut SqliteConnection, Repeat { form, earlier, .. }: &Repeat) -> Result<()> {
    // One that only waits, or that is judged by other rules today, shows nothing for what counts.
    if form.fate != earlier.fate {
        return Ok(());
    }
    let id = earlier.submission;
    let sql = "UPDATE submission SET file = ?, sheet = ? WHERE id = ?";
    sqlx::query(sql).bind(&form.file).bind(&form.sheet).bind(id).execute(&mut *conn).await?;
    let sql = "DELETE FROM finding WHERE submission = ? AND origin = 'sheet'";
    sqlx::query(sql).bind(id).execute(&mut *conn).await?;
    for finding in &form.findings {
        insert_finding(conn, earlier.message, Some(id), Origin::Sheet, finding).await?;
    }
    Ok(())
}
