//! What people ruled about a book's organisations, as the decisions have it. Read in every rebuild.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::merge::{Ruled, Rulings};

/// The rulings about the book `(unit, stream, form)`, the last word last; with `known_on` those made by then.
pub async fn load(
    conn: &mut SqliteConnection,
    of: (&str, &str, &str),
    known_on: Option<DateTime<Utc>>,
) -> Result<Rulings> {
    let rows = sqlx::query(
        "SELECT kind, subject, other FROM decision WHERE unit = ? AND stream = ? AND kind IN ('merge', 'split')
         AND (form IS NULL OR form = ?) AND subject IS NOT NULL AND other IS NOT NULL AND (?4 IS NULL OR at <= ?4)
         ORDER BY id",
    )
    .bind(of.0)
    .bind(of.1)
    .bind(of.2)
    .bind(known_on)
    .fetch_all(conn)
    .await?;
    let ruled = |kind: &str| if kind == "merge" { Ruled::One } else { Ruled::Two };
    Ok(Rulings::of(rows.iter().map(|r| (ruled(r.get(0)), r.get(1), r.get(2)))))
}
