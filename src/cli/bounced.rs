//! `units bounced`: addresses that mail came back from, and addresses that are not answered any more.

use anyhow::Result;
use serde_json::json;

use super::listing::{local, short};
use super::{Office, Outcome, print, usage};
use crate::config::{Config, SmtpKind};
use crate::db::Db;
use crate::jobs::bounce;
use crate::outbox::compose::unreached::Whose;
use crate::outbox::{bounced, budget};

pub async fn list(office: &Office) -> Result<Outcome> {
    let db = office.db().await?;
    let mut conn = db.pool().acquire().await?;
    let marks = bounced::marks(&mut conn).await?;
    let silent = budget::silent(&mut conn).await?;
    let zone = office.config.timezone;
    let unit = |address: &str| match bounce::whose(&office.config, address) {
        Whose::Unit(name) | Whose::Supervisor(name) => name,
        Whose::Ours | Whose::Nobodys => String::new(),
    };
    if office.json {
        let marks = marks.iter().map(|m| {
            json!({
                "address": m.address, "unit": unit(&m.address), "cause": m.cause.as_str(), "status": m.status,
                "reason": m.reason, "at": local(m.at, zone), "message": m.message,
                "mail": m.mail.as_ref().map(|(kind, subject)| json!({ "kind": kind, "subject": subject })),
            })
        });
        let silent = silent.iter().map(|(address, since)| {
            json!({
                "address": address, "unit": unit(address), "cause": "not answered", "status": "",
                "reason": "answering brought nothing", "at": local(*since, zone), "message": null, "mail": null,
            })
        });
        print::json(&marks.chain(silent).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for m in &marks {
        let mail = m.mail.as_ref().map(|(kind, _)| kind.clone()).unwrap_or_default();
        let reason = print::clip(&m.reason, 50);
        let cause = m.cause.as_str().to_owned();
        rows.push(vec![m.address.clone(), unit(&m.address), cause, m.status.clone(), short(m.at, zone), mail, reason]);
    }
    for (address, since) in &silent {
        let cause = "not answered".to_owned();
        let reason = "answering brought nothing".to_owned();
        rows.push(vec![
            address.clone(),
            unit(address),
            cause,
            String::new(),
            short(*since, zone),
            String::new(),
            reason,
        ]);
    }
    print::table(&["address", "unit", "cause", "status", "since", "mail", "reason"], rows)?;
    Ok(Outcome::Done)
}

/// A person knows that an address works, or that its mails are to be answered again.
pub async fn clear(office: &Office, address: &str) -> Result<Outcome> {
    let address = address.trim().to_lowercase();
    let db = office.db().await?;
    let mut tx = db.begin().await?;
    let marked = bounced::end(&mut tx, &address, office.clock.now()).await?;
    let silent = budget::be_patient(&mut tx, &address).await?;
    tx.commit().await?;
    if !marked && !silent {
        return Err(usage(format!("nothing stands against `{address}`; see `taizhang units bounced`")));
    }
    print::line(&format!("{address}: cleared"))?;
    Ok(Outcome::Done)
}

/// For `check`: whether what comes back comes back to us, and which of the addresses that we report to take no mail.
pub async fn checked(config: &Config) -> Vec<(String, Result<String, String>)> {
    let sender = &config.smtp.address;
    let home = match config.mailboxes.iter().find(|m| m.address == *sender) {
        Some(mailbox) => format!("comes back to {sender}, read as mailbox {}", mailbox.name),
        None if matches!(config.smtp.kind, SmtpKind::Files(_)) => "nothing is sent, so nothing comes back".to_owned(),
        None => format!(
            "comes back to {sender}, which no [[mailbox]] reads, so dead addresses stay unknown; send from one of the mailboxes, \
             or add this one"
        ),
    };
    let mut lines = vec![("returned mail".to_owned(), Ok(home))];
    // That the ledger cannot be read is told on its own line.
    let dead = dead(config).await.unwrap_or_default();
    if !dead.is_empty() {
        let told = format!("mail came back from {}; see `taizhang units bounced`", dead.join(", "));
        lines.push(("our addresses".to_owned(), Err(told)));
    }
    lines
}

/// Addresses of the department, the committees and the supervisors that mail came back from.
async fn dead(config: &Config) -> Result<Vec<String>> {
    let db = Db::open(&config.data_dir).await?;
    let marks = bounced::marks(&mut *db.pool().acquire().await?).await?;
    let ours = |address: &String| matches!(bounce::whose(config, address), Whose::Ours | Whose::Supervisor(_));
    let mut dead: Vec<String> = marks.into_iter().map(|m| m.address).filter(ours).collect();
    dead.sort();
    dead.dedup();
    Ok(dead)
}
