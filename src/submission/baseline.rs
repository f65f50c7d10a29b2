//! The opening position (期初台账): a workbook of all units that the department hands over when it adopts the program.
//! Pure.
//!
//! The department vouches for every unit, so nobody is asked: what can be read surely is taken, the rest is told as an
//! error. Whose book a row is in says a column, else the sheet (unit line, title, name), else the file's name.

mod place;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime};
use chrono_tz::Tz;

use super::assess::reconsider;
use super::documents::{File, Opened};
use super::forms::{Judged, finish, settle_doubles};
use super::resolve::{self, Around};
use super::{Disposition, Fate, Row, Submission, Verdict};
use crate::config::Config;
use crate::form::reading::{Origin, Return};
use crate::form::{Campaign, Column, Finding, Form, FormKind, MonthKind, Place, Record, Severity, check, find_period};
use crate::period::{Period, local};
use place::Placed;

/// Keys of the columns that a master ledger has beside those of the forms. They are read and not kept.
pub const UNIT: &str = "@unit";
const STREAM: &str = "@stream";

/// Other headings of the column that says whose row it is, beside those of the form files.
const UNIT_WORDS: [&str; 16] = [
    "街道",
    "镇街",
    "街镇",
    "乡镇",
    "街道（镇）",
    "街道（乡镇）",
    "街道（镇、园区）",
    "镇（街道）",
    "乡镇（街道）",
    "所属街道",
    "所属镇街",
    "所属街道（镇）",
    "所在街道",
    "所属单位",
    "管理单位",
    "属地",
];
const STREAM_WORDS: [&str; 3] = ["条线", "所属条线", "组织类别"];

/// What a person said of the file when handing it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The books are as of this month.
    pub period: Period,
    /// Only this stream is taken; whatever names none is of it.
    pub stream: Option<String>,
}

impl Opening {
    /// Its place in the order of versions: before anything that a unit can send for the period.
    pub fn instant(&self, zone: Tz) -> DateTime<Tz> {
        local(zone, self.period.first_day(), NaiveTime::MIN)
    }

    /// The day that lends its year to dates without one, and that no date may lie behind.
    pub fn day(&self) -> chrono::NaiveDate {
        self.period.next().first_day().pred_opt().unwrap_or_else(|| self.period.first_day())
    }
}

/// The campaign's forms with the columns that only a master ledger has.
pub fn with_units(campaign: &Campaign) -> Campaign {
    let figures = campaign.forms.iter().filter(|f| f.kind == FormKind::Figures);
    let listed = figures.flat_map(|f| f.columns.iter().filter(|c| c.key == f.identity));
    let listed = listed.flat_map(|c| c.heading.iter().chain(&c.synonyms)).chain(&campaign.labels.unit);
    let units: Vec<String> = listed.cloned().chain(UNIT_WORDS.map(str::to_owned)).collect();
    let mut campaign = campaign.clone();
    for form in &mut campaign.forms {
        if form.kind == FormKind::Book {
            let words = units.iter().filter(|word| !is_listed(form, word)).cloned().collect();
            form.columns.push(extra(UNIT, words));
        }
        let words = STREAM_WORDS.iter().map(|w| (*w).to_owned()).filter(|word| !is_listed(form, word)).collect();
        form.columns.push(extra(STREAM, words));
    }
    campaign
}

fn is_listed(form: &Form, word: &str) -> bool {
    form.columns.iter().any(|c| c.heading.iter().chain(&c.synonyms).any(|h| h == word))
}

fn extra(key: &str, words: Vec<String>) -> Column {
    let heading = words.iter().take(1).cloned().collect();
    Column { key: key.to_owned(), heading, synonyms: words, ..Column::default() }
}

/// What becomes of the file. Forms are accepted or rejected; nothing waits.
pub fn assess(files: Vec<File>, config: &Config, opening: &Opening) -> Verdict {
    let mut opened = Opened::of(files, &config.campaign);
    let mut verdict = Verdict::plain(Disposition::Rejected, "");
    let nothing = if opened.has_forms() { opened.left_aside() } else { opened.nothing_found() };
    verdict.findings = opened.findings.iter().cloned().chain(nothing).map(to_a_colleague).collect();
    let mut reader = Reader { config, opening, judged: Vec::new(), told: Vec::new() };
    for (_, reading) in std::mem::take(&mut opened.readings) {
        reading.returns.into_iter().for_each(|ret| reader.take(ret));
    }
    let (judged, told) = (settle_doubles(reader.judged, &config.campaign), reader.told);
    verdict.findings.extend(told);
    verdict.rules = judged.iter().flat_map(|j| j.rules.clone()).collect();
    verdict.rules.extend(verdict.findings.iter().filter(|f| f.is_error()).map(|f| f.rule.clone()));
    verdict.submissions = judged.into_iter().map(|j| j.submission).collect();
    // Two that contradict each other: the department has to make them one.
    for doubtful in verdict.submissions.iter_mut().filter(|s| s.fate == Fate::Quarantined) {
        doubtful.fate = Fate::Rejected;
        doubtful.rows.iter_mut().for_each(|row| row.admitted = false);
    }
    reconsider(&mut verdict);
    if verdict.disposition == Disposition::Accepted {
        verdict.reason = format!("期初台账（{}）已导入，共{}份。", opening.period.chinese(), verdict.submissions.len());
    }
    verdict
}

/// Nobody has sent anything.
fn to_a_colleague(mut finding: Finding) -> Finding {
    finding.message = finding.message.replace("重新发送", "重新导入").replace("发送", "导入");
    finding
}

/// A file's forms on their way to submissions.
struct Reader<'a> {
    config: &'a Config,
    opening: &'a Opening,
    judged: Vec<Judged>,
    /// About a sheet as a whole.
    told: Vec<Finding>,
}

impl Reader<'_> {
    fn take(&mut self, mut ret: Return) {
        let Some(form) = self.config.campaign.form(&ret.form) else { return };
        [UNIT, STREAM].into_iter().for_each(|key| drop(ret.columns.remove(key)));
        if form.kind == FormKind::Figures {
            without_blank_rows(&mut ret, form);
        }
        if ret.records.is_empty() {
            let text = format!("工作表“{}”里的{}没有一行数据，没有导入。", ret.sheet, form.title);
            self.told.push(about(&ret, "H03", Severity::Info, text));
            return;
        }
        self.told.extend(self.other_month(&ret));
        let doubts = ret.doubts.iter().map(|d| about(&ret, "H01", Severity::Error, d.message.clone()));
        let doubts: Vec<Finding> = doubts.collect();
        ret.findings.extend(doubts);
        if ret.findings.iter().any(|f| f.is_error() && f.place.row.is_none()) {
            self.judged.push(refused(ret, self.opening));
            return;
        }
        let placed = Placed::of(&ret, form, (&self.config.registry, &self.config.campaign));
        self.split(ret, form, placed);
    }

    /// A part for each unit and stream, and one for rows that are nobody's.
    fn split(&mut self, mut ret: Return, form: &Form, placed: Placed) {
        let mut parts: BTreeMap<(String, Option<String>), Vec<Record>> = BTreeMap::new();
        let mut strangers = Vec::new();
        let mut left_out = BTreeSet::new();
        for (record, owner) in std::mem::take(&mut ret.records).into_iter().zip(placed.owners) {
            let Some(unit) = owner else {
                strangers.push(without_extras(record));
                continue;
            };
            let stream = self.stream(&ret, &unit, record.text(STREAM));
            match (&stream, &self.opening.stream) {
                (Some(stream), Some(wanted)) if stream != wanted => drop(left_out.insert(stream.clone())),
                _ => parts.entry((unit, stream)).or_default().push(without_extras(record)),
            }
        }
        for stream in left_out {
            let title = self.config.campaign.stream(&stream).map_or(stream.as_str(), |s| &s.title);
            let text = format!("工作表“{}”里属于{title}的行，按要求没有导入。", ret.sheet);
            self.told.push(about(&ret, "H03", Severity::Info, text));
        }
        let findings = std::mem::take(&mut ret.findings);
        let mut owned = Owned::of(findings, &parts);
        for (i, ((unit, stream), records)) in parts.into_iter().enumerate() {
            let part = Return { records, findings: std::mem::take(&mut owned.of_parts[i]), ..bare(&ret) };
            let judged = self.judge(part, form, unit, stream);
            self.judged.push(judged);
        }
        if !strangers.is_empty() {
            let rest = Return { records: strangers, findings: placed.findings, ..bare(&ret) };
            self.judged.push(refused(rest, self.opening));
        } else {
            self.told.extend(placed.findings);
        }
        // Of a row that nobody owns, the owner comes first; 合计 rows and headings are the sheet's.
        self.told.extend(owned.rest);
    }

    fn judge(&self, mut ret: Return, form: &Form, unit: String, stream: Option<String>) -> Judged {
        let mut findings = check::check(&ret, form, self.opening.period, self.opening.day());
        let owed = self.config.registry.unit(&unit).map(|u| &u.streams);
        match &stream {
            None => {
                let text = format!(
                    "看不出{unit}的这些行是非公有制企业还是社会组织；请在工作表名或标题里写明，或导入时用 --stream 指明。"
                );
                findings.push(about(&ret, "W09", Severity::Error, text));
            }
            Some(stream) if owed.is_some_and(|streams| !streams.contains(stream)) => {
                let title = self.config.campaign.stream(stream).map_or(stream.as_str(), |s| &s.title);
                let text = format!(
                    "单位登记表里，{unit}没有{title}这一条线；如果应当有，请在登记表的 streams 一栏加上“{stream}”后重新导入。"
                );
                findings.push(about(&ret, "W09", Severity::Error, text));
            }
            Some(_) => {}
        }
        if form.kind == FormKind::Figures && ret.records.len() > 1 {
            let text = format!("{unit}有{}行数据，看不出以哪一行为准；请只留一行后重新导入。", ret.records.len());
            findings.push(about(&ret, "W04", Severity::Error, text));
        }
        let mut all = std::mem::take(&mut ret.findings);
        all.extend(findings);
        finish(ret, form, (Some(unit), stream, Some(self.opening.period)), all, Vec::new())
    }

    /// A cell of the row says it, else what a return is judged by, else what the person said.
    fn stream(&self, ret: &Return, unit: &str, cell: Option<&str>) -> Option<String> {
        let campaign = &self.config.campaign;
        if let Some([one]) = cell.map(|text| crate::form::find_streams(text, campaign)).as_deref() {
            return Some(one.key.clone());
        }
        let registry = &self.config.registry;
        let around = Around {
            registry,
            campaign,
            file: &ret.file,
            subjects: &[],
            words: "",
            sender: &[],
            sibling: None,
            mailbox_stream: self.opening.stream.as_deref(),
            received: self.opening.instant(self.config.timezone),
        };
        resolve::stream(ret, registry.unit(unit), &around).map(|found| found.key)
    }

    /// The sheet says another month than the person who hands it over.
    fn other_month(&self, ret: &Return) -> Option<Finding> {
        let after = local(self.config.timezone, self.opening.period.next().first_day(), NaiveTime::MIN);
        let hints = [Origin::Title, Origin::PeriodLine, Origin::SheetName].into_iter().flat_map(|o| ret.said(o));
        let said = hints.filter_map(|h| find_period(&h.text, after, MonthKind::of(h.origin))).next()?;
        let period = self.opening.period;
        let text = format!(
            "工作表“{}”上写的是“{}”，按{}导入；如果不对，请用正确的 --period 重新导入。",
            ret.sheet,
            said.said,
            period.chinese()
        );
        (said.period != period).then(|| about(ret, "H02", Severity::Warning, text))
    }
}

/// Findings by the part that they are about.
struct Owned {
    of_parts: Vec<Vec<Finding>>,
    /// Of headings, totals and rows that are in no part.
    rest: Vec<Finding>,
}

impl Owned {
    fn of<K>(findings: Vec<Finding>, parts: &BTreeMap<K, Vec<Record>>) -> Self {
        let mut rows: BTreeMap<(&str, u32), usize> = BTreeMap::new();
        // Of a card the cells stand in many rows.
        let mut cells: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let carded = findings.iter().any(|f| f.place.cell.is_some());
        for (i, records) in parts.values().enumerate() {
            for record in records {
                rows.insert((&record.sheet, record.row), i);
                let own = record.cells.values().filter(|_| carded);
                cells.extend(own.map(|cell| ((record.sheet.as_str(), cell.as_str()), i)));
            }
        }
        let part = |f: &Finding| {
            let sheet = f.place.sheet.as_deref()?;
            let cell = f.place.cell.as_deref().and_then(|cell| cells.get(&(sheet, cell)));
            cell.or_else(|| rows.get(&(sheet, f.place.row?))).copied()
        };
        let found: Vec<Option<usize>> = findings.iter().map(part).collect();
        let mut owned = Self { of_parts: vec![Vec::new(); parts.len()], rest: Vec::new() };
        for (finding, part) in findings.into_iter().zip(found) {
            match part {
                Some(i) => owned.of_parts[i].push(finding),
                None => owned.rest.push(finding),
            }
        }
        owned
    }
}

fn without_extras(mut record: Record) -> Record {
    for key in [UNIT, STREAM] {
        record.values.remove(key);
        record.cells.remove(key);
        record.raw.remove(key);
    }
    record
}

/// Everything about a table but its rows and findings.
fn bare(ret: &Return) -> Return {
    Return {
        form: ret.form.clone(),
        file: ret.file.clone(),
        sheet: ret.sheet.clone(),
        columns: ret.columns.clone(),
        hints: ret.hints.clone(),
        ..Return::default()
    }
}

/// Units that have not reported stand in a summary with their names alone.
fn without_blank_rows(ret: &mut Return, form: &Form) {
    let aside = |key: &String| *key == form.identity || form.is_sequence(key) || [UNIT, STREAM].contains(&key.as_str());
    let blank =
        |r: &Record| r.values.iter().all(|(key, value)| aside(key) || value.is_null() && !r.raw.contains_key(key));
    let (blank, filled): (Vec<Record>, Vec<Record>) = std::mem::take(&mut ret.records).into_iter().partition(blank);
    let rows: BTreeSet<u32> = blank.iter().map(|r| r.row).collect();
    ret.findings.retain(|f| f.place.row.is_none_or(|row| !rows.contains(&row)));
    ret.records = filled;
}

/// A table, or rows of one, of which nothing can be used; it is kept with what is wrong with it.
fn refused(ret: Return, opening: &Opening) -> Judged {
    let rules = ret.findings.iter().filter(|f| f.is_error()).map(|f| f.rule.clone()).collect();
    let row = |record: Record| Row { sheet: record.sheet.clone(), admitted: false, record: without_extras(record) };
    let submission = Submission {
        unit: None,
        stream: None,
        form: ret.form,
        period: Some(opening.period),
        fate: Fate::Rejected,
        file: ret.file,
        digest: String::new(),
        sheet: ret.sheet,
        columns: ret.columns,
        rows: ret.records.into_iter().map(row).collect(),
        findings: ret.findings,
        doubts: Vec::new(),
    };
    Judged { submission, rules, ask: None }
}

fn about(ret: &Return, rule: &str, severity: Severity, text: String) -> Finding {
    let place = Place { file: Some(ret.file.clone()), sheet: Some(ret.sheet.clone()), ..Place::default() };
    Finding::new(rule, severity, place, text)
}
