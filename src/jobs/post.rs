//! Posting: a composed mail becomes a row of the outbox, in the caller's transaction. One recipient a row.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::chance;
use crate::config::Config;
use crate::outbox::compose::Composed;
use crate::outbox::mail::{domain_of, message_id};
use crate::outbox::{self, Attached, AutoSubmitted, Kind, Outgoing, PostError, budget, store};
use crate::period::Period;

/// What to post besides the words.
pub struct Post<'a> {
    pub kind: Kind,
    /// The matter: the same key always gives the same Message-ID, so that nothing is queued twice.
    pub key: &'a str,
    pub to: &'a str,
    /// Shown in the header and sent a copy of its own.
    pub cc: Option<&'a str>,
    /// Where an answer should go: the committee's mailbox, not the system's.
    pub reply_to: Option<&'a str>,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub attachments: Vec<Attached>,
    /// The message that this answers.
    pub answers: Option<i64>,
    pub unit: Option<&'a str>,
    pub period: Option<Period>,
}

/// Renders the mail and queues it for each of its recipients. Returns how many are queued: none when the same matter
/// was posted before, or when no mail can be sent to such an address.
pub async fn enqueue(
    conn: &mut SqliteConnection,
    config: &Config,
    composed: Composed,
    post: Post<'_>,
    now: DateTime<Utc>,
) -> Result<u32> {
    let secret = store::secret(conn, chance::bits()?).await?;
    let message_id = message_id(post.kind, (&secret, post.key), &domain_of(&config.smtp.from));
    enqueue_as(conn, config, (composed, message_id), post, now).await
}

/// [`enqueue`] under this Message-ID; the key counts for nothing.
pub async fn enqueue_as(
    conn: &mut SqliteConnection,
    config: &Config,
    (composed, message_id): (Composed, String),
    post: Post<'_>,
    now: DateTime<Utc>,
) -> Result<u32> {
    let mail = Outgoing {
        kind: post.kind,
        from: config.smtp.from.clone(),
        to: vec![post.to.to_owned()],
        cc: post.cc.map(str::to_owned).into_iter().collect(),
        reply_to: post.reply_to.map(str::to_owned),
        subject: composed.subject,
        text: composed.text,
        html: composed.html,
        attachments: post.attachments,
        message_id,
        in_reply_to: post.in_reply_to,
        references: post.references,
        auto_submitted: if post.answers.is_some() { AutoSubmitted::Replied } else { AutoSubmitted::Generated },
        date: now,
    };
    let period = post.period.map(|p| p.to_string());
    let about = outbox::About { answers: post.answers, unit: post.unit, period: period.as_deref() };
    match outbox::post(conn, &mail, about, now).await {
        Ok(new) => {
            if let (Some(_), Some(root)) = (post.answers, mail.references.first()) {
                budget::note_thread(conn, &mail.message_id, root).await?;
            }
            Ok(new)
        }
        // An address that no mail can be sent to must not stop the return itself from being taken.
        Err(PostError::Unsendable(error)) => {
            tracing::error!(kind = post.kind.as_str(), unit = post.unit, "a mail cannot be built and is not sent");
            give_up(conn, &mail, about, (&error.to_string(), now)).await?;
            Ok(0)
        }
        Err(PostError::Store(error)) => Err(error.into()),
    }
}

/// Leaves a row of the mail as of one that was refused, so that the department hears of it.
async fn give_up(
    conn: &mut SqliteConnection,
    mail: &Outgoing,
    about: outbox::About<'_>,
    (why, now): (&str, DateTime<Utc>),
) -> Result<()> {
    for recipient in &mail.to {
        let queued = store::Queued {
            kind: mail.kind,
            recipient,
            message_id: &mail.message_id,
            subject: &mail.subject,
            raw: &[],
            answers: about.answers,
            unit: about.unit,
            period: about.period,
        };
        if store::enqueue(conn, &queued, now).await? {
            sqlx::query("UPDATE outbox SET state = 'failed', failure = ? WHERE message_id = ? AND recipient = ?")
                .bind(why)
                .bind(&mail.message_id)
                .bind(recipient)
                .execute(&mut *conn)
                .await?;
        }
    }
    Ok(())
}

/// An .xlsx to attach.
pub fn workbook(name: &str, bytes: Vec<u8>) -> Attached {
    let mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Attached { name: name.to_owned(), mime: mime.to_owned(), bytes }
}

/// A .docx to attach.
pub fn document(name: &str, bytes: Vec<u8>) -> Attached {
    let mime = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    Attached { name: name.to_owned(), mime: mime.to_owned(), bytes }
}
