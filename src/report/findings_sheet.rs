//! The workbook attached to a receipt: every finding of one message, filterable and printable. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::form::{Datum, Finding};
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, new_workbook};

/// All findings of one message as .xlsx bytes, errors first, in their order within a severity.
///
/// `subject` says whose return it is: `松涛镇 2011年8月 非公有制企业`.
pub fn build(subject: &str, author: &str, findings: &[Finding], at: DateTime<Tz>) -> Result<Vec<u8>, Error> {
    let title = format!("{subject}报表问题清单");
    let mut book = new_workbook(&title, author, at)?;
    let styles = Styles::new();
    let sheet = book.add_worksheet().set_name("问题清单")?;
    let mut listed: Vec<&Finding> = findings.iter().collect();
    listed.sort_by_key(|f| f.severity);
    let count = |errors: bool| findings.iter().filter(|f| f.is_error() == errors).count();
    let mut all = vec![GridColumn::new("序号", Look::Centre, 6.0)];
    all.extend(columns());
    let note = format!(
        "共{}条：错误{}条（请改正后重新报送），其他{}条（请核对）。单元格按所报文件中的位置标注。",
        findings.len(),
        count(true),
        count(false)
    );
    let grid = Grid::new(title, note, all);
    let laid = grid.open(sheet, &styles)?;
    let rows = listed.iter().enumerate().map(|(i, finding)| {
        let mut row = vec![Datum::Int(i as i64 + 1)];
        row.extend(values(finding));
        row
    });
    grid.rows(sheet, laid, &rows.collect::<Vec<_>>(), &styles)?;
    Ok(book.save_to_buffer()?)
}

/// 级别、规则、文件、工作表、单元格、行、问题与改法.
pub fn columns() -> Vec<GridColumn> {
    vec![
        GridColumn::new("级别", Look::Centre, 7.0),
        GridColumn::new("规则", Look::Centre, 7.0),
        GridColumn::new("文件", Look::Text, 26.0),
        GridColumn::new("工作表", Look::Text, 14.0),
        GridColumn::new("单元格", Look::Centre, 9.0),
        GridColumn::new("行", Look::Centre, 7.0),
        GridColumn::new("问题与改法", Look::Text, 60.0),
    ]
}

/// One finding in the order of [`columns`].
pub fn values(finding: &Finding) -> Vec<Datum> {
    let text = |s: &Option<String>| s.clone().map_or(Datum::Null, Datum::Text);
    let place = &finding.place;
    vec![
        Datum::Text(finding.severity.chinese().to_owned()),
        Datum::Text(finding.rule.clone()),
        text(&place.file),
        text(&place.sheet),
        text(&place.cell),
        place.row.map_or(Datum::Null, |row| Datum::Int(i64::from(row))),
        Datum::Text(finding.message.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;
    use crate::form::{Place, Severity};
    use crate::report::fixture::at;

    #[test]
    fn errors_come_first_and_each_finding_says_where_it_is() {
        let place = |cell: &str| Place {
            file: Some("台账.xls".to_owned()),
            sheet: Some("Sheet1".to_owned()),
            cell: Some(cell.to_owned()),
            row: Some(7),
        };
        let findings = [
            Finding::new("R06", Severity::Warning, place("J7"), "应建未建"),
            Finding::new("R01", Severity::Error, Place::default(), "缺少名称"),
        ];
        let bytes = build("松涛镇 2011年8月", "白鹭区", &findings, at("2011-09-20T09:00:00+08:00")).unwrap();
        let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        let rows: Vec<Vec<String>> = range.rows().map(|r| r.iter().map(Data::to_string).collect()).collect();
        assert_eq!(rows[2], ["序号", "级别", "规则", "文件", "工作表", "单元格", "行", "问题与改法"]);
        assert_eq!(rows[3], ["1", "错误", "R01", "", "", "", "", "缺少名称"]);
        assert_eq!(rows[4], ["2", "提醒", "R06", "台账.xls", "Sheet1", "J7", "7", "应建未建"]);
    }
}
