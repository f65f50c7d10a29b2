//! The daemon: watches every mailbox, processes what comes, runs the month's jobs and delivers, until it is told to stop.
//!
//! One task a mailbox takes mail and wakes the clerk; the clerk is the only one that processes, files and sends. So there
//! is one writer, and a mailbox that hangs holds up nobody.

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
use crate::jobs::take::{TakeError, take};
use crate::jobs::{file, pass, schedule};
use crate::mailbox::Connection;
use crate::outbox::deliver::Settings;
use crate::outbox::{self, Transport};

/// How long a clean stop may take; after that what is left is given up (every step survives a crash).
const STOP: Duration = Duration::from_secs(4);
/// The clerk looks at the clock at least this often: clocks are set, laptops sleep.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// The ledger or the disk fails. The service manager starts us again; nothing was marked as taken that is not stored.
pub async fn run(config: Arc<Config>, db: Db, clock: Clock) -> Result<()> {
    let stop = CancellationToken::new();
    let bells = Bells { stop: stop.clone(), came: Arc::new(Notify::new()), done: Arc::new(watch::Sender::new(())) };
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    for mailbox in config.mailboxes.clone() {
        tasks.spawn(watch_mailbox(config.clone(), db.clone(), mailbox, clock, bells.clone()));
    }
    tasks.spawn(clerk(config.clone(), db.clone(), clock, bells));
    info!(mailboxes = config.mailboxes.len(), "taizhang runs");
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

/// How the tasks call each other.
#[derive(Clone)]
struct Bells {
    stop: CancellationToken,
    /// A mailbox task to the clerk: mail came.
    came: Arc<Notify>,
    /// The clerk to the mailbox tasks: mail was processed and can be filed.
    done: Arc<watch::Sender<()>>,
}

/// Takes the mail of one mailbox for ever.
async fn watch_mailbox(config: Arc<Config>, db: Db, mailbox: Mailbox, clock: Clock, bells: Bells) -> Result<()> {
    let Bells { stop, came, done } = bells;
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
            Err(TakeError::Own(error)) => return Err(error),
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = rest(&mut connection, (pause, poll), &stop, &mut done) => {}
        }
    }
    if let Some(connection) = connection {
        connection.close().await;
    }
    Ok(())
}

/// Files what was processed, then takes what is new.
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
    file::file(db, mailbox, connection, now).await?;
    Ok(())
}

/// Waits for the server's push, the next poll, or processed mail to file; after a failure, just waits.
async fn rest(
    connection: &mut Option<Connection>,
    (pause, poll): (Option<Duration>, Duration),
    stop: &CancellationToken,
    done: &mut watch::Receiver<()>,
) {
    let (Some(open), None) = (connection, pause) else {
        return tokio::time::sleep(pause.unwrap_or(poll)).await;
    };
    let enough = stop.child_token();
    let waiting = open.wait(poll, &enough);
    tokio::pin!(waiting);
    tokio::select! {
        _ = &mut waiting => {}
        // IDLE has to be ended in good order before the session can be used again.
        _ = done.changed() => {
            enough.cancel();
            waiting.await;
        }
    }
}

/// A number in 0..1 for jitter, from the clock's finest digits: it need not be secret, only uneven.
fn roll(now: DateTime<Utc>) -> f64 {
    f64::from(now.timestamp_subsec_nanos() % 1000) / 1000.0
}

/// Processes, runs what is due and delivers, whenever mail came or time passed.
async fn clerk(config: Arc<Config>, db: Db, clock: Clock, bells: Bells) -> Result<()> {
    let Bells { stop, came, done } = bells;
    let mut transport = Transport::new(&config.smtp, config.timezone)?;
    while !stop.is_cancelled() {
        if pass::process_all(&db, &config, clock.now()).await? > 0 {
            done.send_replace(());
        }
        pass::scheduled(&db, &config, clock.now()).await?;
        let delivered =
            outbox::deliver_due(db.pool(), &mut transport, &Settings::of(&config.smtp), clock.now()).await?;
        let pause = pause(&config, clock.now(), delivered.next_at);
        tokio::select! {
            () = stop.cancelled() => {}
            () = came.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

/// Until the next scheduled job or delivery, but never longer than a heartbeat.
fn pause(config: &Config, now: DateTime<Utc>, delivery: Option<DateTime<Utc>>) -> Duration {
    let job = schedule::next(config, now.with_timezone(&config.timezone)).map(|t| t.to_utc());
    let next = job.into_iter().chain(delivery).min();
    let wait = next.and_then(|t| (t - now).to_std().ok()).unwrap_or(HEARTBEAT);
    wait.clamp(Duration::from_millis(100), HEARTBEAT)
}
