//! An older ledger is copied before it becomes one of this version, and stays as it was where that fails.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use taizhang::db::upgrade;

use crate::migrations::{migrations, run};
use crate::office::Office;

const NOON: &str = "2011-09-20T12:00:00+08:00";

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).foreign_keys(true);
    SqliteConnection::connect_with(&options).await.expect("a ledger")
}

/// A ledger as an older version of the program left it, with the sample rows up to there: `data/ledger.db` in a folder.
pub async fn ledger_of_samples(version: i64) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("ledger.db");
    fill(&file, version).await;
    (dir, file)
}

async fn fill(file: &Path, version: i64) {
    let mut conn = connect(file).await;
    for (migration, samples) in migrations() {
        let number = number(&migration);
        if number <= version {
            upgrade::migrate_to(&mut conn, number).await.expect("migrated");
            run(&mut conn, &samples).await;
        }
    }
    conn.close().await.expect("closed");
}

/// `migrations/0013_seals.sql` is 13.
fn number(migration: &Path) -> i64 {
    let name = migration.file_name().expect("a name").to_string_lossy().into_owned();
    name[..4].parse().expect("a number")
}

fn versions() -> Vec<i64> {
    migrations().iter().map(|(migration, _)| number(migration)).collect()
}

fn copies(office: &Office) -> Vec<String> {
    let entries = std::fs::read_dir(office.path("data")).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("a file").file_name().into_string().expect("UTF-8")).collect();
    names.retain(|name| name.starts_with("ledger.before") || name.contains("rehearsal") || name.ends_with(".part"));
    names.sort();
    names
}

async fn texts(file: &Path, sql: &str) -> Vec<String> {
    let mut conn = connect(file).await;
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut conn).await.expect("rows")
}

#[tokio::test]
async fn a_ledger_of_each_older_version_is_upgraded_and_kept_as_it_was() {
    // What was found against the ledger is derived anew by the first command.
    const ROWS: &str = "SELECT digest || coalesce(disposition, '') FROM message UNION ALL SELECT record FROM line
                        UNION ALL SELECT record FROM entry UNION ALL SELECT text FROM finding WHERE origin = 'sheet'
                        UNION ALL SELECT reason FROM decision";
    for version in versions().into_iter().filter(|v| *v < upgrade::newest()) {
        let office = Office::open();
        std::fs::create_dir(office.path("data")).expect("a folder");
        let file = office.path("data/ledger.db");
        fill(&file, version).await;
        let before = texts(&file, ROWS).await;
        let ran = office.run(NOON, &["messages"]);
        assert_eq!(ran.code, Some(0), "from {version}: {ran:?}");
        let copy = format!("ledger.before-{:04}.db", upgrade::newest());
        assert_eq!(copies(&office), std::slice::from_ref(&copy), "from {version}");
        assert_eq!(texts(&file, ROWS).await, before, "from {version}");
        assert_eq!(texts(&office.path("data").join(&copy), ROWS).await, before, "the copy from {version}");
        let known = "SELECT max(version) || '' FROM _sqlx_migrations";
        assert_eq!(texts(&office.path("data").join(&copy), known).await, [version.to_string()]);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(office.path("data").join(&copy)).expect("a copy").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        // All of it was sealed: what verify misses is the mail itself, which the samples have not.
        let report = office.json("", &["verify", "--quick"]);
        assert_eq!((&report["broken"]["total"], &report["database"]), (&0.into(), &serde_json::json!([])), "{report}");
        assert!(report["seals"].as_i64() > Some(5), "{report}");
        assert_eq!(office.run(NOON, &["messages"]).code, Some(0));
        assert_eq!(copies(&office), [copy], "nothing is copied where nothing is upgraded");
    }
}

#[tokio::test]
async fn an_upgrade_that_fails_on_the_copy_leaves_the_ledger_alone() {
    let office = Office::open();
    std::fs::create_dir(office.path("data")).expect("a folder");
    let file = office.path("data/ledger.db");
    fill(&file, 1).await;
    // A row that points nowhere: the migrations run, and the check afterwards finds it.
    let mut conn = connect(&file).await;
    for sql in ["PRAGMA foreign_keys = OFF", "UPDATE figure SET line = 4711"] {
        sqlx::query(sql).execute(&mut conn).await.expect("spoilt");
    }
    conn.close().await.expect("closed");
    let before = std::fs::read(&file).expect("the ledger");
    let ran = office.run(NOON, &["status"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for words in ["was tried on a copy of", "the ledger is as it was", "figure points to nothing in line"] {
        assert!(ran.stderr.contains(words), "no {words:?} in {}", ran.stderr);
    }
    assert!(std::fs::read(&file).expect("the ledger") == before, "the ledger was touched");
    assert!(!copies(&office).iter().any(|name| name.contains("rehearsal")), "{:?}", copies(&office));
}

#[tokio::test]
async fn two_copies_are_kept() {
    let office = Office::open();
    std::fs::create_dir(office.path("data")).expect("a folder");
    fill(&office.path("data/ledger.db"), 1).await;
    for old in ["0002", "0003", "0004"] {
        std::fs::write(office.path(&format!("data/ledger.before-{old}.db")), "old").expect("a file");
    }
    assert_eq!(office.run(NOON, &["messages"]).code, Some(0));
    assert_eq!(
        copies(&office),
        ["ledger.before-0004.db".to_owned(), format!("ledger.before-{:04}.db", upgrade::newest())]
    );
}
