//! A table on a sheet: title, one block of headings with merged groups, typed rows, lines below. Pure.
//!
//! The block is what the forms' own header looks like, so that this software can read its own sheets again.

use rust_xlsxwriter::{IgnoreError, Worksheet, XlsxError};

use crate::form::{Column, ColumnKind, Datum, Form};
use crate::report::sheet::{Fit, Look, Styles, YesNo, height, lines, paper, put, span, whole_date, width};

/// Row of the first headings, below title and note.
const HEAD: u32 = 2;

#[derive(Clone, Debug)]
pub struct GridColumn {
    /// Top row first, as [`Column::heading`].
    pub heading: Vec<String>,
    pub look: Look,
    pub width: f64,
    yes: YesNo,
}

impl GridColumn {
    pub fn new(heading: &str, look: Look, width: f64) -> Self {
        Self { heading: vec![heading.to_owned()], look, width, yes: YesNo::of(heading) }
    }

    /// A group's column: `党组织` above `组建形式`.
    pub fn under(group: &str, heading: &str, look: Look, width: f64) -> Self {
        Self { heading: vec![group.to_owned(), heading.to_owned()], ..Self::new(heading, look, width) }
    }

    /// A column of a form; the width suits the kind of value, for numbers and text the values.
    pub fn of_form<'a>(form: &Form, column: &Column, values: impl Iterator<Item = &'a Datum>) -> Self {
        let leaf = column.leaf();
        // A long heading wraps over a few lines rather than making its column wide.
        let heading = (width(leaf) / 4.0).ceil() + 1.2;
        let width = match &column.kind {
            ColumnKind::Count if form.is_sequence(&column.key) => 4.2,
            ColumnKind::Count => heading.clamp(4.8, 6.4).max(number_width(values)),
            ColumnKind::Rate => 6.8,
            ColumnKind::Date => 10.6,
            ColumnKind::YesNo => 4.8,
            ColumnKind::OneOf(choices) => choices.iter().map(|c| width(&c.value)).fold(0.0, f64::max).max(4.0) + 1.2,
            ColumnKind::Text => text_width(values).max(heading).clamp(6.4, 22.0),
        };
        Self { heading: column.heading.clone(), look: Look::of(column), width, yes: YesNo::of(leaf) }
    }

    fn leaf(&self) -> &str {
        self.heading.last().map(String::as_str).unwrap_or_default()
    }
}

/// The width that whole numbers want, thousands set apart, in bold as well: too narrow a cell shows `####`.
fn number_width<'a>(values: impl Iterator<Item = &'a Datum>) -> f64 {
    let digits = values.filter_map(Datum::int).map(|n| n.to_string().len()).max().unwrap_or(0);
    (digits + digits.saturating_sub(1) / 3) as f64 * 1.1 + 0.8
}

/// The width that a column of texts wants: short texts (a telephone number, a code) unbroken, long ones on two lines.
fn text_width<'a>(values: impl Iterator<Item = &'a Datum>) -> f64 {
    let widest = values.filter_map(Datum::text).map(width).fold(0.0, f64::max);
    if widest <= 12.0 { widest + 1.4 } else { (widest / 2.0).max(11.0) + 1.8 }
}

#[derive(Clone, Debug)]
pub struct Grid {
    pub title: String,
    /// The line between title and headings.
    pub note: String,
    pub columns: Vec<GridColumn>,
    /// Columns on the left that stay in sight, and are repeated on pages side by side.
    pub fixed: u16,
    /// Too wide for one page: printed on two side by side.
    pub two_pages: bool,
}

/// Where the parts of a grid came to lie, zero-based.
#[derive(Clone, Copy, Debug)]
pub struct Laid {
    /// The last row of headings.
    pub header_end: u32,
    pub first_row: u32,
}

impl Grid {
    pub fn new(title: String, note: String, columns: Vec<GridColumn>) -> Self {
        Self { title, note, columns, fixed: 0, two_pages: false }
    }

    /// Title, note and headings from the top of the sheet, the columns' widths, what is frozen, and the paper.
    pub fn open(&self, sheet: &mut Worksheet, styles: &Styles) -> Result<Laid, XlsxError> {
        self.banners(sheet, styles)?;
        let header_end = self.head(sheet, HEAD, styles)?;
        sheet.set_freeze_panes(header_end + 1, self.fixed)?;
        paper(sheet, self.fit(), Some((HEAD, header_end)))?;
        if self.two_pages && self.fixed > 0 {
            sheet.set_repeat_columns(0, self.fixed - 1)?;
        }
        Ok(Laid { header_end, first_row: header_end + 1 })
    }

    /// Title and note in the first two rows, and the columns' widths.
    pub fn banners(&self, sheet: &mut Worksheet, styles: &Styles) -> Result<(), XlsxError> {
        for (i, column) in self.columns.iter().enumerate() {
            sheet.set_column_width(i as u16, column.width)?;
        }
        let columns = self.words();
        // A title in eighteen points takes that much less.
        let room = self.room(columns) / 1.65;
        let title = match self.title.rfind('（') {
            Some(bracket) if lines(&self.title, room) > 1 => {
                format!("{}\n{}", &self.title[..bracket], &self.title[bracket..])
            }
            _ => self.title.clone(),
        };
        span(sheet, (0, 0), columns, &title, &styles.title)?;
        sheet.set_row_height(0, 28.0 * f64::from(lines(&title, room)))?;
        self.line(sheet, 1, &self.note, styles)
    }

    fn last(&self) -> u16 {
        self.columns.len().saturating_sub(1) as u16
    }

    /// The columns that lines of words run over. On pages side by side they stand on the first one, right of the columns
    /// that every page repeats.
    fn words(&self) -> (u16, u16) {
        match self.fit() {
            Fit::OnePage => (0, self.last()),
            Fit::TwoPages { second, .. } => (self.fixed, second - 1),
        }
    }

    /// Of two pages the second begins where the wider one is narrowest.
    fn fit(&self) -> Fit {
        let repeated = if self.fixed > 0 { self.room((0, self.fixed - 1)) } else { 0.0 };
        let wider = |c: u16| self.room((0, c - 1)).max(repeated + self.room((c, self.last())));
        let places = (self.fixed + 1..=self.last()).filter(|_| self.two_pages);
        match places.min_by(|a, b| wider(*a).total_cmp(&wider(*b))) {
            Some(second) => {
                let columns = second.max(self.fixed + self.last() + 1 - second);
                Fit::TwoPages { second, width: wider(second), columns }
            }
            None => Fit::OnePage,
        }
    }

    fn room(&self, (first, last): (u16, u16)) -> f64 {
        let columns = self.columns.iter().skip(first.into()).take(usize::from(last - first) + 1);
        columns.map(|c| c.width).sum()
    }

    /// The block of headings from row `top` on; returns its last row.
    pub fn head(&self, sheet: &mut Worksheet, top: u32, styles: &Styles) -> Result<u32, XlsxError> {
        let depth = self.columns.iter().map(|c| c.heading.len()).max().unwrap_or(1).max(1);
        let end = top + depth as u32 - 1;
        let mut i = 0;
        while i < self.columns.len() {
            i = self.head_group(sheet, (top, end), i, styles)?;
        }
        for level in 0..depth {
            sheet.set_row_height(top + level as u32, self.head_height(level, depth))?;
        }
        Ok(end)
    }

    /// One column, or all neighbours under the same group, from `first` on; returns the column after them.
    fn head_group(
        &self,
        sheet: &mut Worksheet,
        rows: (u32, u32),
        first: usize,
        styles: &Styles,
    ) -> Result<usize, XlsxError> {
        let heading = &self.columns[first].heading;
        if heading.len() < 2 || rows.0 == rows.1 {
            span(sheet, rows, (first as u16, first as u16), self.columns[first].leaf(), &styles.head)?;
            return Ok(first + 1);
        }
        // A group that the page breaks in two is headed on both pages.
        let end = match self.fit() {
            Fit::TwoPages { second, .. } if first < second.into() => second.into(),
            _ => self.columns.len(),
        };
        let same = |c: &&GridColumn| c.heading.len() > 1 && c.heading[0] == heading[0];
        let after = first + self.columns[first..end].iter().take_while(same).count();
        span(sheet, (rows.0, rows.0), (first as u16, after as u16 - 1), &heading[0], &styles.head)?;
        for i in first..after {
            let below = self.columns[i].heading[1..].join("");
            span(sheet, (rows.0 + 1, rows.1), (i as u16, i as u16), &below, &styles.head)?;
        }
        Ok(after)
    }

    fn head_height(&self, level: usize, depth: usize) -> f64 {
        let lines_of = |c: &GridColumn| {
            let whole = lines(c.leaf(), c.width);
            if c.heading.len() > 1 { whole * u32::from(level > 0) } else { whole.div_ceil(depth as u32) }
        };
        height(self.columns.iter().map(lines_of).max().unwrap_or(1).max(1)) + 4.0
    }

    /// One row of values, in the order of the columns, as high as its longest text.
    pub fn row(&self, sheet: &mut Worksheet, row: u32, values: &[Datum], styles: &Styles) -> Result<(), XlsxError> {
        self.row_at_least(sheet, row, (values, 1), styles)
    }

    /// The same, so many lines high at least: room to write in by hand.
    pub fn row_at_least(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        (values, least): (&[Datum], u32),
        styles: &Styles,
    ) -> Result<(), XlsxError> {
        let mut high = least;
        for (i, (column, value)) in self.columns.iter().zip(values).enumerate() {
            column.write(sheet, (row, i as u16), value, styles)?;
            high = high.max(value.text().map_or(1, |text| lines(text, column.width)));
        }
        sheet.set_row_height(row, height(high))?;
        Ok(())
    }

    /// All rows below the headings, with a filter over them; returns the row after the last.
    pub fn rows(
        &self,
        sheet: &mut Worksheet,
        laid: Laid,
        rows: &[Vec<Datum>],
        styles: &Styles,
    ) -> Result<u32, XlsxError> {
        for (i, values) in rows.iter().enumerate() {
            self.row(sheet, laid.first_row + i as u32, values, styles)?;
        }
        let end = laid.first_row + rows.len() as u32;
        if !rows.is_empty() {
            let error = IgnoreError::NumberStoredAsText;
            sheet.ignore_error_range(laid.first_row, 0, end - 1, self.last(), error)?;
        }
        sheet.autofilter(laid.header_end, 0, end.saturating_sub(1).max(laid.header_end), self.last())?;
        Ok(end)
    }

    /// A line of words.
    pub fn line(&self, sheet: &mut Worksheet, row: u32, text: &str, styles: &Styles) -> Result<(), XlsxError> {
        let columns = self.words();
        span(sheet, (row, row), columns, text, &styles.note)?;
        sheet.set_row_height(row, height(lines(text, self.room(columns))))?;
        Ok(())
    }
}

impl GridColumn {
    fn write(&self, sheet: &mut Worksheet, at: (u32, u16), value: &Datum, styles: &Styles) -> Result<(), XlsxError> {
        let format = styles.body(self.look);
        match value {
            Datum::Rate(percent) if self.look == Look::Percent => {
                sheet.write_number_with_format(at.0, at.1, percent / 100.0, format)?;
            }
            Datum::Text(text) if self.look == Look::Date => match whole_date(text) {
                Some(date) => {
                    sheet.write_datetime_with_format(at.0, at.1, date, format)?;
                }
                None => put(sheet, at, value, self.yes, styles.body(Look::Centre))?,
            },
            _ => put(sheet, at, value, self.yes, format)?,
        }
        Ok(())
    }
}
