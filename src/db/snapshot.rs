//! A look at the ledger at one moment, beside whoever writes it; it can write nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use super::upgrade;

/// A connection that sees the ledger in `dir` as it is now, and goes on seeing that.
///
/// # Errors
/// There is none, it cannot be read, or another version of the program has to open it first.
pub async fn snapshot(dir: &Path) -> Result<SqliteConnection> {
    let mut conn = reader(dir).await?;
    let file = dir.join("ledger.db");
    let known = upgrade::version(&mut conn).await.with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(known <= upgrade::newest(), "{} was written by a newer version of taizhang", file.display());
    ensure!(
        known == upgrade::newest(),
        "{} is of an older version; `taizhang status` brings it up to date",
        file.display()
    );
    // A transaction sees what there was at its first look.
    sqlx::query("BEGIN").execute(&mut conn).await?;
    sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut conn).await?;
    Ok(conn)
}

/// A connection that can only read, and sees each time what there is.
pub async fn reader(dir: &Path) -> Result<SqliteConnection> {
    let file = dir.join("ledger.db");
    ensure!(file.exists(), "there is no ledger in {}", dir.display());
    let options = SqliteConnectOptions::new().filename(&file).read_only(true).busy_timeout(Duration::from_secs(10));
    SqliteConnection::connect_with(&options).await.with_context(|| format!("{} cannot be opened", file.display()))
}
