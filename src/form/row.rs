//! What a row below the headings is: data, a total, a note, or nothing. Pure.

use super::definition::{Campaign, Column, ColumnKind, Form, FormKind};
use super::grid::Grid;
use super::info;
use super::number::{is_mark, number, plain, whole};
use super::record::Datum;
use super::value::{self, Context, written};
use crate::workbook::{Cell, CellValue};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    Data,
    /// It goes on with the organisation of the row above.
    More,
    /// 合计, 小计 …
    Total,
    /// Signatures, notes, the numbers or the measures of the columns.
    Note,
    /// It shows how to fill in the form.
    Example,
    /// A title, a label line or a section's name: it may belong to the next table.
    Line,
    /// A lone text that names nothing: 内部资料 in a corner, or the rest of a text of the row above.
    Stray,
    /// Nothing of the form's stands in it.
    Empty,
}

/// The columns of a table: (index of the form's column, column of the sheet).
pub type Columns = [(usize, u32)];

pub fn classify(grid: &Grid<'_>, campaign: &Campaign, form: &Form, columns: &Columns, row: u32) -> RowKind {
    let cells: Vec<(u32, &Cell)> = grid.row(row).collect();
    let Some((first_column, first)) = cells.first() else { return RowKind::Empty };
    let find = |key: &str| columns.iter().find(|(f, _)| form.columns[*f].key == key).map(|(_, c)| *c);
    let identity = find(&form.identity).and_then(|c| grid.value(row, c)).map(text);
    let sequence = form.sequence.as_deref().and_then(find).and_then(|c| grid.own(row, c)).map(text);
    let first_text = text(first);
    if [Some(&first_text), identity.as_ref(), sequence.as_ref()].into_iter().flatten().any(|t| is_total(campaign, t)) {
        return RowKind::Total;
    }
    let marks = [sequence.as_ref(), identity.as_ref(), Some(&first_text)];
    if marks.into_iter().flatten().any(|t| is_example(campaign, t)) {
        return RowKind::Example;
    }
    let noted = |t: &str| is_note(campaign, t);
    let labelled = |c: &Cell| info::has_label(campaign, &text(c));
    // An entry whose remark begins like a label is an entry all the same: it has a number, or a name and more.
    let numbered = sequence.as_deref().is_some_and(|s| number(s.trim_end_matches(['.', '、'])).is_some());
    let plainly = |key: &str| find(key).and_then(|c| grid.own(row, c)).is_some_and(|c| !labelled(c));
    let more = form.columns.iter().filter(|c| c.key != form.identity && !form.is_sequence(&c.key));
    let entry = plainly(&form.identity) && (numbered || more.into_iter().any(|c| plainly(&c.key)));
    // A note in front of the table, in a column that is none of its own, says nothing of an entry beside it.
    let own = |column: u32| columns.iter().any(|(_, c)| *c <= column);
    let outside = cells.iter().take_while(|(column, _)| !own(*column)).count();
    let beside = entry && outside > 0 && !cells[outside..].iter().any(|(_, c)| noted(&text(c)) || labelled(c));
    let (_, first) = cells.get(outside).filter(|_| beside).unwrap_or(&cells[0]);
    // 填报单位 beside 填报时间 is a line, perhaps of the next table; signatures do not begin with the unit.
    if noted(&text(first)) || identity.is_none() && !labelled(first) && cells.iter().any(|(_, c)| noted(&text(c))) {
        return RowKind::Note;
    }
    let few = !entry && cells.len() <= 4 && cells.iter().any(|(_, c)| labelled(c));
    if labelled(first) || few || first_text.starts_with("附件") {
        return RowKind::Line;
    }
    let measures = cells.len() >= if identity.is_none() { 2 } else { 3 };
    if is_column_numbers(&cells) || measures && cells.iter().all(|(_, c)| info::is_measure(&text(c))) {
        return RowKind::Note;
    }
    let spans = grid.merge(row, *first_column).map_or(1, |m| m.last.1 - m.first.1 + 1);
    if cells.len() == 1 && spans >= 3 {
        return RowKind::Line;
    }
    let filled: Vec<(usize, &Cell)> = columns
        .iter()
        .filter(|(f, _)| !form.is_sequence(&form.columns[*f].key))
        .filter_map(|(f, c)| grid.own(row, *c).map(|cell| (*f, cell)))
        .collect();
    let is_number = sequence.as_deref().is_none_or(|s| number(s.trim_end_matches(['.', '、'])).is_some());
    let unnamed = identity.is_none() && sequence.is_none();
    if unnamed && cells.len() <= 2 && cells.iter().any(|(_, c)| names_a_form(campaign, &text(c))) {
        return RowKind::Line;
    }
    match (filled.as_slice(), &identity) {
        ([], _) if !is_number => RowKind::Line,
        ([], _) => RowKind::Empty,
        // Formulas copied down beyond the last entry, and what a blank form had filled in beforehand.
        (_, None) if filled.iter().all(|(f, cell)| is_preset(cell, &form.columns[*f])) => RowKind::Empty,
        ([(_, cell)], None) if unnamed && cells.len() == 1 && is_words(cell) => RowKind::Stray,
        ([(_, _)], Some(name)) if form.kind == FormKind::Book && is_mark(name) => RowKind::Empty,
        ([(_, _)], Some(name)) if sequence.is_none() && is_section(campaign, name) => RowKind::Line,
        // A row with nothing but a name: of a figures table, a unit that was not filled in; of a book, an entry without
        // data, unless it is the title of something that follows.
        ([(_, _)], Some(name)) if names_a_form(campaign, name) => RowKind::Line,
        ([(_, _)], Some(_)) if form.kind == FormKind::Figures => RowKind::Empty,
        _ => RowKind::Data,
    }
}

/// The title of a form, or its number among the enclosures.
fn names_a_form(campaign: &Campaign, text: &str) -> bool {
    campaign.forms.iter().flat_map(|f| &f.words).any(|w| text.contains(w.as_str()))
}

/// No number, and no choice between yes and no.
fn is_words(cell: &Cell) -> bool {
    let text = text(cell);
    matches!(cell.value, CellValue::Text(_)) && number(&text).is_none() && value::yes_no(cell).is_none()
}

fn text(cell: &Cell) -> String {
    plain(&written(cell))
}

/// `例`, `示例：`, `例1`
fn is_example(campaign: &Campaign, text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"()（）[]【】:：".contains(*c)).collect();
    let bare = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    campaign.rows.examples.iter().any(|e| e == bare)
}

/// `规模以上企业`, `一、规模以上企业（3家）`
fn is_section(campaign: &Campaign, text: &str) -> bool {
    let head = text.split(['(', '（', ':', '：']).next().unwrap_or_default();
    let head = head.split_once(['、', '.']).map_or(head, |(number, rest)| {
        if number.chars().count() <= 3 && self::number(number).is_some() { rest } else { head }
    });
    campaign.rows.sections.iter().any(|s| s == head.trim())
}

/// What a row of totals calls itself.
pub fn total_label(grid: &Grid<'_>, campaign: &Campaign, row: u32) -> Option<String> {
    grid.row(row).map(|(_, cell)| text(cell)).find(|t| is_total(campaign, t))
}

/// `合 计`, `街道小计`, `合计（家）`, `共计4家`
pub fn is_total(campaign: &Campaign, text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !":：".contains(*c)).collect();
    let head = bare.split(['(', '（']).next().unwrap_or_default();
    let uncounted =
        head.trim_end_matches(['家', '个', '户', '名', '人']).trim_end_matches(|c: char| c.is_ascii_digit());
    let head =
        if uncounted.len() < head.len() && head.contains(|c: char| c.is_ascii_digit()) { uncounted } else { head };
    head.chars().count() <= 12 && campaign.rows.totals.iter().any(|t| head.ends_with(t.as_str()))
}

/// `填表人：…`, `注：…`, `说明：…`, `注1、…`
fn is_note(campaign: &Campaign, text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    campaign.rows.notes.iter().any(|word| {
        bare.strip_prefix(word.as_str()).is_some_and(|rest| {
            let rest = rest.trim_start_matches(['(', ')', '（', '）', '签', '字', '章', '盖']);
            rest.starts_with([':', '：']) || word == "注" && rest.starts_with(|c: char| c.is_ascii_digit())
        })
    })
}

/// The row under the headings that numbers the columns: 甲 乙 1 2 3 …
fn is_column_numbers(cells: &[(u32, &Cell)]) -> bool {
    let numbers: Vec<i64> = cells
        .iter()
        .filter_map(|(_, c)| match &c.value {
            CellValue::Number(n) => whole(*n),
            CellValue::Text(s) => plain(s).trim_matches(['(', ')']).parse().ok(),
            _ => None,
        })
        .collect();
    let letters = cells.iter().filter(|(_, c)| matches!(text(c).as_str(), "甲" | "乙" | "丙" | "丁" | "栏次")).count();
    numbers.len() >= 5
        && numbers.len() + letters == cells.len()
        && numbers[0] <= 3
        && numbers.windows(2).all(|w| w[1] == w[0] + 1)
}

/// A zero, a no, a default or an uncached formula, as stand in rows that nobody filled in.
pub fn is_preset(cell: &Cell, column: &Column) -> bool {
    let nothing = |datum: &Datum| {
        let no =
            |t: &str| column.when.iter().any(|w| w.no.as_deref() == Some(t)) || column.default.as_deref() == Some(t);
        matches!(datum, Datum::Null | Datum::Bool(false) | Datum::Int(0)) || datum.text().is_some_and(no)
    };
    match &cell.value {
        CellValue::Number(n) => *n == 0.0,
        CellValue::Uncached | CellValue::Error(_) => cell.formula,
        CellValue::Text(s) if plain(s) == "0" || is_mark(&plain(s)) => true,
        _ if matches!(column.kind, ColumnKind::YesNo | ColumnKind::OneOf(_)) => {
            let value = value::read(Some(cell), column, &Context::default());
            value.fault.is_none() && nothing(&value.datum)
        }
        _ => false,
    }
}
