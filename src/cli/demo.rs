//! `demo`: one month of an invented district, and where to look afterwards.

use std::path::Path;

use anyhow::Result;

use super::{Outcome, log_to_stderr, print};
use crate::demo::{self, Lived, Step};
use crate::ledger::obligation::Obligation;

pub async fn run(dir: &Path) -> Result<Outcome> {
    // What goes wrong in the story is told below; the log would only tell it twice.
    log_to_stderr("error");
    let lived = demo::live(dir, |step| eprintln!("{}", line(step))).await?;
    print::line(&format!("\nWho reported for {}:", lived.period))?;
    let units = units(&lived.obligations);
    let rows = units.iter().map(|unit| row(unit, &lived.obligations));
    print::table(&["unit", "due", "on time", "late", "rejected", "waiting", "missing"], rows.collect())?;
    print::line(&paths(&lived))?;
    Ok(Outcome::Done)
}

fn line(step: &Step) -> String {
    let p = &step.passed;
    let mut parts = vec![format!("{}  {}", step.at.format("%m-%d %H:%M"), step.what)];
    for (n, what) in [(p.processed, "in"), (p.sent, "sent")] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    parts.join("  ")
}

fn units(obligations: &[Obligation]) -> Vec<&str> {
    let mut units: Vec<&str> = obligations.iter().map(|o| o.unit.as_str()).collect();
    units.dedup();
    units
}

fn row(unit: &str, obligations: &[Obligation]) -> Vec<String> {
    use crate::ledger::obligation::State;
    let mine: Vec<&Obligation> = obligations.iter().filter(|o| o.unit == unit).collect();
    let count = |state: State| match mine.iter().filter(|o| o.state == state).count() {
        0 => String::new(),
        n => n.to_string(),
    };
    let mut row = vec![unit.to_owned(), mine.len().to_string()];
    row.extend([State::OnTime, State::Late, State::Rejected, State::Quarantined, State::Missing].map(count));
    row
}

fn paths(lived: &Lived) -> String {
    let config = lived.config.display();
    format!(
        "\nLook at:\n  {}   the consolidated workbook\n  {}   the circular\n  {}/   every mail that was sent (.eml)\n\n\
         Ask the ledger:\n  taizhang -c {config} status --period {}\n  taizhang -c {config} quarantine\n  taizhang -c {config} findings\n  taizhang -c {config} verify",
        lived.workbook.display(),
        lived.circular.display(),
        lived.sent.display(),
        lived.period,
    )
}
