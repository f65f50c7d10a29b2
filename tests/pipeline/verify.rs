//! What is stored can be proved: a changed byte is found wherever it is, and everything is read again to the same ledger.

use std::path::PathBuf;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use taizhang::db::seal::{self, Broken, Subject};
use taizhang::db::sealed::{SEALED, UNSEALED};
use taizhang::demo::district::{GBK, MAILBOXES, MESSY, NONPUBLIC, SILENT, SOCIAL, TIDY, UNITS};
use taizhang::demo::mime::File;

use crate::office::letter::{Letter, tidy, time};
use crate::office::reply::Reply;
use crate::office::{Office, Ran};
use crate::upgrade::ledger_of_samples;

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const LATER: &str = "2011-09-20T14:00:00+08:00";
const AFTERNOON: &str = "2011-09-20T15:00:00+08:00";
const EVENING: &str = "2011-09-20T18:00:00+08:00";

const STRANGER: &str = "xiaowang77@duckmail.example";
const CLERK: &str = UNITS[TIDY].addresses[0];

/// Figures with a heading that nobody listed.
fn figures(unit: usize, heading: &str) -> Letter {
    let text = format!(
        "非公有制企业活动进展情况统计表（2011年8月）\n\
         序号,单位,组织总数,{heading},已转组织关系,未转组织关系,党组织总数,单独组建,联合组建,本月新建党组织,累计新建党组织,\
         党组织覆盖组织数,指导员累计,工作覆盖组织数\n\
         1,{},9,5,5,0,2,1,1,0,7,3,8,5\n",
        UNITS[unit].name
    );
    let file = File { name: "8月统计表.csv".to_owned(), media_type: "text/csv", bytes: text.into_bytes() };
    Letter::new(unit, NONPUBLIC, MORNING, vec![file])
}

fn quietly(office: &Office, at: &str, args: &[&str]) -> Ran {
    let ran = office.run(at, args);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    ran
}

/// A ledger to which people, and a unit by mail, have added their word: a stranger's return that its unit said is its own, a
/// heading that was confirmed, one that was rejected and released again, a unit that was excused.
fn office() -> Office {
    let office = Office::open();
    let two = |unit, stream| Letter::new(unit, stream, MORNING, tidy(unit, stream, "2011-08").two_files());
    let strange = Letter {
        from: STRANGER.to_owned(),
        ..Letter::new(TIDY, NONPUBLIC, MORNING, tidy(TIDY, NONPUBLIC, "2011-07").one_file())
    };
    let heading = figures(MESSY, "党员同志数");
    for letter in [&two(TIDY, NONPUBLIC), &two(GBK, SOCIAL), &strange, &heading] {
        office.post(letter);
    }
    // The same letter once more, in another mailbox.
    office.post_into(SOCIAL, &two(TIDY, NONPUBLIC));
    office.once(NOON);
    let id = office.message(&heading)["id"].to_string();
    quietly(&office, LATER, &["quarantine", "release", &id]);
    let asked = office.sent().into_iter().find(|s| s.message_id.starts_with("inquiry.")).expect("an inquiry");
    let reply = Reply::to(&asked, CLERK, AFTERNOON, "是我们报送的。确认");
    let server = MAILBOXES[NONPUBLIC].authserv_id;
    let trace = format!(
        "Return-Path: <{CLERK}>\r\nReceived: from smtp.office by {server} with ESMTP id 1; {}\r\n\
         Authentication-Results: {server}; dmarc=pass header.from={}\r\n",
        time(AFTERNOON).to_rfc2822(),
        CLERK.rsplit('@').next().expect("a domain"),
    );
    office.put(NONPUBLIC, "reply", &[trace.into_bytes(), reply.write()].concat());
    office.once(AFTERNOON);
    assert_eq!(office.message(&strange)["disposition"], "accepted");
    quietly(&office, EVENING, &["quarantine", "reject", &id, "--reason", "电话核实过"]);
    quietly(&office, EVENING, &["quarantine", "release", &id]);
    // At the same moment, on a clock that stands still.
    quietly(&office, EVENING, &["headings", "revoke", "1"]);
    quietly(&office, EVENING, &["excuse", UNITS[SILENT].name, "--period", "2011-08", "--reason", "机构撤并"]);
    office
}

fn ledger(office: &Office) -> PathBuf {
    office.path("data/ledger.db")
}

async fn connect(file: &std::path::Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.expect("the ledger")
}

/// All of it stands in `ledger.db` itself, and nothing beside it.
async fn checkpoint(office: &Office) {
    let mut conn = connect(&ledger(office)).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await.expect("written");
    conn.close().await.expect("closed");
}

/// Another tool changes the ledger.
async fn tamper(office: &Office, sql: &str) {
    let mut conn = connect(&ledger(office)).await;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await;
    assert!(done.unwrap_or_else(|e| panic!("{sql}: {e}")).rows_affected() > 0, "{sql} changes nothing");
    conn.close().await.expect("closed");
}

async fn one<T>(office: &Office, sql: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    let mut conn = connect(&ledger(office)).await;
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut conn).await.expect("a row")
}

fn broken(report: &Value) -> Vec<String> {
    let list = report["broken"]["listed"].as_array().expect("a list").iter();
    list.map(|b| format!("{} {} {}", text(&b["kind"]), text(&b["key"]).replace('\u{1f}', " "), text(&b["how"])))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn differences(report: &Value) -> Vec<Value> {
    report["reading"]["differences"]["listed"].as_array().expect("a list").clone()
}

/// The report as JSON; the exit code says the same.
fn verify(office: &Office, args: &[&str], code: i32) -> Value {
    let ran = office.run("", &[&["verify", "--json"], args].concat());
    assert_eq!(ran.code, Some(code), "{ran:?}");
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn mail_headings_decisions_and_a_units_word_read_again_come_to_the_same_ledger() {
    let office = office();
    let report = verify(&office, &[], 0);
    assert_eq!((&report["damaged"], &differences(&report)), (&json!(false), &Vec::new()));
    assert!(report["reading"]["assessments"].as_i64() > report["mails"].as_i64(), "some were assessed again: {report}");
    let shown = office.run("", &["verify"]);
    assert!(shown.stdout.contains("assessments, the same ledger"), "{shown:?}");
    assert_eq!(verify(&office, &["--quick"], 0)["reading"], Value::Null);
    assert_eq!(office.run("", &["check"]).stdout.lines().filter(|l| l.starts_with("ok    stored ledger")).count(), 1);
}

#[test]
fn every_table_is_sealed_or_has_a_reason_not_to_be() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_dir, file) = runtime.block_on(ledger_of_samples(i64::MAX));
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlx%'";
    let tables: Vec<String> = runtime
        .block_on(async { sqlx::query_scalar(tables).fetch_all(&mut connect(&file).await).await.expect("rows") });
    for table in tables {
        let (sealed, not) = (SEALED.iter().any(|s| s.table == table), UNSEALED.iter().any(|(name, _)| *name == table));
        assert!(sealed != not, "src/db/sealed.rs must list {table} once: sealed, or not and why");
    }
}

/// Each column of each sealed table, changed by itself, breaks a seal; so does each row that is added or taken away.
#[tokio::test]
async fn no_sealed_column_can_be_changed_unnoticed() {
    let (_dir, file) = ledger_of_samples(i64::MAX).await;
    let dir = file.parent().expect("a folder").to_owned();
    drop(taizhang::db::Db::open(&dir).await.expect("sealed"));
    let mut conn = connect(&file).await;
    sqlx::query("PRAGMA ignore_check_constraints = ON").execute(&mut conn).await.expect("set");
    assert_eq!(all_broken(&mut conn).await, []);
    for sealed in SEALED {
        let table = sealed.table;
        for column in sealed.columns.split(", ") {
            // Text becomes longer, numbers larger, blobs other ones, and nothing something.
            let other = format!(
                "CASE typeof({column}) WHEN 'integer' THEN {column} + 1000 WHEN 'blob' THEN x'ff'
                 WHEN 'text' THEN {column} || 'x' ELSE 1 END"
            );
            let sql = format!("UPDATE {table} SET {column} = {other} WHERE rowid = (SELECT min(rowid) FROM {table})");
            let by_key = format!("UPDATE {table} SET {column} = {other}");
            sqlx::query("BEGIN").execute(&mut conn).await.expect("begun");
            if sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.is_err() {
                sqlx::query(AssertSqlSafe(by_key)).execute(&mut conn).await.expect("changed");
            }
            assert!(!all_broken(&mut conn).await.is_empty(), "{table}.{column} was changed unnoticed");
            sqlx::query("ROLLBACK").execute(&mut conn).await.expect("undone");
        }
        sqlx::query("BEGIN").execute(&mut conn).await.expect("begun");
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut conn).await.expect("deleted");
        assert!(!all_broken(&mut conn).await.is_empty(), "{table} was emptied unnoticed");
        sqlx::query("ROLLBACK").execute(&mut conn).await.expect("undone");
    }
}

async fn all_broken(conn: &mut SqliteConnection) -> Vec<(Subject, Broken)> {
    let mut broken = Vec::new();
    for kind in seal::kinds() {
        seal::check(conn, kind, |subject, how| broken.push((subject, how))).await.expect("checked");
    }
    broken
}

/// One change in each table, and the subject that is named for it.
#[tokio::test]
async fn what_another_tool_changes_is_named() {
    let office = office();
    let book = format!("book {} nonpublic changed", UNITS[TIDY].name);
    let cases = [
        ("UPDATE message SET subject = subject || '。' WHERE id = 1", "message 1 changed".to_owned()),
        ("UPDATE sighting SET locator = 'other' WHERE message = 1", "message 1 changed".to_owned()),
        ("UPDATE document SET size = size + 1 WHERE message = 1 AND ordinal = 0", "message 1 changed".to_owned()),
        ("UPDATE submission SET period = '2011-06' WHERE message = 1 AND ordinal = 0", "message 1 changed".to_owned()),
        (
            "DELETE FROM line WHERE id = (SELECT max(id) FROM line WHERE submission = (SELECT min(id) FROM submission \
          WHERE message = 1))",
            "message 1 changed".to_owned(),
        ),
        ("DELETE FROM assessment WHERE message = 1", "message 1 changed".to_owned()),
        (
            "UPDATE entry SET code = '1' WHERE id = (SELECT min(id) FROM entry WHERE unit = 'U' AND stream = 'nonpublic')",
            book.clone(),
        ),
        (
            "UPDATE entry_version SET period = '2011-01' WHERE entry = (SELECT min(id) FROM entry WHERE unit = 'U' \
          AND stream = 'nonpublic')",
            book.clone(),
        ),
        ("UPDATE figure SET line = line + 1 WHERE unit = 'U' AND stream = 'nonpublic' AND period = '2011-08'", book),
        ("UPDATE decision SET reason = '' WHERE kind = 'excuse'", "decision * changed".to_owned()),
        ("DELETE FROM decision WHERE kind = 'excuse'", "decision * gone".to_owned()),
        (
            "INSERT INTO decision (at, who, kind, unit, period) SELECT at, who, kind, unit, '2011-09' FROM decision \
          WHERE kind = 'excuse'",
            "decision * unsealed".to_owned(),
        ),
        ("UPDATE heading SET column_key = 'orgs'", "heading 1 changed".to_owned()),
        ("UPDATE inquiry SET recipient = 'other@office.example'", "inquiry * changed".to_owned()),
        ("DELETE FROM inquiry_line", "inquiry * changed".to_owned()),
        ("UPDATE inquiry_reply SET said = 'late'", "inquiry * changed".to_owned()),
        (
            "UPDATE outbox SET raw = CAST(replace(raw, 'Subject', 'Subjekt') AS BLOB) WHERE id = 1",
            "mail sent 1 changed".to_owned(),
        ),
    ];
    checkpoint(&office).await;
    let (file, whole) = (ledger(&office), std::fs::read(ledger(&office)).expect("the ledger"));
    for (sql, wanted) in cases {
        // A name that is wanted here is the first unit's.
        tamper(&office, &sql.replace("'U'", &format!("'{}'", UNITS[TIDY].name))).await;
        let found = broken(&verify(&office, &["--quick"], 1));
        let fits = |found: &String| match wanted.split_once('*') {
            Some((start, end)) => found.starts_with(start) && found.ends_with(end),
            None => *found == wanted,
        };
        assert!(found.len() == 1 && found.iter().all(fits), "{sql}: {found:?}, and not {wanted}");
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(file.with_file_name(format!("ledger.db{end}")));
        }
        std::fs::write(&file, &whole).expect("put back");
    }
    verify(&office, &["--quick"], 0);
}

#[tokio::test]
async fn a_changed_figure_is_shown_with_what_the_mail_says_and_where() {
    let office = office();
    let line = format!(
        "SELECT l.id FROM line l JOIN submission s ON s.id = l.submission WHERE s.unit = '{}' AND s.form = 'progress'
         AND s.stream = 'nonpublic' AND s.period = '2011-08'",
        UNITS[TIDY].name
    );
    let before: i64 =
        one(&office, &format!("SELECT json_extract(record, '$.orgs') FROM line WHERE id = ({line})")).await;
    tamper(
        &office,
        &format!("UPDATE line SET record = json_set(record, '$.orgs', {}) WHERE id = ({line})", before + 7),
    )
    .await;
    let found = differences(&verify(&office, &[], 1));
    assert_eq!(found.len(), 1, "{found:?}");
    let wanted = json!({ "what": "row", "unit": UNITS[TIDY].name, "stream": "nonpublic", "form": "progress",
        "period": "2011-08", "column": "orgs", "stored": (before + 7).to_string(), "now": before.to_string(),
        "cause": { "cause": "stored-data-changed" } });
    for (key, value) in wanted.as_object().expect("an object") {
        assert_eq!(found[0][key], *value, "{found:?}");
    }
    assert!(
        text(&found[0]["file"]).contains("统计表") && text(&found[0]["cell"]).ends_with(char::is_numeric),
        "{found:?}"
    );
    let shown = office.run("", &["verify"]).stdout;
    assert!(shown.contains("the stored data were changed") && shown.contains("FAIL  seals"), "{shown}");
}

#[tokio::test]
async fn a_flipped_byte_inside_a_text_is_found_and_the_digest_tells() {
    let office = office();
    checkpoint(&office).await;
    let (file, name) = (ledger(&office), "机构撤并".as_bytes());
    let mut bytes = std::fs::read(&file).expect("the ledger");
    let places: Vec<usize> = (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at + name.len() - 1] ^= 1);
    std::fs::write(&file, bytes).expect("flipped");
    let report = verify(&office, &["--quick"], 1);
    assert_eq!(report["database"], json!([]), "to SQLite it is a text like any other");
    let found = broken(&report);
    assert!(found.len() == 1 && found[0].starts_with("decision"), "{found:?}");
    office.once("2011-09-21T02:31:00+08:00");
    office.once("2011-09-21T09:00:00+08:00");
    let sent = office.sent();
    let digest = sent.iter().rfind(|mail| mail.kind() == "digest").expect("a digest");
    assert!(digest.text.contains("有1处数据不是本系统写入的样子（人工处理记录"), "{}", digest.text);
    assert!(office.run(EVENING, &["check"]).stdout.contains("FAIL  stored ledger: 1 matters"));
}

#[tokio::test]
async fn a_raw_mail_that_is_gone_or_changed_and_a_file_that_nobody_knows_are_named() {
    let office = office();
    let digest: String = one(&office, "SELECT digest FROM message WHERE id = 1").await;
    let raw = office.path(&format!("data/mail/{}/{digest}.eml", &digest[..2]));
    let stray = office.path("data/mail/来信.eml");
    std::fs::write(&stray, "Subject: what\r\n\r\n").expect("a file");
    let report = verify(&office, &["--quick"], 3);
    assert_eq!(report["unknown_files"], json!([stray]));
    std::fs::remove_file(stray).expect("gone");
    let mut bytes = std::fs::read(&raw).expect("a mail");
    *bytes.last_mut().expect("a byte") ^= 1;
    std::fs::write(&raw, bytes).expect("changed");
    assert_eq!(verify(&office, &["--quick"], 1)["lost"], json!([{ "message": 1, "file": raw, "gone": false }]));
    std::fs::remove_file(&raw).expect("gone");
    let report = verify(&office, &[], 1);
    assert_eq!(report["lost"], json!([{ "message": 1, "file": raw, "gone": true }]));
    let found = differences(&report);
    assert!(!found.is_empty());
    for difference in &found {
        assert_eq!(difference["cause"]["cause"], "raw-mail-lost", "{difference}");
    }
    assert!(found.iter().any(|d| d["what"] == "mail" && d["column"] == "disposition" && d["now"] == "quarantined"));
}

#[test]
fn a_form_file_that_reads_differently_is_told_from_damage() {
    let forms = concat!(env!("CARGO_MANIFEST_DIR"), "/config/forms");
    let office = Office::open_with(|config| format!("forms = \"forms\"\n{config}"));
    std::fs::create_dir(office.path("forms")).expect("a folder");
    for name in ["campaign.toml", "progress.toml", "register.toml"] {
        std::fs::copy(format!("{forms}/{name}"), office.path("forms").join(name)).expect("a form");
    }
    office.post(&figures(TIDY, "党员总数"));
    office.once(NOON);
    verify(&office, &[], 0);
    // The figures change places.
    let text = std::fs::read_to_string(office.path("forms/progress.toml")).expect("a form");
    let swapped = text
        .replace("key = \"members_transferred\"", "key = \"kept\"")
        .replace("key = \"members_untransferred\"", "key = \"members_transferred\"")
        .replace("key = \"kept\"", "key = \"members_untransferred\"");
    assert_ne!(text, swapped);
    office.write("forms/progress.toml", &swapped);
    let report = verify(&office, &[], 3);
    assert_eq!((&report["damaged"], &report["broken"]["total"]), (&json!(false), &json!(0)));
    let found = differences(&report);
    let of = |column: &str| found.iter().find(|d| d["what"] == "row" && d["column"] == column).expect(column).clone();
    assert_eq!((&of("members_transferred")["stored"], &of("members_transferred")["now"]), (&json!("5"), &json!("0")));
    for difference in &found {
        assert_eq!(difference["cause"], json!({ "cause": "read-differently", "since": ["forms"] }), "{difference}");
    }
    let shown = office.run("", &["verify"]).stdout;
    assert!(shown.contains("read differently: other forms since"), "{shown}");
}
