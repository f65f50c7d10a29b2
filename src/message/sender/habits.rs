//! Automatic mail that no header tells: subjects and phrases of the autoresponders and servers in use here. Pure.
//!
//! NetEase's and QQ's autoresponders often set no field at all. What is told wrongly here is still stored and listed, and
//! a mail with a form in it waits for a person; so the price of a mistake is a question.

use std::sync::LazyLock;

use regex::Regex;

use super::super::Message;
use crate::message::reply::own_words;

/// Characters of an automatic reply; people who write about such replies write more.
const SHORT: usize = 400;

/// Why a mail is taken for automatic.
pub fn told(message: &Message) -> Option<&'static str> {
    subject(&message.subject).or_else(|| spam(message)).or_else(|| body(message))
}

/// Only at the very start: a person's answer to an automatic reply begins with `Re:` or `回复`.
fn subject(subject: &str) -> Option<&'static str> {
    static HABITS: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
        let pattern = |text: &str| Regex::new(text).expect("a valid pattern");
        let reply = r"(系统|邮件|邮箱|外出|出差|假期|休假)?(自动|自動)(回复|回覆|答复|答覆|应答|應答|回信)";
        [
            (
                pattern(&format!(
                    r"(?i)^\s*([\[【(（「]\s*{reply}\s*[\]】)）」]|{reply}\s*([:：]|\s|$))|^\s*(auto(matic)?[ -]?(re(ply|sponse|sponder))?|out of (the )?office( auto ?reply)?|vacation (reply|response)|away from (my )?mail)\s*([:：]|$)|^\s*\[auto[ -]?reply\]"
                )),
                "主题是自动回复",
            ),
            (
                pattern(
                    r"^\s*[\[【(（]?(我?(正在|在)?(休假|外出|出差|年假|产假|病假)中?|不在办公室)[\]】)）]?\s*([:：]|$)",
                ),
                "主题是外出、休假的自动回复",
            ),
            (
                pattern(
                    r"(?i)^\s*(已读(回执)?|阅读回执|未阅读|未读|已阅读|read|not read)\s*[:：]|^\s*(邮件)?(已读|阅读)回执\s*$",
                ),
                "阅读回执",
            ),
            (pattern(r"(?i)^\s*(已?接受|已?拒绝|暂定|accepted|declined|tentative)\s*[:：]"), "日程答复"),
            (pattern(r"(?i)^\s*(撤回|邮件撤回|recall)\s*[:：]"), "请求撤回邮件"),
        ]
    });
    HABITS.iter().find(|(pattern, _)| pattern.is_match(subject)).map(|(_, why)| *why)
}

/// What the filters on the way have marked.
fn spam(message: &Message) -> Option<&'static str> {
    let flagged = message.header("X-Spam-Flag").any(|v| v.trim().eq_ignore_ascii_case("yes"))
        || message.header("X-Spam-Status").any(|v| v.trim().to_lowercase().starts_with("yes"));
    let subject = message.subject.trim_start().to_lowercase();
    let tagged = ["[spam]", "***spam***", "【垃圾邮件】", "[垃圾邮件]", "【疑似垃圾邮件】"];
    (flagged || tagged.iter().any(|tag| subject.starts_with(tag))).then_some("邮箱服务商标为垃圾邮件")
}

/// A short text without files that says so itself, in words that are not quoted from ours.
fn body(message: &Message) -> Option<&'static str> {
    static REPLY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)(这|此|本)(是|封|邮件)*(是|为|系)?[^。，,\n]{0,8}自动(回复|答复|应答)|系统自动(回复|答复)|自动(回复|答复)(的)?邮件|this is an? auto(matic|mated)?[ -]?(generated |reply|response|e?-?mail|message)",
        )
        .expect("a valid pattern")
    });
    // Ours ends in 本邮件由系统自动发出, which people quote; they do not ask anybody to refrain from answering.
    static NOTICE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?is)(系统自动(发出|发送|生成)|自动发送的邮件|automatically generated).{0,30}(勿(直接)?回复|do not reply)|(此|本)?邮箱(仅|只)用于发送.{0,20}勿(直接)?回复")
            .expect("a valid pattern")
    });
    if !message.attachments.is_empty() {
        return None;
    }
    let words = own_words(&message.text, &[]);
    if words.chars().count() > SHORT {
        return None;
    }
    if REPLY.is_match(&words) {
        return Some("正文写明是自动回复");
    }
    NOTICE.is_match(&words).then_some("正文写明由系统发出、不用回复")
}
