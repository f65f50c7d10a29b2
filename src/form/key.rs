//! Headings as they are compared: what layout, punctuation and remarks do to one is put aside. Pure.

use unicode_normalization::UnicodeNormalization;

use super::definition::HeadingWords;

/// A heading reduced to what is compared: NFKC, lower case, no white space, punctuation, number in front, 其中 or remark
/// in brackets, each character in the way that is meant.
pub fn key(text: &str, words: &HeadingWords) -> String {
    let circled = |c: char| matches!(c, '\u{2460}'..='\u{2473}');
    let meant = |c: char| words.variants.get(&c).copied().unwrap_or(c);
    let text: String = text.trim_start().trim_start_matches(circled).nfkc().collect::<String>().to_lowercase();
    let text: String = text.chars().map(meant).collect();
    let mut out = String::new();
    let mut rest = unnumbered(&text);
    while let Some(open) = rest.find(['(', '[', '【', '〔']) {
        out.push_str(&bare(&rest[..open]));
        let inner = &rest[open..];
        let close = inner.find([')', ']', '】', '〕']).unwrap_or(inner.len());
        let remark = &inner[..close];
        if !words.notes.iter().any(|n| squash(n) == squash(remark)) && !lists_choices(remark, words) {
            out.push_str(&bare(remark));
        }
        rest = &inner[close..];
    }
    out.push_str(&bare(rest));
    let stripped = words.prefixes.iter().find_map(|p| out.strip_prefix(p.as_str())).filter(|s| !s.is_empty());
    stripped.map(str::to_owned).unwrap_or(out)
}

/// `3.党员总数`, `（三）党员总数`, `三、党员总数` without the number.
fn unnumbered(text: &str) -> &str {
    let text = text.trim_start();
    let (inner, bracketed) = text.strip_prefix('(').map_or((text, false), |inner| (inner, true));
    let rest = inner.trim_start_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
    let length = inner.len() - rest.len();
    let signs: &[char] = if bracketed { &[')'] } else { &['.', '、', ')', '．'] };
    match rest.strip_prefix(signs) {
        Some(after) if (1..=6).contains(&length) && !after.starts_with(|c: char| c.is_ascii_digit()) => after,
        _ => text,
    }
}

/// `(单独/联合/未建`: nothing but what may be filled in.
fn lists_choices(remark: &str, words: &HeadingWords) -> bool {
    let parts: Vec<String> =
        remark.split(['/', '、', ',', '|', ';', '或', '(', '[', ' ']).map(squash).filter(|p| !p.is_empty()).collect();
    parts.len() > 1 && parts.iter().all(|p| words.choices.contains(p))
}

/// Letters, digits and Chinese characters only.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// As [`bare`], but a remark that is nothing but a sign (`%`) keeps it.
fn squash(text: &str) -> String {
    let text: String = text.nfkc().filter(|c| !c.is_whitespace() && !"()[]【】〔〕".contains(*c)).collect();
    let letters = bare(&text);
    if letters.is_empty() { text } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    #[test]
    fn layout_in_a_heading_does_not_matter() {
        let words = Campaign::builtin().headings;
        for text in ["组织覆盖率（%）", "组 织\n覆盖率", "组织覆盖率%", "组织覆盖率 （％）", "其中：组织覆盖率"]
        {
            assert_eq!(key(text, &words), "组织覆盖率", "{text}");
        }
        assert_eq!(key("法定代表人（负责人）", &words), "法定代表人负责人");
        assert_eq!(key("№", &words), "no");
        assert_eq!(key("其中", &words), "其中");
    }

    #[test]
    fn a_number_in_front_of_a_heading_does_not_matter() {
        let words = Campaign::builtin().headings;
        for text in [
            "6.党员总数",
            "6、党员总数",
            "（6）党员总数",
            "（六）党员总数",
            "六、党员总数",
            "⑥党员总数",
            "12. 党员总数",
        ] {
            assert_eq!(key(text, &words), "党员总数", "{text}");
        }
        assert_eq!(key("3名以上党员企业数", &words), "3名以上党员企业数");
        assert_eq!(key("一户", &words), "一户");
    }

    #[test]
    fn the_same_character_written_otherwise_does_not_matter() {
        let words = Campaign::builtin().headings;
        assert_eq!(key("黨員總數", &words), "党员总数");
        assert_eq!(key("己转组织关系", &words), "已转组织关系");
    }
}
