//! What the writer of a mail wrote himself, without the mails that his program put below. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// The writer's own words: the text up to the history below it, without lines quoted by `>`. Of a mail that is nothing but
/// history (a forwarded one) all of it, since that is what was meant to be read.
pub fn own_words(text: &str) -> String {
    let own = without_history(text);
    if own.chars().filter(|c| c.is_alphanumeric()).count() < 2 { text.trim().to_owned() } else { own }
}

/// The text above the history; empty where there is nothing above it.
pub fn without_history(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = (0..lines.len()).find(|&at| begins_history(&lines[at..])).unwrap_or(lines.len());
    let own: Vec<&str> = lines[..end].iter().copied().filter(|line| !line.trim_start().starts_with('>')).collect();
    own.join("\n").trim().to_owned()
}

/// `------ 原始邮件 ------` (QQ, Foxmail, Outlook), `在 …，… 写道：` (NetEase), or a block of header lines (Outlook).
fn begins_history(lines: &[&str]) -> bool {
    static RULE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\s*[-_=—\s]{2,}(原始邮件|原邮件|转发邮件信息|转发的邮件|original message|forwarded message)")
            .expect("a valid pattern")
    });
    static WROTE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\s*(在|于|at|on)\s?.{0,200}(写道|wrote)\s*[:：]\s*$").expect("a valid pattern")
    });
    static FROM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)^\s*\**(发件人|from)\s*[:：]").expect("a valid pattern"));
    static SENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\s*\**(发送时间|发送日期|日期|sent|date|收件人|to)\s*[:：]").expect("a valid pattern")
    });
    let Some(first) = lines.first() else { return false };
    let block = || FROM.is_match(first) && lines.iter().skip(1).take(4).any(|line| SENT.is_match(line));
    RULE.is_match(first) || WROTE.is_match(first) || block()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_below_is_cut_off() {
        let histories = [
            "------------------ 原始邮件 ------------------\n发件人: \"台账系统\"",
            "-----Original Message-----\nFrom: x",
            "在 2011-09-20 09:10:00，\"台账系统\" <robot@office.test> 写道：\n>已入账",
            "At 2011-09-20 09:10:00, \"x\" <x@y.test> wrote:\n>a",
            "发件人: 台账系统\n发送时间: 2011年9月20日\n收件人: 某某\n主题: 回复",
            "> 已入账\n> 谢谢",
        ];
        for history in histories {
            assert_eq!(own_words(&format!("收到，谢谢。\n\n{history}\n")), "收到，谢谢。", "{history}");
        }
    }

    #[test]
    fn a_forwarded_mail_is_all_that_was_meant() {
        let text = "------ 转发邮件信息 ------\n发件人: 某某\n日期: 2011-09-20\n我镇创新做法如下";
        assert_eq!(own_words(text), text);
        assert_eq!(without_history(text), "");
    }

    #[test]
    fn a_letter_that_speaks_of_senders_is_whole() {
        let text = "发件人：区委\n各单位要做好工作。\n在会上，书记说：";
        assert_eq!(own_words(text), text);
    }
}
