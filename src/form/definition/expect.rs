//! Conditions over the columns of one row, and the rules that are made of them (`[[expect]]`). Pure data and its reading;
//! `form::expect` holds rows against them.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{ColumnKind, Form};
use crate::form::finding::Severity;

/// Where all of `when` holds, all of `must` has to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Expect {
    pub rule: String,
    pub severity: Severity,
    pub when: Vec<Condition>,
    pub must: Vec<Condition>,
    /// The column whose cell the finding names; without one, that of the first of `must` that does not hold.
    pub about: Option<String>,
    /// What the finding says behind the row's name.
    pub text: Vec<Piece>,
    /// Also of organisations that are closed.
    pub closed: bool,
    /// Blank cells and absent columns are no value, about which nothing holds; else the rule is silent about them.
    pub even_blank: bool,
}

/// What a cell may be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Key.
    pub column: String,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// One of these texts or choices.
    Is(Vec<String>),
    IsNot(Vec<String>),
    /// A number between these, both included.
    Within(Option<i64>, Option<i64>),
    Blank(bool),
    /// A yes; a blank cell of the column is none.
    Yes(bool),
}

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    Words(String),
    /// `{key}`: what the cell says.
    Value(String),
    /// `{key:label}`: the column's heading.
    Label(String),
    /// `{key:cell}`: `（N5）`
    Cell(String),
    /// `{missing}`: headings and cells of what does not hold.
    Missing,
}

pub(super) fn expect(f: &mut Fields<'_>) -> Expect {
    let must = f.tables("must", condition);
    if must.is_empty() {
        f.problem("must", "must be a list with at least one condition, such as { column = \"members\", at_least = 1 }");
    }
    Expect {
        rule: f.text("rule"),
        severity: super::parse::severity(f),
        when: f.tables("when", condition),
        must,
        about: f.optional("about"),
        text: sentence(f),
        closed: f.flag("closed"),
        even_blank: f.flag("even_blank"),
    }
}

pub(super) fn condition(f: &mut Fields<'_>) -> Condition {
    const ONE: &str = "needs exactly one of is, is_not, at_least (and, or) at_most, blank, yes";
    let column = f.text("column");
    let within = (f.number("at_least"), f.number("at_most"));
    let mut tests: Vec<Test> = Vec::new();
    tests.extend(f.texts("is").map(Test::Is));
    tests.extend(f.texts("is_not").map(Test::IsNot));
    tests.extend((within != (None, None)).then_some(Test::Within(within.0, within.1)));
    tests.extend(f.maybe("blank").map(Test::Blank));
    tests.extend(f.maybe("yes").map(Test::Yes));
    if tests.len() != 1 {
        f.problem("column", ONE);
    }
    Condition { column, test: tests.pop().unwrap_or(Test::Blank(true)) }
}

/// `有{members}名党员` → its pieces.
fn sentence(f: &mut Fields<'_>) -> Vec<Piece> {
    let text = f.text("text");
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    while let Some((words, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else {
            f.problem("text", "a `{` has no `}`");
            break;
        };
        pieces.push(Piece::Words(words.to_owned()));
        pieces.push(match name.split_once(':') {
            None if name == "missing" => Piece::Missing,
            None => Piece::Value(name.to_owned()),
            Some((key, "label")) => Piece::Label(key.to_owned()),
            Some((key, "cell")) => Piece::Cell(key.to_owned()),
            Some((_, what)) => {
                f.problem("text", format_args!("`{{…:{what}}}` says nothing; allowed are label and cell"));
                Piece::Missing
            }
        });
        rest = after;
    }
    pieces.push(Piece::Words(rest.to_owned()));
    pieces.retain(|piece| *piece != Piece::Words(String::new()));
    pieces
}

impl Expect {
    /// Keys that it names, each with where.
    pub(super) fn refers(&self) -> Vec<(&'static str, &String)> {
        let when = self.when.iter().map(|c| ("when", &c.column));
        let mut keys: Vec<(&str, &String)> = when.chain(self.must.iter().map(|c| ("must", &c.column))).collect();
        keys.extend(self.about.iter().map(|key| ("about", key)));
        keys.extend(self.text.iter().filter_map(|piece| match piece {
            Piece::Value(key) | Piece::Label(key) | Piece::Cell(key) => Some(("text", key)),
            Piece::Words(_) | Piece::Missing => None,
        }));
        keys
    }
}

impl Condition {
    /// Why the column can never answer; `None` if it can, or if there is no such column (which is told elsewhere).
    pub(super) fn mismatch(&self, form: &Form) -> Option<String> {
        let column = form.column(&self.column)?;
        let key = &self.column;
        match (&self.test, &column.kind) {
            (Test::Is(words) | Test::IsNot(words), ColumnKind::OneOf(choices)) => {
                let unknown = words.iter().find(|word| choices.iter().all(|c| c.value != **word))?;
                let values: Vec<&str> = choices.iter().map(|c| c.value.as_str()).collect();
                Some(format!("`{unknown}` is no choice of `{key}`; its choices are {}", values.join(", ")))
            }
            (Test::Is(_) | Test::IsNot(_), ColumnKind::Text) | (Test::Blank(_), _) => None,
            (Test::Within(..), ColumnKind::Count | ColumnKind::Rate) | (Test::Yes(_), ColumnKind::YesNo) => None,
            (Test::Is(_) | Test::IsNot(_), _) => Some(format!("`{key}` is no text or choice, which is and is_not ask")),
            (Test::Within(..), _) => Some(format!("`{key}` is no count or rate, which at_least and at_most ask")),
            (Test::Yes(_), _) => Some(format!("`{key}` is no yesno, which yes asks")),
        }
    }
}
