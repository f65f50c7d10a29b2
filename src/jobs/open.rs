//! Open: what is attached to one mail, file by file, archives and archives in them included.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::form::Campaign;
use crate::message::{Attachment, Kind, document};
use crate::reader::{Reader, Source, Unavailable};
use crate::submission::documents::{File, Found, Way};
use crate::submission::hexadecimal;

/// A file that was found and not opened yet.
struct Waiting {
    name: String,
    kind: Kind,
    digest: [u8; 32],
    /// The way into the attachment; empty for itself.
    path: Vec<usize>,
}

/// Where a file lies, so that it can be opened once more.
pub struct Spot {
    /// As findings call it.
    pub name: String,
    /// Which of the mail's attachments.
    pub attachment: usize,
    /// The way into it; empty for itself.
    pub path: Vec<usize>,
}

/// Opens everything, in order; the same file twice is one file. What is not reached before `until` is over a limit.
///
/// # Errors
/// [`Unavailable`]; all that a file can do is in its [`Found`].
pub async fn open(
    reader: &mut Reader,
    attachments: &[Attachment],
    (received, campaign): (NaiveDate, &Campaign),
    until: Instant,
) -> Result<Vec<(File, Spot)>, Unavailable> {
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for (number, attachment) in attachments.iter().enumerate() {
        let digest = Sha256::digest(&attachment.bytes).into();
        let itself = Waiting { name: attachment.name.clone(), kind: attachment.kind, digest, path: Vec::new() };
        // The next one last.
        let mut waiting = vec![itself];
        while let Some(Waiting { name, kind, digest, path }) = waiting.pop() {
            if !seen.insert(digest) {
                continue;
            }
            let source = Source { attachment, path: &path };
            let found = match Way::of(kind) {
                Way::Leave => {
                    // What lies in an archive stays in the child.
                    let word = kind == Kind::Word && path.is_empty();
                    let titles = campaign.forms.iter().map(|form| form.title.as_str()).filter(|_| word);
                    Found::Left { kind, holds: document::holds(&attachment.bytes, titles).map(str::to_owned) }
                }
                Way::Read => reader.read(source, received, until).await?.map_or_else(Found::Refused, Found::Reading),
                Way::Unpack => match reader.list(source, until).await? {
                    Ok(members) => {
                        let member = |(place, m): (usize, crate::reader::Member)| Waiting {
                            name: m.name,
                            kind: m.kind,
                            digest: m.digest,
                            path: [&path[..], &[place]].concat(),
                        };
                        waiting.extend(members.into_iter().enumerate().map(member).rev());
                        continue;
                    }
                    Err(refusal) => Found::Unopened(refusal),
                },
            };
            let spot = Spot { name: name.clone(), attachment: number, path };
            files.push((File { name, digest: hexadecimal(&digest), found }, spot));
        }
    }
    Ok(files)
}
