//! Tables for other programs: CSV and a plain .xlsx, from headings and rows. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::form::record::Values;
use crate::form::{Datum, Form};
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, new_workbook, width};

/// CSV as Excel opens it: UTF-8 with a byte order mark, CRLF. Rates are percent, yes/no `true`/`false`, null empty.
///
/// Text that a spreadsheet would run as a formula gets an apostrophe before it.
pub fn csv(headers: &[String], rows: &[Vec<Datum>]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .from_writer("\u{FEFF}".as_bytes().to_vec());
    writer.write_record(headers)?;
    for row in rows {
        writer.write_record(row.iter().map(field))?;
    }
    writer.into_inner().map_err(|e| Error::Csv(e.into_error().into()))
}

/// One filterable sheet; numbers are numbers, whole dates stay as they are kept.
pub fn xlsx(title: &str, headers: &[String], rows: &[Vec<Datum>], at: DateTime<Tz>) -> Result<Vec<u8>, Error> {
    let column = |(i, heading): (usize, &String)| {
        let values = rows.iter().filter_map(|row| row.get(i));
        let widest = values.filter_map(Datum::text).map(width).fold(width(heading), f64::max);
        GridColumn::new(heading, Look::Text, (widest + 2.0).clamp(7.0, 40.0))
    };
    let columns: Vec<GridColumn> = headers.iter().enumerate().map(column).collect();
    let two_pages = columns.iter().map(|c| c.width).sum::<f64>() > 220.0;
    let mut book = new_workbook(title, "taizhang", at)?;
    let styles = Styles::new();
    let grid = Grid { two_pages, ..Grid::new(title.to_owned(), format!("共{}行", rows.len()), columns) };
    let sheet = book.add_worksheet();
    let laid = grid.open(sheet, &styles)?;
    grid.rows(sheet, laid, rows, &styles)?;
    Ok(book.save_to_buffer()?)
}

/// A form's columns in their order behind `leading` ones, as keys: what exports call their columns.
pub fn keys(leading: &[&str], form: &Form) -> Vec<String> {
    let own = form.columns.iter().map(|c| c.key.as_str()).filter(|key| !leading.contains(key));
    leading.iter().copied().chain(own).map(str::to_owned).collect()
}

/// A record's values in the order of `keys`; what it lacks is null.
pub fn row(keys: &[String], values: &Values) -> Vec<Datum> {
    keys.iter().map(|key| values.get(key).cloned().unwrap_or(Datum::Null)).collect()
}

fn field(value: &Datum) -> String {
    match value {
        Datum::Null => String::new(),
        Datum::Bool(b) => b.to_string(),
        Datum::Int(n) => n.to_string(),
        Datum::Rate(r) => r.to_string(),
        Datum::Text(s) if runs(s) => format!("'{s}"),
        Datum::Text(s) => s.clone(),
    }
}

/// A spreadsheet takes text that begins so for a formula; an East Asian Excel the full-width signs as well. `+86-0531-1`
/// is a sum for it: with a sign only a number is spared that is read as itself, and a stroke for "none".
fn runs(text: &str) -> bool {
    let mut rest = text.chars();
    match rest.next() {
        Some('=' | '@' | '＝' | '＠' | '\t' | '\r') => true,
        Some('+' | '-' | '＋' | '－') => !is_number(rest.as_str()) && rest.any(|c| !"-－".contains(c)),
        _ => false,
    }
}

/// Digits with at most one point among them, no more than a spreadsheet keeps.
fn is_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    digits <= 15 && [whole, part].iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;
    use crate::report::fixture::{at, values};

    #[test]
    fn csv_opens_in_excel_and_never_as_a_formula() {
        let texts = ["=1+1", "@SUM(A1)", "-2+cmd|'/C calc'!A0", "甲,\"乙\""];
        let rows: Vec<Vec<Datum>> =
            texts.iter().map(|s| vec![Datum::Text((*s).to_owned()), Datum::Rate(56.0)]).collect();
        let bytes = csv(&["name".to_owned(), "rate".to_owned()], &rows).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "\u{FEFF}name,rate\r\n'=1+1,56\r\n'@SUM(A1),56\r\n'-2+cmd|'/C calc'!A0,56\r\n\"甲,\"\"乙\"\"\",56\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_protected_and_a_signed_number_is_not() {
        for text in [
            "+86-0531-0000001",
            "+86 531-8000",
            "-1-2",
            "+1 1/2",
            "-1+A1",
            "+1.2.3",
            "－1－2",
            "＝1",
            "-1e5",
            "+8613800000001234",
        ] {
            assert!(runs(text), "{text}");
        }
        for text in ["-", "--", "－", "-5", "+3.2", "+8613800000001", "0531-8000001", "86-1", "—", "", "甲=乙"] {
            assert!(!runs(text), "{text}");
        }
    }

    #[test]
    fn leading_columns_come_first_and_once_and_what_is_missing_is_null() {
        let campaign = Campaign::builtin();
        let keys = keys(&["stream", "unit"], campaign.form("progress").unwrap());
        assert_eq!(keys[..4], ["stream", "unit", "seq", "orgs"]);
        let row = row(&keys, &values([("unit", Datum::Text("松涛镇".into())), ("orgs", Datum::Int(3))]));
        assert_eq!(row[..4], [Datum::Null, Datum::Text("松涛镇".into()), Datum::Null, Datum::Int(3)]);
    }

    #[test]
    fn an_export_without_rows_is_a_workbook_still() {
        let bytes = xlsx("历史", &["period".to_owned()], &[], at("2011-09-26T10:00:00+08:00")).unwrap();
        assert_eq!(bytes[..2], *b"PK");
    }
}
