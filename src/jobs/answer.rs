//! Answer: the receipt for one message, queued in the transaction that stored its verdict.

use std::collections::HashSet;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::compared::{self, Compared};
use super::marked::Marked;
use super::patience::may_answer;
use super::post::{self, Post};
use crate::config::{Config, Mailbox};
use crate::form::record::Values;
use crate::form::{Datum, Finding, FormKind, Place, Severity};
use crate::ledger::copies::Copy;
use crate::ledger::held;
use crate::ledger::obligation::{Obligation, State};
use crate::ledger::query::{self, Version};
use crate::ledger::waiver::{Matter, Waivers};
use crate::message::Message;
use crate::outbox::budget::Permit;
use crate::outbox::compose::receipt::{self, Fate, Figure, Outcome, Receipt, Rows, Taken};
use crate::outbox::compose::{Owed, Why, unreached};
use crate::outbox::{Attached, Kind};
use crate::period::Period;
use crate::report::{findings_sheet, table};
use crate::submission::repeats::Told;
use crate::submission::{self, Disposition, Submission, Verdict};

/// The message that is answered.
pub struct About<'a> {
    pub id: i64,
    pub digest: &'a str,
    pub mailbox: &'a Mailbox,
    pub received_at: DateTime<Utc>,
    /// Somebody has decided: the sender, who was told that it waits, is told again.
    pub decided: bool,
    /// A book that counted is held now.
    pub withdrawn: bool,
    /// The sender's own tables, the cells with findings marked.
    pub marked: &'a [Marked],
    /// What of it came before.
    pub copy: &'a Copy,
    /// What its versions change.
    pub compared: &'a Compared,
}

/// Figures that a receipt shows beside last month's.
const FIGURES: [&str; 6] =
    [table::ORGS, table::MEMBERS, table::PARTY_ORGS, table::FOUNDED_MONTH, table::FOUNDED_TOTAL, table::COVERED];
/// With more findings than this the full list goes along as a workbook; fewer are all in the text.
const IN_TEXT: usize = 3;

/// Queues the receipt, if one is right: the sender is known and a person, the mail is not old, and the budgets are not
/// used up.
///
/// It goes to the From address and not to the return path (RFC 3834 section 4 allows it to a service): From is what the
/// registry knows and the provider has authenticated, while a return path may be a gateway's. A null one is never
/// answered.
pub async fn answer(
    conn: &mut SqliteConnection,
    config: &Config,
    about: &About<'_>,
    (message, verdict): (&Message, &Verdict),
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(to) = message.from.as_ref().map(|a| a.email.as_str()).filter(|_| verdict.answer) else { return Ok(()) };
    let Some(outcome) = outcome(verdict, about.copy) else { return Ok(()) };
    if now - about.received_at > TimeDelta::days(i64::from(config.smtp.answer_within_days)) {
        return Ok(());
    }
    let units = units(verdict, about.copy);
    let owed = owed(conn, config, &units, period(config, verdict, now), now).await?;
    if outcome == Outcome::NoForm && owed.is_empty() {
        return Ok(());
    }
    let last = match permit(conn, config, (about, message), now).await? {
        Permit::Withheld(_) => return Ok(()),
        Permit::Last(budget) => Some(unreached::last_answer(budget)),
        Permit::Answer => None,
    };
    let mut findings = all_findings(conn, about.id, verdict).await?;
    findings.extend(about.copy.findings.iter().cloned());
    let marked = marked(about, &findings);
    let list = full_list(config, message, (&findings, &marked), now)?;
    let mut taken = taken(conn, config, about, verdict).await?;
    taken.extend(compared::repeated(config, about.copy));
    let changes = compared::list(config, &taken, now)?;
    let receipt = Receipt {
        subject: message.subject.clone(),
        addressee: units.first().cloned().unwrap_or_default(),
        received: about.received_at.with_timezone(&config.timezone),
        now: now.with_timezone(&config.timezone),
        outcome,
        taken,
        findings,
        owed: (!units.is_empty()).then_some(owed),
        marked: marked.iter().map(|m| m.told()).collect(),
        full_list: list.as_ref().map(|a| a.name.clone()),
        last,
        withdrawn: about.withdrawn,
        changes_list: changes.as_ref().map(|a| a.name.clone()),
        contact: config.department.contact.clone(),
        signature: signature(config, about.mailbox),
    };
    let composed = receipt::compose(&receipt);
    // RFC 5322 section 3.6.4.
    let thread = if message.references.is_empty() { &message.in_reply_to } else { &message.references };
    let mut references = thread.clone();
    references.extend(message.message_id.clone());
    let key = key(conn, about, verdict).await?;
    let post = Post {
        kind: Kind::Receipt,
        key: &key,
        to,
        cc: None,
        reply_to: Some(&about.mailbox.address),
        in_reply_to: message.message_id.clone(),
        references,
        attachments: marked
            .iter()
            .map(|m| post::workbook(&m.name, m.bytes.clone()))
            .chain(list)
            .chain(changes)
            .collect(),
        answers: Some(about.id),
        unit: units.first().map(String::as_str),
        period: None,
    };
    post::enqueue(conn, config, composed, post, now).await?;
    Ok(())
}

/// The same matter is answered once; but a book that is held, or no longer, since others have come, each time.
async fn key(conn: &mut SqliteConnection, about: &About<'_>, verdict: &Verdict) -> Result<String> {
    if !about.decided {
        return Ok(about.digest.to_owned());
    }
    let withdrawn = "SELECT count(*) FROM outbox WHERE answers = ? AND kind = 'receipt'";
    let turn: i64 = match about.withdrawn {
        true => sqlx::query_scalar(withdrawn).bind(about.id).fetch_one(conn).await?,
        false => 0,
    };
    let which = if turn > 0 { format!(" {turn}") } else { String::new() };
    Ok(format!("{} decided {:?}{which}", about.digest, verdict.disposition))
}

/// What a person decided is told in any case: that happens once.
async fn permit(
    conn: &mut SqliteConnection,
    config: &Config,
    (about, message): (&About<'_>, &Message),
    now: DateTime<Utc>,
) -> Result<Permit> {
    match about.decided {
        true => Ok(Permit::Answer),
        false => may_answer(conn, config, (about.id, message), now).await,
    }
}

fn outcome(verdict: &Verdict, copy: &Copy) -> Option<Outcome> {
    match verdict.disposition {
        Disposition::Accepted => Some(Outcome::Accepted),
        Disposition::Partly => Some(Outcome::Partly),
        Disposition::Rejected => Some(Outcome::Rejected),
        Disposition::Quarantined if verdict.our_failure => Some(Outcome::OurFailure),
        Disposition::Quarantined => Some(Outcome::Quarantined),
        Disposition::News => Some(Outcome::NoForm),
        Disposition::Duplicate => copy.told.map(Outcome::Duplicate),
        Disposition::Auto | Disposition::Bounce => None,
    }
}

/// The committee, or the department where the mailbox names none.
pub fn signature(config: &Config, mailbox: &Mailbox) -> String {
    if mailbox.committee.is_empty() { config.department.name.clone() } else { mailbox.committee.clone() }
}

/// Units that the forms name; without any form, and while it is in doubt whom they are from, those that the sender is
/// registered for.
fn units(verdict: &Verdict, copy: &Copy) -> Vec<String> {
    let mut units: Vec<String> = verdict.submissions.iter().filter_map(|s| s.unit.clone()).collect();
    units.extend(copy.repeats.iter().map(|r| r.earlier.unit.clone()).filter(|unit| !unit.is_empty()));
    if units.is_empty() || verdict.disposition == Disposition::Quarantined {
        units.clone_from(&verdict.sender_units);
    }
    let mut seen = std::collections::BTreeSet::new();
    units.retain(|u| seen.insert(u.clone()));
    units
}

/// Tables go back of what is new, or still wrong.
fn marked<'a>(about: &About<'a>, findings: &[Finding]) -> Vec<&'a Marked> {
    let repeated = |m: &&Marked| {
        let file = m.findings.first().and_then(|f| f.place.file.as_deref());
        about.copy.repeats.iter().any(|r| Some(&*r.form.file) == file)
    };
    // It was made before it was known what else is in the ledger.
    let held = |m: &&Marked| {
        let is_held = |f: &&Finding| held::RULES.contains(&f.rule.as_str()) && f.is_error();
        let file = m.findings.first().and_then(|f| f.place.file.as_deref());
        findings.iter().any(|f| is_held(&f) && f.place.file.as_deref() == file)
    };
    let uncured = about.copy.told == Some(Told::Uncured);
    about.marked.iter().filter(|m| (uncured || !repeated(m)) && !held(m)).collect()
}

/// The period that the answer speaks of: the newest one reported, else the open one.
fn period(config: &Config, verdict: &Verdict, now: DateTime<Utc>) -> Period {
    let open = Period::open_at(now.with_timezone(&config.timezone));
    verdict.submissions.iter().filter_map(|s| s.period).max().unwrap_or(open)
}

/// What these units still owe for a period.
pub async fn owed(
    conn: &mut SqliteConnection,
    config: &Config,
    units: &[String],
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<Owed>> {
    let all = query::obligations(conn, config, period, now).await?;
    Ok(all.iter().filter(|o| o.state.owed() && units.contains(&o.unit)).map(|o| owed_view(config, o)).collect())
}

/// An obligation in the words of a mail.
pub fn owed_view(config: &Config, o: &Obligation) -> Owed {
    let mailbox = config.mailboxes.iter().find(|m| m.stream.as_deref() == Some(o.stream.as_str()));
    Owed {
        unit: o.unit.clone(),
        stream: stream_title(config, &o.stream),
        form: form_title(config, &o.form),
        period: o.period,
        due: config.deadline.due(o.period),
        why: if o.state == State::Rejected { Why::Unusable } else { Why::NothingCame },
        mailbox: mailbox.map(|m| m.address.clone()).unwrap_or_default(),
    }
}

pub fn stream_title(config: &Config, key: &str) -> String {
    config.campaign.stream(key).map_or_else(|| key.to_owned(), |s| s.title.clone())
}

pub fn form_title(config: &Config, key: &str) -> String {
    config.campaign.form(key).map_or_else(|| key.to_owned(), |f| f.short_title.clone())
}

async fn taken(
    conn: &mut SqliteConnection,
    config: &Config,
    about: &About<'_>,
    verdict: &Verdict,
) -> Result<Vec<Taken>> {
    let stored = query::submissions(conn, about.id).await?;
    let mut list = Vec::new();
    for (submission, version) in verdict.submissions.iter().zip(&stored) {
        let (Some(unit), Some(stream), Some(period)) = (&submission.unit, &submission.stream, submission.period) else {
            continue;
        };
        let kind = config.campaign.form(&submission.form).map(|f| f.kind);
        let late = first_accepted(conn, version).await? > Some(config.deadline.due(period).to_utc());
        list.push(Taken {
            unit: unit.clone(),
            stream: stream_title(config, stream),
            form: form_title(config, &submission.form),
            period,
            fate: fate(submission, version, late),
            versus: compared::versus(about.compared, version.id, config.timezone),
            reported: compared::reported(conn, period).await?,
            rows: (kind == Some(FormKind::Book)).then(|| rows(submission)),
            figures: match kind {
                Some(FormKind::Figures) => figures(conn, config, submission, period).await?,
                _ => Vec::new(),
            },
        });
    }
    Ok(list)
}

/// When the first accepted version of the same obligation came: that one decides whether the unit was late.
async fn first_accepted(conn: &mut SqliteConnection, version: &Version) -> Result<Option<DateTime<Utc>>> {
    let first = sqlx::query_scalar(
        "SELECT min(received_at) FROM submission WHERE unit = ? AND stream = ? AND form = ? AND period = ?
         AND state = 'accepted' AND baseline = 0",
    );
    Ok(first
        .bind(&version.unit)
        .bind(&version.stream)
        .bind(&version.form)
        .bind(&version.period)
        .fetch_one(conn)
        .await?)
}

fn fate(submission: &Submission, version: &Version, late: bool) -> Fate {
    match submission.fate {
        submission::Fate::Accepted => Fate::Accepted { version: version.version.unwrap_or(1), late },
        submission::Fate::Rejected | submission::Fate::Dismissed => Fate::Rejected,
        submission::Fate::Quarantined => Fate::Quarantined,
    }
}

fn rows(submission: &Submission) -> Rows {
    let withheld = submission.rows.iter().filter(|r| !r.admitted).map(|r| r.record.row).collect();
    Rows { admitted: submission.rows.iter().filter(|r| r.admitted).count() as u32, withheld }
}

async fn figures(
    conn: &mut SqliteConnection,
    config: &Config,
    submission: &Submission,
    period: Period,
) -> Result<Vec<Figure>> {
    let (Some(row), Some(form)) = (submission.rows.first(), config.campaign.form(&submission.form)) else {
        return Ok(Vec::new());
    };
    let before = query::figures(conn, Some(period.prev())).await?;
    let mine = |f: &&query::Figure| {
        Some(&f.unit) == submission.unit.as_ref()
            && Some(&f.stream) == submission.stream.as_ref()
            && f.form == submission.form
    };
    let before: Option<Values> = before.iter().find(mine).map(|f| f.values.clone());
    let value = |values: &Values, key: &str| values.get(key).cloned().unwrap_or(Datum::Null);
    let columns = FIGURES.iter().filter_map(|key| form.column(key));
    Ok(columns
        .map(|c| Figure {
            label: c.label(),
            before: before.as_ref().map_or(Datum::Null, |v| value(v, &c.key)),
            now: value(&row.record.values, &c.key),
        })
        .collect())
}

/// Findings of the mail, of its forms, and of these forms against the rest of the ledger (also those that a register
/// has just brought up about an earlier progress table, but not those about the rows of an earlier register).
async fn all_findings(conn: &mut SqliteConnection, message: i64, verdict: &Verdict) -> Result<Vec<Finding>> {
    let waivers = Waivers::load(conn, None).await?;
    let mut findings = verdict.findings.clone();
    findings.extend(verdict.submissions.iter().flat_map(|s| waivers.open(s)).cloned());
    let mut asked = std::collections::BTreeSet::new();
    for s in verdict.submissions.iter().filter(|s| s.fate == submission::Fate::Accepted) {
        let (Some(unit), Some(stream), Some(period)) = (&s.unit, &s.stream, s.period) else { continue };
        if asked.insert((unit, stream, period)) {
            findings.extend(ledger_findings(conn, message, (unit, stream, period), &waivers).await?);
        }
    }
    Ok(findings)
}

async fn ledger_findings(
    conn: &mut SqliteConnection,
    message: i64,
    (unit, stream, period): (&str, &str, Period),
    waivers: &Waivers,
) -> Result<Vec<Finding>> {
    let rows = sqlx::query(
        "SELECT f.rule, f.severity, f.file, f.sheet, f.cell, f.row, f.text, f.key, f.subject, f.rests_on, s.form
         FROM finding f JOIN submission s ON s.id = f.submission
         WHERE f.origin = 'ledger' AND (s.message = ? OR f.rule NOT LIKE 'R%') AND s.unit = ? AND s.stream = ?
         AND s.period = ? ORDER BY f.id",
    )
    .bind(message)
    .bind(unit)
    .bind(stream)
    .bind(period.to_string())
    .fetch_all(conn)
    .await?;
    let read = |r: sqlx::sqlite::SqliteRow| {
        let place = Place { file: r.get(2), sheet: r.get(3), cell: r.get(4), row: r.get(5) };
        let mut finding = Finding::new(r.get(0), Severity::parse(r.get(1)), place, r.get::<String, _>(6));
        (finding.key, finding.subject, finding.rests_on) = (r.get(7), r.get(8), r.get(9));
        let (unit, stream, period) = (unit.to_owned(), stream.to_owned(), period.to_string());
        let matter = Matter { unit, stream, form: r.get(10), period, ..Matter::about(&finding) };
        waivers.waived(&matter, finding.severity).is_none().then_some(finding)
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// What one finding says of which sheet.
fn said(finding: &Finding) -> (&Option<String>, &Option<String>, &str) {
    (&finding.place.file, &finding.place.sheet, &finding.message)
}

/// The workbook with every finding, when the text cannot show them all and the marked tables do not list them.
fn full_list(
    config: &Config,
    message: &Message,
    (findings, marked): (&[Finding], &[&Marked]),
    now: DateTime<Utc>,
) -> Result<Option<Attached>> {
    let listed: HashSet<_> = marked.iter().flat_map(|m| &m.findings).map(said).collect();
    if findings.len() <= IN_TEXT || findings.iter().all(|f| listed.contains(&said(f))) {
        return Ok(None);
    }
    let at = now.with_timezone(&config.timezone);
    let bytes = findings_sheet::build(&message.subject, &config.department.name, findings, at)?;
    Ok(Some(post::workbook("问题清单.xlsx", bytes)))
}
