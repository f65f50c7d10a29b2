//! Who wrote a mail: a person, a machine, a list, a mail server returning our own, or we. Pure.
//!
//! Only a person is ever answered (RFC 3834 section 2).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest, Sha256};

use super::{Attachment, Message};

pub use super::authentication::{Authentication, authentication};

/// The header that every mail of ours carries; its value names the installation.
pub const MARKER: &str = "X-Taizhang";

/// How our own mail is known.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Our mailboxes and the address we send from, lower case.
    pub addresses: &'a [String],
    /// The value of [`MARKER`] in our mail. Another installation's mail is not ours: districts report to a city.
    pub installation: &'a str,
}

impl Own<'_> {
    /// Also the subaddressed form that our mail asks to be answered at: `local+token@domain`.
    fn has(&self, address: &str) -> bool {
        let tagged = |own: &String| {
            let (local, domain) = own.split_once('@').unwrap_or_default();
            let tag = address.strip_prefix(local).and_then(|rest| rest.strip_suffix(domain)?.strip_suffix('@'));
            tag.is_some_and(|tag| tag.starts_with('+') && !tag.contains('@'))
        };
        self.addresses.iter().any(|own| own == address || tagged(own))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nature {
    Person,
    /// An automatic reply or notice. `why` names the header or word that tells.
    Auto {
        why: String,
    },
    /// A mailing list or bulk mail.
    List {
        why: String,
    },
    /// A mail server returns a mail.
    Bounce {
        /// The recipients that failed, lower case; empty where the mail was only delayed.
        addresses: Vec<String>,
        /// The Message-ID of the mail that was returned, without brackets.
        original: Option<String>,
    },
    Own,
}

pub fn nature(message: &Message, own: &Own<'_>) -> Nature {
    let from = message.from.as_ref().map(|a| a.email.as_str()).unwrap_or_default();
    let marked = message.header(MARKER).any(|value| value.split_whitespace().any(|word| word == own.installation));
    if marked || own.has(from) {
        return Nature::Own;
    }
    if is_bounce(message, from) {
        return Nature::Bounce { addresses: failed_recipients(message, own, from), original: returned_id(message) };
    }
    let precedence = message.header("Precedence").next().unwrap_or_default().to_lowercase();
    let list_header = message.headers.iter().map(|(name, _)| name).find(|name| {
        let name = name.to_ascii_lowercase();
        name.starts_with("list-") || matches!(name.as_str(), "mailing-list" | "x-mailing-list")
    });
    if let Some(name) = list_header {
        return Nature::List { why: name.clone() };
    }
    if matches!(precedence.as_str(), "bulk" | "list" | "junk") {
        return Nature::List { why: format!("Precedence: {precedence}") };
    }
    automatic(message, from, &precedence).map_or(Nature::Person, |why| Nature::Auto { why })
}

/// What shows that a machine wrote this.
fn automatic(message: &Message, from: &str, precedence: &str) -> Option<String> {
    static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
        // Only at the very start: a person's answer to an automatic reply begins with `Re:` or `回复`.
        Regex::new(
            r"(?i)^\s*[\[【(（]?(外出|假期|休假)?自动(回复|答复|应答)[\]】)）]?\s*([:：]|$)|^(automatic reply|auto(-| )?reply|auto(-| )?response|out of (the )?office)\s*([:：]|$)",
        )
        .expect("a valid pattern")
    });
    // RFC 3834 section 5: any value but `no`, parameters aside.
    let submitted =
        message.header("Auto-Submitted").next().map(|v| v.split(';').next().unwrap_or(v).trim().to_lowercase());
    if let Some(value) = submitted.filter(|v| v != "no") {
        return Some(format!("Auto-Submitted: {value}"));
    }
    if precedence == "auto_reply" || precedence == "auto-reply" {
        return Some(format!("Precedence: {precedence}"));
    }
    let headers = ["X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Auto-Reply", "X-AutoReply-From"];
    if let Some(name) = headers.iter().find(|name| message.header(name).any(|v| !v.trim().eq_ignore_ascii_case("no"))) {
        return Some((*name).to_owned());
    }
    // Office systems also put this one on mail that people send through them, so a file speaks for a person.
    if message.attachments.is_empty() && message.header("X-Auto-Response-Suppress").next().is_some() {
        return Some("X-Auto-Response-Suppress".to_owned());
    }
    if message.return_path.as_deref() == Some("") {
        return Some("null return path".to_owned());
    }
    let receipt = message.header("Content-Type").any(|v| v.to_lowercase().contains("disposition-notification"));
    if receipt {
        return Some("read receipt".to_owned());
    }
    if is_mail_server(from) {
        return Some("written by a mail server".to_owned());
    }
    SUBJECT.is_match(&message.subject).then(|| "subject of an automatic reply".to_owned())
}

fn is_mail_server(from: &str) -> bool {
    matches!(from.split('@').next(), Some("mailer-daemon" | "postmaster" | "mail-daemon" | "mailerdaemon"))
}

/// RFC 3464 reports, and what servers of Chinese providers and qmail send instead.
fn is_bounce(message: &Message, from: &str) -> bool {
    static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)系统退信|退信通知|^\s*退信|邮件退回|投递失败|发送失败|undeliver|returned mail|delivery (status notification|failure|failed)|failure notice|mail delivery (failed|failure)|delivery has failed",
        )
        .expect("a valid pattern")
    });
    let report = message.header("Content-Type").any(|value| {
        let value = value.to_lowercase();
        value.starts_with("multipart/report") && value.contains("delivery-status")
    });
    let by_server = is_mail_server(from) || message.return_path.as_deref() == Some("");
    report || (by_server && (!message.delivery_report.is_empty() || RETURNED.is_match(&message.subject)))
}

fn failed_recipients(message: &Message, own: &Own<'_>, from: &str) -> Vec<String> {
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[A-Za-z0-9][\w.+-]*@[\w-]+(\.[\w-]+)+").expect("a valid pattern"));
    let all = |text: &str| ADDRESS.find_iter(text).map(|m| m.as_str().to_lowercase()).collect::<Vec<_>>();
    if !message.delivery_report.is_empty() {
        return reported_recipients(&message.delivery_report);
    }
    // Exim names them in a header of its own.
    let mut found: Vec<String> = message.header("X-Failed-Recipients").flat_map(all).collect();
    if found.is_empty() {
        // Only what stands before the returned mail.
        let end = ["--- Below this line", "------ This is a copy", "Original message", "原始邮件", "Message-ID:"];
        let cut = end.iter().filter_map(|mark| message.text.find(mark)).min().unwrap_or(message.text.len());
        found = all(&message.text[..cut]);
    }
    let strangers: BTreeSet<String> =
        found.into_iter().filter(|a| a != from && !is_mail_server(a) && !own.has(a)).collect();
    strangers.into_iter().take(20).collect()
}

/// Recipients of the per-recipient groups whose action is `failed` (RFC 3464 section 2.3).
fn reported_recipients(report: &str) -> Vec<String> {
    let report = report.replace("\r\n", "\n");
    let mut failed = Vec::new();
    for group in report.split("\n\n") {
        let field = |name: &str| {
            group.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        if field("Action").is_some_and(|action| !action.to_lowercase().starts_with("failed")) {
            continue;
        }
        let recipient = field("Original-Recipient").or_else(|| field("Final-Recipient"));
        if let Some(address) = recipient.map(|r| r.rsplit(';').next().unwrap_or(r).trim().trim_matches(['<', '>'])) {
            failed.push(address.to_lowercase());
        }
    }
    failed
}

fn returned_id(message: &Message) -> Option<String> {
    static IN_TEXT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?im)^\s*>?\s*Message-ID:\s*<([^<>\s]+)>").expect("a valid pattern"));
    let enclosed = message.forwarded.iter().find_map(|f| f.message_id.clone());
    enclosed
        .or_else(|| IN_TEXT.captures(&message.text).map(|found| found[1].to_owned()))
        .or_else(|| message.in_reply_to.first().cloned())
        .or_else(|| message.references.last().cloned())
}

/// The mail speaks of files that lie with the provider and are not in the mail (rule M05).
pub fn large_file_links(message: &Message) -> bool {
    const WORDS: [&str; 7] =
        ["超大附件", "云附件", "文件中转站", "QQ邮箱中转站", "网盘附件", "大文件下载", "附件下载链接"];
    const TARGETS: [&str; 14] = [
        "ftnexs_download",
        "/ftn/download",
        "ftn.qq.com",
        "wx.mail.qq.com/ftn",
        "dashi.163.com",
        "large-attachment-download",
        "fs.163.com/fs/display",
        "u.163.com",
        "netdisk",
        "pan.baidu.com",
        "yun.139.com",
        "share.weiyun.com",
        "filecenter",
        "aliyundrive.com",
    ];
    let texts = || std::iter::once(&message.text).chain(message.forwarded.iter().map(|f| &f.text));
    let said = texts().any(|text| WORDS.iter().any(|word| text.contains(word)));
    let linked = texts().chain(&message.links).any(|text| {
        let text = text.to_lowercase();
        TARGETS.iter().any(|target| text.contains(target))
    });
    said || linked
}

/// What was attached, whatever the files were called and in whatever order: SHA-256 over the sorted digests of the
/// files, in hexadecimal. `None` without attachments. Pictures of the body are no attachments.
pub fn fingerprint(attachments: &[Attachment]) -> Option<String> {
    let mut digests: Vec<[u8; 32]> = attachments.iter().map(|a| Sha256::digest(&a.bytes).into()).collect();
    digests.sort_unstable();
    let whole = Sha256::digest(digests.concat());
    (!digests.is_empty()).then(|| whole.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Address;

    fn mail(from: &str, subject: &str, headers: &[(&str, &str)]) -> Message {
        Message {
            from: Some(Address { name: None, email: from.into() }),
            subject: subject.into(),
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            ..Message::default()
        }
    }

    fn told(message: &Message) -> &'static str {
        let own = Own { addresses: &["in@qu.example".to_owned()], installation: "qu.example" };
        match nature(message, &own) {
            Nature::Person => "person",
            Nature::Auto { .. } => "auto",
            Nature::List { .. } => "list",
            Nature::Bounce { .. } => "bounce",
            Nature::Own => "own",
        }
    }

    #[test]
    fn machines_are_told_from_people() {
        let clerk = "wang@liulin.example";
        for (message, who) in [
            (mail(clerk, "八月份报表", &[]), "person"),
            (mail(clerk, "回复：自动回复：催报", &[]), "person"),
            (mail(clerk, "关于自动回复的说明", &[]), "person"),
            (mail(clerk, "自动回复：催报", &[]), "auto"),
            (mail(clerk, "自动回复", &[]), "auto"),
            (mail(clerk, "Out of Office: x", &[]), "auto"),
            (mail(clerk, "x", &[("Auto-Submitted", "no")]), "person"),
            (mail(clerk, "x", &[("auto-submitted", "Auto-Replied; a=b")]), "auto"),
            (mail(clerk, "x", &[("X-Autoreply", "yes")]), "auto"),
            (mail(clerk, "x", &[("Precedence", "auto_reply")]), "auto"),
            (mail(clerk, "x", &[("Precedence", "Bulk")]), "list"),
            (mail(clerk, "x", &[("List-Id", "<a.example>")]), "list"),
            (mail(clerk, "x", &[("X-Auto-Response-Suppress", "All")]), "auto"),
            (mail(clerk, "x", &[("Content-Type", "multipart/report; report-type=disposition-notification")]), "auto"),
            (mail("postmaster@liulin.example", "系统退信", &[]), "bounce"),
            (mail("postmaster@liulin.example", "通知", &[]), "auto"),
            (mail(clerk, "系统退信请处理", &[]), "person"),
            (mail("in@qu.example", "x", &[]), "own"),
            (mail("in+0123@qu.example", "x", &[]), "own"),
            (mail("in+0123@other.example", "x", &[]), "person"),
            (mail("inside@qu.example", "x", &[]), "person"),
            (mail(clerk, "x", &[(MARKER, "qu.example")]), "own"),
            (mail(clerk, "x", &[(MARKER, "another.example")]), "person"),
        ] {
            assert_eq!(told(&message), who, "{} {:?}", message.subject, message.headers);
        }
        let no_return = Message { return_path: Some(String::new()), ..mail(clerk, "x", &[]) };
        assert_eq!(told(&no_return), "auto");
        let file = Attachment { name: "a.xls".into(), kind: crate::message::Kind::Xls, bytes: vec![] };
        let sent = mail(clerk, "x", &[("X-Auto-Response-Suppress", "All")]);
        assert_eq!(told(&Message { attachments: vec![file], ..sent }), "person", "an office system's mail with a file");
    }

    #[test]
    fn a_returned_mail_in_plain_words_names_its_addresses() {
        let mut message = mail("mailer-daemon@post.example", "系统退信/Undelivered Mail", &[]);
        message.text = "收件人：Gone@liulin.example\n原因：550 User not found\n发件人 in@qu.example\n\
                        原始邮件\nMessage-ID: <ours@qu.example>\nTo: other@liulin.example"
            .into();
        let own = Own { addresses: &["in@qu.example".to_owned()], installation: "qu.example" };
        assert_eq!(
            nature(&message, &own),
            Nature::Bounce { addresses: vec!["gone@liulin.example".into()], original: Some("ours@qu.example".into()) }
        );
    }
}
