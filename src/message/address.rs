//! Lists of mail addresses (RFC 5322 section 3.4), as people's programs write them. Pure.

use super::{Address, header};

/// Addresses of one field that are looked at.
const ADDRESSES: usize = 1_000;

/// All addresses of a field that have an `@`.
pub fn list(raw: &[u8]) -> Vec<Address> {
    pieces(raw).filter_map(mailbox).take(ADDRESSES).collect()
}

/// Whose field it is: the address inside the last `<…>` of it, else the first bare one.
pub fn sender(raw: &[u8]) -> Option<Address> {
    if bracket(raw).is_some() { mailbox(raw) } else { list(raw).into_iter().next() }
}

/// A display name with an address in angle brackets behind it, or an address with a comment.
fn mailbox(raw: &[u8]) -> Option<Address> {
    let (name, email) = match bracket(raw) {
        Some(open) => {
            let rest = &raw[open + 1..];
            (&raw[..open], &rest[..rest.iter().position(|&b| b == b'>').unwrap_or(rest.len())])
        }
        None => {
            let open = raw.iter().position(|&b| b == b'(').unwrap_or(raw.len());
            let comment = raw[open..].strip_prefix(b"(").unwrap_or_default();
            (comment.strip_suffix(b")").unwrap_or(comment), &raw[..open])
        }
    };
    let email = String::from_utf8_lossy(&header::unfold(email)).to_lowercase();
    let email = email.split_whitespace().find(|word| word.contains('@'))?.to_owned();
    let name = header::text(name).trim_matches(|c: char| c.is_whitespace() || c == '"').replace("\\\"", "\"");
    Some(Address { name: Some(name).filter(|n| !n.is_empty()), email })
}

/// The last `<` outside quotes and comments; any, where one of these never ends.
fn bracket(raw: &[u8]) -> Option<usize> {
    let double_byte = std::str::from_utf8(raw).is_err();
    let (mut quoted, mut comment, mut at, mut found) = (false, 0u32, 0, None);
    while at < raw.len() {
        match raw[at] {
            0x81..=0xFE if double_byte => at += 1,
            b'\\' if quoted => at += 1,
            b'"' if comment == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => comment += 1,
            b')' => comment = comment.saturating_sub(1),
            b'<' if comment == 0 => found = Some(at),
            _ => {}
        }
        at += 1;
    }
    let unfinished = quoted || comment > 0;
    found.or_else(|| raw.iter().rposition(|&b| b == b'<').filter(|_| unfinished))
}

/// The field cut at commas and semicolons outside quotes, comments and angle brackets, and behind each of these brackets;
/// a group's name falls away with the colon behind it.
fn pieces(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let double_byte = std::str::from_utf8(raw).is_err();
    let mut rest = raw;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut quoted, mut angle, mut comment) = (false, false, 0u32);
        let mut start = 0;
        let mut at = 0;
        let mut closed = false;
        while at < rest.len() && !closed {
            match rest[at] {
                // The second byte of a GBK character may be a backslash.
                0x81..=0xFE if double_byte => at += 1,
                b'\\' if quoted => at += 1,
                b'"' if comment == 0 => quoted = !quoted,
                _ if quoted => {}
                b'(' => comment += 1,
                b')' => comment = comment.saturating_sub(1),
                b'<' => angle = true,
                b'>' if comment == 0 => closed = true,
                b':' if comment == 0 && !angle => start = at + 1,
                b',' | b';' if comment == 0 && !angle => break,
                _ => {}
            }
            at += 1;
        }
        let piece = rest[start.min(at)..at.min(rest.len())].trim_ascii();
        rest = rest.get(at + usize::from(!closed)..).unwrap_or_default();
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(addresses: impl IntoIterator<Item = Address>) -> Vec<String> {
        let name = |a: &Address| a.name.clone().unwrap_or_default();
        addresses.into_iter().map(|a| format!("{}|{}", name(&a), a.email)).collect()
    }

    #[test]
    fn lists_are_read_with_their_names() {
        let raw = b"in@qu.example, \"Sun, Min\" <Sun@Qu.example>,\r\n =?gb2312?B?zfXA9g==?= <w@qu.example>;\
            office: a@b.example (\xCD\xF5\xC0\xF6), b@b.example;, undisclosed-recipients:;, not an address";
        assert_eq!(
            shown(list(raw)),
            ["|in@qu.example", "Sun, Min|sun@qu.example", "王丽|w@qu.example", "王丽|a@b.example", "|b@b.example"]
        );
    }

    #[test]
    fn raw_names_may_hold_any_second_byte() {
        // 乗 ends in a backslash, 丂 in an at sign.
        let text = "\"乗丂\" <a@b.example>, 丂乗<c@d.example>";
        for raw in [&encoding_rs::GBK.encode(text).0, text.as_bytes()] {
            assert_eq!(shown(list(raw)), ["乗丂|a@b.example", "丂乗|c@d.example"]);
        }
    }

    #[test]
    fn each_pair_of_brackets_holds_an_address_unless_it_is_quoted() {
        for (raw, wanted) in [
            ("<a@b.example> <c@d.example>", &["|a@b.example", "|c@d.example"][..]),
            ("W <a@b.example>\"X\" <c@d.example>", &["W|a@b.example", "X|c@d.example"]),
            ("\"<a@b.example>\" <c@d.example>", &["<a@b.example>|c@d.example"]),
            ("W <a@b.example> (X)", &["W|a@b.example"]),
        ] {
            assert_eq!(shown(list(raw.as_bytes())), wanted, "{raw}");
        }
    }

    #[test]
    fn the_sender_is_the_last_address_in_brackets_or_the_first_bare_one() {
        for (raw, wanted) in [
            ("Wang <a@b.example>", "Wang|a@b.example"),
            ("\"x@y.example\" <A@b.example>", "x@y.example|a@b.example"),
            ("a@b.example", "|a@b.example"),
            ("a@b.example (Wang)", "Wang|a@b.example"),
            ("a@b.example, c@d.example", "|a@b.example"),
            ("<a@b.example", "|a@b.example"),
            ("c@d.example (<a@b.example>)", "<a@b.example>|c@d.example"),
            ("\"Wang <a@b.example>", "Wang|a@b.example"),
            ("Wang(党政办 <a@b.example>", "Wang(党政办|a@b.example"),
        ] {
            assert_eq!(shown(sender(raw.as_bytes())), [wanted], "{raw}");
        }
        assert_eq!(sender(b"nobody"), None);
    }
}
