//! Process: stored messages are assessed and merged into the ledger, each in one transaction with its answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tracing::{error, info};

use super::answer;
use super::marked::{self, Marked, Wanted};
use crate::config::{Config, Mailbox};
use crate::db::{self, Db};
use crate::ledger::{mailstore, rebuild, store};
use crate::message::Message;
use crate::message::sender::Nature;
use crate::submission::assess::{Assessed, BROKE_DOWN, Context, assess};
use crate::submission::{Decisions, Disposition, Fate, Head, Verdict};

/// After so many assessments that brought the program down, the message waits for a person instead.
const ATTEMPTS: i64 = 5;

/// How long reading one message may take; an honest one takes milliseconds, a very large workbook seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// And how long marking its tables may.
const MARKING: Duration = Duration::from_secs(30);

/// Whether senders are answered: always in daily work, only on request when old files are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Send,
    Withhold,
}

/// Messages that are stored but not assessed yet, in order of arrival.
pub async fn open_messages(db: &Db) -> Result<Vec<i64>> {
    let ids = sqlx::query_scalar("SELECT id FROM message WHERE disposition IS NULL ORDER BY received_at, id");
    Ok(ids.fetch_all(db.pool()).await?)
}

/// Assesses one message (again, after a person's decision) and stores everything that follows from it.
pub async fn process(
    db: &Db,
    config: &Arc<Config>,
    id: i64,
    answers: Answers,
    now: DateTime<Utc>,
) -> Result<Disposition> {
    let failed = || format!("the ledger in {} cannot be written", db.dir().display());
    let stored = begin(db, config, id).await.with_context(failed)?;
    let (assessed, wanted) = match stored.attempts < ATTEMPTS {
        true => examine(db, config, &stored).await,
        false => (broken(&stored, "the program stopped while it was being read, several times"), Vec::new()),
    };
    let marked = match answers {
        Answers::Send => mark(config, wanted, now).await,
        Answers::Withhold => Vec::new(),
    };
    let enter = async |assessed| {
        let mut tx = db.begin().await?;
        let disposition = settle(&mut tx, config, (&stored, assessed, &marked), answers, now).await?;
        tx.commit().await?;
        anyhow::Ok(disposition)
    };
    let head = assessed.head.clone();
    let disposition = match enter(assessed).await {
        Ok(disposition) => disposition,
        Err(error) if db::is_outage(&error) => {
            // A full disk or a locked ledger is no fault of the message: the attempt does not count. Should even this
            // note fail, then nothing else can be written either.
            let _ = store::forgive_assessment(&mut *db.pool().acquire().await?, id).await;
            return Err(error).with_context(failed);
        }
        Err(error) => {
            error!(message = id, error = format!("{error:#}"), "a message cannot be brought into the ledger");
            let waiting = Assessed { head, ..broken(&stored, "the program failed on it") };
            enter(waiting).await.with_context(failed)?
        }
    };
    info!(message = id, disposition = disposition.as_str(), "processed");
    Ok(disposition)
}

/// A message as it lies in the store.
struct Stored {
    id: i64,
    digest: String,
    mailbox: Mailbox,
    received_at: DateTime<Utc>,
    size: u64,
    attempts: i64,
    decisions: Decisions,
}

async fn begin(db: &Db, config: &Config, id: i64) -> Result<Stored> {
    let mut tx = db.begin().await?;
    let attempts = store::begin_assessment(&mut tx, id).await?;
    let row = sqlx::query("SELECT digest, mailbox, received_at, size FROM message WHERE id = ?")
        .bind(id)
        .fetch_one(&mut *tx)
        .await?;
    let name: String = row.get(1);
    let mailbox = config.mailboxes.iter().find(|m| m.name == name).cloned();
    // A mailbox that has left the settings tells no stream any more, and nobody's word about the sender is believed.
    let left = || config.mailboxes.first().map(|m| Mailbox { stream: None, authserv_id: None, ..m.clone() });
    let stored = Stored {
        id,
        digest: row.get(0),
        mailbox: mailbox.or_else(left).context("the configuration has no mailbox")?,
        received_at: row.get(2),
        size: row.get::<i64, _>(3).unsigned_abs(),
        attempts,
        decisions: store::decisions(&mut tx, id).await?,
    };
    tx.commit().await?;
    Ok(stored)
}

/// Reading takes time and may even panic in a library: both happen aside, and neither stops the next message. With it
/// come the files that the sender should get back marked.
async fn examine(db: &Db, config: &Arc<Config>, stored: &Stored) -> (Assessed, Vec<Wanted>) {
    let broken = |why| (broken(stored, why), Vec::new());
    let raw = match mailstore::get(db.dir(), &stored.digest) {
        Ok(raw) => raw,
        Err(error) => {
            error!(message = stored.id, error = format!("{error:#}"), "the stored mail cannot be read");
            return broken("its stored bytes cannot be read");
        }
    };
    let (config, mailbox, decisions) = (config.clone(), stored.mailbox.clone(), stored.decisions.clone());
    let (received, size) = (stored.received_at.with_timezone(&config.timezone), stored.size);
    let work = tokio::task::spawn_blocking(move || {
        let assessed =
            assess(&raw, &Context { config: &config, mailbox: &mailbox, received, decisions: &decisions, size });
        let wanted = marked::wanted(&assessed.message, &assessed.verdict, &config);
        (assessed, wanted)
    });
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(examined)) => examined,
        // The error's own text may quote what was being read.
        Ok(Err(_)) => broken("the program failed on it"),
        Err(_) => broken("reading it took too long"),
    }
}

/// Marked copies are a help: without them the receipt goes out all the same.
async fn mark(config: &Arc<Config>, wanted: Vec<Wanted>, now: DateTime<Utc>) -> Vec<Marked> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let config = config.clone();
    let work = tokio::task::spawn_blocking(move || marked::copies(wanted, &config, now));
    match tokio::time::timeout(MARKING, work).await {
        Ok(Ok(copies)) => copies,
        Ok(Err(_)) | Err(_) => {
            error!("the tables of a message cannot be marked");
            Vec::new()
        }
    }
}

/// Our own failure is never told as the sender's: the message waits for a person.
fn broken(stored: &Stored, why: &str) -> Assessed {
    error!(message = stored.id, digest = stored.digest, why, "a message waits in quarantine");
    // A person who has decided has looked at the mail by hand; that ends the matter.
    let verdict = match &stored.decisions.rejected {
        Some(reason) => Verdict::plain(Disposition::Rejected, format!("人工处理：不予采用（{reason}）。")),
        None => Verdict { our_failure: true, ..Verdict::plain(Disposition::Quarantined, BROKE_DOWN) },
    };
    Assessed { message: Message::default(), nature: Nature::Person, head: Head::default(), verdict }
}

async fn settle(
    conn: &mut SqliteConnection,
    config: &Config,
    (stored, assessed, marked): (&Stored, Assessed, &[Marked]),
    answers: Answers,
    now: DateTime<Utc>,
) -> Result<Disposition> {
    let Assessed { message, nature, head, mut verdict } = assessed;
    let original = match verdict.disposition {
        Disposition::Auto | Disposition::Bounce => None,
        _ if stored.decisions.released.is_some() || stored.decisions.rejected.is_some() => None,
        _ => store::earlier_copy(conn, stored.id, &head, &verdict).await?,
    };
    let mut touched = claimed(conn, stored.id).await?;
    // A copy that can be taken as it is settles what waited: the earlier one is the duplicate then.
    let superseded = match original {
        Some(id) if verdict.disposition != Disposition::Quarantined => store::waits(conn, id).await?.then_some(id),
        _ => None,
    };
    let original = original.filter(|_| superseded.is_none());
    if let Some(original) = original {
        verdict = Verdict::plain(Disposition::Duplicate, format!("与邮件 {original} 的附件相同，不重复计入。"));
        // On time is judged by the copy that the provider took first.
        store::came_earlier(conn, original, stored.received_at).await?;
        touched.extend(claimed(conn, original).await?);
    }
    for (unit, stream) in &touched {
        rebuild::release_lines(conn, unit, stream).await?;
    }
    store::record(conn, stored.id, &head, &verdict, now).await?;
    if let Some(original) = original {
        store::link_duplicate(conn, stored.id, original).await?;
    }
    if let Some(waiting) = superseded {
        store::close_as_copy(conn, waiting, stored.id).await?;
    }
    let accepted = verdict.submissions.iter().filter(|s| s.fate == Fate::Accepted);
    touched.extend(accepted.filter_map(|s| Some((s.unit.clone()?, s.stream.clone()?))));
    for (unit, stream) in &touched {
        rebuild::unit_stream(conn, &config.campaign, unit, stream).await?;
    }
    if let Nature::Bounce { addresses, .. } = &nature {
        mark_bounced(conn, stored.id, addresses, now).await?;
    }
    if answers == Answers::Send {
        let about = answer::About {
            id: stored.id,
            digest: &stored.digest,
            mailbox: &stored.mailbox,
            received_at: stored.received_at,
            decided: stored.decisions.released.is_some() || stored.decisions.rejected.is_some(),
            marked,
        };
        answer::answer(conn, config, &about, (&message, &verdict), now).await?;
    }
    Ok(verdict.disposition)
}

/// Units and streams whose ledger rests on this message's earlier assessment.
async fn claimed(conn: &mut SqliteConnection, message: i64) -> Result<BTreeSet<(String, String)>> {
    let rows = sqlx::query("SELECT DISTINCT unit, stream FROM submission WHERE message = ? AND state = 'accepted'")
        .bind(message)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|r| (r.get(0), r.get(1))).collect())
}

async fn mark_bounced(
    conn: &mut SqliteConnection,
    message: i64,
    addresses: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    for address in addresses {
        let sql = "INSERT INTO bounced (address, at, message) VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE SET at = excluded.at, message = excluded.message";
        sqlx::query(sql).bind(address).bind(now).bind(message).execute(&mut *conn).await?;
    }
    Ok(())
}
