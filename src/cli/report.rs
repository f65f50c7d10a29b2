//! `report`: build the workbook and the circular, and send them on request.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::{Office, Outcome, print};
use crate::jobs::publish;
use crate::period::Period;

pub async fn run(office: Office, period: Option<Period>, out: PathBuf, send: bool) -> Result<Outcome> {
    let period = period.unwrap_or_else(|| office.open_period());
    let now = office.clock.now();
    let db = office.db().await?;
    let config = Arc::new(office.config);
    let mut conn = db.pool().acquire().await?;
    let gone_out = match office.known_on {
        Some(_) => publish::published(&mut conn, &config, period).await?,
        None => None,
    };
    let edition = match gone_out {
        Some(edition) => edition,
        None => publish::edition(&mut conn, &config, period, now).await?,
    };
    drop(conn);
    let report = publish::build(&db, &config, period, edition, now).await?;
    std::fs::create_dir_all(&out).with_context(|| format!("{} cannot be created", out.display()))?;
    let mut paths = Vec::new();
    for file in [&report.workbook, &report.circular] {
        let path = out.join(&file.name);
        write_private(&path, &file.bytes)?;
        paths.push(path.display().to_string());
    }
    let mut queued = 0;
    if send {
        let slot = publish::by_hand(now);
        queued = publish::publish(&db, &config, &report, (&slot, &slot), now).await?.unwrap_or(0);
    }
    if office.json {
        print::json(
            &serde_json::json!({ "period": period, "edition": report.edition.chinese(), "files": paths, "queued": queued }),
        )?;
    } else {
        for path in paths {
            print::line(&path)?;
        }
        if send {
            let already = "this edition was sent before; nothing is queued";
            let text = format!("queued for {queued} recipients; `taizhang run` or `taizhang once` sends them");
            print::line(if queued == 0 { already } else { &text })?;
        }
    }
    Ok(Outcome::Done)
}

/// Writes a file that only its owner can read: it holds names and telephone numbers.
pub fn write_private(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
    file.and_then(|mut f| f.write_all(bytes)).with_context(|| format!("{} cannot be written", path.display()))
}
