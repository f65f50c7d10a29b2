//! `template`: a unit's blank forms, filled in with what the ledger knows.

use anyhow::{Context, Result};

use super::arguments::Template;
use super::listing::unit_name;
use super::report::write_private;
use super::{Office, Outcome, print, usage};
use crate::jobs::templates;
use crate::ledger::query::Whose;

pub async fn run(office: Office, options: Template) -> Result<Outcome> {
    let name = unit_name(&office, &options.unit)?;
    let streams = office.config.registry.unit(&name).map(|u| u.streams.clone()).unwrap_or_default();
    let streams: Vec<String> = streams.into_iter().filter(|s| options.stream.as_ref().is_none_or(|o| o == s)).collect();
    let forms = office.config.campaign.forms.iter().map(|f| f.key.clone());
    let forms: Vec<String> = forms.filter(|f| options.form.as_ref().is_none_or(|o| o == f)).collect();
    if streams.is_empty() || forms.is_empty() {
        return Err(usage(format!("{name} owes no such form; see `taizhang units list`")));
    }
    let db = office.db().await?;
    let mut drafts = Vec::new();
    let mut conn = db.pool().acquire().await?;
    for stream in &streams {
        for form in &forms {
            let whose = Whose { unit: &name, stream, form };
            drafts.extend(templates::draft(&mut conn, &office.config, whose, options.period).await?);
        }
    }
    drop(conn);
    let one = drafts.len() == 1;
    for draft in &drafts {
        let file = templates::write(&office.config, draft, office.clock.now())?;
        let path = if one {
            options.out.clone()
        } else {
            std::fs::create_dir_all(&options.out)
                .with_context(|| format!("{} cannot be created", options.out.display()))?;
            options.out.join(file.name)
        };
        write_private(&path, &file.bytes)?;
        print::line(&path.display().to_string())?;
    }
    Ok(Outcome::Done)
}
