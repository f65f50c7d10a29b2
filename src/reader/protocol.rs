//! What the program and its reader say to each other: frames of a JSON head and, for a file, its raw bytes. Pure.
//!
//! A frame: the lengths of head and body as little-endian 32-bit numbers, the head, the body. The parent says [`Hello`]
//! and is answered [`Answer::Ready`]; then each [`Ask`], whose body is the attachment, is answered once.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Signed;
use crate::form::roll::Roll;
use crate::form::{Campaign, Finding, Reading};
use crate::message::{Kind, archive};
use crate::workbook::{self, Refusal};

/// What a child must know for all files.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub campaign: Campaign,
    pub workbook: workbook::Limits,
    pub archive: archive::Limits,
    /// Rows of data in all forms of a workbook.
    pub rows: u64,
    /// Bytes of an answer.
    pub answer: u64,
}

/// One file, and what is to be done with it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ask {
    pub job: Job,
    /// Of the attachment.
    pub name: String,
    pub kind: Kind,
    /// The way into it, where it is an archive; empty for the attachment itself.
    pub path: Vec<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Job {
    /// [`Answer::Members`] or [`Answer::Unopened`]
    List,
    /// [`Answer::Reading`] or [`Answer::Refused`]
    Read { received: NaiveDate },
    /// [`Answer::Roll`] or [`Answer::Refused`]
    Roll,
    /// [`Answer::Marked`] with the bytes of the new workbook, or [`Answer::Refused`]
    Mark { findings: Vec<Finding>, signed: Signed },
}

/// An answer, and the bytes of the file that it brings along, if it does.
pub(super) type Reply = (Answer, Vec<u8>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    Ready(Shelter),
    Members(Vec<Member>),
    Reading(Reading),
    Roll(Roll),
    Refused(Refusal),
    Unopened(archive::Refusal),
    Marked,
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// With the archive's: `报表.zip/台账.xls`
    pub name: String,
    pub kind: Kind,
    /// SHA-256
    pub digest: [u8; 32],
}

/// What a child found out by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelter {
    /// Memory beyond the limit is refused.
    pub memory: bool,
    /// No file can be opened.
    pub files: bool,
    /// No connection can be made or taken.
    pub network: bool,
    /// The kernel enforces it (landlock), whatever the process could do about its own limits.
    pub landlock: bool,
}

/// Bytes before the head.
pub(super) const PREFIX: usize = 8;

/// The lengths of head and body.
pub(super) fn lengths(prefix: [u8; PREFIX]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h] = prefix;
    (u64::from(u32::from_le_bytes([a, b, c, d])), u64::from(u32::from_le_bytes([e, f, g, h])))
}

/// Everything of a frame but its body. `None` if it cannot be written in this way, being too long.
pub(super) fn head(head: &impl Serialize, body: usize) -> Option<Vec<u8>> {
    let mut frame = vec![0; PREFIX];
    serde_json::to_writer(&mut frame, head).ok()?;
    let length = u32::try_from(frame.len() - PREFIX).ok()?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[4..PREFIX].copy_from_slice(&u32::try_from(body).ok()?.to_le_bytes());
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_tells_the_lengths_of_its_parts() {
        let frame = head(&"表", 70_000).unwrap();
        assert_eq!(&frame[PREFIX..], "\"表\"".as_bytes());
        assert_eq!(lengths(frame[..PREFIX].try_into().unwrap()), (5, 70_000));
        assert_eq!(head(&"", 1 << 32), None);
    }

    /// The child must read by the very same form definitions as the program would.
    #[test]
    fn a_campaign_survives_the_way_to_the_child() {
        let campaign = Campaign::builtin();
        let there: Campaign = serde_json::from_slice(&serde_json::to_vec(&campaign).unwrap()).unwrap();
        assert_eq!(format!("{there:?}"), format!("{campaign:?}"));
    }
}
