//! A small ledger to try jobs on: the example's settings, and returns as if mail had brought them.

use std::path::Path;

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use crate::config::{Config, load};
use crate::db::Db;
use crate::form::{Datum, Record};
use crate::ledger::store::Sighting;
use crate::ledger::{mailstore, rebuild, store};
use crate::outbox;
use crate::submission::{Disposition, Fate, Head, Row, Submission, Verdict};

/// The example's settings, with its four units; nothing is connected to.
pub fn config() -> Config {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let text = std::fs::read_to_string(dir.join("taizhang.example.toml")).unwrap();
    load::parse(&dir.join("taizhang.toml"), &text).unwrap()
}

/// An empty ledger; it lasts as long as its folder.
pub async fn ledger() -> (TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path()).await.unwrap();
    (dir, db)
}

pub fn at(rfc3339: &str) -> DateTime<Utc> {
    rfc3339.parse().unwrap()
}

/// A book's rows; a name that ends in `!` has an error that withholds it.
pub fn rows(names: &[&str]) -> Vec<Row> {
    let row = |name: &&str| {
        let values = [("name".to_owned(), Datum::Text(name.trim_end_matches('!').to_owned()))].into();
        let record = Record { sheet: "台账".to_owned(), row: 5, values, ..Record::default() };
        Row { sheet: "台账".to_owned(), record, admitted: !name.ends_with('!') }
    };
    names.iter().map(row).collect()
}

/// One form of a unit's stream, accepted at once when it came. Returns its message.
pub async fn reported(db: &Db, config: &Config, of: [&str; 4], when: &str, rows: Vec<Row>) -> i64 {
    let [unit, stream, form, period] = of;
    let mut verdict = Verdict::plain(Disposition::Accepted, "");
    verdict.submissions.push(Submission {
        unit: Some(unit.to_owned()),
        stream: Some(stream.to_owned()),
        form: form.to_owned(),
        period: Some(period.parse().unwrap()),
        fate: Fate::Accepted,
        file: "报表.xlsx".to_owned(),
        digest: String::new(),
        sheet: "台账".to_owned(),
        columns: Default::default(),
        rows,
        findings: Vec::new(),
        doubts: Vec::new(),
    });
    let id = came(db, &verdict, when, when).await;
    let mut tx = db.begin().await.unwrap();
    rebuild::unit_stream(&mut tx, &config.campaign, unit, stream).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Everything that is owed for a period.
pub async fn all_reported(db: &Db, config: &Config, period: &str, when: &str) {
    for unit in &config.registry.units {
        for stream in &unit.streams {
            for form in &config.campaign.forms {
                reported(db, config, [&unit.name, stream, &form.key, period], when, rows(&["甲公司"])).await;
            }
        }
    }
}

/// A message that was received and, perhaps later, assessed.
pub async fn came(db: &Db, verdict: &Verdict, received: &str, assessed: &str) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM message").fetch_one(&mut *tx).await.unwrap();
    let raw = format!("From: <someone@office.test>\r\nSubject: {count}\r\n\r\n{count}\r\n");
    let digest = mailstore::put(db.dir(), raw.as_bytes()).unwrap();
    let received_at = at(received);
    let seen = Sighting { mailbox: "nonpublic", locator: &digest, digest: &digest, size: 1, received_at };
    let id = store::take(&mut tx, &seen, at(received)).await.unwrap();
    let head = Head { from: Some("someone@office.test".to_owned()), subject: digest.clone(), ..Head::default() };
    store::record(&mut tx, id, &head, verdict, at(assessed)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// A mail of ours to an address; returns its row. Its Message-ID and subject are made of these.
pub async fn sent(conn: &mut sqlx::SqliteConnection, recipient: &str, when: &str) -> i64 {
    let message_id = format!("{when}.{recipient}");
    let mail = outbox::store::Queued {
        kind: outbox::Kind::Reminder,
        recipient,
        message_id: &message_id,
        subject: "催报：还缺8月报表",
        raw: b"raw",
        answers: None,
        unit: None,
        period: None,
    };
    assert!(outbox::store::enqueue(conn, &mail, at(when)).await.unwrap());
    sqlx::query_scalar("SELECT max(id) FROM outbox").fetch_one(conn).await.unwrap()
}

/// Mails that wait to be sent, and those that were given up.
pub async fn queued(db: &Db) -> (u32, u32) {
    let counts = outbox::store::counts(&mut db.pool().acquire().await.unwrap()).await.unwrap();
    (counts.queued, counts.failed)
}
