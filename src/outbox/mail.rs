//! A mail as bytes: headers, text and HTML, attachments whose Chinese names every client reads. Pure.
//!
//! The same [`Outgoing`] always renders to the same bytes, so that a repeated delivery repeats the mail exactly.

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use sha2::{Digest as _, Sha256};

/// What kind of mail it is: the outbox's `kind`, our marker's value and the first word of its Message-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Receipt,
    Reminder,
    Overdue,
    Report,
    Digest,
    Notice,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Reminder => "reminder",
            Self::Overdue => "overdue",
            Self::Report => "report",
            Self::Digest => "digest",
            Self::Notice => "notice",
        }
    }
}

/// RFC 3834 §5: an answer to a message, or a mail of our own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoSubmitted {
    Replied,
    Generated,
}

#[derive(Clone, Debug)]
pub struct Attached {
    /// As the recipient shall see it: `云岭街道-2011年8月-附件1.xlsx`.
    pub name: String,
    /// `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`
    pub mime: String,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Outgoing {
    pub kind: Kind,
    /// `台账系统 <dangjian@…>` or a bare address.
    pub from: String,
    /// Bare addresses.
    pub to: Vec<String>,
    pub cc: Vec<String>,
    /// Where an answer should go, if not to `from`.
    pub reply_to: Option<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub attachments: Vec<Attached>,
    /// Without brackets; see [`message_id`].
    pub message_id: String,
    /// Message-IDs without brackets, as they came; what is no Message-ID is left out.
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub auto_submitted: AutoSubmitted,
    pub date: DateTime<Utc>,
}

/// Why a mail cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    #[error("`{0}` is not a mail address")]
    Address(String),
    #[error("no recipient")]
    NoRecipient,
    #[error("cannot build the mail: {0}")]
    Build(#[from] lettre::error::Error),
}

/// The header by which we know our own mail.
pub const MARKER: &str = "X-Taizhang";

/// A Message-ID that the same matter always gets again, without brackets: `receipt.<32 hex digits>@domain`. Only who has
/// the installation's `secret` can compute it: whoever knows the id of a mail can say that it came back.
pub fn message_id(kind: Kind, (secret, key): (&str, &str), domain: &str) -> String {
    // The secret's length is always the same, so no key runs into it. No more than half of the digest is shown.
    let digest = sha256_hex(&format!("{secret} {key}"));
    format!("{}.{}@{domain}", kind.as_str(), &digest[..32])
}

/// The domain of `台账系统 <dangjian@mail.test>`, for Message-IDs; `localhost` where there is none.
pub fn domain_of(from: &str) -> String {
    mailbox(from).map_or_else(|_| "localhost".to_owned(), |m| m.email.domain().to_owned())
}

/// Reads `name <address>` or a bare address; the name may be Chinese and unquoted.
pub fn mailbox(text: &str) -> Result<Mailbox, Unsendable> {
    let bad = || Unsendable::Address(text.to_owned());
    let (name, address) = match text.trim().strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", text.trim()),
    };
    let name = one_line(name);
    let address = address.trim().parse().map_err(|_| bad())?;
    Ok(Mailbox::new((!name.is_empty()).then_some(name), address))
}

/// The whole mail as it goes over the wire (CRLF lines, ASCII only).
pub fn render(mail: &Outgoing) -> Result<Vec<u8>, Unsendable> {
    if mail.to.is_empty() {
        return Err(Unsendable::NoRecipient);
    }
    let mut builder = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(one_line(&mail.subject))
        .date(mail.date.into())
        .message_id(Some(format!("<{}>", mail.message_id)))
        .raw_header(raw("Auto-Submitted", auto_submitted(mail.auto_submitted)))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .raw_header(raw(MARKER, &format!("{} {}", mail.kind.as_str(), mailbox(&mail.from)?.email)));
    for to in &mail.to {
        builder = builder.to(mailbox(to)?);
    }
    for cc in &mail.cc {
        builder = builder.cc(mailbox(cc)?);
    }
    if let Some(address) = &mail.reply_to {
        builder = builder.reply_to(mailbox(address)?);
    }
    if let Some(id) = mail.in_reply_to.as_deref().filter(|id| is_message_id(id)) {
        builder = builder.in_reply_to(format!("<{id}>"));
    }
    let references = bounded_references(&mail.references);
    if !references.is_empty() {
        builder = builder.references(references);
    }
    Ok(builder.multipart(body(mail))?.formatted())
}

fn body(mail: &Outgoing) -> MultiPart {
    let boundary = |part: &str| format!("=_{part}_{}", &sha256_hex(&mail.message_id)[..24]);
    let words = MultiPart::alternative()
        .boundary(boundary("words"))
        .singlepart(SinglePart::plain(mail.text.clone()))
        .singlepart(SinglePart::html(mail.html.clone()));
    if mail.attachments.is_empty() {
        return words;
    }
    let mixed = MultiPart::mixed().boundary(boundary("mixed")).multipart(words);
    mail.attachments.iter().fold(mixed, |mixed, file| {
        mixed.singlepart(
            SinglePart::builder()
                .header(NamedType { mime: file.mime.clone(), name: file_name(&file.name) })
                .header(NamedDisposition(file_name(&file.name)))
                .header(ContentTransferEncoding::Base64)
                .body(file.bytes.clone()),
        )
    })
}

fn auto_submitted(kind: AutoSubmitted) -> &'static str {
    match kind {
        AutoSubmitted::Replied => "auto-replied",
        AutoSubmitted::Generated => "auto-generated",
    }
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// RFC 5322 §3.6.4: printable ASCII around one `@`. Bounded, since strangers choose it and it goes into a header.
fn is_message_id(id: &str) -> bool {
    id.len() <= 250 && id.contains('@') && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
}

/// The first reference and the last nine: the thread's root and its newest part.
fn bounded_references(ids: &[String]) -> String {
    let good: Vec<&String> = ids.iter().filter(|id| is_message_id(id)).collect();
    let skip = good.len().saturating_sub(9).max(1);
    let kept = good.iter().take(1).chain(good.iter().skip(skip));
    kept.map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ")
}

/// `Content-Type` with the name in it: what QQ and older Outlook show.
#[derive(Clone)]
struct NamedType {
    mime: String,
    name: String,
}

/// `Content-Disposition` with the name twice: RFC 2047 words in `filename` (not allowed by RFC 2047 §5, but what
/// QQ, NetEase and Outlook write and read), and RFC 2231 `filename*` in one piece for clients that follow it.
/// Continuations (`filename*0*`), which most libraries write, show as `tcmime.bin` in QQ.
#[derive(Clone)]
struct NamedDisposition(String);

impl Header for NamedType {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Type")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self { mime: text.to_owned(), name: String::new() })
    }

    fn display(&self) -> HeaderValue {
        let known = ContentType::parse(&self.mime).is_ok() && self.mime.bytes().all(|b| b.is_ascii_graphic());
        let mime = if known { self.mime.as_str() } else { "application/octet-stream" };
        let encoded = format!("{mime};\r\n name=\"{}\"", encoded_words(&self.name));
        HeaderValue::dangerous_new_pre_encoded(Self::name(), mime.to_owned(), encoded)
    }
}

impl Header for NamedDisposition {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let encoded = format!(
            "attachment;\r\n filename=\"{}\";\r\n filename*=UTF-8''{}",
            encoded_words(&self.0),
            percent(&self.0)
        );
        HeaderValue::dangerous_new_pre_encoded(Self::name(), "attachment".to_owned(), encoded)
    }
}

/// A name that can stand in a quoted string and on any disk: no quotes, slashes or control characters, 60 characters
/// (which keeps the `filename*` line below RFC 5322's 998).
fn file_name(name: &str) -> String {
    let clean = |c: char| if c.is_control() || "\"\\/:*?<>|".contains(c) { '_' } else { c };
    let clean: Vec<char> = name.chars().map(clean).collect();
    let extension = clean.iter().rposition(|&c| c == '.').filter(|&dot| clean.len() - dot <= 6);
    match (clean.len() > 60, extension) {
        (false, _) => clean.iter().collect(),
        (true, Some(dot)) => clean[..60 - (clean.len() - dot)].iter().chain(&clean[dot..]).collect(),
        (true, None) => clean[..60].iter().collect(),
    }
}

/// RFC 2047 words of whole characters, at most 75 long, one a line; ASCII as it is.
fn encoded_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut chunks = vec![String::new()];
    for c in text.chars() {
        if chunks.last().is_some_and(|chunk| chunk.len() + c.len_utf8() > 45) {
            chunks.push(String::new());
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(c);
        }
    }
    let words: Vec<String> =
        chunks.into_iter().map(|chunk| format!("=?UTF-8?B?{}?=", base64(chunk.into_bytes()))).collect();
    words.join("\r\n ")
}

/// At most 45 bytes, which fit on one line.
fn base64(bytes: Vec<u8>) -> String {
    let body = Body::new_with_encoding(bytes, ContentTransferEncoding::Base64);
    body.map(|b| String::from_utf8_lossy(&b.into_vec()).trim_end().to_owned()).unwrap_or_default()
}

/// RFC 2231 §4 / RFC 5987 `attr-char`.
fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
