//! Bytes of unknown or wrongly named charset → text, as Chinese mail needs it. Pure.
//!
//! `gb2312` nearly always means GBK or GB18030 (the larger sets contain the smaller), and a missing or western label
//! over 8-bit bytes nearly always means GBK.

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

/// Decodes by label, seeing through labels that the bytes contradict.
pub fn decode(label: &str, bytes: &[u8]) -> String {
    // RFC 2231 section 5: `charset*language`
    let label = label.split('*').next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    if matches!(label.as_str(), "hz-gb-2312" | "hz") {
        return hz(bytes);
    }
    if bytes.is_ascii() && !label.starts_with("iso-2022") && !label.starts_with("utf-16") {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let encoding = match label.as_str() {
        "gbk" | "cp936" | "ms936" | "windows-936" | "x-gbk" | "gb18030" | "gb_2312-80" | "gb2312" | "csgb2312"
        | "euc-cn" | "x-euc-cn" => Some(GB18030),
        other => Encoding::for_label(other.as_bytes()),
    };
    match encoding {
        None => guess(bytes),
        Some(western) if western == WINDOWS_1252 => guess(bytes),
        Some(encoding) if encoding == GB18030 && is_cjk_utf8(bytes) => guess(bytes),
        Some(encoding) => match encoding.decode(bytes) {
            (_, _, true) if encoding == GB18030 || encoding == UTF_8 => guess(bytes),
            (text, ..) => text.into_owned(),
        },
    }
}

/// Decodes bytes without any label: UTF-8 if they are, but for a little damage; else GB18030.
pub fn guess(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let damage = text.matches(char::REPLACEMENT_CHARACTER).count();
    // In GBK text taken for UTF-8 nearly every byte is damage, and characters of three bytes are rare.
    if damage == 0 || text.chars().filter(|c| c.len_utf8() == 3).count() > 3 * damage {
        return text.strip_prefix('\u{FEFF}').unwrap_or(&text).to_owned();
    }
    GB18030.decode_without_bom_handling(bytes).0.into_owned()
}

/// Valid UTF-8 with characters of three bytes: GBK text hardly ever looks like that by accident (with two it does).
fn is_cjk_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().any(|c| c.len_utf8() == 3))
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
        assert_eq!(decode("gb2312", "柳林街道".as_bytes()), "柳林街道", "mislabelled UTF-8");
        assert_eq!(decode("gb2312", &gbk("模")), "模", "two bytes that happen to be valid UTF-8");
    }

    #[test]
    fn missing_western_and_wrong_labels_are_seen_through() {
        for label in ["", "us-ascii", "iso-8859-1", "unknown-8bit", "x-nonsense", "utf-8"] {
            assert_eq!(decode(label, &gbk("活动台账")), "活动台账", "{label}");
        }
        assert_eq!(guess("活动台账".as_bytes()), "活动台账");
    }

    #[test]
    fn hz_is_read() {
        assert_eq!(decode("hz-gb-2312", b"a ~{VPND~} ~~ b"), "a 中文 ~ b");
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
