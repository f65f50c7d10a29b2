//! The directory of a .zip (APPNOTE 4.3.12 to 4.3.16), walked where it lies: nothing is allocated, whatever the file
//! claims. Pure.
//!
//! The `zip` crate copies the whole directory before it says anything about the file: 800,000 entries of nothing in a
//! mail cost it 400 MB. So [`within`] is asked before it is let at a file.

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const ENTRY: &[u8] = b"PK\x01\x02";
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;
/// The longest comment there can be at the end.
const COMMENT: usize = 0xFFFF;
/// Places that may look like the end.
const ENDS: usize = 8;
/// Bytes that names, extra fields and comments of all entries may take together.
const DIRECTORY: usize = 4 << 20;

/// The directory of a whole .zip; `None` where it cannot be found, as in a file that was cut short.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    rest: &'a [u8],
    entries: u64,
}

impl<'a> Directory<'a> {
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let from = bytes.len().saturating_sub(COMMENT + END_BYTES);
        let tail = bytes.get(from..)?;
        let ends = tail.windows(END.len()).enumerate().rev().filter(|(_, window)| *window == END);
        ends.map(|(at, _)| from + at).take(ENDS).find_map(|at| Self::ended_at(bytes, at))
    }

    fn ended_at(bytes: &'a [u8], end: usize) -> Option<Self> {
        let record = bytes.get(end..end + END_BYTES)?;
        let mut entries = u64::from(u16::from_le_bytes([record[10], record[11]]));
        let mut size = u64::from(u32_at(record, 12)?);
        let mut offset = u64::from(u32_at(record, 16)?);
        let mut end = end;
        if let Some(locator) =
            end.checked_sub(20).and_then(|at| bytes.get(at..end)).filter(|l| l.starts_with(LOCATOR_64))
        {
            let at = usize::try_from(u64_at(locator, 8)?).ok()?;
            let record = bytes.get(at..)?.strip_prefix(END_64)?;
            (entries, size, offset) = (u64_at(record, 28)?, u64_at(record, 36)?, u64_at(record, 44)?);
            end = at;
        }
        // Directly before its end, also where something was put in front of the file; or where it says.
        let places = [(end as u64).checked_sub(size), Some(offset)];
        let starts = |at: &u64| {
            usize::try_from(*at).ok().and_then(|at| bytes.get(at..)).filter(|b| entries == 0 || b.starts_with(ENTRY))
        };
        let rest = places.iter().flatten().find_map(starts)?;
        let directory = Self { rest, entries };
        (directory.count() as u64 == entries).then_some(directory)
    }

    /// Bytes of the directory.
    fn size(mut self) -> usize {
        let all = self.rest.len();
        self.by_ref().for_each(drop);
        all - self.rest.len()
    }
}

/// The names as they are stored, in the order of the directory.
impl<'a> Iterator for Directory<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.entries = self.entries.checked_sub(1)?;
        let entry = self.rest.get(..ENTRY_BYTES).filter(|entry| entry.starts_with(ENTRY))?;
        let length = |at: usize| usize::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        let (name, others) = (length(28), length(30) + length(32));
        let whole = self.rest.get(ENTRY_BYTES..ENTRY_BYTES + name + others)?;
        self.rest = &self.rest[ENTRY_BYTES + name + others..];
        Some(&whole[..name])
    }
}

/// Whether the directory is there and small enough to be copied. Entries are counted over the whole file as well, so
/// that it does not matter which of several directories a reader takes.
pub fn within(bytes: &[u8], members: usize) -> bool {
    let Some(directory) = Directory::of(bytes) else { return false };
    let everywhere = bytes.windows(ENTRY.len()).filter(|window| *window == ENTRY).count();
    directory.entries <= members as u64 && directory.size() <= DIRECTORY && everywhere <= members.saturating_mul(10)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn packed(names: &[String], comment: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            zip.write_all(name.as_bytes()).unwrap();
        }
        zip.set_comment(comment).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn names(bytes: &[u8]) -> Option<Vec<String>> {
        Some(Directory::of(bytes)?.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    #[test]
    fn it_is_found_behind_other_bytes_and_before_a_comment() {
        let expected = vec!["台账.xls".to_owned(), "b".to_owned()];
        let file = packed(&expected, "PK\u{5}\u{6} 说明");
        assert_eq!(names(&file), Some(expected.clone()));
        assert_eq!(names(&[b"MZ in front", &file[..]].concat()), Some(expected));
        assert_eq!(names(&file[..file.len() - 60]), None);
        assert_eq!(names(&packed(&[], "")), Some(vec![]));
    }

    #[test]
    fn more_entries_than_allowed_are_not_within() {
        let file = packed(&(0..20).map(|n| n.to_string()).collect::<Vec<_>>(), "");
        assert!(within(&file, 20) && !within(&file, 19));
        let hidden = [file.repeat(20), packed(&["a".into()], "")].concat();
        assert!(!within(&hidden, 20), "an earlier directory");
    }

    proptest! {
        #[test]
        fn every_zip_gives_its_names(names_in in prop::collection::hash_set("[a-z]{1,20}", 0..20), comment in "[ -~]{0,40}") {
            let names_in: Vec<_> = names_in.into_iter().collect();
            prop_assert_eq!(names(&packed(&names_in, &comment)), Some(names_in));
        }

        #[test]
        fn no_bytes_bring_it_down(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..9)) {
            let mut file = packed(&["a".into(), "b".into()], "comment");
            for (at, byte) in flips {
                let at = at.index(file.len());
                file[at] = byte;
            }
            let _ = within(&file, 10);
        }
    }
}
