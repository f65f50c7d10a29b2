//! A mailbox whose server has refused the login is left alone for a while, whoever asks and however often the program is
//! started: providers lock out whoever knocks again and again (table `cursor`, `login_after`).

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::db::Db;
use crate::mailbox::{Failure, backoff};

/// Until when no login may be tried, with what the server said, if one may not be tried now.
pub(super) async fn held(db: &Db, mailbox: &str, now: DateTime<Utc>) -> Result<Option<(DateTime<Utc>, String)>> {
    let row = sqlx::query_as("SELECT login_after, coalesce(failure, '') FROM cursor WHERE mailbox = ?");
    let row: Option<(Option<DateTime<Utc>>, String)> = row.bind(mailbox).fetch_optional(db.pool()).await?;
    let until = row.and_then(|(until, failure)| Some((until?, failure)));
    Ok(until.filter(|(until, _)| lasts(*until, now)))
}

/// What was noted by a clock that was ahead does not last.
fn lasts(until: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now < until && until <= now + TimeDelta::from_std(backoff::LONGEST).unwrap_or(TimeDelta::MAX)
}

/// The login was refused once more: the wait is twice as long as the last.
pub(super) async fn refused(db: &Db, mailbox: &str, failure: &Failure, now: DateTime<Utc>) -> Result<()> {
    let again = "UPDATE cursor SET refused_logins = refused_logins + 1 WHERE mailbox = ? RETURNING refused_logins";
    let refusals: u32 = sqlx::query_scalar(again).bind(mailbox).fetch_one(db.pool()).await?;
    let wait = TimeDelta::from_std(failure.retry_after(refusals, 1.0))?;
    let hold = sqlx::query("UPDATE cursor SET login_after = ? WHERE mailbox = ?");
    hold.bind(now + wait).bind(mailbox).execute(db.pool()).await?;
    Ok(())
}

/// A login went well, or somebody has put right what was wrong.
pub(super) async fn admitted(db: &Db, mailbox: &str) -> Result<()> {
    let sql = "UPDATE cursor SET refused_logins = 0, login_after = NULL WHERE mailbox = ? AND login_after IS NOT NULL";
    sqlx::query(sql).bind(mailbox).execute(db.pool()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_is_longer_than_any_was_noted_by_a_wrong_clock() {
        let now: DateTime<Utc> = "2011-09-20T02:00:00Z".parse().unwrap();
        assert!(lasts(now + TimeDelta::hours(6), now));
        assert!(!lasts(now + TimeDelta::hours(7), now));
        assert!(!lasts(now, now));
    }
}
