//! What the merge has to say about a book, as findings a clerk understands: what was seen where, and what to do. Pure.

use std::collections::HashMap;

use super::counting::{Counting, Line};
use crate::form::record::shortened;
use crate::form::resemblance::{Difference, Resemblance};
use crate::form::{Finding, Form, Place, Severity};
use crate::ledger::merge::{Remark, Sight, Why};

/// All lines of a unit's books, to say where something was seen.
pub struct Lines<'a> {
    form: &'a Form,
    lines: HashMap<i64, (&'a Counting, &'a Line)>,
}

impl<'a> Lines<'a> {
    pub fn of(form: &'a Form, versions: &'a [Counting]) -> Self {
        let all = versions.iter().flat_map(|version| version.rows.iter().map(move |line| (line.id, (version, line))));
        Self { form, lines: all.collect() }
    }

    /// A remark about one of the books.
    pub fn finding(&self, book: &Counting, remark: &Remark) -> Finding {
        match remark {
            Remark::Missing { was } => {
                let place =
                    Place { file: Some(book.file.clone()), sheet: Some(book.sheet.clone()), ..Place::default() };
                let message = format!(
                    "“{}”在{}，这次没有，也没有销户，仍按在册保留；已不在的请填一行并销户，漏报的请补上。",
                    was.name,
                    self.seen(was)
                );
                Finding::new("R11", Severity::Warning, place, message).about(&self.form.identity).of(&was.name)
            }
            Remark::Renamed { line, was, why } => {
                let message = format!(
                    "{}疑为“{}”（{}）改名：{}。不是同一家的请电话告知。",
                    self.subject(*line),
                    was.name,
                    self.seen(was),
                    reason(why)
                );
                self.at("R13", *line, &self.form.identity, message).resting_on(&was.name)
            }
            Remark::Back { line, closed, reason, on } => {
                let cause = [reason, on].into_iter().filter(|t| !t.is_empty()).cloned().collect::<Vec<_>>().join("，");
                let cause = if cause.is_empty() { cause } else { format!("（{cause}）") };
                let message = format!(
                    "{}在{}已销户{cause}，这次又正常填报，已恢复在册；确已销户的请改填销户后重报。",
                    self.subject(*line),
                    self.seen(closed)
                );
                self.at("R14", *line, &self.form.identity, message)
            }
            Remark::Twice { line, other } => {
                let message = format!(
                    "{}和{}经核定是同一家，按{}入账，这一行没有采用，请删去。",
                    self.subject(*line),
                    self.subject(*other),
                    self.row(*other)
                );
                self.at("R03", *line, &self.form.identity, message)
            }
        }
    }

    fn at(&self, rule: &str, line: i64, key: &str, message: String) -> Finding {
        let place = self.lines.get(&line).map_or_else(Place::default, |(version, line)| Place {
            file: Some(version.file.clone()),
            sheet: Some(line.record.sheet.clone()),
            cell: line.record.cells.get(key).cloned(),
            row: Some(line.record.row),
        });
        let name = self.lines.get(&line).and_then(|(_, line)| line.record.text(&self.form.identity));
        Finding::new(rule, Severity::Warning, place, message).about(key).of(name.unwrap_or_default())
    }

    /// `第12行`
    fn row(&self, line: i64) -> String {
        self.lines.get(&line).map(|(_, line)| format!("第{}行", line.record.row)).unwrap_or_default()
    }

    /// `第12行“某公司”`
    fn subject(&self, line: i64) -> String {
        let name = self.lines.get(&line).and_then(|(_, line)| line.record.text(&self.form.identity));
        format!("{}“{}”", self.row(line), name.unwrap_or_default())
    }

    /// `2011年7月台账“附件2”第12行`. Where the book of that period had it with an error, the row is that of an older one.
    fn seen(&self, sight: &Sight) -> String {
        let Some((version, line)) = self.lines.get(&sight.line) else {
            return format!("{}台账", sight.period.chinese());
        };
        format!("{}台账“{}”第{}行", version.period.chinese(), line.record.sheet, line.record.row)
    }
}

fn reason(why: &Why) -> String {
    match why {
        Why::SameCode(code) => format!("代码相同（{}）", shortened(code)),
        Why::FormerName => "以前就用过这个名称".to_owned(),
        Why::Alike { legal_rep, names } => format!("法定代表人同为“{}”，{}", shortened(legal_rep), differing(names)),
    }
}

/// `名称只是“械”改成“戒”、多了“信息”`
fn differing(names: &Resemblance) -> String {
    let one = |d: &Difference| match (d.before.as_str(), d.now.as_str()) {
        ("", now) => format!("多了“{now}”"),
        (before, "") => format!("少了“{before}”"),
        (before, now) => format!("“{before}”改成“{now}”"),
    };
    match names.differences.as_slice() {
        [] => "名称只是字的先后不同".to_owned(),
        list => format!("名称只是{}", list.iter().map(one).collect::<Vec<_>>().join("、")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::resemblance::resemblance;

    #[test]
    fn the_reason_says_what_is_the_same_and_which_characters_are_not() {
        let alike = |a: &str, b: &str| {
            reason(&Why::Alike { legal_rep: "甲某".to_owned(), names: resemblance(a, b).unwrap() })
        };
        assert_eq!(alike("远山机械有限公司", "远山机戒有限公司"), "法定代表人同为“甲某”，名称只是“械”改成“戒”");
        assert_eq!(
            alike("北原市远山商贸公司", "远山商贸有限公司"),
            "法定代表人同为“甲某”，名称只是少了“北原市”、多了“有限”"
        );
        assert_eq!(
            alike("北原远山科技有限公司", "远山（北原）科技有限公司"),
            "法定代表人同为“甲某”，名称只是字的先后不同"
        );
        assert_eq!(reason(&Why::SameCode("51224173-X".to_owned())), "代码相同（51224173-X）");
    }
}
