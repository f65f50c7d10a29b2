//! One worksheet part (ECMA-376 part 1, 18.3) in a single pass: cells, merges, hidden rows and columns. Pure.

use std::io::BufRead;

use chrono::{NaiveDate, NaiveDateTime};
use quick_xml::events::{BytesStart, Event};

use super::draft::{Budget, COLUMNS, Draft, Raw};
use super::number_format::Shown;
use super::package::{Xml, attribute, damaged, flag, local, push_text};
use super::xlsx::{RichText, unescape};
use super::{CellValue, Refusal, Sheet};

/// What the cells of every sheet refer to.
pub(super) struct Context<'b> {
    pub(super) formats: &'b [Shown],
    pub(super) strings: &'b [String],
}

/// ST_CellType (ECMA-376 part 1, 18.18.11).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Type {
    #[default]
    Number,
    Shared,
    /// Text of a formula.
    Text,
    Inline,
    Bool,
    Error,
    Date,
}

/// A `<c>` element as it is written.
#[derive(Default)]
struct Written {
    at: Option<(u32, u32)>,
    kind: Type,
    style: usize,
    formula: bool,
    /// Text of `<v>`; `None` without one.
    value: Option<String>,
    inline: RichText,
}

pub(super) fn read(
    mut xml: Xml<impl BufRead>,
    context: &Context<'_>,
    mut draft: Draft,
    budget: &mut Budget,
) -> Result<Sheet, Refusal> {
    let mut at = (0u32, 0u32);
    let mut in_data = false;
    let mut complete = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(e) => match local(&e) {
                "sheetData" => in_data = true,
                "col" if flag(&e, "hidden") => hide_columns(&e, &mut draft),
                "mergeCell" => merge(&e, &mut draft),
                "row" if in_data => {
                    budget.visit()?;
                    at = (row_number(&e).unwrap_or(at.0), 0);
                    if flag(&e, "hidden") {
                        draft.hide_row(at.0);
                    }
                }
                "c" if in_data => {
                    budget.visit()?;
                    let written = Written::of(&e)?;
                    at = written.at.unwrap_or(at);
                    if let Some(raw) = cell(&mut xml, written)?.read(context)? {
                        draft.put(at, raw, budget)?;
                    }
                    at.1 += 1;
                }
                _ => {}
            },
            Event::End(e) => match e.local_name().as_ref() {
                "row" if in_data => at = (at.0 + 1, 0),
                "sheetData" => in_data = false,
                "worksheet" => complete = true,
                _ => {}
            },
            _ => {}
        }
    }
    if complete { Ok(draft.finish()) } else { Err(damaged("a sheet breaks off")) }
}

/// `<row r="5">` → 4
fn row_number(row: &BytesStart<'_>) -> Option<u32> {
    attribute(row, "r")?.parse::<u32>().ok()?.checked_sub(1)
}

fn hide_columns(column: &BytesStart<'_>, draft: &mut Draft) {
    let bound = |name| attribute(column, name).and_then(|v| v.parse::<u32>().ok()).and_then(|n| n.checked_sub(1));
    if let (Some(first), Some(last)) = (bound("min"), bound("max")) {
        draft.hide_columns(first..=last.min(COLUMNS - 1));
    }
}

fn merge(element: &BytesStart<'_>, draft: &mut Draft) {
    let reference = attribute(element, "ref").unwrap_or_default();
    let corners = reference.split_once(':').and_then(|(a, b)| position(a).zip(position(b)));
    if let Some((first, last)) = corners {
        draft.merge(first, last);
    }
}

/// `B3`, `$B$3` → (2, 1)
fn position(reference: &str) -> Option<(u32, u32)> {
    let mut column = 0u32;
    let mut row = 0u32;
    for byte in reference.bytes().filter(|&b| b != b'$') {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' if row == 0 => {
                column = column.checked_mul(26)?.checked_add(u32::from(byte.to_ascii_uppercase() - b'A') + 1)?;
            }
            b'0'..=b'9' => row = row.checked_mul(10)?.checked_add(u32::from(byte - b'0'))?,
            _ => return None,
        }
    }
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

/// Reads on to `</c>`.
fn cell(xml: &mut Xml<impl BufRead>, mut written: Written) -> Result<Written, Refusal> {
    let mut in_value = false;
    while let Some(event) = xml.next()? {
        match &event {
            Event::Start(e) if local(e) == "f" => written.formula = true,
            Event::Start(e) if local(e) == "v" => {
                in_value = true;
                written.value.get_or_insert_default();
            }
            Event::End(e) if e.local_name().as_ref() == "v" => in_value = false,
            Event::End(e) if e.local_name().as_ref() == "c" => return Ok(written),
            event if in_value => push_text(event, written.value.get_or_insert_default()),
            event => written.inline.take(event),
        }
    }
    Err(damaged("a cell breaks off"))
}

impl Written {
    /// Reads the attributes in one go: there are millions of these.
    fn of(element: &BytesStart<'_>) -> Result<Self, Refusal> {
        let mut written = Self::default();
        for attribute in element.attributes().with_checks(false).flatten() {
            match attribute.key.as_ref() {
                "r" => {
                    let at = position(&attribute.value).ok_or_else(|| damaged("a cell reference cannot be read"))?;
                    written.at = Some(at);
                }
                "s" => written.style = attribute.value.parse().unwrap_or(0),
                "t" => {
                    written.kind = match attribute.value.as_ref() {
                        "s" => Type::Shared,
                        "str" => Type::Text,
                        "inlineStr" | "is" => Type::Inline,
                        "b" => Type::Bool,
                        "e" => Type::Error,
                        "d" => Type::Date,
                        _ => Type::Number,
                    }
                }
                _ => {}
            }
        }
        Ok(written)
    }

    /// `None` for a cell without content.
    fn read(self, context: &Context<'_>) -> Result<Option<Raw>, Refusal> {
        let shown = context.formats.get(self.style).copied().unwrap_or_default();
        let formula = self.formula;
        let value = match (self.kind, self.value) {
            (Type::Inline, _) => Some(CellValue::Text(self.inline.finish())),
            (Type::Text, Some(text)) => Some(CellValue::Text(unescape(text))),
            (kind, Some(text)) if !text.trim().is_empty() => Some(typed(kind, text, context)?),
            _ if formula => Some(CellValue::Uncached),
            _ => None,
        };
        Ok(value.map(|value| Raw { value, shown, formula }))
    }
}

/// The text of `<v>` by its type. A number that is none is kept as the text it is.
fn typed(kind: Type, text: String, context: &Context<'_>) -> Result<CellValue, Refusal> {
    let trimmed = text.trim();
    Ok(match kind {
        Type::Shared => {
            let known = trimmed.parse::<usize>().ok().and_then(|n| context.strings.get(n));
            CellValue::Text(known.ok_or_else(|| damaged("no such shared string"))?.clone())
        }
        Type::Bool => CellValue::Bool(trimmed == "1" || trimmed.eq_ignore_ascii_case("true")),
        Type::Error => CellValue::Error(trimmed.to_owned()),
        Type::Date => iso_date(trimmed).map_or_else(|| CellValue::Text(trimmed.to_owned()), CellValue::Date),
        Type::Number | Type::Text | Type::Inline => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => CellValue::Number(number),
            _ => CellValue::Text(unescape(text)),
        },
    })
}

fn iso_date(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_nonsense_is_not() {
        assert_eq!(position("B3"), Some((2, 1)));
        assert_eq!(position("$AA$10"), Some((9, 26)));
        for wrong in ["", "3", "B", "B0", "3B", "ZZZZZZZZZ1", "A99999999999", "表1"] {
            assert_eq!(position(wrong), None, "{wrong}");
        }
    }
}
