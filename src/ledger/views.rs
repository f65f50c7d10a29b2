//! Views of the ledger for people who open the database with their own tools: one column a fact, names that stay.
//!
//! They are made from the forms, because another campaign has other columns; `docs/sql-views.zh-CN.md` lists them. A view
//! cannot be written to. `v_` stands before their names alone.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::db::Db;
use crate::form::{Campaign, Column, Form, FormKind};

/// Makes the views that the forms call for. Where all are there, nothing is locked or written.
pub async fn ensure(db: &Db, campaign: &Campaign) -> Result<()> {
    if existing(&mut *db.pool().acquire().await?).await? == sorted(definitions(campaign)) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    refresh(&mut tx, campaign).await?;
    tx.commit().await?;
    Ok(())
}

fn sorted(mut views: Vec<(String, String)>) -> Vec<(String, String)> {
    views.sort();
    views
}

async fn refresh(conn: &mut SqliteConnection, campaign: &Campaign) -> Result<()> {
    let wanted = definitions(campaign);
    let there = existing(conn).await?;
    let same = |(name, sql): &(String, String)| wanted.iter().any(|(n, s)| n == name && s == sql);
    for (name, _) in there.iter().filter(|view| !same(view)) {
        drop_one(conn, name).await?;
    }
    for (_, sql) in wanted.iter().filter(|view| !there.contains(view)) {
        sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn existing(conn: &mut SqliteConnection) -> Result<Vec<(String, String)>> {
    let sql = r"SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name LIKE 'v\_%' ESCAPE '\' ORDER BY name";
    let rows = sqlx::query(sql).fetch_all(conn).await?;
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
}

async fn drop_one(conn: &mut SqliteConnection, name: &str) -> Result<()> {
    sqlx::query(AssertSqlSafe(format!("DROP VIEW \"{name}\""))).execute(conn).await?;
    Ok(())
}

/// Names and `CREATE VIEW` of all views.
fn definitions(campaign: &Campaign) -> Vec<(String, String)> {
    let fixed = FIXED.iter().map(|(name, body)| ((*name).to_owned(), named(body)));
    let of_forms = campaign.forms.iter().flat_map(|form| match form.kind {
        FormKind::Figures => vec![(format!("v_{}", form.key), figures(form))],
        FormKind::Book => {
            vec![(format!("v_{}", form.key), book(form)), (format!("v_{}_history", form.key), history(form))]
        }
    });
    fixed.chain(of_forms).map(|(name, body)| (name.clone(), format!("CREATE VIEW {name} AS {body}"))).collect()
}

/// `json_extract(l.record, '$.members') AS members, …`: numbers are numbers, rates percent, yes and no 1 and 0.
fn columns(form: &Form, record: &str, taken: &[&str]) -> String {
    let free = form.columns.iter().filter(|c| !taken.contains(&c.key.as_str()));
    let one = |key: &str| format!("json_extract({record}, '$.{key}') AS \"{key}\"");
    free.map(|c| one(&c.key)).collect::<Vec<_>>().join(", ")
}

/// The same as `export` has them: where no return ever had a column, what a blank means for it.
fn exported(form: &Form, record: &str, taken: &[&str]) -> String {
    let free = form.columns.iter().filter(|c| !taken.contains(&c.key.as_str()));
    let one = |column: &Column| {
        let key = &column.key;
        let value = format!("json_extract({record}, '$.{key}')");
        let value = match &column.default {
            None => value,
            Some(blank) => {
                let blank = blank.replace('\'', "''");
                format!("CASE WHEN json_type({record}, '$.{key}') IS NULL THEN '{blank}' ELSE {value} END")
            }
        };
        format!("{value} AS \"{key}\"")
    };
    free.map(one).collect::<Vec<_>>().join(", ")
}

fn figures(form: &Form) -> String {
    format!(
        "SELECT f.period, f.unit, f.stream, {}, (SELECT count(*) FROM submission o WHERE o.unit = s.unit
         AND o.stream = s.stream AND o.form = s.form AND o.period = s.period AND o.state = 'accepted'
         AND o.baseline = 0) AS version, s.baseline, s.received_at, s.known_at, s.file, l.sheet, l.row, s.message
         FROM figure f JOIN line l ON l.id = f.line JOIN submission s ON s.id = l.submission WHERE f.form = '{}'",
        exported(form, "l.record", &["period", "unit", "stream"]),
        form.key
    )
}

/// Source: the book that last changed it, as in `export`.
fn book(form: &Form) -> String {
    format!(
        "SELECT e.id AS entry, e.unit, e.stream, {}, e.status = 'closed' AS closed, e.vanished, e.first_period,
         e.last_period, s.received_at, s.file, l.sheet, l.row, s.message
         FROM entry e JOIN entry_version v ON v.entry = e.id
         AND v.period = (SELECT max(p.period) FROM entry_version p WHERE p.entry = e.id)
         JOIN line l ON l.id = v.line JOIN submission s ON s.id = l.submission WHERE e.form = '{}'",
        exported(form, "e.record", &["unit", "stream"]),
        form.key
    )
}

fn history(form: &Form) -> String {
    format!(
        "SELECT v.entry, e.unit, e.stream, v.period, v.change, {}, s.received_at, s.file, l.sheet, l.row, s.message
         FROM entry_version v JOIN entry e ON e.id = v.entry JOIN line l ON l.id = v.line
         JOIN submission s ON s.id = l.submission WHERE e.form = '{}'",
        columns(form, "v.record", &["unit", "stream", "period", "change"]),
        form.key
    )
}

/// Views that no form shapes.
const FIXED: [(&str, &str); 4] = [
    (
        "v_messages",
        "SELECT m.id AS message, m.mailbox, m.message_id, m.from_address AS sender, m.subject, m.received_at,
         m.disposition, m.reason, m.duplicate_of FROM message m",
    ),
    (
        "v_returns",
        "SELECT s.message, s.unit, s.stream, s.form, s.period, s.state, s.received_at, s.file, s.sheet,
         m.from_address AS sender,
         CASE WHEN s.state = 'accepted' AND s.baseline = 0 THEN (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream
             AND o.form = s.form AND o.period = s.period AND o.state = 'accepted' AND o.baseline = 0
             AND (o.received_at, o.id) <= (s.received_at, s.id)) END AS version,
         s.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream
             AND n.form = s.form AND n.period = s.period AND n.state = 'accepted'
             AND (n.received_at, n.id) > (s.received_at, s.id)) AS counts,
         s.baseline, s.known_at FROM submission s JOIN message m ON m.id = s.message",
    ),
    ("v_findings", FINDINGS),
    (
        "v_decisions",
        "SELECT id AS decision, at, who, kind, message, unit, stream, form, period, rule, subject, other, address, reason,
         by_message FROM decision",
    ),
];

/// A finding with the last word about it: `waiver` decides the same from what a finding is about and rests on. `said` takes the
/// places (第5行, （F5）) out of a text, as the evidence has none; `named` compares names without spaces and brackets.
const FINDINGS: &str = "WITH RECURSIVE
    ruling AS (SELECT d.*, NAMED(d.subject) AS named FROM decision d
         WHERE d.kind IN ('dismiss', 'reopen') AND d.evidence IS NOT NULL),
    asked AS (SELECT f.id, f.text, f.rests_on, f.key, NAMED(f.subject) AS named, f.rule, coalesce(s.unit, '') AS unit,
         coalesce(s.stream, '') AS stream, coalesce(s.form, '') AS form, coalesce(s.period, '') AS period
         FROM finding f LEFT JOIN submission s ON s.id = f.submission WHERE f.severity <> 'error' AND EXISTS (
             SELECT 1 FROM ruling d WHERE d.rule = f.rule AND coalesce(d.unit, '') = coalesce(s.unit, ''))),
    said (id, done, rest) AS (SELECT id, '', text FROM asked WHERE rests_on IS NULL
         UNION ALL SELECT id, CASE WHEN SKIP = 0 THEN done || substr(rest, 1, 1) ELSE done END, substr(rest, max(SKIP, 1) + 1)
         FROM said WHERE rest <> ''),
    word AS (SELECT a.id, (SELECT d.id FROM ruling d WHERE d.rule = a.rule
         AND (coalesce(d.unit, ''), coalesce(d.stream, ''), coalesce(d.form, ''), coalesce(d.key, ''))
             = (a.unit, a.stream, a.form, coalesce(a.key, ''))
         AND CASE WHEN d.since IS NULL THEN coalesce(d.period, '') = a.period ELSE d.since <= a.period END
         AND d.named = a.named
         AND d.evidence = coalesce(a.rests_on, (SELECT t.done FROM said t WHERE t.id = a.id AND t.rest = ''))
         ORDER BY d.at DESC, d.id DESC LIMIT 1) AS ruling FROM asked a)
    SELECT f.rule, f.severity, s.unit, s.stream, s.form, s.period, f.file, f.sheet, f.cell, f.row, f.text, f.message,
    CASE WHEN s.id IS NOT NULL THEN s.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM submission n WHERE n.unit = s.unit
        AND n.stream = s.stream AND n.form = s.form AND n.period = s.period AND n.state = 'accepted'
        AND (n.received_at, n.id) > (s.received_at, s.id)) END AS counts,
    d.id IS NOT NULL AS waived, d.who AS waived_by, d.reason AS waived_reason, d.at AS waived_at
    FROM finding f LEFT JOIN submission s ON s.id = f.submission LEFT JOIN word w ON w.id = f.id
    LEFT JOIN decision d ON d.id = w.ruling AND d.kind = 'dismiss'";

/// Length of a `第5行` or `（F5）` at the beginning of `rest`, else 0: [`without_places`](crate::form::finding::without_places).
const SKIP: &str = "CASE WHEN rest GLOB '第[0-9]*行*' AND substr(rest, 2, instr(rest, '行') - 2) NOT GLOB '*[^0-9]*'
    THEN instr(rest, '行')
    WHEN rest GLOB '（[A-Z]*[0-9]）*' AND substr(rest, instr(rest, '）') - 1, 1) GLOB '[0-9]'
        AND trim(rtrim(substr(rest, 2, instr(rest, '）') - 2), '0123456789'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') = ''
    THEN instr(rest, '）') ELSE 0 END";

/// [`organisation_key`](crate::form::name::organisation_key) for a view, which has no function of ours; and [`SKIP`].
fn named(sql: &str) -> String {
    let strip = |text: String| {
        let stripped =
            [" ", "　", "(", ")", "（", "）", "[", "]", "［", "］", "【", "】", "〔", "〕", "《", "》", "“", "”", "\""];
        let stripped = stripped.iter().fold(text, |text, mark| format!("replace({text}, '{mark}', '')"));
        format!("upper(replace({stripped}, '有限责任公司', '有限公司'))")
    };
    ["d.subject", "f.subject"].iter().fold(sql.replace("SKIP", SKIP), |sql, column| {
        sql.replace(&format!("NAMED({column})"), &strip(format!("coalesce({column}, '')")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::form::finding::Place;
    use crate::form::{Finding, Severity};
    use crate::ledger::query::{self, Filter};
    use crate::ledger::waiver::{self, Word};
    use crate::submission::{Disposition, Fate, Submission, Verdict};

    const TOWN: &str = "松岭镇人民政府";

    async fn texts(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(conn).await.unwrap()
    }

    /// Whoever has built on the views must find these names in every later version.
    #[tokio::test]
    async fn names_that_people_have_built_on_stay() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        let mut conn = db.pool().acquire().await.unwrap();
        refresh(&mut conn, &config.campaign).await.unwrap();
        let promised = [
            (
                "v_progress",
                "period unit stream orgs members party_orgs new_party_orgs_total org_coverage version received_at file sheet row message baseline known_at",
            ),
            (
                "v_register",
                "entry unit stream name code legal_rep members status closed vanished first_period last_period received_at file sheet row message",
            ),
            (
                "v_register_history",
                "entry unit stream period change name code members received_at file sheet row message",
            ),
            (
                "v_returns",
                "message unit stream form period state received_at file sheet sender version counts baseline known_at",
            ),
            (
                "v_findings",
                "rule severity unit stream form period file sheet cell row text message counts waived waived_by waived_reason waived_at",
            ),
            ("v_messages", "message mailbox message_id sender subject received_at disposition reason duplicate_of"),
            (
                "v_decisions",
                "decision at who kind message unit stream form period rule subject other address reason by_message",
            ),
        ];
        for (view, columns) in promised {
            let there = texts(&mut conn, &format!("SELECT name FROM pragma_table_info('{view}')")).await;
            let missing: Vec<&str> = columns.split(' ').filter(|c| !there.iter().any(|t| t == c)).collect();
            assert!(missing.is_empty(), "{view} has no {missing:?}, only {there:?}");
        }
    }

    #[tokio::test]
    async fn they_show_what_counts_and_cannot_be_written_to() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        let book = async |period: &str, names: &[&str]| {
            let when = format!("{period}-20T10:00:00Z");
            fixture::reported(&db, &config, [TOWN, "nonpublic", "register", period], &when, fixture::rows(names)).await;
        };
        book("2011-08", &["甲公司"]).await;
        book("2011-09", &["甲公司", "乙公司"]).await;
        let mut conn = db.pool().acquire().await.unwrap();
        refresh(&mut conn, &config.campaign).await.unwrap();
        let named = "SELECT name || ' ' || first_period || ' ' || last_period FROM v_register ORDER BY entry";
        assert_eq!(texts(&mut conn, named).await, ["甲公司 2011-08 2011-09", "乙公司 2011-09 2011-09"]);
        let history = "SELECT name || ' ' || period || ' ' || change FROM v_register_history ORDER BY entry, period";
        assert_eq!(texts(&mut conn, history).await, ["甲公司 2011-08 added", "乙公司 2011-09 added"]);
        let returns = "SELECT period || ' ' || version || ' ' || counts FROM v_returns ORDER BY period";
        assert_eq!(texts(&mut conn, returns).await, ["2011-08 1 1", "2011-09 1 1"]);
        let write = sqlx::query("UPDATE v_register SET name = '丙公司'").execute(&mut *conn).await;
        assert!(write.unwrap_err().to_string().contains("view"));
    }

    /// One return of August with a warning, and what the view and the listing say about it after these words.
    async fn waived(remark: Finding, words: &[&'static str]) -> (Vec<String>, Vec<String>) {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        let mut verdict = Verdict::plain(Disposition::Accepted, "");
        verdict.submissions.push(Submission {
            unit: Some(TOWN.to_owned()),
            stream: Some("nonpublic".to_owned()),
            form: "register".to_owned(),
            period: Some("2011-08".parse().unwrap()),
            fate: Fate::Accepted,
            file: "报表.xlsx".to_owned(),
            digest: String::new(),
            sheet: "台账".to_owned(),
            columns: Default::default(),
            rows: Vec::new(),
            findings: vec![remark],
            doubts: Vec::new(),
        });
        fixture::came(&db, &verdict, "2011-08-20T10:00:00Z", "2011-08-20T10:00:00Z").await;
        let mut conn = db.pool().acquire().await.unwrap();
        refresh(&mut conn, &config.campaign).await.unwrap();
        let all = Filter { waived: true, ..Filter::default() };
        for (day, kind) in words.iter().enumerate() {
            let listed = query::findings(&mut conn, &all).await.unwrap();
            let word = Word { kind, who: "丁某", reason: "已电话核实", from_now_on: false };
            let at = fixture::at(&format!("2011-08-2{}T10:00:00Z", day + 1));
            waiver::decide(&mut conn, &listed[0].matter, word, at).await.unwrap();
        }
        let view = "SELECT rule || ' ' || waived || ' ' || coalesce(waived_by || waived_reason, '') FROM v_findings";
        let listed = query::findings(&mut conn, &all).await.unwrap();
        let listed = listed.iter().map(|f| {
            let by = f.waived.as_ref().map(|w| format!("{}{}", w.who, w.reason));
            format!("{} {} {}", f.rule, i32::from(by.is_some()), by.unwrap_or_default())
        });
        (texts(&mut conn, view).await, listed.collect())
    }

    #[tokio::test]
    async fn a_waived_finding_is_told_apart_as_the_listing_does() {
        let place = "第12行“党员总数”（AB12）6与（附件1）第3列、第行的第2行不符。";
        let plain = || Finding::new("R05", Severity::Warning, Place::default(), place);
        let gone = "R05 1 丁某已电话核实";
        for (remark, words, expected) in [
            (plain(), vec![], "R05 0 "),
            (plain(), vec!["dismiss"], gone),
            (plain().resting_on("6:5"), vec!["dismiss"], gone),
            (plain().of("甲（北原）有限责任公司"), vec!["dismiss"], gone),
            (plain().of("甲（北原）有限责任公司"), vec!["dismiss", "reopen"], "R05 0 "),
            (plain().of("甲（北原）有限责任公司"), vec!["dismiss", "reopen", "dismiss"], gone),
        ] {
            let (view, listed) = waived(remark, &words).await;
            assert_eq!(view, listed, "{words:?}");
            assert_eq!(view, [expected], "{words:?}");
        }
    }

    #[tokio::test]
    async fn other_forms_have_other_columns_and_the_same_forms_change_nothing() {
        let (mut config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        ensure(&db, &config.campaign).await.unwrap();
        let mut conn = db.pool().acquire().await.unwrap();
        let version = async |conn: &mut SqliteConnection| -> i64 {
            sqlx::query_scalar("PRAGMA schema_version").fetch_one(conn).await.unwrap()
        };
        let before = version(&mut conn).await;
        drop(conn);
        ensure(&db, &config.campaign).await.unwrap();
        let mut conn = db.pool().acquire().await.unwrap();
        assert_eq!(version(&mut conn).await, before);
        config.campaign.forms[0].columns.retain(|c| c.key != "venues");
        refresh(&mut conn, &config.campaign).await.unwrap();
        let left = "SELECT name FROM pragma_table_info('v_progress') WHERE name = 'venues'";
        assert!(texts(&mut conn, left).await.is_empty());
    }
}
