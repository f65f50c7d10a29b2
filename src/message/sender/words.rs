//! What the sender of a mail wrote, without the mail that it answers. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// The text above the first line that opens a quotation, as the programs in use here write it.
pub fn own_words(text: &str) -> &str {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
        // `> …`; the rule above a quotation; `…写道：`; the head of the quoted mail.
        Regex::new(
            r"(?im)^[^\S\n]*(>|-{2,}.*(原始邮件|原邮件|转发|original|forwarded)|_{10,}|(在|于)?[^\n]{4,120}写道[^\S\n]*[:：]|on\b[^\n]{4,120}\bwrote:|(发件人|寄件者|from)[^\S\n]*[:：].*@)",
        )
        .expect("a valid pattern")
    });
    let end = QUOTED.find(text).map_or(text.len(), |found| found.start());
    text[..end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_no_word_of_the_senders() {
        for text in [
            "收到\n\n------------------ 原始邮件 ------------------\n发件人: x",
            "收到\n> 本邮件由系统自动发出。",
            "收到\n\n在 2011-09-20 09:00:00，\"台账系统\" <in@qu.example> 写道：\n本邮件",
            "收到\nAt 2011-09-20 09:00:00, \"x\" <in@qu.example> 写道:\n本邮件",
            "收到\nOn Tue, 20 Sep 2011, x wrote:\n本邮件",
            "收到\n________________________________\n本邮件",
            "收到\n发件人： 台账系统 <in@qu.example>\n本邮件",
            "收到",
        ] {
            assert_eq!(own_words(text), "收到", "{text}");
        }
        assert_eq!(own_words("来自：区里\n发件人要写清楚"), "来自：区里\n发件人要写清楚");
        assert_eq!(own_words("> 全是引文"), "");
    }
}
