//! What a workbook says, before anyone has decided for whom and for which month it is. Pure data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::record::Record;

/// Everything that was read from one workbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub returns: Vec<Return>,
    /// Names of visible sheets that hold something in which no form was recognised.
    pub unrecognised: Vec<String>,
    /// Names of hidden sheets that hold a form, where no visible sheet does. They are not read.
    pub hidden: Vec<String>,
}

/// One form found in a workbook: a table, or all cards of one stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Return {
    /// Key of the form.
    pub form: String,
    /// As it was given to the reader; the same in every finding.
    pub file: String,
    /// The sheet of the table; of cards, the first one's.
    pub sheet: String,
    /// Column key to letters, as read. Empty for cards.
    pub columns: BTreeMap<String, String>,
    /// What the sheet says about unit, stream and period, in the order in which it is to be believed.
    pub hints: Vec<Hint>,
    pub records: Vec<Record>,
    /// Lone texts among the rows, with the row (from 1): a master ledger names each unit so above its own.
    #[serde(default)]
    pub sections: Vec<(u32, String)>,
    /// Rows such as 合计, read without findings on their cells.
    pub totals: Vec<Total>,
    /// Found while reading: P01, P02, R01, R02, R10 (no such day), W06, H01, H03, H05, H06.
    pub findings: Vec<Finding>,
    /// Required columns that could be more than one thing. A person decides: the return is to be quarantined.
    pub doubts: Vec<Doubt>,
    /// Columns that are none of the form's: letters and heading.
    pub unread: Vec<(String, String)>,
}

/// A row that sums up others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// What it calls itself: `小计`; empty for sums without a name.
    pub label: String,
    pub record: Record,
}

/// Where a text that may name unit, stream or period stands. In the order in which domain.md believes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Origin {
    /// A line above the table.
    Title,
    /// Behind 填报单位.
    UnitLine,
    /// Behind 所属期.
    PeriodLine,
    /// Behind 填报时间: when it was filled in, not what for.
    FilledLine,
    /// The unit's cell of a row.
    UnitColumn,
    SheetName,
    /// A heading that names the stream: 社会组织总数.
    Heading,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    pub origin: Origin,
    pub text: String,
    /// A1; `None` for the sheet's name.
    pub cell: Option<String>,
}

/// A required column for which the sheet has no heading that is sure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Key of the form's column.
    pub key: String,
    /// The columns of the sheet that it may be, the likeliest first. A single one is a proposal: releasing means yes.
    pub candidates: Vec<Candidate>,
    /// One Chinese sentence for the person who decides.
    pub message: String,
}

/// A column of the sheet that may be what is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// `D`
    pub letters: String,
    /// As it stands on the sheet, in one line.
    pub heading: String,
    /// Its keys, top row first: what [`Campaign::learn`](super::Campaign::learn) takes.
    pub path: Vec<String>,
}

impl Return {
    /// The texts of one origin.
    pub fn said(&self, origin: Origin) -> impl Iterator<Item = &Hint> {
        self.hints.iter().filter(move |h| h.origin == origin)
    }
}
