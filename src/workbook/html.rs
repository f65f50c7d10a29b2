//! Pages with tables (exports of web systems, “save as web page”, mostly named .xls) → one sheet. Pure.
//!
//! Laid out as a spreadsheet program does when it opens such a file: tables one below another in the order in which
//! they begin (a table inside a cell after the one around it), text between tables in rows of its own. Tags are taken
//! as they come: cells and rows that nobody closes end where the next begin.

use std::ops::RangeInclusive;

use html5gum::{DefaultEmitter, Token, Tokenizer};

use super::draft::{At, Budget, Draft};
use super::html_cell::{Attributes, Content, Tag, Text, attribute, is_hidden, number};
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
        let mut draft = Draft::new(self.name.unwrap_or_else(|| SHEET.to_owned()), false);
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
            if at.1 >= WIDTH {
                return Err(Refusal::TooLarge("columns of a table".into()));
            }
            // Excel fills its rows up to the last column of the grid.
            let end = (at.1 + attributes.columns).min(WIDTH);
            self.free_from.resize(self.free_from.len().max(end as usize), 0);
            let reached = &mut self.free_from[at.1 as usize..end as usize];
            // A browser would let the cell lie over one from above; here it ends before that.
            let width = reached.iter().take_while(|&&free| free <= row).count() as u32;
            reached.iter_mut().for_each(|free| *free = (*free).max(row.saturating_add(attributes.rows)));
            if (attributes.rows, width) != (1, 1) {
                let last = (row.saturating_add(attributes.rows - 1), at.1 + width - 1);
                self.merges.push(Merge { first: at, last });
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
            draft.put(at, content, budget)?;
        }
        for Merge { first, last: corner } in self.merges {
            draft.merge((first_row + first.0, first.1), (first_row + corner.0.min(last), corner.1));
        }
        if self.hidden {
            draft.hide_rows(first_row..=first_row + last);
        }
        self.hidden_rows.into_iter().for_each(|row| draft.hide_row(first_row + row));
        self.hidden_columns.into_iter().for_each(|columns| draft.hide_columns(columns));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workbook::{CellValue, Sheet, a1};

    const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 1000 };

    fn sheet(html: &str) -> Sheet {
        read(html.as_bytes(), &LIMITS).unwrap().sheets.remove(0)
    }

    /// `A1=text`, joined by `|`.
    fn cells(html: &str) -> String {
        let cells = sheet(html).cells;
        let shown = cells.iter().map(|(at, cell)| match &cell.value {
            CellValue::Text(text) => format!("{}={text}", a1(at.0, at.1)),
            other => format!("{}:{other:?}", a1(at.0, at.1)),
        });
        shown.collect::<Vec<_>>().join("|")
    }

    fn merge(first: At, last: At) -> Merge {
        Merge { first, last }
    }

    #[test]
    fn spans_push_cells_aside_and_become_merges() {
        let s = sheet(
            "<table><tr><td colspan=3>甲</td></tr><tr><td rowspan=2>乙<td>丙<td rowspan='9'>丁</tr><tr><td>戊</table>",
        );
        let at: Vec<At> = s.cells.keys().copied().collect();
        assert_eq!(at, [(0, 0), (1, 0), (1, 1), (1, 2), (2, 1)]);
        assert_eq!(s.merges, [merge((0, 0), (0, 2)), merge((1, 0), (2, 0)), merge((1, 2), (2, 2))]);
    }

    #[test]
    fn tables_and_the_text_between_them_stand_one_below_another() {
        let html =
            "<html><head><title>x</title><style>td{}</style></head><body><h1>统计表</h1>填报单位：甲<br>2011年8月
            <table><caption>附件1</caption><tr><td rowspan=5>1<td>2</table><script>if(a<b){'<td>'}</script><p>注：无</p>
            <table><tr><td>3</td></tr></table>";
        assert_eq!(cells(html), "A1=统计表|A2=填报单位：甲|A3=2011年8月|A4=附件1|A5=1|B5=2|A6=注：无|A7=3");
        assert_eq!(sheet(html).merges, [], "a cell does not reach into the next table");
    }

    #[test]
    fn a_table_inside_a_cell_follows_the_one_around_it() {
        let html =
            "<table><tr><td>统计表<table><tr><td>1<td>2<tr><td>3</table>完</td><td>右</td></tr><tr><td>末</table>";
        assert_eq!(cells(html), "A1=统计表 完|B1=右|A2=末|A3=1|B3=2|A4=3".replace("统计表 完", "统计表完"));
    }

    #[test]
    fn text_is_as_a_browser_shows_it() {
        let html = "<table><tr><td> 新建<br>\n   党组织 <td>&nbsp;<td>a&nbsp; &nbsp;b &lt;&amp;<td><p>甲</p><p>乙</p>\n<td>王\n  芳</table>";
        assert_eq!(cells(html), "A1=新建\n党组织|C1=a   b <&|D1=甲\n乙|E1=王 芳");
    }

    #[test]
    fn what_is_not_shown_is_marked_or_left_out() {
        let s = sheet(
            "<table><col><col span=2 style='DISPLAY: none'><tr><td>1<td>2<td>3<td>4<tr style='height:0;display:none'><td>5
            <tr><td style='display:none'>id<td>6</table><table hidden><tr><td>7</table>",
        );
        assert_eq!(s.hidden_columns.iter().copied().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(s.hidden_rows.iter().copied().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(s.cell(2, 0).unwrap().value, CellValue::Text("6".into()));
    }

    #[test]
    fn the_sheet_has_the_name_that_excel_gave_it() {
        let named = "<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:ExcelWorksheets><x:ExcelWorksheet>
            <x:Name>台账</x:Name></x:ExcelWorksheet></xml><![endif]--><table><tr><td>1</table>";
        assert_eq!(sheet(named).name, "台账");
        assert_eq!(sheet("<table><tr><td>1</table>").name, "Sheet1");
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let too_large = |html: String| matches!(read(html.as_bytes(), &LIMITS), Err(Refusal::TooLarge(_)));
        let table = |inside: &str| format!("<table><tr>{inside}</table>");
        assert!(too_large(table(&"<td>1".repeat(1001))));
        assert!(too_large(table(&"<td>".repeat(1025))));
        assert!(!too_large(table("<td>1<td colspan=16383>")));
        assert!(too_large("<table>".repeat(10_001)));
        assert!(!too_large(table("<td colspan=99999999999 rowspan=-1>1")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn no_soup_of_tags_brings_the_reader_down(
            pieces in prop::collection::vec(
                "<table>|</table>|<tr>|<td>|<td (col|row)span=[0-9]{1,12}>|</td>|<td hidden>|<td x:num=\"[0-9.e-]{0,9}\">|<col span=[0-9]{1,12} hidden>|<br>|<p>|<caption>|<!--|-->|<script>|<table hidden>|甲|&nbsp;|&#[0-9]{1,9};|\\PC{1,4}", 0..60),
        ) {
            let _ = read(pieces.concat().as_bytes(), &LIMITS);
        }

        #[test]
        fn a_grid_of_spans_never_overlaps(rows in prop::collection::vec(prop::collection::vec((1..4u32, 1..4u32), 1..6), 1..8)) {
            let cell = |(columns, rows): &(u32, u32)| format!("<td colspan={columns} rowspan={rows}>1");
            let row = |row: &Vec<_>| format!("<tr>{}", row.iter().map(cell).collect::<String>());
            let s = sheet(&format!("<table>{}</table>", rows.iter().map(row).collect::<String>()));
            prop_assert_eq!(s.cells.len(), rows.iter().map(Vec::len).sum::<usize>());
            for at in s.cells.keys() {
                let holds = |m: &&Merge| m.first.0 <= at.0 && at.0 <= m.last.0 && m.first.1 <= at.1 && at.1 <= m.last.1;
                prop_assert!(s.merges.iter().filter(holds).all(|m| m.first == *at));
            }
        }
    }
}
