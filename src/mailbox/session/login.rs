//! Getting in: capabilities, ID, LOGIN or AUTHENTICATE XOAUTH2.

use secrecy::ExposeSecret;

use super::{Session, quote};
use crate::config::Server;
use crate::config::login::{Login, xoauth2};
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

    /// ID (RFC 2971) where it is known: NetEase refuses SELECT to a client that has not told its name after LOGIN.
    pub(super) async fn identify(&mut self, demanded: bool) -> Result<(), Fault> {
        if !demanded && !self.has("ID") {
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

    /// LOGIN and not AUTHENTICATE PLAIN: some of NetEase's servers offer SASL-IR and get it wrong.
    pub(super) async fn login(&mut self, server: &Server) -> Result<(), Fault> {
        let step = Step::Login { unclear: server.provider.habits().unclear_login };
        let secret = server.login.secret().await.map_err(|e| Fault::new(Kind::Setup, e))?;
        let answer = match &server.login {
            Login::Password(_) if self.has("LOGINDISABLED") => {
                let detail = "the server takes no password on this kind of connection (LOGINDISABLED)";
                return Err(Fault::new(Kind::Tls, detail));
            }
            Login::Password(_) => {
                let user = quote(&server.user, "user")?;
                let command = format!("LOGIN {user} {}", quote(secret.expose_secret(), "password")?);
                self.wire.run(&command, step).await?
            }
            Login::Token(_) => {
                let message = xoauth2(&server.user, &secret);
                self.wire.authenticate("XOAUTH2", &message, self.has("SASL-IR"), step).await?
            }
        };
        self.learn(&answer).await
    }
}
