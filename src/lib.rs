//! taizhang takes the Excel returns that offices email, and keeps the ledger, the answers and the report.
//!
//! Data flows one way; read the modules in this order. A module imports only from those above it.
//! `ARCHITECTURE.md` tells the walk of one mail, and `tests/tidy.rs` keeps the import rule true.

pub mod chance;
pub mod clock;
pub mod period;

pub mod calendar;

pub mod message;
pub mod workbook;

pub mod form;

pub mod config;
pub mod db;
pub mod mailbox;

pub mod submission;

pub mod ledger;

pub mod outbox;
pub mod report;

pub mod reader;

pub mod jobs;

pub mod daemon;
pub mod demo;

pub mod cli;

#[cfg(test)]
mod fixture;
