//! What is done to mails once they are in the ledger: a flag, or a move into a folder. All of it may be repeated.

use super::{Session, folder};
use crate::config::After;
use crate::mailbox::answer::Row;
use crate::mailbox::cursor::{self, Window};
use crate::mailbox::failure::{Fault, Kind};

/// The keyword of `after = "flag"`.
pub const KEYWORD: &str = "$Taizhang";

impl Session {
    /// Marks or moves mails that are in the ledger; those no longer there are fine.
    pub async fn file(&mut self, uids: Vec<u32>, after: &After) -> Result<(), Fault> {
        for run in cursor::runs(uids) {
            match after {
                After::Flag => self.flag(run).await?,
                After::Move(target) => self.relocate(run, target).await?,
                After::Keep => {}
            }
        }
        Ok(())
    }

    async fn flag(&mut self, run: Window) -> Result<(), Fault> {
        if self.selected.keywords {
            match self.store(run, KEYWORD).await {
                // Some servers promise keywords and then refuse them.
                Err(fault) if matches!(fault.kind, Kind::Refused | Kind::Protocol) => self.selected.keywords = false,
                other => return other,
            }
        }
        self.store(run, "\\Flagged").await
    }

    async fn store(&mut self, run: Window, flag: &str) -> Result<(), Fault> {
        self.run(&format!("UID STORE {} +FLAGS.SILENT ({flag})", run.set())).await.map(drop)
    }

    /// UID MOVE (RFC 6851), else COPY, `\Deleted` and UID EXPUNGE (RFC 4315). Without UIDPLUS the mails stay, marked
    /// `\Deleted`: a plain EXPUNGE would also remove what a person has marked. A crash between COPY and STORE leaves a
    /// second copy in the target folder, nothing worse.
    async fn relocate(&mut self, run: Window, target: &str) -> Result<(), Fault> {
        let target = folder(target)?;
        if self.has("MOVE") {
            return self.put("UID MOVE", run, &target).await;
        }
        let answer = self.run(&format!("UID FETCH {} (UID FLAGS)", run.set())).await?;
        let still_here = |row: &Row| row.uid.filter(|uid| run.holds(*uid) && !row.deleted);
        let left: Vec<u32> = answer.rows().filter_map(|row| still_here(&row)).collect();
        for run in cursor::runs(left) {
            self.put("UID COPY", run, &target).await?;
            self.store(run, "\\Deleted").await?;
        }
        if self.has("UIDPLUS") {
            self.run(&format!("UID EXPUNGE {}", run.set())).await?;
        }
        Ok(())
    }

    /// A refusal may mean that the folder does not exist: if it can be created, it did not.
    async fn put(&mut self, verb: &str, run: Window, target: &str) -> Result<(), Fault> {
        let command = format!("{verb} {} {target}", run.set());
        let fault = match self.run(&command).await {
            Err(fault) if fault.kind == Kind::Refused => fault,
            other => return other.map(drop),
        };
        if self.run(&format!("CREATE {target}")).await.is_err() {
            return Err(fault);
        }
        match self.run(&format!("SUBSCRIBE {target}")).await {
            Err(fault) if !matches!(fault.kind, Kind::Refused | Kind::Protocol) => return Err(fault),
            // Unsubscribed, it is merely hidden in some clients.
            _ => {}
        }
        self.run(&command).await.map(drop)
    }
}
