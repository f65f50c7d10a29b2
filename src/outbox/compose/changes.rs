//! What a version changes, in a clerk's words: a line a figure or organisation, a few of them in the mail. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use super::page::{Block, Section, Tone};
use super::{clip, moment};
use crate::ledger::changes::{Cell, Change, What};

/// How a version stands to those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versus {
    First,
    /// A newer one had come before; both are kept.
    Outdated {
        version: u32,
        received: DateTime<Tz>,
    },
    Replaces {
        version: u32,
        received: DateTime<Tz>,
        changes: Vec<Change>,
    },
}

/// Lines in the mail, and columns of one organisation in a line.
pub const SHOWN: usize = 8;
const COLUMNS: usize = 3;
const VALUE: usize = 30;

impl Versus {
    /// It came again and says the same.
    pub fn is_same(&self) -> bool {
        matches!(self, Self::Replaces { changes, .. } if changes.is_empty())
    }

    /// One line a difference.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::First | Self::Outdated { .. } => Vec::new(),
            Self::Replaces { changes, .. } => changes.iter().flat_map(lines).collect(),
        }
    }

    /// All the differences there are, as far as a mail has room for them.
    pub fn section(&self, form: &str, list: Option<&str>) -> Option<Section> {
        let Self::Replaces { version, received, .. } = self else { return None };
        let mut lines = self.lines();
        let total = lines.len();
        if total > SHOWN {
            lines.truncate(SHOWN);
            let rest = total - SHOWN;
            lines.push(
                list.map_or_else(|| format!("另有{rest}处"), |name| format!("另有{rest}处，全部列在附件《{name}》里")),
            );
        }
        let title = format!("{form}比第{version}次报送（{}）改动：{total}处", moment(*received));
        Section::of(Tone::Plain, title, lines.into_iter().map(Block::Line).collect())
    }
}

fn lines(change: &Change) -> Vec<String> {
    let standing = match (change.was_withheld, change.withheld) {
        (_, true) => "；这一行有错误，没有入账",
        (true, false) => "；上次因有错误没有入账，这次已入账",
        (false, false) => "",
    };
    match &change.what {
        What::Figures(cells) => cells.iter().map(cell).collect(),
        What::Added(name) => vec![format!("新增“{}”（第{}行{standing}）", clip(name, VALUE), change.row)],
        What::Removed(name) => vec![format!("表里不再有“{}”", clip(name, VALUE))],
        What::Changed(name, cells) => {
            let first: Vec<String> = cells.iter().take(COLUMNS).map(cell).collect();
            let more = if cells.len() > COLUMNS { format!(" 等{}项", cells.len()) } else { String::new() };
            vec![format!("“{}”：{}{more}{standing}", clip(name, VALUE), first.join("，"))]
        }
    }
}

/// `党员总数 205 → 210（F5）`
fn cell(cell: &Cell) -> String {
    let place = cell.cell.as_ref().map(|cell| format!("（{cell}）")).unwrap_or_default();
    format!("{} {} → {}{place}", cell.label, clip(&cell.before, VALUE), clip(&cell.now, VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn change(what: What) -> Change {
        Change { what, sheet: "台账".into(), row: 7, withheld: false, was_withheld: false }
    }

    fn cells(count: usize) -> Vec<Cell> {
        let cell = |n: usize| Cell {
            label: format!("第{n}列"),
            before: "空".into(),
            now: n.to_string(),
            cell: Some(format!("F{n}")),
        };
        (1..=count).map(cell).collect()
    }

    fn against(changes: Vec<Change>) -> Versus {
        let received = chrono_tz::Asia::Shanghai.with_ymd_and_hms(2011, 9, 20, 9, 10, 0).unwrap();
        Versus::Replaces { version: 1, received, changes }
    }

    #[test]
    fn each_difference_is_a_line_with_its_place() {
        let put_right = Change { was_withheld: true, ..change(What::Changed("乙公司".into(), cells(1))) };
        let changes = vec![
            change(What::Figures(cells(2))),
            change(What::Added("甲公司".into())),
            change(What::Changed("丙公司".into(), cells(5))),
            put_right,
            change(What::Removed("丁公司".into())),
        ];
        let expected = [
            "第1列 空 → 1（F1）",
            "第2列 空 → 2（F2）",
            "新增“甲公司”（第7行）",
            "“丙公司”：第1列 空 → 1（F1），第2列 空 → 2（F2），第3列 空 → 3（F3） 等5项",
            "“乙公司”：第1列 空 → 1（F1）；上次因有错误没有入账，这次已入账",
            "表里不再有“丁公司”",
        ];
        assert_eq!(against(changes).lines(), expected);
    }

    #[test]
    fn a_mail_shows_a_few_and_names_the_list_with_all() {
        let section = against(vec![change(What::Figures(cells(20)))]).section("附件1 统计表", Some("更正对照.xlsx"));
        let section = section.unwrap();
        assert_eq!(section.title, "附件1 统计表比第1次报送（9月20日09:10）改动：20处");
        assert_eq!(section.blocks.len(), SHOWN + 1);
        let Some(Block::Line(last)) = section.blocks.last() else { panic!() };
        assert_eq!(last, "另有12处，全部列在附件《更正对照.xlsx》里");
        assert!(against(vec![]).section("附件1 统计表", None).is_none() && against(vec![]).is_same());
    }
}
