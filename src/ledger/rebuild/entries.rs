//! A book's entries with their history, from its counting versions and what people ruled; and what is to be said of each.

use anyhow::Result;
use sqlx::{Row as _, SqliteConnection};

use super::counting::{Counting, Line};
use super::remarks::Lines;
use crate::form::Form;
use crate::ledger::merge::{self, Book, Entry, Folded, Row, Rulings};
use crate::ledger::store::{Origin, insert_finding};

/// Stores what the counting books of one unit, stream and form come to, and the findings R11, R13 and R14 (and R03, where
/// it was ruled that two rows are one organisation), each with the book that it is about.
pub async fn derive(
    conn: &mut SqliteConnection,
    form: &Form,
    of: (&str, &str),
    versions: &[Counting],
    rulings: &Rulings,
) -> Result<()> {
    let Folded { entries, remarks } = fold(versions, rulings);
    for entry in &entries {
        insert(conn, (of.0, of.1, &form.key), entry).await?;
    }
    let lines = Lines::of(form, versions);
    for (period, remark) in &remarks {
        let Some(book) = versions.iter().find(|v| v.period == *period) else { continue };
        for finding in form.weigh(vec![lines.finding(book, remark)]) {
            insert_finding(conn, book.message, Some(book.submission), Origin::Ledger, &finding).await?;
        }
    }
    Ok(())
}

/// The entries of one unit, stream and form.
pub fn fold(books: &[Counting], rulings: &Rulings) -> Folded {
    let row = |l: &Line| Row { line: l.id, admitted: l.admitted, values: l.record.values.clone() };
    let books: Vec<Book> =
        books.iter().map(|b| Book { period: b.period, rows: b.rows.iter().map(row).collect() }).collect();
    merge::fold(&books, rulings)
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
    insert_life(conn, id, entry).await
}

/// The names and absences of an entry.
async fn insert_life(conn: &mut SqliteConnection, id: i64, entry: &Entry) -> Result<()> {
    for name in &entry.names {
        sqlx::query("INSERT INTO entry_name (entry, since, name) VALUES (?, ?, ?)")
            .bind(id)
            .bind(name.since.to_string())
            .bind(&name.name)
            .execute(&mut *conn)
            .await?;
    }
    for absence in &entry.absences {
        sqlx::query("INSERT INTO entry_absence (entry, last, since, until) VALUES (?, ?, ?, ?)")
            .bind(id)
            .bind(absence.last.to_string())
            .bind(absence.since.to_string())
            .bind(absence.until.map(|p| p.to_string()))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
