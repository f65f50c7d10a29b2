//! Sheets as clerks send them, drawn as text, and what must come out.

mod cards;
mod groups;
mod laws;
mod layout;

use super::*;
use crate::form::record::Datum;
use crate::message::Kind;
use crate::workbook::{Cell, CellValue, Merge};

/// A sheet drawn row by row, cells parted by `|`: `#12` a number, `%0.5` a percentage, `?` a formula without a value,
/// `!` a formula error, `<` merged with the cell to the left, `^` with the one above, nothing a blank.
fn sheet(name: &str, drawing: &str) -> Sheet {
    let mut sheet = Sheet { name: name.to_owned(), ..Sheet::default() };
    let grid: Vec<Vec<&str>> = drawing.lines().map(|l| l.split('|').map(str::trim).collect()).collect();
    let at = |r: usize, c: usize| grid.get(r).and_then(|row| row.get(c)).copied().unwrap_or("");
    for (r, row) in grid.iter().enumerate() {
        for (c, text) in row.iter().enumerate() {
            let (value, percent) = match text.chars().next() {
                None | Some('<' | '^') => continue,
                Some('#') => (CellValue::Number(text[1..].parse().unwrap()), false),
                Some('%') => (CellValue::Number(text[1..].parse().unwrap()), true),
                Some('?') => (CellValue::Uncached, false),
                Some('!') => (CellValue::Error("#REF!".into()), false),
                Some(_) => (CellValue::Text(text.replace("\\n", "\n")), false),
            };
            sheet.cells.insert((r as u32, c as u32), Cell { value, percent, formula: text.starts_with(['?', '!']) });
            let wide = (c + 1..).take_while(|c| at(r, *c) == "<").last().unwrap_or(c);
            let high = (r + 1..).take_while(|r| at(*r, c) == "^").last().unwrap_or(r);
            if (high, wide) != (r, c) {
                sheet.merges.push(Merge { first: (r as u32, c as u32), last: (high as u32, wide as u32) });
            }
        }
    }
    sheet
}

/// Drawings side by side, with so many columns between them.
fn beside(left: &str, gap: usize, right: &str) -> String {
    let width = left.lines().map(|l| l.split('|').count()).max().unwrap_or(0);
    let line = |text: &str, n: usize| text.lines().nth(n).unwrap_or("").to_owned();
    let joined = |n| {
        let left = line(left, n);
        let blank = "|".repeat(width + gap - left.split('|').count());
        format!("{left}{blank}|{}", line(right, n))
    };
    let rows = left.lines().count().max(right.lines().count());
    (0..rows).map(joined).collect::<Vec<_>>().join("\n")
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2011, 9, 20).unwrap()
}

fn reading(sheets: Vec<Sheet>) -> Reading {
    read(&Workbook { sheets }, &Campaign::builtin(), "报表.xls", day())
}

fn only(drawing: &str) -> Return {
    let mut reading = reading(vec![sheet("Sheet1", drawing)]);
    assert_eq!(reading.returns.len(), 1, "{reading:#?}");
    reading.returns.remove(0)
}

fn int(n: i64) -> Datum {
    Datum::Int(n)
}

fn text(t: &str) -> Datum {
    Datum::Text(t.to_owned())
}

fn messages(ret: &Return) -> Vec<&str> {
    ret.findings.iter().map(|f| f.message.as_str()).collect()
}

fn said(ret: &Return, origin: Origin) -> Vec<&str> {
    ret.said(origin).map(|h| h.text.as_str()).collect()
}

const PROGRESS: &str = "\
附件1
社会组织“建组织、扩覆盖，抓规范、强功能”活动进展情况统计表（2011年8月）|<|<|<|<|<|<|<|<|<|<|<|<|<|<|<
填报单位：北桥街道（公章）    填报时间：2011.9.8
序号|单 位|组织\\n总数|党员总数|其中|<|党组织总数|其中|<|新建党\\n组织|<|党组织覆盖组织数|组织覆盖率（%）|选派党建指导员|<|工作覆盖组织数
^|^|^|^|已转组织关系|未转组织关系|^|单独组建|联合组建|上月|累计|^|^|本月|累计|^
#1|北桥办事处|１２个|#30|二十|#10|#4|#3|1|—|#2|#6|#0.5|#1|#3|12.0
合 计||#12|#30|#20|#10|#4|#3|#1|#0|#2|#6||#1|#3|#12
填表人：甲某||||审核人：乙某||||联系电话：88001234";

#[test]
fn a_progress_table_is_read_with_its_groups() {
    let ret = only(PROGRESS);
    assert_eq!((ret.form.as_str(), ret.records.len(), ret.totals.len()), ("progress", 1, 1));
    assert_eq!(messages(&ret), [] as [&str; 0]);
    let record = &ret.records[0];
    assert_eq!(record.row, 6);
    let expected = [
        ("orgs", 12),
        ("members", 30),
        ("members_transferred", 20),
        ("party_orgs_joint", 1),
        ("new_party_orgs_month", 0),
        ("new_party_orgs_total", 2),
        ("instructors_month", 1),
        ("instructors_total", 3),
        ("orgs_work_covered", 12),
    ];
    for (key, value) in expected {
        assert_eq!(record.get(key), &int(value), "{key}");
    }
    assert_eq!(record.get("org_coverage"), &Datum::Rate(50.0));
    assert_eq!((ret.columns["new_party_orgs_total"].as_str(), record.cells["orgs"].as_str()), ("K", "C6"));
}

/// The sheet as a file of separated values: numbers as shown, merges lost.
fn as_csv(sheet: &Sheet) -> String {
    let last = sheet.cells.keys().fold((0, 0), |last, at| (at.0.max(last.0), at.1.max(last.1)));
    let field = |at| format!("\"{}\"", sheet.cells.get(&at).map(shown).unwrap_or_default().replace('"', "\"\""));
    let line = |row| (0..=last.1).map(|column| field((row, column))).collect::<Vec<_>>().join(",");
    (0..=last.0).map(|row| line(row) + "\r\n").collect()
}

/// The sheet as rows of elements: what `cell` makes of its place, its content and its span.
fn as_rows(sheet: &Sheet, row: (&str, &str), cell: impl Fn((u32, u32), Option<&Cell>, (u32, u32)) -> String) -> String {
    let last = sheet.cells.keys().fold((0, 0), |last, at| (at.0.max(last.0), at.1.max(last.1)));
    let span =
        |at| match sheet.merges.iter().find(|m| m.first <= at && at <= m.last && at.1 >= m.first.1 && at.1 <= m.last.1)
        {
            Some(m) if m.first == at => Some((m.last.0 - at.0, m.last.1 - at.1)),
            Some(_) => None,
            None => Some((0, 0)),
        };
    let of_row = |r| {
        (0..=last.1).filter_map(|c| Some(cell((r, c), sheet.cells.get(&(r, c)), span((r, c))?))).collect::<String>()
    };
    (0..=last.0).map(|r| format!("{}{}{}", row.0, of_row(r), row.1)).collect()
}

fn as_html(sheet: &Sheet) -> String {
    let rows = as_rows(sheet, ("<tr>", "</tr>"), |_, cell, (down, across)| {
        let noted = match cell.map(|c| &c.value) {
            Some(CellValue::Number(n)) => format!(" x:num=\"{n}\""),
            _ => String::new(),
        };
        let text = cell.map_or("&nbsp;".to_owned(), |c| shown(c).replace('\n', "<br>"));
        format!("<td rowspan={} colspan={}{noted}>{text}</td>", down + 1, across + 1)
    });
    format!("<html><table>{rows}</table></html>")
}

fn as_spreadsheetml(sheet: &Sheet) -> String {
    let rows = as_rows(sheet, ("<Row>", "</Row>"), |at, cell, (down, across)| {
        let data = cell.map_or(String::new(), |cell| match &cell.value {
            CellValue::Number(n) => format!("<Data ss:Type=\"Number\">{n}</Data>"),
            other => {
                format!("<Data ss:Type=\"String\">{}</Data>", shown(&Cell { value: other.clone(), ..cell.clone() }))
            }
        });
        let style = if cell.is_some_and(|c| c.percent) { " ss:StyleID=\"p\"" } else { "" };
        let place = format!("ss:Index=\"{}\" ss:MergeAcross=\"{across}\" ss:MergeDown=\"{down}\"", at.1 + 1);
        format!("<Cell {place}{style}>{data}</Cell>")
    });
    let style = "<Styles><Style ss:ID=\"p\"><NumberFormat ss:Format=\"0%\"/></Style></Styles>";
    format!(
        "<?xml version=\"1.0\"?><Workbook>{style}<Worksheet ss:Name=\"Sheet1\"><Table>{rows}</Table></Worksheet></Workbook>"
    )
}

/// The content as text: a line break stays one.
fn shown(cell: &Cell) -> String {
    match &cell.value {
        CellValue::Text(text) => text.clone(),
        _ => crate::form::value::shown(cell),
    }
}

#[test]
fn the_same_table_is_read_alike_from_every_format() {
    use crate::workbook::{Limits, read_as};
    let limits = Limits { bytes: 1 << 20, cells: 10_000 };
    let rate = PROGRESS.replace("#0.5|", "%0.5|");
    for (drawing, merged_data) in [(PROGRESS, false), (&rate, false), (REGISTER, true)] {
        let drawn = sheet("Sheet1", drawing);
        let expected = reading(vec![drawn.clone()]);
        assert!(!expected.returns[0].records.is_empty());
        let mut files = vec![(Kind::Html, as_html(&drawn)), (Kind::SpreadsheetMl, as_spreadsheetml(&drawn))];
        if !merged_data {
            files.push((Kind::Csv, as_csv(&drawn)));
        }
        for (kind, file) in files {
            let found = reading(read_as(kind, file.as_bytes(), &limits).unwrap().sheets);
            assert_eq!(format!("{found:#?}"), format!("{expected:#?}"), "{kind:?}");
        }
    }
}

#[test]
fn the_lines_around_a_table_are_hints() {
    let ret = only(PROGRESS);
    assert_eq!(said(&ret, Origin::UnitLine), ["北桥街道"]);
    assert_eq!(said(&ret, Origin::FilledLine), ["2011.9.8"]);
    assert_eq!(said(&ret, Origin::UnitColumn), ["北桥办事处"]);
    assert!(said(&ret, Origin::Title)[1].contains("2011年8月"));
    assert!(ret.hints.is_sorted_by_key(|h| h.origin));
}

const REGISTER: &str = "\
|企业台账|<|<|<|<|<|<|<
|填报单位：|东湖镇||||所属期：|2011年8月
||||||||
|序号|企业名称|法人|党员人数|正式党员|党组织|<|联系人性别|手机
|^|^|^|^|^|名称|组建方式|^|^
|1|远山科技有限公司|王　芳|#3|#3|东湖一支部|单建|女|#13900001111
||||||||
|2|近水商贸有限公司|李 四 光|５人|#2|联合支部|联建||0531-88001234
|3|白云服装厂|赵云|/|/|^|^|男|/
|4||||||||
小计||||#8|#5||||
|注：本表每月25日前报送。";

#[test]
fn a_moved_and_thinned_register_is_read() {
    let ret = only(REGISTER);
    assert_eq!(messages(&ret), [] as [&str; 0]);
    assert_eq!((ret.form.as_str(), ret.records.len()), ("register", 3));
    assert_eq!((said(&ret, Origin::UnitLine), said(&ret, Origin::PeriodLine)), (vec!["东湖镇"], vec!["2011年8月"]));
    let third = &ret.records[2];
    assert_eq!(
        (third.get("members"), third.get("party_org"), third.get("party_org_kind")),
        (&int(0), &text("联合支部"), &text("联合组建"))
    );
    assert_eq!((third.get("phone"), third.row), (&Datum::Null, 9));
    assert_eq!((ret.records[0].get("legal_rep"), ret.records[1].get("legal_rep")), (&text("王芳"), &text("李四光")));
    assert_eq!(ret.records[0].get("phone"), &text("13900001111"));
    assert_eq!(ret.unread, [("I".to_owned(), "联系人性别".to_owned())]);
    assert!(!third.values.contains_key("status"), "a column that is absent has no value");
}

#[test]
fn group_headings_need_not_be_merged() {
    let ret = only(
        "单位,|组织总数|党员总数|其中||党组织总数|其中||新建党组织||覆盖数|选派党建指导员||工作覆盖组织数\n\
         |||已转|未转||单独|联合|上月|累计||上月|累计|\n\
         甲|#5|#4|#3|#1|#2|#1|#1|#0|#7|#3|#1|#8|#5",
    );
    let record = &ret.records[0];
    assert_eq!((record.int("new_party_orgs_total"), record.int("instructors_total")), (Some(7), Some(8)));
    assert_eq!((record.int("members_untransferred"), record.int("party_orgs_single")), (Some(1), Some(1)));
}

#[test]
fn both_forms_on_one_sheet_share_the_line_above_the_first() {
    let drawing = format!(
        "{PROGRESS}\n\n附件2\n社会组织活动台账|<|<|<|<\n{}",
        REGISTER.lines().skip(3).collect::<Vec<_>>().join("\n")
    );
    let reading = reading(vec![sheet("全部", &drawing)]);
    let forms: Vec<&str> = reading.returns.iter().map(|r| r.form.as_str()).collect();
    assert_eq!(forms, ["progress", "register"]);
    assert_eq!(said(&reading.returns[1], Origin::UnitLine), ["北桥街道"]);
    assert_eq!(said(&reading.returns[1], Origin::Title), ["附件2", "社会组织活动台账"]);
    assert_eq!((reading.returns[0].records.len(), reading.returns[1].records.len()), (1, 3));
}

#[test]
fn the_title_of_the_second_table_is_its_own_although_its_unit_line_has_a_date_beside_it() {
    let register = REGISTER.lines().skip(3).collect::<Vec<_>>().join("\n");
    let line = "填报单位：北桥街道（盖章）||||||填报时间：2011年9月14日";
    let drawing = format!("{PROGRESS}\n\n社会组织活动台账|<|<|<|<\n{line}\n{register}");
    let reading = reading(vec![sheet("全部", &drawing)]);
    assert_eq!(said(&reading.returns[1], Origin::Title), ["社会组织活动台账"]);
    assert_eq!(said(&reading.returns[0], Origin::FilledLine), ["2011.9.8"]);
}

#[test]
fn headings_repeated_on_the_next_page_continue_the_same_book() {
    let head = "序号|名称|党员总数|正式党员数|组建形式|备注";
    let ret = only(&format!("{head}\n1|甲公司|#1|#1|联合组建|\n2|乙公司|#0|#0|未建|\n{head}\n3|丙公司|#0|#0|未建|"));
    assert_eq!(ret.records.iter().map(|r| r.row).collect::<Vec<_>>(), [2, 3, 5]);
}

#[test]
fn hidden_sheets_are_skipped_and_hidden_rows_count() {
    let mut hidden = sheet("旧表", PROGRESS);
    hidden.hidden = true;
    let mut book = sheet("台账", REGISTER);
    book.hidden_rows.insert(5);
    let reading = reading(vec![hidden, book, sheet("字典", "单独组建\n联合组建\n未建"), sheet("Sheet3", "")]);
    assert_eq!((reading.returns.len(), reading.returns[0].records.len()), (1, 3));
    assert_eq!(reading.unrecognised, ["字典"]);
}

#[test]
fn what_cannot_be_read_is_told_by_cell() {
    let ret = only(
        "序号|名称|从业人数|党员总数|正式党员数|组建形式|党组织成立时间|工会\n\
         1|甲公司|约50|12.5|?||2010-2-30|有\n\
         2|乙公司|!|-1|#1|是|2009|两个",
    );
    assert_eq!(
        messages(&ret),
        [
            "第2行“从业人数”（C2）填的是“约50”，应为不小于0的整数，请改正。",
            "第2行“党员总数”（D2）填的是“12.5”，应为不小于0的整数，请改正。",
            "第2行“正式党员数”（E2）是公式，但文件里没有保存计算结果；请用Excel或WPS打开，等数字显示出来后保存，再重报，或直接改填数字。",
            "第2行“党组织/组建形式”（F2）没有填写，请补填。",
            "第2行“党组织/党组织成立时间”（G2）填的是“2010-2-30”，没有这一天，请核对。",
            "第3行“从业人数”（C3）显示为“#REF!”，公式出错，请改正。",
            "第3行“党员总数”（D3）填的是“-1”，应为不小于0的整数，请改正。",
            "第3行“党组织/组建形式”（F3）填的是“是”，应填单独组建、联合组建、未建之一，请改正。",
            "第3行“党组织/党组织成立时间”（G3）填的是“2009”，只有年份，应写到月份，请改正。",
            "第3行“群团组织/工会”（H3）填的是“两个”，应填“有”或“无”（“是”或“否”），请改正。",
        ]
    );
    let rules: Vec<(&str, bool)> = ret.findings.iter().map(|f| (f.rule.as_str(), f.is_error())).collect();
    assert_eq!(
        rules,
        [
            ("R02", false),
            ("R02", true),
            ("W06", true),
            ("R01", true),
            ("R10", false),
            ("R02", false),
            ("R02", true),
            ("R02", true),
            ("R02", false),
            ("R02", false),
        ]
    );
}

#[test]
fn a_number_merged_over_several_rows_is_nobodys() {
    let ret =
        only("名称|党员总数|正式党员数|组建形式|党组织名称\n甲公司|#4|#1|联合组建|联合支部\n乙公司|^|#1|联合组建|^");
    assert_eq!(ret.records.iter().map(|r| r.get("members")).collect::<Vec<_>>(), [&Datum::Null, &Datum::Null]);
    assert_eq!(ret.records[1].get("party_org"), &text("联合支部"));
    assert_eq!(ret.findings.iter().map(|f| f.place.cell.as_deref().unwrap()).collect::<Vec<_>>(), ["B2", "B3"]);
}

#[test]
fn rows_that_are_no_data_are_left_out() {
    let ret = only(
        "序号|单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数\n\
         甲|乙|1|2|3|4|5|6|7|8|9|10|11|12\n\
         1|北桥街道|#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5\n\
         2|东湖镇\n\
         3\n\
         |全区总计|#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5\n\
         说明：空白表示没有。",
    );
    assert_eq!(ret.records.iter().map(|r| r.text("unit")).collect::<Vec<_>>(), [Some("北桥街道")]);
    assert_eq!((ret.totals.len(), messages(&ret).len()), (1, 0));
}

#[test]
fn a_table_without_figures_tells_what_is_missing() {
    let ret = only(
        "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数\n北桥街道",
    );
    assert_eq!(ret.findings.len(), 12);
    assert!(ret.findings.iter().all(|f| f.rule == "P02" && f.is_error()));
}

#[test]
fn missing_columns_are_named_and_resembling_ones_told() {
    let ret = only(
        "单位|组织总数|党员总人数|已转|未转|党组织总数|单独|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数\n甲|#1|#1|#1|#0|#0|#0|#0|#0|#0|#0|#0",
    );
    assert_eq!(
        messages(&ret),
        [
            "“党员总人数”一列按“党员总数”读取，如不对请按原表列名填报。",
            "缺少必填的“其中/联合组建”一列，请按原表补上后重报。",
        ]
    );
    assert_eq!(ret.records[0].int("members"), Some(1));
}

#[test]
fn two_columns_for_one_field_are_a_doubt_not_a_choice() {
    let ret = only("企业名称|单位名称|党员总数|正式党员数|组建形式|联系电话|备注\n甲公司|乙公司|#1|#1|联合组建|1|");
    assert_eq!(ret.doubts.len(), 1);
    assert_eq!(ret.doubts[0].message, "“名称”可能是A列“企业名称”或B列“单位名称”，不能确定，需要人工确认。");
    assert!(!ret.columns.contains_key("name"));
}

#[test]
fn rates_up_to_one_are_settled_by_their_parts() {
    let head = "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数|组织覆盖率|工作覆盖率";
    let ret = only(&format!("{head}\n甲|#400|#1|#1|#0|#0|#0|#0|#0|#0|#2|#0|#400|#0.5|#1"));
    assert_eq!(ret.records[0].get("org_coverage"), &Datum::Rate(0.5));
    assert_eq!(ret.records[0].get("work_coverage"), &Datum::Rate(100.0));
}

#[test]
fn cards_are_rows_of_one_book() {
    let right = |name: &str| {
        sheet(
            name,
            &format!(
                "社会组织活动台账（卡片）|<|<|<\n填报单位：北桥街道|所属期：2011.8\n名  称|{name}|信用代码|\n党员总数|二|正式党\\n员数|#2\n\
                 组建形式|单独组建|党组织名称|{name}支部\n工会|有|联系电话|88001234\n备注\n填表人：甲某"
            ),
        )
    };
    let below = sheet(
        "丙协会",
        "社会组织活动台账\n名称|党员总数|正式党员数\n丙协会|#1|#1\n组建形式|工会|联系电话\n联合组建|×|\n名称|党员总数|正式党员数\n丁协会|#0|#0\n组建形式|工会|联系电话\n未建|√|88005678",
    );
    let reading = reading(vec![right("甲协会"), right("乙协会"), below]);
    assert_eq!(reading.returns.len(), 1, "{reading:#?}");
    let ret = &reading.returns[0];
    let names: Vec<Option<&str>> = ret.records.iter().map(|r| r.text("name")).collect();
    assert_eq!(names, [Some("甲协会"), Some("乙协会"), Some("丙协会"), Some("丁协会")]);
    assert_eq!(messages(ret), [] as [&str; 0]);
    assert_eq!((ret.records[0].int("members"), ret.records[3].text("party_org_kind")), (Some(2), Some("未建")));
    assert_eq!((ret.records[2].get("union"), ret.records[2].get("phone")), (&Datum::Bool(false), &Datum::Null));
    assert_eq!((ret.records[3].sheet.as_str(), ret.records[3].row), ("丙协会", 6));
    assert_eq!(said(ret, Origin::UnitLine), ["北桥街道"]);
}

#[test]
fn cards_of_two_streams_are_two_books() {
    let card = |title: &str, name: &str| {
        sheet(name, &format!("{title}\n名称|{name}\n党员总数|#0\n正式党员数|#0\n组建形式|未建\n工会|无\n备注"))
    };
    let reading =
        reading(vec![card("非公企业台账", "甲公司"), card("社会组织台账", "乙协会"), card("非公企业台账", "丙公司")]);
    assert_eq!(reading.returns.iter().map(|r| r.records.len()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_sheet_of_something_else_is_no_form() {
    let reading = reading(vec![
        sheet("名单", "序号|姓名|单位|联系电话|备注\n1|甲某|北桥街道|88001234|"),
        sheet("说明", "填报说明"),
    ]);
    assert!(reading.returns.is_empty());
    assert_eq!(reading.unrecognised, ["名单", "说明"]);
}

#[test]
fn a_date_in_the_last_values_of_a_card_is_no_line_above_the_next() {
    let card = |name: &str, date: &str| {
        format!("名称|党员总数|正式党员数\n{name}|#0|#0\n组建形式|工会|党组织成立时间\n未建|无|{date}\n")
    };
    let title = "非公企业活动台账\n填报单位：北桥街道";
    let drawing = format!(
        "{title}\n{}\n{}登记日期|||\n2011-6-12|||\n{}",
        card("甲公司", "2011-7-12"),
        card("乙公司", ""),
        card("丙公司", "")
    );
    let ret = only(&drawing);
    assert_eq!(ret.records.len(), 3);
    assert_eq!(ret.records[0].get("founded"), &text("2011-07-12"));
    assert_eq!(said(&ret, Origin::Title), ["非公企业活动台账"]);
    assert_eq!((said(&ret, Origin::PeriodLine).len(), said(&ret, Origin::FilledLine).len()), (0, 0));
}

#[test]
fn a_card_above_a_table_is_no_line_above_it() {
    let card = "名称|甲公司\n党员总数|#0\n正式党员数|#0\n组建形式|未建\n党组织成立时间|2011年6月3日\n工会|无";
    let reading = reading(vec![sheet("全部", &format!("{card}\n{PROGRESS}"))]);
    let progress = reading.returns.iter().find(|r| r.form == "progress").unwrap();
    assert!(progress.hints.iter().all(|h| !h.text.contains("6月") && h.text != "甲公司"), "{:?}", progress.hints);
}

#[test]
fn yes_and_no_answer_the_questions_of_a_card_as_they_do_in_a_table() {
    let ret = only(
        "非公企业活动台账\n名称|甲公司\n党员总数|#0\n正式党员数|#0\n是否建立党组织|否\n是否销户|是\n销户原因|破产\n销户时间|2011-6-1\n工会|无",
    );
    assert_eq!(messages(&ret), [] as [&str; 0]);
    let record = &ret.records[0];
    assert_eq!((record.text("party_org_kind"), record.text("status")), (Some("未建"), Some("销户")));
}

const BOOK: &str = "序号|名称|党员总数|正式党员数|组建形式|工会|书记姓名|联系电话|状态";

fn names(ret: &Return) -> Vec<Option<&str>> {
    ret.records.iter().map(|r| r.text("name")).collect()
}

#[test]
fn a_row_that_shows_how_to_fill_in_the_form_is_told_and_left_out() {
    let ret = only(&format!(
        "{BOOK}\n例|远山公司|#9|#9|单独组建\n示例1|甲公司|#9|#9|单独组建\n1|××有限公司|#9|#9|单独组建\n2|乙公司|#0|#0|未建"
    ));
    assert_eq!(names(&ret), [None, Some("乙公司")]);
    assert_eq!(
        messages(&ret),
        [
            "第4行“名称”（B4）填的是“××有限公司”，像是填写示例，应填实际名称，请改正。",
            "第2行是填写示例，没有读取；如果是实际数据，请删去“例”字后重报。",
            "第3行是填写示例，没有读取；如果是实际数据，请删去“例”字后重报。",
        ]
    );
    assert!(ret.findings[0].is_error() && !ret.findings[1].is_error());
}

#[test]
fn the_same_as_above_is_read_as_what_stands_above_and_told() {
    let ret = only(&format!(
        "{BOOK}\n1|甲公司|#0|#0|未建|有|甲某|88001234|\n2|乙公司|#0|#0|同上|〃|\"|同上|\n3|同上|同上|#0|未建|||同 上|"
    ));
    let second = &ret.records[1];
    assert_eq!((second.text("party_org_kind"), second.get("union")), (Some("未建"), &Datum::Bool(true)));
    assert_eq!((second.text("secretary"), second.text("phone")), (Some("甲某"), Some("88001234")));
    assert_eq!(ret.records[2].text("phone"), Some("88001234"));
    assert_eq!((ret.records[2].get("name"), ret.records[2].get("members")), (&Datum::Null, &Datum::Null));
    let severities: Vec<Severity> = ret.findings.iter().map(|f| f.severity).collect();
    let (info, error) = (Severity::Info, Severity::Error);
    assert_eq!(severities, [info, info, info, info, error, info, error]);
    assert_eq!(messages(&ret)[1], "第3行“党组织/组建形式”（E3）填的是“同上”，按上一行的“未建”读取，如不对请改正。");
}

#[test]
fn nothing_above_is_not_the_same_as_above() {
    let ret = only(&format!("{BOOK}\n1|甲公司|#0|#0|未建||同上||"));
    assert_eq!((ret.records[0].get("secretary"), ret.findings.len()), (&Datum::Null, 1));
}

#[test]
fn an_organisation_over_two_rows_is_one_and_its_second_row_is_told() {
    let ret =
        only(&format!("{BOOK}\n1|甲公司|#4|#3|单独组建|有|甲某||正常\n^|^|^|^|^|^|乙某|^|^\n2|乙公司|#0|#0|未建"));
    assert_eq!(names(&ret), [Some("甲公司"), Some("乙公司")]);
    assert_eq!((ret.records[0].int("members"), ret.records[0].text("secretary")), (Some(4), Some("甲某")));
    assert_eq!(
        messages(&ret),
        ["第3行“党组织/书记姓名”（G3）填的是“乙某”，与上一行是同一家，只读取了上一行的，请核对。"]
    );
}

#[test]
fn two_organisations_under_one_merged_name_stay_two() {
    let ret = only(&format!("{BOOK}\n1|甲公司|#4|#3|单独组建\n2|^|#2|#2|单独组建"));
    assert_eq!(ret.records.len(), 2);
}

#[test]
fn rows_of_the_blank_form_and_headings_of_sections_are_no_organisations() {
    let ret = only(&format!(
        "{BOOK}\n|规模以上企业\n1|甲公司|#4|#3|单独组建\n|二、规模以下企业（1家）\n2|乙公司|#1|#1|联合组建\n\
         3||||未建|无|||正常\n4|丙公司\n|共计3家|#5|#4"
    ));
    assert_eq!(names(&ret), [Some("甲公司"), Some("乙公司"), Some("丙公司")]);
    assert_eq!((ret.totals.len(), ret.findings.len()), (1, 3), "only the organisation without data is at fault");
}

#[test]
fn sums_without_a_label_are_a_total_and_other_numbers_are_not() {
    let rows = "1|甲公司|#4|#3|单独组建\n2|乙公司|#1|#1|联合组建";
    let ret = only(&format!("{BOOK}\n{rows}\n||#5|#4"));
    assert_eq!((ret.records.len(), ret.totals.len(), messages(&ret).len()), (2, 1, 0));
    assert_eq!(only(&format!("{BOOK}\n{rows}\n||#5|#3")).records.len(), 3);
}

#[test]
fn a_book_that_says_none_has_no_rows() {
    let ret = only(&format!("{BOOK}\n1|无"));
    assert_eq!((ret.records.len(), messages(&ret).len()), (0, 0));
}

#[test]
fn a_blank_card_is_no_organisation() {
    let card = |name: &str, n: &str, kind: &str| {
        format!("名称|{name}\n党员总数|{n}\n正式党员数|{n}\n组建形式|{kind}\n工会|无\n\n")
    };
    let ret = only(&format!("非公企业台账\n{}{}", card("甲公司", "#0", "未建"), card("", "", "未建")));
    assert_eq!((names(&ret), messages(&ret).len()), (vec![Some("甲公司")], 0));
}

const FIGURES: &str =
    "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数";

#[test]
fn a_row_of_measures_is_no_data() {
    let ret = only(&format!(
        "{FIGURES}\n|（个）|（人）|（人）|(人)|个|（个）|（个）|（个）|（个）|（个）|（人）|（个）\n甲|#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5"
    ));
    assert_eq!((ret.records.len(), messages(&ret).len()), (1, 0));
}

#[test]
fn a_blank_unit_is_taken_from_the_line_above_and_told() {
    let row = "|#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5";
    let ret = only(&format!("填报单位：北桥街道\n{FIGURES}\n{row}"));
    assert_eq!(messages(&ret), ["第3行“单位”（A3）没有填写，按表上的填报单位“北桥街道”读取，如不对请补填。"]);
    assert_eq!(ret.findings[0].severity, Severity::Info);
    assert!(only(&format!("{FIGURES}\n{row}")).findings[0].is_error());
}

#[test]
fn a_formula_error_in_a_rate_leaves_the_rate_out_and_the_rest_in() {
    let row = "甲|#0|#0|#0|#0|#0|#0|#0|#0|#0|#0|#0|#0";
    for error in ["!", "#DIV/0!"] {
        let mut drawn = sheet("Sheet1", &format!("{FIGURES}|组织覆盖率\n{row}|{}", "!"));
        if error != "!" {
            let text = CellValue::Text(error.to_owned());
            drawn.cells.insert((1, 13), Cell { value: text, percent: false, formula: false });
        }
        let ret = reading(vec![drawn]).returns.remove(0);
        assert_eq!(ret.records[0].get("org_coverage"), &Datum::Null);
        assert_eq!(ret.findings.iter().map(|f| (f.rule.as_str(), f.is_error())).collect::<Vec<_>>(), [("P02", false)]);
    }
}

#[test]
fn a_founding_date_beside_the_name_is_not_the_party_organisations() {
    let ret = only("序号|名称|成立时间|地址|党员总数|正式党员数|组建形式\n1|甲公司|1999-1-1|北街1号|#0|#0|未建");
    assert!(!ret.columns.contains_key("founded"));
    assert_eq!(messages(&ret), ["C列“成立时间”不能确定是不是“党组织/党组织成立时间”，没有读取，请按原表列名填报。"]);
    let card = only("非公企业台账\n名称|甲公司\n成立时间|1999-1-1\n党员总数|#0\n正式党员数|#0\n组建形式|未建\n工会|无");
    assert!(!card.records[0].values.contains_key("founded"));
    assert_eq!(
        messages(&card),
        ["“成立时间”（A3）不能确定是不是“党组织/党组织成立时间”，没有读取，请按原表栏目名填报。"]
    );
}

#[test]
fn an_entry_whose_remark_begins_like_a_label_is_an_entry() {
    let ret = only("序号|名称|党员总数|正式党员数|组建形式|备注\n1|甲公司|#0|#0|未建|\n2|乙公司||||联系电话：82600000");
    assert_eq!(ret.records.iter().map(|r| r.text("name")).collect::<Vec<_>>(), [Some("甲公司"), Some("乙公司")]);
    assert!(ret.findings.iter().any(|f| f.rule == "R01" && f.place.row == Some(3)));
}

#[test]
fn a_founding_date_that_only_organisations_with_a_party_organisation_have_is_the_party_organisations() {
    let head = "序号|名称|成立时间|地址|党员总数|正式党员数|组建形式";
    let row = |n: u8, date: &str, kind: &str| format!("\n{n}|第{n}公司|{date}|北街{n}号|#1|#1|{kind}");
    let book = |dates: [&str; 3]| {
        let kinds = ["单独组建", "未建", "联合组建"];
        only(
            &(1..=3).map(|n| row(n, dates[n as usize - 1], kinds[n as usize - 1])).fold(head.to_owned(), |t, r| t + &r),
        )
    };
    let theirs = book(["2008-7-1", "/", "2009-7-1"]);
    assert_eq!(theirs.records[0].get("founded"), &text("2008-07-01"));
    assert_eq!(messages(&theirs), [] as [&str; 0]);
    let own = book(["1998-7-1", "1999-5-1", "2001-7-1"]);
    assert!(!own.columns.contains_key("founded"));
    // Beside 党组织名称, but companies without a party organisation have a date as well.
    let own = only(
        "名称|党员总数|正式党员数|组建形式|党组织名称|成立时间\n甲公司|#1|#1|未建||1999-1-1\n乙公司|#3|#3|单独组建|乙支部|1998-1-1",
    );
    assert!(!own.columns.contains_key("founded"));
}

const RENAMED: &str =
    "单位|组织总数|党员同志数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数";

#[test]
fn a_heading_that_may_be_a_required_column_is_proposed_with_its_path() {
    let ret = only(&format!("{RENAMED}\n甲|#9|#5|#5|#0|#2|#1|#1|#0|#7|#3|#8|#5"));
    let [doubt] = ret.doubts.as_slice() else { panic!("{:?}", ret.doubts) };
    assert_eq!(doubt.message, "C列“党员同志数”可能是“党员总数”，不能确定，需要人工确认。");
    let candidate =
        Candidate { letters: "C".into(), heading: "党员同志数".into(), path: vec!["党员同志数".into()] };
    assert_eq!((doubt.key.as_str(), doubt.candidates.as_slice()), ("members", [candidate].as_slice()));
}

#[test]
fn figures_that_leave_no_other_value_settle_what_a_heading_alone_does_not() {
    let ret = only(&format!("{RENAMED}\n甲|#9|#31|#20|#11|#2|#1|#1|#0|#7|#3|#8|#5"));
    assert_eq!((ret.doubts.len(), ret.records[0].int("members")), (0, Some(31)));
    assert_eq!(messages(&ret), ["“党员同志数”一列按“党员总数”读取，如不对请按原表列名填报。"]);
    let other = only(&format!("{RENAMED}\n甲|#9|#30|#20|#11|#2|#1|#1|#0|#7|#3|#8|#5"));
    assert_eq!((other.doubts.len(), other.columns.contains_key("members")), (1, false));
}

#[test]
fn what_a_person_confirmed_is_read_without_a_word() {
    let drawing = format!("{RENAMED}\n甲|#9|#5|#5|#0|#2|#1|#1|#0|#7|#3|#8|#5");
    let mut campaign = Campaign::builtin();
    campaign.learn("progress", "members", only(&drawing).doubts[0].candidates[0].path.clone());
    let ret =
        read(&Workbook { sheets: vec![sheet("Sheet1", &drawing)] }, &campaign, "报表.xls", day()).returns.remove(0);
    assert_eq!((ret.doubts.len(), ret.records[0].int("members"), messages(&ret).len()), (0, Some(5), 0));
}

#[test]
fn numbers_below_a_heading_that_asks_for_text_are_not_read() {
    let head = "名称|党员总数|正式党员数|组建形式|工会|党建指导员同志";
    let text = only(&format!("{head}\n甲公司|#1|#1|联合组建|有|甲某\n乙公司|#0|#0|未建|无|乙某"));
    assert_eq!(text.records[0].text("instructor"), Some("甲某"));
    let numbers = only(&format!("{head}\n甲公司|#1|#1|联合组建|有|#2\n乙公司|#0|#0|未建|无|#1"));
    assert!(!numbers.columns.contains_key("instructor"));
}

#[test]
fn a_cell_that_two_readers_read_differently_is_an_error_whatever_its_column() {
    let row = "甲|#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5";
    let mut drawn = sheet("Sheet1", &format!("{FIGURES}|备注\n{row}|"));
    for column in [2, 13] {
        let readings = Box::new(["12".to_owned(), "21".to_owned()]);
        drawn.cells.insert((1, column), Cell { value: CellValue::Disputed(readings), percent: false, formula: false });
    }
    let ret = reading(vec![drawn]).returns.remove(0);
    let of = |cell: &str| ret.findings.iter().find(|f| f.place.cell.as_deref() == Some(cell)).unwrap();
    let told = "第2行“党员总数”（C2），系统用两种方法读出的内容不同（“12”与“21”），请核对后重新填写。";
    assert_eq!((of("C2").message.as_str(), of("C2").is_error()), (told, true));
    assert!(of("N2").is_error());
    assert_eq!(ret.records[0].get("members"), &Datum::Null);
}
