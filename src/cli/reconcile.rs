//! `reconcile`: a list of organisations from elsewhere beside the ledger. Nothing in the ledger changes.

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::arguments::Reconcile;
use super::ledger::{file_name, known_stream};
use super::report::write_private;
use super::{Office, Outcome, print};
use crate::config::Registry;
use crate::form::Datum;
use crate::form::roll::{Roll, Row, Table, with_lists};
use crate::ledger::query;
use crate::ledger::reconcile::{self, By, Organisation};
use crate::message::{Attachment, attachment};
use crate::reader::{Reader, Source};
use crate::report::reconciled::{self, Kept, Listed, Reconciled};
use crate::submission::baseline::{self, with_units};
use crate::submission::documents::Way;
use crate::submission::units::find_units;
use crate::workbook::Refusal;

/// What is compared, and the running number; the list's other columns are only shown.
const COMPARED: [&str; 5] = ["name", "code", "legal_rep", "address", "seq"];

pub async fn run(office: Office, options: Reconcile) -> Result<Outcome> {
    let Reconcile { file, stream, as_of, out } = options;
    known_stream(&office, stream.as_deref())?;
    let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let name = file_name(&file);
    let tables = read(&office, &name, bytes).await?;
    let (others, listed) = listed(&tables, &office.config.registry);
    drop(tables);
    let kept = kept(&office, stream.as_deref(), as_of).await?;
    if kept.iter().any(|k| k.stream != kept[0].stream) {
        eprintln!("taizhang: compared with the books of every stream; of a list of one only, name it with --stream");
    }
    let organisations: Vec<Organisation> = listed.iter().map(|l| l.organisation.clone()).collect();
    let entries: Vec<Organisation> = kept.iter().map(|k| k.organisation.clone()).collect();
    let data = Reconciled {
        department: &office.config.department,
        registry: &office.config.registry,
        campaign: &office.config.campaign,
        file: &name,
        as_of,
        stream: stream.as_deref(),
        at: office.now(),
        others,
        outcome: reconcile::reconcile(&organisations, &entries),
        listed,
        kept,
    };
    let out = out
        .unwrap_or_else(|| PathBuf::from(format!("比对结果-{}.xlsx", file.file_stem().unwrap_or_default().display())));
    write_private(&out, &reconciled::build(&data)?)?;
    match office.json {
        true => print::json(&document(&data, &out.display().to_string()))?,
        false => show(&data, &out.display().to_string())?,
    }
    let open = !data.outcome.unsurveyed.is_empty() || !data.outcome.unlisted.is_empty();
    Ok(if open { Outcome::NeedsPerson } else { Outcome::Done })
}

/// Every list in the file, with the name of the file that it is in where it is an archive.
async fn read(office: &Office, name: &str, bytes: Vec<u8>) -> Result<Vec<Table>> {
    let mut config = office.config.clone();
    config.campaign = with_lists(&with_units(&office.config.campaign));
    let mut reader = Reader::for_people(&config);
    let until = Instant::now() + Reader::PATIENCE;
    let kind = attachment::sniff(&bytes, name);
    let file = Attachment { name: name.to_owned(), kind, bytes };
    let paths = match Way::of(kind) {
        Way::Read => vec![Vec::new()],
        Way::Unpack => {
            let members = reader.list(Source { attachment: &file, path: &[] }, until).await?;
            let members = members.map_err(|why| anyhow!("{name} cannot be opened: {why}"))?;
            members.iter().enumerate().filter(|(_, m)| Way::of(m.kind) == Way::Read).map(|(i, _)| vec![i]).collect()
        }
        Way::Leave => return Err(anyhow!("{name} is no spreadsheet; save the list as .xlsx and try again")),
    };
    let mut roll = Roll::default();
    for path in &paths {
        let found = reader.roll(Source { attachment: &file, path }, until).await?;
        let found = found.map_err(|why| anyhow!("{name} cannot be read: {}", told(&why)))?;
        roll.tables.extend(found.tables);
        roll.unrecognised.extend(found.unrecognised);
    }
    if roll.tables.is_empty() {
        return Err(anyhow!(
            "no list of organisations is found in {name}: a row of headings must have one for the names (企业名称, 单位名称, \
             组织名称 …), above the rows{}",
            if roll.unrecognised.is_empty() {
                String::new()
            } else {
                format!("; sheets: {}", roll.unrecognised.join(", "))
            }
        ));
    }
    for sheet in &roll.unrecognised {
        eprintln!("taizhang: sheet {sheet} holds no list of organisations and is left out");
    }
    Ok(roll.tables)
}

fn told(why: &Refusal) -> String {
    match why {
        Refusal::Encrypted => "it is protected by a password; save it without one".to_owned(),
        other => other.to_string(),
    }
}

/// The rows of all tables under one set of headings.
fn listed(tables: &[Table], registry: &Registry) -> (Vec<String>, Vec<Listed>) {
    let mut others: Vec<String> = Vec::new();
    for table in tables {
        let shown = |i: &usize| !COMPARED.iter().any(|key| table.fields.get(*key) == Some(i));
        for i in (0..table.headings.len()).filter(shown) {
            if !others.contains(&table.headings[i]) {
                others.push(table.headings[i].clone());
            }
        }
    }
    let row = |table: &Table, row: &Row| {
        let organisation = Organisation {
            name: table.cell(row, "name").to_owned(),
            code: table.cell(row, "code").to_owned(),
            legal_rep: table.cell(row, "legal_rep").to_owned(),
            address: table.cell(row, "address").to_owned(),
            closed: false,
        };
        let other = |heading: &String| {
            let at = (0..table.headings.len())
                .find(|i| table.headings[*i] == *heading && !COMPARED.iter().any(|k| table.fields.get(*k) == Some(i)));
            at.and_then(|i| row.cells.get(i)).cloned().unwrap_or_default()
        };
        Listed {
            unit: unit(registry, [table.cell(row, baseline::UNIT), &organisation.address]),
            organisation,
            place: format!("{} 第{}行", table.sheet, row.row),
            others: others.iter().map(other).collect(),
        }
    };
    let rows = tables.iter().flat_map(|t| t.rows.iter().map(move |r| (t, r))).map(|(t, r)| row(t, r)).collect();
    (others, rows)
}

/// The first text that names exactly one unit.
fn unit(registry: &Registry, texts: [&str; 2]) -> Option<String> {
    texts.into_iter().find_map(|text| match find_units(text, registry).as_slice() {
        [one] => Some(one.name.clone()),
        _ => None,
    })
}

async fn kept(office: &Office, stream: Option<&str>, as_of: Option<crate::period::Period>) -> Result<Vec<Kept>> {
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let entries = query::entries(&mut conn, as_of).await?;
    let kept = entries.into_iter().filter(|e| stream.is_none_or(|s| s == e.stream)).map(|e| {
        let text = |key: &str| e.values.get(key).and_then(Datum::text).unwrap_or_default().to_owned();
        let organisation = Organisation {
            name: text("name"),
            code: text("code"),
            legal_rep: text("legal_rep"),
            address: text("address"),
            closed: e.closed,
        };
        Kept { organisation, unit: e.unit, stream: e.stream }
    });
    Ok(kept.collect())
}

fn show(data: &Reconciled, out: &str) -> Result<()> {
    let outcome = &data.outcome;
    let found = data.listed.len() - outcome.unsurveyed.len();
    let active = data.kept.iter().filter(|k| !k.organisation.closed).count();
    let rows = [
        ("rows of the list", data.listed.len()),
        ("active entries of the ledger", active),
        ("rows found in the ledger (一致)", found),
        ("rows in no book (未摸排)", outcome.unsurveyed.len()),
        ("entries not on the list (不在名单)", outcome.unlisted.len()),
        ("perhaps the same, counted as neither (疑似)", outcome.similar.len()),
        ("rows that repeat one above", outcome.repeats.len()),
    ];
    print::table(&["what", "number"], rows.map(|(what, n)| vec![what.to_owned(), n.to_string()]).to_vec())?;
    print::line("")?;
    print::line(&format!("written: {out}"))
}

fn document(data: &Reconciled, out: &str) -> Value {
    let outcome = &data.outcome;
    let listed = |i: usize| {
        let Listed { organisation: o, unit, place, .. } = &data.listed[i];
        json!({ "name": o.name, "code": o.code, "legal_rep": o.legal_rep, "address": o.address, "unit": unit, "place": place })
    };
    let kept = |k: usize| {
        let Kept { organisation: o, unit, stream } = &data.kept[k];
        json!({ "name": o.name, "code": o.code, "legal_rep": o.legal_rep, "address": o.address, "unit": unit,
                "stream": stream, "closed": o.closed })
    };
    let same = outcome.same.iter().map(|p| {
        let differences = reconcile::differences(&data.listed[p.listed].organisation, &data.kept[p.kept].organisation);
        let by = if p.by == By::Code { "code" } else { "name" };
        json!({ "by": by, "list": listed(p.listed), "ledger": kept(p.kept), "differences": differences })
    });
    let similar = outcome.similar.iter();
    let similar = similar.map(|s| json!({ "reason": s.reason, "list": listed(s.listed), "ledger": kept(s.kept) }));
    json!({
        "file": out,
        "rows": data.listed.len(),
        "same": same.collect::<Vec<_>>(),
        "unsurveyed": outcome.unsurveyed.iter().map(|i| listed(*i)).collect::<Vec<_>>(),
        "unlisted": outcome.unlisted.iter().map(|k| kept(*k)).collect::<Vec<_>>(),
        "similar": similar.collect::<Vec<_>>(),
        "repeats": outcome.repeats.keys().map(|i| listed(*i)).collect::<Vec<_>>(),
    })
}
