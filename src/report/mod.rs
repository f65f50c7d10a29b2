//! The report (汇总、通报): the consolidated workbook, the circular, blank forms, lists of findings and exports. Pure:
//! data in, bytes out.
//!
//! The same data give the same bytes: no clock is read, and a document's creation time is part of its data. Text from
//! returns is only ever written as text, never as a formula.

pub mod appraisal;
pub mod changes_sheet;
pub mod circular;
pub mod conduct;
pub mod course;
pub mod digest;
pub mod export;
pub mod findings_sheet;
pub mod milestones;
pub mod reconciled;
pub mod returned;
pub mod spot_check;
pub mod standing;
pub mod table;
pub mod targets;
pub mod template;
pub mod workbook;

mod docx;
#[cfg(test)]
mod fixture;
mod grid;
#[cfg(test)]
mod roundtrip;
mod sheet;
mod wording;

pub use table::{Arrival, Change, ChangeKind, Edition, Entry, Figure, OpenFinding, Outcome, ReportData};

/// A document could not be written. The data never cause this; a limit of the file format or an IO failure does.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot write the workbook: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    #[error("cannot write the circular: {0}")]
    Circular(String),
    #[error("cannot write CSV: {0}")]
    Csv(#[from] csv::Error),
}
