//! What people ruled about a book's organisations, as the decisions have it (read in every rebuild), and whom they can
//! mean.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use super::merge::{Ruled, Rulings};
use crate::form::code;
use crate::form::name::organisation_key;
use crate::form::record::Values;

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

/// An organisation of a unit's books with all that it was ever called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Called {
    pub stream: String,
    pub form: String,
    #[serde(skip)]
    pub identity: String,
    /// Oldest first; the last one is that of today.
    pub names: Vec<String>,
    pub codes: Vec<String>,
    /// `active` or `closed`.
    pub status: String,
    pub vanished: bool,
    pub first_period: String,
    pub last_period: String,
}

impl Called {
    /// Whether a name or a code, of today or before, means it.
    pub fn is(&self, text: &str) -> bool {
        let (name, code) = (organisation_key(text), code::subject(text));
        self.names.iter().any(|n| organisation_key(n) == name)
            || !code.is_empty() && self.codes.iter().any(|c| code::subject(c) == code)
    }
}

/// The organisations of a unit, of one stream if given, in the order of the books.
pub async fn called(conn: &mut SqliteConnection, unit: &str, stream: Option<&str>) -> Result<Vec<Called>> {
    let rows = sqlx::query(
        "SELECT e.id, e.stream, e.form, e.identity, e.status, e.vanished, e.first_period, e.last_period, v.record
         FROM entry e JOIN entry_version v ON v.entry = e.id
         WHERE e.unit = ?1 AND (?2 IS NULL OR e.stream = ?2) ORDER BY e.stream, e.form, e.id, v.period",
    )
    .bind(unit)
    .bind(stream)
    .fetch_all(conn)
    .await?;
    let mut list: Vec<Called> = Vec::new();
    let mut last = None;
    for row in rows {
        let id: i64 = row.get(0);
        if last != Some(id) {
            last = Some(id);
            list.push(Called {
                stream: row.get(1),
                form: row.get(2),
                identity: row.get(3),
                names: Vec::new(),
                codes: Vec::new(),
                status: row.get(4),
                vanished: row.get(5),
                first_period: row.get(6),
                last_period: row.get(7),
            });
        }
        let Some(one) = list.last_mut() else { continue };
        let values: Values = serde_json::from_str(row.get(8)).context("a stored row is not readable")?;
        let text = |key: &str| values.get(key).and_then(|v| v.text()).filter(|t| !t.is_empty());
        newest(&mut one.names, text("name"));
        newest(&mut one.codes, text("code"));
    }
    Ok(list)
}

/// What comes again is the newest once more.
fn newest(list: &mut Vec<String>, text: Option<&str>) {
    if let Some(text) = text {
        list.retain(|known| known != text);
        list.push(text.to_owned());
    }
}
