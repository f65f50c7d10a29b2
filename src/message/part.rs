//! The parts of a mail as ranges of its raw bytes (RFC 5322 section 2.1, RFC 2046 section 5.1). Pure.
//!
//! Nothing is copied or decoded before it is asked for, and every part is found lazily: what a mail costs is what is
//! looked at in it. Real mail breaks every rule about lines, so they are read leniently: a line ends in LF, CRLF, CR or
//! CR CR LF; a header may lack the empty line behind it, or hold lines that are no fields; a multipart may lack its
//! delimiters, its end, or the name of its boundary.

use std::borrow::Cow;
use std::ops::Range;

use super::parameters::Parameters;
use super::transfer::Encoding;

/// Header fields of one part that are looked at.
const FIELDS: usize = 2_000;
/// Bytes of one field that are looked at.
const FIELD: usize = 64 << 10;
/// Bytes of a field's name.
const NAME: usize = 76;

/// A line without its end.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub text: &'a [u8],
    /// Where it begins, and where the next one does.
    pub start: usize,
    pub next: usize,
}

impl<'a> Line<'a> {
    /// The line that begins here; `None` at the end.
    pub fn at(raw: &'a [u8], start: usize) -> Option<Self> {
        let rest = raw.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        // Mail that was converted twice has CR CR LF.
        let end = match &rest[length..] {
            [] => 0,
            [b'\r', b'\n', ..] => 2,
            [b'\r', b'\r', b'\n', ..] => 3,
            _ => 1,
        };
        Some(Self { text: &rest[..length], start, next: start + length + end })
    }

    pub fn all(raw: &'a [u8], from: usize) -> impl Iterator<Item = Self> {
        std::iter::successors(Self::at(raw, from), |line| Self::at(raw, line.next))
    }

    fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }

    fn is_folded(&self) -> bool {
        matches!(self.text.first(), Some(b' ' | b'\t'))
    }
}

/// A message, or a body part of one.
pub struct Entity<'a> {
    /// Names as written, and raw values with their folded lines.
    fields: Vec<(&'a [u8], &'a [u8])>,
    content_type: Parameters,
    pub body: &'a [u8],
    /// Not all of its header was looked at.
    pub cut: bool,
}

impl<'a> Entity<'a> {
    /// A whole message. A byte order mark, an mbox's `From ` line and empty lines before the header are passed over.
    pub fn message(raw: &'a [u8]) -> Self {
        let raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
        let envelope = |line: &Line| line.text.starts_with(b"From ") || line.text.starts_with(b">From ");
        let first = Line::all(raw, 0).find(|line| !line.is_blank());
        let begin = match first {
            Some(line) if envelope(&line) => line.next,
            Some(line) if field_name(line.text).is_some_and(is_message_field) => line.start,
            _ => 0,
        };
        Self::read(raw, begin, is_message_field)
    }

    /// A part of a multipart.
    pub fn part(raw: &'a [u8]) -> Self {
        // Some programs put an empty line before the header.
        let first = Line::all(raw, 0).find(|line| !line.is_blank());
        let begin =
            first.filter(|line| field_name(line.text).is_some_and(is_content_field)).map_or(0, |line| line.start);
        Self::read(raw, begin, is_part_field)
    }

    fn read(raw: &'a [u8], begin: usize, known: fn(&[u8]) -> bool) -> Self {
        let lf = raw[..raw.len().min(FIELD)].contains(&b'\n');
        let mut fields = Fields { raw, lf, list: Vec::new(), cut: false };
        let body = fields.read(begin, known);
        let list = fields.list.iter().map(|(name, value)| (*name, &raw[value.clone()])).collect();
        let (cut, content_type) = (fields.cut, Parameters::default());
        let mut entity = Self { fields: list, content_type, body: &raw[body..], cut };
        let typed = |declared: &Parameters| declared.value.contains('/');
        let content_type = entity.fields_named("Content-Type").map(Parameters::parse).find(typed);
        entity.content_type = content_type.unwrap_or_default();
        entity
    }

    /// The same part with another body: its own, decoded.
    pub fn with_body<'b>(&'b self, body: &'b [u8]) -> Entity<'b> {
        Entity { fields: self.fields.clone(), content_type: self.content_type.clone(), body, cut: false }
    }

    /// Raw field bodies in order, with their names as written.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().map(|(name, value)| (*name, &value[..value.len().min(FIELD)]))
    }

    fn fields_named(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields_named(name).next()
    }

    pub fn content_type(&self) -> &Parameters {
        &self.content_type
    }

    pub fn disposition(&self) -> Parameters {
        self.field("Content-Disposition").map(Parameters::parse).unwrap_or_default()
    }

    /// Type and subtype in lower case; plain text where there is none (RFC 2045 section 5.2).
    pub fn kind(&self) -> (&str, &str) {
        let declared = self.content_type.value.split_once('/').map(|(main, sub)| (main.trim(), sub.trim()));
        declared.unwrap_or(("text", "plain"))
    }

    pub fn has_kind(&self) -> bool {
        !self.content_type.value.is_empty()
    }

    pub fn encoding(&self) -> Encoding {
        self.field("Content-Transfer-Encoding").map_or(Encoding::None, Encoding::of_field)
    }

    /// The content without its transfer encoding.
    pub fn decoded(&self) -> Cow<'a, [u8]> {
        self.encoding().decode(self.body)
    }

    /// The parts of a multipart; `None` where there are none to be found. A boundary that is not named, or never comes,
    /// is recognised where the body has a line with two dashes in front of a part's header.
    pub fn parts(&self) -> Option<Parts<'_>> {
        let declared = self.content_type.raw("boundary").map(<[u8]>::trim_ascii_end).filter(|b| !b.is_empty());
        if let Some(parts) = declared.and_then(|boundary| Parts::between(self.body, boundary)) {
            return Some(parts);
        }
        let mut lines = Line::all(self.body, 0);
        let opens = |line: &Line| {
            let header = Line::at(self.body, line.next);
            line.text.starts_with(b"--") && header.is_some_and(|h| field_name(h.text).is_some_and(is_content_field))
        };
        // A text that nobody meant for a multipart may speak of such lines further down.
        let found = match self.kind() {
            ("multipart", _) => lines.find(opens)?,
            _ => lines
                .filter(|line| !line.is_blank() && !line.text.starts_with(b"This is a multi"))
                .take(1)
                .find(opens)?,
        };
        Parts::between(self.body, found.text.trim_ascii_end().strip_prefix(b"--")?)
    }
}

struct Fields<'a> {
    raw: &'a [u8],
    /// Lines end in LF, or in CR and LF: a CR alone is no proper end.
    lf: bool,
    /// Names, and where their values lie.
    list: Vec<(&'a [u8], Range<usize>)>,
    cut: bool,
}

impl<'a> Fields<'a> {
    /// Reads a header up to its end, and returns where the body begins: behind the empty line, or where that is missing,
    /// at the first line that is no field and has none behind it that is `known`.
    fn read(&mut self, begin: usize, known: fn(&[u8]) -> bool) -> usize {
        // The first of some lines that are no fields, and how many there are.
        let mut strays: Option<(usize, usize)> = None;
        let mut at = begin;
        while let Some(line) = Line::at(self.raw, at) {
            let broken = self.lf && self.raw[..line.start].ends_with(b"\r");
            let name = field_name(line.text).filter(|name| !broken || is_harmless_field(name));
            if line.is_blank() && !self.goes_on(&line) {
                return strays.filter(|strays| !self.is_rubbish(*strays, &line)).map_or(line.next, |(start, _)| start);
            }
            if line.text.starts_with(b"--") {
                return strays.map_or(line.start, |(start, _)| start);
            }
            match (name, &mut strays) {
                (Some(name), stray) if stray.is_none() || known(name) => {
                    strays = None;
                    self.push(name, &line);
                }
                // A folded line, or the rest of one that a bare CR has broken.
                (_, None) if line.is_folded() || broken => self.extend(line.start + line.text.len()),
                (_, Some((_, count))) => *count += 1,
                (_, None) => strays = Some((line.start, 1)),
            }
            at = line.next;
        }
        strays.map_or(self.raw.len(), |(start, _)| start)
    }

    /// A line of nothing but white space may be a folded line.
    fn goes_on(&self, line: &Line) -> bool {
        let next = Line::at(self.raw, line.next);
        !line.text.is_empty() && next.is_some_and(|next| field_name(next.text).is_some_and(is_message_field))
    }

    /// Whether lines behind the last field that are no fields belong neither to the header nor to the body: there are
    /// few of them, they are no data, and the body comes behind them.
    fn is_rubbish(&self, (start, count): (usize, usize), blank: &Line) -> bool {
        let data = |line: Line| line.text.len() >= 40 && !line.text.contains(&b' ');
        count <= 2
            && !self.list.is_empty()
            && !self.raw[blank.next..].trim_ascii().is_empty()
            && !Line::all(self.raw, start).take(count).any(data)
    }

    fn push(&mut self, name: &'a [u8], line: &Line<'a>) {
        let colon = line.text.iter().position(|&b| b == b':').unwrap_or(0);
        if self.list.len() < FIELDS {
            self.list.push((name, line.start + colon + 1..line.start + colon + 1));
            self.extend(line.start + line.text.len());
        } else {
            self.cut = true;
        }
    }

    /// The last field's value reaches to here.
    fn extend(&mut self, end: usize) {
        let Some((name, value)) = self.list.last_mut().filter(|_| !self.cut) else { return };
        value.end = end;
        // Of other fields the beginning says enough.
        self.cut |= value.len() > FIELD && is_content_field(name);
    }
}

/// The name of the field that this line begins (RFC 5322 section 2.2).
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().take(NAME + 1).position(|&b| b == b':')?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

fn starts(name: &[u8], beginning: &[u8]) -> bool {
    name.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

fn is_content_field(name: &[u8]) -> bool {
    starts(name, b"Content-")
}

fn is_part_field(name: &[u8]) -> bool {
    is_content_field(name) || starts(name, b"X-")
}

/// Fields that may begin behind a CR alone. Others may not: where a provider that checks the sender saw one field, a
/// forger must not make us see another.
fn is_harmless_field(name: &[u8]) -> bool {
    const NAMES: [&str; 7] = ["to", "cc", "subject", "date", "message-id", "mime-version", "references"];
    is_content_field(name) || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

fn is_message_field(name: &[u8]) -> bool {
    const NAMES: [&str; 22] = [
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "date",
        "message-id",
        "received",
        "return-path",
        "reply-to",
        "sender",
        "in-reply-to",
        "references",
        "mime-version",
        "delivered-to",
        "authentication-results",
        "dkim-signature",
        "importance",
        "priority",
        "auto-submitted",
        "precedence",
        "user-agent",
    ];
    is_part_field(name) || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// How many fields that only mail has, each counted once, stand at the head of these bytes.
pub fn mail_fields(raw: &[u8]) -> usize {
    const TELLING: [&str; 8] =
        ["From", "To", "Subject", "Date", "Message-ID", "Received", "MIME-Version", "Return-Path"];
    let head = Entity::message(&raw[..raw.len().min(FIELD)]);
    TELLING.iter().filter(|name| head.field(name).is_some()).count()
}

/// The parts of a multipart, one after the other.
pub struct Parts<'a> {
    body: &'a [u8],
    boundary: &'a [u8],
    /// The delimiter that opens the next part.
    opening: Option<Delimiter>,
}

#[derive(Clone, Copy)]
struct Delimiter {
    start: usize,
    next: usize,
    closes: bool,
}

impl<'a> Parts<'a> {
    /// `None` if the boundary never comes.
    fn between(body: &'a [u8], boundary: &'a [u8]) -> Option<Self> {
        let mut parts = Self { body, boundary, opening: None };
        parts.opening = Some(parts.delimiter(0)?);
        Some(parts)
    }

    /// The first line from here on that is a delimiter (RFC 2046 section 5.1.1).
    fn delimiter(&self, from: usize) -> Option<Delimiter> {
        let mut at = from;
        // Looked for by its dashes: multiparts in multiparts have all lines read once for each.
        while let Some(dash) = self.body[at..].iter().position(|&b| b == b'-').map(|ahead| at + ahead) {
            at = dash + 1;
            let begins = dash == from || matches!(self.body[dash - 1], b'\r' | b'\n');
            if let Some(found) = begins.then(|| self.delimiter_at(dash)).flatten() {
                return Some(found);
            }
        }
        None
    }

    fn delimiter_at(&self, start: usize) -> Option<Delimiter> {
        let named = self.body[start..].strip_prefix(b"--")?.starts_with(self.boundary);
        let line = named.then(|| Line::at(self.body, start)).flatten()?;
        let closes = match line.text[2..].trim_ascii_end().strip_prefix(self.boundary)? {
            b"" => false,
            b"--" => true,
            _ => return None,
        };
        Some(Delimiter { start, next: line.next, closes })
    }

    /// The line end before a delimiter belongs to it. In a mail whose lines end in LF alone, a CR before it is the last
    /// byte of a binary part: the line that opened the part tells.
    fn content(&self, opening: Delimiter, end: usize) -> &'a [u8] {
        let content = &self.body[opening.next..end.max(opening.next)];
        let crlf = self.body[..opening.next].ends_with(b"\r\n");
        match content {
            [rest @ .., b'\r', b'\n'] if crlf => rest,
            [rest @ .., b'\r' | b'\n'] => rest,
            _ => content,
        }
    }

    /// What is left of a delimiter that the mail ends in.
    fn stump(&self) -> usize {
        let tail = self.body.iter().rev().take(self.boundary.len() + 2).position(|b| matches!(b, b'\r' | b'\n'));
        let line = &self.body[self.body.len() - tail.unwrap_or(0)..];
        let is_stump = line.strip_prefix(b"--").is_some_and(|rest| self.boundary.starts_with(rest));
        if is_stump { line.len() } else { 0 }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Entity<'a>;

    fn next(&mut self) -> Option<Entity<'a>> {
        loop {
            let opening = self.opening.take()?;
            self.opening = self.delimiter(opening.next);
            // Where a multipart within this one has the same boundary, parts follow its end.
            if opening.closes {
                continue;
            }
            let content = match self.opening {
                Some(closing) => self.content(opening, closing.start),
                None => self.content(opening, self.body.len() - self.stump()),
            };
            if self.opening.is_some() || !content.is_empty() {
                return Some(Entity::part(content));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(raw: &[u8]) -> Vec<String> {
        let entity = Entity::message(raw);
        entity.parts().into_iter().flatten().map(|part| String::from_utf8_lossy(part.body).into_owned()).collect()
    }

    fn header(raw: &[u8]) -> (Vec<String>, String) {
        let entity = Entity::message(raw);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = entity.fields().map(|(name, value)| format!("{}={}", text(name), text(value.trim_ascii())));
        (fields.collect(), text(entity.body))
    }

    fn read(raw: &[u8], fields: &[&str], body: &str) {
        let (found, rest) = header(raw);
        assert_eq!((found.iter().map(String::as_str).collect::<Vec<_>>(), rest.as_str()), (fields.to_vec(), body));
    }

    #[test]
    fn a_header_ends_at_its_empty_line_whatever_lines_end_in() {
        for end in ["\n", "\r\n", "\r", "\r\r\n"] {
            let raw = format!("Subject: a{end}To: b@c.example{end}{end}body");
            read(raw.as_bytes(), &["Subject=a", "To=b@c.example"], "body");
        }
        read(b"Subject: a\rrest\r\nTo: b\n\nx", &["Subject=a\rrest", "To=b"], "x");
        read(b"Subject: a\rTo: b\n\nx", &["Subject=a", "To=b"], "x");
        read(b"X: a\rFrom: forged\nFrom: b\n\nx", &["X=a\rFrom: forged", "From=b"], "x");
    }

    #[test]
    fn what_stands_before_a_header_is_passed_over() {
        for before in ["\u{FEFF}", "From a@b.example Tue Sep 20 09:14:06 2011\n", "\r\n\r\n", ">From x\n"] {
            read(format!("{before}Subject: a\n\nbody").as_bytes(), &["Subject=a"], "body");
        }
        read(b"\nbody: of all", &[], "body: of all");
    }

    #[test]
    fn lines_that_are_no_fields_are_rubbish_or_begin_the_body() {
        read(b"Subject: a\nno field\nTo: b\n\nx", &["Subject=a", "To=b"], "x");
        read(b"Subject: a\nno field\n\nx", &["Subject=a"], "x");
        read(b"Subject: a\nx\ny: 1\nz\n\nlast", &["Subject=a"], "x\ny: 1\nz\n\nlast");
        let data = "A".repeat(60);
        read(format!("Subject: a\n{data}\n\nx").as_bytes(), &["Subject=a"], &format!("{data}\n\nx"));
        read(b"Subject: a\n \nTo: b\n \n\nx", &["Subject=a", "To=b"], "\nx");
        read(b"Subject: a\n--b\nTo: b", &["Subject=a"], "--b\nTo: b");
    }

    #[test]
    fn parts_are_found_though_delimiters_are_missing() {
        let head = "Content-Type: multipart/mixed; boundary=b\n";
        for (body, found) in [
            ("\n--b\n\none\n--b\n\ntwo\n--b--\nepilogue", vec!["one", "two"]),
            ("\n--b\n\none\n--b  \n\ntwo", vec!["one", "two"]),
            ("\n--b\n\none\n--b\n\ntwo\n--b", vec!["one", "two"]),
            ("\n--b\n\none\n--b\n\ntwo\n-", vec!["one", "two\n-"]),
            ("--b\n\none\n--b--\n--b\n\ntwo\n--b--", vec!["one", "two"]),
            ("\n--c\nContent-Type: a/b\n\none\n--c\n\ntwo\n--c--", vec!["one", "two"]),
            ("\nnothing", vec![]),
        ] {
            assert_eq!(bodies(format!("{head}{body}").as_bytes()), found, "{body}");
        }
        assert_eq!(bodies(b"Subject: a\n\n--c\nContent-Type: a/b\n\none\n--c--"), ["one"], "its type was lost");
        assert!(bodies(b"Subject: a\n\nit reads\n--c\nContent-Type: a/b\n\none\n--c--").is_empty());
    }

    #[test]
    fn the_last_byte_of_a_binary_part_may_be_a_line_end() {
        let raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nX-A: b\n\nbinary\r\n--b--\n";
        assert_eq!(bodies(raw), ["binary\r"]);
        let raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-A: b\r\n\r\nbinary\r\r\n--b--\r\n";
        assert_eq!(bodies(raw), ["binary\r"]);
    }

    #[test]
    fn a_header_without_end_is_cut() {
        let raw = "X: y\n".repeat(FIELDS + 1);
        assert!(Entity::message(raw.as_bytes()).cut);
        let raw = format!("Content-Type: a/b{}", ";\n a=b".repeat(FIELD));
        assert!(Entity::message(raw.as_bytes()).cut);
    }
}
