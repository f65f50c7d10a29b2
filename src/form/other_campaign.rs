//! Another campaign, invented: trees that villages plant. Its forms bring their columns and rules, and no code knows them.

use chrono::NaiveDate;

use super::book_figures::{self, Book};
use super::history::{self, Earlier};
use super::{Campaign, Finding, Reading, Return, Severity, check, compare, extract};
use crate::period::Period;
use crate::workbook::{Cell, CellValue, Sheet, Workbook};

const CAMPAIGN: &str = r#"
title = "“绿满村庄”活动"
[[stream]]
key = "green"
title = "绿化"
organisation = "林地"
words = ["绿化"]
[labels]
unit = ["填报单位"]
"#;

const FIGURES: &str = r#"
key = "planting"
kind = "figures"
title = "植树进度表"
short_title = "植树表"
words = ["植树进度表"]
identity = "village"

[[column]]
key = "village"
heading = ["村"]
kind = "text"
text = "name"
required = true
[[column]]
key = "trees"
heading = ["树木总数"]
kind = "count"
required = true
[[column]]
key = "pines"
heading = ["松树"]
kind = "count"
[[column]]
key = "others"
heading = ["其他树种"]
kind = "count"
[[column]]
key = "alive"
heading = ["成活率"]
kind = "rate"
[[column]]
key = "living"
heading = ["成活株数"]
kind = "count"
[[column]]
key = "planted_month"
heading = ["当月新植"]
kind = "count"
[[column]]
key = "planted_total"
heading = ["全年新植"]
kind = "count"

[[rule]]
id = "S05"
severity = "info"
[[sum]]
whole = "trees"
parts = ["pines", "others"]
rule = "S01"
severity = "error"
[[at_most]]
whole = "trees"
parts = ["living"]
rule = "S02"
severity = "warning"
[[rate]]
rate = "alive"
part = "living"
whole = "trees"
rule = "S03"
severity = "warning"
[[cumulative]]
month = "planted_month"
total = "planted_total"
exceeds = "S04"
adds_up = "S05"
falls = "S06"
[[expect]]
rule = "S07"
severity = "warning"
when = [{ column = "alive", at_most = 59 }]
must = [{ column = "planted_month", at_least = 1 }]
text = "成活率只有{alive}，{planted_month:label}{planted_month:cell}却是{planted_month}，请补植。"
[repeated]
rule = "S08"
figures = 3
[history]
rule = "S09"
last = 6
enough = 3
factor = 4
slip = 8
floor = 10
[[from_book]]
figure = "trees"
rule = "S10"
terms = [{ sum = "stems" }]
[[from_book]]
figure = "pines"
rule = "S10"
terms = [{ when = [{ column = "kind", is = "松树" }], sum = "stems" }]
"#;

const BOOK: &str = r#"
key = "plots"
kind = "book"
title = "林地登记册"
short_title = "登记册"
words = ["林地登记册"]
identity = "plot"

[[column]]
key = "plot"
heading = ["地块名称"]
kind = "text"
text = "name"
required = true
[[column]]
key = "kind"
heading = ["树种"]
kind = "choice"
choices = [{ value = "松树", spellings = ["松"] }, { value = "杂木", spellings = [] }]
required = true
[[column]]
key = "stems"
heading = ["株数"]
kind = "count"
required = true
[[column]]
key = "fenced"
heading = ["有无围栏"]
kind = "yesno"
[[column]]
key = "keeper"
heading = ["护林员"]
kind = "text"
text = "person"

[[expect]]
rule = "T01"
severity = "warning"
when = [{ column = "stems", at_least = 100 }, { column = "fenced", yes = false }]
must = [{ column = "keeper", blank = false }]
text = "有{stems}株，没有围栏，也没有{missing}，请落实。"
[[expect]]
rule = "T02"
severity = "error"
when = [{ column = "kind", is_not = "杂木" }]
must = [{ column = "stems", at_least = 1 }]
text = "写的是{kind}，株数{stems:cell}却是0。"
"#;

fn campaign() -> Campaign {
    Campaign::parse(&[("campaign.toml", CAMPAIGN), ("plots.toml", BOOK), ("planting.toml", FIGURES)]).unwrap()
}

/// A sheet whose cells are parted by `|`, digits being numbers.
fn read(campaign: &Campaign, file: &str, drawing: &str) -> Return {
    let mut sheet = Sheet { name: "Sheet1".to_owned(), ..Sheet::default() };
    for (r, line) in drawing.lines().enumerate() {
        for (c, text) in line.split('|').enumerate().filter(|(_, text)| !text.is_empty()) {
            let value = text.parse().map_or_else(|_| CellValue::Text(text.to_owned()), CellValue::Number);
            sheet.cells.insert((r as u32, c as u32), Cell { value, percent: false, formula: false });
        }
    }
    let Reading { mut returns, .. } = extract::read(&Workbook { sheets: vec![sheet] }, campaign, file, day());
    assert_eq!(returns.len(), 1, "{drawing}");
    returns.remove(0)
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2013, 4, 20).unwrap()
}

fn checked(campaign: &Campaign, ret: &Return) -> Vec<Finding> {
    let form = campaign.form(&ret.form).unwrap();
    let mut findings = ret.findings.clone();
    findings.extend(check::check(ret, form, "2013-03".parse().unwrap(), day()));
    form.weigh(findings)
}

fn told(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|f| (f.rule.as_str(), f.place.cell.as_deref().unwrap_or_default())).collect()
}

const HEAD: &str = "植树进度表\n村|树木总数|松树|其他树种|成活株数|成活率|当月新植|全年新植\n";

fn planting(campaign: &Campaign, figures: &str) -> Return {
    read(campaign, "进度.xls", &format!("{HEAD}柳河村|{figures}"))
}

const PLOTS: &str =
    "林地登记册\n地块名称|树种|株数|有无围栏|护林员\n东坡|松树|120|无|\n西坡|杂木|80|有|\n北沟|松|0|有|甲某";

#[test]
fn its_own_rules_hold_within_a_row() {
    let campaign = campaign();
    assert_eq!(checked(&campaign, &planting(&campaign, "200|150|50|190|95|10|30")), []);
    let wrong = planting(&campaign, "200|150|40|210|50|0|30");
    let findings = checked(&campaign, &wrong);
    assert_eq!(told(&findings), [("S01", "B3"), ("S02", "E3"), ("S03", "F3"), ("S07", "G3")]);
    assert!(check::Faults::of(&findings).reject(&wrong, campaign.form("planting").unwrap()));
    assert_eq!(findings[3].message, "第3行成活率只有50%，当月新植（G3）却是0，请补植。");
    let more = planting(&campaign, "200|150|50|190|95|40|30");
    assert_eq!(told(&checked(&campaign, &more)), [("S04", "G3")]);

    let plots = read(&campaign, "登记册.xls", PLOTS);
    let findings = checked(&campaign, &plots);
    assert_eq!(told(&findings), [("T01", "E3"), ("T02", "C5")]);
    assert_eq!(findings[0].message, "第3行“东坡”有120株，没有围栏，也没有“护林员”（E3），请落实。");
    let withheld: Vec<bool> = plots.records.iter().map(|r| check::Faults::of(&findings).withhold(r)).collect();
    assert_eq!(withheld, [false, false, true]);
}

#[test]
fn its_own_rules_hold_against_what_came_before_and_against_its_book() {
    let campaign = campaign();
    let form = campaign.form("planting").unwrap();
    let (before, now) = (planting(&campaign, "200|150|50|190|95|10|30"), planting(&campaign, "200|150|50|190|95|5|20"));
    let last = Earlier { period: "2013-02".parse().unwrap(), values: &before.records[0].values };
    let against = |ret: &Return| form.weigh(compare::against(&last, ret, &ret.records[0], form));
    let findings = against(&now);
    assert_eq!(
        findings.iter().map(|f| (f.rule.as_str(), f.severity)).collect::<Vec<_>>(),
        [("S06", Severity::Warning), ("S05", Severity::Info)]
    );
    assert!(told(&against(&before)).iter().any(|(rule, _)| *rule == "S08"));

    let first: Period = "2012-12".parse().unwrap();
    let earlier: Vec<Earlier<'_>> =
        (0..3).map(|n| Earlier { period: first.plus(n), values: &before.records[0].values }).collect();
    let tenfold = planting(&campaign, "2000|1500|500|1900|95|10|40");
    let far = history::against_history(&earlier, first.plus(3), &tenfold, &tenfold.records[0], form);
    assert!(far.iter().all(|f| f.rule == "S09"));
    assert_eq!(far.iter().filter_map(|f| f.key.as_deref()).collect::<Vec<_>>(), ["trees", "pines", "others", "living"]);

    let plots = read(&campaign, "登记册.xls", PLOTS);
    let records: Vec<_> = plots.records.iter().collect();
    let none = std::collections::BTreeSet::new();
    let book = Book { form: campaign.form("plots").unwrap(), file: "登记册.xls", records: &records, wrong: &none };
    let differs = book_figures::against_book(&before, &before.records[0], form, &book);
    assert_eq!(told(&differs), [("S10", "C3")]);
    assert!(differs[0].message.contains("“登记册.xls”的工作表“Sheet1”C3:C5“树种”为“松树”的“株数”合计120"));
}

#[test]
fn a_rule_that_cannot_work_is_refused_with_file_and_key() {
    let with = |lines: &str| {
        let files =
            [("campaign.toml", CAMPAIGN), ("plots.toml", &format!("{BOOK}\n{lines}")), ("planting.toml", FIGURES)];
        Campaign::parse(&files).unwrap_err()
    };
    let expect = |body: &str| with(&format!("[[expect]]\nrule = \"T03\"\nseverity = \"warning\"\n{body}"));
    let must = "must = [{ column = \"stems\", at_least = 1 }]\n";
    for (lines, told) in [
        (must.to_owned(), "plots.toml: expect 3: text: is missing"),
        ("text = \"某事\"".to_owned(), "plots.toml: expect 3: must: must be a list with at least one condition"),
        (format!("{must}text = \"{{height}}\""), "plots.toml: expect 3: text: there is no column `height`"),
        (format!("{must}text = \"{{stems:size}}\""), "plots.toml: expect 3: text: `{…:size}` says nothing"),
        (format!("{must}text = \"{{stems\""), "plots.toml: expect 3: text: a `{` has no `}`"),
        (
            format!("{must}text = \"某事\"\nabout = \"height\""),
            "plots.toml: expect 3: about: there is no column `height`",
        ),
        (
            "text = \"某事\"\nmust = [{ column = \"height\", blank = false }]".to_owned(),
            "plots.toml: expect 3: must: there is no",
        ),
        (
            "text = \"某事\"\nmust = [{ column = \"stems\" }]".to_owned(),
            "plots.toml: expect 3: must 1: column: needs exactly one",
        ),
        (
            "text = \"某事\"\nmust = [{ column = \"kind\", is = \"柏树\" }]".to_owned(),
            "plots.toml: expect 3: `柏树` is no choice",
        ),
        (
            "text = \"某事\"\nmust = [{ column = \"kind\", yes = true }]".to_owned(),
            "plots.toml: expect 3: `kind` is no yesno",
        ),
        (
            format!("{must}text = \"某事\"\n[[rule]]\nid = \"T09\"\nseverity = \"off\""),
            "plots.toml: rule 1: id: there is no rule `T09`",
        ),
    ] {
        let problems = expect(&lines);
        assert!(problems.iter().any(|p| p.starts_with(told)), "{told} missing in {problems:?}");
    }
    let book = BOOK.replace("key = \"stems\"", "key = \"stalks\"");
    let problems = Campaign::parse(&[("campaign.toml", CAMPAIGN), ("plots.toml", &book), ("planting.toml", FIGURES)]);
    let problems = problems.unwrap_err();
    assert!(problems.contains(&"form planting: from_book 1: no book has a column `stems`".to_owned()), "{problems:?}");
}
