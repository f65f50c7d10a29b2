//! `--known-on`: commands that show something show what was known then, with the clock set to that moment.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::arguments::{Command, Headings, Ledger, Quarantine, When};
use super::{Office, usage};
use crate::db::Db;
use crate::ledger::known;

/// The moment that is meant: the end of a day, but of today what is known by now.
///
/// # Errors
/// It lies in the future, or the command changes something: both are wrong usage.
pub fn moment(when: When, command: &Command, now: DateTime<chrono_tz::Tz>) -> Result<DateTime<Utc>> {
    if !shows(command) {
        return Err(usage("--known-on is for commands that show something of the ledger"));
    }
    let moment = match when {
        When::Day(day) if day == now.date_naive() => now.to_utc(),
        when => when.end_in_zone(now.timezone()),
    };
    match moment > now.to_utc() {
        true => Err(usage("--known-on lies in the future")),
        false => Ok(moment),
    }
}

/// Whether a command only shows what the ledger holds.
fn shows(command: &Command) -> bool {
    match command {
        Command::Status { .. }
        | Command::Messages { .. }
        | Command::Findings { .. }
        | Command::Export(_)
        | Command::History { .. }
        | Command::Targets { .. }
        | Command::Conduct { .. }
        | Command::Reconcile(_)
        | Command::Sample(_)
        | Command::Ledger { action: Ledger::Decisions } => true,
        Command::Report { send, .. } => !send,
        Command::Quarantine { action } => {
            matches!(action, None | Some(Quarantine::List | Quarantine::Show { .. } | Quarantine::Trusted))
        }
        Command::Headings { action } => matches!(action, None | Some(Headings::List)),
        _ => false,
    }
}

/// The ledger of that moment, and a line to stderr that says so.
pub async fn view(office: &Office, live: &Db, moment: DateTime<Utc>) -> Result<Db> {
    let here = |t: DateTime<Utc>| t.with_timezone(&office.config.timezone).format("%Y-%m-%d %H:%M:%S");
    eprintln!("as known on {}", here(moment));
    match known::beginning(&mut *live.pool().acquire().await?).await? {
        Some(first) if first <= moment => {}
        Some(first) => eprintln!("the ledger knew nothing then; what it knows begins on {}", here(first)),
        None => eprintln!("the ledger is empty"),
    }
    known::view(live, &office.config.campaign, moment).await
}
