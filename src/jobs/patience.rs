//! Patience: whether a message may be answered. Every answer asks here first, so that no exchange with a machine lasts.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::config::Config;
use crate::message::Message;
use crate::outbox::budget::{self, Asked, Limits, Permit};

/// Whether the sender of a message (its row, and what it says) may be answered now; counts the answer as given. Call it
/// in the transaction that queues the answer, right before, once an answer. What is withheld is kept, for the listing
/// and the digest.
pub async fn may_answer(
    conn: &mut SqliteConnection,
    config: &Config,
    (id, message): (i64, &Message),
    now: DateTime<Utc>,
) -> Result<Permit> {
    let address = message.from.as_ref().map(|a| a.email.as_str()).unwrap_or_default();
    let limits = Limits {
        day: config.smtp.answers_per_day,
        thread: config.smtp.answers_per_thread,
        vain: config.smtp.answers_in_vain,
        zone: config.timezone,
    };
    let asked = Asked {
        message: id,
        address,
        correspondent: &correspondent(config, address),
        thread: budget::thread(message),
        useful: brings_something_new(conn, id).await?,
    };
    let permit = budget::permit(conn, &asked, &limits, now).await?;
    if let Permit::Withheld(budget) = permit {
        tracing::warn!(message = id, budget = budget.as_str(), "no more answers to this address; none is sent");
    }
    Ok(permit)
}

/// The sender of a message that [`may_answer`] cannot see the use of has brought something all the same.
pub async fn was_useful(conn: &mut SqliteConnection, config: &Config, address: &str) -> Result<()> {
    budget::be_patient(conn, &correspondent(config, address)).await?;
    Ok(())
}

/// An address, or `@domain` where only its domain is registered: a machine may write from ever new ones.
fn correspondent(config: &Config, address: &str) -> String {
    let units = &config.registry.units;
    let domain = units.iter().find_map(|unit| unit.domain_of(address));
    let whole = units.iter().any(|u| u.addresses.iter().any(|a| a == address));
    domain.filter(|_| !whole).map_or_else(|| address.to_owned(), |domain| format!("@{domain}"))
}

/// A message is useful if a form of it was accepted whose rows no earlier accepted version of the obligation had, or if
/// one waits for a person and no earlier message from that address waits with the same. (A machine may well send the
/// same return again and again, every time in another file.)
async fn brings_something_new(conn: &mut SqliteConnection, message: i64) -> Result<bool> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM submission s JOIN message m ON m.id = s.message
         WHERE s.message = ?1 AND s.state IN ('accepted', 'quarantined') AND NOT EXISTS (
             SELECT 1 FROM submission e JOIN message f ON f.id = e.message
             WHERE e.message <> s.message AND e.baseline = 0 AND e.unit = s.unit AND e.stream = s.stream AND e.form = s.form
             AND e.period = s.period AND e.state = s.state
             AND (s.state = 'quarantined' AND f.from_address = m.from_address
                  OR s.state = 'accepted'
                  AND (SELECT count(*) FROM line WHERE submission = e.id) = (SELECT count(*) FROM line WHERE submission = s.id)
                  AND NOT EXISTS (SELECT record FROM line WHERE submission = s.id
                                  EXCEPT SELECT record FROM line WHERE submission = e.id))))",
    );
    Ok(found.bind(message).fetch_one(conn).await?)
}
