//! For whom, in which stream and for which month a return is: what the sheet, the names and the sender say. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::{Registry, Unit};
use crate::form::month::{MonthKind, PeriodHint, find_period};
use crate::form::reading::{Origin, Return};
use crate::form::{Campaign, Finding, Place, Severity, find_streams};
use crate::period::Period;
use crate::submission::units::find_units;

/// What stands around a return: the names of its file and mail, and who sent it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    pub registry: &'a Registry,
    pub campaign: &'a Campaign,
    /// Path inside archives included.
    pub file: &'a str,
    /// The subject, and those of forwarded messages inside.
    pub subjects: &'a [String],
    /// Units that the sender is registered for or trusted with.
    pub sender: &'a [&'a Unit],
    /// The mailbox's stream.
    pub mailbox_stream: Option<&'a str>,
    pub received: DateTime<Tz>,
}

/// Which unit a return is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForWhom {
    Known(String),
    /// Two units are named and both may be meant (W04).
    Contradiction(Vec<String>),
    /// Nothing names one (W04).
    Unknown,
}

/// The unit: named on the sheet, else by sheet, file or subject, else the sender's only one.
///
/// `rows` are the unit cells of the rows concerned.
pub fn unit(ret: &Return, rows: &[&str], around: &Around) -> ForWhom {
    let on_sheet = named(ret, rows, around.registry);
    let beside = [vec![around.file.to_owned()], around.subjects.to_vec()];
    let beside: Vec<Vec<&Unit>> = beside.iter().map(|texts| distinct(texts, around.registry)).collect();
    match on_sheet.as_slice() {
        [one] => {
            // The sheet and the file name differ, and the sender speaks for both: either may be the slip.
            let speaks_for = |u: &&&Unit| around.sender.iter().any(|s| s.name == u.name);
            let other = beside.first().and_then(|units| match units.as_slice() {
                [u] if u.name != one.name => Some(*u),
                _ => None,
            });
            match other.filter(|u| speaks_for(&u) && speaks_for(&one)) {
                Some(u) => ForWhom::Contradiction(vec![one.name.clone(), u.name.clone()]),
                None => ForWhom::Known(one.name.clone()),
            }
        }
        [] => match beside.iter().find(|units| !units.is_empty()).map(Vec::as_slice) {
            Some([one]) => ForWhom::Known(one.name.clone()),
            Some(several) => ForWhom::Contradiction(several.iter().map(|u| u.name.clone()).collect()),
            None => match around.sender {
                [one] => ForWhom::Known(one.name.clone()),
                _ => ForWhom::Unknown,
            },
        },
        several => ForWhom::Contradiction(several.iter().map(|u| u.name.clone()).collect()),
    }
}

/// Units that the sheet names: its unit line, unit cells and title together; its own name only where those are silent.
fn named<'a>(ret: &Return, rows: &[&str], registry: &'a Registry) -> Vec<&'a Unit> {
    let of = |origin: Origin| -> Vec<String> { ret.said(origin).map(|h| h.text.clone()).collect() };
    let mut texts = of(Origin::UnitLine);
    texts.extend(rows.iter().map(|t| (*t).to_owned()));
    texts.extend(of(Origin::Title));
    let strong = distinct(&texts, registry);
    if strong.is_empty() { distinct(&of(Origin::SheetName), registry) } else { strong }
}

fn distinct<'a>(texts: &[String], registry: &'a Registry) -> Vec<&'a Unit> {
    let mut units: Vec<&Unit> = Vec::new();
    for unit in texts.iter().flat_map(|t| find_units(t, registry)) {
        if !units.iter().any(|u| u.name == unit.name) {
            units.push(unit);
        }
    }
    units
}

/// The stream: the first of title, headings, sheet name, file name, subject that names exactly one; else the
/// mailbox's; else the only one that the unit owes. `None` is W09.
pub fn stream(ret: &Return, unit: Option<&Unit>, around: &Around) -> Option<String> {
    let texts_of = |origin: Origin| ret.said(origin).map(|h| h.text.clone()).collect::<Vec<_>>();
    let mut groups: Vec<Vec<String>> = [Origin::Title, Origin::Heading, Origin::SheetName].map(texts_of).into();
    groups.push(vec![around.file.to_owned()]);
    groups.push(around.subjects.to_vec());
    for texts in groups {
        let mut found: Vec<&str> = Vec::new();
        for text in &texts {
            found.extend(find_streams(text, around.campaign).iter().map(|s| s.key.as_str()));
        }
        found.sort_unstable();
        found.dedup();
        if let [one] = found.as_slice() {
            return Some((*one).to_owned());
        }
    }
    let only = unit.filter(|u| u.streams.len() == 1).map(|u| u.streams[0].clone());
    around.mailbox_stream.map(str::to_owned).or(only)
}

/// The period that a return is for, with what the sender should be told about how it was read.
#[derive(Clone, Debug)]
pub struct ForWhen {
    pub period: Period,
    pub told: Vec<Finding>,
}

/// Title, 填报时间/所属期 line, sheet name, file name, subject, in that order; else the open period.
///
/// # Errors
/// A W05 finding: the month named lies outside the window that returns are taken for.
pub fn period(ret: &Return, around: &Around) -> Result<ForWhen, Box<Finding>> {
    let open = Period::open_at(around.received);
    let place = |cell: Option<&String>| Place {
        file: Some(ret.file.clone()),
        sheet: Some(ret.sheet.clone()),
        cell: cell.cloned(),
        row: None,
    };
    let mut found: Vec<(PeriodHint, Place)> = Vec::new();
    let origins = [Origin::Title, Origin::PeriodLine, Origin::FilledLine, Origin::SheetName];
    for hint in origins.into_iter().flat_map(|o| ret.said(o)) {
        let kind = if hint.origin == Origin::FilledLine { MonthKind::Filled } else { MonthKind::Reported };
        if let Some(p) = find_period(&hint.text, around.received, kind) {
            found.push((p, place(hint.cell.as_ref())));
        }
    }
    for text in std::iter::once(around.file).chain(around.subjects.iter().map(String::as_str)) {
        if let Some(p) = find_period(text, around.received, MonthKind::Reported) {
            found.push((p, place(None)));
        }
    }
    let Some((first, at)) = found.first() else { return Ok(ForWhen { period: open, told: Vec::new() }) };
    let earliest = open.plus(-WINDOW);
    if first.period > open || first.period < earliest {
        let text = format!("报表写的月份是“{}”，本期应报{}；请核对月份，改正后重新发送。", first.said, open.chinese());
        return Err(Box::new(Finding::new("W05", Severity::Error, at.clone(), text)));
    }
    Ok(ForWhen { period: first.period, told: told(&found, open) })
}

/// Months back that a late or amended return is still taken for.
const WINDOW: i32 = 12;

fn told(found: &[(PeriodHint, Place)], open: Period) -> Vec<Finding> {
    let (first, at) = &found[0];
    let mut list = Vec::new();
    if let Some(note) = first.explanation() {
        list.push(Finding::new("H02", Severity::Info, at.clone(), note));
    }
    if let Some((other, place)) = found.iter().find(|(p, _)| p.period != first.period) {
        let text = format!(
            "所属期按{}读取；但另一处写的是{}，如不符请更正后重新发送。",
            first.period.chinese(),
            other.period.chinese()
        );
        list.push(Finding::new("H02", Severity::Info, place.clone(), text));
    } else if first.period < open && !first.reinterpreted {
        let text =
            format!("这份报表按{}（补报或更正以前月份）登记，本期应报的是{}。", first.period.chinese(), open.chinese());
        list.push(Finding::new("H02", Severity::Info, at.clone(), text));
    }
    list
}
