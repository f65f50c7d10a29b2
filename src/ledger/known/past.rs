//! What the ledger held before: kept when an assessment is replaced, a copy came earlier, or somebody decides. Every
//! function runs inside the caller's transaction; `until` is when the change takes effect.
//!
//! What changes twice at the same moment is kept once, as it was before: nothing was ever known in between.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::submission::{Row, Submission};

/// Columns of a table as they are listed in SQL, without those of a name.
async fn columns(conn: &mut SqliteConnection, table: &str, without: &[&str]) -> Result<String> {
    let sql = "SELECT name FROM pragma_table_info(?)";
    let mut names: Vec<String> = sqlx::query_scalar(sql).bind(table).fetch_all(conn).await?;
    names.retain(|name| !without.contains(&name.as_str()));
    Ok(names.join(", "))
}

/// Keeps how a message stands; call this before it changes.
pub async fn message(conn: &mut SqliteConnection, id: i64, until: DateTime<Utc>) -> Result<()> {
    let fields = columns(conn, "past_message", &["message", "until"]).await?;
    let sql = format!(
        "INSERT OR IGNORE INTO past_message (message, until, {fields})
         SELECT id, ?1, {fields} FROM message WHERE id = ?2 AND known_at < ?1"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(until).bind(id).execute(conn).await?;
    Ok(())
}

/// Keeps how a submission stands, and what was found in it; call this before it changes. Its rows stay where they are.
pub async fn submission(conn: &mut SqliteConnection, id: i64, until: DateTime<Utc>) -> Result<()> {
    findings(conn, "submission", id, until).await?;
    let fields = columns(conn, "past_submission", &["until"]).await?;
    let sql = format!(
        "INSERT OR IGNORE INTO past_submission ({fields}, until)
         SELECT {fields}, ?1 FROM submission WHERE id = ?2 AND known_at < ?1"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(until).bind(id).execute(conn).await?;
    Ok(())
}

/// Keeps what was found in the files of a message, or of a submission of one: known since the assessment, or since the
/// submission last changed.
async fn findings(conn: &mut SqliteConnection, of: &str, id: i64, until: DateTime<Utc>) -> Result<()> {
    let fields = columns(conn, "finding", &["id"]).await?;
    let keep = format!(
        "INSERT INTO past_finding ({fields}, known_at, until) SELECT {fields}, since, ?1 FROM (
             SELECT f.*, max((SELECT m.known_at FROM message m WHERE m.id = f.message), coalesce(
                 (SELECT max(p.until) FROM past_submission p WHERE p.id = f.submission AND p.until <= ?1), '')) AS since
             FROM finding f WHERE f.{of} = ?2 AND f.origin = 'sheet')
         WHERE since < ?1 ORDER BY id"
    );
    sqlx::query(AssertSqlSafe(keep)).bind(until).bind(id).execute(conn).await?;
    Ok(())
}

/// Takes a submission out of the ledger and keeps it with its rows. Its findings must have been kept before.
async fn retire(conn: &mut SqliteConnection, id: i64, until: DateTime<Utc>) -> Result<()> {
    submission(conn, id, until).await?;
    let fields = columns(conn, "past_line", &["id"]).await?;
    let keep = format!(
        "INSERT INTO past_line ({fields}) SELECT {fields} FROM line WHERE submission = ?1
         AND EXISTS (SELECT 1 FROM past_submission p WHERE p.id = ?1) ORDER BY id"
    );
    sqlx::query(AssertSqlSafe(keep)).bind(id).execute(&mut *conn).await?;
    for sql in ["DELETE FROM line WHERE submission = ?", "DELETE FROM submission WHERE id = ?"] {
        sqlx::query(sql).bind(id).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Ends the assessment that a message has, if it has one: how it stands and what was found in it become the past. Its
/// submissions are still there; [`Earlier`] says which of them stay.
pub async fn end_assessment(conn: &mut SqliteConnection, id: i64, until: DateTime<Utc>) -> Result<()> {
    message(conn, id, until).await?;
    findings(conn, "message", id, until).await?;
    sqlx::query("DELETE FROM finding WHERE message = ?").bind(id).execute(conn).await?;
    Ok(())
}

/// The submissions that earlier assessments made of a message, while a new one is being stored.
pub struct Earlier {
    list: Vec<Was>,
}

struct Was {
    /// `None`: it was taken out before, or stays.
    id: Option<i64>,
    ordinal: i64,
    unit: String,
    stream: String,
    form: String,
    period: String,
    state: String,
    digest: String,
    sheet: String,
    received_at: DateTime<Utc>,
}

impl Earlier {
    pub async fn load(conn: &mut SqliteConnection, message: i64) -> Result<Self> {
        let fields = "ordinal, unit, stream, form, period, state, digest, sheet, received_at";
        let sql = format!(
            "SELECT id, {fields} FROM submission WHERE message = ?1
             UNION ALL SELECT NULL, {fields} FROM past_submission WHERE message = ?1"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(message).fetch_all(conn).await?;
        let was = |r: sqlx::sqlite::SqliteRow| Was {
            id: r.get(0),
            ordinal: r.get(1),
            unit: r.get(2),
            stream: r.get(3),
            form: r.get(4),
            period: r.get(5),
            state: r.get(6),
            digest: r.get(7),
            sheet: r.get(8),
            received_at: r.get(9),
        };
        Ok(Self { list: rows.into_iter().map(was).collect() })
    }

    /// The ones that say the same as a new one: these stay, with their numbers and the time since when they are known. The
    /// others are taken out of the ledger. Gives the number of each that stays, in the order of the new ones.
    pub async fn carry_over(
        &mut self,
        conn: &mut SqliteConnection,
        message: i64,
        new: &[Submission],
        until: DateTime<Utc>,
    ) -> Result<Vec<Option<i64>>> {
        let mut stay = Vec::new();
        for (place, submission) in (0i64..).zip(new) {
            let mut found = None;
            for was in self.list.iter_mut().filter(|was| was.equals(submission)) {
                if let Some(id) = was.id
                    && same_rows(conn, id, &submission.rows).await?
                {
                    (found, was.id) = (Some(id), None);
                    if was.ordinal != place {
                        self::submission(conn, id, until).await?;
                    }
                    break;
                }
            }
            stay.push(found);
        }
        for id in self.list.iter().filter_map(|was| was.id) {
            retire(conn, id, until).await?;
        }
        // Those that stay may change places.
        sqlx::query("UPDATE submission SET ordinal = -1 - ordinal WHERE message = ?")
            .bind(message)
            .execute(&mut *conn)
            .await?;
        for (place, id) in (0i64..).zip(&stay) {
            sqlx::query("UPDATE submission SET ordinal = ? WHERE id = ?")
                .bind(place)
                .bind(id)
                .execute(&mut *conn)
                .await?;
        }
        Ok(stay)
    }

    /// When it came, where a copy had come before the mail itself.
    pub fn came(&self, new: &Submission) -> Option<DateTime<Utc>> {
        self.list.iter().filter(|was| was.becomes(new)).map(|was| was.received_at).min()
    }
}

impl Was {
    /// The same sheet of the same file; what was open before may be settled now.
    fn becomes(&self, new: &Submission) -> bool {
        let settled = |was: &str, is: &str| was.is_empty() || was == is;
        let (unit, stream, period) = place(new);
        (&self.form, &self.digest, &self.sheet) == (&new.form, &new.digest, &new.sheet)
            && settled(&self.unit, unit)
            && settled(&self.stream, stream)
            && settled(&self.period, &period)
    }

    fn equals(&self, new: &Submission) -> bool {
        self.becomes(new)
            && self.state == new.fate.as_str()
            && (self.unit.as_str(), self.stream.as_str(), self.period.clone()) == place(new)
    }
}

/// Unit, stream and period as they are stored: empty where they are not known.
fn place(s: &Submission) -> (&str, &str, String) {
    let period = s.period.map(|p| p.to_string()).unwrap_or_default();
    (s.unit.as_deref().unwrap_or_default(), s.stream.as_deref().unwrap_or_default(), period)
}

/// Whether a stored submission has just these rows.
async fn same_rows(conn: &mut SqliteConnection, id: i64, rows: &[Row]) -> Result<bool> {
    let sql = "SELECT sheet, row, admitted, record, cells, raw FROM line WHERE submission = ? ORDER BY id";
    let mut stored = sqlx::query(sql).bind(id).fetch(conn);
    let mut new = rows.iter();
    while let Some(line) = stored.try_next().await.context("stored rows cannot be read")? {
        let Some(row) = new.next() else { return Ok(false) };
        let record = &row.record;
        let same = (line.get::<&str, _>(0), line.get::<u32, _>(1), line.get(2))
            == (&row.sheet, record.row, row.admitted)
            && line.get::<&str, _>(3) == serde_json::to_string(&record.values)?
            && line.get::<&str, _>(4) == serde_json::to_string(&record.cells)?
            && line.get::<&str, _>(5) == serde_json::to_string(&record.raw)?;
        if !same {
            return Ok(false);
        }
    }
    Ok(new.next().is_none())
}
