//! `ingest`: files and folders through the same pipeline as mail from a mailbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart, SinglePart};

use super::arguments::Ingest;
use super::{Office, Outcome, print, usage};
use crate::config::{Config, Mailbox};
use crate::db::{Db, Lock};
use crate::jobs::process::{Answers, Clerk, open_messages};
use crate::ledger::query::{self, Which};
use crate::ledger::{mailstore, store};
use crate::message::{self, attachment};

/// One message found in a file.
struct Found {
    raw: Vec<u8>,
    /// Where the file lies, for the listing: `inbox/0001.eml`, `old.mbox#12`.
    locator: String,
    /// The time that the file itself gives.
    modified: DateTime<Utc>,
}

pub async fn run(office: Office, options: Ingest) -> Result<Outcome> {
    let named = options.mailbox.as_ref().map(|name| {
        let found = office.config.mailboxes.iter().find(|m| m.name == *name);
        found.ok_or_else(|| usage(format!("no mailbox `{name}` in the configuration")))
    });
    let named = named.transpose()?.cloned();
    let db = office.db().await?;
    let _lock = Lock::acquire(db.dir())?;
    let files = files(&options.paths)?;
    let bar = bar(files.len(), "read");
    let now = office.clock.now();
    let mut taken = 0;
    for file in files {
        for found in read(&file, &options, &office.config)? {
            take(&db, &office.config, (named.as_ref(), &options), &found, now).await?;
            taken += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let answers = if options.no_answer { Answers::Withhold } else { Answers::Send };
    let config = Arc::new(office.config);
    let open = open_messages(&db).await?;
    let bar = self::bar(open.len(), "process");
    let mut clerk = Clerk::new(&db, &config, answers);
    let mut next = open.clone();
    // A unit's answer opens what it settles again.
    while !next.is_empty() {
        for id in next {
            clerk.process(id, now).await?;
            bar.inc(1);
        }
        next = open_messages(&db).await?;
    }
    bar.finish_and_clear();
    print::line(&format!("read {taken} messages, {} of them new", open.len()))?;
    let mut conn = db.pool().acquire().await?;
    let waiting = query::messages(&mut conn, Which::Quarantined).await?;
    Ok(if waiting.is_empty() { Outcome::Done } else { Outcome::NeedsPerson })
}

/// A bar on stderr; nothing when that is not a terminal.
pub(super) fn bar(length: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>8} [{bar:40}] {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style).with_prefix(what)
}

/// Every file under the paths, folders in the order of their names; a Maildir's `tmp` holds half-written files.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut list = Vec::new();
    for path in paths {
        let about = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
        if !about.is_dir() {
            list.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let mut inside = entries.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>()?;
        let maildir = path.join("new").is_dir() && path.join("cur").is_dir();
        inside.retain(|p| {
            let name = p.file_name().unwrap_or_default().to_string_lossy();
            !(name.starts_with('.') || maildir && name == "tmp")
        });
        inside.sort();
        list.extend(files(&inside)?);
    }
    Ok(list)
}

/// The messages of one file: a mail, an mbox of many, or a spreadsheet wrapped into a mail.
fn read(path: &Path, options: &Ingest, config: &Config) -> Result<Vec<Found>> {
    let failed = || format!("{} cannot be read", path.display());
    let about = std::fs::metadata(path).with_context(failed)?;
    let modified: DateTime<Utc> = about.modified().map(Into::into).unwrap_or_default();
    let bytes = std::fs::read(path).with_context(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let locator = path.display().to_string();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if bytes.starts_with(b"From ") && extension != "eml" {
        let mails = mail_parser::mailbox::mbox::MessageIterator::new(std::io::Cursor::new(bytes));
        let one = |(i, m): (usize, mail_parser::mailbox::mbox::Message)| Found {
            locator: format!("{locator}#{}", i + 1),
            modified: DateTime::from_timestamp(m.internal_date() as i64, 0).unwrap_or(modified),
            raw: m.unwrap_contents(),
        };
        return Ok(mails.filter_map(Result::ok).enumerate().map(one).collect());
    }
    let mail =
        extension == "eml" || (attachment::sniff(&bytes, &name) == message::Kind::Other && looks_like_mail(&bytes));
    let raw = if mail { bytes } else { wrap(&name, bytes, options, config, modified)? };
    Ok(vec![Found { raw, locator, modified }])
}

/// A header field before anything else.
fn looks_like_mail(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    name.len() < line.len() && !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// A file that somebody brought becomes a mail, so that it is stored, read and traced like one.
fn wrap(name: &str, bytes: Vec<u8>, options: &Ingest, config: &Config, modified: DateTime<Utc>) -> Result<Vec<u8>> {
    let from = options
        .from
        .as_deref()
        .ok_or_else(|| usage(format!("{name} is no mail; say with --from ADDRESS who sent it")))?;
    let to = config.mailboxes.first().map_or("ledger@localhost", |m| m.address.as_str());
    let received = options.received.map_or(modified, |t| t.in_zone(config.timezone));
    let kind = ContentType::parse("application/octet-stream")?;
    // The same file always becomes the same mail, byte for byte: read in again, it is known.
    let boundary = format!("=_{}", &mailstore::digest(&bytes)[..32]);
    let mail = lettre::Message::builder()
        .from(from.parse().map_err(|_| usage(format!("--from: `{from}` is not an address")))?)
        .to(to.parse()?)
        .subject(name)
        .date(received.into())
        .multipart(
            MultiPart::mixed()
                .boundary(boundary)
                .singlepart(SinglePart::plain(String::new()))
                .singlepart(Attachment::new(name.to_owned()).body(bytes, kind)),
        )?;
    Ok(mail.formatted())
}

async fn take(
    db: &Db,
    config: &Config,
    (named, options): (Option<&Mailbox>, &Ingest),
    found: &Found,
    now: DateTime<Utc>,
) -> Result<()> {
    let parsed = message::parse::parse(&found.raw, &message::parse::Limits::default());
    let received = parsed.received.or(options.received.map(|t| t.in_zone(config.timezone))).unwrap_or(found.modified);
    let to = config.mailboxes.iter().find(|m| parsed.to.iter().any(|a| a.email == m.address));
    let folder = config.mailboxes.iter().find(|m| found.locator.split('/').any(|part| part == m.name));
    let mailbox = named.or(to).or(folder).or(config.mailboxes.first()).context("the configuration has no mailbox")?;
    let digest = mailstore::put(db.dir(), &found.raw)?;
    let seen = store::Sighting {
        mailbox: &mailbox.name,
        locator: &format!("file:{digest}"),
        digest: &digest,
        size: found.raw.len() as u64,
        received_at: received,
    };
    let mut tx = db.begin().await?;
    store::take(&mut tx, &seen, now).await?;
    tx.commit().await
}
