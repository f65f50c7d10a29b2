//! Cards → records of one book a stream. Pure.

use std::collections::BTreeMap;

use super::SheetReader;
use crate::form::card::{self, Card, Leaning};
use crate::form::definition::{Form, FormKind};
use crate::form::finding::{Finding, Severity};
use crate::form::heading::Vocabulary;
use crate::form::info;
use crate::form::lines::{Field, Source, Where, read_record};
use crate::form::number::{is_mark, plain};
use crate::form::reading::{Hint, Return};
use crate::form::recognise::Table;
use crate::form::record::{Datum, Record};
use crate::form::row::{RowKind, classify, is_preset};
use crate::form::streams::find_streams;
use crate::form::value::{self, Context, written};
use crate::form::witness::Filled;
use crate::workbook::{Cell, a1};

/// A card with where the lines above it begin.
pub(super) struct Found<'v> {
    vocabulary: &'v Vocabulary<'v>,
    pub card: Card,
    from: u32,
    /// Another card of the sheet stands above it.
    follows: bool,
}

impl Found<'_> {
    /// Which of the column's `when` its label asks for.
    fn when(&self, field: usize) -> Option<usize> {
        let asked = self.card.asked.get(&field)?;
        self.vocabulary.form.columns[field].when.iter().position(|w| *asked == self.vocabulary.key(&w.heading))
    }

    /// Reads the labels that may be another's, or leaves them out, by what all cards say.
    pub(super) fn settle(&mut self, said: &Said) {
        for (field, leaning) in self.card.leaning.clone() {
            let held = said.get(&(self.vocabulary.form.key.clone(), field)).and_then(|filled| filled.held());
            self.card.settle(field, held.unwrap_or(!leaning.lost));
        }
    }
}

/// Form and index of its column → how the cards fill in what a doubtful label asks for.
pub(super) type Said = BTreeMap<(String, usize), Filled>;

/// Labels that two forms have in common do not make two cards: the form of which more is there holds.
fn of_one_form(found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let rival = |a: &Found<'_>, b: &Found<'_>| {
        let overlap = a.card.first_row <= b.card.last_row && b.card.first_row <= a.card.last_row;
        overlap && a.vocabulary.form.key != b.vocabulary.form.key
    };
    let beaten = |a: &Found<'_>| found.iter().any(|b| rival(a, b) && b.card.values.len() >= a.card.values.len());
    let keep: Vec<bool> = found.iter().map(|f| !beaten(f)).collect();
    found.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(found, _)| found).collect()
}

impl<'a> SheetReader<'a> {
    /// The cards above the first table of a sheet and below the last one.
    pub(super) fn find_cards(&self, tables: &[Table]) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        for vocabulary in self.vocabularies.iter().filter(|v| v.form.cards) {
            let end = tables.iter().map(|t| t.header.0).min().unwrap_or(u32::MAX);
            let mut ranges = vec![(0, end)];
            ranges.extend(tables.iter().map(|t| (self.end_of(t), u32::MAX)).max());
            for (first, end) in ranges {
                let mut from = first;
                for card in card::cards(&self.grid, vocabulary, first, end) {
                    let after = card.last_row + 1;
                    found.push(Found { vocabulary, card, from, follows: from > first });
                    from = from.max(after);
                }
            }
        }
        of_one_form(found)
    }

    pub(super) fn cards(&self, found: &[Found<'_>], returns: &mut Vec<Return>) {
        found.iter().for_each(|one| self.card(one, returns));
    }

    /// Hears what the cards of this sheet say about labels that may be another's.
    pub(super) fn hear(&self, found: &[Found<'_>], said: &mut Said) {
        for one in found {
            for field in one.card.leaning.keys() {
                self.hear_one(one, *field, said);
            }
        }
    }

    fn hear_one(&self, found: &Found<'_>, field: usize, said: &mut Said) {
        let (form, card) = (found.vocabulary.form, &found.card);
        let Some((at, unless)) = card.values.get(&field).zip(form.columns[field].unless.as_ref()) else { return };
        let Some(condition) = form.columns.iter().position(|c| c.key == unless.column) else { return };
        let Some(cell) = card.values.get(&condition).and_then(|at| self.grid.own(at.0, at.1)) else { return };
        let column = &form.columns[condition];
        let when = found.when(condition).and_then(|w| column.when.get(w));
        let choice = value::read(Some(cell), column, &Context { when, ..Context::default() }).datum;
        if let Some(choice) = choice.text() {
            let filled = self.grid.own(at.0, at.1).is_some_and(|c| !is_mark(&plain(&written(c))));
            said.entry((form.key.clone(), field)).or_default().add(choice == unless.value, filled);
        }
    }

    /// A blank card of the form, with nothing but what was filled in beforehand.
    pub(super) fn is_untouched(&self, found: &Found<'_>) -> bool {
        let form = found.vocabulary.form;
        let sure = found.card.values.iter().filter(|(field, _)| !found.card.leaning.contains_key(field));
        sure.into_iter().all(|(field, at)| {
            let column = &form.columns[*field];
            let cell = self.grid.own(at.0, at.1);
            cell.is_none_or(|c| column.key != form.identity && is_preset(c, column))
        })
    }

    /// The first row after what a table read.
    fn end_of(&self, table: &Table) -> u32 {
        let grid = self.grid.within(table.columns);
        let form = &self.campaign.forms[table.form];
        let columns: Vec<(usize, u32)> =
            table.assignment.read.iter().map(|(f, h)| (*f, table.headings[*h].column)).collect();
        let rows = grid.rows_between(table.header.1 + 1, table.end);
        let data = rows
            .iter()
            .rev()
            .find(|r| matches!(classify(&grid, self.campaign, form, &columns, **r), RowKind::Data | RowKind::Total));
        data.map_or(table.header.1, |r| *r) + 1
    }

    /// One card into the return of its stream.
    fn card(&self, found: &Found<'_>, returns: &mut Vec<Return>) {
        let (form, card) = (found.vocabulary.form, &found.card);
        let mut hints: Vec<Hint> = Vec::new();
        for &row in self.grid.rows_between(found.from, card.first_row) {
            if !found.follows || self.is_line(form, row) {
                hints.extend(info::hints(&self.grid, self.campaign, row, true));
            }
        }
        let ret = self.book_of(form, hints, returns);
        let field = |field: usize| Field { when: found.when(field), ..Field::default() };
        let source = Source {
            form,
            received: self.received,
            ditto: self.ditto(),
            fields: card.values.keys().map(|f| (*f, field(*f))).collect(),
        };
        let once = card.values.iter().filter(|(field, _)| !card.twice.contains(field));
        let places = once.map(|(field, at)| Where {
            field: *field,
            cell: self.grid.own(at.0, at.1),
            at: *at,
            shared: false,
            place: self.place(Some(*at), Some(at.0)),
        });
        let mut record = read_record(&source, &places.collect::<Vec<_>>(), None, ret);
        record.row = card.first_row + 1;
        self.told_twice(form, card, &mut record, ret);
        for column in form.columns.iter().enumerate().filter(|(f, c)| c.required && !card.values.contains_key(f)) {
            let message = format!("卡片上没有必填的“{}”一栏，请补上。", column.1.label());
            let place = self.place(None, Some(card.first_row));
            let rule = if form.kind == FormKind::Figures { "P01" } else { "R01" };
            ret.findings.push(Finding::new(rule, Severity::Error, place, message).about(&column.1.key));
        }
        for (field, Leaning { label: at, .. }) in &card.leaning {
            let column = &form.columns[*field];
            let label = self.grid.text(at.0, at.1).unwrap_or_default();
            let message = format!(
                "“{label}”（{}）不能确定是不是“{}”，没有读取，请按原表栏目名填报。",
                a1(at.0, at.1),
                column.label()
            );
            let place = self.place(Some(*at), Some(at.0));
            ret.findings.push(Finding::new("H01", Severity::Info, place, message).about(&column.key));
        }
        ret.records.push(record);
    }

    /// A field that two labels ask for is read from neither.
    fn told_twice(&self, form: &Form, card: &Card, record: &mut Record, ret: &mut Return) {
        for field in &card.twice {
            let (column, Some(at)) = (&form.columns[*field], card.values.get(field)) else { continue };
            record.cells.insert(column.key.clone(), a1(at.0, at.1));
            record.values.insert(column.key.clone(), Datum::Null);
            let message = format!(
                "“{}”（{}）在一张卡片上填了两处，看不出以哪处为准，没有读取，请只留一处。",
                column.label(),
                a1(at.0, at.1)
            );
            let severity = if column.required { Severity::Error } else { Severity::Warning };
            let rule = if form.kind == FormKind::Figures { "P02" } else { "R02" };
            let place = self.place(Some(*at), Some(at.0));
            ret.findings.push(Finding::new(rule, severity, place, message).about(&column.key));
        }
    }

    /// The return of the stream that the lines above a card name; without one, that of the card before.
    fn book_of<'r>(&self, form: &Form, hints: Vec<Hint>, returns: &'r mut Vec<Return>) -> &'r mut Return {
        let stream = |hints: &[Hint]| {
            let named = hints.iter().map(|h| find_streams(&h.text, self.campaign));
            named.into_iter().find(|s| s.len() == 1).and_then(|s| s.first().map(|s| s.key.clone()))
        };
        let own = stream(&hints);
        let same = returns.iter().rposition(|r| r.form == form.key && (own.is_none() || stream(&r.hints) == own));
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
        ret
    }

    /// A title or a labelled line. Below a card anything else may still be the card's: a field that is none of the
    /// form's, with a date that is no month of report.
    fn is_line(&self, form: &Form, row: u32) -> bool {
        let cells: Vec<&Cell> = self.grid.row(row).map(|(_, cell)| cell).collect();
        let Some(text) = cells.first().map(|c| plain(&written(c))) else { return false };
        let titled = form.words.iter().any(|w| text.contains(w.as_str()));
        let streamed = !find_streams(&text, self.campaign).is_empty();
        info::has_label(self.campaign, &text) || cells.len() == 1 && (titled || streamed)
    }
}
