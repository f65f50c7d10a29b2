//! Content transfer encodings (RFC 2045 section 6), read as leniently as mail programs do. Pure.

/// Decodes a body by its Content-Transfer-Encoding; unknown ones are taken as they are.
pub fn decode(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64(body),
        "quoted-printable" => quoted_printable(body, false),
        _ => body.to_vec(),
    }
}

/// Base64 without fuss: other characters are skipped, padding may be missing, and what follows the padding is only
/// read if it is base64 again (some programs pad every line; others append a footer).
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for line in text.split(|&b| b == b'\n') {
        let line = line.trim_ascii();
        let foreign = line.iter().any(|&b| sextet(b).is_none() && b != b'=' && !b.is_ascii_whitespace());
        if foreign && !out.is_empty() && count == 0 {
            break;
        }
        for &byte in line {
            if byte == b'=' {
                (bits, count) = (0, 0);
            }
            let Some(six) = sextet(byte) else { continue };
            bits = bits << 6 | six;
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
            }
        }
    }
    out
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Quoted-printable; `word` is the variant of encoded words (RFC 2047 section 4.2), where `_` is a space.
/// A `=` that starts no escape is kept.
pub fn quoted_printable(text: &[u8], word: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [b'=', b'\r', b'\n', after @ ..] | [b'=', b'\n', after @ ..] => after,
            [b'=', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                after
            }
            [b'_', after @ ..] if word => {
                out.push(b' ');
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        }
    }
}

/// `%E5%8F%B0` (RFC 2231 section 4); a `%` that starts no escape is kept.
pub fn percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [b'%', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
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
    }

    #[test]
    fn quoted_printable_is_read_with_its_usual_defects() {
        assert_eq!(quoted_printable(b"=B1=ed=\r\n100%=", false), b"\xB1\xED100%=");
        assert_eq!(quoted_printable(b"a_=5F", true), b"a _");
        assert_eq!(percent(b"%E5%8f%B0 100%"), "台 100%".as_bytes());
    }
}
