//! Where tables stand, beside and below each other, what is hidden in them, and what their totals say.

use super::*;

const HEAD: &str = "序号|单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|新建党组织上月|新建党组织累计|覆盖数|指导员数|党的工作覆盖数";
const ROW: &str = "#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5";

pub(super) fn all(drawing: &str) -> Vec<Return> {
    reading(vec![sheet("全部", drawing)]).returns
}

pub(super) fn rules(ret: &Return) -> Vec<&str> {
    ret.findings.iter().map(|f| f.rule.as_str()).collect()
}

#[test]
fn a_group_stands_for_its_columns_from_whichever_of_them() {
    let leaves = "|||已转|未转||单独|联合|上月|累计|上月|累计|上月|累计||";
    let row = "甲|#9|#4|#3|#1|#2|#1|#1|#1|#2|#3|#4|#5|#6|#5|#6";
    for head in [
        "单位|组织总数|党员总数|其中||党组织总数|其中||新建党组织||选派党建指导员||新建群团组织||覆盖数|党的工作覆盖数",
        "单位|组织总数|党员总数||其中|党组织总数||其中||新建党组织||选派党建指导员||新建群团组织|覆盖数|党的工作覆盖数",
    ] {
        let ret = only(&format!("{head}\n{leaves}\n{row}"));
        let of = |key: &str| ret.records[0].int(key);
        let keys = ["new_party_orgs_month", "new_party_orgs_total", "instructors_month", "instructors_total"];
        assert_eq!(keys.map(of), [1, 2, 3, 4].map(Some), "{head}");
        assert_eq!((of("mass_orgs_month"), of("mass_orgs_total")), (Some(5), Some(6)), "{head}");
    }
    let middle = "名称|党员总数|正式党员数||党组织|||群团组织|\n|||名称|组建方式|书记姓名|工会|共青团|妇联\n甲公司|#1|#1|甲支部|联建|甲某|有|无|有";
    let record = &only(middle).records[0];
    assert_eq!((record.text("party_org"), record.get("womens_fed")), (Some("甲支部"), &Datum::Bool(true)));
}

#[test]
fn where_a_group_could_be_two_ones_its_columns_are_asked_about() {
    let head =
        "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|新建党组织||新建群团组织|覆盖数|指导员数|党的工作覆盖数";
    let ret = only(&format!("{head}\n||||||||累计|上月|累计\n甲|#9|#4|#3|#1|#2|#1|#1|#1|#2|#3|#1|#1|#1"));
    assert!(!ret.columns.contains_key("new_party_orgs_month") && !ret.columns.contains_key("mass_orgs_month"));
    assert_eq!(ret.doubts.iter().map(|d| d.key.as_str()).collect::<Vec<_>>(), ["new_party_orgs_month"]);
    assert!(ret.findings.iter().all(|f| f.rule == "H01" && f.message.contains("没有读取")), "{:?}", messages(&ret));
}

#[test]
fn two_forms_side_by_side_are_two_returns() {
    let left = format!("附件1 统计表\n{HEAD}\n1|北桥街道|{ROW}\n合计||{ROW}");
    let right = format!("附件2 活动台账\n{BOOK}\n1|甲公司|#0|#0|未建\n2|乙公司|#1|#1|联合组建\n3|丙公司|#0|#0|未建");
    for gap in [0, 1, 3] {
        let returns = all(&beside(&left, gap, &right));
        assert_eq!(returns.iter().map(|r| r.form.as_str()).collect::<Vec<_>>(), ["progress", "register"], "{gap}");
        assert_eq!((returns[0].records.len(), names(&returns[1]).len()), (1, 3));
        assert_eq!((messages(&returns[0]), messages(&returns[1])), (vec![], vec![]));
        assert_eq!(said(&returns[1], Origin::Title), ["附件2 活动台账"]);
    }
}

#[test]
fn a_table_may_begin_a_few_rows_lower_than_the_one_beside_it() {
    let left = format!("统计表\n{HEAD}\n1|北桥街道|{ROW}\n合计||{ROW}");
    let right = format!("活动台账\n{BOOK}\n1|甲公司|#0|#0|未建\n2|乙公司|#1|#1|联合组建\n3|丙公司|#0|#0|未建");
    for (gap, lower) in [0, 1].into_iter().flat_map(|gap| [1, 2, 3, 5].map(|lower| (gap, lower))) {
        let down = "\n".repeat(lower);
        for (one, other, forms) in [
            (left.clone(), format!("{down}{right}"), ["progress", "register"]),
            (right.clone(), format!("{down}{left}"), ["register", "progress"]),
        ] {
            let returns = all(&beside(&one, gap, &other));
            assert_eq!(returns.iter().map(|r| r.form.as_str()).collect::<Vec<_>>(), forms, "{gap} {lower}");
            let rows: usize = returns.iter().map(|r| r.records.len()).sum();
            assert_eq!((rows, messages(&returns[0]), messages(&returns[1])), (4, vec![], vec![]), "{gap} {lower}");
        }
    }
}

#[test]
fn a_text_between_two_tables_is_no_row_of_the_first() {
    let book = format!("{BOOK}\n1|甲公司|#0|#0|未建");
    for between in ["填表人：甲某\n||||||企业活动台账", "\n|||||||||||||内部资料", "\n|||||||||||||表号：甲1"]
    {
        let returns = all(&format!("{HEAD}\n1|北桥街道|{ROW}\n{between}\n填报单位：北桥街道\n{book}"));
        assert_eq!(returns.iter().map(|r| r.records.len()).collect::<Vec<_>>(), [1, 1], "{between}");
        assert_eq!((messages(&returns[0]), messages(&returns[1])), (vec![], vec![]), "{between}");
    }
    let title = all(&format!("{HEAD}\n1|北桥街道|{ROW}\n||||||社会组织活动台账\n{book}"));
    assert_eq!(said(&title[1], Origin::Title), ["社会组织活动台账"]);
}

#[test]
fn the_top_of_a_high_header_is_no_row_of_the_table_above() {
    let head = "|基本情况||党建工作情况|||||||||\n||||党员情况|||党组织情况|||新建党组织||\n||||||其中|||其中||||\n\
        单位|组织总数|党员总数||已转|未转||党组织总数|单独|联合|上月|累计|覆盖数|指导员数|党的工作覆盖数";
    let returns = all(&format!("{BOOK}\n1|甲公司|#0|#0|未建\n\n\n统计表\n{head}"));
    assert_eq!((names(&returns[0]), messages(&returns[0])), (vec![Some("甲公司")], vec![]));
}

#[test]
fn a_text_among_the_rows_that_is_no_row_is_told() {
    let ret = only(&format!("{BOOK}\n1|甲公司|#0|#0|未建|||88001234\n||||||||迁来\n2|乙公司|#1|#1|联合组建"));
    assert_eq!(names(&ret), [Some("甲公司"), Some("乙公司")]);
    assert_eq!(messages(&ret), ["第3行只有“迁来”（I3），没有填写“名称”，没有读取；如果是数据，请补全后重报。"]);
    assert_eq!((ret.findings[0].rule.as_str(), ret.findings[0].severity), ("H03", Severity::Info));
    let nameless = only(&format!("{BOOK}\n1|甲公司|#0|#0|未建\n|||#1|联合组建"));
    assert_eq!((nameless.records.len(), nameless.findings[0].is_error()), (2, true));
}

#[test]
fn two_streams_side_by_side_keep_their_titles() {
    let book = |title: &str, name: &str| format!("{title}\n{BOOK}\n1|{name}|#0|#0|未建");
    let drawing = format!(
        "填报单位：北桥街道\n{}",
        beside(&book("非公企业活动台账", "甲公司"), 1, &book("社会组织活动台账", "乙协会"))
    );
    let returns = all(&drawing);
    let titles: Vec<_> = returns.iter().map(|r| said(r, Origin::Title).join("")).collect();
    assert_eq!(titles, ["非公企业活动台账", "社会组织活动台账"]);
    assert_eq!(returns.iter().map(names).collect::<Vec<_>>(), [[Some("甲公司")], [Some("乙协会")]]);
    assert!(returns.iter().all(|r| said(r, Origin::UnitLine) == ["北桥街道"]));
}

#[test]
fn a_book_in_two_halves_beside_each_other_is_one() {
    let left = format!("{BOOK}\n1|甲公司|#0|#0|未建|||88001234\n2|乙公司|#0|#0|未建|||88001235");
    let right = format!("{BOOK}\n3|丙公司|#0|#0|未建");
    for gap in [0, 1] {
        let returns = all(&format!("企业台账\n{}", beside(&left, gap, &right)));
        assert_eq!(returns.len(), 1, "{gap}");
        assert_eq!(names(&returns[0]), [Some("甲公司"), Some("乙公司"), Some("丙公司")]);
        assert!(returns[0].doubts.is_empty());
    }
}

#[test]
fn a_list_of_something_else_beside_a_table_is_none_of_its_business() {
    let book = "序号|名称|党员总数|正式党员数|组建形式|备注\n1|甲公司|#0|#0|未建|\n2|乙公司|#0|#0|未建|";
    let list = "联络员|联系电话\n张某|88001234\n李某|88001235\n王某|88001236";
    let returns = all(&beside(book, 1, list));
    assert_eq!((returns.len(), names(&returns[0])), (1, vec![Some("甲公司"), Some("乙公司")]));
    assert!(!returns[0].columns.contains_key("phone"));
    assert_eq!(messages(&returns[0]), [] as [&str; 0]);
}

#[test]
fn a_table_lower_on_the_sheet_may_begin_beside_another() {
    let below = format!("\n\n\n社会组织活动台账\n{BOOK}\n1|乙协会|#0|#0|未建\n2|丙协会|#0|#0|未建");
    let list = "序号|姓名|职务\n1|甲某|主任\n2|乙某|副主任\n3|丙某|干事\n4|丁某|干事\n5|戊某|干事\n6|己某|干事";
    let returns = all(&beside(list, 1, &below));
    assert_eq!((returns.len(), names(&returns[0])), (1, vec![Some("乙协会"), Some("丙协会")]));
    assert_eq!(returns[0].columns["name"], "F");
}

#[test]
fn a_blank_column_inside_a_table_parts_nothing() {
    let spaced = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        format!("|||||{}||{}||{}", cells[..3].join("|"), cells[3..6].join("|"), cells[6..].join("|"))
    };
    let drawing = format!("\n{}\n\n{}\n", spaced(HEAD), spaced(&format!("1|北桥街道|{ROW}")));
    let ret = only(&drawing);
    assert_eq!((ret.records.len(), messages(&ret)), (1, vec![]));
    assert_eq!((ret.columns["seq"].as_str(), ret.records[0].int("orgs_work_covered")), ("F", Some(5)));
    let remark = only("序号|名称|党员总数|正式党员数|组建形式||备注\n1|甲公司|#0|#0|未建||新增\n2|乙公司|#0|#0|未建");
    assert_eq!(remark.records[0].text("remark"), Some("新增"));
}

#[test]
fn blank_columns_between_blocks_of_a_table_do_not_take_its_names_away() {
    let head = "序号|名称|地址|联系电话||党组织名称|组建形式|党员总数|正式党员数|工会||团支部负责人|备注";
    let row = |n: u8, name: &str, more: &str| format!("\n{n}|{name}|北街{n}号|88001234||甲支部|联建|#1|#1|有||{more}");
    let ret = only(&format!("{head}{}{}", row(1, "甲公司", "甲某|新增"), row(2, "乙公司", "乙某")));
    assert_eq!((names(&ret), messages(&ret)), (vec![Some("甲公司"), Some("乙公司")], vec![]));
    assert_eq!((ret.records[0].text("remark"), ret.records[1].int("members")), (Some("新增"), Some(1)));
    // With a list of something else behind all of it.
    let list = "联络员|传真\n张某|88001234\n李某|88001235\n王某|88001236";
    let ret = only(&beside(&format!("{head}{}{}", row(1, "甲公司", "甲某|新增"), row(2, "乙公司", "乙某")), 1, list));
    assert_eq!((names(&ret), messages(&ret)), (vec![Some("甲公司"), Some("乙公司")], vec![]));
}

#[test]
fn notes_in_front_of_a_table_do_not_swallow_its_rows() {
    let ret = only(&format!("||{BOOK}\n说明：每月报||1|甲公司|#0|#0|未建\n||2|乙公司|#0|#0|未建"));
    assert_eq!((names(&ret), messages(&ret)), (vec![Some("甲公司"), Some("乙公司")], vec![]));
}

#[test]
fn headings_in_four_rows_and_upright_are_read() {
    let ret = only(
        "序\\n号|单\\n位|基本情况|<|党建情况|<|<|<|<|<|<|<|<|<\n\
         ^|^|组\\n织\\n总\\n数|党员情况|<|<|党组织情况|<|<|<|<|党组织\\n覆盖\\n组织数|指导员数|工作\\n覆盖\\n组织数\n\
         ^|^|^|总数|其中|<|总数|其中|<|新建党组织|<|^|^|^\n\
         ^|^|^|^|已转|未转|^|单独|联合|上月|累计|^|^|^\n\
         1|北桥街道|#9|#4|#3|#1|#2|#1|#1|#0|#7|#3|#8|#5",
    );
    assert_eq!((ret.records.len(), messages(&ret)), (1, vec![]));
    assert_eq!((ret.records[0].int("members"), ret.records[0].int("new_party_orgs_total")), (Some(4), Some(7)));
}

#[test]
fn pages_with_their_titles_again_are_one_book() {
    let page = |rows: &str| format!("企业活动台账\n填报单位：北桥街道\n{BOOK}\n{rows}\n");
    let drawing = page("1|甲公司|#0|#0|未建\n2|乙公司|#0|#0|未建") + &page("3|丙公司|#0|#0|未建");
    assert_eq!(all(&drawing).iter().map(|r| r.records.len()).collect::<Vec<_>>(), [3]);
    let again = page("1|甲公司|#0|#0|未建") + &page("1|甲公司|#0|#0|未建");
    assert_eq!(all(&again).len(), 2, "a copy is for the reader of the mail to settle");
}

#[test]
fn hidden_rows_and_columns_that_were_read_are_told() {
    let mut drawn = sheet("台账", &format!("{BOOK}\n1|甲公司|#0|#0|未建\n2|乙公司|#0|#0|未建\n3|丙公司|#0|#0|未建|有"));
    drawn.hidden_rows.extend([0, 2, 3, 9]);
    drawn.hidden_columns.extend([5, 7]);
    let ret = reading(vec![drawn]).returns.remove(0);
    assert_eq!(
        messages(&ret),
        [
            "F列“工会”（F1）是隐藏的，也已读取；如果不该报，请删除该列后重报。",
            "第3-4行是隐藏行（或被筛选隐藏），也已读取；如果不该报，请删除后重报。",
        ]
    );
    assert!(ret.findings.iter().all(|f| f.rule == "H05" && f.severity == Severity::Info));
}

#[test]
fn a_form_on_a_hidden_sheet_is_named_only_if_no_other_is_read() {
    let mut hidden = sheet("旧表", &format!("{BOOK}\n1|甲公司|#0|#0|未建"));
    hidden.hidden = true;
    let note = sheet("说明", "见附件");
    assert_eq!(reading(vec![hidden.clone(), note]).hidden, ["旧表"]);
    assert!(reading(vec![hidden, sheet("新表", PROGRESS)]).hidden.is_empty());
}

#[test]
fn a_total_is_compared_with_the_rows_it_totals() {
    let rows = "1|甲公司|#4|#3|单独组建\n2|乙公司|#1|#1|联合组建";
    let told = |total: &str| only(&format!("{BOOK}\n{rows}\n{total}")).findings;
    assert_eq!(told("合计||#5|#4"), []);
    assert_eq!(told("|共计2家|/|#4"), []);
    let found = told("合计||#6|#4");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule.as_str(), found[0].severity), ("H06", Severity::Warning));
    assert_eq!(found[0].place.cell.as_deref(), Some("C4"));
    assert_eq!(found[0].message, "第4行“合计”“党员总数”（C4）填的是6，各行之和为5，请核对。");
}

#[test]
fn subtotals_total_their_section_and_totals_the_rows_alone() {
    let part = |n: u32| format!("{n}|甲{n}公司|#4|#3|单独组建\n{}|乙{n}公司|#1|#1|联合组建\n小计||#5|#4\n", n + 1);
    let told = |total: &str| only(&format!("{BOOK}\n{}{}{total}", part(1), part(3))).findings.len();
    assert_eq!(told("合计||#10|#8"), 0);
    assert_eq!(told("合计||#20|#8"), 1);
    assert_eq!(told(&format!("{}总计||#15|#12", part(5))), 0);
    assert_eq!(told("小计||#10|#8"), 0, "some call it so");
}

#[test]
fn a_total_says_nothing_where_a_cell_could_not_be_read() {
    let ret = only(&format!("{BOOK}\n1|甲公司|约4|#3|单独组建\n合计||#4|#9"));
    assert_eq!(rules(&ret), ["R02", "H06"]);
    assert_eq!(ret.findings[1].key.as_deref(), Some("members_full"));
}

#[test]
fn closed_entries_may_be_left_out_of_a_total_and_one_row_has_one_too() {
    let closed = format!("{BOOK}\n1|甲公司|#4|#3|单独组建||||正常\n2|乙公司|#2|#2|单独组建||||销户\n合计||#4|#3");
    assert_eq!(only(&closed).findings, []);
    let one = only(&format!("{HEAD}\n1|北桥街道|{ROW}\n|合计|{}", ROW.replace("#9", "#8")));
    assert_eq!(messages(&one), ["第3行“合计”“组织总数”（C3）填的是8，各行之和为9，请核对。"]);
    let none = only(&format!("{HEAD}\n1|北桥街道|{ROW}\n|合计|{}", "#99|".repeat(12)));
    assert_eq!(none.findings.len(), 1, "a row that differs everywhere is told once");
    assert!(messages(&none)[0].contains("有12处与各行之和不符："), "{}", messages(&none)[0]);
}

#[test]
fn many_formulas_without_values_in_a_row_are_told_once() {
    let ret = only(&format!("{HEAD}\n1|北桥街道|{}", "?|".repeat(12)));
    assert_eq!(ret.findings.len(), 1);
    assert_eq!((ret.findings[0].rule.as_str(), ret.findings[0].place.cell.as_deref()), ("W06", Some("C2")));
    assert!(messages(&ret)[0].starts_with("第2行的C2、D2、E2、F2、"), "{}", messages(&ret)[0]);
}

#[test]
fn what_a_cell_showed_is_kept_beside_a_value_that_does_not_say_it() {
    let ret =
        only("序号|名称|党员总数|正式党员数|组建形式|工会|党组织成立时间\n1|甲公司|十二|#12|单建|有|2009年8月3日");
    let raw: Vec<(&str, &str)> = ret.records[0].raw.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(raw, [("founded", "2009年8月3日"), ("members", "十二"), ("party_org_kind", "单建"), ("union", "有")]);
}

#[test]
fn a_digit_apart_from_the_next_is_read_and_told() {
    let ret = only(&format!("{BOOK}\n1|甲公司|2 0|#3|单独组建"));
    assert_eq!(ret.records[0].int("members"), Some(20));
    assert_eq!(messages(&ret), ["第2行“党员总数”（C2）填的是“2 0”，中间有空格，按20读取，如不对请改正。"]);
}

#[test]
fn rows_without_end_cost_nothing() {
    let mut drawn = sheet("台账", &format!("{BOOK}\n1|甲公司|#0|#0|未建"));
    let blank = Cell { value: CellValue::Text(" ".to_owned()), percent: false, formula: false };
    drawn.cells.extend((2..60_000).map(|row| ((row, 1), blank.clone())));
    drawn.merges.push(Merge { first: (5, 0), last: (1_048_575, 16_383) });
    assert_eq!(reading(vec![drawn]).returns[0].records.len(), 1);
}

#[test]
fn a_blank_row_may_stand_between_the_rows_of_a_header() {
    let ret = only(&format!(
        "单位|组织总数|党员总数|其中||党组织总数|其中||新建党组织||覆盖数|指导员数|党的工作覆盖数\n\n|||已转|未转||单独|联合|上月|累计|||\n\n甲|{ROW}"
    ));
    assert_eq!((ret.records.len(), messages(&ret)), (1, vec![]));
    let empty = format!("企业台账\n{BOOK}\n\n{BOOK}\n1|甲公司|#0|#0|未建");
    assert_eq!(names(&only(&empty)), [Some("甲公司")]);
}
