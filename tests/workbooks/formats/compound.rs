//! Compound files (MS-CFB), version 3, with one stream.

const SECTOR: usize = 512;
const END: u32 = 0xFFFF_FFFE;
const FREE: u32 = 0xFFFF_FFFF;
const FAT: u32 = 0xFFFF_FFFD;
/// Shorter streams would lie in the mini stream.
const LARGE: usize = 4096;

/// The stream, padded so that it is stored in sectors of its own, then the directory, then the FAT.
pub fn file(name: &str, stream: &[u8]) -> Vec<u8> {
    let mut stream = stream.to_vec();
    stream.resize(stream.len().max(LARGE).next_multiple_of(SECTOR), 0);
    let sectors = stream.len() / SECTOR;
    let fats = (1..).find(|fats| fats * (SECTOR / 4) > sectors + fats).expect("a size");
    assert!(fats <= 109, "no DIFAT sectors");
    let mut fat: Vec<u32> = (1..=sectors as u32).collect();
    fat[sectors - 1] = END;
    fat.push(END);
    fat.extend(vec![FAT; fats]);
    fat.resize(fats * (SECTOR / 4), FREE);
    let first_fat = sectors as u32 + 1;
    let mut out = header(fats as u32, sectors as u32, first_fat);
    out.extend(&stream);
    out.extend(directory(name, stream.len() as u32));
    out.extend(fat.iter().flat_map(|n| n.to_le_bytes()));
    out
}

fn header(fats: u32, directory: u32, first_fat: u32) -> Vec<u8> {
    let mut out = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    out.resize(24, 0);
    for number in [0x3E_u16, 3, 0xFFFE, 9, 6, 0, 0, 0] {
        out.extend(number.to_le_bytes());
    }
    for number in [0, fats, directory, 0, LARGE as u32, END, 0, END, 0] {
        out.extend(number.to_le_bytes());
    }
    let listed = (0..109).map(|n| if n < fats { first_fat + n } else { FREE });
    out.extend(listed.flat_map(u32::to_le_bytes));
    assert_eq!(out.len(), SECTOR);
    out
}

fn directory(name: &str, size: u32) -> Vec<u8> {
    let entry = |name: &str, kind: u8, child: u32, (start, size): (u32, u32)| {
        let mut out: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = if name.is_empty() { 0 } else { out.len() as u16 + 2 };
        out.resize(64, 0);
        out.extend(length.to_le_bytes());
        out.extend([kind, 1]);
        for link in [FREE, FREE, child] {
            out.extend(link.to_le_bytes());
        }
        out.resize(116, 0);
        for number in [start, size, 0] {
            out.extend(number.to_le_bytes());
        }
        out
    };
    let root = entry("Root Entry", 5, 1, (END, 0));
    let stream = entry(name, 2, FREE, (0, size));
    let unused = || entry("", 0, FREE, (0, 0));
    [root, stream, unused(), unused()].concat()
}
