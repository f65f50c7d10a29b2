//! The ledger (台账): submissions, figures, entries with their history, and what is owed.

pub mod obligation;
