//! Why a row is read differently from how it is stored: its seal says whether it is still what was written.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::Report;
use super::compare::Difference;
use crate::db::seal::{self, Basis, JOINT, Subject};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// Not judged yet.
    #[default]
    Unknown,
    /// Not judged yet; a finding that was derived from the unit's book.
    Derived,
    /// What is stored is not what was written: this row, or what it follows from.
    StoredDataChanged,
    /// The raw mail it came from is gone or was changed.
    RawMailLost,
    /// What is stored is what was written, and would be written differently now.
    ReadDifferently {
        /// What is another since then: program, forms, registry, settings. Nothing, perhaps.
        since: Vec<&'static str>,
    },
}

/// What is damaged, and what follows from that.
pub struct Causes {
    today: Basis,
    changed: HashSet<Subject>,
    /// A decision, a heading or an inquiry was changed, which may bear on any mail.
    decisions: bool,
    lost: HashSet<i64>,
    /// By unit and stream: what the mails it rests on suffer from.
    books: HashMap<String, Option<Cause>>,
    /// By subject: what is another since it was sealed.
    since: HashMap<Subject, Vec<&'static str>>,
}

impl Causes {
    pub fn of(report: &Report, today: Basis) -> Self {
        let changed: HashSet<Subject> = report.broken.listed.iter().map(|b| b.subject.clone()).collect();
        let decisions = changed.iter().any(|s| matches!(s.kind.as_str(), "decision" | "heading" | "inquiry"));
        let lost = report.lost.iter().map(|lost| lost.message).collect();
        Self { today, changed, decisions, lost, books: HashMap::new(), since: HashMap::new() }
    }

    /// Judges one difference.
    pub async fn of_difference(
        &mut self,
        (live, fresh): (&mut SqliteConnection, &mut SqliteConnection),
        difference: &Difference,
    ) -> Result<Cause> {
        let book = format!("{}{JOINT}{}", difference.unit, difference.stream);
        let derived =
            matches!(difference.what, "figure" | "organisation" | "change") || difference.cause == Cause::Derived;
        let of_message = |id: i64| Subject { kind: "message".to_owned(), key: id.to_string() };
        let own = match (derived, difference.message) {
            (false, Some(id)) => of_message(id),
            _ => Subject { kind: "book".to_owned(), key: book.clone() },
        };
        if self.changed.contains(&own) {
            return Ok(Cause::StoredDataChanged);
        }
        if let Some(cause) = difference.message.and_then(|id| self.of_mail(id)) {
            return Ok(cause);
        }
        if derived {
            if !self.books.contains_key(&book) {
                let mut mails = mails_of(live, difference).await?;
                mails.extend(mails_of(fresh, difference).await?);
                let cause = mails.into_iter().find_map(|id| self.of_mail(id));
                self.books.insert(book.clone(), cause);
            }
            if let Some(Some(cause)) = self.books.get(&book) {
                return Ok(cause.clone());
            }
        }
        if self.decisions {
            return Ok(Cause::StoredDataChanged);
        }
        if !self.since.contains_key(&own) {
            let sealed = seal::basis_of(live, &own).await?;
            let since = sealed.map(|(basis, _)| basis.differs(&self.today)).unwrap_or_default();
            self.since.insert(own.clone(), since);
        }
        let since = self.since.get(&own).cloned().unwrap_or_default();
        // The same program, settings and bytes come to the same: it follows from what is damaged elsewhere.
        Ok(match (since.is_empty(), self.changed.is_empty(), self.lost.is_empty()) {
            (true, false, _) => Cause::StoredDataChanged,
            (true, true, false) => Cause::RawMailLost,
            _ => Cause::ReadDifferently { since },
        })
    }

    fn of_mail(&self, id: i64) -> Option<Cause> {
        let subject = Subject { kind: "message".to_owned(), key: id.to_string() };
        if self.changed.contains(&subject) {
            return Some(Cause::StoredDataChanged);
        }
        self.lost.contains(&id).then_some(Cause::RawMailLost)
    }
}

/// The mails with returns of a unit's stream.
async fn mails_of(conn: &mut SqliteConnection, difference: &Difference) -> Result<Vec<i64>> {
    let sql = "SELECT DISTINCT message FROM submission WHERE unit = ? AND stream = ?";
    Ok(sqlx::query_scalar(sql).bind(&difference.unit).bind(&difference.stream).fetch_all(conn).await?)
}
