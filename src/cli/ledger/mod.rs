//! `ledger`: what people decide about the ledger itself.

mod decisions;
mod import;

use anyhow::Result;

use super::arguments::Ledger;
use super::{Office, Outcome};

pub(in crate::cli) use import::{file_name, known_stream};

pub async fn run(office: Office, action: Ledger) -> Result<Outcome> {
    match action {
        Ledger::Decisions => decisions::list(&office).await,
        Ledger::Import(options) => import::run(office, options).await,
    }
}
