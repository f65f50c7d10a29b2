//! Copies: a mail, or a form in it, that came before is linked to what it repeats, and counts once. Runs inside the
//! caller's transaction; what repeats what is decided by [`repeats`].

mod earlier;

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::known::past;
use super::store::fate;
use crate::form::{Campaign, Finding, Place, Severity};
use crate::submission::assess::reconsider;
use crate::submission::repeats::{self, Earlier, Found, Mail, Repeat, Told};
use crate::submission::{Disposition, Fate, Head, Submission, Verdict};
use earlier::{Came, came_earlier, show_instead};

/// A mail that was assessed and is not in the ledger yet.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    pub id: i64,
    pub received_at: DateTime<Utc>,
    pub head: &'a Head,
    /// A person released it: as a whole it is no copy, whatever it holds.
    pub released: bool,
    /// It answers a question of ours: what is attached to it, a signature perhaps, says nothing of what it is.
    pub answer: bool,
}

/// What of a mail came before.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// All of it did: in this message.
    pub original: Option<i64>,
    /// Forms that did. They are no part of the verdict any more.
    pub repeats: Vec<Repeat>,
    /// What its sender has to be told all the same.
    pub told: Option<Told>,
    /// The errors that are still in it, where he is told of these.
    pub findings: Vec<Finding>,
    /// A message that waited, which this one replaces.
    waiting: Option<i64>,
    /// The provider took this copy, of an allowed sender, at that time.
    came: Option<DateTime<Utc>>,
}

/// Takes out of the verdict what came before. Where that is all of it, the verdict becomes that of a duplicate.
pub async fn take_out(
    conn: &mut SqliteConnection,
    mail: Incoming<'_>,
    verdict: &mut Verdict,
    campaign: &Campaign,
) -> Result<Copy> {
    let allowed = !verdict.rules.iter().any(|rule| matches!(rule.as_str(), "M01" | "M02" | "M03"));
    let mut copy = Copy { came: allowed.then_some(mail.received_at), ..Copy::default() };
    if !mail.released
        && let Some(original) = same_mail(conn, mail, verdict).await?
    {
        if original.same_letter && original.taken && verdict.rules.iter().any(|rule| rule == "M02") {
            verdict.disposition = Disposition::Quarantined;
            verdict.reason = format!(
                "同一封信已从另一信箱入账，而这一份没有通过发件人验证，请核对（入账的是编号{}）。",
                original.id
            );
            return Ok(copy);
        }
        // That another mailbox's provider says nothing of the sender is no answer to the one that called him forged.
        let in_doubt = original.same_letter && original.forged;
        if !original.waits || in_doubt || verdict.disposition == Disposition::Quarantined {
            let again = original.uncured && !original.same_letter && mail.received_at > original.assessed_at;
            copy.told = again.then_some(Told::Uncured);
            duplicate(&mut copy, verdict, original.id);
            return Ok(copy);
        }
        copy.waiting = Some(original.id);
    }
    let about = Mail {
        received_at: mail.received_at,
        insists: repeats::insists(&mail.head.subject),
        forged: verdict.rules.iter().any(|rule| rule == "M02"),
    };
    let (mut kept, mut asked) = (Vec::new(), false);
    for mut form in std::mem::take(&mut verdict.submissions) {
        let list = earlier(conn, mail, &form).await?;
        match repeats::find(&form, &list, about) {
            Found::Repeat(earlier, of) => copy.repeats.push(Repeat { form, earlier: earlier.clone(), of }),
            Found::OtherStream(stream) if !mail.released => {
                ask_about_stream(&mut form, campaign.stream(stream).map_or(stream, |s| &s.title));
                verdict.rules.push("W09".to_owned());
                asked = true;
                kept.push(form);
            }
            Found::OtherStream(_) | Found::New => kept.push(form),
        }
    }
    let all = kept.is_empty() && !verdict.findings.iter().any(Finding::is_error);
    verdict.submissions = kept;
    match copy.repeats.first().map(|r| r.earlier.message) {
        // A person wants just this.
        Some(_) if all && mail.released => verdict.submissions.extend(copy.repeats.drain(..).map(|r| r.form)),
        Some(original) if all => {
            copy.told = repeats::told(&copy.repeats, about).filter(|_| allowed);
            duplicate(&mut copy, verdict, original);
        }
        _ if copy.repeats.is_empty() && !asked => {}
        _ => {
            reconsider(verdict);
            if !copy.repeats.is_empty() {
                verdict.reason += &format!("另有{}份与以前报来的相同，不重复计入。", copy.repeats.len());
            }
        }
    }
    Ok(copy)
}

fn duplicate(copy: &mut Copy, verdict: &mut Verdict, original: i64) {
    if copy.told == Some(Told::Uncured) {
        copy.findings = std::mem::take(&mut verdict.findings);
        let forms = copy.repeats.iter().map(|r| &r.form).chain(&verdict.submissions);
        copy.findings.extend(forms.flat_map(|form| form.findings.iter().cloned()));
    }
    copy.original = Some(original);
    // What waits goes on doing so where this one would wait as well.
    copy.waiting = copy.waiting.filter(|waiting| *waiting != original);
    *verdict = Verdict {
        answer: verdict.answer && copy.told.is_some(),
        sender_units: std::mem::take(&mut verdict.sender_units),
        ..Verdict::plain(Disposition::Duplicate, format!("与邮件 {original} 的附件相同，不重复计入。"))
    };
}

/// The file does not say which stream it is for, or says what the mail around it contradicts.
fn ask_about_stream(form: &mut Submission, other: &str) {
    let place = Place { file: Some(form.file.clone()), sheet: Some(form.sheet.clone()), ..Place::default() };
    let text = format!("同一个文件已经作为{other}的报表入账，这次却像是另一条线的，须核实是否发错或重发。");
    form.findings.push(Finding::new("W09", Severity::Error, place, text));
    form.fate = Fate::Quarantined;
}

/// Links what was stored to what it repeats, ends the waiting of what it makes pointless, and lets the earliest time
/// count. All this is known as the mail is. Returns units and streams whose ledger it may change.
pub async fn link(
    conn: &mut SqliteConnection,
    mail: Incoming<'_>,
    (copy, verdict): (&Copy, &Verdict),
    known_at: DateTime<Utc>,
) -> Result<BTreeSet<(String, String)>> {
    let mut touched = BTreeSet::new();
    if let Some(original) = copy.original {
        sqlx::query("UPDATE message SET duplicate_of = ? WHERE id = ?")
            .bind(original)
            .bind(mail.id)
            .execute(&mut *conn)
            .await?;
    }
    for repeat in &copy.repeats {
        if let Some(at) = copy.came.filter(|at| *at < repeat.earlier.received_at) {
            touched.extend(came_earlier(conn, Came::Submission(repeat.earlier.submission), at, known_at).await?);
            show_instead(conn, repeat).await?;
        }
    }
    if let (Some(original), Some(at)) = (copy.original, copy.came)
        && is_whole(conn, mail.id, original).await?
    {
        touched.extend(came_earlier(conn, Came::Message(original), at, known_at).await?);
    }
    if let Some(waiting) = copy.waiting.filter(|_| verdict.disposition != Disposition::Quarantined) {
        close(conn, waiting, mail.id, known_at).await?;
    }
    for form in verdict.submissions.iter().filter(|s| s.fate == Fate::Accepted && !s.digest.is_empty()) {
        touched.extend(end_waiting(conn, mail.id, form, known_at).await?);
    }
    Ok(touched)
}

/// A message that is the same as a whole.
struct Same {
    id: i64,
    /// By Message-ID: it went to several mailboxes, whatever stream each would have made of it.
    same_letter: bool,
    /// Nothing of it could be used.
    uncured: bool,
    /// It lies in quarantine.
    waits: bool,
    /// The provider of its mailbox says that its From is.
    forged: bool,
    /// It is in the ledger, and no person has vouched for it.
    taken: bool,
    assessed_at: DateTime<Utc>,
}

/// The same letter in another mailbox, or the same files without any form from the same sender.
async fn same_mail(conn: &mut SqliteConnection, mail: Incoming<'_>, verdict: &Verdict) -> Result<Option<Same>> {
    let Head { message_id, from, subject, fingerprint, .. } = mail.head;
    let formless = verdict.submissions.is_empty() && !mail.answer;
    let row = sqlx::query(
        "SELECT m.id, m.message_id IS ?1, m.disposition = 'rejected', coalesce(m.assessed_at, m.stored_at),
         m.disposition = 'quarantined', m.rules LIKE '%\"M02\"%',
         m.disposition IN ('accepted', 'partly') AND NOT EXISTS
             (SELECT 1 FROM decision d WHERE d.message = m.id AND d.kind = 'release')
         FROM message m
         WHERE m.id <> ?5 AND m.from_address = ?2 AND m.disposition IS NOT NULL AND m.disposition <> 'duplicate'
         AND ((m.message_id = ?1 AND m.fingerprint IS ?3 AND (?3 IS NOT NULL OR m.subject = ?4))
              OR (?6 AND m.fingerprint = ?3 AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.message = m.id)))
         ORDER BY m.received_at, m.id LIMIT 1",
    )
    .bind(message_id)
    .bind(from)
    .bind(fingerprint)
    .bind(subject)
    .bind(mail.id)
    .bind(formless)
    .fetch_optional(conn)
    .await?;
    let read = |r: SqliteRow| Same {
        id: r.get(0),
        same_letter: message_id.is_some() && r.get(1),
        uncured: r.get(2),
        assessed_at: r.get(3),
        waits: r.get(4),
        forged: r.get(5),
        taken: r.get(6),
    };
    Ok(row.map(read))
}

/// Messages that count for nothing because this one came.
pub async fn of(conn: &mut SqliteConnection, original: i64) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM message WHERE duplicate_of = ? AND disposition = 'duplicate' ORDER BY id";
    Ok(sqlx::query_scalar(sql).bind(original).fetch_all(conn).await?)
}

/// The same form in the same file of other mails, in order of arrival. What came before files were told apart is known by
/// all attachments and the sender.
async fn earlier(conn: &mut SqliteConnection, mail: Incoming<'_>, form: &Submission) -> Result<Vec<Earlier>> {
    let rows = sqlx::query(
        "SELECT s.id, s.message, s.unit, s.stream, s.period, s.state, s.received_at,
         coalesce(m.assessed_at, m.stored_at), coalesce(m.from_address = ?3, 0),
         EXISTS (SELECT 1 FROM line l WHERE l.submission = s.id AND l.admitted = 0),
         (SELECT max(n.received_at) FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream AND n.form = s.form
          AND n.period = s.period AND n.state = 'accepted' AND (n.received_at, n.id) > (s.received_at, s.id)),
         EXISTS (SELECT 1 FROM held h WHERE h.submission = s.id)
         FROM submission s JOIN message m ON m.id = s.message
         WHERE s.form = ?1 AND s.message <> ?2 AND m.disposition <> 'duplicate' AND s.digest IN (?4, '')
         AND (s.digest <> '' OR (m.fingerprint = ?5 AND m.from_address = ?3)) ORDER BY s.received_at, s.id",
    )
    .bind(&form.form)
    .bind(mail.id)
    .bind(&mail.head.from)
    .bind(&form.digest)
    .bind(&mail.head.fingerprint)
    .fetch_all(conn)
    .await?;
    let read = |r: SqliteRow| {
        // What a person dismissed counts for nothing.
        let fate = fate(r.get(5))?;
        Some(Earlier {
            submission: r.get(0),
            message: r.get(1),
            unit: r.get(2),
            stream: r.get(3),
            period: r.get(4),
            fate,
            received_at: r.get(6),
            assessed_at: r.get(7),
            same_sender: r.get(8),
            withheld: r.get(9),
            replaced: r.get(10),
            held: r.get(11),
        })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Nothing else was attached to either.
async fn is_whole(conn: &mut SqliteConnection, message: i64, original: i64) -> Result<bool> {
    let same = "SELECT 1 FROM message a, message b WHERE a.id = ? AND b.id = ? AND a.fingerprint IS b.fingerprint";
    Ok(sqlx::query(same).bind(message).bind(original).fetch_optional(conn).await?.is_some())
}

/// The same file waited in other mails, perhaps of strangers: there is nothing to decide about it any more. Where its
/// sender was allowed to report, and something else was in question, its time counts.
async fn end_waiting(
    conn: &mut SqliteConnection,
    id: i64,
    form: &Submission,
    known_at: DateTime<Utc>,
) -> Result<Vec<(String, String)>> {
    let period = form.period.map(|p| p.to_string()).unwrap_or_default();
    let waited: Vec<(i64, i64, DateTime<Utc>)> = sqlx::query_as(
        "SELECT id, message, received_at FROM submission WHERE state = 'quarantined' AND message <> ? AND digest = ?
         AND form = ? AND unit IN (?, '') AND stream IN (?, '') AND period IN (?, '') ORDER BY id",
    )
    .bind(id)
    .bind(&form.digest)
    .bind(&form.form)
    .bind(&form.unit)
    .bind(&form.stream)
    .bind(period)
    .fetch_all(&mut *conn)
    .await?;
    for (submission, ..) in &waited {
        dismiss(conn, *submission, known_at).await?;
    }
    let mut touched = Vec::new();
    for (_, waiting, received_at) in waited {
        if let Some(submission) = allowed_copy(conn, waiting, (id, form)).await? {
            touched.extend(came_earlier(conn, Came::Submission(submission), received_at, known_at).await?);
        }
        let nothing_left = "SELECT 1 FROM message m WHERE m.id = ? AND m.disposition = 'quarantined' AND NOT EXISTS
                            (SELECT 1 FROM submission s WHERE s.message = m.id AND s.state = 'quarantined')";
        if sqlx::query(nothing_left).bind(waiting).fetch_optional(&mut *conn).await?.is_some() {
            close(conn, waiting, id, known_at).await?;
        }
    }
    Ok(touched)
}

async fn dismiss(conn: &mut SqliteConnection, submission: i64, known_at: DateTime<Utc>) -> Result<()> {
    past::submission(conn, submission, known_at).await?;
    sqlx::query("UPDATE submission SET state = 'dismissed' WHERE id = ?").bind(submission).execute(&mut *conn).await?;
    sqlx::query("DELETE FROM held WHERE submission = ?").bind(submission).execute(conn).await?;
    Ok(())
}

/// The submission that stands for a waiting copy, if that one's sender was in no doubt.
async fn allowed_copy(
    conn: &mut SqliteConnection,
    waiting: i64,
    (id, form): (i64, &Submission),
) -> Result<Option<i64>> {
    let found = sqlx::query_scalar(
        "SELECT s.id FROM submission s, message w WHERE s.message = ? AND s.digest = ? AND s.form = ? AND s.unit = ?
         AND s.stream = ? AND w.id = ? AND w.rules NOT LIKE '%\"M01\"%' AND w.rules NOT LIKE '%\"M02\"%'
         AND w.rules NOT LIKE '%\"M03\"%' ORDER BY s.id LIMIT 1",
    )
    .bind(id)
    .bind(&form.digest)
    .bind(&form.form)
    .bind(&form.unit)
    .bind(&form.stream)
    .bind(waiting);
    Ok(found.fetch_optional(conn).await?)
}

/// Ends the waiting of a message whose copy was taken instead.
async fn close(conn: &mut SqliteConnection, message: i64, copy: i64, known_at: DateTime<Utc>) -> Result<()> {
    let reason = format!("同样的附件已由邮件 {copy} 报送并处理。");
    past::message(conn, message, known_at).await?;
    sqlx::query("UPDATE message SET disposition = 'duplicate', duplicate_of = ?, reason = ? WHERE id = ?")
        .bind(copy)
        .bind(reason)
        .bind(message)
        .execute(&mut *conn)
        .await?;
    let sql = "SELECT id FROM submission WHERE message = ? AND state <> 'dismissed'";
    let ids: Vec<i64> = sqlx::query_scalar(sql).bind(message).fetch_all(&mut *conn).await?;
    for id in ids {
        dismiss(conn, id, known_at).await?;
    }
    Ok(())
}
