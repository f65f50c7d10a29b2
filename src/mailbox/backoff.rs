//! How long to leave a failing mailbox alone: exponential, bounded, with jitter. Pure: chance is an argument.

use std::time::Duration;

use super::failure::Kind;

/// The wait before the next attempt after `attempt` failures in a row (from 1). `roll` is a random number in 0..1:
/// half of the wait is fixed and half is spread, so that mailboxes of one provider do not come back all at once.
pub fn retry_after(kind: Kind, attempt: u32, roll: f64) -> Duration {
    let (first, most) = bounds(kind);
    let doubled = first.saturating_mul(1u64 << attempt.saturating_sub(1).min(20)).min(most);
    let roll = if roll.is_finite() { roll.clamp(0.0, 1.0) } else { 0.0 };
    Duration::from_secs_f64(doubled as f64 * (0.5 + roll / 2.0))
}

/// The longest that any [`retry_after`] draws.
pub const LONGEST: Duration = Duration::from_secs(21_600);

/// Seconds: the first wait and the longest. What passes by itself is tried soon; what needs a person is tried
/// seldom, since providers lock accounts that knock with a wrong password.
fn bounds(kind: Kind) -> (u64, u64) {
    match kind {
        Kind::Network | Kind::Timeout | Kind::Protocol | Kind::Io => (5, 600),
        Kind::Throttled => (120, 3600),
        Kind::Tls | Kind::FolderMissing | Kind::Refused => (60, 1800),
        Kind::Authentication | Kind::Setup => (300, 7200),
        Kind::Limited => (1800, 21_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [Kind; 11] = [
        Kind::Network,
        Kind::Tls,
        Kind::Authentication,
        Kind::Limited,
        Kind::Throttled,
        Kind::FolderMissing,
        Kind::Refused,
        Kind::Protocol,
        Kind::Timeout,
        Kind::Io,
        Kind::Setup,
    ];

    #[test]
    fn a_broken_line_is_tried_after_seconds_and_a_wrong_password_after_minutes() {
        assert_eq!(retry_after(Kind::Network, 1, 1.0), Duration::from_secs(5));
        assert_eq!(retry_after(Kind::Network, 3, 1.0), Duration::from_secs(20));
        assert_eq!(retry_after(Kind::Network, 3, 0.0), Duration::from_secs(10));
        assert_eq!(retry_after(Kind::Authentication, 1, 1.0), Duration::from_secs(300));
    }

    #[test]
    fn a_server_that_may_count_our_logins_is_left_alone_for_half_an_hour_and_then_for_hours() {
        let waits = [1, 2, 3, 4, 5].map(|n| retry_after(Kind::Limited, n, 1.0).as_secs() / 60);
        assert_eq!(waits, [30, 60, 120, 240, 360]);
    }

    proptest! {
        #[test]
        fn waits_are_bounded_and_never_shrink_with_more_failures(k in 0usize..11, n in 0u32..100, roll in -1.0f64..2.0) {
            let kind = KINDS[k];
            let (first, most) = bounds(kind);
            let wait = retry_after(kind, n, roll);
            prop_assert!(wait >= Duration::from_secs_f64(first as f64 / 2.0));
            prop_assert!(wait <= Duration::from_secs(most));
            prop_assert!(retry_after(kind, n + 1, roll) >= wait);
        }
    }
}
