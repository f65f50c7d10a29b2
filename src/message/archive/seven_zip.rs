//! .7z with LZMA and LZMA2, which is what packers write unless told otherwise. Pure.

use std::io::{Cursor, Read};

use sevenz_rust2::{Archive, BlockDecoder, Error, Password};

use super::{Budget, Member, Refusal, damaged, is_leftover};

/// KiB that the list of files may take: 7-Zip packs it with a dictionary of 1 MiB, other packers with that of the files.
const HEADER: usize = DICTIONARY;
/// KiB of a decoder's dictionary: 64 MiB is what the strongest usual setting takes.
const DICTIONARY: usize = 80 << 10;

pub(super) fn members(bytes: &[u8], budget: &mut Budget) -> Result<Vec<Member>, Refusal> {
    let mut source = Cursor::new(bytes);
    let password = Password::empty();
    let archive = Archive::read_with_memory_limit(&mut source, &password, HEADER).map_err(refusal)?;
    budget.members(archive.files.len())?;
    if (0..archive.files.len()).any(|number| archive.is_file_encrypted(number)) {
        return Err(Refusal::Encrypted);
    }
    // Members are packed together, so that only the whole has a ratio.
    let mut most = budget.most(bytes.len() as u64);
    let mut files = Vec::new();
    let mut failed = None;
    for block in 0..archive.blocks.len() {
        let decoder = BlockDecoder::new_with_memory_limit(1, DICTIONARY, block, &archive, &password, &mut source);
        let outcome = decoder.for_each_entries(&mut |entry, member: &mut dyn Read| {
            if entry.is_directory() {
                return Ok(true);
            }
            let mut content = Vec::new();
            member.take(most + 1).read_to_end(&mut content)?;
            let Some(left) = most.checked_sub(content.len() as u64) else {
                failed = Some(Refusal::TooLarge("bytes when unpacked".into()));
                return Err(std::io::Error::other("over the limit").into());
            };
            most = left;
            budget.bytes -= content.len() as u64;
            if !is_leftover(entry.name()) && !content.is_empty() {
                files.push((entry.name().to_owned(), content));
            }
            Ok(true)
        });
        outcome.map_err(|error| failed.take().unwrap_or_else(|| refusal(error)))?;
    }
    Ok(files)
}

fn refusal(error: Error) -> Refusal {
    match error {
        // Built without it, so that the one cipher of the format is a method like any other that is not read.
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => Refusal::Encrypted,
        Error::PasswordRequired | Error::MaybeBadPassword(_) => Refusal::Encrypted,
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) | Error::ExternalUnsupported => Refusal::Unknown,
        Error::MaxMemLimited { .. } => Refusal::TooLarge("memory to unpack it".into()),
        other => damaged(other),
    }
}
