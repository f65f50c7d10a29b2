//! The receipt (回执): the answer to one message, one screen long, errors first. Pure.
//!
//! Whom to answer at all is the caller's decision; so is which finding belongs to this answer.

use chrono::DateTime;
use chrono_tz::Tz;

use super::grouped::{Group, MESSAGE, Places, group, lines, total};
use super::page::{Block, Page, Section, Tone};
use super::rules::wording;
use super::{Composed, Owed, clip, footer, listed, moment, owed_lines, reply_subject};
use crate::form::record::Datum;
use crate::form::{Finding, Severity};
use crate::period::Period;

/// All that the answer to one message says.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Subject of the message answered, as it came.
    pub subject: String,
    /// Whom it speaks to: the unit; empty where it is not known.
    pub addressee: String,
    /// When the provider took the message, and when this is written.
    pub received: DateTime<Tz>,
    pub now: DateTime<Tz>,
    pub outcome: Outcome,
    pub taken: Vec<Taken>,
    pub findings: Vec<Finding>,
    /// What the sender's unit still owes; `None` where the unit is not known.
    pub owed: Option<Vec<Owed>>,
    /// The attached workbooks that are the sender's own, the cells with findings marked.
    pub marked: Vec<Marked>,
    /// Name of the attached workbook that has every finding, if there is one.
    pub full_list: Option<String>,
    /// It is the last answer for now, and why.
    pub last: Option<&'static str>,
    /// `区委组织部 王老师 0531-…`; may be empty.
    pub contact: String,
    /// `区非公党工委`
    pub signature: String,
}

/// A table of the sender's that goes back marked.
#[derive(Clone, Debug)]
pub struct Marked {
    /// Name of the attached workbook.
    pub name: String,
    /// It has cells with errors, filled red.
    pub red: bool,
    /// It has cells to check, filled yellow.
    pub yellow: bool,
}

/// What became of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Partly,
    Rejected,
    Quarantined,
    /// No form in the mail, though its unit still owes.
    NoForm,
    /// The same attachments came before, at this time.
    Duplicate(DateTime<Tz>),
    /// We could not finish it, through no fault of the sender.
    OurFailure,
}

/// One form found in the message.
#[derive(Clone, Debug)]
pub struct Taken {
    pub unit: String,
    /// `非公有制企业`
    pub stream: String,
    /// `附件1 统计表`
    pub form: String,
    pub period: Period,
    pub fate: Fate,
    /// Of a book: what went in, and which rows of the sheet did not.
    pub rows: Option<Rows>,
    /// The main figures beside last month's; the first few are shown.
    pub figures: Vec<Figure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `version` counts accepted versions from 1.
    Accepted {
        version: u32,
        late: bool,
    },
    Rejected,
    Quarantined,
}

#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub admitted: u32,
    /// Row numbers as the sheet shows them.
    pub withheld: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct Figure {
    /// The column's label: `党员总数`
    pub label: String,
    /// Of the period before; `Null` where there is none.
    pub before: Datum,
    pub now: Datum,
}

/// Limits that keep the text on one screen whatever came.
const TAKEN: usize = 4;
const FIGURES: usize = 6;
/// With more forms than this, only what became of them is said.
const COMPARED: usize = 2;
const WITHHELD: usize = 8;
const TOLD: usize = 3;
/// Lines for what is wrong; what it leaves of these and the spare ones is for warnings.
const ROOM: usize = 18;
const SPARE: usize = 6;
const WAITING_ROOM: usize = 6;
const OWED: usize = 3;
/// Marked tables that are named, and characters of a name.
const MARKED: usize = 2;
const NAME: usize = 40;

/// Rules that leave a decision to a person: a known sender's mail waits, and nothing is the sender's fault yet.
const WAITING: [&str; 4] = ["M01", "M02", "M03", "W04"];

pub fn compose(receipt: &Receipt) -> Composed {
    let shown = if receipt.outcome == Outcome::OurFailure { &[][..] } else { &receipt.findings[..] };
    let waits = |f: &Finding| receipt.outcome == Outcome::Quarantined && WAITING.contains(&f.rule.as_str());
    let places = Places::of(shown);
    let groups = |severity| {
        let of_severity = |f: &&Finding| f.severity == severity && !waits(f);
        group(shown.iter().filter(of_severity).collect())
    };
    let (errors, warnings) = (groups(Severity::Error), groups(Severity::Warning));
    let waiting = group(shown.iter().filter(|f| waits(f)).collect());
    let told: Vec<&Finding> = shown.iter().filter(|f| f.severity == Severity::Info && !waits(f)).collect();

    let wrong = places.items(&errors, ROOM);
    let mut doubtful = places.items(&warnings, (ROOM + SPARE).saturating_sub(lines(&wrong)));
    shorten(&mut doubtful, &warnings);
    let page = Page {
        tone: tone(receipt.outcome, &warnings),
        title: title(receipt, &errors, &warnings),
        greeting: if receipt.addressee.is_empty() { "您好：".into() } else { format!("{}：", receipt.addressee) },
        lead: lead(receipt, &errors),
        sections: [
            Section::of(Tone::Attention, "需要人工核实的原因", places.items(&waiting, WAITING_ROOM)),
            Section::of(Tone::Bad, format!("请改正：{}处", total(&errors)), wrong),
            Section::of(Tone::Plain, "收到的报表", taken_blocks(receipt)),
            Section::of(Tone::Attention, doubtful_title(receipt.outcome, &warnings), doubtful),
            Section::of(Tone::Plain, "系统是这样读取的，如有不符请电话告知", told_blocks(&told)),
            owed_section(receipt),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: footer(&receipt.contact, &receipt.signature),
    };
    Composed::of(reply_subject(&receipt.subject), &page)
}

/// Warnings beyond their room are only counted: errors are told in full, and the list is attached.
fn shorten(blocks: &mut Vec<Block>, warnings: &[Group]) {
    let shared = blocks.iter().all(|b| matches!(b, Block::Line(_)));
    if shared && blocks.len() > SPARE {
        blocks.truncate(SPARE);
        blocks.push(Block::Line(format!("另有{}类提醒", warnings.len() - 3 * SPARE)));
    }
}

fn doubtful_title(outcome: Outcome, warnings: &[Group]) -> String {
    let taken_in = if matches!(outcome, Outcome::Accepted | Outcome::Partly) { "（已入账）" } else { "" };
    format!("请核对{taken_in}：{}处", total(warnings))
}

fn tone(outcome: Outcome, warnings: &[Group]) -> Tone {
    match outcome {
        Outcome::Accepted if warnings.is_empty() => Tone::Good,
        Outcome::Accepted | Outcome::Quarantined | Outcome::NoForm | Outcome::Partly => Tone::Attention,
        Outcome::Rejected => Tone::Bad,
        Outcome::Duplicate(_) | Outcome::OurFailure => Tone::Plain,
    }
}

fn title(receipt: &Receipt, errors: &[Group], warnings: &[Group]) -> String {
    let cause = match errors {
        [only] => format!("：{}", wording(only.rule).title),
        _ => String::new(),
    };
    match receipt.outcome {
        Outcome::Accepted if warnings.is_empty() => "已入账，没有发现问题".to_owned(),
        Outcome::Accepted => format!("已入账，有{}处请核对", total(warnings)),
        Outcome::Partly => format!("部分入账，有{}处错误请改正后重发", total(errors)),
        Outcome::Rejected => format!("没有入账{cause}，请改正后重发"),
        Outcome::Quarantined => "已收到，需区里人工核实后入账".to_owned(),
        Outcome::NoForm => format!("没有收到报表{cause}"),
        Outcome::Duplicate(_) => "与之前发来的相同，没有重复入账".to_owned(),
        Outcome::OurFailure => "已收到，稍后处理，不必重发".to_owned(),
    }
}

fn lead(receipt: &Receipt, errors: &[Group]) -> Vec<String> {
    let came = format!("{}发来的邮件已收到", moment(receipt.received));
    let told = match receipt.outcome {
        Outcome::Accepted => "，报表已入账。".to_owned(),
        Outcome::Partly => {
            "。有错误的部分没有入账，其余已入账。请改正后把整份表重新发来，新的一份会代替旧的。".to_owned()
        }
        Outcome::Rejected => "，但报表没能入账，原因和改法见下。请改正后重新发送。".to_owned(),
        Outcome::Quarantined if errors.is_empty() => "，需区里人工核实后入账。核实期间不必重发。".to_owned(),
        Outcome::Quarantined => "，需区里人工核实后入账。另有错误请一并改正后重发。".to_owned(),
        Outcome::NoForm => "并保存，但其中没有可以入账的报表。".to_owned(),
        Outcome::Duplicate(first) => {
            format!("，附件与{}发来的完全相同，以那一次为准，不必再发。", moment(first))
        }
        Outcome::OurFailure => {
            "并完整保存。系统这边出了故障，暂时没有处理完，不是您的报表有问题。工作人员会处理，处理好后再给您回执。"
                .to_owned()
        }
    };
    let mut lines = vec![format!("{came}{told}")];
    if receipt.outcome == Outcome::NoForm && receipt.findings.is_empty() {
        lines.push("如果是报送报表，请把填好的表格作为附件发来；如果只是反映情况，不用再发，已转区里阅看。".to_owned());
    }
    lines.extend(marked(receipt));
    if let Some(name) = &receipt.full_list {
        lines.push(format!("全部问题逐条列在附件《{name}》里。"));
    }
    lines.extend(receipt.last.map(str::to_owned));
    if receipt.marked.is_empty() && matches!(receipt.outcome, Outcome::Partly | Outcome::Rejected) {
        lines.push("改好后直接回复本邮件、附上表格即可。".to_owned());
    }
    lines
}

/// What the sender's own table is sent back for, and what to do with it.
fn marked(receipt: &Receipt) -> Option<String> {
    let tables = &receipt.marked;
    let names: Vec<String> =
        tables.iter().take(MARKED).map(|table| format!("《{}》", clip(&table.name, NAME))).collect();
    let more = if tables.len() > MARKED { format!("等{}份", tables.len()) } else { String::new() };
    let colours = match (tables.iter().any(|t| t.red), tables.iter().any(|t| t.yellow)) {
        (true, true) => "有错误的单元格已标红、需核对的已标黄，",
        (true, false) => "有错误的单元格已标红，",
        (false, _) => "需核对的单元格已标黄，",
    };
    let todo = match receipt.outcome {
        Outcome::Accepted => "没有填错就不用再发；要更正的，在这份表里改，改好后直接回复本邮件发回。",
        _ => "请在这份表里改，改好后直接回复本邮件发回即可。",
    };
    let told = format!("附件{}{more}是您报来的表，{colours}并加了批注；{todo}", names.concat());
    (!names.is_empty()).then_some(told)
}

fn owed_section(receipt: &Receipt) -> Option<Section> {
    let owed = receipt.owed.as_deref()?;
    let settled = matches!(receipt.outcome, Outcome::Accepted | Outcome::Duplicate(_));
    let lines = match owed {
        [] if settled => vec!["本期应报的报表已经报齐，谢谢。".to_owned()],
        owed => owed_lines(owed, receipt.now, OWED),
    };
    Section::of(
        Tone::Plain,
        if owed.is_empty() { "报送情况" } else { "还需报送" },
        lines.into_iter().map(Block::Line).collect(),
    )
}

fn taken_blocks(receipt: &Receipt) -> Vec<Block> {
    let taken = &receipt.taken;
    let several = taken.iter().any(|t| t.unit != receipt.addressee);
    let mut blocks = Vec::new();
    for one in taken.iter().take(TAKEN) {
        let unit = if several { format!("{} ", one.unit) } else { String::new() };
        blocks.push(Block::Line(format!(
            "{unit}{}，{}，{}：{}",
            one.form,
            one.stream,
            one.period.chinese(),
            fate_words(one)
        )));
        // Figures of a return that waits or was turned away stay with us: it may be another unit's.
        let counts = matches!(one.fate, Fate::Accepted { .. });
        if counts && !one.figures.is_empty() && taken.len() <= COMPARED {
            blocks.push(figures(one));
        }
    }
    if taken.len() > TAKEN {
        blocks.push(Block::Line(format!("另有{}份报表没有在这里列出", taken.len() - TAKEN)));
    }
    blocks
}

fn fate_words(taken: &Taken) -> String {
    let mut words = match taken.fate {
        Fate::Accepted { version, late } => {
            let amends = if version > 1 { "（更正）" } else { "" };
            let late = if late { "，迟报" } else { "" };
            format!("已入账，第{version}次报送{amends}{late}")
        }
        Fate::Rejected => "没有入账".to_owned(),
        Fate::Quarantined => "等待人工核实".to_owned(),
    };
    if let (Some(rows), Fate::Accepted { .. }) = (&taken.rows, taken.fate) {
        words += &format!("，共入账{}行", rows.admitted);
        if !rows.withheld.is_empty() {
            words += &format!("；有错误没有入账的是第{}", listed(&rows.withheld, WITHHELD, "行"));
        }
    }
    words
}

fn figures(taken: &Taken) -> Block {
    let row = |f: &Figure| (f.label.clone(), datum_words(&f.before), datum_words(&f.now));
    Block::Compare {
        then: taken.period.prev().chinese(),
        now: taken.period.chinese(),
        rows: taken.figures.iter().take(FIGURES).map(row).collect(),
    }
}

fn datum_words(value: &Datum) -> String {
    match value {
        Datum::Null => "—".to_owned(),
        Datum::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        Datum::Int(n) => n.to_string(),
        Datum::Rate(r) => format!("{r:.1}%"),
        Datum::Text(text) => clip(text, 20),
    }
}

fn told_blocks(told: &[&Finding]) -> Vec<Block> {
    let mut lines: Vec<String> = Vec::new();
    for finding in told {
        let line = clip(&finding.message, MESSAGE);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let more = lines.len().saturating_sub(TOLD);
    lines.truncate(TOLD);
    if more > 0 {
        lines.push(format!("另有{more}处"));
    }
    lines.into_iter().map(Block::Line).collect()
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
