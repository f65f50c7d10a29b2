//! Backup: the ledger as it is at one moment, the raw mail it refers to, and the files it is read by, in one .zip with a list
//! of digests (`SHA256SUMS`). A daemon may go on meanwhile: raw mail is only ever added, and before its row.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::config::{Config, Sources};
use crate::db::{self, upgrade};
use crate::ledger::mailstore;

/// The list of digests, as `sha256sum -c` takes it; every other file of a backup stands in it.
pub const SUMS: &str = "SHA256SUMS";
/// What the backup is.
pub const ABOUT: &str = "backup.json";
pub const LEDGER: &str = "ledger.db";
/// The folder with the files that the ledger is read by.
pub const CONFIG: &str = "config";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub program: String,
    /// Version of the ledger's schema.
    pub schema: i64,
    pub made_at: DateTime<Utc>,
    pub mails: usize,
    /// Messages whose raw mail was gone or changed, and is missing here, too.
    pub lost: Vec<i64>,
}

/// Writes a backup of the configured ledger.
///
/// # Errors
/// The file exists (unless `force`), there is no room for it, or the ledger cannot be read. Then nothing is left behind.
pub async fn backup(config: &Config, target: &Path, force: bool, now: DateTime<Utc>) -> Result<About> {
    let target = std::path::absolute(target)?;
    let folder = target.parent().context("the backup needs a file name")?.to_owned();
    ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    ensure!(!target.is_dir(), "{} is a folder; name a file in it", target.display());
    ensure!(force || !target.exists(), "{} exists already; --force replaces it", target.display());
    let mut ledger = db::reader(&config.data_dir).await?;
    let schema = upgrade::version(&mut ledger).await?;
    let snapshot = NamedTempFile::with_prefix_in(".taizhang-ledger.", &folder)?;
    let (dir, size) = (config.data_dir.clone(), ledger_size(&mut ledger).await?);
    room(&folder, size).context("no backup was made")?;
    upgrade::copy_into(&mut ledger, snapshot.path()).await.context("the ledger cannot be copied")?;
    let mails = mails(snapshot.path()).await?;
    let sources = without_commands(config.sources.clone())?;
    let about =
        About { program: env!("CARGO_PKG_VERSION").to_owned(), schema, made_at: now, mails: mails.len(), lost: vec![] };
    let write = move || {
        let raw: u64 = mails.iter().filter_map(|(_, d)| Some(mailstore::path(&dir, d).metadata().ok()?.len())).sum();
        room(&folder, raw + size).context("no backup was made")?;
        let part = NamedTempFile::with_prefix_in(".taizhang-backup.", &folder)?;
        let about = write(part.as_file(), (&dir, snapshot.path()), (&mails, &sources), about)?;
        part.as_file().sync_all()?;
        let kept = if force { part.persist(&target) } else { part.persist_noclobber(&target) };
        kept.map_err(|e| e.error).with_context(|| format!("{} cannot be written", target.display()))?;
        // The new name itself must survive a power cut.
        File::open(&folder)?.sync_all()?;
        anyhow::Ok(about)
    };
    tokio::task::spawn_blocking(write).await?
}

async fn ledger_size(ledger: &mut sqlx::SqliteConnection) -> Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    Ok(sqlx::query_scalar::<_, i64>(sql).fetch_one(ledger).await?.unsigned_abs())
}

/// # Errors
/// The disk has less room than this.
fn room(folder: &Path, bytes: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < bytes {
        bail!("{} has {} MB left, and {} MB may be needed", folder.display(), free >> 20, (bytes >> 20) + 1);
    }
    Ok(())
}

/// The messages of a ledger and the digests of their raw mail.
async fn mails(ledger: &Path) -> Result<Vec<(i64, String)>> {
    use sqlx::Connection as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(ledger).read_only(true);
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await?;
    let mails = sqlx::query_as("SELECT id, digest FROM message ORDER BY id").fetch_all(&mut conn).await?;
    conn.close().await?;
    Ok(mails)
}

/// The settings name where passwords are kept, never a password; but the arguments of a command that prints a token may
/// hold one, so these stay out.
fn without_commands(mut sources: Sources) -> Result<Sources> {
    const KEY: &str = "token_command";
    if sources.settings.contains(KEY) {
        let mut table: toml::Table = sources.settings.parse()?;
        for (_, value) in table.iter_mut() {
            let tables = match value {
                toml::Value::Array(list) => list.iter_mut().filter_map(toml::Value::as_table_mut).collect(),
                toml::Value::Table(table) => vec![table],
                _ => Vec::new(),
            };
            tables.into_iter().for_each(|table| drop(table.remove(KEY)));
        }
        sources.settings =
            format!("# {KEY} and the comments were left out of the backup.\n{}", toml::to_string(&table)?);
    }
    Ok(sources)
}

fn write(
    file: &File,
    (dir, ledger): (&Path, &Path),
    (mails, sources): (&[(i64, String)], &Sources),
    mut about: About,
) -> Result<About> {
    let mut archive = Archive { zip: ZipWriter::new(BufWriter::new(file)), sums: String::new() };
    let size = ledger.metadata()?.len();
    archive.add(LEDGER, File::open(ledger)?, size)?;
    for (message, digest) in mails {
        let Ok(raw) = mailstore::get(dir, digest) else {
            about.lost.push(*message);
            continue;
        };
        let name = mailstore::path(Path::new(""), digest);
        archive.add(&name.to_string_lossy(), raw.as_slice(), raw.len() as u64)?;
    }
    let mut config = |name: &Path, bytes: &[u8]| {
        archive.add(&Path::new(CONFIG).join(name).to_string_lossy(), bytes, bytes.len() as u64)
    };
    config(Path::new("taizhang.toml"), sources.settings.as_bytes())?;
    config(Path::new(&sources.registry.0), &sources.registry.1)?;
    for (name, text) in &sources.forms {
        config(&PathBuf::from("forms").join(name), text.as_bytes())?;
    }
    let json = serde_json::to_vec_pretty(&about)?;
    archive.add(ABOUT, json.as_slice(), json.len() as u64)?;
    let sums = std::mem::take(&mut archive.sums);
    archive.add(SUMS, sums.as_bytes(), sums.len() as u64)?;
    archive.zip.finish()?.flush()?;
    Ok(about)
}

struct Archive<'f> {
    zip: ZipWriter<BufWriter<&'f File>>,
    /// One line a file.
    sums: String,
}

impl Archive<'_> {
    fn add(&mut self, name: &str, mut content: impl Read, size: u64) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o600)
            // Beyond 4 GB the lengths take more room (APPNOTE 4.5.3); packing may make a file a little longer.
            .large_file(size > u64::from(u32::MAX) / 2);
        self.zip.start_file(name, options)?;
        let digest = mailstore::copy(&mut content, &mut self.zip)?;
        self.sums += &format!("{digest}  {name}\n");
        Ok(())
    }
}
