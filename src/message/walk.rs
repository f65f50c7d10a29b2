//! The way through the parts of a mail: what is text, what is a file, and which files are mail again. Pure.

use std::borrow::Cow;

use super::attachment::{has_mark, sniff};
use super::body::{self, Body, Picture};
use super::parse::{Limits, forwarded};
use super::part::{Entity, Parts};
use super::signed::{self, Cms};
use super::tnef::{self, Content};
use super::transfer::Encoding;
use super::{Attachment, Forwarded, Kind, Message, base64, charset, header, name, outlook, uuencode};

/// Bytes at the head of a part that show what it is.
const HEAD: usize = 4096;

/// The files of a mail that is itself a file, those of the mails in it included; empty if there are none.
pub fn files(file: &Attachment, limits: &Limits) -> Vec<Attachment> {
    let mut walk = Walk::new(limits);
    let mut body = Body::default();
    walk.mail_in(&file.bytes, 0, &mut body);
    walk.pictures(&mut body);
    walk.message.attachments
}

/// Where a part lies.
#[derive(Clone, Copy)]
struct Place<'p> {
    depth: usize,
    /// The subtype of the multipart around it.
    parent: &'p str,
}

/// What is said of a file beside its bytes.
#[derive(Default)]
struct About {
    name: Option<String>,
    content_id: Option<String>,
    /// It lies beside a text that may show it.
    related: bool,
    /// It may be nothing but another form of the text.
    alternative: bool,
}

pub struct Walk<'l> {
    limits: &'l Limits,
    message: Message,
    parts: usize,
    /// Bytes of the enclosed messages around this place that were decoded.
    unpacked: usize,
}

impl<'l> Walk<'l> {
    pub fn new(limits: &'l Limits) -> Self {
        Self { limits, message: Message::default(), parts: 0, unpacked: 0 }
    }

    /// What was found on the way: files, enclosed messages and reports.
    pub fn done(self) -> Message {
        self.message
    }

    /// Reads a message. Its files are found, its body is returned.
    pub fn message(&mut self, entity: &Entity<'_>, depth: usize) -> Body {
        let mut body = Body::default();
        self.part(entity, Place { depth, parent: "" }, &mut body);
        self.pictures(&mut body);
        body
    }

    fn pictures(&mut self, body: &mut Body) {
        let (attached, shown) = body.take_pictures();
        self.message.attachments.extend(attached);
        self.message.pictures.extend(shown);
    }

    fn part(&mut self, entity: &Entity<'_>, place: Place<'_>, body: &mut Body) {
        self.parts += 1;
        self.message.truncated |= entity.cut || self.parts > self.limits.parts || place.depth > self.limits.depth;
        if self.parts > self.limits.parts || place.depth > self.limits.depth {
            return;
        }
        let (main, sub) = entity.kind();
        let enclosed = matches!((main, sub), ("message", "rfc822" | "global"));
        match (main, sub) {
            ("multipart", "encrypted") => self.enciphered(name::of_file(entity), entity.body),
            _ if (main == "multipart" || !entity.has_kind()) && self.multipart(entity, (sub, place), body) => {}
            _ if enclosed || (place.parent == "digest" && !entity.has_kind()) => {
                self.enclosed(entity, place, body);
            }
            ("message" | "text", "rfc822-headers" | "global-headers") => {
                self.message.forwarded.push(forwarded(&Entity::message(&entity.decoded())));
            }
            ("message", "delivery-status" | "global-delivery-status") => {
                let report = charset::guess(body::beginning(&entity.decoded(), self.limits.text));
                body::append(&mut self.message.delivery_report, &report, self.limits.text);
            }
            _ => self.leaf(entity, place, body),
        }
    }

    /// `false` if there are no parts to be found: then it is a text.
    fn multipart(&mut self, entity: &Entity<'_>, (sub, place): (&str, Place<'_>), body: &mut Body) -> bool {
        let inside = Place { depth: place.depth + 1, parent: sub };
        if let Some(parts) = entity.parts() {
            self.each(parts, inside, body);
            return true;
        }
        if entity.encoding() == Encoding::None {
            return false;
        }
        // Against the rules, but there they are.
        let Some(unpacked) = self.unpack(entity) else { return true };
        let decoded = entity.decoded();
        let encoded = entity.with_body(&decoded);
        let found = encoded.parts().map(|parts| self.each(parts, inside, body)).is_some();
        self.unpacked -= unpacked;
        found
    }

    fn each(&mut self, parts: Parts<'_>, inside: Place<'_>, body: &mut Body) {
        for part in parts {
            self.part(&part, inside, body);
            if self.parts > self.limits.parts {
                break;
            }
        }
    }

    /// A part that is declared to be a message.
    fn enclosed(&mut self, entity: &Entity<'_>, place: Place<'_>, body: &mut Body) {
        let Some(unpacked) = self.unpack(entity) else { return };
        let depth = place.depth + 1;
        let read = self.packed(&entity.decoded(), depth) || self.packed(entity.body, depth);
        self.unpacked -= unpacked;
        if !read {
            self.leaf(entity, place, body);
        }
    }

    /// A message inside this one: its files count as this one's.
    fn forwarded(&mut self, entity: &Entity<'_>, depth: usize) {
        let at = self.message.forwarded.len();
        self.message.forwarded.push(forwarded(entity));
        self.message.forwarded[at].text = self.message(entity, depth).text();
    }

    /// A message inside this one, attached or as a file. `false` if it does not look like one.
    fn packed(&mut self, raw: &[u8], depth: usize) -> bool {
        let entity = Entity::message(raw);
        if entity.fields().next().is_none() {
            return false;
        }
        self.forwarded(&entity, depth);
        true
    }

    /// Counts what an encoded message will take beside those around it; `None` if that is too much.
    fn unpack(&mut self, entity: &Entity<'_>) -> Option<usize> {
        self.reserve(entity.encoding().most(entity.body.len()))
    }

    /// Counts bytes that are unpacked beside those around this place; `None` if that is too much.
    fn reserve(&mut self, unpacked: usize) -> Option<usize> {
        if unpacked > 0 && self.unpacked + unpacked > self.limits.unpacked {
            self.message.truncated = true;
            return None;
        }
        self.unpacked += unpacked;
        Some(unpacked)
    }

    /// A text of the body, a picture in it, or a file.
    fn leaf(&mut self, entity: &Entity<'_>, place: Place<'_>, body: &mut Body) {
        let attached = entity.disposition().value == "attachment";
        let name = name::of_file(entity);
        let marked = marked(entity);
        let (main, sub) = entity.kind();
        let text = matches!((main, sub), ("text", "plain" | "html") | ("multipart", _));
        if text && !attached && name.is_none() && marked.is_none() {
            return if sub == "html" { self.page(entity, body) } else { self.text(entity, place.depth, body) };
        }
        if matches!(sub, "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature" | "applefile") {
            return;
        }
        let about = About {
            name,
            content_id: entity.field("Content-ID").map(|raw| header::text(raw).trim_matches(['<', '>']).to_owned()),
            related: place.parent == "related" && !attached,
            alternative: (place.parent == "alternative" || main == "text") && !attached,
        };
        let head = entity.encoding().decode(&entity.body[..entity.body.len().min(HEAD)]);
        let is_mail = sniff(&head, about.name.as_deref().unwrap_or_default()) == Kind::Mail;
        let Some(unpacked) = (if is_mail { self.unpack(entity) } else { Some(0) }) else { return };
        let bytes = marked.map_or_else(|| entity.decoded(), |(encoding, body)| encoding.decode(body));
        self.file(about, bytes, place.depth, body);
        self.unpacked -= unpacked;
    }

    fn page(&self, entity: &Entity<'_>, body: &mut Body) {
        let most = 2 * self.limits.text;
        let encoding = entity.encoding();
        let bytes = encoding.decode(body::beginning(entity.body, encoding.enough_for(most)));
        let page = body::page(entity.content_type(), body::beginning(&bytes, most));
        body::append(&mut body.html, &page, self.limits.text);
    }

    /// A plain text, and the files that stand in it.
    fn text(&mut self, entity: &Entity<'_>, depth: usize, body: &mut Body) {
        let bytes = entity.decoded();
        if body::is_enciphered(&bytes) {
            return self.enciphered(None, &bytes);
        }
        let most = 2 * self.limits.text;
        let (files, pieces) = uuencode::extract(&bytes);
        let text = match pieces[..] {
            [whole] => body::plain(entity.content_type(), body::beginning(whole, most)),
            _ => body::plain(entity.content_type(), body::beginning(&pieces.concat(), most)),
        };
        body::append(&mut body.plain, &text, self.limits.text);
        self.encoded_files(files, depth, body);
    }

    fn encoded_files(&mut self, files: Vec<uuencode::File<'_>>, depth: usize, body: &mut Body) {
        let Some(unpacked) = self.reserve(files.iter().map(|file| file.bytes.len()).sum()) else { return };
        for file in files {
            let name = Some(name::safe(&header::text(file.name)));
            self.file(About { name, ..About::default() }, Cow::Owned(file.bytes), depth + 1, body);
        }
        self.unpacked -= unpacked;
    }

    fn file(&mut self, about: About, bytes: Cow<'_, [u8]>, depth: usize, body: &mut Body) {
        if self.message.attachments.len() >= self.limits.parts || depth > self.limits.depth {
            self.message.truncated = true;
            return;
        }
        let kind = sniff(&bytes, about.name.as_deref().unwrap_or_default());
        match kind {
            Kind::Mail if self.mail_in(&bytes, depth, body) => return,
            Kind::Other if about.alternative && about.name.is_none() => return,
            Kind::Other | Kind::Csv if bytes.trim_ascii_start().starts_with(b"begin") => {
                let (files, _) = uuencode::extract(&bytes);
                if !files.is_empty() {
                    return self.encoded_files(files, depth, body);
                }
            }
            _ => {}
        }
        let number = self.message.attachments.len() + body.pictures.len() + 1;
        let name = about.name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("附件{number}"));
        let file = Attachment { name, kind, bytes: bytes.into_owned() };
        if kind == Kind::Picture && (about.content_id.is_some() || about.related) {
            body.pictures.push(Picture { content_id: about.content_id, related: about.related, file });
        } else {
            self.message.attachments.push(file);
        }
    }

    /// A file that holds mail. What is signed, or in a winmail.dat, is this mail itself; else there is another one
    /// inside. `false` if it cannot be read.
    fn mail_in(&mut self, bytes: &[u8], depth: usize, body: &mut Body) -> bool {
        if tnef::is_tnef(bytes) {
            self.tnef(bytes, depth + 1, body);
        } else if let Cms::Signed(signed) = signed::open(bytes) {
            let joined = if signed.is_in_pieces() { bytes.len() } else { 0 };
            let Some(unpacked) = self.reserve(joined) else { return true };
            self.part(&Entity::part(&signed.content()), Place { depth: depth + 1, parent: "" }, body);
            self.unpacked -= unpacked;
        } else if let Some(msg) = outlook::read(bytes) {
            self.outlook(msg, depth + 1);
        } else {
            return self.packed(bytes, depth + 1);
        }
        true
    }

    fn tnef(&mut self, bytes: &[u8], depth: usize, body: &mut Body) {
        if depth > self.limits.depth {
            self.message.truncated = true;
            return;
        }
        let found = tnef::read(bytes);
        body::append(&mut body.inside, &found.text, self.limits.text);
        if found.text.is_empty() {
            body::append(&mut body.html, &found.html, self.limits.text);
        }
        for file in found.files {
            let name = Some(name::safe(&file.name));
            match file.content {
                Content::Bytes(bytes) => {
                    self.file(About { name, ..About::default() }, Cow::Borrowed(bytes), depth, body);
                }
                Content::Message(inner) => {
                    let at = self.message.forwarded.len();
                    let subject = tnef::read(inner).subject;
                    self.message.forwarded.push(Forwarded { subject, ..Forwarded::default() });
                    let mut text = Body::default();
                    self.tnef(inner, depth + 1, &mut text);
                    self.pictures(&mut text);
                    self.message.forwarded[at].text = text.text();
                }
            }
        }
    }

    fn outlook(&mut self, msg: outlook::Msg, depth: usize) {
        let mut body = Body::default();
        body::append(&mut body.plain, &msg.text, self.limits.text);
        body::append(&mut body.html, &msg.html, self.limits.text);
        let text = body.text();
        self.message.forwarded.push(Forwarded { subject: msg.subject, text, ..Forwarded::default() });
        for (name, bytes) in msg.files {
            let name = Some(name::safe(&name));
            self.file(About { name, ..About::default() }, Cow::Owned(bytes), depth, &mut body);
        }
        self.pictures(&mut body);
        for inner in msg.messages {
            self.outlook(inner, depth + 1);
        }
    }

    /// Nobody but the addressee can read it; that there is something must be told.
    fn enciphered(&mut self, name: Option<String>, bytes: &[u8]) {
        let name = name.unwrap_or_else(|| "加密内容".to_owned());
        self.message.attachments.push(Attachment { name, kind: Kind::EncryptedMail, bytes: bytes.to_vec() });
    }
}

/// The encoding under which a part shows the mark of a known kind of file, and where that begins. It is not always the
/// one that is declared.
fn marked<'a>(entity: &Entity<'a>) -> Option<(Encoding, &'a [u8])> {
    let body = entity.body;
    let trimmed = body.iter().position(|b| !matches!(b, b'\r' | b'\n')).map_or(body, |start| &body[start..]);
    let declared = entity.encoding();
    let others = [Encoding::None, Encoding::QuotedPrintable, Encoding::Base64];
    let others = &others[..if base64::begins(trimmed) { 3 } else { 2 }];
    let mut ways = std::iter::once((declared, body)).chain(others.iter().map(|&encoding| (encoding, trimmed)));
    ways.find(|(encoding, body)| has_mark(&encoding.decode(&body[..body.len().min(HEAD)])))
}
