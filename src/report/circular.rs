//! The circular (通报): a notice in official form that the department edits before it publishes it. Pure.
//!
//! Layout after GB/T 9704-2012: A4, 37 mm above and 28 mm left, title in size 2, text in size 3 on 29-point lines,
//! the tables as an attachment behind the signature. The document number is left to be filled in.

use crate::ledger::obligation::State;
use crate::report::Error;
use crate::report::appraisal;
use crate::report::conduct;
use crate::report::digest;
use crate::report::docx::{self, Part, Table};
use crate::report::standing;
use crate::report::table::{COVERED, Edition, FOUNDED_MONTH, ReportData, StreamTable, WORK_COVERED};
use crate::report::targets::{self, Standing, Targets, UnitTargets};
use crate::report::wording::{day, decimal, moment, percent};

/// The circular of one period as .docx bytes.
pub fn build(data: &ReportData) -> Result<Vec<u8>, Error> {
    let tables: Vec<StreamTable> = data.tables().into_iter().filter(|t| !t.lines.is_empty()).collect();
    let mut parts = head(data);
    parts.extend(reporting(data));
    let targets = targets::assess(data, &tables);
    parts.extend(progress(data, &tables));
    let mut sections = ["三", "四", "五"].into_iter();
    parts.extend(section(&mut sections, "任务完成排名和预计", ranking(data, &targets)));
    let conduct = appraisal::conduct(data, &conduct::assess(data)).unwrap_or_default();
    parts.extend(section(&mut sections, "报送质量", conduct));
    parts.extend(section(&mut sections, "有关要求", demands(data)));
    parts.extend(closing(data, &tables));
    for (i, targets) in targets.iter().enumerate() {
        parts.push(Part::Attachment(format!("附件{}", i + 1)));
        parts.push(Part::Caption(attachment_title(data, targets.table)));
        parts.push(Part::Table(attachment(data, targets)));
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

/// 二、活动进展
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
    parts
}

/// A section under the next number; none where there is nothing to say.
fn section(numbers: &mut impl Iterator<Item = &'static str>, title: &str, paragraphs: Vec<String>) -> Vec<Part> {
    if paragraphs.is_empty() {
        return Vec::new();
    }
    let heading = format!("{}、{title}", numbers.next().unwrap_or("附"));
    std::iter::once(Part::Heading(heading)).chain(paragraphs.into_iter().map(Part::Body)).collect()
}

/// Stream by stream who leads and who lags, the pace and where it leads.
fn ranking(data: &ReportData, targets: &[Targets]) -> Vec<String> {
    let told = |targets: &Targets| {
        let leaders =
            digest::leaders(targets.table).map(|text| format!("{text}各单位名次见附件。")).unwrap_or_default();
        let text = leaders + &appraisal::outlook(data, targets);
        (!text.is_empty()).then(|| format!("{}方面，{text}", targets.table.stream.title))
    };
    targets.iter().filter_map(told).collect()
}

/// What is asked of the units.
fn demands(data: &ReportData) -> Vec<String> {
    let mut paragraphs = Vec::new();
    let owing: Vec<&str> = standing::standings(data)
        .iter()
        .filter(|s| s.obligations.iter().any(|o| o.state.owed()))
        .map(|s| s.unit.name.as_str())
        .collect();
    if !owing.is_empty() {
        paragraphs.push(format!("请{}抓紧补报或改正后重报。", owing.join("、")));
    }
    let next = data.period.next();
    paragraphs.push(format!(
        "请各单位对照任务数和覆盖率目标，倒排进度，抓紧推进；核对台账，及时更新党组织组建和党员变动情况；{}的统计表和台账请于{}月{}日前报送。",
        next.chinese(),
        next.next().month(),
        data.due.format("%-d")
    ));
    paragraphs
}

/// The list of attachments, signature and date.
fn closing(data: &ReportData, tables: &[StreamTable]) -> Vec<Part> {
    let mut parts = Vec::new();
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

fn attachment(data: &ReportData, targets: &Targets) -> Table {
    let month = format!("{}月新建", data.period.month());
    let header = [
        "排名",
        "单位",
        "任务数",
        &month,
        "累计新建",
        "完成率",
        "目前月均",
        "每月还需",
        "预计完成",
        "组织覆盖率",
        "工作覆盖率",
    ];
    let table = targets.table;
    let unit = |u: &UnitTargets| {
        let of = [u.line.int(FOUNDED_MONTH), u.line.rank.map(i64::from)];
        row(data, &u.unit.name, (of, &u.standing), [u.line.coverage(COVERED), u.line.coverage(WORK_COVERED)])
    };
    let mut rows: Vec<Vec<String>> = targets.units.iter().map(unit).collect();
    let coverage = [table.coverage(COVERED), table.coverage(WORK_COVERED)];
    let mut all = row(data, "合计", ([table.total(FOUNDED_MONTH), None], &targets.district), coverage);
    all[0].clear();
    rows.push(all);
    Table { header: header.map(str::to_owned).to_vec(), widths: vec![9, 31, 9, 10, 9, 16, 9, 9, 20, 17, 17], rows }
}

fn row(
    data: &ReportData,
    name: &str,
    ([month, place], standing): ([Option<i64>; 2], &Standing),
    [org, work]: [Option<f64>; 2],
) -> Vec<String> {
    let projected = appraisal::projected(standing.projection, data.period);
    vec![
        count(place),
        name.to_owned(),
        count(standing.quota),
        count(month),
        count(standing.done),
        rate(standing.completion),
        pace(standing.pace),
        pace(standing.needed),
        if projected.is_empty() { UNKNOWN.to_owned() } else { projected },
        rate(org),
        rate(work),
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
            "三、任务完成排名和预计",
            "四、报送质量",
            "五、有关要求",
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
