//! Views of the ledger for people who open the database with their own tools: one column a fact, names that stay.
//!
//! They are made from the forms, because another campaign has other columns; `docs/sql-views.zh-CN.md` lists them. A view
//! cannot be written to. `v_` stands before their names alone.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::db::Db;
use crate::form::{Campaign, Form, FormKind};

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
    let fixed = FIXED.iter().map(|(name, body)| ((*name).to_owned(), (*body).to_owned()));
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

fn figures(form: &Form) -> String {
    format!(
        "SELECT f.period, f.unit, f.stream, {}, (SELECT count(*) FROM submission o WHERE o.unit = s.unit
         AND o.stream = s.stream AND o.form = s.form AND o.period = s.period AND o.state = 'accepted') AS version,
         s.received_at, s.file, l.sheet, l.row, s.message
         FROM figure f JOIN line l ON l.id = f.line JOIN submission s ON s.id = l.submission WHERE f.form = '{}'",
        columns(form, "l.record", &["period", "unit", "stream"]),
        form.key
    )
}

fn book(form: &Form) -> String {
    format!(
        "SELECT e.id AS entry, e.unit, e.stream, {}, e.status = 'closed' AS closed, e.vanished, e.first_period,
         e.last_period, s.received_at, s.file, l.sheet, l.row, s.message
         FROM entry e JOIN line l ON l.id = e.line JOIN submission s ON s.id = l.submission WHERE e.form = '{}'",
        columns(form, "e.record", &["unit", "stream"]),
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
         CASE s.state WHEN 'accepted' THEN (SELECT count(*) FROM submission o WHERE o.unit = s.unit AND o.stream = s.stream
             AND o.form = s.form AND o.period = s.period AND o.state = 'accepted'
             AND (o.received_at, o.id) <= (s.received_at, s.id)) END AS version,
         s.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream
             AND n.form = s.form AND n.period = s.period AND n.state = 'accepted'
             AND (n.received_at, n.id) > (s.received_at, s.id)) AS counts
         FROM submission s JOIN message m ON m.id = s.message",
    ),
    (
        "v_findings",
        "SELECT f.rule, f.severity, s.unit, s.stream, s.form, s.period, f.file, f.sheet, f.cell, f.row, f.text,
         f.message, r.counts FROM finding f LEFT JOIN submission s ON s.id = f.submission
         LEFT JOIN (SELECT a.id, a.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM submission n WHERE n.unit = a.unit
             AND n.stream = a.stream AND n.form = a.form AND n.period = a.period AND n.state = 'accepted'
             AND (n.received_at, n.id) > (a.received_at, a.id)) AS counts FROM submission a) r ON r.id = s.id",
    ),
    (
        "v_decisions",
        "SELECT id AS decision, at, who, kind, message, unit, stream, form, period, rule, subject, other, address, reason,
         by_message FROM decision",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

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
                "period unit stream orgs members party_orgs new_party_orgs_total org_coverage version received_at file sheet row message",
            ),
            (
                "v_register",
                "entry unit stream name code legal_rep members status closed vanished first_period last_period received_at file sheet row message",
            ),
            (
                "v_register_history",
                "entry unit stream period change name code members received_at file sheet row message",
            ),
            ("v_returns", "message unit stream form period state received_at file sheet sender version counts"),
            ("v_findings", "rule severity unit stream form period file sheet cell row text message counts"),
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
