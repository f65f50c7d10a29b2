//! Content transfer encodings (RFC 2045 section 6): mail-parser's decoders, and what they refuse read as leniently as
//! mail programs do. Pure.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::{quoted_printable_decode, quoted_printable_decode_char};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    /// By the Content-Transfer-Encoding; what is unknown is taken as it is.
    pub fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            _ => Self::None,
        }
    }

    pub fn decode(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::None => body.to_vec(),
            Self::Base64 => base64(body),
            Self::QuotedPrintable => quoted_printable_decode(body).unwrap_or_else(|| unescape(body, b'=')),
        }
    }
}

/// Base64. Where mail-parser refuses, other characters are skipped, and what follows complete data is only read if it
/// is base64 again (some programs append a footer). It does not refuse the byte FF, but ends there.
pub fn base64(text: &[u8]) -> Vec<u8> {
    let clean = base64_decode(text).filter(|_| !text.contains(&0xFF));
    clean.or_else(|| base64_decode(&without_rubbish(text))).unwrap_or_default()
}

fn without_rubbish(text: &[u8]) -> Vec<u8> {
    let is_data = |b: &u8| b.is_ascii_alphanumeric() || b"+/=".contains(b);
    let mut data = Vec::with_capacity(text.len());
    for line in text.split(|&b| b == b'\n') {
        let foreign = line.iter().any(|b| !is_data(b) && !b.is_ascii_whitespace());
        let complete = !data.is_empty() && (data.len().is_multiple_of(4) || data.ends_with(b"="));
        if foreign && complete {
            break;
        }
        data.extend(line.iter().copied().filter(is_data));
    }
    data
}

/// Replaces `=E5` or `%E5`, whichever is the mark, by the byte, and drops marked line ends. A mark that starts no
/// escape is kept, where mail-parser gives the whole text up.
pub fn unescape(text: &[u8], mark: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [m, b'\r', b'\n', after @ ..] | [m, b'\n', after @ ..] if *m == mark => after,
            [byte, after @ ..] => {
                let escaped = match after {
                    [high, low, ..] if *byte == mark => quoted_printable_decode_char(*high, *low),
                    _ => None,
                };
                out.push(escaped.unwrap_or(*byte));
                if escaped.is_some() { &after[2..] } else { after }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_its_usual_defects() {
        assert_eq!(base64(b"YWJj\r\nZGU="), b"abcde");
        assert_eq!(base64(b"YWJjZGU"), b"abcde", "padding missing");
        assert_eq!(base64(b"YWI=\r\nY2Q=\r\n"), b"abcd", "every line padded");
        assert_eq!(base64(b"YWJj\r\n\r\n-- this list is kept by --\r\n"), b"abc", "a footer after the data");
        assert_eq!(base64(b"Y*W\xFFJj\r\nZGU"), b"abcde", "other characters");
    }

    #[test]
    fn quoted_printable_is_read_with_its_usual_defects() {
        let decode = |text| Encoding::QuotedPrintable.decode(text);
        // The line break behind the last mark belongs to the delimiter of the part.
        assert_eq!(decode(b"=B1=ed=\r\n100%="), b"\xB1\xED100%");
        assert_eq!(decode(b"=B1=ed=\r\n1=x00%==41"), b"\xB1\xED1=x00%=A");
        assert_eq!(unescape(b"a =5F=", b'='), b"a _=");
        assert_eq!(unescape(b"%E5%8f%B0 100%", b'%'), "台 100%".as_bytes());
    }
}
