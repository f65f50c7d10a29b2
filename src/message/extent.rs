//! How much of a mail may be given to mail-parser. Pure.
//!
//! It builds the whole tree whatever that costs: 25 MB of empty parts are 850 MB, every multipart that lacks its
//! boundary is searched for it to the end of the mail, messages within messages are dropped recursively, and the
//! parameters of a content type are joined in quadratic time. What drives each of these is counted in the raw lines
//! first. A part needs a line of its own wherever the boundary stands, so lines bound parts.

/// Lines that may open a part or be a field of a header.
const LINES: usize = 100_000;
/// Bytes of a content type; names of 255 characters take 3 KB.
const FIELD: usize = 8 << 10;
/// Bytes that may be searched for boundaries, all searches together.
const SEARCHED: usize = 4 << 30;

/// The beginning of a mail that is cheap enough to parse: all of it, unless somebody means harm. `containers` is the
/// number of multiparts and enclosed messages.
pub fn affordable(raw: &[u8], containers: usize) -> &[u8] {
    let containers = containers.min(SEARCHED / raw.len().max(1));
    let (mut lines, mut containing) = (0, 0);
    let (mut at, mut field) = (0, 0);
    for line in raw.split_inclusive(|&b| b == b'\n') {
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if !folded {
            if is_long_type(&raw[field..at]) {
                return &raw[..field + FIELD];
            }
            field = at;
        }
        let colon = line.contains(&b':');
        lines += usize::from(colon || contains(line, b"--"));
        containing += usize::from((colon || folded) && is_container(line));
        if lines > LINES || containing > containers {
            return &raw[..at];
        }
        at += line.len();
    }
    if is_long_type(&raw[field..]) { &raw[..field + FIELD] } else { raw }
}

fn is_container(line: &[u8]) -> bool {
    [&b"multipart"[..], b"rfc822", b"global"].iter().any(|word| contains(line, word))
}

/// Whether a line with its folded lines is a content type of excessive length. mail-parser sees one through white
/// space in its name and behind anything that looks like a boundary.
fn is_long_type(field: &[u8]) -> bool {
    if field.len() <= FIELD || !field.contains(&b':') {
        return false;
    }
    let dense: Vec<u8> = field.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    contains(&dense, b"content-type:")
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_mail_is_parsed_whole() {
        let body = format!("Subject: a\r\n\r\n{}", "-- 说明: 无\r\n".repeat(10_000));
        assert_eq!(affordable(body.as_bytes(), 10).len(), body.len());
        let one_line = format!("Subject: a\r\n\r\n{}", "<p>Content-Type</p>".repeat(10_000));
        assert_eq!(affordable(one_line.as_bytes(), 10).len(), one_line.len());
    }

    #[test]
    fn the_mail_ends_where_it_becomes_too_dear() {
        let parts = "--b\n\n".repeat(200_000);
        assert_eq!(affordable(parts.as_bytes(), 10).len(), LINES * 5);
        let fields = "a:\n".repeat(200_000);
        assert_eq!(affordable(fields.as_bytes(), 10).len(), LINES * 3);
        let nested = "Content-Type:\n Message/RFC822\n\n".repeat(20);
        assert_eq!(affordable(nested.as_bytes(), 10).len(), 10 * 31 + 14);
        let parameters = format!("x--bContent- Type: a/b{}", ";a*1=x".repeat(10_000));
        assert_eq!(affordable(parameters.as_bytes(), 10).len(), FIELD);
    }
}
