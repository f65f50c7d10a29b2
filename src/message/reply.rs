//! What the writer of a reply added above the mail that he answers. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// The words of a reply without the quoted original, as mail programs in China part them: a line of dashes
/// (`------------------ 原始邮件 ------------------`, QQ and Outlook), `在 2011年9月20日，某某写道：` (163, Apple), a block
/// that opens with `发件人：` (Foxmail, Outlook), `>` before each line. What stands below is the original's, also where an
/// answer stands between its lines. `also` are lines of the original by which it is known where nothing parts it, as when
/// a page (HTML) was reduced to text.
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
    for line in text.lines() {
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
}
