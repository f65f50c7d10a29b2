//! Answers to mail of the system's own, as a clerk's program writes them.

use std::sync::atomic::{AtomicU32, Ordering};

use super::letter::time;
use super::sent::Sent;

#[derive(Clone, Debug)]
pub struct Reply {
    pub from: String,
    /// Display name and address that the mail asked to be answered at.
    pub to: (String, String),
    /// Without brackets; empty for a program that keeps no thread.
    pub in_reply_to: String,
    /// RFC 3339.
    pub at: String,
    pub subject: String,
    /// The writer's own words; the original is quoted below.
    pub words: String,
    pub quoted: String,
    pub headers: Vec<String>,
    /// Local part of the Message-ID.
    pub id: String,
}

impl Reply {
    pub fn to(sent: &Sent, from: &str, at: &str, words: &str) -> Self {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        Self {
            from: from.to_owned(),
            to: sent.reply_to(),
            in_reply_to: sent.message_id.clone(),
            at: at.to_owned(),
            subject: format!("回复：{}", sent.subject),
            words: words.to_owned(),
            quoted: sent.text.clone(),
            headers: Vec::new(),
            id: format!("reply{}", WRITTEN.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// The mail as its sender's program hands it over.
    pub fn write(&self) -> Vec<u8> {
        let thread = match self.in_reply_to.as_str() {
            "" => String::new(),
            id => format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n"),
        };
        let (name, address) = &self.to;
        let to = if name.is_empty() { address.clone() } else { format!("\"{}\" <{address}>", quoted_printable(name)) };
        let more: String = self.headers.iter().map(|h| format!("{h}\r\n")).collect();
        let domain = self.from.rsplit('@').next().unwrap_or_default();
        let head = format!(
            "Date: {}\r\nFrom: <{}>\r\nTo: {to}\r\nSubject: {}\r\nMessage-ID: <{}@{domain}>\r\n{thread}{more}MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=gb18030\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
            time(&self.at).to_rfc2822(),
            self.from,
            quoted_printable(&self.subject),
            self.id,
        );
        let text = format!("{}\n\n\n------------------ 原始邮件 ------------------\n{}", self.words, self.quoted);
        let (text, ..) = encoding_rs::GB18030.encode(&text);
        let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
        [head.into_bytes(), lines.join(&b"\r\n"[..])].concat()
    }
}

/// As encoded words (RFC 2047) of the old national charset, none longer than 75.
fn quoted_printable(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let word = |chars: &[char]| {
        let text: String = chars.iter().collect();
        let escaped: String = encoding_rs::GB18030.encode(&text).0.iter().map(|b| format!("={b:02X}")).collect();
        format!("=?gb2312?Q?{escaped}?=")
    };
    chars.chunks(9).map(word).collect::<Vec<_>>().join("\r\n ")
}
