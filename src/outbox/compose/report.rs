//! The short mail that carries the month's workbook and circular to the department and the committees. Pure.

use super::page::{Block, Page, Section, Tone};
use super::{Composed, footer, listed};
use crate::period::Period;

#[derive(Clone, Debug)]
pub struct Report {
    /// `白鹭区`
    pub district: String,
    pub period: Period,
    pub edition: Edition,
    /// Units by how they stand. A unit is on time when all that it owes was, late when some was late,
    /// missing when something is.
    pub on_time: u32,
    pub late: Vec<String>,
    pub missing: Vec<String>,
    pub excused: Vec<String>,
    pub streams: Vec<StreamSummary>,
    /// Open findings of the versions that count.
    pub errors: u32,
    pub warnings: u32,
    /// Mails that wait for a person.
    pub quarantined: u32,
    /// Names of the files attached.
    pub files: Vec<String>,
    pub contact: String,
    pub signature: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    First,
    Final,
    /// Numbered from 1.
    Revision(u32),
}

/// One stream in a line. Coverage in percent.
#[derive(Clone, Debug)]
pub struct StreamSummary {
    /// `非公有制企业`
    pub title: String,
    pub organisations: i64,
    pub members: i64,
    pub party_orgs: i64,
    pub new_month: i64,
    pub new_total: i64,
    pub target: Option<u32>,
    pub org_coverage: Option<f64>,
    pub work_coverage: Option<f64>,
}

/// Names listed before the rest is counted.
const NAMES: usize = 12;

pub fn compose(report: &Report) -> Composed {
    let edition = match report.edition {
        Edition::First => "初报".to_owned(),
        Edition::Final => "终报".to_owned(),
        Edition::Revision(n) => format!("更正第{n}次"),
    };
    let subject = format!("{}{}报送情况汇总（{edition}）", report.district, report.period.chinese());
    let page = Page {
        tone: Tone::Plain,
        title: subject.clone(),
        greeting: String::new(),
        lead: vec![lead(report)],
        sections: [
            Section::of(Tone::Plain, "报送情况", standing(report)),
            Section::of(Tone::Plain, "主要数据", figures(&report.streams)),
            Section::of(Tone::Attention, "需要处理", open(report)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: footer(&report.contact, &report.signature),
    };
    Composed::of(subject, &page)
}

fn lead(report: &Report) -> String {
    let names: Vec<String> = report.files.iter().map(|name| format!("《{name}》")).collect();
    let files = if names.is_empty() { String::new() } else { format!("详见附件{}。", names.join("、")) };
    let words = match report.edition {
        Edition::First => "截止时间已过，现将各单位报送情况汇总如下；之后补报、更正的，在终报里更新。",
        Edition::Final => "各单位报送情况汇总如下，以本次为准；之后再有更正，另发更正报。",
        Edition::Revision(_) => "上次汇总之后有单位补报或更正，现更正如下，以本次为准。",
    };
    format!("{words}{files}")
}

fn standing(report: &Report) -> Vec<Block> {
    let named = |what: &str, units: &[String]| match units {
        [] => None,
        units => Some(format!("{what}{}个：{}", units.len(), listed(units, NAMES, ""))),
    };
    [
        Some(format!("按时报齐{}个单位", report.on_time)),
        named("迟报", &report.late),
        named("未报齐", &report.missing),
        named("免报", &report.excused),
    ]
    .into_iter()
    .flatten()
    .map(Block::Line)
    .collect()
}

fn figures(streams: &[StreamSummary]) -> Vec<Block> {
    if streams.is_empty() {
        return Vec::new();
    }
    let rate = |r: Option<f64>| r.map_or("—".to_owned(), |r| format!("{r:.1}%"));
    let total = |s: &StreamSummary| s.target.map_or(s.new_total.to_string(), |t| format!("{} / {t}", s.new_total));
    let row = |label: &str, value: &dyn Fn(&StreamSummary) -> String| {
        [label.to_owned()].into_iter().chain(streams.iter().map(value)).collect::<Vec<String>>()
    };
    // A column a stream, so that it fits a phone.
    let rows = vec![
        row("组织总数", &|s| s.organisations.to_string()),
        row("党员总数", &|s| s.members.to_string()),
        row("党组织总数", &|s| s.party_orgs.to_string()),
        row("本月新建党组织", &|s| s.new_month.to_string()),
        row("累计新建 / 目标", &total),
        row("组织覆盖率", &|s| rate(s.org_coverage)),
        row("工作覆盖率", &|s| rate(s.work_coverage)),
    ];
    let head = ["项目"].into_iter().chain(streams.iter().map(|s| s.title.as_str())).map(str::to_owned).collect();
    vec![Block::Grid { head, rows }]
}

fn open(report: &Report) -> Vec<Block> {
    let mut lines = Vec::new();
    if report.errors + report.warnings > 0 {
        lines.push(format!("未改正的问题：错误{}处，提醒{}处（见“问题”表）", report.errors, report.warnings));
    }
    if report.quarantined > 0 {
        lines.push(format!("待人工核实的来件{}件，核实前没有计入", report.quarantined));
    }
    lines.into_iter().map(Block::Line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(title: &str, counts: [i64; 5], target: Option<u32>, coverage: f64) -> StreamSummary {
        let [organisations, members, party_orgs, new_month, new_total] = counts;
        StreamSummary {
            title: title.into(),
            organisations,
            members,
            party_orgs,
            new_month,
            new_total,
            target,
            org_coverage: Some(coverage),
            work_coverage: None,
        }
    }

    #[test]
    fn the_summary_can_be_read_without_opening_the_workbook() {
        let mail = compose(&Report {
            district: "白鹭区".into(),
            period: "2011-08".parse().unwrap(),
            edition: Edition::First,
            on_time: 5,
            late: vec!["云岭街道".into()],
            missing: vec!["松溪镇".into(), "区商务局".into()],
            excused: vec![],
            streams: vec![
                stream("非公有制企业", [412, 903, 120, 6, 31], Some(100), 48.24),
                stream("社会组织", [96, 208, 30, 0, 2], None, 100.0),
            ],
            errors: 1,
            warnings: 12,
            quarantined: 2,
            files: vec!["白鹭区2011年8月汇总.xlsx".into()],
            contact: String::new(),
            signature: "区委组织部".into(),
        });
        assert_eq!(mail.subject, "白鹭区2011年8月报送情况汇总（初报）");
        assert_eq!(
            mail.text,
            "\
【白鹭区2011年8月报送情况汇总（初报）】
截止时间已过，现将各单位报送情况汇总如下；之后补报、更正的，在终报里更新。详见附件《白鹭区2011年8月汇总.xlsx》。

◆ 报送情况
· 按时报齐5个单位
· 迟报1个：云岭街道
· 未报齐2个：松溪镇、区商务局

◆ 主要数据
· 组织总数：非公有制企业 412，社会组织 96
· 党员总数：非公有制企业 903，社会组织 208
· 党组织总数：非公有制企业 120，社会组织 30
· 本月新建党组织：非公有制企业 6，社会组织 0
· 累计新建 / 目标：非公有制企业 31 / 100，社会组织 2
· 组织覆盖率：非公有制企业 48.2%，社会组织 100.0%
· 工作覆盖率：非公有制企业 —，社会组织 —

◆ 需要处理
· 未改正的问题：错误1处，提醒12处（见“问题”表）
· 待人工核实的来件2件，核实前没有计入

————————
本邮件由系统自动发出。
区委组织部
"
        );
    }
}
