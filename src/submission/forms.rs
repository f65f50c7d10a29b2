//! From the forms that were read to submissions: for whom, for when, checked, and accepted, refused or to be asked
//! about. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::assess::{Context, Sender};
use super::body;
use super::documents::Opened;
use super::resolve::{self, Around, ForWhom, ToldBy};
use super::units;
use super::who::{self, Who};
use super::{Fate, Row, Submission};
use crate::form::name::organisation_key;
use crate::form::reading::Return;
use crate::form::{Campaign, Finding, Form, FormKind, Place, Record, Severity, check};
use crate::message::Message;

/// A submission with the rules about it as a whole.
pub struct Judged {
    pub submission: Submission,
    pub rules: Vec<String>,
    /// The unit that can say whether the sender acts for it.
    pub ask: Option<String>,
}

/// The readings are used up: rows are moved, because a large book should be in memory once.
pub fn submissions(message: &Message, opened: &mut Opened, sender: &Sender, context: &Context) -> Vec<Judged> {
    let mut subjects = vec![message.subject.clone()];
    subjects.extend(message.forwarded.iter().map(|f| f.subject.clone()));
    let words = body::words(message);
    let several = to_several_streams(message, context);
    let sibling = one_unit_of_all(opened, context);
    let mut list = Vec::new();
    let readings = std::mem::take(&mut opened.readings).into_iter();
    let returns = readings.flat_map(|(digest, r)| r.returns.into_iter().map(move |ret| (digest.clone(), ret)));
    for (digest, ret) in returns {
        let file = ret.file.clone();
        let around = Around {
            registry: &context.config.registry,
            campaign: &context.config.campaign,
            file: &file,
            subjects: &subjects,
            words: &words,
            sender: &sender.units,
            sibling: sibling.as_deref(),
            mailbox_stream: context.mailbox.stream.as_deref(),
            received: context.received,
        };
        let Some(form) = context.config.campaign.form(&ret.form) else { continue };
        for part in parts(ret, form, &around) {
            let mut judged = judge(part, form, &around, (sender, context, several));
            judged.submission.digest.clone_from(&digest);
            list.push(judged);
        }
    }
    settle_doubles(without_blanks(list, context), &context.config.campaign)
}

/// The one unit that the sheets of a mail name; none if they name several.
fn one_unit_of_all(opened: &Opened, context: &Context) -> Option<String> {
    let registry = &context.config.registry;
    let returns = opened.readings.iter().flat_map(|(_, r)| &r.returns);
    let named = returns.flat_map(|ret| {
        let form = context.config.campaign.form(&ret.form);
        let figures = form.filter(|f| f.kind == FormKind::Figures);
        let rows = figures.map(|f| ret.records.iter().filter_map(|r| r.text(&f.identity)).collect::<Vec<_>>());
        resolve::named(ret, &rows.unwrap_or_default(), registry)
    });
    let named: BTreeSet<&str> = named.map(|u| u.name.as_str()).collect();
    let [one] = named.into_iter().collect::<Vec<_>>()[..] else { return None };
    Some(one.to_owned())
}

/// The mail went to the mailboxes of two streams, so that the mailbox it is read in tells neither.
fn to_several_streams(message: &Message, context: &Context) -> bool {
    let of = |a: &crate::message::Address| {
        let mailbox = context.config.mailboxes.iter().find(|m| m.takes(&a.email))?;
        mailbox.stream.as_deref()
    };
    message.to.iter().filter_map(of).collect::<BTreeSet<&str>>().len() > 1
}

/// A table of figures may have a row for each of several units; each is a return of its own.
fn parts(ret: Return, form: &Form, around: &Around) -> Vec<Return> {
    if form.kind == FormKind::Book || ret.records.len() < 2 {
        return vec![ret];
    }
    let mut by_unit: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in &ret.records {
        let cell = record.text(&form.identity).unwrap_or_default();
        match units::find_units(cell, around.registry).as_slice() {
            [one] if !units::only_a_part(cell, around.registry) => {
                by_unit.entry(one.name.clone()).or_default().push(record.clone())
            }
            // A row that names no unit: the table cannot be taken apart.
            _ => return vec![ret],
        }
    }
    let part = |records: Vec<Record>| {
        let rows: Vec<u32> = records.iter().map(|r| r.row).collect();
        let mine = |f: &&Finding| f.place.row.is_none_or(|row| rows.contains(&row));
        let hints = ret.hints.iter().filter(|h| h.origin != crate::form::reading::Origin::UnitColumn);
        Return {
            findings: ret.findings.iter().filter(mine).cloned().collect(),
            hints: hints.cloned().collect(),
            records,
            ..ret.clone()
        }
    };
    by_unit.into_values().map(part).collect()
}

fn judge(
    mut ret: Return,
    form: &Form,
    around: &Around,
    (sender, context, to_several_streams): (&Sender, &Context, bool),
) -> Judged {
    // Beside those of the reading, which the checks look at.
    let mut findings: Vec<Finding> = Vec::new();
    let mut asked: Vec<Finding> = Vec::new();
    let place = || Place { file: Some(ret.file.clone()), sheet: Some(ret.sheet.clone()), ..Place::default() };
    let whole = |rule: &str, text: String| Finding::new(rule, Severity::Error, place(), text);

    let unit = unit((&ret, form), around, context, &mut asked, &whole);
    let unit_is_sure = asked.is_empty();
    let owner = unit.as_ref().and_then(|u| around.registry.unit(u));
    let (stream, told_by) = match resolve::stream(&ret, owner, around) {
        Some(found) => (Some(found.key), Some(found.told_by)),
        None => (None, None),
    };
    if told_by == Some(ToldBy::Mailbox) && to_several_streams && context.decisions.released.is_none() {
        asked.push(whole(
            "W09",
            "表里没有写明是非公有制企业还是社会组织，邮件又同时发给了两个信箱，须核实是哪一条线的报表。".into(),
        ));
    }
    if stream.is_none() {
        findings
            .push(whole("W09", "看不出是非公有制企业的报表还是社会组织的报表；请在表的标题里写明后重新发送。".into()));
    }
    let period = match resolve::period(&ret, around) {
        Ok(when) => {
            findings.extend(when.told);
            Some(when.period)
        }
        Err(finding) => {
            findings.push(*finding);
            None
        }
    };
    if let Some(period) = period {
        findings.extend(check::check(&ret, form, period, around.received.date_naive()));
    }
    let mut ask = None;
    if context.decisions.released.is_none() {
        let who = Who { owner, unit_is_sure, stream: stream.as_deref(), sender, decisions: context.decisions };
        if who.is_disowned() {
            return who::disowned(ret, (unit, stream, period));
        }
        asked.extend(who.questions(&whole));
        ask = who.may_be_asked();
    }
    // Whoever releases a mail also says which column it is: a heading that is then still open stays so.
    asked.extend(ret.doubts.iter().map(|d| whole("H01", d.message.clone())));
    if unit.is_none() && asked.is_empty() {
        findings.push(whole("W04", "看不出是哪个单位的报表；请在表上写明“填报单位”后重新发送。".into()));
    }
    if form.kind == FormKind::Figures && ret.records.len() > 1 {
        asked.push(whole(
            "W04",
            format!("表里有{}行数据，看不出哪一行是本单位的；请只留一行后重新发送，或由区里核实。", ret.records.len()),
        ));
    }
    // Whether an empty book can be is told by the unit's other books.
    if ret.records.is_empty() && form.kind == FormKind::Figures {
        asked.push(whole("W03", "表里没有一行数据；如果确实没有，请在回信里说明，由区里核实。".into()));
    }
    let mut all = std::mem::take(&mut ret.findings);
    all.extend(findings);
    let all = form.weigh(all);
    Judged { ask, ..finish(ret, form, (unit, stream, period), all, asked) }
}

fn unit(
    (ret, form): (&Return, &Form),
    around: &Around,
    context: &Context,
    asked: &mut Vec<Finding>,
    whole: &dyn Fn(&str, String) -> Finding,
) -> Option<String> {
    if let Some(Some(named)) = &context.decisions.released {
        return Some(named.clone());
    }
    let rows: Vec<&str> = match form.kind {
        FormKind::Figures => ret.records.iter().filter_map(|r| r.text(&form.identity)).collect(),
        FormKind::Book => Vec::new(),
    };
    match resolve::unit(ret, &rows, around) {
        ForWhom::Known(name) => Some(name),
        ForWhom::Unknown => None,
        ForWhom::Unregistered(said) => {
            let text = format!("表上写的填报单位“{said}”不在登记表里，须核实是哪个单位的报表。");
            asked.push(whole("W04", text));
            None
        }
        ForWhom::Contradiction(names) => {
            let text = format!("表里、文件名或发件人指向不同的单位（{}），须核实是哪个单位的报表。", names.join("、"));
            asked.push(whole("W04", text));
            // The first is what the sheet says; the person who decides sees it so.
            names.into_iter().next()
        }
    }
}

pub(super) type Named = (Option<String>, Option<String>, Option<crate::period::Period>);

/// Errors keep a row of a book out, or a whole table of figures; a question keeps all of it waiting.
pub(super) fn finish(
    ret: Return,
    form: &Form,
    (unit, stream, period): Named,
    mut findings: Vec<Finding>,
    asked: Vec<Finding>,
) -> Judged {
    let faults = check::Faults::of(&findings);
    let refused = faults.reject(&ret, form);
    let admit = |record: &Record| match form.kind {
        FormKind::Book => !faults.withhold(record),
        FormKind::Figures => !refused,
    };
    let row = |record: Record| Row { sheet: record.sheet.clone(), admitted: admit(&record), record };
    let rows: Vec<Row> = ret.records.into_iter().map(row).collect();
    let placed = unit.is_some() && stream.is_some() && period.is_some();
    let nothing = form.kind == FormKind::Book && rows.is_empty();
    let usable = placed && !refused && (nothing || rows.iter().any(|r| r.admitted));
    let fate = match (asked.is_empty(), usable) {
        (false, _) => Fate::Quarantined,
        (true, true) => Fate::Accepted,
        (true, false) => Fate::Rejected,
    };
    let mut rules: Vec<String> = asked.iter().map(|f| f.rule.clone()).collect();
    let told = findings.iter().filter(|f| f.is_error() && f.rule.starts_with('W') && f.rule != "W06");
    rules.extend(told.map(|f| f.rule.clone()));
    findings.extend(asked);
    if form.kind == FormKind::Book {
        name_organisations(&mut findings, &rows, form);
    }
    let submission = Submission {
        unit,
        stream,
        form: ret.form,
        period,
        fate,
        file: ret.file,
        digest: String::new(),
        sheet: ret.sheet,
        columns: ret.columns,
        rows,
        findings,
        doubts: ret.doubts,
    };
    Judged { submission, rules, ask: None }
}

/// Says which organisation each finding is about: wherever its row stands next time, the finding is known again.
fn name_organisations(findings: &mut [Finding], rows: &[Row], form: &Form) {
    let mut by_cell: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut by_row: BTreeMap<(&str, u32), &str> = BTreeMap::new();
    for row in rows {
        let Some(name) = row.record.text(&form.identity) else { continue };
        by_row.insert((&row.sheet, row.record.row), name);
        by_cell.extend(row.record.cells.values().map(|cell| ((row.sheet.as_str(), cell.as_str()), name)));
    }
    for finding in findings {
        let sheet = finding.place.sheet.as_deref().unwrap_or_default();
        // On a card the cells of one organisation stand in many rows.
        let cell = finding.place.cell.as_deref().and_then(|cell| by_cell.get(&(sheet, cell)));
        let named = cell.or_else(|| finding.place.row.and_then(|row| by_row.get(&(sheet, row))));
        finding.subject = named.map(|name| (*name).to_owned());
    }
}

/// A form that was left blank beside the same one filled in, as when a workbook keeps the blank form on a sheet of its own,
/// is put aside, and the sender is told (H03).
fn without_blanks(list: Vec<Judged>, context: &Context) -> Vec<Judged> {
    let is_blank =
        |j: &Judged| context.config.campaign.form(&j.submission.form).is_some_and(|f| blank(&j.submission, f));
    let (blanks, mut kept): (Vec<Judged>, Vec<Judged>) = list.into_iter().partition(is_blank);
    let mut alone = Vec::new();
    for one in blanks {
        let s = &one.submission;
        let filled = kept.iter_mut().map(|k| &mut k.submission).find(|k| {
            let same = |mine: &Option<String>, other: &Option<String>| mine.is_none() || mine == other;
            (&k.file, &k.form) == (&s.file, &s.form) && same(&s.unit, &k.unit) && same(&s.stream, &k.stream)
        });
        let Some(filled) = filled else {
            alone.push(one);
            continue;
        };
        let text = format!(
            "工作表“{}”里的同一报表没有填写，没有读取，以工作表“{}”为准；如不对请填好后重报。",
            s.sheet, filled.sheet
        );
        let place = Place { file: Some(s.file.clone()), sheet: Some(s.sheet.clone()), ..Place::default() };
        filled.findings.push(Finding::new("H03", Severity::Info, place, text));
    }
    kept.extend(alone);
    kept
}

/// No row at all; or of figures, nothing but a number and the unit.
fn blank(submission: &Submission, form: &Form) -> bool {
    let named = |key: &str| key == form.identity || form.is_sequence(key);
    let empty = |row: &Row, key: &String| row.record.get(key).is_null() && !row.record.raw.contains_key(key);
    let nothing = |row: &Row| row.record.values.keys().all(|key| named(key) || empty(row, key));
    let unread = |row: &Row| submission.findings.iter().any(|f| f.place.row == Some(row.record.row) && f.rule == "W06");
    match form.kind {
        FormKind::Book => submission.rows.is_empty(),
        FormKind::Figures => submission.rows.iter().all(|row| nothing(row) && !unread(row)),
    }
}

/// The same return twice in one mail: a copy is dropped, a book that goes on over several sheets of a file is joined;
/// two that differ wait for a person.
pub(super) fn settle_doubles(list: Vec<Judged>, campaign: &Campaign) -> Vec<Judged> {
    let mut kept: Vec<Judged> = Vec::new();
    for mut judged in list {
        let s = &judged.submission;
        let same = |k: &&mut Judged| {
            let o = &k.submission;
            (&o.unit, &o.stream, &o.form, o.period) == (&s.unit, &s.stream, &s.form, s.period) && s.unit.is_some()
        };
        let Some(other) = kept.iter_mut().find(same) else {
            kept.push(judged);
            continue;
        };
        let values = |s: &Submission| s.rows.iter().map(|r| r.record.values.clone()).collect::<Vec<_>>();
        if values(&other.submission) == values(&judged.submission) {
            continue;
        }
        let form = campaign.form(&judged.submission.form);
        if form.is_some_and(|f| goes_on(&other.submission, &judged.submission, f)) {
            join(other, judged);
            continue;
        }
        for double in [other, &mut judged] {
            let place = Place {
                file: Some(double.submission.file.clone()),
                sheet: Some(double.submission.sheet.clone()),
                ..Place::default()
            };
            let text = "同一封邮件里有两份内容不同的同一报表，看不出以哪份为准；请只发一份，或由区里核实。";
            double.submission.findings.push(Finding::new("W04", Severity::Error, place, text));
            double.submission.fate = Fate::Quarantined;
            double.rules.push("W04".into());
        }
        kept.push(judged);
    }
    kept
}

/// A book whose second part has none of the first part's organisations, in the same file.
fn goes_on(first: &Submission, second: &Submission, form: &Form) -> bool {
    let names = |s: &Submission| -> BTreeSet<String> {
        s.rows.iter().filter_map(|r| r.record.text(&form.identity)).map(organisation_key).collect()
    };
    form.kind == FormKind::Book && first.file == second.file && names(first).is_disjoint(&names(second))
}

fn join(first: &mut Judged, second: Judged) {
    let part = second.submission;
    first.submission.rows.extend(part.rows);
    first.submission.findings.extend(part.findings);
    first.submission.doubts.extend(part.doubts);
    first.rules.extend(second.rules);
    first.submission.fate = match (first.submission.fate, part.fate) {
        (Fate::Quarantined, _) | (_, Fate::Quarantined) => Fate::Quarantined,
        (Fate::Accepted, _) | (_, Fate::Accepted) => Fate::Accepted,
        (Fate::Rejected | Fate::Dismissed, _) => Fate::Rejected,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::form::record::Datum;
    use crate::form::{Candidate, Doubt};

    /// A table of figures on a sheet, with these numbers of organisations.
    fn judged(sheet: &str, unit: Option<&str>, orgs: &[Datum]) -> Judged {
        let row = |orgs: &Datum| {
            let values = [("unit", Datum::Text("某街道".into())), ("orgs", orgs.clone()), ("members", Datum::Null)];
            let values = values.map(|(key, value)| (key.to_owned(), value)).into();
            Row { sheet: sheet.into(), record: Record { values, row: 4, ..Record::default() }, admitted: true }
        };
        let ret = Return { form: "progress".into(), file: "a.xls".into(), sheet: sheet.into(), ..Return::default() };
        let submission = Submission {
            unit: unit.map(str::to_owned),
            stream: Some("nonpublic".into()),
            form: ret.form,
            period: None,
            fate: Fate::Accepted,
            file: ret.file,
            digest: String::new(),
            sheet: ret.sheet,
            columns: ret.columns,
            rows: orgs.iter().map(row).collect(),
            findings: Vec::new(),
            doubts: Vec::new(),
        };
        Judged { submission, rules: Vec::new(), ask: None }
    }

    /// The sheets that are kept, and what is told of them.
    fn kept(list: Vec<Judged>) -> (Vec<String>, Vec<String>) {
        let config = fixture::config();
        let received = fixture::at("2011-09-20T04:00:00Z").with_timezone(&config.timezone);
        let decisions = crate::submission::Decisions::default();
        let context =
            Context { config: &config, mailbox: &config.mailboxes[0], received, decisions: &decisions, size: 1 };
        let kept = without_blanks(list, &context);
        let told = kept.iter().flat_map(|j| &j.submission.findings).map(|f| f.message.clone()).collect();
        (kept.into_iter().map(|j| j.submission.sheet).collect(), told)
    }

    #[test]
    fn a_blank_form_beside_the_same_one_filled_in_is_put_aside_and_told() {
        let filled = || judged("附件1", Some("甲"), &[Datum::Int(9)]);
        for blank in [judged("空表", None, &[]), judged("空表", Some("甲"), &[Datum::Null])] {
            let (sheets, told) = kept(vec![blank, filled()]);
            assert_eq!(sheets, ["附件1"]);
            assert_eq!(told, ["工作表“空表”里的同一报表没有填写，没有读取，以工作表“附件1”为准；如不对请填好后重报。"]);
        }
    }

    #[test]
    fn a_blank_form_of_another_unit_or_one_without_a_filled_one_is_kept() {
        let filled = judged("附件1", Some("甲"), &[Datum::Int(9)]);
        assert_eq!(kept(vec![filled, judged("空表", Some("乙"), &[])]).0, ["附件1", "空表"]);
        let (sheets, told) = kept(vec![judged("空表", Some("甲"), &[]), judged("空表2", Some("甲"), &[Datum::Null])]);
        assert_eq!((sheets.len(), told.len()), (2, 0));
        let zero = vec![judged("附件1", Some("甲"), &[Datum::Int(9)]), judged("附件2", Some("甲"), &[Datum::Int(0)])];
        assert_eq!(kept(zero).0.len(), 2, "a zero is a figure");
        let mut unreadable = judged("附件2", Some("甲"), &[Datum::Null]);
        unreadable.submission.rows[0].record.raw.insert("orgs".into(), "约9".into());
        assert_eq!(kept(vec![judged("附件1", Some("甲"), &[Datum::Int(9)]), unreadable]).0.len(), 2);
    }

    #[test]
    fn what_one_sheet_of_a_book_leaves_open_is_asked_about_the_whole() {
        let part = |fate: Fate, heading: Option<&str>| {
            let candidate = |h: &str| Candidate { letters: "D".into(), heading: h.into(), path: vec![h.into()] };
            let doubt = |h: &str| Doubt { key: "members".into(), candidates: vec![candidate(h)], message: h.into() };
            let submission = Submission {
                unit: Some("柳林街道办事处".into()),
                stream: None,
                form: "register".into(),
                period: None,
                fate,
                file: "台账.xls".into(),
                digest: String::new(),
                sheet: "Sheet1".into(),
                columns: BTreeMap::new(),
                rows: Vec::new(),
                findings: Vec::new(),
                doubts: heading.map(doubt).into_iter().collect(),
            };
            Judged { submission, rules: Vec::new(), ask: None }
        };
        let mut first = part(Fate::Accepted, None);
        join(&mut first, part(Fate::Quarantined, Some("党员同志数")));
        let Submission { fate, doubts, .. } = first.submission;
        assert_eq!((fate, doubts.len()), (Fate::Quarantined, 1), "else nobody could say what it is");
    }
}
