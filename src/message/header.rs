//! Header fields from their raw bytes: encoded words (RFC 2047), parameters (RFC 2045, RFC 2231), raw 8-bit text. Pure.
//!
//! Bytes are joined first and decoded once, because senders split encoded words and continuations inside characters.

use super::{charset, transfer};

/// A field body as text: unfolded, encoded words decoded, raw 8-bit bytes taken as UTF-8 or GB18030.
pub fn text(raw: &[u8]) -> String {
    let raw = unfold(raw);
    let mut out = String::new();
    let mut run = Run::default();
    let mut rest = raw.as_slice();
    while let Some((before, word, after)) = next_word(rest) {
        // White space between two encoded words is no part of the text (RFC 2047 section 6.2).
        if !(run.is_open() && before.iter().all(u8::is_ascii_whitespace)) {
            run.flush(&mut out);
            out.push_str(&charset::guess(before));
        }
        if !run.continues(&word) {
            run.flush(&mut out);
        }
        run.push(&word);
        rest = after;
    }
    run.flush(&mut out);
    out.push_str(&charset::guess(rest));
    out.trim().to_owned()
}

/// A field body as it stands, unfolded.
pub fn plain(raw: &[u8]) -> String {
    charset::guess(&unfold(raw)).trim().to_owned()
}

/// Bytes of one field that are looked at.
const FIELD: usize = 64 << 10;

/// Removes the line breaks of folded lines (RFC 5322 section 2.2.3).
fn unfold(raw: &[u8]) -> Vec<u8> {
    raw.iter().copied().take(FIELD).filter(|b| !matches!(b, b'\r' | b'\n')).collect()
}

struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    data: &'a [u8],
}

/// The next `=?charset?encoding?data?=`, with what lies before and after it.
fn next_word(text: &[u8]) -> Option<(&[u8], Word<'_>, &[u8])> {
    // Behind the last end of a word none begins; without this, unfinished words would be searched to the end each.
    let searched = &text[..text.windows(2).rposition(|w| w == b"?=")? + 2];
    let mut from = 0;
    while let Some(start) = find(&searched[from..], b"=?").map(|at| from + at) {
        if let Some((word, length)) = word_at(&searched[start + 2..]) {
            return Some((&text[..start], word, &text[start + 2 + length..]));
        }
        from = start + 2;
    }
    None
}

/// A word's fields and its length, behind the opening `=?`.
fn word_at(text: &[u8]) -> Option<(Word<'_>, usize)> {
    let charset_end = text.iter().take(64).position(|&b| b == b'?')?;
    let charset = &text[..charset_end];
    let [encoding, b'?', data @ ..] = text.get(charset_end + 1..)? else { return None };
    let base64 = match encoding {
        b'B' | b'b' => true,
        b'Q' | b'q' => false,
        _ => return None,
    };
    if charset.is_empty() || !charset.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let data_end = find(data, b"?=")?;
    Some((Word { charset, base64, data: &data[..data_end] }, charset_end + 3 + data_end + 2))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|w| w == wanted)
}

/// Neighbouring encoded words of one charset.
#[derive(Default)]
struct Run {
    charset: Option<Vec<u8>>,
    bytes: Vec<u8>,
    /// Base64 of words that were cut inside a group of four.
    carry: Vec<u8>,
}

impl Run {
    fn is_open(&self) -> bool {
        self.charset.is_some()
    }

    fn continues(&self, word: &Word<'_>) -> bool {
        self.charset.as_ref().is_none_or(|charset| charset.eq_ignore_ascii_case(word.charset))
    }

    fn push(&mut self, word: &Word<'_>) {
        self.charset = Some(word.charset.to_vec());
        if word.base64 {
            self.carry.extend(word.data.iter().filter(|b| !b.is_ascii_whitespace()));
            if self.carry.len().is_multiple_of(4) || self.carry.ends_with(b"=") {
                self.bytes.extend(transfer::base64(&std::mem::take(&mut self.carry)));
            }
        } else {
            self.settle();
            self.bytes.extend(transfer::unescape(
                &word.data.iter().map(|&b| if b == b'_' { b' ' } else { b }).collect::<Vec<_>>(),
                b'=',
            ));
        }
    }

    fn settle(&mut self) {
        self.bytes.extend(transfer::base64(&std::mem::take(&mut self.carry)));
    }

    fn flush(&mut self, out: &mut String) {
        self.settle();
        if let Some(charset) = self.charset.take() {
            out.push_str(&charset::decode(&String::from_utf8_lossy(&charset), &std::mem::take(&mut self.bytes)));
        }
    }
}

/// `Content-Type` or `Content-Disposition`: the value in lower case, and its parameters.
#[derive(Debug, Default)]
pub struct Parameters {
    pub value: String,
    /// Names in lower case as written, with their stars; values unquoted.
    given: Vec<(String, Vec<u8>)>,
}

/// More parameters than this are no header but an attack.
const PARAMETERS: usize = 200;

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
        Self { value, given: given.collect() }
    }

    /// A parameter in the plain form, decoded also where it holds encoded words, raw bytes or (against the rules)
    /// percent escapes.
    pub fn plain(&self, name: &str) -> Option<String> {
        let (_, raw) = self.given.iter().find(|(given, _)| given == name)?;
        let unescaped = transfer::unescape(raw, b'%');
        if raw.is_ascii() && !unescaped.is_ascii() && std::str::from_utf8(&unescaped).is_ok() {
            return Some(charset::guess(&unescaped));
        }
        Some(text(raw))
    }

    /// A parameter in the extended form of RFC 2231, its continuations joined before they are decoded.
    pub fn extended(&self, name: &str) -> Option<String> {
        let mut pieces: Vec<(u32, bool, &[u8])> = Vec::new();
        for (given, value) in &self.given {
            let Some(stars) = given.strip_prefix(name).and_then(|rest| rest.strip_prefix('*')) else { continue };
            let encoded = stars.is_empty() || stars.ends_with('*');
            let number = stars.trim_end_matches('*');
            pieces.push((if number.is_empty() { 0 } else { number.parse().ok()? }, encoded, value));
        }
        pieces.sort_by_key(|piece| piece.0);
        let &(_, first_encoded, first) = pieces.first()?;
        // The first piece opens with charset'language'.
        let mut quotes = first.splitn(3, |&b| b == b'\'');
        let (charset, rest) = match (first_encoded, quotes.next(), quotes.next(), quotes.next()) {
            (true, Some(charset), Some(_), Some(rest)) => (String::from_utf8_lossy(charset).into_owned(), rest),
            _ => (String::new(), first),
        };
        let mut bytes = if first_encoded { transfer::unescape(rest, b'%') } else { rest.to_vec() };
        for &(_, encoded, value) in &pieces[1..] {
            bytes.extend(if encoded { transfer::unescape(value, b'%') } else { value.to_vec() });
        }
        // Some programs put encoded words into continuations.
        let joined = charset::decode(&charset, &bytes);
        Some(if joined.contains("=?") { text(joined.as_bytes()) } else { joined })
    }
}

/// Splits at semicolons outside quotes. A backslash before the last quote of a value ends a Windows path, and may be
/// the second byte of a GBK character.
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
    pieces.push(&raw[start..]);
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
    use super::*;

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn encoded_words_split_inside_a_character_are_joined() {
        // 柳林街道 in GBK is C1F8 C1D6 BDD6 B5C0.
        assert_eq!(text(b"=?gb2312?Q?=C1=F8=C1?=\r\n =?GB2312?Q?=D6=BD=D6=B5=C0?="), "柳林街道");
        assert_eq!(text(b"=?gb2312?B?wfjB?= =?gb2312?B?1r3WtcA=?="), "柳林街道");
        assert_eq!(text(b"=?gb2312?B?wfjB1r3Wt?= =?gb2312?B?cA?="), "柳林街道", "cut inside a group, no padding");
    }

    #[test]
    fn words_mix_with_plain_and_raw_text() {
        assert_eq!(text(b"Re: =?utf-8?B?5Y+w6LSm?= (2)"), "Re: 台账 (2)");
        assert_eq!(text(b"a =?utf-8?Q?b_c?= d"), "a b c d");
        assert_eq!(text(&gbk("转发：八月份报表")), "转发：八月份报表");
        assert_eq!(text("转发：八月份报表".as_bytes()), "转发：八月份报表");
        assert_eq!(text(b"1 =? 2 ?= 3 =?x?"), "1 =? 2 ?= 3 =?x?");
        assert_eq!(text(b""), "");
    }

    #[test]
    fn parameters_are_read_in_every_form() {
        let p = Parameters::parse(b"Attachment; filename=\"a;b.xls\"; size=3");
        assert_eq!((p.value.as_str(), p.plain("filename").unwrap().as_str()), ("attachment", "a;b.xls"));
        assert_eq!(p.extended("filename"), None);
        let p = Parameters::parse(b"attachment; filename*=utf-8'zh'%E5%8F%B0%E8%B4%A6.xls");
        assert_eq!(p.extended("filename").unwrap(), "台账.xls");
        // Continuations out of order and cut inside a character; 台账 in GBK is CCA8 D5CB.
        let p = Parameters::parse(b"attachment; filename*1*=%A8%D5%CB; filename*0*=gb2312''%CC; filename*2=\".xls\"");
        assert_eq!(p.extended("filename").unwrap(), "台账.xls");
        let p = Parameters::parse(b"attachment; filename=%E5%8F%B0%E8%B4%A6.xls");
        assert_eq!(p.plain("filename").unwrap(), "台账.xls");
        let p = Parameters::parse(b"attachment; filename=\"=?gb2312?B?zKjVyw==?=.xls\"");
        assert_eq!(p.plain("filename").unwrap(), "台账.xls");
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
}
