//! The wire: SMTP, or `.eml` files in a folder. One call, one mail to one recipient, one [`Attempt`].
//!
//! A connection is kept between the mails of a batch and is dropped whenever a mail on it did not end well, or was
//! cancelled half-way: a session whose state is not known is never used again.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;
use tokio::io::AsyncWriteExt;

use super::mail::{Unsendable, mailbox};
use super::retry::Attempt;
use crate::config::{self, Server, SmtpKind, Tls};

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
            SmtpKind::Server(server) => Self::Smtp(Box::new(Smtp {
                server: server.clone(),
                from: mailbox(&settings.from)?.email,
                timeout: Duration::from_secs(settings.timeout),
                connection: None,
            })),
            SmtpKind::Files(folder) => Self::Files(Files { folder: folder.clone(), zone }),
        })
    }

    pub async fn send(&mut self, parcel: Parcel<'_>) -> Attempt {
        match self {
            Self::Smtp(smtp) => smtp.send(parcel).await,
            Self::Files(files) => match files.write(parcel).await {
                Ok(()) => Attempt::Delivered,
                Err(e) => Attempt::NoSession(format!("{}: {e}", files.folder.display())),
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
    pub async fn check(&mut self) -> Result<(), String> {
        match self {
            Self::Smtp(smtp) => {
                let connection = tokio::time::timeout(smtp.timeout, connect(&smtp.server, smtp.timeout)).await;
                smtp.connection = Some(connection.map_err(|_| smtp.silent())??);
                smtp.quit().await;
                Ok(())
            }
            Self::Files(files) => {
                tokio::fs::create_dir_all(&files.folder).await.map_err(|e| format!("{}: {e}", files.folder.display()))
            }
        }
    }
}

/// How long a parting word is waited for.
const GOODBYE: Duration = Duration::from_secs(2);

/// One server and, within a batch, one connection.
pub struct Smtp {
    server: Server,
    from: Address,
    /// For a whole delivery, the connection included: the library's own timeout does not cover a silent server.
    timeout: Duration,
    connection: Option<AsyncSmtpConnection>,
}

impl Smtp {
    async fn send(&mut self, parcel: Parcel<'_>) -> Attempt {
        let recipient = match parcel.recipient.parse::<Address>() {
            Ok(address) if parcel.recipient.is_ascii() => address,
            // SMTPUTF8 (RFC 6531) is not spoken by the providers that this is for.
            _ => return Attempt::Impossible(format!("not an address that mail can be sent to: {}", parcel.recipient)),
        };
        // Taken out, and put back only when the session's state is known.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match tokio::time::timeout(self.timeout, connect(&self.server, self.timeout)).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(why)) => return Attempt::NoSession(why),
                Err(_) => return Attempt::NoSession(self.silent()),
            },
        };
        let dialogue = converse(&mut connection, &self.from, recipient, parcel.raw);
        let attempt = match tokio::time::timeout(self.timeout, dialogue).await {
            Ok(Ok(())) => Attempt::Delivered,
            Ok(Err(e)) => attempt(&e),
            Err(_) => Attempt::Lost(self.silent()),
        };
        let usable = match &attempt {
            Attempt::Delivered => true,
            // 421 closes the channel (RFC 5321 §3.8).
            Attempt::Refused { code, .. } if *code != 421 => {
                let reset = tokio::time::timeout(self.timeout.min(GOODBYE), connection.command(Rset)).await;
                matches!(reset, Ok(Ok(_)))
            }
            _ => false,
        };
        self.connection = usable.then_some(connection);
        attempt
    }

    /// The server's name and how long it was waited for.
    fn silent(&self) -> String {
        format!("{}:{} gave no answer within {} s", self.server.host, self.server.port, self.timeout.as_secs_f32())
    }

    /// A server that does not say goodbye is not waited for.
    async fn quit(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = tokio::time::timeout(self.timeout.min(GOODBYE), connection.command(Quit)).await;
        }
    }
}

/// One mail (RFC 5321 §3.3), command by command, so that a refusal is known before anything else is tried.
async fn converse(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    recipient: Address,
    raw: &[u8],
) -> Result<(), SmtpError> {
    connection.command(Mail::new(Some(from.clone()), vec![])).await?;
    connection.command(Rcpt::new(recipient, vec![])).await?;
    connection.command(Data).await?;
    connection.message(raw).await?;
    Ok(())
}

/// A session in which mail can be sent: connected, encrypted as configured, logged in. The error says what failed;
/// it never has the password in it.
async fn connect(server: &Server, timeout: Duration) -> Result<AsyncSmtpConnection, String> {
    let told = |step: &'static str| move |e: SmtpError| format!("{step}: {}", code_and_words(&e));
    if server.tls == Tls::None && !is_loopback(&server.host) {
        return Err(format!("tls = \"none\" is for loopback only, not for {}", server.host));
    }
    let me = ClientId::default();
    let address = (server.host.as_str(), server.port);
    let wrapped = match server.tls {
        Tls::Implicit => Some(tls(server).await?),
        Tls::Starttls | Tls::None => None,
    };
    let dialled = AsyncSmtpConnection::connect_tokio1(address, Some(timeout), &me, wrapped, None).await;
    let mut connection = dialled.map_err(|e| format!("{}:{}: {}", server.host, server.port, code_and_words(&e)))?;
    if server.tls == Tls::Starttls {
        connection.starttls(tls(server).await?, &me).await.map_err(told("STARTTLS"))?;
    }
    if !server.user.is_empty() {
        let password = server.password.read()?;
        let credentials = Credentials::new(server.user.clone(), password.expose_secret().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&mechanisms, &credentials).await.map_err(told("login"))?;
    }
    Ok(connection)
}

async fn tls(server: &Server) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca_file {
        let told = |e: &dyn std::fmt::Display| format!("ca_file {}: {e}", path.display());
        let pem = tokio::fs::read(path).await.map_err(|e| told(&e))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|e| told(&e))?);
    }
    builder.build().map_err(|e| format!("TLS: {}", words(&e)))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What an error within a mail's dialogue means.
fn attempt(error: &SmtpError) -> Attempt {
    let text = words(error);
    match error.status() {
        Some(code) => Attempt::Refused { code: code.into(), text },
        None if is_garbled(error) => Attempt::Unreadable(text),
        None if error.is_client() => Attempt::Impossible(text),
        None => Attempt::Lost(text),
    }
}

/// QQ answers in GBK; the library reads lines as UTF-8 and gives up on them, code and all.
fn is_garbled(error: &SmtpError) -> bool {
    let garbled = |e: &io::Error| e.kind() == io::ErrorKind::InvalidData;
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<io::Error>().is_some_and(garbled) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// The server's words, or the innermost cause; the wrappers around it only repeat themselves.
fn words(error: &SmtpError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The reply code, where there is one, and the words.
fn code_and_words(error: &SmtpError) -> String {
    error.status().map_or_else(|| words(error), |code| format!("{code} {}", words(error)))
}

/// A folder of `.eml` files.
pub struct Files {
    folder: PathBuf,
    zone: Tz,
}

impl Files {
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
