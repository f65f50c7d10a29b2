//! An IMAP mailbox over time: keeps the session between polls, drops it after a fault, connects again when needed.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::cursor::Cursor;
use super::failure::{Failure, Fault, Kind};
use super::session::Session;
use super::{Census, Fetched, Listed, Listing, Wake};
use crate::config::{After, Imap};

/// After a session was lost while waiting, it is not opened again sooner than this (or the next poll): providers
/// limit clients that reconnect all the time.
const PAUSE: Duration = Duration::from_secs(30);

pub struct ImapMailbox {
    name: String,
    imap: Imap,
    /// Bytes.
    most: u64,
    /// Taken out while it works: a fault, or a caller who gives up half-way, leaves none behind.
    session: Option<Session>,
}

impl ImapMailbox {
    pub async fn open(name: &str, imap: &Imap, most: u64) -> Result<Self, Failure> {
        let mut this = Self { name: name.to_owned(), imap: imap.clone(), most, session: None };
        let session = Session::open(imap).await.map_err(|fault| fault.at(name, &this.place(), imap.server.provider))?;
        this.session = Some(session);
        Ok(this)
    }

    /// Sees to it that there is a session.
    pub async fn ready(&mut self) -> Result<(), Failure> {
        self.with(async |_| Ok(())).await
    }

    fn place(&self) -> String {
        format!("{}:{}", self.imap.server.host, self.imap.server.port)
    }

    async fn with<T>(&mut self, work: impl AsyncFnOnce(&mut Session) -> Result<T, Fault>) -> Result<T, Failure> {
        let result = match self.session.take() {
            Some(session) => Ok(session),
            None => Session::open(&self.imap).await,
        };
        let result = match result {
            Ok(mut session) => {
                let result = work(&mut session).await;
                session.forget_opening();
                if result.as_ref().err().is_none_or(|fault| fault.kind.spares_session()) {
                    self.session = Some(session);
                }
                result
            }
            Err(fault) => Err(fault),
        };
        result.map_err(|fault| fault.at(&self.name, &self.place(), self.imap.server.provider))
    }

    /// A listing that cannot be parsed is asked for in fewer words: one mail's odd date must not hold up the others.
    pub async fn list(&mut self, cursor: Cursor) -> Result<Listing, Failure> {
        match self.list_whole(cursor).await {
            Err(failure) if failure.kind == Kind::Protocol => {
                tracing::warn!(%failure, "a listing cannot be read, asking for less");
                self.with(async |session| session.list_bare(cursor).await).await
            }
            other => other,
        }
    }

    async fn list_whole(&mut self, cursor: Cursor) -> Result<Listing, Failure> {
        if self.session.is_some() {
            let listing = self.with(async |session| session.list(cursor).await).await;
            match listing {
                // That a server ends a session we have kept is no failure yet.
                Err(failure) if matches!(failure.kind, Kind::Network | Kind::Timeout) => {
                    tracing::info!(mailbox = %self.name, cause = %failure.detail, "session lost, connecting again");
                }
                other => return other,
            }
        }
        self.with(async |session| session.list(cursor).await).await
    }

    /// On the session at hand, else on a new one; in fewer words where the answer cannot be parsed.
    pub async fn census(&mut self) -> Result<Census, Failure> {
        let after = self.imap.after.clone();
        let mut bare = false;
        for _ in 0..2 {
            match self.with(async |session| session.census(&after, bare).await).await {
                Err(failure) if failure.kind == Kind::Protocol => bare = true,
                Err(failure) if matches!(failure.kind, Kind::Network | Kind::Timeout | Kind::Refused) => {
                    tracing::info!(mailbox = %self.name, cause = %failure.detail, "a census broke off, counting again");
                }
                other => return other,
            }
        }
        self.with(async |session| session.census(&after, bare).await).await
    }

    pub async fn fetch(&mut self, listed: &Listed) -> Result<Fetched, Failure> {
        let most = self.most;
        self.with(async |session| match session.uid(&listed.locator) {
            Some(uid) => session.fetch(uid, listed.size, most).await,
            None => Ok(Fetched::Gone),
        })
        .await
    }

    pub async fn file(&mut self, locators: &[String], after: &After) -> Result<(), Failure> {
        if *after == After::Keep || locators.is_empty() {
            return Ok(());
        }
        self.with(async |session| {
            let uids = locators.iter().filter_map(|locator| session.uid(locator)).collect();
            session.file(uids, after).await
        })
        .await
    }

    /// Keeps the session, also when cancelled: logging in again for every mail is what providers punish.
    pub async fn wait(&mut self, poll: Duration, cancel: &CancellationToken) -> Wake {
        let until = Instant::now() + poll;
        let until = match self.session.take() {
            Some(mut session) => match session.wait(until, cancel).await {
                Ok(wake) => {
                    self.session = Some(session);
                    return wake;
                }
                Err(fault) => {
                    tracing::info!(mailbox = %self.name, cause = %fault.detail, "session lost while waiting");
                    let poll = Duration::from_secs(self.imap.server.provider.habits().smallest_poll);
                    until.min(Instant::now() + PAUSE.max(poll))
                }
            },
            None => until,
        };
        tokio::select! {
            () = sleep_until(until) => Wake::Poll,
            () = cancel.cancelled() => Wake::Cancelled,
        }
    }

    /// `someone@mail.test at imap.mail.test:993, folder INBOX`
    pub fn describe(&self) -> String {
        let server = &self.imap.server;
        format!("{} at {}:{}, folder {}", server.user, server.host, server.port, self.imap.folder)
    }

    pub async fn close(self) {
        if let Some(session) = self.session {
            session.logout().await;
        }
    }
}
