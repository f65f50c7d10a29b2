//! Form definitions, as the files under `config/forms/` state them. Pure: text in, a [`Campaign`] out.
//!
//! Everything that recognition and the checks must know about a form is data here: headings, kinds, choices, identities.
//! `config/forms/progress.toml` documents each key.

mod arithmetic;
mod expect;
mod fields;
mod learned;
mod parse;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::record::Record;
pub use arithmetic::{AtMost, BookFigure, Cumulative, History, RateOf, Repeated, Sum, Term};
pub use expect::{Condition, Expect, Piece, Test};
use rules::Rules;

/// A campaign (活动): its streams and forms. One folder of files; another campaign is another folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Campaign {
    /// `“建组织、扩覆盖，抓规范、强功能”活动`
    pub title: String,
    pub streams: Vec<Stream>,
    pub forms: Vec<Form>,
    pub headings: HeadingWords,
    pub rows: RowWords,
    pub labels: LabelWords,
}

/// A stream (条线), with the words that name it in titles, file names and subjects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream {
    /// `nonpublic`, `social`
    pub key: String,
    /// `非公有制企业`
    pub title: String,
    /// What one organisation of it is called: `企业`, `社会组织`
    pub organisation: String,
    /// Longest first: `非公有制企业`, `非公企业`, `非公` …
    pub words: Vec<String>,
}

/// `[headings]`: how headings of a sheet are compared with those of the forms.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HeadingWords {
    /// Group headings that say nothing about the columns below them.
    pub neutral: Vec<String>,
    pub prefixes: Vec<String>,
    /// Bracketed remarks that do not change what a heading asks.
    pub notes: Vec<String>,
    /// Words that a heading may have or lack and still ask the same.
    pub fillers: Vec<String>,
    /// The same, for columns of one kind only; key: `count`, `yesno`, `name`, `person`, `phone`, `code`.
    pub kind_fillers: BTreeMap<String, Vec<String>>,
    /// A heading with one of these is never read by resemblance.
    pub forbidding: Vec<String>,
    /// Other ways to write a character: typed by mistake, or the traditional one → the one that is meant.
    pub variants: BTreeMap<char, char>,
    /// One or more meanings, parted by a space, and the words for them.
    pub meanings: Vec<(String, Vec<String>)>,
    /// Meanings that may stand beside what a heading asks: they make it less like, but do not rule it out.
    pub mild: BTreeSet<String>,
    /// Meanings that weigh little.
    pub weak: BTreeSet<String>,
    /// Every choice and spelling of one that the forms know: in brackets behind a heading they only remind.
    pub choices: BTreeSet<String>,
}

/// `[rows]`: rows of a table that are no data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RowWords {
    pub totals: Vec<String>,
    pub notes: Vec<String>,
    /// Running numbers or names of a row that shows how to fill in the form: 例.
    pub examples: Vec<String>,
    /// Names that alone in a row are the heading of a section: 规模以上企业.
    pub sections: Vec<String>,
    /// Signs for what stands in the row above: 同上.
    pub ditto: Vec<String>,
}

/// `[labels]`: labels of the lines around a table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LabelWords {
    pub unit: Vec<String>,
    pub period: Vec<String>,
    pub filled: Vec<String>,
}

/// `Figures` has one row a unit and period; `Book` is the unit's whole book, one row an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormKind {
    #[default]
    Figures,
    Book,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Form {
    /// `progress`, `register`
    pub key: String,
    pub kind: FormKind,
    /// `活动进展情况统计表`
    pub title: String,
    /// What clerks call it in a list: `附件1 统计表`
    pub short_title: String,
    /// Words of titles, sheet and file names that point to this form.
    pub words: Vec<String>,
    pub columns: Vec<Column>,
    /// Key of the running number (序号), which is never checked.
    pub sequence: Option<String>,
    /// Key of the column that says what a row is about.
    pub identity: String,
    /// Meanings that name what the whole form is about: a heading may have or lack them.
    pub subject: Vec<String>,
    /// It may come as cards, one row's labels and values a card.
    pub cards: bool,
    pub groups: Vec<Group>,
    pub sums: Vec<Sum>,
    pub at_most: Vec<AtMost>,
    pub rates: Vec<RateOf>,
    pub cumulative: Vec<Cumulative>,
    /// Conditions that rows have to meet (R06–R09).
    pub expects: Vec<Expect>,
    /// What the unit's own book says for the same period (P07).
    pub book_figures: Vec<BookFigure>,
    /// When figures are the last ones again (P09).
    pub repeated: Option<Repeated>,
    /// When a figure is far outside the unit's history (P08).
    pub history: Option<History>,
    /// What of a book is known to the program.
    pub book: Option<BookColumns>,
    /// When a book waits for a person, though nothing is wrong with its rows (R15).
    pub held: Option<Held>,
    /// How much each rule weighs.
    pub rules: Rules,
}

/// `[held]`: a book with fewer rows than this share of the one before it waits for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Percent.
    pub smaller_than: u32,
    /// The book before it must have so many rows.
    pub of_at_least: u32,
}

/// A group heading and its other names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    pub synonyms: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Column {
    pub key: String,
    /// The heading path on the blank form, top row first: `["新建党组织", "上月"]`.
    pub heading: Vec<String>,
    /// Other headings seen for the same thing, wherever they stand.
    pub synonyms: Vec<String>,
    /// Headings that mean this column only below one of its groups.
    pub within: Vec<String>,
    /// Groups that may stand above it besides those of `heading`.
    pub groups: Vec<String>,
    /// Headings of the above that count only where no group stands above them.
    pub bare: Vec<String>,
    /// Headings of the above that may be the organisation's own where they stand among its columns: 成立时间.
    pub apart: Option<Apart>,
    /// Headings that mean this column right behind another one, if they stand elsewhere as well: 联系电话 behind 书记姓名.
    pub behind: Option<Behind>,
    /// Headings in other words than the form's: what an unlisted heading may be like, besides the above.
    pub like: Vec<String>,
    /// Whole headings that a person confirmed: paths of keys, top row first, as sure as the form's own.
    pub learned: Vec<Vec<String>>,
    /// Nothing is filled in here where another column has a certain value: what the values say about a doubtful heading.
    pub unless: Option<Unless>,
    pub kind: ColumnKind,
    pub style: TextStyle,
    pub required: bool,
    /// What a blank cell means: `正常` for a status. The column itself may still be absent.
    pub default: Option<String>,
    /// Headings that ask a yes/no question of a choice.
    pub when: Vec<When>,
    /// No date of this column can lie before.
    pub earliest: Option<NaiveDate>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum ColumnKind {
    /// A non-negative whole number.
    Count,
    /// A rate, kept as percent.
    Rate,
    Date,
    #[default]
    Text,
    YesNo,
    /// One of a few words, each with the other spellings that mean it.
    OneOf(Vec<Choice>),
}

/// What a text is, which decides how layout inside it is put aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextStyle {
    #[default]
    Plain,
    /// Of an organisation.
    Name,
    Person,
    Phone,
    Code,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub value: String,
    pub spellings: Vec<String>,
}

/// Headings that are doubtful beside these columns, unless one of the same group is beside them as well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    pub headings: Vec<String>,
    /// Keys.
    pub columns: Vec<String>,
}

/// Headings, and the key of the column in front of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Behind {
    pub column: String,
    pub headings: Vec<String>,
}

/// Rows in which `column` has `value`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unless {
    /// Key.
    pub column: String,
    pub value: String,
}

/// Under this heading a yes or a no means a choice; `None` where the answer does not tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct When {
    pub heading: String,
    pub yes: Option<String>,
    pub no: Option<String>,
}

/// Which columns of a book the program itself looks at: the code (R03, R04), and whether an organisation is closed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BookColumns {
    pub code: Option<String>,
    pub status: String,
    /// The value of `status` that spares a row what only open organisations are asked.
    pub closed: String,
}

impl Campaign {
    /// The files of one folder, as (file name, text). `campaign.toml` is the campaign, each other file one form.
    ///
    /// All problems at once; each names the file and the key, and says what is allowed.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Vec<String>> {
        parse::campaign(files)
    }

    /// The campaign that is shipped: the files of `config/forms/`.
    pub fn builtin() -> Self {
        parse::campaign(&BUILTIN).expect("the shipped form files are valid; a test reads them")
    }

    pub fn form(&self, key: &str) -> Option<&Form> {
        self.forms.iter().find(|f| f.key == key)
    }

    pub fn stream(&self, key: &str) -> Option<&Stream> {
        self.streams.iter().find(|s| s.key == key)
    }
}

/// The shipped files, for the folder that a first start writes.
pub const BUILTIN: [(&str, &str); 3] = [
    ("campaign.toml", include_str!("../../config/forms/campaign.toml")),
    ("progress.toml", include_str!("../../config/forms/progress.toml")),
    ("register.toml", include_str!("../../config/forms/register.toml")),
];

impl Form {
    pub fn column(&self, key: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.key == key)
    }

    /// The heading of a column as clerks are told it; the key itself if there is no such column.
    pub fn label(&self, key: &str) -> String {
        self.column(key).map_or_else(|| key.to_owned(), Column::label)
    }

    /// The checks depend on the column: sums and bounds, and whether an organisation is closed.
    pub fn is_checked(&self, key: &str) -> bool {
        let sums = self.sums.iter().map(|s| (&s.whole, &s.parts));
        let bounds = self.at_most.iter().map(|b| (&b.whole, &b.parts));
        let figure = sums.chain(bounds).any(|(whole, parts)| whole == key || parts.iter().any(|p| p == key));
        let closing = self.expects.iter().filter(|e| e.closed).flat_map(|e| e.when.iter().chain(&e.must));
        figure || self.book.as_ref().is_some_and(|b| b.status == key) || closing.map(|c| &c.column).any(|k| k == key)
    }

    /// Whether a row is about an organisation that is closed.
    pub fn is_closed(&self, record: &Record) -> bool {
        self.book.as_ref().is_some_and(|b| record.text(&b.status) == Some(b.closed.as_str()))
    }

    pub fn is_sequence(&self, key: &str) -> bool {
        self.sequence.as_deref() == Some(key)
    }
}

impl Column {
    /// The heading in one line, as clerks are told it: `新建党组织/上月`.
    pub fn label(&self) -> String {
        self.heading.join("/")
    }

    /// The lowest part of the heading.
    pub fn leaf(&self) -> &str {
        self.heading.last().map_or("", String::as_str)
    }

    /// The groups that the blank form puts above the column.
    pub fn parents(&self) -> &[String] {
        self.heading.split_last().map_or(&[], |(_, parents)| parents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_campaign_has_both_forms_complete() {
        let campaign = Campaign::builtin();
        let (progress, register) = (campaign.form("progress").unwrap(), campaign.form("register").unwrap());
        assert_eq!((progress.columns.len(), register.columns.len()), (26, 28));
        let required = |form: &Form| form.columns.iter().filter(|c| c.required).count();
        assert_eq!((required(progress), required(register)), (13, 4));
        assert_eq!(progress.label("new_party_orgs_month"), "新建党组织/上月");
        assert_eq!(campaign.stream("social").unwrap().organisation, "社会组织");
    }

    #[test]
    fn every_problem_is_named_with_file_and_key_at_once() {
        let campaign =
            "title = \"x\"\ncolour = 1\n[[stream]]\nkey = \"a\"\ntitle = \"A\"\norganisation = \"o\"\nwords = []\n";
        let form = "key = \"f\"\nkind = \"sheet\"\ntitle = \"t\"\nshort_title = \"s\"\nwords = []\nidentity = \"no\"\n\
                    [[column]]\nkey = \"k\"\nheading = [\"H\"]\nkind = \"number\"\n\
                    [[sum]]\nwhole = \"k\"\nparts = [\"x\"]\nrule = \"P03\"\nseverity = \"fatal\"\n";
        let problems = Campaign::parse(&[("campaign.toml", campaign), ("f.toml", form)]).unwrap_err();
        for part in [
            "campaign.toml: colour: no such key",
            "f.toml: kind: must be one of figures, book",
            "f.toml: column 1: kind: must be one of count, rate, date, text, yesno, choice",
            "f.toml: identity: there is no column `no`",
            "f.toml: sum 1: parts: there is no column `x`",
            "f.toml: sum 1: severity: must be one of error, warning",
        ] {
            assert!(problems.iter().any(|p| p.starts_with(part)), "{part} missing in {problems:#?}");
        }
    }

    #[test]
    fn a_broken_file_and_a_missing_campaign_are_told() {
        let problems = Campaign::parse(&[("f.toml", "key = ")]).unwrap_err();
        assert!(problems.iter().any(|p| p.starts_with("f.toml: ")), "{problems:?}");
        assert!(problems.iter().any(|p| p.starts_with("campaign.toml: ")), "{problems:?}");
    }
}
