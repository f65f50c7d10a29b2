//! `headings`: what people confirmed that no form file lists.

use anyhow::Result;
use serde_json::json;

use super::arguments::Headings;
use super::listing::short;
use super::quarantine::label;
use super::{Office, Outcome, print, usage};
use crate::ledger::headings;

pub async fn run(office: Office, action: Option<Headings>) -> Result<Outcome> {
    let db = office.db().await?;
    let mut tx = db.begin().await?;
    match action.unwrap_or(Headings::List) {
        Headings::List => list(&office, &headings::confirmed(&mut tx).await?)?,
        Headings::Export => export(&office, &headings::confirmed(&mut tx).await?)?,
        Headings::Revoke { id } => {
            if !headings::revoke(&mut tx, id, office.clock.now()).await? {
                return Err(usage(format!("there is no heading {id}; see `taizhang headings`")));
            }
            tx.commit().await?;
            print::line(&format!("heading {id} is asked about again from now on"))?;
        }
    }
    Ok(Outcome::Done)
}

fn list(office: &Office, confirmed: &[headings::Confirmed]) -> Result<()> {
    if office.json {
        let rows = confirmed.iter().map(|c| {
            json!({ "id": c.id, "form": c.heading.form, "key": c.heading.column, "heading": c.heading.shown,
                    "at": c.at.with_timezone(&office.config.timezone).to_rfc3339(), "who": c.who })
        });
        return print::json(&rows.collect::<Vec<_>>());
    }
    let rows = confirmed.iter().map(|c| {
        let read_as = label(&office.config.campaign, &c.heading.form, &c.heading.column);
        let at = short(c.at, office.config.timezone);
        vec![c.id.to_string(), c.heading.form.clone(), c.heading.shown.clone(), read_as, at, c.who.clone()]
    });
    print::table(&["id", "form", "heading", "read as", "confirmed", "by"], rows.collect())
}

/// The lines that make the form files say the same.
fn export(office: &Office, confirmed: &[headings::Confirmed]) -> Result<()> {
    let mut campaign = office.config.campaign.clone();
    headings::teach(&mut campaign, confirmed);
    for form in &campaign.forms {
        for column in form.columns.iter().filter(|c| !c.learned.is_empty()) {
            print::line(&format!("# {}.toml, [[column]] with key = \"{}\"", form.key, column.key))?;
            print::line(&column.paths_toml())?;
        }
    }
    Ok(())
}
