//! One fixture: a sheet changed in a few places, the rows expected of it and the findings.

use std::collections::BTreeMap;

use taizhang::form::reading::{Origin, Reading, Return};
use taizhang::form::{Campaign, Datum, check};

use crate::formats::separated;
use crate::formats::{Format, zip};
use crate::law::{read, received};
use crate::page::{At, Ink, Page, drawn};

/// One unit's figures. Nothing in it is worth a finding.
pub const PROGRESS: &str = "\
非公有制企业“建组织、扩覆盖，抓规范、强功能”活动进展情况统计表|<|<|<|<|<|<|<|<|<|<|<|<|<|<|<
填报单位：棠梨街道办事处（盖章）||||||||||||填报时间：2011年9月8日
序号|单位|组织总数|党员总数|其中|<|党组织总数|其中|<|新建党组织|<|党组织覆盖组织数|组织覆盖率（%）|选派党建指导员|<|工作覆盖组织数
^|^|^|^|已转组织关系|未转组织关系|^|单独组建|联合组建|上月|累计|^|^|上月|累计|^
#1|棠梨街道办事处|#120|#30|#20|#10|#6|#4|#2|#1|#5|#48|%0.4|#2|#9|#96
填表人：章一鹤||||审核人：顾长林|||||联系电话：0531-88001234";

const PROGRESS_ROWS: &str = "\
unit|orgs|members|members_transferred|members_untransferred|party_orgs|party_orgs_single|party_orgs_joint|new_party_orgs_month|new_party_orgs_total|orgs_covered|org_coverage|instructors_month|instructors_total|orgs_work_covered
棠梨街道办事处|#120|#30|#20|#10|#6|#4|#2|#1|#5|#48|%40|#2|#9|#96";

/// One unit's book. Nothing in it is worth a finding.
pub const REGISTER: &str = "\
非公有制企业活动台账|<|<|<|<|<|<|<|<|<|<|<
填报单位：棠梨街道办事处|||||||||所属期：2011年8月
序号|企业名称|组织机构代码|法定代表人|联系电话|党员总数|正式党员数|党组织|<|<|工会|备注
^|^|^|^|^|^|^|党组织名称|组建形式|党组织成立时间|^|^
#1|禾木食品厂|70580134-2|陆平|13900001111|#4|#3|禾木党支部|单独组建|@2009-05-04|有|
#2|晴川商贸有限公司|70580135-0|沈立|0531-88001234|#1|#1|澄湖联合支部|联合组建|2010年3月|无|
#3|九里纺织厂||姚敏|13900002222|#0|#0||未建||无|新入驻
合计|||||#5|#4|||||";

const REGISTER_ROWS: &str = "\
name|code|legal_rep|phone|members|members_full|party_org|party_org_kind|founded|union|remark
禾木食品厂|70580134-2|陆平|13900001111|#4|#3|禾木党支部|单独组建|2009-05-04|是|
晴川商贸有限公司|70580135-0|沈立|0531-88001234|#1|#1|澄湖联合支部|联合组建|2010-03|否|
九里纺织厂||姚敏|13900002222|#0|#0||未建||否|新入驻";

type Row = BTreeMap<String, Datum>;

/// Names and contents → an archive.
type Pack = fn(&[(&str, &[u8])]) -> Vec<u8>;

#[derive(Clone)]
pub struct Fixture {
    name: &'static str,
    pub pages: Vec<Page>,
    format: Format,
    /// Made by hand instead.
    raw: Option<Vec<u8>>,
    /// As the sender names it; else after the fixture.
    file: Option<String>,
    /// Expected: the form, its rows, and what is said of it.
    forms: Vec<(&'static str, Vec<Row>)>,
    findings: Vec<(&'static str, &'static str)>,
    /// Keys of the columns that a person is asked about.
    asked: Vec<&'static str>,
    said: Vec<(Origin, &'static str)>,
    refused: Option<&'static str>,
}

/// Rows drawn below their keys: `#3` a count, `%40` a rate, 是 and 否 in a yes/no column, nothing is null.
fn rows(drawing: &str) -> Vec<Row> {
    let mut lines = drawing.lines().map(|l| l.split('|').collect::<Vec<_>>());
    let keys = lines.next().expect("keys");
    lines.map(|line| keys.iter().zip(line).map(|(k, text)| ((*k).to_owned(), datum(text))).collect()).collect()
}

pub fn datum(text: &str) -> Datum {
    match text {
        "" => Datum::Null,
        "是" => Datum::Bool(true),
        "否" => Datum::Bool(false),
        _ if text.starts_with('#') => Datum::Int(text[1..].parse().expect("a count")),
        _ if text.starts_with('%') => Datum::Rate(text[1..].parse().expect("a rate")),
        _ => Datum::Text(text.to_owned()),
    }
}

pub fn progress(name: &'static str) -> Fixture {
    Fixture::new(name, Page::draw("统计表", PROGRESS), ("progress", rows(PROGRESS_ROWS)))
}

pub fn register(name: &'static str) -> Fixture {
    Fixture::new(name, Page::draw("台账", REGISTER), ("register", rows(REGISTER_ROWS)))
}

/// A sheet of its own, with the rows of the register.
pub fn book(name: &'static str, drawing: &str) -> Fixture {
    Fixture::new(name, Page::draw("台账", drawing), ("register", rows(REGISTER_ROWS)))
}

/// A sheet of its own, with the rows of the figures.
pub fn figures(name: &'static str, drawing: &str) -> Fixture {
    Fixture::new(name, Page::draw("统计表", drawing), ("progress", rows(PROGRESS_ROWS)))
}

/// `B12` → (11, 1)
pub fn at(a1: &str) -> At {
    let letters = a1.trim_end_matches(|c: char| c.is_ascii_digit());
    let column = letters.bytes().fold(0, |n, b| n * 26 + u32::from(b - b'A') + 1) - 1;
    (a1[letters.len()..].parse::<u32>().expect("a row") - 1, column)
}

impl Fixture {
    fn new(name: &'static str, page: Page, form: (&'static str, Vec<Row>)) -> Self {
        Self {
            name,
            pages: vec![page],
            format: Format::Xlsx,
            raw: None,
            file: None,
            forms: vec![form],
            findings: Vec::new(),
            asked: Vec::new(),
            said: Vec::new(),
            refused: None,
        }
    }

    fn page(&mut self) -> &mut Page {
        self.pages.last_mut().expect("a page")
    }

    /// The sheet, changed in whatever way.
    pub fn with(mut self, change: impl FnOnce(&mut Page)) -> Self {
        change(self.page());
        self
    }

    /// Another content for a cell, drawn.
    pub fn cell(self, a1: &str, drawing: &str) -> Self {
        self.with(|page| match drawing {
            "" => drop(page.cells.remove(&at(a1))),
            _ => page.put(at(a1), drawn(drawing)),
        })
    }

    pub fn merged(self, first: &str, last: &str) -> Self {
        self.with(|page| {
            let inside =
                |a: &At| (at(first).0..=at(last).0).contains(&a.0) && (at(first).1..=at(last).1).contains(&a.1);
            page.cells.retain(|a, _| *a == at(first) || !inside(a));
            page.merges.push((at(first), at(last)));
        })
    }

    /// Rows, numbered as on the sheet, pushed down by new ones.
    pub fn rows_before(self, row: u32, new: &[&str]) -> Self {
        self.with(|page| {
            page.shift((row - 1, 0), (new.len() as u32, 0));
            for (n, line) in new.iter().enumerate() {
                for (column, text) in line.split('|').enumerate().filter(|(_, t)| !t.is_empty()) {
                    page.put((row - 1 + n as u32, column as u32), drawn(text));
                }
            }
        })
    }

    /// An empty column in front of this one.
    pub fn column_before(self, letter: &str) -> Self {
        self.with(|page| page.shift((0, at(&format!("{letter}1")).1), (0, 1)))
    }

    pub fn without_column(mut self, letter: &str, key: &str) -> Self {
        let column = at(&format!("{letter}1")).1;
        self.page().remove_column(column);
        self.forms[0].1.iter_mut().for_each(|row| drop(row.remove(key)));
        self
    }

    pub fn sheet(mut self, page: Page) -> Self {
        self.pages.push(page);
        self
    }

    /// In front of the form's own.
    pub fn sheet_before(mut self, page: Page) -> Self {
        self.pages.insert(0, page);
        self
    }

    pub fn called(self, sheet: &str) -> Self {
        self.with(|page| page.name = sheet.to_owned())
    }

    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    pub fn raw(self, change: impl FnOnce(&[Page], Vec<u8>) -> Vec<u8>) -> Self {
        let bytes = change(&self.pages, self.format.write(&self.pages));
        Self { raw: Some(bytes), ..self }
    }

    /// The file, made already, spoilt.
    pub fn raw_of(self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        let bytes = change(self.bytes());
        Self { raw: Some(bytes), ..self }
    }

    pub fn file(self, name: &str) -> Self {
        Self { file: Some(name.to_owned()), ..self }
    }

    /// The expected value of a row (from 0) differs.
    pub fn but(mut self, row: usize, key: &str, value: &str) -> Self {
        self.forms[0].1[row].insert(key.to_owned(), datum(value));
        self
    }

    /// The rows are these, drawn below their keys.
    pub fn rows(mut self, drawing: &str) -> Self {
        self.forms[0].1 = rows(drawing);
        self
    }

    pub fn without_rows(mut self, count: usize) -> Self {
        let left = self.forms[0].1.len() - count;
        self.forms[0].1.truncate(left);
        self
    }

    /// A further form in the same file.
    pub fn and(mut self, other: Fixture) -> Self {
        self.forms.extend(other.forms);
        self.findings.extend(other.findings);
        self
    }

    pub fn no_form(mut self) -> Self {
        self.forms.clear();
        self
    }

    /// Rule and cell; no cell for a finding about the sheet.
    pub fn told(mut self, findings: &[(&'static str, &'static str)]) -> Self {
        self.findings.extend(findings);
        self
    }

    pub fn asked(mut self, keys: &[&'static str]) -> Self {
        self.asked.extend(keys);
        self
    }

    pub fn says(mut self, origin: Origin, text: &'static str) -> Self {
        self.said.push((origin, text));
        self
    }

    pub fn refused(self, why: &'static str) -> Self {
        Self { refused: Some(why), ..self }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.raw.clone().unwrap_or_else(|| self.format.write(&self.pages))
    }

    pub fn file_name(&self) -> String {
        self.file
            .clone()
            .unwrap_or_else(|| format!("{}.{}", self.name.replace(['/', ' '], "_"), self.format.extension()))
    }

    /// Neither packed nor binary.
    pub fn is_text(&self) -> bool {
        let bytes = self.bytes();
        !(bytes.starts_with(b"PK") || bytes.starts_with(b"\xD0\xCF") || bytes.starts_with(b"\x09\x08"))
    }

    /// Where it is kept to be looked at: the file's ending behind the fixture's name.
    pub fn saved_name(&self) -> String {
        let file = self.file_name();
        let ending = file.rsplit_once('.').map_or(String::new(), |(_, ending)| format!(".{ending}"));
        self.name.replace(['/', ' '], "_") + &ending
    }

    /// What differs from what was expected.
    pub fn failure(&self) -> Option<String> {
        let why = match (read(&self.file_name(), &self.bytes()), self.refused) {
            (Err(refusal), Some(expected)) => (!refusal.contains(expected)).then_some(refusal),
            (Err(refusal), None) => Some(refusal),
            (Ok(_), Some(expected)) => Some(format!("not refused: {expected}")),
            (Ok(readings), None) => self.differs(&readings),
        };
        why.map(|why| format!("## {}\n{why}\n{}", self.name, separated::text(&self.pages[self.pages.len() - 1], '|')))
    }

    fn differs(&self, readings: &[Reading]) -> Option<String> {
        let returns: Vec<&Return> = readings.iter().flat_map(|r| &r.returns).collect();
        let mut found: Vec<String> = Vec::new();
        if returns.len() != self.forms.len() {
            return Some(format!("{} forms", returns.len()));
        }
        for ((form, rows), ret) in self.forms.iter().zip(&returns) {
            if ret.form != *form || ret.records.len() != rows.len() {
                return Some(format!("{} with {} rows, {:?}", ret.form, ret.records.len(), ret.findings));
            }
            for (row, record) in rows.iter().zip(&ret.records) {
                let mut values = record.values.clone();
                values.remove("seq");
                for key in row.keys().chain(values.keys()).filter(|k| row.get(*k) != values.get(*k)) {
                    let cell = record.cells.get(key).map_or("", String::as_str);
                    found.push(format!("{key} {cell}: {:?}, not {:?}", values.get(key), row.get(key)));
                }
            }
        }
        found.sort();
        found.dedup();
        found.extend(self.sayings(&returns));
        (!found.is_empty()).then(|| found.join("\n"))
    }

    /// Findings, questions and hints that differ.
    fn sayings(&self, returns: &[&Return]) -> Vec<String> {
        let campaign = Campaign::builtin();
        let period = "2011-08".parse().expect("a period");
        let mut told: Vec<(String, String, String)> = Vec::new();
        for ret in returns {
            let form = campaign.form(&ret.form).expect("a form");
            let checked = check::check(ret, form, period, received());
            told.extend(
                (ret.findings.iter().chain(&checked))
                    .map(|f| (f.rule.clone(), f.place.cell.clone().unwrap_or_default(), f.message.clone())),
            );
        }
        let mut wanted: Vec<(String, String)> =
            self.findings.iter().map(|(rule, cell)| ((*rule).to_owned(), (*cell).to_owned())).collect();
        let mut found = Vec::new();
        for (rule, cell, message) in told {
            match wanted.iter().position(|w| *w == (rule.clone(), cell.clone())) {
                Some(known) => drop(wanted.remove(known)),
                None => found.push(format!("told: {rule} {cell} {message}")),
            }
        }
        found.extend(wanted.iter().map(|(rule, cell)| format!("not told: {rule} {cell}")));
        let asked: Vec<&str> = returns.iter().flat_map(|r| &r.doubts).map(|d| d.key.as_str()).collect();
        if asked != self.asked {
            found.push(format!("asked about {asked:?}, not {:?}", self.asked));
        }
        for (origin, text) in &self.said {
            let said: Vec<&str> = returns.iter().flat_map(|r| r.said(*origin)).map(|h| h.text.as_str()).collect();
            if !said.contains(text) {
                found.push(format!("{origin:?} says {said:?}, not {text}"));
            }
        }
        found
    }

    /// The file inside an archive.
    pub fn packed(self, archive: &str, pack: Pack) -> Self {
        let bytes = pack(&[(&self.file_name(), &self.bytes())]);
        Self { raw: Some(bytes), file: Some(archive.to_owned()), ..self }
    }

    /// An archive in an archive, so many times.
    pub fn nested(mut self, depth: usize) -> Self {
        for level in 0..depth {
            self = self.packed(&format!("第{level}层.zip"), zip::plain);
        }
        self
    }
}

impl Page {
    /// Everything from a place on moves by so many rows and columns; merged regions that the place cuts grow.
    fn shift(&mut self, from: At, by: At) {
        let moved = |a: At| {
            let row = if a.0 >= from.0 { a.0 + by.0 } else { a.0 };
            (row, if a.1 >= from.1 { a.1 + by.1 } else { a.1 })
        };
        self.cells = std::mem::take(&mut self.cells).into_iter().map(|(a, ink)| (moved(a), ink)).collect();
        for (first, last) in &mut self.merges {
            (*first, *last) = (moved(*first), moved(*last));
        }
        self.hidden_rows = self.hidden_rows.iter().map(|r| moved((*r, 0)).0).collect();
        self.hidden_columns = self.hidden_columns.iter().map(|c| moved((0, *c)).1).collect();
    }

    fn remove_column(&mut self, column: u32) {
        let kept = std::mem::take(&mut self.cells).into_iter().filter(|(a, _)| a.1 != column);
        let left = |c: u32| if c > column { c - 1 } else { c };
        self.cells = kept.map(|((row, c), ink)| ((row, left(c)), ink)).collect();
        self.merges.retain(|(first, last)| !(first.1 == column && last.1 == column));
        for (first, last) in &mut self.merges {
            last.1 = if last.1 >= column { last.1 - 1 } else { last.1 };
            first.1 = left(first.1);
        }
        self.merges.retain(|(first, last)| first != last);
    }

    /// Every cell with a drawn content gets another ink.
    pub fn inked(&mut self, change: impl Fn(At, &Ink) -> Option<Ink>) {
        for (at, ink) in &mut self.cells {
            if let Some(new) = change(*at, ink) {
                *ink = new;
            }
        }
    }
}
