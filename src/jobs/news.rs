//! News for the morning note: the letters without a form that came since the last one, their files included.
//!
//! Files are read from the stored mails, one mail at a time, and only as many are kept as go out. The news mailbox takes
//! news from anyone; in a committee's mailbox only that of registered senders is sent on, strangers are counted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};
use tokio::time::Instant;
use tracing::error;

use crate::config::Config;
use crate::db::Db;
use crate::ledger::mailstore;
use crate::ledger::store::{self, Trusted};
use crate::message::archive::Refusal;
use crate::message::risk::{self, Risk, risk};
use crate::message::{Attachment, Kind, Message, parse, reply};
use crate::outbox::Attached;
use crate::outbox::compose::news::{File, LETTERS, News, Sent};
use crate::reader::{Reader, Source};

/// Mails that may carry files in one morning.
const MAILS: usize = 4;
/// A picture in the text that is smaller than this is a signature's.
const PICTURE: usize = 8 << 10;
/// So much text of one's own is no more than a thank-you.
const COURTESY: usize = 30;
/// For looking into the archives of one letter.
const PATIENCE: Duration = Duration::from_secs(60);

/// After the first and up to the second.
pub type Window = (DateTime<Utc>, DateTime<Utc>);

/// What the note tells of news.
#[derive(Default)]
pub struct Gathered {
    pub letters: Vec<News>,
    /// Letters that are only counted.
    pub more: usize,
    /// The files, mail by mail; one empty mail where there are none.
    pub mails: Vec<Vec<Attached>>,
    /// Mails of strangers in the committees' mailboxes.
    pub strangers: usize,
}

/// A letter as it lies in the store.
struct Stored {
    id: i64,
    digest: String,
    mailbox: String,
    from: String,
    subject: String,
    received_at: DateTime<Utc>,
}

/// Reads all news of the window. `strangers_since` is when the department was last told how many strangers wrote.
pub async fn gather(
    db: &Db,
    config: &Arc<Config>,
    (since, now): Window,
    strangers_since: DateTime<Utc>,
) -> Result<Gathered> {
    let (stored, trusted) = {
        let mut conn = db.pool().acquire().await?;
        (read(&mut conn, since.min(strangers_since), now).await?, store::trusted(&mut conn).await?)
    };
    let mut gathered = Gathered { mails: vec![Vec::new()], ..Gathered::default() };
    let mut room = Room::new(config.department.digest_bytes);
    let mut reader = Reader::new(config);
    for (letter, assessed_at) in stored {
        let unit = unit(config, &trusted, &letter.from);
        let open = config.mailboxes.iter().any(|m| m.name == letter.mailbox && m.stream.is_none());
        if unit.is_none() && !open {
            gathered.strangers += usize::from(assessed_at > strangers_since);
            continue;
        }
        if assessed_at <= since {
            continue;
        }
        let Some(message) = parsed(db, &letter).await? else { continue };
        if unit.is_none() && is_spam(&message) {
            gathered.strangers += 1;
            continue;
        }
        if is_courtesy(db, &message).await? {
            continue;
        }
        if gathered.letters.len() == LETTERS {
            gathered.more += 1;
            continue;
        }
        let number = gathered.letters.len() + 1;
        let files = files(&mut reader, (number, &message), &mut room, &mut gathered.mails).await;
        gathered.letters.push(told(config, letter, &message, (unit.unwrap_or_default(), files)));
    }
    Ok(gathered)
}

async fn read(
    conn: &mut SqliteConnection,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<(Stored, DateTime<Utc>)>> {
    let rows = sqlx::query(
        "SELECT id, digest, mailbox, coalesce(from_address, ''), subject, received_at, assessed_at FROM message
         WHERE disposition = 'news' AND assessed_at > ? AND assessed_at <= ? ORDER BY received_at, id",
    )
    .bind(after)
    .bind(until)
    .fetch_all(conn)
    .await?;
    let stored = |row: sqlx::sqlite::SqliteRow| {
        let letter = Stored {
            id: row.get(0),
            digest: row.get(1),
            mailbox: row.get(2),
            from: row.get(3),
            subject: row.get(4),
            received_at: row.get(5),
        };
        (letter, row.get(6))
    };
    Ok(rows.into_iter().map(stored).collect())
}

fn unit(config: &Config, trusted: &[Trusted], from: &str) -> Option<String> {
    let registered = config.registry.registered(from).first().map(|u| u.name.clone());
    registered.or_else(|| trusted.iter().find(|t| t.address == from).map(|t| t.unit.clone()))
}

/// `None` where the stored bytes cannot be read: that is told elsewhere.
async fn parsed(db: &Db, letter: &Stored) -> Result<Option<Message>> {
    let raw = match mailstore::get(db.dir(), &letter.digest) {
        Ok(raw) => raw,
        Err(error) => {
            error!(message = letter.id, error = format!("{error:#}"), "the stored mail cannot be read");
            return Ok(None);
        }
    };
    let parse = move || parse::parse(&raw, &parse::Limits::default());
    Ok(Some(tokio::task::spawn_blocking(parse).await.context("a letter cannot be read")?))
}

/// The provider's filter says so.
fn is_spam(message: &Message) -> bool {
    let flags = message.header("X-Spam-Flag").chain(message.header("X-Spam-Status"));
    flags.map(|value| value.trim().to_lowercase()).any(|value| value.starts_with("yes"))
}

/// An answer to a mail of ours that says no more than 收到.
async fn is_courtesy(db: &Db, message: &Message) -> Result<bool> {
    let own = reply::without_history(&message.text);
    if !message.attachments.is_empty() || own.chars().filter(|c| !c.is_whitespace()).count() > COURTESY {
        return Ok(false);
    }
    for id in message.in_reply_to.iter().chain(&message.references) {
        let ours = sqlx::query("SELECT 1 FROM outbox WHERE message_id = ?").bind(id).fetch_optional(db.pool()).await?;
        if ours.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn told(config: &Config, letter: Stored, message: &Message, (unit, files): (String, Vec<File>)) -> News {
    let enclosed = message.forwarded.iter().map(|f| format!("\n〔转发〕{}\n{}", f.subject, f.text));
    News {
        id: letter.id,
        mailbox: letter.mailbox,
        received: letter.received_at.with_timezone(&config.timezone),
        from: letter.from,
        name: message.from.as_ref().and_then(|a| a.name.clone()).unwrap_or_default(),
        unit,
        subject: letter.subject,
        text: reply::letter(&message.text) + &enclosed.collect::<String>(),
        files,
    }
}

/// Puts the files of a letter into the mails that go out, as far as they may and fit.
async fn files(
    reader: &mut Reader,
    (number, message): (usize, &Message),
    room: &mut Room,
    mails: &mut Vec<Vec<Attached>>,
) -> Vec<File> {
    let until = Instant::now() + PATIENCE;
    let mut files = Vec::new();
    let pictures = message.pictures.iter().filter(|p| p.bytes.len() >= PICTURE);
    for file in message.attachments.iter().chain(pictures) {
        let danger = match risk(file) {
            None if file.kind == Kind::Archive => inside(reader, file, until).await,
            found => found,
        };
        if let Some(risk) = danger {
            files.push(File { name: file.name.clone(), sent: Sent::Withheld(risk) });
            continue;
        }
        let Some(mail) = room.take(file.bytes.len()) else {
            files.push(File { name: file.name.clone(), sent: Sent::TooMuch });
            continue;
        };
        let name = room.name(number, &file.name);
        let mime = "application/octet-stream".to_owned();
        mails.resize_with(mails.len().max(mail + 1), Vec::new);
        mails[mail].push(Attached { name: name.clone(), mime, bytes: file.bytes.clone() });
        files.push(File { name, sent: Sent::In(mail + 1) });
    }
    files
}

/// Its own name; where another file has that, `来稿2-合影.jpg`, `来稿2-2-合影.jpg` and so on.
fn called(letter: usize, name: &str, turn: usize) -> String {
    match turn {
        1 => name.to_owned(),
        2 => format!("来稿{letter}-{name}"),
        _ => format!("来稿{letter}-{}-{name}", turn - 1),
    }
}

/// What lies in an archive is looked at by the process that opens them.
async fn inside(reader: &mut Reader, archive: &Attachment, until: Instant) -> Option<Risk> {
    match reader.list(Source { attachment: archive, path: &[] }, until).await {
        Ok(Ok(members)) if members.iter().any(|m| m.kind == Kind::Archive) => Some(Risk::Unknown),
        Ok(Ok(members)) => members.iter().find_map(|m| risk::by_name(&m.name)),
        Ok(Err(Refusal::Encrypted)) => Some(Risk::Locked),
        // A document that is damaged is for its reader to judge.
        Ok(Err(Refusal::Damaged(_))) if risk::is_document(&archive.name) => None,
        Ok(Err(_)) | Err(_) => Some(Risk::Unknown),
    }
}

/// What the mails of one morning still take.
struct Room {
    each: u64,
    taken: Vec<u64>,
    /// Of the files in them.
    names: BTreeSet<String>,
}

impl Room {
    fn new(each: u64) -> Self {
        Self { each, taken: vec![0; MAILS], names: BTreeSet::new() }
    }

    /// What a file of a letter is called among all of them.
    fn name(&mut self, letter: usize, name: &str) -> String {
        let name = (1..).map(|turn| called(letter, name, turn)).find(|name| self.names.insert(name.clone()));
        name.unwrap_or_default()
    }

    /// The first mail that a file fits in, from 0. In a mail it takes four bytes for three (RFC 2045 section 6.8), and its
    /// header.
    fn take(&mut self, bytes: usize) -> Option<usize> {
        let size = bytes as u64 * 4 / 3 + bytes as u64 / 38 + 1024;
        let mail = self.taken.iter().position(|taken| taken + size <= self.each)?;
        self.taken[mail] += size;
        Some(mail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_fill_a_mail_before_the_next_and_what_fits_none_stays() {
        let mut room = Room::new(10_000);
        let placed: Vec<Option<usize>> = [5000, 5000, 500, 20_000, 5000, 5000, 5000].map(|b| room.take(b)).to_vec();
        assert_eq!(placed, [Some(0), Some(1), Some(0), None, Some(2), Some(3), None]);
    }

    #[test]
    fn files_keep_their_names_until_two_have_the_same() {
        let mut room = Room::new(0);
        let called: Vec<String> = [(1, "a"), (1, "b"), (2, "a"), (2, "a")].map(|(n, name)| room.name(n, name)).to_vec();
        assert_eq!(called, ["a", "b", "来稿2-a", "来稿2-2-a"]);
    }
}
