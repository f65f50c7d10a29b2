//! The receipt (回执): the answer to one message, one screen long, errors first. Pure.
//!
//! Whom to answer at all is the caller's decision; so is which finding belongs to this answer.

use chrono::DateTime;
use chrono_tz::Tz;

use super::changes::Versus;
use super::grouped::{Group, MESSAGE, Places, group, lines, total};
use super::page::{Block, Page, Section, Tone};
use super::received;
pub use super::received::{Fate, Figure, Repeated, Rows, Taken};
use super::rules::wording;
use super::{Composed, Owed, clip, footer, moment, owed_lines, reply_subject};
use crate::form::{Finding, Severity};
pub use crate::submission::repeats::Told;

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
    /// A book that was told as taken is held now.
    pub withdrawn: bool,
    /// Name of the attached workbook that has every change, where the text has not.
    pub changes_list: Option<String>,
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
    /// All of it came before, and its sender has to be told this.
    Duplicate(Told),
    /// We could not finish it, through no fault of the sender.
    OurFailure,
}

/// Limits that keep the text on one screen whatever came.
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
/// The same about a book, whatever becomes of the rest: it is held, and the sender can help.
const HELD: [&str; 2] = ["R15", "R16"];

pub fn compose(receipt: &Receipt) -> Composed {
    let shown = if receipt.outcome == Outcome::OurFailure { &[][..] } else { &receipt.findings[..] };
    let waits =
        |f: &Finding| is_held(f) || receipt.outcome == Outcome::Quarantined && WAITING.contains(&f.rule.as_str());
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
            Section::of(Tone::Plain, "收到的报表", received::blocks(&receipt.taken, &receipt.addressee)),
        ]
        .into_iter()
        .flatten()
        .chain(received::changes(&receipt.taken, receipt.changes_list.as_deref()))
        .chain(
            [
                Section::of(Tone::Attention, doubtful_title(receipt.outcome, &warnings), doubtful),
                Section::of(Tone::Plain, "系统是这样读取的，如有不符请电话告知", told_blocks(&told)),
                owed_section(receipt),
            ]
            .into_iter()
            .flatten(),
        )
        .collect(),
        footer: footer(&receipt.contact, &receipt.signature),
    };
    Composed::of(reply_subject(&receipt.subject), &page)
}

fn is_held(finding: &Finding) -> bool {
    finding.is_error() && HELD.contains(&finding.rule.as_str())
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
        Outcome::Duplicate(Told::Uncured) => Tone::Bad,
        Outcome::Duplicate(_) => Tone::Attention,
        Outcome::OurFailure => Tone::Plain,
    }
}

fn title(receipt: &Receipt, errors: &[Group], warnings: &[Group]) -> String {
    let cause = match errors {
        [only] => format!("：{}", wording(only.rule).title),
        _ => String::new(),
    };
    match receipt.outcome {
        Outcome::Accepted if all(receipt, Versus::is_same) => "已收到，内容与上次报送完全相同".to_owned(),
        Outcome::Accepted if all(receipt, is_outdated) => "已存档，以后来收到的一份为准".to_owned(),
        Outcome::Accepted if warnings.is_empty() => "已入账，没有发现问题".to_owned(),
        Outcome::Accepted => format!("已入账，有{}处请核对", total(warnings)),
        Outcome::Partly if holds(receipt) && errors.is_empty() => "部分入账，台账等区里核实".to_owned(),
        Outcome::Partly if holds(receipt) => format!("部分入账，台账等区里核实，另有{}处错误请改正", total(errors)),
        Outcome::Partly => format!("部分入账，有{}处错误请改正后重发", total(errors)),
        Outcome::Rejected => format!("没有入账{cause}，请改正后重发"),
        Outcome::Quarantined if holds(receipt) => "已收到，台账暂不入账，等区里核实".to_owned(),
        Outcome::Quarantined => "已收到，需区里人工核实后入账".to_owned(),
        Outcome::NoForm => format!("没有收到报表{cause}"),
        Outcome::Duplicate(Told::Replaced) => "这是以前的一份，没有入账，仍以后来的更正为准".to_owned(),
        Outcome::Duplicate(Told::Uncorrected) => "与已入账的完全相同，没有可更正的内容".to_owned(),
        Outcome::Duplicate(Told::Uncured) => "与上次发来的相同，错误还没有改，请改正后重发".to_owned(),
        Outcome::OurFailure => "已收到，稍后处理，不必重发".to_owned(),
    }
}

fn lead(receipt: &Receipt, errors: &[Group]) -> Vec<String> {
    let came = format!("{}发来的邮件已收到", moment(receipt.received));
    let told = match receipt.outcome {
        Outcome::Accepted if all(receipt, Versus::is_same) => {
            "，内容没有变化。如果是要更正，请检查是不是附了旧文件，或者改好后没有保存。".to_owned()
        }
        Outcome::Accepted if all(receipt, is_outdated) => {
            "，但在它之后发出的一份已经先入账，这一份存档备查，台账没有改动。".to_owned()
        }
        Outcome::Accepted => "，报表已入账。".to_owned(),
        Outcome::Partly | Outcome::Quarantined if holds(receipt) => held_lead(receipt, errors),
        Outcome::Partly => {
            "。有错误的部分没有入账，其余已入账。请改正后把整份表重新发来，新的一份会代替旧的。".to_owned()
        }
        Outcome::Rejected => "，但报表没能入账，原因和改法见下。请改正后重新发送。".to_owned(),
        Outcome::Quarantined if errors.is_empty() => "，需区里人工核实后入账。核实期间不必重发。".to_owned(),
        Outcome::Quarantined => "，需区里人工核实后入账。另有错误请一并改正后重发。".to_owned(),
        Outcome::NoForm => "并保存，但其中没有可以入账的报表。".to_owned(),
        Outcome::Duplicate(told) => repeated_lead(told).to_owned(),
        Outcome::OurFailure => {
            "并完整保存。系统这边出了故障，暂时没有处理完，不是您的报表有问题。工作人员会处理，处理好后再给您回执。"
                .to_owned()
        }
    };
    let mut lines = vec![format!("{came}{told}")];
    if receipt.outcome == Outcome::NoForm && receipt.findings.is_empty() {
        lines.push("如果是报送报表，请把填好的表格作为附件发来；如果只是反映情况，不用再发，已转区里阅看。".to_owned());
    }
    lines.extend(reported(receipt));
    lines.extend(marked(receipt));
    if let Some(name) = &receipt.full_list {
        lines.push(format!("全部问题逐条列在附件《{name}》里。"));
    }
    lines.extend(receipt.last.map(str::to_owned));
    let to_mend = !(holds(receipt) && errors.is_empty());
    if to_mend && receipt.marked.is_empty() && matches!(receipt.outcome, Outcome::Partly | Outcome::Rejected) {
        lines.push("改好后直接回复本邮件、附上表格即可。".to_owned());
    }
    lines
}

fn holds(receipt: &Receipt) -> bool {
    receipt.findings.iter().any(is_held)
}

fn held_lead(receipt: &Receipt, errors: &[Group]) -> String {
    // What it was told before is taken back, so the sender has to hear why.
    let since = if receipt.withdrawn {
        "。这份台账先前已入账，与后来收到的台账比对后改为"
    } else {
        "，台账"
    };
    let rest = if receipt.outcome == Outcome::Partly { "，其余已入账" } else { "" };
    let also = if errors.is_empty() { "" } else { "另有错误请一并改正。" };
    format!("{since}暂不入账，等区里核实（原因见下）{rest}。如果是漏贴或发错，请直接重发，不必等核实结果。{also}")
}

fn repeated_lead(told: Told) -> &'static str {
    match told {
        Told::Replaced => {
            "，但报表与以前报来的一份相同，那一份已被后来的更正代替，所以台账没有改动。如果确实要改回这一份，请把这份表另发一封邮件，主题里写明“以此为准”。"
        }
        Told::Uncorrected => {
            "，但附件与已入账的完全相同，没有可更正的内容。请检查是不是附了旧文件，或者改好后没有保存；附上改好的表重新发来即可。"
        }
        Told::Uncured => "，但附件与上次发来的完全相同，上次指出的错误还在。请改正、保存后重新发来。",
    }
}

/// All that was taken stands so to what came before.
fn all(receipt: &Receipt, stands: impl Fn(&Versus) -> bool) -> bool {
    !receipt.taken.is_empty() && receipt.taken.iter().all(|t| stands(&t.versus))
}

fn is_outdated(versus: &Versus) -> bool {
    matches!(versus, Versus::Outdated { .. })
}

/// A return for a period whose report is out is no secret: it says where it will be found.
fn reported(receipt: &Receipt) -> Option<String> {
    let moves = |t: &&Taken| t.reported && matches!(t.fate, Fate::Accepted { .. }) && !t.versus.is_same();
    let late = receipt.taken.iter().filter(moves).find(|t| !is_outdated(&t.versus))?;
    let what = if late.versus == Versus::First { "补报" } else { "更正" };
    Some(format!("{}的汇总已经发出，这次{what}会在下一次汇总里列明。", late.period.chinese()))
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
