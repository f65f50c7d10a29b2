use super::*;
use crate::form::{Datum, Place};
use crate::ledger::changes::{Cell, Change, What};
use crate::outbox::compose::Why;
use crate::outbox::compose::changes::Versus;
use crate::outbox::compose::rules::RULES;
use crate::period::Period;
use chrono::TimeZone;
use chrono_tz::Asia::Shanghai;
use proptest::prelude::*;

fn at(day: u32, hour: u32, minute: u32) -> DateTime<Tz> {
    Shanghai.with_ymd_and_hms(2011, 9, day, hour, minute, 0).unwrap()
}

fn finding(rule: &str, severity: Severity, cell: &str, message: &str) -> Finding {
    let place = Place {
        file: Some("云岭街道8月报表.xls".into()),
        sheet: Some("台账".into()),
        cell: Some(cell.into()),
        row: None,
    };
    Finding::new(rule, severity, place, message)
}

fn owed(stream: &str, form: &str) -> Owed {
    Owed {
        unit: "云岭街道".into(),
        stream: stream.into(),
        form: form.into(),
        period: "2011-08".parse().unwrap(),
        due: Shanghai.with_ymd_and_hms(2011, 9, 25, 23, 59, 59).unwrap(),
        why: Why::NothingCame,
        mailbox: "fgdw@mail.test".into(),
    }
}

fn figure(label: &str, before: i64, now: i64) -> Figure {
    Figure { label: label.into(), before: Datum::Int(before), now: Datum::Int(now) }
}

fn progress(fate: Fate) -> Taken {
    Taken {
        unit: "云岭街道".into(),
        stream: "非公有制企业".into(),
        form: "附件1 统计表".into(),
        period: "2011-08".parse().unwrap(),
        fate,
        versus: Versus::First,
        reported: false,
        rows: None,
        figures: vec![
            figure("组织总数", 118, 120),
            figure("党员总数", 205, 210),
            figure("党组织总数", 31, 33),
            figure("新建党组织/累计", 4, 6),
            Figure { label: "组织覆盖率".into(), before: Datum::Null, now: Datum::Rate(56.0) },
        ],
    }
}

fn register(fate: Fate, withheld: Vec<u32>) -> Taken {
    let rows = Some(Rows { admitted: 118, withheld });
    Taken { form: "附件2 台账".into(), rows, figures: vec![], ..progress(fate) }
}

const FIRST: Fate = Fate::Accepted { version: 1, late: false };

fn receipt(outcome: Outcome, taken: Vec<Taken>, findings: Vec<Finding>) -> Receipt {
    Receipt {
        subject: "云岭街道8月报表".into(),
        addressee: "云岭街道".into(),
        received: at(23, 10, 12),
        now: at(23, 10, 13),
        outcome,
        taken,
        findings,
        owed: Some(vec![]),
        marked: vec![],
        full_list: None,
        last: None,
        withdrawn: false,
        changes_list: None,
        contact: "区委组织部 王老师 0531-00000000".into(),
        signature: "区非公党工委".into(),
    }
}

fn text(receipt: &Receipt) -> String {
    compose(receipt).text
}

#[test]
fn a_clean_return_is_confirmed_with_its_figures() {
    let receipt = receipt(Outcome::Accepted, vec![progress(FIRST), register(FIRST, vec![])], vec![]);
    assert_eq!(compose(&receipt).subject, "回复：云岭街道8月报表");
    assert_eq!(
        text(&receipt),
        "\
【已入账，没有发现问题】
云岭街道：
9月23日10:12发来的邮件已收到，报表已入账。

◆ 收到的报表
· 附件1 统计表，非公有制企业，2011年8月：已入账，第1次报送
  2011年7月 → 2011年8月：
  组织总数 118 → 120；党员总数 205 → 210；党组织总数 31 → 33
  新建党组织/累计 4 → 6；组织覆盖率 — → 56.0%
· 附件2 台账，非公有制企业，2011年8月：已入账，第1次报送，共入账118行

◆ 报送情况
· 本期应报的报表已经报齐，谢谢。

————————
本邮件由系统自动发出。
有疑问请打电话：区委组织部 王老师 0531-00000000
区非公党工委
"
    );
}

#[test]
fn a_partly_taken_book_puts_its_errors_first_and_groups_two_hundred_warnings() {
    let mut findings = vec![
        finding("R05", Severity::Error, "J12", "正式党员数5大于党员总数4"),
        finding("R05", Severity::Error, "J31", "已转2加未转3不等于党员总数4"),
        finding("R03", Severity::Error, "B40", "“白鹭精工有限公司”与第18行重复"),
        finding("H01", Severity::Info, "I4", "“党员总人数”一列按“党员总数”读取"),
    ];
    let gap = |n| finding("R06", Severity::Warning, &format!("L{n}"), "正式党员4名，没有单独组建党组织");
    findings.extend((5..203).map(gap));
    let receipt = Receipt {
        owed: Some(vec![
            owed("非公有制企业", "附件1 统计表"),
            owed("社会组织", "附件1 统计表"),
            owed("社会组织", "附件2 台账"),
        ]),
        full_list: Some("问题清单.xlsx".into()),
        ..receipt(
            Outcome::Partly,
            vec![Taken {
                versus: replaces(vec![]),
                ..register(Fate::Accepted { version: 2, late: true }, vec![12, 31, 40])
            }],
            findings,
        )
    };
    assert_eq!(
        text(&receipt),
        "\
【部分入账，有3处错误请改正后重发】
云岭街道：
9月23日10:12发来的邮件已收到。有错误的部分没有入账，其余已入账。请改正后把整份表重新发来，新的一份会代替旧的。
全部问题逐条列在附件《问题清单.xlsx》里。
改好后直接回复本邮件、附上表格即可。

◆ 请改正：3处
1. 同一家或同一代码在台账里出现两次（R03，1处）
   · B40：“白鹭精工有限公司”与第18行重复
   → 请保留一行，删去重复的；确是两家的，请改正代码。
2. 党员人数对不上（R05，2处）
   · J12：正式党员数5大于党员总数4
   · J31：已转2加未转3不等于党员总数4
   → 正式党员不能多于党员总数，已转与未转之和应等于党员总数，请核对。

◆ 收到的报表
· 附件2 台账，非公有制企业，2011年8月：已入账，第2次报送，迟报，内容与第1次报送（9月20日08:05）完全相同，共入账118行；有错误没有入账的是第12、31、40行

◆ 请核对（已入账）：198处
1. 应建未建：正式党员3名以上，没有单独建党组织（R06，198处）
   · L5、L6、L7、L8、L9、L10等198处：正式党员4名，没有单独组建党组织
   → 请核对人数和组建形式；情况属实请抓紧组建。

◆ 系统是这样读取的，如有不符请电话告知
· “党员总人数”一列按“党员总数”读取

◆ 还需报送
· 2011年8月（截止9月25日24时）：非公有制企业 附件1 统计表；社会组织 附件1 统计表、附件2 台账

————————
本邮件由系统自动发出。
有疑问请打电话：区委组织部 王老师 0531-00000000
区非公党工委
"
    );
}

/// What the ledger says of a book that leaves organisations out: no place on the sheet.
fn missing(name: &str) -> Finding {
    let place = Place { file: Some("台账.xlsx".into()), sheet: Some("台账".into()), ..Place::default() };
    let message = format!("“{name}”在2011年7月台账“附件2”第6行，这次没有，也没有销户，仍按在册保留；漏报的请补上。");
    Finding::new("R11", Severity::Warning, place, message)
}

#[test]
fn many_organisations_that_are_missing_stand_in_one_line() {
    let names =
        ["白鹭精工", "青禾商行", "云岭广告", "石桥物流", "竹溪茶业", "南湖印务", "松风家具", "桂花食品", "平湖服装"];
    let some = |n: usize| {
        let findings = names[..n].iter().map(|name| missing(name)).collect();
        text(&receipt(Outcome::Accepted, vec![register(Fate::Accepted { version: 1, late: false }, vec![])], findings))
    };
    let two = some(2);
    assert!(two.contains("   · “青禾商行”在2011年7月台账“附件2”第6行，这次没有"), "{two}");
    let nine = some(9);
    assert!(
        nine.contains(
            "\
◆ 请核对（已入账）：9处
1. 上次台账里有，这次没有，也没有销户（R11，9处）
   · “白鹭精工”、“青禾商行”、“云岭广告”、“石桥物流”、“竹溪茶业”、“南湖印务”、“松风家具”、“桂花食品”等9家
   → 已经不在的，请补填一行，状态填“销户”并写明原因和时间；漏报的，请补上后把整份台账重发。
"
        ),
        "{nine}"
    );
}

#[test]
fn a_locked_workbook_is_told_how_to_unlock() {
    let place = Place { file: Some("8月报表.xlsx".into()), ..Place::default() };
    let locked = Finding::new("W01", Severity::Error, place, "《8月报表.xlsx》加了密码");
    let receipt = Receipt {
        owed: Some(vec![owed("非公有制企业", "附件1 统计表")]),
        now: at(26, 9, 0),
        ..receipt(Outcome::Rejected, vec![], vec![locked])
    };
    let text = text(&receipt);
    assert!(text.starts_with("【没有入账：文件加了密码，打不开，请改正后重发】\n"), "{text}");
    assert!(text.contains("   · 《8月报表.xlsx》加了密码\n   → 请取消密码、保存后再发：WPS 点"));
    assert!(text.contains("· 2011年8月（已过截止时间9月25日24时）：非公有制企业 附件1 统计表"));
}

#[test]
fn what_waits_for_a_person_is_not_called_an_error() {
    let other =
        Finding::new("M03", Severity::Error, Place::default(), "表内填报单位是“松溪镇”，本邮箱登记的是“云岭街道”");
    let receipt = receipt(Outcome::Quarantined, vec![progress(Fate::Quarantined)], vec![other]);
    let text = text(&receipt);
    assert!(text.starts_with("【已收到，需区里人工核实后入账】\n"));
    assert!(text.contains("◆ 需要人工核实的原因\n1. 表里的单位不是该发件邮箱登记的单位（M03，1处）\n"));
    assert!(!text.contains("请改正：") && !text.contains("报齐"), "{text}");
    assert!(!text.contains("118"), "last month's figures may be another unit's\n{text}");
}

#[test]
fn a_mail_without_a_form_from_a_unit_that_owes_is_told_what_is_missing() {
    let receipt = Receipt {
        owed: Some(vec![owed("社会组织", "附件2 台账")]),
        ..receipt(Outcome::NoForm, vec![], vec![])
    };
    let text = text(&receipt);
    assert!(
        text.starts_with(
            "【没有收到报表】\n云岭街道：\n9月23日10:12发来的邮件已收到并保存，但其中没有可以入账的报表。"
        )
    );
    assert!(text.contains("请把填好的表格作为附件发来"));
    assert!(text.contains("社会组织 附件2 台账"));
}

#[test]
fn a_failure_of_our_own_is_never_the_senders() {
    let ours = Finding::new("W07", Severity::Error, Place::default(), "读取超时");
    let text = text(&Receipt { owed: None, ..receipt(Outcome::OurFailure, vec![], vec![ours]) });
    assert!(text.contains("不是您的报表有问题") && text.contains("不必重发"));
    assert!(!text.contains("改正") && !text.contains("W07"), "{text}");
}

fn replaces(changes: Vec<Change>) -> Versus {
    Versus::Replaces { version: 1, received: at(20, 8, 5), changes }
}

fn members(count: usize) -> Vec<Change> {
    let cell = |n: usize| Cell {
        label: "党员总数".into(),
        before: n.to_string(),
        now: (n + 1).to_string(),
        cell: Some(format!("F{n}")),
    };
    let what = What::Figures((1..=count).map(cell).collect());
    vec![Change { what, sheet: "附件1".into(), row: 5, withheld: false, was_withheld: false }]
}

const SECOND: Fate = Fate::Accepted { version: 2, late: false };

#[test]
fn a_correction_says_what_it_changed() {
    let corrected = Taken { versus: replaces(members(1)), reported: true, figures: vec![], ..progress(SECOND) };
    let text = text(&receipt(Outcome::Accepted, vec![corrected], vec![]));
    assert!(
        text.contains(
            "\
9月23日10:12发来的邮件已收到，报表已入账。
2011年8月的汇总已经发出，这次更正会在下一次汇总里列明。

◆ 收到的报表
· 附件1 统计表，非公有制企业，2011年8月：已入账，第2次报送（更正）

◆ 附件1 统计表比第1次报送（9月20日08:05）改动：1处
· 党员总数 1 → 2（F1）
"
        ),
        "{text}"
    );
}

#[test]
fn the_same_once_more_is_said_to_be_the_same() {
    let same = Taken { versus: replaces(vec![]), reported: true, ..progress(SECOND) };
    let text = text(&receipt(Outcome::Accepted, vec![same], vec![]));
    assert!(text.starts_with("【已收到，内容与上次报送完全相同】\n"), "{text}");
    assert!(text.contains("已入账，第2次报送，内容与第1次报送（9月20日08:05）完全相同\n"), "{text}");
    assert!(!text.contains("更正）") && !text.contains("下一次汇总"), "{text}");
}

#[test]
fn a_version_that_comes_after_its_correction_is_kept_and_does_not_count() {
    let newer = Versus::Outdated { version: 2, received: at(22, 9, 30) };
    let text = text(&receipt(Outcome::Accepted, vec![Taken { versus: newer, ..progress(FIRST) }], vec![]));
    assert!(text.starts_with("【已存档，以后来收到的一份为准】\n"), "{text}");
    assert!(text.contains("已存档，第1次报送；以9月22日09:30收到的第2次报送为准\n"), "{text}");
}

#[test]
fn whoever_sends_a_repeat_is_told_what_to_do_if_that_was_no_mistake() {
    let replaced = Fate::Repeated(Repeated::Replaced(at(22, 9, 30)), at(20, 8, 5));
    let old = text(&receipt(Outcome::Duplicate(Told::Replaced), vec![progress(replaced)], vec![]));
    assert!(old.contains("主题里写明“以此为准”") && !old.contains("118"), "{old}");
    assert!(old.contains("2011年8月：与9月20日08:05报来的相同，已被9月22日09:30的更正代替，没有入账\n"), "{old}");
    let counting = Fate::Repeated(Repeated::Counting, at(20, 8, 5));
    let same = text(&receipt(Outcome::Duplicate(Told::Uncorrected), vec![progress(counting)], vec![]));
    assert!(same.contains("请检查是不是附了旧文件，或者改好后没有保存"), "{same}");
    let wrong = vec![finding("R05", Severity::Error, "J12", "正式党员数5大于党员总数4")];
    let rejected = Fate::Repeated(Repeated::Rejected, at(20, 8, 5));
    let uncured = text(&receipt(Outcome::Duplicate(Told::Uncured), vec![progress(rejected)], wrong));
    assert!(uncured.contains("错误还没有改") && uncured.contains("J12"), "{uncured}");
}

#[test]
fn a_long_correction_leaves_the_rest_to_the_list() {
    let long = Taken { versus: replaces(members(40)), ..progress(SECOND) };
    let receipt =
        Receipt { changes_list: Some("更正对照.xlsx".into()), ..receipt(Outcome::Accepted, vec![long], vec![]) };
    assert!(text(&receipt).contains("· 另有32处，全部列在附件《更正对照.xlsx》里\n"));
}

#[test]
fn several_files_and_sheets_are_named_only_where_they_differ() {
    let mut second = finding("P03", Severity::Error, "F6", "已转加未转不等于党员总数");
    second.place.file = Some("附件1.xlsx".into());
    second.place.sheet = Some("统计表".into());
    let receipt = receipt(
        Outcome::Rejected,
        vec![progress(Fate::Rejected)],
        vec![finding("R01", Severity::Error, "C9", "党员总数没有填"), second],
    );
    let text = text(&receipt);
    assert!(text.contains("《附件1.xlsx》“统计表”表F6：已转加未转不等于党员总数"), "{text}");
    assert!(text.contains("· 附件1 统计表，非公有制企业，2011年8月：没有入账"));
}

fn marked(name: &str, red: bool, yellow: bool) -> Marked {
    Marked { name: name.into(), red, yellow }
}

#[test]
fn a_table_that_goes_back_marked_says_what_its_colours_mean_and_how_to_return_it() {
    let wrong = finding("R05", Severity::Error, "J12", "正式党员数5大于党员总数4");
    let of = |outcome, marked| text(&Receipt { marked, ..receipt(outcome, vec![], vec![wrong.clone()]) });
    let one = of(Outcome::Rejected, vec![marked("台账（已标出问题）.xlsx", true, false)]);
    assert!(
        one.contains(
            "附件《台账（已标出问题）.xlsx》是您报来的表，有错误的单元格已标红，并加了批注；请在这份表里改，改好后直接回复本邮件发回即可。\n"
        ),
        "{one}"
    );
    assert!(!one.contains("附上表格"), "said once\n{one}");
    let several = of(
        Outcome::Partly,
        vec![marked("甲.xlsx", false, true), marked("乙.xlsx", true, false), marked("丙.xlsx", false, true)],
    );
    assert!(several.contains("附件《甲.xlsx》《乙.xlsx》等3份是您报来的表，有错误的单元格已标红、需核对的已标黄，"));
    let fine = of(Outcome::Accepted, vec![marked("台账.xlsx", false, true)]);
    assert!(fine.contains("需核对的单元格已标黄，并加了批注；没有填错就不用再发；要更正的，"), "{fine}");
}

#[test]
fn every_rule_has_words_of_its_own() {
    for (n, (id, wording)) in RULES.iter().enumerate() {
        assert!(!wording.title.is_empty() && wording.advice.ends_with(['。', '）']), "{id}");
        assert!(RULES[..n].iter().all(|(other, w)| other != id && w.title != wording.title), "{id} twice");
    }
}

/// The very worst (every rule at once, dozens of forms) is a screen and a half; 400 findings never become a list.
const WORST: usize = 70;

fn any_finding() -> impl Strategy<Value = Finding> {
    let severity = prop_oneof![Just(Severity::Error), Just(Severity::Warning), Just(Severity::Info)];
    (0..RULES.len(), severity, 1u32..500, 0usize..300).prop_map(|(rule, severity, row, length)| {
        finding(RULES[rule].0, severity, &format!("B{row}"), &"错".repeat(length))
    })
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Partly),
        Just(Outcome::Rejected),
        Just(Outcome::Quarantined),
        Just(Outcome::NoForm)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_receipt_stays_on_its_screen_and_names_every_error_rule(
        findings in prop::collection::vec(any_finding(), 0..400),
        outcome in any_outcome(),
        forms in 0usize..60,
    ) {
        let taken = vec![register(Fate::Accepted { version: 1, late: false }, (1..300).collect()); forms];
        let mut receipt = receipt(outcome, taken, findings);
        for one in &mut receipt.taken {
            one.figures = progress(FIRST).figures;
        }
        receipt.marked = vec![marked(&"长".repeat(90), true, true); forms];
        let backlog = (0..40).map(|n| Owed { period: "2011-08".parse::<Period>().unwrap().plus(-n), ..owed("社会组织", "附件2 台账") });
        receipt.owed = Some(backlog.collect());
        let mail = compose(&receipt);
        prop_assert!(mail.text.lines().count() <= WORST, "{} lines\n{}", mail.text.lines().count(), mail.text);
        prop_assert!(mail.text.lines().all(|line| line.chars().count() <= 200), "{}", mail.text);
        for error in receipt.findings.iter().filter(|f| f.is_error()) {
            prop_assert!(mail.text.contains(&format!("（{}，", error.rule)), "{} in\n{}", error.rule, mail.text);
            prop_assert!(mail.html.contains(&format!("（{}，", error.rule)), "{} in HTML", error.rule);
        }
    }
}
