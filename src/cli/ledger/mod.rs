//! `ledger`: what people decide about the ledger itself.

mod decisions;
mod dismiss;
mod import;
mod ruling;

use anyhow::Result;

use super::arguments::Ledger;
use super::{Office, Outcome};
use crate::ledger::merge::Ruled;
use crate::ledger::waiver::Word;

pub(in crate::cli) use import::{file_name, known_stream};

pub async fn run(office: Office, action: Ledger) -> Result<Outcome> {
    match action {
        Ledger::Decisions => decisions::list(&office).await,
        Ledger::Dismiss { reference, reason, who, from_now_on } => {
            let word = Word { kind: "dismiss", who: &who, reason: &reason, from_now_on };
            dismiss::dismiss(&office, &reference, word).await
        }
        Ledger::Reopen { reference, reason, who } => {
            let word = Word { kind: "reopen", who: &who, reason: &reason, from_now_on: false };
            dismiss::reopen(&office, &reference, word).await
        }
        Ledger::Merge(order) => ruling::run(&office, Ruled::One, order).await,
        Ledger::Split(order) => ruling::run(&office, Ruled::Two, order).await,
        Ledger::Import(options) => import::run(office, options).await,
    }
}
