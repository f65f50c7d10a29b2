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
