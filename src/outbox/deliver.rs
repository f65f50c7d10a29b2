//! One step of the delivery worker: whatever is due, within the rate limit.
//!
//! Each mail is begun (committed), dialled with no database connection held, and finished (committed). Dropping the
//! future at any point is like a crash: the mail in hand comes due again when its recorded next attempt does.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqlitePool;

use super::retry::{Attempt, Next, Tried, decide, wait};
use super::store;
use super::transport::{Parcel, Transport};
use crate::config::{self, SmtpKind};

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Mails a minute; `None` for no limit.
    pub per_minute: Option<u32>,
    /// An attempt that has not ended after this long is taken for dead.
    pub lease: TimeDelta,
}

impl Settings {
    /// Files need no rate limit.
    pub fn of(smtp: &config::Smtp) -> Self {
        let per_minute = match smtp.kind {
            SmtpKind::Server(_) => Some(smtp.per_minute.max(1)),
            SmtpKind::Files(_) => None,
        };
        // Connecting and sending may take one timeout each.
        let timeout = i64::try_from(smtp.timeout).unwrap_or(i64::MAX).min(3600);
        Self { per_minute, lease: TimeDelta::seconds(2 * timeout + 30) }
    }
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: u32,
    /// Will be tried again.
    pub deferred: u32,
    /// Given up: the provider's code and words. The rows keep them too.
    pub failed: Vec<String>,
    /// No session could be had, so the rest was not tried.
    pub unavailable: Option<String>,
    /// When the next mail may go: now for more than one step could take, later for the rate limit or a retry; `None`
    /// when the queue is empty.
    pub next_at: Option<DateTime<Utc>>,
}

/// Mails of one step, so that a worker comes back to look at other things.
const BATCH: u32 = 100;
const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// Sends what is due. An error is the database's; what a server says is no error but recorded.
pub async fn deliver_due(
    pool: &SqlitePool,
    transport: &mut Transport,
    settings: &Settings,
    now: DateTime<Utc>,
) -> sqlx::Result<Delivered> {
    let mut done = Delivered::default();
    let ids = {
        let mut conn = pool.acquire().await?;
        let (allowed, _) = allowance(&store::sent_between(&mut conn, now - WINDOW, now).await?, settings, now);
        store::due(&mut conn, now, allowed).await?
    };
    for id in ids {
        deliver_one(pool, transport, (settings, now), id, &mut done).await?;
        if done.unavailable.is_some() {
            break;
        }
    }
    transport.close().await;

    let mut conn = pool.acquire().await?;
    let (_, resume) = allowance(&store::sent_between(&mut conn, now - WINDOW, now).await?, settings, now);
    done.next_at = store::next_due(&mut conn).await?.map(|due| due.max(resume));
    Ok(done)
}

/// How many may go now, and when the next one may. Counted from the rows, so it holds across restarts.
fn allowance(sent: &[DateTime<Utc>], settings: &Settings, now: DateTime<Utc>) -> (u32, DateTime<Utc>) {
    let Some(limit) = settings.per_minute else { return (BATCH, now) };
    let used = u32::try_from(sent.len()).unwrap_or(u32::MAX);
    if used < limit {
        return (BATCH.min(limit - used), now);
    }
    // The window has room again when all but `limit - 1` of these have left it.
    let leaving = sent.len() - limit as usize;
    (0, sent.get(leaving).map_or(now, |at| *at + WINDOW))
}

async fn deliver_one(
    pool: &SqlitePool,
    transport: &mut Transport,
    (settings, now): (&Settings, DateTime<Utc>),
    id: i64,
    done: &mut Delivered,
) -> sqlx::Result<()> {
    let begun = {
        let mut conn = pool.acquire().await?;
        let Some(attempts) = store::attempts(&mut conn, id).await? else { return Ok(()) };
        let next = now + wait(attempts + 1, jitter(id, attempts + 1)).max(settings.lease);
        store::begin_attempt(&mut conn, id, now, next).await?
    };
    let Some(letter) = begun else { return Ok(()) };
    let parcel = Parcel { id, created_at: letter.created_at, recipient: &letter.recipient, raw: &letter.raw };
    let attempt = transport.send(parcel).await;
    let tried =
        Tried { attempts: letter.attempts, created_at: letter.created_at, now, jitter: jitter(id, letter.attempts) };
    let next = decide(&attempt, tried);
    store::finish(&mut *pool.acquire().await?, id, &next, now).await?;
    log(id, letter.attempts, &attempt, &next);
    if let Attempt::NoSession(why) = attempt {
        done.unavailable = Some(why);
    }
    match next {
        Next::Sent => done.sent += 1,
        Next::Retry { .. } => done.deferred += 1,
        Next::Failed { reason } => done.failed.push(reason),
    }
    Ok(())
}

/// The row has the server's words; the log has the code only, since the words often repeat the address.
fn log(outbox: i64, attempts: u32, attempt: &Attempt, next: &Next) {
    let given_up = matches!(next, Next::Failed { .. });
    match attempt {
        Attempt::Delivered => tracing::debug!(outbox, attempts, "mail sent"),
        Attempt::NoSession(why) => tracing::warn!(outbox, attempts, given_up, "cannot send mail: {why}"),
        Attempt::Refused { code, .. } => tracing::warn!(outbox, attempts, given_up, code, "mail refused"),
        Attempt::Impossible(_) => tracing::warn!(outbox, attempts, given_up, "mail cannot be sent as it is"),
        Attempt::Lost(_) => tracing::warn!(outbox, attempts, given_up, "connection lost while sending"),
        Attempt::Unreadable(_) => tracing::warn!(outbox, attempts, given_up, "the server's reply is not readable"),
    }
}

/// Spreads retries without a random source: a number in 0.0..1.0 from the row and the attempt.
fn jitter(id: i64, attempts: u32) -> f64 {
    let mixed = (id as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(u64::from(attempts).wrapping_mul(0xD1B5_4A32_D192_ED03));
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
