//! Workbook → [`Reading`]: every form on every visible sheet, its rows read, and what could not be read told. Pure.

mod cards;
mod hidden;
mod rows;

use std::collections::BTreeSet;

use chrono::NaiveDate;

use self::cards::{Found, Said};
use super::assign::{Heading, Question};
use super::definition::{Campaign, Form, FormKind};
use super::finding::{Finding, Place, Severity};
use super::findings_list;
use super::grid::Grid;
use super::heading::Vocabulary;
use super::info;
use super::number::plain;
use super::reading::{Candidate, Doubt, Hint, Origin, Reading, Return};
use super::recognise::{Table, tables};
use super::streams::find_streams;
use super::totals;
use crate::workbook::{Sheet, Workbook, a1, column_letters};

/// Reads a workbook. `file` is how the sender knows it and goes into every finding; `received` (in the configured zone)
/// lends its year to dates that were written without one.
pub fn read(workbook: &Workbook, campaign: &Campaign, file: &str, received: NaiveDate) -> Reading {
    let mut reading = Reading::default();
    let vocabularies: Vec<Vocabulary<'_>> = campaign.forms.iter().map(|f| Vocabulary::new(campaign, f)).collect();
    let reader =
        |sheet| SheetReader { campaign, vocabularies: &vocabularies, grid: Grid::new(sheet), sheet, file, received };
    let mut waiting = Vec::new();
    let mut said = Said::default();
    for sheet in workbook.sheets.iter().filter(|s| !s.hidden && !findings_list::is_ours(s)) {
        let reader = reader(sheet);
        let before = reading.returns.len();
        let tables = tables(&reader.grid, &vocabularies);
        let mut found = reader.find_cards(&tables);
        reader.tables(&tables, &found, &mut reading.returns);
        found.retain(|f| !reader.is_untouched(f));
        if before == reading.returns.len() && found.is_empty() && !reader.grid.rows().is_empty() {
            reading.unrecognised.push(sheet.name.clone());
        }
        if !found.is_empty() {
            reader.hear(&found, &mut said);
            waiting.push((reader, found));
        }
    }
    let mut cards: Vec<Return> = Vec::new();
    for (reader, mut found) in waiting {
        found.iter_mut().for_each(|f| f.settle(&said));
        reader.cards(&found, &mut cards);
    }
    for mut ret in cards {
        if let Some(form) = campaign.form(&ret.form) {
            name_units(&mut ret, form);
        }
        ret.hints.sort_by_key(|h| h.origin);
        reading.returns.push(ret);
    }
    if reading.returns.is_empty() {
        for sheet in workbook.sheets.iter().filter(|s| s.hidden) {
            let reader = reader(sheet);
            let tables = tables(&reader.grid, &vocabularies);
            if !tables.is_empty() || !reader.find_cards(&tables).is_empty() {
                reading.hidden.push(sheet.name.clone());
            }
        }
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

impl<'a> SheetReader<'a> {
    fn tables(&self, tables: &[Table], cards: &[Found<'_>], returns: &mut Vec<Return>) {
        let mut previous: Option<usize> = None;
        // Of each table, its columns and the first row behind what it read.
        let mut read: Vec<((u32, u32), u32)> = Vec::new();
        for (i, table) in tables.iter().enumerate() {
            let form = &self.campaign.forms[table.form];
            let view = self.within(table.columns);
            let overlap = |other: (u32, u32)| other.0 <= table.columns.1 && table.columns.0 <= other.1;
            let lead = read.iter().filter(|(c, _)| overlap(*c)).map(|(_, after)| *after).max().unwrap_or(0);
            let mut ret = self.start(form);
            ret.hints = self.above(table, lead, cards);
            view.columns(table, &mut ret);
            view.hidden_columns(table, &mut ret);
            let last = !tables[i + 1..].iter().any(|t| overlap(t.columns));
            read.push((table.columns, view.rows(table, &mut ret, last)));
            let continued = previous.filter(|p| is_continued(&returns[*p], &ret, form));
            match continued {
                // The headings repeated at the top of a printed page, or of a second half beside the first.
                Some(p) => {
                    returns[p].records.append(&mut ret.records);
                    returns[p].totals.append(&mut ret.totals);
                    // What the first half's headings said already.
                    let said = returns[p].findings.clone();
                    let again = |f: &Finding| said.iter().any(|s| (&s.rule, &s.message) == (&f.rule, &f.message));
                    let of_headings = |f: &Finding| matches!(f.rule.as_str(), "P01" | "H01");
                    returns[p].findings.extend(ret.findings.into_iter().filter(|f| !of_headings(f) || !again(f)));
                    ret.doubts.retain(|d| !returns[p].doubts.iter().any(|other| other.key == d.key));
                    returns[p].doubts.append(&mut ret.doubts);
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
            if let Some(form) = self.campaign.form(&ret.form) {
                let wrong = totals::check(ret, form);
                ret.findings.extend(wrong);
            }
        }
    }

    /// The signs for what stands in the row above.
    fn ditto(&self) -> Vec<String> {
        self.campaign.rows.ditto.iter().map(|d| plain(d)).collect()
    }

    /// The same sheet, seen through the columns of one table.
    fn within(&self, columns: (u32, u32)) -> Self {
        Self { grid: self.grid.within(columns), ..*self }
    }

    /// What the lines above a table say. Where tables stand side by side, a line with one cell is every one's.
    fn above(&self, table: &Table, lead: u32, cards: &[Found<'_>]) -> Vec<Hint> {
        let view = self.within(table.columns);
        let mut hints: Vec<Hint> = Vec::new();
        let rows = self.grid.rows_between(lead, table.header.0).iter();
        for &row in rows.filter(|r| !cards.iter().any(|c| c.card.holds(**r))) {
            let own = info::hints(&view.grid, self.campaign, row, true);
            let shared = own.is_empty() && self.grid.row(row).count() == 1;
            let line = if shared { info::hints(&self.grid, self.campaign, row, true) } else { own };
            hints.extend(line);
        }
        self.without_neighbours_stream(table, hints)
    }

    /// A neighbour's title names its stream, which is not this table's if its own title names another.
    fn without_neighbours_stream(&self, table: &Table, mut hints: Vec<Hint>) -> Vec<Hint> {
        let view = self.within(table.columns);
        let mine = |h: &Hint| {
            let cell = h.cell.as_deref();
            (0..table.header.0).any(|r| view.grid.row(r).any(|(c, _)| cell == Some(a1(r, c).as_str())))
        };
        let streamed = |h: &Hint| !find_streams(&h.text, self.campaign).is_empty();
        if hints.iter().any(|h| mine(h) && streamed(h)) {
            hints.retain(|h| mine(h) || !streamed(h));
        }
        hints
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
        for (field, heading) in table.beside.iter().filter(|(f, _)| !form.is_sequence(&form.columns[*f].key)) {
            let (column, place) = (&form.columns[*field], self.place(Some((heading.row, heading.column)), None));
            let message = format!(
                "“{}”一列（{}）与表格之间隔着空列，没有读取；如属于这张表，请删去空列后重报。",
                heading.shown,
                a1(heading.row, heading.column)
            );
            ret.findings.push(Finding::new("H01", Severity::Info, place, message).about(&column.key));
        }
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
        table.assignment.questions.iter().for_each(|question| self.ask(table, question, ret));
        ret.unread = table.assignment.unread.iter().map(|h| shown(*h)).collect();
        for (field, column) in form.columns.iter().enumerate().filter(|(_, c)| c.required) {
            if !table.assignment.has(field) && table.assignment.asks(field).is_none() {
                let message = format!("缺少必填的“{}”一列，请按原表补上后重报。", column.label());
                ret.findings
                    .push(Finding::new("P01", Severity::Error, self.place(None, None), message).about(&column.key));
            }
        }
    }

    /// A column that could be several, or that is none surely: a required one waits for a person, another is left out.
    fn ask(&self, table: &Table, question: &Question, ret: &mut Return) {
        let column = &self.campaign.forms[table.form].columns[question.field];
        if self.campaign.forms[table.form].is_sequence(&column.key) {
            return;
        }
        let candidate = |h: &usize| {
            let Heading { column, shown, path, .. } = &table.headings[*h];
            Candidate { letters: column_letters(*column), heading: shown.clone(), path: path.clone() }
        };
        let candidates: Vec<Candidate> = question.headings.iter().map(candidate).collect();
        let names: Vec<String> = candidates.iter().map(|c| format!("{}列“{}”", c.letters, c.heading)).collect();
        let label = column.label();
        if column.required {
            let message = match names.as_slice() {
                [only] => format!("{only}可能是“{label}”，不能确定，需要人工确认。"),
                _ => format!("“{label}”可能是{}，不能确定，需要人工确认。", names.join("或")),
            };
            ret.doubts.push(Doubt { key: column.key.clone(), candidates, message });
            return;
        }
        let first = question.headings.first().map(|h| &table.headings[*h]);
        let place = self.place(first.map(|h| (h.row, h.column)), None);
        let message = format!("{}不能确定是不是“{label}”，没有读取，请按原表列名填报。", names.join("、"));
        let form = &self.campaign.forms[table.form];
        let severity = if form.is_checked(&column.key) { Severity::Warning } else { Severity::Info };
        ret.findings.push(Finding::new("H01", severity, place, message).about(&column.key));
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
        if let Some(form) = self.campaign.form(&ret.form) {
            name_units(ret, form);
        }
        ret.hints.push(Hint { origin: Origin::SheetName, text: self.sheet.name.clone(), cell: None });
        ret.hints.sort_by_key(|h| h.origin);
    }
}

/// Nothing says that a new return begins: the same columns, and no line above the headings; or, of a book that goes on with
/// other organisations, the lines of the page before.
fn is_continued(last: &Return, ret: &Return, form: &Form) -> bool {
    let book = form.kind == FormKind::Book;
    let same = last.columns == ret.columns || book && last.columns.keys().eq(ret.columns.keys());
    let untitled = ret.hints.iter().all(|h| h.origin == Origin::Heading);
    let known = |h: &Hint| h.origin == Origin::Heading || last.said(h.origin).any(|l| l.text == h.text);
    let names: BTreeSet<&str> = last.records.iter().filter_map(|r| r.text(&form.identity)).collect();
    let others = || ret.records.iter().filter_map(|r| r.text(&form.identity)).all(|n| !names.contains(n));
    last.form == ret.form && same && (untitled || book && ret.hints.iter().all(known) && others())
}

/// The units that the rows of figures name.
fn name_units(ret: &mut Return, form: &Form) {
    if form.kind != FormKind::Figures {
        return;
    }
    named_above(ret, form);
    for record in &ret.records {
        if let Some(text) = record.text(&form.identity) {
            let cell = record.cells.get(&form.identity).cloned();
            ret.hints.push(Hint { origin: Origin::UnitColumn, text: text.to_owned(), cell });
        }
    }
}

/// The only row of figures leaves its unit to the line above: a blank cell is then no error.
fn named_above(ret: &mut Return, form: &Form) {
    let [record] = ret.records.as_slice() else { return };
    let Some(line) = ret.said(Origin::UnitLine).next().map(|h| h.text.clone()) else { return };
    let cell = record.cells.get(&form.identity);
    let missing =
        |f: &&mut Finding| f.rule == "P02" && f.key.as_ref() == Some(&form.identity) && f.place.cell.as_ref() == cell;
    if record.get(&form.identity).is_null()
        && let Some(finding) = ret.findings.iter_mut().find(missing)
    {
        finding.severity = Severity::Info;
        let cell = cell.map(|c| format!("（{c}）")).unwrap_or_default();
        let label = form.label(&form.identity);
        finding.message =
            format!("第{}行“{label}”{cell}没有填写，按表上的填报单位“{line}”读取，如不对请补填。", record.row);
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
