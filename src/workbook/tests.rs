//! Workbooks as they are sent, read whole.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook as Writer};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 1000 };
/// Written by xlwt: see make.py beside it.
const EXCEL_97: &[u8] = include_bytes!("../../tests/fixtures/excel97.xls");

fn text(sheet: &Sheet, at: (u32, u32)) -> &str {
    match &sheet.cell(at.0, at.1).unwrap().value {
        CellValue::Text(text) => text,
        other => panic!("{at:?} is {other:?}"),
    }
}

fn value(sheet: &Sheet, row: u32, column: u32) -> Option<&CellValue> {
    sheet.cell(row, column).map(|cell| &cell.value)
}

fn day(text: &str) -> CellValue {
    CellValue::Date(format!("{text}T00:00:00").parse().unwrap())
}

/// An .xlsx of the given parts; those it cannot do without are added.
fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let needed = [
        ("[Content_Types].xml", "<Types/>"),
        (
            "_rels/.rels",
            r#"<Relationships><Relationship Id="rId1" Type="t/relationships/officeDocument" Target="xl/workbook.xml"/>
               </Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns:r="r"><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="rId1" Type="t/worksheet" Target="worksheets/sheet1.xml"/>
               <Relationship Id="rId2" Type="t/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>"#,
        ),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let missing = needed.iter().filter(|(name, _)| !parts.iter().any(|(given, _)| given == name));
    for (name, content) in missing.chain(parts) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet_of(rows: &str) -> Vec<u8> {
    package(&[("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"))])
}

#[test]
fn columns_are_named_as_excel_names_them() {
    assert_eq!(
        (a1(0, 0), a1(4, 25), a1(9, 26), a1(0, 701), a1(0, 702)),
        ("A1".into(), "Z5".into(), "AA10".into(), "ZZ1".into(), "AAA1".into())
    );
    for at in [(0, 0), (4, 25), (9, 26), (0, 701), (0, 702), (1_048_575, 16_383)] {
        assert_eq!(position(&a1(at.0, at.1)), Some(at));
    }
    for wrong in ["", "3", "B", "B0", "3B", "b3", "$B$3", "XFE1", "A1048577", "ZZZZ1", "A99999999999", "表1"] {
        assert_eq!(position(wrong), None, "{wrong}");
    }
}

#[test]
fn an_xlsx_gives_values_formats_merges_and_hidden_parts() {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet();
    sheet.set_name("统计表").unwrap();
    sheet.merge_range(0, 0, 0, 3, "云溪区统计表", &Format::new()).unwrap();
    sheet.write_with_format(1, 0, 0.5625, &Format::new().set_num_format("0.00%")).unwrap();
    let date = ExcelDateTime::from_ymd(2011, 8, 1).unwrap();
    sheet.write_with_format(1, 1, &date, &Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"")).unwrap();
    sheet.write(1, 2, 40756).unwrap();
    sheet.write(1, 3, true).unwrap();
    sheet.write_formula(2, 0, Formula::new("=A2*2").set_result("1.125")).unwrap();
    sheet.write_formula(2, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(3, 5, "藏").unwrap();
    sheet.set_row_hidden(3).unwrap();
    sheet.set_column_hidden(5).unwrap();
    for row in 4..5000 {
        sheet.write_blank(row, 1, &Format::new().set_bold()).unwrap();
    }
    writer.add_worksheet().set_name("旧").unwrap().set_hidden(true);

    let book = read(&writer.save_to_buffer().unwrap(), &LIMITS).unwrap();
    let sheet = &book.sheets[0];
    assert_eq!((sheet.name.as_str(), sheet.hidden, book.sheets[1].hidden), ("统计表", false, true));
    assert_eq!(text(sheet, (0, 0)), "云溪区统计表");
    assert_eq!(sheet.merges, [Merge { first: (0, 0), last: (0, 3) }]);
    assert_eq!(sheet.cell(1, 0), Some(&Cell { value: CellValue::Number(0.5625), percent: true, formula: false }));
    assert_eq!(value(sheet, 1, 1), Some(&day("2011-08-01")));
    assert_eq!(value(sheet, 1, 2), Some(&CellValue::Number(40756.0)));
    assert_eq!(value(sheet, 1, 3), Some(&CellValue::Bool(true)));
    assert_eq!(sheet.cell(2, 0), Some(&Cell { value: CellValue::Number(1.125), percent: false, formula: true }));
    assert_eq!(value(sheet, 2, 1), Some(&CellValue::Error("#DIV/0!".into())));
    assert_eq!((sheet.hidden_rows.len(), sheet.hidden_columns.iter().collect::<Vec<_>>()), (1, vec![&5]));
    assert_eq!(sheet.cells.len(), 8, "formatted empty cells are not stored");
}

#[test]
fn an_xls_gives_values_formats_merges_and_hidden_parts() {
    let book = read(EXCEL_97, &LIMITS).unwrap();
    let names: Vec<_> = book.sheets.iter().map(|s| (s.name.as_str(), s.hidden)).collect();
    assert_eq!(names, [("统计表", false), ("上月", true), ("长", false)]);
    let sheet = &book.sheets[0];
    assert_eq!(text(sheet, (0, 0)), "云溪区活动进展情况统计表");
    assert_eq!(sheet.merges, [Merge { first: (0, 0), last: (0, 5) }]);
    assert_eq!(value(sheet, 2, 0), Some(&CellValue::Number(36.0)));
    assert_eq!(sheet.cell(2, 1), Some(&Cell { value: CellValue::Number(0.5625), percent: true, formula: false }));
    assert_eq!(value(sheet, 2, 2), Some(&day("2011-08-01")));
    assert_eq!(value(sheet, 2, 3), Some(&CellValue::Bool(true)));
    assert_eq!(value(sheet, 2, 4), Some(&CellValue::Number(12.5)));
    assert_eq!(
        sheet.cell(2, 5),
        Some(&Cell { value: CellValue::Uncached, percent: false, formula: true }),
        "xlwt does not compute"
    );
    assert_eq!(text(sheet, (3, 0)), "党员总数", "rich text is one text");
    assert_eq!((sheet.hidden_rows.iter().next(), sheet.hidden_columns.iter().next()), (Some(&3), Some(&6)));
    assert_eq!(sheet.cells.len(), 10, "formatted empty cells are not stored");
    for row in 0..5 {
        assert_eq!(text(&book.sheets[2], (row, 0)), format!("第{row}条{}", "说明文字".repeat(300)));
        assert_eq!(text(&book.sheets[2], (row, 1)), format!("no {row} {}", "plain".repeat(40)));
    }
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

/// A BIFF5 stream as Excel 5 and 95 wrote it, without its compound file.
fn excel_5(code_page: Option<u16>, name: &[u8], cells: &[Vec<u8>]) -> Vec<u8> {
    let bof = |dt: u8| record(0x0809, &[0, 5, dt, 0, 0, 0, 0, 0]);
    let mut globals = bof(5);
    if let Some(number) = code_page {
        globals.extend(record(0x0042, &number.to_le_bytes()));
    }
    let at = (globals.len() + 4 + 7 + name.len() + 4) as u32;
    globals.extend(record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, name.len() as u8], name].concat()));
    globals.extend(record(0x000A, &[]));
    [globals, bof(0x10), cells.concat(), record(0x000A, &[])].concat()
}

fn label(row: u16, column: u16, text: &[u8]) -> Vec<u8> {
    let head = [row, column, 0, text.len() as u16].map(u16::to_le_bytes).concat();
    record(0x0204, &[&head, text].concat())
}

/// A formula whose text result is to follow.
fn text_formula(row: u16, column: u16, tokens: &[u8]) -> Vec<u8> {
    let head = [row, column, 0].map(u16::to_le_bytes).concat();
    let length = (tokens.len() as u16).to_le_bytes();
    record(0x0006, &[&head[..], &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF], &[0; 6], &length, tokens].concat())
}

#[test]
fn chinese_text_of_excel_5_is_read_whatever_code_page_it_claims() {
    let (name, text_bytes) = (encoding_rs::GBK.encode("台账").0, encoding_rs::GBK.encode("柳林街道").0);
    for code_page in [None, Some(936), Some(1252)] {
        let bytes = excel_5(code_page, &name, &[label(2, 1, &text_bytes), text_formula(3, 0, &[])]);
        let sheet = &read(&bytes, &LIMITS).unwrap().sheets[0];
        assert_eq!((sheet.name.as_str(), text(sheet, (2, 1))), ("台账", "柳林街道"), "{code_page:?}");
        assert_eq!(value(sheet, 3, 0), Some(&CellValue::Uncached), "a text result that never came");
    }
    let western = excel_5(Some(1252), b"Blatt", &[label(0, 0, b"caf\xE9")]);
    assert_eq!(text(&read(&western, &LIMITS).unwrap().sheets[0], (0, 0)), "café", "no Chinese text after all");
}

#[test]
fn formulas_that_cannot_be_parsed_do_not_cost_the_workbook() {
    let truncated_exp = text_formula(0, 0, &[0x01, 0]);
    let bytes = excel_5(Some(936), b"1", &[truncated_exp, label(0, 1, b"ok")]);
    let sheet = &read(&bytes, &LIMITS).unwrap().sheets[0];
    assert_eq!((value(sheet, 0, 0), text(sheet, (0, 1))), (Some(&CellValue::Uncached), "ok"));
}

#[test]
fn cells_far_apart_cost_nothing_and_texts_cut_off_are_refused_in_binary_workbooks() {
    let of = |cells: &[Vec<u8>]| read(&excel_5(None, b"1", cells), &LIMITS);
    assert_eq!(of(&[label(0, 0, b"a"), label(65_535, 255, b"b")]).unwrap().sheets[0].cells.len(), 2);
    let mut cut = label(0, 0, b"abc");
    cut[10] = 9;
    assert!(matches!(of(&[cut]), Err(Refusal::Damaged(_))));
}

#[test]
fn formulas_without_a_stored_value_are_told_from_empty_results() {
    let bytes = sheet_of(
        r#"<row r="1"><c r="A1"><f>B1</f></c><c r="B1"><f>C1</f><v/></c><c r="C1" t="str"><f>""</f><v></v></c></row>
           <row r="2"><c r="A2" t="str"><f>A1</f><v>好 &amp; 坏</v></c><c r="B2" t="d"><v>2011-08-01</v></c></row>"#,
    );
    let sheet = &read(&bytes, &LIMITS).unwrap().sheets[0];
    assert_eq!(value(sheet, 0, 0), Some(&CellValue::Uncached));
    assert_eq!(value(sheet, 0, 1), Some(&CellValue::Uncached));
    assert_eq!(value(sheet, 0, 2), None);
    assert_eq!(text(sheet, (1, 0)), "好 & 坏");
    assert_eq!(value(sheet, 1, 1), Some(&day("2011-08-01")));
}

#[test]
fn rich_text_is_joined_and_phonetic_guides_are_left_out() {
    let strings = "<sst><si><r><t>柳林</t></r><r><t>街道</t></r><rPh><t>りゅう</t></rPh></si></sst>";
    let rows = r#"<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="inlineStr"><is><t>是</t></is></c></row>
                  <row><c><v>7</v></c></row></sheetData></worksheet>"#;
    let bytes = package(&[("xl/sharedStrings.xml", strings), ("xl\\worksheets\\Sheet1.xml", rows)]);
    let sheet = &read(&bytes, &LIMITS).unwrap().sheets[0];
    assert_eq!((text(sheet, (0, 0)), text(sheet, (0, 1))), ("柳林街道", "是"), "also without references");
    assert_eq!(value(sheet, 1, 0), Some(&CellValue::Number(7.0)));
}

#[test]
fn what_a_file_says_about_its_own_size_is_not_believed() {
    let announcing = |count: u64| {
        let strings = format!(r#"<sst count="{count}" uniqueCount="{count}"><si><t>甲</t></si></sst>"#);
        let rows = r#"<worksheet><dimension ref="A1:XFD1048576"/><sheetData>
                      <row r="1"><c r="A1" t="s"><v>0</v></c></row>
                      <row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>
                      <mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>"#;
        read(&package(&[("xl/sharedStrings.xml", &strings), ("xl/worksheets/sheet1.xml", rows)]), &LIMITS)
    };
    for count in [0, 99_999, 99_999_999_999] {
        let sheet = &announcing(count).unwrap().sheets[0];
        assert_eq!((sheet.cells.len(), sheet.merges.len()), (2, 0));
    }
}

#[test]
fn files_over_a_limit_are_refused() {
    let too_large = |bytes: &[u8], limits: &Limits| matches!(read(bytes, limits), Err(Refusal::TooLarge(_)));
    let cell = "<row><c><v>1</v></c></row>";
    assert!(too_large(&sheet_of(&cell.repeat(1001)), &LIMITS));
    assert!(!too_large(&sheet_of(&cell.repeat(1000)), &LIMITS));
    assert!(too_large(EXCEL_97, &Limits { bytes: 1000, ..LIMITS }));
    assert!(too_large(EXCEL_97, &Limits { cells: 5, ..LIMITS }));
    // 300 MB of shown text from one long string.
    let strings = format!("<sst><si><t>{}</t></si></sst>", "长".repeat(100_000));
    let rows = r#"<row><c t="s"><v>0</v></c></row>"#.repeat(1000);
    let rows = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let bytes = package(&[("xl/sharedStrings.xml", &strings), ("xl/worksheets/sheet1.xml", &rows)]);
    assert!(too_large(&bytes, &LIMITS));
}

/// The fixture with one record of its globals turned into FILEPASS, as a password leaves it.
fn with_filepass() -> Vec<u8> {
    let code_page = EXCEL_97.windows(4).position(|w| w == [0x42, 0, 2, 0]).unwrap();
    let mut bytes = EXCEL_97.to_vec();
    bytes[code_page] = 0x2F;
    bytes
}

/// The fixture with its stream renamed, as Office wraps an encrypted .xlsx.
fn with_encrypted_package() -> Vec<u8> {
    let utf16 = |s: &str| s.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let entry = EXCEL_97.windows(16).position(|w| w == utf16("Workbook")).unwrap();
    let mut bytes = EXCEL_97.to_vec();
    let name = utf16("EncryptedPackage");
    bytes[entry..entry + name.len()].copy_from_slice(&name);
    bytes[entry + 64] = name.len() as u8 + 2;
    bytes
}

#[test]
fn protected_and_damaged_files_are_told_apart() {
    assert_eq!(read(&with_filepass(), &LIMITS).unwrap_err(), Refusal::Encrypted);
    assert_eq!(read(&with_encrypted_package(), &LIMITS).unwrap_err(), Refusal::Encrypted);
    let damaged = |bytes: &[u8]| matches!(read(bytes, &LIMITS), Err(Refusal::Damaged(_)));
    assert!(damaged(&EXCEL_97[..EXCEL_97.len() / 2]));
    assert!(damaged(b"no workbook"));
    let xlsx = sheet_of("<row><c><v>1</v></c></row>");
    assert!(damaged(&xlsx[..xlsx.len() - 40]));
    assert!(damaged(&package(&[("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>")])));
    assert!(damaged(&sheet_of(r#"<row><c t="s"><v>3</v></c></row>"#)));
}

#[test]
fn parts_are_found_by_their_relationships() {
    let related = r#"<Relationships xmlns:p="p"><p:Relationship Id="rId1" Type="t/worksheet" Target="..\\Blätter/One.XML"/>
                     <Relationship Id="rId2" Type="t/styles" Target="/looks.xml"/>
                     <Relationship Id="rId3" Type="t/chartsheet" Target="chartsheets/sheet1.xml"/>
                     <Relationship Id="rId4" Type="t/sharedStrings" Target="words.xml"/>
                     <Relationship Id="rId5" Type="t/externalLink" Target="externalLinks/link1.xml"/></Relationships>"#;
    // Two sheets of one name and a part for both, with a chart between them.
    let book = r#"<x:workbook xmlns:x="x" xmlns:r="r"><x:workbookPr date1904="true"/><x:sheets>
                  <x:sheet name="表" sheetId="1" r:id="rId1"/><x:sheet name="图" sheetId="2" r:id="rId3"/>
                  <x:sheet name="表" sheetId="3" r:id="rId1" state="veryHidden"/></x:sheets></x:workbook>"#;
    let styles = r#"<x:styleSheet><x:cellXfs><x:xf numFmtId="0"/><x:xf numFmtId="31"/></x:cellXfs></x:styleSheet>"#;
    let sheet = r#"<x:worksheet><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c><x:c s="1"><x:v>39294</x:v></x:c>
                   <x:c t="b"><x:v>1</x:v></x:c><x:c><x:v><![CDATA[5]]></x:v></x:c><x:c t="e"><x:v>#SPILL!</x:v></x:c>
                   </x:row></x:sheetData></x:worksheet>"#;
    let bytes = package(&[
        ("xl/_rels/workbook.xml.rels", related),
        ("xl/workbook.xml", book),
        ("xl/words.xml", "<x:sst><x:si><x:t>甲</x:t></x:si></x:sst>"),
        ("LOOKS.xml", styles),
        ("Blätter\\one.xml", sheet),
    ]);
    let book = read(&bytes, &LIMITS).unwrap();
    assert_eq!(book.sheets.iter().map(|s| s.hidden).collect::<Vec<_>>(), [false, true]);
    for sheet in &book.sheets {
        assert_eq!((sheet.name.as_str(), text(sheet, (0, 0))), ("表", "甲"));
        assert_eq!(value(sheet, 0, 1), Some(&day("2011-08-01")));
        assert_eq!(value(sheet, 0, 2), Some(&CellValue::Bool(true)));
        assert_eq!(value(sheet, 0, 3), Some(&CellValue::Number(5.0)));
        assert_eq!(value(sheet, 0, 4), Some(&CellValue::Error("#SPILL!".into())));
    }
}

#[test]
fn a_string_that_is_not_there_is_damage() {
    let strings = ("xl/sharedStrings.xml", "<sst><si><t>甲</t></si></sst>");
    for number in ["x", "1", "-1"] {
        let sheet = format!(r#"<worksheet><sheetData><row><c t="s"><v>{number}</v></c></row></sheetData></worksheet>"#);
        assert!(matches!(
            read(&package(&[strings, ("xl/worksheets/sheet1.xml", &sheet)]), &LIMITS),
            Err(Refusal::Damaged(_))
        ));
    }
}

/// Made by make_passwords.py.
#[test]
fn the_password_that_excel_tries_by_itself_is_none() {
    for bytes in [
        &include_bytes!("../../tests/fixtures/default_rc4.xls")[..],
        include_bytes!("../../tests/fixtures/default_rc4_40.xls"),
        include_bytes!("../../tests/fixtures/default_rc4_128.xls"),
        include_bytes!("../../tests/fixtures/default_agile.xlsx"),
    ] {
        let sheet = &read(bytes, &LIMITS).unwrap().sheets[0];
        assert_eq!((text(sheet, (0, 0)), value(sheet, 0, 1)), ("柳林街道", Some(&CellValue::Number(36.0))));
        assert!(sheet.cells.len() == 2 || text(sheet, (199, 0)) == "第199行", "beyond the first block");
    }
    for bytes in [
        &include_bytes!("../../tests/fixtures/secret_rc4.xls")[..],
        include_bytes!("../../tests/fixtures/secret_agile.xlsx"),
    ] {
        assert_eq!(read(bytes, &LIMITS).unwrap_err(), Refusal::Encrypted);
    }
}

#[test]
fn a_part_that_is_there_twice_is_damage() {
    let sheet = "<worksheet><sheetData/></worksheet>";
    let parts = [("xl/worksheets/sheet1.xml", sheet), ("xl\\Worksheets\\sheet1.xml", sheet)];
    assert!(matches!(read(&package(&parts), &LIMITS), Err(Refusal::Damaged(_))));
    let unread = [("xl/worksheets/sheet1.xml", sheet), ("a.xml", ""), ("A.xml", "")];
    assert_eq!(read(&package(&unread), &LIMITS).unwrap().sheets.len(), 1);
}

#[test]
fn a_part_in_utf_16_is_read() {
    let mut bytes = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><worksheet><sheetData><row><c t=\"str\"><v>台账_x000D_\n</v></c></row></sheetData></worksheet>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect::<Vec<u8>>();
    bytes.splice(0..0, [0xFF, 0xFE]);
    let whole = package(&[("xl/worksheets/sheet1.xml", "placeholder")]);
    let mut zip = zip::ZipArchive::new(Cursor::new(whole)).unwrap();
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..zip.len() {
        let member = zip.by_index(number).unwrap();
        let name = member.name().unwrap().into_owned();
        if name.ends_with("sheet1.xml") {
            copy.start_file(name, SimpleFileOptions::default()).unwrap();
            copy.write_all(&bytes).unwrap();
        } else {
            copy.raw_copy_file(member).unwrap();
        }
    }
    let book = read(&copy.finish().unwrap().into_inner(), &LIMITS).unwrap();
    assert_eq!(text(&book.sheets[0], (0, 0)), "台账\r\n");
}

fn any_value() -> impl Strategy<Value = CellValue> {
    prop_oneof![
        "[一-龥a-z0-9 <&\"_x]{1,12}".prop_map(CellValue::Text),
        (-1e12..1e12f64).prop_map(CellValue::Number),
        any::<bool>().prop_map(CellValue::Bool),
        (61..100_000i64).prop_map(|days| {
            let first = chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
            CellValue::Date((first + chrono::TimeDelta::days(days)).and_hms_opt(0, 0, 0).unwrap())
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_what_is_read(cells in prop::collection::btree_map((0..50u32, 0..30u32), any_value(), 1..40)) {
        let mut writer = Writer::new();
        let sheet = writer.add_worksheet();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        for (&(row, column), value) in &cells {
            let column = column as u16;
            match value {
                CellValue::Text(text) => sheet.write(row, column, text),
                CellValue::Number(number) => sheet.write(row, column, *number),
                CellValue::Bool(yes) => sheet.write(row, column, *yes),
                CellValue::Date(day) => sheet.write_with_format(row, column, day, &date),
                CellValue::Error(_) | CellValue::Uncached | CellValue::Disputed(_) => unreachable!("not generated"),
            }
            .unwrap();
        }
        let read = read(&writer.save_to_buffer().unwrap(), &LIMITS).unwrap();
        let got: BTreeMap<_, _> = read.sheets[0].cells.iter().map(|(&at, cell)| (at, cell.value.clone())).collect();
        prop_assert_eq!(got, cells);
    }

    #[test]
    fn no_flipped_bytes_bring_the_xls_reader_down(flips in prop::collection::vec((0..EXCEL_97.len(), any::<u8>()), 1..20)) {
        let mut bytes = EXCEL_97.to_vec();
        for (at, byte) in flips {
            bytes[at] = byte;
        }
        let _ = read(&bytes, &LIMITS);
    }

    #[test]
    fn no_flipped_bytes_bring_the_xlsx_reader_down(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut rows = br#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><f>A1</f></c></row>"#.to_vec();
        for (at, byte) in flips {
            let at = at.index(rows.len());
            rows[at] = byte;
        }
        let _ = read(&sheet_of(&String::from_utf8_lossy(&rows)), &LIMITS);
    }
}
