//! The daemon: watches every mailbox, processes what comes, runs the month's jobs and delivers, until it is told to stop.
//!
//! One task a mailbox takes mail and wakes the clerk, and files what the clerk is done with; the clerk alone processes and
//! runs jobs; one task sends. So a mailbox or a mail server that hangs holds up nobody.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::config::{Config, Mailbox, Source};
use crate::db::Db;
use crate::jobs::balance::Desk;
use crate::jobs::take::{TakeError, take};
use crate::jobs::{file, pass, schedule};
use crate::mailbox::Connection;
use crate::outbox::deliver::Settings;
use crate::outbox::{self, Transport};

/// How long a clean stop may take; after that what is left is given up (every step survives a crash).
const STOP: Duration = Duration::from_secs(4);
/// Clerk and postman look at the clock at least this often: clocks are set, laptops sleep.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// The ledger or the disk fails. The service manager starts us again; nothing was marked as taken that is not stored.
pub async fn run(config: Arc<Config>, db: Db, clock: Clock) -> Result<()> {
    let stop = CancellationToken::new();
    let bells = Bells::new(&stop);
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    for mailbox in config.mailboxes.clone() {
        tasks.spawn(watch_mailbox(config.clone(), db.clone(), mailbox, clock, bells.clone()));
    }
    tasks.spawn(clerk(config.clone(), db.clone(), clock, bells.clone()));
    tasks.spawn(postman(config.clone(), db.clone(), clock, bells));
    info!(mailboxes = config.mailboxes.len(), "taizhang runs");
    warn_of_haste(&config);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        Some(task) = tasks.join_next() => task.context("a task of the daemon broke down").and_then(|r| r),
    };
    info!("stopping");
    stop.cancel();
    let rest = async {
        while let Some(task) = tasks.join_next().await {
            if let Ok(Err(error)) = task {
                error!(error = format!("{error:#}"), "while stopping");
            }
        }
    };
    if tokio::time::timeout(STOP, rest).await.is_err() {
        warn!("something did not stop in time and was given up; the next start takes it up again");
    }
    ended
}

/// It was written so, and is done; but whoever is locked out later should have read why.
fn warn_of_haste(config: &Config) {
    for mailbox in &config.mailboxes {
        if let Source::Imap(imap) = &mailbox.source
            && let Some(haste) = imap.haste()
        {
            warn!(mailbox = mailbox.name, haste, "a mailbox is asked more often than its provider bears");
        }
    }
}

/// How the tasks call each other.
#[derive(Clone)]
struct Bells {
    stop: CancellationToken,
    /// A mailbox task to the clerk: mail came.
    came: Arc<Notify>,
    /// The clerk to the mailbox tasks: mail was processed and can be filed.
    done: Arc<watch::Sender<()>>,
    /// The clerk to the postman: something may be in the outbox.
    queued: Arc<Notify>,
}

impl Bells {
    fn new(stop: &CancellationToken) -> Self {
        let bell = || Arc::new(Notify::new());
        Self { stop: stop.clone(), came: bell(), done: Arc::new(watch::Sender::new(())), queued: bell() }
    }
}

/// Takes the mail of one mailbox for ever.
async fn watch_mailbox(config: Arc<Config>, db: Db, mailbox: Mailbox, clock: Clock, bells: Bells) -> Result<()> {
    let Bells { stop, came, done, .. } = bells;
    let mut done = done.subscribe();
    let poll = Duration::from_secs(match &mailbox.source {
        Source::Imap(imap) => imap.poll,
        Source::Maildir(maildir) => maildir.poll,
    });
    let mut connection: Option<Connection> = None;
    let mut failures = 0;
    while !stop.is_cancelled() {
        // Given up half-way, a look leaves nothing that the next one does not put right.
        let looked = tokio::select! {
            looked = look(&config, &db, &mailbox, &mut connection, (clock.now(), &came)) => looked,
            () = stop.cancelled() => break,
        };
        let pause = match looked {
            Ok(()) => {
                failures = 0;
                None
            }
            Err(TakeError::Mailbox(failure)) => {
                failures += 1;
                let pause = failure.retry_after(failures, roll(clock.now()));
                warn!(%failure, seconds = pause.as_secs(), "a mailbox cannot be read; it is tried again");
                Some(pause)
            }
            // Nobody has tried: it counts for nothing.
            Err(TakeError::Waits { until, .. }) => Some((until - clock.now()).to_std().unwrap_or(HEARTBEAT)),
            Err(TakeError::Own(error)) => return Err(error),
        };
        match pause {
            Some(pause) => tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            },
            None => rest((&db, clock), (&mailbox.name, poll), &mut connection, &stop, &mut done).await?,
        }
    }
    if let Some(connection) = connection {
        connection.close().await;
    }
    Ok(())
}

/// Takes what is new, files what was processed, and balances the books when it is time. A mailbox that cannot be changed
/// or counted can still be read: that is tried again at a later look, and takes nobody's turn.
async fn look(
    config: &Config,
    db: &Db,
    mailbox: &Mailbox,
    connection: &mut Option<Connection>,
    (now, came): (DateTime<Utc>, &Notify),
) -> Result<(), TakeError> {
    let taken = take(db, config, mailbox, connection, now).await?;
    if taken.new > 0 {
        came.notify_one();
    }
    match file::file(db, mailbox, connection, now).await {
        Ok(_) => {}
        Err(failure @ (TakeError::Mailbox(_) | TakeError::Waits { .. })) => {
            warn!(%failure, "processed mail cannot be flagged or moved now; it is tried again");
        }
        Err(own) => return Err(own),
    }
    let Some(open) = connection else { return Ok(()) };
    match (Desk { db, config, mailbox, now }).when_due(open).await {
        Ok(account) => {
            if account.is_some_and(|account| !account.fetched.is_empty()) {
                came.notify_one();
            }
            Ok(())
        }
        Err(TakeError::Mailbox(failure)) => {
            warn!(%failure, "a mailbox cannot be counted; it is tried again in an hour");
            Ok(())
        }
        Err(own) => Err(own),
    }
}

/// Waits for the server's push, the next poll, or processed mail of this mailbox to file.
async fn rest(
    (db, clock): (&Db, Clock),
    (mailbox, poll): (&str, Duration),
    connection: &mut Option<Connection>,
    stop: &CancellationToken,
    done: &mut watch::Receiver<()>,
) -> Result<()> {
    let Some(open) = connection else { return Ok(()) };
    let enough = stop.child_token();
    let waiting = open.wait(poll, &enough);
    tokio::pin!(waiting);
    let filing = tokio::select! {
        _ = &mut waiting => return Ok(()),
        filing = something_to_file((db, clock), mailbox, done) => filing,
    };
    // IDLE has to be ended in good order before the session can be used again.
    enough.cancel();
    waiting.await;
    filing
}

/// Other mailboxes' mail is no reason to wake this one's server.
async fn something_to_file((db, clock): (&Db, Clock), mailbox: &str, done: &mut watch::Receiver<()>) -> Result<()> {
    loop {
        done.changed().await.context("the clerk is gone")?;
        if file::waits(db, mailbox, clock.now()).await? {
            return Ok(());
        }
    }
}

/// A number in 0..1 for jitter, from the clock's finest digits: it need not be secret, only uneven.
fn roll(now: DateTime<Utc>) -> f64 {
    f64::from(now.timestamp_subsec_nanos() % 1000) / 1000.0
}

/// Processes and runs what is due, whenever mail came or time passed.
async fn clerk(config: Arc<Config>, db: Db, clock: Clock, bells: Bells) -> Result<()> {
    let Bells { stop, came, done, queued } = bells;
    while !stop.is_cancelled() {
        // What is left is tried again at the next heartbeat; without a reader, after a new start.
        let processed = pass::process_all(&db, &config, clock.now()).await?;
        if processed.done > 0 {
            done.send_replace(());
            queued.notify_one();
        }
        if let (true, Some(error)) = (processed.lacks_reader(), processed.failure) {
            return Err(error);
        }
        if !pass::scheduled(&db, &config, clock.now()).await?.is_empty() {
            queued.notify_one();
        }
        let next = schedule::next(&config, clock.now().with_timezone(&config.timezone));
        tokio::select! {
            () = stop.cancelled() => {}
            () = came.notified() => {}
            () = tokio::time::sleep(pause(clock.now(), next.map(|t| t.to_utc()))) => {}
        }
    }
    Ok(())
}

/// Delivers what is in the outbox, whoever put it there.
async fn postman(config: Arc<Config>, db: Db, clock: Clock, bells: Bells) -> Result<()> {
    let Bells { stop, queued, .. } = bells;
    let mut transport = Transport::new(&config.smtp, config.timezone)?;
    let settings = Settings::of(&config.smtp);
    while !stop.is_cancelled() {
        let delivered = outbox::deliver_due(db.pool(), &mut transport, &settings, clock.now()).await?;
        tokio::select! {
            () = stop.cancelled() => {}
            () = queued.notified() => {}
            () = tokio::time::sleep(pause(clock.now(), delivered.next_at)) => {}
        }
    }
    Ok(())
}

/// Until there is something to do, but never longer than a heartbeat; what is overdue is done at once.
fn pause(now: DateTime<Utc>, next: Option<DateTime<Utc>>) -> Duration {
    let wait = next.map_or(HEARTBEAT, |at| (at - now).to_std().unwrap_or_default());
    wait.clamp(Duration::from_millis(100), HEARTBEAT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn what_is_overdue_is_not_left_until_the_next_heartbeat() {
        let now: DateTime<Utc> = "2011-09-26T01:00:00Z".parse().unwrap();
        let pause_until = |seconds| pause(now, Some(now + TimeDelta::seconds(seconds)));
        assert_eq!(pause_until(-60), Duration::from_millis(100));
        assert_eq!(pause_until(0), Duration::from_millis(100));
        assert_eq!(pause_until(7), Duration::from_secs(7));
        assert_eq!(pause_until(3600), HEARTBEAT);
        assert_eq!(pause(now, None), HEARTBEAT);
    }
}
