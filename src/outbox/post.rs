//! Posting: a mail is rendered once and queued for each of its recipients, inside the caller's transaction.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::mail::{Outgoing, Unsendable, mailbox, render};
use super::store::{Queued, enqueue};

/// What a mail is about, for the records.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// Row of `message` that it answers.
    pub answers: Option<i64>,
    pub unit: Option<&'a str>,
    /// `2011-08`
    pub period: Option<&'a str>,
}

#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    #[error(transparent)]
    Store(#[from] sqlx::Error),
}

/// Queues a mail for everyone in To and Cc, one row each, since a refused recipient must not keep it from the others.
/// Returns how many rows are new: none when this matter was posted before.
pub async fn post(
    conn: &mut SqliteConnection,
    mail: &Outgoing,
    about: About<'_>,
    now: DateTime<Utc>,
) -> Result<u32, PostError> {
    let raw = render(mail)?;
    let mut new = 0;
    for to in mail.to.iter().chain(&mail.cc) {
        let recipient = mailbox(to)?.email.to_string();
        let queued = Queued {
            kind: mail.kind,
            recipient: &recipient,
            message_id: &mail.message_id,
            subject: &mail.subject,
            raw: &raw,
            answers: about.answers,
            unit: about.unit,
            period: about.period,
        };
        new += u32::from(enqueue(conn, &queued, now).await?);
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::{AutoSubmitted, Kind, mail, store};
    use sqlx::sqlite::SqlitePoolOptions;

    #[tokio::test]
    async fn everyone_gets_a_row_of_their_own_once() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        crate::db::migrate(&pool).await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let now = "2011-09-26T01:00:00Z".parse().unwrap();
        let mail = Outgoing {
            kind: Kind::Overdue,
            from: "台账系统 <robot@office.test>".into(),
            to: vec!["yunling@street.test".into()],
            cc: vec!["lead@street.test".into(), "yunling@street.test".into()],
            reply_to: None,
            subject: "逾期催报".into(),
            text: "文".into(),
            html: "<p>文</p>".into(),
            attachments: vec![],
            message_id: mail::message_id(Kind::Overdue, ("secret", "2011-08 云岭街道 2011-09-26"), "office.test"),
            in_reply_to: None,
            references: vec![],
            auto_submitted: AutoSubmitted::Generated,
            date: now,
        };
        let about = About { unit: Some("云岭街道"), period: Some("2011-08"), ..About::default() };
        assert_eq!(post(&mut conn, &mail, about, now).await.unwrap(), 2);
        assert_eq!(post(&mut conn, &mail, about, now).await.unwrap(), 0);
        assert_eq!(store::counts(&mut conn).await.unwrap().queued, 2);
    }
}
