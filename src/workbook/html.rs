//! Pages with tables (exports of web systems, “save as web page”, mostly named .xls) → one sheet. Pure.
//!
//! Laid out as a spreadsheet program does when it opens such a file: tables one below another in the order in which
//! they begin (a table inside a cell after the one around it), text between tables in rows of its own. Tags are taken
//! as they come: cells and rows that nobody closes end where the next begin.

use std::ops::RangeInclusive;

use html5gum::{DefaultEmitter, Token, Tokenizer};

use super::draft::{Budget, Draft};
use super::html_cell::{Attributes, Content, Tag, Text, attribute, is_hidden, number};
use super::marks::{At, Formula, Marks};
use super::{Limits, Merge, Refusal, Workbook};
use crate::message::attachment::text_of;

/// What a page without a name for its sheet is called.
const SHEET: &str = "Sheet1";
/// Tables, and texts between them.
const BLOCKS: usize = 10_000;
/// A cell stands right of those that reach down from rows above; they are looked through column by column.
const WIDTH: u32 = 1_024;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let text = text_of(bytes);
    let mut emitter = DefaultEmitter::default();
    // What stands inside scripts and style sheets are no tags.
    emitter.naively_switch_states(true);
    let mut page = Page { cells_left: limits.cells, ..Page::default() };
    for Ok(token) in Tokenizer::new_with_emitter(&text, emitter) {
        match token {
            Token::StartTag(tag) => page.start(&tag)?,
            Token::EndTag(tag) => page.end(&tag.name)?,
            Token::String(text) => page.text(&String::from_utf8_lossy(&text)),
            Token::Comment(text) => page.comment(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    page.finish(limits)
}

/// The page while its tags pass by.
#[derive(Default)]
struct Page {
    cells_left: u64,
    blocks: Vec<Table>,
    /// Indices of the tables that are open, innermost last.
    open: Vec<usize>,
    /// Text outside cells.
    text: Text,
    /// The element whose content nobody sees.
    unseen: Option<Vec<u8>>,
    name: Option<String>,
}

/// A table, or the text between two: then it has one cell.
#[derive(Default)]
struct Table {
    cells: Vec<(At, Content)>,
    merges: Vec<Merge>,
    hidden: bool,
    hidden_rows: Vec<u32>,
    hidden_columns: Vec<RangeInclusive<u32>>,
    /// The next column that a `<col>` is about.
    next_col: u32,
    row: Option<u32>,
    /// Where the next cell of the row goes, unless that place is taken.
    column: u32,
    /// For each column the first row that no cell from above reaches.
    free_from: Vec<u32>,
    cell: Option<OpenCell>,
}

struct OpenCell {
    at: At,
    attributes: Attributes,
    text: Text,
}

impl Page {
    fn start(&mut self, tag: &Tag) -> Result<(), Refusal> {
        match &tag.name[..] {
            name @ (b"style" | b"script" | b"title" | b"xml") => self.unseen = Some(name.to_vec()),
            b"table" => {
                self.flush()?;
                self.add(Table { hidden: is_hidden(tag), ..Table::default() })?;
                self.open.push(self.blocks.len() - 1);
            }
            b"tr" => {
                self.end_cell()?;
                self.flush()?;
                self.innermost().map_or(Ok(()), |table| table.start_row(is_hidden(tag)))?;
            }
            b"td" | b"th" => {
                self.end_cell()?;
                self.innermost().map_or(Ok(()), |table| table.start_cell(tag))?;
            }
            b"col" => self.innermost().into_iter().for_each(|table| table.column(tag)),
            b"br" => self.line_break(true)?,
            name if is_block(name) => self.line_break(false)?,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &[u8]) -> Result<(), Refusal> {
        if self.unseen.as_deref() == Some(name) {
            self.unseen = None;
        }
        match name {
            b"table" => {
                self.end_cell()?;
                self.flush()?;
                self.open.pop();
            }
            b"td" | b"th" | b"tr" => self.end_cell()?,
            name if is_block(name) => self.line_break(false)?,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.unseen.is_none() {
            self.place().push(text);
        }
    }

    /// Excel tells the sheet's name in a conditional comment: `<x:ExcelWorksheet><x:Name>…`.
    fn comment(&mut self, text: &str) {
        let sheet = text.split_once("<x:ExcelWorksheet>").and_then(|(_, rest)| rest.split_once("<x:Name>"));
        let name = sheet.and_then(|(_, rest)| rest.split_once("</x:Name>")).map(|(name, _)| name.trim().to_owned());
        self.name = self.name.take().or(name.filter(|name| !name.is_empty()));
    }

    fn innermost(&mut self) -> Option<&mut Table> {
        self.open.last().map(|&index| &mut self.blocks[index])
    }

    /// Where text goes.
    fn place(&mut self) -> &mut Text {
        let cell = self.open.last().and_then(|&index| self.blocks[index].cell.as_mut());
        cell.map_or(&mut self.text, |cell| &mut cell.text)
    }

    /// Lines outside cells are rows of their own.
    fn line_break(&mut self, always: bool) -> Result<(), Refusal> {
        if self.innermost().is_some_and(|table| table.cell.is_some()) {
            self.place().line_break(always);
            return Ok(());
        }
        self.flush()
    }

    fn end_cell(&mut self) -> Result<(), Refusal> {
        let Some(OpenCell { at, attributes, text }) = self.innermost().and_then(|table| table.cell.take()) else {
            return Ok(());
        };
        let Some(content) = Content::of(text.finish(), &attributes) else { return Ok(()) };
        self.cells_left = self.cells_left.checked_sub(1).ok_or_else(|| Refusal::TooLarge("cells".into()))?;
        self.innermost().into_iter().for_each(|table| table.cells.push((at, content.clone())));
        Ok(())
    }

    /// Text outside cells becomes a block: a caption before its table, other text where it stands.
    fn flush(&mut self) -> Result<(), Refusal> {
        let Some(content) = Content::of(std::mem::take(&mut self.text).finish(), &Attributes::default()) else {
            return Ok(());
        };
        let block = Table { cells: vec![((0, 0), content)], row: Some(0), ..Table::default() };
        let caption = self.innermost().is_some_and(|table| table.row.is_none());
        let table = if caption { self.blocks.pop() } else { None };
        self.add(block)?;
        if let (Some(table), Some(open)) = (table, self.open.last_mut()) {
            *open += 1;
            self.add(table)?;
        }
        Ok(())
    }

    fn add(&mut self, block: Table) -> Result<(), Refusal> {
        if self.blocks.len() == BLOCKS {
            return Err(Refusal::TooLarge("tables".into()));
        }
        self.blocks.push(block);
        Ok(())
    }

    fn finish(mut self, limits: &Limits) -> Result<Workbook, Refusal> {
        while !self.open.is_empty() {
            self.end(b"table")?;
        }
        self.flush()?;
        let mut budget = Budget::new(limits);
        let mut draft = Draft::new(self.name.unwrap_or_else(|| SHEET.to_owned()), false, Marks::default());
        let mut first_row = 0;
        for block in self.blocks {
            first_row += block.lay_out(first_row, &mut draft, &mut budget)?;
        }
        Ok(Workbook { sheets: vec![draft.finish()] })
    }
}

impl Table {
    fn start_row(&mut self, hidden: bool) -> Result<(), Refusal> {
        let row = self.row.map_or(0, |row| row + 1);
        (self.row, self.column) = (Some(row), 0);
        if hidden {
            self.hidden_rows.push(row);
        }
        Ok(())
    }

    fn start_cell(&mut self, tag: &Tag) -> Result<(), Refusal> {
        let row = *self.row.get_or_insert(0);
        let attributes = Attributes::of(tag);
        while self.free_from.get(self.column as usize).is_some_and(|&free| free > row) {
            self.column += 1;
        }
        let at = (row, self.column);
        // A cell that is not shown takes no place.
        if !attributes.hidden {
            let end = at.1 + attributes.columns;
            if end > WIDTH {
                return Err(Refusal::TooLarge("columns of a table".into()));
            }
            self.free_from.resize(self.free_from.len().max(end as usize), 0);
            self.free_from[at.1 as usize..end as usize].fill(row.saturating_add(attributes.rows));
            if (attributes.rows, attributes.columns) != (1, 1) {
                self.merges.push(Merge { first: at, last: (row.saturating_add(attributes.rows - 1), end - 1) });
            }
            self.column = end;
        }
        self.cell = Some(OpenCell { at, attributes, text: Text::default() });
        Ok(())
    }

    fn column(&mut self, tag: &Tag) {
        let first = self.next_col;
        self.next_col = first.saturating_add(number(attribute(tag, b"span"), WIDTH));
        if is_hidden(tag) {
            self.hidden_columns.push(first..=self.next_col - 1);
        }
    }

    /// Puts the table into the sheet from a row on; how many rows it takes.
    fn lay_out(self, first_row: u32, draft: &mut Draft, budget: &mut Budget) -> Result<u32, Refusal> {
        let Some(last) = self.row else { return Ok(0) };
        for (at, content) in self.cells {
            let at = (first_row.saturating_add(at.0), at.1);
            if content.formula {
                draft.marks().formulas.insert(at, Formula::Any);
            }
            if content.percent {
                draft.percent(at);
            }
            draft.put(at, Some(content.value), budget)?;
        }
        for Merge { first, last: corner } in self.merges {
            draft.merge((first_row + first.0, first.1), (first_row + corner.0.min(last), corner.1));
        }
        let marks = draft.marks();
        if self.hidden {
            marks.hidden_rows.extend(first_row..=first_row + last);
        }
        marks.hidden_rows.extend(self.hidden_rows.into_iter().map(|row| first_row + row));
        self.hidden_columns.into_iter().for_each(|columns| marks.hide_columns(columns));
        Ok(last + 1)
    }
}

/// Elements that begin and end a line.
fn is_block(name: &[u8]) -> bool {
    matches!(
        name,
        b"p" | b"div" | b"li" | b"center" | b"caption" | b"pre" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6"
    )
}
