//! How often anybody is answered (RFC 3834 section 2): so many times a day an address and a thread, and not for ever
//! where answering brings nothing. Every function runs inside its caller's transaction.
//!
//! Law: whatever is sent to us, answers to one address within a day never exceed `answers_per_day`, those within one
//! thread never `answers_per_thread`, and answers in a row that brought nothing new never `answers_in_vain`. So traffic
//! with any machine ends by itself.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use sqlx::SqliteConnection;

use crate::message::Message;
use crate::period::local;

/// What the configuration allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Answers to one address a day.
    pub day: u32,
    /// Answers within one thread a day.
    pub thread: u32,
    /// Answers in a row to one address whose mails bring nothing new.
    pub vain: u32,
    /// Where days begin.
    pub zone: Tz,
}

/// A message that somebody is about to answer.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Row of `message`.
    pub message: i64,
    pub address: &'a str,
    /// Whose patience is spent: the address, or `@domain` where only the domain is registered, so that a machine that
    /// writes from ever new addresses is one.
    pub correspondent: &'a str,
    /// From [`thread`].
    pub thread: &'a str,
    /// It brought something new that can be used, or that a person has to decide on.
    pub useful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    Day,
    Thread,
    Vain,
}

impl Budget {
    pub const ALL: [Self; 3] = [Self::Day, Self::Thread, Self::Vain];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Thread => "thread",
            Self::Vain => "vain",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|budget| budget.as_str() == text)
    }

    /// Why a message was not answered, for the listing.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Day => "当天给这个邮箱的回复已达上限，没有再回复",
            Self::Thread => "当天对这组往来邮件的回复已达上限，没有再回复",
            Self::Vain => "多次回复后仍没有收到可用的报表，已停止自动回复",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    Answer,
    /// Answer, and say that it is the last time within this budget.
    Last(Budget),
    Withheld(Budget),
}

/// What has been spent.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    day: u32,
    thread: u32,
    vain: u32,
}

/// The thread that a message belongs to: the root of its References, else what it answers, else itself (RFC 5322 section
/// 3.6.4). Empty for a message without any.
pub fn thread(message: &Message) -> &str {
    let root = message.references.first().or(message.in_reply_to.first()).or(message.message_id.as_ref());
    root.map(String::as_str).unwrap_or_default()
}

/// Whether an answer may go out, and the record of it: to be called right before an answer is queued, once for each.
pub async fn permit(
    conn: &mut SqliteConnection,
    asked: &Asked<'_>,
    limits: &Limits,
    now: DateTime<Utc>,
) -> sqlx::Result<Permit> {
    let mut spent = spent(conn, asked, limits.zone, now).await?;
    if asked.useful {
        spent.vain = 0;
        be_patient(conn, asked.correspondent).await?;
    }
    let permit = decide(spent, asked.useful, limits);
    match permit {
        Permit::Withheld(budget) => withhold(conn, asked, budget, now).await?,
        Permit::Answer | Permit::Last(_) if !asked.useful => {
            let sql = "INSERT INTO correspondent (address, vain) VALUES (?1, 1) ON CONFLICT (address) DO UPDATE SET vain = vain + 1";
            sqlx::query(sql).bind(asked.correspondent).execute(conn).await?;
        }
        Permit::Answer | Permit::Last(_) => {}
    }
    Ok(permit)
}

fn decide(spent: Spent, useful: bool, limits: &Limits) -> Permit {
    let budgets = [
        (Budget::Vain, if useful { 0 } else { spent.vain }, limits.vain),
        (Budget::Day, spent.day, limits.day),
        (Budget::Thread, spent.thread, limits.thread),
    ];
    if let Some((budget, ..)) = budgets.iter().find(|(_, spent, limit)| spent >= limit) {
        return Permit::Withheld(*budget);
    }
    // A mail that brought something starts the row anew, so it is not the last of one.
    let last =
        budgets.iter().find(|(budget, spent, limit)| spent + 1 == *limit && !(useful && *budget == Budget::Vain));
    last.map_or(Permit::Answer, |(budget, ..)| Permit::Last(*budget))
}

async fn spent(conn: &mut SqliteConnection, asked: &Asked<'_>, zone: Tz, now: DateTime<Utc>) -> sqlx::Result<Spent> {
    let day = now.with_timezone(&zone).date_naive();
    let start = local(zone, day, NaiveTime::MIN).with_timezone(&Utc);
    let end = local(zone, day + TimeDelta::days(1), NaiveTime::MIN).with_timezone(&Utc);
    let domain = asked.correspondent.strip_prefix('@').unwrap_or_default();
    let day = sqlx::query_scalar(
        "SELECT count(*) FROM outbox WHERE answers IS NOT NULL AND created_at >= ?2 AND created_at < ?3
         AND (recipient = ?1 OR (?4 <> '' AND substr(recipient, -length(?4) - 1) IN ('@' || ?4, '.' || ?4)))",
    )
    .bind(asked.address)
    .bind(start)
    .bind(end)
    .bind(domain)
    .fetch_one(&mut *conn)
    .await?;
    let thread = sqlx::query_scalar(
        "SELECT count(*) FROM outbox WHERE thread = ?1 AND thread <> '' AND answers IS NOT NULL
         AND created_at >= ?2 AND created_at < ?3",
    )
    .bind(asked.thread)
    .bind(start)
    .bind(end)
    .fetch_one(&mut *conn)
    .await?;
    let vain: Option<u32> = sqlx::query_scalar("SELECT vain FROM correspondent WHERE address = ?1")
        .bind(asked.correspondent)
        .fetch_optional(conn)
        .await?;
    Ok(Spent { day, thread, vain: vain.unwrap_or(0) })
}

/// Starts counting anew, and answers again. Returns whether there was anything to forget.
pub async fn be_patient(conn: &mut SqliteConnection, correspondent: &str) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE correspondent SET vain = 0, silent_since = NULL WHERE address = ?1 AND vain > 0")
        .bind(correspondent)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Who is not answered any more, and since when.
pub async fn silent(conn: &mut SqliteConnection) -> sqlx::Result<Vec<(String, DateTime<Utc>)>> {
    sqlx::query_as("SELECT address, silent_since FROM correspondent WHERE silent_since IS NOT NULL ORDER BY address")
        .fetch_all(conn)
        .await
}

async fn withhold(
    conn: &mut SqliteConnection,
    asked: &Asked<'_>,
    budget: Budget,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("INSERT OR REPLACE INTO withheld (message, address, budget, at) VALUES (?1, ?2, ?3, ?4)")
        .bind(asked.message)
        .bind(asked.address)
        .bind(budget.as_str())
        .bind(now)
        .execute(&mut *conn)
        .await?;
    if budget == Budget::Vain {
        sqlx::query("UPDATE correspondent SET silent_since = coalesce(silent_since, ?2) WHERE address = ?1")
            .bind(asked.correspondent)
            .bind(now)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Notes the thread of an answer that was queued.
pub async fn note_thread(conn: &mut SqliteConnection, message_id: &str, thread: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox SET thread = ?2 WHERE message_id = ?1")
        .bind(message_id)
        .bind(thread)
        .execute(conn)
        .await?;
    Ok(())
}

/// An address whose mails were not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    pub address: String,
    /// Mails after the first and up to the second time.
    pub mails: u32,
    /// They brought nothing, so it is not answered until one does.
    pub silent: bool,
}

/// Addresses that had mails withheld after the first and up to the second time.
pub async fn unanswered(
    conn: &mut SqliteConnection,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<Vec<Unanswered>> {
    let rows: Vec<(String, u32, bool)> = sqlx::query_as(
        "SELECT address, count(*), max(budget = 'vain') FROM withheld WHERE at > ?1 AND at <= ?2
         GROUP BY address ORDER BY address",
    )
    .bind(since)
    .bind(now)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(address, mails, silent)| Unanswered { address, mails, silent }).collect())
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
