//! The parts of an OOXML package (ECMA-376 part 2), inflated through a counter as they are read: a bomb is refused when
//! it has given more than the limits below. Parts that nobody asks for may be as large or as broken as they like.
//! OpenDocument has its parts in the same kind of file. Pure.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use super::Refusal;
use crate::message::attachment::text_of;
use crate::message::zip_directory;

const MEMBERS: usize = 5_000;
const PART_BYTES: u64 = 256 << 20;
const ALL_BYTES: u64 = 512 << 20;
const RELATIONSHIPS: usize = 10_000;

pub(super) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Member numbers by part name in lower case: writers disagree on case and slashes.
    members: HashMap<String, usize>,
    /// Names that several members have: programs would not agree on which of them is meant.
    twice: HashSet<String>,
    /// Bytes that all parts together may yet give.
    left: u64,
}

/// One entry of a `.rels` part; `kind` is the last word of its type URI, which strict and transitional share.
pub(super) struct Relationship {
    pub(super) id: String,
    pub(super) kind: String,
    /// Part name from the package's root, without a leading slash.
    pub(super) target: String,
}

pub(super) fn damaged(what: impl std::fmt::Display) -> Refusal {
    Refusal::Damaged(format!("OOXML package: {what}"))
}

impl<'a> Package<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if !zip_directory::within(bytes, MEMBERS) {
            let found = zip_directory::Directory::of(bytes);
            return Err(found.map_or_else(|| damaged("no directory"), |_| Refusal::TooLarge("members".into())));
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        let named = |number| Some((part_name(&zip.name_for_index(number)?.ok()?), number));
        let members = (0..zip.len()).filter_map(named).collect();
        // Asked of the directory: the archive itself keeps one of each.
        let mut seen = HashSet::new();
        let names = zip_directory::Directory::of(bytes).into_iter().flatten();
        let twice =
            names.map(|name| part_name(&String::from_utf8_lossy(name))).filter(|name| !seen.insert(name.clone()));
        Ok(Self { zip, members, twice: twice.collect(), left: ALL_BYTES })
    }

    /// A part's bytes, if it is there.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<impl BufRead + '_>, Refusal> {
        let Some(&member) = self.members.get(&part_name(name)) else { return Ok(None) };
        if self.twice.contains(&part_name(name)) {
            return Err(damaged("a part is there twice"));
        }
        let inner = self.zip.by_index(member).map_err(locked)?;
        Ok(Some(BufReader::new(Counted { inner, part: PART_BYTES, all: &mut self.left })))
    }

    /// A part as XML, if it is there. In UTF-16 it has to be in memory whole.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Xml<Box<dyn BufRead + '_>>>, Refusal> {
        let Some(mut bytes) = self.bytes(name)? else { return Ok(None) };
        let head = bytes.fill_buf().map_err(refusal)?;
        if !(head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") || head.contains(&0)) {
            return Ok(Some(Xml::new(Box::new(bytes))));
        }
        let mut whole = Vec::new();
        bytes.read_to_end(&mut whole).map_err(refusal)?;
        Ok(Some(Xml::new(Box::new(Cursor::new(text_of(&whole))))))
    }

    /// The relationships of a part (of the package itself for `""`); none where there is no such list.
    pub(super) fn relationships(&mut self, of: &str) -> Result<Vec<Relationship>, Refusal> {
        let (folder, name) = of.rsplit_once('/').unwrap_or(("", of));
        let Some(mut xml) = self.part(&format!("{folder}/_rels/{name}.rels"))? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        while let Some(event) = xml.next()? {
            let Event::Start(e) = event else { continue };
            if local(&e) != "Relationship" || found.len() == RELATIONSHIPS {
                continue;
            }
            let kind = attribute(&e, "Type").unwrap_or_default();
            found.push(Relationship {
                id: attribute(&e, "Id").unwrap_or_default(),
                kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                target: resolve(folder, &attribute(&e, "Target").unwrap_or_default()),
            });
        }
        Ok(found)
    }
}

fn locked(error: ZipError) -> Refusal {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Refusal::Encrypted,
        other => damaged(other),
    }
}

/// Why a part could not be read.
pub(super) fn refusal(error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Refusal::TooLarge("bytes when unpacked".into()),
        _ => damaged(error),
    }
}

fn part_name(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_lowercase()
}

fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|s| !s.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}

/// Stops with `FileTooLarge` once a part, or all parts together, have given more than they may.
struct Counted<'l, R> {
    inner: R,
    part: u64,
    all: &'l mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = |from: u64| from.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge);
        self.part = left(self.part)?;
        *self.all = left(*self.all)?;
        Ok(count)
    }
}

/// A part's XML as events, every element with both its tags.
pub(super) struct Xml<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(reader: R) -> Self {
        let mut reader = Reader::from_reader(reader);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        Self { reader, buffer: Vec::new() }
    }

    /// `None` at the end of the part.
    pub(super) fn next(&mut self) -> Result<Option<Event<'_>>, Refusal> {
        self.buffer.clear();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) => Ok(None),
            Ok(event) => Ok(Some(event)),
            Err(quick_xml::Error::Io(error)) => Err(refusal(error.kind().into())),
            Err(e) => Err(damaged(e)),
        }
    }
}

pub(super) fn local<'e>(element: &'e BytesStart<'_>) -> &'e str {
    element.local_name().into_inner()
}

/// An attribute by its local name, unescaped.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes.with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).map_or_else(|_| found.value.to_string(), |v| v.into_owned()))
}

/// The character of a reference (`&amp;`, `&#10;`); nothing for one that nobody declared.
pub(super) fn resolved(reference: &BytesRef<'_>) -> String {
    let character = reference.resolve_char_ref().ok().flatten().map(String::from);
    character.or_else(|| resolve_predefined_entity(reference).map(str::to_owned)).unwrap_or_default()
}

/// `1`, `true`, `on`
pub(super) fn flag(element: &BytesStart<'_>, name: &str) -> bool {
    attribute(element, name).is_some_and(|v| matches!(v.as_str(), "1" | "true" | "on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_from_the_folder_of_their_source() {
        assert_eq!(resolve("xl", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "/xl/styles.xml"), "xl/styles.xml");
        assert_eq!(resolve("xl/a", "..\\b.xml"), "xl/b.xml");
    }

    #[test]
    fn a_reader_stops_at_the_limit_of_all_parts() {
        let mut left = 10;
        let mut read = |n: u64| {
            let mut out = Vec::new();
            Counted { inner: io::repeat(1).take(n), part: 8, all: &mut left }
                .read_to_end(&mut out)
                .map_err(|e| e.kind())
        };
        assert_eq!(read(6), Ok(6));
        assert_eq!(read(5), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(read(9), Err(io::ErrorKind::FileTooLarge));
    }
}
