//! Folder names in modified UTF-7 (RFC 3501 §5.1.3): `已处理` travels as `&XfJZBHQG-`. Pure.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes a folder name; printable ASCII stays as it is, `&` becomes `&-`.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let plain = (' '..='~').contains(&first);
        let end = rest.find(|c| (' '..='~').contains(&c) != plain).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        if plain {
            out.push_str(&run.replace('&', "&-"));
        } else {
            out.push('&');
            push_base64(&mut out, run);
            out.push('-');
        }
        rest = tail;
    }
    out
}

/// UTF-16BE in base64, six bits at a time, without padding.
fn push_base64(out: &mut String, run: &str) {
    let (mut bits, mut held) = (0u32, 0u32);
    for unit in run.encode_utf16() {
        bits = (bits << 16) | u32::from(unit);
        held += 16;
        while held >= 6 {
            held -= 6;
            out.push(char::from(BASE64[(bits >> held) as usize & 63]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        out.push(char::from(BASE64[(bits << (6 - held)) as usize & 63]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            let end = at + rest[at..].find('-').expect("closed");
            let coded = &rest[at + 1..end];
            if coded.is_empty() {
                out.push('&');
            }
            let (mut bits, mut held, mut units) = (0u64, 0, Vec::new());
            for c in coded.bytes() {
                bits = (bits << 6) | BASE64.iter().position(|&b| b == c).expect("base64") as u64;
                held += 6;
                if held >= 16 {
                    held -= 16;
                    units.push((bits >> held) as u16);
                    bits &= (1 << held) - 1;
                }
            }
            out.push_str(&String::from_utf16(&units).expect("utf-16"));
            rest = &rest[end + 1..];
        }
        out + rest
    }

    #[test]
    fn the_examples_of_the_rfc_and_of_chinese_providers() {
        assert_eq!(encode("~peter/mail/台北/日本語"), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        assert_eq!(encode("已发送"), "&XfJT0ZAB-");
        assert_eq!(encode("其他文件夹/R&D"), "&UXZO1mWHTvZZOQ-/R&-D");
        assert_eq!(encode("INBOX"), "INBOX");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_printable_ascii_and_reads_back(name in "\\PC{0,12}|[&a-z已处理😀]{0,12}") {
            let coded = encode(&name);
            prop_assert!(coded.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(decode(&coded), name);
        }
    }
}
