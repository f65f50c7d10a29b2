//! What a clerk answers to a mail of the program's own: it can only be written when that mail is there.

use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, FixedOffset};

use super::district::{MAILBOXES, UNITS};
use super::mime::{Mail, Program, Trace};
use super::story::Delivery;
use crate::message::{Message, parse};

/// A unit's answer to the newest mail that asked it something.
pub struct Reply {
    pub at: DateTime<FixedOffset>,
    pub unit: usize,
    pub mailbox: usize,
    pub text: &'static str,
}

impl Reply {
    /// The mail, from what was sent so far.
    pub fn write(&self, sent: &Path) -> Result<Delivery> {
        let (unit, home) = (&UNITS[self.unit], &MAILBOXES[self.mailbox]);
        let asked = newest(sent, unit.address())?.context("the unit was not asked")?;
        let id = asked.message_id.unwrap_or_default();
        let quoted = asked.text.lines().map(|line| format!("> {line}\n")).collect::<String>();
        let text = format!("{}\n\n在 {}，台账系统 写道：\n{quoted}", self.text, self.at.format("%Y-%m-%d"));
        let mail = Mail {
            at: self.at,
            from: (unit.clerk, unit.address()),
            to: &[home.address],
            subject: &format!("回复：{}", asked.subject),
            text: &text,
            files: Vec::new(),
            program: Program::Modern,
            extra: &[&format!("In-Reply-To: <{id}>"), &format!("References: <{id}>")],
            id: &format!("{:08X}.reply", self.at.timestamp()),
        };
        let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: true, null_sender: false };
        let file_name = format!("{}.R{}.demo", self.at.timestamp(), self.unit);
        Ok(Delivery { at: self.at, mailbox: home.name, file_name, raw: mail.deliver(&trace) })
    }
}

/// The newest inquiry that was sent to an address.
fn newest(sent: &Path, address: &str) -> Result<Option<Message>> {
    let mut found: Vec<Message> = Vec::new();
    for entry in std::fs::read_dir(sent).with_context(|| sent.display().to_string())? {
        let message = parse::parse(&std::fs::read(entry?.path())?, &parse::Limits::default());
        let asks = message.message_id.as_ref().is_some_and(|id| id.starts_with("inquiry."));
        if asks && message.to.iter().any(|to| to.email == address) {
            found.push(message);
        }
    }
    Ok(found.into_iter().max_by_key(|message| message.date))
}
