//! Gather: everything a report of one period says, from the ledger.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use crate::config::Config;
use crate::form::{Finding, Place, Severity};
use crate::ledger::query::{self, Filter};
use crate::period::Period;
use crate::report::table::{Arrival, Change, ChangeKind, Edition, Entry, Figure, OpenFinding, Outcome, ReportData};

/// Reads all that [`ReportData`] holds.
pub async fn report<'a>(
    conn: &mut SqliteConnection,
    config: &'a Config,
    period: Period,
    edition: Edition,
    now: DateTime<Utc>,
) -> Result<ReportData<'a>> {
    let committees = config.mailboxes.iter().filter(|m| m.stream.is_some()).map(|m| m.committee.clone());
    Ok(ReportData {
        department: &config.department,
        committees: committees.filter(|c| !c.is_empty()).collect(),
        campaign: &config.campaign,
        registry: &config.registry,
        targets: &config.targets,
        period,
        due: config.deadline.due(period),
        generated_at: now.with_timezone(&config.timezone),
        edition,
        obligations: query::obligations(conn, config, period, now).await?,
        figures: figures(conn, period).await?,
        previous: figures(conn, period.prev()).await?,
        entries: entries(conn, period).await?,
        findings: findings(conn, period).await?,
        arrivals: arrivals(conn, period).await?,
        changes: Some(changes(conn, period).await?),
    })
}

async fn figures(conn: &mut SqliteConnection, period: Period) -> Result<Vec<Figure>> {
    let list = query::figures(conn, Some(period)).await?;
    Ok(list.into_iter().map(|f| Figure { unit: f.unit, stream: f.stream, values: f.values }).collect())
}

async fn entries(conn: &mut SqliteConnection, period: Period) -> Result<Vec<Entry>> {
    let list = query::entries(conn, Some(period)).await?;
    let active = list.into_iter().filter(|e| !e.closed);
    Ok(active.map(|e| Entry { unit: e.unit, stream: e.stream, values: e.values }).collect())
}

async fn findings(conn: &mut SqliteConnection, period: Period) -> Result<Vec<OpenFinding>> {
    let list = query::findings(conn, &Filter { period: Some(period), ..Filter::default() }).await?;
    let open = list.into_iter().map(|f| {
        let severity = match f.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            _ => Severity::Info,
        };
        let place = Place { file: f.file, sheet: f.sheet, cell: f.cell, row: f.row };
        OpenFinding {
            unit: f.unit.unwrap_or_default(),
            stream: f.stream.unwrap_or_default(),
            form: f.form.unwrap_or_default(),
            finding: Finding::new(&f.rule, severity, place, f.message),
        }
    });
    Ok(open.collect())
}

/// What came for the period, and what came for earlier ones since it was open.
async fn arrivals(conn: &mut SqliteConnection, period: Period) -> Result<Vec<Arrival>> {
    let opened = period.next().first_day().and_time(chrono::NaiveTime::MIN).and_utc();
    let mut list = Vec::new();
    for p in [period.plus(-3), period.plus(-2), period.plus(-1), period] {
        let of_period = query::versions(conn, p).await?;
        for v in of_period.into_iter().filter(|v| p == period || v.received_at >= opened) {
            list.push(Arrival {
                received_at: v.received_at,
                from: v.from,
                outcome: outcome(&v.state),
                unit: v.unit,
                stream: v.stream,
                form: v.form,
                period: p,
                file: v.file,
                sheet: v.sheet,
                version: v.version,
                counts: v.counts,
            });
        }
    }
    list.sort_by_key(|a| a.received_at);
    Ok(list)
}

fn outcome(state: &str) -> Outcome {
    match state {
        "accepted" => Outcome::Accepted,
        "rejected" => Outcome::Rejected,
        "quarantined" => Outcome::Quarantined,
        _ => Outcome::Dismissed,
    }
}

/// What the period's books changed, each beside the version before it.
async fn changes(conn: &mut SqliteConnection, period: Period) -> Result<Vec<Change>> {
    let rows = sqlx::query(
        "SELECT e.unit, e.stream, e.name, v.change, v.record,
         (SELECT b.record FROM entry_version b WHERE b.entry = v.entry AND b.period < v.period ORDER BY b.period DESC LIMIT 1),
         EXISTS (SELECT 1 FROM submission s WHERE s.unit = e.unit AND s.stream = e.stream AND s.form = e.form
                 AND s.state = 'accepted' AND s.period < v.period)
         FROM entry_version v JOIN entry e ON e.id = v.entry WHERE v.period = ? ORDER BY e.unit, e.stream, e.id",
    )
    .bind(period.to_string())
    .fetch_all(conn)
    .await?;
    let mut list = Vec::new();
    for row in rows {
        let kind = match row.get::<&str, _>(3) {
            // The first book of a unit is its opening position, not a change.
            "added" if !row.get::<bool, _>(6) => continue,
            "added" => ChangeKind::Added,
            "closed" => ChangeKind::Closed,
            "reopened" => ChangeKind::Reopened,
            "vanished" => ChangeKind::Vanished,
            _ => ChangeKind::Changed,
        };
        let before: Option<&str> = row.get(5);
        list.push(Change {
            unit: row.get(0),
            stream: row.get(1),
            name: row.get(2),
            kind,
            before: before.map(serde_json::from_str).transpose()?.unwrap_or_default(),
            after: serde_json::from_str(row.get(4))?,
        });
    }
    Ok(list)
}
