//! What a returned mail says of the one it returns, in a mail server's own words. Pure.
//!
//! NetEase and other Coremail servers: `主  题 …`, `收件人 …`, `退信原因`, also in two languages; QQ: `主 题：…`, `无法发送到 …`,
//! `退信原因`; Exim, Postfix, qmail and Exchange: addresses above a copy of the mail.

use std::sync::LazyLock;

use regex::Regex;

use super::super::Message;

/// The mail that came back, as far as the notice tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// Without brackets.
    pub message_id: Option<String>,
    pub subject: Option<String>,
}

pub fn returned(message: &Message) -> Returned {
    static ID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?im)^[^\S\n]*>?[^\S\n]*(?:x-)?(?:original-)?Message-ID:\s*<([^<>\s]+)>").expect("a valid pattern")
    });
    let enclosed = message.forwarded.iter().find(|f| f.message_id.is_some()).or(message.forwarded.first());
    let text = [&message.text, &message.delivery_report];
    // QQ shows it without a label. Nobody else has ids of this shape (see `outbox::mail::message_id`).
    static OURS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(?:[a-z]+\.[0-9a-f]{32}@[\w.-]*\w)").expect("a valid pattern"));
    let labelled_id = || text.iter().find_map(|text| ID.captures(text)).map(|found| found[1].to_owned());
    let ours = || text.iter().find_map(|text| OURS.find(text)).map(|found| found.as_str().to_owned());
    let told = || labelled_id().or_else(ours);
    let header = || message.in_reply_to.first().or(message.references.last()).cloned();
    let in_text = || labelled(&message.text, r"主\s*题|邮件主题|原邮件主题|标\s*题|subject:");
    // `未送达: 主题` and `Undeliverable: 主题`
    let in_subject = || {
        let (notice, subject) = message.subject.split_once([':', '：'])?;
        let exchange = ["未送达", "未传递的邮件", "undeliverable", "undelivered", "无法传递"];
        exchange.contains(&notice.trim().to_lowercase().as_str()).then(|| subject.trim().to_owned())
    };
    Returned {
        message_id: enclosed.and_then(|f| f.message_id.clone()).or_else(told).or_else(header),
        subject: enclosed
            .map(|f| f.subject.clone())
            .or_else(in_text)
            .or_else(in_subject)
            .filter(|subject| !subject.is_empty()),
    }
}

/// Who did not get it: those whom the server's own words name, else those that the notice lists as recipients. Where that
/// list has people who got a copy, it does not tell who of them failed.
pub fn recipients(message: &Message) -> Vec<String> {
    let text = above(&message.text);
    let by_exim: Vec<String> = message.header("X-Failed-Recipients").flat_map(addresses).collect();
    if !by_exim.is_empty() {
        return by_exim;
    }
    let by_server = addresses(&reason(&message.text));
    if !by_server.is_empty() {
        return by_server;
    }
    // QQ names one by one.
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"无法(发送|投递|送达)到?[:：]?\s*([^\s，,；;]+@[^\s，,；;]+)").expect("a valid pattern")
    });
    let named: Vec<String> = NAMED.captures_iter(text).flat_map(|found| addresses(&found[2])).collect();
    if !named.is_empty() {
        return named;
    }
    let listed = labelled(text, r"收\s*件\s*人|recipients?:|to:").map(|list| addresses(&list)).unwrap_or_default();
    let copied = labelled(text, r"抄\s*送|密\s*送|cc:").is_some_and(|list| list.contains('@'));
    match (listed.as_slice(), copied) {
        ([], _) => addresses(text),
        ([one], false) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// The server's words on why; empty where none are found.
pub fn reason(text: &str) -> String {
    static REPLY: LazyLock<Regex> = LazyLock::new(|| {
        // An SMTP reply code (RFC 5321 section 4.2) with words behind it.
        Regex::new(r"(?m)^.*(?:^|[\s:：(])[45]\d\d[ -][#\d.]*\s*[A-Za-z<\[].*$").expect("a valid pattern")
    });
    let text = above(text);
    let by_label = labelled(text, r"英文说明|退信原因|失败原因|错误(信息|原因)|原\s*因|reason:");
    let reply = REPLY.find(text).map(|found| found.as_str().trim().to_owned());
    match (reply, by_label) {
        (Some(reply), _) => reply,
        (None, Some(said)) => match labelled(text, "英文说明") {
            Some(english) if !said.contains(&english) => format!("{english} {said}"),
            _ => said,
        },
        (None, None) => String::new(),
    }
}

/// What stands above the copy of the returned mail.
pub fn above(text: &str) -> &str {
    let ends = [
        "--- Below this line",
        "------ This is a copy",
        "Original message",
        "Original Message Headers",
        "原始邮件头",
        "-原始邮件",
        "\n原始邮件",
        "Message-ID:",
    ];
    let end = ends.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    &text[..end]
}

/// What follows a label (a pattern) on its line, or on the next one that is not empty. The label may be followed by its
/// English name and a colon.
fn labelled(text: &str, label: &str) -> Option<String> {
    let pattern = format!(
        r"(?im)(?:^|[^\S\n])(?:{label})(?:[^\S\n]*/[^\S\n]*\n?[a-z -]+)?[^\S\n]*(?:[:：][^\S\n]*\n?|[^\S\n]|\n)\s*(\S[^\n]*)$"
    );
    let pattern = Regex::new(&pattern).expect("a valid pattern");
    let found = pattern.captures(text)?;
    found.get(found.len() - 1).map(|value| value.as_str().trim().to_owned())
}

fn addresses(text: &str) -> Vec<String> {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[A-Za-z0-9][A-Za-z0-9_.+-]*@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+").expect("a valid pattern")
    });
    ADDRESS.find_iter(text).map(|m| m.as_str().to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_ours_is_known_wherever_it_stands() {
        let id = "reminder.0123456789abcdef0123456789abcdef@qu.example";
        let text = format!("收件人（x@y.test）不存在\nmail.send x@y.test; ID <{id}>");
        let message = Message { text, ..Message::default() };
        assert_eq!(returned(&message).message_id.as_deref(), Some(id));
    }
}
