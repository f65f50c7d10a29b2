//! `units`: the registry. Its problems are those of loading the configuration, which has already succeeded here.

use anyhow::Result;
use serde_json::json;

use super::arguments::Units;
use super::{Office, Outcome, bounced, print};

pub async fn run(office: Office, action: Option<Units>) -> Result<Outcome> {
    match action {
        Some(Units::Check) => return check(&office),
        Some(Units::Bounced { clear: Some(address) }) => return bounced::clear(&office, &address).await,
        Some(Units::Bounced { clear: None }) => return bounced::list(&office).await,
        Some(Units::List) | None => {}
    }
    let units = &office.config.registry.units;
    if office.json {
        let rows = units.iter().map(|u| {
            let quotas: serde_json::Map<_, _> = u.quotas.iter().map(|(s, n)| (s.clone(), (*n).into())).collect();
            json!({
                "name": u.name, "aliases": u.aliases, "kind": u.kind, "streams": u.streams,
                "addresses": u.addresses, "domains": u.domains, "supervisor": u.supervisor, "quotas": quotas,
            })
        });
        print::json(&rows.collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let rows = units.iter().map(|u| {
        let quotas: Vec<String> = u.quotas.iter().map(|(s, n)| format!("{s} {n}")).collect();
        let addresses: Vec<&str> = u.addresses.iter().chain(&u.domains).map(String::as_str).collect();
        vec![u.name.clone(), u.kind.clone(), u.streams.join(", "), addresses.join(", "), quotas.join(", ")]
    });
    print::table(&["unit", "kind", "streams", "addresses", "quotas"], rows.collect())?;
    Ok(Outcome::Done)
}

/// What is allowed but probably not meant: nobody to remind, no supervisor, no quota.
fn check(office: &Office) -> Result<Outcome> {
    let mut remarks = Vec::new();
    for unit in &office.config.registry.units {
        if unit.contact().is_none() {
            remarks.push(format!("{}: no whole address, so reminders cannot reach it", unit.name));
        }
        if unit.supervisor.is_none() {
            remarks.push(format!("{}: no supervisor, so overdue notices go to the unit alone", unit.name));
        }
        for stream in unit.streams.iter().filter(|s| unit.quota(s).is_none()) {
            remarks.push(format!("{}: no quota for {stream}", unit.name));
        }
    }
    print::line(&format!("{} units, no error", office.config.registry.units.len()))?;
    for remark in &remarks {
        print::line(remark)?;
    }
    Ok(if remarks.is_empty() { Outcome::Done } else { Outcome::NeedsPerson })
}
