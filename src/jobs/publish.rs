//! Publish: the consolidated workbook and the circular, mailed to the department and the committees.

use std::sync::Arc;

use anyhow::Result;
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
use crate::outbox::compose::report as words;
use crate::outbox::{Attached, Kind};
use crate::period::Period;
use crate::report::table::Edition;
use crate::report::{self, ReportData, circular, standing, table, workbook};

/// The two files of one report.
pub struct Built {
    pub edition: Edition,
    pub workbook: Attached,
    pub circular: Attached,
}

/// Builds workbook and circular of a period from the ledger as it stands.
pub async fn build(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    edition: Edition,
    now: DateTime<Utc>,
) -> Result<Built> {
    let data = gather::report(conn, config, period, edition, now).await?;
    Ok(built(&data)?)
}

fn built(data: &ReportData) -> Result<Built, report::Error> {
    let stem = format!("{}{}", data.department.district, data.period.chinese());
    let edition = data.edition.chinese();
    Ok(Built {
        edition: data.edition.clone(),
        workbook: post::workbook(&format!("{stem}汇总表（{edition}）.xlsx"), workbook::build(data)?),
        circular: post::document(&format!("{stem}活动进展情况通报（{edition}）.docx"), circular::build(data)?),
    })
}

/// Which edition a report made now would be.
pub async fn edition(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Edition> {
    if let Some(number) = last_final(conn, period).await? {
        let changes = revised(conn, config, period).await?;
        return Ok(match (number, changes.is_empty()) {
            (0, true) => Edition::Final,
            (_, true) => Edition::Revision { number, changes },
            _ => Edition::Revision { number: number + 1, changes },
        });
    }
    let all_in = query::obligations(conn, config, period, now).await?.iter().all(|o| o.state.settled());
    Ok(if all_in { Edition::Final } else { Edition::First })
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
    let mut tx = db.begin().await?;
    // A final report makes the first one pointless, and no second final one is wanted.
    if last_final(&mut tx, occurrence.period).await?.is_some() || !pass::claim(&mut tx, occurrence, now).await? {
        return Ok(false);
    }
    let edition = match occurrence.job {
        Job::FinalReport => Edition::Final,
        _ => edition(&mut tx, config, occurrence.period, now).await?,
    };
    if edition == Edition::Final {
        claim_slot(&mut tx, ("report", occurrence.period, "final"), now).await?;
    }
    let built = build(&mut tx, config, occurrence.period, edition, now).await?;
    send(&mut tx, config, occurrence.period, built, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// After the first report: the final one as soon as the last unit is in, and afterwards a numbered revision, at most
/// one a day, when a later return changed the period.
pub async fn when_complete(db: &Db, config: &Arc<Config>, now: DateTime<Utc>) -> Result<Option<String>> {
    if !config.report.enabled {
        return Ok(None);
    }
    let mut tx = db.begin().await?;
    let published: Option<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT period, max(at) FROM job WHERE name = 'report' GROUP BY period ORDER BY period DESC LIMIT 1",
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some((period, at)) = published else { return Ok(None) };
    let period: Period = period.parse().map_err(anyhow::Error::msg)?;
    let edition = edition(&mut tx, config, period, now).await?;
    let slot = match &edition {
        Edition::First => return Ok(None),
        Edition::Final => "final".to_owned(),
        Edition::Revision { number, .. } => {
            let same_day = |a: DateTime<Utc>, b: DateTime<Utc>| {
                a.with_timezone(&config.timezone).date_naive() == b.with_timezone(&config.timezone).date_naive()
            };
            if same_day(at, now) || !amended_since(&mut tx, period, at).await? {
                return Ok(None);
            }
            format!("revision-{number}")
        }
    };
    if !claim_slot(&mut tx, ("report", period, &slot), now).await? {
        return Ok(None);
    }
    let built = build(&mut tx, config, period, edition, now).await?;
    send(&mut tx, config, period, built, now).await?;
    tx.commit().await?;
    Ok(Some(format!("report {period} {slot}")))
}

async fn amended_since(conn: &mut SqliteConnection, period: Period, at: DateTime<Utc>) -> Result<bool> {
    let found = sqlx::query(
        "SELECT 1 FROM submission s JOIN message m ON m.id = s.message
         WHERE s.period = ? AND s.state = 'accepted' AND m.assessed_at > ? LIMIT 1",
    );
    Ok(found.bind(period.to_string()).bind(at).fetch_optional(conn).await?.is_some())
}

/// Returns accepted since the last published edition, one phrase each.
async fn revised(conn: &mut SqliteConnection, config: &Config, period: Period) -> Result<Vec<String>> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT DISTINCT s.unit, s.stream, s.form FROM submission s JOIN message m ON m.id = s.message
         WHERE s.period = ?1 AND s.state = 'accepted'
         AND m.assessed_at > (SELECT max(at) FROM job WHERE name = 'report' AND period = ?1) ORDER BY 1, 2, 3",
    )
    .bind(period.to_string())
    .fetch_all(conn)
    .await?;
    let phrase = |(unit, stream, form): (String, String, String)| {
        format!("{unit}{}{}", super::answer::stream_title(config, &stream), super::answer::form_title(config, &form))
    };
    Ok(rows.into_iter().map(phrase).collect())
}

/// Queues the mail with both files to everybody who gets it, once an edition. Returns how many are new.
pub async fn send(
    conn: &mut SqliteConnection,
    config: &Config,
    period: Period,
    built: Built,
    now: DateTime<Utc>,
) -> Result<u32> {
    let data = gather::report(conn, config, period, built.edition.clone(), now).await?;
    let waiting = query::messages(conn, query::Which::Quarantined).await?.len();
    let files = [built.workbook, built.circular];
    let view = view(&data, waiting as u32, files.iter().map(|f| f.name.clone()).collect());
    let composed = words::compose(&view);
    let committees = config.mailboxes.iter().filter(|m| config.report.committees && m.stream.is_some());
    let mut recipients: Vec<&str> = config.department.addresses.iter().map(String::as_str).collect();
    recipients.extend(committees.map(|m| m.address.as_str()));
    let mut queued = 0;
    for to in &recipients {
        let post = Post {
            kind: Kind::Report,
            key: &format!("{period} {} {to}", data.edition.chinese()),
            to,
            cc: None,
            reply_to: None,
            in_reply_to: None,
            references: Vec::new(),
            attachments: files.to_vec(),
            answers: None,
            unit: None,
            period: Some(period),
        };
        queued += post::enqueue(conn, config, composed.clone(), post, now).await?;
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
