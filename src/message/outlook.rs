//! A message that Outlook saved as a file ([MS-OXMSG], .msg): a compound file with a stream a property. Pure.

use super::body::beginning;
use super::cfb::{Compound, ROOT, Storage};
use super::charset;

/// A message, as far as we need it.
#[derive(Debug, Default)]
pub struct Msg {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub files: Vec<(String, Vec<u8>)>,
    /// Messages attached to it.
    pub messages: Vec<Msg>,
}

/// Messages within messages.
const DEPTH: usize = 5;
/// Bytes of a text that are looked at.
const TEXT: usize = 512 << 10;
/// Files of one message.
const FILES: usize = 100;
/// A property's stream: this, its id and its type ([MS-OXMSG] section 2.2.1).
const PROPERTY: &str = "__substg1.0_";
const ATTACHMENT: &str = "__attach_version1.0_";
const SUBJECT: &str = "0037";
const BODY: &str = "1000";
const HTML: &str = "10130102";
const ATTACHED_BYTES: &str = "37010102";
const ATTACHED_MESSAGE: &str = "3701000D";
/// PidTagAttachLongFilename, PidTagAttachFilename, PidTagDisplayName
const NAMES: [&str; 3] = ["3707", "3704", "3001"];

/// Whether a compound file is such a message.
pub fn is_message(file: &Compound) -> bool {
    file.has("__properties_version1.0") && file.has("__nameid_version1.0")
}

pub fn read(bytes: &[u8]) -> Option<Msg> {
    let file = Compound::open(bytes).filter(is_message)?;
    Some(Reading { left: bytes.len(), file }.message(ROOT, DEPTH))
}

struct Reading<'a> {
    file: Compound<'a>,
    /// Streams may claim the same sectors; together they can hold no more than the file.
    left: usize,
}

impl Reading<'_> {
    fn message(&mut self, storage: Storage, depth: usize) -> Msg {
        let html = self.stream(storage, HTML).map(|raw| charset::guess(beginning(&raw, TEXT)));
        let mut msg = Msg {
            subject: self.text(storage, SUBJECT),
            text: self.text(storage, BODY),
            html: html.unwrap_or_default(),
            ..Msg::default()
        };
        let storages = |file: &Compound, storage, prefix: &str| -> Vec<Storage> {
            file.storages_in(storage, prefix).into_iter().take(FILES).map(|(_, inside)| inside).collect()
        };
        for attached in storages(&self.file, storage, ATTACHMENT) {
            let inner = storages(&self.file, attached, &format!("{PROPERTY}{ATTACHED_MESSAGE}"));
            if let Some(inner) = inner.first().filter(|_| depth > 0) {
                msg.messages.push(self.message(*inner, depth - 1));
            }
            let Some(bytes) = self.stream(attached, ATTACHED_BYTES) else { continue };
            let name = NAMES.iter().map(|id| self.text(attached, id)).find(|name| !name.is_empty());
            msg.files.push((name.unwrap_or_default(), bytes));
        }
        msg
    }

    /// A property's stream, if there is room for it.
    fn stream(&mut self, storage: Storage, id: &str) -> Option<Vec<u8>> {
        let bytes = self.file.stream_in(storage, &format!("{PROPERTY}{id}"), self.left)?;
        self.left -= bytes.len();
        Some(bytes)
    }

    /// A property of text, in UTF-16 or in the code page of the writer.
    fn text(&mut self, storage: Storage, id: &str) -> String {
        if let Some(wide) = self.stream(storage, &format!("{id}001F")) {
            let wide = wide[..wide.len().min(TEXT)].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
            return String::from_utf16_lossy(&wide.collect::<Vec<_>>()).trim_end_matches('\0').to_owned();
        }
        let narrow = self.stream(storage, &format!("{id}001E"));
        narrow.map(|raw| charset::guess(beginning(&raw, TEXT)).trim_end_matches('\0').to_owned()).unwrap_or_default()
    }
}
