//! Gather: everything a report of one period says, from the ledger.

use anyhow::Result;
use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use sqlx::{Row as _, SqliteConnection};

use crate::config::Config;
use crate::form::{Finding, Place, Severity};
use crate::ledger::obligation::Obligation;
use crate::ledger::query::{self, Filter, Version};
use crate::period::{Period, local};
use crate::report::table::{Arrival, Change, ChangeKind, Edition, Entry, Figure, OpenFinding, Outcome, ReportData};

/// What the ledger says of a period at one moment. It needs no connection any more.
pub struct Gathered {
    period: Period,
    obligations: Vec<Obligation>,
    figures: Vec<Figure>,
    previous: Vec<Figure>,
    entries: Vec<Entry>,
    findings: Vec<OpenFinding>,
    arrivals: Vec<Arrival>,
    changes: Vec<Change>,
}

/// Reads all that a report says, in the caller's transaction.
pub async fn gather(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Gathered> {
    Ok(Gathered {
        period,
        obligations: query::obligations(conn, config, period, now).await?,
        figures: figures(conn, period).await?,
        previous: figures(conn, period.prev()).await?,
        entries: entries(conn, period).await?,
        findings: findings(conn, period).await?,
        arrivals: arrivals(conn, period, config.timezone).await?,
        changes: changes(conn, period).await?,
    })
}

impl Gathered {
    /// With what the configuration adds.
    pub fn report(self, config: &Config, edition: Edition, now: DateTime<Utc>) -> ReportData<'_> {
        let committees = config.mailboxes.iter().filter(|m| m.stream.is_some()).map(|m| m.committee.clone());
        ReportData {
            department: &config.department,
            committees: committees.filter(|c| !c.is_empty()).collect(),
            campaign: &config.campaign,
            registry: &config.registry,
            targets: &config.targets,
            period: self.period,
            due: config.deadline.due(self.period),
            generated_at: now.with_timezone(&config.timezone),
            edition,
            obligations: self.obligations,
            figures: self.figures,
            previous: self.previous,
            entries: self.entries,
            findings: self.findings,
            arrivals: self.arrivals,
            changes: Some(self.changes),
        }
    }
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

/// What came for the period, and what changed earlier ones since they were reported on.
async fn arrivals(conn: &mut SqliteConnection, period: Period, zone: Tz) -> Result<Vec<Arrival>> {
    // A return is taken for at most a year back; most of these have nothing new.
    let versions = query::versions(conn, period.plus(-12)..=period).await?;
    let before = since(conn, period, zone).await?;
    let mut list = Vec::new();
    for v in versions {
        let of: Period = v.period.parse().map_err(anyhow::Error::msg)?;
        if of < period && !before.is_news(&v) {
            continue;
        }
        list.push(Arrival {
            received_at: v.received_at,
            from: v.from,
            outcome: outcome(&v.state),
            unit: v.unit,
            stream: v.stream,
            form: v.form,
            period: of,
            file: v.file,
            sheet: v.sheet,
            version: v.version,
            counts: v.counts,
        });
    }
    list.sort_by_key(|a| a.received_at);
    Ok(list)
}

/// From when on a return for an earlier period is news to the report.
enum Since {
    /// The report before this one was final then: what entered the ledger later was in none.
    Reported(DateTime<Utc>),
    /// There was none, perhaps because old mail was read in at once: what arrived since the month began.
    Opened(DateTime<Utc>),
}

impl Since {
    fn is_news(&self, version: &Version) -> bool {
        match self {
            Self::Reported(at) => version.assessed_at > *at,
            Self::Opened(at) => version.received_at >= *at,
        }
    }
}

async fn since(conn: &mut SqliteConnection, period: Period, zone: Tz) -> Result<Since> {
    let reported = sqlx::query_scalar("SELECT at FROM job WHERE name = 'report' AND period = ? AND slot = 'final'");
    let reported = reported.bind(period.prev().to_string()).fetch_optional(conn).await?;
    let opened = || local(zone, period.next().first_day(), NaiveTime::MIN).to_utc();
    Ok(reported.map_or_else(|| Since::Opened(opened()), Since::Reported))
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
        "SELECT e.unit, e.stream, coalesce(json_extract(v.record, '$.name'), e.name), v.change, v.record,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};
    use crate::jobs::pass::claim_slot;

    const TOWN: [&str; 3] = ["松岭镇人民政府", "nonpublic", "register"];

    /// Earlier periods with returns that the report on `period` lists as news.
    async fn news(db: &crate::db::Db, period: &str) -> Vec<String> {
        let period: Period = period.parse().unwrap();
        let mut conn = db.pool().acquire().await.unwrap();
        let list = arrivals(&mut conn, period, chrono_tz::Asia::Shanghai).await.unwrap();
        list.iter().filter(|a| a.period != period).map(|a| a.period.to_string()).collect()
    }

    async fn came(db: &crate::db::Db, period: &str, when: &str) {
        let [unit, stream, form] = TOWN;
        let of = [unit, stream, form, period];
        fixture::reported(db, &fixture::config(), of, when, fixture::rows(&["甲公司"])).await;
    }

    #[tokio::test]
    async fn the_month_begins_at_midnight_of_the_configured_zone_and_all_that_is_taken_is_listed() {
        let (_dir, db) = fixture::ledger().await;
        came(&db, "2011-07", "2011-08-31T15:59:59Z").await;
        came(&db, "2011-06", "2011-08-31T16:00:00Z").await;
        came(&db, "2010-09", "2011-09-02T00:00:00Z").await;
        assert_eq!(news(&db, "2011-08").await, ["2011-06", "2010-09"]);
    }

    #[tokio::test]
    async fn a_correction_after_the_final_report_is_in_the_next_one() {
        let (_dir, db) = fixture::ledger().await;
        came(&db, "2011-06", "2011-09-26T00:00:00Z").await;
        let mut conn = db.pool().acquire().await.unwrap();
        let august = "2011-08".parse().unwrap();
        claim_slot(&mut conn, ("report", august, "final"), at("2011-09-28T09:00:00Z")).await.unwrap();
        drop(conn);
        came(&db, "2011-07", "2011-09-29T00:00:00Z").await;
        assert_eq!(news(&db, "2011-09").await, ["2011-07"]);
    }
}
