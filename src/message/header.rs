//! Header fields from their raw bytes: encoded words (RFC 2047) and raw 8-bit text. Pure.
//!
//! Bytes are joined first and decoded once, because senders split encoded words inside characters.

use super::{charset, transfer};

/// A field body as text: unfolded, encoded words decoded, raw 8-bit bytes taken as UTF-8 or GB18030.
pub fn text(raw: &[u8]) -> String {
    let raw = &raw[..raw.len().min(FIELD)];
    let mut out = String::new();
    let mut run = Run::default();
    let mut rest = raw;
    while let Some((before, word, after)) = next_word(rest) {
        // White space between two encoded words is no part of the text (RFC 2047 section 6.2).
        if !(run.is_open() && before.iter().all(u8::is_ascii_whitespace)) {
            run.flush(&mut out);
            out.push_str(&charset::guess(&unfold(before)));
        }
        if !run.continues(&word) {
            run.flush(&mut out);
        }
        run.push(&word);
        rest = after;
    }
    run.flush(&mut out);
    out.push_str(&charset::guess(&unfold(rest)));
    out.trim().to_owned()
}

/// A field body as it stands, unfolded.
pub fn plain(raw: &[u8]) -> String {
    charset::guess(&unfold(raw)).trim().to_owned()
}

/// Bytes of one field that are looked at.
const FIELD: usize = 64 << 10;

/// Removes the line breaks of folded lines (RFC 5322 section 2.2.3), and NUL bytes. A tab that began a line is white
/// space like any other.
pub fn unfold(raw: &[u8]) -> Vec<u8> {
    let shown = raw.iter().copied().take(FIELD).filter(|b| !matches!(b, b'\r' | b'\n' | 0));
    shown.map(|b| if b == b'\t' { b' ' } else { b }).collect()
}

struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    data: &'a [u8],
}

/// The next `=?charset?encoding?data?=`, with what lies before and after it.
fn next_word(text: &[u8]) -> Option<(&[u8], Word<'_>, &[u8])> {
    // Behind the last end of a word at most one begins that was cut short; without this, unfinished words would be
    // searched to the end each.
    let ends = text.windows(2).rposition(|w| w == b"?=").map_or(0, |at| at + 2);
    let mut from = 0;
    while let Some(start) = find(&text[from..ends], b"=?").map(|at| from + at) {
        if let Some((word, length)) = word_at(&text[start + 2..ends]) {
            return Some((&text[..start], word, &text[start + 2 + length..]));
        }
        from = start + 2;
    }
    let start = from + find(&text[from..], b"=?")?;
    let word = cut_word(&text[start + 2..])?;
    Some((&text[..start], word, &[]))
}

/// The fields in front of a word's data, and where it begins. Some programs put spaces around them, or leave the charset
/// out.
fn opening(text: &[u8]) -> Option<(&[u8], bool, usize)> {
    let end = text.iter().take(64).position(|&b| b == b'?')?;
    let charset = text[..end].trim_ascii();
    let length = text[end + 1..].iter().take(8).position(|&b| b == b'?')?;
    let base64 = match text[end + 1..end + 1 + length].trim_ascii() {
        b"B" | b"b" => true,
        b"Q" | b"q" => false,
        _ => return None,
    };
    charset.iter().all(u8::is_ascii_graphic).then_some((charset, base64, end + length + 2))
}

/// A word and its length, behind the opening `=?`.
fn word_at(text: &[u8]) -> Option<(Word<'_>, usize)> {
    let (charset, base64, begin) = opening(text)?;
    let data = &text[begin..];
    let end = find(data, b"?=")?;
    Some((Word { charset, base64, data: &data[..end] }, begin + end + 2))
}

/// A word without its end, if the rest of the field can be its data.
fn cut_word(text: &[u8]) -> Option<Word<'_>> {
    let (charset, base64, begin) = opening(text)?;
    let data = text[begin..].trim_ascii();
    let data = data.strip_suffix(b"?").unwrap_or(data);
    let fits = |b: &u8| match base64 {
        true => b.is_ascii_alphanumeric() || b"+/=".contains(b),
        false => b.is_ascii_graphic() && *b != b'?',
    };
    (data.len() >= 4 && data.iter().all(fits)).then_some(Word { charset, base64, data })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|w| w == wanted)
}

/// Neighbouring encoded words of one charset.
#[derive(Default)]
struct Run {
    charset: Option<String>,
    bytes: Vec<u8>,
    /// Base64 of words that were cut inside a group of four.
    carry: Vec<u8>,
}

impl Run {
    fn is_open(&self) -> bool {
        self.charset.is_some()
    }

    fn continues(&self, word: &Word<'_>) -> bool {
        self.charset.as_ref().is_none_or(|label| charset::are_one(label, &String::from_utf8_lossy(word.charset)))
    }

    fn push(&mut self, word: &Word<'_>) {
        self.charset = Some(String::from_utf8_lossy(word.charset).into_owned());
        if word.base64 {
            self.carry.extend(word.data.iter().filter(|b| !b.is_ascii_whitespace()));
            if self.carry.len().is_multiple_of(4) || self.carry.ends_with(b"=") {
                self.settle();
            }
        } else {
            self.settle();
            self.bytes.extend(q_decoded(word.data));
        }
    }

    fn settle(&mut self) {
        self.bytes.extend(transfer::base64(&std::mem::take(&mut self.carry)));
    }

    fn flush(&mut self, out: &mut String) {
        self.settle();
        if let Some(label) = self.charset.take() {
            out.push_str(&charset::decode(&label, &std::mem::take(&mut self.bytes)));
        }
    }
}

/// The Q encoding (RFC 2047 section 4.2). A space in it, though illegal, was meant; one that a folded line begins with
/// was not.
fn q_decoded(data: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(data.len());
    for (number, line) in data.split(|&b| b == b'\n').enumerate() {
        let line = if number > 0 { line.trim_ascii_start() } else { line };
        kept.extend(line.iter().filter(|b| !matches!(b, b'\r' | 0)).map(|&b| if b == b'_' { b' ' } else { b }));
    }
    transfer::unescape(&kept, b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn encoded_words_split_inside_a_character_are_joined() {
        // 柳林街道 in GBK is C1F8 C1D6 BDD6 B5C0.
        for words in [
            &b"=?gb2312?Q?=C1=F8=C1?=\r\n =?GB2312?Q?=D6=BD=D6=B5=C0?="[..],
            b"=?gb2312?B?wfjB?= =?gb2312?B?1r3WtcA=?=",
            b"=?gb2312?B?wfjB1r3Wt?= =?gb2312?B?cA?=",
            b"=?gb2312?B?wfjB?= =?GBK?Q?=D6=BD=D6=B5=C0?=",
            b"=?gb2312*zh-cn?B?wfjB?= =?gb18030?B?1r3WtcA?=",
        ] {
            assert_eq!(text(words), "柳林街道", "{}", String::from_utf8_lossy(words));
        }
        assert_eq!(text(b"=?gb2312?B?wfjB1g==?= =?utf-8?B?6KGX6YGT?="), "柳林街道", "two charsets");
    }

    #[test]
    fn damaged_words_are_read_as_they_were_meant() {
        for (words, meant) in [
            (&b"=?gb2312?B?wfjB 1r3W tcA=?="[..], "柳林街道"),
            (b"=?gb2312?B?wfjB\r\n 1r3WtcA=?=", "柳林街道"),
            (b"=? gb2312 ? B ?wfjB1r3WtcA= ?=", "柳林街道"),
            (b"=?gb2312?Q?=C1=F8=C1=D6\r\n =BD=D6=B5=C0 2011?=", "柳林街道 2011"),
            (b"=??B?wfjB1r3WtcA=?=", "柳林街道"),
            (b"=?gb2312?B?wfjB1r3WtcA=?==?gb2312?B?wfjB1g==?=", "柳林街道柳林"),
            (b"Re:=?gb2312?B?wfjB1r3WtcA=?=(2)", "Re:柳林街道(2)"),
            (b"=?gb2312?B?wfjB1r3WtcA", "柳林街道"),
            (b"=?gb2312?B?wfjB1g==?= =?gb2312?B?vda1wA?", "柳林街道"),
            (b"=?gb2312?B?wfjB1r3WtcA=\0?=", "柳林街道"),
        ] {
            assert_eq!(text(words), meant, "{}", String::from_utf8_lossy(words));
        }
    }

    #[test]
    fn words_mix_with_plain_and_raw_text() {
        assert_eq!(text(b"Re: =?utf-8?B?5Y+w6LSm?= (2)"), "Re: 台账 (2)");
        assert_eq!(text(b"a =?utf-8?Q?b_c?= d"), "a b c d");
        assert_eq!(text(&gbk("转发：八月份报表")), "转发：八月份报表");
        assert_eq!(text("转发：八月份报表".as_bytes()), "转发：八月份报表");
        assert_eq!(text(b"1 =? 2 ?= 3 =?x?"), "1 =? 2 ?= 3 =?x?");
        assert_eq!(text(b"a\r\n\tb"), "a b");
        assert_eq!(text(b""), "");
    }

    proptest! {
        /// Every label, both encodings, cut at any byte.
        #[test]
        fn a_subject_survives_its_words(
            meant in "[a-z ]{0,3}[一-龥]{1,8}[0-9]{0,3}[一-龥]{1,8}",
            (label, encoding) in prop::sample::select(LABELS.to_vec()),
            cut in any::<prop::sample::Index>(),
            forms in any::<[bool; 2]>(),
        ) {
            let meant = meant.trim();
            let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes()).unwrap();
            let bytes = encoding.encode(meant).0;
            // A few characters of GBK that happen to be UTF-8 as well can be told by nobody.
            prop_assume!(encoding == encoding_rs::UTF_8 || std::str::from_utf8(&bytes).is_err());
            let (first, second) = bytes.split_at(cut.index(bytes.len()));
            let word = |(bytes, base64): (&[u8], bool)| match base64 {
                true => format!("=?{label}?B?{}?=", crate::message::whole_mails::base64(bytes)),
                false => format!("=?{label}?Q?{}?=", bytes.iter().map(|b| format!("={b:02X}")).collect::<String>()),
            };
            let words = [word((first, forms[0])), word((second, forms[1]))].join("\r\n ");
            prop_assert_eq!(text(words.as_bytes()), meant);
        }
    }

    /// Labels, and what is meant by them.
    const LABELS: [(&str, &str); 12] = [
        ("gb2312", "gbk"),
        ("GB2312", "gb18030"),
        ("gbk", "gbk"),
        ("x-gbk", "gbk"),
        ("cp936", "gbk"),
        ("GB_2312-80", "gbk"),
        ("gb18030", "gb18030"),
        ("utf-8", "utf-8"),
        ("UTF8", "utf-8"),
        ("iso-8859-1", "gbk"),
        ("unknown-8bit", "gbk"),
        ("gb2312", "utf-8"),
    ];
}
