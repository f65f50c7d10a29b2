//! Hear: a mail that carries an inquiry's token may be the unit's answer. What it settles is decided here, in the
//! transaction that stores the mail; what was settled is assessed again afterwards, each message in its own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::Result;
use chrono::{DateTime, Utc};
use regex::Regex;
use sqlx::SqliteConnection;

use super::{reply_to, signature, view};
use crate::config::{Config, Mailbox, Unit};
use crate::jobs::patience::{may_answer, was_useful};
use crate::jobs::post::{self, Post};
use crate::jobs::process::Answers;
use crate::ledger::inquiry::{self, Inquiry, Matter};
use crate::ledger::store::{self, Decision};
use crate::message::Message;
use crate::message::reply::own_words;
use crate::message::sender::{Authentication, Nature, authentication};
use crate::outbox::Kind;
use crate::outbox::budget::Permit;
use crate::outbox::compose::Composed;
use crate::outbox::compose::inquiry::{Acknowledgement, Outcome, Standing, TITLES, Unclear, acknowledge, unclear};
use crate::outbox::compose::unreached::last_answer;
use crate::submission::consent::{self, Answer};
use crate::submission::{Decisions, Disposition, Verdict};

/// A mail that may be an answer.
pub struct Said<'a> {
    pub id: i64,
    pub mailbox: &'a Mailbox,
    pub decisions: &'a Decisions,
    pub message: &'a Message,
}

/// Takes a person's mail with a known token for what it is, and notes that in the verdict:
///
/// - understood, and from the unit: `accepted`, and the matters are decided. What else the mail brings goes its own way;
/// - from somebody else, or with failed authentication: nothing follows, it waits (`quarantined`) for a person;
/// - not understood: `news`, which the department reads, and a short explanation; the matters go on waiting.
///
/// What is already decided stays so. A mail of thanks after the matter is closed is a mail like any other. Returns whether it
/// was taken for an answer.
pub async fn hear(
    conn: &mut SqliteConnection,
    config: &Config,
    (said, nature, verdict): (&Said<'_>, &Nature, &mut Verdict),
    answers: Answers,
    now: DateTime<Utc>,
) -> Result<bool> {
    if *nature != Nature::Person || verdict.our_failure || said.decisions.rejected.is_some() {
        return Ok(false);
    }
    let (Some(inquiry), Some(from)) = (inquiry_of(conn, said.message).await?, &said.message.from) else {
        return Ok(false);
    };
    let from = from.email.as_str();
    let matters = inquiry::listed(conn, &inquiry).await?;
    let answer = consent::read(&own_words(&said.message.text, &TITLES), matters.len());
    let open = matters.iter().any(|m| m.open);
    let heard = match (believed(config, said, (&inquiry, from), &matters), answer) {
        (Err(doubt), Answer::Clear { .. }) if open && said.decisions.released.is_none() => {
            disbelieve(verdict, doubt);
            inquiry::Said::Disbelieved
        }
        (Ok(unit), Answer::Clear { ours, not_ours }) => {
            let settled = Settled::of(&matters, &ours, &not_ours);
            settled.decide(conn, (&inquiry, said.id, from), &matters, now).await?;
            if settled.is_something() {
                was_useful(conn, config, from).await?;
            }
            note(verdict, settled.reason(&inquiry, &matters));
            let view = settled.view(conn, config, said, (unit, &matters)).await?;
            respond(conn, config, (said, &inquiry, from), (|last| acknowledge(&view, last), answers), now).await?;
            if open { inquiry::Said::Understood } else { inquiry::Said::Late }
        }
        // With a return in it, it was written for the return's sake.
        (Ok(unit), Answer::Unclear) if open && verdict.submissions.is_empty() => {
            let reason = format!("{}对核实邮件的答复没有看懂，请看原文；所问来件继续等待核实。", unit.name);
            *verdict = Verdict::plain(Disposition::News, reason);
            let view = explanation(conn, config, said, (unit, &matters)).await?;
            respond(conn, config, (said, &inquiry, from), (|last| unclear(&view, last), answers), now).await?;
            inquiry::Said::Unclear
        }
        // Thanks, most likely; nobody expects a form in it.
        (Ok(_), Answer::Unclear) if verdict.submissions.is_empty() => {
            verdict.answer = false;
            return Ok(false);
        }
        (_, _) => return Ok(false),
    };
    inquiry::heard(conn, said.id, &inquiry.token, heard).await?;
    Ok(true)
}

/// The inquiry that a mail answers: by In-Reply-To, by whom it is addressed to, by References.
async fn inquiry_of(conn: &mut SqliteConnection, message: &Message) -> Result<Option<Inquiry>> {
    for token in tokens(message) {
        if let Some(inquiry) = inquiry::find(conn, &token).await? {
            return Ok(Some(inquiry));
        }
    }
    Ok(None)
}

/// What may be tokens, the likeliest first. A mail names a handful at most.
fn tokens(message: &Message) -> Vec<String> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:inquiry\.|核实[-－]|\+)([0-9a-f]{32})(?:[^0-9a-f]|$)").expect("a valid pattern")
    });
    let mut tokens: Vec<String> = Vec::new();
    for name in ["In-Reply-To", "To", "Cc", "References"] {
        for found in message.header(name).flat_map(|value| TOKEN.captures_iter(value)).take(20) {
            let token = found[1].to_lowercase();
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
    }
    tokens
}

/// The unit, if the mail can be taken for its word. Whoever releases a mail vouches for its From being true, not for
/// whoever that is.
fn believed<'c>(
    config: &'c Config,
    said: &Said<'_>,
    (inquiry, from): (&Inquiry, &str),
    matters: &[Matter],
) -> Result<&'c Unit, Doubt> {
    let found = authentication(said.message, said.mailbox.authserv_id.as_deref());
    if let (Authentication::Fail { why }, None) = (found, &said.decisions.released) {
        return Err(Doubt { rule: "M02", why: format!("发件人地址未通过邮箱服务商的验证（{why}）") });
    }
    if !said.message.also_from.is_empty() && said.decisions.released.is_none() {
        return Err(Doubt {
            rule: "M02", why: "发件人写了两个或更多地址，无法确定是谁发的".to_owned()
        });
    }
    // That a domain is registered is not enough for the one who is asked about.
    let in_question = matters.iter().any(|m| m.from == from);
    let registered = |unit: &&Unit| match in_question {
        true => unit.addresses.iter().any(|a| a == from),
        false => unit.is_registered(from),
    };
    let doubt = || match in_question {
        true => Doubt { rule: "M01", why: "答复的正是被询问的发件地址".to_owned() },
        false => Doubt { rule: "M01", why: format!("答复的地址不是{}登记的邮箱", inquiry.unit) },
    };
    config.registry.unit(&inquiry.unit).filter(registered).ok_or_else(doubt)
}

struct Doubt {
    rule: &'static str,
    why: String,
}

/// What else the mail brings is judged by itself.
fn disbelieve(verdict: &mut Verdict, Doubt { rule, why }: Doubt) {
    let reason = format!("来信答复了系统的核实询问，但{why}，不予采信；请电话核实后，对所问来件作出决定。");
    match verdict.submissions.is_empty() {
        true => {
            let rules = vec![rule.to_owned()];
            *verdict = Verdict { rules, ..Verdict::plain(Disposition::Quarantined, reason) };
        }
        false => verdict.reason += &reason,
    }
}

fn note(verdict: &mut Verdict, reason: String) {
    match verdict.submissions.is_empty() {
        true => *verdict = Verdict::plain(Disposition::Accepted, reason),
        false => verdict.reason += &reason,
    }
}

/// What an answer settles of the list, position by position.
struct Settled(Vec<Settles>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Settles {
    Ours,
    NotOurs,
    Nothing,
    /// It was decided before.
    Before,
}

impl Settled {
    fn of(matters: &[Matter], ours: &BTreeSet<usize>, not_ours: &BTreeSet<usize>) -> Self {
        let one = |(number, matter): (usize, &Matter)| match (matter.open, ours.contains(&number)) {
            (false, _) => Settles::Before,
            (true, true) => Settles::Ours,
            (true, false) if not_ours.contains(&number) => Settles::NotOurs,
            (true, false) => Settles::Nothing,
        };
        Self((1..).zip(matters).map(one).collect())
    }

    fn those<'m>(&'m self, matters: &'m [Matter], which: Settles) -> impl Iterator<Item = &'m Matter> {
        self.0.iter().zip(matters).filter(move |(s, _)| **s == which).map(|(_, m)| m)
    }

    fn is_something(&self) -> bool {
        self.0.iter().any(|s| matches!(s, Settles::Ours | Settles::NotOurs))
    }

    fn trusted(&self, matters: &[Matter]) -> Vec<String> {
        let from: BTreeSet<&String> =
            self.those(matters, Settles::Ours).map(|m| &m.from).filter(|f| !f.is_empty()).collect();
        from.into_iter().cloned().collect()
    }

    /// Records the unit's word, and has assessed again whatever it settles.
    async fn decide(
        &self,
        conn: &mut SqliteConnection,
        (inquiry, by, who): (&Inquiry, i64, &str),
        matters: &[Matter],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let decision = |kind, message: &Matter| Decision {
            kind,
            who,
            message: Some(message.message),
            unit: Some(&inquiry.unit),
            by_message: Some(by),
            ..Decision::default()
        };
        for matter in self.those(matters, Settles::Ours) {
            store::decide(conn, &decision("release", matter), now).await?;
            let trust = Decision { address: Some(&matter.from), ..decision("trust", matter) };
            if !matter.from.is_empty() {
                store::decide(conn, &trust, now).await?;
            }
            inquiry::reopen(conn, matter.message, now).await?;
        }
        for matter in self.those(matters, Settles::NotOurs) {
            let reason = format!("{}答复不是其报送的", inquiry.unit);
            store::decide(conn, &Decision { reason: &reason, ..decision("reject", matter) }, now).await?;
            inquiry::reopen(conn, matter.message, now).await?;
        }
        // What came from the same address since, and was not asked about yet, need not be.
        let listed: Vec<i64> = matters.iter().map(|m| m.message).collect();
        inquiry::reopen_of(conn, &inquiry.unit, &self.trusted(matters), &listed, now).await?;
        Ok(())
    }

    /// For the listing, by the numbers that `quarantine show` takes.
    fn reason(&self, inquiry: &Inquiry, matters: &[Matter]) -> String {
        let numbers = |which| {
            let list: Vec<String> = self.those(matters, which).map(|m| m.message.to_string()).collect();
            list.join("、")
        };
        let mut text = String::new();
        for (which, words) in [(Settles::Ours, "是其报送的"), (Settles::NotOurs, "不是其报送的")] {
            let list = numbers(which);
            if !list.is_empty() {
                text += &format!("{}答复：编号{list}的来件{words}。", inquiry.unit);
            }
        }
        let trusted = self.trusted(matters);
        if !trusted.is_empty() {
            text += &format!("今后信任{}以其名义报送。", trusted.join("、"));
        }
        if text.is_empty() {
            format!("{}对核实邮件的答复；所问来件此前已经办结。", inquiry.unit)
        } else {
            text
        }
    }

    async fn view(
        &self,
        conn: &mut SqliteConnection,
        config: &Config,
        said: &Said<'_>,
        (unit, matters): (&Unit, &[Matter]),
    ) -> Result<Acknowledgement> {
        let mut list = Vec::new();
        for (settles, matter) in self.0.iter().zip(matters) {
            let outcome = match settles {
                Settles::Ours => Outcome::Confirmed,
                Settles::NotOurs => Outcome::Denied,
                Settles::Nothing => Outcome::Waiting,
                Settles::Before => Outcome::Before(standing(conn, matter.message).await?),
            };
            list.push((view(conn, config, matter, unit).await?, outcome));
        }
        Ok(Acknowledgement {
            subject: said.message.subject.clone(),
            unit: unit.name.clone(),
            matters: list,
            trusted: self.trusted(matters),
            contact: config.department.contact.clone(),
            signature: signature(config, Some(said.mailbox)),
        })
    }
}

async fn standing(conn: &mut SqliteConnection, message: i64) -> Result<Standing> {
    let disposition: Option<String> =
        sqlx::query_scalar("SELECT disposition FROM message WHERE id = ?").bind(message).fetch_one(conn).await?;
    Ok(match store::disposition(disposition.as_deref()) {
        Some(Disposition::Accepted | Disposition::Partly) => Standing::Taken,
        Some(Disposition::Rejected) => Standing::Refused,
        _ => Standing::Other,
    })
}

async fn explanation(
    conn: &mut SqliteConnection,
    config: &Config,
    said: &Said<'_>,
    (unit, matters): (&Unit, &[Matter]),
) -> Result<Unclear> {
    let mut views = Vec::new();
    for matter in matters {
        views.push(view(conn, config, matter, unit).await?);
    }
    Ok(Unclear {
        subject: said.message.subject.clone(),
        unit: unit.name.clone(),
        matters: views,
        contact: config.department.contact.clone(),
        signature: signature(config, Some(said.mailbox)),
    })
}

/// Answers in the thread, within the budgets. The same letter in another mailbox gets no answer of
/// its own.
async fn respond(
    conn: &mut SqliteConnection,
    config: &Config,
    (said, inquiry, to): (&Said<'_>, &Inquiry, &str),
    (compose, answers): (impl FnOnce(Option<&str>) -> Composed, Answers),
    now: DateTime<Utc>,
) -> Result<()> {
    if answers == Answers::Withhold {
        return Ok(());
    }
    let composed = match may_answer(conn, config, (said.id, said.message), now).await? {
        Permit::Withheld(_) => return Ok(()),
        Permit::Last(budget) => compose(Some(last_answer(budget))),
        Permit::Answer => compose(None),
    };
    let own = said.message.message_id.clone();
    let mut references = said.message.references.clone();
    references.extend(own.clone());
    let post = Post {
        kind: Kind::Notice,
        key: &format!("{} {}", inquiry.token, own.clone().unwrap_or_else(|| said.id.to_string())),
        to,
        cc: None,
        reply_to: Some(&reply_to(said.mailbox, &inquiry.token)),
        in_reply_to: own,
        references,
        attachments: Vec::new(),
        answers: Some(said.id),
        unit: Some(&inquiry.unit),
        period: None,
    };
    post::enqueue(conn, config, composed, post, now).await?;
    Ok(())
}
