//! Archives: the files inside a .zip, within limits. Pure. (Other kinds of archive are recognised, not opened.)

use std::io::{Cursor, Read};

use serde::{Deserialize, Serialize};
use zip::ZipArchive;
use zip::result::ZipError;

use super::attachment::{Kind, sniff};
use super::{Attachment, charset, parse::safe_name};

/// Settings `[limits]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of all files together when unpacked.
    pub bytes: u64,
    pub members: u32,
    /// Archives within archives.
    pub depth: u32,
}

/// A file that unpacks to more than this many times its size is a bomb.
const RATIO: u64 = 200;
/// Small files may be as empty as they like.
const RATIO_FROM: u64 = 10 << 20;

/// Why an archive could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    #[error("the archive is protected by a password")]
    Encrypted,
    /// The text is for the log.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    #[error("over a limit: {0}")]
    TooLarge(String),
    /// .rar, .7z and others
    #[error("an archive of a kind that is not opened")]
    Unknown,
}

/// The files in an archive, those of archives inside it included, each named after its way: `报表.zip/台账.xls`.
///
/// Folders, empty members and what file systems leave behind (`__MACOSX`, `Thumbs.db`) are left out. An archive inside
/// that cannot be opened is given as it is.
pub fn unpack(archive: &Attachment, limits: &Limits) -> Result<Vec<Attachment>, Refusal> {
    let mut budget = Budget { bytes: limits.bytes, members: limits.members };
    unpack_within(archive, limits.depth, &mut budget)
}

struct Budget {
    bytes: u64,
    members: u32,
}

fn unpack_within(archive: &Attachment, depth: u32, budget: &mut Budget) -> Result<Vec<Attachment>, Refusal> {
    if depth == 0 {
        return Err(Refusal::TooLarge("archives within archives".into()));
    }
    let mut files = Vec::new();
    for file in members(archive, budget)? {
        if file.kind != Kind::Archive {
            files.push(file);
            continue;
        }
        match unpack_within(&file, depth - 1, budget) {
            Ok(inner) => files.extend(inner),
            Err(Refusal::TooLarge(what)) => return Err(Refusal::TooLarge(what)),
            Err(_) => files.push(file),
        }
    }
    Ok(files)
}

fn members(archive: &Attachment, budget: &mut Budget) -> Result<Vec<Attachment>, Refusal> {
    if !archive.bytes.starts_with(b"PK") {
        return Err(Refusal::Unknown);
    }
    let mut zip = ZipArchive::new(Cursor::new(&archive.bytes)).map_err(|e| Refusal::Damaged(e.to_string()))?;
    if zip.len() > budget.members as usize {
        return Err(Refusal::TooLarge("members of the archive".into()));
    }
    budget.members -= zip.len() as u32;
    let mut files = Vec::new();
    for number in 0..zip.len() {
        let mut member = zip.by_index(number).map_err(|e| match e {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Refusal::Encrypted,
            other => Refusal::Damaged(other.to_string()),
        })?;
        // Names are in the packer's code page unless flagged (APPNOTE 4.4.4, bit 11), and often where they are.
        let path = charset::decode("gbk", member.name_raw());
        if member.is_dir() || is_leftover(&path) {
            continue;
        }
        let ratio_limit = member.compressed_size().saturating_mul(RATIO).max(RATIO_FROM);
        let most = budget.bytes.min(ratio_limit);
        let mut bytes = Vec::new();
        member.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(|e| Refusal::Damaged(e.to_string()))?;
        if bytes.len() as u64 > most {
            return Err(Refusal::TooLarge("bytes when unpacked".into()));
        }
        budget.bytes -= bytes.len() as u64;
        let name = safe_name(&path);
        let name = if name.is_empty() { format!("文件{}", number + 1) } else { name };
        let kind = sniff(&bytes, &name);
        files.push(Attachment { name: format!("{}/{name}", archive.name), kind, bytes });
    }
    Ok(files)
}

fn is_leftover(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    path.starts_with("__MACOSX")
        || name.starts_with("~$")
        || matches!(name.as_str(), "thumbs.db" | "desktop.ini" | ".ds_store")
}
