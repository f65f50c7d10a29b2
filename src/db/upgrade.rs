//! An older ledger becomes one of this version: first it is copied, then a second copy goes through the migrations and is
//! checked, and only then the ledger itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqlStr, SqliteConnection};

use super::{MIGRATIONS, private_file};

/// Copies from before an upgrade that are kept.
const KEPT: usize = 2;

/// The schema version that this program writes.
pub fn newest() -> i64 {
    MIGRATIONS.iter().map(|m| m.0).max().unwrap_or_default()
}

/// The schema version of a database; 0 for an empty one.
pub async fn version(conn: &mut SqliteConnection) -> sqlx::Result<i64> {
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    if sqlx::query_scalar::<_, i64>(table).fetch_one(&mut *conn).await? == 0 {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").fetch_one(conn).await
}

/// Runs the migrations up to and including `version` that were not run yet.
///
/// # Errors
/// A newer version wrote the database, or it cannot be written.
pub async fn migrate_to(conn: &mut SqliteConnection, version: i64) -> Result<(), MigrateError> {
    if self::version(conn).await.map_err(MigrateError::Execute)? < version {
        drop_views(conn).await.map_err(MigrateError::Execute)?;
    }
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    let wanted = MIGRATIONS.iter().copied().filter(|m| m.0 <= version);
    Migrator::with_migrations(wanted.map(migration).collect()).run(conn).await
}

/// Takes away the views for other tools; the program makes them anew. A table cannot be renamed while a view speaks of it.
async fn drop_views(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = r"SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'v\_%' ESCAPE '\'";
    for name in sqlx::query_scalar::<_, String>(sql).fetch_all(&mut *conn).await? {
        sqlx::query(AssertSqlSafe(format!("DROP VIEW \"{name}\""))).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Brings the ledger to this version's schema. One that has rows is copied and the upgrade rehearsed before. Returns
/// whether anything had to be done.
///
/// # Errors
/// A newer version wrote it; it cannot be copied; or the rehearsal failed: then it is as it was.
pub async fn upgrade(file: &Path) -> Result<bool> {
    let mut conn = connect(file).await?;
    let from = version(&mut conn).await.with_context(|| format!("{} cannot be read", file.display()))?;
    if 0 < from && from < newest() {
        let copy = copy(&mut conn, file).await?;
        let rehearsed = rehearse(&copy).await;
        rehearsed.with_context(|| {
            format!(
                "the upgrade was tried on a copy of {} and failed; the ledger is as it was: go on with the version of \
                 taizhang that wrote it",
                file.display()
            )
        })?;
        prune(file)?;
        tracing::info!(from, to = newest(), copy = %copy.display(), "the ledger is upgraded; a copy of it is kept");
    }
    migrate_to(&mut conn, newest()).await.map_err(|error| {
        let why = match &error {
            MigrateError::VersionMissing(_) => "was written by a newer version of taizhang; install that one again",
            MigrateError::VersionMismatch(_) => "was written by another version of taizhang; install that one again",
            _ => "cannot be brought up to date with this version of taizhang",
        };
        anyhow::Error::from(error).context(format!("{} {why}", file.display()))
    })?;
    conn.close().await?;
    Ok(from < newest())
}

/// A connection as the upgrade uses it: foreign keys hold, nothing is sealed.
pub async fn connect(file: &Path) -> Result<SqliteConnection> {
    let options =
        SqliteConnectOptions::new().filename(file).foreign_keys(true).busy_timeout(std::time::Duration::from_secs(10));
    SqliteConnection::connect_with(&options).await.with_context(|| format!("{} cannot be opened", file.display()))
}

/// The ledger as it is, in one file beside it: `ledger.before-0013.db`.
async fn copy(conn: &mut SqliteConnection, file: &Path) -> Result<PathBuf> {
    let target = file.with_file_name(format!("ledger.before-{:04}.db", newest()));
    let failed = || format!("{} cannot be copied before it is upgraded", file.display());
    let part = target.with_extension("part");
    copy_into(conn, &part).await.with_context(failed)?;
    std::fs::rename(&part, &target).with_context(failed)?;
    Ok(target)
}

/// Writes the database as this connection sees it into a new file that only its owner can read, synced.
pub async fn copy_into(conn: &mut SqliteConnection, target: &Path) -> Result<()> {
    if let Err(error) = std::fs::remove_file(target)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error.into());
    }
    // SQLite takes an empty file for a new one, and keeps its mode.
    private_file(target)?;
    let name = target.to_str().context("the name of the folder is not UTF-8")?;
    sqlx::query("VACUUM INTO ?").bind(name).execute(conn).await?;
    Ok(std::fs::File::open(target)?.sync_all()?)
}

/// The whole upgrade on a second copy, which is checked and thrown away.
async fn rehearse(copy: &Path) -> Result<()> {
    let file = copy.with_file_name("ledger.rehearsal.db");
    let done = try_on(copy, &file).await;
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.clone().into_os_string();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
    done
}

async fn try_on(copy: &Path, file: &Path) -> Result<()> {
    private_file(file)?;
    std::fs::copy(copy, file)?;
    let mut conn = connect(file).await?;
    let before = counts(&mut conn).await?;
    migrate_to(&mut conn, newest()).await?;
    let problems = problems(&mut conn).await?;
    ensure!(problems.is_empty(), "the copy does not hold together afterwards: {}", problems.join("; "));
    let after = counts(&mut conn).await?;
    for (table, rows) in before {
        match after.iter().find(|(name, _)| *name == table) {
            Some((_, now)) if *now < rows => bail!("the table {table} loses {} of {rows} rows", rows - now),
            _ => {}
        }
    }
    Ok(conn.close().await?)
}

async fn counts(conn: &mut SqliteConnection) -> Result<Vec<(String, i64)>> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut list = Vec::new();
    for table in sqlx::query_scalar::<_, String>(tables).fetch_all(&mut *conn).await? {
        let count = format!("SELECT count(*) FROM \"{table}\"");
        list.push((table, sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *conn).await?));
    }
    Ok(list)
}

/// What SQLite finds wrong with a database: pages, indexes, constraints, rows that point nowhere.
pub async fn problems(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    let mut problems: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)").fetch_all(&mut *conn).await?;
    problems.retain(|line| line != "ok");
    let strays: Vec<(String, Option<i64>, String, i64)> =
        sqlx::query_as("PRAGMA foreign_key_check").fetch_all(conn).await?;
    let line = |(table, row, to, _): (String, Option<i64>, String, i64)| match row {
        Some(row) => format!("row {row} of {table} points to nothing in {to}"),
        None => format!("a row of {table} points to nothing in {to}"),
    };
    problems.extend(strays.into_iter().take(20).map(line));
    Ok(problems)
}

/// Older copies than the newest ones go.
fn prune(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut copies: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    copies.retain(|path| name(path).starts_with("ledger.before-") && name(path).ends_with(".db"));
    copies.sort();
    let old = copies.len().saturating_sub(KEPT);
    for copy in &copies[..old] {
        std::fs::remove_file(copy)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Migration 8 makes `decision` anew under another name.
    #[tokio::test]
    async fn views_for_other_tools_do_not_stand_in_a_migration_s_way() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate_to(&mut conn, 7).await.unwrap();
        sqlx::query("CREATE VIEW v_decisions AS SELECT id FROM decision").execute(&mut conn).await.unwrap();
        migrate_to(&mut conn, newest()).await.unwrap();
        let views = "SELECT count(*) FROM sqlite_schema WHERE name = 'v_decisions'";
        assert_eq!(sqlx::query_scalar::<_, i64>(views).fetch_one(&mut conn).await.unwrap(), 0);
    }
}
