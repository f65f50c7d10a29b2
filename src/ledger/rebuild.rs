//! Brings figures, entries and the findings against the ledger up to date for one unit and stream.
//!
//! Everything is derived anew from the counting submissions of that unit and stream, so that a late or corrected
//! return for an older period gives the same ledger as if it had come in time.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use futures_util::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection};

use super::merge::{self, Book, Entry, Row};
use super::store::{Origin, insert_finding};
use crate::form::reading::Return;
use crate::form::{Campaign, Form, FormKind, Record, compare};
use crate::period::Period;

/// Must run before submissions of a message are dropped or replaced: frees their rows from the ledger.
pub async fn release_lines(conn: &mut SqliteConnection, unit: &str, stream: &str) -> Result<()> {
    for sql in ["DELETE FROM figure WHERE unit = ? AND stream = ?", "DELETE FROM entry WHERE unit = ? AND stream = ?"] {
        sqlx::query(sql).bind(unit).bind(stream).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The version that counts for one period: the newest accepted.
struct Counting {
    submission: i64,
    message: i64,
    period: Period,
    file: String,
    sheet: String,
    rows: Vec<Line>,
}

/// A stored row.
struct Line {
    id: i64,
    admitted: bool,
    record: Record,
}

pub async fn unit_stream(conn: &mut SqliteConnection, campaign: &Campaign, unit: &str, stream: &str) -> Result<()> {
    release_lines(conn, unit, stream).await?;
    sqlx::query(
        "DELETE FROM finding WHERE origin = 'ledger' AND submission IN
         (SELECT id FROM submission WHERE unit = ? AND stream = ?)",
    )
    .bind(unit)
    .bind(stream)
    .execute(&mut *conn)
    .await?;
    let mut books: Vec<(&Form, Vec<Counting>)> = Vec::new();
    for form in campaign.forms.iter().filter(|f| f.kind == FormKind::Book) {
        let versions = counting(conn, unit, stream, &form.key).await?;
        for entry in &fold(&versions) {
            insert_entry(conn, (unit, stream, &form.key), entry).await?;
        }
        books.push((form, versions));
    }
    for form in campaign.forms.iter().filter(|f| f.kind == FormKind::Figures) {
        let versions = counting(conn, unit, stream, &form.key).await?;
        for version in &versions {
            insert_figure(conn, (unit, stream, &form.key), version).await?;
        }
        check_figures(conn, form, &versions, &books).await?;
    }
    Ok(())
}

async fn counting(conn: &mut SqliteConnection, unit: &str, stream: &str, form: &str) -> Result<Vec<Counting>> {
    let rows = sqlx::query(
        "SELECT id, message, period, file, sheet FROM submission s
         WHERE unit = ? AND stream = ? AND form = ? AND state = 'accepted' AND NOT EXISTS (
             SELECT 1 FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream AND n.form = s.form
             AND n.state = 'accepted' AND n.period = s.period AND (n.received_at, n.id) > (s.received_at, s.id))
         ORDER BY period",
    )
    .bind(unit)
    .bind(stream)
    .bind(form)
    .fetch_all(&mut *conn)
    .await?;
    let mut list = Vec::new();
    for row in rows {
        let submission: i64 = row.get(0);
        let period: String = row.get(2);
        list.push(Counting {
            submission,
            message: row.get(1),
            period: period.parse().map_err(anyhow::Error::msg).context("a stored period is not one")?,
            file: row.get(3),
            sheet: row.get(4),
            rows: lines(conn, submission).await?,
        });
    }
    Ok(list)
}

async fn lines(conn: &mut SqliteConnection, submission: i64) -> Result<Vec<Line>> {
    let mut rows =
        sqlx::query("SELECT id, admitted, sheet, row, record, cells FROM line WHERE submission = ? ORDER BY id")
            .bind(submission)
            .fetch(conn);
    let read = |row: sqlx::sqlite::SqliteRow| -> Result<Line> {
        let record = Record {
            sheet: row.get(2),
            row: row.get(3),
            values: serde_json::from_str(row.get(4)).context("a stored row is not readable")?,
            cells: serde_json::from_str(row.get(5)).context("stored cells are not readable")?,
            ..Record::default()
        };
        Ok(Line { id: row.get(0), admitted: row.get(1), record })
    };
    let mut lines = Vec::new();
    while let Some(row) = rows.try_next().await? {
        lines.push(read(row)?);
    }
    Ok(lines)
}

fn fold(books: &[Counting]) -> Vec<Entry> {
    let row = |l: &Line| Row { line: l.id, admitted: l.admitted, values: l.record.values.clone() };
    let books: Vec<Book> =
        books.iter().map(|b| Book { period: b.period, rows: b.rows.iter().map(row).collect() }).collect();
    merge::fold(&books)
}

async fn insert_entry(conn: &mut SqliteConnection, of: (&str, &str, &str), entry: &Entry) -> Result<()> {
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

async fn insert_figure(conn: &mut SqliteConnection, of: (&str, &str, &str), version: &Counting) -> Result<()> {
    let Some(line) = version.rows.iter().find(|line| line.admitted) else { return Ok(()) };
    sqlx::query("INSERT INTO figure (unit, stream, form, period, line) VALUES (?, ?, ?, ?, ?)")
        .bind(of.0)
        .bind(of.1)
        .bind(of.2)
        .bind(version.period.to_string())
        .bind(line.id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Rules against the rest of the ledger: the last accepted figures (P05, P06, P09) and the unit's own book (P07).
async fn check_figures(
    conn: &mut SqliteConnection,
    form: &Form,
    versions: &[Counting],
    books: &[(&Form, Vec<Counting>)],
) -> Result<()> {
    for (i, version) in versions.iter().enumerate() {
        let Some(line) = version.rows.iter().find(|line| line.admitted) else { continue };
        let place = Return {
            form: form.key.clone(),
            file: version.file.clone(),
            sheet: version.sheet.clone(),
            ..Return::default()
        };
        let mut findings = Vec::new();
        let last = i.checked_sub(1).and_then(|i| versions[i].rows.iter().find(|l| l.admitted));
        if let Some(last) = last {
            findings.extend(compare::against(&last.record.values, &place, &line.record, form));
        }
        for (book_form, books) in books {
            let Some(book) = books.iter().find(|b| b.period == version.period) else { continue };
            let doubles = doubles(conn, book.submission).await?;
            let whole = book.rows.iter().filter(|l| !doubles.contains(&(l.record.sheet.clone(), l.record.row)));
            let records: Vec<&Record> = whole.map(|l| &l.record).collect();
            let book = compare::Book { form: book_form, records: &records };
            findings.extend(compare::against_book(&place, &line.record, form, &book));
        }
        for finding in &findings {
            insert_finding(conn, version.message, Some(version.submission), Origin::Ledger, finding).await?;
        }
    }
    Ok(())
}

/// Rows that repeat an organisation of the same book (R03).
async fn doubles(conn: &mut SqliteConnection, submission: i64) -> Result<BTreeSet<(String, u32)>> {
    let rows = sqlx::query("SELECT sheet, row FROM finding WHERE submission = ? AND rule = 'R03' AND row IS NOT NULL")
        .bind(submission)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|r| (r.get::<Option<String>, _>(0).unwrap_or_default(), r.get(1))).collect())
}
