//! What people decided, as the listing shows it.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

/// A decision; what its kind does not need is empty.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    pub at: DateTime<Utc>,
    pub who: String,
    /// `release`, `reject`, `trust`, `distrust`, `excuse`, `merge`, `split`, `dismiss`, `reopen`, `import`.
    pub kind: String,
    pub message: Option<i64>,
    pub unit: Option<String>,
    pub stream: Option<String>,
    pub form: Option<String>,
    pub period: Option<String>,
    pub rule: Option<String>,
    pub subject: Option<String>,
    pub other: Option<String>,
    pub address: Option<String>,
    pub reason: String,
    /// The mail in which a unit said so.
    pub by_message: Option<i64>,
}

/// All decisions, oldest first.
pub async fn decisions(conn: &mut SqliteConnection) -> Result<Vec<Decided>> {
    let sql =
        "SELECT at, who, kind, message, unit, stream, form, period, rule, subject, other, address, reason, by_message
               FROM decision ORDER BY id";
    let read = |r: SqliteRow| Decided {
        at: r.get(0),
        who: r.get(1),
        kind: r.get(2),
        message: r.get(3),
        unit: r.get(4),
        stream: r.get(5),
        form: r.get(6),
        period: r.get(7),
        rule: r.get(8),
        subject: r.get(9),
        other: r.get(10),
        address: r.get(11),
        reason: r.get(12),
        by_message: r.get(13),
    };
    Ok(sqlx::query(sql).fetch_all(conn).await?.into_iter().map(read).collect())
}
