//! Lists of findings as sheets, filterable and printable: the workbook attached to a receipt, the list in front of a
//! table that is sent back. Pure.

use std::borrow::Cow;

use chrono::DateTime;
use chrono_tz::Tz;
use rust_xlsxwriter::{Color, FormatUnderline, Url, Worksheet, XlsxError};

use crate::form::{Datum, Finding};
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, fill, new_workbook};

/// Characters of a cell that are quoted beside its finding.
const QUOTED: usize = 60;

/// All findings of one message as .xlsx bytes, errors first, in their order within a severity.
///
/// `subject` says whose return it is: `松涛镇 2011年8月 非公有制企业`.
pub fn build(subject: &str, author: &str, findings: &[Finding], at: DateTime<Tz>) -> Result<Vec<u8>, Error> {
    let title = format!("{subject}报表问题清单");
    let mut book = new_workbook(&title, author, at)?;
    let mut listed: Vec<&Finding> = findings.iter().collect();
    listed.sort_by_key(|f| f.severity);
    let count = |errors: bool| findings.iter().filter(|f| f.is_error() == errors).count();
    let note = format!(
        "共{}条：错误{}条（请改正后重新报送），其他{}条（请核对）。单元格按所报文件中的位置标注。",
        findings.len(),
        count(true),
        count(false)
    );
    let lines = listed.into_iter().map(Line::new).collect();
    let sheet = book.add_worksheet().set_name("问题清单")?;
    Listing { title, note, lines, in_one_file: false }.write(sheet, &Styles::new())?;
    Ok(book.save_to_buffer()?)
}

/// A finding and what is known of its cell.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    pub finding: &'a Finding,
    /// What stands in the cell.
    pub content: Option<Cow<'a, str>>,
    /// Where a click on the cell's name leads: `internal:'台账'!C7`.
    pub link: Option<String>,
    /// Behind the cell's name.
    pub remark: &'static str,
}

impl<'a> Line<'a> {
    pub fn new(finding: &'a Finding) -> Self {
        Self { finding, content: None, link: None, remark: "" }
    }

    /// `C7`, or `第7行` where there is no cell.
    fn spot(&self) -> String {
        let place = &self.finding.place;
        let spot = place.cell.clone().or_else(|| place.row.map(|row| format!("第{row}行")));
        format!("{}{}", spot.unwrap_or_default(), self.remark)
    }
}

/// A sheet of findings.
#[derive(Clone, Debug)]
pub struct Listing<'a> {
    pub title: String,
    pub note: String,
    /// In the order in which they are listed.
    pub lines: Vec<Line<'a>>,
    /// The list is about the file that it stands in: it names no file, and quotes the cells.
    pub in_one_file: bool,
}

impl Listing<'_> {
    pub fn write(&self, sheet: &mut Worksheet, styles: &Styles) -> Result<(), XlsxError> {
        let fields = if self.in_one_file { IN_ONE_FILE } else { IN_ALL_FILES };
        let mut columns = vec![GridColumn::new("序号", Look::Centre, 6.0)];
        columns.extend(fields.iter().map(|field| field.column()));
        let row = |(i, line): (usize, &Line)| {
            let values = fields.iter().map(|field| field.value(line));
            [Datum::Int(i as i64 + 1)].into_iter().chain(values).collect()
        };
        let rows: Vec<Vec<Datum>> = self.lines.iter().enumerate().map(row).collect();
        let grid = Grid::new(self.title.clone(), self.note.clone(), columns);
        let laid = grid.open(sheet, styles)?;
        grid.rows(sheet, laid, &rows, styles)?;
        let column = |wanted| 1 + fields.iter().position(|field| *field == wanted).unwrap_or_default() as u16;
        for (row, line) in (laid.first_row..).zip(&self.lines) {
            let centre = styles.body(Look::Centre).clone();
            let severity = line.finding.severity;
            let filled = centre.clone().set_background_color(fill(severity));
            sheet.write_string_with_format(row, column(Field::Severity), severity.chinese(), &filled)?;
            if let Some(link) = &line.link {
                let url = Url::new(link).set_text(line.spot());
                let blue = centre.set_font_color(Color::RGB(0x0563C1)).set_underline(FormatUnderline::Single);
                sheet.write_url_with_format(row, column(Field::Cell), url, &blue)?;
            }
        }
        Ok(())
    }
}

/// What a list says of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Severity,
    File,
    Sheet,
    Cell,
    Content,
    Message,
    Rule,
}

const IN_ALL_FILES: [Field; 6] = [Field::Severity, Field::File, Field::Sheet, Field::Cell, Field::Message, Field::Rule];
const IN_ONE_FILE: [Field; 6] =
    [Field::Severity, Field::Sheet, Field::Cell, Field::Content, Field::Message, Field::Rule];

impl Field {
    fn column(self) -> GridColumn {
        match self {
            Self::Severity => GridColumn::new("级别", Look::Centre, 7.0),
            Self::File => GridColumn::new("文件", Look::Text, 26.0),
            Self::Sheet => GridColumn::new("工作表", Look::Text, 14.0),
            Self::Cell => GridColumn::new("单元格", Look::Centre, 10.0),
            Self::Content => GridColumn::new("原内容", Look::Text, 20.0),
            Self::Message => GridColumn::new("问题和改法", Look::Text, 60.0),
            Self::Rule => GridColumn::new("规则", Look::Centre, 7.0),
        }
    }

    fn value(self, line: &Line) -> Datum {
        let text = |text: Option<String>| text.map_or(Datum::Null, Datum::Text);
        let finding = line.finding;
        match self {
            Self::Severity => Datum::Text(finding.severity.chinese().to_owned()),
            Self::File => text(finding.place.file.clone()),
            Self::Sheet => text(finding.place.sheet.clone()),
            Self::Cell => text(Some(line.spot()).filter(|spot| !spot.is_empty())),
            Self::Content => text(line.content.as_ref().map(|content| content.chars().take(QUOTED).collect())),
            Self::Message => Datum::Text(finding.message.clone()),
            Self::Rule => Datum::Text(finding.rule.clone()),
        }
    }
}

/// 级别、文件、工作表、单元格、问题和改法、规则.
pub fn columns() -> Vec<GridColumn> {
    IN_ALL_FILES.iter().map(|field| field.column()).collect()
}

/// One finding in the order of [`columns`].
pub fn values(finding: &Finding) -> Vec<Datum> {
    IN_ALL_FILES.iter().map(|field| field.value(&Line::new(finding))).collect()
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
            Finding::new("R01", Severity::Error, Place { row: Some(3), ..Place::default() }, "缺少名称"),
        ];
        let bytes = build("松涛镇 2011年8月", "白鹭区", &findings, at("2011-09-20T09:00:00+08:00")).unwrap();
        let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        let rows: Vec<Vec<String>> = range.rows().map(|r| r.iter().map(Data::to_string).collect()).collect();
        assert_eq!(rows[2], ["序号", "级别", "文件", "工作表", "单元格", "问题和改法", "规则"]);
        assert_eq!(rows[3], ["1", "错误", "", "", "第3行", "缺少名称", "R01"]);
        assert_eq!(rows[4], ["2", "提醒", "台账.xls", "Sheet1", "J7", "应建未建", "R06"]);
    }
}
