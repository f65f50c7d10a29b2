//! Raw mail, stored whole and once, before anything else happens to it: `mail/ab/<SHA-256>.eml`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::db::private_dir;

/// SHA-256 of bytes, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Copies all that is left and returns its digest.
pub fn copy(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<String> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect());
        }
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
}

/// Where a message is stored. What is no digest (something has changed the ledger) is the path of nothing.
pub fn path(dir: &Path, digest: &str) -> PathBuf {
    dir.join("mail").join(digest.get(..2).unwrap_or_default()).join(format!("{digest}.eml"))
}

/// Stores a message and returns its digest. Once this returns, the bytes are on the disk under their final name.
///
/// # Errors
/// The disk is full or the folder cannot be written; then nothing was stored.
pub fn put(dir: &Path, bytes: &[u8]) -> Result<String> {
    use std::os::unix::fs::OpenOptionsExt;
    let digest = digest(bytes);
    let target = path(dir, &digest);
    if std::fs::metadata(&target).is_ok_and(|m| m.len() == bytes.len() as u64) {
        return Ok(digest);
    }
    let folder = target.parent().expect("the path has a folder");
    let failed = || format!("mail cannot be stored in {}", folder.display());
    private_dir(folder).with_context(failed)?;
    let temporary = target.with_extension("part");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)
        .with_context(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(failed)?;
    std::fs::rename(&temporary, &target).with_context(failed)?;
    // The new name itself must survive a power cut.
    std::fs::File::open(folder).and_then(|d| d.sync_all()).with_context(failed)?;
    Ok(digest)
}

/// Reads a stored message back and makes sure it is the one that was stored.
pub fn get(dir: &Path, wanted: &str) -> Result<Vec<u8>> {
    let path = path(dir, wanted);
    let bytes = std::fs::read(&path).with_context(|| format!("stored mail {} cannot be read", path.display()))?;
    ensure!(digest(&bytes) == wanted, "stored mail {} was changed after it was stored", path.display());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_stored_once_and_read_back_whole() {
        let dir = tempfile::tempdir().unwrap();
        let first = put(dir.path(), b"From: a@b.example\r\n\r\n").unwrap();
        assert_eq!(put(dir.path(), b"From: a@b.example\r\n\r\n").unwrap(), first);
        assert_eq!(get(dir.path(), &first).unwrap(), b"From: a@b.example\r\n\r\n");
    }

    #[test]
    fn a_changed_byte_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let name = put(dir.path(), b"hello").unwrap();
        std::fs::write(path(dir.path(), &name), b"hallo").unwrap();
        assert!(get(dir.path(), &name).unwrap_err().to_string().contains("was changed"));
        assert!(["", "a", "来信"].iter().all(|what| get(dir.path(), what).is_err()), "these are no digests");
    }
}
