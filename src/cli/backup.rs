//! `backup`: everything that is needed to go on elsewhere, in one file.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::{Office, Outcome, print};
use crate::jobs::backup;

pub async fn run(office: Office, file: &Path, force: bool) -> Result<Outcome> {
    let about = backup::backup(&office.config, file, force, office.clock.now()).await?;
    let size = std::fs::metadata(file)?.len();
    match office.json {
        true => print::json(&json!({ "file": file, "bytes": size, "about": about }))?,
        false => {
            print::line(&format!("{}: the ledger and {} mails, {} MB", file.display(), about.mails, (size >> 20) + 1))?;
            print::line("it holds personal data: keep it where only the administrator can read it")?;
        }
    }
    if about.lost.is_empty() {
        return Ok(Outcome::Done);
    }
    let list: Vec<String> = about.lost.iter().take(20).map(ToString::to_string).collect();
    eprintln!(
        "taizhang: the raw mail of {} messages is gone or was changed, and is not in the backup: {}; see `taizhang verify`",
        about.lost.len(),
        list.join(", ")
    );
    Ok(Outcome::NeedsPerson)
}
