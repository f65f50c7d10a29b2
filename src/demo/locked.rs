//! A password-protected workbook: the compound file that Excel wraps around an encrypted package ([MS-CFB],
//! [MS-OFFCRYPTO] 2.3). The package inside is noise, which is all that anybody without the password ever sees.

use sha2::{Digest, Sha256};

const SECTOR: usize = 512;
/// Shorter streams would have to live in a mini stream; both of ours are exactly this long.
const STREAM: usize = 4096;
const FREE: u32 = 0xFFFF_FFFF;
const END: u32 = 0xFFFF_FFFE;
const FAT: u32 = 0xFFFF_FFFD;

/// Sector 0 is the allocation table, 1 the directory, 2–9 and 10–17 the two streams.
pub fn workbook() -> Vec<u8> {
    let mut out = header();
    out.extend(allocation_table());
    out.extend(directory());
    out.extend(encryption_info());
    out.extend(noise(STREAM));
    out
}

fn header() -> Vec<u8> {
    let mut h = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    h.extend([0; 16]);
    // Minor and major version, byte order, sector shift 9, mini sector shift 6.
    for n in [0x3E_u16, 3, 0xFFFE, 9, 6] {
        h.extend(n.to_le_bytes());
    }
    h.extend([0; 6]);
    // Directory sectors (0 in version 3), FAT sectors, first directory sector, transaction, mini stream cutoff,
    // first mini FAT sector and their number, first DIFAT sector and their number, then the FAT's sector.
    for n in [0, 1, 1, 0, STREAM as u32, END, 0, END, 0, 0] {
        h.extend(n.to_le_bytes());
    }
    h.resize(SECTOR, 0xFF);
    h
}

fn allocation_table() -> Vec<u8> {
    let mut next = vec![FAT, END];
    for first in [2, 10] {
        next.extend((first + 1)..(first + 8));
        next.push(END);
    }
    next.resize(SECTOR / 4, FREE);
    next.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn directory() -> Vec<u8> {
    let mut out = directory_entry("Root Entry", (5, 1), END, 0);
    out.extend(directory_entry("EncryptionInfo", (2, FREE), 2, STREAM));
    out.extend(directory_entry("EncryptedPackage", (2, FREE), 10, STREAM));
    // The package hangs to the right of the information: shorter names sort first.
    out[128 + 72..128 + 76].copy_from_slice(&2_u32.to_le_bytes());
    out.extend([0; 128]);
    out
}

/// `kind_child` is the object type (5 root, 2 stream) and the child's position.
fn directory_entry(name: &str, (kind, child): (u8, u32), first: u32, size: usize) -> Vec<u8> {
    let mut out: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = out.len() as u16 + 2;
    out.resize(64, 0);
    out.extend(length.to_le_bytes());
    out.extend([kind, 1]);
    for n in [FREE, FREE, child] {
        out.extend(n.to_le_bytes());
    }
    out.resize(116, 0);
    out.extend(first.to_le_bytes());
    out.extend((size as u64).to_le_bytes());
    out
}

/// Agile encryption, version 4.4: the XML that names cipher and key derivation, padded with blanks.
fn encryption_info() -> Vec<u8> {
    let mut out = vec![4, 0, 4, 0, 0x40, 0, 0, 0];
    out.extend(
        br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption"><keyData saltSize="16" blockSize="16" keyBits="128" hashSize="20" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA1" saltValue="c2FsdHNhbHRzYWx0c2FsdA=="/></encryption>"#,
    );
    out.resize(STREAM, b' ');
    out
}

fn noise(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(|n| Sha256::digest(n.to_le_bytes())).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_compound_file_that_says_password() {
        let bytes = workbook();
        assert_eq!(bytes.len(), SECTOR * 19);
        let opened = calamine::open_workbook_from_rs::<calamine::Xlsx<_>, _>(std::io::Cursor::new(&bytes));
        assert!(matches!(opened, Err(calamine::XlsxError::Password)));
    }
}
