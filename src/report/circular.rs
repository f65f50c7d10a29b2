//! The circular (通报): a notice in official form that the department edits before it publishes it. Pure.
//!
//! Layout after GB/T 9704-2012: A4, 37 mm above and 28 mm left, title in size 2, text in size 3 on 29-point lines,
//! the tables as an attachment behind the signature. The document number is left to be filled in.

use crate::ledger::obligation::State;
use crate::report::Error;
use crate::report::digest;
use crate::report::docx::{self, Part, Table};
use crate::report::standing;
use crate::report::table::{
    COVERED, Edition, FOUNDED_MONTH, FOUNDED_TOTAL, Line, ReportData, StreamTable, WORK_COVERED,
};
use crate::report::wording::{day, decimal, moment, percent};

/// The circular of one period as .docx bytes.
pub fn build(data: &ReportData) -> Result<Vec<u8>, Error> {
    let tables: Vec<StreamTable> = data.tables().into_iter().filter(|t| !t.lines.is_empty()).collect();
    let mut parts = head(data);
    parts.extend(reporting(data));
    parts.extend(progress(data, &tables));
    parts.extend(closing(data, &tables));
    for (i, table) in tables.iter().enumerate() {
        parts.push(Part::Attachment(format!("附件{}", i + 1)));
        parts.push(Part::Caption(attachment_title(data, table)));
        parts.push(Part::Table(attachment(data, table)));
    }
    docx::render(&parts, &title(data), data.generated_at)
}

fn title(data: &ReportData) -> String {
    format!("关于{}{}进展情况的通报", data.period.chinese(), data.campaign.title)
}

fn head(data: &ReportData) -> Vec<Part> {
    let mut parts = vec![
        Part::Issuer(data.department.name.clone()),
        Part::Number(format!("〔{}〕　　号", data.generated_at.format("%Y"))),
        Part::Title(title(data)),
    ];
    match &data.edition {
        Edition::First => parts.push(Part::Subtitle("（初报）".to_owned())),
        Edition::Final => {}
        Edition::Revision { .. } => parts.push(Part::Subtitle(format!("（{}）", data.edition.chinese()))),
    }
    parts.push(Part::To(format!("{}：", addressees(data))));
    let basis = match &data.edition {
        Edition::First => "本次为初报，迟报单位的数据收到后列入终报。".to_owned(),
        Edition::Final => String::new(),
        Edition::Revision { .. } => "本版代替此前印发的同期通报。".to_owned(),
    };
    parts.push(Part::Body(format!(
        "根据各单位报送的统计表和台账，现将{}{}进展情况通报如下（数据截至{}）。{basis}",
        data.period.chinese(),
        data.campaign.title,
        moment(data.generated_at)
    )));
    if let Edition::Revision { changes, .. } = &data.edition
        && !changes.is_empty()
    {
        parts.push(Part::Body(format!("本版修订内容：{}。", changes.join("；"))));
    }
    parts
}

/// `清河开发区管委会，各街道，各镇，区直各有关部门`: zones by name, the other kinds together.
fn addressees(data: &ReportData) -> String {
    let of = |kind: &'static str| data.registry.units.iter().filter(move |u| u.kind == kind);
    let mut names: Vec<String> = of("zone").map(|u| u.name.clone()).collect();
    let level = data.department.district.chars().next_back().filter(|c| "区县市".contains(*c));
    let level = level.map(|c| format!("{c}直")).unwrap_or_default();
    for (kind, together) in
        [("street", "各街道".to_owned()), ("town", "各镇".to_owned()), ("bureau", format!("{level}各有关部门"))]
    {
        if of(kind).next().is_some() {
            names.push(together);
        }
    }
    if names.is_empty() { "各填报单位".to_owned() } else { names.join("，") }
}

/// 一、报送情况
fn reporting(data: &ReportData) -> Vec<Part> {
    let mut parts = vec![Part::Heading("一、报送情况".to_owned()), Part::Body(digest::reporting(data))];
    let states = [State::OnTime, State::Late, State::Missing, State::Rejected, State::Quarantined, State::Excused];
    for state in states {
        parts.extend(digest::named(data, state).map(Part::Body));
    }
    parts
}

/// 二、活动进展 and 三、任务完成排名
fn progress(data: &ReportData, tables: &[StreamTable]) -> Vec<Part> {
    let mut parts = vec![Part::Heading("二、活动进展".to_owned())];
    for table in tables {
        parts.push(Part::Body(digest::progress(data, table)));
        let silent: Vec<&str> =
            table.lines.iter().filter(|l| l.values.is_none()).map(|l| l.unit.name.as_str()).collect();
        if !silent.is_empty() && table.reported() > 0 {
            parts.push(Part::Body(format!("以上不含尚无数据的{}。", silent.join("、"))));
        }
    }
    let leaders: Vec<(&str, String)> =
        tables.iter().filter_map(|t| Some((t.stream.title.as_str(), digest::leaders(t)?))).collect();
    if !leaders.is_empty() {
        parts.push(Part::Heading("三、任务完成排名".to_owned()));
        for (stream, text) in leaders {
            parts.push(Part::Body(format!("{stream}方面，{text}各单位名次见附件。")));
        }
    }
    parts
}

/// What is asked of the units, the list of attachments, signature and date.
fn closing(data: &ReportData, tables: &[StreamTable]) -> Vec<Part> {
    let number = if tables.iter().any(|t| digest::leaders(t).is_some()) { "四" } else { "三" };
    let mut parts = vec![Part::Heading(format!("{number}、有关要求"))];
    let owing: Vec<&str> = standing::standings(data)
        .iter()
        .filter(|s| s.obligations.iter().any(|o| o.state.owed()))
        .map(|s| s.unit.name.as_str())
        .collect();
    if !owing.is_empty() {
        parts.push(Part::Body(format!("请{}抓紧补报或改正后重报。", owing.join("、"))));
    }
    let next = data.period.next();
    parts.push(Part::Body(format!(
        "请各单位对照任务数和覆盖率目标，倒排进度，抓紧推进；核对台账，及时更新党组织组建和党员变动情况；{}的统计表和台账请于{}月{}日前报送。",
        next.chinese(),
        next.next().month(),
        data.due.format("%-d")
    )));
    for (i, table) in tables.iter().enumerate() {
        let lead = if i == 0 { "附件：" } else { "　　　" };
        parts.push(Part::AttachmentList(format!("{lead}{}．{}", i + 1, attachment_title(data, table))));
    }
    parts.push(Part::Signature(data.department.name.clone()));
    parts.push(Part::Date(day(data.generated_at)));
    // The standard has it on the last page; before the tables it never stands on a page alone.
    if !data.committees.is_empty() {
        parts.push(Part::CopyTo(format!("抄送：{}。", data.committees.join("，"))));
    }
    parts
}

fn attachment_title(data: &ReportData, table: &StreamTable) -> String {
    format!("{}{}进展排名表", data.period.chinese(), table.stream.title)
}

fn attachment(data: &ReportData, table: &StreamTable) -> Table {
    let month = format!("{}月新建", data.period.month());
    let header =
        ["排名", "单位", "任务数", &month, "累计新建", "完成率", "每月还需", "在册数", "组织覆盖率", "工作覆盖率"];
    let mut rows: Vec<Vec<String>> = table.ranking().into_iter().map(|line| unit_row(table, line)).collect();
    rows.push(vec![
        "".to_owned(),
        "合计".to_owned(),
        count(table.target()),
        count(table.total(FOUNDED_MONTH)),
        count(table.total(FOUNDED_TOTAL)),
        rate(table.completion()),
        pace(table.pace(table.shortfall())),
        count(table.entries()),
        rate(table.coverage(COVERED)),
        rate(table.coverage(WORK_COVERED)),
    ]);
    Table { header: header.map(str::to_owned).to_vec(), widths: vec![10, 34, 12, 12, 12, 18, 12, 12, 17, 17], rows }
}

fn unit_row(table: &StreamTable, line: &Line) -> Vec<String> {
    vec![
        count(line.rank.map(i64::from)),
        line.unit.name.clone(),
        count(line.quota),
        count(line.int(FOUNDED_MONTH)),
        count(line.int(FOUNDED_TOTAL)),
        rate(line.completion()),
        pace(table.pace(line.shortfall())),
        count(line.entries),
        rate(line.coverage(COVERED)),
        rate(line.coverage(WORK_COVERED)),
    ]
}

/// What is unknown is a dash, never a zero.
const UNKNOWN: &str = "—";

fn count(n: Option<i64>) -> String {
    n.map_or_else(|| UNKNOWN.to_owned(), |n| n.to_string())
}

fn rate(f: Option<f64>) -> String {
    f.map_or_else(|| UNKNOWN.to_owned(), percent)
}

fn pace(f: Option<f64>) -> String {
    f.map_or_else(|| UNKNOWN.to_owned(), decimal)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::report::fixture::District;

    /// The text of each paragraph of the document's main part.
    fn paragraphs(bytes: &[u8]) -> Vec<String> {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut xml = String::new();
        archive.by_name("word/document.xml").unwrap().read_to_string(&mut xml).unwrap();
        let text = regex::Regex::new("<w:t[ >][^<]*").unwrap();
        let of = |p: &str| text.find_iter(p).filter_map(|m| m.as_str().split_once('>')).map(|(_, t)| t).collect();
        xml.split("</w:p>").map(of).collect()
    }

    #[test]
    fn the_notice_has_its_parts_in_order() {
        let district = District::new(9);
        let texts = paragraphs(&build(&district.data(60)).unwrap());
        let order = [
            "中共白鹭区委组织部",
            "〔2011〕　　号",
            "关于2011年8月“建组织、扩覆盖，抓规范、强功能”活动进展情况的通报",
            "（初报）",
            "各街道，各镇，区直各有关部门：",
            "一、报送情况",
            "二、活动进展",
            "三、任务完成排名",
            "四、有关要求",
            "中共白鹭区委组织部",
            "2011年9月26日",
            "抄送：区非公党工委，区社会组织党工委。",
            "附件1",
            "附件2",
        ];
        let mut rest = texts.iter();
        for part in order {
            assert!(rest.any(|t| t == part), "{part} is missing or out of order in {texts:#?}");
        }
    }

    #[test]
    fn late_and_missing_units_are_named() {
        let district = District::new(9);
        let texts = paragraphs(&build(&district.data(60)).unwrap()).join("\n");
        let units = &district.registry.units;
        assert!(texts.contains(&format!("未报：{}。", units[3].name)));
        assert!(texts.contains(&format!("迟报：{}。", units[6].name)));
        assert!(texts.contains(&format!("请{}抓紧补报", units[3].name)));
    }

    #[test]
    fn a_revision_says_its_number_and_what_changed() {
        let district = District::new(4);
        let mut data = district.data(10);
        data.edition = Edition::Revision { number: 1, changes: vec!["碧溪镇人民政府更正台账".to_owned()] };
        let texts = paragraphs(&build(&data).unwrap());
        assert!(texts.contains(&"（修订第1版）".to_owned()));
        assert!(texts.contains(&"本版修订内容：碧溪镇人民政府更正台账。".to_owned()));
        data.edition = Edition::Final;
        assert!(!paragraphs(&build(&data).unwrap()).iter().any(|t| t.contains("初报") || t.contains("修订")));
    }

    #[test]
    fn the_same_data_give_the_same_bytes() {
        let district = District::new(9);
        assert!(build(&district.data(60)).unwrap() == build(&district.data(60)).unwrap());
    }
}
