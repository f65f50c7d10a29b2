//! OOXML packages wrapped in encryption (MS-OFFCRYPTO 2.3.4), opened where the password is the one that Excel tries by
//! itself: it sets it where only the structure of a workbook is protected, and opens such files without asking. Pure.

use std::io::Cursor;

use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use mail_parser::decoders::base64::base64_decode;
use quick_xml::events::{BytesStart, Event};
use sha1::Digest;

use super::Refusal;
use super::package::{Xml, attribute, local};
use crate::message::cfb::Compound;

/// MS-OFFCRYPTO 2.4.2.3 calls it the default password.
pub(super) const DEFAULT: &str = "VelvetSweatshop";
/// Excel writes 100,000 rounds; the standard allows a hundred times as many.
const ROUNDS: u32 = 1_000_000;
const BLOCK: usize = 16;
/// A package is encrypted in pieces of this size (2.3.4.15).
const SEGMENT: usize = 4096;

/// The package inside.
pub(super) fn opened(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    decrypted(bytes).filter(|package| package.starts_with(b"PK")).ok_or(Refusal::Encrypted)
}

/// `None` where the password is another one, or anything is not as it should be.
fn decrypted(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = Compound::open(bytes)?;
    let info = file.stream("EncryptionInfo")?;
    let package = file.stream("EncryptedPackage")?;
    let (size, package) = package.split_first_chunk::<8>()?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
    let (version, rest) = info.split_at_checked(8)?;
    let mut plain = match version {
        [4, 0, 4, 0, ..] => agile(rest, package)?,
        [2..=4, 0, 2, 0, ..] => standard(rest, package)?,
        _ => return None,
    };
    plain.truncate(size);
    Some(plain)
}

fn password() -> Vec<u8> {
    DEFAULT.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A hash by its name in the file.
#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn named(name: &str) -> Option<Self> {
        match name {
            "SHA1" | "SHA-1" => Some(Self::Sha1),
            "SHA256" | "SHA-256" => Some(Self::Sha256),
            "SHA384" | "SHA-384" => Some(Self::Sha384),
            "SHA512" | "SHA-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn of(self, first: &[u8], second: &[u8]) -> Vec<u8> {
        use sha2::Digest as _;
        match self {
            Self::Sha1 => sha1::Sha1::new_with_prefix(first).chain_update(second).finalize().to_vec(),
            Self::Sha256 => sha2::Sha256::new_with_prefix(first).chain_update(second).finalize().to_vec(),
            Self::Sha384 => sha2::Sha384::new_with_prefix(first).chain_update(second).finalize().to_vec(),
            Self::Sha512 => sha2::Sha512::new_with_prefix(first).chain_update(second).finalize().to_vec(),
        }
    }

    /// The password hashed over and over (2.3.4.7, 2.3.4.11).
    fn spun(self, salt: &[u8], rounds: u32) -> Vec<u8> {
        (0..rounds).fold(self.of(salt, &password()), |hash, round| self.of(&round.to_le_bytes(), &hash))
    }
}

/// A key's cipher: AES, in the three lengths it has.
enum Cipher {
    Short(Aes128),
    Middle(Aes192),
    Long(Aes256),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Some(Self::Short(Aes128::new_from_slice(key).ok()?)),
            24 => Some(Self::Middle(Aes192::new_from_slice(key).ok()?)),
            32 => Some(Self::Long(Aes256::new_from_slice(key).ok()?)),
            _ => None,
        }
    }

    /// Whole blocks, each by itself (ECB), or each mixed with the one before it (CBC) where there is a first to mix.
    fn decrypt(&self, bytes: &[u8], mut before: Option<[u8; BLOCK]>) -> Vec<u8> {
        let mut plain = Vec::with_capacity(bytes.len());
        for encrypted in bytes.as_chunks::<BLOCK>().0 {
            let mut block = Array::from(*encrypted);
            match self {
                Self::Short(cipher) => cipher.decrypt_block(&mut block),
                Self::Middle(cipher) => cipher.decrypt_block(&mut block),
                Self::Long(cipher) => cipher.decrypt_block(&mut block),
            }
            if let Some(mixed) = &mut before {
                block.iter_mut().zip(mixed.iter()).for_each(|(byte, other)| *byte ^= other);
                *mixed = *encrypted;
            }
            plain.extend_from_slice(&block);
        }
        plain
    }
}

/// Cut, or filled up with 0x36 (2.3.4.11).
fn fitted(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0x36);
    bytes
}

fn first_block(bytes: Vec<u8>) -> Option<[u8; BLOCK]> {
    fitted(bytes, BLOCK).try_into().ok()
}

/// What an element says of a key.
struct Key {
    salt: Vec<u8>,
    length: usize,
    hash: Hash,
}

impl Key {
    fn of(e: &BytesStart<'_>) -> Option<Self> {
        let length = attribute(e, "keyBits")?.parse::<usize>().ok()? / 8;
        Some(Self { salt: bytes_of(e, "saltValue")?, length, hash: Hash::named(&attribute(e, "hashAlgorithm")?)? })
    }
}

fn bytes_of(e: &BytesStart<'_>, name: &str) -> Option<Vec<u8>> {
    base64_decode(attribute(e, name)?.as_bytes())
}

/// 2.3.4.10: an XML that says how; the package's key is encrypted by one made of the password.
fn agile(info: &[u8], package: &[u8]) -> Option<Vec<u8>> {
    const INPUT: [u8; 8] = [0xFE, 0xA7, 0xD2, 0x76, 0x3B, 0x4B, 0x9E, 0x79];
    const VALUE: [u8; 8] = [0xD7, 0xAA, 0x0F, 0x6D, 0x30, 0x61, 0x34, 0x4E];
    const KEY: [u8; 8] = [0x14, 0x6E, 0x0B, 0xE7, 0xAB, 0xAC, 0xD0, 0xD6];
    let mut xml = Xml::new(Cursor::new(info));
    let mut data = None;
    let mut secret = None;
    while let Ok(Some(event)) = xml.next() {
        let Event::Start(e) = event else { continue };
        match local(&e) {
            "keyData" => data = Some(Key::of(&e)?),
            "encryptedKey" => {
                let key = Key::of(&e)?;
                let rounds = attribute(&e, "spinCount")?.parse().ok().filter(|&rounds| rounds <= ROUNDS)?;
                let spun = key.hash.spun(&key.salt, rounds);
                let open = |name: &str, purpose: &[u8]| {
                    let cipher = Cipher::new(&fitted(key.hash.of(&spun, purpose), key.length))?;
                    Some(cipher.decrypt(&bytes_of(&e, name)?, Some(first_block(key.salt.clone())?)))
                };
                let right = key.hash.of(&open("encryptedVerifierHashInput", &INPUT)?, &[]);
                if !open("encryptedVerifierHashValue", &VALUE)?.starts_with(&right) {
                    return None;
                }
                secret = Some(open("encryptedKeyValue", &KEY)?.get(..key.length)?.to_vec());
            }
            _ => {}
        }
    }
    let (data, cipher) = (data?, Cipher::new(&secret?)?);
    let segments = package.chunks(SEGMENT).zip(0u32..).map(|(segment, number)| {
        let before = first_block(data.hash.of(&data.salt, &number.to_le_bytes()))?;
        Some(cipher.decrypt(segment, Some(before)))
    });
    Some(segments.collect::<Option<Vec<_>>>()?.concat())
}

/// 2.3.4.5: AES in blocks, its key made of the password by SHA-1.
fn standard(info: &[u8], package: &[u8]) -> Option<Vec<u8>> {
    let number = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let header = info.get(4..)?.get(..number(info, 0)?)?;
    let length = number(header, 16)? / 8;
    // Sizes before the salt and before the hash; the verifier between them.
    let verifier = info.get(4 + header.len()..)?;
    let (salt, input, value) = (verifier.get(4..20)?, verifier.get(20..36)?, verifier.get(40..72)?);
    let hash = Hash::Sha1.of(&Hash::Sha1.spun(salt, 50_000), &[0; 4]);
    let derived = |mark: u8| {
        let mut mixed = [mark; 64];
        mixed.iter_mut().zip(&hash).for_each(|(byte, other)| *byte ^= other);
        Hash::Sha1.of(&mixed, &[])
    };
    let cipher = Cipher::new([derived(0x36), derived(0x5C)].concat().get(..length)?)?;
    let right = Hash::Sha1.of(&cipher.decrypt(input, None), &[]);
    cipher.decrypt(value, None).starts_with(&right).then(|| cipher.decrypt(package, None))
}
