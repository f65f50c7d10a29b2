//! Decide: what a person decides is recorded for ever, and what follows from it at once is done, in the same transaction.
//! The commands come here, and so does whoever reads everything again ([`super::verify`]): what a decision does has one home.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::form::Campaign;
use crate::ledger::store::{self, Decision};
use crate::ledger::{inquiry, rebuild};

/// Records a decision and does what follows. Returns the messages that are to be assessed again in its light, by
/// [`Clerk::process`](super::process::Clerk::process): the one it is about, or those that a trusted sender waited with.
pub async fn enter(
    conn: &mut SqliteConnection,
    campaign: &Campaign,
    decision: &Decision<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<i64>> {
    store::decide(conn, decision, now).await?;
    match (decision.kind, decision.unit) {
        ("release" | "reject", _) => Ok(decision.message.into_iter().collect()),
        ("trust", Some(unit)) => {
            let Some(address) = decision.address else { return Ok(Vec::new()) };
            let except: Vec<i64> = decision.message.into_iter().collect();
            inquiry::reopen_of(conn, unit, &[address.to_owned()], &except, now).await
        }
        // About the ledger itself: it is derived anew with them.
        ("merge" | "split" | "dismiss" | "reopen", Some(unit)) => {
            if let Some(stream) = decision.stream {
                rebuild::unit_stream(conn, campaign, unit, stream).await?;
            }
            Ok(Vec::new())
        }
        // `excuse` and `distrust` bear on what comes.
        _ => Ok(Vec::new()),
    }
}
