//! Versions compared: what an accepted one changed when it came. Runs inside the caller's transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::changes::{self, Change, Line};
use super::known::past;
use super::query;
use crate::form::{Campaign, Record};

/// Another version of the same obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its number among the accepted versions.
    pub version: u32,
    pub received_at: DateTime<Utc>,
}

/// How an accepted version stands to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    First,
    /// A newer one had come before: this one changes nothing.
    Outdated(Other),
    /// In place of the one before it.
    Replaces(Other, Vec<Change>),
}

/// The accepted submissions of a message by their place in it, each compared with what counted, and marked where what counts
/// stays as it was.
pub async fn compare(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    message: i64,
    now: DateTime<Utc>,
) -> Result<Vec<(query::Version, Standing)>> {
    let mut list = Vec::new();
    for version in query::submissions(conn, message).await? {
        if version.version.is_none() {
            continue;
        }
        let standing = standing(conn, campaign, &version).await?;
        // What an earlier assessment had accepted just so came with that one.
        if is_new(conn, version.id).await? {
            note(conn, version.id, &standing).await?;
        }
        if let Some(next) = counts_after(conn, &version).await? {
            // Read anew, the older one may say something else than the one that counts was once compared with.
            let newer = query::Version { id: next, ..version.clone() };
            let stands = self::standing(conn, campaign, &newer).await?;
            past::submission(conn, next, now).await?;
            note(conn, next, &stands).await?;
        }
        list.push((version, standing));
    }
    Ok(list)
}

/// It came with the assessment that stands, and was not there before.
async fn is_new(conn: &mut SqliteConnection, submission: i64) -> Result<bool> {
    let sql = "SELECT s.known_at = m.known_at FROM submission s JOIN message m ON m.id = s.message WHERE s.id = ?";
    Ok(sqlx::query_scalar(sql).bind(submission).fetch_one(conn).await?)
}

/// Marks a version that leaves what counts as it is.
async fn note(conn: &mut SqliteConnection, submission: i64, standing: &Standing) -> Result<()> {
    let idle = match standing {
        Standing::First => false,
        Standing::Outdated(_) => true,
        Standing::Replaces(_, changes) => changes.is_empty(),
    };
    sqlx::query("UPDATE submission SET idle = ? WHERE id = ?").bind(idle).bind(submission).execute(conn).await?;
    Ok(())
}

/// The version that counts, where it comes right after this one, in another message.
async fn counts_after(conn: &mut SqliteConnection, version: &query::Version) -> Result<Option<i64>> {
    let later = sqlx::query_as::<_, (i64, i64)>(
        "SELECT n.id, n.message FROM submission n JOIN submission s ON s.id = ? WHERE n.unit = s.unit AND n.stream = s.stream
         AND n.form = s.form AND n.period = s.period AND n.state = 'accepted' AND (n.received_at, n.id) > (s.received_at, s.id)",
    );
    let later = later.bind(version.id).fetch_all(conn).await?;
    Ok(later.first().filter(|(_, message)| later.len() == 1 && *message != version.message).map(|(id, _)| *id))
}

async fn standing(conn: &mut SqliteConnection, campaign: &Campaign, version: &query::Version) -> Result<Standing> {
    let all: Vec<(i64, DateTime<Utc>)> = sqlx::query_as(
        "SELECT id, received_at FROM submission WHERE unit = ? AND stream = ? AND form = ? AND period = ?
         AND state = 'accepted' AND baseline = 0 ORDER BY received_at, id",
    )
    .bind(&version.unit)
    .bind(&version.stream)
    .bind(&version.form)
    .bind(&version.period)
    .fetch_all(&mut *conn)
    .await?;
    let other = |at: usize| Other { version: at as u32 + 1, received_at: all[at].1 };
    let Some(at) = all.iter().position(|(id, _)| *id == version.id) else { return Ok(Standing::First) };
    if at + 1 < all.len() {
        return Ok(Standing::Outdated(other(all.len() - 1)));
    }
    let (Some(before), Some(form)) = (at.checked_sub(1), campaign.form(&version.form)) else {
        return Ok(Standing::First);
    };
    let period = version.period.parse().map_err(anyhow::Error::msg).context("a stored period is not one")?;
    let (old, new) = (lines(conn, all[before].0).await?, lines(conn, version.id).await?);
    Ok(Standing::Replaces(other(before), changes::between(form, &old, &new, period)))
}

async fn lines(conn: &mut SqliteConnection, submission: i64) -> Result<Vec<Line>> {
    let read = |row: SqliteRow| -> Result<Line> {
        let record = Record {
            sheet: row.get(1),
            row: row.get(2),
            values: serde_json::from_str(row.get(3)).context("a stored row is not readable")?,
            cells: serde_json::from_str(row.get(4)).context("stored cells are not readable")?,
            raw: serde_json::from_str(row.get(5)).context("stored cells are not readable")?,
        };
        Ok(Line { admitted: row.get(0), record })
    };
    let sql = "SELECT admitted, sheet, row, record, cells, raw FROM line WHERE submission = ? ORDER BY id";
    let mut rows = sqlx::query(sql).bind(submission).fetch(conn);
    let mut lines = Vec::new();
    while let Some(row) = rows.try_next().await? {
        lines.push(read(row)?);
    }
    Ok(lines)
}
