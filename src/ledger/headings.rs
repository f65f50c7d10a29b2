//! Headings that no form file lists: the questions a mail raises, and what people confirmed. Every function runs inside
//! the caller's transaction.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use crate::form::Campaign;
use crate::submission::Submission;

/// A heading that may be, or is, a form's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Key of the form.
    pub form: String,
    /// Key of the form's column.
    pub column: String,
    /// As it stands on the sheet, in one line.
    pub shown: String,
    /// As recognition compares it, top row first.
    pub path: Vec<String>,
}

/// A heading in question, and the sheet's column it stands above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub heading: Heading,
    /// `D`
    pub letters: String,
}

/// A heading that a person confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    pub id: i64,
    pub heading: Heading,
    pub at: DateTime<Utc>,
    pub who: String,
}

/// Notes what a submission leaves open.
pub async fn ask(conn: &mut SqliteConnection, message: i64, submission: &Submission) -> Result<()> {
    for doubt in &submission.doubts {
        for candidate in &doubt.candidates {
            sqlx::query(
                "INSERT INTO heading_question (message, form, column_key, letters, shown, path) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(message)
            .bind(&submission.form)
            .bind(&doubt.key)
            .bind(&candidate.letters)
            .bind(&candidate.heading)
            .bind(serde_json::to_string(&candidate.path)?)
            .execute(&mut *conn)
            .await?;
        }
    }
    Ok(())
}

/// What a message left open, a column's likeliest heading first.
pub async fn questions(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Question>> {
    let sql = "SELECT form, column_key, shown, path, letters FROM heading_question WHERE message = ? ORDER BY rowid";
    let rows = sqlx::query(sql).bind(message).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(Question { heading: heading(row, 0)?, letters: row.get(4) })).collect()
}

/// Drops the questions of a message: it is assessed again.
pub async fn forget(conn: &mut SqliteConnection, message: i64) -> Result<()> {
    sqlx::query("DELETE FROM heading_question WHERE message = ?").bind(message).execute(conn).await?;
    Ok(())
}

/// Remembers a heading for its form. The last word counts: the same heading confirmed for another column before is
/// taken back.
pub async fn confirm(
    conn: &mut SqliteConnection,
    heading: &Heading,
    who: &str,
    message: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    let path = serde_json::to_string(&heading.path)?;
    sqlx::query("UPDATE heading SET revoked_at = ? WHERE form = ? AND path = ? AND revoked_at IS NULL")
        .bind(now)
        .bind(&heading.form)
        .bind(&path)
        .execute(&mut *conn)
        .await?;
    sqlx::query("INSERT INTO heading (form, column_key, shown, path, at, who, message) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(&heading.form)
        .bind(&heading.column)
        .bind(&heading.shown)
        .bind(&path)
        .bind(now)
        .bind(who)
        .bind(message)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a confirmed heading back; `false` if there is none under this number.
pub async fn revoke(conn: &mut SqliteConnection, id: i64, now: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE heading SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL";
    Ok(sqlx::query(sql).bind(now).bind(id).execute(conn).await?.rows_affected() > 0)
}

/// All headings that are remembered, in the order in which they were confirmed.
pub async fn confirmed(conn: &mut SqliteConnection) -> Result<Vec<Confirmed>> {
    let sql = "SELECT form, column_key, shown, path, id, at, who FROM heading WHERE revoked_at IS NULL ORDER BY id";
    let rows = sqlx::query(sql).fetch_all(conn).await?;
    let read = |row| Ok(Confirmed { heading: heading(row, 0)?, id: row.get(4), at: row.get(5), who: row.get(6) });
    rows.iter().map(read).collect()
}

/// Adds what is remembered to the forms as their files state them.
pub fn teach(campaign: &mut Campaign, confirmed: &[Confirmed]) {
    for Confirmed { heading, .. } in confirmed {
        campaign.learn(&heading.form, &heading.column, heading.path.clone());
    }
}

fn heading(row: &sqlx::sqlite::SqliteRow, first: usize) -> Result<Heading> {
    Ok(Heading {
        form: row.get(first),
        column: row.get(first + 1),
        shown: row.get(first + 2),
        path: serde_json::from_str(row.get(first + 3))?,
    })
}
