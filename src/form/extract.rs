//! Workbook → [`Reading`]: every form on every visible sheet, its rows read, and what could not be read told. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::card::{self, Card};
use super::definition::{Campaign, Form, FormKind};
use super::finding::{Finding, Place, Severity};
use super::grid::Grid;
use super::heading::Vocabulary;
use super::info;
use super::lines::{Field, Source, Where, read_record};
use super::reading::{Doubt, Hint, Origin, Reading, Return};
use super::recognise::{Table, tables};
use super::row::{RowKind, classify};
use super::streams::find_streams;
use super::value::{is_blank, rate_choices, yes_no};
use crate::workbook::{Sheet, Workbook, a1, column_letters};

/// Reads a workbook. `file` is how the sender knows it and goes into every finding; `received` (in the configured zone)
/// lends its year to dates that were written without one.
pub fn read(workbook: &Workbook, campaign: &Campaign, file: &str, received: NaiveDate) -> Reading {
    let mut reading = Reading::default();
    let vocabularies: Vec<Vocabulary<'_>> = campaign.forms.iter().map(|f| Vocabulary::new(campaign, f)).collect();
    let mut cards: Vec<Return> = Vec::new();
    for sheet in workbook.sheets.iter().filter(|s| !s.hidden) {
        let reader =
            SheetReader { campaign, vocabularies: &vocabularies, grid: Grid::new(sheet), sheet, file, received };
        let before = reading.returns.len() + cards.iter().map(|c| c.records.len()).sum::<usize>();
        let tables = tables(&reader.grid, &vocabularies);
        reader.tables(&tables, &mut reading.returns);
        reader.cards(&tables, &mut cards);
        let after = reading.returns.len() + cards.iter().map(|c| c.records.len()).sum::<usize>();
        if before == after && !reader.grid.rows().is_empty() {
            reading.unrecognised.push(sheet.name.clone());
        }
    }
    for mut ret in cards {
        ret.hints.sort_by_key(|h| h.origin);
        reading.returns.push(ret);
    }
    reading
}

/// One sheet on the way through.
struct SheetReader<'a> {
    campaign: &'a Campaign,
    /// One a form, in the campaign's order.
    vocabularies: &'a [Vocabulary<'a>],
    grid: Grid<'a>,
    sheet: &'a Sheet,
    file: &'a str,
    received: NaiveDate,
}

impl SheetReader<'_> {
    fn tables(&self, tables: &[Table], returns: &mut Vec<Return>) {
        let mut lead = 0;
        let mut previous: Option<usize> = None;
        for (i, table) in tables.iter().enumerate() {
            let form = &self.campaign.forms[table.form];
            let mut ret = self.start(form);
            for &row in self.grid.rows_between(lead, table.header.0) {
                ret.hints.extend(info::hints(&self.grid, self.campaign, row, true));
            }
            self.columns(table, &mut ret);
            let after_data = self.rows(table, &mut ret, i + 1 == tables.len());
            lead = after_data;
            let untitled = ret.hints.iter().all(|h| h.origin == Origin::Heading);
            let continued = previous.filter(|p| {
                let last: &Return = &returns[*p];
                untitled && last.form == ret.form && last.columns == ret.columns
            });
            match continued {
                // The headings repeated at the top of a printed page.
                Some(p) => {
                    returns[p].records.append(&mut ret.records);
                    returns[p].totals.append(&mut ret.totals);
                    let of_rows = ret.findings.into_iter().filter(|f| !matches!(f.rule.as_str(), "P01" | "H01"));
                    returns[p].findings.extend(of_rows);
                }
                None => {
                    if let Some(p) = previous {
                        inherit(&returns[p], &mut ret);
                    }
                    previous = Some(returns.len());
                    returns.push(ret);
                }
            }
        }
        for ret in returns.iter_mut().filter(|r| r.sheet == self.sheet.name) {
            self.finish(ret);
        }
    }

    fn start(&self, form: &Form) -> Return {
        Return {
            form: form.key.clone(),
            file: self.file.to_owned(),
            sheet: self.sheet.name.clone(),
            ..Return::default()
        }
    }

    /// Columns read, told, doubted and missing.
    fn columns(&self, table: &Table, ret: &mut Return) {
        let form = &self.campaign.forms[table.form];
        let shown = |h: usize| {
            let heading = &table.headings[h];
            (column_letters(heading.column), heading.shown.clone())
        };
        for (field, heading) in &table.assignment.read {
            let column = &form.columns[*field];
            let heading = &table.headings[*heading];
            ret.columns.insert(column.key.clone(), column_letters(heading.column));
            if find_streams(&heading.shown, self.campaign).len() == 1 {
                let cell = Some(a1(heading.row, heading.column));
                ret.hints.push(Hint { origin: Origin::Heading, text: heading.shown.clone(), cell });
            }
        }
        for (field, heading) in &table.assignment.resembling {
            let (h, column) = (&table.headings[*heading], &form.columns[*field]);
            let message = format!("“{}”一列按“{}”读取，如不对请按原表列名填报。", h.shown, column.label());
            let place = self.place(Some((h.row, h.column)), None);
            ret.findings.push(Finding::new("H01", Severity::Info, place, message).about(&column.key));
        }
        for (field, candidates) in &table.assignment.doubts {
            let column = &form.columns[*field];
            if form.is_sequence(&column.key) {
                continue;
            }
            let candidates: Vec<(String, String)> = candidates.iter().map(|h| shown(*h)).collect();
            let names: Vec<String> = candidates.iter().map(|(l, h)| format!("{l}列“{h}”")).collect();
            if column.required {
                let message = format!("“{}”可能是{}，不能确定，需要人工确认。", column.label(), names.join("或"));
                ret.doubts.push(Doubt { key: column.key.clone(), candidates, message });
            } else {
                let message =
                    format!("{}不能确定是不是“{}”，没有读取，请按原表列名填报。", names.join("、"), column.label());
                ret.findings
                    .push(Finding::new("H01", Severity::Info, self.place(None, None), message).about(&column.key));
            }
        }
        ret.unread = table.assignment.unread.iter().map(|h| shown(*h)).collect();
        for (field, column) in form.columns.iter().enumerate().filter(|(_, c)| c.required) {
            let doubted = table.assignment.doubts.iter().any(|(f, _)| *f == field);
            if !table.assignment.has(field) && !doubted {
                let message = format!("缺少必填的“{}”一列，请按原表补上后重报。", column.label());
                ret.findings
                    .push(Finding::new("P01", Severity::Error, self.place(None, None), message).about(&column.key));
            }
        }
    }

    /// Reads the rows below a header; the first row that is no longer this table's is returned.
    fn rows(&self, table: &Table, ret: &mut Return, last_table: bool) -> u32 {
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

    fn cards(&self, tables: &[Table], returns: &mut Vec<Return>) {
        for vocabulary in self.vocabularies.iter().filter(|v| v.form.cards) {
            let end = tables.first().map_or(u32::MAX, |t| t.header.0);
            let mut ranges = vec![(0, end)];
            ranges.extend(tables.last().map(|t| (self.end_of(t), u32::MAX)));
            for (first, end) in ranges {
                let mut from = first;
                for card in card::cards(&self.grid, vocabulary, first, end) {
                    self.card(vocabulary.form, &card, from, returns);
                    from = card.last_row + 1;
                }
            }
        }
    }

    /// The first row after what a table read.
    fn end_of(&self, table: &Table) -> u32 {
        let form = &self.campaign.forms[table.form];
        let columns: Vec<(usize, u32)> =
            table.assignment.read.iter().map(|(f, h)| (*f, table.headings[*h].column)).collect();
        let rows = self.grid.rows_between(table.header.1 + 1, table.end);
        let data = rows.iter().rev().find(|r| {
            matches!(classify(&self.grid, self.campaign, form, &columns, **r), RowKind::Data | RowKind::Total)
        });
        data.map_or(table.header.1, |r| *r) + 1
    }

    /// One card into the return of its stream.
    fn card(&self, form: &Form, card: &Card, from: u32, returns: &mut Vec<Return>) {
        let mut hints: Vec<Hint> = Vec::new();
        for &row in self.grid.rows_between(from, card.first_row) {
            hints.extend(info::hints(&self.grid, self.campaign, row, true));
        }
        let stream = |hints: &[Hint]| {
            let named = hints.iter().map(|h| find_streams(&h.text, self.campaign));
            named.into_iter().find(|s| s.len() == 1).and_then(|s| s.first().map(|s| s.key.clone()))
        };
        let own = stream(&hints);
        let same = returns.iter().rposition(|r| own.is_none() || stream(&r.hints) == own);
        let index = same.unwrap_or_else(|| {
            returns.push(self.start(form));
            returns.len() - 1
        });
        let ret = &mut returns[index];
        for hint in hints {
            if !ret.hints.iter().any(|h| h.origin == hint.origin && h.text == hint.text) {
                ret.hints.push(hint);
            }
        }
        let source = Source {
            form,
            received: self.received,
            fields: card.values.keys().map(|f| (*f, Field::default())).collect(),
        };
        let places = card.values.iter().map(|(field, at)| Where {
            field: *field,
            cell: self.grid.own(at.0, at.1),
            at: *at,
            shared: card.twice.contains(field),
            place: self.place(Some(*at), Some(at.0)),
        });
        let mut record = read_record(&source, &places.collect::<Vec<_>>(), ret);
        record.row = card.first_row + 1;
        for column in form.columns.iter().enumerate().filter(|(f, c)| c.required && !card.values.contains_key(f)) {
            let message = format!("卡片上没有必填的“{}”一栏，请补上。", column.1.label());
            let place = self.place(None, Some(card.first_row));
            ret.findings.push(Finding::new("R01", Severity::Error, place, message).about(&column.1.key));
        }
        ret.records.push(record);
    }

    fn place(&self, cell: Option<(u32, u32)>, row: Option<u32>) -> Place {
        Place {
            file: Some(self.file.to_owned()),
            sheet: Some(self.sheet.name.clone()),
            cell: cell.map(|(r, c)| a1(r, c)),
            row: row.map(|r| r + 1),
        }
    }

    /// Hints that stand in the table itself, all in the order in which they are believed.
    fn finish(&self, ret: &mut Return) {
        let form = self.campaign.form(&ret.form);
        if let Some(form) = form.filter(|f| f.kind == FormKind::Figures) {
            for record in &ret.records {
                if let Some(text) = record.text(&form.identity) {
                    let cell = record.cells.get(&form.identity).cloned();
                    ret.hints.push(Hint { origin: Origin::UnitColumn, text: text.to_owned(), cell });
                }
            }
        }
        ret.hints.push(Hint { origin: Origin::SheetName, text: self.sheet.name.clone(), cell: None });
        ret.hints.sort_by_key(|h| h.origin);
    }
}

/// A second table on a sheet often leaves the unit and the month to the line above the first.
fn inherit(first: &Return, second: &mut Return) {
    for origin in [Origin::UnitLine, Origin::PeriodLine, Origin::FilledLine] {
        if second.said(origin).next().is_none() {
            let lent: Vec<Hint> = first.said(origin).cloned().collect();
            second.hints.extend(lent);
        }
    }
}

#[cfg(test)]
mod tests;
