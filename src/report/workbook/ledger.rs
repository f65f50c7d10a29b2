//! 台账: every active organisation of one stream, unit by unit, in the register form's own columns. Pure.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::short_name;
use crate::form::{Datum, Form, Stream};
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, sheet_name};
use crate::report::table::{Entry, ReportData};
use crate::report::wording;

/// Heading of the column that says whose book the organisation is in.
const UNIT: &str = "填报单位";

pub fn write(sheet: &mut Worksheet, data: &ReportData, stream: &Stream, styles: &Styles) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(&format!("台账 {}", short_name(stream))))?;
    let Some(form) = data.book_form() else { return Ok(()) };
    let entries = by_unit(data, stream);
    let title = wording::form_title(data.campaign, form, stream);
    let title = format!("{}{title}（{}）", data.department.district, data.period.chinese());
    let note = format!("在册{}{}个　　　{}", stream.organisation, entries.len(), wording::sheet_note(data));
    let grid =
        Grid { fixed: 1 + name_column(form), two_pages: true, ..Grid::new(title, note, columns(form, &entries)) };
    let laid = grid.open(sheet, styles)?;
    let rows: Vec<Vec<Datum>> = entries.iter().enumerate().map(|(i, entry)| values(form, entry, i + 1)).collect();
    grid.rows(sheet, laid, &rows, styles)?;
    Ok(())
}

/// The stream's entries in the registry's order of units; units that left the registry come last.
fn by_unit<'a>(data: &'a ReportData, stream: &Stream) -> Vec<&'a Entry> {
    let place = |e: &Entry| data.registry.units.iter().position(|u| u.name == e.unit).unwrap_or(usize::MAX);
    let mut entries: Vec<&Entry> = data.entries.iter().filter(|e| e.stream == stream.key).collect();
    entries.sort_by_cached_key(|e| place(e));
    entries
}

/// Where the organisation's name comes to lie: the columns up to it stay in sight.
fn name_column(form: &Form) -> u16 {
    1 + form.columns.iter().position(|c| c.key == form.identity).unwrap_or(0) as u16
}

/// The column of units comes first, but for a running number.
fn unit_column(form: &Form) -> usize {
    usize::from(form.columns.first().is_some_and(|c| form.is_sequence(&c.key)))
}

fn columns(form: &Form, entries: &[&Entry]) -> Vec<GridColumn> {
    let mut columns = Vec::with_capacity(form.columns.len() + 1);
    for column in &form.columns {
        let values = entries.iter().filter_map(|e| e.values.get(&column.key));
        columns.push(GridColumn::of_form(form, column, values));
    }
    columns.insert(unit_column(form), GridColumn::new(UNIT, Look::Text, 13.0));
    columns
}

fn values(form: &Form, entry: &Entry, seq: usize) -> Vec<Datum> {
    let value = |key: &str| match entry.values.get(key) {
        _ if form.is_sequence(key) => Datum::Int(seq as i64),
        value => value.cloned().unwrap_or(Datum::Null),
    };
    let mut values: Vec<Datum> = form.columns.iter().map(|c| value(&c.key)).collect();
    values.insert(unit_column(form), Datum::Text(entry.unit.clone()));
    values
}
