//! The only place that asks what time it is. Everything else takes the time as an argument.

use chrono::{DateTime, Utc};

/// The system's clock, or one that stands still (`--at`, rehearsals, tests).
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    Fixed(DateTime<Utc>),
}

impl Clock {
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(at) => at,
        }
    }
}
