//! A book's entries with their history, from its counting versions and what people ruled; and what is to be said of each.

use anyhow::Result;
use sqlx::types::Json;
use sqlx::{QueryBuilder, SqliteConnection};

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
    insert(conn, (of.0, of.1, &form.key), &entries).await?;
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

/// So many rows go into one statement: each statement is a turn between two threads, and SQLite takes 32,766 values in one.
const AT_ONCE: usize = 200;

/// Numbered as they come, after all that are there.
async fn insert(conn: &mut SqliteConnection, of: (&str, &str, &str), entries: &[Entry]) -> Result<()> {
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM entry").fetch_one(&mut *conn).await?;
    let numbered: Vec<(i64, &Entry)> = (last + 1..).zip(entries).collect();
    for some in numbered.chunks(AT_ONCE) {
        let mut sql = QueryBuilder::new(
            "INSERT INTO entry (id, unit, stream, form, identity, name, code, status, vanished, first_period, last_period,
             line, record) ",
        );
        sql.push_values(some, |mut row, (id, entry)| {
            row.push_bind(id).push_bind(of.0).push_bind(of.1).push_bind(of.2).push_bind(&entry.identity);
            row.push_bind(entry.name()).push_bind(entry.code());
            row.push_bind(if entry.closed { "closed" } else { "active" }).push_bind(entry.vanished);
            row.push_bind(entry.first_period.to_string()).push_bind(entry.last_period.to_string());
            row.push_bind(entry.line).push_bind(Json(&entry.values));
        });
        sql.build().execute(&mut *conn).await?;
    }
    let versions: Vec<_> = numbered.iter().flat_map(|(id, e)| e.versions.iter().map(move |v| (*id, v))).collect();
    for some in versions.chunks(AT_ONCE) {
        let mut sql = QueryBuilder::new("INSERT INTO entry_version (entry, period, change, line, record) ");
        sql.push_values(some, |mut row, (id, version)| {
            row.push_bind(id).push_bind(version.period.to_string()).push_bind(version.change.as_str());
            row.push_bind(version.line).push_bind(Json(&version.values));
        });
        sql.build().execute(&mut *conn).await?;
    }
    insert_lives(conn, &numbered).await
}

/// The names and absences of entries.
async fn insert_lives(conn: &mut SqliteConnection, numbered: &[(i64, &Entry)]) -> Result<()> {
    let names: Vec<_> = numbered.iter().flat_map(|(id, e)| e.names.iter().map(move |n| (*id, n))).collect();
    for some in names.chunks(AT_ONCE) {
        let mut sql = QueryBuilder::new("INSERT INTO entry_name (entry, since, name) ");
        sql.push_values(some, |mut row, (id, name)| {
            row.push_bind(id).push_bind(name.since.to_string()).push_bind(&name.name);
        });
        sql.build().execute(&mut *conn).await?;
    }
    let absences: Vec<_> = numbered.iter().flat_map(|(id, e)| e.absences.iter().map(move |a| (*id, a))).collect();
    for some in absences.chunks(AT_ONCE) {
        let mut sql = QueryBuilder::new("INSERT INTO entry_absence (entry, last, since, until) ");
        sql.push_values(some, |mut row, (id, absence)| {
            row.push_bind(id).push_bind(absence.last.to_string()).push_bind(absence.since.to_string());
            row.push_bind(absence.until.map(|p| p.to_string()));
        });
        sql.build().execute(&mut *conn).await?;
    }
    Ok(())
}
