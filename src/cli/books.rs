//! What `check` says of the books: each mailbox against the ledger, the stored mail, and mail that waits to be sent.
//!
//! A mail that was passed by is fetched at once where nobody else takes the mail of this ledger (it is what the next
//! night would do); else it is noted, and the daemon fetches it at its next look.

use anyhow::Result;
use serde_json::{Value, json};

use super::Office;
use super::check::Line;
use crate::config::Mailbox;
use crate::db::{Db, Lock};
use crate::jobs::alarm;
use crate::jobs::balance::{self, Desk, Repair, files, seals};
use crate::jobs::take::TakeError;
use crate::mailbox::Connection;

/// The ledger, and the right to take mail into it unless another process has that.
pub struct Books {
    db: Db,
    lock: Option<Lock>,
}

impl Books {
    /// `None` without a usable ledger, which has a line of its own.
    pub async fn open(office: &Office) -> Option<Self> {
        let db = office.db().await.ok()?;
        let lock = Lock::acquire(db.dir()).ok();
        Some(Self { db, lock })
    }

    pub async fn mailbox(&self, office: &Office, mailbox: &Mailbox, connection: &mut Connection) -> Line {
        let what = format!("mailbox {} balance", mailbox.name);
        match self.weigh(office, mailbox, connection).await {
            Ok((ok, text, detail)) => Line { what, result: if ok { Ok(text) } else { Err(text) }, detail },
            Err(error) => Line { what, result: Err(format!("{error:#}")), detail: Value::Null },
        }
    }

    async fn weigh(
        &self,
        office: &Office,
        mailbox: &Mailbox,
        connection: &mut Connection,
    ) -> Result<(bool, String, Value)> {
        let night = balance::newest(&self.db, &mailbox.name).await?;
        let desk = Desk { db: &self.db, config: &office.config, mailbox, now: office.clock.now() };
        let repair = if self.lock.is_some() { Repair::Fetch } else { Repair::Leave };
        let account = match desk.balance(connection, repair).await {
            Ok(account) => account,
            Err(TakeError::Own(error)) => return Err(error),
            Err(failure) => return Ok((false, failure.to_string(), Value::Null)),
        };
        let mut text = account.to_string();
        if !account.missing.is_empty() {
            text += match repair {
                Repair::Fetch => "; they could not be fetched now and are tried again",
                Repair::Leave => "; the running taizhang fetches them at its next look",
            };
        }
        if account.unseen > 0 {
            text += "; look into the web mail, and ask the provider if it stays so";
        }
        Ok((account.balances(), text, json!({ "balance": account, "before": night })))
    }

    /// The rest: one line each.
    pub async fn others(&self, office: &Office) -> Vec<Line> {
        let sending = match self.stuck(office).await {
            Ok(None) => None,
            Ok(Some(text)) => Some(Err(text)),
            Err(error) => Some(Err(format!("{error:#}"))),
        };
        let stored = match self.stored(office).await {
            Ok(result) => result,
            Err(error) => Err(format!("{error:#}")),
        };
        let seals = match self.sealed().await {
            Ok(result) => result,
            Err(error) => Err(format!("{error:#}")),
        };
        let line = |what: &str, result| Line { what: what.to_owned(), result, detail: Value::Null };
        let sending = sending.map(|result| line("mail that waits", result));
        [Some(line("stored mail", stored)), Some(line("stored ledger", seals)), sending].into_iter().flatten().collect()
    }

    async fn stuck(&self, office: &Office) -> Result<Option<String>> {
        let mut conn = self.db.pool().acquire().await?;
        let stuck = alarm::stuck(&mut conn, &office.config, office.clock.now()).await?;
        Ok(stuck.map(|stuck| {
            let since = stuck.since.with_timezone(&office.config.timezone).format("%Y-%m-%d %H:%M");
            format!("{} wait since {since}, nothing can be sent: {}", stuck.waiting, stuck.reason)
        }))
    }

    async fn sealed(&self) -> Result<Result<String, String>> {
        let broken = seals::broken(&self.db).await?;
        let some: Vec<String> = broken.iter().take(20).map(ToString::to_string).collect();
        Ok(match broken.len() {
            0 => Ok("as it was written".to_owned()),
            n => Err(format!("{n} matters were changed by something else ({}); run taizhang verify", some.join(", "))),
        })
    }

    async fn stored(&self, office: &Office) -> Result<Result<String, String>> {
        let since = files::last(&mut *self.db.pool().acquire().await?, office.clock.now()).await?;
        let found = files::inspect(&self.db, since).await?;
        let lost: Vec<String> = found.lost.iter().take(20).map(ToString::to_string).collect();
        Ok(match found.lost.len() {
            0 => Ok(format!("{} mails", found.files)),
            n => Err(format!(
                "{n} of {} mails are gone or were changed (messages {}); restore mail/ in data_dir from the backup",
                found.files,
                lost.join(", ")
            )),
        })
    }
}
