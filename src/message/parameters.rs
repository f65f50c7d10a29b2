//! Parameters of `Content-Type` and `Content-Disposition` (RFC 2045 section 5.1, RFC 2231). Pure.
//!
//! Continuations are joined before they are decoded, because senders split them inside characters.

use super::header::{self, unfold};
use super::{charset, transfer};

/// A field's value in lower case, and its parameters.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    pub value: String,
    /// Names in lower case as written, with their stars; values unquoted.
    given: Vec<(String, Vec<u8>)>,
}

/// More parameters than this are no header but an attack.
const PARAMETERS: usize = 200;

/// A section of a parameter in the extended form.
struct Section<'a> {
    number: Option<u32>,
    encoded: bool,
    value: &'a [u8],
}

impl Parameters {
    pub fn parse(raw: &[u8]) -> Self {
        let raw = unfold(raw);
        let mut pieces = split_unquoted(&raw).into_iter();
        let value = String::from_utf8_lossy(pieces.next().unwrap_or_default()).trim().to_ascii_lowercase();
        let given = pieces.take(PARAMETERS).filter_map(|piece| {
            let equals = piece.iter().position(|&b| b == b'=')?;
            let name = String::from_utf8_lossy(&piece[..equals]).trim().to_ascii_lowercase();
            Some((name, unquote(piece[equals + 1..].trim_ascii())))
        });
        Self { given: given.collect(), value }
    }

    /// A parameter as it is written.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// A parameter in the plain form, decoded also where it holds encoded words, raw bytes or (against the rules)
    /// percent escapes.
    pub fn plain(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        let unescaped = transfer::unescape(raw, b'%');
        if raw.is_ascii() && !unescaped.is_ascii() {
            let text = charset::guess(&unescaped);
            if !text.contains(char::REPLACEMENT_CHARACTER) {
                return Some(text);
            }
        }
        Some(header::text(raw))
    }

    /// A parameter in the extended form of RFC 2231, its continuations joined before they are decoded.
    pub fn extended(&self, name: &str) -> Option<String> {
        let mut sections: Vec<Section> = self.given.iter().filter_map(|given| section(name, given)).collect();
        // A value in one piece counts more than one in several, and a section is not said twice.
        if let Some(whole) = sections.iter().position(|section| section.number.is_none()) {
            sections = vec![sections.swap_remove(whole)];
        }
        sections.sort_by_key(|section| section.number);
        sections.dedup_by_key(|section| section.number);
        let first = sections.first()?;
        let (charset, rest) = language(first, &sections).unwrap_or((&[], first.value));
        let mut bytes = Vec::new();
        for (number, section) in sections.iter().enumerate() {
            let value = if number == 0 { rest } else { section.value };
            match section.encoded {
                true => bytes.extend(transfer::unescape(value, b'%')),
                false => bytes.extend_from_slice(value),
            }
        }
        // Some programs put encoded words into continuations.
        let joined = charset::decode(&String::from_utf8_lossy(charset), &bytes);
        Some(if joined.contains("=?") { header::text(joined.as_bytes()) } else { joined })
    }
}

fn section<'a>(name: &str, (given, value): &'a (String, Vec<u8>)) -> Option<Section<'a>> {
    let stars = given.strip_prefix(name)?.strip_prefix('*')?;
    let number = stars.trim_end_matches('*');
    let encoded = stars.is_empty() || stars.ends_with('*');
    Some(Section { number: if number.is_empty() { None } else { Some(number.parse().ok()?) }, encoded, value })
}

/// The first section opens with `charset'language'` if it is encoded, and with some programs also where only later ones
/// are.
fn language<'a>(first: &Section<'a>, sections: &[Section]) -> Option<(&'a [u8], &'a [u8])> {
    let mut quotes = first.value.splitn(3, |&b| b == b'\'');
    let (charset, language, rest) = (quotes.next()?, quotes.next()?, quotes.next()?);
    let named = charset.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
        && language.iter().all(|b| b.is_ascii_alphabetic() || *b == b'-');
    (named && sections.iter().any(|section| section.encoded)).then_some((charset, rest))
}

/// Splits at semicolons outside quotes. A backslash before the last quote of a value ends a Windows path, and may be
/// the second byte of a GBK character. A quote that is never closed is none.
fn split_unquoted(raw: &[u8]) -> Vec<&[u8]> {
    let double_byte = std::str::from_utf8(raw).is_err();
    let mut pieces = Vec::new();
    let (mut start, mut at, mut quoted) = (0, 0, false);
    while at < raw.len() {
        match &raw[at..] {
            [0x81..=0xFE, _, ..] if double_byte => at += 1,
            [b'\\', b'"', rest @ ..] if quoted && !matches!(rest.trim_ascii_start(), [] | [b';', ..]) => at += 1,
            [b'"', ..] => quoted = !quoted,
            [b';', ..] if !quoted => {
                pieces.push(&raw[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    match quoted {
        true => pieces.extend(raw[start..].split(|&b| b == b';')),
        false => pieces.push(&raw[start..]),
    }
    pieces
}

/// Takes quotes off. `\"` and `\\` are escapes, other backslashes belong to Windows paths, and in GBK text a
/// backslash may be the second byte of a character.
fn unquote(raw: &[u8]) -> Vec<u8> {
    let Some(inner) = raw.strip_prefix(b"\"") else { return raw.to_vec() };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let double_byte = std::str::from_utf8(inner).is_err();
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        rest = match rest {
            [] => return out,
            [lead @ 0x81..=0xFE, trail, after @ ..] if double_byte => {
                out.extend([*lead, *trail]);
                after
            }
            [b'\\', escaped @ (b'"' | b'\\'), after @ ..] => {
                out.push(*escaped);
                after
            }
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

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GB18030.encode(text).0.into_owned()
    }

    fn extended(raw: &str) -> Option<String> {
        Parameters::parse(format!("attachment; {raw}").as_bytes()).extended("filename")
    }

    #[test]
    fn parameters_are_read_in_every_form() {
        let p = Parameters::parse(b"Attachment; filename=\"a;b.xls\"; size=3");
        assert_eq!((p.value.as_str(), p.plain("filename").unwrap().as_str()), ("attachment", "a;b.xls"));
        assert_eq!(p.extended("filename"), None);
        assert_eq!(extended("filename*=utf-8'zh'%E5%8F%B0%E8%B4%A6.xls").unwrap(), "台账.xls");
        for plain in [
            "filename=%E5%8F%B0%E8%B4%A6.xls",
            "filename=%cc%a8%d5%cb.xls",
            "filename=\"=?gb2312?B?zKjVyw==?=.xls\"",
            "filename==?gb2312?B?zKjVyy54bHM=?=",
            "filename=\"=?gb2312?B?zKjV?=\r\n =?gb2312?B?yy54bHM=?=\"; size=1",
            "filename=\"=?gb2312?B?zKjVyy54bHM=?=; size=1",
        ] {
            let p = Parameters::parse(format!("attachment; {plain}").as_bytes());
            assert_eq!(p.plain("filename").unwrap(), "台账.xls", "{plain}");
        }
    }

    #[test]
    fn continuations_are_joined_however_they_were_cut() {
        // 台账 in GBK is CCA8 D5CB.
        for raw in [
            "filename*1*=%A8%D5%CB; filename*0*=gb2312''%CC; filename*2=\".xls\"",
            "filename*0=\"gb2312''\"; filename*1*=%CC%A8%D5; filename*2*=%CB.xls",
            "filename*0*=%CC%A8; filename*1*=%D5%CB.xls",
            "filename*0=\"=?gb2312?B?zKjV\"; filename*1=\"yw==?=.xls\"",
            "filename*0*=gb2312''%CC%A8%D5%CB; filename*0*=gb2312''%CC; filename*1=.xls; filename*x=1",
            "filename*0=wrong; filename*=utf-8''%E5%8F%B0%E8%B4%A6.xls",
            "filename*=utf-8''%CC%A8%D5%CB.xls",
        ] {
            assert_eq!(extended(raw).as_deref(), Some("台账.xls"), "{raw}");
        }
        assert_eq!(extended("filename*0=\"it's 100%41\"; filename*1=\"'s.xls\"").unwrap(), "it's 100%41's.xls");
    }

    #[test]
    fn raw_gbk_names_survive_their_backslashes() {
        // 乗 is 0x81 0x5C in GBK: its second byte is a backslash.
        let mut raw = b"attachment; filename=\"".to_vec();
        raw.extend(gbk("表乗"));
        raw.extend(b"\"; x=1");
        assert_eq!(Parameters::parse(&raw).plain("filename").unwrap(), "表乗");
        assert_eq!(Parameters::parse(&raw).plain("x").unwrap(), "1");
        let p = Parameters::parse(b"attachment; filename=\"a \\\"b\\\" c.xls\"");
        assert_eq!(p.plain("filename").unwrap(), "a \"b\" c.xls");
        let p = Parameters::parse(b"attachment; filename=\"C:\\new\\t.xls\"");
        assert_eq!(p.plain("filename").unwrap(), "C:\\new\\t.xls");
    }

    proptest! {
        /// Cut at any byte, encoded or plain, and in any order.
        #[test]
        fn a_name_survives_its_sections(
            text in "[一-龥]{1,6}[ a-z0-9]{0,4}[一-龥]{1,6}\\.xls",
            cut in any::<prop::sample::Index>(),
            (charset, swapped) in (0..4usize, any::<bool>()),
        ) {
            let (label, encoding) = [
                ("gb2312", encoding_rs::GB18030), ("utf-8", encoding_rs::UTF_8),
                ("GBK", encoding_rs::GBK), ("gb18030", encoding_rs::GB18030),
            ][charset];
            let bytes = encoding.encode(&text).0;
            // A few characters of GBK that happen to be UTF-8 as well can be told by nobody.
            prop_assume!(encoding == encoding_rs::UTF_8 || std::str::from_utf8(&bytes).is_err());
            let (first, second) = bytes.split_at(cut.index(bytes.len()));
            let escaped = |bytes: &[u8]| bytes.iter().map(|b| format!("%{b:02X}")).collect::<String>();
            let mut sections = [
                format!("filename*0*={label}'zh-cn'{}", escaped(first)),
                match second.is_ascii() {
                    true => format!("filename*1=\"{}\"", String::from_utf8_lossy(second)),
                    false => format!("filename*1*={}", escaped(second)),
                },
            ];
            if swapped {
                sections.swap(0, 1);
            }
            prop_assert_eq!(extended(&sections.join(";\r\n ")), Some(text));
        }
    }
}
