//! Lists of mail addresses (RFC 5322 section 3.4), as people's programs write them. Pure.

use super::{Address, header};

/// Addresses of one field that are looked at.
const ADDRESSES: usize = 1_000;

/// All addresses of a field that have an `@`.
pub fn list(raw: &[u8]) -> Vec<Address> {
    pieces(raw).filter_map(mailbox).take(ADDRESSES).collect()
}

/// Bytes of a From field that people can have written.
const SENDER: usize = 8 << 10;

/// Whose field it is, read strictly (RFC 5322 section 3.4): what stands in quotes and comments is no address, white space
/// ends one, and there must not be two. Else a sender could show us one address and another to the provider who checks it.
pub fn sender(raw: &[u8]) -> Option<Address> {
    if raw.len() > SENDER {
        return None;
    }
    let email = match without_asides(raw) {
        Some(bare) => sole(&bare),
        // A quote in an unquoted name; with one address only there is no doubt.
        None if raw.iter().filter(|&&b| b == b'@').count() == 1 => sole(&raw[raw.iter().rposition(|&b| b == b'<')?..]),
        None => None,
    }?;
    let shown = if raw.contains(&b'<') { mailbox(raw) } else { list(raw).into_iter().next() };
    Some(Address { name: shown.and_then(|shown| shown.name), email })
}

/// The only address in a text without quotes and comments; `None` if there are others, or it is not whole.
fn sole(bare: &[u8]) -> Option<String> {
    let angles: Vec<&[u8]> = bare.split(|&b| b == b'<').skip(1).collect();
    let found: Vec<&[u8]> = match angles.is_empty() {
        false => angles.iter().filter_map(|rest| rest.split(|&b| b == b'>').next()).collect(),
        true => bare
            .split(|b| b",;:".contains(b))
            .filter(|piece| piece.contains(&b'@'))
            .map(|piece| {
                // Words may stand before it, but none behind.
                let at = piece.iter().position(|&b| b == b'@').unwrap_or(0);
                &piece[piece[..at].iter().rposition(u8::is_ascii_whitespace).unwrap_or(0)..]
            })
            .collect(),
    };
    let mut emails = found.into_iter().map(|email| String::from_utf8_lossy(email.trim_ascii()).to_ascii_lowercase());
    let first = emails.next()?;
    let unsure = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]".contains(c);
    let clean = first.matches('@').count() == 1 && !first.starts_with('@') && !first.contains(unsure);
    (clean && emails.all(|other| other == first)).then_some(first)
}

/// A field without quoted strings and comments; a space stays for each, so that nothing joins around them. `None` if one
/// is not closed.
fn without_asides(raw: &[u8]) -> Option<Vec<u8>> {
    let double_byte = std::str::from_utf8(raw).is_err();
    let (mut out, mut quoted, mut comment) = (Vec::new(), false, 0_usize);
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        let aside = quoted || comment > 0;
        match byte {
            0x81..=0xFE if double_byte => drop(bytes.next()),
            b'\\' if aside => drop(bytes.next()),
            b'"' if comment == 0 => quoted = !quoted,
            b'(' if !quoted => comment += 1,
            b')' if !quoted && comment > 0 => comment -= 1,
            _ if aside => {}
            _ => {
                out.push(byte);
                continue;
            }
        }
        if !aside {
            out.push(b' ');
        }
    }
    (!quoted && comment == 0).then_some(out)
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
    let email = String::from_utf8_lossy(&header::unfold(email)).to_ascii_lowercase();
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
    fn the_sender_is_the_address_in_brackets_or_the_bare_one() {
        for (raw, wanted) in [
            ("Wang <a@b.example>", "Wang|a@b.example"),
            ("\"x@y.example\" <A@b.example>", "x@y.example|a@b.example"),
            ("a@b.example", "|a@b.example"),
            ("a@b.example (Wang)", "Wang|a@b.example"),
            ("<a@b.example", "|a@b.example"),
            ("c@d.example (<a@b.example>)", "<a@b.example>|c@d.example"),
            ("\"Wang <a@b.example>", "Wang|a@b.example"),
            ("Wang(党政办 <a@b.example>", "Wang(党政办|a@b.example"),
        ] {
            assert_eq!(shown(sender(raw.as_bytes())), [wanted], "{raw}");
        }
        assert_eq!(sender(b"nobody"), None);
    }

    #[test]
    fn of_several_addresses_only_an_undoubted_one_is_the_sender() {
        for (raw, wanted) in [
            ("a@b.example <x@y.test>", Some("x@y.test")),
            ("\"Wang <a@b.example>\" <x@y.test>", Some("x@y.test")),
            ("\"<a@b.example>\" x@y.test", Some("x@y.test")),
            ("x@y.test (<a@b.example>)", Some("x@y.test")),
            ("x@y.test (a (nested\\)) <a@b.example>)", Some("x@y.test")),
            ("<x@y.test> (<a@b.example>)", Some("x@y.test")),
            ("<x@y.test> \"<a@b.example>\"", Some("x@y.test")),
            ("A@B.example <a@b.example>", Some("a@b.example")),
            ("office: x@y.test, \"a@b.example\" <x@y.test>;", Some("x@y.test")),
            ("<x@y.test>, <a@b.example>", None),
            ("x@y.test, a@b.example", None),
            ("x@y.test a@b.example", None),
            ("<x@y.test a@b.example>", None),
            ("<a@b.example,x@y.test>", None),
            ("<a@b.example:x@y.test>", None),
            ("<@b.example:x@y.test>", None),
            ("<\"z a@b.example z\"@y.test>", None),
            ("<\"a@b.example \"@y.test>", None),
            ("<(a@b.example )x@y.test>", Some("x@y.test")),
            ("x@y.test \"<a@b.example>", None),
            ("a@b.example\0@y.test", None),
            ("<a\\@b.example@y.test>", None),
            ("<a@b.example\r\n .y.test>", None),
            ("<a@b.example(c).y.test>", None),
            ("a@b.example .y.test", None),
            ("a@b.example (c).y.test", None),
            ("<a@b\0.example>", None),
            ("<a@b.example> <>", None),
            ("<a@\u{212A}.example>", Some("a@\u{212A}.example")),
            ("\u{738b}\"\u{4e3d} <A@b.example>", Some("a@b.example")),
            ("\u{738b}\"\u{4e3d} <a@b.example .y.test>", None),
            ("Wang a@b.example\r\n", Some("a@b.example")),
            ("\r\n a@b.example (Wang)", Some("a@b.example")),
        ] {
            assert_eq!(sender(raw.as_bytes()).map(|a| a.email).as_deref(), wanted, "{raw}");
        }
        let long = format!("\"<a@b.example>{}\" <x@y.test>", " ".repeat(SENDER));
        assert_eq!(sender(long.as_bytes()), None);
    }
}
