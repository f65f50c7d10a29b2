//! `export`: the ledger out, as JSON, CSV (UTF-8 with BOM, for Excel) or XLSX. A value is moved from the query to its
//! cell, and no row is a map on the way: a district has four thousand of some forty cells.

use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use anyhow::Result;
use chrono::SecondsFormat;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::arguments::{Export, Format, What};
use super::listing::unit_name;
use super::report::write_private;
use super::{Office, Outcome};
use crate::form::record::Values;
use crate::form::{Campaign, Column, Datum, FormKind};
use crate::ledger::query;
use crate::report::export;

/// A table before it takes a format: keys of its columns, and cells in their order.
struct Listing {
    keys: Vec<String>,
    rows: Vec<Vec<Datum>>,
}

pub async fn run(office: Office, options: Export) -> Result<Outcome> {
    let unit = options.unit.as_ref().map(|u| unit_name(&office, u)).transpose()?;
    let wanted = |name: &str| unit.as_deref().is_none_or(|unit| unit == name);
    let campaign = &office.config.campaign;
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let listing = match options.what {
        What::Progress => {
            let mut figures = query::figures(&mut conn, options.period).await?;
            figures.retain(|f| options.as_of.is_none_or(|last| f.period <= last) && wanted(&f.unit));
            progress(campaign, figures)
        }
        What::Register => {
            let mut entries = query::entries(&mut conn, options.as_of.or(options.period)).await?;
            entries.retain(|e| wanted(&e.unit));
            register(campaign, entries)
        }
        What::History => {
            let mut steps = query::history(&mut conn, options.period, options.as_of).await?;
            steps.retain(|s| wanted(&s.unit));
            if matches!(options.format, Format::Json) {
                return write(options.out.as_deref(), &json(&steps)?);
            }
            history(campaign, steps)
        }
    };
    let bytes = match options.format {
        Format::Json => json(&listing.objects())?,
        Format::Csv => export::csv(&listing.keys, &listing.rows)?,
        Format::Xlsx => export::xlsx(title(options.what), &listing.keys, &listing.rows, office.now())?,
    };
    write(options.out.as_deref(), &bytes)
}

fn write(out: Option<&Path>, bytes: &[u8]) -> Result<Outcome> {
    match out {
        Some(path) => write_private(path, bytes)?,
        None => match std::io::stdout().lock().write_all(bytes) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {}
            other => other?,
        },
    }
    Ok(Outcome::Done)
}

fn json(document: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn title(what: What) -> &'static str {
    match what {
        What::Progress => "progress",
        What::Register => "register",
        What::History => "history",
    }
}

impl Listing {
    fn new(before: &[&str], columns: &Columns<'_>, after: &[&str], rows: Vec<Vec<Datum>>) -> Self {
        let keys = before.iter().chain(&columns.keys).chain(after).map(|key| (*key).to_owned()).collect();
        Self { keys, rows }
    }

    /// The rows as JSON objects, their keys in alphabetical order.
    fn objects(&self) -> Vec<Object<'_>> {
        let mut order: Vec<(&str, usize)> = self.keys.iter().enumerate().map(|(i, key)| (key.as_str(), i)).collect();
        order.sort_unstable();
        let order: Rc<[(&str, usize)]> = order.into();
        self.rows.iter().map(|cells| Object { order: Rc::clone(&order), cells }).collect()
    }
}

struct Object<'a> {
    order: Rc<[(&'a str, usize)]>,
    cells: &'a [Datum],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.order.len()))?;
        for (key, i) in self.order.iter() {
            map.serialize_entry(key, &self.cells[*i])?;
        }
        map.end()
    }
}

/// The columns of all forms of a kind, each once.
struct Columns<'a> {
    keys: Vec<&'a str>,
    /// Of each form by its key: which of its columns stands where.
    forms: Vec<(&'a str, Vec<Option<&'a Column>>)>,
}

impl<'a> Columns<'a> {
    /// Without those that have a `taken` key.
    fn of(campaign: &'a Campaign, kind: FormKind, taken: &[&str]) -> Self {
        let forms = || campaign.forms.iter().filter(move |f| f.kind == kind);
        let mut keys: Vec<&str> = Vec::new();
        for column in forms().flat_map(|f| &f.columns) {
            if !taken.contains(&column.key.as_str()) && !keys.contains(&column.key.as_str()) {
                keys.push(&column.key);
            }
        }
        let places = |columns: &'a [Column]| keys.iter().map(|k| columns.iter().find(|c| c.key == **k)).collect();
        let forms = forms().map(|f| (f.key.as_str(), places(&f.columns))).collect();
        Self { keys, forms }
    }

    /// The cells of one row. What `values` lacks is `lacking` of the column, and null where the form has no such column.
    fn fill(&self, cells: &mut Vec<Datum>, form: &str, mut values: Values, lacking: fn(&Column) -> Datum) {
        let Some((_, columns)) = self.forms.iter().find(|(key, _)| *key == form) else {
            cells.extend(self.keys.iter().map(|_| Datum::Null));
            return;
        };
        let mut cell = |column: &Column| values.remove(&column.key).unwrap_or_else(|| lacking(column));
        cells.extend(columns.iter().map(|column| column.map_or(Datum::Null, &mut cell)));
    }
}

/// Where no return ever had a column: what a blank means for it (正常 for a status), else null.
fn blank(column: &Column) -> Datum {
    column.default.clone().map_or(Datum::Null, Datum::Text)
}

fn progress(campaign: &Campaign, figures: Vec<query::Figure>) -> Listing {
    let before = ["period", "unit", "stream"];
    let columns = Columns::of(campaign, FormKind::Figures, &before);
    let row = |f: query::Figure| {
        let mut cells = vec![Datum::Text(f.period.to_string()), Datum::Text(f.unit), Datum::Text(f.stream)];
        columns.fill(&mut cells, &f.form, f.values, blank);
        cells.extend([
            Datum::Int(f.version.into()),
            Datum::Text(f.file),
            Datum::Text(f.sheet),
            Datum::Int(f.row.into()),
        ]);
        cells
    };
    let rows = figures.into_iter().map(row).collect();
    Listing::new(&before, &columns, &["version", "file", "sheet", "row"], rows)
}

fn register(campaign: &Campaign, entries: Vec<query::Entry>) -> Listing {
    let before = ["unit", "stream"];
    let columns = Columns::of(campaign, FormKind::Book, &before);
    let row = |e: query::Entry| {
        let mut cells = vec![Datum::Text(e.unit), Datum::Text(e.stream)];
        columns.fill(&mut cells, &e.form, e.values, blank);
        cells.extend([
            Datum::Text(e.first_period.to_string()),
            Datum::Text(e.last_period.to_string()),
            Datum::Bool(e.vanished),
            Datum::Text(e.file),
            Datum::Text(e.sheet),
            Datum::Int(e.row.into()),
        ]);
        cells
    };
    let rows = entries.into_iter().map(row).collect();
    Listing::new(&before, &columns, &["first_period", "last_period", "vanished", "file", "sheet", "row"], rows)
}

/// Each step with all values after it, a column each; in JSON they are an object of their own.
fn history(campaign: &Campaign, steps: Vec<query::Step>) -> Listing {
    let before =
        ["unit", "stream", "name", "period", "change", "file", "sheet", "row", "message", "received_at", "mail"];
    let columns = Columns::of(campaign, FormKind::Book, &before);
    let row = |s: query::Step| {
        let mut cells: Vec<Datum> =
            [s.unit, s.stream, s.name, s.period, s.change, s.file, s.sheet].map(Datum::Text).into();
        let received = s.received_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        cells.extend([Datum::Int(s.row.into()), Datum::Int(s.message), Datum::Text(received), Datum::Text(s.mail)]);
        columns.fill(&mut cells, &s.form, s.values, |_| Datum::Null);
        cells
    };
    let rows = steps.into_iter().map(row).collect();
    Listing::new(&before, &columns, &[], rows)
}
