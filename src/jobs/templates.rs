//! Templates: the blank form of one obligation, filled in with what the ledger knows.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::config::Config;
use crate::form::FormKind;
use crate::ledger::query;
use crate::period::Period;
use crate::report::template;

pub struct Wanted<'a> {
    pub unit: &'a str,
    pub stream: &'a str,
    pub form: &'a str,
    pub period: Period,
}

/// File name and bytes; `None` for a form or stream that the campaign does not have.
pub async fn build(
    conn: &mut SqliteConnection,
    config: &Config,
    wanted: &Wanted<'_>,
    now: DateTime<Utc>,
) -> Result<Option<(String, Vec<u8>)>> {
    let (Some(form), Some(stream)) = (config.campaign.form(wanted.form), config.campaign.stream(wanted.stream)) else {
        return Ok(None);
    };
    let blank = template::Blank {
        campaign: &config.campaign,
        stream,
        unit: wanted.unit,
        period: wanted.period,
        due: config.deadline.due(wanted.period),
        generated_at: now.with_timezone(&config.timezone),
    };
    let bytes = match form.kind {
        FormKind::Figures => {
            let all = query::figures(conn, Some(wanted.period.prev())).await?;
            let mine =
                all.into_iter().find(|f| f.unit == wanted.unit && f.stream == wanted.stream && f.form == wanted.form);
            template::progress(&blank, form, mine.as_ref().map(|f| (f.period, &f.values)))?
        }
        FormKind::Book => {
            let all = query::entries(conn, None).await?;
            let mine =
                all.iter().filter(|e| e.unit == wanted.unit && e.stream == wanted.stream && e.form == wanted.form);
            let values: Vec<_> = mine.filter(|e| !e.closed).map(|e| &e.values).collect();
            template::register(&blank, form, &values)?
        }
    };
    let name = format!("{}-{}{}-{}.xlsx", wanted.unit, wanted.period.chinese(), stream.title, form.short_title);
    Ok(Some((name.replace(' ', ""), bytes)))
}
