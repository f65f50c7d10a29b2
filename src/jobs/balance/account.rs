//! The equation of one mailbox: what it holds is what is stored, by disposition, and what was left there for a reason;
//! every mail that is neither breaks it. Pure.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::mailbox::{Census, Listed, cursor};

/// What the ledger knows of a mail in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Stored {
        /// `None`: not processed yet.
        disposition: Option<String>,
        /// We have moved it to another folder.
        moved: bool,
    },
    /// It could not be fetched, and is tried again.
    PutOff,
    /// It could not be fetched three times.
    GivenUp,
    /// From before the mailbox's `since`.
    Old,
}

/// What an unknown mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The next look takes it.
    New,
    Old,
    /// It was passed by.
    Missing,
}

/// One mailbox at one time. `on_server` is the sum of all that follows it, but for `gone` and what was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub on_server: usize,
    /// By disposition; `unread`: not processed yet.
    pub stored: BTreeMap<String, usize>,
    /// Locators of mails that could not be fetched, for ever and for now: a person can look for them in the web mail.
    pub given_up: Vec<String>,
    pub put_off: Vec<String>,
    pub old: usize,
    /// Came since the last look.
    pub new: usize,
    /// The server counts them and does not show them.
    pub unseen: usize,
    /// Locators of mails that the ledger should have and has not.
    pub missing: Vec<String>,
    /// Locators of mails that were missing and have now been fetched.
    pub fetched: Vec<String>,
    /// Stored mails that ought to be there and are not: somebody has deleted or moved them.
    pub gone: usize,
    /// Mails that we have moved, ever, and what the folder holds that we move to.
    #[serde(default)]
    pub moved: Option<(usize, u32)>,
}

/// Weighs a census against the ledger. `unknown` judges the mails that it does not know.
pub fn weigh(census: &Census, known: &HashMap<String, Known>, unknown: impl Fn(&Listed) -> Unknown) -> Account {
    let unseen = census.unseen as usize;
    let mut account = Account { on_server: census.mails.len() + unseen, unseen, ..Account::default() };
    let mut there = 0;
    for listed in &census.mails {
        let known = known.get(&listed.locator);
        there += usize::from(matches!(known, Some(Known::Stored { moved: false, .. })));
        match known {
            Some(Known::Stored { disposition, .. }) => {
                let word = disposition.as_deref().unwrap_or("unread");
                *account.stored.entry(word.to_owned()).or_default() += 1;
            }
            Some(Known::PutOff) => account.put_off.push(listed.locator.clone()),
            Some(Known::GivenUp) => account.given_up.push(listed.locator.clone()),
            Some(Known::Old) => account.old += 1,
            None => match unknown(listed) {
                Unknown::New => account.new += 1,
                Unknown::Old => account.old += 1,
                Unknown::Missing => account.missing.push(listed.locator.clone()),
            },
        }
    }
    let ours = |(locator, known): &(&String, &Known)| {
        matches!(known, Known::Stored { moved: false, .. }) && census.speaks_of(locator)
    };
    // What the server does not show may be there.
    account.gone = known.iter().filter(ours).count().saturating_sub(there + unseen);
    let moved = |known: &&Known| matches!(known, Known::Stored { moved: true, .. });
    account.moved = census.moved_to.map(|holds| (known.values().filter(moved).count(), holds));
    account
}

impl Account {
    /// Every mail is accounted for.
    pub fn balances(&self) -> bool {
        self.missing.is_empty() && self.unseen == 0
    }
}

/// `214 on the server = 180 accepted + 32 news + 2 missing (UID 4, 7-9)`
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored = self.stored.iter().map(|(word, n)| (*n, word.clone()));
        let named = |word: &str, mails: &[String]| (mails.len(), format!("{word} ({})", cursor::shown(mails)));
        let counted = |n: usize, word: &str| (n, word.to_owned());
        let left = [
            named("given up", &self.given_up),
            named("to be tried again", &self.put_off),
            counted(self.old, "older than `since`"),
            counted(self.new, "new"),
            counted(self.unseen, "that the server does not show"),
            named("missing", &self.missing),
        ];
        let terms = stored.chain(left);
        let terms: Vec<String> = terms.filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        write!(f, "{} on the server", self.on_server)?;
        if !terms.is_empty() {
            write!(f, " = {}", terms.join(" + "))?;
        }
        if !self.fetched.is_empty() {
            write!(f, "; fetched just now: {}", cursor::shown(&self.fetched))?;
        }
        if self.gone > 0 {
            write!(f, "; {} no longer there, kept here", self.gone)?;
        }
        if let Some((moved, holds)) = self.moved {
            write!(f, "; {moved} moved away, to a folder of {holds}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Cursor;
    use proptest::prelude::*;

    fn listed(uid: u32) -> Listed {
        let cursor = Cursor { uidvalidity: 7, last_uid: uid };
        Listed { locator: format!("7:{uid}"), cursor, received_at: None, size: 1 }
    }

    fn census(uids: impl IntoIterator<Item = u32>) -> Census {
        Census { uidvalidity: Some(7), mails: uids.into_iter().map(listed).collect(), ..Census::default() }
    }

    fn stored(disposition: &str) -> Known {
        Known::Stored { disposition: Some(disposition.to_owned()), moved: false }
    }

    fn ledger<const N: usize>(rows: [(&str, Known); N]) -> HashMap<String, Known> {
        rows.into_iter().map(|(locator, known)| (locator.to_owned(), known)).collect()
    }

    /// Up to UID 8 the folder was read.
    fn read(listed: &Listed) -> Unknown {
        if listed.cursor.last_uid > 8 { Unknown::New } else { Unknown::Missing }
    }

    #[test]
    fn the_equation_names_every_mail_and_what_has_left() {
        let known = ledger([
            ("7:1", stored("accepted")),
            ("7:2", stored("news")),
            ("7:3", Known::Stored { disposition: None, moved: false }),
            ("7:5", Known::GivenUp),
            ("7:10", Known::PutOff),
            ("7:11", Known::PutOff),
            ("7:6", stored("accepted")),
            ("7:8", Known::Stored { disposition: Some("accepted".to_owned()), moved: true }),
            ("6:1", stored("accepted")),
        ]);
        let account = weigh(&Census { moved_to: Some(4), ..census([1, 2, 3, 4, 5, 7, 9, 10, 11]) }, &known, read);
        assert_eq!(
            account.to_string(),
            "9 on the server = 1 accepted + 1 news + 1 unread + 1 given up (UID 5) + \
             2 to be tried again (UID 10-11) + 1 new + 2 missing (UID 4, 7); \
             1 no longer there, kept here; 1 moved away, to a folder of 4"
        );
        assert!(!account.balances());
    }

    #[test]
    fn what_the_server_counts_and_does_not_show_is_not_taken_for_deleted() {
        let short = Census { unseen: 1, ..census([1]) };
        let account = weigh(&short, &ledger([("7:1", stored("news")), ("7:2", stored("news"))]), read);
        assert_eq!((account.on_server, account.gone, account.balances()), (2, 0, false));
    }

    #[test]
    fn a_maildir_s_names_are_not_confused_with_those_of_the_imap_folder_it_once_was() {
        let known = ledger([("7:1", stored("news")), ("1316.M1", stored("news"))]);
        let account = weigh(&Census::default(), &known, read);
        assert_eq!((account.gone, account.on_server), (1, 0));
        assert_eq!(weigh(&census([1]), &known, read).gone, 0);
    }

    fn known() -> impl Strategy<Value = Known> {
        prop_oneof![
            (any::<bool>(), any::<bool>()).prop_map(|(processed, moved)| Known::Stored {
                disposition: processed.then(|| "news".to_owned()),
                moved
            }),
            Just(Known::PutOff),
            Just(Known::GivenUp),
            Just(Known::Old),
        ]
    }

    proptest! {
        #[test]
        fn both_sides_are_equal_and_each_mail_counts_once(
            uids in proptest::collection::btree_set(1u32..60, 0..40),
            rows in proptest::collection::hash_map(1u32..60, known(), 0..40),
            unseen in 0u32..5,
        ) {
            let rows: HashMap<String, Known> = rows.into_iter().map(|(uid, k)| (format!("7:{uid}"), k)).collect();
            let census = Census { unseen, ..census(uids.iter().copied()) };
            let a = weigh(&census, &rows, read);
            let sum = a.stored.values().sum::<usize>() + a.given_up.len() + a.put_off.len() + a.old + a.new + a.unseen + a.missing.len();
            prop_assert_eq!(a.on_server, sum);
            prop_assert_eq!(a.on_server, uids.len() + unseen as usize);
            for uid in &uids {
                let locator = format!("7:{uid}");
                prop_assert_eq!(a.missing.contains(&locator), *uid <= 8 && !rows.contains_key(&locator));
            }
            let expected = |(l, k): &(&String, &Known)| {
                matches!(k, Known::Stored { moved: false, .. }) && !uids.iter().any(|u| format!("7:{u}") == **l)
            };
            prop_assert_eq!(a.gone, rows.iter().filter(expected).count().saturating_sub(unseen as usize));
        }
    }
}
