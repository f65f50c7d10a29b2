//! R12: the same organisation in two units' books is marked on both, whichever came first.
//!
//! A counting book is compared with what counts of every other unit for its period, or, where that has none for it yet, the
//! newest before. So what one book says of another depends on what counts alone. Both sides are brought up to date
//! where either changes: pairs are found by index, and of others' findings only those change that have to.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::counting::Counting;
use crate::form::record::Values;
use crate::form::{Campaign, Datum, Finding, Form, Place, Severity};
use crate::ledger::store::{Origin, insert_finding};
use crate::period::Period;

const RULE: &str = "R12";

/// Marks what the books of a unit and stream share with other units', in their findings and in the others'.
pub async fn derive(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    (unit, stream): (&str, &str),
    books: &[(&Form, Vec<Counting>)],
) -> Result<()> {
    let mut theirs = BTreeMap::new();
    for (_, versions) in books {
        for (at, version) in versions.iter().enumerate() {
            for pair in pairs(conn, campaign, (Side::Marked, version), None).await? {
                pair.insert(conn, campaign).await?;
            }
            let until = versions.get(at + 1).map(|next| next.period);
            for pair in pairs(conn, campaign, (Side::Named, version), until).await? {
                theirs.insert((pair.marked.submission, pair.text()), pair);
            }
        }
    }
    for (id, submission, text) in noted(conn, (unit, stream)).await? {
        if theirs.remove(&(submission, text)).is_none() {
            sqlx::query("DELETE FROM finding WHERE id = ?").bind(id).execute(&mut *conn).await?;
        }
    }
    let mut new: Vec<Pair> = theirs.into_values().collect();
    new.sort_by_key(|pair| pair.marked.line);
    for pair in new {
        pair.insert(conn, campaign).await?;
    }
    Ok(())
}

/// What other units' books are told of this unit and stream: finding, submission, text.
async fn noted(conn: &mut SqliteConnection, (unit, stream): (&str, &str)) -> Result<Vec<(i64, i64, String)>> {
    let sql = "SELECT f.id, f.submission, f.text FROM shared h JOIN finding f ON f.id = h.finding
               WHERE h.unit = ? AND h.stream = ? AND f.submission IS NOT NULL";
    Ok(sqlx::query_as(sql).bind(unit).bind(stream).fetch_all(conn).await?)
}

/// Which of the two is the given book: the one whose row is marked, or the one that is named there.
#[derive(Clone, Copy)]
enum Side {
    Marked,
    Named,
}

/// By what two rows are the same organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Code,
    Name,
}

/// A row of a book.
struct Spot {
    line: i64,
    submission: i64,
    message: i64,
    unit: String,
    stream: String,
    form: String,
    period: Period,
    file: String,
    sheet: String,
    row: u32,
    name: String,
    code: String,
    /// Where the name stands.
    cell: Option<String>,
}

/// An organisation in two books.
struct Pair {
    marked: Spot,
    named: Spot,
    by: By,
}

/// `m` the row that is marked, `n` the one that it is told of, `of` the given book's. A code that fails its check
/// character may be a slip of the pen: it tells nobody apart.
fn sql(side: Side) -> String {
    const NAMED_COUNTS: &str = "ns.period <= ?2 AND NOT EXISTS (
        SELECT 1 FROM submission x WHERE x.unit = ns.unit AND x.stream = ns.stream AND x.form = ns.form
        AND x.state = 'accepted' AND x.period BETWEEN ns.period AND ?2
        AND (x.period, x.received_at, x.id) > (ns.period, ns.received_at, ns.id))";
    const MARKED_COUNTS: &str = "ms.period >= ?2 AND (?3 IS NULL OR ms.period < ?3) AND NOT EXISTS (
        SELECT 1 FROM submission x WHERE x.unit = ms.unit AND x.stream = ms.stream AND x.form = ms.form
        AND x.state = 'accepted' AND x.period = ms.period AND (x.received_at, x.id) > (ms.received_at, ms.id))";
    let (given, other, counts) = match side {
        Side::Marked => ("m", "n", NAMED_COUNTS),
        Side::Named => ("n", "m", MARKED_COUNTS),
    };
    let one = |by: u8, same: &str| {
        format!(
            "SELECT m.line AS marked, n.line AS named, {by} AS by FROM presence {given}
             CROSS JOIN presence {other} ON {same} AND {other}.unit <> {given}.unit AND {other}.closed = 0
             CROSS JOIN submission {other}s ON {other}s.id = {other}.submission AND {other}s.state = 'accepted'
             WHERE {given}.submission = ?1 AND {given}.closed = 0 AND {counts}"
        )
    };
    let code = one(0, &format!("{other}.code_key = {given}.code_key"));
    let name = one(
        1,
        &format!(
            "{other}.name_key = {given}.name_key AND (m.code_key IS NULL OR n.code_key IS NULL
             OR (m.code_key <> n.code_key AND (m.tells = 0 OR n.tells = 0)))"
        ),
    );
    let spot = |p: &str| {
        format!(
            "{p}l.id, {p}s.id, {p}s.message, {p}s.unit, {p}s.stream, {p}s.form, {p}s.period, {p}s.file, {p}l.sheet,
             {p}l.row, {p}l.record, {p}l.cells"
        )
    };
    format!(
        "SELECT p.by, {}, {} FROM ({code} UNION ALL {name}) p
         CROSS JOIN line ml ON ml.id = p.marked CROSS JOIN submission ms ON ms.id = ml.submission
         CROSS JOIN line nl ON nl.id = p.named CROSS JOIN submission ns ON ns.id = nl.submission
         ORDER BY p.marked, ns.unit, ns.stream, ns.form, p.by, p.named",
        spot("m"),
        spot("n")
    )
}

/// The pairs of a counting book; `until` is the period of the same unit's next one. One a row and other book: by the code,
/// where there is one such.
async fn pairs(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    (side, version): (Side, &Counting),
    until: Option<Period>,
) -> Result<Vec<Pair>> {
    let rows = sqlx::query(AssertSqlSafe(sql(side)))
        .bind(version.submission)
        .bind(version.period.to_string())
        .bind(until.map(|p| p.to_string()))
        .fetch_all(conn)
        .await?;
    let mut pairs: Vec<Pair> = Vec::new();
    for row in &rows {
        let by = if row.get::<i64, _>(0) == 0 { By::Code } else { By::Name };
        let pair = Pair { marked: spot(row, 1, campaign)?, named: spot(row, 13, campaign)?, by };
        let known = |p: &&Pair| p.marked.line == pair.marked.line && p.named.submission == pair.named.submission;
        if pairs.last().filter(known).is_none() {
            pairs.push(pair);
        }
    }
    Ok(pairs)
}

fn spot(row: &SqliteRow, at: usize, campaign: &Campaign) -> Result<Spot> {
    let form: String = row.get(at + 5);
    let values: Values = serde_json::from_str(row.get(at + 10)).context("a stored row is not readable")?;
    let mut cells: BTreeMap<String, String> =
        serde_json::from_str(row.get(at + 11)).context("stored cells are not readable")?;
    let text = |key: &str| values.get(key).and_then(Datum::text).unwrap_or_default().to_owned();
    let known = campaign.form(&form);
    Ok(Spot {
        line: row.get(at),
        submission: row.get(at + 1),
        message: row.get(at + 2),
        unit: row.get(at + 3),
        stream: row.get(at + 4),
        period: row.get::<&str, _>(at + 6).parse().map_err(anyhow::Error::msg).context("a stored period is not one")?,
        file: row.get(at + 7),
        sheet: row.get(at + 8),
        row: row.get(at + 9),
        name: known.map(|f| text(&f.identity)).unwrap_or_default(),
        code: known.and_then(|f| f.book.as_ref()?.code.as_deref()).map(text).unwrap_or_default(),
        cell: known.and_then(|f| cells.remove(&f.identity)),
        form,
    })
}

impl Pair {
    /// Of the other unit's row no more is told than where it is, its name and code.
    fn text(&self) -> String {
        let Self { marked, named, by } = self;
        let cell = marked.cell.as_ref().map(|c| format!("（{c}）")).unwrap_or_default();
        let called = if marked.name == named.name { String::new() } else { format!("“{}”", named.name) };
        let same = match by {
            By::Code => format!("代码相同（{}）", named.code),
            By::Name => "名称相同".to_owned(),
        };
        format!(
            "第{}行“{}”{cell}也在{}{}台账里（《{}》工作表“{}”第{}行{called}），{same}，请与对方核实由哪个单位填报。",
            marked.row,
            marked.name,
            named.unit,
            named.period.chinese(),
            named.file,
            named.sheet,
            named.row
        )
    }

    /// Next month's file and row say nothing new.
    fn evidence(&self) -> String {
        let same = match self.by {
            By::Code => &self.named.code,
            By::Name => &self.named.name,
        };
        format!("{} {} {:?} {same}", self.named.unit, self.named.stream, self.by)
    }

    async fn insert(&self, conn: &mut SqliteConnection, campaign: &Campaign) -> Result<()> {
        let Spot { message, submission, file, sheet, cell, row, .. } = &self.marked;
        let form = campaign.form(&self.marked.form);
        let Some(severity) = form.map_or(Some(Severity::Warning), |f| f.severity(RULE)) else { return Ok(()) };
        let place = Place { file: Some(file.clone()), sheet: Some(sheet.clone()), cell: cell.clone(), row: Some(*row) };
        let mut finding =
            Finding::new(RULE, severity, place, self.text()).of(&self.marked.name).resting_on(self.evidence());
        finding.key = form.map(|f| f.identity.clone());
        let id = insert_finding(conn, *message, Some(*submission), Origin::Ledger, &finding).await?;
        sqlx::query("INSERT INTO shared (finding, unit, stream) VALUES (?, ?, ?)")
            .bind(id)
            .bind(&self.named.unit)
            .bind(&self.named.stream)
            .execute(conn)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    /// Other units are met by index alone, however many there are.
    #[tokio::test]
    async fn no_table_is_scanned() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        crate::db::migrate(&pool).await.unwrap();
        for side in [Side::Marked, Side::Named] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql(side))));
            let steps: Vec<String> = plan.fetch_all(&pool).await.unwrap().iter().map(|row| row.get(3)).collect();
            assert!(steps.iter().any(|s| s.contains("presence_code")), "{steps:#?}");
            assert!(steps.iter().any(|s| s.contains("presence_name")), "{steps:#?}");
            let scans: Vec<&String> = steps.iter().filter(|s| s.starts_with("SCAN") && *s != "SCAN p").collect();
            assert!(scans.is_empty(), "{steps:#?}");
        }
    }
}
