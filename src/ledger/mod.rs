//! The ledger (台账): submissions, figures, entries with their history, and what is owed.

pub mod amended;
pub mod assessment;
pub mod changes;
pub mod copies;
pub mod headings;
pub mod held;
pub mod inquiry;
pub mod known;
pub mod mailstore;
pub mod merge;
pub mod obligation;
pub mod plausible;
pub mod presence;
pub mod query;
pub mod rebuild;
pub mod reconcile;
pub mod rulings;
pub mod sample;
pub mod store;
pub mod traced;
pub mod views;
pub mod waiver;
