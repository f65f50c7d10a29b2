//! What follows an attempt to deliver: done, later or never. Decided by code, never by the words of a reply. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    Delivered,
    /// The server answered about this mail (RFC 5321 §4.2.1): 4yz not now, 5yz never.
    Refused {
        code: u16,
        text: String,
    },
    /// This mail can be sent by no server as it is (a non-ASCII address without SMTPUTF8).
    Impossible(String),
    /// No session to send in: not connected, no TLS, login refused. It says nothing about the mail,
    /// even when the server's code was 5yz (an expired authorisation code).
    NoSession(String),
    /// The connection broke or stayed silent half-way.
    Lost(String),
    /// A reply came that could not be read (GBK text), so its code is not known.
    Unreadable(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Sent,
    Retry { at: DateTime<Utc>, reason: String },
    Failed { reason: String },
}

/// A mail's standing after the attempt.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// Attempts made, this one included.
    pub attempts: u32,
    pub created_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
    /// Chance, 0.0 to 1.0.
    pub jitter: f64,
}

/// RFC 5321 §4.5.4.1: give up after four or five days. It spans a long weekend.
const MAX_AGE: TimeDelta = TimeDelta::days(5);
/// A reply that cannot be read may be a final no: do not knock for days.
const MAX_UNREADABLE: u32 = 6;
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(4);
/// Nothing waits longer than this, whatever [`wait`] it drew: a later time was noted by a wrong clock.
pub const AT_MOST: TimeDelta = TimeDelta::hours(5);
/// Characters kept of what the server said.
const REASON: usize = 300;

pub fn decide(attempt: &Attempt, tried: Tried) -> Next {
    let reason = reason(attempt);
    let last = match attempt {
        Attempt::Delivered => return Next::Sent,
        Attempt::Refused { code, .. } => *code >= 500,
        Attempt::Impossible(_) => true,
        Attempt::Unreadable(_) => tried.attempts >= MAX_UNREADABLE,
        Attempt::NoSession(_) | Attempt::Lost(_) => false,
    };
    if last {
        return Next::Failed { reason };
    }
    if tried.now - tried.created_at >= MAX_AGE {
        return Next::Failed { reason: format!("given up after {} attempts: {reason}", tried.attempts) };
    }
    Next::Retry { at: tried.now + wait(tried.attempts, tried.jitter), reason }
}

/// How long to wait after this many attempts: 1, 2, 4 … minutes, at most 4 hours, ± a quarter by `jitter` (0.0 to 1.0).
pub fn wait(attempts: u32, jitter: f64) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(16);
    let base = (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT);
    let spread = 0.75 + 0.5 * jitter.clamp(0.0, 1.0);
    TimeDelta::milliseconds((base.num_milliseconds() as f64 * spread) as i64)
}

/// For the operator: the provider's code and words, on one line, bounded.
fn reason(attempt: &Attempt) -> String {
    let words = match attempt {
        Attempt::Delivered => String::new(),
        Attempt::Refused { code, text } => format!("{code} {text}"),
        Attempt::Impossible(text) => text.clone(),
        Attempt::NoSession(text) => format!("no session: {text}"),
        Attempt::Lost(text) => format!("connection lost: {text}"),
        Attempt::Unreadable(text) => format!("unreadable reply: {text}"),
    };
    let flat: Vec<&str> = words.split(|c: char| c.is_control() || c == ' ').filter(|w| !w.is_empty()).collect();
    flat.join(" ").chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: &str) -> DateTime<Utc> {
        s.parse().unwrap()
    }

    fn tried(attempts: u32) -> Tried {
        Tried { attempts, created_at: at("2011-09-26T01:00:00Z"), now: at("2011-09-26T01:00:00Z"), jitter: 0.5 }
    }

    #[test]
    fn a_4yz_reply_waits_twice_as_long_each_time_up_to_four_hours() {
        let busy = Attempt::Refused { code: 451, text: "greylisted".into() };
        let waits: Vec<i64> = [1, 2, 3, 9, 40].map(|n| wait(n, 0.5).num_minutes()).to_vec();
        assert_eq!(waits, [1, 2, 4, 240, 240]);
        assert_eq!(
            decide(&busy, tried(2)),
            Next::Retry { at: at("2011-09-26T01:02:00Z"), reason: "451 greylisted".into() }
        );
    }

    #[test]
    fn a_5yz_reply_ends_it_with_the_providers_words_on_one_line() {
        let no = Attempt::Refused { code: 550, text: "5.1.1 User unknown\r\nsee https://mail.test".into() };
        assert_eq!(
            decide(&no, tried(1)),
            Next::Failed { reason: "550 5.1.1 User unknown see https://mail.test".into() }
        );
    }

    #[test]
    fn a_refused_login_is_not_the_mails_fault() {
        assert!(matches!(decide(&Attempt::NoSession("535 login fail".into()), tried(50)), Next::Retry { .. }));
    }

    #[test]
    fn an_unreadable_reply_is_tried_six_times() {
        let gbk = Attempt::Unreadable("stream did not contain valid UTF-8".into());
        assert!(matches!(decide(&gbk, tried(5)), Next::Retry { .. }));
        assert!(matches!(decide(&gbk, tried(6)), Next::Failed { .. }));
    }

    #[test]
    fn after_five_days_it_is_given_up() {
        let old = Tried { now: at("2011-10-01T01:00:00Z"), ..tried(30) };
        let next = decide(&Attempt::Lost("timed out".into()), old);
        assert_eq!(next, Next::Failed { reason: "given up after 30 attempts: connection lost: timed out".into() });
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_45_seconds_nor_longer_than_five_hours(n in 0u32..100_000, jitter in 0.0..1.0f64) {
            let wait = wait(n, jitter);
            prop_assert!(wait >= TimeDelta::seconds(45) && wait <= AT_MOST);
        }

        #[test]
        fn a_reason_is_one_bounded_line(text in ".{0,2000}") {
            let Next::Failed { reason } = decide(&Attempt::Refused { code: 554, text }, tried(1)) else { panic!() };
            prop_assert!(reason.chars().count() <= REASON && !reason.contains(['\r', '\n']));
        }
    }
}
