//! What the writer of a mail wrote himself, above the mail that he answers: strictly, where something is decided by it
//! ([`own_words`]), and generously, where it is shown ([`letter`]). Pure.

use std::sync::LazyLock;

use regex::Regex;

/// The words of a reply without the quoted original, as mail programs in China part them: a line of dashes
/// (`------------------ 原始邮件 ------------------`, QQ and Outlook), `在 2011年9月20日，某某写道：` (163, Apple), a block
/// that opens with `发件人：` (Foxmail, Outlook), `>` before each line. What stands below is the original's, also where an
/// answer stands between its lines. `also` are lines of the original by which it is known where nothing parts it, as when
/// a page (HTML) was reduced to text. Only where every line of the
/// original is marked by `>`, and an empty line follows, an answer below it is the writer's.
pub fn own_words(text: &str, also: &[&str]) -> String {
    static PARTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^[\s>＞|*]*(",
            r"[-－—–_=]{5,}.*",
            r"|[-－—–_=]{2,}\s*(原始|原|转发的?|回复的?)\s*(邮件|信息|信件).*",
            r"|[-－—–_=]{2,}\s*(original|forwarded)\b.*",
            r"|(发件人|发送人|寄件人|寄件者|from|von|de)\s*[:：].*",
            r"|.*(写道|寫道|写到|wrote)\s*[:：]?\s*",
            r"|--",
            r")$"
        ))
        .expect("a valid pattern")
    });
    let mut own = Vec::new();
    for line in below_quotation(text).unwrap_or(text).lines() {
        let line = line.replace(['\u{a0}', '\u{3000}', '\u{feff}', '\u{200b}'], " ");
        let line = line.trim();
        if PARTS.is_match(line) || also.iter().any(|mark| line.contains(mark)) {
            break;
        }
        if !line.starts_with(['>', '＞']) {
            own.push(line.to_owned());
        }
    }
    own.join("\n").trim().to_owned()
}

/// What stands below an original that the text begins with. A line of it that lost its mark, as where a program has
/// wrapped it, might be taken for the writer's: then there is no telling.
fn below_quotation(text: &str) -> Option<&str> {
    let quoted = |line: &str| line.trim_start().starts_with(['>', '＞']);
    let begins = text.lines().find(|line| !line.trim().is_empty()).is_some_and(quoted);
    let mut rest = text;
    let mut end = None;
    while let Some(line) = rest.split_inclusive('\n').next().filter(|_| begins) {
        let blank = line.trim().is_empty();
        if !blank && !quoted(line) {
            break;
        }
        rest = &rest[line.len()..];
        end = blank.then_some(rest);
    }
    end.filter(|below| !below.lines().any(quoted))
}

/// A letter as it is shown to others: without the history that its program put below, and without lines quoted by `>`. Only
/// what is surely history is left out. Of a mail that is nothing else (a forwarded one) all is kept, since that is what was
/// meant to be read.
pub fn letter(text: &str) -> String {
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
    fn the_original_is_cut_off_however_it_is_quoted() {
        for quoted in [
            "------------------ 原始邮件 ------------------\n发件人: \"台账\"<a@b.example>;",
            "------------------\u{a0}原始邮件\u{a0}------------------\n发件人:",
            "---原始邮件---\n发件人: \"台账\"",
            "-----原始邮件-----\n发件人: 台账",
            "-----Original Message-----\nFrom: x",
            "--------- 转发的邮件 ---------",
            "在 2011年9月20日，上午9:10，台账 <a@b.example> 写道：\n> 【请核实】",
            "在 2011-09-20 09:10:00，\"台账\" <a@b.example> 写道：\n【请核实】",
            "At 2011-09-20 09:10:00, \"台账\" <a@b.example> wrote:\n>【请核实】",
            "台账 <a@b.example> 於 2011年9月20日 寫道：",
            "发件人： 台账\n发送时间： 2011-09-20\n收件人： x\n主题： 请核实",
            "发件人: 台账 [mailto:a@b.example] \n发送时间: 2011年9月20日",
            "________________________________\nFrom: x",
            "> 不是\n> 确认",
            "【请核实】\n如不是，请回复“不是”",
            "-- \n办公室  小宋",
        ] {
            assert_eq!(own_words(&format!("确认\n\n{quoted}\n不是"), &["请核实】"]).lines().next(), Some("确认"));
            assert!(!own_words(&format!("确认\n\n{quoted}"), &["请核实】"]).contains("不是"), "{quoted}");
        }
    }

    #[test]
    fn an_answer_may_stand_below_an_original_of_which_every_line_is_marked() {
        let marked = "> 【请核实】\n>\n> 请直接回复\n> “确认”\n";
        assert_eq!(own_words(&format!("{marked}\n不是\n\n王丽"), &["请核实】"]), "不是\n\n王丽");
        for wrapped in ["> 【请核实】请直接回复\n确认\n\n不是", "> 【请核实】\n> 请回复\n\n不是\n\n> 确认"]
        {
            assert!(!own_words(wrapped, &["请核实】"]).contains("不是"), "{wrapped}");
        }
        assert_eq!(own_words(&format!("{marked}\n-----原始邮件-----\n确认"), &[]), "");
    }

    #[test]
    fn a_program_that_parts_its_heading_over_lines_leaves_harmless_rests() {
        let text = "确认\n\nOn Tue, Sep 20, 2011 at 9:10 AM, 台账系统\n<a@b.example> wrote:\n\n> 不是";
        assert_eq!(own_words(text, &[]), "确认\n\nOn Tue, Sep 20, 2011 at 9:10 AM, 台账系统");
    }

    #[test]
    fn a_reply_without_any_original_is_all_its_own() {
        assert_eq!(own_words("确认\r\n\r\n  发自我的手机\r\n", &["x"]), "确认\n\n发自我的手机");
        assert_eq!(own_words("> 确认", &[]), "");
        assert_eq!(own_words("", &[]), "");
    }

    #[test]
    fn a_quotation_is_no_word_of_the_senders() {
        for text in [
            "收到\nAt 2011-09-20 09:00:00, \"x\" <in@qu.example> 写道:\n本邮件",
            "收到\nOn Tue, 20 Sep 2011, x wrote:\n本邮件",
            "收到\n________________________________\n本邮件",
            "收到\n发件人： 台账系统 <in@qu.example>\n本邮件",
            "收到",
        ] {
            assert_eq!(own_words(text, &[]), "收到", "{text}");
        }
        assert_eq!(own_words("来自：区里\n发件人要写清楚", &[]), "来自：区里\n发件人要写清楚");
    }

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
            assert_eq!(letter(&format!("收到，谢谢。\n\n{history}\n")), "收到，谢谢。", "{history}");
        }
    }

    #[test]
    fn a_forwarded_mail_is_all_that_was_meant() {
        let text = "------ 转发邮件信息 ------\n发件人: 某某\n日期: 2011-09-20\n我镇创新做法如下";
        assert_eq!(letter(text), text);
        assert_eq!(without_history(text), "");
    }

    #[test]
    fn a_letter_that_speaks_of_senders_is_whole() {
        let text = "发件人：区委\n各单位要做好工作。\n在会上，书记说：";
        assert_eq!(letter(text), text);
    }
}
