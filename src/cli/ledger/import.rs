//! `ledger import`: the department's master ledger becomes the opening position of a period.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::cli::arguments::Import;
use crate::cli::{Office, Outcome, print, usage};
use crate::jobs::baseline::{self, Book, Handed, Imported};
use crate::period::Period;
use crate::submission::baseline::Opening;

pub async fn run(office: Office, options: Import) -> Result<Outcome> {
    let Import { file, period, stream, dry_run, who } = options;
    known_stream(&office, stream.as_deref())?;
    if period > Period::of(office.now().date_naive()) {
        return Err(usage(format!("--period: {period} has not begun; no book can stand as of then")));
    }
    let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let name = file_name(&file);
    let opening = Opening { period, stream };
    let handed = Handed { name: &name, bytes, opening: &opening, who: &who };
    let db = office.db().await?;
    let imported = baseline::import(&db, &office.config, handed, dry_run, office.clock.now()).await?;
    if office.json {
        let mut document = serde_json::to_value(&imported)?;
        document["period"] = json!(period);
        document["dry_run"] = json!(dry_run);
        print::json(&document)?;
    } else {
        show(&imported, period, dry_run)?;
    }
    let errors = imported.findings.iter().any(|f| f.severity == "error");
    Ok(match (taken(&imported.books), errors) {
        (0, _) => Outcome::Failed,
        (_, true) => Outcome::NeedsPerson,
        (_, false) => Outcome::Done,
    })
}

/// A stream that the campaign has, or none at all.
pub(in crate::cli) fn known_stream(office: &Office, stream: Option<&str>) -> Result<()> {
    let streams = &office.config.campaign.streams;
    match stream.filter(|s| !streams.iter().any(|known| known.key == **s)) {
        None => Ok(()),
        Some(unknown) => {
            let all: Vec<&str> = streams.iter().map(|s| s.key.as_str()).collect();
            Err(usage(format!("--stream: `{unknown}` is none of {}", all.join(", "))))
        }
    }
}

pub(in crate::cli) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn taken(books: &[Book]) -> u32 {
    books.iter().map(|b| b.taken).sum()
}

fn show(imported: &Imported, period: Period, dry_run: bool) -> Result<()> {
    let rows = imported.books.iter().map(|b| {
        let note = match b {
            Book { taken: 0, .. } => "not taken",
            Book { counts: false, .. } => "does not count: the unit's own return, or a later import, does",
            _ => "",
        };
        let text = [&b.unit, &b.stream, &b.form, &b.sheet].map(Clone::clone).to_vec();
        [text, vec![b.rows.to_string(), b.taken.to_string(), note.to_owned()]].concat()
    });
    print::table(&["unit", "stream", "form", "sheet", "rows", "taken", ""], rows.collect())?;
    if !imported.findings.is_empty() {
        let text = |o: &Option<String>| o.clone().unwrap_or_default();
        let rows = imported.findings.iter().map(|f| {
            vec![f.rule.clone(), f.severity.clone(), text(&f.unit), text(&f.sheet), text(&f.cell), f.message.clone()]
        });
        print::line("")?;
        print::table(&["rule", "severity", "unit", "sheet", "cell", "finding"], rows.collect())?;
    }
    let (books, entries) = (imported.books.iter().filter(|b| b.taken > 0).count(), taken(&imported.books));
    let what = format!("{books} books with {entries} rows, as of {period}");
    print::line("")?;
    print::line(&match (imported.message, dry_run) {
        (Some(id), _) if imported.already => {
            format!("this file was imported before (message {id}); read again, it says the same: nothing is changed")
        }
        _ if entries == 0 => "nothing in this file can be taken; nothing is changed".to_owned(),
        (_, true) => format!("would import {what}; nothing is changed (--dry-run)"),
        (Some(id), false) => {
            format!("imported {what}, message {id}; `taizhang quarantine reject {id} --reason …` takes it back")
        }
        (None, false) => "nothing is changed".to_owned(),
    })
}
