//! What a receipt says of other versions: what this one changes against the one it replaces, and what came before.

use anyhow::Result;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sqlx::SqliteConnection;

use super::answer::{form_title, stream_title};
use super::post;
use crate::config::Config;
use crate::ledger::amended::Standing;
use crate::ledger::copies::Copy;
use crate::ledger::query::Version;
use crate::outbox::Attached;
use crate::outbox::compose::changes::{SHOWN, Versus};
use crate::outbox::compose::receipt::{Fate, Repeated, Taken};
use crate::period::Period;
use crate::report::changes_sheet::{self, Part};
use crate::submission::repeats::{Of, Repeat};

/// Name of the workbook with every change.
const LIST: &str = "更正对照.xlsx";

/// Accepted versions with their standing to the others.
pub type Compared = [(Version, Standing)];

/// How one submission stands to the others.
pub fn versus(compared: &Compared, submission: i64, zone: Tz) -> Versus {
    let found = compared.iter().find(|(version, _)| version.id == submission);
    match found.map(|(_, standing)| standing) {
        None | Some(Standing::First) => Versus::First,
        Some(Standing::Outdated(by)) => {
            Versus::Outdated { version: by.version, received: by.received_at.with_timezone(&zone) }
        }
        Some(Standing::Replaces(before, changes)) => Versus::Replaces {
            version: before.version,
            received: before.received_at.with_timezone(&zone),
            changes: changes.clone(),
        },
    }
}

/// The forms that came before, as a receipt shows them.
pub fn repeated(config: &Config, copy: &Copy) -> Vec<Taken> {
    let here = |at: DateTime<Utc>| at.with_timezone(&config.timezone);
    let taken = |Repeat { form, earlier, of }: &Repeat| {
        let period: Period = earlier.period.parse().ok().or(form.period)?;
        let what = match of {
            Of::Counting => Repeated::Counting,
            Of::Replaced(by) => Repeated::Replaced(here(*by)),
            Of::Rejected => Repeated::Rejected,
            Of::Waiting => Repeated::Waiting,
        };
        Some(Taken {
            unit: earlier.unit.clone(),
            stream: stream_title(config, &earlier.stream),
            form: form_title(config, &form.form),
            period,
            fate: Fate::Repeated(what, here(earlier.received_at)),
            versus: Versus::First,
            reported: false,
            rows: None,
            figures: Vec::new(),
        })
    };
    copy.repeats.iter().filter_map(taken).collect()
}

/// The workbook with every change, where the mail has no room for all of one form's.
pub fn list(config: &Config, taken: &[Taken], at: DateTime<Utc>) -> Result<Option<Attached>> {
    if taken.iter().all(|t| t.versus.lines().len() <= SHOWN) {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for t in taken {
        if let Versus::Replaces { version, changes, .. } = &t.versus {
            let form = format!("{} {}，{}，{}", t.unit, t.form, t.stream, t.period.chinese());
            parts.push(Part { form, against: format!("第{version}次报送"), changes });
        }
    }
    let bytes = changes_sheet::build(&parts, &config.department.name, at.with_timezone(&config.timezone))?;
    Ok(Some(post::workbook(LIST, bytes)))
}

/// Whether the final report of a period is out.
pub async fn reported(conn: &mut SqliteConnection, period: Period) -> Result<bool> {
    let out = sqlx::query("SELECT 1 FROM job WHERE name = 'report' AND period = ? AND slot = 'final'");
    Ok(out.bind(period.to_string()).fetch_optional(conn).await?.is_some())
}
