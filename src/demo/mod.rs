//! The demo: an invented district's month, told in mail and lived through by the same passes that the daemon runs.

pub mod district;
pub mod forms;
pub mod locked;
pub mod mime;
mod names;
pub mod organisations;
pub mod reply;
pub mod returns;
pub mod sheets;
pub mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, FixedOffset, Utc};

use crate::clock::Clock;
use crate::config::{Config, load};
use crate::db::{Db, private_dir};
use crate::jobs::{pass, publish};
use crate::ledger::obligation::Obligation;
use crate::ledger::query;
use crate::period::Period;
use crate::report::table::Edition;
use story::{Delivery, story};

/// A file that only the demo writes: the sign that a folder is an old demo and may be written anew.
const SIGN: &str = "demo-district.txt";

/// One stop of the simulated clock.
pub struct Step {
    pub at: DateTime<FixedOffset>,
    pub what: &'static str,
    pub passed: pass::Passed,
}

/// What the month left behind.
pub struct Lived {
    pub config: PathBuf,
    pub period: Period,
    pub obligations: Vec<Obligation>,
    pub sent: PathBuf,
    pub workbook: PathBuf,
    pub circular: PathBuf,
}

/// Lays out the district in `dir` and lives through its month. `told` hears of every stop.
///
/// # Errors
/// The folder holds something else, or cannot be written.
pub async fn live(dir: &Path, mut told: impl FnMut(&Step)) -> Result<Lived> {
    let config = lay_out(dir)?;
    let db = Db::open(&config.data_dir).await?;
    let story = story();
    let mut mails = story.mails.iter().peekable();
    let mut replies = story.replies.iter().peekable();
    let mut last = DateTime::<Utc>::MIN_UTC;
    for stop in &story.stops {
        while let Some(mail) = mails.next_if(|m| m.at <= stop.at) {
            deliver(dir, mail)?;
        }
        while let Some(reply) = replies.next_if(|r| r.at <= stop.at) {
            deliver(dir, &reply.write(&dir.join("sent"))?)?;
        }
        last = stop.at.to_utc();
        let passed = pass::pass(&db, &config, Clock::Fixed(last)).await?;
        told(&Step { at: stop.at, what: stop.what, passed });
    }
    end(dir, &config, &db, last).await
}

fn lay_out(dir: &Path) -> Result<Arc<Config>> {
    if dir.exists() {
        let empty = std::fs::read_dir(dir).with_context(|| format!("{} is no folder", dir.display()))?.next().is_none();
        ensure!(
            empty || dir.join(SIGN).is_file(),
            "{} holds something else; name another folder with --dir",
            dir.display()
        );
        std::fs::remove_dir_all(dir).with_context(|| format!("{} cannot be emptied", dir.display()))?;
    }
    private_dir(dir).with_context(|| format!("{} cannot be created", dir.display()))?;
    std::fs::write(dir.join(SIGN), "Written by `taizhang demo`, which also deletes this folder when it runs again.\n")?;
    std::fs::write(dir.join("units.csv"), district::registry_csv())?;
    let file = dir.join("taizhang.toml");
    std::fs::write(&file, district::config_toml())?;
    for mailbox in ["nonpublic", "social", "news"] {
        for folder in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(dir.join("mail").join(mailbox).join(folder))?;
        }
    }
    Ok(Arc::new(load::load(&file)?))
}

/// As a mail server does it: written aside, then moved to its place.
fn deliver(dir: &Path, mail: &Delivery) -> Result<()> {
    let maildir = dir.join("mail").join(mail.mailbox);
    let aside = maildir.join("tmp").join(&mail.file_name);
    std::fs::write(&aside, &mail.raw)?;
    Ok(std::fs::rename(aside, maildir.join("new").join(&mail.file_name))?)
}

/// The workbook and the circular as they went out last, and how the month ended.
async fn end(dir: &Path, config: &Arc<Config>, db: &Db, now: DateTime<Utc>) -> Result<Lived> {
    let period = Period::open_at(now.with_timezone(&config.timezone));
    let built = publish::build(db, config, period, Edition::Final, now).await?;
    let (workbook, circular) = (dir.join(&built.workbook.name), dir.join(&built.circular.name));
    std::fs::write(&workbook, &built.workbook.bytes)?;
    std::fs::write(&circular, &built.circular.bytes)?;
    let obligations = query::obligations(&mut *db.pool().acquire().await?, config, period, now).await?;
    Ok(Lived { config: dir.join("taizhang.toml"), period, obligations, sent: dir.join("sent"), workbook, circular })
}
