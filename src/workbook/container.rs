//! A compound file (MS-CFB, version 4) around a single stream. Pure.
//!
//! calamine reads .xls only from a compound file, and its reader of those follows whatever chains the file has. It is
//! therefore given one of our own making around the stream that our bounded reader took out.

const SECTOR: usize = 4096;
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
const FAT_SECTOR: u32 = 0xFFFF_FFFD;
const FREE: u32 = 0xFFFF_FFFF;
/// The FAT sectors that the header itself can list: enough for 450 MB.
const HEADER_FAT: usize = 109;

/// Wraps a stream under the name `Workbook`, padded with zeros; `None` above 400 MB.
///
/// Sectors in order: header, stream, directory, FAT.
pub(super) fn around(stream: &[u8]) -> Option<Vec<u8>> {
    let content = stream.len().div_ceil(SECTOR).max(1);
    let fat_sectors = (content + 2).div_ceil(SECTOR / 4 - 1);
    if fat_sectors > HEADER_FAT {
        return None;
    }
    let directory = content as u32;
    let first_fat = directory + 1;
    let mut file = header(directory, first_fat, fat_sectors as u32);
    file.extend_from_slice(stream);
    file.resize(SECTOR * (1 + content), 0);
    entry(&mut file, "Root Entry", 5, (1, 0, 0));
    entry(&mut file, "Workbook", 2, (FREE, 0, content * SECTOR));
    file.resize(SECTOR * (2 + content), 0);
    let fat = (1..directory).chain([END_OF_CHAIN; 2]).chain((0..fat_sectors).map(|_| FAT_SECTOR));
    file.extend(fat.flat_map(u32::to_le_bytes));
    file.resize(SECTOR * (2 + content + fat_sectors), 0xFF);
    Some(file)
}

/// MS-CFB 2.2
fn header(directory: u32, first_fat: u32, fat_sectors: u32) -> Vec<u8> {
    let mut header = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    header.resize(24, 0);
    // Minor and major version, byte order, sector shift, mini sector shift.
    header.extend([0x3E_u16, 4, 0xFFFE, 12, 6].into_iter().flat_map(u16::to_le_bytes));
    header.resize(40, 0);
    // Directory sectors, FAT sectors, directory, transactions, mini cut-off, mini FAT, DIFAT.
    let fields = [1, fat_sectors, directory, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0];
    header.extend(fields.into_iter().flat_map(u32::to_le_bytes));
    header.extend((first_fat..first_fat + fat_sectors).flat_map(u32::to_le_bytes));
    header.resize(512, 0xFF);
    header.resize(SECTOR, 0);
    header
}

/// MS-CFB 2.6.1; `place` is child, first sector, size.
fn entry(file: &mut Vec<u8>, name: &str, kind: u8, place: (u32, u32, usize)) {
    let start = file.len();
    file.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    file.resize(start + 64, 0);
    file.extend((name.len() as u16 * 2 + 2).to_le_bytes());
    file.extend([kind, 1]);
    file.extend([FREE, FREE, place.0].into_iter().flat_map(u32::to_le_bytes));
    file.resize(start + 116, 0);
    file.extend(place.1.to_le_bytes());
    file.extend((place.2 as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::cfb::Compound;

    #[test]
    fn a_stream_comes_out_as_it_went_in() {
        for length in [0, 1, 4096, 4097, 5 << 20] {
            let stream: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let file = around(&stream).unwrap();
            let out = Compound::open(&file).unwrap().stream("Workbook").unwrap();
            assert!(out.starts_with(&stream) && out[length..].iter().all(|&b| b == 0), "{length}");
        }
    }
}
