//! What mail-parser 0.11.9 takes wrongly for the structure of a mail, as changes to the mail that put it right. Pure.
//!
//! It lets a header run on over a delimiter when its empty line is missing, and with it swallows the next part; it drops
//! a part when the mail ends in its header; it looks past the delimiter of an outer multipart while an inner one lacks
//! its end; and it takes the base64 of an enclosed message for its text (see [`super::tree`] for why it may not decode
//! it).

use std::ops::Range;

use super::tree::{Content, Entity, PACKED};

/// Bytes to be put in place of others.
type Change = (Range<usize>, Vec<u8>);

/// The mail with its structure made plain; `None` if nothing is wrong with it.
pub fn repaired(raw: &[u8], root: Entity<'_>) -> Option<Vec<u8>> {
    let mut changes = Vec::new();
    inspect(raw, root, &mut Vec::new(), &mut changes);
    changes.sort_by_key(|(range, _)| range.start);
    changes.dedup_by_key(|(range, _)| range.start);
    let mut out = Vec::with_capacity(raw.len() + 64);
    let mut at = 0;
    for (range, bytes) in &changes {
        out.extend_from_slice(&raw[at..range.start]);
        out.extend_from_slice(bytes);
        at = range.end;
    }
    out.extend_from_slice(&raw[at..]);
    (!changes.is_empty()).then_some(out)
}

/// `open` are the boundaries of the multiparts around the part, outermost first.
fn inspect<'a>(raw: &[u8], entity: Entity<'a>, open: &mut Vec<&'a str>, changes: &mut Vec<Change>) {
    let around = open.len();
    open.extend(entity.boundaries());
    if let Some(found) = delimiter(raw, entity.header_range(), open) {
        changes.push((found.at..found.at, EMPTY_LINE.to_vec()));
    }
    open.truncate(around);
    if entity.is_packed_message() {
        changes.extend(entity.type_range().and_then(|field| rename(raw, field)));
    }
    match entity.content() {
        Content::Parts(parts) => {
            open.extend(entity.boundaries().last());
            let end = parts.last().map_or(entity.body_range().start, |part| part.body_range().end);
            changes.extend(lost_part(raw, end, open));
            for part in parts {
                inspect(raw, part, open, changes);
            }
            open.truncate(around);
        }
        Content::Message(inner) => inspect(raw, inner, open, changes),
        Content::PackedMessage | Content::Leaf => {
            let outer = &open[..around.saturating_sub(1)];
            if let Some(found) = delimiter(raw, entity.body_range(), outer) {
                let inner = open[found.level + 1..].iter().rev();
                let ends = inner.flat_map(|boundary| format!("--{boundary}--\r\n").into_bytes());
                changes.push((found.at..found.at, ends.collect()));
            }
        }
    }
}

/// Ends the header of a part that is not in the tree, because the mail ended before its header did.
fn lost_part(raw: &[u8], end: usize, open: &[&str]) -> Option<Change> {
    let last = delimiter(raw, end..raw.len(), &open[open.len().checked_sub(1)?..])?;
    if last.closes {
        return None;
    }
    let at = delimiter(raw, last.end..raw.len(), open).map_or(raw.len(), |next| next.at);
    let line_end = if raw[..at].ends_with(b"\n") { &b""[..] } else { EMPTY_LINE };
    Some((at..at, [line_end, EMPTY_LINE].concat()))
}

const EMPTY_LINE: &[u8] = b"\r\n";

struct Delimiter {
    at: usize,
    end: usize,
    /// Which one of the boundaries it is.
    level: usize,
    closes: bool,
}

/// The first line within `range` that is a delimiter of one of these multiparts (RFC 2046 section 5.1.1).
fn delimiter(raw: &[u8], range: Range<usize>, boundaries: &[&str]) -> Option<Delimiter> {
    let mut at = range.start;
    for line in raw.get(range)?.split_inclusive(|&b| b == b'\n') {
        let end = at + line.len();
        if let Some(rest) = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end) {
            let is = |rest: &[u8]| boundaries.iter().position(|boundary| boundary.as_bytes() == rest);
            let closed = rest.strip_suffix(b"--").and_then(is);
            if let Some(level) = is(rest).or(closed) {
                return Some(Delimiter { at, end, level, closes: is(rest).is_none() });
            }
        }
        at = end;
    }
    None
}

fn rename(raw: &[u8], field: Range<usize>) -> Option<Change> {
    let subtypes = [&b"rfc822"[..], b"global"];
    let at = raw.get(field.clone())?.windows(6).position(|w| subtypes.iter().any(|s| w.eq_ignore_ascii_case(s)))?;
    Some((field.start + at..field.start + at + 6, PACKED.into()))
}
