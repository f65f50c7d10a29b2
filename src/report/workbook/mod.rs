//! The consolidated workbook (汇总表): 汇总、通报、任务进度、报送质量、台账 of each stream、变动、问题、
//! 报送情况、图表. Pure.
//!
//! 汇总 and 台账 carry the forms' own headings, so that a parent level running this software can take them in.

mod bulletin;
mod charts;
mod conduct;
mod ledger;
mod lists;
mod summary;
mod targets;

use rust_xlsxwriter::{Format, Formula, Worksheet, XlsxError};

use crate::form::Stream;
use crate::report::Error;
use crate::report::sheet::{Styles, new_workbook};
use crate::report::table::{ReportData, StreamTable, ratio, sum};
use crate::workbook::column_letters;

/// The workbook of one period as .xlsx bytes.
pub fn build(data: &ReportData) -> Result<Vec<u8>, Error> {
    let title = format!("{}{}活动情况汇总表", data.department.district, data.period.chinese());
    let mut book = new_workbook(&title, &data.department.name, data.generated_at)?;
    let styles = Styles::new();
    let tables = data.tables();
    let blocks = summary::write(book.add_worksheet(), data, &tables, &styles)?;
    let coverage = bulletin::write(book.add_worksheet(), data, &tables, &styles)?;
    targets::write(book.add_worksheet(), data, &tables, &styles)?;
    conduct::write(book.add_worksheet(), data, &styles)?;
    for stream in &data.campaign.streams {
        ledger::write(book.add_worksheet(), data, stream, &styles)?;
    }
    if let Some(changes) = &data.changes {
        lists::changes(book.add_worksheet(), data, changes, &styles)?;
    }
    lists::findings(book.add_worksheet(), data, &styles)?;
    lists::arrivals(book.add_worksheet(), data, &styles)?;
    charts::write(book.add_worksheet(), data, &blocks, &coverage)?;
    Ok(book.save_to_buffer()?)
}

/// The rows of one stream on a sheet and the columns that charts draw from, zero-based.
#[derive(Clone, Debug)]
struct Block {
    stream: String,
    /// First and last row.
    rows: (u32, u32),
    unit: u16,
    /// The bars and the line, as far as the form has them.
    values: Option<(u16, u16)>,
}

/// The short name of a stream for sheet names, `非公企业`: the shortest of its words, of four characters or more, that
/// abbreviates the title: it begins and ends as the title does and only leaves characters out.
pub fn short_name(stream: &Stream) -> &str {
    let abbreviates = |word: &str| {
        let mut rest = stream.title.chars();
        word.chars().next() == stream.title.chars().next()
            && word.chars().all(|c| rest.any(|t| t == c))
            && word.chars().next_back() == stream.title.chars().next_back()
    };
    let words = stream.words.iter().filter(|w| w.chars().count() >= 4 && abbreviates(w));
    words.min_by_key(|w| w.chars().count()).map_or(&stream.title, String::as_str)
}

/// `C5:C21,C24:C40`, from zero-based rows and column.
fn ranges(column: u16, rows: &[(u32, u32)]) -> String {
    let letters = column_letters(u32::from(column));
    rows.iter().map(|(a, b)| format!("{letters}{}:{letters}{}", a + 1, b + 1)).collect::<Vec<_>>().join(",")
}

/// `SUMIF(cond,">0",value)` over each of the row ranges, added up.
fn sum_where(condition: u16, value: u16, rows: &[(u32, u32)]) -> String {
    let one = |r: &(u32, u32)| format!("SUMIF({},\">0\",{})", ranges(condition, &[*r]), ranges(value, &[*r]));
    rows.iter().map(one).collect::<Vec<_>>().join("+")
}

/// The sum of a column, a dash where nothing is reported.
fn sum_formula(column: u16, rows: &[(u32, u32)]) -> String {
    let ranges = ranges(column, rows);
    format!("=IF(COUNT({ranges})=0,\"—\",SUM({ranges}))")
}

/// A live formula with the value it has now; its text says `—` where that is unknown.
fn formula(
    sheet: &mut Worksheet,
    at: (u32, u16),
    text: &str,
    now: Option<f64>,
    format: &Format,
) -> Result<(), XlsxError> {
    let result = now.map(|n| n.to_string()).unwrap_or_else(|| "—".to_owned());
    sheet.write_formula_with_format(at.0, at.1, Formula::new(text).set_result(result), format)?;
    Ok(())
}

/// Covered ÷ active ledger entries over several streams.
fn district_coverage(tables: &[&StreamTable], part: &str) -> Option<f64> {
    ratio(sum(tables.iter().map(|t| t.covered(part))), sum(tables.iter().map(|t| t.entries())))
}

/// A number, or an empty cell with its border.
fn number(sheet: &mut Worksheet, at: (u32, u16), value: Option<f64>, format: &Format) -> Result<(), XlsxError> {
    match value {
        Some(n) => sheet.write_number_with_format(at.0, at.1, n, format)?,
        None => sheet.write_blank(at.0, at.1, format)?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Range, Reader, Xlsx};

    use super::*;
    use crate::form::Campaign;
    use crate::report::fixture::District;
    use crate::report::table::{FOUNDED_TOTAL, MEMBERS};

    fn read(bytes: &[u8]) -> Xlsx<Cursor<Vec<u8>>> {
        Xlsx::new(Cursor::new(bytes.to_vec())).unwrap()
    }

    fn text(range: &Range<Data>, row: u32, column: u32) -> String {
        range.get_value((row, column)).map(ToString::to_string).unwrap_or_default()
    }

    /// The row whose first cell starts so.
    fn row_of(range: &Range<Data>, start: &str) -> u32 {
        (0..=range.end().unwrap().0).find(|row| text(range, *row, 0).starts_with(start)).unwrap()
    }

    fn column_of(range: &Range<Data>, headings: [&str; 2]) -> u32 {
        let matches = |c: &u32| {
            let (top, below) = (text(range, 2, *c), text(range, 3, *c));
            (headings[0].is_empty() || top == headings[0]) && (headings[1].is_empty() || below == headings[1])
        };
        (0..=range.end().unwrap().1).find(matches).unwrap()
    }

    #[test]
    fn the_sheets_are_those_that_the_department_knows() {
        let district = District::new(8);
        let book = read(&build(&district.data(30)).unwrap());
        let names = [
            "汇总",
            "通报",
            "任务进度",
            "报送质量",
            "台账 非公企业",
            "台账 社会组织",
            "变动",
            "问题",
            "报送情况",
            "图表",
        ];
        assert_eq!(book.sheet_names(), names);
    }

    #[test]
    fn the_same_data_give_the_same_bytes() {
        let district = District::new(8);
        assert!(build(&district.data(30)).unwrap() == build(&district.data(30)).unwrap());
    }

    #[test]
    fn totals_are_live_formulas_whose_stored_values_are_the_sums() {
        let district = District::new(12);
        let data = district.data(100);
        let mut book = read(&build(&data).unwrap());
        let (cells, formulas) = (book.worksheet_range("汇总").unwrap(), book.worksheet_formula("汇总").unwrap());
        let members = column_of(&cells, ["党员总数", ""]);
        let founded = column_of(&cells, ["新建党组织", ""]) + 1;
        for table in data.tables() {
            let row = row_of(&cells, &format!("小计（{}）", table.stream.title));
            for (column, key) in [(members, MEMBERS), (founded, FOUNDED_TOTAL)] {
                let stored = cells.get_value((row, column)).unwrap();
                assert_eq!(stored, &Data::Float(table.total(key).unwrap() as f64));
                assert!(formulas.get_value((row, column)).unwrap().contains("SUM("));
            }
        }
        let all: i64 = data.tables().iter().filter_map(|t| t.total(MEMBERS)).sum();
        assert_eq!(cells.get_value((row_of(&cells, "合计"), members)).unwrap(), &Data::Float(all as f64));
    }

    #[test]
    fn what_is_not_reported_is_empty_and_not_zero() {
        let district = District::new(8);
        let mut book = read(&build(&district.data(30)).unwrap());
        let cells = book.worksheet_range("汇总").unwrap();
        let silent = &district.registry.units[3].name;
        let row = (0..40).find(|row| text(&cells, *row, 1) == *silent).unwrap();
        let members = column_of(&cells, ["党员总数", ""]);
        let rate = column_of(&cells, ["组织覆盖率（%）", ""]);
        assert_eq!((text(&cells, row, members), text(&cells, row, rate)), (String::new(), String::new()));
    }

    #[test]
    fn columns_are_wide_enough_for_their_totals() {
        let district = District::new(4);
        let data = district.data(8);
        let form = data.figures_form().unwrap();
        let wide = |n: i64| {
            let total = crate::form::Datum::Int(n);
            crate::report::grid::GridColumn::of_form(form, form.column(MEMBERS).unwrap(), [&total].into_iter()).width
        };
        assert!(wide(740_736) > "740,736".len() as f64, "{}", wide(740_736));
        assert!(wide(8) < 7.0);
    }

    #[test]
    fn the_book_keeps_the_types_of_its_values() {
        let district = District::new(8);
        let data = district.data(30);
        let mut book = read(&build(&data).unwrap());
        let cells = book.worksheet_range("台账 非公企业").unwrap();
        let at = |headings: [&str; 2], row: u32| cells.get_value((row, column_of(&cells, headings))).cloned().unwrap();
        assert_eq!(text(&cells, 2, 1), "填报单位");
        assert!(matches!(at(["联系电话", ""], 4), Data::String(s) if s.starts_with("138")));
        assert!(matches!(at(["组织机构代码", ""], 4), Data::String(_)));
        assert!(matches!(at(["党员总数", ""], 4), Data::Float(_)));
        let founded: Vec<Data> = (4..12).map(|row| at(["", "党组织成立时间"], row)).collect();
        assert!(founded.iter().any(|d| matches!(d, Data::DateTime(_))));
        assert!(founded.contains(&Data::String("2010-07".to_owned())), "a month alone stays a month: {founded:?}");
        let rows = cells.end().unwrap().0 - 3;
        assert_eq!(rows as usize, data.entries.iter().filter(|e| e.stream == "nonpublic").count());
    }

    #[test]
    fn text_from_returns_is_never_a_formula_and_never_breaks_the_file() {
        let district = District::new(2);
        let mut data = district.data(4);
        let nasty = format!("=1+1\u{0}\u{b}<&>{}", "长".repeat(40_000));
        data.entries[0].values.insert("name".to_owned(), crate::form::Datum::Text(nasty));
        let mut book = read(&build(&data).unwrap());
        let formulas = book.worksheet_formula("台账 非公企业").unwrap();
        assert!(formulas.used_cells().all(|(_, _, f)| f.is_empty()));
        let cells = book.worksheet_range("台账 非公企业").unwrap();
        assert!(text(&cells, 4, 2).starts_with("=1+1<&>长"));
    }

    #[test]
    fn a_district_without_a_single_return_gets_its_workbook() {
        let district = District::new(3);
        let mut data = district.data(0);
        data.figures.clear();
        data.previous.clear();
        data.findings.clear();
        data.arrivals.clear();
        data.changes = None;
        let mut book = read(&build(&data).unwrap());
        assert!(!book.sheet_names().contains(&"变动".to_owned()));
        let cells = book.worksheet_range("汇总").unwrap();
        assert_eq!(text(&cells, row_of(&cells, "合计"), column_of(&cells, ["党员总数", ""])), "—");
    }

    #[test]
    fn a_stream_is_called_by_its_short_name() {
        let campaign = Campaign::builtin();
        assert_eq!(campaign.streams.iter().map(short_name).collect::<Vec<_>>(), ["非公企业", "社会组织"]);
    }
}
