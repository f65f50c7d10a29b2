//! `export`: the ledger out, as JSON, CSV (UTF-8 with BOM, for Excel) or XLSX.

use std::io::Write;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::arguments::{Export, Format, What};
use super::listing::unit_name;
use super::report::write_private;
use super::{Office, Outcome};
use crate::form::record::Values;
use crate::form::{Datum, Form, FormKind};
use crate::ledger::query;
use crate::report::export;

/// A listing before it takes a format: column keys, and rows by key.
struct Listing {
    keys: Vec<String>,
    rows: Vec<Map<String, Value>>,
}

pub async fn run(office: Office, options: Export) -> Result<Outcome> {
    let unit = options.unit.as_ref().map(|u| unit_name(&office, u)).transpose()?;
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let mut listing = match options.what {
        What::Progress => {
            let mut figures = query::figures(&mut conn, options.period).await?;
            figures.retain(|f| options.as_of.is_none_or(|last| f.period <= last));
            progress(&office, figures)
        }
        What::Register => register(&office, query::entries(&mut conn, options.as_of.or(options.period)).await?),
        What::History => history(query::history(&mut conn, options.period, options.as_of).await?)?,
    };
    if let Some(unit) = unit {
        listing.rows.retain(|row| row["unit"] == unit.as_str());
    }
    let bytes = match options.format {
        Format::Json => {
            let mut bytes = serde_json::to_vec_pretty(&listing.rows)?;
            bytes.push(b'\n');
            bytes
        }
        Format::Csv => export::csv(&listing.keys, &cells(&listing))?,
        Format::Xlsx => export::xlsx(title(options.what), &listing.keys, &cells(&listing), office.now())?,
    };
    match options.out {
        Some(path) => write_private(&path, &bytes)?,
        None => match std::io::stdout().lock().write_all(&bytes) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {}
            other => other?,
        },
    }
    Ok(Outcome::Done)
}

fn title(what: What) -> &'static str {
    match what {
        What::Progress => "progress",
        What::Register => "register",
        What::History => "history",
    }
}

fn cells(listing: &Listing) -> Vec<Vec<Datum>> {
    let cell = |row: &Map<String, Value>, key: &String| match row.get(key) {
        None | Some(Value::Null) => Datum::Null,
        Some(Value::Bool(b)) => Datum::Bool(*b),
        Some(Value::Number(n)) => n.as_i64().map_or_else(|| Datum::Rate(n.as_f64().unwrap_or_default()), Datum::Int),
        Some(Value::String(s)) => Datum::Text(s.clone()),
        Some(other) => Datum::Text(other.to_string()),
    };
    listing.rows.iter().map(|row| listing.keys.iter().map(|key| cell(row, key)).collect()).collect()
}

/// All columns of the form; where no return ever had one, what a blank means for it (正常 for a status), else null.
fn fill(row: &mut Map<String, Value>, form: &Form, values: &Values) {
    for column in &form.columns {
        let value = match values.get(&column.key) {
            Some(value) => serde_json::to_value(value).unwrap_or(Value::Null),
            None => json!(column.default),
        };
        row.insert(column.key.clone(), value);
    }
}

fn keys(before: &[&str], office: &Office, kind: FormKind, after: &[&str]) -> Vec<String> {
    let columns = office.config.campaign.forms.iter().filter(|f| f.kind == kind).flat_map(|f| &f.columns);
    let columns = columns.map(|c| c.key.as_str()).filter(|k| !before.contains(k));
    before.iter().copied().chain(columns).chain(after.iter().copied()).map(str::to_owned).collect()
}

fn progress(office: &Office, figures: Vec<query::Figure>) -> Listing {
    let row = |f: query::Figure| {
        let mut row = Map::new();
        if let Some(form) = office.config.campaign.form(&f.form) {
            fill(&mut row, form, &f.values);
        }
        row.extend([
            ("period".to_owned(), json!(f.period)),
            ("unit".to_owned(), json!(f.unit)),
            ("stream".to_owned(), json!(f.stream)),
            ("version".to_owned(), json!(f.version)),
            ("file".to_owned(), json!(f.file)),
            ("sheet".to_owned(), json!(f.sheet)),
            ("row".to_owned(), json!(f.row)),
        ]);
        row
    };
    Listing {
        keys: keys(&["period", "unit", "stream"], office, FormKind::Figures, &["version", "file", "sheet", "row"]),
        rows: figures.into_iter().map(row).collect(),
    }
}

fn register(office: &Office, entries: Vec<query::Entry>) -> Listing {
    let row = |e: query::Entry| {
        let mut row = Map::new();
        if let Some(form) = office.config.campaign.form(&e.form) {
            fill(&mut row, form, &e.values);
        }
        row.extend([
            ("unit".to_owned(), json!(e.unit)),
            ("stream".to_owned(), json!(e.stream)),
            ("first_period".to_owned(), json!(e.first_period)),
            ("last_period".to_owned(), json!(e.last_period)),
            ("vanished".to_owned(), json!(e.vanished)),
            ("file".to_owned(), json!(e.file)),
            ("sheet".to_owned(), json!(e.sheet)),
            ("row".to_owned(), json!(e.row)),
        ]);
        row
    };
    let after = ["first_period", "last_period", "vanished", "file", "sheet", "row"];
    Listing {
        keys: keys(&["unit", "stream"], office, FormKind::Book, &after),
        rows: entries.into_iter().map(row).collect(),
    }
}

fn history(steps: Vec<query::Step>) -> Result<Listing> {
    let keys = ["unit", "stream", "name", "period", "change", "file", "sheet", "row", "message", "received_at"];
    let mut rows = Vec::new();
    for step in steps {
        let mut row = match serde_json::to_value(&step)? {
            Value::Object(row) => row,
            _ => Map::new(),
        };
        row.insert("values".to_owned(), serde_json::to_value(&step.values)?);
        rows.push(row);
    }
    Ok(Listing {
        keys: keys.iter().map(|k| (*k).to_owned()).chain(["values", "mail"].map(str::to_owned)).collect(),
        rows,
    })
}
