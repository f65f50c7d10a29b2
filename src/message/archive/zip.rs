//! .zip (APPNOTE). Pure.

use std::io::Cursor;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Budget, Member, Refusal, damaged, is_leftover};
use crate::message::{charset, zip_directory};

/// Entries that are counted before the budget is asked: a directory of more is not even copied.
const ENTRIES: usize = 10_000;

pub(super) fn members(bytes: &[u8], budget: &mut Budget) -> Result<Vec<Member>, Refusal> {
    if zip_directory::Directory::of(bytes).is_some() && !zip_directory::within(bytes, ENTRIES) {
        return Err(Refusal::TooLarge("members of the archive".into()));
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    budget.members(zip.len())?;
    let mut files = Vec::new();
    for number in 0..zip.len() {
        let member = zip.by_index(number).map_err(|e| match e {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Refusal::Encrypted,
            other => damaged(other),
        })?;
        // Names are in the packer's code page unless flagged (APPNOTE 4.4.4, bit 11), and often where they are.
        let path = charset::decode("gbk", member.name_raw());
        if member.is_dir() || is_leftover(&path) {
            continue;
        }
        let packed = member.compressed_size();
        files.push((path, budget.read(member, packed)?));
    }
    Ok(files)
}
