//! .rar of all versions (1.5 to 7). Pure.

use rars::{ArchiveMemberRef, ArchiveReadOptions, ArchiveReader, Error, ErrorKind};

use super::{Budget, Member, Refusal, is_leftover};
use crate::message::charset;

/// Bytes of all headers together.
const HEADERS: u64 = 4 << 20;
/// Bytes of a dictionary and of all working memory: RAR 5 takes 32 MiB unless told otherwise.
const DICTIONARY: u64 = 64 << 20;
const WORKSPACE: u64 = 160 << 20;

pub(super) fn members(bytes: &[u8], budget: &mut Budget) -> Result<Vec<Member>, Refusal> {
    let most = budget.most(bytes.len() as u64);
    let options = ArchiveReadOptions::new()
        // Beside members there are headers of the archive, its comment and its end.
        .with_max_header_count(u64::from(budget.members) + 16)
        .with_max_header_bytes(HEADERS)
        .with_rar50_dictionary_size_limit(DICTIONARY)
        .with_max_reader_workspace_bytes(WORKSPACE)
        .with_max_total_output_bytes(most);
    let archive = ArchiveReader::read_with_options(bytes, options).map_err(|e| refusal(&e))?;
    budget.members(archive.member_refs().count())?;
    if archive.members().any(|member| member.meta.is_encrypted) {
        return Err(Refusal::Encrypted);
    }
    // A part of a set: what its members are begins or ends in other files.
    if archive.members().any(|member| member.meta.is_split_before || member.meta.is_split_after) {
        return Err(Refusal::Unknown);
    }
    let wanted: Vec<(usize, String)> = archive
        .member_refs()
        .enumerate()
        .filter_map(|(index, member)| {
            let path = path(member);
            (!member.is_directory() && !member.is_redirection() && !is_leftover(&path)).then_some((index, path))
        })
        .collect();
    let indices: Vec<usize> = wanted.iter().map(|(index, _)| *index).collect();
    let contents = archive.read_members_at_with_options(&indices, options).map_err(|e| refusal(&e))?;
    let mut files = Vec::new();
    for ((_, path), content) in wanted.into_iter().zip(contents) {
        let content = content.unwrap_or_default();
        budget.bytes = budget.bytes.saturating_sub(content.len() as u64);
        if !content.is_empty() {
            files.push((path, content));
        }
    }
    Ok(files)
}

/// Names in the packer's code page unless they say that they are Unicode.
fn path(member: ArchiveMemberRef<'_>) -> String {
    match member.name_is_unicode() {
        true => String::from_utf8_lossy(member.name_bytes()).into_owned(),
        false => charset::decode("gbk", member.name_bytes()),
    }
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::PasswordRequired | ErrorKind::BadPassword => Refusal::Encrypted,
        ErrorKind::ResourceLimit => Refusal::TooLarge("the archive when unpacked".into()),
        _ if matches!(error.root_cause(), Error::FeatureDisabled { feature: "encryption" }) => Refusal::Encrypted,
        ErrorKind::UnsupportedFeature | ErrorKind::UnsupportedFormat => Refusal::Unknown,
        kind => Refusal::Damaged(kind.code().to_owned()),
    }
}
