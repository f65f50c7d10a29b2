//! `status`, `messages`, `findings`: what the ledger holds, as tables or JSON.

use anyhow::Result;
use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;

use super::{Office, Outcome, print, usage};
use crate::ledger::query::{self, Which};
use crate::ledger::waiver::Waived;
use crate::outbox::budget::Budget;
use crate::period::Period;
use crate::submission::units::find_units;

pub async fn status(office: Office, period: Option<Period>) -> Result<Outcome> {
    let period = period.unwrap_or_else(|| office.open_period());
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let list = query::obligations(&mut conn, &office.config, period, office.clock.now()).await?;
    let zone = office.config.timezone;
    let due = office.config.deadline.due(period);
    if office.json {
        let rows: Vec<_> = list
            .iter()
            .map(|o| {
                json!({
                    "unit": o.unit, "stream": o.stream, "form": o.form, "period": o.period, "state": o.state,
                    "received_at": o.received_at.map(|t| local(t, zone)),
                    "amended_at": o.amended_at.map(|t| local(t, zone)),
                    "version": o.version, "errors": o.errors, "warnings": o.warnings,
                })
            })
            .collect();
        print::json(&json!({ "period": period, "due": due.to_rfc3339(), "obligations": rows }))?;
        return Ok(Outcome::Done);
    }
    let rows = list.iter().map(|o| {
        vec![
            o.unit.clone(),
            o.stream.clone(),
            o.form.clone(),
            o.state.as_str().to_owned(),
            o.received_at.map(|t| short(t, zone)).unwrap_or_default(),
            if o.version > 0 { o.version.to_string() } else { String::new() },
            count(o.errors),
            count(o.warnings),
        ]
    });
    print::line(&format!("period {period}, due {}", due.format("%Y-%m-%d %H:%M")))?;
    print::table(&["unit", "stream", "form", "state", "received", "version", "errors", "warnings"], rows.collect())?;
    Ok(Outcome::Done)
}

pub async fn messages(office: Office, since: Option<DateTime<Utc>>) -> Result<Outcome> {
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let list = query::messages(&mut conn, Which::Since(since.unwrap_or(DateTime::UNIX_EPOCH))).await?;
    let zone = office.config.timezone;
    if office.json {
        print::json(&list.iter().map(|m| message_json(m, zone)).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let rows = list.iter().map(|m| {
        vec![
            m.id.to_string(),
            short(m.received_at, zone),
            m.mailbox.clone(),
            m.from.clone().unwrap_or_default(),
            print::clip(&m.subject, 24),
            m.disposition.clone().unwrap_or_else(|| "waiting".into()),
            print::clip(&reason(m), 40),
        ]
    });
    print::table(&["id", "received", "mailbox", "from", "subject", "disposition", "reason"], rows.collect())?;
    Ok(Outcome::Done)
}

/// Where it went, and whether it went unanswered for want of budget.
fn reason(m: &query::Listed) -> String {
    let withheld = m.withheld.as_deref().and_then(Budget::parse);
    withheld.map_or_else(|| m.reason.clone(), |budget| format!("【{}】{}", budget.chinese(), m.reason))
}

/// One message as the contract of `messages --json` has it.
pub fn message_json(m: &query::Listed, zone: chrono_tz::Tz) -> serde_json::Value {
    let nullable = |s: &str| if s.is_empty() { serde_json::Value::Null } else { s.into() };
    let submissions = m.submissions.iter().map(|s| {
        json!({
            "unit": nullable(&s.unit), "stream": nullable(&s.stream), "form": s.form, "period": nullable(&s.period),
            "version": s.version, "state": s.state, "file": s.file, "sheet": s.sheet,
        })
    });
    json!({
        "id": m.id, "mailbox": m.mailbox, "message_id": m.message_id, "from": m.from, "subject": m.subject,
        "received_at": local(m.received_at, zone), "disposition": m.disposition, "reason": m.reason, "rules": m.rules,
        "duplicate_of": m.duplicate_of, "answer_withheld": m.withheld, "submissions": submissions.collect::<Vec<_>>(),
        "files": m.files,
    })
}

/// Which findings to list.
pub struct Findings {
    pub period: Option<Period>,
    /// As it was named.
    pub unit: Option<String>,
    pub all: bool,
    /// Only the waived ones.
    pub waived: bool,
}

pub async fn findings(office: Office, which: Findings) -> Result<Outcome> {
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let unit = which.unit.map(|u| unit_name(&office, &u)).transpose()?;
    let filter = query::Filter { period: which.period, unit, message: None, all: which.all, waived: which.waived };
    let mut list = query::findings(&mut conn, &filter).await?;
    list.retain(|f| !which.waived || f.waived.is_some());
    if office.json {
        print::json(&list)?;
        return Ok(Outcome::Done);
    }
    let text = |o: &Option<String>| o.clone().unwrap_or_default();
    let told_waived = which.all || which.waived;
    let rows = list.iter().map(|f| {
        let place = f.cell.clone().or_else(|| f.row.map(|r| format!("row {r}"))).unwrap_or_default();
        let mut row = vec![
            f.id.clone(),
            f.rule.clone(),
            f.severity.clone(),
            text(&f.unit),
            text(&f.file),
            text(&f.sheet),
            place,
            print::clip(&f.message, 60),
        ];
        let by =
            |w: &Waived| format!("{} {}: {}", short(w.at, office.config.timezone), w.who, print::clip(&w.reason, 40));
        row.extend(told_waived.then(|| f.waived.as_ref().map(by).unwrap_or_default()));
        row
    });
    let mut headers = vec!["id", "rule", "severity", "unit", "file", "sheet", "cell", "finding"];
    headers.extend(told_waived.then_some("waived"));
    print::table(&headers, rows.collect())?;
    Ok(Outcome::Done)
}

/// The registry's name of a unit that was named by name or alias.
pub fn unit_name(office: &Office, text: &str) -> Result<String> {
    let found = find_units(text, &office.config.registry);
    match found.as_slice() {
        [one] => Ok(one.name.clone()),
        _ => {
            let names: Vec<&str> = office.config.registry.units.iter().map(|u| u.name.as_str()).collect();
            Err(usage(format!("`{text}` names no unit of the registry; units: {}", names.join(", "))))
        }
    }
}

pub fn local(t: DateTime<Utc>, zone: chrono_tz::Tz) -> String {
    t.with_timezone(&zone).trunc_subsecs(0).to_rfc3339()
}

pub fn short(t: DateTime<Utc>, zone: chrono_tz::Tz) -> String {
    t.with_timezone(&zone).format("%m-%d %H:%M").to_string()
}

fn count(n: u32) -> String {
    if n == 0 { String::new() } else { n.to_string() }
}
