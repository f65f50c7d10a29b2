//! `verify`: whether the ledger is what was stored, and what the stored mail says; one line a matter, then what differs,
//! and at the end what that means and what to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use super::ingest::bar;
use super::print::clip;
use super::{Office, Outcome, print};
use crate::db::seal::{Basis, Broken};
use crate::jobs::verify::{self, Cause, Difference, Reading, Report};

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
    let lost = report.lost.len();
    let but = |n: usize, what: &str| if n > 0 { format!(", {n} {what}") } else { String::new() };
    line(lost == 0, format!("raw mail: {}{}", counted(report.mails, "file"), but(lost, "gone or changed")))?;
    for lost in report.lost.iter().take(SHOWN) {
        let how = if lost.gone { "is gone" } else { "was changed" };
        print::line(&format!("      message {}: {} {how}", lost.message, lost.file))?;
    }
    if !report.unknown_files.is_empty() {
        print::line(&format!("look  raw mail: {} of no message", counted(report.unknown_files.len(), "file")))?;
        for file in report.unknown_files.iter().take(SHOWN) {
            print::line(&format!("      {file}"))?;
        }
    }
    let broken = report.broken.total;
    line(broken == 0, format!("seals: {}{}", report.seals, but(broken, "broken")))?;
    for seal in report.broken.listed.iter().take(SHOWN) {
        let written = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format(", sealed %Y-%m-%d %H:%M");
        let at = seal.sealed_at.map(|at| written(at).to_string()).unwrap_or_default();
        let how = match seal.how {
            Broken::Changed => format!("was changed by something else than this program{at}"),
            Broken::Gone => format!("was deleted by something else than this program{at}"),
            Broken::Unsealed => "was added by something else than this program".to_owned(),
        };
        print::line(&format!("      {} {how}", seal.subject))?;
    }
    match &report.reading {
        None => print::line("--    read again: left out")?,
        Some(reading) => show_reading(reading, line)?,
    }
    print::line("")?;
    for sentence in conclusion(report) {
        print::line(sentence)?;
    }
    Ok(())
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn show_reading(reading: &Reading, line: impl Fn(bool, String) -> Result<()>) -> Result<()> {
    let what = format!("read again: {} assessments", reading.assessments);
    let Reading { differences: found, .. } = reading;
    if found.total == 0 {
        return line(true, format!("{what}, the same ledger"));
    }
    print::line(&format!("DIFF  {what}, {}", counted(found.total, "difference")))?;
    for (why, n) in causes(&found.listed) {
        print::line(&format!("      {n}: {why}"))?;
    }
    differences(&found.listed, found.total)
}

/// How many differences there are of each cause and column, most first.
fn causes(listed: &[Difference]) -> Vec<(String, usize)> {
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    for difference in listed {
        let of = if difference.column.is_empty() { "whole rows" } else { &difference.column };
        *causes.entry(format!("{of} ({})", why(&difference.cause))).or_default() += 1;
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    causes
}

/// What that means and what to do, for somebody who never saw it before.
fn conclusion(report: &Report) -> Vec<&'static str> {
    let quick = report.reading.is_none();
    let differs = report.reading.as_ref().is_some_and(|reading| reading.differences.total > 0);
    if report.is_damaged() {
        return vec![
            "DAMAGED: what is stored is not what this program stored.",
            "Stop the program, keep this folder as it is, and restore the last backup into another one; mail that came since \
             then is taken again from the mailboxes.",
        ];
    }
    let mut list = Vec::new();
    match (differs, report.unknown_files.is_empty()) {
        (false, true) if quick => list.push("WELL: what is stored is what was stored. The mail was not read again."),
        (false, true) => list.push("WELL: what is stored is what was stored, and the mail says the same today."),
        _ => list.push("LOOK: what is stored is what was stored; but a person has to look."),
    }
    if differs {
        list.push(
            "Today the mail would be read differently. The ledger stays as it is until a mail is assessed again. If the \
             change was not meant, put back the form files, registry, settings or program of before.",
        );
    }
    if !report.unknown_files.is_empty() {
        list.push(
            "Files of no message are left where the program was stopped while it stored a mail; else remove them.",
        );
    }
    list
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::verify::List;

    fn report(differences: Vec<Difference>, unknown_files: Vec<String>) -> Report {
        let differences = List { total: differences.len(), listed: differences };
        Report { unknown_files, reading: Some(Reading { assessments: 1, differences }), ..Report::default() }
    }

    fn phone(cause: Cause) -> Difference {
        Difference { column: "phone".to_owned(), cause, ..Difference::default() }
    }

    #[test]
    fn the_last_lines_say_what_it_means_and_agree_with_the_exit_code() {
        let first = |report: &Report| (conclusion(report)[0].split(':').next().unwrap_or_default(), outcome(report));
        assert!(matches!(first(&report(vec![], vec![])), ("WELL", Outcome::Done)));
        assert!(matches!(first(&Report::default()), ("WELL", Outcome::Done)));
        assert!(conclusion(&Report::default())[0].contains("not read again"), "of --quick");
        assert!(matches!(first(&report(vec![phone(Cause::Unknown)], vec![])), ("LOOK", Outcome::NeedsPerson)));
        assert!(matches!(first(&report(vec![], vec!["x.eml".to_owned()])), ("LOOK", Outcome::NeedsPerson)));
        let damaged = Report { database: vec!["page 3".to_owned()], ..report(vec![phone(Cause::Unknown)], vec![]) };
        assert!(matches!(first(&damaged), ("DAMAGED", Outcome::Failed)));
    }

    #[test]
    fn many_differences_are_summed_up_by_column_and_cause() {
        let otherwise = || phone(Cause::ReadDifferently { since: vec!["forms"] });
        let list = [otherwise(), phone(Cause::StoredDataChanged), otherwise(), Difference::default()];
        let causes = causes(&list);
        assert_eq!(causes[0], ("phone (read differently: other forms since)".to_owned(), 2));
        assert!(causes.contains(&("phone (the stored data were changed)".to_owned(), 1)));
        assert!(causes.iter().any(|(why, _)| why.starts_with("whole rows")));
    }
}
