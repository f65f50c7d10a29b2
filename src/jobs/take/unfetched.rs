//! Mails that a mailbox shows but does not hand over. Each is tried three times, some time apart, while those behind it
//! are taken; then it is left where it is, and the department is told (table `unfetched`).

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::db::Db;

/// The wait after the first and after the second failure: a server that cannot read its own disk for an hour does not
/// cost a mail.
const APART: [TimeDelta; 2] = [TimeDelta::minutes(2), TimeDelta::hours(1)];

/// Whether a mail is to be fetched now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    Again,
    /// It failed lately.
    Later,
    /// It was given up.
    Never,
}

pub(super) async fn turn(db: &Db, mailbox: &str, locator: &str, now: DateTime<Utc>) -> Result<Turn> {
    let row = sqlx::query_as("SELECT attempts, at FROM unfetched WHERE mailbox = ? AND locator = ?");
    let row: Option<(u32, DateTime<Utc>)> = row.bind(mailbox).bind(locator).fetch_optional(db.pool()).await?;
    Ok(row.map_or(Turn::First, |(attempts, at)| after(attempts, now - at)))
}

fn after(attempts: u32, passed: TimeDelta) -> Turn {
    match APART.get((attempts as usize).saturating_sub(1)) {
        None => Turn::Never,
        // A failure that lies in the future was noted by a wrong clock.
        Some(wait) if (TimeDelta::zero()..*wait).contains(&passed) => Turn::Later,
        Some(_) => Turn::Again,
    }
}

/// Counts a failure, and says whether the mail gets another turn.
pub(super) async fn failed(
    db: &Db,
    (mailbox, locator): (&str, &str),
    failure: &str,
    now: DateTime<Utc>,
) -> Result<Turn> {
    let attempts: u32 = sqlx::query_scalar(
        "INSERT INTO unfetched (mailbox, locator, attempts, failure, at) VALUES (?, ?, 1, ?, ?)
         ON CONFLICT (mailbox, locator) DO UPDATE SET attempts = attempts + 1, failure = excluded.failure,
         at = excluded.at RETURNING attempts",
    )
    .bind(mailbox)
    .bind(locator)
    .bind(failure)
    .bind(now)
    .fetch_one(db.pool())
    .await?;
    Ok(after(attempts, TimeDelta::zero()))
}

/// It came over after all.
pub(super) async fn came(db: &Db, mailbox: &str, locator: &str) -> Result<()> {
    let delete = sqlx::query("DELETE FROM unfetched WHERE mailbox = ? AND locator = ?");
    delete.bind(mailbox).bind(locator).execute(db.pool()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_three_times_ever_further_apart() {
        assert_eq!(after(1, TimeDelta::seconds(119)), Turn::Later);
        assert_eq!(after(1, TimeDelta::minutes(2)), Turn::Again);
        assert_eq!(after(2, TimeDelta::minutes(2)), Turn::Later);
        assert_eq!(after(2, TimeDelta::hours(1)), Turn::Again);
        assert_eq!(after(3, TimeDelta::days(365)), Turn::Never);
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_put_a_mail_off() {
        assert_eq!(after(1, -TimeDelta::days(3650)), Turn::Again);
    }
}
