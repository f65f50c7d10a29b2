//! How a clerk lays out what is known: every choice is a number, 0 the plainest, so that a failing layout shrinks.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::formats::Format;
use crate::formats::separated::{self, Encoding};
use crate::formats::xls::{self, EXCEL_95, EXCEL_97};
use crate::formats::xlsx::Oddity;
use crate::known::{Form, Known};

/// How group headings stand above their columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Header {
    /// Groups merged across, everything else merged down.
    Merged,
    /// The group's name once, at the left, and nothing merged.
    Cut,
    /// The group's name above each of its columns.
    Repeated,
    /// Group and column in one cell.
    Joined,
    /// A third row on top, which names what belongs together.
    Deep,
}

/// One table (or a book of cards).
#[derive(Clone, Debug)]
pub struct Layout {
    /// Lines above the table besides the one that names the unit.
    pub titles: u8,
    /// How the unit and the month are said.
    pub line: u8,
    pub gap: u8,
    pub offset: (u8, u8),
    pub header: Header,
    /// Sort keys of the blocks of columns.
    pub order: Vec<u16>,
    /// Which of its headings each column has.
    pub words: Vec<u8>,
    /// Line breaks, spaces and remarks in headings.
    pub looks: Vec<u8>,
    /// Optional columns that are left out.
    pub absent: Vec<bool>,
    /// Before which columns one that is none of the form's stands, or an empty one.
    pub foreign: Vec<(u8, bool)>,
    /// How values are written, cell by cell, over and over.
    pub spellings: Vec<u8>,
    /// A row below the headings that numbers the columns.
    pub numbered: bool,
    /// After which rows an empty one stands.
    pub blank_rows: Vec<u8>,
    /// 0 none, 1 合计 below, 2 小计 in between as well.
    pub totals: u8,
    /// Notes and signatures below.
    pub tail: u8,
    /// Equal neighbours in 党组织名称 and 行业 are merged into one cell.
    pub merged_down: bool,
    pub hidden_row: Option<u8>,
    /// The columns that are none of the form's are hidden.
    pub hidden_columns: bool,
    /// Formatted empty rows below the last.
    pub formatted: u16,
    /// Of a register: a card an organisation. 1 a sheet each, 2 one below the other, 3 side by side.
    pub cards: u8,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub tables: Vec<(Known, Layout)>,
    pub format: Format,
    /// Both tables on one sheet.
    pub together: bool,
    /// Sheets without a form: 1 an explanation behind, 2 a cover before as well.
    pub others: u8,
    /// Last month's figures on a hidden sheet.
    pub old: bool,
    /// Inside a zip archive: 1 with names in UTF-8, 2 in GBK.
    pub packed: u8,
    /// The name has another format's ending.
    pub misnamed: bool,
}

pub fn layout() -> impl Strategy<Value = Layout> {
    let around = (0..3_u8, 0..5_u8, 0..3_u8, (0..4_u8, 0..3_u8));
    let heads = (header(), order(), vec(0..8_u8, 30), vec(odd(8), 30), vec(prop::bool::weighted(0.15), 30));
    let inside = (vec((0..30_u8, any::<bool>()), 0..3), vec(odd(28), 1..12), prop::bool::weighted(0.15));
    let rows = (vec(0..20_u8, 0..3), 0..3_u8, 0..4_u8, prop::bool::weighted(0.3));
    let marks = (prop::option::weighted(0.2, 0..12_u8), any::<bool>(), prop_oneof![4 => Just(0_u16), 1 => 1..400_u16]);
    let cards = prop_oneof![6 => Just(0_u8), 1 => 1..4_u8];
    (around, heads, inside, rows, marks, cards).prop_map(|(around, heads, inside, rows, marks, cards)| Layout {
        titles: around.0,
        line: around.1,
        gap: around.2,
        offset: around.3,
        header: heads.0,
        order: heads.1,
        words: heads.2,
        looks: heads.3,
        absent: heads.4,
        foreign: inside.0,
        spellings: inside.1,
        numbered: inside.2,
        blank_rows: rows.0,
        totals: rows.1,
        tail: rows.2,
        merged_down: rows.3,
        hidden_row: marks.0,
        hidden_columns: marks.1,
        formatted: marks.2,
        cards,
    })
}

/// Mostly 0.
fn odd(most: u8) -> impl Strategy<Value = u8> {
    prop_oneof![1 => Just(0_u8), 1 => 0..most]
}

fn header() -> impl Strategy<Value = Header> {
    use Header::*;
    prop_oneof![3 => Just(Merged), 1 => Just(Cut), 1 => Just(Repeated), 1 => Just(Joined), 1 => Just(Deep)]
}

/// Half of the clerks leave the columns where they are.
fn order() -> impl Strategy<Value = Vec<u16>> {
    prop_oneof![Just(vec![0; 30]), vec(0..1000_u16, 30)]
}

pub fn format() -> impl Strategy<Value = Format> {
    let encodings = prop::sample::select(vec![
        Encoding::Gbk,
        Encoding::Utf8,
        Encoding::Utf8Marked,
        Encoding::Utf16,
        Encoding::Utf16Unmarked,
    ]);
    let separated = (encodings, prop::sample::select(vec![',', '\t', ';']))
        .prop_map(|(encoding, delimiter)| Format::Separated(separated::Dialect { encoding, delimiter }));
    let oddity = any::<[bool; 4]>().prop_map(|[inline, prefixed, from_1904, absolute]| {
        Format::OddXlsx(Oddity { inline, prefixed, from_1904, absolute })
    });
    let xls =
        any::<[bool; 2]>().prop_map(|[from_1904, inline]| Format::Xls(xls::Dialect { from_1904, inline, ..EXCEL_97 }));
    prop_oneof![
        2 => Just(Format::Xlsx),
        2 => oddity,
        3 => xls,
        1 => Just(Format::Xls(EXCEL_95)),
        2 => separated,
        1 => Just(Format::Html),
        1 => Just(Format::SpreadsheetMl),
        2 => Just(Format::Ods),
    ]
}

pub fn case() -> impl Strategy<Value = Case> {
    let known = |form| {
        (any::<bool>(), 1..14_usize, any::<u64>()).prop_map(move |(e, rows, seed)| Known::of(form, e, rows, seed))
    };
    let table = move |form| (known(form), layout());
    let tables = prop_oneof![
        2 => table(Form::Progress).prop_map(|t| vec![t]),
        3 => table(Form::Register).prop_map(|t| vec![t]),
        2 => (table(Form::Progress), table(Form::Register)).prop_map(|(a, b)| vec![a, b]),
    ];
    let setting =
        (any::<bool>(), 0..3_u8, prop::bool::weighted(0.2), prop_oneof![3 => Just(0_u8), 1 => 1..3_u8], any::<bool>());
    (tables, format(), setting).prop_map(|(tables, format, (together, others, old, packed, misnamed))| {
        Case { tables, format, together, others, old, packed, misnamed }.possible()
    })
}

impl Case {
    /// Without what the format cannot keep, or nobody would do.
    fn possible(mut self) -> Self {
        self.together |= !self.format.is_workbook();
        if let [(first, _), (second, _)] = &mut self.tables[..] {
            second.enterprises = first.enterprises;
        }
        for (known, layout) in &mut self.tables {
            if known.form == Form::Progress || self.together {
                layout.cards = if known.form == Form::Progress { 0 } else { layout.cards.min(1) * 2 };
            }
            layout.merged_down &= self.format.merges();
            if !self.format.is_workbook() {
                layout.hidden_row = None;
            }
        }
        // What is below a table of the same sheet begins where that one ends: cards have no rows of their own.
        if self.together && self.tables.len() > 1 {
            self.tables[1].1.cards = 0;
        }
        self.others *= u8::from(self.format.is_workbook());
        self.old &= self.format.is_workbook();
        self
    }
}
