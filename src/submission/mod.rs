//! A submission (报送): what one mail reports, for whom, for when, and what is wrong with it. Pure.
//!
//! [`assess`](assess::assess) turns a parsed message, and what was found in its attachments, into a [`Verdict`]; the
//! ledger stores it, nothing else decides.

pub mod assess;
pub mod baseline;
mod body;
pub mod consent;
pub mod documents;
mod forms;
mod intent;
pub mod repeats;
mod resolve;
pub mod units;
mod who;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::form::{Doubt, Finding, Record};
use crate::message::{Attachment, Kind, Message};
use crate::period::Period;

/// Where a message goes (contract of `messages --json`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    Accepted,
    /// Something of it is in the ledger, something had to stay out.
    Partly,
    Rejected,
    Quarantined,
    News,
    Duplicate,
    Auto,
    Bounce,
}

impl Disposition {
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Partly,
        Self::Rejected,
        Self::Quarantined,
        Self::News,
        Self::Duplicate,
        Self::Auto,
        Self::Bounce,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Partly => "partly",
            Self::Rejected => "rejected",
            Self::Quarantined => "quarantined",
            Self::News => "news",
            Self::Duplicate => "duplicate",
            Self::Auto => "auto",
            Self::Bounce => "bounce",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Accepted,
    Rejected,
    Quarantined,
    /// It waited, and a later one of the same obligation counts: there is nothing to decide any more.
    Dismissed,
}

impl Fate {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Quarantined => "quarantined",
            Self::Dismissed => "dismissed",
        }
    }
}

/// One form of one obligation, as a message brought it. `unit`, `stream` and `period` are empty where nothing told
/// them; such a one is never accepted.
#[derive(Clone, Debug)]
pub struct Submission {
    pub unit: Option<String>,
    pub stream: Option<String>,
    pub form: String,
    pub period: Option<Period>,
    pub fate: Fate,
    pub file: String,
    /// SHA-256 of the file, in hexadecimal: by this the return is known again. Empty where that is not known.
    pub digest: String,
    pub sheet: String,
    /// Column key → letters, as read; empty for cards.
    pub columns: BTreeMap<String, String>,
    pub rows: Vec<Row>,
    pub findings: Vec<Finding>,
    /// Columns that a person has to tell.
    pub doubts: Vec<Doubt>,
}

/// A row and whether it may enter the ledger.
#[derive(Clone, Debug)]
pub struct Row {
    pub sheet: String,
    pub record: Record,
    pub admitted: bool,
}

/// What becomes of one message.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub disposition: Disposition,
    /// One Chinese sentence for the person who looks at the listing.
    pub reason: String,
    /// Rules about the message or a file as a whole (`M…`, `W…`), for the listing.
    pub rules: Vec<String>,
    pub submissions: Vec<Submission>,
    /// Findings about the message or a file, not about one form.
    pub findings: Vec<Finding>,
    /// The sender is known and a person: an answer is right.
    pub answer: bool,
    /// Units that the sender is registered for.
    pub sender_units: Vec<String>,
    /// Units whose word its sender waits for, and who may be asked for it.
    pub to_ask: Vec<String>,
    /// It waits because the program failed on it: nothing is the sender's fault.
    pub our_failure: bool,
}

impl Verdict {
    /// A verdict without any form in it.
    pub fn plain(disposition: Disposition, reason: impl Into<String>) -> Self {
        Self {
            disposition,
            reason: reason.into(),
            rules: Vec::new(),
            submissions: Vec::new(),
            findings: Vec::new(),
            answer: false,
            sender_units: Vec::new(),
            to_ask: Vec::new(),
            our_failure: false,
        }
    }

    /// Obligations that the forms in the message name, whatever became of them.
    pub fn claims(&self) -> Vec<(String, String, String, String)> {
        let text = |o: &Option<String>| o.clone().unwrap_or_default();
        let mut claims: Vec<_> = self
            .submissions
            .iter()
            .map(|s| {
                (text(&s.unit), text(&s.stream), s.form.clone(), s.period.map(|p| p.to_string()).unwrap_or_default())
            })
            .collect();
        claims.sort();
        claims.dedup();
        claims
    }
}

/// Decisions that bear on assessing one message.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// The message was released; with the unit that a person named.
    pub released: Option<Option<String>>,
    /// The message was rejected, with the reason.
    pub rejected: Option<String>,
    /// Only its books were, which were held beside other forms that count; with the reason.
    pub books_rejected: Option<String>,
    /// What units said of the returns in their name, each for itself.
    pub said: BTreeMap<String, Word>,
    /// Addresses trusted for a unit since.
    pub trusted: Vec<(String, String)>,
    /// A person has handed it over as the opening position.
    pub opening: Option<baseline::Opening>,
}

impl Decisions {
    /// A person or a unit has decided about this very message.
    pub fn made(&self) -> bool {
        self.released.is_some() || self.rejected.is_some() || self.books_rejected.is_some() || !self.said.is_empty()
    }

    /// A person has decided against it, or a unit has said that it is not its own.
    pub fn refused(&self) -> bool {
        self.rejected.is_some() || self.said.values().any(|word| *word == Word::NotOurs)
    }
}

/// A unit's answer to whether a return in its name is its own. It settles who sent it, and nothing else; what a person
/// decides outweighs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Ours,
    NotOurs,
}

/// What a message says of itself, for listings and to know it again.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub message_id: Option<String>,
    pub from: Option<String>,
    pub subject: String,
    pub fingerprint: Option<String>,
    pub documents: Vec<Document>,
}

/// A file as it was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    pub kind: Kind,
    pub size: u64,
    /// SHA-256, in hexadecimal.
    pub digest: String,
}

impl Document {
    fn of(attachment: &Attachment) -> Self {
        Self {
            name: attachment.name.clone(),
            kind: attachment.kind,
            size: attachment.bytes.len() as u64,
            digest: hexadecimal(&Sha256::digest(&attachment.bytes)),
        }
    }
}

/// A digest as it is stored.
pub fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Head {
    pub fn of(message: &Message, fingerprint: Option<String>) -> Self {
        Self {
            message_id: message.message_id.clone(),
            from: message.from.as_ref().map(|a| a.email.clone()),
            subject: message.subject.clone(),
            fingerprint,
            documents: message.attachments.iter().map(Document::of).collect(),
        }
    }
}
