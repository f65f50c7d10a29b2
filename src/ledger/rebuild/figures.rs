//! The figures that count, and what is to be said of them against the rest of the ledger.

use std::collections::BTreeSet;

use anyhow::Result;
use sqlx::{Row as _, SqliteConnection};

use super::counting::Counting;
use crate::form::book_figures::{self, Book};
use crate::form::history::{self, Earlier};
use crate::form::reading::Return;
use crate::form::{Form, Record, compare};
use crate::ledger::store::{Origin, insert_finding};

/// Stores the figures of each period.
pub async fn derive(conn: &mut SqliteConnection, of: (&str, &str, &str), versions: &[Counting]) -> Result<()> {
    for version in versions {
        insert(conn, of, version).await?;
    }
    Ok(())
}

async fn insert(conn: &mut SqliteConnection, of: (&str, &str, &str), version: &Counting) -> Result<()> {
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

/// Rules against the rest of the ledger: the last accepted figures (P05, P06, P09), all earlier ones (P08), and the unit's
/// own book (P07).
pub async fn check(
    conn: &mut SqliteConnection,
    form: &Form,
    versions: &[Counting],
    books: &[(&Form, Vec<Counting>)],
) -> Result<()> {
    let mut earlier: Vec<Earlier<'_>> = Vec::new();
    for version in versions {
        let Some(line) = version.rows.iter().find(|line| line.admitted) else { continue };
        let place = Return {
            form: form.key.clone(),
            file: version.file.clone(),
            sheet: version.sheet.clone(),
            ..Return::default()
        };
        let mut findings = Vec::new();
        if let Some(last) = earlier.last() {
            findings.extend(compare::against(last, &place, &line.record, form));
        }
        findings.extend(history::against_history(&earlier, version.period, &place, &line.record, form));
        for (book_form, books) in books {
            let Some(book) = books.iter().find(|b| b.period == version.period) else { continue };
            let Errors { doubles, cells } = errors(conn, book.submission).await?;
            let whole = book.rows.iter().filter(|l| !doubles.contains(&(l.record.sheet.clone(), l.record.row)));
            let records: Vec<&Record> = whole.map(|l| &l.record).collect();
            let book = Book { form: book_form, file: &book.file, records: &records, wrong: &cells };
            findings.extend(book_figures::against_book(&place, &line.record, form, &book));
        }
        for finding in &form.weigh(findings) {
            insert_finding(conn, version.message, Some(version.submission), Origin::Ledger, finding).await?;
        }
        earlier.push(Earlier { period: version.period, values: &line.record.values });
    }
    Ok(())
}

/// The errors of a book, by sheet.
#[derive(Default)]
struct Errors {
    /// Rows that repeat an organisation of the same book (R03).
    doubles: BTreeSet<(String, u32)>,
    cells: BTreeSet<(String, String)>,
}

async fn errors(conn: &mut SqliteConnection, submission: i64) -> Result<Errors> {
    let rows = sqlx::query("SELECT rule, sheet, row, cell FROM finding WHERE submission = ? AND severity = 'error'")
        .bind(submission)
        .fetch_all(conn)
        .await?;
    let mut errors = Errors::default();
    for row in rows {
        let (rule, sheet): (String, Option<String>) = (row.get(0), row.get(1));
        let sheet = sheet.unwrap_or_default();
        errors.cells.extend(row.get::<Option<String>, _>(3).map(|cell| (sheet.clone(), cell)));
        errors.doubles.extend(row.get::<Option<u32>, _>(2).filter(|_| rule == "R03").map(|row| (sheet, row)));
    }
    Ok(errors)
}
