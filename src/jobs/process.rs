//! Process: stored messages are assessed and merged into the ledger, each in one transaction with its answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tokio::time::Instant;
use tracing::{error, info};

use super::answer;
use super::baseline;
use super::bounce::{self, Notice};
use super::inquiry;
use super::marked::{self, Marked};
use super::open::{Spot, open};
use crate::config::{Config, Mailbox};
use crate::db::{self, Db};
use crate::ledger::assessment::{self, Known};
use crate::ledger::copies::{self, Copy, Incoming};
use crate::ledger::headings::{self, Confirmed};
use crate::ledger::waiver::Waivers;
use crate::ledger::{amended, held, mailstore, presence, rebuild, store};
use crate::message::Message;
use crate::message::sender::{Authentication, Nature, authentication};
use crate::outbox::bounced;
use crate::reader::{Reader, Unavailable};
use crate::submission::assess::{Assessed, BROKE_DOWN, Context, Letter, assess};
use crate::submission::documents::{File, Found};
use crate::submission::{Decisions, Disposition, Fate, Head, Verdict};
use crate::workbook::Refusal;

/// After so many assessments that brought the program down, the message waits for a person instead.
const ATTEMPTS: i64 = 5;

/// How long parsing one message, or judging its forms, may take; of an honest one that is milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether senders are answered: always in daily work, only on request when old files are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Send,
    Withhold,
}

/// Messages that are stored but not assessed yet, in order of arrival. One whose assessment was begun before, and may
/// have brought the program down, comes after all others, so that these need not go down with it.
pub async fn open_messages(db: &Db) -> Result<Vec<i64>> {
    let ids = sqlx::query_scalar("SELECT id FROM message WHERE disposition IS NULL ORDER BY attempts, received_at, id");
    Ok(ids.fetch_all(db.pool()).await?)
}

/// Processes stored messages, one after the other.
pub struct Clerk<'a> {
    db: &'a Db,
    /// As its files state it.
    written: &'a Arc<Config>,
    /// With the headings that people have confirmed so far.
    config: Arc<Config>,
    confirmed: Vec<Confirmed>,
    answers: Answers,
    reader: Reader,
}

impl<'a> Clerk<'a> {
    pub fn new(db: &'a Db, config: &'a Arc<Config>, answers: Answers) -> Self {
        let reader = Reader::new(config);
        Self { db, written: config, config: config.clone(), confirmed: Vec::new(), answers, reader }
    }

    /// Assesses one message (again, after a person's decision) and stores everything that follows from it.
    ///
    /// # Errors
    /// The ledger cannot be written, or nothing can be read at all; the message is as it was.
    pub async fn process(&mut self, id: i64, now: DateTime<Utc>) -> Result<Disposition> {
        self.learn().await.with_context(|| self.failed())?;
        presence::catch_up(self.db, &self.config.campaign).await.with_context(|| self.failed())?;
        let stored = begin(self.db, &self.config, id).await.with_context(|| self.failed())?;
        let stored = Arc::new(stored);
        let done = match stored.attempts < ATTEMPTS {
            true => match self.examine(&stored, now).await {
                Ok(examined) => self.settle(&stored, examined, now).await,
                Err(unavailable) => Err(unavailable.into()),
            },
            false => {
                let waiting = broken(&stored, "the program stopped while it was being read, several times");
                self.settle(&stored, waiting.into(), now).await
            }
        };
        match &done {
            Ok(disposition) => info!(message = id, disposition = disposition.as_str(), "processed"),
            // A full disk, a locked ledger or too many processes are no fault of the message: the attempt does not
            // count. Should even this note fail, then nothing else can be written either.
            Err(error) if db::is_outage(error) || error.is::<Unavailable>() => {
                let _ = store::forgive_assessment(&mut *self.db.pool().acquire().await?, id).await;
            }
            Err(_) => {}
        }
        done
    }

    fn failed(&self) -> String {
        format!("the ledger in {} cannot be written", self.db.dir().display())
    }

    /// Brings the forms up to date with what people have confirmed.
    async fn learn(&mut self) -> Result<()> {
        let confirmed = headings::confirmed(&mut *self.db.pool().acquire().await?).await?;
        if confirmed != self.confirmed {
            let mut config = Config::clone(self.written);
            headings::teach(&mut config.campaign, &confirmed);
            self.reader = Reader::new(&config);
            (self.config, self.confirmed) = (Arc::new(config), confirmed);
        }
        Ok(())
    }

    /// Parsing takes time and may even panic in a library: that happens aside. What is attached is opened by others.
    async fn examine(&mut self, stored: &Arc<Stored>, now: DateTime<Utc>) -> Result<Examined, Unavailable> {
        let until = Instant::now() + self.config.limits.mail_time;
        let raw = match mailstore::get(self.db.dir(), &stored.digest) {
            Ok(raw) => raw,
            Err(error) => {
                error!(message = stored.id, error = format!("{error:#}"), "the stored mail cannot be read");
                return Ok(broken(stored, "its stored bytes cannot be read").into());
            }
        };
        if let (Some(opening), None) = (&stored.decisions.opening, &stored.decisions.rejected) {
            return Ok(baseline::examine(&raw, &self.config, opening).await?.into());
        }
        let about = (self.config.clone(), stored.clone());
        let parsed = aside(move || {
            let (config, stored) = about;
            let mut letter = Letter::parse(&raw, &config);
            let attachments = letter.to_open(&stored.context(&config));
            (letter, attachments)
        });
        let (letter, attachments) = match parsed.await {
            Ok(parsed) => parsed,
            Err(why) => return Ok(broken(stored, why).into()),
        };
        let received = stored.received_at.with_timezone(&self.config.timezone).date_naive();
        let opened = open(&mut self.reader, &attachments, (received, &self.config.campaign), until).await?;
        let (files, spots): (Vec<File>, Vec<Spot>) = opened.into_iter().unzip();
        tell(stored, &files);
        let about = (self.config.clone(), stored.clone());
        let assessed = aside(move || assess(letter, files, &about.1.context(&about.0)));
        let assessed = assessed.await.unwrap_or_else(|why| broken(stored, why));
        let marked = match self.answers {
            Answers::Send => {
                let wanted = marked::wanted(&assessed.verdict, &stored.waivers);
                marked::copies(&mut self.reader, (&attachments, &spots), wanted, &self.config, (now, until)).await?
            }
            Answers::Withhold => Vec::new(),
        };
        Ok(Examined { assessed, marked })
    }

    /// Brings it into the ledger. What cannot be brought in, through nobody else's fault, waits for a person.
    async fn settle(&self, stored: &Stored, examined: Examined, now: DateTime<Utc>) -> Result<Disposition> {
        let enter = async |examined| {
            let mut tx = self.db.begin().await?;
            let disposition = settle(&mut tx, &self.config, (stored, examined), self.answers, now).await?;
            tx.commit().await?;
            anyhow::Ok(disposition)
        };
        let head = examined.assessed.head.clone();
        match enter(examined).await {
            Err(error) if !db::is_outage(&error) => {
                let error = format!("{error:#}");
                error!(message = stored.id, error, "a message cannot be brought into the ledger");
                enter(Assessed { head, ..broken(stored, "the program failed on it") }.into()).await
            }
            done => done,
        }
        .with_context(|| self.failed())
    }
}

/// A message that was read and judged, and the tables that go back with its receipt.
struct Examined {
    assessed: Assessed,
    marked: Vec<Marked>,
}

impl From<Assessed> for Examined {
    fn from(assessed: Assessed) -> Self {
        Self { assessed, marked: Vec::new() }
    }
}

/// What the reader could not do, for the log: neither names nor contents.
fn tell(stored: &Stored, files: &[File]) {
    for file in files {
        match &file.found {
            Found::Refused(refusal @ Refusal::BrokeDown) => error!(message = stored.id, %refusal, "a file is not read"),
            Found::Refused(refusal) => info!(message = stored.id, %refusal, "a file is not read"),
            Found::Unopened(refusal) => info!(message = stored.id, %refusal, "an archive is not opened"),
            Found::Reading(_) | Found::Left { .. } => {}
        }
    }
}

/// Work beside the tasks that wait for each other; `Err` says why there is no result. The error's own text may quote
/// what was being read.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, &'static str> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err("the program failed on it"),
        Err(_) => Err("reading it took too long"),
    }
}

/// A message as it lies in the store.
struct Stored {
    id: i64,
    digest: String,
    mailbox: Mailbox,
    received_at: DateTime<Utc>,
    size: u64,
    attempts: i64,
    /// Not for the first time: somebody has decided, about this message or its sender.
    again: bool,
    decisions: Decisions,
    waivers: Waivers,
    known: Known,
}

impl Stored {
    fn context<'a>(&'a self, config: &'a Config) -> Context<'a> {
        let received = self.received_at.with_timezone(&config.timezone);
        Context { config, mailbox: &self.mailbox, received, decisions: &self.decisions, size: self.size }
    }

    fn as_mail(&self) -> held::Mail<'_> {
        held::Mail { id: self.id, received_at: self.received_at, digest: &self.digest, decisions: &self.decisions }
    }
}

async fn begin(db: &Db, config: &Config, id: i64) -> Result<Stored> {
    let mut tx = db.begin().await?;
    let attempts = store::begin_assessment(&mut tx, id).await?;
    let row =
        sqlx::query("SELECT digest, mailbox, received_at, size, assessed_at IS NOT NULL FROM message WHERE id = ?")
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
    let name: String = row.try_get(1)?;
    let mailbox = config.mailboxes.iter().find(|m| m.name == name).cloned();
    // A mailbox that has left the settings tells no stream any more, and nobody's word about the sender is believed.
    let left = || config.mailboxes.first().map(|m| Mailbox { stream: None, authserv_id: None, ..m.clone() });
    let stored = Stored {
        id,
        digest: row.try_get(0)?,
        mailbox: mailbox.or_else(left).context("the configuration has no mailbox")?,
        received_at: row.try_get(2)?,
        size: row.try_get::<i64, _>(3)?.unsigned_abs(),
        attempts,
        again: row.try_get(4)?,
        decisions: store::decisions(&mut tx, id).await?,
        waivers: Waivers::load(&mut tx, None).await?,
        known: assessment::known(&mut tx).await?,
    };
    tx.commit().await?;
    Ok(stored)
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
    (stored, Examined { assessed, marked }): (&Stored, Examined),
    answers: Answers,
    now: DateTime<Utc>,
) -> Result<Disposition> {
    if stored.decisions.opening.is_some() {
        assessment::record(conn, stored.id, stored.known, now).await?;
        return baseline::settle(conn, config, (stored.id, assessed), now).await;
    }
    let Assessed { message, nature, head, mut verdict } = assessed;
    let said =
        inquiry::Said { id: stored.id, mailbox: &stored.mailbox, decisions: &stored.decisions, message: &message };
    let answer = inquiry::hear(conn, config, (&said, &nature, &mut verdict), answers, now).await?;
    let incoming = Incoming {
        id: stored.id,
        received_at: stored.received_at,
        head: &head,
        released: stored.decisions.released.is_some(),
        answer,
    };
    let copy = match verdict.disposition {
        Disposition::Auto | Disposition::Bounce => Copy::default(),
        _ if stored.decisions.refused() => Copy::default(),
        _ => copies::take_out(conn, incoming, &mut verdict, &config.campaign).await?,
    };
    let weighed = held::weigh(conn, &config.campaign, stored.as_mail(), &mut verdict).await?;
    let mut touched = claimed(conn, stored.id).await?;
    for (unit, stream) in &touched {
        rebuild::release_lines(conn, unit, stream).await?;
    }
    let known_at = store::record(conn, stored.id, &head, &verdict, now).await?;
    assessment::record(conn, stored.id, stored.known, now).await?;
    presence::note(conn, &config.campaign, stored.id, &verdict).await?;
    held::note(conn, stored.id, &weighed).await?;
    inquiry::wait(conn, config, (stored.id, &verdict), answers, now).await?;
    leave_to_the_ledger(&mut verdict);
    touched.extend(copies::link(conn, incoming, (&copy, &verdict), known_at).await?);
    let accepted = verdict.submissions.iter().filter(|s| s.fate == Fate::Accepted);
    touched.extend(accepted.filter_map(|s| Some((s.unit.clone()?, s.stream.clone()?))));
    for (unit, stream) in &touched {
        rebuild::unit_stream(conn, &config.campaign, unit, stream).await?;
    }
    held::reconsider(conn, &config.campaign, (stored.id, &touched), now).await?;
    let compared = amended::compare(conn, &config.campaign, stored.id, now).await?;
    reached(conn, config, (stored, &verdict), (&message, &nature), now).await?;
    if answers == Answers::Send {
        let about = answer::About {
            id: stored.id,
            digest: &stored.digest,
            mailbox: &stored.mailbox,
            received_at: stored.received_at,
            decided: stored.decisions.made() || ended_waiting(stored, &verdict) || weighed.withdrawn,
            withdrawn: weighed.withdrawn,
            marked: &marked,
            copy: &copy,
            compared: &compared,
        };
        answer::answer(conn, config, &about, (&message, &verdict), now).await?;
    }
    Ok(verdict.disposition)
}

/// What a message tells of addresses: a notice, that they cannot be reached; any other mail, that its sender can.
async fn reached(
    conn: &mut SqliteConnection,
    config: &Config,
    (stored, verdict): (&Stored, &Verdict),
    (message, nature): (&Message, &Nature),
    now: DateTime<Utc>,
) -> Result<()> {
    match (nature, &message.from) {
        (Nature::Bounce(bounce), _) => {
            let found = authentication(message, stored.mailbox.authserv_id.as_deref());
            let forged = matches!(found, Authentication::Fail { .. });
            let notice = Notice { message: stored.id, received_at: stored.received_at, forged };
            bounce::note(conn, config, notice, bounce, now).await?;
        }
        // Who writes can be reached; a forger is somebody else.
        (Nature::Person | Nature::Auto { .. }, Some(from)) if !verdict.rules.iter().any(|rule| rule == "M02") => {
            bounced::end(conn, &from.email, stored.received_at).await?;
        }
        _ => {}
    }
    Ok(())
}

/// It waited, as its sender may have been told, until somebody vouched for him about another message.
fn ended_waiting(stored: &Stored, verdict: &Verdict) -> bool {
    stored.again && verdict.disposition != Disposition::Quarantined
}

/// What is stored need not stay in memory: a book may be large. (Of figures there is a row or two, which the answer shows.)
fn leave_to_the_ledger(verdict: &mut Verdict) {
    for row in verdict.submissions.iter_mut().flat_map(|s| s.rows.iter_mut().skip(2)) {
        row.record.values.clear();
        row.record.cells.clear();
    }
}

/// Units and streams whose ledger rests on this message's earlier assessment.
pub(super) async fn claimed(conn: &mut SqliteConnection, message: i64) -> Result<BTreeSet<(String, String)>> {
    let rows = sqlx::query("SELECT DISTINCT unit, stream FROM submission WHERE message = ? AND state = 'accepted'")
        .bind(message)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|r| (r.get(0), r.get(1))).collect())
}
