//! Content transfer encodings (RFC 2045 section 6), read as leniently as mail programs do. Pure.

use std::borrow::Cow;

use mail_parser::decoders::quoted_printable::quoted_printable_decode_char;

pub use super::base64::decode as base64;
use super::header;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    /// By the Content-Transfer-Encoding; what is unknown is taken as it is. (So is uuencode: it tells by itself where it
    /// begins.)
    pub fn named(name: &str) -> Self {
        let word = name.split([';', '(']).next().unwrap_or_default();
        let bare: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        match bare.to_ascii_lowercase().as_str() {
            "base64" | "xbase64" | "b64" => Self::Base64,
            "quotedprintable" | "qp" => Self::QuotedPrintable,
            _ => Self::None,
        }
    }

    /// By a raw header field.
    pub fn of_field(raw: &[u8]) -> Self {
        Self::named(&header::text(raw))
    }

    pub fn decode(self, body: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::None => Cow::Borrowed(body),
            Self::Base64 => Cow::Owned(base64(body)),
            Self::QuotedPrintable => Cow::Owned(quoted_printable(body)),
        }
    }

    /// What a body may take decoded, beside itself.
    pub fn most(self, body: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Base64 => body / 4 * 3,
            Self::QuotedPrintable => body,
        }
    }

    /// Encoded bytes of a text that are enough for so many of its own.
    pub fn enough_for(self, bytes: usize) -> usize {
        match self {
            Self::None => bytes,
            Self::Base64 => bytes * 2,
            Self::QuotedPrintable => bytes * 4,
        }
    }
}

/// Quoted-printable (RFC 2045 section 6.7). White space at the end of a line was added on the way; a mark that starts no
/// escape is kept.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&b| b == b'\n') {
        let end = line.iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')).map_or(0, |at| at + 1);
        let line_end = if line.ends_with(b"\r\n") { &b"\r\n"[..] } else { &b"\n"[..line.ends_with(b"\n").into()] };
        match &line[..end] {
            // A soft line break. Two marks are one that was never escaped, unless the data goes on.
            [text @ .., b'='] => unescape_into(text, b'=', &mut out),
            text => {
                unescape_into(text, b'=', &mut out);
                out.extend_from_slice(line_end);
            }
        }
    }
    out
}

/// Replaces `=E5` or `%E5`, whichever is the mark, by the byte. A mark that starts no escape is kept.
pub fn unescape(text: &[u8], mark: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    unescape_into(text, mark, &mut out);
    out
}

fn unescape_into(text: &[u8], mark: u8, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return,
            [m, high, low, after @ ..] if *m == mark => match quoted_printable_decode_char(*high, *low) {
                Some(byte) => {
                    out.push(byte);
                    after
                }
                None => {
                    out.push(mark);
                    &rest[1..]
                }
            },
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodings_are_known_by_any_of_their_names() {
        for name in ["base64", "BASE64", "Base-64", "\"base64\"", "base64; x=1", "base64 (rfc)", "x-base64"] {
            assert_eq!(Encoding::named(name), Encoding::Base64, "{name}");
        }
        assert_eq!(Encoding::of_field(b" Quoted_Printable\r\n"), Encoding::QuotedPrintable);
        for name in ["7bit", "8bit", "binary", "x-uuencode", "", "none"] {
            assert_eq!(Encoding::named(name), Encoding::None, "{name}");
        }
    }

    #[test]
    fn quoted_printable_is_read_with_its_usual_defects() {
        let decode = |text| Encoding::QuotedPrintable.decode(text).into_owned();
        // The line break behind the last mark belongs to the delimiter of the part.
        assert_eq!(decode(b"=B1=ed=\r\n100%="), b"\xB1\xED100%");
        assert_eq!(decode(b"=B1=ed=\r\n1=x00%==41"), b"\xB1\xED1=x00%=A");
        assert_eq!(decode(b"a \t\r\nb= \nc\n"), b"a\r\nbc\n", "white space that was added");
        assert_eq!(unescape(b"a =5F=", b'='), b"a _=");
        assert_eq!(unescape(b"%E5%8f%B0 100%", b'%'), "台 100%".as_bytes());
    }

    proptest! {
        #[test]
        fn bytes_survive_quoted_printable(bytes in prop::collection::vec(any::<u8>(), 0..300), width in 1..20usize) {
            let lines: Vec<String> =
                bytes.chunks(width).map(|line| line.iter().map(|b| format!("={b:02X}")).collect()).collect();
            for end in ["=\r\n", "=\n", "=  \n"] {
                let text = lines.join(end);
                prop_assert_eq!(&*Encoding::QuotedPrintable.decode(text.as_bytes()), &bytes[..]);
            }
        }
    }
}
