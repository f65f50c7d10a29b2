//! The work for one mail is in proportion to it and to its unit's books, not to the ledger: no statement walks through
//! a table that grows with the ledger, and no other unit's rows are touched.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::ThreadId;

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use taizhang::config::load;
use taizhang::db::Db;
use taizhang::demo::district::{GBK, MAILBOXES, NONPUBLIC, TIDY, UNITS};
use taizhang::demo::mime::Trace;
use taizhang::jobs::process::{Answers, Clerk};
use taizhang::ledger::store::Sighting;
use taizhang::ledger::{mailstore, query, store};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::office::Office;
use crate::office::letter::{Letter, tidy, time, workbook};

/// Tables that grow with every month.
const GROWING: [&str; 10] =
    ["message", "sighting", "document", "submission", "line", "figure", "entry", "entry_version", "finding", "outbox"];

/// Every statement that sqlx runs, by the thread of its connection.
static STATEMENTS: OnceLock<Mutex<Vec<(ThreadId, String)>>> = OnceLock::new();

struct Listener;

struct Statement(String);

impl Visit for Statement {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "db.statement" || field.name() == "summary" && self.0.is_empty() {
            self.0 = format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "db.statement" if !value.is_empty() => self.0 = value.to_owned(),
            "summary" if self.0.is_empty() => self.0 = value.to_owned(),
            _ => {}
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement(String::new());
        event.record(&mut statement);
        let list = STATEMENTS.get_or_init(Mutex::default);
        list.lock().expect("nobody panicked").push((std::thread::current().id(), statement.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What the connection ran since the last call, each statement once.
async fn ran(conn: &mut SqliteConnection) -> BTreeSet<String> {
    const MARK: &str = "SELECT 'the end of what is looked at'";
    sqlx::query(MARK).fetch_all(conn).await.expect("a mark");
    let mut list = STATEMENTS.get_or_init(Mutex::default).lock().expect("nobody panicked");
    let thread = list.iter().rev().find(|(_, sql)| sql.contains("the end of what is looked at")).expect("the mark").0;
    let mine = list.iter().filter(|(t, sql)| *t == thread && !sql.contains("the end of what is looked at"));
    let mine = mine.map(|(_, sql)| sql.clone()).collect();
    list.clear();
    mine
}

/// The steps of a statement's plan that read a growing table from end to end.
async fn scans(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let verb = sql.trim_start().split(' ').next().unwrap_or_default().trim().to_uppercase();
    if !["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].iter().any(|v| verb.starts_with(v)) {
        return Vec::new();
    }
    let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(conn).await;
    let steps = plan.unwrap_or_else(|e| panic!("{sql}: {e}")).into_iter().map(|row| row.get::<String, _>(3));
    steps.filter(|step| step.starts_with("SCAN") && GROWING.iter().any(|t| walks(sql, step, t))).collect()
}

/// Whether a step's table, which may go by an alias, is this one.
fn walks(sql: &str, step: &str, table: &str) -> bool {
    let Some(name) = step.split(' ').nth(1) else { return false };
    let words: Vec<&str> =
        sql.split(|c: char| c.is_whitespace() || ",()".contains(c)).filter(|w| !w.is_empty()).collect();
    name == table || words.windows(2).any(|w| w == [table, name]) || words.windows(3).any(|w| w == [table, "AS", name])
}

#[tokio::test]
async fn the_work_for_one_mail_walks_through_no_table_and_touches_no_other_unit() {
    tracing::subscriber::set_global_default(Listener).expect("no other subscriber in this program");
    let office = Office::open_with(|config| config + "\n[limits]\nisolate = false\n");
    for (unit, at) in [(TIDY, "2011-09-20T09:10:00+08:00"), (GBK, "2011-09-20T09:20:00+08:00")] {
        let month = tidy(unit, NONPUBLIC, "2011-08");
        office.post(&Letter::new(
            unit,
            NONPUBLIC,
            at,
            vec![workbook("8月.xlsx", &[month.progress(), month.register()])],
        ));
    }
    office.once("2011-09-20T12:00:00+08:00");

    let path = office.path("taizhang.toml");
    let config = load::parse(&path, &std::fs::read_to_string(&path).expect("settings")).expect("settings");
    let config = Arc::new(config);
    let db = Db::open(&office.path("data")).await.expect("the ledger");
    let month = tidy(TIDY, NONPUBLIC, "2011-09");
    let letter = Letter::new(
        TIDY,
        NONPUBLIC,
        "2011-10-20T09:10:00+08:00",
        vec![workbook("9月.xlsx", &[month.progress(), month.register()])],
    );
    let trace = Trace {
        authserv_id: MAILBOXES[NONPUBLIC].authserv_id,
        recipient: MAILBOXES[NONPUBLIC].address,
        pass: true,
        null_sender: false,
    };
    let raw = letter.with_mail(|mail| mail.deliver(&trace));
    let digest = mailstore::put(db.dir(), &raw).expect("stored");
    let now = time("2011-10-20T12:00:00+08:00").to_utc();
    let seen =
        Sighting { mailbox: "nonpublic", locator: "1:1", digest: &digest, size: raw.len() as u64, received_at: now };
    let mut tx = db.begin().await.expect("a transaction");
    let id = store::take(&mut tx, &seen, now).await.expect("taken");
    tx.commit().await.expect("committed");

    let mut conn = db.pool().acquire().await.expect("it");
    let others = rows_of_others(&mut conn).await;
    ran(&mut conn).await;
    drop(conn);
    Clerk::new(&db, &config, Answers::Send).process(id, now).await.expect("processed");
    let mut conn = db.pool().acquire().await.expect("it");
    let merging = ran(&mut conn).await;
    assert!(merging.len() > 30, "{merging:#?}");
    assert_eq!(rows_of_others(&mut conn).await, others);
    ran(&mut conn).await;

    let period = "2011-08".parse().expect("a period");
    query::obligations(&mut conn, &config, period, now).await.expect("status");
    query::figures(&mut conn, Some(period)).await.expect("figures");
    let reading = ran(&mut conn).await;
    let mut found = Vec::new();
    for sql in merging.iter().chain(&reading) {
        for step in scans(&mut conn, sql).await {
            found.push(format!("{step}: {sql}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Numbers of all rows that are about other units: what is made anew gets a new one.
async fn rows_of_others(conn: &mut SqliteConnection) -> Vec<String> {
    let mut list = Vec::new();
    for (table, of) in [
        ("submission", "SELECT id FROM submission WHERE unit <> ?"),
        ("entry", "SELECT id FROM entry WHERE unit <> ?"),
        ("entry_version", "SELECT v.entry FROM entry_version v JOIN entry e ON e.id = v.entry WHERE e.unit <> ?"),
        ("figure", "SELECT line FROM figure WHERE unit <> ?"),
        ("finding", "SELECT f.id FROM finding f JOIN submission s ON s.id = f.submission WHERE s.unit <> ?"),
    ] {
        let rows = sqlx::query(of).bind(UNITS[TIDY].name).fetch_all(&mut *conn).await.expect("rows");
        list.extend(rows.iter().map(|row| format!("{table} {}", row.get::<i64, _>(0))));
        assert!(!rows.is_empty() || table == "finding", "{table}: another unit has rows");
    }
    list
}
