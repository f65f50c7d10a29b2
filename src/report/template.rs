//! A form to be filled in, with what is already known in it: unit, stream, period, and for a book the book as it
//! stands. Pure.
//!
//! A figures form never carries figures of its own: last month's cumulative ones stand in a note below and in the hint
//! of their cell, so that a form sent back untouched is refused for its blanks, not taken for true.

use chrono::DateTime;
use chrono_tz::Tz;
use rust_xlsxwriter::{DataValidation, DataValidationErrorStyle, DataValidationRule, Worksheet, XlsxError};

use crate::form::record::Values;
use crate::form::{Campaign, Column, ColumnKind, Datum, Form, Stream};
use crate::period::Period;
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Styles, YesNo, new_workbook, sheet_name};
use crate::report::wording::{day, form_title};

/// Empty ruled rows below a book, for organisations to be added.
const SPARE_ROWS: usize = 10;
/// Rows beyond the book in which the lists to choose from still work.
const LISTED_ROWS: u32 = 500;

/// Whose form it is.
#[derive(Clone, Copy, Debug)]
pub struct Blank<'a> {
    pub campaign: &'a Campaign,
    pub stream: &'a Stream,
    pub unit: &'a str,
    pub period: Period,
    /// When it is due.
    pub due: DateTime<Tz>,
    /// The creation time of the file.
    pub generated_at: DateTime<Tz>,
}

/// The figures form as .xlsx bytes. `last` are the unit's last accepted figures and their period.
pub fn progress(blank: &Blank, form: &Form, last: Option<(Period, &Values)>) -> Result<Vec<u8>, Error> {
    let mut book = new_workbook(&blank.title(form), blank.unit, blank.generated_at)?;
    let styles = Styles::new();
    let sheet = book.add_worksheet().set_name(sheet_name(&form.title))?;
    let mut columns: Vec<GridColumn> =
        form.columns.iter().map(|c| GridColumn::of_form(form, c, std::iter::empty())).collect();
    widen(&mut columns, form, &[(form.identity.as_str(), 20.0)]);
    let grid = Grid::new(blank.title(form), blank.note(), columns);
    let laid = grid.open(sheet, &styles)?;
    let value = |column: &Column| match column.key.as_str() {
        key if form.is_sequence(key) => Datum::Int(1),
        key if key == form.identity => Datum::Text(blank.unit.to_owned()),
        _ => Datum::Null,
    };
    grid.row(sheet, laid.first_row, &form.columns.iter().map(value).collect::<Vec<_>>(), &styles)?;
    sheet.set_row_height(laid.first_row, 32.0)?;
    choices(sheet, form, (laid.first_row, laid.first_row), last.map(|(_, values)| values))?;
    if let Some((period, values)) = last {
        hints(sheet, form, laid.first_row, (period, values))?;
    }
    for (i, line) in progress_notes(blank, form, last).iter().enumerate() {
        grid.line(sheet, laid.first_row + 2 + i as u32, line, &styles)?;
    }
    Ok(book.save_to_buffer()?)
}

/// The book as .xlsx bytes. `entries` are the unit's active organisations in their order.
pub fn register(blank: &Blank, form: &Form, entries: &[&Values]) -> Result<Vec<u8>, Error> {
    let mut book = new_workbook(&blank.title(form), blank.unit, blank.generated_at)?;
    let styles = Styles::new();
    let sheet = book.add_worksheet().set_name(sheet_name(&form.title))?;
    let of = |column: &Column| GridColumn::of_form(form, column, entries.iter().filter_map(|e| e.get(&column.key)));
    let mut columns: Vec<GridColumn> = form.columns.iter().map(of).collect();
    let least = [("name", 26.0), ("code", 12.0), ("address", 20.0), ("phone", 14.0), ("secretary_phone", 14.0)];
    widen(&mut columns, form, &least);
    let fixed = 1 + form.columns.iter().position(|c| c.key == form.identity).unwrap_or(0) as u16;
    let grid = Grid { fixed, two_pages: true, ..Grid::new(blank.title(form), blank.note(), columns) };
    let laid = grid.open(sheet, &styles)?;
    let value = |entry: &Values, seq: usize, column: &Column| match column.key.as_str() {
        key if form.is_sequence(key) => Datum::Int(seq as i64 + 1),
        key => entry.get(key).cloned().unwrap_or(Datum::Null),
    };
    let mut rows: Vec<Vec<Datum>> = Vec::with_capacity(entries.len() + SPARE_ROWS);
    for (i, entry) in entries.iter().enumerate() {
        rows.push(form.columns.iter().map(|column| value(entry, i, column)).collect());
    }
    rows.resize(entries.len() + SPARE_ROWS, vec![Datum::Null; form.columns.len()]);
    let next = grid.rows(sheet, laid, &rows, &styles)?;
    choices(sheet, form, (laid.first_row, next + LISTED_ROWS), None)?;
    let reply = blank.reply(1 + REGISTER_NOTES.len());
    for (i, line) in REGISTER_NOTES.into_iter().chain([reply.as_str()]).enumerate() {
        grid.line(sheet, next + 1 + i as u32, line, &styles)?;
    }
    Ok(book.save_to_buffer()?)
}

const REGISTER_NOTES: [&str; 2] = [
    "填表说明：1．本表是本单位的整本台账，请在原有各行上改，新增的组织接着填写；不要删行，不再正常经营的把“状态”改为“销户”，并填写销户原因和时间。",
    "填表说明：2．组建形式、状态、有无、是否各栏请从下拉列表中选；日期写成 2011-9-5 或 2011年9月；代码和电话按原样填写。",
];

fn progress_notes(blank: &Blank, form: &Form, last: Option<(Period, &Values)>) -> Vec<String> {
    let mut notes = vec![
        "填表说明：1．请在上面一行填写截至所属期末的数字，没有的填 0；“上月”填所属期当月新增数，“累计”填活动开始以来的总数。".to_owned(),
        "填表说明：2．组织覆盖率、工作覆盖率可以不填，由系统计算。".to_owned(),
        blank.reply(3),
    ];
    if let Some((period, values)) = last {
        let told = |c: &Column| Some(format!("{} {}", c.label(), values.get(&c.key)?.int()?));
        let totals: Vec<String> = form.columns.iter().filter(|c| is_cumulative(form, c)).filter_map(told).collect();
        if !totals.is_empty() {
            notes.push(format!("填表说明：4．供对照，{}已报累计数：{}。", period.chinese(), totals.join("，")));
        }
    }
    notes
}

/// Lists to choose from, and whole numbers where numbers are asked, in the given rows; cells that [`hints`] rules are left
/// to it.
fn choices(sheet: &mut Worksheet, form: &Form, rows: (u32, u32), last: Option<&Values>) -> Result<(), XlsxError> {
    for (i, column) in form.columns.iter().enumerate().filter(|(_, c)| hinted(form, c, last).is_none()) {
        let rule = match &column.kind {
            ColumnKind::OneOf(choices) => {
                let words: Vec<&str> = choices.iter().map(|c| c.value.as_str()).collect();
                DataValidation::new().allow_list_strings(&words)?
            }
            ColumnKind::YesNo => {
                let yes = YesNo::of(column.leaf());
                DataValidation::new().allow_list_strings(&[yes.word(true), yes.word(false)])?
            }
            ColumnKind::Count if !form.is_sequence(&column.key) => {
                let whole = DataValidation::new();
                whole
                    .allow_whole_number(DataValidationRule::GreaterThanOrEqualTo(0))
                    .set_error_message("请填写整数，没有的填 0。")?
            }
            _ => continue,
        };
        sheet.add_data_validation(rows.0, i as u16, rows.1, i as u16, &rule)?;
    }
    Ok(())
}

/// On each cumulative cell what was reported last, and a question when less is typed.
fn hints(sheet: &mut Worksheet, form: &Form, row: u32, (period, last): (Period, &Values)) -> Result<(), XlsxError> {
    for (i, column) in form.columns.iter().enumerate() {
        let Some(total) = hinted(form, column, Some(last)) else { continue };
        let least = i32::try_from(total).unwrap_or(i32::MAX);
        let hint = DataValidation::new()
            .allow_whole_number(DataValidationRule::GreaterThanOrEqualTo(least))
            .set_input_title("上期累计")?
            .set_input_message(format!("{}累计 {total}，加上本期新增数填写。", period.chinese()))?
            .set_error_style(DataValidationErrorStyle::Warning)
            .set_error_message(format!("累计数比{}的 {total} 少，确实如此吗？", period.chinese()))?;
        sheet.add_data_validation(row, i as u16, row, i as u16, &hint)?;
    }
    Ok(())
}

/// The last cumulative figure of a column that has one.
fn hinted(form: &Form, column: &Column, last: Option<&Values>) -> Option<i64> {
    is_cumulative(form, column).then_some(last?.get(&column.key)?.int()?)
}

fn is_cumulative(form: &Form, column: &Column) -> bool {
    form.cumulative.iter().any(|c| c.total == column.key)
}

/// Columns that must not be narrower than what will be typed into them.
fn widen(columns: &mut [GridColumn], form: &Form, least: &[(&str, f64)]) {
    for (grid, column) in columns.iter_mut().zip(&form.columns) {
        if let Some((_, width)) = least.iter().find(|(key, _)| *key == column.key) {
            grid.width = grid.width.max(*width);
        }
    }
}

impl Blank<'_> {
    /// `非公有制企业“…”活动台账（2011年8月）`
    fn title(&self, form: &Form) -> String {
        format!("{}（{}）", form_title(self.campaign, form, self.stream), self.period.chinese())
    }

    /// When and how to send it back.
    fn reply(&self, number: usize) -> String {
        format!("填表说明：{number}．请不要改动表头，填好后于{}前作为邮件附件发到原邮箱。", day(self.due))
    }

    fn note(&self) -> String {
        format!("填报单位：{}　　　　所属期：{}", self.unit, self.period.chinese())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;
    use crate::report::fixture::{District, at, period};

    fn cells(bytes: Vec<u8>) -> Vec<Vec<String>> {
        let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
    }

    fn blank(district: &District) -> Blank<'_> {
        Blank {
            campaign: &district.campaign,
            stream: &district.campaign.streams[0],
            unit: "碧溪镇人民政府",
            period: period(),
            due: at("2011-09-25T23:59:59+08:00"),
            generated_at: at("2011-09-20T09:00:00+08:00"),
        }
    }

    #[test]
    fn a_figures_form_names_unit_and_period_and_brings_no_figure_of_its_own() {
        let district = District::new(3);
        let data = district.data(9);
        let form = data.figures_form().unwrap();
        let last = &data.previous[0].values;
        let rows = cells(progress(&blank(&district), form, Some((period().prev(), last))).unwrap());
        assert_eq!(rows[0][0], "非公有制企业“建组织、扩覆盖，抓规范、强功能”活动进展情况统计表（2011年8月）");
        assert!(rows[1][0].starts_with("填报单位：碧溪镇人民政府　"), "{}", rows[1][0]);
        assert!(rows[1][0].contains("所属期：2011年8月"));
        assert_eq!((rows[2][12].as_str(), rows[3][12].as_str(), rows[3][13].as_str()), ("新建党组织", "上月", "累计"));
        assert_eq!(rows[4][..3], ["1", "碧溪镇人民政府", ""]);
        assert!(rows[4][2..].iter().all(String::is_empty), "a form sent back untouched must be refused");
        let founded = last["new_party_orgs_total"].int().unwrap();
        assert!(rows.iter().any(|r| r[0].contains(&format!("2011年7月已报累计数：新建党组织/累计 {founded}"))));
    }

    #[test]
    fn a_book_comes_as_it_stands_with_room_below() {
        let district = District::new(3);
        let data = district.data(9);
        let entries: Vec<&Values> = data.entries.iter().map(|e| &e.values).collect();
        let rows = cells(register(&blank(&district), data.book_form().unwrap(), &entries).unwrap());
        assert_eq!((rows[4][0].as_str(), &rows[4][1]), ("1", &entries[0]["name"].text().unwrap().to_owned()));
        assert_eq!(rows[4][14], "是");
        assert_eq!(rows[4][20], "有");
        assert_eq!(rows[12][0], "9");
        assert!(rows[13..23].iter().all(|r| r.iter().all(String::is_empty)));
        assert!(rows[24].iter().any(|c| c.starts_with("填表说明：")));
    }

    #[test]
    fn the_same_data_give_the_same_bytes() {
        let district = District::new(3);
        let data = district.data(9);
        let form = data.figures_form().unwrap();
        assert!(progress(&blank(&district), form, None).unwrap() == progress(&blank(&district), form, None).unwrap());
    }
}
