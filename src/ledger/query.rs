//! Reads: what the listings, exports, receipts and reports show.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use super::obligation::{Obligation, Received, state};
use super::store;
use crate::config::Config;
use crate::form::record::Values;
use crate::period::Period;
use crate::submission::Fate;

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
    pub file: String,
    pub sheet: String,
    /// The sender's address.
    #[serde(skip)]
    pub from: String,
    /// It is the version that counts.
    pub counts: bool,
}

/// All versions of one period, by obligation and time of arrival.
pub async fn versions(conn: &mut SqliteConnection, period: Period) -> Result<Vec<Version>> {
    let rows = sqlx::query(
        "SELECT s.id, s.message, s.unit, s.stream, s.form, s.period, s.state, s.received_at, s.file, s.sheet,
         coalesce(m.from_address, '') FROM submission s JOIN message m ON m.id = s.message
         WHERE s.period = ? ORDER BY s.unit, s.stream, s.form, s.received_at, s.id",
    )
    .bind(period.to_string())
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
    let versions = versions(conn, period).await?;
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
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.get(0), (r.get(1), r.get(2)))).collect())
}

async fn excused(conn: &mut SqliteConnection, period: Period) -> Result<Vec<String>> {
    let rows =
        sqlx::query_scalar("SELECT unit FROM decision WHERE kind = 'excuse' AND period = ? AND unit IS NOT NULL");
    Ok(rows.bind(period.to_string()).fetch_all(conn).await?)
}

/// A message as the listing shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub id: i64,
    pub mailbox: String,
    pub message_id: Option<String>,
    pub from: Option<String>,
    pub subject: String,
    pub received_at: DateTime<Utc>,
    /// `None` while it waits to be assessed.
    pub disposition: Option<String>,
    pub reason: String,
    pub rules: Vec<String>,
    pub duplicate_of: Option<i64>,
    pub submissions: Vec<Version>,
}

/// Which messages to list.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Since(DateTime<Utc>),
    One(i64),
    Quarantined,
    News,
}

pub async fn messages(conn: &mut SqliteConnection, which: Which) -> Result<Vec<Listed>> {
    const FIELDS: &str =
        "SELECT id, mailbox, message_id, from_address, subject, received_at, disposition, reason, rules,
        duplicate_of FROM message";
    let sql = |rest: &str| sqlx::AssertSqlSafe(format!("{FIELDS} {rest} ORDER BY received_at, id"));
    let rows = match which {
        Which::Since(t) => sqlx::query(sql("WHERE received_at >= ?")).bind(t).fetch_all(&mut *conn).await?,
        Which::One(id) => sqlx::query(sql("WHERE id = ?")).bind(id).fetch_all(&mut *conn).await?,
        Which::Quarantined => {
            sqlx::query(sql("WHERE disposition = 'quarantined' OR id IN
            (SELECT message FROM submission WHERE state = 'quarantined')"))
            .fetch_all(&mut *conn)
            .await?
        }
        Which::News => sqlx::query(sql("WHERE disposition = 'news'")).fetch_all(&mut *conn).await?,
    };
    let mut list = Vec::new();
    for row in rows {
        let id: i64 = row.get(0);
        let rules: String = row.get(8);
        list.push(Listed {
            id,
            mailbox: row.get(1),
            message_id: row.get::<Option<String>, _>(2).map(|m| format!("<{m}>")),
            from: row.get(3),
            subject: row.get(4),
            received_at: row.get(5),
            disposition: row.get(6),
            reason: row.get(7),
            rules: serde_json::from_str(&rules).context("stored rules are not readable")?,
            duplicate_of: row.get(9),
            submissions: submissions(conn, id).await?,
        });
    }
    Ok(list)
}

/// The submissions of one message, each with its number among the versions of its obligation.
pub async fn submissions(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Version>> {
    let rows = sqlx::query(
        "SELECT s.id, s.message, s.unit, s.stream, s.form, s.period, s.state, s.received_at, s.file, s.sheet,
         coalesce(m.from_address, ''),
         (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream AND o.form = s.form
          AND o.period = s.period AND o.state = 'accepted' AND (o.received_at, o.id) <= (s.received_at, s.id)),
         (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream AND o.form = s.form
          AND o.period = s.period AND o.state = 'accepted' AND (o.received_at, o.id) > (s.received_at, s.id))
         FROM submission s JOIN message m ON m.id = s.message WHERE s.message = ? ORDER BY s.ordinal",
    )
    .bind(message)
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| {
        let (number, newer): (u32, u32) = (row.get(11), row.get(12));
        let mut v = version(row);
        if v.state == Fate::Accepted.as_str() {
            (v.version, v.counts) = (Some(number), newer == 0);
        }
        v
    };
    Ok(rows.into_iter().map(read).collect())
}

/// A finding as listings and reports show it.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub rule: String,
    pub severity: String,
    pub unit: Option<String>,
    pub stream: Option<String>,
    pub form: Option<String>,
    pub period: Option<String>,
    pub file: Option<String>,
    pub sheet: Option<String>,
    pub cell: Option<String>,
    pub row: Option<u32>,
    pub message: String,
    #[serde(skip)]
    pub mail: i64,
    #[serde(skip)]
    pub received_at: DateTime<Utc>,
}

/// Which findings to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub period: Option<Period>,
    pub unit: Option<String>,
    pub message: Option<i64>,
    /// Also those of superseded versions.
    pub all: bool,
}

/// Findings of the versions that count: the newest accepted, else the newest that came. Of what waits in quarantine
/// only the question is listed: whether its rows count at all is not decided yet.
pub async fn findings(conn: &mut SqliteConnection, filter: &Filter) -> Result<Vec<Told>> {
    let rows = sqlx::query(
        "SELECT f.rule, f.severity, nullif(s.unit, ''), nullif(s.stream, ''), s.form, nullif(s.period, ''), f.file, f.sheet,
         f.cell, f.row, f.text, f.message, m.received_at, s.id
         FROM finding f JOIN message m ON m.id = f.message LEFT JOIN submission s ON s.id = f.submission
         WHERE (?1 IS NULL OR s.period = ?1) AND (?2 IS NULL OR s.unit = ?2) AND (?3 IS NULL OR f.message = ?3)
         AND (?4 OR m.disposition <> 'duplicate') AND coalesce(s.state, '') <> 'dismissed'
         AND (?4 OR coalesce(s.state, '') <> 'quarantined' OR f.rule LIKE 'M%' OR f.rule LIKE 'W%' OR f.rule LIKE 'H%')
         AND (?4 OR s.id IS NULL OR NOT EXISTS (
             SELECT 1 FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream AND n.form = s.form
             AND n.period = s.period AND n.id <> s.id AND n.unit <> ''
             AND ((n.state = 'accepted' AND s.state <> 'accepted')
               OR ((n.state = 'accepted' OR s.state <> 'accepted') AND n.state <> 'dismissed'
                   AND (n.received_at, n.id) > (s.received_at, s.id)))))
         ORDER BY s.unit, s.stream, s.form, f.id",
    )
    .bind(filter.period.map(|p| p.to_string()))
    .bind(&filter.unit)
    .bind(filter.message)
    .bind(filter.all)
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| Told {
        rule: row.get(0),
        severity: row.get(1),
        unit: row.get(2),
        stream: row.get(3),
        form: row.get(4),
        period: row.get(5),
        file: row.get(6),
        sheet: row.get(7),
        cell: row.get(8),
        row: row.get(9),
        message: row.get(10),
        mail: row.get(11),
        received_at: row.get(12),
    };
    Ok(rows.into_iter().map(read).collect())
}

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
