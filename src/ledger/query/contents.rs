//! What the ledger holds: figures, entries and their history.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use crate::form::record::Values;
use crate::period::Period;

/// The figures of one unit, stream and period that count.
#[derive(Clone, Debug)]
pub struct Figure {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: Period,
    pub version: u32,
    pub values: Values,
    pub file: String,
    pub sheet: String,
    pub row: u32,
}

/// All counting figures, of one period if given.
pub async fn figures(conn: &mut SqliteConnection, period: Option<Period>) -> Result<Vec<Figure>> {
    let rows = sqlx::query(
        "SELECT f.unit, f.stream, f.form, f.period, l.record, s.file, l.sheet, l.row,
         (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream AND o.form = s.form
          AND o.period = s.period AND o.state = 'accepted')
         FROM figure f JOIN line l ON l.id = f.line JOIN submission s ON s.id = l.submission
         WHERE ?1 IS NULL OR f.period = ?1 ORDER BY f.period, f.unit, f.stream, f.form",
    )
    .bind(period.map(|p| p.to_string()))
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| -> Result<Figure> {
        Ok(Figure {
            unit: row.get(0),
            stream: row.get(1),
            form: row.get(2),
            period: parse_period(row.get(3))?,
            values: parse_values(row.get(4))?,
            file: row.get(5),
            sheet: row.get(6),
            row: row.get(7),
            version: row.get(8),
        })
    };
    rows.into_iter().map(read).collect()
}

/// An entry of the ledger with where its newest values came from.
#[derive(Clone, Debug)]
pub struct Entry {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub closed: bool,
    pub vanished: bool,
    pub first_period: Period,
    pub last_period: Period,
    pub values: Values,
    pub file: String,
    pub sheet: String,
    pub row: u32,
}

/// Entries as they stood after the books of `as_of` (as they stand now without it), closed ones included.
pub async fn entries(conn: &mut SqliteConnection, as_of: Option<Period>) -> Result<Vec<Entry>> {
    let rows = sqlx::query(
        "SELECT e.unit, e.stream, e.form, e.status, e.first_period,
         CASE WHEN ?1 IS NULL THEN e.last_period ELSE min(e.last_period, ?1) END,
         v.record, s.file, l.sheet, l.row, v.change = 'vanished'
         FROM entry e JOIN entry_version v ON v.entry = e.id
         JOIN line l ON l.id = v.line JOIN submission s ON s.id = l.submission
         WHERE v.period = (SELECT max(p.period) FROM entry_version p
                           WHERE p.entry = e.id AND (?1 IS NULL OR p.period <= ?1))
         ORDER BY e.unit, e.stream, e.form, e.id",
    )
    .bind(as_of.map(|p| p.to_string()))
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| -> Result<Entry> {
        let values = parse_values(row.get(6))?;
        Ok(Entry {
            unit: row.get(0),
            stream: row.get(1),
            form: row.get(2),
            closed: values.get("status").and_then(crate::form::Datum::text) == Some("销户"),
            vanished: row.get(10),
            first_period: parse_period(row.get(4))?,
            last_period: parse_period(row.get(5))?,
            values,
            file: row.get(7),
            sheet: row.get(8),
            row: row.get(9),
        })
    };
    rows.into_iter().map(read).collect()
}

/// One step in the life of an entry.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    pub unit: String,
    pub stream: String,
    pub name: String,
    pub period: String,
    pub change: String,
    pub file: String,
    pub sheet: String,
    pub row: u32,
    /// Id of the message that brought it.
    pub message: i64,
    pub received_at: DateTime<Utc>,
    #[serde(skip)]
    pub values: Values,
}

pub async fn history(conn: &mut SqliteConnection, period: Option<Period>) -> Result<Vec<Step>> {
    let rows = sqlx::query(
        "SELECT e.unit, e.stream, e.name, v.period, v.change, s.file, l.sheet, l.row, s.message, s.received_at, v.record
         FROM entry_version v JOIN entry e ON e.id = v.entry JOIN line l ON l.id = v.line
         JOIN submission s ON s.id = l.submission
         WHERE ?1 IS NULL OR v.period = ?1 ORDER BY e.unit, e.stream, e.id, v.period",
    )
    .bind(period.map(|p| p.to_string()))
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| -> Result<Step> {
        Ok(Step {
            unit: row.get(0),
            stream: row.get(1),
            name: row.get(2),
            period: row.get(3),
            change: row.get(4),
            file: row.get(5),
            sheet: row.get(6),
            row: row.get(7),
            message: row.get(8),
            received_at: row.get(9),
            values: parse_values(row.get(10))?,
        })
    };
    rows.into_iter().map(read).collect()
}

fn parse_period(text: &str) -> Result<Period> {
    text.parse().map_err(anyhow::Error::msg).context("a stored period is not one")
}

fn parse_values(text: &str) -> Result<Values> {
    serde_json::from_str(text).context("a stored row is not readable")
}
