//! One cell of an OpenDocument spreadsheet: its typed value in attributes, and its paragraphs (ODF 1.3 part 3, 6.1 and
//! 19.383 to 19.389). Pure.

use quick_xml::events::{BytesStart, Event};

use super::CellValue;
use super::csv::shown;
use super::draft::{Formula, Stored};
use super::number_format::iso_day;
use super::ods::repeated;
use super::package::{attribute, local, resolved};

/// Elements of a paragraph whose text is shown in line. Notes, phonetic guides and drawings are not.
const INLINE: [&str; 6] = ["p", "span", "a", "ruby", "ruby-base", "meta"];

/// A cell while its elements pass by.
#[derive(Default)]
pub(super) struct Content {
    /// How many cells alike follow each other.
    pub(super) columns: u32,
    /// Rows and columns of the merged region that begins here.
    pub(super) spans: Option<(u32, u32)>,
    /// Lies below another one of a merged region: what it may hold nobody sees.
    covered: bool,
    formula: bool,
    kind: String,
    value: Option<String>,
    text: String,
    paragraphs: usize,
    /// Elements that are open inside the cell, and which of them began something that is not shown.
    depth: usize,
    unseen: Option<usize>,
    /// White space that becomes one space if more text follows (6.1.2).
    gap: bool,
}

impl Content {
    pub(super) fn of(e: &BytesStart<'_>) -> Self {
        let spans = (repeated(e, "number-rows-spanned"), repeated(e, "number-columns-spanned"));
        let mut kinds = [None, None];
        let mut value = None;
        for attribute in e.attributes().with_checks(false).flatten() {
            let unescaped =
                || attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|v| v.into_owned());
            match attribute.key.as_ref() {
                "calcext:value-type" => kinds[0] = unescaped().filter(|kind| kind == "error"),
                key if key.ends_with(":value-type") => kinds[1] = unescaped(),
                key if key.ends_with("-value") || key == "office:value" => value = unescaped(),
                _ => {}
            }
        }
        Self {
            columns: repeated(e, "number-columns-repeated"),
            spans: Some(spans).filter(|&spans| spans != (1, 1)),
            covered: local(e) == "covered-table-cell",
            formula: attribute(e, "formula").is_some(),
            kind: kinds.into_iter().flatten().next().unwrap_or_default(),
            value,
            ..Self::default()
        }
    }

    /// Takes in what belongs to the cell; `false` for its own end tag.
    pub(super) fn event(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Start(e) => {
                self.depth += 1;
                self.open(e);
            }
            Event::End(_) if self.depth == 0 => return false,
            Event::End(_) => {
                self.unseen = self.unseen.filter(|&at| at < self.depth);
                self.depth -= 1;
            }
            _ if self.depth == 0 || self.unseen.is_some() => {}
            Event::Text(text) => self.push(text),
            Event::CData(text) => self.push(text),
            Event::GeneralRef(reference) => self.push(&resolved(reference)),
            _ => {}
        }
        true
    }

    fn open(&mut self, e: &BytesStart<'_>) {
        if self.unseen.is_some() {
            return;
        }
        match (local(e), self.depth) {
            ("p", 1) => {
                if self.paragraphs > 0 {
                    self.text.push('\n');
                }
                self.paragraphs += 1;
                self.gap = false;
            }
            ("s", _) => {
                let spaces = repeated(e, "c").min(1_000) as usize;
                self.fill(&" ".repeat(spaces));
            }
            ("tab", _) => self.fill("\t"),
            ("line-break", _) => self.fill("\n"),
            (name, depth) if depth > 1 && INLINE.contains(&name) => {}
            _ => self.unseen = Some(self.depth),
        }
    }

    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_whitespace() {
                self.gap = true;
                continue;
            }
            if self.gap && !self.text.is_empty() && !self.text.ends_with([' ', '\n', '\t']) {
                self.text.push(' ');
            }
            self.gap = false;
            self.text.push(c);
        }
    }

    fn fill(&mut self, space: &str) {
        if std::mem::take(&mut self.gap) && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        self.text.push_str(space);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.covered || (self.text.is_empty() && self.value.is_none() && !self.formula && self.spans.is_none())
    }

    pub(super) fn stored(&self) -> Stored {
        let formula = self.formula.then_some(Formula::Any);
        Stored { value: self.typed(), percent: self.kind == "percentage", formula }
    }

    fn typed(&self) -> Option<CellValue> {
        let text = || CellValue::Text(self.text.clone());
        // Some writers store an error as the number 0, and only show what it is.
        let error = match shown(&self.text) {
            error @ CellValue::Error(_) => Some(error),
            _ if self.formula && self.text.starts_with("Err:") => Some(CellValue::Error(self.text.clone())),
            _ => None,
        };
        let value = self.value.as_deref();
        match (self.kind.as_str(), value) {
            ("error", _) => Some(error.unwrap_or_else(|| CellValue::Error(self.text.clone()))),
            _ if error.is_some() => error,
            ("float" | "percentage" | "currency", Some(value)) => {
                let number = value.trim().parse().ok().filter(|number: &f64| number.is_finite());
                Some(number.map_or_else(text, CellValue::Number))
            }
            ("date", Some(value)) => Some(iso_day(value).map_or_else(text, CellValue::Date)),
            ("boolean", Some(value)) => Some(CellValue::Bool(value == "true")),
            ("string", Some(value)) => Some(CellValue::Text(value.to_owned())),
            ("string", None) => Some(text()),
            _ if self.text.is_empty() => None,
            _ => Some(text()),
        }
    }
}
