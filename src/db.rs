//! The database: one SQLite file in WAL mode, one writing connection, migrations on opening, a seal on all that is written.

pub mod seal;
pub mod sealed;
mod snapshot;
mod tx;
pub mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Executor as _, SqlitePool};

use crate::clock::Clock;
use seal::Basis;
pub use snapshot::{reader, snapshot};
pub use tx::Tx;

/// The folder that holds everything: `ledger.db` and `mail/`.
#[derive(Clone, Debug)]
pub struct Db {
    pool: SqlitePool,
    dir: PathBuf,
    /// What seals say that the ledger was written by; `None` where nothing is sealed.
    basis: Option<Arc<Basis>>,
}

impl Db {
    /// Opens (and creates or migrates) the ledger in `dir`.
    ///
    /// # Errors
    /// The folder or file cannot be used, or a newer version of the program has written it.
    pub async fn open(dir: &Path) -> Result<Self> {
        Self::open_by(dir, Basis::program()).await
    }

    /// The same, with the settings that the ledger is written by.
    pub async fn open_by(dir: &Path, basis: Basis) -> Result<Self> {
        private_dir(dir).with_context(|| format!("data_dir {} cannot be created", dir.display()))?;
        let file = dir.join("ledger.db");
        private_file(&file).with_context(|| format!("{} cannot be opened for writing", file.display()))?;
        let turn = turn(dir).await.with_context(|| format!("data_dir {} cannot be written", dir.display()))?;
        upgrade::upgrade(&file).await?;
        let options = options(&file).synchronous(SqliteSynchronous::Full);
        // One connection: SQLite has one writer, and a second one here could only wait for the first.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .after_connect(|conn, _| Box::pin(async move { conn.execute(seal::triggers()).await.map(drop) }))
            .connect_with(options)
            .await
            .with_context(|| format!("{} cannot be opened", file.display()))?;
        let db = Self { pool, dir: dir.to_owned(), basis: Some(Arc::new(basis)) };
        db.seal_what_is_not().await?;
        drop(turn);
        Ok(db)
    }

    /// An empty ledger for trying something out: without seals, and lost if the power goes.
    pub async fn scratch(dir: &Path) -> Result<Self> {
        let file = dir.join("ledger.db");
        private_file(&file)?;
        upgrade::upgrade(&file).await?;
        let options = options(&file).synchronous(SqliteSynchronous::Off);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self { pool, dir: dir.to_owned(), basis: None })
    }

    /// An empty ledger in memory, whose stored mail lies in `dir`. It ends with the value.
    ///
    /// # Errors
    /// SQLite fails.
    pub async fn in_memory(dir: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            // Its rows are another ledger's, where they were checked.
            .foreign_keys(false)
            .pragma("temp_store", "MEMORY");
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect_with(options).await.context("no database can be made in memory")?;
        migrate(&pool).await.context("no ledger can be made in memory")?;
        Ok(Self { pool, dir: dir.to_owned(), basis: None })
    }

    /// The folder of the ledger and the stored mail.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// For reading, and for writing what no seal covers ([`sealed::UNSEALED`]).
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// A write transaction. IMMEDIATE, because a deferred one that first reads can fail halfway.
    pub async fn begin(&self) -> Result<Tx> {
        let tx = self.pool.begin_with("BEGIN IMMEDIATE").await.context("the ledger is locked or cannot be written")?;
        Ok(Tx::new(tx, self.basis.clone()))
    }

    /// After an upgrade: what this program seals in another way than the one before, or not at all yet.
    async fn seal_what_is_not(&self) -> Result<()> {
        let Some(basis) = &self.basis else { return Ok(()) };
        if seal::is_current(&mut *self.pool.acquire().await?).await? {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let sealed = seal::renew(&mut tx, basis, Clock::System.now()).await?;
        tx.commit().await?;
        if sealed > 0 {
            tracing::info!(sealed, "everything that is stored was sealed, as it is now");
        }
        Ok(())
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
}

/// The schema's history: version, name, SQL. Listed here and not found by `sqlx::migrate!`, because the macros of sqlx
/// compile SQLite a second time, for the build itself.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "ledger", include_str!("../migrations/0001_ledger.sql")),
    (2, "headings", include_str!("../migrations/0002_headings.sql")),
    (3, "bounces", include_str!("../migrations/0003_bounces.sql")),
    (4, "inquiries", include_str!("../migrations/0004_inquiries.sql")),
    (5, "documents", include_str!("../migrations/0005_documents.sql")),
    (6, "balance", include_str!("../migrations/0006_balance.sql")),
    (7, "sending", include_str!("../migrations/0007_sending.sql")),
    (8, "rulings", include_str!("../migrations/0008_rulings.sql")),
    (9, "identity", include_str!("../migrations/0009_identity.sql")),
    (10, "shared", include_str!("../migrations/0010_shared.sql")),
    (11, "waivers", include_str!("../migrations/0011_waivers.sql")),
    (12, "known", include_str!("../migrations/0012_known.sql")),
    (13, "seals", include_str!("../migrations/0013_seals.sql")),
    (14, "baseline", include_str!("../migrations/0014_baseline.sql")),
    (15, "indexes", include_str!("../migrations/0015_indexes.sql")),
];

/// Brings a database to this version's schema.
///
/// # Errors
/// A newer version wrote the database, or it cannot be written.
pub async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    upgrade::migrate_to(&mut *pool.acquire().await?, upgrade::newest()).await
}

/// Creates a folder that only its owner can enter.
pub fn private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Creates a file, if there is none, that only its owner can read.
pub fn private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file).map(drop)
}

/// Whether an error is the disk's or another process's doing, and no fault of what was to be written.
pub fn is_outage(error: &anyhow::Error) -> bool {
    // Busy, locked, read-only, disk fault, full, cannot open: the primary codes (sqlite.org/rescode.html).
    let code = |code: &str| matches!(code.parse::<i32>().map(|c| c & 0xFF), Ok(5 | 6 | 8 | 10 | 13 | 14));
    let outage = |error: &sqlx::Error| match error {
        sqlx::Error::Database(e) => e.code().is_some_and(|c| code(&c)),
        other => matches!(other, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut),
    };
    error.chain().filter_map(|e| e.downcast_ref::<sqlx::Error>()).any(outage)
}

/// Waits until nobody else creates or migrates the database: two that begin at once would both try to.
async fn turn(dir: &Path) -> std::io::Result<std::fs::File> {
    let path = dir.join("opening");
    let wait = move || {
        private_file(&path)?;
        let file = std::fs::File::options().write(true).open(path)?;
        file.lock().map(|()| file)
    };
    tokio::task::spawn_blocking(wait).await.map_err(std::io::Error::other)?
}

/// Only one process at a time takes mail and sends it (`run`, `once`, `ingest`). Commands that decide or queue something
/// do without: each is one transaction, and a daemon must not keep people from deciding. Released on drop.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

impl Lock {
    /// # Errors
    /// Another process holds it.
    pub fn acquire(dir: &Path) -> Result<Self> {
        private_dir(dir)?;
        let path = dir.join("lock");
        private_file(&path)?;
        let file = std::fs::File::options().write(true).open(&path)?;
        file.try_lock().map_err(|_| {
            anyhow::anyhow!("another taizhang takes and sends the mail of {}; stop it first", dir.display())
        })?;
        Ok(Self { _file: file })
    }
}
