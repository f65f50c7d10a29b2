//! Bytes of unknown or wrongly named charset → text, as Chinese mail needs it. Pure.
//!
//! `gb2312` nearly always means GBK or GB18030 (the larger sets contain the smaller), and a missing or western label
//! over 8-bit bytes nearly always means GBK.

use encoding_rs::{BIG5, Encoding, GB18030, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// What a label means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// HZ (RFC 1843)
    Hz,
    Known(&'static Encoding),
    /// Western, or nobody knows: the bytes tell.
    Unsure,
    /// One that only mail-parser knows: UTF-7, Macintosh, code pages of DOS.
    Other,
}

impl Meaning {
    fn of(label: &str) -> Self {
        let label = normal(label);
        // Spelled in many ways: GB_2312-80, x-gbk, cp936, EUC-CN.
        let bare: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let bare = bare.strip_prefix('x').unwrap_or(&bare);
        match bare {
            "hzgb2312" | "hz" => Self::Hz,
            "gb" | "936" | "cp936" | "ms936" | "windows936" | "euccn" | "chinese" | "simplifiedchinese" | "isoir58"
            | "csiso58gb231280" | "csgb2312" => Self::Known(GB18030),
            _ if bare.starts_with("gb2312") || bare.starts_with("gbk") || bare.starts_with("gb18030") => {
                Self::Known(GB18030)
            }
            "cp950" | "ms950" | "windows950" | "big5eten" => Self::Known(BIG5),
            "utf8" => Self::Known(UTF_8),
            _ => match Encoding::for_label(label.as_bytes()) {
                Some(encoding) if encoding == WINDOWS_1252 => Self::Unsure,
                // GBK is read as the larger set that contains it.
                Some(encoding) if encoding == encoding_rs::GBK => Self::Known(GB18030),
                Some(encoding) => Self::Known(encoding),
                None if charset_decoder(label.as_bytes()).is_some() => Self::Other,
                None => Self::Unsure,
            },
        }
    }
}

/// Without the language of RFC 2231 section 5, quotes and letter case.
fn normal(label: &str) -> String {
    label.split('*').next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_ascii_lowercase()
}

/// Whether two labels mean one charset, so that a character may begin under one and end under the other.
pub fn are_one(a: &str, b: &str) -> bool {
    normal(a) == normal(b) || Meaning::of(a) == Meaning::of(b)
}

/// Decodes by label, seeing through labels that the bytes contradict.
pub fn decode(label: &str, bytes: &[u8]) -> String {
    match Meaning::of(label) {
        Meaning::Hz => hz(bytes),
        Meaning::Known(encoding) if encoding == GB18030 && is_cjk_utf8(bytes) => guess(bytes),
        Meaning::Known(encoding) => match encoding.decode(bytes) {
            // Of these two, errors say that the label is wrong.
            (_, _, true) if encoding == GB18030 || encoding == UTF_8 => guess(bytes),
            (text, ..) => text.into_owned(),
        },
        Meaning::Other => {
            charset_decoder(normal(label).as_bytes()).map_or_else(|| guess(bytes), |decode| decode(bytes))
        }
        Meaning::Unsure if Encoding::for_label(normal(label).as_bytes()).is_some() && is_western(bytes) => {
            WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
        }
        Meaning::Unsure => guess(bytes),
    }
}

/// Decodes bytes without any label: HZ or UTF-8 if they are, but for a little damage; else GB18030.
pub fn guess(bytes: &[u8]) -> String {
    if bytes.is_ascii() {
        let text = if is_hz(bytes) { hz(bytes).into() } else { String::from_utf8_lossy(bytes) };
        return text.into_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    // Neither are there characters in most of the planes of Unicode.
    let damage = text.chars().filter(|c| matches!(c, '\u{FFFD}' | '\u{40000}'..='\u{DFFFF}')).count();
    // In GBK text taken for UTF-8 nearly every byte is damage, and characters of three bytes are rare.
    if damage == 0 || text.chars().filter(|c| c.len_utf8() == 3).count() > 3 * damage {
        return text.strip_prefix('\u{FEFF}').unwrap_or(&text).to_owned();
    }
    GB18030.decode_without_bom_handling(bytes).0.into_owned()
}

/// Single letters above ASCII among many others. Of Chinese characters nearly all have two bytes above ASCII.
fn is_western(bytes: &[u8]) -> bool {
    let high = |b: &u8| *b >= 0x80;
    !bytes.windows(2).any(|pair| pair.iter().all(high)) && bytes.iter().filter(|b| high(b)).count() * 4 <= bytes.len()
}

/// Valid UTF-8 with characters of three bytes: GBK text hardly ever looks like that by accident (with two it does).
fn is_cjk_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().any(|c| c.len_utf8() == 3))
}

/// Seven-bit text in which every `~{` has its `~}`, and all between them are common Chinese characters and marks, at least
/// one of them a character (rows 1–3 and 16–87 of GB 2312).
fn is_hz(bytes: &[u8]) -> bool {
    let mut pieces = bytes.windows(2).enumerate().filter(|(_, w)| [b"~{", b"~}"].iter().any(|m| w == m)).peekable();
    let mut characters = 0;
    while let Some((open, mark)) = pieces.next() {
        let Some((close, _)) = pieces.next_if(|(_, w)| mark == b"~{" && w == b"~}") else { return false };
        let within = &bytes[open + 2..close];
        let marks = within.chunks(2).all(|pair| matches!(pair, [0x21..=0x23 | 0x30..=0x77, 0x21..=0x7E]));
        if !marks {
            return false;
        }
        characters += within.chunks(2).filter(|pair| pair[0] >= 0x30).count();
    }
    characters > 0
}

/// HZ (RFC 1843): GB 2312 in seven bits between `~{` and `~}`.
fn hz(bytes: &[u8]) -> String {
    let mut eight_bit = Vec::with_capacity(bytes.len());
    let mut chinese = false;
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [b'~', b'{', after @ ..] => {
                chinese = true;
                after
            }
            [b'~', b'}', after @ ..] => {
                chinese = false;
                after
            }
            [b'~', b'~', after @ ..] if !chinese => {
                eight_bit.push(b'~');
                after
            }
            [b'~', b'\n', after @ ..] => after,
            [a, b, after @ ..] if chinese && a.is_ascii_graphic() && b.is_ascii_graphic() => {
                eight_bit.extend([a | 0x80, b | 0x80]);
                after
            }
            [byte, after @ ..] => {
                eight_bit.push(*byte);
                after
            }
        };
    }
    guess(&eight_bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn a_gb2312_label_may_mean_any_of_the_gb_family() {
        assert_eq!(decode("gb2312", &gbk("朱镕基、㐂")), "朱镕基、㐂");
        assert_eq!(decode("GB18030", &gbk("龙")), "龙");
        for label in
            ["GB_2312-80", "x-gbk", "cp936", "ms936", "EUC-CN", "gb2312*zh-cn", "\"gbk\"", "GB18030-2000", "936"]
        {
            assert_eq!(decode(label, &gbk("朱镕基、㐂")), "朱镕基、㐂", "{label}");
        }
        assert_eq!(decode("gb2312", "柳林街道".as_bytes()), "柳林街道", "mislabelled UTF-8");
        assert_eq!(decode("gb2312", &gbk("模")), "模", "two bytes that happen to be valid UTF-8");
    }

    #[test]
    fn missing_western_and_wrong_labels_are_seen_through() {
        for label in ["", "us-ascii", "iso-8859-1", "unknown-8bit", "x-nonsense", "utf-8"] {
            assert_eq!(decode(label, &gbk("活动台账")), "活动台账", "{label}");
        }
        assert_eq!(guess("活动台账".as_bytes()), "活动台账");
        assert_eq!(guess(&gbk("颌秬")), "颌秬", "four bytes that are valid UTF-8");
    }

    #[test]
    fn hz_is_read() {
        assert_eq!(decode("hz-gb-2312", b"a ~{VPND~} ~~ b"), "a 中文 ~ b");
    }

    #[test]
    fn hz_needs_no_label_where_it_can_be_nothing_else() {
        assert_eq!(guess(b"~{1(KM~}2011~{Dj~}7~{TB~}"), "报送2011年7月");
        for text in
            ["a ~{b}", "~{VPN~}", "~{VPND", "VPND~}", "~{~}", "~{VPND~}~}", "~{a b ~}", "ls ~/{a,b} ~{}~}", "~{!!~}"]
        {
            assert_eq!(guess(text.as_bytes()), text);
        }
    }

    #[test]
    fn other_charsets_are_read_by_their_labels() {
        let traditional = encoding_rs::BIG5.encode("統計表").0.into_owned();
        for label in ["big5", "Big5-HKSCS", "cp950", "x-x-big5", "cn-big5"] {
            assert_eq!(decode(label, &traditional), "統計表", "{label}");
        }
        assert_eq!(decode("utf-7", b"+U/CNJg-"), "台账");
        assert_eq!(decode("UTF8", "台账".as_bytes()), "台账");
        assert_eq!(decode("iso-8859-1", b"caf\xE9 in Fr\xF6schnitz"), "café in Fröschnitz");
    }

    #[test]
    fn labels_of_one_family_are_one() {
        assert!(are_one("gb2312", "GBK") && are_one("utf-8", "UTF8") && are_one("gb2312*zh", "gb18030"));
        assert!(!are_one("gb2312", "utf-8"));
    }

    #[test]
    fn a_damaged_character_costs_only_itself() {
        let mut bytes = "台账情况".repeat(10).into_bytes();
        bytes[4] = b'?';
        for label in ["utf-8", ""] {
            assert!(decode(label, &bytes).ends_with("台账情况"));
        }
        let mut bytes = gbk(&"台账情况".repeat(10));
        bytes[5] = b' ';
        for label in ["gbk", ""] {
            assert!(decode(label, &bytes).ends_with("台账情况"));
        }
    }
}
