//! Templates: the blank form of one obligation, filled in with what the ledger knows. Read first, then written without
//! the ledger: a book of hundreds of rows takes a while to write.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::post;
use crate::config::Config;
use crate::form::record::Values;
use crate::form::{Form, FormKind, Stream};
use crate::ledger::query::{self, Whose};
use crate::outbox::Attached;
use crate::period::Period;
use crate::report::{self, template};

/// A form to be written, with what is known.
pub struct Draft {
    unit: String,
    stream: Stream,
    form: Form,
    period: Period,
    known: Known,
}

enum Known {
    /// The period before, if it was reported.
    Figures(Option<query::Figure>),
    /// The active organisations.
    Book(Vec<Values>),
}

/// Reads what one form is filled in with; `None` for a form or stream that the campaign does not have.
pub async fn draft(
    conn: &mut SqliteConnection,
    config: &Config,
    whose: Whose<'_>,
    period: Period,
) -> Result<Option<Draft>> {
    let (Some(form), Some(stream)) = (config.campaign.form(whose.form), config.campaign.stream(whose.stream)) else {
        return Ok(None);
    };
    let known = match form.kind {
        FormKind::Figures => Known::Figures(query::figure(conn, whose, period.prev()).await?),
        FormKind::Book => Known::Book(query::book(conn, whose).await?),
    };
    Ok(Some(Draft { unit: whose.unit.to_owned(), stream: stream.clone(), form: form.clone(), period, known }))
}

/// The form as a file.
pub fn write(config: &Config, draft: &Draft, now: DateTime<Utc>) -> Result<Attached, report::Error> {
    let blank = template::Blank {
        campaign: &config.campaign,
        stream: &draft.stream,
        unit: &draft.unit,
        period: draft.period,
        due: config.deadline.due(draft.period),
        generated_at: now.with_timezone(&config.timezone),
    };
    let bytes = match &draft.known {
        Known::Figures(last) => template::progress(&blank, &draft.form, last.as_ref().map(|f| (f.period, &f.values)))?,
        Known::Book(entries) => template::register(&blank, &draft.form, &entries.iter().collect::<Vec<_>>())?,
    };
    let Draft { unit, stream, form, period, .. } = draft;
    let name = format!("{unit}-{}{}-{}.xlsx", period.chinese(), stream.title, form.short_title);
    Ok(post::workbook(&name.replace(' ', ""), bytes))
}
