//! A mailbox that is read: IMAP, or a Maildir as the embedded default.
//!
//! The walk is always the same: [`Connection::list`] what is new, [`Connection::fetch`] each and put it into the
//! ledger, only then [`Connection::file`] it, and [`Connection::wait`] for more. Nothing here changes the mailbox
//! before `file`, and `file` may be repeated. A connection heals itself: after a [`Failure`] call again when
//! [`Failure::retry_after`] has passed.

pub mod backoff;
pub mod cause;
pub mod cursor;
pub mod dial;
pub mod failure;
pub mod lines;
pub mod utf7;

mod answer;
mod imap;
mod maildir;
mod received;
mod session;
mod tls;
mod wire;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::config::{After, Limits, Mailbox, Source};
pub use cause::Cause;
pub use cursor::Cursor;
pub use failure::{Failure, Kind};
use imap::ImapMailbox;
use maildir::Maildir;

/// A mail that is new to us; nothing of it was read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// `UIDVALIDITY:UID`, or the unique part of a Maildir name.
    pub locator: String,
    /// The cursor to store once this mail and those before it are taken. Always the default for a Maildir.
    pub cursor: Cursor,
    /// When the provider took it: INTERNALDATE; for a Maildir the topmost Received field, else the file's time.
    /// `None` if the server gives no readable date.
    pub received_at: Option<DateTime<Utc>>,
    /// Bytes, as the server counts them; 0 where it does not say.
    pub size: u64,
}

/// What is new, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The cursor to store once all of `new` is taken.
    pub cursor: Cursor,
    pub new: Vec<Listed>,
    /// There is more: take these, then list again with the new cursor.
    pub more: bool,
}

/// All that a mailbox holds now, whether it is new to us or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// `None` for a Maildir.
    pub uidvalidity: Option<u32>,
    /// Each mail once, in order of UID.
    pub mails: Vec<Listed>,
    /// Mails that the server counts and does not show.
    pub unseen: u32,
    /// With `after = "move:…"`: how many mails the other folder holds, whoever put them there.
    pub moved_to: Option<u32>,
}

impl Census {
    /// Whether a locator is one of this folder as it is now: another UIDVALIDITY is another folder.
    pub fn speaks_of(&self, locator: &str) -> bool {
        cursor::parse_locator(locator).map(|(validity, _)| validity) == self.uidvalidity
    }
}

/// One mail as it came over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The raw bytes, whole.
    Mail(Vec<u8>),
    /// Larger than `[limits] mail`: only its header was taken (64 KiB of it at most).
    TooLarge { header: Vec<u8>, size: u64 },
    /// Somebody has moved or deleted it since it was listed.
    Gone,
}

/// Why [`Connection::wait`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The server, or the folder, shows new mail.
    News,
    /// It is time to look.
    Poll,
    Cancelled,
}

/// A mailbox that can be worked with.
pub enum Connection {
    Imap(Box<ImapMailbox>),
    Maildir(Maildir),
}

impl Connection {
    /// Logs in and opens the folder.
    ///
    /// # Errors
    /// Whatever keeps the mailbox from being read; see [`Kind`].
    pub async fn open(mailbox: &Mailbox, limits: &Limits) -> Result<Self, Failure> {
        match &mailbox.source {
            Source::Imap(imap) => {
                let opened = ImapMailbox::open(&mailbox.name, imap, limits.mail_bytes).await?;
                Ok(Self::Imap(Box::new(opened)))
            }
            Source::Maildir(maildir) => {
                Maildir::open(&mailbox.name, &maildir.path, limits.mail_bytes).await.map(Self::Maildir)
            }
        }
    }

    /// Mails that came after `cursor`. A Maildir has no cursor: it lists what was not yet handed to [`Self::file`]
    /// over this connection, so the caller leaves out what the ledger has.
    pub async fn list(&mut self, cursor: &Cursor) -> Result<Listing, Failure> {
        match self {
            Self::Imap(imap) => imap.list(*cursor).await,
            Self::Maildir(maildir) => maildir.list().await,
        }
    }

    /// Counts what the mailbox holds now, from its first mail to its last; nothing is fetched.
    pub async fn census(&mut self) -> Result<Census, Failure> {
        match self {
            Self::Imap(imap) => imap.census().await,
            Self::Maildir(maildir) => maildir.census().await,
        }
    }

    /// The raw bytes of one mail. A failure is about this mail, unless it is [`Kind::Throttled`]; before the next one,
    /// call [`Self::ready`].
    pub async fn fetch(&mut self, listed: &Listed) -> Result<Fetched, Failure> {
        match self {
            Self::Imap(imap) => imap.fetch(listed).await,
            Self::Maildir(maildir) => maildir.fetch(listed).await,
        }
    }

    /// Connects again if the last failure has ended the session.
    pub async fn ready(&mut self) -> Result<(), Failure> {
        match self {
            Self::Imap(imap) => imap.ready().await,
            Self::Maildir(_) => Ok(()),
        }
    }

    /// Flags or moves mails that are safely in the ledger. Repeating it is harmless, and a mail that is no longer
    /// there is fine. Call it for [`After::Keep`] too: a Maildir then stops listing them.
    pub async fn file(&mut self, locators: &[String], after: &After) -> Result<(), Failure> {
        match self {
            Self::Imap(imap) => imap.file(locators, after).await,
            Self::Maildir(maildir) => maildir.file(locators, after).await,
        }
    }

    /// Waits until there is new mail, `poll` has passed, or the token is cancelled. A push can be lost, so look after
    /// every wake. A lost session is not reported here: the next [`Self::list`] connects again or says why not.
    pub async fn wait(&mut self, poll: Duration, cancel: &CancellationToken) -> Wake {
        match self {
            Self::Imap(imap) => imap.wait(poll, cancel).await,
            Self::Maildir(maildir) => maildir.wait(poll, cancel).await,
        }
    }

    /// One line for `check`: what was reached.
    pub fn describe(&self) -> String {
        match self {
            Self::Imap(imap) => imap.describe(),
            Self::Maildir(maildir) => maildir.describe(),
        }
    }

    /// Logs out. Dropping the connection does no harm either.
    pub async fn close(self) {
        if let Self::Imap(imap) = self {
            imap.close().await;
        }
    }
}
