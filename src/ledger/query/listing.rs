//! Messages and findings, as the listings show them.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::{Version, submissions};
use crate::form::Severity;
use crate::ledger::waiver::{Matter, Stored, Waived, Waivers};
use crate::period::Period;

/// A message as the listing shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub id: i64,
    pub mailbox: String,
    pub message_id: Option<String>,
    pub from: Option<String>,
    pub subject: String,
    pub received_at: DateTime<Utc>,
    /// `None` while it waits to be assessed.
    pub disposition: Option<String>,
    pub reason: String,
    pub rules: Vec<String>,
    pub duplicate_of: Option<i64>,
    /// The budget that kept it from being answered: `day`, `thread` or `vain`.
    pub withheld: Option<String>,
    pub submissions: Vec<Version>,
    pub files: Vec<Document>,
}

/// A file as it was attached.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    pub name: String,
    /// Told from its bytes.
    pub kind: String,
    /// In bytes.
    pub size: i64,
}

async fn documents(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Document>> {
    let rows = sqlx::query("SELECT name, kind, size FROM document WHERE message = ? ORDER BY ordinal").bind(message);
    let read = |row: sqlx::sqlite::SqliteRow| Document { name: row.get(0), kind: row.get(1), size: row.get(2) };
    Ok(rows.fetch_all(conn).await?.into_iter().map(read).collect())
}

/// Which messages to list.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Since(DateTime<Utc>),
    One(i64),
    Quarantined,
}

pub async fn messages(conn: &mut SqliteConnection, which: Which) -> Result<Vec<Listed>> {
    const FIELDS: &str =
        "SELECT id, mailbox, message_id, from_address, subject, received_at, disposition, reason, rules,
        duplicate_of, (SELECT budget FROM withheld w WHERE w.message = message.id) FROM message";
    let sql = |rest: &str| sqlx::AssertSqlSafe(format!("{FIELDS} {rest} ORDER BY received_at, id"));
    let rows = match which {
        Which::Since(t) => sqlx::query(sql("WHERE received_at >= ?")).bind(t).fetch_all(&mut *conn).await?,
        Which::One(id) => sqlx::query(sql("WHERE id = ?")).bind(id).fetch_all(&mut *conn).await?,
        Which::Quarantined => {
            sqlx::query(sql("WHERE disposition = 'quarantined' OR id IN
            (SELECT message FROM submission WHERE state = 'quarantined')"))
            .fetch_all(&mut *conn)
            .await?
        }
    };
    let mut list = Vec::new();
    for row in rows {
        let id: i64 = row.get(0);
        let rules: String = row.get(8);
        list.push(Listed {
            id,
            mailbox: row.get(1),
            message_id: row.get::<Option<String>, _>(2).map(|m| format!("<{m}>")),
            from: row.get(3),
            subject: row.get(4),
            received_at: row.get(5),
            disposition: row.get(6),
            reason: row.get(7),
            rules: serde_json::from_str(&rules).context("stored rules are not readable")?,
            duplicate_of: row.get(9),
            withheld: row.get(10),
            submissions: submissions(conn, id).await?,
            files: documents(conn, id).await?,
        });
    }
    Ok(list)
}

/// A finding as listings and reports show it.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// How people call it; see [`Matter::reference`].
    pub id: String,
    pub rule: String,
    pub severity: String,
    pub unit: Option<String>,
    pub stream: Option<String>,
    pub form: Option<String>,
    pub period: Option<String>,
    pub file: Option<String>,
    pub sheet: Option<String>,
    pub cell: Option<String>,
    pub row: Option<u32>,
    pub message: String,
    pub waived_by: Option<String>,
    pub waived_reason: Option<String>,
    pub waived_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub waived: Option<Waived>,
    #[serde(skip)]
    pub matter: Matter,
    #[serde(skip)]
    pub mail: i64,
    #[serde(skip)]
    pub received_at: DateTime<Utc>,
}

/// Which findings to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub period: Option<Period>,
    pub unit: Option<String>,
    pub message: Option<i64>,
    /// Also those of superseded versions, and those that were waived.
    pub all: bool,
    /// Also those that were waived.
    pub waived: bool,
}

/// Findings of the versions that count: the newest accepted, else the newest that came. (The opening position answers for
/// nothing that a unit sent.) A finding about a mail as a whole is
/// closed when the same sender's later mail was taken. Of what waits in quarantine
/// only the question is listed: whether its rows count at all is not decided yet.
///
/// In an order that does not tell in which order mails were handled.
pub async fn findings(conn: &mut SqliteConnection, filter: &Filter) -> Result<Vec<Told>> {
    let rows = sqlx::query(
        "SELECT f.rule, f.severity, nullif(s.unit, ''), nullif(s.stream, ''), s.form, nullif(s.period, ''), f.file, f.sheet,
         f.cell, f.row, f.text, f.message, m.received_at, f.key, f.subject, f.rests_on
         FROM finding f JOIN message m ON m.id = f.message LEFT JOIN submission s ON s.id = f.submission
         WHERE (?1 IS NULL OR s.period = ?1) AND (?2 IS NULL OR s.unit = ?2) AND (?3 IS NULL OR f.message = ?3)
         AND (?4 OR m.disposition <> 'duplicate') AND coalesce(s.state, '') <> 'dismissed'
         AND (?4 OR coalesce(s.state, '') <> 'quarantined' OR f.rule LIKE 'M%' OR f.rule LIKE 'W%' OR f.rule LIKE 'H%'
              OR f.rule IN ('R15', 'R16'))
         AND (?4 OR s.id IS NOT NULL OR NOT EXISTS (
             SELECT 1 FROM message n WHERE n.from_address = m.from_address AND (n.received_at, n.id) > (m.received_at, m.id)
             AND n.disposition IN ('accepted', 'partly') AND EXISTS (SELECT 1 FROM submission t WHERE t.message = n.id)))
         AND (?4 OR s.id IS NULL OR NOT EXISTS (
             SELECT 1 FROM submission n WHERE n.unit = s.unit AND n.stream = s.stream AND n.form = s.form
             AND n.period = s.period AND n.id <> s.id AND n.unit <> '' AND n.baseline <= s.baseline
             AND ((n.state = 'accepted' AND s.state <> 'accepted')
               OR ((n.state = 'accepted' OR s.state <> 'accepted') AND n.state <> 'dismissed'
                   AND (n.received_at, n.id) > (s.received_at, s.id)))))
         ORDER BY s.period, s.unit, s.stream, s.form, m.received_at, m.digest, f.file, f.sheet, f.row, f.rule,
         length(f.cell), f.cell, f.text",
    )
    .bind(filter.period.map(|p| p.to_string()))
    .bind(&filter.unit)
    .bind(filter.message)
    .bind(filter.all)
    .fetch_all(&mut *conn)
    .await?;
    let waivers = Waivers::load(conn, None).await?;
    let told = rows.iter().map(|row| told(row, &waivers));
    Ok(told.filter(|told| filter.all || filter.waived || told.waived.is_none()).collect())
}

fn told(row: &SqliteRow, waivers: &Waivers) -> Told {
    let text = |column: usize| row.get::<Option<String>, _>(column);
    let [rule, severity, message] = [0, 1, 10].map(|column| row.get::<String, _>(column));
    let stored = Stored { key: text(13), subject: text(14), rests_on: text(15), text: message.clone() };
    let [unit, stream, form, period] = [2, 3, 4, 5].map(|column| text(column).unwrap_or_default());
    let matter = Matter { unit, stream, form, period, rule: rule.clone(), ..Matter::default() }.with(stored);
    let waived = waivers.waived(&matter, Severity::parse(&severity)).cloned();
    Told {
        id: matter.reference(),
        rule,
        severity,
        unit: text(2),
        stream: text(3),
        form: text(4),
        period: text(5),
        file: text(6),
        sheet: text(7),
        cell: text(8),
        row: row.get(9),
        message,
        waived_by: waived.as_ref().map(|w| w.who.clone()),
        waived_reason: waived.as_ref().map(|w| w.reason.clone()),
        waived_at: waived.as_ref().map(|w| w.at),
        waived,
        matter,
        mail: row.get(11),
        received_at: row.get(12),
    }
}
