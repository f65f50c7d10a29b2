//! The durable queue: table `outbox`. Every function runs inside its caller's transaction.
//!
//! A row is one mail to one recipient. `queued` waits, `sending` was begun and not finished (a crash leaves it so, and
//! it comes due again), `sent` and `failed` are ends.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use super::mail::Kind;
use super::retry::{AT_MOST, Next};

/// A mail to put into the queue.
#[derive(Clone, Debug)]
pub struct Queued<'a> {
    pub kind: Kind,
    /// The envelope's recipient, a bare address.
    pub recipient: &'a str,
    /// Without brackets.
    pub message_id: &'a str,
    pub subject: &'a str,
    /// The whole mail, from [`super::mail::render`].
    pub raw: &'a [u8],
    /// Row of `message` that this answers.
    pub answers: Option<i64>,
    pub unit: Option<&'a str>,
    pub period: Option<&'a str>,
}

/// A mail whose attempt has begun.
#[derive(Clone, Debug)]
pub struct Letter {
    pub id: i64,
    pub recipient: String,
    pub raw: Vec<u8>,
    /// Attempts, this one included.
    pub attempts: u32,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub queued: u32,
    pub sending: u32,
    pub sent: u32,
    pub failed: u32,
}

/// A mail that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    pub recipient: String,
    pub subject: String,
    pub failure: String,
    /// As [`super::refusal::Blame`] is stored; empty of what was given up before that was kept.
    pub blame: String,
}

/// Nothing is tried before `until`, whether it was queued before or since: no session could be had with the server, or
/// it wants less mail from us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Sessions or mails refused in a row.
    pub attempts: u32,
    pub until: DateTime<Utc>,
    /// The server's last words, and what to do.
    pub reason: String,
    /// The same for the department.
    #[serde(default)]
    pub chinese: String,
    /// A session was had: the server wants us to wait.
    #[serde(default)]
    pub asked: bool,
}

impl Outage {
    pub fn lasts(&self, now: DateTime<Utc>) -> bool {
        now < self.until && self.until <= now + AT_MOST
    }
}

/// Mail of ours was taken for bulk: until then it goes out more slowly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slowdown {
    pub refusals: u32,
    pub until: DateTime<Utc>,
    pub reason: String,
}

impl Slowdown {
    /// How long after the last refusal.
    pub const LASTS: TimeDelta = TimeDelta::hours(6);

    pub fn lasts(&self, now: DateTime<Utc>) -> bool {
        now < self.until && self.until <= now + Self::LASTS
    }

    /// Half as many mails a minute for each refusal, and one at least.
    pub fn pace(&self, per_minute: u32) -> u32 {
        (per_minute >> self.refusals.min(31)).max(1)
    }
}

const SECRET: &str = "secret";
const OUTAGE: &str = "outage";
const SLOWDOWN: &str = "slowdown";

/// The last outage, if it was not ended; it may be over ([`Outage::lasts`]).
pub async fn outage(conn: &mut SqliteConnection) -> sqlx::Result<Option<Outage>> {
    read_state(conn, OUTAGE).await
}

pub async fn begin_outage(conn: &mut SqliteConnection, outage: &Outage) -> sqlx::Result<()> {
    write_state(conn, OUTAGE, outage).await
}

pub async fn end_outage(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM state WHERE key = ?1").bind(OUTAGE).execute(conn).await?;
    Ok(())
}

/// The slowdown that lasts, if one does.
pub async fn slowdown(conn: &mut SqliteConnection, now: DateTime<Utc>) -> sqlx::Result<Option<Slowdown>> {
    Ok(read_state(conn, SLOWDOWN).await?.filter(|slow: &Slowdown| slow.lasts(now)))
}

pub async fn slow_down(conn: &mut SqliteConnection, slowdown: &Slowdown) -> sqlx::Result<()> {
    write_state(conn, SLOWDOWN, slowdown).await
}

/// What only this installation knows, for [`super::mail::message_id`]: made of `chance` the first time, the same ever after.
pub async fn secret(conn: &mut SqliteConnection, chance: [u8; 16]) -> sqlx::Result<String> {
    if let Some(secret) = read_state(conn, SECRET).await? {
        return Ok(secret);
    }
    let secret: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    write_state(conn, SECRET, &secret).await?;
    Ok(secret)
}

async fn read_state<T: DeserializeOwned + Send + Unpin>(
    conn: &mut SqliteConnection,
    key: &str,
) -> sqlx::Result<Option<T>> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT value FROM state WHERE key = ?1").bind(key).fetch_optional(conn).await?;
    // What another version wrote in another way is forgotten.
    Ok(found.and_then(|text| serde_json::from_str(&text).ok()))
}

async fn write_state<T: Serialize>(conn: &mut SqliteConnection, key: &str, value: &T) -> sqlx::Result<()> {
    let sql = "INSERT INTO state (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    let text = serde_json::to_string(value).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query(sql).bind(key).bind(text).execute(conn).await?;
    Ok(())
}

/// Puts a mail into the queue, due at once. `false` if this Message-ID to this recipient is there already, in
/// whatever state: the same matter is told once.
pub async fn enqueue(conn: &mut SqliteConnection, mail: &Queued<'_>, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO outbox (kind, recipient, message_id, subject, raw, answers, unit, period, created_at, state,
             next_attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'queued', ?9)
         ON CONFLICT (message_id, recipient) DO NOTHING",
    )
    .bind(mail.kind.as_str())
    .bind(mail.recipient)
    .bind(mail.message_id)
    .bind(mail.subject)
    .bind(mail.raw)
    .bind(mail.answers)
    .bind(mail.unit)
    .bind(mail.period)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ids of what is due, longest due first. What seems to wait longer than anything does was noted by a clock that was
/// ahead, and is due too.
pub async fn due(conn: &mut SqliteConnection, now: DateTime<Utc>, limit: u32) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "SELECT id FROM outbox WHERE state IN ('queued', 'sending') AND (next_attempt_at <= ?1 OR next_attempt_at > ?3)
         ORDER BY next_attempt_at, id LIMIT ?2",
    )
    .bind(now)
    .bind(limit)
    .bind(now + AT_MOST)
    .fetch_all(conn)
    .await
}

/// When the next mail comes due, if any waits.
pub async fn next_due(conn: &mut SqliteConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar(
        "SELECT next_attempt_at FROM outbox WHERE state IN ('queued', 'sending') ORDER BY next_attempt_at LIMIT 1",
    )
    .fetch_optional(conn)
    .await
}

/// Attempts made so far, from which the caller works out when to try again; `None` for no such row.
pub async fn attempts(conn: &mut SqliteConnection, id: i64) -> sqlx::Result<Option<u32>> {
    sqlx::query_scalar("SELECT attempts FROM outbox WHERE id = ?1").bind(id).fetch_optional(conn).await
}

/// Records an attempt, and when the next one follows should this one never end, before anything is dialled.
/// `None` if the row is no longer due: another process took it.
pub async fn begin_attempt(
    conn: &mut SqliteConnection,
    id: i64,
    now: DateTime<Utc>,
    next: DateTime<Utc>,
) -> sqlx::Result<Option<Letter>> {
    let row = sqlx::query(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, next_attempt_at = ?3
         WHERE id = ?1 AND state IN ('queued', 'sending') AND (next_attempt_at <= ?2 OR next_attempt_at > ?4)
         RETURNING id, recipient, raw, attempts, created_at",
    )
    .bind(id)
    .bind(now)
    .bind(next)
    .bind(now + AT_MOST)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Letter {
            id: row.try_get("id")?,
            recipient: row.try_get("recipient")?,
            raw: row.try_get("raw")?,
            attempts: row.try_get("attempts")?,
            created_at: row.try_get("created_at")?,
        })
    })
    .transpose()
}

/// Records what an attempt came to. A failed row's `next_attempt_at` is when it was given up.
pub async fn finish(conn: &mut SqliteConnection, id: i64, next: &Next, now: DateTime<Utc>) -> sqlx::Result<()> {
    let (state, at, failure, sent_at, blame) = match next {
        Next::Sent => ("sent", now, None, Some(now), None),
        Next::Retry { at, reason } => ("queued", *at, Some(reason), None, None),
        Next::Failed { reason, blame } => ("failed", now, Some(reason), None, Some(blame.as_str())),
    };
    let sql =
        "UPDATE outbox SET state = ?2, next_attempt_at = ?3, failure = ?4, sent_at = ?5, blame = ?6 WHERE id = ?1";
    sqlx::query(sql).bind(id).bind(state).bind(at).bind(failure).bind(sent_at).bind(blame).execute(conn).await?;
    Ok(())
}

/// What was to wait until then is due now.
pub async fn hurry(conn: &mut SqliteConnection, until: DateTime<Utc>, now: DateTime<Utc>) -> sqlx::Result<()> {
    let sql = "UPDATE outbox SET next_attempt_at = ?2 WHERE state = 'queued' AND next_attempt_at = ?1";
    sqlx::query(sql).bind(until).bind(now).execute(conn).await?;
    Ok(())
}

/// When mails went out after `since` and up to `now`, oldest first: what the rate limit counts.
pub async fn sent_between(
    conn: &mut SqliteConnection,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<DateTime<Utc>>> {
    sqlx::query_scalar("SELECT sent_at FROM outbox WHERE sent_at > ?1 AND sent_at <= ?2 ORDER BY sent_at")
        .bind(since)
        .bind(now)
        .fetch_all(conn)
        .await
}

pub async fn counts(conn: &mut SqliteConnection) -> sqlx::Result<Counts> {
    let row = sqlx::query(
        "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'sending'),
             count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'failed')
         FROM outbox",
    )
    .fetch_one(conn)
    .await?;
    Ok(Counts { queued: row.try_get(0)?, sending: row.try_get(1)?, sent: row.try_get(2)?, failed: row.try_get(3)? })
}

/// What was given up after `since`, for the department's digest.
pub async fn undelivered(conn: &mut SqliteConnection, since: DateTime<Utc>) -> sqlx::Result<Vec<Undelivered>> {
    let rows = sqlx::query(
        "SELECT recipient, subject, failure, blame FROM outbox WHERE state = 'failed' AND next_attempt_at > ?1 ORDER BY id",
    )
    .bind(since)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Undelivered {
                recipient: row.try_get(0)?,
                subject: row.try_get(1)?,
                failure: row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
                blame: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::refusal::Blame;
    use sqlx::sqlite::SqlitePoolOptions;
    use sqlx::{Sqlite, pool::PoolConnection};

    async fn ledger() -> PoolConnection<Sqlite> {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        crate::db::migrate(&pool).await.unwrap();
        pool.acquire().await.unwrap()
    }

    fn at(s: &str) -> DateTime<Utc> {
        s.parse().unwrap()
    }

    fn mail<'a>(message_id: &'a str, recipient: &'a str) -> Queued<'a> {
        Queued {
            kind: Kind::Receipt,
            recipient,
            message_id,
            subject: "回复：8月报表",
            raw: b"raw",
            answers: None,
            unit: None,
            period: None,
        }
    }

    #[tokio::test]
    async fn the_same_matter_is_queued_once_a_recipient() {
        let mut conn = ledger().await;
        let now = at("2011-09-20T02:00:00Z");
        assert!(enqueue(&mut conn, &mail("a@x.test", "one@y.test"), now).await.unwrap());
        assert!(!enqueue(&mut conn, &mail("a@x.test", "one@y.test"), now).await.unwrap());
        assert!(enqueue(&mut conn, &mail("a@x.test", "two@y.test"), now).await.unwrap());
        assert_eq!(counts(&mut conn).await.unwrap(), Counts { queued: 2, ..Counts::default() });
    }

    #[tokio::test]
    async fn an_attempt_that_a_crash_cut_short_comes_due_again_at_the_recorded_time() {
        let mut conn = ledger().await;
        let (now, next) = (at("2011-09-20T02:00:00Z"), at("2011-09-20T02:02:00Z"));
        enqueue(&mut conn, &mail("a@x.test", "one@y.test"), now).await.unwrap();
        let id = due(&mut conn, now, 10).await.unwrap()[0];
        let letter = begin_attempt(&mut conn, id, now, next).await.unwrap().unwrap();
        assert_eq!((letter.attempts, letter.raw.as_slice(), letter.created_at), (1, &b"raw"[..], now));
        assert!(begin_attempt(&mut conn, id, now, next).await.unwrap().is_none(), "a second process leaves it alone");
        assert!(due(&mut conn, at("2011-09-20T02:01:59.999Z"), 10).await.unwrap().is_empty());
        assert_eq!(due(&mut conn, next, 10).await.unwrap(), [id]);
        assert_eq!(next_due(&mut conn).await.unwrap(), Some(next));
    }

    #[tokio::test]
    async fn what_was_queued_while_the_clock_was_ahead_is_due_now() {
        let mut conn = ledger().await;
        let (ahead, now) = (at("2021-09-20T02:00:00Z"), at("2011-09-20T02:00:00Z"));
        enqueue(&mut conn, &mail("a@x.test", "one@y.test"), ahead).await.unwrap();
        let id = due(&mut conn, now, 10).await.unwrap()[0];
        let next = now + TimeDelta::minutes(1);
        assert!(begin_attempt(&mut conn, id, now, next).await.unwrap().is_some());
        assert!(due(&mut conn, now, 10).await.unwrap().is_empty());
        assert_eq!(due(&mut conn, next, 10).await.unwrap(), [id]);
    }

    #[tokio::test]
    async fn ends_are_ends_and_a_failure_can_be_told() {
        let mut conn = ledger().await;
        let now = at("2011-09-20T02:00:00Z");
        for address in ["one@y.test", "two@y.test", "three@y.test"] {
            enqueue(&mut conn, &mail("a@x.test", address), now).await.unwrap();
        }
        let ids = due(&mut conn, now, 10).await.unwrap();
        let later = at("2011-09-20T02:05:00Z");
        finish(&mut conn, ids[0], &Next::Sent, now).await.unwrap();
        finish(&mut conn, ids[1], &Next::Failed { reason: "550 no such user".into(), blame: Blame::Recipient }, now)
            .await
            .unwrap();
        finish(&mut conn, ids[2], &Next::Retry { at: later, reason: "451 busy".into() }, now).await.unwrap();
        assert!(due(&mut conn, now, 10).await.unwrap().is_empty());
        assert_eq!(due(&mut conn, later, 10).await.unwrap(), [ids[2]]);
        assert_eq!(counts(&mut conn).await.unwrap(), Counts { queued: 1, sending: 0, sent: 1, failed: 1 });
        assert_eq!(sent_between(&mut conn, at("2011-09-20T01:59:59Z"), now).await.unwrap(), [now]);
        let told = undelivered(&mut conn, at("2011-09-20T00:00:00Z")).await.unwrap();
        assert_eq!((told[0].failure.as_str(), told[0].blame.as_str()), ("550 no such user", "recipient"));
    }
}
