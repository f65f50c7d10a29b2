//! Getting in: capabilities, ID, LOGIN.

use secrecy::ExposeSecret;

use super::{Session, quote};
use crate::config::Imap;
use crate::mailbox::answer::Answer;
use crate::mailbox::failure::{Fault, Kind, Step};

impl Session {
    /// Capabilities as the server just told them, else by asking.
    pub(super) async fn learn(&mut self, answer: &Answer) -> Result<(), Fault> {
        self.capabilities = match answer.capabilities() {
            Some(told) => told.to_vec(),
            None => self.run("CAPABILITY").await?.capabilities().unwrap_or_default().to_vec(),
        };
        Ok(())
    }

    /// ID (RFC 2971) where it is known: 163.com and 126.com refuse SELECT to a client without a name.
    pub(super) async fn identify(&mut self) -> Result<(), Fault> {
        if !self.has("ID") {
            return Ok(());
        }
        let version = env!("CARGO_PKG_VERSION");
        let command = format!("ID (\"name\" \"taizhang\" \"version\" \"{version}\" \"vendor\" \"taizhang\")");
        match self.run(&command).await {
            Err(fault) if !matches!(fault.kind, Kind::Refused | Kind::Protocol) => Err(fault),
            // A server that dislikes our name may still serve us.
            _ => Ok(()),
        }
    }

    pub(super) async fn login(&mut self, imap: &Imap) -> Result<(), Fault> {
        if self.has("LOGINDISABLED") {
            let detail = "the server takes no password on this kind of connection (LOGINDISABLED)";
            return Err(Fault::new(Kind::Tls, detail));
        }
        let password = imap.server.password.read().map_err(|e| Fault::new(Kind::Setup, e))?;
        let user = quote(&imap.server.user, "user")?;
        let command = format!("LOGIN {user} {}", quote(password.expose_secret(), "password")?);
        let answer = self.wire.run(&command, Step::Login).await?;
        self.learn(&answer).await
    }
}
