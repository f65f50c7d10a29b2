//! What a cell looks like in a table sent back: its kind of content, where it stands, how it is marked. Pure.

use std::collections::HashMap;

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder};

use crate::form::Severity;
use crate::report::sheet::{SONG, fill};
use crate::workbook::{Cell, CellValue};

/// Texts of digits up to this length keep their format, so that what is typed in their place stays text, too. (Excel
/// shows a long text in such a format as `####`.)
const DIGITS: usize = 40;
/// From here on Excel shows a whole number as `1.2E+11`, unless it is told not to.
const LONG: f64 = 1e11;
/// Excel keeps 15 digits: what is longer was a code, and has to be typed again as text.
const LOST: f64 = 1e15;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Left to the program.
    General,
    Number,
    Digits,
    Whole,
    Percent,
    PercentExact,
    Date,
    Moment,
}

impl Kind {
    pub fn of(cell: &Cell) -> Self {
        match &cell.value {
            CellValue::Text(text) if is_digits(text) => Self::Digits,
            CellValue::Number(n) if cell.percent && (n * 100.0).fract() == 0.0 => Self::Percent,
            CellValue::Number(_) if cell.percent => Self::PercentExact,
            CellValue::Number(n) if n.abs() >= LOST => Self::Digits,
            CellValue::Number(n) if n.abs() >= LONG && n.fract() == 0.0 => Self::Whole,
            CellValue::Number(_) => Self::Number,
            CellValue::Date(at) if at.time() == chrono::NaiveTime::MIN => Self::Date,
            CellValue::Date(_) => Self::Moment,
            _ => Self::General,
        }
    }

    fn code(self) -> Option<&'static str> {
        match self {
            Self::General | Self::Number => None,
            Self::Digits => Some("@"),
            Self::Whole => Some("0"),
            Self::Percent => Some("0%"),
            Self::PercentExact => Some("0.00%"),
            Self::Date => Some("yyyy-mm-dd"),
            Self::Moment => Some("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

/// A code, a telephone number, a date with dots.
fn is_digits(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || " -/.()（）".contains(c);
    text.len() <= DIGITS && text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(part)
}

/// Where a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The sheet's first line over several columns.
    Title,
    /// Other lines over several columns.
    Line,
    /// Outside of any table.
    Loose,
    Heading,
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    pub kind: Kind,
    pub part: Part,
    pub mark: Option<Severity>,
}

/// Formats by look, each made once.
#[derive(Default)]
pub struct Palette(HashMap<Look, Format>);

impl Palette {
    pub fn format(&mut self, look: Look) -> &Format {
        self.0.entry(look).or_insert_with(|| made(look))
    }
}

fn made(look: Look) -> Format {
    let plain = Format::new().set_font_name(SONG).set_font_size(11).set_align(FormatAlign::VerticalCenter);
    let boxed = |format: Format| format.set_border(FormatBorder::Thin).set_text_wrap();
    let mut format = match look.part {
        Part::Title => plain.set_font_size(14).set_bold().set_align(FormatAlign::Center).set_text_wrap(),
        Part::Line => plain.set_text_wrap(),
        Part::Loose => plain,
        Part::Heading => boxed(plain).set_bold().set_align(FormatAlign::Center),
        Part::Body if look.kind == Kind::General => boxed(plain),
        // A number that wraps would look like two.
        Part::Body => plain.set_border(FormatBorder::Thin).set_align(FormatAlign::Center),
    };
    if let Some(code) = look.kind.code() {
        format = format.set_num_format(code);
    }
    match look.mark {
        Some(severity) => format.set_background_color(fill(severity)),
        None => format,
    }
}
