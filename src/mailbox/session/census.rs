//! Everything that a folder holds now, counted against what the server says it holds.
//!
//! The walk goes by sequence number, a bounded range a command: so every range must bring as many mails as it asks for,
//! an answer cut short is noticed, and neither gaps between UIDs nor a missing UIDNEXT matter. The numbers stand still
//! meanwhile, since a server may not tell of an expunged mail while it answers FETCH (RFC 3501 §7.4.1). It is also
//! another way than the one by which new mail is found, so that neither hides what the other overlooks.

use std::collections::BTreeMap;

use super::{Session, folder, note_rows};
use crate::config::After;
use crate::mailbox::answer::Item;
use crate::mailbox::cursor::Cursor;
use crate::mailbox::failure::{Fault, Kind};
use crate::mailbox::{Census, Listed, Listing};

/// Mails asked for by one command.
const RANGE: u32 = 1000;
/// What is asked of each mail, and all that is asked where an answer cannot be parsed.
const WHOLE: &str = "UID INTERNALDATE RFC822.SIZE";
const BARE: &str = "UID";

impl Session {
    /// All mails of the folder. Where the server shows fewer than it counts, it is asked a second time. `bare`: without
    /// their dates and sizes.
    pub async fn census(&mut self, after: &After, bare: bool) -> Result<Census, Fault> {
        let columns = if bare { BARE } else { WHOLE };
        let (mut mails, mut unseen) = self.count(columns).await?;
        if unseen > 0 {
            (mails, unseen) = self.count(columns).await?;
        }
        let moved_to = match after {
            After::Move(target) => self.messages(target).await?,
            After::Flag | After::Keep => None,
        };
        // Opening the folder again has swallowed whatever the server would have told of a mail that came meanwhile.
        self.news = true;
        Ok(Census { uidvalidity: Some(self.selected.uidvalidity), mails, unseen, moved_to })
    }

    /// What is new, found by looking at every mail: for a listing whose answer cannot be parsed. Dates and sizes, which
    /// trip the parser in some servers' answers, are left out.
    pub async fn list_bare(&mut self, cursor: Cursor) -> Result<Listing, Fault> {
        let (mut new, _) = self.count(BARE).await?;
        let uidvalidity = self.selected.uidvalidity;
        let read = if cursor.uidvalidity == uidvalidity { cursor.last_uid } else { 0 };
        new.retain(|listed| listed.cursor.last_uid > read);
        let last_uid = new.last().map_or(read, |listed| listed.cursor.last_uid);
        Ok(Listing { cursor: Cursor { uidvalidity, last_uid }, new, more: false })
    }

    /// Mails by UID, and how many the server counts beyond these.
    async fn count(&mut self, columns: &str) -> Result<(Vec<Listed>, u32), Fault> {
        self.select().await?;
        self.broke_off = None;
        let counted = self.exists;
        let uidvalidity = self.selected.uidvalidity;
        let mut mails: BTreeMap<u32, Listed> = BTreeMap::new();
        let mut first = 1;
        while first <= counted {
            let last = counted.min(first.saturating_add(RANGE - 1));
            let answer = self.run(&format!("FETCH {first}:{last} ({columns})")).await?;
            note_rows(&mut mails, uidvalidity, answer.rows());
            let Some(next) = last.checked_add(1) else { break };
            first = next;
        }
        if mails.len() < counted as usize {
            // Now it may tell what was expunged meanwhile.
            self.run("NOOP").await?;
        }
        let counted = counted.min(self.exists) as usize;
        let unseen = u32::try_from(counted.saturating_sub(mails.len())).unwrap_or(u32::MAX);
        Ok((mails.into_values().collect(), unseen))
    }

    /// How many mails another folder holds (STATUS, RFC 3501 §6.3.10); `None` if it is not there.
    async fn messages(&mut self, name: &str) -> Result<Option<u32>, Fault> {
        match self.run(&format!("STATUS {} (MESSAGES)", folder(name)?)).await {
            Ok(answer) => Ok(answer.items.iter().find_map(|item| match item {
                Item::Messages(n) => Some(*n),
                _ => None,
            })),
            Err(fault) if fault.kind == Kind::Refused => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
