//! Held books: which of a mail's books wait for a person because they are implausible beside others, and which of the
//! stored ones are to be assessed again, since what they are compared with has changed. Runs inside the caller's
//! transaction; what is plausible is decided by [`plausible`].

mod evidence;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::plausible::{self, Book};
use super::presence::{self, Key};
use super::{inquiry, query};
use crate::form::{Campaign, Datum, Finding, Form, FormKind, Place, Severity};
use crate::period::Period;
use crate::submission::assess::reconsider as judge_again;
use crate::submission::{Decisions, Fate, Submission, Verdict};
use evidence::{Asked, Sound};
use words::Whose;

/// The rules that hold a book: far smaller than before, and another's.
pub const RULES: [&str; 2] = [SMALLER, FOREIGN];
const SMALLER: &str = "R15";
const FOREIGN: &str = "R16";

/// A mail whose books are weighed.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    pub id: i64,
    pub received_at: DateTime<Utc>,
    /// Of its bytes.
    pub digest: &'a str,
    pub decisions: &'a Decisions,
}

/// A book of a mail that is held.
#[derive(Clone, Debug)]
pub struct Hold {
    ordinal: usize,
    rule: &'static str,
    text: String,
    /// A later book of the same obligation counts: nobody need decide about this one any more.
    overtaken: bool,
}

/// What became of a mail's books.
#[derive(Clone, Debug, Default)]
pub struct Weighed {
    holds: Vec<Hold>,
    /// A book that counted is held now: its sender was told otherwise.
    pub withdrawn: bool,
}

/// A book in a verdict, whose it is and for when.
struct Candidate<'a> {
    ordinal: usize,
    form: &'a Form,
    unit: String,
    stream: String,
    period: Period,
    rows: usize,
    accepted: bool,
    keys: Vec<Key>,
}

/// Holds the implausible books of a verdict. What a person has let in is not weighed; a book that waits for another
/// reason goes on doing so, and whoever decides is told.
pub async fn weigh(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    mail: Mail<'_>,
    verdict: &mut Verdict,
) -> Result<Weighed> {
    let mut weighed = Weighed::default();
    if let Some(reason) = &mail.decisions.books_rejected {
        refuse(campaign, reason, verdict);
        return Ok(weighed);
    }
    let candidates = candidates(campaign, verdict);
    if mail.decisions.released.is_none() {
        let foreign = foreign(conn, campaign, mail, &candidates).await?;
        for (at, candidate) in candidates.iter().enumerate() {
            let found = match &foreign[at] {
                Some(text) => Some((FOREIGN, text.clone())),
                None => {
                    smaller(conn, campaign, (mail, verdict), (&candidates, &foreign, at)).await?.map(|t| (SMALLER, t))
                }
            };
            let Some((rule, text)) = found else { continue };
            let overtaken = candidate.accepted && overtaken(conn, mail, candidate).await?;
            weighed.holds.push(Hold { ordinal: candidate.ordinal, rule, text, overtaken });
        }
    }
    let counted = counted(conn, mail.id).await?;
    let mut remarks = String::new();
    for candidate in &candidates {
        let submission = &mut verdict.submissions[candidate.ordinal];
        let hold = weighed.holds.iter().find(|h| h.ordinal == candidate.ordinal);
        match (hold, candidate.accepted) {
            (Some(hold), true) if hold.overtaken => {
                let text = words::overtaken(&hold.text);
                submission.fate = Fate::Dismissed;
                submission.findings.push(whole(submission, hold.rule, Severity::Info, &text));
                remarks += &text;
            }
            (Some(hold), true) => {
                submission.fate = Fate::Quarantined;
                submission.findings.push(whole(submission, hold.rule, Severity::Error, &hold.text));
                verdict.rules.push(hold.rule.to_owned());
                weighed.withdrawn |= counted.contains(&(candidate.unit.clone(), candidate.stream.clone()));
            }
            (Some(hold), false) => remarks += &hold.text,
            (None, true) if candidate.rows == 0 => {
                submission.findings.push(whole(submission, SMALLER, Severity::Info, words::NOTHING));
            }
            (None, _) => {}
        }
    }
    weighed.holds.retain(|h| h.overtaken || held(&verdict.submissions[h.ordinal], h.rule));
    if !weighed.holds.is_empty() {
        judge_again(verdict);
    }
    verdict.reason += &remarks;
    // Whoever sent the later book was answered for that one.
    verdict.answer &= !weighed.holds.iter().any(|h| h.overtaken);
    Ok(weighed)
}

/// A book of the same obligation that counts was received later.
async fn overtaken(conn: &mut SqliteConnection, mail: Mail<'_>, one: &Candidate<'_>) -> Result<bool> {
    let whose = query::Whose { unit: &one.unit, stream: &one.stream, form: &one.form.key };
    let mut books = evidence::sound(conn, whose).await?;
    books.retain(|book| book.message != mail.id);
    Ok(evidence::overtaken(&books, (one.period, mail.received_at, mail.digest, one.ordinal as i64)))
}

fn held(submission: &Submission, rule: &str) -> bool {
    submission.findings.iter().any(|f| f.rule == rule && f.is_error())
}

fn whole(of: &Submission, rule: &str, severity: Severity, text: &str) -> Finding {
    let place = Place { file: Some(of.file.clone()), sheet: Some(of.sheet.clone()), ..Place::default() };
    Finding::new(rule, severity, place, text)
}

/// A person has decided against the books of a mail whose other forms were taken.
fn refuse(campaign: &Campaign, reason: &str, verdict: &mut Verdict) {
    for submission in &mut verdict.submissions {
        if campaign.form(&submission.form).is_some_and(|f| f.kind == FormKind::Book) {
            let text = format!("经人工核实，这份台账不予采用：{reason}。");
            submission.findings.push(whole(submission, "M06", Severity::Error, &text));
            submission.fate = Fate::Rejected;
            verdict.rules.push("M06".to_owned());
        }
    }
    judge_again(verdict);
}

fn candidates<'a>(campaign: &'a Campaign, verdict: &Verdict) -> Vec<Candidate<'a>> {
    let one = |(ordinal, s): (usize, &Submission)| {
        let form = campaign.form(&s.form).filter(|f| f.kind == FormKind::Book && f.held.is_some())?;
        let keys = presence::organisations(form, s.rows.iter().map(|row| &row.record.values));
        Some(Candidate {
            ordinal,
            form,
            unit: s.unit.clone()?,
            stream: s.stream.clone()?,
            period: s.period?,
            rows: s.rows.len(),
            accepted: s.fate == Fate::Accepted,
            keys: keys.into_iter().map(|(_, key)| key).collect(),
        })
    };
    let may_count = verdict.submissions.iter().enumerate().filter(|(_, s)| s.fate != Fate::Rejected);
    may_count.filter_map(one).collect()
}

/// Streams of units for which this message's books counted until now.
async fn counted(conn: &mut SqliteConnection, message: i64) -> Result<BTreeSet<(String, String)>> {
    let sql = "SELECT DISTINCT s.unit, s.stream FROM submission s WHERE s.message = ? AND s.state = 'accepted'
               AND EXISTS (SELECT 1 FROM presence p WHERE p.submission = s.id)";
    Ok(sqlx::query_as::<_, (String, String)>(sql).bind(message).fetch_all(conn).await?.into_iter().collect())
}

/// R16 of each candidate: the stored books that were received earlier, and the others of the mail.
async fn foreign(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    mail: Mail<'_>,
    candidates: &[Candidate<'_>],
) -> Result<Vec<Option<String>>> {
    let mut list = Vec::new();
    for (at, one) in candidates.iter().enumerate() {
        let asked = Asked {
            message: mail.id,
            received_at: mail.received_at,
            digest: mail.digest,
            whose: (&one.unit, &one.stream),
            period: one.period,
            stored: None,
        };
        let mut found = evidence::overlaps(conn, &asked, &one.keys).await?;
        let others = candidates.iter().enumerate().filter(|(i, o)| *i != at && o.accepted);
        let others = others.filter(|(_, o)| (&o.unit, &o.stream) != (&one.unit, &one.stream));
        found.others.extend(others.map(|(_, o)| evidence::Overlap {
            unit: o.unit.clone(),
            stream: o.stream.clone(),
            period: o.period,
            shared: presence::in_common(&one.keys, &o.keys),
        }));
        list.push(found.text(campaign, &one.unit, one.keys.len()));
    }
    Ok(list)
}

/// R15 of one candidate.
async fn smaller(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    (mail, verdict): (Mail<'_>, &Verdict),
    (candidates, foreign, at): (&[Candidate<'_>], &[Option<String>], usize),
) -> Result<Option<String>> {
    let one = &candidates[at];
    let whose = query::Whose { unit: &one.unit, stream: &one.stream, form: &one.form.key };
    let mut books = evidence::sound(conn, whose).await?;
    books.retain(|book| book.message != mail.id);
    let same = |o: &Candidate| (&o.unit, &o.stream, &o.form.key) == (&one.unit, &one.stream, &one.form.key);
    let beside = candidates.iter().enumerate().filter(|(i, o)| *i == at || o.accepted && same(o));
    books.extend(beside.map(|(i, o)| Sound {
        submission: -(i as i64) - 1,
        message: mail.id,
        period: o.period,
        received_at: mail.received_at,
        digest: mail.digest.to_owned(),
        ordinal: o.ordinal as i64,
        rows: o.rows,
        released: false,
        held: foreign[i].as_ref().map(|text| (FOREIGN.to_owned(), text.clone())),
        closed: false,
    }));
    let mut told = told(conn, campaign, (&one.unit, &one.stream)).await?;
    told.extend(told_here(campaign, verdict, one));
    let doubts = doubts(&mut books, &told, one.form);
    let place = books.iter().position(|b| b.submission == -(at as i64) - 1);
    Ok(place.and_then(|place| doubts[place]).map(|doubt| words::smaller(doubt, one.period)))
}

/// The doubts about a stream's books, which are put in their order.
fn doubts(books: &mut [Sound], told: &BTreeMap<Period, i64>, form: &Form) -> Vec<Option<plausible::Doubt>> {
    books.sort_by(|a, b| a.order().cmp(&b.order()));
    let view = |b: &Sound| Book {
        period: b.period,
        rows: b.rows,
        released: b.released,
        foreign: b.held.as_ref().is_some_and(|(rule, _)| rule == FOREIGN),
        told: told.get(&b.period).copied(),
    };
    let views: Vec<Book> = books.iter().map(view).collect();
    plausible::doubts(&views, form.held.unwrap_or_default())
}

/// The figure that counts the rows of the unit's book, with its form.
fn counting_figure(campaign: &Campaign) -> Option<(&Form, &str)> {
    let all = campaign.forms.iter().flat_map(|f| f.book_figures.iter().map(move |figure| (f, figure)));
    let counts = |terms: &[crate::form::definition::Term]| {
        terms.len() == 1 && terms[0].when.is_empty() && terms[0].sum.is_none() && terms[0].distinct.is_none()
    };
    all.into_iter().find(|(_, figure)| counts(&figure.terms)).map(|(form, figure)| (form, figure.figure.as_str()))
}

/// How many organisations a stream's counting figures tell, by period.
async fn told(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    (unit, stream): (&str, &str),
) -> Result<BTreeMap<Period, i64>> {
    let Some((form, key)) = counting_figure(campaign) else { return Ok(BTreeMap::new()) };
    let sql = "SELECT f.period, l.record FROM figure f JOIN line l ON l.id = f.line
               WHERE f.unit = ? AND f.stream = ? AND f.form = ?";
    let rows: Vec<(String, String)> =
        sqlx::query_as(sql).bind(unit).bind(stream).bind(&form.key).fetch_all(conn).await?;
    let read = |(period, record): (String, String)| {
        let values: crate::form::record::Values = serde_json::from_str(&record).ok()?;
        let Datum::Int(told) = values.get(key)? else { return None };
        Some((period.parse().ok()?, *told))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The same, of the figures that come along with a book.
fn told_here(campaign: &Campaign, verdict: &Verdict, book: &Candidate<'_>) -> Option<(Period, i64)> {
    let (form, key) = counting_figure(campaign)?;
    let beside = |s: &&Submission| {
        s.form == form.key
            && s.fate == Fate::Accepted
            && s.unit.as_ref() == Some(&book.unit)
            && s.stream.as_ref() == Some(&book.stream)
            && s.period == Some(book.period)
    };
    let row = verdict.submissions.iter().find(beside)?.rows.first()?;
    Some((book.period, row.record.int(key)?))
}

/// The rule that holds a book of a message, if nothing else of it waits and something of it counts.
pub async fn beside_others(conn: &mut SqliteConnection, message: i64) -> Result<Option<String>> {
    let sql = "SELECT h.rule FROM submission s JOIN held h ON h.submission = s.id WHERE s.message = ?1
               AND EXISTS (SELECT 1 FROM submission o WHERE o.message = ?1 AND o.state = 'accepted')
               AND NOT EXISTS (SELECT 1 FROM submission o WHERE o.message = ?1 AND o.state = 'quarantined'
                   AND o.id NOT IN (SELECT submission FROM held)) ORDER BY s.ordinal LIMIT 1";
    Ok(sqlx::query_scalar(sql).bind(message).fetch_optional(conn).await?)
}

/// Notes what is held of a message that has just been stored.
pub async fn note(conn: &mut SqliteConnection, message: i64, weighed: &Weighed) -> Result<()> {
    // A submission that stayed as it was may have been held for other figures, or for nothing any more.
    let former = "DELETE FROM held WHERE submission IN (SELECT id FROM submission WHERE message = ?)";
    sqlx::query(former).bind(message).execute(&mut *conn).await?;
    for Hold { ordinal, rule, text, .. } in &weighed.holds {
        let sql = "INSERT INTO held (submission, rule, text)
                   SELECT id, ?, ? FROM submission WHERE message = ? AND ordinal = ?";
        sqlx::query(sql).bind(rule).bind(text).bind(message).bind(*ordinal as i64).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Opens again whatever would be held now and counts, or the reverse, or would be told other figures. `streams` are those
/// that this message has changed. Their messages are assessed again, each in its own transaction.
pub async fn reconsider(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    (message, streams): (i64, &BTreeSet<(String, String)>),
    now: DateTime<Utc>,
) -> Result<()> {
    let mut again = BTreeSet::new();
    for (unit, stream) in streams {
        let told = told(conn, campaign, (unit, stream)).await?;
        for form in campaign.forms.iter().filter(|f| f.held.is_some()) {
            let mut books = evidence::sound(conn, query::Whose { unit, stream, form: &form.key }).await?;
            let doubts = doubts(&mut books, &told, form);
            for (book, doubt) in books.iter().zip(doubts) {
                let text = doubt.map(|doubt| words::smaller(doubt, book.period));
                let now = book.held.as_ref().filter(|(rule, _)| rule == SMALLER).map(|(_, text)| text);
                if text.as_ref() != now {
                    again.insert(book.message);
                }
            }
            let held = books.iter().filter(|book| book.held.is_some());
            let differs = held.filter(|book| evidence::overtaken(&books, book.order()) != book.closed);
            again.extend(differs.map(|book| book.message));
        }
    }
    for id in evidence::in_question(conn, message, streams).await? {
        let keys = presence::of(conn, id).await?;
        let Some(book) = evidence::stored(conn, id).await? else { continue };
        let found = evidence::overlaps(conn, &book.asked(), &keys).await?;
        let text = if book.released { None } else { found.text(campaign, &book.unit, keys.len()) };
        if text != book.foreign {
            again.insert(book.message);
        }
    }
    again.remove(&message);
    for id in again {
        inquiry::reopen(conn, id, now).await?;
    }
    Ok(())
}
