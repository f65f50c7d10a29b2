//! The wire: SMTP, or `.eml` files in a folder. One call, one mail to one recipient, one [`Attempt`].
//!
//! A connection is kept between the mails of a batch and is dropped whenever a mail on it did not end well, or was
//! cancelled half-way: a session whose state is not known is never used again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::io::AsyncWriteExt;

use super::mail::{Unsendable, mailbox};
use super::retry::{Attempt, NoSession};
use super::smtp::Smtp;
use crate::config::{self, Provider, SmtpKind};
use crate::mailbox::Cause;

/// How mail leaves.
pub enum Transport {
    Smtp(Box<Smtp>),
    Files(Files),
}

/// A mail on its way to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// Row of the outbox: the same mail has the same number whenever it is tried again.
    pub id: i64,
    pub created_at: DateTime<Utc>,
    pub recipient: &'a str,
    pub raw: &'a [u8],
}

impl Transport {
    /// Dials nothing. An error is an unusable `from`.
    pub fn new(settings: &config::Smtp, zone: Tz) -> Result<Self, Unsendable> {
        Ok(match &settings.kind {
            SmtpKind::Server(server) => {
                let timeout = Duration::from_secs(settings.timeout);
                Self::Smtp(Box::new(Smtp::new(server.clone(), mailbox(&settings.from)?.email, timeout)))
            }
            SmtpKind::Files(folder) => Self::Files(Files { folder: folder.clone(), zone }),
        })
    }

    pub async fn send(&mut self, parcel: Parcel<'_>) -> Attempt {
        match self {
            Self::Smtp(smtp) => smtp.send(parcel).await,
            Self::Files(files) => match files.write(parcel).await {
                Ok(()) => Attempt::Delivered,
                Err(e) => Attempt::NoSession(files.failed(&e)),
            },
        }
    }

    /// Ends the batch: says goodbye to the server.
    pub async fn close(&mut self) {
        if let Self::Smtp(smtp) = self {
            smtp.quit().await;
        }
    }

    /// For `taizhang check`: connects, logs in and leaves; or makes sure of the folder.
    pub async fn check(&mut self) -> Result<(), NoSession> {
        match self {
            Self::Smtp(smtp) => smtp.check().await,
            Self::Files(files) => tokio::fs::create_dir_all(&files.folder).await.map_err(|e| files.failed(&e)),
        }
    }
}

/// A folder of `.eml` files.
pub struct Files {
    folder: PathBuf,
    zone: Tz,
}

impl Files {
    fn failed(&self, error: &io::Error) -> NoSession {
        let why = format!("{}: {error}", self.folder.display());
        NoSession { why, login: false, cause: Cause::Disk, provider: Provider::Generic }
    }

    /// Writes the mail under a name that it always gets, so that a repeat makes no second file; whole or not at all.
    async fn write(&self, parcel: Parcel<'_>) -> io::Result<()> {
        let time = parcel.created_at.with_timezone(&self.zone).format("%Y%m%dT%H%M%S");
        let name = format!("{time}-{:04}-{}.eml", parcel.id, safe(parcel.recipient));
        tokio::fs::create_dir_all(&self.folder).await?;
        let draft = self.folder.join(format!(".{name}.part"));
        private_file(&draft, parcel.raw).await?;
        tokio::fs::rename(&draft, self.folder.join(name)).await
    }
}

/// Readable by its owner only: it is personal data.
async fn private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.open(path).await?;
    file.write_all(bytes).await?;
    file.sync_all().await
}

/// An address as part of a file name.
fn safe(address: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || "@.-_+".contains(c) { c } else { '_' };
    address.chars().map(clean).take(100).collect()
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
