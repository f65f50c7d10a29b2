//! The raw mail against the messages of the ledger: each file is there and is the one that was stored, and no other is.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::Progress;
use crate::db;
use crate::ledger::mailstore;

/// A message whose raw mail is not what was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    pub message: i64,
    pub file: String,
    /// `false`: it is there, and was changed.
    pub gone: bool,
}

/// Reads every raw mail. Returns how many there should be, and those that are lost.
pub async fn files(conn: &mut SqliteConnection, dir: &Path, progress: Progress<'_>) -> Result<(usize, Vec<Lost>)> {
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM message").fetch_one(&mut *conn).await?;
    let (mut seen, mut last, mut lost) = (0, 0, Vec::new());
    loop {
        let page: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, digest FROM message WHERE id > ? ORDER BY id LIMIT 100")
                .bind(last)
                .fetch_all(&mut *conn)
                .await?;
        let Some((id, _)) = page.last() else { return Ok((seen, lost)) };
        last = *id;
        seen += page.len();
        let dir = dir.to_owned();
        let look = move || {
            page.into_iter().filter_map(|(message, digest)| is_lost(&dir, message, &digest)).collect::<Vec<_>>()
        };
        lost.extend(tokio::task::spawn_blocking(look).await?);
        progress("mails", seen as u64, total.unsigned_abs());
    }
}

fn is_lost(dir: &Path, message: i64, digest: &str) -> Option<Lost> {
    // A digest that something has changed in the row may not even be one.
    if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(Lost { message, file: digest.to_owned(), gone: true });
    }
    let path = mailstore::path(dir, digest);
    let changed = mailstore::get(dir, digest).is_err();
    changed.then(|| Lost { message, gone: !path.exists(), file: path.display().to_string() })
}

/// Files under `mail/` that belong to no message, also to none that came since this look at the ledger.
pub async fn unknown(conn: &mut SqliteConnection, dir: &Path) -> Result<Vec<String>> {
    let root = dir.join("mail");
    let found = tokio::task::spawn_blocking(move || below(&root)).await??;
    let mut strange = Vec::new();
    for path in found {
        if !is_known(conn, &path).await? {
            strange.push(path);
        }
    }
    if !strange.is_empty() {
        let mut now = db::reader(dir).await?;
        let mut still = Vec::new();
        for path in strange {
            // One that was just being written has its own name by now.
            if path.exists() && !is_known(&mut now, &path).await? {
                still.push(path);
            }
        }
        strange = still;
    }
    strange.sort();
    Ok(strange.iter().map(|path| path.display().to_string()).collect())
}

async fn is_known(conn: &mut SqliteConnection, path: &Path) -> Result<bool> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let in_place =
        |digest: &&str| path.parent().zip(digest.get(..2)).is_some_and(|(folder, two)| folder.ends_with(two));
    let Some(digest) = name.strip_suffix(".eml").filter(in_place) else { return Ok(false) };
    let found = sqlx::query("SELECT 1 FROM message WHERE digest = ?").bind(digest).fetch_optional(conn).await?;
    Ok(found.is_some())
}

fn below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        // Before the first mail there is none.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(files),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files.extend(below(&entry.path())?),
            false => files.push(entry.path()),
        }
    }
    Ok(files)
}
