//! The part of a receipt that says which forms came, and what became of each. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use super::changes::Versus;
use super::page::{Block, Section};
use super::{clip, listed, moment};
use crate::form::record::Datum;
use crate::period::Period;

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
    pub versus: Versus,
    /// The period's final report is out: what this changes is told in the next one.
    pub reported: bool,
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
    /// It came before in the same file, at this time.
    Repeated(Repeated, DateTime<Tz>),
}

/// What became of a form that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    Counting,
    /// Another version came then.
    Replaced(DateTime<Tz>),
    Rejected,
    Waiting,
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
const WITHHELD: usize = 8;
/// With more forms than this, only what became of them is said.
const COMPARED: usize = 2;

/// What each correction changed; `list` is the attached workbook that has all of it.
pub fn changes<'t>(taken: &'t [Taken], list: Option<&'t str>) -> impl Iterator<Item = Section> {
    taken.iter().take(TAKEN).filter_map(move |t| t.versus.section(&t.form, list))
}

/// A line a form, the first of them with their main figures. Units are named where one is not the addressee.
pub fn blocks(taken: &[Taken], addressee: &str) -> Vec<Block> {
    let several = taken.iter().any(|t| t.unit != addressee);
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
            let late = if late { "，迟报" } else { "" };
            match &taken.versus {
                Versus::Outdated { version: newer, received } => {
                    let newer = format!("{}收到的第{newer}次报送", moment(*received));
                    return format!("已存档，第{version}次报送{late}；以{newer}为准");
                }
                same @ Versus::Replaces { version: before, received, .. } if same.is_same() => {
                    let before = format!("第{before}次报送（{}）", moment(*received));
                    format!("已入账，第{version}次报送{late}，内容与{before}完全相同")
                }
                Versus::Replaces { .. } => format!("已入账，第{version}次报送（更正）{late}"),
                Versus::First => format!("已入账，第{version}次报送{late}"),
            }
        }
        Fate::Repeated(what, since) => {
            let same = format!("与{}报来的相同，", moment(since));
            return same
                + &match what {
                    Repeated::Counting => "已经入账，没有重复计入".to_owned(),
                    Repeated::Replaced(by) => format!("已被{}的更正代替，没有入账", moment(by)),
                    Repeated::Rejected => "仍有错误，没有入账".to_owned(),
                    Repeated::Waiting => "正等待人工核实".to_owned(),
                };
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
