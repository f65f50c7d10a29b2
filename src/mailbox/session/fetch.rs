//! One mail as it lies on the server, whole or in parts, with BODY.PEEK only.

use super::Session;
use crate::mailbox::failure::{Fault, Kind, Step};
use crate::mailbox::{Fetched, received};

/// Bytes of a mail fetched by one command: a slow line must manage this much within `timeout`.
const PART: u64 = 512 * 1024;
/// Bytes of the header kept of a mail that is too large.
const HEADER: u64 = 64 * 1024;

impl Session {
    /// One mail, whole; of one above `most` bytes only the header. A mail with a size and no content is a fault.
    pub async fn fetch(&mut self, uid: u32, size: u64, most: u64) -> Result<Fetched, Fault> {
        let fetched = if size > most {
            let header = self.body(uid, &format!("[HEADER]<0.{HEADER}>")).await?;
            header.map_or(Fetched::Gone, |header| Fetched::TooLarge { header, size })
        } else if (1..=PART).contains(&size) {
            self.body(uid, "[]").await?.map_or(Fetched::Gone, Fetched::Mail)
        } else {
            self.parts(uid, size, most).await?
        };
        match &fetched {
            Fetched::Mail(bytes) | Fetched::TooLarge { header: bytes, .. } if bytes.is_empty() && size > 0 => {
                Err(Fault::new(Kind::Protocol, format!("the server gives nothing of a mail of {size} bytes")))
            }
            _ => Ok(fetched),
        }
    }

    /// A mail that is large, or whose size is not known.
    async fn parts(&mut self, uid: u32, size: u64, most: u64) -> Result<Fetched, Fault> {
        let Some(mut mail) = self.body(uid, &format!("[]<0.{PART}>")).await? else { return Ok(Fetched::Gone) };
        let mut part = mail.len() as u64;
        while part == PART {
            let have = mail.len() as u64;
            if have > most {
                return Ok(Fetched::TooLarge { header: received::head(&mail).to_vec(), size: have });
            }
            let Some(more) = self.body(uid, &format!("[]<{have}.{PART}>")).await? else { return Ok(Fetched::Gone) };
            part = more.len() as u64;
            mail.extend(more);
        }
        if (mail.len() as u64) < size {
            // Either the size was wrong, or the server cannot count parts: the whole mail tells.
            let Some(whole) = self.body(uid, "[]").await? else { return Ok(Fetched::Gone) };
            if whole.len() > mail.len() {
                mail = whole;
            }
        }
        Ok(Fetched::Mail(mail))
    }

    /// `None`: the mail is no longer there.
    async fn body(&mut self, uid: u32, section: &str) -> Result<Option<Vec<u8>>, Fault> {
        let answer = self.step(&format!("UID FETCH {uid} (UID BODY.PEEK{section})"), Step::Mail).await?;
        let body = answer.rows().filter(|row| row.uid == Some(uid)).find_map(|row| row.body);
        // An OK that brings nothing: is the mail gone, or could the server not read it?
        if body.is_none() && self.is_there(uid).await? {
            return Err(Fault::new(Kind::Protocol, "the server lists a mail and does not give it"));
        }
        Ok(body)
    }

    async fn is_there(&mut self, uid: u32) -> Result<bool, Fault> {
        let answer = self.run(&format!("UID FETCH {uid} (UID)")).await?;
        Ok(answer.rows().any(|row| row.uid == Some(uid)))
    }
}
