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
    // Streams may claim the same sectors; together they can hold no more than the file.
    let mut budget = bytes.len();
    Some(message(&file, ROOT, &mut budget, DEPTH))
}

fn message(file: &Compound, storage: Storage, budget: &mut usize, depth: usize) -> Msg {
    let mut msg = Msg {
        subject: text(file, storage, SUBJECT),
        text: text(file, storage, BODY),
        html: file
            .stream_in(storage, &format!("{PROPERTY}{HTML}"))
            .map(|raw| charset::guess(beginning(&raw, TEXT)))
            .unwrap_or_default(),
        ..Msg::default()
    };
    for (_, attached) in file.storages_in(storage, ATTACHMENT).into_iter().take(FILES) {
        let inner =
            file.storages_in(attached, &format!("{PROPERTY}{ATTACHED_MESSAGE}")).first().map(|(_, inner)| *inner);
        if let Some(inner) = inner.filter(|_| depth > 0) {
            msg.messages.push(message(file, inner, budget, depth - 1));
        }
        let bytes = file.stream_in(attached, &format!("{PROPERTY}{ATTACHED_BYTES}"));
        let Some(bytes) = bytes.filter(|bytes| bytes.len() <= *budget) else { continue };
        *budget -= bytes.len();
        let name = NAMES.iter().map(|id| text(file, attached, id)).find(|name| !name.is_empty());
        msg.files.push((name.unwrap_or_default(), bytes));
    }
    msg
}

/// A property of text, in UTF-16 or in the code page of the writer.
fn text(file: &Compound, storage: Storage, id: &str) -> String {
    if let Some(wide) = file.stream_in(storage, &format!("{PROPERTY}{id}001F")) {
        let units: Vec<u16> =
            wide[..wide.len().min(TEXT)].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        return String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned();
    }
    let narrow = file.stream_in(storage, &format!("{PROPERTY}{id}001E"));
    narrow.map(|raw| charset::guess(beginning(&raw, TEXT)).trim_end_matches('\0').to_owned()).unwrap_or_default()
}
