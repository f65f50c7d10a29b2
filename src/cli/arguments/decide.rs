//! The arguments of `quarantine`, `headings` and `ledger`: what people decide.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::period::Period;

#[derive(Debug, Subcommand)]
pub enum Quarantine {
    /// What waits (the default)
    List,
    /// Everything known about one mail
    Show { id: i64 },
    /// Take it into the ledger after all
    Release {
        id: i64,
        /// For this unit, if the mail does not say or says it wrongly
        #[arg(long)]
        unit: Option<String>,
        /// And trust its sender for that unit from now on
        #[arg(long)]
        trust: bool,
        /// Where a heading may be one of several columns: which one it is (members=D); repeatable
        #[arg(long = "column", value_name = "KEY=LETTERS", value_parser = column)]
        columns: Vec<(String, String)>,
    },
    /// Keep it out for good
    Reject {
        id: i64,
        #[arg(long)]
        reason: String,
    },
    /// Addresses that are trusted for a unit without being registered: since when, and on whose word
    Trusted,
    /// Trust an address no longer: its mail waits again, what was accepted stays
    Distrust {
        address: String,
        /// Only for this unit [default: all that it is trusted for]
        #[arg(long)]
        unit: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Everything that was decided so far, by people and by units in their mail
    Decisions,
    /// Waive a finding: it was looked into and is not to be told again, as long as it rests on the same
    Dismiss {
        /// The finding's id, as `findings` shows it
        reference: String,
        #[arg(long)]
        reason: String,
        /// Who has looked into it
        #[arg(long, value_name = "NAME", default_value = "operator")]
        who: String,
        /// Also in later periods, about the same organisation or column
        #[arg(long)]
        from_now_on: bool,
    },
    /// Tell a waived finding again
    Reopen {
        reference: String,
        #[arg(long)]
        reason: String,
        #[arg(long, value_name = "NAME", default_value = "operator")]
        who: String,
    },
    /// Two organisations of a unit's books are one, whatever their names and codes say; remembered from now on
    Merge(Ruling),
    /// What was taken for one organisation of a unit's books (a new name, the same code) are two; remembered from now on
    Split(Ruling),
    /// Take the department's own master ledger as the opening position of a period
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Ruling {
    /// One of them: a name that it has or had, or its code
    pub name: String,
    /// The other, likewise
    pub other: String,
    /// Whose books (a unit's name or an alias)
    #[arg(long)]
    pub unit: String,
    /// Only this stream [default: the one that has both]
    #[arg(long)]
    pub stream: Option<String>,
    #[arg(long)]
    pub reason: String,
    /// Who decides
    #[arg(long, default_value = "operator")]
    pub who: String,
}

#[derive(Debug, Args)]
pub struct Import {
    /// All units in one workbook, with a column that names the unit or a sheet for each; any format that mail may bring
    pub file: PathBuf,
    /// The month as of which the books stand
    #[arg(long)]
    pub period: Period,
    /// Only this stream; sheets that name none are of it
    #[arg(long)]
    pub stream: Option<String>,
    /// Show what would be taken and what is wrong, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Who decides it, for the list of decisions
    #[arg(long, default_value = "operator")]
    pub who: String,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Headings {
    /// What is remembered (the default)
    List,
    /// Ask again from now on
    Revoke { id: i64 },
    /// The lines to add to the files of the `forms` folder
    Export,
}

fn column(text: &str) -> Result<(String, String), String> {
    let (key, letters) = text.split_once('=').ok_or("write it as members=D")?;
    Ok((key.trim().to_owned(), letters.trim().to_uppercase()))
}
