//! Who wrote a mail: a person, a machine, a list, a mail server returning our own, or we. Pure.
//!
//! Only a person is ever answered (RFC 3834 section 2). Here: what is ours, and the order in which signs are looked at;
//! `automatic` has the headers, `habits` the words of programs that send none, [`bounce`] reads what was returned.

mod automatic;
pub mod bounce;
mod habits;
mod original;

use sha2::{Digest, Sha256};

use super::{Attachment, Message};
use automatic::Told;

pub use super::authentication::{Authentication, authentication};
pub use bounce::{Bounce, Cause, Failure};

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
    /// One of our addresses, also with a tag: `ledger+tag@…` is `ledger@…` (RFC 5233).
    fn has(&self, address: &str) -> bool {
        let untagged = address.rsplit_once('@').and_then(|(local, domain)| {
            let (name, _) = local.split_once('+')?;
            Some(format!("{name}@{domain}"))
        });
        self.addresses.iter().any(|own| own == address || Some(own) == untagged.as_ref())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nature {
    Person,
    /// An automatic reply or notice, or spam. `why` names the header or the habit that tells, for the listing.
    Auto {
        why: String,
    },
    /// A mailing list or bulk mail.
    List {
        why: String,
    },
    /// A mail server returns a mail, or tells that it is held up.
    Bounce(Bounce),
    /// The program wrote it.
    Own,
    /// From one of our own addresses, but not by the program: somebody at the committee's desk, or a forger.
    Desk,
}

/// The outer header decides: a mail of ours that a person forwards is that person's.
pub fn nature(message: &Message, own: &Own<'_>) -> Nature {
    let from = message.from.as_ref().map(|a| a.email.as_str()).unwrap_or_default();
    let marked = message.header(MARKER).any(|value| value.split_whitespace().any(|word| word == own.installation));
    if marked && own.has(from) {
        return Nature::Own;
    }
    if let Some(bounce) = bounce::bounce(message, own, from) {
        return Nature::Bounce(bounce);
    }
    if own.has(from) {
        return Nature::Desk;
    }
    match automatic::told(message, own, from) {
        Some(Told::List(why)) => Nature::List { why },
        Some(Told::Auto(why)) => Nature::Auto { why },
        None => habits::told(message).map_or(Nature::Person, |why| Nature::Auto { why: why.to_owned() }),
    }
}

/// Addresses that mail servers write from.
fn is_mail_server(from: &str) -> bool {
    let name = from.split('@').next().unwrap_or_default();
    matches!(name, "mailer-daemon" | "postmaster" | "mail-daemon" | "mailerdaemon" | "maildaemon")
        || name.starts_with("microsoftexchange")
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
#[path = "sender/tests.rs"]
mod tests;
