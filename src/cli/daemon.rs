//! `run` and `once`.

use std::sync::Arc;

use anyhow::Result;

use super::{Office, Outcome, print};
use crate::db::Lock;
use crate::jobs::pass;
use crate::ledger::query::{self, Which};

pub async fn run(office: Office) -> Result<Outcome> {
    let db = office.db().await?;
    let _lock = Lock::acquire(db.dir())?;
    crate::daemon::run(Arc::new(office.config), db, office.clock).await?;
    Ok(Outcome::Done)
}

/// One pass of all that is due. Exit code 3 when something waits for a person or a mailbox or the mail
/// server did not answer.
pub async fn once(office: Office) -> Result<Outcome> {
    let db = office.db().await?;
    let _lock = Lock::acquire(db.dir())?;
    let config = Arc::new(office.config);
    let passed = pass::pass(&db, &config, office.clock).await?;
    if office.json {
        print::json(&passed)?;
    } else {
        print::line(&passed.to_string())?;
    }
    let mut conn = db.pool().acquire().await?;
    let waiting = query::messages(&mut conn, Which::Quarantined).await?;
    let needs = !waiting.is_empty() || passed.is_troubled();
    Ok(if needs { Outcome::NeedsPerson } else { Outcome::Done })
}
