//! OpenDocument spreadsheets (.ods, and .fods in one flat file; ODF 1.3 part 3, 9.1 to 9.3 and 19.385) → sheets. Pure.
//!
//! Cells carry their cached value and type in attributes, and the text that is shown in paragraphs. Whole rows and cells
//! are repeated by a number: empty ones cost nothing, others are paid for one by one. There is no second opinion here:
//! calamine 0.38 fails on one real file in sixteen (those that are indented) and takes 6 GB for 700 bytes of repeats.

use std::collections::HashSet;
use std::io::{BufRead, Cursor};

use quick_xml::events::{BytesStart, Event};

use super::draft::{At, Budget, COLUMNS, Draft, SHEETS};
use super::ods_cell::Content;
use super::package::{Package, Xml, attribute, damaged, local};
use super::{Limits, Refusal, Sheet, Workbook};
use crate::message::attachment::text_of;

/// Elements whose content is no part of the table around them: drawings (which may hold whole documents), former
/// contents of cells.
const FOREIGN: [&str; 3] = ["shapes", "tracked-changes", "forms"];

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    if !bytes.starts_with(b"PK") {
        return document(Xml::new(Cursor::new(text_of(bytes))), limits);
    }
    let mut package = Package::open(bytes)?;
    if let Some(manifest) = package.part("META-INF/manifest.xml")?
        && is_encrypted(manifest)?
    {
        return Err(Refusal::Encrypted);
    }
    document(package.part("content.xml")?.ok_or_else(|| damaged("no content.xml"))?, limits)
}

fn is_encrypted(mut manifest: Xml<impl BufRead>) -> Result<bool, Refusal> {
    while let Some(event) = manifest.next()? {
        if matches!(event, Event::Start(e) if local(&e) == "encryption-data") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn document(mut xml: Xml<impl BufRead>, limits: &Limits) -> Result<Workbook, Refusal> {
    let mut book = Book {
        budget: Budget::new(limits),
        hidden_styles: HashSet::new(),
        style: String::new(),
        sheets: Vec::new(),
        sheet: None,
        complete: false,
    };
    // Elements that are open, and where one of them is foreign.
    let (mut depth, mut foreign) = (0usize, None);
    while let Some(event) = xml.next()? {
        match &event {
            Event::Start(e) => {
                depth += 1;
                foreign = foreign.or_else(|| FOREIGN.contains(&local(e)).then_some(depth));
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        match foreign {
            Some(at) if depth < at => foreign = None,
            Some(_) => {}
            None => book.event(&event)?,
        }
    }
    if book.complete { Ok(Workbook { sheets: book.sheets }) } else { Err(damaged("the document breaks off")) }
}

/// The document while its elements pass by.
struct Book {
    budget: Budget,
    /// Table styles that are not displayed.
    hidden_styles: HashSet<String>,
    /// The style that is being defined.
    style: String,
    sheets: Vec<Sheet>,
    sheet: Option<Open>,
    complete: bool,
}

/// The sheet that is being read.
struct Open {
    draft: Draft,
    next_column: u32,
    /// The row that is being read: its number, how many like it follow each other, what they hold.
    row: u32,
    rows: u32,
    cells: Vec<(At, Content)>,
    /// The place of the next cell in its row.
    column: u32,
    cell: Option<Content>,
}

impl Book {
    fn event(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
        let cell = self.sheet.as_mut().and_then(|sheet| sheet.cell.as_mut());
        if cell.is_some_and(|cell| cell.event(event)) {
            return Ok(());
        }
        match event {
            Event::Start(e) => self.start(e),
            Event::End(e) => self.end(e.local_name().as_ref()),
            _ => Ok(()),
        }
    }

    fn start(&mut self, e: &BytesStart<'_>) -> Result<(), Refusal> {
        match (local(e), &mut self.sheet) {
            ("style", None) => self.style = attribute(e, "name").unwrap_or_default(),
            ("table-properties", None) if attribute(e, "display").as_deref() == Some("false") => {
                self.hidden_styles.insert(self.style.clone());
            }
            ("table", None) if self.sheets.len() == SHEETS => return Err(Refusal::TooLarge("sheets".into())),
            ("table", sheet @ None) => {
                let hidden = attribute(e, "style-name").is_some_and(|style| self.hidden_styles.contains(&style));
                *sheet = Some(Open::new(attribute(e, "name").unwrap_or_default(), hidden));
            }
            ("table-column", Some(sheet)) => sheet.column(e),
            ("table-row", Some(sheet)) => sheet.row(e),
            ("table-cell" | "covered-table-cell", Some(sheet)) => sheet.cell = Some(Content::of(e)),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Refusal> {
        match (name, &mut self.sheet) {
            ("table-cell" | "covered-table-cell", Some(sheet)) => sheet.end_cell(),
            ("table-row", Some(sheet)) => sheet.end_row(&mut self.budget)?,
            ("table", sheet) => self.sheets.extend(sheet.take().map(|sheet| sheet.draft.finish())),
            ("spreadsheet", None) => self.complete = true,
            _ => {}
        }
        Ok(())
    }
}

impl Open {
    fn new(name: String, hidden: bool) -> Self {
        let draft = Draft::new(name, hidden);
        Self { draft, next_column: 0, row: 0, rows: 1, cells: Vec::new(), column: 0, cell: None }
    }

    fn column(&mut self, e: &BytesStart<'_>) {
        let first = self.next_column;
        self.next_column = first.saturating_add(repeated(e, "number-columns-repeated")).min(COLUMNS);
        if is_hidden(e) && first < self.next_column {
            self.draft.hide_columns(first..=self.next_column - 1);
        }
    }

    fn row(&mut self, e: &BytesStart<'_>) {
        self.rows = repeated(e, "number-rows-repeated");
        self.column = 0;
        self.cells.clear();
        if is_hidden(e) {
            self.draft.hide_rows(self.row..=self.row.saturating_add(self.rows - 1));
        }
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let last = self.column.saturating_add(cell.columns - 1);
        if !cell.is_empty() {
            self.cells.push(((self.column, last), cell));
        }
        self.column = last.saturating_add(1);
    }

    /// Rows alike are paid for one by one; empty ones are only counted.
    fn end_row(&mut self, budget: &mut Budget) -> Result<(), Refusal> {
        let (first, last) = (self.row, self.row.saturating_add(self.rows - 1));
        self.row = last.saturating_add(1);
        for ((from, to), cell) in std::mem::take(&mut self.cells) {
            if let Some((rows, columns)) = cell.spans {
                let corner = (first.saturating_add(rows - 1), from.saturating_add(columns - 1));
                self.draft.merge((first, from), corner);
            }
            let stored = cell.stored();
            if stored.is_blank() {
                continue;
            }
            for row in first..=last {
                for column in from..=to {
                    self.draft.put((row, column), stored.clone(), budget)?;
                }
            }
        }
        Ok(())
    }
}

/// A count from one on.
pub(super) fn repeated(e: &BytesStart<'_>, name: &str) -> u32 {
    attribute(e, name).and_then(|n| n.trim().parse().ok()).unwrap_or(1).max(1)
}

/// `table:visibility` is `visible`, `collapse` or `filter`.
fn is_hidden(e: &BytesStart<'_>) -> bool {
    attribute(e, "visibility").is_some_and(|visibility| visibility != "visible")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::message::attachment::{Kind, sniff};
    use crate::workbook::{Cell, CellValue, Merge};

    const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 1000 };

    fn flat(styles: &str, tables: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><office:document office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
            <office:automatic-styles>{styles}</office:automatic-styles>
            <office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document>"#
        )
    }

    fn packed(content: &str, manifest: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let parts = [
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", content),
            ("META-INF/manifest.xml", manifest),
        ];
        for (name, text) in parts {
            let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
            zip.start_file(name, stored).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn sheet(rows: &str) -> Sheet {
        let text = flat("", &format!(r#"<table:table table:name="表">{rows}</table:table>"#));
        read(text.as_bytes(), &LIMITS).unwrap().sheets.remove(0)
    }

    fn values(sheet: &Sheet) -> Vec<(At, CellValue)> {
        sheet.cells.iter().map(|(&at, cell)| (at, cell.value.clone())).collect()
    }

    fn text(text: &str) -> CellValue {
        CellValue::Text(text.to_owned())
    }

    fn number(value: &str) -> String {
        format!(
            r#"<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>"#
        )
    }

    #[test]
    fn every_type_has_its_value() {
        let cell = |attributes: &str, shown: &str| {
            format!("<table:table-cell {attributes}>\n  <text:p>{shown}</text:p>\n</table:table-cell>")
        };
        let row = [
            cell(r#"office:value-type="float" office:value="1234.5""#, "1,234.5"),
            cell(r#"office:value-type="percentage" office:value="0.5625""#, "56%"),
            cell(r#"office:value-type="date" office:date-value="2011-08-01""#, "2011年8月"),
            cell(r#"office:value-type="date" office:date-value="2011-08-01T18:00:00""#, "8-1"),
            cell(r#"office:value-type="boolean" office:boolean-value="true""#, "TRUE"),
            cell(r#"office:value-type="string""#, "柳林 &amp; <text:span>街道</text:span>"),
            cell(r#"office:value-type="string" office:string-value="0012""#, "十二"),
            cell(r#"office:value-type="currency" office:value="3""#, "3元"),
            cell(r#"table:formula="of:=1/0" office:value-type="float" office:value="0""#, "#DIV/0!"),
            cell(r#"office:value-type="string" office:string-value="" calcext:value-type="error""#, "#REF!"),
            cell(r#"table:formula="of:=x" office:value-type="float" office:value="0""#, "Err:509"),
            cell("", "无类型"),
            cell(r#"office:value-type="time" office:time-value="PT06H00M00S""#, "6:00"),
        ];
        let s = sheet(&format!("<table:table-row>{}</table:table-row>", row.concat()));
        let moment = |text: &str| CellValue::Date(text.parse().unwrap());
        let error = |text: &str| CellValue::Error(text.to_owned());
        let expected = [
            CellValue::Number(1234.5),
            CellValue::Number(0.5625),
            moment("2011-08-01T00:00:00"),
            moment("2011-08-01T18:00:00"),
            CellValue::Bool(true),
            text("柳林 & 街道"),
            text("0012"),
            CellValue::Number(3.0),
            error("#DIV/0!"),
            error("#REF!"),
            error("Err:509"),
            text("无类型"),
            text("6:00"),
        ];
        assert_eq!(values(&s).into_iter().map(|(_, value)| value).collect::<Vec<_>>(), expected);
        let percent: Vec<_> = s.cells.iter().filter(|(_, cell)| cell.percent).map(|(at, _)| at.1).collect();
        assert_eq!(percent, [1]);
    }

    #[test]
    fn formulas_that_nobody_computed_are_told_from_empty_results() {
        let s = sheet(
            r#"<table:table-row><table:table-cell table:formula="of:=[.B1]"/>
            <table:table-cell table:formula="of:=&quot;&quot;" office:value-type="string" office:string-value=""/>
            <table:table-cell table:formula="of:=1" office:value-type="float" office:value="1"/></table:table-row>"#,
        );
        assert_eq!(s.cell(0, 0), Some(&Cell { value: CellValue::Uncached, percent: false, formula: true }));
        assert_eq!(s.cell(0, 2), Some(&Cell { value: CellValue::Number(1.0), percent: false, formula: true }));
        assert_eq!(s.cells.len(), 2);
    }

    #[test]
    fn paragraphs_are_lines_and_what_hangs_on_a_cell_is_none_of_its_text() {
        let s = sheet(
            r#"<table:table-row><table:table-cell office:value-type="string"><office:annotation><text:p>批注</text:p>
            </office:annotation><text:p>新建<text:s text:c="2"/>党<text:line-break/>组织</text:p><text:p>累<text:tab/>计</text:p>
            <draw:frame><draw:text-box><text:p>图</text:p></draw:text-box></draw:frame></table:table-cell>
            <table:table-cell><text:p><text:ruby><text:ruby-base>柳林</text:ruby-base><text:ruby-text>liu</text:ruby-text>
            </text:ruby><text:note><text:p>注</text:p></text:note></text:p></table:table-cell></table:table-row>"#,
        );
        assert_eq!(values(&s), [((0, 0), text("新建  党\n组织\n累\t计")), ((0, 1), text("柳林"))]);
    }

    #[test]
    fn what_is_repeated_is_paid_for_only_where_there_is_something() {
        let rows = r#"<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="2"/>
            <table:table-cell table:number-columns-repeated="2" office:value-type="float" office:value="7"/></table:table-row>
            <table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/>
            </table:table-row>"#;
        let s = sheet(rows);
        assert_eq!(s.cells.keys().copied().collect::<Vec<_>>(), [(0, 2), (0, 3), (1, 2), (1, 3), (2, 2), (2, 3)]);
        let bomb = rows.replace("\"3\"", "\"1000000\"");
        let bomb = flat("", &format!("<table:table>{bomb}</table:table>"));
        assert!(matches!(read(bomb.as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))));
        let far = flat(
            "",
            r#"<table:table><table:table-row table:number-rows-repeated="4294967295"/><table:table-row>
            <table:table-cell office:value-type="float" office:value="7"/></table:table-row></table:table>"#,
        );
        assert!(matches!(read(far.as_bytes(), &LIMITS), Err(Refusal::Damaged(_))), "outside the grid");
    }

    #[test]
    fn merges_and_hidden_parts_are_marked() {
        let tables = format!(
            r#"<table:table table:name="甲"><table:shapes><draw:frame><table:table><table:table-row>{one}</table:table-row>
            </table:table></draw:frame></table:shapes><table:table-column table:number-columns-repeated="2"/>
            <table:table-column table:visibility="collapse"/><table:table-header-rows><table:table-row>
            <table:table-cell table:number-columns-spanned="3" table:number-rows-spanned="2" office:value-type="string">
            <text:p>题</text:p></table:table-cell><table:covered-table-cell table:number-columns-repeated="2"><text:p>盖</text:p>
            </table:covered-table-cell></table:table-row></table:table-header-rows><table:table-row/>
            <table:table-row table:visibility="filter" table:number-rows-repeated="2">{one}{one}{one}</table:table-row>
            </table:table><table:table table:name="乙" table:style-name="ta2"/>"#,
            one = number("1")
        );
        let styles = r#"<style:style style:name="ta1" style:family="table"><style:table-properties table:display="true"/></style:style>
            <style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>"#;
        let book = read(flat(styles, &tables).as_bytes(), &LIMITS).unwrap();
        assert_eq!(
            book.sheets.iter().map(|s| (s.name.as_str(), s.hidden)).collect::<Vec<_>>(),
            [("甲", false), ("乙", true)]
        );
        let s = &book.sheets[0];
        assert_eq!((s.cells.len(), s.merges.as_slice()), (7, &[Merge { first: (0, 0), last: (1, 2) }][..]));
        assert_eq!(s.hidden_rows.iter().copied().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(s.hidden_columns.iter().copied().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn packed_files_are_told_by_their_type_and_a_password_by_the_manifest() {
        let content =
            flat("", &format!("<table:table><table:table-row>{}</table:table-row></table:table>", number("36")));
        let open = packed(&content, "<manifest:manifest/>");
        assert_eq!((sniff(&open, ""), sniff(content.as_bytes(), "")), (Kind::Ods, Kind::Ods));
        assert_eq!(values(&read(&open, &LIMITS).unwrap().sheets[0]), [((0, 0), CellValue::Number(36.0))]);
        let locked = packed(
            "noise",
            "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>",
        );
        assert_eq!(read(&locked, &LIMITS).unwrap_err(), Refusal::Encrypted);
        for cut in [300, content.len() - 40] {
            assert!(matches!(read(&content.as_bytes()[..cut], &LIMITS), Err(Refusal::Damaged(_))), "{cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn no_change_to_a_document_brings_the_reader_down(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            pieces in prop::collection::vec("<table:table>|</table:table>|<table:table-row table:number-rows-repeated=\"[0-9]{1,11}\">|</table:table-row>|<table:table-cell table:number-columns-repeated=\"[0-9]{1,11}\" table:number-rows-spanned=\"[0-9]{1,11}\">|</table:table-cell>|<text:p>|</text:p>|<text:s text:c=\"[0-9]{1,11}\"/>|<table:shapes>|&#[0-9]{1,8};|甲", 0..40),
        ) {
            let mut bytes = flat("", &pieces.concat()).into_bytes();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read(&bytes, &LIMITS);
        }
    }
}
