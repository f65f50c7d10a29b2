//! A mail as its recipient's program reads it.

use mail_parser::{HeaderValue, MessageParser, MimeHeaders};

#[derive(Debug)]
pub struct Sent {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub files: Vec<(String, Vec<u8>)>,
    pub message_id: String,
    pub in_reply_to: String,
    pub references: Vec<String>,
    reply_to: (String, String),
    headers: String,
}

impl Sent {
    pub fn read(raw: &[u8]) -> Self {
        let mail = MessageParser::default().parse(raw).expect("a mail");
        let body = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
        let headers = raw.windows(4).position(|w| w == b"\r\n\r\n").expect("a header");
        Self {
            to: mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
            subject: mail.subject().unwrap_or_default().to_owned(),
            text: body(mail.body_text(0)),
            html: body(mail.body_html(0)),
            files: mail.attachments().map(file).collect(),
            message_id: mail.message_id().unwrap_or_default().to_owned(),
            in_reply_to: ids(mail.in_reply_to()).pop().unwrap_or_default(),
            references: ids(mail.references()),
            reply_to: mail.reply_to().and_then(|to| to.first()).map(named).unwrap_or_default(),
            headers: String::from_utf8(raw[..headers].to_vec()).expect("ASCII"),
        }
    }

    /// The first word of `X-Taizhang`: `receipt`, `reminder` …; empty for mail that is not ours.
    pub fn kind(&self) -> &str {
        self.header("X-Taizhang").split(' ').next().unwrap_or_default()
    }

    /// Display name and address that answers should go to; empty where the mail does not say.
    pub fn reply_to(&self) -> (String, String) {
        self.reply_to.clone()
    }

    /// A header field on one line, as it stands.
    pub fn header(&self, name: &str) -> &str {
        let field = self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        field.unwrap_or_default()
    }
}

fn named(address: &mail_parser::Addr<'_>) -> (String, String) {
    (address.name().unwrap_or_default().to_owned(), address.address().unwrap_or_default().to_owned())
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(id) => vec![id.to_string()],
        HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn file(part: &mail_parser::MessagePart<'_>) -> (String, Vec<u8>) {
    (part.attachment_name().unwrap_or_default().to_owned(), part.contents().to_vec())
}
