use std::io::{Cursor, Read as _};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::form::Place;
use crate::form::reading::Reading;
use crate::form::record::Values;
use crate::form::{Campaign, check, extract};
use crate::report::fixture::{District, at as time};
use crate::report::template::{self, Blank};
use crate::workbook::{Limits, Merge, read::read};

const AUTHOR: &str = "中共白鹭区委组织部";

fn built(book: &Workbook, findings: &[Finding]) -> Option<Vec<u8>> {
    build(book, findings, AUTHOR, time("2011-09-20T09:00:00+08:00")).unwrap()
}

fn back(bytes: &[u8]) -> Workbook {
    let mut book = read(bytes, &Limits { bytes: 30 << 20, cells: 5_000_000 }).unwrap();
    assert!(findings_list::is_ours(&book.sheets.remove(0)), "the list stands in front");
    book
}

fn returned(book: &Workbook, findings: &[Finding]) -> Workbook {
    back(&built(book, findings).unwrap())
}

fn cell(value: CellValue) -> Cell {
    Cell { value, percent: false, formula: false }
}

fn text(text: &str) -> Cell {
    cell(CellValue::Text(text.to_owned()))
}

fn sheet(name: &str, cells: &[(&str, Cell)]) -> Sheet {
    let cells = cells.iter().map(|(at, cell)| (crate::workbook::position(at).unwrap(), cell.clone())).collect();
    Sheet { name: name.to_owned(), cells, ..Sheet::default() }
}

fn finding(severity: Severity, sheet: &str, cell: Option<&str>, row: Option<u32>) -> Finding {
    let place =
        Place {
            file: Some("台账.xls".to_owned()), sheet: Some(sheet.to_owned()), cell: cell.map(str::to_owned), row
        };
    Finding::new("R01", severity, place, format!("{}有问题，请改正。", cell.unwrap_or("这一行")))
}

#[test]
fn a_returned_file_keeps_what_its_name_and_its_way_said() {
    for (path, name) in [
        ("台账.xls", "台账（已标出问题）.xlsx"),
        ("报表.zip/松涛镇/台账.xls", "报表_松涛镇_台账（已标出问题）.xlsx"),
        ("附件1 2011.8", "附件1 2011.8（已标出问题）.xlsx"),
        ("松涛镇2011.8.csv", "松涛镇2011.8（已标出问题）.xlsx"),
        ("台账（已标出问题）.xlsx", "台账（已标出问题）.xlsx"),
        ("台账（已标出问题）(1).xlsx", "台账(1)（已标出问题）.xlsx"),
        ("a:b*c?.xlsx", "a_b_c_（已标出问题）.xlsx"),
        ("", "（已标出问题）.xlsx"),
    ] {
        assert_eq!(file_name(path), name);
    }
    assert_eq!(file_name(&format!("{}八月.xls", "长".repeat(300))).chars().count(), 80 + 7 + 5);
}

#[test]
fn only_cells_and_rows_to_put_right_are_worth_a_copy() {
    let (error, info) = (Severity::Error, Severity::Info);
    assert!(is_worth_it(&[finding(Severity::Warning, "台账", Some("C5"), None)]));
    assert!(is_worth_it(&[finding(error, "台账", None, Some(5))]));
    assert!(!is_worth_it(&[finding(error, "台账", None, None), finding(info, "台账", Some("C5"), None)]));
}

#[test]
fn a_mark_stands_in_the_first_cell_of_a_region_or_of_a_row() {
    let mut book = sheet("台账", &[("A5", text("1")), ("B5", text("甲公司")), ("B7", text("乙公司"))]);
    book.merges.push(Merge { first: (4, 1), last: (5, 1) });
    let regions = Regions::of(&book, 100).unwrap();
    let findings = [
        finding(Severity::Warning, "台账", Some("B6"), Some(6)),
        finding(Severity::Error, "台账", Some("B5"), Some(5)),
        finding(Severity::Error, "台账", Some("B5"), Some(5)),
        finding(Severity::Info, "台账", None, Some(7)),
        finding(Severity::Error, "台账", Some("Z9"), Some(9)),
        finding(Severity::Error, "台账", None, Some(30)),
        finding(Severity::Error, "台账", None, None),
        finding(Severity::Error, "上月", Some("B7"), None),
    ];
    let marks = marks(&book, &regions, &findings);
    let told: Vec<(At, Severity, String)> = marks.iter().map(|(at, m)| (*at, m.severity, m.note())).collect();
    assert_eq!(
        told,
        [
            ((4, 1), Severity::Error, "【错误】B5有问题，请改正。\n【提醒】B6有问题，请改正。".to_owned()),
            ((6, 1), Severity::Info, "【说明】这一行有问题，请改正。".to_owned()),
            ((8, 25), Severity::Error, "【错误】Z9有问题，请改正。".to_owned()),
        ]
    );
}

#[test]
fn the_list_says_where_everything_is_and_what_stood_there() {
    let mut book = sheet("台账", &[("A1", text("台账")), ("C5", text("十几")), ("C6", text("")), ("D7", text("藏"))]);
    book.hidden_rows.insert(6);
    book.cells.get_mut(&(4, 2)).unwrap().formula = true;
    let findings = [
        finding(Severity::Warning, "台账", Some("D7"), Some(7)),
        finding(Severity::Error, "台账", Some("C5"), Some(5)),
        finding(Severity::Error, "台账", None, None),
    ];
    let bytes = built(&Workbook { sheets: vec![book] }, &findings).unwrap();
    let list = read(&bytes, &Limits { bytes: 30 << 20, cells: 1000 }).unwrap().sheets.remove(0);
    let row = |row: u32| -> Vec<String> {
        list.cells.range((row, 0)..(row + 1, 0)).map(|(_, cell)| shown(cell).into_owned()).collect()
    };
    assert_eq!(row(2), ["序号", "级别", "工作表", "单元格", "原内容", "问题和改法", "规则"]);
    assert_eq!(row(3), ["1", "错误", "台账", "C5", "十几", "C5有问题，请改正。", "R01"]);
    assert_eq!(row(4), ["2", "错误", "台账", "这一行有问题，请改正。", "R01"]);
    assert_eq!(row(5), ["3", "提醒", "台账", "D7（在隐藏的行列里）", "藏", "D7有问题，请改正。", "R01"]);
    let note = row(1).remove(0);
    assert!(note.starts_with("2处错误（红色），改正后才能入账；1处提醒（黄色），请核对。\n"), "{note}");
    assert!(note.ends_with("没有存下数的留空。"), "{note}");
}

/// A part of the package, as text.
fn part(bytes: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn links_lead_to_cells_of_sheets_however_these_are_called() {
    let book = Workbook { sheets: vec![sheet("8月's 台账 100%", &[("C5", text("十几"))])] };
    let bytes = built(&book, &[finding(Severity::Error, "8月's 台账 100%", Some("C5"), None)]).unwrap();
    let list = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(list.contains("location=\"'8月''s 台账 100%'!C5\""), "{list}");
}

#[test]
fn a_formula_without_a_value_comes_back_as_an_empty_red_cell() {
    let uncached = Cell { formula: true, ..cell(CellValue::Uncached) };
    let cells = [("A1", text("党员")), ("B1", text("正式")), ("A2", uncached.clone()), ("B2", uncached)];
    let book = Workbook { sheets: vec![sheet("台账", &cells)] };
    let bytes = built(&book, &[finding(Severity::Error, "台账", Some("A2"), Some(2))]).unwrap();
    assert_eq!(back(&bytes).sheets[0].cells.len(), 2);
    let rows = part(&bytes, "xl/worksheets/sheet2.xml");
    let style = |cell: &str| rows.split_once(&format!("<c r=\"{cell}\" s=\"")).unwrap().1.split_once('"').unwrap();
    let (red, plain) = (style("A2"), style("B2"));
    assert!(red.1.starts_with("/>") && plain.1.starts_with("/>") && red.0 != plain.0, "{rows}");
    assert!(part(&bytes, "xl/comments1.xml").contains("A2有问题，请改正。"));
}

#[test]
fn a_total_that_was_the_sum_stays_one_and_no_other_formula_does() {
    let n = |n: f64| cell(CellValue::Number(n));
    let formula = |value: f64| Cell { formula: true, ..n(value) };
    let rows: [[Cell; 5]; 8] = [
        ["名称", "党员", "正式", "已转", "未转"].map(text),
        // The second member of the row below equals what stands above it, but the row is no total.
        [text("甲"), n(3.0), n(2.0), n(1.0), n(2.0)],
        [text("乙"), formula(3.0), n(1.0), n(1.0), n(2.0)],
        [text("小计"), formula(6.0), formula(3.0), formula(2.0), n(4.0)],
        [text("丙"), n(5.0), text("5人"), n(5.0), n(0.0)],
        [text("小 计"), formula(5.0), formula(8.0), formula(5.0), n(0.0)],
        [text("丁"), n(1.0), n(1.0), n(1.0), n(0.0)],
        [text("合计"), formula(12.0), formula(4.0), formula(8.0), n(4.0)],
    ];
    let at = |r: usize, c: usize| (r as u32, c as u32);
    let cells = rows.into_iter().enumerate();
    let cells = cells.flat_map(|(r, row)| row.into_iter().enumerate().map(move |(c, cell)| (at(r, c), cell)));
    let book = Workbook { sheets: vec![Sheet { name: "台账".into(), cells: cells.collect(), ..Sheet::default() }] };
    let rows = part(&built(&book, &[]).unwrap(), "xl/worksheets/sheet2.xml");
    let formulas: Vec<&str> = rows.split("<f>").skip(1).filter_map(|rest| rest.split("</v>").next()).collect();
    let sum = |range: &str, value: u32| format!("SUM({range})</f><v>{value}");
    assert_eq!(
        formulas,
        [sum("B2:B3", 6), sum("C2:C3", 3), sum("D2:D3", 2), sum("B5:B5", 5), sum("D5:D5", 5)],
        "the last total counts each section once, and is no sum of the cells above"
    );
}

#[test]
fn what_excel_cannot_hold_comes_back_as_near_as_it_can() {
    let long = "😀长".repeat(20_000);
    let mut odd = sheet(
        "一/二:三[四]*？?的很长很长很长很长很长很长很长很长很长的名称",
        &[
            ("A1", text(&long)),
            ("A2", cell(CellValue::Number(f64::INFINITY))),
            ("A3", cell(CellValue::Date("1899-05-04T00:00:00".parse().unwrap()))),
            ("A4", cell(CellValue::Error("#REF!".into()))),
            ("A5", Cell { formula: true, ..cell(CellValue::Error("#未知!".into())) }),
            ("B2", text("=SUM(A1)")),
        ],
    );
    let region = |first, last| Merge { first, last };
    odd.merges = vec![region((5, 0), (7, 2)), region((6, 1), (8, 3)), region((8, 0), (8, 2))];
    let twice = sheet("问题清单", &[("A1", text("食堂的问题"))]);
    let sheets = vec![odd, twice.clone(), Sheet { hidden: true, ..Sheet::default() }];
    let got = returned(&Workbook { sheets }, &[]).sheets;
    let names: Vec<(&str, bool)> = got.iter().map(|s| (s.name.as_str(), s.hidden)).collect();
    assert_eq!(
        names,
        [("一_二_三_四__？_的很长很长很长很长很长很长很长很长很长的", false), ("问题清单 (2)", false), ("Sheet", true)]
    );
    let shown = |at: &str| shown(got[0].cells.get(&crate::workbook::position(at).unwrap()).unwrap()).into_owned();
    assert_eq!(shown("A1").encode_utf16().count(), 32_766, "no half of a character");
    let rest = ["A2", "A3", "A4", "A5", "B2"].map(shown);
    assert_eq!(rest, ["inf", "1899-05-04", "#REF!", "#未知!", "=SUM(A1)"]);
    assert!(got[0].cells.values().all(|cell| !cell.formula));
    assert_eq!(got[1].cells, twice.cells);
}

#[test]
fn what_would_be_too_large_to_send_is_not_built() {
    let wide = |columns: u32| {
        let cells = (0..1_000).flat_map(|row| (0..columns).map(move |column| ((row, column), text("甲"))));
        Workbook { sheets: vec![Sheet { name: "表".into(), cells: cells.collect(), ..Sheet::default() }] }
    };
    assert!(built(&wide(5), &[]).is_some());
    assert_eq!(built(&wide(301), &[]), None);
    let mut hidden = wide(1);
    hidden.sheets[0].hidden_rows = (0..WEIGHT as u32).collect();
    assert_eq!(built(&hidden, &[]), None);
    let mut merged = wide(1);
    merged.sheets[0].merges = vec![Merge { first: (0, 0), last: (999, 99) }; 50_000];
    assert_eq!(built(&merged, &[]), None);
    assert_eq!(built(&wide(1), &vec![finding(Severity::Error, "表", Some("A1"), None); LISTED + 1]), None);
    // Texts that do not repeat do not pack.
    let mut n = 1u64;
    let mut random = || {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_u32(0x4E00 + (n >> 33) as u32 % 20_000).unwrap()
    };
    let dense = |_| text(&std::iter::repeat_with(&mut random).take(30_000).collect::<String>());
    let cells = (0..120).map(|row| (row, 0)).zip((0..120).map(dense)).collect();
    assert_eq!(built(&Workbook { sheets: vec![Sheet { name: "表".into(), cells, ..Sheet::default() }] }, &[]), None);
}

#[test]
fn cells_far_apart_are_no_table_to_be_ruled() {
    let far = sheet("表", &[("A1", text("甲")), ("XFD1", text("乙")), ("A2", text("丙")), ("XFD2", text("丁"))]);
    assert!(built(&Workbook { sheets: vec![far] }, &[]).unwrap().len() < 20_000);
}

fn any_value() -> impl Strategy<Value = Cell> {
    let value = prop_oneof![
        4 => "[一-龥a-z0-9 <&\"_x\n\t\r\u{b}，（）]{1,12}".prop_map(CellValue::Text),
        2 => "[0-9]{1,18}".prop_map(CellValue::Text),
        1 => prop::sample::select(vec!["十二", "12个", "/", "无", "—", "2011.9.5", "√", "56%", "同上", "合计", "名称", "党员总数"])
            .prop_map(|s| CellValue::Text(s.to_owned())),
        3 => (0..200i32).prop_map(|n| CellValue::Number(f64::from(n))),
        2 => (-1e12..1e18f64).prop_map(CellValue::Number),
        1 => any::<bool>().prop_map(CellValue::Bool),
        1 => prop::sample::select(vec!["#REF!", "#DIV/0!", "#N/A"]).prop_map(|s| CellValue::Error(s.to_owned())),
        2 => (1..2_958_465i64, 0..2i64).prop_filter("1900 had no 29 February", |(days, _)| *days != 60).prop_map(|(days, noon)| {
            let first = chrono::NaiveDate::from_ymd_opt(1899, 12, if days < 60 { 31 } else { 30 }).unwrap();
            CellValue::Date((first + chrono::TimeDelta::days(days)).and_hms_opt(12 * noon as u32, 0, 0).unwrap())
        }),
        1 => Just(CellValue::Uncached),
    ];
    (value, any::<bool>()).prop_map(|(value, flag)| {
        let formula = flag || matches!(value, CellValue::Uncached | CellValue::Error(_));
        let percent = flag && matches!(value, CellValue::Number(_));
        Cell { value, percent, formula }
    })
}

/// What is to come back of a cell: a formula's value. (What is a total and what is not has a test of its own.)
fn kept(cell: &Cell) -> Option<Cell> {
    let formula = matches!(cell.value, CellValue::Error(_)) && cell.formula;
    (cell.value != CellValue::Uncached).then(|| Cell { formula, ..cell.clone() })
}

fn any_sheet() -> impl Strategy<Value = Sheet> {
    let cells = prop::collection::btree_map((0..40u32, 0..20u32), any_value(), 1..80);
    let merges = prop::collection::vec((0..40u32, 0..20u32, 0..4u32, 0..6u32), 0..6);
    let hidden = (prop::collection::btree_set(0..40u32, 0..4), any::<bool>(), any::<bool>());
    (cells, merges, hidden).prop_map(|(mut cells, merges, (hidden_rows, column, hidden))| {
        // So that the used area is known.
        cells.insert((45, 27), text("末"));
        let merges = merges.into_iter().filter(|m| (m.2, m.3) != (0, 0));
        let merges = merges.map(|(r, c, down, right)| Merge { first: (r, c), last: (r + down, c + right) });
        let hidden_columns = column.then_some(27).into_iter().collect();
        Sheet { name: String::new(), hidden, cells, merges: merges.collect(), hidden_rows, hidden_columns }
    })
}

fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let severity = prop::sample::select(vec![Severity::Error, Severity::Warning, Severity::Info]);
    let one = (severity, 0..3usize, prop::option::of((0..50u32, 0..30u32)), prop::option::of(1..50u32)).prop_map(
        |(severity, sheet, at, row)| {
            let cell = at.map(|(row, column)| a1(row, column));
            finding(severity, &format!("表{sheet}"), cell.as_deref(), row)
        },
    );
    prop::collection::vec(one, 0..30)
}

/// A book as it is sent out to be filled in, and a table of figures.
static FORMS: LazyLock<(Campaign, Vec<Workbook>)> = LazyLock::new(|| {
    let district = District::new(3);
    let data = district.data(6);
    let blank = Blank {
        campaign: &district.campaign,
        stream: &district.campaign.streams[0],
        unit: "碧溪镇人民政府",
        period: "2011-08".parse().unwrap(),
        due: time("2011-09-25T23:59:59+08:00"),
        generated_at: time("2011-09-20T09:00:00+08:00"),
    };
    let entries: Vec<&Values> = data.entries.iter().map(|e| &e.values).collect();
    let form = |key| district.campaign.form(key).unwrap();
    let files = [
        template::register(&blank, form("register"), &entries).unwrap(),
        template::progress(&blank, form("progress"), None).unwrap(),
    ];
    let books = files.iter().map(|bytes| read(bytes, &Limits { bytes: 30 << 20, cells: 100_000 }).unwrap());
    (district.campaign.clone(), books.collect())
});

fn reading(book: &Workbook) -> Reading {
    let received = time("2011-09-20T10:00:00+08:00").date_naive();
    extract::read(book, &FORMS.0, "台账.xlsx", received)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_cell_comes_back_where_it_was(sheets in prop::collection::vec(any_sheet(), 1..4), findings in any_findings()) {
        let named = sheets.into_iter().enumerate().map(|(i, sheet)| Sheet { name: format!("表{i}"), ..sheet });
        let book = Workbook { sheets: named.collect() };
        let got = returned(&book, &findings);
        prop_assert_eq!(got.sheets.len(), book.sheets.len());
        for (got, sent) in got.sheets.iter().zip(&book.sheets) {
            let cells: BTreeMap<At, Cell> = sent.cells.iter().filter_map(|(at, cell)| Some((*at, kept(cell)?))).collect();
            let got_cells: BTreeMap<At, Cell> = got.cells.iter().filter_map(|(at, cell)| Some((*at, kept(cell)?))).collect();
            prop_assert_eq!(&got_cells, &cells);
            prop_assert_eq!(&got.merges, &Regions::of(sent, u64::MAX).unwrap().list);
            prop_assert_eq!((&got.name, got.hidden), (&sent.name, sent.hidden));
            prop_assert_eq!((&got.hidden_rows, &got.hidden_columns), (&sent.hidden_rows, &sent.hidden_columns));
        }
    }

    #[test]
    fn a_form_is_read_as_before_whatever_was_typed_into_it(
        form in 0..2usize,
        typed in prop::collection::vec((2..16u32, 0..28u32, any_value()), 0..12),
    ) {
        let mut book = FORMS.1[form].clone();
        let cells = &mut book.sheets[0].cells;
        cells.extend(typed.into_iter().filter(|(.., cell)| cell.value != CellValue::Uncached).map(|(r, c, cell)| ((r, c), cell)));
        let before = reading(&book);
        let mut findings: Vec<Finding> = before.returns.iter().flat_map(|r| r.findings.clone()).collect();
        let day = time("2011-09-20T10:00:00+08:00").date_naive();
        for ret in &before.returns {
            findings.extend(check::check(ret, FORMS.0.form(&ret.form).unwrap(), "2011-08".parse().unwrap(), day));
        }
        let bytes = built(&book, &findings).unwrap();
        let after = reading(&read(&bytes, &Limits { bytes: 30 << 20, cells: 100_000 }).unwrap());
        prop_assert_eq!(&after, &before);
        // And once more, marked a second time.
        let again = built(&read(&bytes, &Limits { bytes: 30 << 20, cells: 100_000 }).unwrap(), &findings).unwrap();
        prop_assert_eq!(reading(&read(&again, &Limits { bytes: 30 << 20, cells: 100_000 }).unwrap()), before);
    }

    #[test]
    fn the_list_is_no_form_even_where_its_title_was_changed(findings in any_findings()) {
        let book = FORMS.1[0].clone();
        let name = book.sheets[0].name.clone();
        let findings: Vec<Finding> = findings.into_iter().map(|mut f| { f.place.sheet = Some(name.clone()); f }).collect();
        let mut got = read(&built(&book, &findings).unwrap(), &Limits { bytes: 30 << 20, cells: 100_000 }).unwrap();
        got.sheets[0].cells.insert((0, 0), text("问题清单（已改）"));
        let after = reading(&got);
        prop_assert_eq!(&after.unrecognised, &["问题清单"]);
        prop_assert_eq!(after.returns, reading(&book).returns);
    }
}
