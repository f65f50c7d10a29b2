//! Raw mail → [`Message`]. Pure; never fails and never panics: what cannot be read is empty or left out.
//!
//! The structure, texts and names are read here from the raw bytes: mail-parser 0.11.9 decodes encoded words,
//! continuations and unlabelled 8-bit text piece by piece, decodes every body there is, and builds a tree that damaged
//! mail makes large or wrong. It reads dates, traces and ids.

use chrono::{DateTime, Utc};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::part::Entity;
use super::walk::Walk;
use super::{Address, Forwarded, Message, address, body, header};

/// What one mail may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Parts of all kinds, at all depths.
    pub parts: usize,
    /// Multiparts and messages within each other.
    pub depth: usize,
    /// Bytes of one body's text.
    pub text: usize,
    /// Bytes of enclosed messages that are unpacked at a time.
    pub unpacked: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parts: 500, depth: 20, text: 256 << 10, unpacked: 48 << 20 }
    }
}

/// Reads a mail. Where a limit is hit, the rest is left out and [`Message::truncated`] is set.
pub fn parse(raw: &[u8], limits: &Limits) -> Message {
    let entity = Entity::message(raw);
    let mut walk = Walk::new(limits);
    let text = walk.message(&entity, 0);
    let mut message = walk.done();
    message.links = body::links(&text.html);
    message.text = text.text();
    read_headers(&entity, &mut message);
    message
}

fn read_headers(entity: &Entity<'_>, message: &mut Message) {
    message.headers = entity
        .fields()
        .map(|(name, value)| {
            // What the sender called himself stands in it, and must not become anything else by being decoded.
            let decode =
                if name.eq_ignore_ascii_case(b"Authentication-Results") { header::plain } else { header::text };
            (String::from_utf8_lossy(name).into_owned(), decode(value))
        })
        .collect();
    message.subject = subject(entity);
    message.return_path = entity
        .field("Return-Path")
        .map(|raw| header::text(raw).trim_matches(|c: char| c.is_whitespace() || "<>".contains(c)).to_lowercase());
    (message.from, message.also_from) = authors(entity);
    message.message_id = ids(entity, "Message-ID").into_iter().next();
    message.in_reply_to = ids(entity, "In-Reply-To");
    message.references = ids(entity, "References");
    message.date = entity.field("Date").and_then(|raw| instant(stream(&line(raw)).parse_date().as_datetime()?));
    let mut traces = entity.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"Received"));
    message.received = traces
        .find_map(|(_, raw)| {
            let line = line(raw);
            let trace = stream(&line).parse_received();
            Some(trace.as_received()?.date.as_ref().and_then(instant))
        })
        .flatten();
    message.to = ["To", "Cc"].into_iter().filter_map(|name| entity.field(name)).flat_map(address::list).collect();
}

/// The one whom every From field names. Where several are named nobody can tell which of them the provider has checked:
/// the first, and the others.
fn authors(entity: &Entity<'_>) -> (Option<Address>, Vec<String>) {
    let fields = || entity.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"From")).map(|(_, raw)| raw);
    if let Some(from) = sender(entity) {
        return (Some(from), Vec::new());
    }
    let mut all = fields().flat_map(address::list);
    let Some(first) = all.next() else { return (None, Vec::new()) };
    let mut others: Vec<String> = all.map(|author| author.email).filter(|email| *email != first.email).collect();
    others.sort();
    others.dedup();
    // One address that is not written as it should be may be anybody's.
    if others.is_empty() { (None, others) } else { (Some(first), others) }
}

fn sender(entity: &Entity<'_>) -> Option<Address> {
    let mut fields = entity.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"From"));
    let first = address::sender(fields.next()?.1)?;
    let same = |raw| address::sender(raw).is_some_and(|other| other.email == first.email);
    fields.all(|(_, raw)| same(raw)).then_some(first)
}

/// What is told of an enclosed message, but for its text.
pub fn forwarded(entity: &Entity<'_>) -> Forwarded {
    Forwarded {
        subject: subject(entity),
        from: entity.field("From").and_then(address::sender),
        message_id: ids(entity, "Message-ID").into_iter().next(),
        text: String::new(),
    }
}

fn subject(entity: &Entity<'_>) -> String {
    entity.field("Subject").map(header::text).unwrap_or_default()
}

/// One line, which is what mail-parser reads a field from.
fn line(raw: &[u8]) -> Vec<u8> {
    [&header::unfold(raw)[..], b"\r\n"].concat()
}

fn stream(line: &[u8]) -> MessageStream<'_> {
    MessageStream::new(line)
}

fn instant(date: &mail_parser::DateTime) -> Option<DateTime<Utc>> {
    date.is_valid().then(|| DateTime::from_timestamp(date.to_timestamp(), 0)).flatten()
}

fn ids(entity: &Entity<'_>, name: &str) -> Vec<String> {
    match entity.field(name).map(line).as_deref().map(|line| stream(line).parse_id().into_owned()) {
        Some(HeaderValue::Text(id)) => vec![id.trim().to_owned()],
        Some(HeaderValue::TextList(list)) => list.iter().map(|id| id.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}
