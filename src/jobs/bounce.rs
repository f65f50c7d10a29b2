//! Bounce: a notice of mail that came back is matched to the mail that it returns, and what it says is noted.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use super::reach::Directory;
use crate::config::Config;
use crate::message::sender::{Bounce, Cause, Failure};
use crate::outbox::bounced::{self, Failed, Mark, Sent};
use crate::outbox::compose::unreached::{Bounced, Whose};

/// A notice that tells no Message-ID is about a mail of the last days.
const RECENT: TimeDelta = TimeDelta::days(10);

/// The notice, a row of `message`.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    pub message: i64,
    pub received_at: DateTime<Utc>,
    /// The provider says that it is not from whom it claims to be.
    pub forged: bool,
}

/// Notes what a notice says of each recipient.
pub async fn note(
    conn: &mut SqliteConnection,
    config: &Config,
    notice: Notice,
    bounce: &Bounce,
    now: DateTime<Utc>,
) -> Result<()> {
    bounced::forget(conn, notice.message).await?;
    let by_id = match &bounce.returned.message_id {
        Some(id) => bounced::with_id(conn, id).await?,
        None => Vec::new(),
    };
    let mut told = if by_id.is_empty() { by_address(conn, notice, bounce).await? } else { by_message(&by_id, bounce) };
    told.retain(|(failure, outbox)| outbox.is_some() || !failure.address.is_empty());
    for (failure, outbox) in &told {
        let Failure { address, cause, status, reason } = failure;
        let (message, at) = (Some(notice.message), notice.received_at);
        let failed = Failed { address, cause: *cause, status, reason, outbox: *outbox, message, at };
        bounced::mark_failed_address(conn, &failed, now).await?;
        if outbox.is_some() && matches!(whose(config, address), Whose::Ours | Whose::Supervisor(_)) {
            tracing::warn!(
                message = notice.message,
                "mail to the department or a supervisor came back; see `taizhang check`"
            );
        }
    }
    let ours = told.iter().filter(|(_, outbox)| outbox.is_some()).count();
    tracing::info!(message = notice.message, recipients = told.len(), ours, "a notice of undelivered mail");
    Ok(())
}

/// The mail is known; which of its recipients is it about?
fn by_message(sent: &[Sent], bounce: &Bounce) -> Vec<(Failure, Option<i64>)> {
    if bounce.failures.is_empty() {
        // It does not say who. Of several nothing stands against any for that, but it did not arrive somewhere.
        let cause = if sent.len() == 1 { Cause::Unsaid } else { Cause::Unreached };
        let unsaid = |s: &Sent| (Failure { address: s.recipient.clone(), cause, ..unsaid() }, Some(s.id));
        return sent.iter().map(unsaid).collect();
    }
    let one = |failure: &Failure| match (sent.iter().find(|s| s.recipient == failure.address), sent) {
        (Some(s), _) => (failure.clone(), Some(s.id)),
        // The recipient has mail passed on to an address that does not take it; their own may well work.
        (None, [only]) => {
            let cause = if failure.cause == Cause::Delayed { Cause::Delayed } else { Cause::Unreached };
            let reason = format!("对方设置的转发地址{}收不到：{}", failure.address, failure.reason);
            (Failure { address: only.recipient.clone(), cause, reason, ..failure.clone() }, Some(only.id))
        }
        (None, _) => (failure.clone(), None),
    };
    bounce.failures.iter().map(one).collect()
}

fn unsaid() -> Failure {
    Failure { address: String::new(), cause: Cause::Unreached, status: String::new(), reason: String::new() }
}

/// By recipient and subject. That is little: who can guess both can make such a notice, so a forged one tells nothing,
/// and one without a subject is about no mail of ours that could be named.
async fn by_address(
    conn: &mut SqliteConnection,
    notice: Notice,
    bounce: &Bounce,
) -> Result<Vec<(Failure, Option<i64>)>> {
    let mut list = Vec::new();
    for failure in &bounce.failures {
        let window = (notice.received_at - RECENT, notice.received_at);
        let sent = bounced::sent_to(conn, &failure.address, window).await?;
        // With a Message-ID that none of ours has, it is about somebody else's mail.
        let mut same = sent.iter().filter(|s| {
            let subject = bounce.returned.subject.as_deref();
            let names_none = bounce.returned.message_id.is_none() && !notice.forged;
            names_none && subject.is_some_and(|subject| same_subject(&s.subject, subject))
        });
        list.push((failure.clone(), same.next().map(|s| s.id)));
    }
    Ok(list)
}

/// White space aside; a notice may cut a long subject short.
fn same_subject(ours: &str, told: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let (ours, told) = (plain(ours), plain(told));
    let told = told.trim_end_matches(['.', '…']);
    ours == told || (told.chars().count() >= 8 && ours.starts_with(told))
}

/// Whose address it is, as far as the settings know.
pub fn whose(config: &Config, address: &str) -> Whose {
    let ours = config.department.addresses.iter().any(|a| a == address)
        || config.mailboxes.iter().any(|m| m.address == address)
        || config.smtp.address == address;
    if ours {
        return Whose::Ours;
    }
    if let Some(unit) = config.registry.registered(address).first() {
        return Whose::Unit(unit.name.clone());
    }
    let supervised = config.registry.units.iter().find(|u| u.supervisor.as_deref() == Some(address));
    supervised.map_or(Whose::Nobodys, |unit| Whose::Supervisor(unit.name.clone()))
}

/// What the department is told of the notices that were read after the first and up to the second time. Of those that are
/// about no mail of ours only what names somebody we know.
pub async fn told(
    conn: &mut SqliteConnection,
    config: &Config,
    window: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Bounced>> {
    let noticed = bounced::noticed(conn, window).await?;
    let directory = Directory::load(conn).await?;
    let view = |mark: Mark| {
        let whose = whose(config, &mark.address);
        let unit = match &whose {
            Whose::Unit(name) => config.registry.unit(name),
            _ => None,
        };
        let known = mark.mail.is_some() || whose != Whose::Nobodys;
        known.then(|| Bounced {
            instead: unit.and_then(|unit| directory.reach(unit).address),
            whose,
            address: mark.address,
            at: mark.at.with_timezone(&config.timezone),
            cause: mark.cause,
            reason: mark.reason,
            mail: mark.mail,
        })
    };
    Ok(noticed.into_iter().filter_map(view).collect())
}

#[cfg(test)]
#[path = "bounce_tests.rs"]
mod tests;
