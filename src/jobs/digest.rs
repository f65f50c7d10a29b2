//! Digest: each morning the department is told what waits for a decision, and nothing when nothing does.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use super::pass;
use super::post::{self, Post};
use super::schedule::Occurrence;
use crate::config::Config;
use crate::db::Db;
use crate::ledger::query::{self, Which};
use crate::outbox::compose::digest::{self, Bounced, Digest, News, Silent, Undelivered, Waiting};
use crate::outbox::{Kind, store};

/// Tells the department, once a day. False when there was nothing to tell or it was told before.
pub async fn scheduled(db: &Db, config: &Arc<Config>, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    let mut tx = db.begin().await?;
    if !pass::claim(&mut tx, occurrence, now).await? {
        return Ok(false);
    }
    let view = gather(&mut tx, config, now).await?;
    if view.is_empty() {
        tx.commit().await?;
        return Ok(false);
    }
    let composed = digest::compose(&view);
    for to in &config.department.addresses {
        let post = Post {
            kind: Kind::Digest,
            key: &format!("{} {to}", occurrence.slot),
            to,
            cc: None,
            reply_to: None,
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
            answers: None,
            unit: None,
            period: Some(occurrence.period),
        };
        post::enqueue(&mut tx, config, composed.clone(), post, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn gather(conn: &mut SqliteConnection, config: &Config, now: DateTime<Utc>) -> Result<Digest> {
    let zone = config.timezone;
    let yesterday = now - TimeDelta::days(1);
    let waiting = query::messages(conn, Which::Quarantined).await?.into_iter().map(|m| Waiting {
        id: m.id,
        received: m.received_at.with_timezone(&zone),
        from: m.from.unwrap_or_default(),
        subject: m.subject,
        reason: m.reason,
    });
    let waiting = waiting.collect();
    let news = query::messages(conn, Which::News).await?;
    let news = news.into_iter().filter(|m| m.received_at > yesterday).map(|m| News {
        received: m.received_at.with_timezone(&zone),
        from: m.from.unwrap_or_default(),
        subject: m.subject,
        attachments: Vec::new(),
    });
    let bounced: Vec<(String, DateTime<Utc>)> =
        sqlx::query_as("SELECT address, at FROM bounced WHERE at > ?").bind(yesterday).fetch_all(&mut *conn).await?;
    let silent: Vec<(String, Option<DateTime<Utc>>, String)> =
        sqlx::query_as("SELECT mailbox, succeeded_at, coalesce(failure, '') FROM cursor WHERE failed_at IS NOT NULL")
            .fetch_all(&mut *conn)
            .await?;
    let undelivered = store::undelivered(conn, yesterday).await?;
    Ok(Digest {
        now: now.with_timezone(&zone),
        quarantined: waiting,
        bounced: bounced.into_iter().map(|(address, at)| bounce(config, address, at)).collect(),
        silent: silent
            .into_iter()
            .map(|(mailbox, since, failure)| Silent { mailbox, since: since.map(|t| t.with_timezone(&zone)), failure })
            .collect(),
        undelivered: undelivered
            .into_iter()
            .map(|u| Undelivered { recipient: u.recipient, subject: u.subject, failure: u.failure })
            .collect(),
        news: news.collect(),
        signature: "台账系统".to_owned(),
    })
}

fn bounce(config: &Config, address: String, at: DateTime<Utc>) -> Bounced {
    let unit = config.registry.registered(&address).first().map(|u| u.name.clone()).unwrap_or_default();
    Bounced { unit, address, at: at.with_timezone(&config.timezone) }
}
