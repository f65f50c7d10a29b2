//! The ledger (台账): submissions, figures, entries with their history, and what is owed.

pub mod amended;
pub mod assessment;
pub mod changes;
pub mod copies;
pub mod headings;
pub mod inquiry;
pub mod mailstore;
pub mod merge;
pub mod obligation;
pub mod query;
pub mod rebuild;
pub mod store;
