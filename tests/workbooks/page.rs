//! What a clerk has on the screen: sheets of inked cells, before any program saves them in some format.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

/// Row and column, zero-based.
pub type At = (u32, u32);

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Ink {
    /// Formatted, and empty.
    Blank,
    Text(String),
    Number(f64),
    /// A ratio shown as a percentage.
    Percent(f64),
    /// A serial number shown as a date.
    Day(NaiveDate),
    Bool(bool),
    /// `#DIV/0!` as a formula's result.
    Error(&'static str),
    /// A formula with the result that was stored.
    Formula(f64),
    /// A formula without one.
    Uncomputed,
}

impl Ink {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// As a program shows it that keeps no types.
    pub fn shown(&self) -> String {
        match self {
            Self::Blank | Self::Uncomputed => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(n) | Self::Formula(n) => n.to_string(),
            Self::Percent(ratio) => format!("{:.2}%", ratio * 100.0),
            Self::Day(day) => day.format("%Y/%-m/%-d").to_string(),
            Self::Bool(b) => if *b { "TRUE" } else { "FALSE" }.to_owned(),
            Self::Error(error) => (*error).to_owned(),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Page {
    pub name: String,
    pub hidden: bool,
    pub cells: BTreeMap<At, Ink>,
    /// First and last cell of each merged region.
    pub merges: Vec<(At, At)>,
    pub hidden_rows: BTreeSet<u32>,
    pub hidden_columns: BTreeSet<u32>,
}

impl Page {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub fn put(&mut self, at: At, ink: Ink) {
        self.cells.insert(at, ink);
    }

    pub fn write(&mut self, at: At, text: impl Into<String>) {
        self.put(at, Ink::text(text));
    }

    /// Writes into the first cell of a region and merges it, if it is more than one cell.
    pub fn merge(&mut self, first: At, last: At, ink: Ink) {
        self.put(first, ink);
        if first != last {
            self.merges.push((first, last));
        }
    }

    /// Rows and columns of the sheet up to its last cell.
    pub fn size(&self) -> (u32, u32) {
        let corners = self.cells.keys().chain(self.merges.iter().map(|(_, last)| last));
        corners.fold((0, 0), |(rows, columns), at| (rows.max(at.0 + 1), columns.max(at.1 + 1)))
    }

    /// The merged region that a cell lies in.
    pub fn region(&self, at: At) -> Option<(At, At)> {
        let within =
            |(first, last): &&(At, At)| (first.0..=last.0).contains(&at.0) && (first.1..=last.1).contains(&at.1);
        self.merges.iter().find(within).copied()
    }

    /// A sheet drawn row by row, cells parted by `|`: `#12` a number, `%0.5` a percentage, `=7` a formula with its
    /// result, `?` one without, `!` an error, `_` a formatted blank, `@2011-09-05` a date, `<` merged with the cell to
    /// the left, `^` with the one above, nothing an empty cell; `\n` breaks a line.
    pub fn draw(name: &str, drawing: &str) -> Self {
        let mut page = Self::new(name);
        let grid: Vec<Vec<&str>> = drawing.lines().map(|l| l.split('|').map(str::trim).collect()).collect();
        let at = |r: usize, c: usize| grid.get(r).and_then(|row| row.get(c)).copied().unwrap_or("");
        for (r, row) in grid.iter().enumerate() {
            for (c, text) in row.iter().enumerate().filter(|(_, t)| !matches!(**t, "" | "<" | "^")) {
                let wide = (c + 1..).take_while(|c| at(r, *c) == "<").last().unwrap_or(c);
                let high = (r + 1..).take_while(|r| at(*r, c) == "^").last().unwrap_or(r);
                page.merge((r as u32, c as u32), (high as u32, wide as u32), drawn(text));
            }
        }
        page
    }
}

/// What a word of a drawing stands for.
pub fn drawn(text: &str) -> Ink {
    let (sign, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    let number = || rest.parse().ok();
    let ink = match sign {
        "#" if rest.ends_with('!') => Some(Ink::Error("#REF!")),
        "#" => number().map(Ink::Number),
        "%" => number().map(Ink::Percent),
        "=" => number().map(Ink::Formula),
        "@" => rest.parse().ok().map(Ink::Day),
        "?" => Some(Ink::Uncomputed),
        "_" => Some(Ink::Blank),
        _ => None,
    };
    ink.unwrap_or_else(|| Ink::text(text.replace("\\n", "\n")))
}

/// `(0, 0)` → `A1`, told independently of the program's own.
pub fn a1(at: At) -> String {
    let letter = |n: u32| char::from(b'A' + n as u8);
    let column = match at.1 {
        n @ 0..26 => letter(n).to_string(),
        n => format!("{}{}", letter(n / 26 - 1), letter(n % 26)),
    };
    format!("{column}{}", at.0 + 1)
}
