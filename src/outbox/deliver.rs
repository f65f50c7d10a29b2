//! One step of the delivery worker: whatever is due, within the rate limit.
//!
//! Each mail is begun (committed), dialled with no database connection held, and finished (committed). Dropping the
//! future at any point is like a crash: the mail in hand comes due again when its recorded next attempt does.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{SqliteConnection, SqlitePool};

use super::bounced::{self, Failed};
use super::refusal::{Blame, Meaning};
use super::retry::{Attempt, Next, Tried, decide, reason, wait, wait_for_end};
use super::store::{self, Outage, Slowdown};
use super::transport::{Parcel, Transport};
use crate::config::{self, SmtpKind};
use crate::message::sender::Cause;

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Mails a minute; `None` for no limit.
    pub per_minute: Option<u32>,
    /// Mails in 24 hours; `None` for no limit.
    pub per_day: Option<u32>,
    /// An attempt that has not ended after this long is taken for dead.
    pub lease: TimeDelta,
}

impl Settings {
    /// Files need no rate limit.
    pub fn of(smtp: &config::Smtp) -> Self {
        let (per_minute, per_day) = match smtp.kind {
            SmtpKind::Server(_) => (Some(smtp.per_minute.max(1)), smtp.per_day),
            SmtpKind::Files(_) => (None, None),
        };
        // Connecting and sending may take one timeout each.
        let timeout = i64::try_from(smtp.timeout).unwrap_or(i64::MAX).min(3600);
        Self { per_minute, per_day, lease: TimeDelta::seconds(2 * timeout + 30) }
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
    /// No session can be had, now or since the last attempt, so that mail waits untried.
    pub unavailable: Option<String>,
    /// The rate limit alone keeps back what is due.
    pub paced: bool,
    /// When the next mail may go: now for more than one step could take, later for the rate limit or a retry; `None`
    /// when the queue is empty.
    pub next_at: Option<DateTime<Utc>>,
}

/// Mails of one step, so that a worker comes back to look at other things.
const BATCH: u32 = 100;
const MINUTE: TimeDelta = TimeDelta::seconds(60);
const DAY: TimeDelta = TimeDelta::hours(24);
/// After a mail was taken for bulk, sending rests: NetEase asks for minutes.
const REST: TimeDelta = TimeDelta::minutes(5);

/// What one step goes by, and what it has done.
struct Step<'a> {
    settings: &'a Settings,
    now: DateTime<Utc>,
    outage: Option<Outage>,
    done: Delivered,
}

/// Sends what is due. An error is the database's; what a server says is no error but recorded.
pub async fn deliver_due(
    pool: &SqlitePool,
    transport: &mut Transport,
    settings: &Settings,
    now: DateTime<Utc>,
) -> sqlx::Result<Delivered> {
    let mut conn = pool.acquire().await?;
    let mut step = Step { settings, now, outage: store::outage(&mut conn).await?, done: Delivered::default() };
    let ids = match &step.outage {
        Some(outage) if outage.lasts(now) => Vec::new(),
        _ => {
            let (allowed, _) = room(&mut conn, settings, now).await?;
            store::due(&mut conn, now, allowed).await?
        }
    };
    drop(conn);
    for id in ids {
        if deliver_one(pool, transport, &mut step, id).await?.is_break() {
            break;
        }
    }
    transport.close().await;

    let mut conn = pool.acquire().await?;
    let (_, mut resume) = room(&mut conn, settings, now).await?;
    let waiting = store::next_due(&mut conn).await?;
    let Step { outage, mut done, .. } = step;
    done.paced = resume > now && waiting.is_some_and(|due| due <= now);
    if let Some(most) = settings.per_day.filter(|_| done.paced && resume > now + MINUTE) {
        done.unavailable = Some(format!("{most} mails have gone out in 24 hours, the most that per_day allows"));
    }
    if let Some(outage) = outage.filter(|outage| waiting.is_some() && outage.lasts(now)) {
        (resume, done.paced) = (resume.max(outage.until), false);
        done.unavailable = Some(outage.reason);
    }
    done.next_at = waiting.map(|due| due.max(resume));
    Ok(done)
}

/// How many may go now, and when the next one may. Counted from the rows, so it holds across restarts.
async fn room(
    conn: &mut SqliteConnection,
    settings: &Settings,
    now: DateTime<Utc>,
) -> sqlx::Result<(u32, DateTime<Utc>)> {
    let slowdown = store::slowdown(conn, now).await?;
    let per_minute = settings.per_minute.map(|most| slowdown.map_or(most, |slow| slow.pace(most)));
    let (mut allowed, mut resume) = (BATCH, now);
    for (most, window) in [(per_minute, MINUTE), (settings.per_day, DAY)] {
        let Some(most) = most else { continue };
        let sent = store::sent_between(conn, now - window, now).await?;
        let (some, at) = allowance(&sent, most, (now, window));
        (allowed, resume) = (allowed.min(some), resume.max(at));
    }
    Ok((allowed, resume))
}

/// Of `most` mails in a window: how many are left, and when there is room again.
fn allowance(sent: &[DateTime<Utc>], most: u32, (now, window): (DateTime<Utc>, TimeDelta)) -> (u32, DateTime<Utc>) {
    let used = u32::try_from(sent.len()).unwrap_or(u32::MAX);
    if used < most {
        return (most - used, now);
    }
    // The window has room again when all but `most - 1` of these have left it.
    let leaving = sent.len() - most as usize;
    (0, sent.get(leaving).map_or(now, |at| *at + window))
}

/// Breaks off when no other mail could be sent either.
async fn deliver_one(
    pool: &SqlitePool,
    transport: &mut Transport,
    step: &mut Step<'_>,
    id: i64,
) -> sqlx::Result<ControlFlow<()>> {
    let now = step.now;
    let begun = {
        let mut conn = pool.acquire().await?;
        let Some(attempts) = store::attempts(&mut conn, id).await? else { return Ok(ControlFlow::Continue(())) };
        let next = now + wait_for_end(attempts + 1, jitter(id, attempts + 1)).max(step.settings.lease);
        store::begin_attempt(&mut conn, id, now, next).await?
    };
    let Some(letter) = begun else { return Ok(ControlFlow::Continue(())) };
    let parcel = Parcel { id, created_at: letter.created_at, recipient: &letter.recipient, raw: &letter.raw };
    let attempt = transport.send(parcel).await;
    let tried =
        Tried { attempts: letter.attempts, created_at: letter.created_at, now, jitter: jitter(id, letter.attempts) };
    let mut next = decide(&attempt, tried);
    let mut conn = pool.acquire().await?;
    let down = heed(&mut conn, step, &attempt).await?;
    // Neither this mail nor any other is tried before the outage is over, and this one not later than the others.
    if let (Some(until), Next::Retry { at, .. }) = (down, &mut next) {
        *at = if matches!(attempt, Attempt::NoSession(_)) { until } else { until.max(*at) };
    }
    if let Next::Failed { reason, blame: Blame::Recipient } = &next {
        mark(&mut conn, (id, &letter.recipient), reason, now).await?;
    }
    store::finish(&mut conn, id, &next, now).await?;
    log(id, letter.attempts, &attempt, &next);
    match next {
        Next::Sent => step.done.sent += 1,
        Next::Retry { .. } => step.done.deferred += 1,
        Next::Failed { reason, .. } => step.done.failed.push(reason),
    }
    Ok(if down.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
}

/// The server that we send through knows that there is no such address.
async fn mark(
    conn: &mut SqliteConnection,
    (id, address): (i64, &str),
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let cause = Cause::NoSuchAddress;
    let failed = Failed { address, cause, status: "", reason, outbox: Some(id), message: None, at: now };
    bounced::mark_failed_address(conn, &failed, now).await
}

/// What an attempt tells about the server: an outage begins, goes on or ends. Returns until when it lasts.
async fn heed(
    conn: &mut SqliteConnection,
    step: &mut Step<'_>,
    attempt: &Attempt,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let (chinese, asked) = match attempt {
        Attempt::NoSession(no) => (no.cause.chinese(no.provider), false),
        Attempt::Refused { meaning, .. } if meaning.stops_everything() => (meaning.chinese().to_owned(), true),
        // Not even dialled for.
        Attempt::Impossible(_) => return Ok(None),
        _ => {
            if step.outage.take().is_some() {
                store::end_outage(conn).await?;
            }
            return Ok(None);
        }
    };
    let attempts = step.outage.as_ref().map_or(1, |outage| outage.attempts.saturating_add(1));
    let reason = match attempt {
        Attempt::NoSession(no) => no.to_string(),
        other => reason(other),
    };
    let rest = match attempt {
        Attempt::Refused { meaning: Meaning::Bulk, .. } => slow_down(conn, step.now, &reason).await?,
        other => wait(other.first_wait(), attempts, jitter(0, attempts)),
    };
    let until = step.now + rest;
    let outage = step.outage.insert(Outage { attempts, until, reason, chinese, asked });
    store::begin_outage(conn, outage).await?;
    Ok(Some(until))
}

/// A mail was taken for bulk: all mail rests for some minutes and then goes more slowly. Returns how long it rests.
async fn slow_down(conn: &mut SqliteConnection, now: DateTime<Utc>, reason: &str) -> sqlx::Result<TimeDelta> {
    let refusals = store::slowdown(conn, now).await?.map_or(1, |slow| slow.refusals.saturating_add(1));
    let slowdown = Slowdown { refusals, until: now + Slowdown::LASTS, reason: reason.to_owned() };
    store::slow_down(conn, &slowdown).await?;
    Ok(wait(REST, refusals, jitter(0, refusals)))
}

/// A person has seen that the login works (`taizhang check`): the queue need not wait for it any longer. What the server
/// itself has asked for stays.
pub async fn admitted(pool: &SqlitePool, now: DateTime<Utc>) -> sqlx::Result<()> {
    let mut conn = pool.acquire().await?;
    match store::outage(&mut conn).await? {
        Some(outage) if !outage.asked => {
            store::hurry(&mut conn, outage.until, now).await?;
            store::end_outage(&mut conn).await
        }
        _ => Ok(()),
    }
}

/// The row has the server's words; the log has the code only, since the words often repeat the address.
fn log(outbox: i64, attempts: u32, attempt: &Attempt, next: &Next) {
    let given_up = matches!(next, Next::Failed { .. });
    match attempt {
        Attempt::Delivered => tracing::debug!(outbox, attempts, "mail sent"),
        Attempt::NoSession(no) => tracing::warn!(outbox, attempts, given_up, "cannot send mail: {no}"),
        Attempt::Refused { code, meaning, .. } => {
            tracing::warn!(outbox, attempts, given_up, code, ?meaning, "mail refused");
        }
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
