//! Known when: from which moment on the ledger counts what came, what it held before ([`past`]), and the whole ledger as
//! it was known at any time ([`view`]).
//!
//! A return is known from its arrival, so that a backlog that is read in at adoption stands where it belongs. But never
//! before a moment at which the program was already at work without it: what was entered late is known from then on, and
//! what is assessed again (a person, a unit or a rule has decided) takes effect with that.

pub mod past;
mod view;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

pub use view::{beginning, view};

/// From when on the assessment of a message that is now made counts. Asked before the assessment is stored.
pub async fn since(conn: &mut SqliteConnection, message: i64, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let row = sqlx::query(
        "SELECT received_at, assessed_at IS NOT NULL, EXISTS (SELECT 1 FROM job WHERE at >= received_at)
         OR EXISTS (SELECT 1 FROM state WHERE key = 'last_pass' AND value >= received_at) FROM message WHERE id = ?",
    )
    .bind(message)
    .fetch_one(conn)
    .await?;
    let (again, at_work): (bool, bool) = (row.get(1), row.get(2));
    Ok(moment(row.get(0), again || at_work, now))
}

/// A provider's clock may be ahead of ours: nothing is known before it is here.
fn moment(received_at: DateTime<Utc>, late: bool, now: DateTime<Utc>) -> DateTime<Utc> {
    if late { now } else { received_at.min(now) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};
    use crate::jobs::pass;
    use crate::submission::{Disposition, Verdict};

    /// When a message is known that came at one time and was assessed at another.
    async fn known(db: &crate::db::Db, received: &str, assessed: &str) -> DateTime<Utc> {
        let id = fixture::came(db, &Verdict::plain(Disposition::News, ""), received, assessed).await;
        let sql = sqlx::query_scalar("SELECT known_at FROM message WHERE id = ?").bind(id);
        sql.fetch_one(db.pool()).await.unwrap()
    }

    #[tokio::test]
    async fn a_backlog_is_known_from_its_arrival_and_what_is_entered_late_from_then_on() {
        let (config, (_dir, db)) = (std::sync::Arc::new(fixture::config()), fixture::ledger().await);
        let (monday, noon, evening) = ("2011-09-19T01:00:00Z", "2011-09-19T04:00:00Z", "2011-09-19T10:00:00Z");
        assert_eq!(known(&db, "2011-08-20T01:00:00Z", monday).await, at("2011-08-20T01:00:00Z"));
        assert_eq!(known(&db, "2011-08-19T01:00:00Z", noon).await, at("2011-08-19T01:00:00Z"));
        pass::scheduled(&db, &config, at(noon)).await.unwrap();
        assert_eq!(known(&db, "2011-09-19T03:59:00Z", evening).await, at(evening));
        assert_eq!(known(&db, "2011-09-19T04:01:00Z", evening).await, at("2011-09-19T04:01:00Z"));
    }

    #[tokio::test]
    async fn a_job_by_hand_is_work_too_and_a_clock_that_is_ahead_makes_nothing_known_before_it_came() {
        let (_dir, db) = fixture::ledger().await;
        let august = "2011-08".parse().unwrap();
        assert_eq!(known(&db, "2011-09-19T05:00:00Z", "2011-09-19T04:00:00Z").await, at("2011-09-19T04:00:00Z"));
        let mut conn = db.pool().acquire().await.unwrap();
        pass::claim_slot(&mut conn, ("report", august, "first"), at("2011-09-26T02:00:00Z")).await.unwrap();
        drop(conn);
        assert_eq!(known(&db, "2011-09-26T01:00:00Z", "2011-09-26T03:00:00Z").await, at("2011-09-26T03:00:00Z"));
        assert_eq!(known(&db, "2011-09-26T02:30:00Z", "2011-09-26T03:00:00Z").await, at("2011-09-26T02:30:00Z"));
    }
}
