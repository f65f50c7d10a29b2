//! Separated values (.csv, .tsv, text saved from a workbook) → one sheet. Pure.
//!
//! Fields are split as RFC 4180 has it, and rows are numbered as Excel shows them. The `csv` crate would not do: it
//! skips blank lines without counting them, and makes one field of the rest of a file whose quote is never closed.
//! Cells stay text, so that codes keep their leading zeros and all their digits; readers of values take both.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::draft::{At, Budget, Draft};
use super::{CellValue, Limits, Refusal, Workbook};
use crate::message::attachment::text_of;

/// Such a file has one sheet and no name for it.
const SHEET: &str = "Sheet1";
/// Likeliest first.
const DELIMITERS: [char; 3] = [',', '\t', ';'];
/// Rows that are looked at to find the delimiter.
const SAMPLE: u32 = 200;
/// Bytes of a quoted field. Excel's cells hold 32,767 characters; a longer one has lost its closing quote.
const FIELD: usize = 3 * 32_767;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let text = text_of(bytes);
    let (delimiter, text) = declared(&text).unwrap_or_else(|| (delimiter(&text), &text));
    let mut budget = Budget::new(limits);
    let mut draft = Draft::new(SHEET.to_owned(), false);
    for (at, field) in Fields::new(text, delimiter) {
        draft.put(at, shown(&field), &mut budget)?;
    }
    Ok(Workbook { sheets: vec![draft.finish()] })
}

/// A text as a spreadsheet program would take it when it opens the file: an error value is none of the sender's words,
/// and `="0123"` is the way to write a text of digits.
pub(super) fn shown(text: &str) -> CellValue {
    const ERRORS: [&str; 7] = ["#REF!", "#DIV/0!", "#N/A", "#NAME?", "#VALUE!", "#NUM!", "#NULL!"];
    let trimmed = text.trim();
    if ERRORS.contains(&trimmed) {
        return CellValue::Error(trimmed.to_owned());
    }
    let digits = trimmed.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    CellValue::Text(digits.filter(|inside| !inside.contains('"')).unwrap_or(text).to_owned())
}

/// Excel's own `sep=;` in a line before the table.
fn declared(text: &str) -> Option<(char, &str)> {
    let rest = text.strip_prefix("sep=")?;
    let delimiter = rest.chars().next().filter(|c| !c.is_alphanumeric() && *c != '"')?;
    let rest = &rest[delimiter.len_utf8()..];
    Some((delimiter, rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?))
}

/// The delimiter that splits the most rows into the same number of fields, and into the more.
fn delimiter(text: &str) -> char {
    let fields_alike = |delimiter: char| {
        let mut widths = BTreeMap::new();
        for ((row, column), _) in Fields::new(text, delimiter).take_while(|((row, _), _)| *row < SAMPLE) {
            widths.insert(row, u64::from(column));
        }
        let mut rows = BTreeMap::new();
        widths.into_values().for_each(|width| *rows.entry(width).or_insert(0) += 1);
        rows.into_iter().map(|(width, rows)| width * rows).max().unwrap_or(0)
    };
    // The first of equals.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| fields_alike(delimiter)).unwrap_or(',')
}

struct Fields<'t> {
    rest: Option<&'t str>,
    at: At,
    delimiter: char,
}

impl<'t> Fields<'t> {
    fn new(text: &'t str, delimiter: char) -> Self {
        Self { rest: Some(text), at: (0, 0), delimiter }
    }

    /// The text in quotes that a field is made of, and what follows it. `None` for a quote that is not closed, or goes
    /// on after the closing one: then it is a character like others.
    fn quoted(&self, text: &'t str) -> Option<(Cow<'t, str>, &'t str)> {
        let inside = text.strip_prefix('"')?;
        let mut from = 0;
        loop {
            let end = from + inside[from..].find('"').filter(|at| from + at <= FIELD)?;
            from = end + 2;
            if inside[end + 1..].starts_with('"') {
                continue;
            }
            let rest = inside[end + 1..].trim_start_matches(' ');
            let closed = rest.is_empty() || rest.starts_with([self.delimiter, '\r', '\n']);
            return closed.then(|| (Cow::from(inside[..end].replace("\"\"", "\"")), rest));
        }
    }
}

impl<'t> Iterator for Fields<'t> {
    type Item = (At, Cow<'t, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest?;
        let (field, rest) = self.quoted(text).unwrap_or_else(|| {
            let end = text.find([self.delimiter, '\r', '\n']).unwrap_or(text.len());
            (Cow::from(&text[..end]), &text[end..])
        });
        let at = self.at;
        self.rest = if let Some(rest) = rest.strip_prefix(self.delimiter) {
            self.at.1 += 1;
            Some(rest)
        } else {
            self.at = (at.0 + 1, 0);
            rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n']))
        };
        Some((at, field))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workbook::{Sheet, a1};

    const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 1000 };

    fn sheet(text: &str) -> Sheet {
        read(text.as_bytes(), &LIMITS).unwrap().sheets.remove(0)
    }

    /// `A1=text`, joined by `|`.
    fn cells(text: &str) -> String {
        let cells = sheet(text).cells;
        let shown = cells.iter().map(|(at, cell)| match &cell.value {
            CellValue::Text(text) => format!("{}={text}", a1(at.0, at.1)),
            other => format!("{}:{other:?}", a1(at.0, at.1)),
        });
        shown.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_program_shows_them() {
        assert_eq!(sheet("a").name, "Sheet1");
        assert_eq!(
            cells("统计表,,\r\n\r\n\n序号,\"单\n位\",\r1,云溪街道,"),
            "A1=统计表|A4=序号|B4=单\n位|A5=1|B5=云溪街道"
        );
        assert_eq!(cells("\"a,b\" ,\"说\"\"好\"\"\"\n"), "A1=a,b|B1=说\"好\"");
    }

    #[test]
    fn a_quote_that_is_no_quoting_is_a_character() {
        assert_eq!(
            cells("\"兼合式”,1\n\"单建”,\"2\"\n管径12\",3"),
            "A1=\"兼合式”|B1=1|A2=\"单建”|B2=2|A3=管径12\"|B3=3"
        );
        let far = format!("\"开头,1\n{}", "甲,2\n".repeat(20_000));
        let sheet = read(format!("{far}乙\",3").as_bytes(), &Limits { cells: 100_000, ..LIMITS }).unwrap();
        assert_eq!(sheet.sheets[0].cells.len(), 40_004, "a quote closed 100 KB further on");
    }

    #[test]
    fn the_delimiter_is_the_one_that_makes_columns() {
        let rows = |delimiter: &str| ["单位", "1,5", "a;b", "4\t"].join(delimiter);
        for delimiter in ['\t', ';'] {
            let row = rows(&delimiter.to_string()).replace("4\t", "4").replace("a;b", "ab");
            assert!(cells(&format!("填报单位：云溪, 2011\n{row}\n{row}\n")).ends_with("|D3=4"), "{delimiter:?}");
        }
        assert_eq!(
            cells("1,法人;书记,x\n2,法人;书记;委员;其他,y\n"),
            "A1=1|B1=法人;书记|C1=x|A2=2|B2=法人;书记;委员;其他|C2=y"
        );
        assert_eq!(cells("sep=|\r\na,1|b\r\n"), "A1=a,1|B1=b");
        assert_eq!(cells("sep=arate,b"), "A1=sep=arate|B1=b");
    }

    #[test]
    fn texts_of_digits_keep_them_and_error_values_are_no_words() {
        assert_eq!(
            cells("0012,=\"0034\",\"=\"\"370\"\"\",913701000000000001"),
            "A1=0012|B1=0034|C1=370|D1=913701000000000001"
        );
        assert_eq!(cells("#REF!,#1"), "A1:Error(\"#REF!\")|B1=#1");
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(matches!(read("1,".repeat(1001).as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))));
        assert!(matches!(read(",".repeat(20_000).as_bytes(), &LIMITS), Err(Refusal::Damaged(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn what_another_program_writes_is_what_is_read(
            rows in prop::collection::vec(prop::collection::vec("[a-c\",\t\r\n 一]{1,6}", 4), 1..20),
        ) {
            let mut writer = ::csv::WriterBuilder::new().quote_style(::csv::QuoteStyle::Always).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let mut got = vec![Vec::new(); rows.len()];
            let fields = Fields::new(&text, ',').filter(|((row, _), _)| (*row as usize) < rows.len());
            fields.for_each(|((row, _), field)| got[row as usize].push(field.into_owned()));
            prop_assert_eq!(got, rows);
        }

        #[test]
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\",;\t\r\n=a一]{0,200}") {
            let _ = read(&bytes, &LIMITS);
            let _ = read(text.as_bytes(), &LIMITS);
        }
    }
}
