//! Mail inside a signature or a cipher (S/MIME, RFC 8551; CMS, RFC 5652). Pure.
//!
//! An opaque signature has the mail inside it: a few nested values of BER, walked down to it. Nothing is verified;
//! whether a sender is believed is decided elsewhere. What is enciphered can only be told.

use std::borrow::Cow;

/// What a CMS object is.
#[derive(Debug, PartialEq, Eq)]
pub enum Cms<'a> {
    Signed(Signed<'a>),
    Enciphered,
    /// Only certificates, a detached signature, or damaged.
    Other,
}

/// The octet string that was signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed<'a>(&'a [u8]);

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// A constructed octet string: octet strings one after the other.
const PIECES: u8 = OCTETS | 0x20;
/// `[0]`, explicit
const TAGGED: u8 = 0xA0;
/// 1.2.840.113549.1.7.2, .3, and 1.2.840.113549.1.9.16.1.23 (RFC 5083)
const SIGNED: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
const ENVELOPED: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03";
const AUTH_ENVELOPED: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17";
/// Values within values.
const DEPTH: usize = 8;

pub fn open(bytes: &[u8]) -> Cms<'_> {
    let Some((SEQUENCE, info, _)) = value(bytes, DEPTH) else { return Cms::Other };
    let Some((OBJECT_ID, kind, rest)) = value(info, DEPTH) else { return Cms::Other };
    match kind {
        SIGNED => signed_content(rest).map_or(Cms::Other, Cms::Signed),
        ENVELOPED | AUTH_ENVELOPED => Cms::Enciphered,
        _ => Cms::Other,
    }
}

/// `[0] SignedData { version, digestAlgorithms, EncapsulatedContentInfo { type, [0] OCTET STRING }, … }`
fn signed_content(info: &[u8]) -> Option<Signed<'_>> {
    let (TAGGED, tagged, _) = value(info, DEPTH)? else { return None };
    let (SEQUENCE, data, _) = value(tagged, DEPTH)? else { return None };
    let (_, _, rest) = value(data, DEPTH)?;
    let (_, _, rest) = value(rest, DEPTH)?;
    let (SEQUENCE, content, _) = value(rest, DEPTH)? else { return None };
    let (OBJECT_ID, _, rest) = value(content, DEPTH)? else { return None };
    let (TAGGED, octets, _) = value(rest, DEPTH)? else { return None };
    // Of a detached signature the content is empty.
    (!octets.is_empty()).then_some(Signed(octets))
}

impl Signed<'_> {
    /// Whether its content has to be joined, which takes as many bytes again.
    pub fn is_in_pieces(&self) -> bool {
        self.0.first() == Some(&PIECES)
    }

    /// A body part with its header. It may be in pieces; what is no such piece is left out.
    pub fn content(&self) -> Cow<'_, [u8]> {
        match value(self.0, DEPTH) {
            Some((OCTETS, content, _)) => Cow::Borrowed(content),
            Some((PIECES, pieces, _)) => {
                let mut out = Vec::new();
                join(pieces, &mut out, DEPTH);
                Cow::Owned(out)
            }
            _ => Cow::Borrowed(&[]),
        }
    }
}

fn join(pieces: &[u8], out: &mut Vec<u8>, depth: usize) {
    let mut rest = pieces;
    while let Some((tag, content, after)) = value(rest, depth) {
        match tag {
            OCTETS => out.extend_from_slice(content),
            PIECES if depth > 0 => join(content, out, depth - 1),
            _ => {}
        }
        rest = after;
    }
}

/// A tag, its content, and what follows (X.690, one byte of tag). The content of an indefinite length is searched for
/// its end; where a file was cut, what is there is its content.
fn value(bytes: &[u8], depth: usize) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    match first {
        0x80 => {
            let mut after = rest;
            while !after.starts_with(&[0, 0]) && !after.is_empty() {
                after = value(after, depth.checked_sub(1)?)?.2;
            }
            let content = &rest[..rest.len() - after.len()];
            Some((tag, content, after.get(2..).unwrap_or_default()))
        }
        _ => {
            let count = usize::from(first & 0x7F);
            let (length, rest) = match first & 0x80 {
                0 => (count, rest),
                _ if count > 4 => return None,
                _ => (rest.get(..count)?.iter().fold(0, |n, &b| n << 8 | usize::from(b)), &rest[count..]),
            };
            let end = length.min(rest.len());
            Some((tag, &rest[..end], &rest[end..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        [&[tag, 0x84][..], &length, content].concat()
    }

    fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x80][..], content, &[0, 0]].concat()
    }

    fn wrapped(kind: &[u8], octets: &[u8], write: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
        let content = write(SEQUENCE, &[der(OBJECT_ID, b"\x2A"), write(TAGGED, octets)].concat());
        let data = write(SEQUENCE, &[der(2, b"\x01"), der(0x31, b""), content, der(TAGGED, b"certificates")].concat());
        write(SEQUENCE, &[der(OBJECT_ID, kind), write(TAGGED, &data)].concat())
    }

    #[test]
    fn signed_content_is_found_in_one_piece_and_in_several() {
        let whole = der(OCTETS, b"Content-Type: a/b");
        let pieces = ber(PIECES, &[der(OCTETS, b"Content-"), der(OCTETS, b"Type: a/b")].concat());
        for octets in [&whole, &pieces] {
            for write in [der, ber] {
                let bytes = wrapped(SIGNED, octets, write);
                let Cms::Signed(signed) = open(&bytes) else { panic!("not signed") };
                assert_eq!(*signed.content(), *b"Content-Type: a/b");
            }
        }
        assert_eq!(open(&wrapped(ENVELOPED, &whole, der)), Cms::Enciphered);
        assert_eq!(open(&wrapped(b"\x2A", &whole, der)), Cms::Other);
        assert_eq!(open(b""), Cms::Other);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
            let mut bytes = wrapped(SIGNED, &ber(PIECES, &der(OCTETS, b"x")), ber);
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Cms::Signed(signed) = open(&bytes) {
                prop_assert!(signed.content().len() <= bytes.len());
            }
        }

        #[test]
        fn nesting_is_bounded(tag in any::<u8>(), times in 0..5000usize) {
            open(&[tag, 0x80].repeat(times));
            let deep = wrapped(SIGNED, &[PIECES, 0x80].repeat(times), ber);
            if let Cms::Signed(signed) = open(&deep) {
                prop_assert!(signed.content().is_empty());
            }
        }
    }
}
