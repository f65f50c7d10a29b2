//! Places, headings, rows that are none.

use taizhang::form::reading::Origin;

use super::fixture::{Fixture, PROGRESS, REGISTER, book, figures, progress, register};
use crate::page::{Ink, Page};

pub fn fixtures() -> Vec<Fixture> {
    [places(), headings(), rows(), sheets(), cards()].concat()
}

fn places() -> Vec<Fixture> {
    vec![
        register("rows and columns in front").column_before("A").column_before("A").rows_before(1, &["", "", ""]),
        register("no title").with(|page| page.cells.retain(|at, _| at.0 > 1)),
        register("an empty row below the title").rows_before(3, &[""]),
        register("an empty row below the headings").rows_before(5, &[""]),
        register("empty rows among the rows").rows_before(6, &["", ""]).rows_before(9, &[""]),
        register("an empty column inside").column_before("F"),
        register("an empty column in front of the name").column_before("B"),
        register("thousands of formatted rows").with(|page| {
            (8..6000).for_each(|row| (0..12).for_each(|column| page.put((row, column), Ink::Blank)));
        }),
        register("a far formatted cell")
            .with(|page| page.put((40_000, 200), Ink::Blank))
            .format(crate::formats::Format::Xls(crate::formats::xls::EXCEL_97)),
        register("a hidden row inside the table").with(|page| page.hidden_rows.extend([5])).told(&[("H05", "")]),
        register("a hidden column of the form").with(|page| page.hidden_columns.extend([3])).told(&[("H05", "D3")]),
        register("two titles and a document number").rows_before(1, &["附件2", "澄组发〔2011〕21号"]),
        register("the unit's name below the table")
            .cell("A2", "")
            .rows_before(9, &["填报单位：棠梨街道办事处"])
            .says(Origin::UnitLine, "棠梨街道办事处"),
        register("running numbers with dots").cell("A5", "1.").cell("A6", "2、").cell("A7", "（3）"),
        register("no running numbers").without_column("A", "seq"),
    ]
}

fn headings() -> Vec<Fixture> {
    vec![
        register("headings with line breaks").cell("B3", "企业\\n名称").cell("F3", "党员\\n总数").cell("J4", "党组织\\n成立\\n时间"),
        register("headings pulled apart").cell("B3", "企 业 名 称").cell("L3", "备　　注").cell("I4", "组建 形式"),
        register("headings with measures").cell("F3", "党员总数（人）").cell("G3", "正式党员数(名)"),
        register("headings with what to fill in").cell("I4", "组建形式（单独/联合/未建）").cell("K3", "工会（有/无）"),
        register("headings that are numbered").cell("F3", "6.党员总数").cell("G3", "（七）正式党员数").cell("B3", "一、企业名称"),
        register("headings with an asterisk").cell("B3", "*企业名称").cell("F3", "党员总数*"),
        register("headings of full width").cell("H4", "党组织名称　").cell("A3", "序 号"),
        book(
            "a heading in one row",
            &REGISTER.replace("\n^|^|^|^|^|^|^|党组织名称|组建形式|党组织成立时间|^|^", "").replace("|党组织|<|<|工会", "|党组织名称|组建形式|党组织成立时间|工会"),
        ),
        book(
            "group headings that are not merged",
            &REGISTER.replace("|党组织|<|<|工会", "|党组织|||工会").replace("^|^|^|^|^|^|^|党", "|||||||党").replace("成立时间|^|^", "成立时间||"),
        ),
        book("headings of three rows", &REGISTER.replace(
            "序号|企业名称|组织机构代码|法定代表人|联系电话|党员总数|正式党员数|党组织|<|<|工会|备注\n^|^|^|^|^|^|^|",
            "序号|企业基本情况|<|<|<|党员情况|<|党建情况|<|<|<|备注\n^|企业名称|组织机构代码|法定代表人|联系电话|党员总数|正式党员数|党组织|<|<|工会|^\n^|^|^|^|^|^|^|",
        )),
        register("numbers of the columns below the headings").rows_before(5, &["#1|#2|#3|#4|#5|#6|#7|#8|#9|#10|#11|#12"]),
        register("letters and numbers of the columns below the headings").rows_before(5, &["甲|乙|#1|#2|#3|#4|#5|#6|#7|#8|#9|#10"]),
        register("measures below the headings").rows_before(5, &["|||||人|人|||||"]),
        register("an empty column behind the name").column_before("C"),
        progress("an empty column behind the second").column_before("B").column_before("B").with(|page| {
            page.merge((2, 1), (3, 1), Ink::text("有3名以上正式党员的组织数"));
            page.put((4, 1), Ink::Number(7.0));
        }).but(0, "orgs_3plus", "#7"),
        figures("groups that are not merged, the last of one column", &PROGRESS.replace("|<|新建党组织|<|党组织覆盖组织数|组织覆盖率（%）|选派党建指导员|<|工作覆盖组织数", "||新建党组织||党组织覆盖组织数|组织覆盖率（%）|新发展党员||新建群团组织|工作覆盖组织数|指导员累计")
            .replace("|其中|<|党组织总数", "|其中||党组织总数").replace("^", "").replace("|上月|累计|\n", "|上月|累计|上月||\n").replace("|#2|#9|#96", "|#2|#9|#3|#96|#9")).rows(
            "unit|orgs|members|members_transferred|members_untransferred|party_orgs|party_orgs_single|party_orgs_joint|new_party_orgs_month|new_party_orgs_total|orgs_covered|org_coverage|recruits_month|recruits_total|mass_orgs_month|orgs_work_covered|instructors_total\n\
             棠梨街道办事处|#120|#30|#20|#10|#6|#4|#2|#1|#5|#48|%40|#2|#9|#3|#96|#9",
        ),
        register("a column that the form does not ask for").column_before("F").with(|page| {
            page.merge((2, 5), (3, 5), Ink::text("邮政编码"));
            (4..7).for_each(|row| page.write((row, 5), "250000"));
        }),
        register("an optional column left out").without_column("D", "legal_rep"),
        register("a required column left out").without_column("G", "members_full").told(&[("P01", "")]),
        register("a heading that only adds filler").cell("F3", "党员的总数").told(&[("H01", "F3")]),
        register("two columns that may be the name").column_before("C").with(|page| {
            page.merge((2, 2), (3, 2), Ink::text("单位名称"));
            (4..7).for_each(|row| page.write((row, 2), "某集团"));
        }).asked(&["name"]).rows(
            "code|legal_rep|phone|members|members_full|party_org|party_org_kind|founded|union|remark\n\
             70580134-2|陆平|13900001111|#4|#3|禾木党支部|单独组建|2009-05-04|是|\n\
             70580135-0|沈立|0531-88001234|#1|#1|澄湖联合支部|联合组建|2010-03|否|\n\
             |姚敏|13900002222|#0|#0||未建||否|新入驻",
        ),
        progress("groups in another order").with(|page| {
            // 选派党建指导员 in front of 新建党组织: only the group tells the two 累计 apart.
            for row in 2..5 {
                let taken: Vec<Option<Ink>> = [9, 10, 13, 14].iter().map(|c| page.cells.remove(&(row, *c))).collect();
                for (column, ink) in [13, 14, 9, 10].into_iter().zip(taken) {
                    page.cells.extend(ink.map(|ink| ((row, column), ink)));
                }
            }
        }),
        progress("last year's figures beside this year's").with(|page| {
            page.merge((2, 16), (2, 17), Ink::text("上年同期"));
            page.write((3, 16), "党员总数");
            page.write((3, 17), "组织总数");
            page.put((4, 16), Ink::Number(7.0));
            page.put((4, 17), Ink::Number(8.0));
        }),
    ]
}

fn rows() -> Vec<Fixture> {
    vec![
        register("subtotals in between").rows_before(7, &["小计|||||#5|#4|||||"]),
        register("totals with numbers and words").cell("A8", "共计3家"),
        register("a total in the column of the names").cell("A8", "").cell("B8", "合　计："),
        register("a total over two columns").merged("A8", "B8"),
        register("a total without a name").cell("A8", ""),
        register("a total that is none of the rows' sum").cell("F8", "#9").told(&[("H06", "F8")]),
        register("notes below").rows_before(9, &["注：本表每月25日前报送", "说明：1、没有的填0。"]),
        register("signatures below").rows_before(9, &["填表人：章一鹤|||审核人：顾长林|||||联系电话：88001234"]),
        register("a row that shows how").rows_before(5, &["例|示例食品厂||陆平||#3|#3|示例支部|单独组建||有|"]).told(&[("H03", "")]),
        register("a section's name in a row of its own").rows_before(6, &["|规模以下企业"]),
        register("a name merged over two rows").rows_before(6, &[""]).with(|page| {
            for column in [1, 5, 6, 8] {
                page.merges.push(((4, column), (5, column)));
            }
            page.write((5, 3), "陆安");
        }).told(&[("R02", "D6")]),
        register("a branch merged over two rows").cell("H6", "澄湖联合支部").cell("H7", "").cell("I7", "联合").cell("G7", "#1").cell("F7", "#1").merged("H6", "H7")
            .cell("F8", "#6").cell("G8", "#5").but(2, "party_org", "澄湖联合支部").but(2, "party_org_kind", "联合组建").but(2, "members", "#1").but(2, "members_full", "#1"),
        register("a number merged over two rows").merged("F6", "F7").but(1, "members", "").but(2, "members", "").told(&[("R02", "F6"), ("R02", "F7")]),
        register("numbered rows that nobody filled in").cell("A8", "4").with(|page| page.cells.retain(|at, _| at.0 < 7 || at.1 == 0)).rows_before(9, &["#5", "#6"]),
        register("rows with nothing but presets").with(|page| page.cells.retain(|at, _| at.0 < 7)).rows_before(8, &["#4||||||||||无|", "#5||||||||||无|"]),
        register("the headings once more on the next page").rows_before(7, &["序号|企业名称|组织机构代码|法定代表人|联系电话|党员总数|正式党员数|党组织名称|组建形式|党组织成立时间|工会|备注"]),
        register("no rows at all").with(|page| page.cells.retain(|at, _| at.0 < 4)).without_rows(3),
        progress("a sheet of figures that nobody filled in").with(|page| page.cells.retain(|at, _| at.0 < 4)).without_rows(1).told(&[("P02", "")]),
    ]
}

fn other(name: &str) -> Page {
    Page::draw(name, "一、本表每月报送一次。\n二、没有的请填0。")
}

fn sheets() -> Vec<Fixture> {
    let old = || Page { hidden: true, ..Page::draw("上月", REGISTER) };
    vec![
        register("a cover in front and an explanation behind")
            .sheet_before(Page::draw("封面", "|报表汇编"))
            .sheet(other("填表说明")),
        register("last month on a hidden sheet").sheet(old()),
        register("last month on a hidden sheet in front").sheet_before(old()),
        register("empty sheets").sheet(Page::new("Sheet2")).sheet(Page::new("Sheet3")),
        progress("both forms in one workbook").and(register("")).sheet(Page::draw("台账", REGISTER)),
        progress("both forms on one sheet").and(register("")).with(|page| {
            let below = Page::draw("", REGISTER);
            below.cells.into_iter().for_each(|(at, ink)| page.put((at.0 + 8, at.1), ink));
            page.merges.extend(below.merges.iter().map(|(a, b)| ((a.0 + 8, a.1), (b.0 + 8, b.1))));
        }),
        progress("both forms side by side").and(register("")).with(|page| {
            let beside = Page::draw("", REGISTER);
            beside.cells.into_iter().for_each(|(at, ink)| page.put((at.0, at.1 + 18), ink));
            page.merges.extend(beside.merges.iter().map(|(a, b)| ((a.0, a.1 + 18), (b.0, b.1 + 18))));
        }),
        register("a list of choices on a sheet of its own").sheet(Page::draw("字典", "单独组建\n联合组建\n未建")),
        register("a workbook without a form")
            .no_form()
            .with(|page| *page = Page::draw("采购", "品名|数量|单价\n大米|#3|#5")),
        progress("figures of another form").no_form().with(|page| {
            *page = Page::draw(
                "考勤",
                &PROGRESS
                    .replace("总数", "天数")
                    .replace("党", "团")
                    .replace("累计", "迟到")
                    .replace("覆盖", "缺席")
                    .replace("上月", "早退")
                    .replace("其中", "请假")
                    .replace("指导员", "假别")
                    .replace("组织", "部门")
                    .replace("单位", "姓名"),
            )
        }),
    ]
}

/// One organisation.
const CARD: &str = "\
非公有制企业活动台账|<|<|<
填报单位：棠梨街道办事处|||
企业名称|禾木食品厂|组织机构代码|70580134-2
法定代表人|陆平|联系电话|13900001111
党员总数|#4|正式党员数|#3
党组织名称|禾木党支部|组建形式|单独组建
党组织成立时间|@2009-05-04|工会|有
备注|||";

fn cards() -> Vec<Fixture> {
    let second = CARD
        .replace("禾木食品厂", "晴川商贸有限公司")
        .replace("70580134-2", "70580135-0")
        .replace("陆平", "沈立")
        .replace("13900001111", "0531-88001234")
        .replace("#4", "#1")
        .replace("#3", "#1")
        .replace("禾木党支部", "澄湖联合支部")
        .replace("单独组建", "联合组建")
        .replace("@2009-05-04", "2010年3月")
        .replace("有|", "无|")
        .replace("工会|有", "工会|无");
    let two = format!("{CARD}\n\n{second}");
    let across = CARD.lines().zip(second.lines()).map(|(a, b)| format!("{a}||{b}\n")).collect::<String>();
    let downwards = "\
非公有制企业登记卡|<|<
企业名称|组织机构代码|法定代表人
禾木食品厂|70580134-2|陆平
联系电话|党员总数|正式党员数
13900001111|#4|#3
党组织名称|组建形式|党组织成立时间
禾木党支部|单独组建|2009.5.4
工会|备注|
有||";
    vec![
        book("a card", CARD).without_rows(2),
        book("a card a sheet", CARD).sheet(Page::draw("2", &second)).without_rows(1),
        book("cards one below the other", &two).without_rows(1),
        book("cards side by side", &across).without_rows(1),
        book("a card with values below their labels", downwards).without_rows(2),
        book("a card with a wrong value", &CARD.replace("|#4|", "|四五|"))
            .without_rows(2)
            .but(0, "members", "")
            .told(&[("R02", "B5")]),
        book("a card that nobody filled in", CARD)
            .sheet(Page::draw(
                "空",
                &CARD
                    .replace("禾木食品厂", "")
                    .replace("70580134-2", "")
                    .replace("|陆平", "|")
                    .replace("13900001111", "")
                    .replace("#4", "")
                    .replace("#3", "")
                    .replace("禾木党支部", "")
                    .replace("单独组建", "")
                    .replace("@2009-05-04", "")
                    .replace("|有", "|"),
            ))
            .without_rows(2),
    ]
}
