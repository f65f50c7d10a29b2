//! One cell of a table on a page: its text as a browser shows it, and the value that the program behind the page noted
//! in attributes (`x:num`, `x:bool`, `x:err`, `x:fmla` of Excel and WPS, `sdval` of LibreOffice). Pure.

use html5gum::StartTag;

use super::CellValue;
use super::csv::shown;
use super::draft::{Formula, Stored};
use super::number_format::day;

pub(super) type Tag = StartTag<()>;

/// HTML standard, 4.9.11: columns are at most 1000, rows 65534.
const MOST_COLUMNS: u32 = 1_000;
const MOST_ROWS: u32 = 65_534;

/// What the tag of a cell says.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) columns: u32,
    pub(super) rows: u32,
    pub(super) hidden: bool,
    formula: bool,
    error: Option<String>,
    boolean: Option<String>,
    /// Empty where the text itself is the number.
    number: Option<String>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { columns: 1, rows: 1, hidden: false, formula: false, error: None, boolean: None, number: None }
    }
}

impl Attributes {
    pub(super) fn of(tag: &Tag) -> Self {
        Self {
            columns: number(attribute(tag, b"colspan"), MOST_COLUMNS),
            rows: number(attribute(tag, b"rowspan"), MOST_ROWS),
            hidden: is_hidden(tag),
            formula: attribute(tag, b"x:fmla").is_some(),
            error: attribute(tag, b"x:err"),
            boolean: attribute(tag, b"x:bool"),
            number: attribute(tag, b"x:num").or_else(|| attribute(tag, b"sdval")),
        }
    }
}

pub(super) fn attribute(tag: &Tag, name: &[u8]) -> Option<String> {
    tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).trim().to_owned())
}

/// A count from one on; what is none counts as one.
pub(super) fn number(attribute: Option<String>, most: u32) -> u32 {
    attribute.and_then(|text| text.parse::<u32>().ok()).unwrap_or(1).clamp(1, most)
}

pub(super) fn is_hidden(tag: &Tag) -> bool {
    let style = attribute(tag, b"style").unwrap_or_default().to_ascii_lowercase();
    let style: String = style.split_ascii_whitespace().collect();
    style.contains("display:none") || tag.attributes.contains_key(&b"hidden"[..])
}

/// Text as a browser shows it: white space is one space, breaks are kept.
#[derive(Default)]
pub(super) struct Text {
    shown: String,
    gap: bool,
}

impl Text {
    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_whitespace() {
                self.gap = true;
                continue;
            }
            if self.gap && !self.at_line_start() {
                self.shown.push(' ');
            }
            self.gap = false;
            self.shown.push(c);
        }
    }

    fn at_line_start(&self) -> bool {
        self.shown.is_empty() || self.shown.ends_with('\n')
    }

    /// `<br>` always breaks the line, the edge of a block only one that has something in it.
    pub(super) fn line_break(&mut self, always: bool) {
        self.gap = false;
        if always || !self.at_line_start() {
            self.shown.push('\n');
        }
    }

    /// No-break spaces are what pages make gaps (and cells that would be empty) of.
    pub(super) fn finish(self) -> String {
        self.shown.replace('\u{A0}', " ").trim().to_owned()
    }
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    pub(super) value: CellValue,
    pub(super) percent: bool,
    pub(super) formula: bool,
}

impl From<Content> for Stored {
    fn from(content: Content) -> Self {
        let formula = content.formula.then_some(Formula::Any);
        Self { value: Some(content.value), percent: content.percent, formula }
    }
}

impl Content {
    /// `None` for an empty cell.
    pub(super) fn of(text: String, attributes: &Attributes) -> Option<Self> {
        let plain = |value| Self { value, percent: false, formula: attributes.formula };
        if let Some(error) = &attributes.error {
            return Some(plain(CellValue::Error(if error.is_empty() { text } else { error.clone() })));
        }
        if let Some(boolean) = &attributes.boolean {
            return Some(plain(CellValue::Bool(boolean.eq_ignore_ascii_case("true") || boolean == "1")));
        }
        let noted = attributes.number.as_deref().map(|noted| if noted.is_empty() { text.as_str() } else { noted });
        let number = noted.and_then(|noted| noted.parse::<f64>().ok()).filter(|number| number.is_finite());
        match number {
            Some(number) if is_day(&text) && (7306.0..73_051.0).contains(&number) => {
                Some(plain(CellValue::Date(day(number, false)?)))
            }
            Some(number) => Some(Self { percent: text.ends_with('%'), ..plain(CellValue::Number(number)) }),
            None if text.is_empty() => None,
            None => Some(plain(shown(&text))),
        }
    }
}

/// A number is shown as a day (of 1920 to 2099, see its caller) if there are signs of a date between its digits.
fn is_day(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['年', '月', '日', '-', '/'])
}

#[cfg(test)]
mod tests {
    use html5gum::{Token, Tokenizer};

    use super::*;

    fn content(tag: &str, text: &str) -> Option<Content> {
        let Some(Ok(Token::StartTag(tag))) = Tokenizer::new(tag).next() else { panic!("no tag: {tag}") };
        Content::of(text.to_owned(), &Attributes::of(&tag))
    }

    fn value(tag: &str, text: &str) -> CellValue {
        content(tag, text).unwrap().value
    }

    #[test]
    fn a_noted_number_is_read_the_way_it_is_shown() {
        let percent = Content { value: CellValue::Number(0.5625), percent: true, formula: true };
        assert_eq!(content("<td x:num=\"0.5625\" x:fmla=\"=A1/B1\">", "56%"), Some(percent));
        assert_eq!(value("<td x:num>", "12"), CellValue::Number(12.0));
        assert_eq!(value("<td x:num=\"13900001111\">", "1.39E+10"), CellValue::Number(13_900_001_111.0));
        assert_eq!(value("<td x:num=\"0\">", "-"), CellValue::Number(0.0));
        assert_eq!(value("<td sdval=\"1234\" sdnum=\"2052;\">", "1,234.00"), CellValue::Number(1234.0));
        let day = CellValue::Date("2011-08-01T00:00:00".parse().unwrap());
        for shown in ["2011年8月", "8月1日", "2011-8-1", "1-Aug"] {
            assert_eq!(value("<td x:num=\"40756\">", shown), day, "{shown}");
        }
        assert_eq!(value("<td x:num=\"-40756\">", "-40756"), CellValue::Number(-40_756.0));
        assert_eq!(value("<td x:num=\"0.5\">", "1/2"), CellValue::Number(0.5));
    }

    #[test]
    fn other_text_is_text() {
        assert_eq!(value("<td x:str>", "0012"), CellValue::Text("0012".into()));
        assert_eq!(value("<td x:num>", "十二"), CellValue::Text("十二".into()));
        assert_eq!(value("<td style='mso-number-format:\"\\@\"'>", "56%"), CellValue::Text("56%".into()));
        assert_eq!(content("<td>", ""), None);
    }

    #[test]
    fn truths_and_errors_are_no_text() {
        assert_eq!(value("<td x:bool=\"TRUE\">", "TRUE"), CellValue::Bool(true));
        assert_eq!(value("<td x:err=\"#REF!\">", "####"), CellValue::Error("#REF!".into()));
        assert_eq!(value("<td>", "#DIV/0!"), CellValue::Error("#DIV/0!".into()));
    }
}
