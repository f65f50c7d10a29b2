//! One listed mail after the other is fetched and stored. One that cannot be had costs the others nothing.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use tracing::warn;

use super::unfetched::{self, Turn};
use super::{TakeError, UNWRITABLE};
use crate::config::Mailbox;
use crate::db::Db;
use crate::ledger::{mailstore, store};
use crate::mailbox::{Connection, Failure, Fetched, Kind, Listed};
use crate::message::parse;

/// After so many mails whose failure ended the session, a look ends: each has cost a login.
const FAILED: usize = 3;

/// What is taken from one mailbox at one time.
pub(in crate::jobs) struct Taker<'a> {
    pub db: &'a Db,
    pub mailbox: &'a Mailbox,
    pub now: DateTime<Utc>,
}

/// What came of the listed mails so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::jobs) struct Tally {
    pub new: usize,
    /// Could not be fetched, whether or not they are tried again.
    pub left: usize,
    /// Some of these are tried again.
    pub held: bool,
    /// Failures that ended the session.
    failed: usize,
}

/// What came of a listed mail.
enum Came {
    Stored,
    /// It is in the ledger already, no longer there, or was given up.
    Nothing,
    /// It failed before and is not tried yet.
    Later,
    Failed {
        failure: Failure,
        given_up: bool,
    },
}

impl Taker<'_> {
    /// Fetches and stores these, each in its turn.
    ///
    /// # Errors
    /// [`TakeError::Mailbox`] when it is not one mail's matter; what came before is stored.
    pub async fn take<'l>(
        &self,
        connection: &mut Connection,
        listed: impl IntoIterator<Item = &'l Listed>,
        tally: &mut Tally,
    ) -> Result<(), TakeError> {
        for listed in listed {
            match self.attempt(connection, listed).await? {
                Came::Stored => tally.new += 1,
                Came::Nothing => {}
                Came::Later => (tally.left, tally.held) = (tally.left + 1, true),
                Came::Failed { failure, given_up } => {
                    (tally.left, tally.held) = (tally.left + 1, tally.held || !given_up);
                    tally.failed += usize::from(!matches!(failure.kind, Kind::Refused | Kind::Io));
                    if tally.failed == FAILED {
                        return Err(failure.into());
                    }
                    // A failure of this is the mailbox's own and not the next mail's.
                    connection.ready().await?;
                }
            }
        }
        Ok(())
    }

    async fn attempt(&self, connection: &mut Connection, listed: &Listed) -> Result<Came, TakeError> {
        let (name, locator) = (self.mailbox.name.as_str(), listed.locator.as_str());
        if self.knows(locator).await? {
            return Ok(Came::Nothing);
        }
        let turn = unfetched::turn(self.db, name, locator, self.now).await?;
        match turn {
            Turn::First | Turn::Again => {}
            Turn::Later => return Ok(Came::Later),
            Turn::Never => return Ok(Came::Nothing),
        }
        match self.fetch(connection, listed).await {
            Ok(came) => {
                if turn == Turn::Again {
                    unfetched::came(self.db, name, locator).await.context(UNWRITABLE)?;
                }
                Ok(came)
            }
            // A server that asks us to come later, or turns us away, means every mail.
            Err(TakeError::Mailbox(failure)) if !failure.kind.means_everything() => {
                let why = failure.to_string();
                let turn = unfetched::failed(self.db, (name, locator), &why, self.now).await.context(UNWRITABLE)?;
                let given_up = turn == Turn::Never;
                warn!(mailbox = name, locator, given_up, %failure, "a mail cannot be read; the others go on");
                Ok(Came::Failed { failure, given_up })
            }
            Err(other) => Err(other),
        }
    }

    async fn fetch(&self, connection: &mut Connection, listed: &Listed) -> Result<Came, TakeError> {
        let (raw, size) = match connection.fetch(listed).await? {
            Fetched::Mail(raw) => {
                let size = raw.len() as u64;
                (raw, size)
            }
            // Its header is kept and answered; the size tells that the rest was left on the server.
            Fetched::TooLarge { header, size } => (header, size),
            Fetched::Gone => return Ok(Came::Nothing),
        };
        self.keep(listed, (&raw, size)).await?;
        Ok(Came::Stored)
    }

    /// Stores one message: first the bytes, then that they are there.
    async fn keep(&self, listed: &Listed, (raw, size): (&[u8], u64)) -> Result<()> {
        let digest = mailstore::put(self.db.dir(), raw)?;
        let seen = store::Sighting {
            mailbox: &self.mailbox.name,
            locator: &listed.locator,
            digest: &digest,
            size,
            // A server without a readable date: what the provider wrote into the mail, else now.
            received_at: listed.received_at.or_else(|| received(raw)).unwrap_or(self.now),
        };
        let mut tx = self.db.begin().await?;
        store::take(&mut tx, &seen, self.now).await.context(UNWRITABLE)?;
        tx.commit().await.context(UNWRITABLE)
    }

    async fn knows(&self, locator: &str) -> Result<bool> {
        let found = sqlx::query("SELECT 1 FROM sighting WHERE mailbox = ? AND locator = ?");
        let found = found.bind(&self.mailbox.name).bind(locator).fetch_optional(self.db.pool()).await?;
        Ok(found.is_some())
    }
}

fn received(raw: &[u8]) -> Option<DateTime<Utc>> {
    parse::parse(raw, &parse::Limits::default()).received
}
