//! `history`: every value that one organisation or one figure ever had, and which mail, file and cell said so.

use anyhow::Result;
use serde_json::json;

use super::arguments::History;
use super::listing::{local, short, unit_name};
use super::{Office, Outcome, print};
use crate::form::{Column, Form, FormKind};
use crate::ledger::query::trace::{self, Among, Organisation, Value};
use crate::ledger::traced::{self, Source, Step};
use crate::period::Period;

pub async fn run(office: Office, action: History) -> Result<Outcome> {
    match action {
        History::Organisation { name, unit, stream } => organisation(&office, &name, unit, stream).await,
        History::Figure { key, unit, stream, period } => figure(&office, &key, &unit, (stream, period)).await,
    }
}

async fn organisation(office: &Office, text: &str, unit: Option<String>, stream: Option<String>) -> Result<Outcome> {
    let unit = unit.map(|u| unit_name(office, &u)).transpose()?;
    let among = Among { unit: unit.as_deref(), stream: stream.as_deref() };
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let mut all = trace::organisations(&mut conn, among).await?;
    if !all.iter().any(|o| o.known.is(text)) {
        all.extend(trace::former(&mut conn, among).await?.into_iter().filter(|o| o.known.is(text)));
    }
    let found: Vec<&Organisation> = all.iter().filter(|o| o.known.is(text)).collect();
    let [one] = found.as_slice() else {
        let (said, candidates) = match found.is_empty() {
            false => ("several organisations are called so; name the unit, the stream or the code", found),
            true => ("no book has this organisation", all.iter().filter(|o| o.known.may_be(text)).collect()),
        };
        eprintln!("taizhang: {text}: {said}");
        for o in candidates.iter().take(CANDIDATES) {
            eprintln!("  {}  {}  {}  {}", o.name, o.code.as_deref().unwrap_or("-"), o.unit, o.stream);
        }
        if candidates.len() > CANDIDATES {
            eprintln!("  and {} more", candidates.len() - CANDIDATES);
        }
        return Ok(Outcome::Failed);
    };
    let versions = trace::versions_of(&mut conn, one).await?;
    let form = office.config.campaign.form(&one.form);
    let steps = form.map(|form| traced::steps(form, &versions)).unwrap_or_default();
    match office.json {
        true => organisation_json(office, one, &steps)?,
        false => organisation_table(office, one, &steps)?,
    }
    Ok(Outcome::Done)
}

/// So many are named where a name is not clear.
const CANDIDATES: usize = 20;

fn organisation_json(office: &Office, of: &Organisation, steps: &[Step]) -> Result<()> {
    let mut document = serde_json::to_value(of)?;
    document["names"] = of.names.iter().map(|(name, period)| json!({ "name": name, "period": period })).collect();
    let mut list = Vec::new();
    for step in steps {
        let mut step_json = serde_json::to_value(step)?;
        times(office, &step.source, &mut step_json);
        list.push(step_json);
    }
    document["steps"] = list.into();
    print::json(&document)
}

/// Times in the configured zone, as everywhere in JSON.
fn times(office: &Office, source: &Source, document: &mut serde_json::Value) {
    let zone = office.config.timezone;
    document["received_at"] = local(source.received_at, zone).into();
    document["known_at"] = local(source.known_at, zone).into();
    document["until"] = source.until.map(|t| local(t, zone)).into();
}

fn organisation_table(office: &Office, of: &Organisation, steps: &[Step]) -> Result<()> {
    let code = of.code.as_deref().unwrap_or("-");
    let status = of.status.as_deref().unwrap_or("in no version that counts");
    print::line(&format!("{}  {code}  {}  {}  {status}", of.name, of.unit, of.stream))?;
    for (name, period) in of.names.iter().filter(|_| of.names.len() > 1) {
        print::line(&format!("named {name} from {period}"))?;
    }
    let mut rows = Vec::new();
    for step in steps {
        let place = |cell: Option<&str>| match (&step.sheet, cell) {
            (Some(sheet), Some(cell)) => format!("{sheet}!{cell}"),
            (Some(sheet), None) => format!("{sheet} row {}", step.row.unwrap_or_default()),
            (None, _) => String::new(),
        };
        let row = |what: String, place: String| {
            let mut row = version(&step.source);
            row.extend([step.change.as_str().to_owned(), what, place]);
            row.extend(origin(office, &step.source));
            row
        };
        if step.values.is_empty() {
            rows.push(row(String::new(), place(None)));
        }
        for value in &step.values {
            let what = format!("{}: {} → {}", value.label, shown(&value.before), shown(&value.after));
            rows.push(row(what, place(value.cell.as_deref())));
        }
    }
    print::table(
        &["period", "version", "standing", "change", "what", "where", "file", "mail", "received", "known"],
        rows,
    )
}

fn shown(value: &crate::form::Datum) -> String {
    if value.is_null() { "-".to_owned() } else { print::clip(&value.shown(), 40) }
}

fn version(source: &Source) -> Vec<String> {
    let number = source.version.map(|v| v.to_string()).unwrap_or_default();
    vec![source.period.to_string(), number, source.standing.as_str().to_owned()]
}

fn origin(office: &Office, source: &Source) -> [String; 4] {
    let at = |t| short(t, office.config.timezone);
    [source.file.clone(), source.message.to_string(), at(source.received_at), at(source.known_at)]
}

async fn figure(
    office: &Office,
    key: &str,
    unit: &str,
    (stream, period): (Option<String>, Option<Period>),
) -> Result<Outcome> {
    let unit = unit_name(office, unit)?;
    let forms = office.config.campaign.forms.iter().filter(|f| f.kind == FormKind::Figures);
    let columns: Vec<(&Form, &Column)> = forms.flat_map(|f| f.columns.iter().map(move |c| (f, c))).collect();
    let found: Vec<&(&Form, &Column)> = columns.iter().filter(|(_, c)| c.key == key || c.label() == key).collect();
    let [(form, column)] = found.as_slice() else {
        let many = if found.is_empty() { "no figure is called so" } else { "several figures are called so" };
        eprintln!("taizhang: {key}: {many}; figures:");
        for (_, column) in &columns {
            eprintln!("  {}  {}", column.key, column.label());
        }
        return Ok(Outcome::Failed);
    };
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let mut values: Vec<Value> = Vec::new();
    for s in &office.config.campaign.streams {
        if stream.as_ref().is_none_or(|wanted| *wanted == s.key || *wanted == s.title) {
            values.extend(trace::values(&mut conn, (&unit, &s.key), form, &column.key).await?);
        }
    }
    values.retain(|v| period.is_none_or(|p| p == v.source.period));
    if values.is_empty() {
        eprintln!("taizhang: {unit} has reported no such figure");
        return Ok(Outcome::Failed);
    }
    match office.json {
        true => figure_json(office, (&unit, column), &values)?,
        false => figure_table(office, (&unit, column), &values)?,
    }
    Ok(Outcome::Done)
}

fn figure_json(office: &Office, (unit, column): (&str, &Column), values: &[Value]) -> Result<()> {
    let mut list = Vec::new();
    for value in values {
        let mut value_json = serde_json::to_value(value)?;
        times(office, &value.source, &mut value_json);
        list.push(value_json);
    }
    print::json(&json!({ "key": column.key, "label": column.label(), "unit": unit, "values": list }))
}

fn figure_table(office: &Office, (unit, column): (&str, &Column), values: &[Value]) -> Result<()> {
    print::line(&format!("{}  {}  {unit}", column.key, column.label()))?;
    let rows = values.iter().map(|v| {
        let place = v.cell.as_ref().map_or_else(|| v.sheet.clone(), |cell| format!("{}!{cell}", v.sheet));
        let withheld = if v.withheld { " (kept out by an error)" } else { "" };
        let mut row = vec![v.source.stream.clone()];
        row.extend(version(&v.source));
        row.extend([format!("{}{withheld}", shown(&v.value)), place]);
        row.extend(origin(office, &v.source));
        row
    });
    print::table(
        &["stream", "period", "version", "standing", "value", "where", "file", "mail", "received", "known"],
        rows.collect(),
    )
}
