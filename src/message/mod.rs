//! Mail as it arrives: bytes → [`Message`], who sent it, and what is attached. Pure.

mod address;
pub mod archive;
pub mod attachment;
mod authentication;
mod base64;
mod body;
pub mod cfb;
mod charset;
pub mod document;
mod header;
mod name;
mod outlook;
mod parameters;
pub mod parse;
mod part;
pub mod reply;
pub mod risk;
pub mod sender;
mod signed;
mod tnef;
pub mod transfer;
mod uuencode;
mod walk;
#[cfg(test)]
#[path = "tests.rs"]
mod whole_mails;
pub mod zip_directory;
#[cfg(test)]
mod zoo;

use chrono::{DateTime, Utc};

pub use attachment::Kind;
pub use parse::parse;

/// A mail address. `email` is lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub name: Option<String>,
    pub email: String,
}

/// One mail, decoded as far as it can be. Parsing never fails: what is missing is empty.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Without angle brackets.
    pub message_id: Option<String>,
    pub from: Option<Address>,
    /// Whoever else it claims to be from, lower case: the other addresses of its From (RFC 5322 section 3.6.2 allows
    /// several) and of further From fields (which it does not).
    pub also_from: Vec<String>,
    /// The Return-Path of the topmost trace; `Some("")` is the null return path `<>`.
    pub return_path: Option<String>,
    /// To and Cc.
    pub to: Vec<Address>,
    pub subject: String,
    /// The Date header: what the sender's clock said.
    pub date: Option<DateTime<Utc>>,
    /// The date of the topmost Received header.
    pub received: Option<DateTime<Utc>>,
    /// Message-IDs without brackets.
    pub in_reply_to: Vec<String>,
    pub references: Vec<String>,
    /// All header fields of the outermost message in order, names as written, values decoded and unfolded.
    pub headers: Vec<(String, String)>,
    /// The body as text (HTML reduced to text where there is no plain part).
    pub text: String,
    /// Targets of the links in the HTML body.
    pub links: Vec<String>,
    /// The machine-readable part of a delivery report (RFC 3464); empty in other mail.
    pub delivery_report: String,
    /// A limit was hit and parts of the mail were left out, perhaps attachments. (A long body is cut without this: nothing
    /// is read from it.)
    pub truncated: bool,
    /// Subjects and body texts of forwarded messages inside, outermost first.
    pub forwarded: Vec<Forwarded>,
    /// Every leaf part that is a file, those of forwarded messages included; bodies and inline pictures of the
    /// body left out.
    pub attachments: Vec<Attachment>,
    /// Pictures that the bodies show.
    pub pictures: Vec<Attachment>,
}

/// A message inside this one.
#[derive(Clone, Debug, Default)]
pub struct Forwarded {
    pub subject: String,
    pub from: Option<Address>,
    /// Without angle brackets.
    pub message_id: Option<String>,
    pub text: String,
}

#[derive(Clone, Debug)]
pub struct Attachment {
    /// The file's name as the sender meant it, without folders; `附件1` style placeholder where there is none.
    pub name: String,
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

impl Message {
    /// Values of one header field, topmost first; the name in any case.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}
