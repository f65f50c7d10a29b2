//! One pass of all that is due: take, process, file, scheduled jobs, deliver. `once` runs one, the demo runs many, the
//! daemon runs the same parts when something wakes it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::balance::{self, Desk};
use super::process::{Answers, Clerk, open_messages};
use super::schedule::{self, Job, Occurrence};
use super::take::{TakeError, take};
use super::{alarm, digest, file, inquiry, publish, remind};
use crate::clock::Clock;
use crate::config::{Config, Mailbox, Provider, Smtp, SmtpKind};
use crate::db::{self, Db};
use crate::mailbox::Connection;
use crate::outbox::deliver::Settings;
use crate::outbox::{self, Transport};
use crate::reader::Unavailable;

/// The time that the outbox counts its rate over.
const RATE_WINDOW: TimeDelta = TimeDelta::seconds(60);
/// How long messages are tried one after the other though no reader can be started. Those without a workbook need none.
const WITHOUT_READER: Duration = Duration::from_secs(60);

/// What one pass did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Passed {
    pub taken: usize,
    pub processed: usize,
    pub jobs: Vec<String>,
    pub sent: usize,
    /// Mails whose delivery was put off or ended.
    pub unsent: usize,
    /// Mailboxes that did not answer, each with the reason.
    pub failures: Vec<String>,
    /// When the next mail may go, where the rate limit keeps back what is due.
    pub paced_until: Option<DateTime<Tz>>,
    /// Why nothing can be sent now, if so.
    pub unavailable: Option<String>,
}

impl Passed {
    /// Something did not work that a person should look at.
    pub fn is_troubled(&self) -> bool {
        !self.failures.is_empty() || self.unavailable.is_some()
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "taken {}, processed {}, sent {}, not sent {}", self.taken, self.processed, self.sent, self.unsent)?;
        if !self.jobs.is_empty() {
            write!(f, "; jobs: {}", self.jobs.join(", "))?;
        }
        for failure in &self.failures {
            write!(f, "\n{failure}")?;
        }
        if let Some(at) = &self.paced_until {
            write!(f, "\nmail waits for [smtp] per_minute: a pass at {} or later sends on", at.format("%F %T"))?;
        }
        if let Some(why) = &self.unavailable {
            write!(f, "\nmail cannot be sent: {why}")?;
        }
        Ok(())
    }
}

/// A mailbox and the session kept to it between passes.
pub struct Watched {
    pub mailbox: Mailbox,
    pub connection: Option<Connection>,
}

impl Watched {
    pub fn all(config: &Config) -> Vec<Self> {
        config.mailboxes.iter().map(|m| Self { mailbox: m.clone(), connection: None }).collect()
    }
}

/// One whole pass with sessions of its own.
///
/// # Errors
/// The ledger, the disk or the configuration fails; a mailbox or server that does not answer is part of [`Passed`].
pub async fn pass(db: &Db, config: &Arc<Config>, clock: Clock) -> Result<Passed> {
    let now = clock.now();
    let mut watched = Watched::all(config);
    let mut passed = Passed::default();
    look(db, config, &mut watched, &mut passed, now).await?;
    work(db, config, &mut watched, &mut passed, now).await?;
    if balance_all(db, config, &mut watched, &mut passed, now).await? > 0 {
        work(db, config, &mut watched, &mut passed, now).await?;
    }
    join_all(watched.into_iter().filter_map(|w| w.connection).map(Connection::close)).await;
    passed.jobs = scheduled(db, config, now).await?;
    deliver(db, config, clock, &mut passed).await?;
    Ok(passed)
}

/// Sends all that is due. Where the rate limit says to go on within the minute, that is waited for. A clock that stands
/// still is moved on instead; but a public provider must not get it all in a burst, so there the rest is left to the next
/// pass.
async fn deliver(db: &Db, config: &Config, clock: Clock, passed: &mut Passed) -> Result<()> {
    let mut transport = Transport::new(&config.smtp, config.timezone)?;
    let mut now = clock.now();
    loop {
        let delivered = outbox::deliver_due(db.pool(), &mut transport, &Settings::of(&config.smtp), now).await?;
        passed.sent += delivered.sent as usize;
        passed.unsent += delivered.deferred as usize + delivered.failed.len();
        let paced = delivered.next_at.filter(|_| delivered.paced && delivered.unavailable.is_none());
        passed.paced_until = paced.map(|at| at.with_timezone(&config.timezone));
        passed.unavailable = delivered.unavailable;
        let next = delivered.next_at.filter(|at| delivered.sent > 0 && *at - now <= RATE_WINDOW);
        match (clock, next) {
            (_, None) => return Ok(()),
            (Clock::Fixed(_), Some(next)) if next > now && is_public(&config.smtp) => return Ok(()),
            (Clock::Fixed(_), Some(next)) => now = next.max(now),
            (Clock::System, Some(next)) => {
                tokio::time::sleep((next - clock.now()).to_std().unwrap_or_default()).await;
                now = next.max(now);
            }
        }
    }
}

fn is_public(smtp: &Smtp) -> bool {
    matches!(&smtp.kind, SmtpKind::Server(server) if server.provider != Provider::Generic)
}

/// All mailboxes at once: one that hangs holds up nobody but this pass, and that only for its time limit. The first to
/// find the ledger locked or the disk full ends the pass: the others could only wait for the same.
async fn look(
    db: &Db,
    config: &Config,
    watched: &mut [Watched],
    passed: &mut Passed,
    now: DateTime<Utc>,
) -> Result<()> {
    let looks = watched.iter_mut().map(|w| take(db, config, &w.mailbox, &mut w.connection, now));
    let mut looks: FuturesUnordered<_> = looks.collect();
    while let Some(result) = looks.next().await {
        match result {
            Ok(taken) => {
                passed.taken += taken.new;
                passed.failures.extend(taken.trouble);
            }
            Err(TakeError::Mailbox(failure)) => {
                warn!(%failure, "a mailbox cannot be read");
                passed.failures.push(failure.to_string());
            }
            Err(waits @ TakeError::Waits { .. }) => passed.failures.push(waits.to_string()),
            Err(TakeError::Own(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Processes what was taken, and files it.
async fn work(
    db: &Db,
    config: &Arc<Config>,
    watched: &mut [Watched],
    passed: &mut Passed,
    now: DateTime<Utc>,
) -> Result<()> {
    let processed = process_all(db, config, now).await?;
    passed.processed += processed.done;
    passed.failures.extend(processed.trouble());
    put_away(db, watched, passed, now).await
}

/// The night's balance of each mailbox where it is time for it. Returns how many mails it has brought.
async fn balance_all(
    db: &Db,
    config: &Config,
    watched: &mut [Watched],
    passed: &mut Passed,
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut fetched = 0;
    for w in watched {
        let Some(connection) = w.connection.as_mut() else { continue };
        match (Desk { db, config, mailbox: &w.mailbox, now }).when_due(connection).await {
            Ok(Some(account)) => {
                fetched += account.fetched.len();
                let name = &w.mailbox.name;
                passed.failures.extend((!account.balances()).then(|| format!("mailbox {name}: {account}")));
            }
            Ok(None) => {}
            Err(TakeError::Own(error)) => return Err(error),
            Err(failure) => {
                warn!(%failure, "a mailbox cannot be counted; it is tried again in an hour");
                passed.failures.push(failure.to_string());
            }
        }
    }
    passed.taken += fetched;
    Ok(fetched)
}

/// What became of the messages that were open.
#[derive(Debug, Default)]
pub struct Processed {
    pub done: usize,
    /// Messages that are open still, through no fault of theirs. They are tried again.
    pub left: usize,
    /// Why the last of them is.
    pub failure: Option<anyhow::Error>,
}

impl Processed {
    /// No workbook can be opened at all; another start of the program may help.
    pub fn lacks_reader(&self) -> bool {
        self.failure.as_ref().is_some_and(|error| error.is::<Unavailable>())
    }

    fn trouble(&self) -> Option<String> {
        let why = self.failure.as_ref()?;
        Some(format!("mails that could not be processed: {}; {why:#}", self.left))
    }
}

/// Every stored message that was not assessed yet, oldest first, whichever mailbox it came from. One that cannot be
/// processed now holds up none behind it.
///
/// # Errors
/// The ledger or the disk fails: then the next message could only meet the same.
pub async fn process_all(db: &Db, config: &Arc<Config>, now: DateTime<Utc>) -> Result<Processed> {
    let mut clerk = Clerk::new(db, config, Answers::Send);
    let mut processed = Processed::default();
    let began = Instant::now();
    let mut tried = BTreeSet::new();
    loop {
        // A unit's answer opens what it settles again, also messages that came before it.
        let open: Vec<i64> = open_messages(db).await?.into_iter().filter(|id| !tried.contains(id)).collect();
        if open.is_empty() {
            return Ok(processed);
        }
        for id in open {
            tried.insert(id);
            match clerk.process(id, now).await {
                Ok(_) => {
                    tried.remove(&id);
                    processed.done += 1;
                }
                Err(error) if db::is_outage(&error) => return Err(error),
                Err(error) => {
                    error!(message = id, error = format!("{error:#}"), "a message waits; the next ones go on");
                    (processed.left, processed.failure) = (processed.left + 1, Some(error));
                    if processed.lacks_reader() && began.elapsed() > WITHOUT_READER {
                        return Ok(processed);
                    }
                }
            }
        }
    }
}

async fn put_away(db: &Db, watched: &mut [Watched], passed: &mut Passed, now: DateTime<Utc>) -> Result<()> {
    for w in watched {
        match file::file(db, &w.mailbox, &mut w.connection, now).await {
            Ok(_) => {}
            Err(failure @ (TakeError::Mailbox(_) | TakeError::Waits { .. })) => {
                warn!(%failure, "processed mail cannot be flagged or moved now; it is tried again");
                passed.failures.push(failure.to_string());
            }
            Err(TakeError::Own(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Runs what has become due since the last pass, each job once per period, and remembers this pass.
pub async fn scheduled(db: &Db, config: &Arc<Config>, now: DateTime<Utc>) -> Result<Vec<String>> {
    let here = now.with_timezone(&config.timezone);
    let mut done = alarm::watch(db, config, now).await?;
    if let Some(last) = last_pass(db).await? {
        if last > now {
            warn!(%last, "the clock was ahead, or is behind now: what was due meanwhile is not made up for");
        }
        let last = last.min(now);
        for occurrence in schedule::due(config, last.with_timezone(&config.timezone), here) {
            if !schedule::still_sensible(config, &occurrence, here) {
                info!(job = occurrence.job.name(), period = %occurrence.period, "missed, and no longer of use: skipped");
                continue;
            }
            if run(db, config, &occurrence, now).await? {
                done.push(format!("{} {} {}", occurrence.job.name(), occurrence.period, occurrence.slot));
            }
        }
    }
    done.extend(publish::when_complete(db, config, now).await?);
    done.extend(inquiry::scheduled(db, config, now).await?);
    remember_pass(db, now).await?;
    Ok(done)
}

async fn run(db: &Db, config: &Arc<Config>, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    match occurrence.job {
        Job::Reminder | Job::Overdue => remind::scheduled(db, config, occurrence, now).await,
        Job::FirstReport | Job::FinalReport => publish::scheduled(db, config, occurrence, now).await,
        Job::Digest => digest::scheduled(db, config, occurrence, now).await,
        Job::Balance => balance::files::scheduled(db, occurrence, now).await,
    }
}

/// Before the first pass there is no last one: a new installation does not make up for the past.
async fn last_pass(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT value FROM state WHERE key = 'last_pass'").fetch_optional(db.pool()).await?;
    Ok(text.and_then(|t| t.parse().ok()))
}

async fn remember_pass(db: &Db, at: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO state (key, value) VALUES ('last_pass', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(at.to_rfc3339())
    .execute(db.pool())
    .await?;
    Ok(())
}

/// Whether a job was done before. Asked before its work is begun; what counts is [`claim`].
pub async fn claimed(conn: &mut sqlx::SqliteConnection, occurrence: &Occurrence) -> Result<bool> {
    let found = sqlx::query("SELECT 1 FROM job WHERE name = ? AND period = ? AND slot = ?")
        .bind(occurrence.job.name())
        .bind(occurrence.period.to_string())
        .bind(&occurrence.slot);
    Ok(found.fetch_optional(conn).await?.is_some())
}

/// Claims one slot of a job, inside the transaction that does it. False: it was done before.
pub async fn claim(conn: &mut sqlx::SqliteConnection, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    claim_slot(conn, (occurrence.job.name(), occurrence.period, &occurrence.slot), now).await
}

pub async fn claim_slot(
    conn: &mut sqlx::SqliteConnection,
    (name, period, slot): (&str, crate::period::Period, &str),
    now: DateTime<Utc>,
) -> Result<bool> {
    let inserted = sqlx::query("INSERT INTO job (name, period, slot, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(period.to_string())
        .bind(slot)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Login, Provider, Secret, Server, SmtpKind, Tls};
    use crate::fixture::{self, at};
    use crate::outbox::Kind;

    async fn jobs(db: &Db, config: &Arc<Config>, now: &str) -> Vec<String> {
        scheduled(db, config, at(now)).await.unwrap()
    }

    #[tokio::test]
    async fn a_clock_that_was_ahead_does_not_switch_the_calendar_off() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        jobs(&db, &config, "2011-09-19T00:00:00Z").await;
        jobs(&db, &config, "2021-03-10T00:00:00Z").await;
        assert!(jobs(&db, &config, "2011-09-19T01:00:00Z").await.is_empty());
        let reminded = jobs(&db, &config, "2011-09-20T01:01:00Z").await;
        assert!(reminded.len() == 1 && reminded[0].starts_with("reminder 2011-08"), "{reminded:?}");
        let published = jobs(&db, &config, "2011-09-26T02:01:00Z").await;
        assert!(published.contains(&"report 2011-08 first".to_owned()), "{published:?}");
        fixture::all_reported(&db, &config, "2011-08", "2011-09-26T04:00:00Z").await;
        assert_eq!(jobs(&db, &config, "2011-09-26T05:00:00Z").await, ["report 2011-08 final"]);
    }

    #[tokio::test]
    async fn a_mail_server_that_cannot_be_reached_needs_a_person() {
        let (mut config, (dir, db)) = (fixture::config(), fixture::ledger().await);
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::write(dir.path().join("password"), "secret").unwrap();
        config.mailboxes.truncate(0);
        config.smtp.kind = SmtpKind::Server(Server {
            provider: Provider::Generic,
            host: "127.0.0.1".to_owned(),
            port: closed,
            tls: Tls::None,
            user: "taizhang".to_owned(),
            login: Login::Password(Secret::File(dir.path().join("password"))),
            ca_file: None,
        });
        let (config, now) = (Arc::new(config), at("2011-09-20T04:00:00Z"));
        let quiet = pass(&db, &config, Clock::Fixed(now)).await.unwrap();
        assert!(!quiet.is_troubled());
        let august = "2011-08".parse().unwrap();
        let letters = remind::letters(&db, &config, (Kind::Reminder, august), now).await.unwrap();
        let mut conn = db.pool().acquire().await.unwrap();
        remind::queue(&mut conn, &config, letters, (august, "by hand"), now).await.unwrap();
        drop(conn);
        let passed = pass(&db, &config, Clock::Fixed(now)).await.unwrap();
        assert!(passed.is_troubled() && passed.sent == 0, "{passed}");
        assert!(passed.to_string().contains("\nmail cannot be sent: "), "{passed}");
    }
}
