//! `verify`: whether the ledger is what was stored, and what the stored mail says; one line a matter, then what differs.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use super::ingest::bar;
use super::listing::short;
use super::print::clip;
use super::{Office, Outcome, print};
use crate::db::seal::{Basis, Broken};
use crate::jobs::verify::{self, Cause, Difference, Report};

/// Rows that a table on the screen shows; `--json` has more.
const SHOWN: usize = 200;

pub async fn run(office: Office, quick: bool) -> Result<Outcome> {
    let bar = bar(0, "verify");
    let mut progress = |what: &'static str, done: u64, of: u64| {
        bar.set_prefix(what);
        bar.set_length(of);
        bar.set_position(done);
    };
    let (zone, json, today) = (office.config.timezone, office.json, Basis::of(&office.config));
    let config = Arc::new(office.config);
    let report = match quick {
        true => verify::quick(&config.data_dir, &mut progress).await?,
        false => verify::full(&config, &mut progress).await?,
    };
    bar.finish_and_clear();
    match json {
        true => {
            let mut document = serde_json::to_value(&report)?;
            (document["damaged"], document["today"]) = (report.is_damaged().into(), json!(today));
            print::json(&document)?;
        }
        false => show(&report, zone)?,
    }
    Ok(outcome(&report))
}

/// 1: stored data are damaged; 3: a person has to look.
pub(super) fn outcome(report: &Report) -> Outcome {
    match (report.is_damaged(), report.needs_person()) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::NeedsPerson,
        (false, false) => Outcome::Done,
    }
}

pub(super) fn show(report: &Report, zone: chrono_tz::Tz) -> Result<()> {
    let line = |good: bool, text: String| print::line(&format!("{}  {text}", if good { "ok  " } else { "FAIL" }));
    line(report.database.is_empty(), "database: pages, indexes and references".to_owned())?;
    for problem in &report.database {
        print::line(&format!("      {problem}"))?;
    }
    let (mails, lost) = (report.mails, report.lost.len());
    line(
        lost == 0,
        format!(
            "raw mail: {mails} files{}",
            if lost > 0 { format!(", {lost} gone or changed") } else { String::new() }
        ),
    )?;
    for lost in report.lost.iter().take(SHOWN) {
        let how = if lost.gone { "is gone" } else { "was changed" };
        print::line(&format!("      message {}: {} {how}; restore it from the backup", lost.message, lost.file))?;
    }
    if !report.unknown_files.is_empty() {
        print::line(&format!("look  raw mail: {} files belong to no message", report.unknown_files.len()))?;
        for file in report.unknown_files.iter().take(SHOWN) {
            print::line(&format!("      {file}"))?;
        }
    }
    let broken = report.broken.total;
    line(
        broken == 0,
        format!("seals: {}{}", report.seals, if broken > 0 { format!(", {broken} broken") } else { String::new() }),
    )?;
    for seal in report.broken.listed.iter().take(SHOWN) {
        let at = seal.sealed_at.map(|at| format!(" since {}", short(at, zone))).unwrap_or_default();
        let how = match seal.how {
            Broken::Changed => format!("was changed{at}"),
            Broken::Gone => format!("was deleted{at}"),
            Broken::Unsealed => "was added by something else than this program".to_owned(),
        };
        print::line(&format!("      {} {how}", seal.subject))?;
    }
    match &report.reading {
        None => print::line("      (the mail was not read again)"),
        Some(reading) => {
            let total = reading.differences.total;
            let what = format!("read again: {} assessments", reading.assessments);
            match total {
                0 => line(true, format!("{what}, the same ledger")),
                n => print::line(&format!("DIFF  {what}, {n} differences")),
            }?;
            differences(&reading.differences.listed, total)
        }
    }
}

fn differences(listed: &[Difference], total: usize) -> Result<()> {
    if listed.is_empty() {
        return Ok(());
    }
    let value = |v: &Option<String>| v.as_deref().map_or_else(|| "(nothing)".to_owned(), |v| clip(v, 40));
    let rows = listed.iter().take(SHOWN).map(|d| {
        let place = [&d.file, &d.sheet, &d.cell].into_iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>();
        vec![
            d.what.to_owned(),
            [&d.unit, &d.stream, &d.form, &d.period].map(String::as_str).join(" ").trim().to_owned(),
            clip(&d.name, 30),
            d.column.clone(),
            value(&d.stored),
            value(&d.now),
            d.message.map(|id| id.to_string()).unwrap_or_default(),
            place.join(" "),
            why(&d.cause),
        ]
    });
    print::table(
        &["what", "of", "organisation", "column", "stored", "read now", "mail", "place", "cause"],
        rows.collect(),
    )?;
    if total > SHOWN {
        print::line(&format!("… and {} more; see --json", total - SHOWN))?;
    }
    Ok(())
}

fn why(cause: &Cause) -> String {
    match cause {
        Cause::StoredDataChanged => "the stored data were changed".to_owned(),
        Cause::RawMailLost => "the raw mail is gone or was changed".to_owned(),
        Cause::ReadDifferently { since } if since.is_empty() => {
            "read differently, by the same program and settings".to_owned()
        }
        Cause::ReadDifferently { since } => format!("read differently: other {} since", since.join(", ")),
        Cause::Unknown | Cause::Derived => String::new(),
    }
}
