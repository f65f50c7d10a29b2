//! SpreadsheetML 2003 (the XML of Excel 2002 and 2003, mostly named .xls) → sheets. Pure.
//!
//! Source: Microsoft, “XML Spreadsheet Reference” (Office XP). Rows and cells follow each other unless `ss:Index` says
//! where they are. A cell's number format is that of its own style, else its row's, else its column's.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::draft::{At, Budget, COLUMNS, Draft, Formula, ROWS, SHEETS, Stored};
use super::number_format::{Shown, iso_day};
use super::package::{attribute, flag, local, resolved};
use super::{CellValue, Limits, Refusal, Sheet, Workbook};
use crate::message::attachment::text_of;

/// Column elements of a sheet that are kept.
const COLUMN_STYLES: usize = 256;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let text = text_of(bytes);
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    let mut book = Book::new(limits);
    loop {
        match reader.read_event().map_err(damaged)? {
            Event::Start(e) => book.start(&e)?,
            Event::End(e) => book.end(e.local_name().as_ref())?,
            Event::Text(text) => book.text(&text),
            Event::CData(text) => book.text(&text),
            Event::GeneralRef(reference) => book.text(&resolved(&reference)),
            Event::Eof => break,
            _ => {}
        }
    }
    if book.complete { Ok(Workbook { sheets: book.sheets }) } else { Err(damaged("it breaks off")) }
}

fn damaged(what: impl std::fmt::Display) -> Refusal {
    Refusal::Damaged(format!("SpreadsheetML: {what}"))
}

/// The workbook while its elements pass by.
struct Book {
    budget: Budget,
    /// Rows that may yet be covered by `ss:Span`.
    spans: u32,
    /// Styles that show percentages.
    percent: HashSet<String>,
    /// The style that is being defined.
    style: String,
    sheets: Vec<Sheet>,
    sheet: Option<Open>,
    complete: bool,
}

/// The sheet that is being read.
struct Open {
    draft: Draft,
    /// Where the next row and cell are unless they say so.
    next: At,
    next_column_element: u32,
    column_styles: Vec<(RangeInclusive<u32>, String)>,
    row_style: Option<String>,
    cell: Option<OpenCell>,
    text: Option<String>,
}

/// The cell that is being read.
struct OpenCell {
    at: At,
    percent: bool,
    formula: Option<Formula>,
    kind: String,
    /// Its data, once they have been read.
    data: Option<String>,
    /// Inside a comment, which has data of its own.
    comment: bool,
}

impl Book {
    fn new(limits: &Limits) -> Self {
        Self {
            budget: Budget::new(limits),
            spans: ROWS,
            percent: HashSet::new(),
            style: String::new(),
            sheets: Vec::new(),
            sheet: None,
            complete: false,
        }
    }

    fn start(&mut self, e: &BytesStart<'_>) -> Result<(), Refusal> {
        match (local(e), &mut self.sheet) {
            ("Style", None) => self.define_style(e),
            ("NumberFormat", None) => {
                let format = attribute(e, "Format").unwrap_or_default();
                let percent = format == "Percent" || Shown::of_code(&format) == Shown::Percent;
                let change = if percent { HashSet::insert } else { |set: &mut HashSet<String>, id| set.remove(&id) };
                change(&mut self.percent, self.style.clone());
            }
            ("Worksheet", _) if self.sheets.len() == SHEETS => return Err(Refusal::TooLarge("sheets".into())),
            ("Worksheet", sheet) => *sheet = Some(Open::new(attribute(e, "Name").unwrap_or_default())),
            ("Row", Some(sheet)) => sheet.row(e, &mut self.spans)?,
            ("Column", Some(sheet)) => sheet.column(e),
            ("Cell", Some(sheet)) => sheet.cell(e, &self.percent),
            (name, Some(sheet)) => sheet.inside_cell(name, e),
            _ => {}
        }
        Ok(())
    }

    fn define_style(&mut self, e: &BytesStart<'_>) {
        self.style = attribute(e, "ID").unwrap_or_default();
        if attribute(e, "Parent").is_some_and(|parent| self.percent.contains(&parent)) {
            self.percent.insert(self.style.clone());
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(read) = self.sheet.as_mut().and_then(|sheet| sheet.text.as_mut()) {
            read.push_str(text);
        }
    }

    fn end(&mut self, name: &str) -> Result<(), Refusal> {
        match (name, &mut self.sheet) {
            ("Workbook", None) => self.complete = true,
            ("Worksheet", sheet) => {
                if let Some(Open { draft, .. }) = sheet.take() {
                    self.sheets.push(draft.finish());
                }
            }
            ("Row", Some(sheet)) => sheet.next = (sheet.next.0.saturating_add(1), 0),
            ("Cell", Some(sheet)) => sheet.put(&mut self.budget)?,
            ("Comment", Some(Open { cell: Some(cell), .. })) => cell.comment = false,
            ("Visible", Some(sheet)) => {
                let state = sheet.text.take().unwrap_or_default();
                sheet.draft.set_hidden(matches!(state.trim(), "SheetHidden" | "SheetVeryHidden"));
            }
            ("Data", Some(sheet)) => sheet.end_data(),
            _ => {}
        }
        Ok(())
    }
}

impl Open {
    fn new(name: String) -> Self {
        Self {
            draft: Draft::new(name, false),
            next: (0, 0),
            next_column_element: 0,
            column_styles: Vec::new(),
            row_style: None,
            cell: None,
            text: None,
        }
    }

    fn row(&mut self, e: &BytesStart<'_>, spans: &mut u32) -> Result<(), Refusal> {
        let first = index(e).unwrap_or(self.next.0);
        let span = count(e, "Span");
        *spans = spans.checked_sub(span).ok_or_else(|| Refusal::TooLarge("rows".into()))?;
        let last = first.saturating_add(span);
        if flag(e, "Hidden") && last < ROWS {
            self.draft.hide_rows(first..=last);
        }
        self.next = (last, 0);
        self.row_style = attribute(e, "StyleID");
        Ok(())
    }

    fn column(&mut self, e: &BytesStart<'_>) {
        let first = index(e).unwrap_or(self.next_column_element);
        let last = first.saturating_add(count(e, "Span")).min(COLUMNS);
        self.next_column_element = last + 1;
        if flag(e, "Hidden") {
            self.draft.hide_columns(first..=last);
        }
        if let Some(style) = attribute(e, "StyleID").filter(|_| self.column_styles.len() < COLUMN_STYLES) {
            self.column_styles.push((first..=last, style));
        }
    }

    fn cell(&mut self, e: &BytesStart<'_>, percent: &HashSet<String>) {
        let at = (self.next.0, index(e).unwrap_or(self.next.1));
        let across = at.1.saturating_add(count(e, "MergeAcross"));
        self.draft.merge(at, (at.0.saturating_add(count(e, "MergeDown")), across));
        self.next.1 = across.saturating_add(1);
        let formula = attribute(e, "Formula").map(|_| Formula::Any);
        let own = attribute(e, "StyleID");
        let of_column =
            || self.column_styles.iter().find(|(columns, _)| columns.contains(&at.1)).map(|(_, style)| style);
        let style = own.as_ref().or(self.row_style.as_ref()).or_else(of_column);
        let percent = style.is_some_and(|style| percent.contains(style));
        self.cell = Some(OpenCell { at, percent, formula, kind: String::new(), data: None, comment: false });
    }

    /// Elements other than rows, columns and cells. Those of rich text inside data are passed over, their text is not.
    fn inside_cell(&mut self, name: &str, e: &BytesStart<'_>) {
        match (name, &mut self.cell) {
            ("Comment", Some(cell)) => cell.comment = true,
            ("Data", Some(cell)) if !cell.comment => {
                cell.kind = attribute(e, "Type").unwrap_or_default();
                self.text = Some(String::new());
            }
            ("Visible", None) => self.text = Some(String::new()),
            _ => {}
        }
    }

    fn end_data(&mut self) {
        if let Some(cell) = self.cell.as_mut().filter(|cell| !cell.comment) {
            cell.data = self.text.take();
        }
    }

    fn put(&mut self, budget: &mut Budget) -> Result<(), Refusal> {
        let Some(OpenCell { at, percent, formula, kind, data, .. }) = self.cell.take() else { return Ok(()) };
        let value = data.and_then(|text| value(&kind, text));
        self.draft.put(at, Stored { value, percent, formula }, budget)
    }
}

/// `ss:Index` counts from one.
fn index(e: &BytesStart<'_>) -> Option<u32> {
    attribute(e, "Index")?.trim().parse::<u32>().ok()?.checked_sub(1)
}

fn count(e: &BytesStart<'_>, name: &str) -> u32 {
    attribute(e, name).and_then(|n| n.trim().parse().ok()).unwrap_or(0)
}

/// The value of a cell by its `ss:Type`. Blank data of other types than text are none.
fn value(kind: &str, text: String) -> Option<CellValue> {
    let written = text.trim();
    if kind != "String" && written.is_empty() {
        return None;
    }
    let typed = match kind {
        "Number" => written.parse().ok().filter(|n: &f64| n.is_finite()).map(CellValue::Number),
        "Boolean" => Some(CellValue::Bool(written == "1" || written.eq_ignore_ascii_case("true"))),
        "DateTime" => moment(written),
        "Error" => Some(CellValue::Error(written.to_owned())),
        _ => None,
    };
    Some(typed.unwrap_or(CellValue::Text(text)))
}

/// `2011-08-01T00:00:00.000`; a time without a day, which has the last day of 1899, is a part of a day.
fn moment(text: &str) -> Option<CellValue> {
    let moment = iso_day(text)?;
    let first = NaiveDate::from_ymd_opt(1900, 1, 1)?.and_hms_opt(0, 0, 0)?;
    if moment >= first {
        return Some(CellValue::Date(moment));
    }
    let seconds = (moment - (first - chrono::TimeDelta::days(1))).num_seconds();
    Some(CellValue::Number(seconds as f64 / 86_400.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workbook::{Cell, Merge};

    const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 1000 };

    fn document(styles: &str, sheets: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
            <Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40"
              xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles>{styles}</Styles>{sheets}</Workbook>"#
        )
    }

    fn sheet_with(styles: &str, table: &str) -> Sheet {
        let text = document(styles, &format!(r#"<Worksheet ss:Name="表"><Table>{table}</Table></Worksheet>"#));
        read(text.as_bytes(), &LIMITS).unwrap().sheets.remove(0)
    }

    fn sheet(table: &str) -> Sheet {
        sheet_with("", table)
    }

    fn values(sheet: &Sheet) -> Vec<(At, CellValue)> {
        sheet.cells.iter().map(|(&at, cell)| (at, cell.value.clone())).collect()
    }

    fn text(text: &str) -> CellValue {
        CellValue::Text(text.to_owned())
    }

    fn data(kind: &str, content: &str) -> String {
        format!(r#"<Cell><Data ss:Type="{kind}">{content}</Data></Cell>"#)
    }

    #[test]
    fn cells_are_where_their_indices_and_the_merges_before_them_say() {
        let cell = data("String", "甲");
        let s = sheet(&format!(
            r#"<Row>{cell}<Cell ss:Index="4" ss:MergeAcross="2" ss:MergeDown="1"><Data ss:Type="String">乙</Data></Cell>{cell}</Row>
            <Row ss:Index="3"><Cell/>{cell}</Row><Row ss:Span="2"/><Row>{cell}</Row>"#
        ));
        assert_eq!(s.cells.keys().copied().collect::<Vec<_>>(), [(0, 0), (0, 3), (0, 6), (2, 1), (6, 0)]);
        assert_eq!(s.merges, [Merge { first: (0, 3), last: (1, 5) }]);
    }

    #[test]
    fn every_type_has_its_value() {
        let row = [
            data("Number", " 12.5 "),
            data("String", "0012"),
            data("Boolean", "1"),
            data("DateTime", "2011-08-01T18:00:00.000"),
            data("DateTime", "1899-12-31T06:00:00.000"),
            data("Error", "#REF!"),
            data("Number", "约十"),
            data("Number", ""),
        ];
        let moment = "2011-08-01T18:00:00".parse().unwrap();
        let expected = [
            CellValue::Number(12.5),
            text("0012"),
            CellValue::Bool(true),
            CellValue::Date(moment),
            CellValue::Number(0.25),
            CellValue::Error("#REF!".into()),
            text("约十"),
        ];
        let found: Vec<_> =
            values(&sheet(&format!("<Row>{}</Row>", row.concat()))).into_iter().map(|(_, v)| v).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn percentages_are_told_by_the_style_of_cell_row_or_column() {
        let styles = r#"<Style ss:ID="p"><NumberFormat ss:Format="0.00%"/></Style><Style ss:ID="child" ss:Parent="p"/>
            <Style ss:ID="named"><NumberFormat ss:Format="Percent"/></Style>
            <Style ss:ID="reset" ss:Parent="p"><NumberFormat ss:Format="0&quot;%&quot;"/></Style>"#;
        let of = |style: &str| format!(r#"<Cell ss:StyleID="{style}"><Data ss:Type="Number">0.5</Data></Cell>"#);
        let plain = data("Number", "0.5");
        let all = ["p", "child", "named", "reset", "none"].map(of).concat();
        let s = sheet_with(
            styles,
            &format!(
                r#"<Column ss:Index="2" ss:Span="1" ss:StyleID="p"/><Row>{all}</Row><Row>{plain}{plain}{plain}{plain}</Row>
                <Row ss:StyleID="named">{plain}</Row>"#
            ),
        );
        let percent: Vec<_> = s.cells.iter().filter(|(_, cell)| cell.percent).map(|(&at, _)| at).collect();
        assert_eq!(percent, [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 0)]);
    }

    #[test]
    fn formulas_that_nobody_computed_are_told_from_empty_results() {
        let s = sheet(
            r#"<Row><Cell ss:Formula="=RC[1]"/><Cell ss:Formula="=1"><Data ss:Type="Number">1</Data></Cell>
            <Cell ss:Formula="=T(1)"><Data ss:Type="String"></Data></Cell></Row>"#,
        );
        assert_eq!(s.cell(0, 0), Some(&Cell { value: CellValue::Uncached, percent: false, formula: true }));
        assert_eq!(s.cell(0, 1), Some(&Cell { value: CellValue::Number(1.0), percent: false, formula: true }));
        assert_eq!(s.cells.len(), 2);
    }

    #[test]
    fn rich_text_is_one_text_and_comments_are_none() {
        let s = sheet(
            r#"<Row><Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>党员</B><Font
            html:Color="red">总数</Font>&#10;&lt;人&gt;</ss:Data><Comment ss:Author="x"><ss:Data><B>批注</B></ss:Data></Comment>
            </Cell><Cell><Comment><ss:Data ss:Type="String">空</ss:Data></Comment></Cell></Row>"#,
        );
        assert_eq!(values(&s), [((0, 0), text("党员总数\n<人>"))]);
    }

    #[test]
    fn hidden_sheets_rows_and_columns_are_marked() {
        let rows = r#"<Column ss:Hidden="1" ss:Span="1"/><Column ss:Hidden="1" ss:Index="4"/>"#.to_owned()
            + &format!(r#"<Row ss:Hidden="1" ss:Span="1"/><Row>{}</Row>"#, data("Number", "1").repeat(5));
        let options = "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>";
        let sheets = format!(
            r#"<Worksheet ss:Name="甲"><Table>{rows}</Table></Worksheet><Worksheet ss:Name="乙"><Table/>{options}</Worksheet>"#
        );
        let book = read(document("", &sheets).as_bytes(), &LIMITS).unwrap();
        let named: Vec<_> = book.sheets.iter().map(|s| (s.name.as_str(), s.hidden)).collect();
        assert_eq!(named, [("甲", false), ("乙", true)]);
        assert_eq!(book.sheets[0].hidden_rows.iter().copied().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(book.sheets[0].hidden_columns.iter().copied().collect::<Vec<_>>(), [0, 1, 3]);
    }

    #[test]
    fn gbk_is_read_as_declared() {
        let text = document("", "<Worksheet ss:Name=\"台账\"/>").replace("\"1.0\"?", "\"1.0\" encoding=\"gb2312\"?");
        let book = read(&encoding_rs::GBK.encode(&text).0, &LIMITS).unwrap();
        assert_eq!(book.sheets[0].name, "台账");
    }

    #[test]
    fn what_breaks_off_or_is_too_much_is_refused() {
        let table = format!("<Worksheet><Table><Row>{}</Row></Table></Worksheet>", data("Number", "1").repeat(1001));
        let whole = document("", &table);
        assert!(matches!(read(whole.as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))));
        let enough = Limits { cells: 1001, ..LIMITS };
        assert_eq!(read(whole.as_bytes(), &enough).unwrap().sheets[0].cells.len(), 1001);
        for cut in [300, 2000, whole.len() - 10] {
            assert!(matches!(read(&whole.as_bytes()[..cut], &enough), Err(Refusal::Damaged(_))), "{cut}");
        }
        let many = document("", &"<Worksheet/>".repeat(256));
        assert!(matches!(read(many.as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))));
        let spans = document(
            "",
            &format!("<Worksheet><Table>{}</Table></Worksheet>", r#"<Row ss:Hidden="1" ss:Span="999999"/>"#.repeat(2)),
        );
        assert!(matches!(read(spans.as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))));
        let far = format!(
            r#"<Worksheet><Table><Row ss:Index="4294967295" ss:Span="9">{}</Row></Table></Worksheet>"#,
            data("Number", "1")
        );
        assert!(matches!(read(document("", &far).as_bytes(), &LIMITS), Err(Refusal::Damaged(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn no_change_to_a_document_brings_the_reader_down(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            pieces in prop::collection::vec("<Row>|<Cell ss:Index=\"[0-9]{1,11}\" ss:MergeDown=\"[0-9]{1,11}\">|</Cell>|<Data>|</Data>|<Comment>|<Visible>|<Worksheet>|</Worksheet>|<Column ss:Index=\"[0-9]{1,11}\" ss:Span=\"[0-9]{1,11}\" ss:Hidden=\"1\"/>|&#[0-9]{1,8};|甲", 0..30),
        ) {
            let mut bytes = document("<Style ss:ID=\"a\"/>", &pieces.concat()).into_bytes();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read(&bytes, &LIMITS);
        }
    }
}
