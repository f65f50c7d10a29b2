//! Inquiries: a return in a unit's name from an unknown sender waits, and the unit's registered address is asked whether
//! it is its own. At most one mail a day and unit; at most three about the same return. [`hear`] takes the answer.

mod hear;
mod told;

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use super::answer::{self, form_title, stream_title};
use super::post::{self, Post};
use super::process::Answers;
use super::reach::Directory;
use crate::chance;
use crate::config::{Config, Mailbox, Unit};
use crate::db::Db;
use crate::form::record::Values;
use crate::form::{Datum, FormKind};
use crate::ledger::inquiry::{self, Inquiry};
use crate::ledger::query;
use crate::outbox::Kind;
use crate::outbox::compose::clip;
use crate::outbox::compose::inquiry::{Matter, Question, ask};
use crate::outbox::mail::domain_of;
use crate::period::{Period, local};
use crate::report::table;
use crate::submission::Verdict;

pub use hear::{Said, hear};
pub use told::{disowned, told};

/// After so many days only the department's digest has it.
const TIMES: u32 = 3;
/// Matters that one mail asks about; the others have their turn on the next day.
const LISTED: usize = 20;
/// Figures by which a clerk knows a table again; no more than these leaves the house.
const SHOWN: [&str; 2] = [table::ORGS, table::PARTY_ORGS];

/// Notes whose word a message waits for, and asks for it at once where the unit has not been asked today.
pub async fn wait(
    conn: &mut SqliteConnection,
    config: &Config,
    (message, verdict): (i64, &Verdict),
    answers: Answers,
    now: DateTime<Utc>,
) -> Result<()> {
    inquiry::wait_for(conn, message, &verdict.to_ask).await?;
    if answers == Answers::Send {
        for unit in &verdict.to_ask {
            ask_unit(conn, config, unit, chance::bits()?, now).await?;
        }
    }
    Ok(())
}

/// Asks, from the digest's time on, each unit that something still waits for.
pub async fn scheduled(db: &Db, config: &Arc<Config>, now: DateTime<Utc>) -> Result<Vec<String>> {
    let here = now.with_timezone(&config.timezone);
    let midnight = local(config.timezone, here.date_naive(), NaiveTime::MIN) - TimeDelta::seconds(1);
    if config.department.digest.between(midnight, here, 1).is_empty() {
        return Ok(Vec::new());
    }
    let units = inquiry::awaited_units(&mut *db.pool().acquire().await?).await?;
    let mut asked = Vec::new();
    for unit in &units {
        let mut tx = db.begin().await?;
        if ask_unit(&mut tx, config, unit, chance::bits()?, now).await? {
            asked.push(format!("inquiry {} {}", Period::open_at(here), here.date_naive()));
        }
        tx.commit().await?;
    }
    Ok(asked)
}

/// Queues the day's mail to a unit about everything that waits for its word. False when it was asked today, has no
/// address to ask, or nothing is left to ask about.
async fn ask_unit(
    conn: &mut SqliteConnection,
    config: &Config,
    unit: &str,
    chance: [u8; 16],
    now: DateTime<Utc>,
) -> Result<bool> {
    let here = now.with_timezone(&config.timezone);
    let today = here.date_naive();
    let Some(unit) = config.registry.unit(unit) else { return Ok(false) };
    let Some(to) = Directory::load(conn).await?.registered(unit) else { return Ok(false) };
    if inquiry::asked_on(conn, &unit.name, today).await? {
        return Ok(false);
    }
    let oldest = now - TimeDelta::days(i64::from(config.smtp.answer_within_days));
    let mut waiting = inquiry::waiting(conn, &unit.name).await?;
    waiting.retain(|m| m.asked < TIMES && m.received_at >= oldest);
    waiting.truncate(LISTED);
    let Some(first) = waiting.first() else { return Ok(false) };
    let mailbox = config.mailboxes.iter().find(|m| m.name == first.mailbox).or(config.mailboxes.first());
    let token: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    let message_id = format!("{MESSAGE_ID}{token}@{}", domain_of(&config.smtp.from));
    let mut matters = Vec::new();
    for matter in &waiting {
        matters.push(view(conn, config, matter, unit).await?);
    }
    let question = Question {
        unit: unit.name.clone(),
        now: here,
        matters,
        again: waiting.iter().any(|m| m.asked > 0),
        contact: config.department.contact.clone(),
        signature: signature(config, mailbox),
    };
    let reply_to = mailbox.map(|m| reply_to(m, &token));
    let post = Post {
        kind: Kind::Notice,
        key: "",
        to: &to,
        cc: None,
        reply_to: reply_to.as_deref(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
        answers: None,
        unit: Some(&unit.name),
        period: None,
    };
    post::enqueue_as(conn, config, (ask(&question), message_id.clone()), post, now).await?;
    let asked = Inquiry { token, unit: unit.name.clone(), recipient: to, message_id, at: now };
    let messages: Vec<i64> = waiting.iter().map(|m| m.message).collect();
    inquiry::record(conn, &asked, today, &messages).await?;
    tracing::info!(unit = unit.name, about = messages.len(), "the unit is asked whether these are its own");
    Ok(true)
}

/// What stands before the token: in the Message-ID, and in the name that answers are addressed to.
const MESSAGE_ID: &str = "inquiry.";
const NAME: &str = "核实-";

/// Where the answer goes, with the token in it: mail programs copy it into To, also those that keep no References.
/// Few providers in China deliver `local+token@domain`, so by default it is the name.
fn reply_to(mailbox: &Mailbox, token: &str) -> String {
    match mailbox.address.split_once('@').filter(|_| mailbox.subaddress) {
        Some((local, domain)) => format!("{local}+{token}@{domain}"),
        None => format!("{NAME}{token} <{}>", mailbox.address),
    }
}

fn signature(config: &Config, mailbox: Option<&Mailbox>) -> String {
    mailbox.map_or_else(|| config.department.name.clone(), |mailbox| answer::signature(config, mailbox))
}

/// A matter in the words of a mail: its forms for this unit, with enough to know them again.
async fn view(conn: &mut SqliteConnection, config: &Config, matter: &inquiry::Matter, unit: &Unit) -> Result<Matter> {
    let mut forms = Vec::new();
    for s in query::submissions(conn, matter.message).await?.iter().filter(|s| s.unit == unit.name) {
        let period = s.period.parse::<Period>().map_or_else(|_| "所属期不明".to_owned(), Period::chinese);
        let stream = if s.stream.is_empty() { "条线不明".to_owned() } else { stream_title(config, &s.stream) };
        let contents = contents(conn, config, &s.form, s.id).await?;
        let (form, file) = (form_title(config, &s.form), clip(&s.file, 40));
        forms.push(format!("{form}，{stream}，{period}，文件《{file}》：{contents}"));
    }
    Ok(Matter {
        received: matter.received_at.with_timezone(&config.timezone),
        from: matter.from.clone(),
        subject: matter.subject.clone(),
        forms,
    })
}

async fn contents(conn: &mut SqliteConnection, config: &Config, form: &str, submission: i64) -> Result<String> {
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM line WHERE submission = ?")
        .bind(submission)
        .fetch_one(&mut *conn)
        .await?;
    let figures = config.campaign.form(form).filter(|f| f.kind == FormKind::Figures && rows == 1);
    let Some(form) = figures else { return Ok(format!("{rows}行")) };
    let record: String =
        sqlx::query_scalar("SELECT record FROM line WHERE submission = ?").bind(submission).fetch_one(conn).await?;
    let values: Values = serde_json::from_str(&record)?;
    let shown = SHOWN.iter().filter_map(|key| {
        let Datum::Int(value) = values.get(*key)? else { return None };
        Some(format!("{}{value}", form.column(key)?.label()))
    });
    let shown: Vec<String> = shown.collect();
    Ok(if shown.is_empty() { format!("{rows}行") } else { shown.join("、") })
}
