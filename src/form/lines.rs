//! One row (or card) → one [`Record`], with a finding on every cell that could not be read. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::definition::{Column, ColumnKind, Form, FormKind, TextStyle};
use super::finding::{Finding, Place, Severity};
use super::number::plain;
use super::reading::Return;
use super::record::{Datum, Record};
use super::value::{Context, Fault, is_error, rate_choices, raw, read, shown};
use crate::workbook::{Cell, CellValue, a1};

/// Formulas without a value in one row that get a finding each; more are told in one.
const UNCACHED_EACH: usize = 3;
/// Characters of a cell that are kept as its raw text.
const RAW: usize = 200;

/// What is known of the columns of one table.
pub struct Source<'a> {
    pub form: &'a Form,
    pub received: NaiveDate,
    /// Signs for what stands in the row above, as [`plain`] text.
    pub ditto: Vec<String>,
    /// Index of the form's column → what the column as a whole says.
    pub fields: BTreeMap<usize, Field>,
}

#[derive(Clone, Debug, Default)]
pub struct Field {
    pub ticks: bool,
    pub percent: bool,
    /// Index into the column's `when`.
    pub when: Option<usize>,
}

/// Where a field's value stands.
pub struct Where<'g> {
    pub field: usize,
    pub cell: Option<&'g Cell>,
    pub at: (u32, u32),
    /// The cell is merged over several rows of data (or claimed twice): a number in it is nobody's.
    pub shared: bool,
    pub place: Place,
}

/// `above` is the record of the row above, to which 同上 points.
pub fn read_record(source: &Source<'_>, fields: &[Where<'_>], above: Option<&Record>, ret: &mut Return) -> Record {
    let mut record = Record { sheet: ret.sheet.clone(), ..Record::default() };
    let uncached = |p: &&Where<'_>| p.cell.is_some_and(|c| c.value == CellValue::Uncached);
    let uncached: Vec<&Where<'_>> = fields.iter().filter(uncached).collect();
    for place in fields {
        if let Some(sheet) = &place.place.sheet {
            record.sheet.clone_from(sheet);
        }
        record.row = place.at.0 + 1;
        let column = &source.form.columns[place.field];
        let datum = match ditto(source, place, column, above, ret) {
            Some(datum) => datum,
            None => read_field(source, place, column, ret),
        };
        record.cells.insert(column.key.clone(), a1(place.at.0, place.at.1));
        record.values.insert(column.key.clone(), datum);
    }
    settle_rates(source.form, fields, &mut record);
    keep_raw(source.form, fields, &mut record);
    if uncached.len() > UNCACHED_EACH {
        without_values(source.form, &uncached, ret);
    }
    record
}

/// What a cell shows is kept where the value alone does not say it.
fn keep_raw(form: &Form, fields: &[Where<'_>], record: &mut Record) {
    for place in fields {
        let column = &form.columns[place.field];
        let Some(cell) = place.cell.filter(|_| !form.is_sequence(&column.key)) else { continue };
        let text: String = raw(cell).chars().take(RAW).collect();
        if !text.is_empty() && text != record.get(&column.key).shown() {
            record.raw.insert(column.key.clone(), text);
        }
    }
}

/// One W06 in the place of many: the row's cells, the first required one as its place.
fn without_values(form: &Form, uncached: &[&Where<'_>], ret: &mut Return) {
    let cell = |place: &Where<'_>| Some(a1(place.at.0, place.at.1));
    let mine = |f: &Finding| f.rule == "W06" && uncached.iter().any(|p| f.place.cell == cell(p));
    ret.findings.retain(|f| !mine(f));
    let required = |p: &&&Where<'_>| form.columns[p.field].required;
    let first = uncached.iter().find(required).unwrap_or(&uncached[0]);
    let severity = if form.columns[first.field].required { Severity::Error } else { Severity::Warning };
    let cells: Vec<String> = uncached.iter().filter_map(|p| cell(p)).collect();
    let message = format!("第{}行的{}是公式，但{SAVE_VALUES}", first.at.0 + 1, cells.join("、"));
    let finding = Finding::new("W06", severity, first.place.clone(), message);
    ret.findings.push(finding.about(&form.columns[first.field].key));
}

/// 同上 in a text, a date or a choice: the value above, and the sender is told. A name or a code is never another's.
fn ditto(
    source: &Source<'_>,
    place: &Where<'_>,
    column: &Column,
    above: Option<&Record>,
    ret: &mut Return,
) -> Option<Datum> {
    let Some(CellValue::Text(text)) = place.cell.map(|c| &c.value) else { return None };
    let sign: String = plain(text).chars().filter(|c| !c.is_whitespace()).collect();
    let number = matches!(column.kind, ColumnKind::Count | ColumnKind::Rate);
    if number || !source.ditto.contains(&sign) {
        return None;
    }
    let own = column.key == source.form.identity || column.style == TextStyle::Code;
    let value = above.map(|r| r.get(&column.key)).filter(|v| !own && !v.is_null());
    if let Some(value) = value {
        let read = match value {
            Datum::Bool(b) => if *b { "有" } else { "无" }.to_owned(),
            other => other.text().unwrap_or_default().to_owned(),
        };
        let message = format!("{}填的是“{sign}”，按上一行的“{read}”读取，如不对请改正。", subject(column, place));
        ret.findings.push(Finding::new("R02", Severity::Info, place.place.clone(), message).about(&column.key));
        return Some(value.clone());
    }
    let fault = Fault::Wrong("应填写实际内容".to_owned());
    ret.findings.push(finding(source.form, column, place, &fault));
    Some(Datum::Null)
}

fn read_field(source: &Source<'_>, place: &Where<'_>, column: &Column, ret: &mut Return) -> Datum {
    let field = source.fields.get(&place.field).cloned().unwrap_or_default();
    let context = Context {
        ticks: field.ticks,
        percent: field.percent,
        when: field.when.and_then(|w| column.when.get(w)),
        received: source.received,
    };
    let value = read(place.cell, column, &context);
    if source.form.is_sequence(&column.key) {
        return value.datum;
    }
    let number = matches!(column.kind, ColumnKind::Count | ColumnKind::Rate);
    if place.shared && number && !value.datum.is_null() {
        let fault = Fault::Wrong("与其他行合并在一个单元格里，应逐行填写".to_owned());
        ret.findings.push(finding(source.form, column, place, &fault));
        return Datum::Null;
    }
    if let Some(fault) = &value.fault {
        ret.findings.push(finding(source.form, column, place, fault));
    } else if value.datum.is_null() {
        if let Some(default) = &column.default {
            return Datum::Text(default.clone());
        }
        if column.required {
            ret.findings.push(missing(source.form, column, place));
        }
    }
    value.datum
}

/// `第12行“党员总数”（I12）`
fn subject(column: &Column, place: &Where<'_>) -> String {
    format!("第{}行“{}”（{}）", place.at.0 + 1, column.label(), a1(place.at.0, place.at.1))
}

fn missing(form: &Form, column: &Column, place: &Where<'_>) -> Finding {
    let rule = match form.kind {
        FormKind::Figures => "P02",
        FormKind::Book => "R01",
    };
    let what = if column.kind == ColumnKind::Count { "没有填写，没有的请填0" } else { "没有填写" };
    let message = format!("{}{what}，请补填。", subject(column, place));
    Finding::new(rule, Severity::Error, place.place.clone(), message).about(&column.key)
}

fn finding(form: &Form, column: &Column, place: &Where<'_>, fault: &Fault) -> Finding {
    let number = matches!(column.kind, ColumnKind::Count | ColumnKind::Rate);
    let subject = subject(column, place);
    let quoted = place.cell.map(shown).unwrap_or_default();
    let error = place.cell.is_some_and(is_error);
    let (rule, severity, message) = match fault {
        Fault::Uncached => {
            let severity = if column.required { Severity::Error } else { Severity::Warning };
            ("W06", severity, format!("{subject}是公式，但{SAVE_VALUES}"))
        }
        Fault::Disputed => {
            let (rule, _) = wrong(form, column, number);
            let what = format!("系统用两种方法读出的内容不同（“{quoted}”），请核对后重新填写");
            (rule, Severity::Error, format!("{subject}，{what}。"))
        }
        Fault::Wrong(_) if error => {
            let (rule, _) = wrong(form, column, number);
            // As with a formula without a value: what need not be filled in does not keep the rest out.
            let severity = if column.required { Severity::Error } else { Severity::Warning };
            (rule, severity, format!("{subject}显示为“{quoted}”，公式出错，请改正。"))
        }
        Fault::Wrong(what) => {
            let (rule, severity) = wrong(form, column, number);
            (rule, severity, format!("{subject}填的是“{quoted}”，{what}，请改正。"))
        }
        Fault::Impossible => ("R10", Severity::Warning, format!("{subject}填的是“{quoted}”，没有这一天，请核对。")),
        Fault::Assumed(what) => {
            let rule = if column.kind == ColumnKind::Date { "R10" } else { wrong(form, column, number).0 };
            (rule, Severity::Info, format!("{subject}填的是“{quoted}”，{what}，如不对请改正。"))
        }
    };
    Finding::new(rule, severity, place.place.clone(), message).about(&column.key)
}

const SAVE_VALUES: &str = "文件里没有保存计算结果；请用Excel或WPS打开，等数字显示出来后保存，再重报，或直接改填数字。";

/// P02 for the numbers of a figures form, else R02; in an optional column R02 is a warning.
fn wrong(form: &Form, column: &Column, number: bool) -> (&'static str, Severity) {
    match form.kind {
        FormKind::Figures if number => ("P02", Severity::Error),
        _ if column.required => ("R02", Severity::Error),
        _ => ("R02", Severity::Warning),
    }
}

/// A plain number up to 1 can be a ratio or percent: the row's own parts say which.
fn settle_rates(form: &Form, fields: &[Where<'_>], record: &mut Record) {
    for rate in &form.rates {
        let field = fields.iter().find(|p| form.columns[p.field].key == rate.rate);
        let Some((n, Some(ratio))) = field.and_then(|p| p.cell).and_then(rate_choices) else { continue };
        let (Some(part), Some(whole)) = (record.int(&rate.part), record.int(&rate.whole)) else { continue };
        if !(0.0..=1.0).contains(&n) || whole == 0 {
            continue;
        }
        let expected = part as f64 * 100.0 / whole as f64;
        let settled = if (n - expected).abs() < (ratio - expected).abs() { n } else { ratio };
        record.values.insert(rate.rate.clone(), Datum::Rate(settled));
    }
}
