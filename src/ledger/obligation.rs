//! An obligation (应报): unit × stream × form × period, and how it stands. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::period::Period;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not due yet, nothing accepted.
    Pending,
    OnTime,
    Late,
    /// Due passed, nothing came.
    Missing,
    /// Only unusable versions came.
    Rejected,
    Quarantined,
    Excused,
}

impl State {
    /// An accepted version is in the ledger.
    pub fn reported(self) -> bool {
        matches!(self, Self::OnTime | Self::Late)
    }

    /// The unit still has to send something.
    pub fn owed(self) -> bool {
        matches!(self, Self::Pending | Self::Missing | Self::Rejected)
    }

    /// Nothing more is expected: reported or excused.
    pub fn settled(self) -> bool {
        self.reported() || self == Self::Excused
    }

    /// The word of `status --json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Missing => "missing",
            Self::Rejected => "rejected",
            Self::Quarantined => "quarantined",
            Self::Excused => "excused",
        }
    }

    pub fn chinese(self) -> &'static str {
        match self {
            Self::Pending => "未到期",
            Self::OnTime => "按时",
            Self::Late => "迟报",
            Self::Missing => "未报",
            Self::Rejected => "退回待改",
            Self::Quarantined => "待处理",
            Self::Excused => "免报",
        }
    }
}

/// One obligation as it stands. `received_at` is the first accepted version's, `amended_at` the last one's if later.
#[derive(Clone, Debug, Serialize)]
pub struct Obligation {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: Period,
    pub state: State,
    pub received_at: Option<DateTime<Utc>>,
    pub amended_at: Option<DateTime<Utc>>,
    /// Number of accepted versions.
    pub version: u32,
    /// Findings of the version that counts (or, when none was accepted, of the newest one).
    pub errors: u32,
    pub warnings: u32,
}

/// One received version, as far as the state of its obligation depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub at: DateTime<Utc>,
    pub fate: crate::submission::Fate,
}

/// The state of an obligation from everything that was received for it.
///
/// On time or late is judged by the first accepted version; later ones are amendments.
pub fn state(received: &[Received], due: DateTime<Utc>, now: DateTime<Utc>, excused: bool) -> State {
    use crate::submission::Fate;
    let first = received.iter().filter(|r| r.fate == Fate::Accepted).map(|r| r.at).min();
    let any = |fate: Fate| received.iter().any(|r| r.fate == fate);
    match first {
        Some(at) if at <= due => State::OnTime,
        Some(_) => State::Late,
        None if excused => State::Excused,
        None if any(Fate::Quarantined) => State::Quarantined,
        None if any(Fate::Rejected) => State::Rejected,
        None if now > due => State::Missing,
        None => State::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::Fate;

    fn day(d: u32) -> DateTime<Utc> {
        format!("2011-09-{d:02}T08:00:00Z").parse().unwrap()
    }

    fn came(d: u32, fate: Fate) -> Received {
        Received { at: day(d), fate }
    }

    #[test]
    fn the_first_accepted_version_decides_even_if_an_unusable_one_came_before() {
        let versions = [came(20, Fate::Rejected), came(27, Fate::Accepted), came(24, Fate::Accepted)];
        assert_eq!(state(&versions, day(25), day(28), false), State::OnTime);
        assert_eq!(state(&versions[..2], day(25), day(28), false), State::Late);
        assert_eq!(state(&versions[..1], day(25), day(28), false), State::Rejected);
    }

    #[test]
    fn nothing_received_is_pending_until_due_then_missing_unless_excused() {
        assert_eq!(state(&[], day(25), day(24), false), State::Pending);
        assert_eq!(state(&[], day(25), day(26), false), State::Missing);
        assert_eq!(state(&[], day(25), day(26), true), State::Excused);
        assert_eq!(state(&[came(20, Fate::Quarantined)], day(25), day(26), false), State::Quarantined);
    }
}
