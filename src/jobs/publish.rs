//! Publish: the consolidated workbook and the circular, mailed to the department and the committees.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::gather;
use super::pass::{self, claim_slot};
use super::post::{self, Post};
use super::schedule::{Job, Occurrence};
use crate::config::Config;
use crate::db::Db;
use crate::form::Severity;
use crate::ledger::obligation::State;
use crate::ledger::query;
use crate::outbox::compose::{Composed, report as words};
use crate::outbox::{Attached, Kind};
use crate::period::Period;
use crate::report::table::Edition;
use crate::report::{self, ReportData, circular, standing, table, workbook};

/// A report written: its two files, and the mail that carries them.
pub struct Report {
    pub period: Period,
    pub edition: Edition,
    pub workbook: Attached,
    pub circular: Attached,
    mail: Composed,
}

/// Writes the report of a period. The ledger is read at one moment and then let go: writing the workbook takes a
/// while, and meanwhile mail goes on being taken.
pub async fn build(
    db: &Db,
    config: &Arc<Config>,
    period: Period,
    edition: Edition,
    now: DateTime<Utc>,
) -> Result<Report> {
    let mut tx = db.pool().begin().await?;
    let gathered = gather::gather(&mut tx, config, period, now).await?;
    let waiting = query::messages(&mut tx, query::Which::Quarantined).await?.len();
    tx.commit().await?;
    let config = config.clone();
    let write = move || written(&gathered.report(&config, edition, now), waiting as u32);
    Ok(tokio::task::spawn_blocking(write).await.context("the report cannot be written")??)
}

fn written(data: &ReportData, waiting: u32) -> Result<Report, report::Error> {
    let stem = format!("{}{}", data.department.district, data.period.chinese());
    let edition = data.edition.chinese();
    let workbook = post::workbook(&format!("{stem}汇总表（{edition}）.xlsx"), workbook::build(data)?);
    let circular = post::document(&format!("{stem}活动进展情况通报（{edition}）.docx"), circular::build(data)?);
    let mail = words::compose(&view(data, waiting, vec![workbook.name.clone(), circular.name.clone()]));
    Ok(Report { period: data.period, edition: data.edition.clone(), workbook, circular, mail })
}

/// Which edition a report made now would be.
pub async fn edition(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Edition> {
    if let Some(number) = last_final(conn, period).await? {
        let changes = revised(conn, config, period, now).await?;
        return Ok(match (number, changes.is_empty()) {
            (0, true) => Edition::Final,
            (_, true) => Edition::Revision { number, changes },
            _ => Edition::Revision { number: number + 1, changes },
        });
    }
    let all_in = query::obligations(conn, config, period, now).await?.iter().all(|o| o.state.settled());
    Ok(if all_in { Edition::Final } else { Edition::First })
}

/// The newest edition that has gone out on its day, with what it said that it changed.
pub async fn published(conn: &mut SqliteConnection, config: &Config, period: Period) -> Result<Option<Edition>> {
    let rows: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT slot, at FROM job WHERE name = 'report' AND period = ? AND slot NOT LIKE 'by hand%' ORDER BY at",
    )
    .bind(period.to_string())
    .fetch_all(&mut *conn)
    .await?;
    let number = last_final(conn, period).await?;
    let Some(number) = number.filter(|n| *n > 0) else {
        let first = rows.iter().any(|(slot, _)| *slot == slot_of(&Edition::First));
        return Ok(number.map(|_| Edition::Final).or(first.then_some(Edition::First)));
    };
    let name = slot_of(&Edition::Revision { number, changes: Vec::new() });
    let out = rows.iter().find(|(slot, _)| *slot == name).map(|(_, at)| *at);
    let since = rows.iter().map(|(_, at)| *at).filter(|at| out.is_some_and(|out| *at < out)).max();
    let changes = match since.zip(out) {
        Some(between) => accepted_between(conn, config, period, between).await?,
        None => Vec::new(),
    };
    Ok(Some(Edition::Revision { number, changes }))
}

/// The slot of the job `report` that an edition takes on its day.
fn slot_of(edition: &Edition) -> String {
    match edition {
        Edition::First => "first".to_owned(),
        Edition::Final => "final".to_owned(),
        Edition::Revision { number, .. } => format!("revision-{number}"),
    }
}

/// The slot of a report that somebody sends by hand, whenever it is: it takes no edition's place.
pub fn by_hand(now: DateTime<Utc>) -> String {
    format!("by hand {}", now.to_rfc3339())
}

/// The number of the newest edition since the final one (0): `None` while there is no final one.
async fn last_final(conn: &mut SqliteConnection, period: Period) -> Result<Option<u32>> {
    let slots: Vec<String> = sqlx::query_scalar("SELECT slot FROM job WHERE name = 'report' AND period = ?")
        .bind(period.to_string())
        .fetch_all(conn)
        .await?;
    let number = |slot: &String| match slot.as_str() {
        "final" => Some(0),
        other => other.strip_prefix("revision-").and_then(|n| n.parse().ok()),
    };
    Ok(slots.iter().filter_map(number).max())
}

/// A report that has become due on its date. False when it was published before.
pub async fn scheduled(db: &Db, config: &Arc<Config>, occurrence: &Occurrence, now: DateTime<Utc>) -> Result<bool> {
    let period = occurrence.period;
    let mut conn = db.pool().acquire().await?;
    // A final report makes the first one pointless, and no second final one is wanted.
    if last_final(&mut conn, period).await?.is_some() || pass::claimed(&mut conn, occurrence).await? {
        return Ok(false);
    }
    let edition = match occurrence.job {
        Job::FinalReport => Edition::Final,
        _ => edition(&mut conn, config, period, now).await?,
    };
    drop(conn);
    let report = build(db, config, period, edition, now).await?;
    Ok(publish(db, config, &report, (&occurrence.slot, &slot_of(&report.edition)), now).await?.is_some())
}

/// After the first report: the final one as soon as the last unit is in, and afterwards a numbered revision, at most
/// one a day, when a later return changed the period.
pub async fn when_complete(db: &Db, config: &Arc<Config>, now: DateTime<Utc>) -> Result<Option<String>> {
    if !config.report.enabled {
        return Ok(None);
    }
    let mut conn = db.pool().acquire().await?;
    let Some((period, at)) = last_published(&mut conn, None, now).await? else { return Ok(None) };
    let edition = edition(&mut conn, config, period, now).await?;
    let final_is_out = last_final(&mut conn, period).await?.is_some();
    drop(conn);
    let day = |t: DateTime<Utc>| t.with_timezone(&config.timezone).date_naive();
    match &edition {
        Edition::First => return Ok(None),
        Edition::Final if final_is_out => return Ok(None),
        Edition::Revision { changes, .. } if changes.is_empty() || day(at) == day(now) => return Ok(None),
        Edition::Final | Edition::Revision { .. } => {}
    }
    let slot = slot_of(&edition);
    let report = build(db, config, period, edition, now).await?;
    let published = publish(db, config, &report, (&slot, &slot), now).await?;
    Ok(published.map(|_| format!("report {period} {slot}")))
}

/// The newest period (or this one) that was published on its date, and when it last was. What a clock that ran ahead
/// has left behind counts when its time has come.
async fn last_published(
    conn: &mut SqliteConnection,
    period: Option<Period>,
    now: DateTime<Utc>,
) -> Result<Option<(Period, DateTime<Utc>)>> {
    let found: Option<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT period, at FROM job WHERE name = 'report' AND (?1 IS NULL OR period = ?1) AND at <= ?2
         AND slot NOT LIKE 'by hand%' ORDER BY period DESC, at DESC LIMIT 1",
    )
    .bind(period.map(|p| p.to_string()))
    .bind(now)
    .fetch_optional(conn)
    .await?;
    found.map(|(period, at)| Ok((period.parse().map_err(anyhow::Error::msg)?, at))).transpose()
}

/// Returns accepted since the last published edition, one phrase each; not those that changed nothing.
async fn revised(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    match last_published(conn, Some(period), now).await? {
        Some((_, since)) => accepted_between(conn, config, period, (since, now)).await,
        None => Ok(Vec::new()),
    }
}

async fn accepted_between(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    (since, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<String>> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT DISTINCT unit, stream, form FROM submission
         WHERE period = ? AND state = 'accepted' AND idle = 0 AND baseline = 0 AND known_at > ? AND known_at <= ?
         ORDER BY 1, 2, 3",
    )
    .bind(period.to_string())
    .bind(since)
    .bind(until)
    .fetch_all(conn)
    .await?;
    let phrase = |(unit, stream, form): (String, String, String)| {
        format!("{unit}{}{}", super::answer::stream_title(config, &stream), super::answer::form_title(config, &form))
    };
    Ok(rows.into_iter().map(phrase).collect())
}

/// Claims the slot that was due and that of the edition, and queues the report, in one transaction. Returns how many
/// mails are queued; `None` when somebody else published it meanwhile: this one is dropped.
pub async fn publish(
    db: &Db,
    config: &Config,
    report: &Report,
    (due, edition): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<u32>> {
    let mut tx = db.begin().await?;
    let mut first = claim_slot(&mut tx, ("report", report.period, edition), now).await?;
    if due != edition {
        first &= claim_slot(&mut tx, ("report", report.period, due), now).await?;
    }
    if !first {
        return Ok(None);
    }
    let queued = send(&mut tx, config, report, edition, now).await?;
    tx.commit().await?;
    Ok(Some(queued))
}

/// Queues the mail with both files to everybody who gets it, once a slot. Returns how many are new.
async fn send(
    conn: &mut SqliteConnection,
    config: &Config,
    report: &Report,
    slot: &str,
    now: DateTime<Utc>,
) -> Result<u32> {
    let committees = config.mailboxes.iter().filter(|m| config.report.committees && m.stream.is_some());
    let mut recipients: Vec<&str> = config.department.addresses.iter().map(String::as_str).collect();
    recipients.extend(committees.map(|m| m.address.as_str()));
    let mut queued = 0;
    for to in &recipients {
        let post = Post {
            kind: Kind::Report,
            key: &format!("{} {slot} {to}", report.period),
            to,
            cc: None,
            reply_to: None,
            in_reply_to: None,
            references: Vec::new(),
            attachments: vec![report.workbook.clone(), report.circular.clone()],
            answers: None,
            unit: None,
            period: Some(report.period),
        };
        queued += post::enqueue(conn, config, report.mail.clone(), post, now).await?;
    }
    Ok(queued)
}

/// The report in the few words of the mail that carries it.
fn view(data: &ReportData, quarantined: u32, files: Vec<String>) -> words::Report {
    let units = standing::standings(data);
    let severity = |s: Severity| data.findings.iter().filter(|f| f.finding.severity == s).count() as u32;
    words::Report {
        district: data.department.district.clone(),
        period: data.period,
        edition: match &data.edition {
            Edition::First => words::Edition::First,
            Edition::Final => words::Edition::Final,
            Edition::Revision { number, .. } => words::Edition::Revision(*number),
        },
        on_time: units.iter().filter(|u| u.state == State::OnTime).count() as u32,
        late: standing::units_in(data, State::Late),
        missing: [State::Missing, State::Rejected, State::Quarantined, State::Pending]
            .iter()
            .flat_map(|s| standing::units_in(data, *s))
            .collect(),
        excused: standing::units_in(data, State::Excused),
        streams: data.tables().iter().filter(|t| !t.lines.is_empty()).map(stream_view).collect(),
        errors: severity(Severity::Error),
        warnings: severity(Severity::Warning),
        quarantined,
        files,
        contact: data.department.contact.clone(),
        signature: data.department.name.clone(),
    }
}

fn stream_view(t: &table::StreamTable) -> words::StreamSummary {
    let total = |key: &str| t.total(key).unwrap_or(0);
    words::StreamSummary {
        title: t.stream.title.clone(),
        organisations: t.entries().unwrap_or_else(|| total(table::ORGS)),
        members: total(table::MEMBERS),
        party_orgs: total(table::PARTY_ORGS),
        new_month: total(table::FOUNDED_MONTH),
        new_total: total(table::FOUNDED_TOTAL),
        target: t.target().and_then(|n| u32::try_from(n).ok()),
        org_coverage: t.coverage(table::COVERED).map(|c| c * 100.0),
        work_coverage: t.coverage(table::WORK_COVERED).map(|c| c * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, at};
    use crate::jobs::schedule;

    fn august() -> Period {
        "2011-08".parse().unwrap()
    }

    /// The report that is due on the 26th.
    fn first(config: &Config) -> Occurrence {
        let here = |t: &str| at(t).with_timezone(&config.timezone);
        let mut due = schedule::due(config, here("2011-09-26T01:30:00Z"), here("2011-09-26T02:00:00Z"));
        assert_eq!(due.len(), 1);
        due.remove(0)
    }

    #[tokio::test]
    async fn a_report_sent_by_hand_takes_no_edition_s_place() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        let early = at("2011-09-21T02:00:00Z");
        let report = build(&db, &config, august(), Edition::First, early).await.unwrap();
        let slot = by_hand(early);
        assert_eq!(publish(&db, &config, &report, (&slot, &slot), early).await.unwrap(), Some(3));
        fixture::all_reported(&db, &config, "2011-08", "2011-09-21T03:00:00Z").await;
        let before_the_deadline = when_complete(&db, &config, at("2011-09-22T02:00:00Z")).await.unwrap();
        assert_eq!(before_the_deadline, None);
        assert!(scheduled(&db, &config, &first(&config), at("2011-09-26T02:00:00Z")).await.unwrap());
        assert_eq!(fixture::queued(&db).await, (6, 0));
    }

    #[tokio::test]
    async fn the_last_unit_brings_the_final_report_and_a_correction_a_revision() {
        let (config, (_dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        assert!(scheduled(&db, &config, &first(&config), at("2011-09-26T02:00:00Z")).await.unwrap());
        assert!(!scheduled(&db, &config, &first(&config), at("2011-09-26T02:00:00Z")).await.unwrap());
        let complete = async |now: &str| when_complete(&db, &config, at(now)).await.unwrap().unwrap_or_default();
        assert_eq!(complete("2011-09-26T03:00:00Z").await, "");
        fixture::all_reported(&db, &config, "2011-08", "2011-09-26T04:00:00Z").await;
        assert_eq!(complete("2011-09-26T05:00:00Z").await, "report 2011-08 final");
        assert_eq!(complete("2011-09-27T05:00:00Z").await, "");
        let of = ["松岭镇人民政府", "nonpublic", "register", "2011-08"];
        fixture::reported(&db, &config, of, "2011-09-27T06:00:00Z", fixture::rows(&["乙公司"])).await;
        assert_eq!(complete("2011-09-27T07:00:00Z").await, "report 2011-08 revision-1");
        assert_eq!(complete("2011-09-28T07:00:00Z").await, "");
    }

    #[tokio::test]
    async fn a_report_is_built_while_another_process_writes() {
        let (config, (dir, db)) = (Arc::new(fixture::config()), fixture::ledger().await);
        let other = Db::open(dir.path()).await.unwrap();
        let _writing = other.begin().await.unwrap();
        let report = build(&db, &config, august(), Edition::First, at("2011-09-26T02:00:00Z")).await.unwrap();
        assert!(report.workbook.bytes.starts_with(b"PK"));
    }
}
