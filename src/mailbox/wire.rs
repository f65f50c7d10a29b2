//! One connection to an IMAP server: dials, sends a command, reads its whole answer, all under a timeout.
//!
//! async-imap frames and parses what the server sends; commands are written here. So the tagged status is always
//! seen (its streams swallow a NO to FETCH), an end of stream is never taken for an end of data, and the LOGIN line
//! never reaches its log. After an error the connection is in an unknown state and must be dropped.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_imap::Client;
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;
use tokio_util::either::Either;

use super::answer::{self, Answer, Done, Item};
use super::cause::Cause;
use super::dial::{self, Stream, within};
use super::failure::{Fault, Kind, Step, judge};
use super::lines::Lines;
use crate::config::{Server, Tls};

pub struct Wire {
    client: Client<Lines>,
    commands: u32,
    limit: Duration,
}

impl Wire {
    /// Connects and reads the greeting, encrypted as `server.tls` says. `limit` bounds every single step.
    pub async fn dial(server: &Server, limit: Duration) -> Result<(Self, Answer), Fault> {
        let tcp = dial::connect(server, limit).await?;
        let stream = match server.tls {
            Tls::Implicit => dial::encrypt(tcp, server, limit).await?,
            Tls::Starttls | Tls::None => Either::Left(tcp),
        };
        let mut wire = Self::new(stream, limit);
        let greeting = wire.greeting().await?;
        match server.tls {
            Tls::Starttls => Ok((wire.upgrade(server, &greeting).await?, Answer::default())),
            Tls::Implicit | Tls::None => Ok((wire, greeting)),
        }
    }

    /// STARTTLS (RFC 3501 §6.2.1). What was said before it does not count.
    async fn upgrade(mut self, server: &Server, greeting: &Answer) -> Result<Self, Fault> {
        if greeting.items.contains(&Item::Greeting(true)) {
            // An attacker's PREAUTH would keep us from ever encrypting (RFC 9051 §11.1).
            return Err(Fault::new(Kind::Tls, "the server logs in before STARTTLS"));
        }
        self.run("STARTTLS", Step::Other).await.map_err(|fault| match fault.kind {
            Kind::Refused | Kind::Protocol => {
                Fault::new(Kind::Tls, format!("the server offers no STARTTLS: {}", fault.detail))
            }
            _ => fault,
        })?;
        // Dropping the parser drops whatever an attacker put behind the answer in the clear (CVE-2011-0411).
        let Either::Left(tcp) = self.client.into_inner().into_inner() else {
            return Err(Fault::new(Kind::Tls, "the connection is encrypted twice"));
        };
        Ok(Self::new(dial::encrypt(tcp, server, self.limit).await?, self.limit))
    }

    fn new(stream: Stream, limit: Duration) -> Self {
        Self { client: Client::new(Lines::with_literals(stream)), commands: 0, limit }
    }

    async fn greeting(&mut self) -> Result<Answer, Fault> {
        let items = within(self.limit, "the greeting", self.next()).await?;
        if let Some(text) = items.iter().find_map(bye) {
            let fault = Fault::new(Kind::Throttled, format!("the server does not take us now: {text}"));
            return Err(Cause::told(text).into_iter().fold(fault, Fault::because));
        }
        if !items.iter().any(|item| matches!(item, Item::Greeting(_))) {
            return Err(Fault::new(Kind::Protocol, "the server does not greet as an IMAP server"));
        }
        Ok(Answer { items })
    }

    /// Sends one command and reads to its tagged OK. NO and BAD are faults, judged by their code.
    pub async fn run(&mut self, command: &str, step: Step) -> Result<Answer, Fault> {
        let verb = verb(command);
        let limit = self.limit;
        within(limit, verb, async {
            let tag = self.start(command).await?;
            self.finish(&tag, verb, step).await
        })
        .await
    }

    /// AUTHENTICATE with one message of ours (RFC 3501 §6.2.2), sent along where the server takes it (SASL-IR, RFC 4959).
    /// A second challenge is how XOAUTH2 tells of an error: the empty answer to it brings the NO.
    pub async fn authenticate(
        &mut self,
        mechanism: &str,
        message: &str,
        along: bool,
        step: Step,
    ) -> Result<Answer, Fault> {
        let limit = self.limit;
        within(limit, "AUTHENTICATE", async {
            let command = format!("AUTHENTICATE {mechanism}");
            let tag = self.start(&if along { format!("{command} {message}") } else { command }).await?;
            let mut left = if along { "" } else { message };
            let mut answer = Answer::default();
            loop {
                for item in self.next().await? {
                    match item {
                        Item::Continue => self.send(std::mem::take(&mut left)).await?,
                        Item::Done(done) if done.tag == tag && done.ok => return Ok(answer),
                        Item::Done(done) if done.tag == tag => return Err(refusal("AUTHENTICATE", step, &done)),
                        Item::Bye(text) => {
                            return Err(Fault::new(Kind::Network, format!("the server hung up: {text}")));
                        }
                        item => answer.items.push(item),
                    }
                }
            }
        })
        .await
    }

    /// Sends one command without waiting; returns its tag.
    pub async fn start(&mut self, command: &str) -> Result<String, Fault> {
        self.commands += 1;
        let tag = format!("T{}", self.commands);
        self.send(&format!("{tag} {command}")).await?;
        Ok(tag)
    }

    /// Sends a line as it is (`DONE`).
    pub async fn send(&mut self, line: &str) -> Result<(), Fault> {
        let stream = self.client.get_mut();
        let sent = async {
            stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            stream.flush().await
        };
        sent.await.map_err(|e| lost(e.kind()))
    }

    /// Reads to the tagged end of a command.
    pub async fn finish(&mut self, tag: &str, verb: &str, step: Step) -> Result<Answer, Fault> {
        let mut answer = Answer::default();
        let mut farewell = None;
        loop {
            let items = match self.next().await {
                Ok(items) => items,
                Err(fault) => return Err(farewell.unwrap_or(fault)),
            };
            for item in items {
                match item {
                    Item::Done(done) if done.tag == tag => {
                        return if done.ok { Ok(answer) } else { Err(refusal(verb, step, &done)) };
                    }
                    Item::Bye(text) => {
                        farewell = Some(Fault::new(Kind::Network, format!("the server hung up: {text}")));
                    }
                    item => answer.items.push(item),
                }
            }
        }
    }

    /// The next response, in pieces; dropping the future loses nothing. No timeout of its own.
    pub async fn next(&mut self) -> Result<Vec<Item>, Fault> {
        // The parser panics on a few answers that a server should never give (INTERNALDATE NIL, a code without a
        // space after it): that must cost this connection, not the program.
        match AssertUnwindSafe(self.client.read_response()).catch_unwind().await {
            Ok(Ok(Some(response))) => Ok(answer::items(response.parsed())),
            Ok(Ok(None)) => Err(Fault::new(Kind::Network, "the server closed the connection")),
            // The text of a parse error holds the raw mail: only its kind may be shown.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::Other => Err(unreadable()),
            Ok(Err(error)) => Err(lost(error.kind())),
            Err(_) => Err(unreadable()),
        }
    }

    pub fn limit(&self) -> Duration {
        self.limit
    }
}

fn refusal(verb: &str, step: Step, done: &Done) -> Fault {
    let kind = judge(step, done.bad, done.code.as_deref());
    let word = if done.bad { "BAD" } else { "NO" };
    // A confused server may quote the line it did not understand, which at login holds the password.
    let text = if matches!(step, Step::Login { .. }) && done.bad { "" } else { done.text.as_str() };
    let detail = format!("the server answered {word} to {verb}: {text}").trim_end_matches([' ', ':']).to_owned();
    let fault = Fault::new(kind, detail);
    Cause::told(text).into_iter().fold(fault, Fault::because)
}

/// The command's name without its arguments, which may be secret: `UID FETCH`, `LOGIN`.
fn verb(command: &str) -> &str {
    let words = if command.starts_with("UID ") { 2 } else { 1 };
    command.match_indices(' ').nth(words - 1).map_or(command, |(at, _)| &command[..at])
}

pub fn bye(item: &Item) -> Option<&str> {
    match item {
        Item::Bye(text) => Some(text),
        _ => None,
    }
}

fn lost(kind: std::io::ErrorKind) -> Fault {
    Fault::new(Kind::Network, format!("the connection broke: {kind}"))
}

fn unreadable() -> Fault {
    Fault::new(Kind::Protocol, "the server sent something that is no IMAP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_without_its_arguments() {
        assert_eq!(verb("LOGIN \"li@qinglan.example\" \"secret\""), "LOGIN");
        assert_eq!(verb("UID FETCH 1:2 (UID)"), "UID FETCH");
        assert_eq!(verb("NOOP"), "NOOP");
    }

    #[test]
    fn a_server_that_quotes_the_login_line_does_not_bring_the_password_into_our_messages() {
        let done = Done { tag: "T1".into(), ok: false, bad: true, code: None, text: "Unknown: LOGIN li secret".into() };
        assert!(!refusal("LOGIN", Step::Login { unclear: false }, &done).detail.contains("secret"));
    }
}
