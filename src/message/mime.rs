//! MIME structure (RFC 5322, RFC 2046) as slices of the raw mail: header fields and parts, nothing decoded. Pure.
//!
//! Splitting costs no memory but the lists of slices, and both lists are bounded.

use super::header::Parameters;

const FIELDS: usize = 2_000;

/// A message or a body part.
pub struct Entity<'a> {
    /// The header block, for parsers that want it whole.
    pub head: &'a [u8],
    fields: Vec<(&'a [u8], &'a [u8])>,
    pub body: &'a [u8],
}

impl<'a> Entity<'a> {
    /// Splits header and body at the first empty line. Lines that are no field are passed over.
    pub fn parse(raw: &'a [u8]) -> Self {
        let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let end = line_end(raw, at);
            let line = &raw[at..end];
            if line.trim_ascii().is_empty() {
                return Self { head: &raw[..at], fields, body: &raw[end..] };
            }
            // A folded line belongs to the field before it.
            let mut field_end = end;
            while matches!(raw.get(field_end), Some(b' ' | b'\t')) && !is_blank(&raw[field_end..]) {
                field_end = line_end(raw, field_end);
            }
            if let Some(colon) = raw[at..field_end].iter().position(|&b| b == b':')
                && is_name(raw[at..at + colon].trim_ascii_end())
                && fields.len() < FIELDS
            {
                fields.push((raw[at..at + colon].trim_ascii_end(), raw[at + colon + 1..field_end].trim_ascii()));
            }
            at = field_end;
        }
        Self { head: raw, fields, body: &[] }
    }

    /// Raw field bodies in order, with their names as written.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.fields.iter().copied()
    }

    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
    }

    pub fn parameters(&self, name: &str) -> Parameters {
        self.field(name).map(Parameters::parse).unwrap_or_default()
    }

    /// The parts of a multipart body, at most `limit`; the last one may lack its end. Preamble and epilogue are left
    /// out. Empty if the boundary never comes.
    pub fn parts(&self, boundary: &str, limit: usize) -> Vec<&'a [u8]> {
        let boundary = boundary.trim_end().as_bytes();
        let mut parts = Vec::new();
        let mut open: Option<usize> = None;
        let mut at = 0;
        while at < self.body.len() && parts.len() < limit {
            let end = line_end(self.body, at);
            if let Some(last) = delimiter(&self.body[at..end], boundary) {
                if let Some(start) = open.replace(end) {
                    parts.push(without_line_break(&self.body[start..at.max(start)]));
                }
                if last {
                    return parts;
                }
            }
            at = end;
        }
        if let Some(start) = open.filter(|_| parts.len() < limit) {
            parts.push(&self.body[start..]);
        }
        parts
    }
}

/// The offset behind the line that begins at `from`.
fn line_end(raw: &[u8], from: usize) -> usize {
    raw[from..].iter().position(|&b| b == b'\n').map_or(raw.len(), |at| from + at + 1)
}

fn is_blank(raw: &[u8]) -> bool {
    raw[..line_end(raw, 0)].trim_ascii().is_empty()
}

/// RFC 5322 section 2.2: printable ASCII without the colon.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// `Some(true)` for the closing delimiter. White space may follow (RFC 2046 section 5.1.1), anything else makes it
/// another boundary.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?.trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line break before a delimiter belongs to the delimiter.
fn without_line_break(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_with_their_folded_lines() {
        let entity = Entity::parse(b"From x\r\nSubject: a\r\n b\r\nX: \r\n\r\nbody\r\n");
        let fields: Vec<_> = entity.fields().collect();
        assert_eq!(fields, [(&b"Subject"[..], &b"a\r\n b"[..]), (&b"X"[..], &b""[..])]);
        assert_eq!(entity.body, b"body\r\n");
        assert_eq!(Entity::parse(b"\r\nbody").body, b"body");
        assert_eq!(Entity::parse(b"Subject: only").field("subject"), Some(&b"only"[..]));
    }

    #[test]
    fn parts_end_where_their_boundary_says() {
        let entity = Entity::parse(b"\n pre\n--b\n\none\n--bb\n--b  \n\ntwo\n--b--\nepilogue\n--b\nno");
        assert_eq!(entity.parts("b", 10), [&b"\none\n--bb"[..], b"\ntwo"]);
        assert_eq!(Entity::parse(b"\n--b\n\none").parts("b", 10), [b"\none"], "the end is missing");
        assert_eq!(Entity::parse(b"\n--b\n--b\n--b--").parts("b", 10), [&b""[..], b""]);
        assert!(Entity::parse(b"\none").parts("b", 10).is_empty());
        assert_eq!(Entity::parse(b"\n--b\n1\n--b\n2\n--b\n3").parts("b", 2).len(), 2);
    }
}
