//! The rows of a table → records: which are data, what their columns as a whole say, and each cell's place. Pure.

use std::collections::BTreeMap;

use super::SheetReader;
use crate::form::definition::{ColumnKind, Form, FormKind};
use crate::form::finding::{Finding, Severity};
use crate::form::info;
use crate::form::lines::{Field, Source, Where, read_record};
use crate::form::number::number;
use crate::form::reading::{Return, Total};
use crate::form::recognise::Table;
use crate::form::record::Record;
use crate::form::row::{Columns, RowKind, classify, total_label};
use crate::form::value::{is_blank, rate_choices, shown, yes_no};
use crate::workbook::{CellValue, a1};

/// Column of the sheet → sum of its numbers so far.
type Sums = BTreeMap<u32, f64>;

/// How many of some rows, in order, lie between two.
fn rows_in(rows: &[u32], first: u32, last: u32) -> usize {
    rows.partition_point(|r| *r <= last) - rows.partition_point(|r| *r < first)
}

impl SheetReader<'_> {
    /// Reads the rows below a header; the first row that is no longer this table's is returned.
    pub(super) fn rows(&self, table: &Table, ret: &mut Return, last_table: bool) -> u32 {
        let form = &self.campaign.forms[table.form];
        let columns: Vec<(usize, u32)> =
            table.assignment.read.iter().map(|(f, h)| (*f, table.headings[*h].column)).collect();
        let rows = self.kinds(form, table, &columns);
        let of_kind = |kind: RowKind| rows.iter().filter(move |(_, k)| *k == kind).map(|(r, _)| *r);
        let mut data: Vec<u32> = of_kind(RowKind::Data).collect();
        if data.is_empty() && form.kind == FormKind::Figures {
            data = self.named_rows(form, &columns, &rows);
        }
        let source = self.source(form, table, &columns, &data);
        let mut above: Option<Record> = None;
        for row in &data {
            let record = read_record(&source, &self.in_row(&source, *row, &columns, &data), above.as_ref(), ret);
            above = Some(record.clone());
            ret.records.push(record);
        }
        self.hidden_rows(&data, ret);
        for row in of_kind(RowKind::Example) {
            let message = format!("第{}行是填写示例，没有读取；如果是实际数据，请删去“例”字后重报。", row + 1);
            ret.findings.push(Finding::new("H03", Severity::Info, self.place(None, Some(row)), message));
        }
        for row in of_kind(RowKind::More) {
            self.more(form, &columns, row, ret);
        }
        if data.is_empty() && form.kind == FormKind::Figures {
            let message = "表中没有数据行，请在表头下面填写后重报。";
            ret.findings.push(Finding::new("P02", Severity::Error, self.place(None, None), message));
        }
        for row in of_kind(RowKind::Total) {
            let mut aside = Return { sheet: ret.sheet.clone(), ..Return::default() };
            let record = read_record(&source, &self.in_row(&source, row, &columns, &[]), None, &mut aside);
            ret.totals.push(Total { label: total_label(&self.grid, self.campaign, row).unwrap_or_default(), record });
        }
        let own = |k: &RowKind| !matches!(k, RowKind::Line | RowKind::Stray | RowKind::Empty);
        let after = rows.iter().rev().find(|(_, k)| own(k)).map_or(table.header.1 + 1, |(r, _)| r + 1);
        // Farther below it is no part of the table.
        of_kind(RowKind::Stray).filter(|r| *r <= after).for_each(|row| self.stray(form, row, ret));
        for (row, kind) in &rows {
            let mut cells = self.grid.row(*row);
            if let (true, Some((_, cell)), None) = (*kind != RowKind::Data, cells.next(), cells.next()) {
                ret.sections.push((row + 1, shown(cell)));
            }
            // 填报单位 below the table; a line below one that another table follows belongs to that one.
            if *kind == RowKind::Note || *kind == RowKind::Line && (last_table || *row < after) {
                ret.hints.extend(info::hints(&self.grid, self.campaign, *row, false));
            }
        }
        after
    }

    /// The kind of each row below the header, by itself and by the rows above it.
    fn kinds(&self, form: &Form, table: &Table, columns: &Columns) -> Vec<(u32, RowKind)> {
        let mut data: Vec<u32> = Vec::new();
        let mut sums = Sums::default();
        let mut kinds = Vec::new();
        for &row in self.grid.rows_between(table.header.1 + 1, table.end) {
            let kind = match classify(&self.grid, self.campaign, form, columns, row) {
                RowKind::Data if self.is_heading(row) => RowKind::Line,
                RowKind::Data if self.goes_on(form, columns, row, &data) => RowKind::More,
                RowKind::Data if data.len() > 1 && self.adds_up(form, columns, row, &sums) => RowKind::Total,
                kind => kind,
            };
            if kind == RowKind::Data {
                data.push(row);
                for (_, column) in columns.iter().filter(|(f, _)| form.columns[*f].kind == ColumnKind::Count) {
                    *sums.entry(*column).or_default() += self.count(row, *column).unwrap_or(0.0);
                }
            }
            kinds.push((row, kind));
        }
        kinds
    }

    /// Nothing but groups and headings: the top of the next table's header, where that is higher than others.
    fn is_heading(&self, row: u32) -> bool {
        let heads = |key: &str| self.vocabularies.iter().any(|v| v.knows(key) || v.is_neutral(key));
        let key = |cell| self.vocabularies.first().and_then(|v| v.cell_key(cell));
        let mut cells = self.grid.row(row).map(|(_, cell)| key(cell).is_some_and(|k| heads(&k)));
        self.grid.row(row).nth(1).is_some() && cells.all(|known| known)
    }

    /// The name and every required cell are merged down from the last row of data: the same organisation.
    fn goes_on(&self, form: &Form, columns: &Columns, row: u32, data: &[u32]) -> bool {
        let Some(above) = data.last() else { return false };
        let from_above = |column: u32| {
            self.grid.own(row, column).is_none()
                && self.grid.merge(row, column).is_some_and(|m| m.first == (*above, column))
        };
        columns.iter().filter(|(f, _)| form.columns[*f].required).all(|(_, c)| from_above(*c))
    }

    /// Tells of the cells of a row that goes on with the one above: a second secretary cannot be kept.
    fn more(&self, form: &Form, columns: &Columns, row: u32, ret: &mut Return) {
        let own = columns.iter().filter_map(|(f, c)| self.grid.own(row, *c).map(|cell| (&form.columns[*f], *c, cell)));
        for (column, at, cell) in own.filter(|(column, _, _)| !form.is_sequence(&column.key)) {
            let message = format!(
                "第{}行“{}”（{}）填的是“{}”，与上一行是同一家，只读取了上一行的，请核对。",
                row + 1,
                column.label(),
                a1(row, at),
                shown(cell)
            );
            let place = self.place(Some((row, at)), Some(row));
            ret.findings.push(Finding::new("R02", Severity::Warning, place, message).about(&column.key));
        }
    }

    /// H03 of a lone text among the rows or right below them, which may be a part of one.
    fn stray(&self, form: &Form, row: u32, ret: &mut Return) {
        let Some((column, cell)) = self.grid.row(row).next() else { return };
        let message = format!(
            "第{}行只有“{}”（{}），没有填写“{}”，没有读取；如果是数据，请补全后重报。",
            row + 1,
            shown(cell),
            a1(row, column),
            form.label(&form.identity)
        );
        ret.findings.push(Finding::new("H03", Severity::Info, self.place(Some((row, column)), Some(row)), message));
    }

    /// A row without a name whose numbers are the sums of those above it.
    fn adds_up(&self, form: &Form, columns: &Columns, row: u32, sums: &Sums) -> bool {
        let filled: Vec<&(usize, u32)> = columns.iter().filter(|(_, c)| self.grid.own(row, *c).is_some()).collect();
        let is_sum = |(field, column): &(usize, u32)| {
            let sum = sums.get(column).copied().unwrap_or(0.0);
            form.columns[*field].kind == ColumnKind::Count
                && self.count(row, *column).is_some_and(|n| (n - sum).abs() < 1e-9)
        };
        filled.len() > 1 && filled.into_iter().all(is_sum)
    }

    fn count(&self, row: u32, column: u32) -> Option<f64> {
        match &self.grid.value(row, column)?.value {
            CellValue::Number(n) => Some(*n),
            CellValue::Text(s) => number(s),
            _ => None,
        }
    }

    /// Where no row has figures, the first one that has anything at all: the sender must be told what is missing.
    fn named_rows(&self, form: &Form, columns: &[(usize, u32)], rows: &[(u32, RowKind)]) -> Vec<u32> {
        let something = |row: &u32| {
            let mut own = columns.iter().filter(|(f, _)| !form.is_sequence(&form.columns[*f].key));
            own.any(|(_, c)| self.grid.own(*row, *c).is_some())
        };
        rows.iter().filter(|(_, k)| *k == RowKind::Empty).map(|(r, _)| *r).filter(something).take(1).collect()
    }

    /// What the columns as a whole say about each cell.
    fn source<'s>(&'s self, form: &'s Form, table: &Table, columns: &[(usize, u32)], data: &[u32]) -> Source<'s> {
        let mut source = Source { form, received: self.received, ditto: self.ditto(), fields: BTreeMap::new() };
        let vocabulary = &self.vocabularies[table.form];
        for (field, heading) in &table.assignment.read {
            let path = &table.headings[*heading].path;
            let column = columns.iter().find(|(f, _)| f == field).map(|(_, c)| *c);
            let kind = &form.columns[*field].kind;
            let cells = |of: ColumnKind| {
                let rows = data.iter().filter(move |_| *kind == of);
                rows.filter_map(|r| column.and_then(|c| self.grid.value(*r, c)))
            };
            let answers: Vec<Option<bool>> = cells(ColumnKind::YesNo).filter(|c| !is_blank(c)).map(yes_no).collect();
            let percent = cells(ColumnKind::Rate).filter_map(rate_choices).any(|(n, ratio)| ratio.is_some() && n > 1.0);
            source.fields.insert(
                *field,
                Field {
                    ticks: !answers.is_empty() && answers.iter().all(|a| *a == Some(true)),
                    percent,
                    when: form.columns[*field]
                        .when
                        .iter()
                        .position(|w| path.last().is_some_and(|leaf| *leaf == vocabulary.key(&w.heading))),
                },
            );
        }
        source
    }

    fn in_row<'g>(&'g self, source: &Source<'_>, row: u32, columns: &[(usize, u32)], data: &[u32]) -> Vec<Where<'g>> {
        columns
            .iter()
            .filter(|(f, _)| source.fields.contains_key(f))
            .map(|(field, column)| {
                let shared = self.grid.merge(row, *column).is_some_and(|m| rows_in(data, m.first.0, m.last.0) > 1);
                Where {
                    field: *field,
                    cell: self.grid.value(row, *column),
                    at: (row, *column),
                    shared,
                    place: self.place(Some((row, *column)), Some(row)),
                }
            })
            .collect()
    }
}
