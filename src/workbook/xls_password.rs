//! Encrypted binary workbooks (MS-XLS 2.2.10; MS-OFFCRYPTO 2.3.5 and 2.3.6), opened where the password is the one that
//! Excel tries by itself (see `ooxml_password`). Pure.
//!
//! RC4 only: XOR obfuscation, older and weaker, is told as a password.

use std::borrow::Cow;

use md5::{Digest, Md5};
use sha1::Sha1;

use super::Refusal;
use super::binary::Fields;
use super::ooxml_password::DEFAULT;
use super::records::Records;
use super::xls::{BOF, EOF};

const FILE_PASS: u16 = 0x002F;
const BOUND_SHEET: u16 = 0x0085;
/// Records that stay as they are: BOF, FilePass, UsrExcl, FileLock, InterfaceHdr, RRDInfo, RRDHead.
const PLAIN: [u16; 7] = [BOF, FILE_PASS, 0x0194, 0x0195, 0x00E1, 0x0196, 0x0138];
/// Bytes after which the key changes.
const BLOCK: usize = 1024;

/// The workbook stream as it is without a password.
pub(super) fn opened(stream: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    let mut globals = Records::new(stream, 0).take_while(|record| record.kind != EOF);
    match globals.find(|record| record.kind == FILE_PASS) {
        None => Ok(stream.into()),
        Some(record) => Ok(decrypted(stream, &Keys::of(record.data).ok_or(Refusal::Encrypted)?).into()),
    }
}

/// Keys that the password opened.
enum Keys {
    /// 2.3.6: RC4 with 40 bits and MD5.
    Md5([u8; 5]),
    /// 2.3.5: RC4 through the CryptoAPI, with SHA-1 and as many bytes of it.
    Sha1(Vec<u8>, usize),
}

impl Keys {
    /// `None` where the password is another one.
    fn of(data: Fields<'_>) -> Option<Self> {
        let password: Vec<u8> = DEFAULT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let version = (data.u16(0).ok()?, data.u16(2).ok()?, data.u16(4).ok()?);
        let (keys, verifier, hash) = match version {
            (1, 1, 1) => {
                let salt = data.array::<16>(6).ok()?;
                let hashed = Md5::digest(&password);
                let mixed = [&hashed[..5], &salt].concat().repeat(16);
                let keys = Self::Md5(Md5::digest(mixed)[..5].try_into().ok()?);
                (keys, 22, 16)
            }
            (1, 2..=4, 2) => {
                // Version and flags, the header's size and the header, then salt and verifier with their sizes.
                let header = data.u32(10).ok()? as usize;
                let bits = data.u32(14 + 16).ok()? as usize;
                let verifier = 14usize.checked_add(header)?;
                let salt = data.array::<16>(verifier.checked_add(4)?).ok()?;
                let hashed = Sha1::new_with_prefix(salt).chain_update(&password).finalize().to_vec();
                let bytes = if bits == 0 { 5 } else { bits / 8 };
                (Self::Sha1(hashed, bytes.clamp(5, 16)), verifier + 20, 20)
            }
            _ => return None,
        };
        // The hash has its size before it where it may have several.
        let gap = if hash == 20 { 4 } else { 0 };
        let mut cipher = keys.block(0);
        let input: Vec<u8> = cipher.pass(&data.array::<16>(verifier).ok()?);
        let value = cipher.pass(data.after(verifier + 16 + gap).ok()?.get(..hash)?);
        let right = match keys {
            Self::Md5(_) => Md5::digest(input).to_vec(),
            Self::Sha1(..) => Sha1::digest(input).to_vec(),
        };
        (value == right).then_some(keys)
    }

    fn block(&self, number: u32) -> Rc4 {
        let number = number.to_le_bytes();
        match self {
            Self::Md5(key) => Rc4::new(&Md5::new_with_prefix(key).chain_update(number).finalize()),
            Self::Sha1(hash, bytes) => {
                let mut key = Sha1::new_with_prefix(hash).chain_update(number).finalize()[..*bytes].to_vec();
                // 40 bits are filled up with zeros.
                if *bytes == 5 {
                    key.resize(16, 0);
                }
                Rc4::new(&key)
            }
        }
    }
}

/// The cipher runs over the whole stream, also over what is not encrypted.
fn decrypted(stream: &[u8], keys: &Keys) -> Vec<u8> {
    let blocks = stream.chunks(BLOCK).zip(0..);
    let mut plain: Vec<u8> = blocks.flat_map(|(block, number)| keys.block(number).pass(block)).collect();
    let mut at = 0;
    while let Some(head) = stream.get(at..at + 4) {
        let (kind, length) =
            (u16::from_le_bytes([head[0], head[1]]), usize::from(u16::from_le_bytes([head[2], head[3]])));
        // The place of a sheet in the stream is told openly.
        let open = match kind {
            BOUND_SHEET => 4 + 4,
            kind if PLAIN.contains(&kind) => 4 + length,
            _ => 4,
        };
        let end = (at + open).min(stream.len());
        plain[at..end].copy_from_slice(&stream[at..end]);
        at += 4 + length;
    }
    plain
}

/// The stream cipher: no crate of ours has it, and it is no secret any more.
struct Rc4 {
    state: [u8; 256],
    at: [u8; 2],
}

impl Rc4 {
    fn new(key: &[u8]) -> Self {
        let mut state: [u8; 256] = std::array::from_fn(|n| n as u8);
        let mut other = 0u8;
        for at in 0..256 {
            other = other.wrapping_add(state[at]).wrapping_add(key[at % key.len()]);
            state.swap(at, other.into());
        }
        Self { state, at: [0, 0] }
    }

    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let [mut i, mut j] = self.at;
        let passed = bytes.iter().map(|byte| {
            i = i.wrapping_add(1);
            j = j.wrapping_add(self.state[usize::from(i)]);
            self.state.swap(i.into(), j.into());
            let sum = self.state[usize::from(i)].wrapping_add(self.state[usize::from(j)]);
            byte ^ self.state[usize::from(sum)]
        });
        let passed = passed.collect();
        self.at = [i, j];
        passed
    }
}
