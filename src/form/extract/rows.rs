//! The rows of a table → records: which are data, what their columns as a whole say, and each cell's place. Pure.

use std::collections::BTreeMap;

use super::SheetReader;
use crate::form::definition::{Form, FormKind};
use crate::form::finding::{Finding, Severity};
use crate::form::info;
use crate::form::lines::{Field, Source, Where, read_record};
use crate::form::reading::Return;
use crate::form::recognise::Table;
use crate::form::row::{RowKind, classify};
use crate::form::value::{is_blank, rate_choices, yes_no};

impl SheetReader<'_> {
    /// Reads the rows below a header; the first row that is no longer this table's is returned.
    pub(super) fn rows(&self, table: &Table, ret: &mut Return, last_table: bool) -> u32 {
        let form = &self.campaign.forms[table.form];
        let columns: Vec<(usize, u32)> =
            table.assignment.read.iter().map(|(f, h)| (*f, table.headings[*h].column)).collect();
        let rows: Vec<(u32, RowKind)> = self
            .grid
            .rows_between(table.header.1 + 1, table.end)
            .iter()
            .map(|r| (*r, classify(&self.grid, self.campaign, form, &columns, *r)))
            .collect();
        let mut data: Vec<u32> = rows.iter().filter(|(_, k)| *k == RowKind::Data).map(|(r, _)| *r).collect();
        if data.is_empty() && form.kind == FormKind::Figures {
            data = self.named_rows(form, &columns, &rows);
        }
        let source = self.source(form, table, &columns, &data);
        for row in &data {
            let record = read_record(&source, &self.in_row(&source, *row, &columns, &data), ret);
            ret.records.push(record);
        }
        if data.is_empty() && form.kind == FormKind::Figures {
            let message = "表中没有数据行，请填写后重报。";
            ret.findings.push(Finding::new("P02", Severity::Error, self.place(None, None), message));
        }
        for (row, _) in rows.iter().filter(|(_, k)| *k == RowKind::Total) {
            let mut aside = Return::default();
            ret.totals.push(read_record(&source, &self.in_row(&source, *row, &columns, &[]), &mut aside));
        }
        let own = |k: &RowKind| matches!(k, RowKind::Data | RowKind::Total | RowKind::Note);
        let after = rows.iter().rev().find(|(_, k)| own(k)).map_or(table.header.1 + 1, |(r, _)| r + 1);
        for (row, kind) in &rows {
            // 填报单位 below the table; a line below one that another table follows belongs to that one.
            if *kind == RowKind::Note || *kind == RowKind::Line && (last_table || *row < after) {
                ret.hints.extend(info::hints(&self.grid, self.campaign, *row, false));
            }
        }
        after
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
    fn source<'s>(&self, form: &'s Form, table: &Table, columns: &[(usize, u32)], data: &[u32]) -> Source<'s> {
        let mut source = Source { form, received: self.received, fields: BTreeMap::new() };
        let vocabulary = &self.vocabularies[table.form];
        for (field, heading) in &table.assignment.read {
            let path = &table.headings[*heading].path;
            let column = columns.iter().find(|(f, _)| f == field).map(|(_, c)| *c);
            let cells = || data.iter().filter_map(|r| column.and_then(|c| self.grid.value(*r, c)));
            let answers: Vec<Option<bool>> = cells().filter(|c| !is_blank(c)).map(yes_no).collect();
            let percent = cells().filter_map(rate_choices).any(|(n, ratio)| ratio.is_some() && n > 1.0);
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
                let shared = self
                    .grid
                    .merge(row, *column)
                    .is_some_and(|m| data.iter().filter(|r| (m.first.0..=m.last.0).contains(*r)).count() > 1);
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
