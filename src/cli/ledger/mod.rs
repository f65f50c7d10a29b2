//! `ledger`: what people decide about the ledger itself.

mod decisions;
mod ruling;

use anyhow::Result;

use super::arguments::Ledger;
use super::{Office, Outcome};
use crate::ledger::merge::Ruled;

pub async fn run(office: Office, action: Ledger) -> Result<Outcome> {
    match action {
        Ledger::Decisions => decisions::list(&office).await,
        Ledger::Merge(order) => ruling::run(&office, Ruled::One, order).await,
        Ledger::Split(order) => ruling::run(&office, Ruled::Two, order).await,
    }
}
