//! Every migration applies to an empty ledger and to one with rows in it; a newer ledger is left alone.
//!
//! Each migration brings sample rows (`samples/` beside this file, under the migration's own name), written for the
//! schema that it leaves behind. The next one has to apply to them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

use crate::office::Office;

const NOON: &str = "2011-09-20T12:00:00+08:00";

/// The migrations in order, with their sample rows.
pub fn migrations() -> Vec<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root.join("migrations")).expect("migrations");
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a file").path()).collect();
    files.sort();
    let samples = |file: &PathBuf| root.join("tests/pipeline/samples").join(file.file_name().expect("a name"));
    files.into_iter().map(|file| (samples(&file), file)).map(|(samples, file)| (file, samples)).collect()
}

/// Runs the SQL of a file.
pub async fn run(conn: &mut SqliteConnection, file: &Path) {
    let sql = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await;
    ran.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}

async fn empty() -> SqliteConnection {
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    SqliteConnection::connect_with(&options).await.expect("a database")
}

async fn texts(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(conn).await.expect("rows");
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
                      AND name NOT LIKE '_sqlx%' ORDER BY name";

#[tokio::test]
async fn every_migration_applies_to_an_empty_ledger_and_to_sample_rows() {
    let (mut bare, mut filled) = (empty().await, empty().await);
    for (migration, samples) in migrations() {
        run(&mut bare, &migration).await;
        run(&mut filled, &migration).await;
        run(&mut filled, &samples).await;
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut filled).await.expect("a check");
        assert!(broken.is_empty(), "{}: rows point nowhere", samples.display());
    }
    for table in texts(&mut filled, TABLES).await {
        let count = sqlx::query_scalar::<_, i64>(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        assert!(count.fetch_one(&mut filled).await.expect("a count") > 0, "no sample row for {table}");
    }
    assert_eq!(texts(&mut filled, "PRAGMA integrity_check").await, ["ok"]);
}

/// What the program does is what the files say.
#[tokio::test]
async fn the_program_makes_the_schema_of_the_files_and_again_changes_nothing() {
    const SCHEMA: &str = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '_sqlx%' ORDER BY name";
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.expect("a database");
    let mut by_hand = empty().await;
    for (migration, _) in migrations() {
        run(&mut by_hand, &migration).await;
    }
    for _ in 0..2 {
        taizhang::db::migrate(&pool).await.expect("migrated");
        let schema = texts(&mut pool.acquire().await.expect("it"), SCHEMA).await;
        assert_eq!(schema, texts(&mut by_hand, SCHEMA).await);
    }
    let sql = schema_without_comments(&texts(&mut by_hand, SCHEMA).await);
    let lax: BTreeSet<&String> =
        sql.iter().filter(|s| s.starts_with("CREATE TABLE") && !s.contains("STRICT")).collect();
    assert!(lax.is_empty(), "tables that are not STRICT: {lax:?}");
}

fn schema_without_comments(schema: &[String]) -> Vec<String> {
    let bare = |sql: &String| sql.lines().map(|l| l.split("--").next().unwrap_or_default()).collect::<String>();
    schema.iter().map(bare).collect()
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_refused_and_left_alone() {
    let office = Office::open();
    office.once(NOON);
    let url = format!("sqlite://{}", office.path("data/ledger.db").display());
    let mut conn = SqliteConnection::connect(&url).await.expect("the ledger");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut conn).await.expect("a row");
    for args in [&["once"][..], &["status"], &["run"]] {
        let ran = office.run(NOON, args);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("ledger.db was written by a newer version of taizhang"), "{}", ran.stderr);
    }
    let left = texts(&mut conn, "SELECT description FROM _sqlx_migrations ORDER BY version DESC LIMIT 1").await;
    assert_eq!(left, ["from the future"]);
}

#[test]
fn several_commands_can_open_a_new_ledger_at_once() {
    let office = Office::open();
    let piped = || std::process::Stdio::piped();
    let start = || office.command(NOON, &["messages"]).stdout(piped()).stderr(piped()).spawn().expect("the program");
    let children: Vec<_> = (0..6).map(|_| start()).collect();
    for child in children {
        let ran = crate::office::Ran::of(child.wait_with_output().expect("its end"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}
