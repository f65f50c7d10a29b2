//! A book's entries with their history, from its counting versions.

use anyhow::Result;
use sqlx::{Row as _, SqliteConnection};

use super::counting::{Counting, Line};
use crate::ledger::merge::{self, Book, Entry, Row};

/// Stores what the counting books of one unit, stream and form come to.
pub async fn derive(conn: &mut SqliteConnection, of: (&str, &str, &str), versions: &[Counting]) -> Result<()> {
    for entry in &fold(versions) {
        insert(conn, of, entry).await?;
    }
    Ok(())
}

fn fold(books: &[Counting]) -> Vec<Entry> {
    let row = |l: &Line| Row { line: l.id, admitted: l.admitted, values: l.record.values.clone() };
    let books: Vec<Book> =
        books.iter().map(|b| Book { period: b.period, rows: b.rows.iter().map(row).collect() }).collect();
    merge::fold(&books)
}

async fn insert(conn: &mut SqliteConnection, of: (&str, &str, &str), entry: &Entry) -> Result<()> {
    let row = sqlx::query(
        "INSERT INTO entry (unit, stream, form, identity, name, code, status, vanished, first_period, last_period, line, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(of.0)
    .bind(of.1)
    .bind(of.2)
    .bind(&entry.identity)
    .bind(entry.name())
    .bind(entry.code())
    .bind(if entry.closed { "closed" } else { "active" })
    .bind(entry.vanished)
    .bind(entry.first_period.to_string())
    .bind(entry.last_period.to_string())
    .bind(entry.line)
    .bind(serde_json::to_string(&entry.values)?)
    .fetch_one(&mut *conn)
    .await?;
    let id: i64 = row.get(0);
    for version in &entry.versions {
        sqlx::query("INSERT INTO entry_version (entry, period, change, line, record) VALUES (?, ?, ?, ?, ?)")
            .bind(id)
            .bind(version.period.to_string())
            .bind(version.change.as_str())
            .bind(version.line)
            .bind(serde_json::to_string(&version.values)?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
