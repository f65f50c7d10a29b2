//! Why a book is held, in one sentence with the figures, for its sender and for whoever decides. Pure.

use crate::form::Stream;
use crate::ledger::plausible::{Before, Doubt};
use crate::period::Period;

const WAITS: &str = "暂不入账，等区里核实";

/// R15, of a book for this period.
pub fn smaller(doubt: Doubt, period: Period) -> String {
    let since = |before: Before| match before.period == period {
        true => "上次报的".to_owned(),
        false => format!("上期（{}）", before.period.chinese()),
    };
    match doubt {
        Doubt::Smaller { rows, before } => {
            let less = (before.rows - rows) * 100 / before.rows.max(1);
            format!("台账本期{rows}家，{}有{}家，少了{less}%，{WAITS}。", since(before), before.rows)
        }
        Doubt::Emptied { before } => {
            format!("台账里没有一行数据，{}有{}家，{WAITS}。", since(before), before.rows)
        }
        Doubt::Empty { told: Some(told) } => {
            format!("台账里没有一行数据，同一期的统计表却填了{told}家，{WAITS}。")
        }
        Doubt::Empty { told: None } => {
            format!("台账里没有一行数据，{WAITS}；如果确实一家也没有，在同一期的统计表里把总数填0，系统就会入账。")
        }
    }
}

/// In whose book the organisations are.
pub enum Whose<'a> {
    Unit(&'a str),
    /// The unit's own of another stream.
    Stream(Option<&'a Stream>),
}

/// R16: so many of so many are in a book of that period.
pub fn foreign(whose: &Whose<'_>, (shared, of): (usize, usize), period: Period) -> String {
    let book = match whose {
        Whose::Unit(unit) => format!("{unit}{}的台账", period.chinese()),
        Whose::Stream(stream) => {
            let title = stream.map_or("另一条线", |s| &s.title);
            format!("本单位{}{title}的台账", period.chinese())
        }
    };
    format!("台账里的{of}家有{shared}家也在{book}里，{WAITS}。")
}

/// What was told of a book that was held, now that a later one counts.
pub fn overtaken(text: &str) -> String {
    let figures = text.split_once(&format!("，{WAITS}")).map_or(text, |(figures, _)| figures);
    format!("{figures}，没有入账；本期台账已以之后收到的一份为准，这份不用再核实。")
}

/// An empty book that was believed.
pub const NOTHING: &str = "台账里没有一行数据，按零报告（一家也没有）入账。";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_told() {
        let period: Period = "2011-08".parse().unwrap();
        let before = Before { period: period.prev(), rows: 40 };
        let again = Before { period, rows: 7 };
        let told = |doubt| smaller(doubt, period);
        assert_eq!(
            told(Doubt::Smaller { rows: 4, before }),
            "台账本期4家，上期（2011年7月）有40家，少了90%，暂不入账，等区里核实。"
        );
        assert_eq!(told(Doubt::Emptied { before: again }), "台账里没有一行数据，上次报的有7家，暂不入账，等区里核实。");
        assert_eq!(
            foreign(&Whose::Unit("白沙街道"), (19, 20), period),
            "台账里的20家有19家也在白沙街道2011年8月的台账里，暂不入账，等区里核实。"
        );
        assert_eq!(
            overtaken(&told(Doubt::Smaller { rows: 4, before })),
            "台账本期4家，上期（2011年7月）有40家，少了90%，没有入账；本期台账已以之后收到的一份为准，这份不用再核实。"
        );
        assert_eq!(
            overtaken(&told(Doubt::Empty { told: None })),
            "台账里没有一行数据，没有入账；本期台账已以之后收到的一份为准，这份不用再核实。"
        );
    }
}
