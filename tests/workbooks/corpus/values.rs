//! Spellings of values.

use super::fixture::{Fixture, progress, register};
use crate::page::Ink;

pub fn fixtures() -> Vec<Fixture> {
    [counts(), no_counts(), zeros(), rates(), dates(), answers(), texts(), formulas(), rules()].concat()
}

fn counts() -> Vec<Fixture> {
    vec![
        progress("the sheet of figures as it should be"),
        register("the book as it should be"),
        progress("numbers kept as text").with(|page| {
            page.inked(|at, ink| match ink {
                Ink::Number(n) if at.0 == 4 => Some(Ink::text(n.to_string())),
                _ => None,
            });
        }),
        progress("full width digits").cell("C5", "１２０").cell("D5", "３０ ").cell("L5", "４８"),
        progress("units behind numbers").cell("C5", "120家").cell("D5", "30人").cell("G5", "6个").cell("N5", "2名"),
        progress("a unit in brackets behind a number").cell("C5", "120（家）").cell("D5", "30(人)"),
        progress("a unit apart from its number").cell("C5", "120 家").cell("D5", "３０　人"),
        progress("numbers in Chinese")
            .cell("C5", "一百二十")
            .cell("D5", "三十")
            .cell("E5", "二十")
            .cell("F5", "十")
            .cell("L5", "四十八")
            .cell("P5", "九十六"),
        progress("a number in formal numerals").cell("D5", "叁拾").cell("F5", "壹拾"),
        progress("thousands commas").cell("C5", "1,200").cell("M5", "4%").but(0, "orgs", "#1200").but(
            0,
            "org_coverage",
            "%4",
        ),
        progress("a thousands comma of full width").cell("C5", "1，200").cell("M5", "4%").but(0, "orgs", "#1200").but(
            0,
            "org_coverage",
            "%4",
        ),
        progress("a comma in the wrong place")
            .cell("C5", "12,0")
            .cell("M5", "")
            .but(0, "org_coverage", "")
            .but(0, "orgs", "")
            .told(&[("P02", "C5")]),
        progress("whole decimals").cell("C5", "120.0").cell("D5", "30.00").cell("P5", "96．0"),
        progress("a number with white space of all kinds").cell("C5", "\u{a0}120\u{3000}").cell("D5", "\u{200b}30"),
        progress("a number behind an apostrophe").cell("C5", "'120"),
    ]
}

/// What a number cannot be.
fn no_counts() -> Vec<Fixture> {
    vec![
        progress("half an organisation").cell("J5", "#0.5").but(0, "new_party_orgs_month", "").told(&[("P02", "J5")]),
        progress("less than nothing").cell("J5", "#-1").but(0, "new_party_orgs_month", "").told(&[("P02", "J5")]),
        progress("less than nothing as text")
            .cell("J5", "－1")
            .but(0, "new_party_orgs_month", "")
            .told(&[("P02", "J5")]),
        progress("about so many").cell("C5", "约120").but(0, "orgs", "").told(&[("P02", "C5")]),
        progress("a sum instead of its result").cell("D5", "20+10").but(0, "members", "").told(&[("P02", "D5")]),
        progress("a number with a remark")
            .cell("D5", "30（含流动党员10）")
            .but(0, "members", "")
            .told(&[("P02", "D5")]),
        progress("a number shown as a percentage")
            .cell("J5", "%0.01")
            .but(0, "new_party_orgs_month", "")
            .told(&[("P02", "J5")]),
        progress("a number shown as a date")
            .cell("J5", "@1900-03-05")
            .but(0, "new_party_orgs_month", "")
            .told(&[("P02", "J5")]),
        progress("digits pulled apart").cell("D5", "3 0").told(&[("P02", "D5")]),
        progress("two numbers on two lines")
            .cell("J5", "1\\n2")
            .but(0, "new_party_orgs_month", "")
            .told(&[("P02", "J5")]),
        progress("a letter among digits").cell("C5", "12O").but(0, "orgs", "").told(&[("P02", "C5")]),
        progress("a number larger than any").cell("C5", "#1e300").but(0, "orgs", "").told(&[("P02", "C5")]),
        register("an employee count with its unit")
            .with(|page| page.write((2, 11), "从业人数"))
            .cell("L5", "120余人")
            .cell("L6", "１２人")
            .cell("L7", "")
            .rows(
                "name|code|legal_rep|phone|members|members_full|party_org|party_org_kind|founded|union|employees\n\
             禾木食品厂|70580134-2|陆平|13900001111|#4|#3|禾木党支部|单独组建|2009-05-04|是|\n\
             晴川商贸有限公司|70580135-0|沈立|0531-88001234|#1|#1|澄湖联合支部|联合组建|2010-03|否|#12\n\
             九里纺织厂||姚敏|13900002222|#0|#0||未建||否|",
            )
            .told(&[("R02", "L5")]),
    ]
}

fn zeros() -> Vec<Fixture> {
    let signs = ["/", "—", "——", "-", "－", "无", "零", "〇", "０", "0.0", "暂无"];
    let mut list: Vec<Fixture> = Vec::new();
    let mut names = [
        "slash",
        "dash",
        "long dash",
        "hyphen",
        "full width hyphen",
        "none",
        "the word zero",
        "the round zero",
        "full width zero",
        "zero point zero",
        "none so far",
    ]
    .into_iter();
    for (sign, name) in signs.into_iter().zip(&mut names) {
        list.push(progress(name).cell("J5", sign).but(0, "new_party_orgs_month", "#0"));
    }
    list.extend([
        progress("a blank where a number must be")
            .cell("J5", "")
            .but(0, "new_party_orgs_month", "")
            .told(&[("P02", "J5")]),
        progress("white space where a number must be")
            .cell("J5", "\u{3000} ")
            .but(0, "new_party_orgs_month", "")
            .told(&[("P02", "J5")]),
        progress("a blank where a number may be").cell("N5", "").but(0, "instructors_month", ""),
        register("a blank number in the book").cell("F7", "").but(2, "members", "").told(&[("R01", "F7")]),
        register("marks for nothing in texts and dates")
            .cell("H7", "/")
            .cell("J7", "—")
            .cell("C7", "无")
            .cell("L5", "-"),
        register("a name that is missing").cell("B6", "").but(1, "name", "").told(&[("R01", "B6")]),
        register("a kind that is missing").cell("I6", "").but(1, "party_org_kind", "").told(&[("R01", "I6")]),
    ]);
    list
}

fn rates() -> Vec<Fixture> {
    vec![
        progress("a rate as a ratio").cell("M5", "#0.4"),
        progress("a rate as a number of percent").cell("M5", "#40"),
        progress("a rate as text with its sign").cell("M5", "40.00 %"),
        progress("a rate of full width").cell("M5", "４０％"),
        progress("a rate as text without a sign").cell("M5", "40"),
        progress("a ratio as text").cell("M5", "0.40"),
        progress("a rate of nothing").cell("M5", "/").cell("L5", "#0").but(0, "org_coverage", "%0").but(
            0,
            "orgs_covered",
            "#0",
        ),
        progress("a rate that was not filled in").cell("M5", "").but(0, "org_coverage", ""),
        progress("a rate that is off").cell("M5", "%0.45").but(0, "org_coverage", "%45").told(&[("P04", "M5")]),
        progress("a rate a tenth of a point off").cell("M5", "%0.401").but(0, "org_coverage", "%40.1"),
        progress("a rate above the whole").cell("M5", "%1.2").but(0, "org_coverage", "%120").told(&[("P04", "M5")]),
        progress("a rate of one percent in numbers of percent")
            .cell("L5", "#1")
            .cell("C5", "#100")
            .cell("M5", "#1")
            .but(0, "orgs", "#100")
            .but(0, "orgs_covered", "#1")
            .but(0, "org_coverage", "%1"),
        progress("a ratio of the whole")
            .cell("L5", "#96")
            .cell("C5", "#96")
            .cell("M5", "#1")
            .but(0, "orgs", "#96")
            .but(0, "orgs_covered", "#96")
            .but(0, "org_coverage", "%100"),
        progress("a rate in words").cell("M5", "四成").but(0, "org_coverage", "").told(&[("P02", "M5")]),
        progress("a rate that divides by nothing")
            .cell("M5", "#DIV/0!")
            .but(0, "org_coverage", "")
            .told(&[("P02", "M5")]),
    ]
}

fn dates() -> Vec<Fixture> {
    let day = |name, text: &str| register(name).cell("J5", text);
    let wrong = |name, text: &str, rule| register(name).cell("J5", text).but(0, "founded", "").told(&[(rule, "J5")]);
    vec![
        day("a day with dots", "2009.5.4"),
        day("a day with hyphens", "2009-5-4"),
        day("a day with slashes", "2009/05/04"),
        day("a day with signs", "2009年5月4日"),
        day("a day with signs and spaces", "2009 年 5 月 4 日"),
        day("a day as eight digits", "20090504"),
        day("a day as a number of eight digits", "#20090504"),
        day("a day in Chinese", "二〇〇九年五月四日"),
        day("a day of full width", "２００９．５．４"),
        day("a day with its time", "2009-05-04 00:00:00"),
        day("a day with 号", "2009年5月4号"),
        day("a day as a bare serial number", "#39937").told(&[("R10", "J5")]),
        day("a day as a serial number in text", "39937").told(&[("R10", "J5")]),
        day("a month with a dot", "2009.05").but(0, "founded", "2009-05"),
        day("a month as six digits", "200905").but(0, "founded", "2009-05"),
        day("a month that became a number", "#2009.5").but(0, "founded", "2009-05").told(&[("R10", "J5")]),
        day("a month with signs", "2009年5月份").but(0, "founded", "2009-05"),
        wrong("a month that may be January or October", "#2009.1", "R02"),
        day("a day without its year", "9月5日").but(0, "founded", "2011-09-05").told(&[("R10", "J5"), ("R10", "J5")]),
        day("a year of two digits", "09年5月4日").told(&[("R10", "J5")]),
        wrong("a year alone", "2009年", "R02"),
        wrong("a year alone as a number", "#2009", "R02"),
        wrong("a day that does not exist", "2009-2-30", "R10"),
        wrong("a thirteenth month", "2009.13.4", "R10"),
        wrong("words for a day", "上半年", "R02"),
        day("a day to come", "2012-5-4").but(0, "founded", "2012-05-04").told(&[("R10", "J5")]),
        day("a day after the period", "2011-9-4").but(0, "founded", "2011-09-04").told(&[("R10", "J5")]),
        day("a day before there was a party", "1911-5-4").but(0, "founded", "1911-05-04").told(&[("R10", "J5")]),
    ]
}

fn answers() -> Vec<Fixture> {
    let pair = |name, yes: &str, no: &str| register(name).cell("K5", yes).cell("K6", no).cell("K7", no);
    vec![
        pair("yes and no", "是", "否"),
        pair("ticks and crosses", "√", "×"),
        pair("ones and zeros", "#1", "#0"),
        pair("ones and zeros as text", "１", "0"),
        pair("letters for yes and no", "Y", "n"),
        pair("boxes that are ticked", "☑有 □无", "□有 ☑无"),
        pair("how many there are", "有（1个）", "没有"),
        register("a column that only ticks").cell("K5", "√").cell("K6", "").cell("K7", ""),
        register("a no that was left blank").cell("K6", "").but(1, "union", ""),
        register("a mark where yes or no is asked").cell("K6", "—").but(1, "union", ""),
        register("neither yes nor no").cell("K6", "拟建").but(1, "union", "").told(&[("R02", "K6")]),
        register("short words for the kind").cell("I5", "单独").cell("I6", "联建").cell("I7", "无"),
        register("a kind in one of three boxes").cell("I5", "☑单独 □联合 □未建").cell("I7", "□单独 □联合 ☑未建"),
        register("a kind nobody knows").cell("I6", "挂靠").but(1, "party_org_kind", "").told(&[("R02", "I6")]),
        register("a kind that a yes does not tell")
            .with(|page| page.write((3, 8), "是否建立党组织")).cell("I5", "是").cell("I6", "联合").cell("I7", "否")
            .but(0, "party_org_kind", "").told(&[("R02", "I5")]),
        register("whether it was closed, as yes or no")
            .with(|page| page.write((2, 11), "是否销户")).cell("L5", "否").cell("L6", "").cell("L7", "是")
            .with(|page| { page.write((2, 12), "销户原因"); page.write((2, 13), "销户时间"); page.write((6, 12), "倒闭"); page.write((6, 13), "2011.7"); })
            .rows(
                "name|code|legal_rep|phone|members|members_full|party_org|party_org_kind|founded|union|status|closed_reason|closed_on\n\
                 禾木食品厂|70580134-2|陆平|13900001111|#4|#3|禾木党支部|单独组建|2009-05-04|是|正常||\n\
                 晴川商贸有限公司|70580135-0|沈立|0531-88001234|#1|#1|澄湖联合支部|联合组建|2010-03|否|正常||\n\
                 九里纺织厂||姚敏|13900002222|#0|#0||未建||否|销户|破产|2011-07",
            ),
    ]
}

fn texts() -> Vec<Fixture> {
    vec![
        register("a name with a line break").cell("B6", "晴川商贸\\n有限公司"),
        register("a name with space around it").cell("B6", "　晴川商贸有限公司 "),
        register("a person's name pulled apart").cell("D5", "陆　平").cell("D6", "沈  立"),
        register("a telephone kept as a number").cell("E5", "#13900001111"),
        register("a telephone that became a power of ten")
            .cell("E5", "1.39E+10")
            .but(0, "phone", "")
            .told(&[("R02", "E5")]),
        register("two telephones").cell("E5", "13900001111/88001234").but(0, "phone", "13900001111/88001234"),
        register("a code of eighteen characters").cell("C5", "91370100705801346u").but(0, "code", "91370100705801346U"),
        register("a code with a wrong check character")
            .cell("C5", "70580134-5")
            .but(0, "code", "70580134-5")
            .told(&[("R04", "C5")]),
        register("a registration number kept as a number").cell("C5", "#370100200012344").but(
            0,
            "code",
            "370100200012344",
        ),
        register("a code that lost its digits")
            .cell("C5", "#913701007058013000")
            .but(0, "code", "")
            .told(&[("R02", "C5")]),
        register("the same as above")
            .cell("H5", "禾木党支部")
            .cell("H6", "同上")
            .but(1, "party_org", "禾木党支部")
            .told(&[("R02", "H6")]),
        register("a name that is the same as above").cell("B6", "同上").but(1, "name", "").told(&[("R02", "B6")]),
        register("a name to show how").cell("B6", "××公司").but(1, "name", "").told(&[("R02", "B6")]),
        register("a remark that begins like a label").cell("L5", "联系人：陆平").but(0, "remark", "联系人：陆平"),
        register("an address for a remark with a total in it").cell("L5", "合计用工5人").but(
            0,
            "remark",
            "合计用工5人",
        ),
        register("a name that begins like a total").cell("B6", "合计划商贸有限公司").but(
            1,
            "name",
            "合计划商贸有限公司",
        ),
        register("a name that ends like a total").cell("B6", "总和文化有限公司").but(1, "name", "总和文化有限公司"),
        register("a character outside the basic plane").cell("D5", "陆\u{2070e}").but(0, "legal_rep", "陆\u{2070e}"),
        register("markup in a text").cell("L5", "<b>&amp;\"新\"").but(0, "remark", "<b>&amp;\"新\""),
        register("a text that looks like a formula").cell("L5", "-补报").but(0, "remark", "-补报"),
    ]
}

fn formulas() -> Vec<Fixture> {
    use crate::formats::Format::OddXlsx;
    let odd = OddXlsx(Default::default());
    vec![
        progress("formulas with their results").cell("D5", "=30").cell("G5", "=6"),
        progress("a formula without a result").cell("D5", "?").but(0, "members", "").told(&[("W06", "D5")]).format(odd),
        progress("a formula without a result that need not be")
            .cell("M5", "?")
            .but(0, "org_coverage", "")
            .told(&[("W06", "M5")])
            .format(odd),
        register("a formula without a result in the total row").cell("F8", "?").format(odd),
        register("a formula without a result in the running number").cell("A6", "?").format(odd),
        progress("a reference to nowhere").cell("D5", "#REF!").but(0, "members", "").told(&[("P02", "D5")]),
        register("a reference to nowhere in a text").cell("D5", "#REF!").but(0, "legal_rep", "").told(&[("R02", "D5")]),
        register("a reference to nowhere in the total row").cell("F8", "#REF!"),
    ]
}

fn rules() -> Vec<Fixture> {
    vec![
        progress("parts that do not add up")
            .cell("E5", "#21")
            .but(0, "members_transferred", "#21")
            .told(&[("P03", "D5")]),
        progress("a part above its whole")
            .cell("L5", "#100")
            .cell("M5", "")
            .but(0, "orgs_covered", "#100")
            .but(0, "org_coverage", "")
            .told(&[("P03", "L5")]),
        progress("more in the month than in all")
            .cell("J5", "#6")
            .but(0, "new_party_orgs_month", "#6")
            .told(&[("P03", "J5")]),
        register("more full members than members")
            .cell("F5", "#2")
            .but(0, "members", "#2")
            .told(&[("R05", "G5"), ("H06", "F8")]),
        register("the same organisation twice")
            .cell("B7", "晴川商贸有限责任公司")
            .but(2, "name", "晴川商贸有限责任公司")
            .told(&[("R03", "B7")]),
        register("the same code twice").cell("C7", "705801350").but(2, "code", "705801350").told(&[("R03", "B7")]),
        register("three full members without a party organisation of their own")
            .cell("I5", "联合")
            .but(0, "party_org_kind", "联合组建")
            .told(&[("R06", "I5")]),
    ]
}
