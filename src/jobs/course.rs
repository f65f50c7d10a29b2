//! The course of the campaign up to a period, from the ledger: what targets and conduct are reckoned from.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::gather::outcome;
use crate::config::Config;
use crate::form::{FormKind, Severity};
use crate::ledger::query::{self, Filter};
use crate::period::Period;
use crate::report::course::{Course, Month, Open, Received, Unread};

/// Reads all periods from the campaign's first to this one, in the caller's transaction.
pub async fn read(conn: &mut SqliteConnection, config: &Config, period: Period) -> Result<Course> {
    let first = config.targets.first.min(period);
    let returns = returns(conn, config, (first, period)).await?;
    let mut months = months(conn, config, (first, period)).await?;
    if config.targets.milestones.iter().any(|m| m.measure.is_coverage()) {
        let reported: BTreeSet<Period> = returns.iter().map(|r| r.period).collect();
        for month in months.iter_mut().filter(|m| reported.contains(&m.period)) {
            month.books = books(conn, month.period).await?;
        }
    }
    let unread = unread(conn, config, (first, period)).await?;
    Ok(Course { months, returns, unread, open: open(conn, (first, period)).await? })
}

async fn returns(
    conn: &mut SqliteConnection,
    config: &Config,
    (first, last): (Period, Period),
) -> Result<Vec<Received>> {
    let rows = sqlx::query(
        "SELECT s.unit, s.stream, s.form, s.period, s.received_at, s.state, s.idle, s.baseline,
         (SELECT count(*) FROM finding f WHERE f.submission = s.id AND f.severity = 'error'),
         (SELECT l.record FROM line l WHERE l.submission = s.id AND l.admitted
          AND s.form IN (SELECT value FROM json_each(?3)) ORDER BY l.id LIMIT 1)
         FROM submission s WHERE s.period BETWEEN ?1 AND ?2 ORDER BY s.unit, s.stream, s.form, s.period, s.received_at, s.id",
    )
    .bind(first.to_string())
    .bind(last.to_string())
    .bind(serde_json::to_string(&figures_forms(config))?)
    .fetch_all(conn)
    .await?;
    let read = |row: sqlx::sqlite::SqliteRow| -> Result<Received> {
        let figures: Option<&str> = row.get(9);
        Ok(Received {
            unit: row.get(0),
            stream: row.get(1),
            form: row.get(2),
            period: parsed(row.get(3))?,
            at: row.get(4),
            outcome: outcome(row.get(5)),
            idle: row.get(6),
            baseline: row.get(7),
            errors: row.get(8),
            figures: figures.map(serde_json::from_str).transpose().context("a stored row is not readable")?,
        })
    };
    rows.into_iter().map(read).collect()
}

fn figures_forms(config: &Config) -> Vec<&str> {
    let figures = config.campaign.forms.iter().filter(|f| f.kind == FormKind::Figures);
    figures.map(|f| f.key.as_str()).collect()
}

async fn months(conn: &mut SqliteConnection, config: &Config, (first, last): (Period, Period)) -> Result<Vec<Month>> {
    let excused: Vec<(String, String)> = sqlx::query_as(
        "SELECT period, unit FROM decision WHERE kind = 'excuse' AND unit IS NOT NULL AND period IS NOT NULL",
    )
    .fetch_all(&mut *conn)
    .await?;
    let published: Vec<(String, DateTime<Utc>)> =
        sqlx::query_as("SELECT period, at FROM job WHERE name = 'report' AND slot = 'final'").fetch_all(conn).await?;
    let month = |period: Period| {
        let name = period.to_string();
        Month {
            period,
            due: config.deadline.due(period),
            published: published.iter().find(|(p, _)| *p == name).map(|(_, at)| *at),
            excused: excused.iter().filter(|(p, _)| *p == name).map(|(_, unit)| unit.clone()).collect(),
            books: BTreeMap::new(),
        }
    };
    Ok(std::iter::successors(Some(first), |p| Some(p.next())).take_while(|p| *p <= last).map(month).collect())
}

/// Active organisations as of a period.
async fn books(conn: &mut SqliteConnection, period: Period) -> Result<BTreeMap<(String, String), i64>> {
    let mut books = BTreeMap::new();
    for entry in query::entries(conn, Some(period)).await?.into_iter().filter(|e| !e.closed) {
        *books.entry((entry.unit, entry.stream)).or_default() += 1;
    }
    Ok(books)
}

/// Mails that wait and name no unit: not read yet, or not readable by us, or silent about it.
async fn unread(conn: &mut SqliteConnection, config: &Config, (first, last): (Period, Period)) -> Result<Vec<Unread>> {
    let rows: Vec<(Option<String>, DateTime<Utc>)> = sqlx::query_as(
        "SELECT m.from_address, m.received_at FROM message m WHERE (m.disposition IS NULL OR m.disposition = 'quarantined')
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.message = m.id AND s.unit <> '')",
    )
    .fetch_all(conn)
    .await?;
    let read = |(from, at): (Option<String>, DateTime<Utc>)| {
        let period = Period::open_at(at.with_timezone(&config.timezone));
        let registered = |from: String| config.registry.registered(&from).iter().map(|u| u.name.clone()).collect();
        let units: Option<Vec<String>> = from.map(registered);
        let bears = (first..=last).contains(&period) && units.as_ref().is_none_or(|u| !u.is_empty());
        bears.then_some(Unread { period, units })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

async fn open(conn: &mut SqliteConnection, (first, last): (Period, Period)) -> Result<Vec<Open>> {
    // What is wrong with what the department handed over is no unit's mistake.
    let opening = "SELECT DISTINCT message FROM submission WHERE baseline = 1";
    let opening: Vec<i64> = sqlx::query_scalar(opening).fetch_all(&mut *conn).await?;
    let mut list = Vec::new();
    for told in query::findings(conn, &Filter::default()).await? {
        let (Some(unit), Some(period)) = (told.unit, told.period) else { continue };
        if opening.contains(&told.mail) {
            continue;
        }
        // Who may report for it is our question, not the unit's mistake.
        if told.rule.starts_with('M') {
            continue;
        }
        let severity = match told.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            _ => continue,
        };
        let period = parsed(&period)?;
        if (first..=last).contains(&period) {
            list.push(Open { unit, period, severity });
        }
    }
    Ok(list)
}

fn parsed(text: &str) -> Result<Period> {
    text.parse().map_err(anyhow::Error::msg).context("a stored period is not one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::fixture::{self, at};
    use crate::jobs::pass::claim_slot;
    use crate::report::table::Outcome;
    use crate::submission::{Disposition, Verdict};

    const TOWN: &str = "松岭镇人民政府";

    async fn of(db: &Db, config: &Config, period: &str) -> Course {
        let mut conn = db.pool().acquire().await.unwrap();
        read(&mut conn, config, period.parse().unwrap()).await.unwrap()
    }

    async fn came(db: &Db, config: &Config, period: &str, when: &str, names: &[&str]) {
        fixture::reported(db, config, [TOWN, "nonpublic", "register", period], when, fixture::rows(names)).await;
    }

    #[tokio::test]
    async fn the_course_ends_with_its_period_and_begins_with_the_campaign() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        for (period, when) in [("2011-06", "2011-07-20"), ("2011-08", "2011-09-20"), ("2011-09", "2011-10-20")] {
            came(&db, &config, period, &format!("{when}T02:00:00Z"), &["甲公司"]).await;
        }
        let published = at("2011-09-28T09:00:00Z");
        let mut conn = db.pool().acquire().await.unwrap();
        claim_slot(&mut conn, ("report", "2011-08".parse().unwrap(), "final"), published).await.unwrap();
        drop(conn);
        let course = of(&db, &config, "2011-08").await;
        let told: Vec<_> = course.months.iter().map(|m| (m.period.to_string(), m.published)).collect();
        assert_eq!(told, [("2011-07".to_owned(), None), ("2011-08".to_owned(), Some(published))]);
        let returns: Vec<_> = course.returns.iter().map(|r| (r.period.to_string(), r.outcome)).collect();
        assert_eq!(returns, [("2011-08".to_owned(), Outcome::Accepted)]);
        assert_eq!(
            of(&db, &config, "2011-06").await.months.len(),
            1,
            "before the campaign there is only the period itself"
        );
    }

    #[tokio::test]
    async fn the_ledger_of_each_period_is_counted_where_a_milestone_asks_for_coverage() {
        let (mut config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        came(&db, &config, "2011-07", "2011-08-20T02:00:00Z", &["甲公司"]).await;
        came(&db, &config, "2011-08", "2011-09-20T02:00:00Z", &["甲公司", "乙公司"]).await;
        assert!(of(&db, &config, "2011-08").await.months.iter().all(|m| m.books.is_empty()));
        config.targets.milestones[0].measure = crate::config::Measure::OrgCoverage(60.0);
        let course = of(&db, &config, "2011-08").await;
        let books: Vec<i64> = course.months.iter().flat_map(|m| m.books.values().copied()).collect();
        assert_eq!(books, [1, 2]);
    }

    #[tokio::test]
    async fn a_mail_that_we_failed_to_read_may_be_anybody_s_of_the_open_period_and_a_stranger_s_nobody_s() {
        let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
        let waits = Verdict { our_failure: true, ..Verdict::plain(Disposition::Quarantined, "") };
        fixture::came(&db, &waits, "2011-09-20T02:00:00Z", "2011-09-20T02:00:00Z").await;
        let of_sender = async |from: Option<&str>| {
            sqlx::query("UPDATE message SET from_address = ?").bind(from).execute(db.pool()).await.unwrap();
            let unread = of(&db, &config, "2011-08").await.unread;
            unread.into_iter().map(|u| (u.period.to_string(), u.units)).collect::<Vec<_>>()
        };
        let august = "2011-08".to_owned();
        assert_eq!(of_sender(None).await, [(august.clone(), None)]);
        let unit = &config.registry.units[0];
        assert_eq!(of_sender(Some(&unit.addresses[0])).await, [(august, Some(vec![unit.name.clone()]))]);
        assert_eq!(of_sender(Some("someone@office.test")).await, []);
        of_sender(None).await;
        assert!(of(&db, &config, "2011-07").await.unread.is_empty(), "as of July it says nothing");
    }
}
