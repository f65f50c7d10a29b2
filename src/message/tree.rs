//! The part tree of a mail as mail-parser reads it, and the raw bytes of its fields and bodies. Pure.
//!
//! mail-parser finds the parts; their contents are decoded by its decoders when they are asked for. Fields are handed
//! out raw, because texts and names have to be joined before they are decoded (see [`header`]).

use std::borrow::Cow;
use std::ops::Range;

use mail_parser::{HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::header::{self, Parameters};
use super::repair::repaired;
use super::transfer::Encoding;

/// Header fields of one part that are looked at.
const FIELDS: usize = 2_000;
/// Bytes of one field that are looked at.
const FIELD: usize = 64 << 10;
/// The subtype that an encoded message goes by in place of `rfc822` or `global`.
pub const PACKED: &str = "packed";
/// How often a mail is put right and parsed again.
const REPAIRS: usize = 4;

/// Hands the tree of a mail to `read`; `None` where the bytes hold no header at all.
///
/// The transfer encodings are kept from mail-parser: it would parse messages inside base64 without any bound, and
/// 0.11.9 panics (or takes two bytes too many) where a quoted-printable part ends in a soft line break.
pub fn with_tree<T>(raw: &[u8], read: impl FnOnce(Entity<'_>) -> T) -> Option<T> {
    let parser = MessageParser::new()
        .header_content_type(HeaderName::ContentType)
        .ignore_header(HeaderName::ContentTransferEncoding);
    let mut raw = Cow::Borrowed(raw);
    for _ in 0..REPAIRS {
        let message = parser.parse(&raw)?;
        let root = Entity::root(&message)?;
        let Some(better) = repaired(&raw, root) else { return Some(read(root)) };
        raw = Cow::Owned(better);
    }
    Entity::root(&parser.parse(&raw)?).map(read)
}

/// What a part holds.
pub enum Content<'a> {
    Parts(Vec<Entity<'a>>),
    Message(Entity<'a>),
    /// A message that has to be parsed from the part's decoded bytes.
    PackedMessage,
    Leaf,
}

/// A message or a body part.
#[derive(Clone, Copy)]
pub struct Entity<'a> {
    message: &'a Message<'a>,
    part: &'a MessagePart<'a>,
}

impl<'a> Entity<'a> {
    fn root(message: &'a Message<'a>) -> Option<Self> {
        message.parts.first().map(|part| Self { message, part })
    }

    /// Raw field bodies in order, with their names as written.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let raw = self.message.raw_message.as_ref();
        self.part.headers.iter().take(FIELDS).filter_map(move |h| {
            let name = raw.get(h.offset_field as usize..h.offset_start as usize)?;
            let value = raw.get(h.offset_start as usize..h.offset_end as usize)?;
            Some((name.strip_suffix(b":").unwrap_or(name).trim_ascii(), &value[..value.len().min(FIELD)]))
        })
    }

    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    pub fn parameters(&self, name: &str) -> Parameters {
        self.field(name).map(Parameters::parse).unwrap_or_default()
    }

    /// Type and subtype in lower case; plain text where there is none (RFC 2045 section 5.2).
    pub fn kind(&self) -> (&'a str, &'a str) {
        let declared = self.part.content_type();
        declared.and_then(|t| Some((t.ctype(), t.subtype()?))).unwrap_or(("text", "plain"))
    }

    fn is_message(&self) -> bool {
        matches!(self.kind(), ("message", "rfc822" | "global" | PACKED))
    }

    pub fn charset(&self) -> Option<&'a str> {
        self.part.content_type().and_then(|t| t.attribute("charset"))
    }

    pub fn content(&self) -> Content<'a> {
        match &self.part.body {
            PartType::Multipart(ids) => {
                // In damaged mail a multipart may be listed among its own parts.
                let parts = ids.iter().filter_map(|id| self.message.part(*id));
                let inside = parts.filter(|part| part.offset_header > self.part.offset_header);
                Content::Parts(inside.map(|part| Self { message: self.message, part }).collect())
            }
            PartType::Message(inner) => Self::root(inner).map_or(Content::Leaf, Content::Message),
            // Encoded, or without the empty line behind its header.
            _ if self.is_message() => Content::PackedMessage,
            _ => Content::Leaf,
        }
    }

    /// A message that mail-parser took apart without decoding it.
    pub fn is_packed_message(&self) -> bool {
        self.is_message() && self.encoding() != Encoding::None
    }

    /// Of all content types in the header; the last one counts.
    pub fn boundaries(&self) -> impl Iterator<Item = &'a str> {
        let types = self.part.headers.iter().filter(|h| h.name == HeaderName::ContentType);
        types.filter_map(|h| h.value.as_content_type()?.attribute("boundary"))
    }

    fn encoding(&self) -> Encoding {
        Encoding::named(&self.field("Content-Transfer-Encoding").map(header::text).unwrap_or_default())
    }

    pub fn header_range(&self) -> Range<usize> {
        self.part.offset_header as usize..self.part.offset_body as usize
    }

    pub fn body_range(&self) -> Range<usize> {
        self.part.offset_body as usize..self.part.offset_end as usize
    }

    /// Where the Content-Type lies that counts.
    pub fn type_range(&self) -> Option<Range<usize>> {
        let field = self.part.headers.iter().rfind(|h| h.name == HeaderName::ContentType)?;
        Some(field.offset_start as usize..field.offset_end as usize)
    }

    /// The content without its transfer encoding.
    pub fn decoded(&self) -> Vec<u8> {
        self.encoding().decode(self.message.raw_message.get(self.body_range()).unwrap_or_default())
    }
}
