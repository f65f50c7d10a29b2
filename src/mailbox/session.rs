//! An IMAP session (RFC 3501 and the extensions named below): opens the folder and lists what is new. `login` gets in,
//! `fetch` brings one mail, `filing` flags and moves, `idle` waits.
//!
//! What a server offers is read from its capabilities after LOGIN; everything else is the least that every server
//! knows. The session never looks at `\Seen`, fetches with BODY.PEEK only, and never expunges a mail it was not told
//! to move. After a fault other than a plain NO it must be dropped.

mod census;
mod fetch;
mod filing;
mod idle;
mod login;

use std::collections::BTreeMap;
use std::time::Duration;

use super::answer::{Answer, Item, Row};
use super::cursor::{self, Cursor, Selected, Window};
use super::failure::{Fault, Kind, Step};
use super::wire::Wire;
use super::{Listed, Listing, utf7};
use crate::config::{After, Imap};

/// Polls in a row that may rely on NOOP before SELECT is asked again.
const NOOPS: u32 = 4;

pub struct Session {
    wire: Wire,
    capabilities: Vec<String>,
    /// SELECT or EXAMINE.
    verb: &'static str,
    folder: String,
    selected: Selected,
    /// `selected` was not used for a listing yet.
    fresh: bool,
    /// Where the last listing broke off because there was more.
    broke_off: Option<Cursor>,
    /// Messages in the folder, as far as we were told.
    exists: u32,
    /// The server spoke of another number since.
    news: bool,
    /// Polls since SELECT.
    noops: u32,
    idle: bool,
}

impl Session {
    /// Connects, logs in and opens the folder: for reading only if nothing is ever to be changed in it.
    pub async fn open(imap: &Imap) -> Result<Self, Fault> {
        let limit = Duration::from_secs(imap.timeout.max(1));
        let (wire, greeting) = Wire::dial(&imap.server, limit).await?;
        let mut session = Self {
            wire,
            capabilities: Vec::new(),
            verb: if imap.after == After::Keep { "EXAMINE" } else { "SELECT" },
            folder: folder(&imap.folder)?,
            selected: Selected::default(),
            fresh: false,
            broke_off: None,
            exists: 0,
            news: false,
            noops: 0,
            idle: imap.idle,
        };
        session.learn(&greeting).await?;
        session.identify(false).await?;
        if !greeting.items.contains(&Item::Greeting(true)) {
            session.login(&imap.server).await?;
            session.identify(imap.server.provider.habits().demands_id).await?;
        }
        session.select().await?;
        session.fresh = true;
        Ok(session)
    }

    /// What opening the folder has told is used by a listing that follows at once, and by no later one.
    pub fn forget_opening(&mut self) {
        self.fresh = false;
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| c == capability)
    }

    async fn run(&mut self, command: &str) -> Result<Answer, Fault> {
        self.step(command, Step::Other).await
    }

    async fn step(&mut self, command: &str, step: Step) -> Result<Answer, Fault> {
        let answer = self.wire.run(command, step).await?;
        self.note(&answer.items);
        Ok(answer)
    }

    /// Servers speak of new mail in the answer to any command.
    fn note(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Exists(n) => {
                    self.news |= *n != self.exists;
                    self.exists = *n;
                }
                Item::Expunge => self.exists = self.exists.saturating_sub(1),
                _ => {}
            }
        }
    }

    async fn select(&mut self) -> Result<(), Fault> {
        let answer = match self.run(&format!("{} {}", self.verb, self.folder)).await {
            Err(fault) if fault.kind == Kind::Refused => return Err(self.why_refused(fault).await),
            other => other?,
        };
        let mut selected = Selected { keywords: true, ..Selected::default() };
        for item in &answer.items {
            match item {
                Item::Exists(n) => selected.exists = *n,
                Item::UidValidity(n) => selected.uidvalidity = *n,
                // A server that names UIDNEXT 0 does not know it.
                Item::UidNext(n) => selected.uidnext = Some(*n).filter(|n| *n > 0),
                Item::PermanentFlags(flags) => {
                    selected.keywords = flags.iter().any(|f| f == "\\*" || f.eq_ignore_ascii_case(filing::KEYWORD));
                }
                _ => {}
            }
        }
        self.exists = selected.exists;
        self.news = false;
        self.noops = 0;
        self.selected = selected;
        Ok(())
    }

    /// Asks whether there is news: by NOOP, which costs a server nothing even in a full folder, if it can IDLE and thus
    /// watches the folder; now and then, and everywhere else, by SELECT, because a server may keep news to itself.
    async fn look(&mut self) -> Result<(), Fault> {
        if !self.has("IDLE") || self.noops >= NOOPS {
            return self.select().await;
        }
        self.noops += 1;
        if !self.news {
            self.run("NOOP").await?;
        }
        if std::mem::take(&mut self.news) {
            self.selected.uidnext = None;
        }
        self.selected.exists = self.exists;
        Ok(())
    }

    /// A refused SELECT: is the folder missing, or are we unwelcome? LIST tells, where codes are missing.
    async fn why_refused(&mut self, fault: Fault) -> Fault {
        match self.run(&format!("LIST \"\" {}", self.folder)).await {
            Ok(answer) if !answer.items.contains(&Item::Folder) => {
                Fault::new(Kind::FolderMissing, format!("the folder does not exist: {}", fault.detail))
            }
            _ => fault,
        }
    }

    /// Mails above the cursor, at most about a thousand at once. When UIDNEXT shows nothing new, no FETCH is sent.
    pub async fn list(&mut self, cursor: Cursor) -> Result<Listing, Fault> {
        let goes_on = self.broke_off.take() == Some(cursor);
        if !std::mem::take(&mut self.fresh) && !goes_on {
            self.look().await?;
        }
        let mut taken = Cursor { uidvalidity: self.selected.uidvalidity, last_uid: 0 };
        if cursor.uidvalidity == taken.uidvalidity {
            taken.last_uid = cursor.last_uid;
        }
        let mut next = cursor::window(cursor, &self.selected);
        while let Some(window) = next {
            let new = self.rows(window).await?;
            let seen = new.last().map_or(taken.last_uid, |listed| listed.cursor.last_uid);
            taken.last_uid = window.last.unwrap_or(seen);
            if window.last.is_none() {
                self.selected.uidnext = seen.checked_add(1);
            }
            if !new.is_empty() {
                let more = cursor::more(window, &self.selected);
                self.broke_off = more.then_some(taken);
                return Ok(Listing { cursor: taken, new, more });
            }
            next = cursor::after_empty(window, &self.selected);
        }
        Ok(Listing { cursor: taken, ..Listing::default() })
    }

    async fn rows(&mut self, window: Window) -> Result<Vec<Listed>, Fault> {
        let command = format!("UID FETCH {} (UID INTERNALDATE RFC822.SIZE)", window.set());
        let uidvalidity = self.selected.uidvalidity;
        let mut new: BTreeMap<u32, Listed> = BTreeMap::new();
        let answer = self.run(&command).await?;
        note_rows(&mut new, uidvalidity, answer.rows().filter(|row| row.uid.is_some_and(|uid| window.holds(uid))));
        Ok(new.into_values().collect())
    }

    /// The UID in a locator, if it belongs to the folder as it is now.
    pub fn uid(&self, locator: &str) -> Option<u32> {
        let (validity, uid) = cursor::parse_locator(locator)?;
        (validity == self.selected.uidvalidity).then_some(uid)
    }

    /// Says goodbye; the answer does not matter.
    pub async fn logout(mut self) {
        let _ = self.run("LOGOUT").await;
    }
}

/// Adds what a server tells of mails. It may speak of one mail twice: once to us, once because somebody changes its flags
/// meanwhile.
fn note_rows(mails: &mut BTreeMap<u32, Listed>, uidvalidity: u32, rows: impl Iterator<Item = Row>) {
    for row in rows {
        let Some(uid) = row.uid else { continue };
        let listed = mails.entry(uid).or_insert_with(|| Listed {
            locator: cursor::locator(uidvalidity, uid),
            cursor: Cursor { uidvalidity, last_uid: uid },
            received_at: None,
            size: 0,
        });
        listed.received_at = listed.received_at.or(row.internal_date);
        listed.size = listed.size.max(row.size.unwrap_or(0));
    }
}

fn folder(name: &str) -> Result<String, Fault> {
    quote(&utf7::encode(name), "folder")
}

/// A quoted string (RFC 3501 §4.3); line breaks and NUL cannot be sent.
fn quote(text: &str, what: &str) -> Result<String, Fault> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Fault::new(Kind::Setup, format!("{what} holds a line break or a NUL")));
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}
