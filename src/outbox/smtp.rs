//! One SMTP server and, within a batch, one connection to it (RFC 5321): connects, logs in, hands over mail.
//!
//! The connection is ours ([`dial`]) and the dialogue lettre's, which reads ASCII: what a provider says in GBK comes to
//! it by way of [`lines`], code and all.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::either::Either;

use super::refusal::{Stage, meaning};
use super::retry::{Attempt, NoSession};
use super::transport::Parcel;
use crate::config::login::{Login, xoauth2};
use crate::config::{Server, Tls};
use crate::mailbox::failure::Fault;
use crate::mailbox::lines::{Lines, readable};
use crate::mailbox::{Cause, Kind, dial};

/// How long a parting word is waited for.
const GOODBYE: Duration = Duration::from_secs(2);

pub struct Smtp {
    server: Server,
    from: Address,
    /// For a whole delivery, the connection included: the library's own timeout does not cover a silent server.
    timeout: Duration,
    connection: Option<AsyncSmtpConnection>,
}

impl Smtp {
    pub fn new(server: Server, from: Address, timeout: Duration) -> Self {
        Self { server, from, timeout, connection: None }
    }

    pub async fn send(&mut self, parcel: Parcel<'_>) -> Attempt {
        let recipient = match parcel.recipient.parse::<Address>() {
            Ok(address) if parcel.recipient.is_ascii() => address,
            // SMTPUTF8 (RFC 6531) is not spoken by the providers that this is for.
            _ => return Attempt::Impossible(format!("not an address that mail can be sent to: {}", parcel.recipient)),
        };
        // Taken out, and put back only when the session's state is known.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match self.connect().await {
                Ok(connection) => connection,
                Err(no_session) => return Attempt::NoSession(no_session),
            },
        };
        let dialogue = converse(&mut connection, &self.from, recipient, parcel.raw);
        let attempt = match tokio::time::timeout(self.timeout, dialogue).await {
            Ok(Ok(())) => Attempt::Delivered,
            Ok(Err((stage, e))) => self.attempt(stage, &e),
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

    /// Connects, logs in and leaves.
    pub async fn check(&mut self) -> Result<(), NoSession> {
        self.connection = Some(self.connect().await?);
        self.quit().await;
        Ok(())
    }

    /// A server that does not say goodbye is not waited for.
    pub async fn quit(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = tokio::time::timeout(self.timeout.min(GOODBYE), connection.command(Quit)).await;
        }
    }

    /// A session in which mail can be sent: connected, encrypted as configured, logged in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, NoSession> {
        let provider = self.server.provider;
        let told = |fault: Fault| {
            let login = fault.kind.refuses_login();
            NoSession { why: fault.detail, login, cause: fault.cause, provider }
        };
        let silent = |_| Fault::new(Kind::Timeout, self.silent());
        match tokio::time::timeout(self.timeout, open(&self.server, self.timeout)).await.map_err(silent) {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(fault)) | Err(fault) => Err(told(fault)),
        }
    }

    /// What an error within a mail's dialogue means.
    fn attempt(&self, stage: Stage, error: &SmtpError) -> Attempt {
        let text = words(error);
        match error.status() {
            Some(code) => {
                let code = code.into();
                Attempt::Refused { code, meaning: meaning(self.server.provider, stage, code, &text), text }
            }
            None if error.is_response() => Attempt::Unreadable(text),
            None if error.is_client() => Attempt::Impossible(text),
            None => Attempt::Lost(text),
        }
    }

    /// The server's name and how long it was waited for.
    fn silent(&self) -> String {
        format!("{}:{} gave no answer within {} s", self.server.host, self.server.port, self.timeout.as_secs_f32())
    }
}

/// One mail (RFC 5321 §3.3), command by command, so that a refusal is known before anything else is tried.
async fn converse(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    recipient: Address,
    raw: &[u8],
) -> Result<(), (Stage, SmtpError)> {
    let at = |stage| move |e| (stage, e);
    connection.command(Mail::new(Some(from.clone()), vec![])).await.map_err(at(Stage::Sender))?;
    connection.command(Rcpt::new(recipient, vec![])).await.map_err(at(Stage::Recipient))?;
    connection.command(Data).await.map_err(at(Stage::Content))?;
    connection.message(raw).await.map_err(at(Stage::Content))?;
    Ok(())
}

/// The fault says what failed; it never has the password in it.
async fn open(server: &Server, limit: Duration) -> Result<AsyncSmtpConnection, Fault> {
    let place = |fault: Fault| Fault { detail: format!("{}:{}: {}", server.host, server.port, fault.detail), ..fault };
    let tcp = dial::connect(server, limit).await.map_err(place)?;
    let lines = match server.tls {
        Tls::Implicit => Lines::beginning(dial::encrypt(tcp, server, limit).await.map_err(place)?, b""),
        Tls::Starttls => starttls(tcp, server, limit).await.map_err(place)?,
        Tls::None => Lines::beginning(Either::Left(tcp), b""),
    };
    let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(lines), &ClientId::default()).await;
    let mut connection = greeted.map_err(|e| place(fault(&e, Kind::Throttled)))?;
    if !server.user.is_empty() {
        let login = |f: Fault| place(Fault { detail: format!("login: {}", f.detail), ..f });
        log_in(&mut connection, server).await.map_err(login)?;
    }
    Ok(connection)
}

/// STARTTLS (RFC 3207) in the clear, and what lettre then takes for the greeting: the server gives none. What was sent
/// before the encryption is dropped with the reader (CVE-2011-0411).
async fn starttls(tcp: TcpStream, server: &Server, limit: Duration) -> Result<Lines, Fault> {
    let mut talk = BufReader::new(tcp);
    reply(&mut talk).await?;
    let broken = |e: std::io::Error| Fault::new(Kind::Network, format!("the connection broke: {}", e.kind()));
    talk.write_all(format!("EHLO {}\r\n", ClientId::default()).as_bytes()).await.map_err(broken)?;
    reply(&mut talk).await?;
    talk.write_all(b"STARTTLS\r\n").await.map_err(broken)?;
    let answer = reply(&mut talk).await?;
    if !answer.starts_with("220") {
        return Err(Fault::new(Kind::Tls, format!("the server offers no STARTTLS: {}", answer.trim_end())));
    }
    Ok(Lines::beginning(dial::encrypt(talk.into_inner(), server, limit).await?, b"220 encrypted\r\n"))
}

/// The last line of a reply (RFC 5321 §4.2.1), before lettre takes over.
async fn reply(talk: &mut BufReader<TcpStream>) -> Result<String, Fault> {
    loop {
        let mut line = Vec::new();
        let read = (&mut *talk).take(4096).read_until(b'\n', &mut line).await;
        let read = read.map_err(|e| Fault::new(Kind::Network, format!("the connection broke: {}", e.kind())))?;
        if read == 0 {
            return Err(Fault::new(Kind::Network, "the server closed the connection"));
        }
        if line.get(3) != Some(&b'-') {
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
    }
}

async fn log_in(connection: &mut AsyncSmtpConnection, server: &Server) -> Result<(), Fault> {
    let secret = server.login.secret().await.map_err(|e| Fault::new(Kind::Setup, e))?;
    let unclear = server.provider.habits().unclear_login;
    let refused = |e: SmtpError| fault(&e, if unclear { Kind::Limited } else { Kind::Authentication });
    match &server.login {
        Login::Password(_) => {
            let credentials = Credentials::new(server.user.clone(), secret.expose_secret().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(refused)?;
        }
        Login::Token(_) => {
            if !connection.server_info().supports_auth_mechanism(Mechanism::Xoauth2) {
                return Err(Fault::new(Kind::Setup, "the server offers no XOAUTH2"));
            }
            let command = format!("AUTH XOAUTH2 {}\r\n", xoauth2(&server.user, &secret));
            let answer = connection.command(command).await.map_err(refused)?;
            if answer.has_code(334) {
                // So it tells of an error; the empty line brings the refusal.
                connection.command("\r\n").await.map_err(refused)?;
            }
        }
    }
    Ok(())
}

/// `refused`: what a reply of 5yz means at this step. 4yz and 421 ask to come back later (RFC 4954 §6).
fn fault(error: &SmtpError, refused: Kind) -> Fault {
    let text = words(error);
    let Some(code) = error.status() else {
        let kind = if error.is_client() { Kind::Setup } else { Kind::Network };
        return Fault::new(kind, text);
    };
    let kind = if u16::from(code) < 500 { Kind::Throttled } else { refused };
    let fault = Fault::new(kind, format!("{code} {text}"));
    Cause::told(&text).into_iter().fold(fault, Fault::because)
}

/// The server's words, or the innermost cause; the wrappers around it only repeat themselves.
fn words(error: &SmtpError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    readable(&cause.to_string())
}
