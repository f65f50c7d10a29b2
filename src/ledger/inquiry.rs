//! Inquiries: what waits for a unit's word on its sender, which mails have asked for it, and what came back. Every function
//! runs inside the caller's transaction.

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::known::past;

/// A mail that asked a unit.
#[derive(Clone, Debug)]
pub struct Inquiry {
    pub token: String,
    pub unit: String,
    pub recipient: String,
    /// Without brackets.
    pub message_id: String,
    pub at: DateTime<Utc>,
}

/// A message that such a mail lists, or could.
#[derive(Clone, Debug)]
pub struct Matter {
    pub message: i64,
    pub mailbox: String,
    pub received_at: DateTime<Utc>,
    pub from: String,
    pub subject: String,
    /// It still waits for the unit's word.
    pub open: bool,
    /// How often the unit was asked.
    pub asked: u32,
}

/// How a reply to an inquiry was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Understood,
    Unclear,
    /// All of it had been decided before.
    Late,
    /// Not the unit's, as far as can be told.
    Disbelieved,
}

impl Said {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Understood => "understood",
            Self::Unclear => "unclear",
            Self::Late => "late",
            Self::Disbelieved => "disbelieved",
        }
    }
}

/// Notes whose word a message waits for, in place of what was noted before.
pub async fn wait_for(conn: &mut SqliteConnection, message: i64, units: &[String]) -> Result<()> {
    sqlx::query("DELETE FROM sender_question WHERE message = ?").bind(message).execute(&mut *conn).await?;
    for unit in units {
        let sql = "INSERT INTO sender_question (message, unit) VALUES (?, ?)";
        sqlx::query(sql).bind(message).bind(unit).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The message still waits for the unit: nobody has decided, and no copy of it was taken instead.
const OPEN: &str =
    "EXISTS (SELECT 1 FROM sender_question q JOIN submission s ON s.message = q.message AND s.unit = q.unit
    WHERE q.message = m.id AND q.unit = ?1 AND s.state = 'quarantined' AND m.disposition IN ('quarantined', 'partly'))";

fn fields() -> String {
    format!(
        "SELECT m.id, m.mailbox, m.received_at, coalesce(m.from_address, ''), m.subject, {OPEN},
         (SELECT count(*) FROM inquiry_line l JOIN inquiry i ON i.token = l.inquiry WHERE l.message = m.id AND i.unit = ?1)
         FROM message m"
    )
}

fn matter(row: &sqlx::sqlite::SqliteRow) -> Matter {
    Matter {
        message: row.get(0),
        mailbox: row.get(1),
        received_at: row.get(2),
        from: row.get(3),
        subject: row.get(4),
        open: row.get(5),
        asked: row.get(6),
    }
}

/// Units whose word something waits for.
pub async fn awaited_units(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT DISTINCT unit FROM sender_question ORDER BY unit").fetch_all(conn).await?)
}

/// What waits for a unit's word, oldest first.
pub async fn waiting(conn: &mut SqliteConnection, unit: &str) -> Result<Vec<Matter>> {
    let asked = "m.id IN (SELECT message FROM sender_question WHERE unit = ?1)";
    let sql = format!("{} WHERE {asked} AND {OPEN} ORDER BY m.received_at, m.id", fields());
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(unit).fetch_all(conn).await?;
    Ok(rows.iter().map(matter).collect())
}

/// What an inquiry lists, in its order.
pub async fn listed(conn: &mut SqliteConnection, inquiry: &Inquiry) -> Result<Vec<Matter>> {
    let sql = format!("{} JOIN inquiry_line n ON n.message = m.id WHERE n.inquiry = ?2 ORDER BY n.number", fields());
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&inquiry.unit).bind(&inquiry.token).fetch_all(conn).await?;
    Ok(rows.iter().map(matter).collect())
}

/// A unit is asked once a day.
pub async fn asked_on(conn: &mut SqliteConnection, unit: &str, day: NaiveDate) -> Result<bool> {
    let found = sqlx::query("SELECT 1 FROM inquiry WHERE unit = ? AND day = ?").bind(unit).bind(day.to_string());
    Ok(found.fetch_optional(conn).await?.is_some())
}

/// Records that a unit was asked about these messages, in this order.
pub async fn record(conn: &mut SqliteConnection, asked: &Inquiry, day: NaiveDate, messages: &[i64]) -> Result<()> {
    sqlx::query("INSERT INTO inquiry (token, unit, recipient, message_id, day, at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&asked.token)
        .bind(&asked.unit)
        .bind(&asked.recipient)
        .bind(&asked.message_id)
        .bind(day.to_string())
        .bind(asked.at)
        .execute(&mut *conn)
        .await?;
    for (number, message) in (1..).zip(messages) {
        sqlx::query("INSERT INTO inquiry_line (inquiry, number, message) VALUES (?, ?, ?)")
            .bind(&asked.token)
            .bind::<i64>(number)
            .bind(message)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// The inquiry that a token belongs to.
pub async fn find(conn: &mut SqliteConnection, token: &str) -> Result<Option<Inquiry>> {
    let sql = "SELECT token, unit, recipient, message_id, at FROM inquiry WHERE token = ?";
    let row = sqlx::query(sql).bind(token).fetch_optional(conn).await?;
    Ok(row.as_ref().map(inquiry))
}

fn inquiry(row: &sqlx::sqlite::SqliteRow) -> Inquiry {
    Inquiry { token: row.get(0), unit: row.get(1), recipient: row.get(2), message_id: row.get(3), at: row.get(4) }
}

/// Records how a reply was taken.
pub async fn heard(conn: &mut SqliteConnection, message: i64, token: &str, said: Said) -> Result<()> {
    let sql = "INSERT INTO inquiry_reply (message, inquiry, said) VALUES (?, ?, ?)
               ON CONFLICT (message) DO UPDATE SET said = excluded.said WHERE said <> 'understood'";
    sqlx::query(sql).bind(message).bind(token).bind(said.as_str()).execute(conn).await?;
    Ok(())
}

/// Has a message assessed again, in the light of what was decided in this transaction.
pub async fn reopen(conn: &mut SqliteConnection, message: i64, now: DateTime<Utc>) -> Result<()> {
    past::message(conn, message, now).await?;
    sqlx::query("UPDATE message SET disposition = NULL WHERE id = ?").bind(message).execute(conn).await?;
    Ok(())
}

/// Has assessed again what else waits for the unit's word and comes from these addresses, which are trusted now. Returns
/// which messages these are.
pub async fn reopen_of(
    conn: &mut SqliteConnection,
    unit: &str,
    trusted: &[String],
    except: &[i64],
    now: DateTime<Utc>,
) -> Result<Vec<i64>> {
    let mut reopened = Vec::new();
    for waiting in waiting(conn, unit).await? {
        if trusted.contains(&waiting.from) && !except.contains(&waiting.message) {
            reopen(conn, waiting.message, now).await?;
            reopened.push(waiting.message);
        }
    }
    Ok(reopened)
}

/// When which address was asked about a message, oldest first.
pub async fn asked_about(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Inquiry>> {
    let sql = "SELECT i.token, i.unit, i.recipient, i.message_id, i.at FROM inquiry i
               JOIN inquiry_line l ON l.inquiry = i.token WHERE l.message = ? ORDER BY i.at";
    let rows = sqlx::query(sql).bind(message).fetch_all(conn).await?;
    Ok(rows.iter().map(inquiry).collect())
}

/// An answer to one of the inquiries about a message.
#[derive(Clone, Debug)]
pub struct Reply {
    pub message: i64,
    pub unit: String,
    pub from: String,
    pub received_at: DateTime<Utc>,
    /// `confirmed`, `denied`; `understood` where it was about others of the list; `unclear`, `late`, `disbelieved`.
    pub said: String,
}

/// What was answered about a message, oldest first.
pub async fn replies(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Reply>> {
    let rows = sqlx::query(
        "SELECT DISTINCT m.id, i.unit, coalesce(m.from_address, ''), m.received_at, coalesce(
             (SELECT CASE d.kind WHEN 'release' THEN 'confirmed' ELSE 'denied' END FROM decision d
              WHERE d.message = l.message AND d.by_message = m.id AND d.kind IN ('release', 'reject')), r.said)
         FROM inquiry_reply r JOIN message m ON m.id = r.message JOIN inquiry i ON i.token = r.inquiry
         JOIN inquiry_line l ON l.inquiry = i.token WHERE l.message = ? ORDER BY m.received_at, m.id",
    )
    .bind(message)
    .fetch_all(conn)
    .await?;
    let read = |r: sqlx::sqlite::SqliteRow| Reply {
        message: r.get(0),
        unit: r.get(1),
        from: r.get(2),
        received_at: r.get(3),
        said: r.get(4),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// A return that the unit named in it says is not its own.
#[derive(Clone, Debug)]
pub struct Disowned {
    pub message: i64,
    pub received_at: DateTime<Utc>,
    pub from: String,
    pub subject: String,
    pub unit: String,
}

/// What units disowned after the first and up to the second of these times.
pub async fn disowned(
    conn: &mut SqliteConnection,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Disowned>> {
    let rows = sqlx::query(
        "SELECT m.id, m.received_at, coalesce(m.from_address, ''), m.subject, d.unit FROM decision d
         JOIN message m ON m.id = d.message
         WHERE d.kind = 'reject' AND d.by_message IS NOT NULL AND d.at > ? AND d.at <= ? ORDER BY d.id",
    )
    .bind(since)
    .bind(now)
    .fetch_all(conn)
    .await?;
    let read = |r: sqlx::sqlite::SqliteRow| Disowned {
        message: r.get(0),
        received_at: r.get(1),
        from: r.get(2),
        subject: r.get(3),
        unit: r.get(4),
    };
    Ok(rows.into_iter().map(read).collect())
}
