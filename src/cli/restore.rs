//! `restore`: a backup becomes a data folder again. It needs no configuration: on a new machine there is none yet.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::ingest::bar;
use super::verify::{outcome, show};
use super::{Outcome, log_to_stderr, print};
use crate::jobs::restore;

pub async fn run(file: &Path, dir: &Path, as_json: bool) -> Result<Outcome> {
    log_to_stderr("info");
    let bar = bar(0, "restore");
    let mut progress = |what: &'static str, done: u64, of: u64| {
        bar.set_prefix(what);
        bar.set_length(of);
        bar.set_position(done);
    };
    let (about, report) = restore::restore(file, dir, &mut progress).await?;
    bar.finish_and_clear();
    if as_json {
        print::json(&json!({ "dir": dir, "about": about, "checked": report }))?;
        return Ok(outcome(&report));
    }
    print::line(&format!(
        "{}: the ledger of {} with {} mails",
        dir.display(),
        about.made_at.format("%F %T UTC"),
        about.mails
    ))?;
    show(&report, chrono_tz::UTC)?;
    print::line(&format!(
        "now: set data_dir = \"{}\"; the files it was read by are in its folder config",
        dir.display()
    ))?;
    Ok(outcome(&report))
}
