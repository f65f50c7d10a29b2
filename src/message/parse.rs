//! Raw mail → [`Message`]. Pure; never fails and never panics: what cannot be read is empty or left out.
//!
//! mail-parser reads the structure, transfer encodings, addresses, dates and ids. Texts and names are decoded here from
//! the raw bytes, because it decodes encoded words, continuations and unlabelled 8-bit text piece by piece.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use regex::Regex;

use super::attachment::{Kind, sniff};
use super::extent::affordable;
use super::header::Parameters;
use super::tree::{Content, Entity, with_tree};
use super::{Address, Attachment, Forwarded, Message, charset, header};

/// What one mail may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Parts of all kinds, at all depths.
    pub parts: usize,
    /// Multiparts and messages within each other.
    pub depth: usize,
    /// Bytes of one body's text.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parts: 500, depth: 20, text: 256 << 10 }
    }
}

/// Reads a mail. Where a limit is hit, the rest is left out and [`Message::truncated`] is set.
pub fn parse(raw: &[u8], limits: &Limits) -> Message {
    let mut walk = Walk { limits, message: Message::default(), parts: 0 };
    let raw = walk.within_limits(raw);
    with_tree(raw, |entity| {
        let body = walk.body(entity, 0);
        walk.message.links = links(&body.html);
        walk.message.text = body.text();
        read_headers(entity, &mut walk.message);
    });
    walk.message
}

fn read_headers(entity: Entity<'_>, message: &mut Message) {
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
    message.from = sender(entity);
    message.message_id = ids(entity, "Message-ID").into_iter().next();
    message.in_reply_to = ids(entity, "In-Reply-To");
    message.references = ids(entity, "References");
    message.date = entity.field("Date").and_then(|raw| instant(MessageStream::new(raw).parse_date().as_datetime()?));
    let mut traces = entity.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"Received"));
    message.received = traces
        .find_map(|(_, raw)| {
            let trace = MessageStream::new(raw).parse_received();
            Some(trace.as_received()?.date.as_ref().and_then(instant))
        })
        .flatten();
    message.to = ["To", "Cc"].into_iter().flat_map(|name| addresses(entity, name)).collect();
}

fn subject(entity: Entity<'_>) -> String {
    entity.field("Subject").map(header::text).unwrap_or_default()
}

fn addresses(entity: Entity<'_>, name: &str) -> Vec<Address> {
    let value = entity.field(name).map(|raw| MessageStream::new(raw).parse_address());
    let listed = value.as_ref().and_then(HeaderValue::as_address).into_iter().flat_map(|list| list.iter());
    listed
        .filter_map(|a| {
            let email = a.address.as_deref()?.trim().to_lowercase();
            Some(Address { name: a.name.as_deref().map(str::to_owned), email })
        })
        .collect()
}

fn instant(date: &mail_parser::DateTime) -> Option<DateTime<Utc>> {
    date.is_valid().then(|| DateTime::from_timestamp(date.to_timestamp(), 0)).flatten()
}

fn ids(entity: Entity<'_>, name: &str) -> Vec<String> {
    match entity.field(name).map(|raw| MessageStream::new(raw).parse_id()) {
        Some(HeaderValue::Text(id)) => vec![id.trim().to_owned()],
        Some(HeaderValue::TextList(list)) => list.iter().map(|id| id.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// The first mailbox of From: the address inside the last `<…>` of it, or the bare word with an `@`.
fn sender(entity: Entity<'_>) -> Option<Address> {
    let raw = entity.field("From")?;
    let bracketed = raw.iter().rposition(|&b| b == b'<').map(|open| raw.split_at(open));
    let Some((name, rest)) = bracketed else {
        let text = header::text(raw);
        let email = text.split([' ', ',', ';', '(']).find(|word| word.contains('@'))?;
        return Some(Address { name: None, email: email.to_lowercase() });
    };
    let email = String::from_utf8_lossy(&rest[1..rest.iter().position(|&b| b == b'>').unwrap_or(rest.len())])
        .trim()
        .to_lowercase();
    let name = header::text(name).trim_matches(|c: char| c.is_whitespace() || c == '"').replace("\\\"", "\"");
    email.contains('@').then(|| Address { name: Some(name).filter(|n| !n.is_empty()), email })
}

/// Where a part lies.
#[derive(Clone, Copy)]
struct Place<'p> {
    depth: usize,
    /// The subtype of the multipart around it.
    parent: &'p str,
}

/// The body of one message.
#[derive(Default)]
struct Body {
    plain: String,
    html: String,
    /// Pictures that it may show.
    pictures: Vec<Picture>,
}

struct Picture {
    content_id: Option<String>,
    /// It lies beside the text that shows it (multipart/related).
    related: bool,
    file: Attachment,
}

impl Body {
    fn text(&self) -> String {
        if self.plain.trim().is_empty() { html_to_text(&self.html) } else { self.plain.trim().to_owned() }
    }
}

struct Walk<'l> {
    limits: &'l Limits,
    message: Message,
    parts: usize,
}

impl Walk<'_> {
    fn within_limits<'r>(&mut self, raw: &'r [u8]) -> &'r [u8] {
        let parsed = affordable(raw, self.limits.parts);
        self.message.truncated |= parsed.len() < raw.len();
        parsed
    }

    /// Reads the body of a message; pictures that it does not show were attached.
    fn body(&mut self, entity: Entity<'_>, depth: usize) -> Body {
        let mut body = Body::default();
        self.part(entity, Place { depth, parent: "" }, &mut body);
        for Picture { content_id, related, file } in std::mem::take(&mut body.pictures) {
            let shown = content_id.is_some_and(|id| !id.is_empty() && body.html.contains(&format!("cid:{id}")));
            let list = if shown || related { &mut self.message.pictures } else { &mut self.message.attachments };
            list.push(file);
        }
        body
    }

    fn part(&mut self, entity: Entity<'_>, place: Place<'_>, body: &mut Body) {
        self.parts += 1;
        if self.parts > self.limits.parts || place.depth > self.limits.depth {
            self.message.truncated = true;
            return;
        }
        match (entity.content(), entity.kind()) {
            (Content::Parts(parts), (_, sub)) => {
                for part in parts {
                    self.part(part, Place { depth: place.depth + 1, parent: sub }, body);
                }
            }
            (Content::Message(inner), _) => self.forwarded(inner, place.depth + 1),
            (Content::PackedMessage, _) if self.packed(&entity.decoded(), place.depth + 1) => {}
            (_, ("message" | "text", "rfc822-headers" | "global-headers")) => {
                // Some are cut off behind the last field.
                let headers = [&entity.decoded(), &b"\r\n\r\n"[..]].concat();
                let headers = self.within_limits(&headers);
                self.message.forwarded.extend(with_tree(headers, forwarded));
            }
            (_, ("message", "delivery-status" | "global-delivery-status")) => {
                self.message.delivery_report.push_str(&charset::guess(&entity.decoded()));
            }
            // Its boundary never comes.
            (_, ("multipart", _)) => self.leaf(entity, "text/plain", place, body),
            (_, (main, sub)) => self.leaf(entity, &format!("{main}/{sub}"), place, body),
        }
    }

    /// A message inside this one: its attachments count as this one's.
    fn forwarded(&mut self, entity: Entity<'_>, depth: usize) {
        let at = self.message.forwarded.len();
        self.message.forwarded.push(forwarded(entity));
        self.message.forwarded[at].text = self.body(entity, depth).text();
    }

    /// A message inside this one that was encoded, or attached as a file. `false` if it does not look like one.
    fn packed(&mut self, raw: &[u8], depth: usize) -> bool {
        let raw = self.within_limits(raw);
        let read = with_tree(raw, |entity| {
            let is_mail = entity.fields().count() > 1;
            if is_mail {
                self.forwarded(entity, depth);
            }
            is_mail
        });
        read == Some(true)
    }

    /// A text of the body, a picture in it, or a file.
    fn leaf(&mut self, entity: Entity<'_>, kind: &str, place: Place<'_>, body: &mut Body) {
        let disposition = entity.parameters("Content-Disposition");
        let attached = disposition.value == "attachment";
        let name = file_name(&disposition, &entity.parameters("Content-Type"));
        if matches!(kind, "text/plain" | "text/html") && !attached && name.is_none() {
            let text = body_text(entity, kind);
            return self.append(if kind == "text/html" { &mut body.html } else { &mut body.plain }, &text);
        }
        let signature = matches!(kind, "application/pkcs7-signature" | "application/pgp-signature");
        if signature || (name.is_none() && !attached && place.parent == "alternative") {
            return;
        }
        let bytes = entity.decoded();
        let is_mail = name.as_deref().is_some_and(|n| n.to_lowercase().ends_with(".eml"));
        if is_mail && self.packed(&bytes, place.depth + 1) {
            return;
        }
        let number = self.message.attachments.len() + body.pictures.len() + 1;
        let name = name.unwrap_or_else(|| format!("附件{number}"));
        let file = Attachment { kind: sniff(&bytes, &name), name, bytes };
        let content_id = entity.field("Content-ID").map(|raw| header::text(raw).trim_matches(['<', '>']).to_owned());
        let related = place.parent == "related" && !attached;
        if file.kind == Kind::Picture && (content_id.is_some() || related) {
            body.pictures.push(Picture { content_id, related, file });
        } else {
            self.message.attachments.push(file);
        }
    }

    fn append(&mut self, target: &mut String, text: &str) {
        let room = self.limits.text.saturating_sub(target.len());
        let end = (0..=room.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        if !target.is_empty() {
            target.push('\n');
        }
        target.push_str(&text[..end]);
    }
}

fn forwarded(entity: Entity<'_>) -> Forwarded {
    Forwarded {
        subject: subject(entity),
        from: sender(entity),
        message_id: ids(entity, "Message-ID").into_iter().next(),
        text: String::new(),
    }
}

fn body_text(entity: Entity<'_>, kind: &str) -> String {
    let bytes = entity.decoded();
    let in_page = || (kind == "text/html").then(|| meta_charset(&bytes)).flatten();
    let label = entity.charset().map(str::to_owned).or_else(in_page);
    charset::decode(&label.unwrap_or_default(), &bytes).replace("\r\n", "\n")
}

/// The charset that an HTML page names in its head.
fn meta_charset(html: &[u8]) -> Option<String> {
    static CHARSET: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)charset\s*=\s*["']?([\w-]+)"#).expect("a valid pattern"));
    let head = String::from_utf8_lossy(&html[..html.len().min(2048)]);
    CHARSET.captures(&head).map(|found| found[1].to_owned())
}

/// The name of a file as its sender meant it. Of contradicting names the first that decodes cleanly is taken.
fn file_name(disposition: &Parameters, declared: &Parameters) -> Option<String> {
    let given = [
        disposition.extended("filename"),
        disposition.plain("filename"),
        declared.extended("name"),
        declared.plain("name"),
    ];
    let given: Vec<String> = given.into_iter().flatten().collect();
    let damaged = |name: &&String| name.contains([char::REPLACEMENT_CHARACTER, '?']) || name.contains(char::is_control);
    let best =
        given.iter().find(|n| !n.trim().is_empty() && !damaged(n)).or(given.iter().find(|n| !n.trim().is_empty()))?;
    Some(safe_name(best)).filter(|name| !name.is_empty())
}

/// A file name without folders, control characters and text direction marks: it is shown, never used as a path.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let name: String = last.chars().filter(shown).take(200).collect();
    name.trim().trim_end_matches('.').to_owned()
}

fn html_to_text(html: &str) -> String {
    static LINE_ENDS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)</(div|tr|li|h[1-6]|table|title)\s*>").expect("a valid pattern"));
    static CELL_ENDS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)</t[dh]\s*>").expect("a valid pattern"));
    let spaced = LINE_ENDS.replace_all(html, "<br>");
    mail_parser::decoders::html::html_to_text(&CELL_ENDS.replace_all(&spaced, " ")).trim().to_owned()
}

/// Targets of the links in a page.
fn links(html: &str) -> Vec<String> {
    static TARGET: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\shref\s*=\s*["']?([^"'\s>]+)"#).expect("a valid pattern"));
    TARGET.captures_iter(html).take(200).map(|found| found[1].replace("&amp;", "&")).collect()
}
