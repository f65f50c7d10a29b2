//! The seals, looked at each night: what something else than this program has changed in the ledger since it was written.

use anyhow::Result;
use sqlx::Connection as _;

use crate::db::seal::{self, Subject};
use crate::db::{self, Db};

/// Of what was changed so much is noted.
const NOTED: usize = 1000;

/// Every subject that is not as it was sealed. Read over a connection of its own: mail goes on being taken meanwhile.
pub async fn broken(db: &Db) -> Result<Vec<Subject>> {
    let mut conn = db::snapshot(db.dir()).await?;
    let mut broken = Vec::new();
    for kind in seal::kinds() {
        let note = |subject, _| {
            if broken.len() < NOTED {
                broken.push(subject);
            }
        };
        seal::check(&mut conn, kind, note).await?;
    }
    conn.close().await?;
    Ok(broken)
}
