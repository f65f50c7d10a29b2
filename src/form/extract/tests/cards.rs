//! Cards and tables on their side: labels with the values beside or below them.

use super::layout::{all, rules};
use super::*;

const CARD: &str = "活动进展情况统计表\n单位|北桥街道|组织总数|#9\n党员总数|#4|已转组织关系|#3\n未转组织关系|#1|党组织总数|#2\n\
    单独组建|#1|联合组建|#1\n新建党组织|上月|#0|累计|#7\n党组织覆盖组织数|#3|工作覆盖组织数|#5\n选派党建指导员|上月|#1|累计|#8\n备注|—";

#[test]
fn figures_may_come_as_a_card() {
    let ret = only(CARD);
    assert_eq!((ret.form.as_str(), ret.records.len(), messages(&ret)), ("progress", 1, vec![]));
    let of = |key: &str| ret.records[0].int(key);
    assert_eq!((of("new_party_orgs_month"), of("new_party_orgs_total")), (Some(0), Some(7)));
    assert_eq!((of("instructors_total"), of("orgs_work_covered")), (Some(8), Some(5)));
    assert_eq!(said(&ret, Origin::UnitColumn), ["北桥街道"]);
    let short = only(&CARD.replace("联合组建|#1", "其他|#1"));
    assert_eq!((rules(&short), short.findings[0].is_error()), (vec!["P01"], true));
}

#[test]
fn a_register_card_is_not_read_as_figures_too() {
    let card = "单位名称|甲公司\n党员总数|#2\n正式党员数|#2\n已转组织关系|#1\n未转组织关系|#1\n组建形式|单独组建\n备注|无\n序号|#1";
    let ret = only(card);
    assert_eq!((ret.form.as_str(), names(&ret)), ("register", vec![Some("甲公司")]));
}

#[test]
fn figures_may_lie_on_their_side() {
    let turned = "活动进展情况统计表\n单位|北桥街道\n组织总数|#9\n党员总数|#4\n其中：已转组织关系|#3\n未转组织关系|#1\n党组织总数|#2\n\
        其中：单独组建|#1\n联合组建|#1\n新建党组织上月|#0\n新建党组织累计|#7\n党组织覆盖组织数|#3\n选派党建指导员上月|#1\n\
        选派党建指导员累计|#8\n工作覆盖组织数|#5\n备注|";
    let ret = only(turned);
    assert_eq!((ret.form.as_str(), ret.records.len(), messages(&ret)), ("progress", 1, vec![]));
    let of = |key: &str| ret.records[0].int(key);
    let keys = ["new_party_orgs_month", "new_party_orgs_total", "instructors_month", "instructors_total"];
    assert_eq!(keys.map(of), [0, 7, 1, 8].map(Some));
}

#[test]
fn a_value_that_reads_like_a_label_of_the_card_is_a_value() {
    let ret = only(
        "企业台账\n名称|甲公司|联系电话|88001234\n党员总数|#1|正式党员数|#1\n组建形式|联建|活动场所|有\n工会|有|备注|活动场所",
    );
    assert_eq!((ret.records[0].get("venue"), messages(&ret)), (&Datum::Bool(true), vec![]));
    assert_eq!(ret.records[0].text("remark"), Some("活动场所"));
}

#[test]
fn whose_founding_date_a_card_has_is_told_by_the_cards_without_a_party_organisation() {
    let card = |name: &str, date: &str, kind: &str| {
        format!(
            "名称|{name}|成立时间|{date}\n地址|北街1号|联系电话|88001234\n党员总数|#1|正式党员数|#1\n组建形式|{kind}|工会|无\n\n"
        )
    };
    let book = |dates: [&str; 3]| {
        let cards =
            [card("甲公司", dates[0], "单独组建"), card("乙公司", dates[1], "未建"), card("丙公司", dates[2], "联建")];
        only(&format!("企业台账\n{}", cards.concat()))
    };
    let theirs = book(["2008-7-1", "/", "2009-7-1"]);
    assert_eq!((theirs.records[0].text("founded"), messages(&theirs)), (Some("2008-07-01"), vec![]));
    assert_eq!(theirs.records[1].get("founded"), &Datum::Null);
    let own = book(["1998-7-1", "1999-5-1", "2001-7-1"]);
    assert!(own.records.iter().all(|r| !r.values.contains_key("founded")));
    assert_eq!(own.findings.iter().map(|f| f.rule.as_str()).collect::<Vec<_>>(), ["H01", "H01", "H01"]);
    // On sheets of their own as well.
    let sheets = [card("甲公司", "2008-7-1", "单独组建"), card("乙公司", "", "未建")];
    let sheets = sheets.iter().enumerate().map(|(i, c)| sheet(&format!("卡{i}"), &format!("企业台账\n{c}")));
    let ret = reading(sheets.collect()).returns.remove(0);
    assert_eq!((ret.records[0].text("founded"), messages(&ret)), (Some("2008-07-01"), vec![]));
}

#[test]
fn cards_stand_beside_and_below_each_other() {
    let card = |name: &str| {
        format!(
            "名称|{name}|党员总数|#1\n正式党员数|#1|组建形式|联建\n工会|有|联系电话|88001234\n书记姓名|甲某|共青团|无"
        )
    };
    let two = |a: &str, b: &str| beside(&card(a), 1, &card(b));
    let ret = only(&format!("企业台账\n{}\n\n{}", two("甲公司", "乙公司"), two("丙公司", "丁公司")));
    let mut found = names(&ret);
    found.sort_unstable();
    let mut expected = [Some("甲公司"), Some("乙公司"), Some("丙公司"), Some("丁公司")];
    expected.sort_unstable();
    assert_eq!((found, messages(&ret)), (expected.to_vec(), vec![]));
    assert!(ret.records.iter().all(|r| r.int("members") == Some(1) && r.get("union") == &Datum::Bool(true)));
}

#[test]
fn a_table_that_lies_on_its_side_has_an_entry_a_column() {
    let turned = "企业台账\n名称|甲公司|乙公司|丙公司\n党员总数|#1|#2|#0\n正式党员数|#1|#2|#0\n组建形式|联建|单建|未建\n工会|有||无";
    let ret = only(turned);
    assert_eq!((names(&ret), messages(&ret)), (vec![Some("甲公司"), Some("乙公司"), Some("丙公司")], vec![]));
    assert_eq!(ret.records.iter().map(|r| r.int("members")).collect::<Vec<_>>(), [Some(1), Some(2), Some(0)]);
    let unclear = turned.replace("名称|甲公司|乙公司|丙公司", "名称|甲公司");
    assert!(all(&unclear).is_empty(), "whose the second values are is not said");
}

#[test]
fn a_blank_column_may_stand_between_labels_and_values() {
    let ret = only("企业台账\n名称||甲公司\n党员总数||#1\n正式党员数||#1\n组建形式||联建\n工会||有");
    assert_eq!((names(&ret), messages(&ret)), (vec![Some("甲公司")], vec![]));
}

#[test]
fn sections_of_a_card_are_groups_of_its_labels() {
    let ret = only(
        "企业台账\n基本情况|<|<|<\n名称|甲公司|联系电话|88001234\n党员情况|<|<|<\n党员总数|#1|正式党员数|#1\n党组织情况|<|<|<\n\
         组建形式|联建|名称|甲支部\n群团组织|<|<|<\n工会|有|共青团|无",
    );
    assert_eq!(
        (names(&ret), ret.records[0].text("party_org"), messages(&ret)),
        (vec![Some("甲公司")], Some("甲支部"), vec![])
    );
}

#[test]
fn a_field_that_a_card_asks_for_twice_is_not_chosen() {
    let ret = only(
        "企业台账\n名称|甲公司|联系电话|88001234\n党员总数|#1|党员人数|#2\n正式党员数|#1|组建形式|联建\n工会|有|电话|88005678",
    );
    assert_eq!((ret.records[0].get("members"), ret.records[0].get("phone")), (&Datum::Null, &Datum::Null));
    assert_eq!(
        ret.findings.iter().map(|f| (f.rule.as_str(), f.is_error())).collect::<Vec<_>>(),
        [("R02", true), ("R02", false)]
    );
}
