//! When a mailbox has been silent for too long: from what its row says, whether an alarm is out, and the time. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// So long it must have been failing, too: a machine that was off all night may be switched on before its network.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// A mailbox as its row tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub succeeded_at: Option<DateTime<Utc>>,
    /// The first failure since it last succeeded.
    pub failed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Quiet,
    Raise {
        /// When it was read last; if never, first tried.
        since: DateTime<Utc>,
    },
    Recover,
}

/// A time that lies in the future was noted by a clock that was ahead, and tells nothing. (The next failure corrects
/// `failed_at`, so that such a clock delays an alarm and does not prevent it.)
pub fn decide(standing: &Standing, raised: bool, after: TimeDelta, now: DateTime<Utc>) -> Decision {
    let Some(failed) = standing.failed_at else {
        return if raised { Decision::Recover } else { Decision::Quiet };
    };
    let since = standing.succeeded_at.filter(|at| *at <= now).unwrap_or(failed);
    if raised || now - since < after || now - failed < after.min(GRACE) {
        return Decision::Quiet;
    }
    Decision::Raise { since }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AFTER: TimeDelta = TimeDelta::hours(2);

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn standing(succeeded: Option<i64>, failed: Option<i64>) -> Standing {
        Standing { succeeded_at: succeeded.map(at), failed_at: failed.map(at) }
    }

    #[test]
    fn it_counts_from_the_last_success_or_else_from_the_first_attempt() {
        let says = |standing, now| decide(&standing, false, AFTER, at(now));
        assert_eq!(says(standing(Some(0), Some(2)), 119), Decision::Quiet);
        assert_eq!(says(standing(Some(0), Some(2)), 120), Decision::Raise { since: at(0) });
        assert_eq!(says(standing(None, Some(2)), 121), Decision::Quiet);
        assert_eq!(says(standing(None, Some(2)), 122), Decision::Raise { since: at(2) });
        assert_eq!(says(standing(Some(0), None), 10_000), Decision::Quiet, "nobody has looked since");
    }

    #[test]
    fn a_machine_that_was_off_all_night_gets_ten_minutes_to_find_its_network() {
        let morning = standing(Some(0), Some(840));
        assert_eq!(decide(&morning, false, AFTER, at(849)), Decision::Quiet);
        assert_eq!(decide(&morning, false, AFTER, at(850)), Decision::Raise { since: at(0) });
    }

    #[test]
    fn a_clock_that_went_back_silences_nothing_for_ever() {
        let ahead = standing(Some(1_000_000), Some(5));
        assert_eq!(decide(&ahead, false, AFTER, at(125)), Decision::Raise { since: at(5) });
    }

    #[derive(Clone, Copy, Debug)]
    enum Look {
        Succeeds,
        Fails,
        /// Only the clock is looked at.
        None,
    }

    fn looks() -> impl Strategy<Value = Vec<(i64, Look)>> {
        let look = prop_oneof![Just(Look::Succeeds), Just(Look::Fails), Just(Look::Fails), Just(Look::None)];
        proptest::collection::vec((1i64..90, look), 0..200)
    }

    proptest! {
        /// Whatever succeeds and fails whenever: one alarm an outage at most, each after a whole `alarm_after` without a
        /// success, none that is left out, and a recovery for each that has ended.
        #[test]
        fn an_outage_has_one_alarm_and_one_recovery(looks in looks()) {
            let (mut now, mut row, mut raised) = (0, standing(Some(0), None), false);
            let (mut alarms, mut outages) = (0, 0);
            for (passed, look) in looks {
                now += passed;
                match look {
                    Look::Succeeds => row = standing(Some(now), None),
                    Look::Fails => {
                        outages += u32::from(row.failed_at.is_none());
                        row.failed_at = row.failed_at.or(Some(at(now)));
                    }
                    Look::None => {}
                }
                let long = row.failed_at.is_some_and(|f| at(now) - f >= GRACE)
                    && row.succeeded_at.is_some_and(|s| at(now) - s >= AFTER);
                match decide(&row, raised, AFTER, at(now)) {
                    Decision::Raise { since } => {
                        prop_assert!(!raised && long);
                        prop_assert_eq!(Some(since), row.succeeded_at);
                        (raised, alarms) = (true, alarms + 1);
                    }
                    Decision::Recover => {
                        prop_assert!(raised && row.failed_at.is_none());
                        raised = false;
                    }
                    Decision::Quiet => prop_assert!(raised == row.failed_at.is_some() && raised || !raised && !long),
                }
            }
            prop_assert!(alarms <= outages);
        }
    }
}
