//! Commands and their options, as `--help` shows them.

mod decide;

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::period::{Period, local};
pub use decide::{Headings, Import, Ledger, Quarantine, Ruling};

/// Takes the Excel returns that offices email, merges them into a ledger, answers every sender, reminds the late ones,
/// and mails the department one workbook and a circular.
///
/// New here? Run `taizhang demo`: it lives through one month of an invented district and shows what comes out.
/// Then copy config/taizhang.example.toml, and run `taizhang check`.
#[derive(Debug, Parser)]
#[command(
    name = "taizhang",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but something needs a person."
)]
pub struct Arguments {
    /// The configuration [default: config/taizhang.toml, then /etc/taizhang/taizhang.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Pretend that it is this time, for rehearsals and tests (2011-09-26T10:00:00+08:00)
    #[arg(long, global = true, value_name = "RFC3339", value_parser = time)]
    pub at: Option<DateTime<Utc>>,

    /// Show what was known then: at this time, or by the end of this day (2011-09-26). For commands that show something
    #[arg(long, global = true, value_name = "TIME")]
    pub known_on: Option<When>,

    /// Print one JSON document instead of a table
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Live through one month of an invented district, on embedded parts, in a few seconds
    Demo {
        /// Where the ledger, the mails, the workbook and the circular go
        #[arg(long, default_value = "demo-district")]
        dir: PathBuf,
    },
    /// The daemon: watch the mailboxes and do everything when it is due, until SIGTERM
    Run,
    /// One pass of all that is due (fetch, process, scheduled jobs, send), then exit
    Once,
    /// Put files through the same pipeline: .eml, mbox, Maildir, spreadsheets, or folders of them
    Ingest(Ingest),
    /// Each obligation of a period: state, when it came, version, findings
    Status {
        /// Which period, as 2011-08 [default: the open one]
        #[arg(long)]
        period: Option<Period>,
    },
    /// Each mail: where it went and why
    Messages {
        /// Only mail that arrived at or after this time or day
        #[arg(long, value_name = "TIME")]
        since: Option<When>,
    },
    /// Each open finding
    Findings {
        #[arg(long)]
        period: Option<Period>,
        /// Only of this unit (its name or an alias)
        #[arg(long)]
        unit: Option<String>,
        /// Also those of superseded versions, and those that were waived
        #[arg(long)]
        all: bool,
        /// Only those that were waived, with who and why
        #[arg(long, conflicts_with = "all")]
        waived: bool,
    },
    /// The ledger, out: figures, organisations, or what changed
    Export(Export),
    /// Every value that an organisation or a figure ever had, and which mail, file and cell said so
    History {
        #[command(subcommand)]
        action: History,
    },
    /// Build the period's workbook and circular, and send them with --send
    Report {
        #[arg(long)]
        period: Option<Period>,
        /// Folder for the two files
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Also mail them to the department (and the committees)
        #[arg(long)]
        send: bool,
    },
    /// Quotas, pace, projected date, coverage and milestones of each unit and stream, as of a period
    Targets {
        /// As of which period, as 2011-08 [default: the open one]
        #[arg(long)]
        period: Option<Period>,
        /// Only of this unit (its name or an alias)
        #[arg(long)]
        unit: Option<String>,
    },
    /// How each unit reports, as of a period: on time, late, missing, sent back, corrected; points by the rule [conduct]
    Conduct {
        /// As of which period, as 2011-08 [default: the open one]
        #[arg(long)]
        period: Option<Period>,
    },
    /// Queue a reminder to every unit that still owes something
    Remind {
        #[arg(long)]
        period: Option<Period>,
        /// Only show what would be sent to whom
        #[arg(long)]
        dry_run: bool,
    },
    /// What a person must decide: list it, look at it, release or reject it
    Quarantine {
        #[command(subcommand)]
        action: Option<Quarantine>,
    },
    /// Headings that no form file lists and a person confirmed: list them, take one back, write them for the form files
    Headings {
        #[command(subcommand)]
        action: Option<Headings>,
    },
    /// What people decide about the ledger itself
    Ledger {
        #[command(subcommand)]
        action: Ledger,
    },
    /// A list from elsewhere (the business registry's) beside the ledger: 未摸排, 不在名单, 一致. Exit code 3 if they differ
    Reconcile(Reconcile),
    /// Draw organisations for a spot check (抽查), and write the form to fill in on the spot
    Sample(Sample),
    /// Lift a unit's obligations of one period (免报)
    Excuse {
        unit: String,
        #[arg(long)]
        period: Period,
        #[arg(long)]
        reason: String,
    },
    /// The registry: check it, or list the units
    Units {
        #[command(subcommand)]
        action: Option<Units>,
    },
    /// Write a unit's blank forms, filled in with what is known
    Template(Template),
    /// Configuration, registry, forms, mailboxes, SMTP server, disk: one line each, ok or what to do
    Check,
    /// Whether the ledger is what was stored, and what the stored mail says: database, seals, raw mail, all mail read again
    Verify {
        /// Do not read the mail again
        #[arg(long)]
        quick: bool,
    },
    /// Write the ledger, the mail and the files it is read by into one .zip, also while the daemon runs
    Backup {
        /// For example /backup/taizhang-2011-09-26.zip
        file: PathBuf,
        /// Replace the file if there is one
        #[arg(long)]
        force: bool,
    },
    /// Unpack a backup into a new data folder, and check it
    Restore {
        file: PathBuf,
        /// The new `data_dir`: a folder that does not exist or is empty
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct Ingest {
    /// Files or folders
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The sender of a bare spreadsheet
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// When it arrived, where the file does not say [default: its Received header, else the file's time]
    #[arg(long, value_name = "TIME")]
    pub received: Option<When>,
    /// The mailbox (its name in the configuration) that it counts as received in [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub mailbox: Option<String>,
    /// Do not answer the senders
    #[arg(long)]
    pub no_answer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The figures of 附件1, one row a unit, stream and period
    Progress,
    /// The organisations of 附件2, closed ones included
    Register,
    /// What changed in which organisation, when, and which mail brought it
    History,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Json,
    Csv,
    Xlsx,
}

#[derive(Debug, Args)]
pub struct Export {
    pub what: What,
    /// Only this period
    #[arg(long)]
    pub period: Option<Period>,
    /// The ledger as it stood after this period's returns
    #[arg(long, value_name = "PERIOD")]
    pub as_of: Option<Period>,
    /// Only this unit (its name or an alias)
    #[arg(long)]
    pub unit: Option<String>,
    #[arg(long, value_enum, default_value = "json")]
    pub format: Format,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum History {
    /// One organisation: what each version of its unit's book changed
    Organisation {
        /// Its name, one of its former names, or its code
        #[arg(value_name = "NAME|CODE")]
        name: String,
        /// Of this unit (its name or an alias)
        #[arg(long)]
        unit: Option<String>,
        #[arg(long)]
        stream: Option<String>,
    },
    /// One figure of a unit: its value in each version of each period
    Figure {
        /// The column's key or heading (orgs)
        key: String,
        /// The unit (its name or an alias)
        #[arg(long)]
        unit: String,
        #[arg(long)]
        stream: Option<String>,
        #[arg(long)]
        period: Option<Period>,
    },
}

#[derive(Debug, Args)]
pub struct Reconcile {
    /// The list: a column of names, and what else it has (codes, persons, addresses, streets); any format that mail may bring
    pub file: PathBuf,
    /// Compare with this stream only
    #[arg(long)]
    pub stream: Option<String>,
    /// With the register as it stood after this period's books
    #[arg(long, value_name = "PERIOD")]
    pub as_of: Option<Period>,
    /// Write the workbook here [default: 比对结果-<name of the list>.xlsx in this folder]
    #[arg(long, value_name = "FILE.xlsx")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Sample {
    /// How many organisations
    #[arg(long, value_name = "N")]
    pub size: usize,
    /// Any text; the same one draws the same organisations again
    #[arg(long)]
    pub seed: String,
    /// From the register as it stood after this period's books
    #[arg(long, value_name = "PERIOD")]
    pub as_of: Option<Period>,
    /// From this stream only
    #[arg(long)]
    pub stream: Option<String>,
    /// Write the form to fill in here [default: 抽查核查表.xlsx in this folder]
    #[arg(long, value_name = "FILE.xlsx")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Units {
    /// Name every problem in the registry
    Check,
    /// All units with their streams, addresses and quotas (the default)
    List,
    /// Addresses that mail came back from, or that are not answered any more, and why
    Bounced {
        /// This address works again
        #[arg(long, value_name = "ADDRESS")]
        clear: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct Template {
    pub unit: String,
    #[arg(long)]
    pub period: Period,
    /// Only this stream [default: all that the unit owes]
    #[arg(long)]
    pub stream: Option<String>,
    /// Only this form
    #[arg(long)]
    pub form: Option<String>,
    /// A file for one form, or a folder for several
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed.map(|t| t.to_utc()).map_err(|_| "write it as 2011-09-26T10:00:00+08:00".to_owned())
}

/// A time, or a day in the zone of the configuration (which is read after the arguments).
#[derive(Clone, Copy, Debug)]
pub enum When {
    Time(DateTime<Utc>),
    Day(NaiveDate),
}

impl When {
    /// The time itself, or the last second of the day: as deadlines count it.
    pub fn end_in_zone(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Time(time) => time,
            Self::Day(day) => {
                let next = day.succ_opt().unwrap_or(day);
                local(zone, next, NaiveTime::MIN).to_utc() - TimeDelta::seconds(1)
            }
        }
    }

    /// The time itself, or the first moment of the day.
    pub fn in_zone(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Time(time) => time,
            Self::Day(day) => local(zone, day, NaiveTime::MIN).to_utc(),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = || text.parse().map(Self::Day);
        time(text)
            .map(Self::Time)
            .or_else(|_| day())
            .map_err(|_| "write it as 2011-09-26 or 2011-09-26T10:00:00+08:00".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_when_it_does_in_the_configured_zone() {
        let at = |text: &str, zone: Tz| text.parse::<When>().unwrap().in_zone(zone).to_rfc3339();
        assert_eq!(at("2011-09-26", Tz::Asia__Shanghai), "2011-09-25T16:00:00+00:00");
        assert_eq!(at("2011-09-26", Tz::Asia__Almaty), "2011-09-25T18:00:00+00:00");
        assert_eq!(at("2011-09-26T10:00:00+08:00", Tz::Asia__Almaty), "2011-09-26T02:00:00+00:00");
        assert!("26.9.2011".parse::<When>().is_err());
        let end = |text: &str, zone: Tz| text.parse::<When>().unwrap().end_in_zone(zone).to_rfc3339();
        assert_eq!(end("2011-09-26", Tz::Asia__Shanghai), "2011-09-26T15:59:59+00:00");
        assert_eq!(end("2011-09-26T10:00:00+08:00", Tz::Asia__Shanghai), "2011-09-26T02:00:00+00:00");
    }
}
