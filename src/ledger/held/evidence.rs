//! What the ledger tells of a book beside others, found by index.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::Whose;
use crate::form::Campaign;
use crate::ledger::plausible;
use crate::ledger::presence::{self, Key};
use crate::ledger::query;
use crate::period::Period;

/// A book with which nothing is wrong but, perhaps, how it looks beside others.
pub struct Sound {
    pub submission: i64,
    pub message: i64,
    pub period: Period,
    pub received_at: DateTime<Utc>,
    /// Of the message.
    pub digest: String,
    pub ordinal: i64,
    pub rows: usize,
    pub released: bool,
    /// By which rule, and what was told.
    pub held: Option<(String, String)>,
    /// Nobody need decide about it any more: it was [`overtaken`].
    pub closed: bool,
}

impl Sound {
    /// Periods, then versions. Of what was received at once, the order is that of no clock, but always the same.
    pub fn order(&self) -> Order<'_> {
        (self.period, self.received_at, &self.digest, self.ordinal)
    }
}

pub type Order<'a> = (Period, DateTime<Utc>, &'a str, i64);

/// Whether one of these books counts for the same period and was received later.
pub fn overtaken(books: &[Sound], one: Order<'_>) -> bool {
    books.iter().any(|book| book.held.is_none() && book.period == one.0 && book.order() > one)
}

fn period(text: &str) -> Result<Period> {
    text.parse().map_err(anyhow::Error::msg).context("a stored period is not one")
}

/// A person let the message in, or handed it over as the opening position.
const RELEASED: &str =
    "EXISTS (SELECT 1 FROM decision d WHERE d.message = s.message AND d.kind IN ('release', 'import')
                        AND d.by_message IS NULL)";

/// The books of a unit's stream that count or could.
pub async fn sound(conn: &mut SqliteConnection, whose: query::Whose<'_>) -> Result<Vec<Sound>> {
    let sql = format!(
        "SELECT s.id, s.message, s.period, s.received_at, m.digest, s.ordinal,
         (SELECT count(*) FROM line l WHERE l.submission = s.id), {RELEASED}, h.rule, h.text, s.state = 'dismissed'
         FROM submission s JOIN message m ON m.id = s.message LEFT JOIN held h ON h.submission = s.id
         WHERE s.unit = ? AND s.stream = ? AND s.form = ? AND s.state <> 'rejected'
         AND (s.state = 'accepted' OR h.rule IS NOT NULL)"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(whose.unit)
        .bind(whose.stream)
        .bind(whose.form)
        .fetch_all(conn)
        .await?;
    let read = |r: &SqliteRow| -> Result<Sound> {
        let (rule, text): (Option<String>, Option<String>) = (r.get(8), r.get(9));
        Ok(Sound {
            submission: r.get(0),
            message: r.get(1),
            period: period(r.get(2))?,
            received_at: r.get(3),
            digest: r.get(4),
            ordinal: r.get(5),
            rows: usize::try_from(r.get::<i64, _>(6)).unwrap_or_default(),
            released: r.get(7),
            held: rule.zip(text),
            closed: r.get(10),
        })
    };
    rows.iter().map(read).collect()
}

/// A book that is asked about.
pub struct Asked<'a> {
    pub message: i64,
    pub received_at: DateTime<Utc>,
    pub digest: &'a str,
    /// Unit and stream.
    pub whose: (&'a str, &'a str),
    pub period: Period,
    /// It is stored: the other books of its message are evidence too.
    pub stored: Option<i64>,
}

/// Another book that has some of the organisations.
pub struct Overlap {
    pub unit: String,
    pub stream: String,
    pub period: Period,
    pub shared: usize,
}

/// In whose books the organisations of one are besides.
#[derive(Default)]
pub struct Overlaps {
    /// Of the unit's own earlier ones of the stream, the most.
    pub own: usize,
    pub others: Vec<Overlap>,
}

impl Overlaps {
    /// R16 with the figures, if it is another's.
    pub fn text(&self, campaign: &Campaign, unit: &str, organisations: usize) -> Option<String> {
        let shared: Vec<usize> = self.others.iter().map(|o| o.shared).collect();
        let found = &self.others[plausible::foreign(organisations, self.own, &shared)?];
        let whose = match found.unit == unit {
            true => Whose::Stream(campaign.stream(&found.stream)),
            false => Whose::Unit(&found.unit),
        };
        Some(super::words::foreign(&whose, (found.shared, organisations), found.period))
    }
}

/// Books that were received before the one that is asked about and are not held as another's: of the unit's own stream
/// all, of others those that stood for its period then. A book of the same mail is evidence in any case.
const OVERLAPS: &str = "
    WITH found AS (
        SELECT p.submission AS book, count(DISTINCT p.key) AS shared FROM (
            SELECT k.key, o.submission FROM json_each(?1) k
            CROSS JOIN presence o ON o.code_key = k.value ->> 0
            UNION
            SELECT k.key, o.submission FROM json_each(?1) k
            CROSS JOIN presence o ON o.name_key = k.value ->> 1
            WHERE k.value ->> 0 IS NULL OR o.code_key IS NULL
               OR (o.code_key <> k.value ->> 0 AND (o.tells = 0 OR k.value ->> 2 = 0))) p GROUP BY p.submission)
    SELECT s.unit, s.stream, s.period, f.shared FROM found f
    CROSS JOIN submission s ON s.id = f.book CROSS JOIN message m ON m.id = s.message LEFT JOIN held h ON h.submission = s.id
    WHERE (s.message = ?2 AND s.id <> ?3 AND ?3 > 0 AND (s.state = 'accepted' OR h.rule IS NOT NULL))
       OR (s.message <> ?2 AND (s.state = 'accepted' OR h.rule = 'R15') AND (s.received_at, m.digest) < (?4, ?5)
           AND ((s.unit = ?6 AND s.stream = ?7) OR (s.period <= ?8 AND NOT EXISTS (
               SELECT 1 FROM submission n LEFT JOIN held g ON g.submission = n.id
               WHERE n.unit = s.unit AND n.stream = s.stream AND n.form = s.form
               AND n.state <> 'rejected' AND (n.state = 'accepted' OR g.rule = 'R15')
               AND n.period BETWEEN s.period AND ?8 AND n.received_at < ?4
               AND (n.period, n.received_at, n.id) > (s.period, s.received_at, s.id)))))
    ORDER BY s.unit, s.stream, s.period, s.received_at, m.digest";

pub async fn overlaps(conn: &mut SqliteConnection, asked: &Asked<'_>, keys: &[Key]) -> Result<Overlaps> {
    let rows = sqlx::query(OVERLAPS)
        .bind(presence::as_json(keys.iter()))
        .bind(asked.message)
        .bind(asked.stored.unwrap_or_default())
        .bind(asked.received_at)
        .bind(asked.digest)
        .bind(asked.whose.0)
        .bind(asked.whose.1)
        .bind(asked.period.to_string())
        .fetch_all(conn)
        .await?;
    let mut found = Overlaps::default();
    for row in rows {
        let (unit, stream): (String, String) = (row.get(0), row.get(1));
        let shared = usize::try_from(row.get::<i64, _>(3)).unwrap_or_default();
        match (unit.as_str(), stream.as_str()) == asked.whose {
            true => found.own = found.own.max(shared),
            false => found.others.push(Overlap { unit, stream, period: period(row.get(2))?, shared }),
        }
    }
    Ok(found)
}

/// A stored book, to be asked about again.
pub struct Stored {
    pub message: i64,
    submission: i64,
    received_at: DateTime<Utc>,
    digest: String,
    pub unit: String,
    stream: String,
    period: Period,
    pub released: bool,
    /// What was told where it is held as another's.
    pub foreign: Option<String>,
}

impl Stored {
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            message: self.message,
            received_at: self.received_at,
            digest: &self.digest,
            whose: (&self.unit, &self.stream),
            period: self.period,
            stored: Some(self.submission),
        }
    }
}

pub async fn stored(conn: &mut SqliteConnection, submission: i64) -> Result<Option<Stored>> {
    let sql = format!(
        "SELECT s.message, s.id, s.received_at, m.digest, s.unit, s.stream, s.period, {RELEASED},
         (SELECT h.text FROM held h WHERE h.submission = s.id AND h.rule = 'R16')
         FROM submission s JOIN message m ON m.id = s.message WHERE s.id = ?"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(submission).fetch_optional(conn).await?;
    let read = |r: &SqliteRow| -> Result<Stored> {
        Ok(Stored {
            message: r.get(0),
            submission: r.get(1),
            received_at: r.get(2),
            digest: r.get(3),
            unit: r.get(4),
            stream: r.get(5),
            period: period(r.get(6))?,
            released: r.get(7),
            foreign: r.get(8),
        })
    };
    row.as_ref().map(read).transpose()
}

/// Books that may be another's, or no longer, since this message's have changed: those that are held for it, and those
/// received after it that share an organisation with it or are of the same stream.
pub async fn in_question(
    conn: &mut SqliteConnection,
    message: i64,
    streams: &BTreeSet<(String, String)>,
) -> Result<BTreeSet<i64>> {
    const HELD: &str = "SELECT submission FROM held WHERE rule = 'R16'";
    let mut books: BTreeSet<i64> = sqlx::query_scalar(HELD).fetch_all(&mut *conn).await?.into_iter().collect();
    books.extend(sqlx::query_scalar::<_, i64>(SHARING).bind(message).fetch_all(&mut *conn).await?);
    for (unit, stream) in streams {
        let later = "SELECT s.id FROM submission s WHERE s.unit = ? AND s.stream = ? AND s.state = 'accepted'
                     AND s.message <> ?3 AND s.received_at >= (SELECT m.received_at FROM message m WHERE m.id = ?3)
                     AND EXISTS (SELECT 1 FROM presence p WHERE p.submission = s.id)";
        let later = sqlx::query_scalar::<_, i64>(later).bind(unit).bind(stream).bind(message);
        books.extend(later.fetch_all(&mut *conn).await?);
    }
    Ok(books)
}

/// Counting books received after a message that share an organisation with one of it.
const SHARING: &str = "
    SELECT DISTINCT r.submission FROM submission t CROSS JOIN presence o ON o.submission = t.id
    CROSS JOIN presence r ON r.code_key = o.code_key CROSS JOIN submission s ON s.id = r.submission
    WHERE t.message = ?1 AND s.state = 'accepted' AND s.received_at >= t.received_at AND s.message <> ?1
    UNION
    SELECT DISTINCT r.submission FROM submission t CROSS JOIN presence o ON o.submission = t.id
    CROSS JOIN presence r ON r.name_key = o.name_key CROSS JOIN submission s ON s.id = r.submission
    WHERE t.message = ?1 AND s.state = 'accepted' AND s.received_at >= t.received_at AND s.message <> ?1";

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    #[tokio::test]
    async fn no_table_is_scanned() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        crate::db::migrate(&pool).await.unwrap();
        for sql in [OVERLAPS, SHARING] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
            let steps: Vec<String> = plan.fetch_all(&pool).await.unwrap().iter().map(|row| row.get(3)).collect();
            // Of what was found so far, and of the book that is asked about.
            let own = ["SCAN p", "SCAN f", "SCAN found", "SCAN k VIRTUAL TABLE"];
            let scans = steps.iter().filter(|s| s.starts_with("SCAN") && !own.iter().any(|own| s.starts_with(own)));
            assert_eq!(scans.count(), 0, "{steps:#?}");
        }
    }
}
