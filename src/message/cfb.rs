//! Compound files (MS-CFB): the container of .xls, .et, .doc and of encrypted OOXML. Pure.
//!
//! Only what is needed to name the streams and take one out. Every chain ends where it has given what is wanted of it:
//! a looping one costs no more than the file's own size, and one whose last link was lost is read all the same.

use std::collections::BTreeMap;

const MAGIC: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
const HEADER: usize = 512;
const DIRECTORY_ENTRY: usize = 128;
/// Sector numbers from here on are markers: free, end of chain, FAT, DIFAT (MS-CFB 2.1).
const MAX_REGULAR: u32 = 0xFFFF_FFFA;

pub fn is_compound(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// A compound file whose directory has been read.
pub struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    mini_cutoff: u64,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    /// The sectors that hold the small ones.
    mini_sectors: Vec<u32>,
    /// The directory; the first entry is the root storage.
    entries: Vec<Entry>,
    /// What lies directly in each storage that lies somewhere below the root.
    members: BTreeMap<usize, Vec<usize>>,
}

/// A storage of a compound file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage(usize);

pub const ROOT: Storage = Storage(0);

struct Entry {
    /// Its place in the directory.
    number: usize,
    name: String,
    kind: u8,
    /// Left and right sibling, child.
    links: [u32; 3],
    start: u32,
    size: u64,
}

const STORAGE: u8 = 1;
const STREAM: u8 = 2;
/// Bytes of the directory, and of the table of small sectors, that are looked at: 65,536 entries.
const DIRECTORY: usize = 8 << 20;
const MINI_SECTOR: usize = 64;

impl<'a> Compound<'a> {
    /// Reads header, FAT and directory; `None` where they make no sense.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        if !is_compound(bytes) || bytes.len() < HEADER {
            return None;
        }
        let shift = u16_at(bytes, 30)?;
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let mut file = Self {
            bytes,
            sector: 1 << shift,
            mini_cutoff: u64::from(u32_at(bytes, 56)?),
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini_sectors: Vec::new(),
            entries: Vec::new(),
            members: BTreeMap::new(),
        };
        file.fat = file.read_fat()?;
        file.mini_fat = numbers(&file.chain(u32_at(bytes, 60)?, DIRECTORY)?).collect();
        let version_4 = shift == 12;
        let directory = file.chain(u32_at(bytes, 48)?, DIRECTORY)?;
        let entries = directory.chunks_exact(DIRECTORY_ENTRY).enumerate();
        file.entries = entries.map_while(|raw| Entry::read(raw, version_4)).collect();
        file.mini_sectors = file.links(file.entries.first()?.start).collect();
        file.members = members(&file.entries);
        Some(file)
    }

    /// A stream or storage of this name lies in the root storage; names compare without case. (Embedded objects lie
    /// deeper and say nothing about the file.)
    pub fn has(&self, name: &str) -> bool {
        self.members(ROOT).any(|e| e.is(name))
    }

    /// The content of a stream in the root storage.
    pub fn stream(&self, name: &str) -> Option<Vec<u8>> {
        self.stream_in(ROOT, name, self.bytes.len())
    }

    /// The content of a stream; `None` if there is no such stream, its chain is broken, or it is larger than that.
    pub fn stream_in(&self, storage: Storage, name: &str, most: usize) -> Option<Vec<u8>> {
        let entry = self.members(storage).find(|e| e.kind == STREAM && e.is(name))?;
        let size = usize::try_from(entry.size).ok().filter(|&size| size <= most.min(self.bytes.len()))?;
        let mut content = match entry.size < self.mini_cutoff {
            true => self.mini_chain(entry.start, size)?,
            false => self.chain(entry.start, size)?,
        };
        if content.len() < size {
            return None;
        }
        content.truncate(size);
        Some(content)
    }

    /// The storages in this one whose names begin so, with their names.
    pub fn storages_in(&self, storage: Storage, prefix: &str) -> Vec<(&str, Storage)> {
        let members = self.members(storage).filter(|e| e.kind == STORAGE && e.name.starts_with(prefix));
        members.map(|e| (e.name.as_str(), Storage(e.number))).collect()
    }

    fn members(&self, storage: Storage) -> impl Iterator<Item = &Entry> {
        self.members.get(&storage.0).into_iter().flatten().filter_map(|&number| self.entries.get(number))
    }

    fn sectors(&self) -> usize {
        (self.bytes.len() - HEADER).div_ceil(self.sector) + 1
    }

    /// One sector; the last one of a file may be cut short.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let from = (number as usize).checked_add(1)?.checked_mul(self.sector)?;
        let to = from.checked_add(self.sector)?.min(self.bytes.len());
        self.bytes.get(from..to)
    }

    /// The FAT, from the 109 DIFAT entries of the header and the DIFAT sectors after them.
    fn read_fat(&self) -> Option<Vec<u32>> {
        let mut fat = Vec::new();
        let mut listed: Vec<u32> = numbers(self.bytes.get(76..HEADER)?).collect();
        let mut next = u32_at(self.bytes, 68)?;
        for _ in 0..self.sectors() {
            for &number in listed.iter().filter(|&&n| n < MAX_REGULAR) {
                fat.extend(numbers(self.sector(number)?));
                if fat.len() > self.sectors() + self.sector {
                    return Some(fat);
                }
            }
            if next >= MAX_REGULAR {
                return Some(fat);
            }
            listed = numbers(self.sector(next)?).collect();
            next = listed.pop()?;
        }
        None
    }

    /// The numbers of the sectors from one on; no more than there are in the file, whatever the links say.
    fn links(&self, start: u32) -> impl Iterator<Item = u32> {
        let next = |number: &u32| Some(*self.fat.get(*number as usize).unwrap_or(&MAX_REGULAR));
        std::iter::successors(Some(start), next).take_while(|number| *number < MAX_REGULAR).take(self.sectors())
    }

    /// The sectors from one on, until their end or until they have given as many bytes as are wanted.
    fn chain(&self, start: u32, wanted: usize) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        for number in self.links(start) {
            if content.len() >= wanted {
                break;
            }
            content.extend_from_slice(self.sector(number).filter(|sector| !sector.is_empty())?);
        }
        Some(content)
    }

    /// A small stream, kept in 64-byte sectors inside the root entry's stream.
    fn mini_chain(&self, start: u32, size: usize) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let mut next = start;
        while content.len() < size {
            let from = (next as usize).checked_mul(MINI_SECTOR)?;
            let sector = self.sector(*self.mini_sectors.get(from / self.sector)?)?;
            let from = from % self.sector;
            content.extend_from_slice(sector.get(from..(from + MINI_SECTOR).min(sector.len()))?);
            next = *self.mini_fat.get(next as usize)?;
            if content.len() > self.bytes.len() {
                return None;
            }
        }
        Some(content)
    }
}

/// What lies directly in each storage: the tree of siblings below its child. An entry lies in one storage only, the first
/// that claims it from the root on; so no storage lies in itself, and all of them together hold no more than there is.
fn members(entries: &[Entry]) -> BTreeMap<usize, Vec<usize>> {
    let mut all = BTreeMap::new();
    let mut claimed = vec![false; entries.len()];
    let mut storages = std::collections::VecDeque::from([ROOT.0]);
    claimed.iter_mut().take(1).for_each(|root| *root = true);
    while let Some(storage) = storages.pop_front() {
        let mut members = Vec::new();
        let mut ahead: Vec<u32> = entries.get(storage).map(|e| e.links[2]).into_iter().collect();
        while let Some(next) = ahead.pop() {
            let Some(entry) = entries.get(next as usize) else { continue };
            // `Entry::number` is its place in the list.
            if std::mem::replace(&mut claimed[entry.number], true) {
                continue;
            }
            ahead.extend([entry.links[0], entry.links[1]]);
            members.push(entry.number);
            if entry.kind == STORAGE {
                storages.push_back(entry.number);
            }
        }
        all.insert(storage, members);
    }
    all
}

impl Entry {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn read((number, raw): (usize, &[u8]), version_4: bool) -> Option<Self> {
        let length = usize::from(u16_at(raw, 64)?).min(64);
        let units: Vec<u16> = raw[..length].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        let name = String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned();
        let low = u64::from(u32_at(raw, 120)?);
        // In version 3 the upper half of the size may be rubbish (MS-CFB 2.6.1).
        let high = if version_4 { u64::from(u32_at(raw, 124)?) } else { 0 };
        let links = [u32_at(raw, 68)?, u32_at(raw, 72)?, u32_at(raw, 76)?];
        Some(Self { number, name, kind: raw[66], links, start: u32_at(raw, 116)?, size: high << 32 | low })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by xlwt: see make.py beside it.
    const WORKBOOK: &[u8] = include_bytes!("../../tests/fixtures/excel97.xls");

    #[test]
    fn no_loop_and_no_cut_keeps_it_busy_or_gives_more_than_there_is() {
        let fat = (u32_at(WORKBOOK, 76).unwrap() as usize + 1) * HEADER;
        let whole = Compound::open(WORKBOOK).unwrap().stream("workbook").unwrap();
        let mut broken = 0;
        for sector in 0..WORKBOOK.len() / HEADER - 1 {
            let mut bytes = WORKBOOK.to_vec();
            bytes[fat + sector * 4..fat + sector * 4 + 4].copy_from_slice(&(sector as u32).to_le_bytes());
            let stream = Compound::open(&bytes).and_then(|file| file.stream("Workbook"));
            assert!(stream.as_ref().is_none_or(|stream| stream.len() == whole.len()));
            broken += usize::from(stream.is_none_or(|stream| stream != whole));
        }
        assert!(broken > 10, "the loops were not where the chain is");
        for end in (0..WORKBOOK.len()).step_by(100) {
            let stream = Compound::open(&WORKBOOK[..end]).and_then(|file| file.stream("Workbook"));
            assert!(stream.is_none_or(|stream| stream == whole));
        }
    }
}
