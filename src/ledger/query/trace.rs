//! Traces: every value that an organisation or a figure ever had, with the version, mail, file and cell that said so.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::Whose;
use crate::form::name::organisation_key;
use crate::form::{Datum, Form};
use crate::ledger::traced::{Known, Line, Source, Standing};

/// An organisation as one unit's books have it.
#[derive(Clone, Debug, Serialize)]
pub struct Organisation {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub name: String,
    pub code: Option<String>,
    /// `active` or `closed`; none where only versions have it that do not count.
    pub status: Option<String>,
    /// The names it had, each with the period that brought it, in order.
    pub names: Vec<(String, String)>,
    #[serde(skip)]
    pub known: Known,
}

/// Which organisations to look among.
#[derive(Clone, Copy, Debug, Default)]
pub struct Among<'a> {
    pub unit: Option<&'a str>,
    pub stream: Option<&'a str>,
}

/// All organisations of the ledger.
pub async fn organisations(conn: &mut SqliteConnection, among: Among<'_>) -> Result<Vec<Organisation>> {
    let rows = sqlx::query(
        "SELECT e.id, e.unit, e.stream, e.form, e.name, e.code, e.status, v.period,
         json_extract(v.record, '$.name'), json_extract(v.record, '$.code')
         FROM entry e JOIN entry_version v ON v.entry = e.id
         WHERE (?1 IS NULL OR e.unit = ?1) AND (?2 IS NULL OR e.stream = ?2)
         ORDER BY e.unit, e.stream, e.form, e.id, v.period",
    );
    let rows = rows.bind(among.unit).bind(among.stream).fetch_all(conn).await?;
    let mut list: Vec<(i64, Organisation)> = Vec::new();
    for row in &rows {
        let id: i64 = row.get(0);
        if list.last().is_none_or(|(last, _)| *last != id) {
            let organisation = Organisation {
                unit: row.get(1),
                stream: row.get(2),
                form: row.get(3),
                name: row.get(4),
                code: row.get(5),
                status: row.get(6),
                names: Vec::new(),
                known: Known::default(),
            };
            list.push((id, organisation));
        }
        let Some((_, organisation)) = list.last_mut() else { continue };
        let (period, name): (String, String) = (row.get(7), text(row, 8));
        organisation.known.add(&name, &text(row, 9));
        if organisation.names.last().is_none_or(|(last, _)| *last != name) {
            organisation.names.push((name, period));
        }
    }
    Ok(list.into_iter().map(|(_, organisation)| organisation).collect())
}

/// Those that only versions have which do not count: corrected away, or taken back.
pub async fn former(conn: &mut SqliteConnection, among: Among<'_>) -> Result<Vec<Organisation>> {
    let rows = sqlx::query(
        "WITH book (id, unit, stream, form, period) AS (
             SELECT id, unit, stream, form, period FROM submission WHERE state = 'accepted'
             UNION SELECT id, unit, stream, form, period FROM past_submission WHERE state = 'accepted'),
         row (submission, record) AS (
             SELECT submission, record FROM line UNION ALL SELECT submission, record FROM past_line)
         SELECT b.unit, b.stream, b.form, json_extract(r.record, '$.name'), json_extract(r.record, '$.code'), min(b.period)
         FROM book b JOIN row r ON r.submission = b.id
         WHERE (?1 IS NULL OR b.unit = ?1) AND (?2 IS NULL OR b.stream = ?2)
         GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 6, 4, 5",
    );
    let rows = rows.bind(among.unit).bind(among.stream).fetch_all(conn).await?;
    let mut list: Vec<Organisation> = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let (unit, stream, form): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (name, code) = (text(row, 3), text(row, 4));
        if name.is_empty() || !seen.insert((unit.clone(), stream.clone(), organisation_key(&name))) {
            continue;
        }
        let mut known = Known::default();
        known.add(&name, &code);
        let names = vec![(name.clone(), row.get(5))];
        let code = Some(code).filter(|c| !c.is_empty());
        list.push(Organisation { unit, stream, form, name, code, status: None, names, known });
    }
    Ok(list)
}

/// A cell that should hold text.
fn text(row: &SqliteRow, index: usize) -> String {
    row.try_get::<Option<String>, _>(index).ok().flatten().unwrap_or_default()
}

/// All versions of a form that were ever accepted, by period and arrival.
pub async fn sources(conn: &mut SqliteConnection, whose: Whose<'_>) -> Result<Vec<Source>> {
    let rows = sqlx::query(
        "SELECT s.id, s.period, s.message, m.digest, s.received_at, s.known_at, s.until, s.file, s.baseline FROM (
             SELECT id, message, period, received_at, known_at, NULL AS until, file, baseline FROM submission
             WHERE unit = ?1 AND stream = ?2 AND form = ?3 AND state = 'accepted'
             UNION ALL SELECT id, message, period, received_at, min(known_at), max(until), file, baseline
             FROM past_submission p
             WHERE unit = ?1 AND stream = ?2 AND form = ?3 AND state = 'accepted'
             AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.id = p.id AND s.state = 'accepted') GROUP BY id
         ) s JOIN message m ON m.id = s.message ORDER BY s.period, s.received_at, s.id",
    );
    let rows = rows.bind(whose.unit).bind(whose.stream).bind(whose.form).fetch_all(conn).await?;
    let (mut list, mut opening) = (Vec::<Source>::new(), BTreeSet::new());
    for row in rows {
        let (period, until): (String, Option<_>) = (row.get(1), row.get(6));
        if row.get(8) {
            opening.insert(row.get::<i64, _>(0));
        }
        list.push(Source {
            submission: row.get(0),
            stream: whose.stream.to_owned(),
            period: period.parse().map_err(anyhow::Error::msg).context("a stored period is not one")?,
            version: None,
            standing: if until.is_some() { Standing::Withdrawn } else { Standing::Superseded },
            message: row.get(2),
            mail: row.get(3),
            received_at: row.get(4),
            known_at: row.get(5),
            until,
            file: row.get(7),
        });
    }
    for of_period in list.chunk_by_mut(|a, b| a.period == b.period) {
        let accepted = of_period.iter_mut().filter(|s| s.standing != Standing::Withdrawn);
        let (mut number, mut last) = (0, None);
        for source in accepted {
            if !opening.contains(&source.submission) {
                number += 1;
                source.version = Some(number);
            }
            last = Some(source);
        }
        if let Some(last) = last {
            last.standing = Standing::Counts;
        }
    }
    Ok(list)
}

/// The rows of a version, of the present or of the past.
pub async fn lines(conn: &mut SqliteConnection, submission: i64) -> Result<Vec<Line>> {
    let rows = sqlx::query(
        "SELECT sheet, row, admitted, record, cells FROM (
             SELECT id, sheet, row, admitted, record, cells FROM line WHERE submission = ?1
             UNION ALL SELECT id, sheet, row, admitted, record, cells FROM past_line WHERE submission = ?1) ORDER BY id",
    );
    let read = |row: SqliteRow| -> Result<Line> {
        Ok(Line {
            sheet: row.get(0),
            row: row.get(1),
            admitted: row.get::<i64, _>(2) != 0,
            values: serde_json::from_str(row.get(3)).context("a stored row is not readable")?,
            cells: serde_json::from_str(row.get(4)).context("stored cells are not readable")?,
        })
    };
    rows.bind(submission).fetch_all(conn).await?.into_iter().map(read).collect()
}

/// The value of one column in one version of a table of figures.
#[derive(Clone, Debug, Serialize)]
pub struct Value {
    #[serde(flatten)]
    pub source: Source,
    pub value: Datum,
    /// An error keeps it out of the ledger.
    pub withheld: bool,
    pub sheet: String,
    /// `F5`
    pub cell: Option<String>,
}

/// Every value that one column of a unit's figures ever had.
pub async fn values(
    conn: &mut SqliteConnection,
    (unit, stream): (&str, &str),
    form: &Form,
    key: &str,
) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    for source in sources(conn, Whose { unit, stream, form: &form.key }).await? {
        let lines = lines(conn, source.submission).await?;
        // What counts is the first row that may.
        let Some(line) = lines.iter().find(|l| l.admitted).or(lines.first()) else { continue };
        values.push(Value {
            value: line.values.get(key).cloned().unwrap_or(Datum::Null),
            withheld: !line.admitted,
            sheet: line.sheet.clone(),
            cell: line.cells.get(key).cloned(),
            source,
        });
    }
    Ok(values)
}

/// The versions of an organisation's book, each with its row.
pub async fn versions_of(conn: &mut SqliteConnection, of: &Organisation) -> Result<Vec<(Source, Option<Line>)>> {
    let whose = Whose { unit: &of.unit, stream: &of.stream, form: &of.form };
    let mut versions = Vec::new();
    for source in sources(conn, whose).await? {
        let lines = lines(conn, source.submission).await?;
        versions.push((source, of.known.row(&lines).cloned()));
    }
    Ok(versions)
}
