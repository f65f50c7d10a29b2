//! `template`: a unit's blank forms, filled in with what the ledger knows.

use anyhow::{Context, Result};

use super::arguments::Template;
use super::listing::unit_name;
use super::report::write_private;
use super::{Office, Outcome, print, usage};
use crate::jobs::templates::{self, Wanted};

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
    let mut conn = db.pool().acquire().await?;
    let one = streams.len() * forms.len() == 1;
    for stream in &streams {
        for form in &forms {
            let wanted = Wanted { unit: &name, stream, form, period: options.period };
            let Some((file, bytes)) = templates::build(&mut conn, &office.config, &wanted, office.clock.now()).await?
            else {
                continue;
            };
            let path = if one {
                options.out.clone()
            } else {
                std::fs::create_dir_all(&options.out)
                    .with_context(|| format!("{} cannot be created", options.out.display()))?;
                options.out.join(file)
            };
            write_private(&path, &bytes)?;
            print::line(&path.display().to_string())?;
        }
    }
    Ok(Outcome::Done)
}
