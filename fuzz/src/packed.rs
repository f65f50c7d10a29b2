//! Mutations of zipped files: a member is changed, not the bytes of the archive, where a flip only breaks a checksum.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Changes one member of an archive in place; returns the new length, or `None` if it is no archive or does not fit.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    seed: u32,
    change: impl Fn(&mut [u8], usize, usize) -> usize,
) -> Option<usize> {
    let mut members = unpack(&data[..size])?;
    let chosen = seed as usize % members.len();
    let content = &mut members[chosen].1;
    let (old, room) = (content.len(), content.len() + 64);
    content.resize(room, 0);
    let new = change(content, old, room);
    content.truncate(new);
    let packed = pack(&members)?;
    data.get_mut(..packed.len())?.copy_from_slice(&packed);
    Some(packed.len())
}

fn unpack(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut members = Vec::new();
    for n in 0..zip.len().min(30) {
        let member = zip.by_index(n).ok()?;
        let name = member.name().ok()?.into_owned();
        let mut content = Vec::new();
        member.take(1 << 20).read_to_end(&mut content).ok()?;
        members.push((name, content));
    }
    (!members.is_empty()).then_some(members)
}

fn pack(members: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(name.as_str(), stored).ok()?;
        zip.write_all(content).ok()?;
    }
    Some(zip.finish().ok()?.into_inner())
}
