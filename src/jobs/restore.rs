//! Restore: a backup becomes a data folder, if every file in it is the one that was put there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use zip::ZipArchive;

use super::backup::{ABOUT, About, LEDGER, SUMS};
use super::verify::{self, Progress, Report};
use crate::db::{Db, private_dir};
use crate::ledger::mailstore;

/// Unpacks a backup into `dir`, opens the ledger (which brings it up to date) and checks it.
///
/// # Errors
/// `dir` is not empty, the file is no backup, or something in it is not what was put there: then `dir` is as it was.
pub async fn restore(file: &Path, dir: &Path, progress: Progress<'_>) -> Result<(About, Report)> {
    let dir = std::path::absolute(dir)?;
    let empty = std::fs::read_dir(&dir).map(|mut entries| entries.next().is_none()).unwrap_or(!dir.exists());
    ensure!(empty, "{} is not an empty folder; nothing was restored", dir.display());
    let parent = dir.parent().context("the folder needs a name")?;
    std::fs::create_dir_all(parent)?;
    let part =
        tempfile::Builder::new().prefix(".taizhang-restore.").permissions(verify::private()).tempdir_in(parent)?;
    let (from, to) = (file.to_owned(), part.path().to_owned());
    let about = tokio::task::spawn_blocking(move || unpack(&from, &to))
        .await?
        .with_context(|| format!("{} cannot be restored; {} is as it was", file.display(), dir.display()))?;
    let db = Db::open(part.path()).await?;
    db.pool().close().await;
    let report = verify::quick(part.path(), progress).await?;
    std::fs::rename(part.path(), &dir).with_context(|| format!("{} cannot be written", dir.display()))?;
    let _renamed = part.keep();
    Ok((about, report))
}

fn unpack(file: &Path, dir: &Path) -> Result<About> {
    let mut zip = ZipArchive::new(BufReader::new(File::open(file)?))?;
    let mut sums = sums(&mut zip)?;
    for number in 0..zip.len() {
        let mut member = zip.by_index(number)?;
        let name = member.name()?.into_owned();
        if name == SUMS {
            continue;
        }
        let wanted = sums.remove(&name).with_context(|| format!("{name} is not in {SUMS}"))?;
        let plain = Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(plain, "{name} is no name of a file in a backup");
        let target = dir.join(&name);
        private_dir(target.parent().unwrap_or(dir))?;
        ensure!(write(&mut member, &target)? == wanted, "{name} is not what was backed up");
    }
    if let Some((name, _)) = sums.pop_first() {
        bail!("{name} is missing");
    }
    ensure!(dir.join(LEDGER).exists(), "it holds no {LEDGER}");
    let about = std::fs::read(dir.join(ABOUT)).with_context(|| format!("it holds no {ABOUT}"))?;
    Ok(serde_json::from_slice(&about)?)
}

/// Digests by name.
fn sums(zip: &mut ZipArchive<BufReader<File>>) -> Result<BTreeMap<String, String>> {
    let mut text = String::new();
    let mut member = zip.by_name(SUMS).with_context(|| format!("it is no backup: it has no {SUMS}"))?;
    member.read_to_string(&mut text)?;
    let line = |line: &str| line.split_once("  ").map(|(digest, name)| (name.to_owned(), digest.to_owned()));
    Ok(text.lines().filter_map(line).collect())
}

/// Writes a new file that only its owner can read; returns its digest.
fn write(content: &mut impl Read, target: &Path) -> Result<String> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(target)?;
    let digest = mailstore::copy(content, &mut file)?;
    file.sync_all()?;
    Ok(digest)
}
