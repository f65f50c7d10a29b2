//! Seals: SHA-256 over what is stored of each subject, kept in the transaction that writes it.
//!
//! Triggers of our own connection note in a temporary table which subjects were touched; [`Tx::commit`](super::Tx) seals
//! these. Since the triggers are temporary, what any other tool changes is not noted: its seal does not match any more.
//! A seal shows damage, not intent: whoever can write the file can also write seals. And a subject that we write again is
//! sealed as it is then, with what was changed in it before; so the seals are looked at each night.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::Result;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Decode, Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _};

use super::sealed::{SEALED, Sealed};
use crate::config::Config;

/// Joins the parts of a key.
pub const JOINT: char = '\u{1f}';

/// By what the ledger was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Version of the program.
    pub program: String,
    /// SHA-256 of the form files, the registry and the settings; empty where none were at hand.
    pub forms: String,
    pub registry: String,
    pub settings: String,
}

impl Basis {
    /// This program without any settings.
    pub fn program() -> Self {
        Self { program: env!("CARGO_PKG_VERSION").to_owned(), ..Self::default() }
    }

    /// This program with these settings.
    pub fn of(config: &Config) -> Self {
        let [forms, registry, settings] = config.sources.digests();
        Self { forms, registry, settings, ..Self::program() }
    }

    /// What of it is another in `other`.
    pub fn differs(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("program", self.program != other.program),
            ("forms", self.forms != other.forms),
            ("registry", self.registry != other.registry),
            ("settings", self.settings != other.settings),
        ];
        parts.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

/// What a seal is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    pub kind: String,
    /// Parts joined by [`JOINT`].
    pub key: String,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.key.replace(JOINT, " "))
    }
}

/// One kind's tables, and the kinds in order.
fn tables(kind: &str) -> impl Iterator<Item = &'static Sealed> + '_ {
    SEALED.iter().filter(move |s| s.kind == kind)
}

pub fn kinds() -> BTreeSet<&'static str> {
    SEALED.iter().map(|s| s.kind).collect()
}

/// What has to be run on each connection that writes, once the schema is there.
pub fn triggers() -> &'static str {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let mut sql = "CREATE TEMP TABLE touched (kind TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (kind, key)) \
                       WITHOUT ROWID;\n"
            .to_owned();
        for (i, Sealed { kind, table, columns, subject, .. }) in SEALED.iter().enumerate() {
            // `OR IGNORE` would give way to the conflict clause of the statement that fires the trigger.
            let note = |row: &str| {
                let key = subject.replace("{r}", row);
                format!(
                    "INSERT INTO touched SELECT '{kind}', k FROM (SELECT {key} AS k) WHERE k IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM touched WHERE kind = '{kind}' AND key = CAST(k AS TEXT));"
                )
            };
            let (new, old) = (note("NEW"), note("OLD"));
            let on = |event: &str, body: &str| {
                let name = event.split(' ').next().unwrap_or_default();
                format!("CREATE TEMP TRIGGER seal_{i}_{name} AFTER {event} ON main.{table} BEGIN {body} END;\n")
            };
            sql += &on("INSERT", &new);
            sql += &on("DELETE", &old);
            sql += &on(&format!("UPDATE OF {columns}"), &(old + &new));
        }
        sql
    });
    &SQL
}

/// The digest of what is stored of a subject; `None` for nothing at all.
///
/// Canonical form: of each table its name and columns, then row by row each value with its type and length.
pub async fn digest(conn: &mut SqliteConnection, subject: &Subject) -> Result<Option<String>> {
    let mut hash = Sha256::new();
    let mut rows = 0_u64;
    let (first, second) = subject.key.split_once(JOINT).unwrap_or((&subject.key, ""));
    for sealed in tables(&subject.kind) {
        hash.update(format!("\n{} {}\n", sealed.table, sealed.columns));
        let columns: Vec<String> = sealed.columns.split(", ").map(|c| format!("r.{c}")).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), sealed.rows);
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(first);
        if sealed.rows.contains("?2") {
            query = query.bind(second);
        }
        let mut stored = query.fetch(&mut *conn);
        while let Some(row) = stored.try_next().await? {
            add(&mut hash, &row)?;
            rows += 1;
        }
    }
    let hex = || hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok((rows > 0).then(hex))
}

fn add(hash: &mut Sha256, row: &SqliteRow) -> Result<()> {
    for i in 0..row.len() {
        let value = row.try_get_raw(i)?;
        if value.is_null() {
            hash.update(b"n");
            continue;
        }
        let integer = value.type_info().name() == "INTEGER";
        if integer {
            let number = <i64 as Decode<Sqlite>>::decode(value).map_err(sqlx::Error::Decode)?;
            hash.update(b"i");
            hash.update(number.to_le_bytes());
        } else {
            let bytes = <&[u8] as Decode<Sqlite>>::decode(value).map_err(sqlx::Error::Decode)?;
            hash.update(b"t");
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
    hash.update(b"\n");
    Ok(())
}

/// Seals what was touched on this connection, inside its transaction.
pub async fn touched(conn: &mut SqliteConnection, basis: &Basis, now: DateTime<Utc>) -> Result<()> {
    let any = sqlx::query("SELECT 1 FROM temp.touched LIMIT 1").fetch_optional(&mut *conn).await?;
    if any.is_none() {
        return Ok(());
    }
    // A new one is itself sealed.
    let basis = row_of(conn, basis).await?;
    let touched: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, key FROM temp.touched").fetch_all(&mut *conn).await?;
    for (kind, key) in touched {
        seal(conn, &Subject { kind, key }, (basis, now)).await?;
    }
    sqlx::query("DELETE FROM temp.touched").execute(conn).await?;
    Ok(())
}

/// Seals one subject as it is now; of one that is gone, the seal goes too.
async fn seal(conn: &mut SqliteConnection, subject: &Subject, (basis, now): (i64, DateTime<Utc>)) -> Result<()> {
    let Some(digest) = digest(conn, subject).await? else {
        let delete = sqlx::query("DELETE FROM seal WHERE kind = ? AND key = ?");
        delete.bind(&subject.kind).bind(&subject.key).execute(conn).await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO seal (kind, key, digest, at, basis) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, key)
         DO UPDATE SET digest = excluded.digest, at = excluded.at, basis = excluded.basis",
    )
    .bind(&subject.kind)
    .bind(&subject.key)
    .bind(digest)
    .bind(now)
    .bind(basis)
    .execute(conn)
    .await?;
    Ok(())
}

async fn row_of(conn: &mut SqliteConnection, basis: &Basis) -> Result<i64> {
    let insert = "INSERT INTO basis (program, forms, registry, settings) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let find = "SELECT id FROM basis WHERE program = ? AND forms = ? AND registry = ? AND settings = ?";
    let Basis { program, forms, registry, settings } = basis;
    let insert = sqlx::query(insert).bind(program).bind(forms).bind(registry).bind(settings);
    insert.execute(&mut *conn).await?;
    let find = sqlx::query_scalar(find).bind(program).bind(forms).bind(registry).bind(settings);
    Ok(find.fetch_one(conn).await?)
}

/// By what a subject was sealed.
pub async fn basis_of(conn: &mut SqliteConnection, subject: &Subject) -> Result<Option<(Basis, DateTime<Utc>)>> {
    let row: Option<(String, String, String, String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT b.program, b.forms, b.registry, b.settings, s.at FROM seal s JOIN basis b ON b.id = s.basis
         WHERE s.kind = ? AND s.key = ?",
    )
    .bind(&subject.kind)
    .bind(&subject.key)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(program, forms, registry, settings, at)| (Basis { program, forms, registry, settings }, at)))
}

/// SQL: the keys of all subjects of a kind.
fn subjects(kind: &str) -> String {
    let all: Vec<String> = tables(kind)
        .map(|s| format!("SELECT CAST({} AS TEXT) AS key FROM {} r", s.subject.replace("{r}", "r"), s.table))
        .collect();
    format!("SELECT key FROM ({}) WHERE key IS NOT NULL", all.join(" UNION "))
}

/// What covers the ledger, as far as this program knows: another list of tables needs other seals.
fn scheme(kind: &str) -> String {
    let text: String = tables(kind).map(|s| format!("{} {} {} {}\n", s.table, s.columns, s.subject, s.rows)).collect();
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

/// How each kind was sealed last.
async fn schemes(conn: &mut SqliteConnection) -> Result<BTreeMap<String, String>> {
    let known = "SELECT key, value FROM state WHERE key LIKE 'sealed %'";
    Ok(sqlx::query_as(known).fetch_all(conn).await?.into_iter().collect())
}

/// Whether every kind is sealed in this program's way.
pub async fn is_current(conn: &mut SqliteConnection) -> Result<bool> {
    let known = schemes(conn).await?;
    Ok(kinds().into_iter().all(|kind| known.get(&format!("sealed {kind}")) == Some(&scheme(kind))))
}

/// Seals the kinds that were sealed in another way, or never: after an upgrade. Returns how many subjects.
pub async fn renew(conn: &mut SqliteConnection, basis: &Basis, now: DateTime<Utc>) -> Result<usize> {
    let (mut sealed, known) = (0, schemes(conn).await?);
    for kind in kinds() {
        let (name, scheme) = (format!("sealed {kind}"), scheme(kind));
        if known.get(&name) == Some(&scheme) {
            continue;
        }
        sqlx::query("DELETE FROM seal WHERE kind = ?").bind(kind).execute(&mut *conn).await?;
        let basis = row_of(conn, basis).await?;
        let keys: Vec<String> = sqlx::query_scalar(AssertSqlSafe(subjects(kind))).fetch_all(&mut *conn).await?;
        sealed += keys.len();
        for key in keys {
            seal(conn, &Subject { kind: kind.to_owned(), key }, (basis, now)).await?;
        }
        let note =
            "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        sqlx::query(note).bind(name).bind(scheme).execute(&mut *conn).await?;
    }
    Ok(sealed)
}

/// How a subject fails its seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Broken {
    /// It is not what was sealed.
    Changed,
    /// There is a seal, and nothing under it.
    Gone,
    /// It has no seal: something else has added it.
    Unsealed,
}

/// Checks every seal of a kind against what is stored, and tells of each that does not hold. Returns how many there are.
pub async fn check(conn: &mut SqliteConnection, kind: &str, mut told: impl FnMut(Subject, Broken)) -> Result<usize> {
    let seals: Vec<(String, String)> = sqlx::query_as("SELECT key, digest FROM seal WHERE kind = ? ORDER BY key")
        .bind(kind)
        .fetch_all(&mut *conn)
        .await?;
    let count = seals.len();
    for (key, sealed) in seals {
        let subject = Subject { kind: kind.to_owned(), key };
        match digest(conn, &subject).await? {
            Some(digest) if digest == sealed => {}
            Some(_) => told(subject, Broken::Changed),
            None => told(subject, Broken::Gone),
        }
    }
    let unsealed = format!("{} EXCEPT SELECT key FROM seal WHERE kind = '{kind}'", subjects(kind));
    let unsealed: Vec<String> = sqlx::query_scalar(AssertSqlSafe(unsealed)).fetch_all(conn).await?;
    unsealed.into_iter().for_each(|key| told(Subject { kind: kind.to_owned(), key }, Broken::Unsealed));
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::fixture::{self, at};
    use crate::ledger::store::{self, Decision};

    async fn broken(db: &Db) -> Vec<(String, Broken)> {
        let (mut conn, mut broken) = (db.pool().acquire().await.unwrap(), Vec::new());
        for kind in kinds() {
            check(&mut conn, kind, |subject, how| broken.push((subject.to_string(), how))).await.unwrap();
        }
        broken
    }

    async fn seals(db: &Db) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM seal").fetch_one(db.pool()).await.unwrap()
    }

    /// Two months of a book, the second sent twice.
    async fn book() -> (tempfile::TempDir, Db) {
        let (config, (dir, db)) = (fixture::config(), fixture::ledger().await);
        let unit = config.registry.units[0].name.clone();
        for (period, when, names) in [
            ("2011-08", "2011-09-20T01:00:00Z", &["甲公司", "乙公司"][..]),
            ("2011-09", "2011-10-20T01:00:00Z", &["甲公司", "丙公司"]),
            ("2011-09", "2011-10-21T01:00:00Z", &["甲公司"]),
        ] {
            fixture::reported(&db, &config, [&unit, "nonpublic", "register", period], when, fixture::rows(names)).await;
        }
        (dir, db)
    }

    #[tokio::test]
    async fn what_is_written_in_a_transaction_is_sealed_and_what_is_undone_is_not() {
        let (_dir, db) = book().await;
        assert_eq!((broken(&db).await, seals(&db).await), (vec![], 5), "three mails, a book and the basis");
        let decide = async |db: &Db| {
            let mut tx = db.begin().await.unwrap();
            let excuse = Decision { kind: "excuse", who: "operator", ..Decision::default() };
            store::decide(&mut tx, &excuse, at("2011-10-22T01:00:00Z")).await.unwrap();
            tx
        };
        drop(decide(&db).await);
        assert_eq!((broken(&db).await, seals(&db).await), (vec![], 5));
        decide(&db).await.commit().await.unwrap();
        assert_eq!((broken(&db).await, seals(&db).await), (vec![], 6));
        let mut tx = db.begin().await.unwrap();
        sqlx::query("DELETE FROM decision").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((broken(&db).await, seals(&db).await), (vec![], 5), "the seal goes with its subject");
    }

    #[tokio::test]
    async fn what_something_else_writes_is_told_apart_and_stays_found() {
        let (dir, db) = book().await;
        let mut other = crate::db::upgrade::connect(&dir.path().join("ledger.db")).await.unwrap();
        for sql in [
            "UPDATE entry SET name = '丁公司' WHERE name = '甲公司'",
            "INSERT INTO decision (id, at, who, kind) VALUES (7, '2011-10-22T01:00:00+00:00', 'operator', 'excuse')",
        ] {
            sqlx::query(sql).execute(&mut other).await.unwrap();
        }
        let found = broken(&db).await;
        assert_eq!((found.len(), found[0].1), (2, Broken::Changed), "{found:?}");
        assert_eq!(found[1], ("decision 7".to_owned(), Broken::Unsealed));
        drop(Db::open(dir.path()).await.unwrap());
        assert_eq!(broken(&db).await, found, "opening the ledger again seals nothing");
    }

    #[tokio::test]
    async fn another_list_of_what_is_sealed_seals_that_kind_anew() {
        let (dir, db) = book().await;
        for sql in
            ["UPDATE state SET value = 'other' WHERE key = 'sealed book'", "DELETE FROM seal WHERE kind = 'book'"]
        {
            sqlx::query(sql).execute(db.pool()).await.unwrap();
        }
        assert_eq!(broken(&db).await.len(), 1);
        let again = Db::open(dir.path()).await.unwrap();
        assert_eq!(broken(&again).await, []);
    }

    #[test]
    fn a_basis_says_what_of_it_is_another() {
        let one = Basis { forms: "a".to_owned(), ..Basis::program() };
        assert_eq!(one.differs(&one), [""; 0]);
        assert_eq!(
            one.differs(&Basis { forms: "b".to_owned(), settings: "c".to_owned(), ..one.clone() }),
            ["forms", "settings"]
        );
    }
}
