//! Balance: each night, and whenever `check` asks, what a mailbox holds is counted against what the ledger has of it.
//! A mail that was passed by is fetched, by the same way as any other; what is still missing then is told.
//!
//! It belongs to the look at a mailbox and uses its session, since providers count logins. Whether it is due is read
//! from its own rows (table `balance`).

pub mod account;
pub mod books;
pub mod files;
pub mod seals;

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::Row as _;
use tracing::{info, warn};

use super::take::fetch::{Taker, Tally};
use super::take::{self, TakeError};
use crate::config::{Config, Mailbox};
use crate::db::Db;
use crate::mailbox::{Census, Connection, Listed, cursor};
use account::{Account, Known, Unknown, weigh};

/// A census that failed, or left something missing, is made again after this; what cannot be fetched is given up at
/// the third time.
const AGAIN: TimeDelta = TimeDelta::hours(1);
/// After so many attempts a mail is left in its mailbox.
const GIVEN_UP: u32 = 3;

/// One mailbox whose books are looked at.
pub struct Desk<'a> {
    pub db: &'a Db,
    pub config: &'a Config,
    pub mailbox: &'a Mailbox,
    pub now: DateTime<Utc>,
}

/// What is done about a mail that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    Fetch,
    /// Somebody else takes the mail of this ledger; it is only told, and noted for whoever does.
    Leave,
}

impl Desk<'_> {
    /// The night's balance, if it is time for it.
    ///
    /// # Errors
    /// [`TakeError::Mailbox`] when the mailbox cannot be counted (noted, and tried again an hour later).
    pub async fn when_due(&self, connection: &mut Connection) -> Result<Option<Account>, TakeError> {
        if !self.is_due().await? {
            return Ok(None);
        }
        match self.balance(connection, Repair::Fetch).await {
            Err(TakeError::Mailbox(failure)) => {
                self.note_failure(&failure.to_string()).await?;
                Err(failure.into())
            }
            other => other.map(Some),
        }
    }

    /// Counts, fetches what is missing, counts again if anything was, and notes how it stands.
    pub async fn balance(&self, connection: &mut Connection, repair: Repair) -> Result<Account, TakeError> {
        let (mut account, left) = self.count(connection).await?;
        if repair == Repair::Fetch && !left.is_empty() {
            if !account.missing.is_empty() {
                let mails = cursor::shown(&account.missing);
                warn!(mailbox = self.mailbox.name, mails, "mails were passed by; they are fetched now");
            }
            let taker = Taker { db: self.db, mailbox: self.mailbox, now: self.now };
            taker.take(connection, &left, &mut Tally::default()).await?;
            (account, _) = self.count(connection).await?;
            account.fetched = self.stored_of(left).await?;
        }
        let equation = account.to_string();
        match account.balances() {
            true => info!(mailbox = self.mailbox.name, equation, "the books balance"),
            false => warn!(mailbox = self.mailbox.name, equation, "the books do not balance"),
        }
        self.note(&account, repair).await?;
        Ok(account)
    }

    /// The account, and the mails to fetch: the missing ones, and those that are to be tried again.
    async fn count(&self, connection: &mut Connection) -> Result<(Account, Vec<Listed>), TakeError> {
        let read = take::read_cursor(self.db, &self.mailbox.name).await?;
        let census = connection.census().await?;
        // Read after the census: what is taken meanwhile by another look is not missing.
        let known = self.known(&census).await?;
        let unknown = |listed: &Listed| match census.uidvalidity {
            Some(validity) if read.uidvalidity == validity && listed.cursor.last_uid <= read.last_uid => {
                let undated = self.mailbox.since.is_some() && listed.received_at.is_none();
                let old = undated || take::too_old(self.config, self.mailbox, listed);
                if old { Unknown::Old } else { Unknown::Missing }
            }
            _ => Unknown::New,
        };
        let account = weigh(&census, &known, unknown);
        let left = |listed: &Listed| match known.get(&listed.locator) {
            Some(known) => *known == Known::PutOff,
            None => unknown(listed) == Unknown::Missing,
        };
        let left = census.mails.iter().filter(|listed| left(listed)).cloned().collect();
        Ok((account, left))
    }

    /// What the ledger knows of this mailbox, by locator.
    async fn known(&self, census: &Census) -> Result<HashMap<String, Known>> {
        let (name, pool) = (&self.mailbox.name, self.db.pool());
        let mut known = HashMap::new();
        let old = sqlx::query_scalar("SELECT locator FROM passed_over WHERE mailbox = ? AND since <= ?");
        let old: Vec<String> = old.bind(name).bind(self.mailbox.since).fetch_all(pool).await?;
        known.extend(old.into_iter().map(|locator| (locator, Known::Old)));
        let left = sqlx::query_as("SELECT locator, attempts FROM unfetched WHERE mailbox = ?");
        let left: Vec<(String, u32)> = left.bind(name).fetch_all(pool).await?;
        let fate = |attempts| if attempts < GIVEN_UP { Known::PutOff } else { Known::GivenUp };
        known.extend(left.into_iter().map(|(locator, attempts)| (locator, fate(attempts))));
        let stored = sqlx::query_as(
            "SELECT s.locator, m.disposition, s.moved FROM sighting s JOIN message m ON m.id = s.message WHERE s.mailbox = ?",
        );
        let stored: Vec<(String, Option<String>, bool)> = stored.bind(name).fetch_all(pool).await?;
        let ours = stored.into_iter().filter(|(locator, _, moved)| *moved || census.speaks_of(locator));
        known.extend(ours.map(|(locator, disposition, moved)| (locator, Known::Stored { disposition, moved })));
        Ok(known)
    }

    /// Those of these mails that the ledger has by now.
    async fn stored_of(&self, mails: Vec<Listed>) -> Result<Vec<String>> {
        let mut stored = Vec::new();
        for Listed { locator, .. } in mails {
            let found = sqlx::query("SELECT 1 FROM sighting WHERE mailbox = ? AND locator = ?");
            let found = found.bind(&self.mailbox.name).bind(&locator).fetch_optional(self.db.pool()).await?;
            stored.extend(found.is_some().then_some(locator));
        }
        Ok(stored)
    }

    async fn is_due(&self) -> Result<bool> {
        let row = sqlx::query(
            "SELECT at, missing > 0 OR failure IS NOT NULL, repaired FROM balance WHERE mailbox = ? ORDER BY at DESC LIMIT 1",
        );
        let row = row.bind(&self.mailbox.name).fetch_optional(self.db.pool()).await?;
        let last = row.map(|r| Last { at: r.get(0), unfinished: r.get(1), repaired: r.get(2) });
        let next = last.as_ref().and_then(|last| {
            let at = last.at.with_timezone(&self.config.timezone);
            self.config.department.balance.next_after(at).map(|next| next.to_utc())
        });
        Ok(last.is_none_or(|last| last.is_over(next, self.now)))
    }

    async fn note(&self, account: &Account, repair: Repair) -> Result<()> {
        let before = self.gone_before().await?;
        let insert = sqlx::query(
            "INSERT INTO balance (mailbox, at, account, missing, gone, repaired) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (mailbox, at) DO UPDATE SET account = excluded.account, missing = excluded.missing,
             gone = gone + excluded.gone, repaired = excluded.repaired, failure = NULL",
        );
        self.forget_the_future().await?;
        insert
            .bind(&self.mailbox.name)
            .bind(self.now)
            .bind(serde_json::to_string(account)?)
            .bind(i64::try_from(account.missing.len() + account.put_off.len())?)
            .bind(i64::try_from(account.gone.saturating_sub(before))?)
            .bind(repair == Repair::Fetch)
            .execute(self.db.pool())
            .await?;
        Ok(())
    }

    async fn note_failure(&self, failure: &str) -> Result<()> {
        let insert = sqlx::query(
            "INSERT OR REPLACE INTO balance (mailbox, at, account, missing, gone, repaired, failure) VALUES (?, ?, '', 0, 0, 1, ?)",
        );
        self.forget_the_future().await?;
        insert.bind(&self.mailbox.name).bind(self.now).bind(failure).execute(self.db.pool()).await?;
        Ok(())
    }

    /// Rows of a clock that was ahead would be the newest for long.
    async fn forget_the_future(&self) -> Result<()> {
        let delete = sqlx::query("DELETE FROM balance WHERE mailbox = ? AND at > ?");
        delete.bind(&self.mailbox.name).bind(self.now).execute(self.db.pool()).await?;
        Ok(())
    }

    /// How many were gone at the last count.
    async fn gone_before(&self) -> Result<usize> {
        let sql = "SELECT account FROM balance WHERE mailbox = ? AND failure IS NULL ORDER BY at DESC LIMIT 1";
        let row: Option<String> =
            sqlx::query_scalar(sql).bind(&self.mailbox.name).fetch_optional(self.db.pool()).await?;
        let account = row.map(|json| serde_json::from_str::<Account>(&json)).transpose()?;
        Ok(account.map_or(0, |account| account.gone))
    }
}

/// How a mailbox stood when it was counted last.
#[derive(Clone, Debug, Serialize)]
pub struct Noted {
    pub at: DateTime<Utc>,
    /// `None` if it could not be counted.
    pub account: Option<Account>,
    pub failure: Option<String>,
}

pub async fn newest(db: &Db, mailbox: &str) -> Result<Option<Noted>> {
    let row = sqlx::query_as("SELECT at, account, failure FROM balance WHERE mailbox = ? ORDER BY at DESC LIMIT 1");
    let row: Option<(DateTime<Utc>, String, Option<String>)> = row.bind(mailbox).fetch_optional(db.pool()).await?;
    row.map(|(at, account, failure)| {
        let account = if failure.is_some() { None } else { Some(serde_json::from_str(&account)?) };
        Ok(Noted { at, account, failure })
    })
    .transpose()
}

/// The newest row, as far as it says when the next follows.
struct Last {
    at: DateTime<Utc>,
    /// Something was missing, or it could not be counted.
    unfinished: bool,
    repaired: bool,
}

impl Last {
    /// `next`: the first scheduled time after it.
    fn is_over(&self, next: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let unfinished = self.unfinished && (!self.repaired || now - self.at >= AGAIN);
        self.at > now || unfinished || next.is_some_and(|next| next <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    #[test]
    fn it_is_made_at_its_time_again_an_hour_after_it_left_something_and_at_once_when_it_was_only_looked_at() {
        let next = Some(at("2011-09-21T18:30:00Z"));
        let over = |unfinished, repaired, now| {
            Last { at: at("2011-09-20T18:30:00Z"), unfinished, repaired }.is_over(next, at(now))
        };
        assert!(!over(false, true, "2011-09-21T18:29:00Z"));
        assert!(over(false, true, "2011-09-21T18:30:00Z"));
        assert!(!over(true, true, "2011-09-20T19:29:00Z"));
        assert!(over(true, true, "2011-09-20T19:30:00Z"));
        assert!(over(true, false, "2011-09-20T18:31:00Z"));
        assert!(over(false, true, "2011-09-20T18:29:00Z"), "the clock was ahead");
    }
}
