//! Digest: each morning the department is told what waits for a decision, and nothing when nothing does.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::alarm::called;
use super::news;
use super::post::{self, Post};
use super::schedule::Occurrence;
use super::{balance, bounce, inquiry, pass, remind};
use crate::config::Config;
use crate::db::Db;
use crate::ledger::query::{self, Which};
use crate::outbox::compose::digest::{self, Digest, Silent, Undelivered, Unfetched, Unreminded, Waiting};
use crate::outbox::compose::unreached::Unanswered;
use crate::outbox::refusal::Blame;
use crate::outbox::{Attached, Kind, budget, compose, store};
use crate::period::Period;

/// After so many attempts a mail is left in its mailbox.
const GIVEN_UP: u32 = 3;

/// After the first and up to the second.
type Window = (DateTime<Utc>, DateTime<Utc>);

/// Tells the department, once a day. False when there was nothing to tell or it was told before.
pub async fn scheduled(db: &Db, config: &Arc<Config>, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    if pass::claimed(&mut *db.pool().acquire().await?, occurrence).await? {
        return Ok(false);
    }
    let (view, files) = read(db, config, now).await?;
    let mut tx = db.begin().await?;
    if !pass::claim(&mut tx, occurrence, now).await? {
        return Ok(false);
    }
    if view.is_empty() {
        tx.commit().await?;
        return Ok(false);
    }
    for (i, attachments) in files.into_iter().enumerate() {
        let names: Vec<&str> = attachments.iter().map(|a| a.name.as_str()).collect();
        let composed = match i {
            0 => digest::compose(&view),
            _ => compose::news::further(&digest::day(&view), (i + 1, view.mails), &names, &view.signature),
        };
        let part = if i == 0 { String::new() } else { format!(" {}", i + 1) };
        for to in &config.department.addresses {
            let post = Post {
                kind: Kind::Digest,
                key: &format!("{}{part} {to}", occurrence.slot),
                to,
                cc: None,
                reply_to: None,
                in_reply_to: None,
                references: Vec::new(),
                attachments: attachments.clone(),
                answers: None,
                unit: None,
                period: Some(occurrence.period),
            };
            post::enqueue(&mut tx, config, composed.clone(), post, now).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// All that is to be told, and the files of the news, mail by mail. Whole mails are read for it, so the ledger is not
/// locked meanwhile.
async fn read(db: &Db, config: &Arc<Config>, now: DateTime<Utc>) -> Result<(Digest, Vec<Vec<Attached>>)> {
    let mut conn = db.pool().acquire().await?;
    let (since, sent) = (last_told(&mut conn, now).await?, last_sent(&mut conn, now).await?);
    let view = gather(&mut conn, config, (since, now)).await?;
    drop(conn);
    let news::Gathered { letters, more, mails, strangers } = news::gather(db, config, (since, now), sent).await?;
    Ok((Digest { news: letters, more_news: more, mails: mails.len(), strangers, ..view }, mails))
}

/// When the department was told last; what came since is told now. Never told: all there is.
async fn last_told(conn: &mut SqliteConnection, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let at: Option<DateTime<Utc>> = sqlx::query_scalar("SELECT max(at) FROM job WHERE name = 'digest' AND at <= ?")
        .bind(now)
        .fetch_one(conn)
        .await?;
    Ok(at.unwrap_or(DateTime::UNIX_EPOCH))
}

/// When a note last went out, for what no note is written for alone.
async fn last_sent(conn: &mut SqliteConnection, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let at: Option<DateTime<Utc>> =
        sqlx::query_scalar("SELECT max(created_at) FROM outbox WHERE kind = 'digest' AND created_at <= ?")
            .bind(now)
            .fetch_one(conn)
            .await?;
    Ok(at.unwrap_or(DateTime::UNIX_EPOCH))
}

/// What waits, whenever it came, and what happened after `since`.
async fn gather(conn: &mut SqliteConnection, config: &Config, (since, now): Window) -> Result<Digest> {
    let zone = config.timezone;
    let mut waiting = Vec::new();
    for m in query::messages(conn, Which::Quarantined).await? {
        waiting.push(Waiting {
            id: m.id,
            received: m.received_at.with_timezone(&zone),
            from: m.from.unwrap_or_default(),
            subject: m.subject,
            reason: m.reason,
            asked: inquiry::told(conn, config, m.id).await?,
        });
    }
    let undelivered = store::undelivered(conn, since).await?.into_iter().map(|u| Undelivered {
        recipient: u.recipient,
        subject: u.subject,
        failure: format!("{}：{}", Blame::chinese(&u.blame), u.failure),
    });
    Ok(Digest {
        now: now.with_timezone(&zone),
        quarantined: waiting,
        disowned: inquiry::disowned(conn, config, (since, now)).await?,
        bounced: bounce::told(conn, config, (since, now)).await?,
        unanswered: unanswered(conn, config, (since, now)).await?,
        silent: silent(conn, config).await?,
        unfetched: unfetched(conn, config, (since, now)).await?,
        unreminded: unreminded(conn, config, (since, now)).await?,
        undelivered: undelivered.collect(),
        books: balance::books::matters(conn, config, (since, now)).await?,
        news: Vec::new(),
        more_news: 0,
        mails: 1,
        strangers: 0,
        signature: "台账系统".to_owned(),
    })
}

async fn unanswered(conn: &mut SqliteConnection, config: &Config, window: Window) -> Result<Vec<Unanswered>> {
    let line = |u: budget::Unanswered| {
        let unit = config.registry.registered(&u.address).first().map(|unit| unit.name.clone()).unwrap_or_default();
        Unanswered { unit, address: u.address, mails: u.mails, silent: u.silent }
    };
    Ok(budget::unanswered(conn, window).await?.into_iter().map(line).collect())
}

async fn silent(conn: &mut SqliteConnection, config: &Config) -> Result<Vec<Silent>> {
    let mut list = Vec::new();
    for mailbox in &config.mailboxes {
        let row = sqlx::query_as(
            "SELECT succeeded_at, failed_at IS NULL, coalesce(failure_words, ''), failure FROM cursor
             WHERE failure IS NOT NULL AND mailbox = ?",
        );
        let row: Option<(Option<DateTime<Utc>>, bool, String, String)> =
            row.bind(&mailbox.name).fetch_optional(&mut *conn).await?;
        list.extend(row.map(|(since, read, cause, failure)| Silent {
            mailbox: called(config, &mailbox.name),
            since: since.map(|t| t.with_timezone(&config.timezone)),
            read,
            cause,
            failure,
        }));
    }
    Ok(list)
}

/// Mails that the mailbox would not give out, each told once, when it was given up.
async fn unfetched(conn: &mut SqliteConnection, config: &Config, (since, now): Window) -> Result<Vec<Unfetched>> {
    let rows: Vec<(String, String, String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT mailbox, locator, failure, at FROM unfetched WHERE attempts >= ? AND at > ? AND at <= ? ORDER BY at",
    )
    .bind(GIVEN_UP)
    .bind(since)
    .bind(now)
    .fetch_all(conn)
    .await?;
    let line = |(mailbox, locator, failure, at): (String, String, String, DateTime<Utc>)| Unfetched {
        mailbox: called(config, &mailbox),
        locator,
        failure,
        at: at.with_timezone(&config.timezone),
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Units that reminders were due to since, that still owe, and that have no address to remind.
async fn unreminded(conn: &mut SqliteConnection, config: &Config, (since, now): Window) -> Result<Vec<Unreminded>> {
    let periods: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT period FROM job WHERE name IN ('reminder', 'overdue') AND at > ? AND at <= ? ORDER BY period",
    )
    .bind(since)
    .bind(now)
    .fetch_all(&mut *conn)
    .await?;
    let mut list = Vec::new();
    for period in periods {
        let period: Period = period.parse().map_err(anyhow::Error::msg)?;
        let owing = remind::owing(conn, config, period, now).await?;
        let without = owing.into_iter().filter(|o| o.address.is_none());
        list.extend(without.map(|o| Unreminded { unit: o.unit.name, period, owed: o.obligations.len(), dead: o.dead }));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};
    use crate::jobs::schedule::{Job, Occurrence};
    use crate::message::sender::Cause;
    use crate::outbox::bounced::{self, Failed};
    use crate::submission::{Disposition, Verdict};

    fn due(job: Job, now: DateTime<Utc>) -> Occurrence {
        let here = now.with_timezone(&chrono_tz::Asia::Shanghai);
        Occurrence { at: here, job, period: Period::open_at(here), slot: here.to_rfc3339() }
    }

    /// What the department would be told at `now`, and then is.
    async fn told(db: &Db, config: &Arc<Config>, now: &str) -> Digest {
        let now = at(now);
        let (digest, _) = read(db, config, now).await.unwrap();
        let sent = scheduled(db, config, &due(Job::Digest, now), now).await.unwrap();
        assert_eq!(sent, !digest.is_empty());
        digest
    }

    #[tokio::test]
    async fn what_happened_since_the_last_digest_is_told_once_however_late_it_is() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        assert!(told(&db, &config, "2011-09-20T00:30:00Z").await.is_empty());
        let news = Verdict::plain(Disposition::News, "");
        // Read long after it came, two days before the next digest.
        let id = fixture::came(&db, &news, "2011-09-10T00:00:00Z", "2011-09-20T01:00:00Z").await;
        let mut conn = db.pool().acquire().await.unwrap();
        sqlx::query("UPDATE message SET mailbox = 'news' WHERE id = ?").bind(id).execute(&mut *conn).await.unwrap();
        let outbox = fixture::sent(&mut conn, "gone@office.test", "2011-09-20T00:50:00Z").await;
        let at_one = at("2011-09-20T01:00:00Z");
        let failed = Failed {
            address: "gone@office.test",
            cause: Cause::NoSuchAddress,
            status: "",
            reason: "",
            outbox: Some(outbox),
            message: Some(id),
            at: at_one,
        };
        bounced::mark_failed_address(&mut conn, &failed, at_one).await.unwrap();
        drop(conn);
        let late = told(&db, &config, "2011-09-22T03:00:00Z").await;
        assert_eq!((late.news.len(), late.bounced.len()), (1, 1));
        assert!(told(&db, &config, "2011-09-23T00:30:00Z").await.is_empty());
    }

    #[tokio::test]
    async fn strangers_are_counted_in_the_next_note_that_is_written_anyway() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        let news = Verdict::plain(Disposition::News, "");
        fixture::came(&db, &news, "2011-09-20T00:00:00Z", "2011-09-20T00:00:00Z").await;
        let quiet = told(&db, &config, "2011-09-20T00:30:00Z").await;
        assert!(quiet.is_empty() && quiet.strangers == 1, "no note is written for them");
        let id = fixture::came(&db, &news, "2011-09-20T02:00:00Z", "2011-09-20T02:00:00Z").await;
        let known = "UPDATE message SET from_address = ? WHERE id = ?";
        let clerk = &config.registry.units[0].addresses[0];
        sqlx::query(known).bind(clerk).bind(id).execute(db.pool()).await.unwrap();
        let note = told(&db, &config, "2011-09-21T00:30:00Z").await;
        assert_eq!((note.news.len(), note.strangers), (1, 1));
        assert_eq!(note.news[0].unit, config.registry.units[0].name);
        assert_eq!(told(&db, &config, "2011-09-22T00:30:00Z").await.strangers, 0);
    }

    #[tokio::test]
    async fn a_mail_that_cannot_be_fetched_is_told_when_it_was_given_up() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        for (locator, attempts) in [("1:2", 2), ("1:3", 3)] {
            sqlx::query(
                "INSERT INTO unfetched (mailbox, locator, attempts, failure, at) VALUES ('social', ?, ?, 'BYE', ?)",
            )
            .bind(locator)
            .bind(attempts)
            .bind(at("2011-09-20T01:00:00Z"))
            .execute(db.pool())
            .await
            .unwrap();
        }
        let digest = told(&db, &config, "2011-09-21T00:30:00Z").await;
        assert_eq!(digest.unfetched.iter().map(|u| u.locator.as_str()).collect::<Vec<_>>(), ["1:3"]);
        let social = config.mailboxes.iter().find(|m| m.name == "social").unwrap();
        assert_eq!(digest.unfetched[0].mailbox, format!("{}的收件邮箱{}", social.committee, social.address));
        assert!(told(&db, &config, "2011-09-22T00:30:00Z").await.is_empty());
    }

    #[tokio::test]
    async fn a_unit_without_an_address_is_told_the_morning_after_a_reminder() {
        let (mut config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        config.registry.units[1].addresses.clear();
        let (config, nine) = (Arc::new(config), at("2011-09-20T01:00:00Z"));
        assert!(told(&db, &config, "2011-09-20T00:30:00Z").await.is_empty());
        assert!(remind::scheduled(&db, &config, &due(Job::Reminder, nine), nine).await.unwrap());
        let digest = told(&db, &config, "2011-09-21T00:30:00Z").await;
        assert_eq!(digest.unreminded.len(), 1);
        assert_eq!((digest.unreminded[0].unit.as_str(), digest.unreminded[0].owed), ("松岭镇人民政府", 4));
        assert!(told(&db, &config, "2011-09-22T00:30:00Z").await.is_empty());
    }
}
