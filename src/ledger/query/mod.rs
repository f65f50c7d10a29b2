//! Reads: what the listings, exports, receipts and reports show. Here: versions and what is owed.

mod contents;
mod decisions;
mod listing;
pub mod trace;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::obligation::{Obligation, Received, state};
use super::{store, waiver};
use crate::config::Config;
use crate::period::Period;
use crate::submission::Fate;

pub use contents::{Entry, Figure, Step, Whose, book, entries, figure, figures, history};
pub use decisions::{Decided, decisions};
pub use listing::{Filter, Listed, Told, Which, findings, messages};

/// One received version, newest last.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    #[serde(skip)]
    pub id: i64,
    #[serde(skip)]
    pub message: i64,
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: String,
    pub state: String,
    /// Number among the accepted versions of its obligation.
    pub version: Option<u32>,
    pub received_at: DateTime<Utc>,
    /// From when on the ledger has counted it.
    #[serde(skip)]
    pub known_at: DateTime<Utc>,
    pub file: String,
    pub sheet: String,
    /// The sender's address.
    #[serde(skip)]
    pub from: String,
    /// It is the version that counts.
    pub counts: bool,
}

const VERSIONS: &str =
    "SELECT s.id, s.message, s.unit, s.stream, s.form, s.period, s.state, s.received_at, s.file, s.sheet,
    coalesce(m.from_address, ''), s.known_at FROM submission s JOIN message m ON m.id = s.message";

/// All versions that units sent for some periods, by obligation and time of arrival.
pub async fn versions(conn: &mut SqliteConnection, periods: RangeInclusive<Period>) -> Result<Vec<Version>> {
    let order = "ORDER BY s.period, s.unit, s.stream, s.form, s.received_at, s.id";
    let rows =
        sqlx::query(AssertSqlSafe(format!("{VERSIONS} WHERE s.baseline = 0 AND s.period BETWEEN ? AND ? {order}")))
            .bind(periods.start().to_string())
            .bind(periods.end().to_string())
            .fetch_all(conn)
            .await?;
    Ok(number(rows.into_iter().map(version).collect()))
}

fn version(row: sqlx::sqlite::SqliteRow) -> Version {
    Version {
        id: row.get(0),
        message: row.get(1),
        unit: row.get(2),
        stream: row.get(3),
        form: row.get(4),
        period: row.get(5),
        state: row.get(6),
        version: None,
        received_at: row.get(7),
        file: row.get(8),
        sheet: row.get(9),
        from: row.get(10),
        known_at: row.get(11),
        counts: false,
    }
}

/// Numbers the accepted versions of each obligation and marks the one that counts. Input in order of arrival.
fn number(mut list: Vec<Version>) -> Vec<Version> {
    let mut last: BTreeMap<(String, String, String, String), (usize, u32)> = BTreeMap::new();
    for i in 0..list.len() {
        let v = &list[i];
        if v.state != Fate::Accepted.as_str() {
            continue;
        }
        let key = (v.unit.clone(), v.stream.clone(), v.form.clone(), v.period.clone());
        let (before, n) = last.get(&key).copied().map_or((None, 0), |(i, n)| (Some(i), n));
        if let Some(before) = before {
            list[before].counts = false;
        }
        list[i].version = Some(n + 1);
        list[i].counts = true;
        last.insert(key, (i, n + 1));
    }
    list
}

/// Every obligation of a period, in the registry's order.
pub async fn obligations(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<Obligation>> {
    let versions = versions(conn, period..=period).await?;
    let counts = finding_counts(conn, period).await?;
    let excused = excused(conn, period).await?;
    let due = config.deadline.due(period).to_utc();
    let mut list = Vec::new();
    for unit in &config.registry.units {
        for stream in &unit.streams {
            for form in &config.campaign.forms {
                let mine = versions.iter().filter(|v| v.unit == unit.name && v.stream == *stream && v.form == form.key);
                let mine: Vec<&Version> = mine.collect();
                list.push(one(
                    &mine,
                    &counts,
                    Owed {
                        unit: &unit.name,
                        stream,
                        form: &form.key,
                        period,
                        due,
                        now,
                        excused: excused.contains(&unit.name),
                    },
                ));
            }
        }
    }
    Ok(list)
}

struct Owed<'a> {
    unit: &'a str,
    stream: &'a str,
    form: &'a str,
    period: Period,
    due: DateTime<Utc>,
    now: DateTime<Utc>,
    excused: bool,
}

fn one(versions: &[&Version], counts: &BTreeMap<i64, (u32, u32)>, owed: Owed) -> Obligation {
    let received: Vec<Received> =
        versions.iter().filter_map(|v| Some(Received { at: v.received_at, fate: store::fate(&v.state)? })).collect();
    let accepted: Vec<&&Version> = versions.iter().filter(|v| v.version.is_some()).collect();
    let shown = versions.iter().find(|v| v.counts).or(versions.last());
    let (errors, warnings) = shown.and_then(|v| counts.get(&v.id)).copied().unwrap_or_default();
    let first = accepted.first().map(|v| v.received_at);
    Obligation {
        unit: owed.unit.to_owned(),
        stream: owed.stream.to_owned(),
        form: owed.form.to_owned(),
        period: owed.period,
        state: state(&received, owed.due, owed.now, owed.excused),
        received_at: first,
        amended_at: accepted.last().map(|v| v.received_at).filter(|t| Some(*t) != first),
        version: accepted.len() as u32,
        errors,
        warnings,
    }
}

async fn finding_counts(conn: &mut SqliteConnection, period: Period) -> Result<BTreeMap<i64, (u32, u32)>> {
    let rows = sqlx::query(
        "SELECT s.id, sum(f.severity = 'error'), sum(f.severity = 'warning') FROM submission s
         JOIN finding f ON f.submission = s.id WHERE s.period = ? GROUP BY s.id",
    )
    .bind(period.to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut counts: BTreeMap<i64, (u32, u32)> = rows.into_iter().map(|r| (r.get(0), (r.get(1), r.get(2)))).collect();
    for (submission, waived) in waiver::waived_warnings(conn, period).await? {
        counts.entry(submission).and_modify(|(_, warnings)| *warnings = warnings.saturating_sub(waived));
    }
    Ok(counts)
}

async fn excused(conn: &mut SqliteConnection, period: Period) -> Result<Vec<String>> {
    let rows =
        sqlx::query_scalar("SELECT unit FROM decision WHERE kind = 'excuse' AND period = ? AND unit IS NOT NULL");
    Ok(rows.bind(period.to_string()).fetch_all(conn).await?)
}

/// The submissions of one message, each with its number among the versions of its obligation.
pub async fn submissions(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Version>> {
    let rows = sqlx::query(
        "SELECT s.id, s.message, s.unit, s.stream, s.form, s.period, s.state, s.received_at, s.file, s.sheet,
         coalesce(m.from_address, ''), s.known_at,
         (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream AND o.form = s.form
          AND o.period = s.period AND o.state = 'accepted' AND o.baseline = 0 AND (o.received_at, o.id) <= (s.received_at, s.id)),
         (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream AND o.form = s.form
          AND o.period = s.period AND o.state = 'accepted' AND (o.received_at, o.id) > (s.received_at, s.id))
         FROM submission s JOIN message m ON m.id = s.message WHERE s.message = ? ORDER BY s.ordinal",
    )
    .bind(message)
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| {
        let (number, newer): (u32, u32) = (row.get(12), row.get(13));
        let mut v = version(row);
        if v.state == Fate::Accepted.as_str() {
            // The opening position has no number.
            (v.version, v.counts) = (Some(number).filter(|n| *n > 0), newer == 0);
        }
        v
    };
    Ok(rows.into_iter().map(read).collect())
}
