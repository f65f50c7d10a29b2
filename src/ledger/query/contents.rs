//! What the ledger holds: figures, entries and their history.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::form::record::Values;
use crate::period::Period;

/// The figures of one unit, stream and period that count.
#[derive(Clone, Debug)]
pub struct Figure {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: Period,
    /// 0: the opening position.
    pub version: u32,
    pub values: Values,
    pub file: String,
    pub sheet: String,
    pub row: u32,
}

/// One form of one unit's stream, in whatever period.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    pub unit: &'a str,
    pub stream: &'a str,
    pub form: &'a str,
}

const FIGURES: &str = "SELECT f.unit, f.stream, f.form, f.period, l.record, s.file, l.sheet, l.row,
    (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream AND o.form = s.form
     AND o.period = s.period AND o.state = 'accepted' AND o.baseline = 0)
    FROM figure f JOIN line l ON l.id = f.line JOIN submission s ON s.id = l.submission";

/// All counting figures, of one period if given.
pub async fn figures(conn: &mut SqliteConnection, period: Option<Period>) -> Result<Vec<Figure>> {
    let which = if period.is_some() { "f.period = ?1" } else { "?1 IS NULL" };
    let sql = format!("{FIGURES} WHERE {which} ORDER BY f.period, f.unit, f.stream, f.form");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(period.map(|p| p.to_string())).fetch_all(conn).await?;
    rows.iter().map(read_figure).collect()
}

/// The counting figures of one unit's form.
pub async fn figure(conn: &mut SqliteConnection, whose: Whose<'_>, period: Period) -> Result<Option<Figure>> {
    let sql = format!("{FIGURES} WHERE f.unit = ? AND f.stream = ? AND f.form = ? AND f.period = ?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(whose.unit).bind(whose.stream).bind(whose.form);
    let row = query.bind(period.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(read_figure).transpose()
}

fn read_figure(row: &SqliteRow) -> Result<Figure> {
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
}

/// An entry of the ledger with where its newest values came from.
#[derive(Clone, Debug)]
pub struct Entry {
    pub unit: String,
    pub stream: String,
    pub form: String,
    /// Stable within unit and stream.
    pub identity: String,
    pub closed: bool,
    pub vanished: bool,
    pub first_period: Period,
    pub last_period: Period,
    pub values: Values,
    pub file: String,
    pub sheet: String,
    pub row: u32,
}

/// Each entry with its newest version up to `?1`.
///
/// Whoever is in the book without a change has no version of it: it was last seen in the newest book by then, or before the
/// absence that was on then.
const ENTRIES: &str = "SELECT e.unit, e.stream, e.form, e.first_period,
    coalesce(a.last, (SELECT max(b.period) FROM submission b WHERE b.unit = e.unit AND b.stream = e.stream
                      AND b.form = e.form AND b.state = 'accepted' AND b.period <= ?1)),
    v.record, s.file, l.sheet, l.row, a.entry IS NOT NULL, e.identity
    FROM entry e JOIN entry_version v ON v.entry = e.id
    JOIN line l ON l.id = v.line JOIN submission s ON s.id = l.submission
    LEFT JOIN entry_absence a ON a.entry = e.id AND a.since <= ?1 AND (a.until IS NULL OR a.until > ?1)
    WHERE v.period = (SELECT max(p.period) FROM entry_version p WHERE p.entry = e.id AND p.period <= ?1)";

/// Later than any period.
const NOW: &str = "9999-12";

/// Entries as they stood after the books of `as_of` (as they stand now without it), closed ones included.
pub async fn entries(conn: &mut SqliteConnection, as_of: Option<Period>) -> Result<Vec<Entry>> {
    let sql = format!("{ENTRIES} ORDER BY e.unit, e.stream, e.form, e.id");
    let until = as_of.map_or_else(|| NOW.to_owned(), |p| p.to_string());
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(until).fetch_all(conn).await?;
    rows.iter().map(read_entry).collect()
}

/// The active organisations of one unit's book as it stands now, in its order.
pub async fn book(conn: &mut SqliteConnection, whose: Whose<'_>) -> Result<Vec<Values>> {
    let records: Vec<String> = sqlx::query_scalar(
        "SELECT record FROM entry WHERE unit = ? AND stream = ? AND form = ? AND status = 'active' ORDER BY id",
    )
    .bind(whose.unit)
    .bind(whose.stream)
    .bind(whose.form)
    .fetch_all(conn)
    .await?;
    records.iter().map(|text| parse_values(text)).collect()
}

fn read_entry(row: &SqliteRow) -> Result<Entry> {
    let values = parse_values(row.get(5))?;
    let closed = values.get("status").and_then(crate::form::Datum::text) == Some("销户");
    Ok(Entry {
        unit: row.get(0),
        stream: row.get(1),
        form: row.get(2),
        closed,
        first_period: parse_period(row.get(3))?,
        last_period: parse_period(row.get(4))?,
        values,
        file: row.get(6),
        sheet: row.get(7),
        row: row.get(8),
        // A closed one does not have to be in the book.
        vanished: row.get::<bool, _>(9) && !closed,
        identity: row.get(10),
    })
}

/// One step in the life of an entry.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    pub unit: String,
    pub stream: String,
    #[serde(skip)]
    pub form: String,
    /// The name that it had then.
    pub name: String,
    pub period: String,
    pub change: String,
    pub file: String,
    pub sheet: String,
    pub row: u32,
    /// Id of the message that brought it.
    pub message: i64,
    /// SHA-256 of that mail: the same in every ledger that has read it, in whatever order.
    pub mail: String,
    pub received_at: DateTime<Utc>,
    pub values: Values,
}

/// The steps of one period or of all, but of none after `as_of`; each organisation under the name it had then.
pub async fn history(conn: &mut SqliteConnection, period: Option<Period>, as_of: Option<Period>) -> Result<Vec<Step>> {
    let rows = sqlx::query(
        "SELECT e.unit, e.stream, coalesce(json_extract(v.record, '$.name'), e.name), v.period, v.change, s.file, l.sheet,
         l.row, s.message, s.received_at, v.record, m.digest, e.form
         FROM entry_version v JOIN entry e ON e.id = v.entry JOIN line l ON l.id = v.line
         JOIN submission s ON s.id = l.submission JOIN message m ON m.id = s.message
         WHERE (?1 IS NULL OR v.period = ?1) AND (?2 IS NULL OR v.period <= ?2)
         ORDER BY e.unit, e.stream, e.form, e.id, v.period",
    )
    .bind(period.map(|p| p.to_string()))
    .bind(as_of.map(|p| p.to_string()))
    .fetch_all(conn)
    .await?;
    let read = |row: SqliteRow| -> Result<Step> {
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
            mail: row.get(11),
            form: row.get(12),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::db::Db;
    use crate::fixture;

    const TOWN: [&str; 3] = ["松岭镇人民政府", "nonpublic", "register"];
    const STREET: [&str; 3] = ["云溪街道办事处", "nonpublic", "register"];

    async fn book_of(db: &Db, config: &Config, [unit, stream, form]: [&str; 3], period: &str, names: &[&str]) {
        let day = format!("{period}-20T10:00:00Z");
        fixture::reported(db, config, [unit, stream, form, period], &day, fixture::rows(names)).await;
    }

    /// Name, newest book, vanished.
    async fn standing(db: &Db, as_of: Option<&str>) -> Vec<(String, String, bool)> {
        let mut conn = db.pool().acquire().await.unwrap();
        let list = entries(&mut conn, as_of.map(|p| p.parse().unwrap())).await.unwrap();
        let name = |e: &Entry| e.values["name"].text().unwrap().to_owned();
        list.iter().map(|e| (name(e), e.last_period.to_string(), e.vanished)).collect()
    }

    fn line(name: &str, last: &str, vanished: bool) -> (String, String, bool) {
        (name.to_owned(), last.to_owned(), vanished)
    }

    #[tokio::test]
    async fn a_unit_s_book_holds_no_other_s() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        book_of(&db, &config, TOWN, "2011-08", &["甲公司", "乙公司"]).await;
        book_of(&db, &config, STREET, "2011-08", &["丙公司"]).await;
        let [unit, stream, form] = STREET;
        let mut conn = db.pool().acquire().await.unwrap();
        let mine = book(&mut conn, Whose { unit, stream, form }).await.unwrap();
        assert_eq!(mine.iter().map(|values| values["name"].text().unwrap()).collect::<Vec<_>>(), ["丙公司"]);
        let other = Whose { unit, stream: "social", form };
        assert!(book(&mut conn, other).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_organisation_that_is_back_with_an_error_has_not_vanished() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        book_of(&db, &config, TOWN, "2011-07", &["甲公司", "乙公司"]).await;
        book_of(&db, &config, TOWN, "2011-08", &["甲公司"]).await;
        book_of(&db, &config, TOWN, "2011-09", &["甲公司", "乙公司!"]).await;
        for as_of in [None, Some("2011-09")] {
            assert_eq!(standing(&db, as_of).await[1], line("乙公司", "2011-09", false), "{as_of:?}");
        }
        assert_eq!(standing(&db, Some("2011-08")).await[1], line("乙公司", "2011-07", true));
    }

    #[tokio::test]
    async fn the_newest_book_as_of_a_period_is_one_that_had_it() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        book_of(&db, &config, TOWN, "2011-06", &["甲公司", "乙公司"]).await;
        book_of(&db, &config, TOWN, "2011-08", &["甲公司"]).await;
        book_of(&db, &config, TOWN, "2011-09", &["甲公司", "乙公司"]).await;
        let as_of = async |period| standing(&db, Some(period)).await;
        assert_eq!(as_of("2011-07").await, [line("甲公司", "2011-06", false), line("乙公司", "2011-06", false)]);
        assert_eq!(as_of("2011-08").await, [line("甲公司", "2011-08", false), line("乙公司", "2011-06", true)]);
        assert_eq!(as_of("2011-09").await, [line("甲公司", "2011-09", false), line("乙公司", "2011-09", false)]);
    }
}
