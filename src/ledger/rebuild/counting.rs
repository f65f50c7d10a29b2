//! The submissions that count: of each period the newest accepted one, with its rows.

use anyhow::{Context, Result};
use futures_util::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection};

use crate::form::Record;
use crate::period::Period;

/// The version that counts for one period: the newest accepted.
pub struct Counting {
    pub submission: i64,
    pub message: i64,
    pub period: Period,
    pub file: String,
    pub sheet: String,
    pub rows: Vec<Line>,
}

/// A stored row.
pub struct Line {
    pub id: i64,
    pub admitted: bool,
    pub record: Record,
}

/// What counts of one unit, stream and form, in the order of periods.
pub async fn versions(conn: &mut SqliteConnection, of: (&str, &str, &str)) -> Result<Vec<Counting>> {
    let rows = sqlx::query(
        "SELECT id, message, period, file, sheet FROM submission s
         WHERE unit = ? AND stream = ? AND form = ? AND state = 'accepted' AND NOT EXISTS (
             SELECT 1 FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream AND n.form = s.form
             AND n.state = 'accepted' AND n.period = s.period AND (n.received_at, n.id) > (s.received_at, s.id))
         ORDER BY period",
    )
    .bind(of.0)
    .bind(of.1)
    .bind(of.2)
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
