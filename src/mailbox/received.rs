//! When a mail was taken, as the topmost Received field says (RFC 5322 §3.6.7). Pure.

use chrono::{DateTime, Utc};

/// The date of the topmost Received field of a header block, folded or not.
pub fn received_at(head: &[u8]) -> Option<DateTime<Utc>> {
    let head = String::from_utf8_lossy(head);
    let mut field: Option<String> = None;
    for line in head.lines() {
        match &mut field {
            Some(text) if line.starts_with([' ', '\t']) => text.push_str(line),
            Some(_) => break,
            None if line.is_empty() => break,
            None if line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case("received:")) => {
                field = Some(line[9..].to_owned());
            }
            None => {}
        }
    }
    let field = field?;
    let (_, date) = field.rsplit_once(';')?;
    let date = date.split('(').next().unwrap_or(date).trim();
    DateTime::parse_from_rfc2822(date).ok().map(|at| at.to_utc())
}

/// The header block of a message with the blank line that ends it, as far as `bytes` reach.
pub fn head(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).enumerate().find_map(|(at, pair)| match pair {
        b"\n\n" => Some(at + 2),
        b"\n\r" if bytes.get(at + 2) == Some(&b'\n') => Some(at + 3),
        _ => None,
    });
    &bytes[..end.unwrap_or(bytes.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        received_at(text.as_bytes()).map(|t| t.to_rfc3339())
    }

    #[test]
    fn the_topmost_received_counts_folded_and_with_a_zone_comment() {
        let mail = "Return-Path: <wang@qinglan.example>\r\nReceived: from a.example by b.example;\r\n\
                    \tThu, 25 Aug 2011 23:59:58 +0800 (CST)\r\nReceived: from x; Mon, 1 Aug 2011 00:00:00 +0800\r\n\r\n";
        assert_eq!(at(mail).as_deref(), Some("2011-08-25T15:59:58+00:00"));
    }

    #[test]
    fn a_received_in_the_body_or_without_a_date_says_nothing() {
        assert_eq!(at("Subject: x\n\nReceived: by y; Mon, 1 Aug 2011 00:00:00 +0800\n"), None);
        assert_eq!(at("Received: from a by b\nSubject: x\n\n"), None);
        assert_eq!(at("Received: by b; yesterday\n\n"), None);
    }

    #[test]
    fn the_head_ends_at_the_first_blank_line() {
        assert_eq!(head(b"A: b\r\n\r\nbody\r\n\r\n"), b"A: b\r\n\r\n");
        assert_eq!(head(b"A: b\n\nbody"), b"A: b\n\n");
        assert_eq!(head(b"A: b"), b"A: b");
    }
}
