//! The course of the campaign up to a period: what targets and conduct are reckoned from. Pure data, nothing of any later
//! period in it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::table::Outcome;
use crate::form::Severity;
use crate::form::record::Values;
use crate::period::Period;

#[derive(Clone, Debug, Default)]
pub struct Course {
    /// From the campaign's first period to the one that is looked at, oldest first.
    pub months: Vec<Month>,
    /// For these periods; those of one obligation in order of arrival.
    pub returns: Vec<Received>,
    /// Mails that wait, and nothing in them tells whose return they are.
    pub unread: Vec<Unread>,
    /// Findings of these periods that are still open.
    pub open: Vec<Open>,
}

/// One period of the campaign.
#[derive(Clone, Debug)]
pub struct Month {
    pub period: Period,
    pub due: DateTime<Tz>,
    /// When its final report went out.
    pub published: Option<DateTime<Utc>>,
    /// Units that owe nothing for it (免报).
    pub excused: Vec<String>,
    /// Active organisations after the period's books, by unit and stream; empty where no milestone asks for coverage.
    pub books: BTreeMap<(String, String), i64>,
}

/// One version of one form that was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: Period,
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
    /// What counts stayed as it was when it came.
    pub idle: bool,
    /// The opening position: the ledger stood so, and nobody reported it.
    pub baseline: bool,
    /// Its findings that keep something out of the ledger.
    pub errors: u32,
    /// The line that it adds to the figures; `None` for any other form.
    pub figures: Option<Values>,
}

impl Received {
    pub fn accepted(&self) -> bool {
        self.outcome == Outcome::Accepted
    }
}

/// A mail that nobody has decided on, received while `period` was open.
#[derive(Clone, Debug)]
pub struct Unread {
    pub period: Period,
    /// Whose it may be: the units that its sender is registered for. `None`: anybody's, we could not read its sender.
    pub units: Option<Vec<String>>,
}

/// An open finding of one unit.
#[derive(Clone, Debug)]
pub struct Open {
    pub unit: String,
    pub period: Period,
    pub severity: Severity,
}

impl Course {
    /// What came of one form of one unit's stream, by period and then in order of arrival.
    pub fn of(&self, unit: &str, stream: &str, form: &str) -> Vec<&Received> {
        let own = |r: &&Received| r.unit == unit && r.stream == stream && r.form == form;
        let mut list: Vec<&Received> = self.returns.iter().filter(own).collect();
        list.sort_by_key(|r| (r.period, r.at));
        list
    }

    pub fn month(&self, period: Period) -> Option<&Month> {
        self.months.iter().find(|m| m.period == period)
    }
}

impl Month {
    /// The calendar day of a moment, where the deadline lies.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.due.timezone()).date_naive()
    }
}
