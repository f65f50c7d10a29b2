//! Verify: whether the ledger is what was stored, and what the stored mail says. It looks at one moment, beside a daemon, and
//! writes nothing there.
//!
//! The database is checked as SQLite can; each raw mail against its digest, which is its name; each seal against the rows it
//! covers; and all mail is read once more, with the recorded decisions, into a ledger of its own ([`replay`]), which is then
//! compared with the one in use ([`compare`]).

mod cause;
mod compare;
mod replay;
mod stored;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::SqliteConnection;

use crate::config::Config;
use crate::db::seal::{self, Basis, Broken, Subject};
use crate::db::{self, Db, upgrade};
pub use cause::Cause;
use cause::Causes;
pub use compare::Difference;
pub use stored::Lost;

/// Of seals and differences so many are listed; the others are counted.
pub const LISTED: usize = 10_000;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What SQLite finds wrong with the file.
    pub database: Vec<String>,
    pub mails: usize,
    /// Raw mails that are gone or were changed.
    pub lost: Vec<Lost>,
    /// Files in `mail/` that belong to no message.
    pub unknown_files: Vec<String>,
    pub seals: usize,
    pub broken: List<BrokenSeal>,
    /// `None`: nothing was read again.
    pub reading: Option<Reading>,
}

/// What reading everything again came to.
#[derive(Debug, Default, Serialize)]
pub struct Reading {
    pub assessments: i64,
    pub differences: List<Difference>,
}

/// At most [`LISTED`] of what there is.
#[derive(Debug, Serialize)]
pub struct List<T> {
    pub total: usize,
    pub listed: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { total: 0, listed: Vec::new() }
    }
}

impl<T> List<T> {
    fn add(&mut self, item: T) {
        self.total += 1;
        if self.listed.len() < LISTED {
            self.listed.push(item);
        }
    }
}

/// A subject that is not as it was sealed.
#[derive(Debug, Serialize)]
pub struct BrokenSeal {
    #[serde(flatten)]
    pub subject: Subject,
    pub how: Broken,
    /// When it was sealed last.
    pub sealed_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Report {
    /// Something that was stored is not there any more as it was stored.
    pub fn is_damaged(&self) -> bool {
        !self.database.is_empty() || !self.lost.is_empty() || self.broken.total > 0
    }

    /// A person has to look.
    pub fn needs_person(&self) -> bool {
        !self.unknown_files.is_empty() || self.reading.as_ref().is_some_and(|reading| reading.differences.total > 0)
    }
}

/// How far it is: of what, how much, of how much.
pub type Progress<'p> = &'p mut (dyn FnMut(&'static str, u64, u64) + Send);

/// Only its owner can enter.
pub(super) fn private() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o700)
}

/// All that can be seen without reading any mail again.
///
/// # Errors
/// The ledger or the folder cannot be read at all.
pub async fn quick(dir: &Path, progress: Progress<'_>) -> Result<Report> {
    let mut conn = db::snapshot(dir).await?;
    look(&mut conn, dir, progress).await
}

async fn look(conn: &mut SqliteConnection, dir: &Path, progress: Progress<'_>) -> Result<Report> {
    let mut report = Report { database: upgrade::problems(conn).await?, ..Report::default() };
    (report.mails, report.lost) = stored::files(conn, dir, &mut *progress).await?;
    let (mut broken, kinds) = (Vec::new(), seal::kinds());
    for (i, kind) in kinds.iter().enumerate() {
        progress("seals", i as u64, kinds.len() as u64);
        report.seals += seal::check(conn, kind, |subject, how| broken.push((subject, how))).await?;
    }
    for (subject, how) in broken {
        let sealed_at = seal::basis_of(conn, &subject).await?.map(|(_, at)| at);
        report.broken.add(BrokenSeal { subject, how, sealed_at });
    }
    report.unknown_files = stored::unknown(conn, dir).await?;
    Ok(report)
}

/// The same, and all mail read again by these settings.
///
/// # Errors
/// The ledger cannot be read, no temporary ledger can be written, or no workbook can be opened at all.
pub async fn full(config: &Arc<Config>, progress: Progress<'_>) -> Result<Report> {
    let dir = &config.data_dir;
    let mut live = db::snapshot(dir).await?;
    let mut report = look(&mut live, dir, &mut *progress).await?;
    let folder = tempfile::Builder::new()
        .prefix("taizhang-verify.")
        .permissions(private())
        .tempdir()
        .context("no temporary folder")?;
    let mail = std::path::absolute(dir.join("mail"))?;
    std::os::unix::fs::symlink(mail, folder.path().join("mail")).context("the temporary folder cannot be used")?;
    let fresh = Db::scratch(folder.path()).await.context("no temporary ledger")?;
    let assessments = match replay::replay(&mut live, (&fresh, config), progress).await {
        Ok(assessments) => assessments,
        // What was changed may well not even be readable.
        Err(error) if report.is_damaged() => {
            report.database.push(format!("the mail cannot be read again: {error:#}"));
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    let mut fresh = fresh.pool().acquire().await?;
    let mut differences = List::default();
    let mut causes = Causes::of(&report, Basis::of(config));
    for table in compare::TABLES {
        let mut found = List::default();
        compare::table(&mut live, &mut fresh, table, |difference| found.add(difference)).await?;
        differences.total += found.total - found.listed.len();
        for mut difference in found.listed {
            difference.cause = causes.of_difference((&mut live, &mut fresh), &difference).await?;
            differences.add(difference);
        }
    }
    report.reading = Some(Reading { assessments, differences });
    Ok(report)
}
