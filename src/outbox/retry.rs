//! What follows an attempt to deliver: done, later or never. What a refusal means is [`super::refusal`]'s. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::refusal::{Blame, Meaning};
use crate::config::Provider;
use crate::mailbox::Cause;

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    Delivered,
    /// The server answered about this mail (RFC 5321 §4.2.1): 4yz not now, 5yz never, unless it means something else.
    Refused {
        code: u16,
        text: String,
        meaning: Meaning,
    },
    /// This mail can be sent by no server as it is (a non-ASCII address without SMTPUTF8).
    Impossible(String),
    /// No session to send in. It says nothing about the mail, even when the server's code was 5yz (an expired
    /// authorisation code).
    NoSession(NoSession),
    /// The connection broke or stayed silent half-way.
    Lost(String),
    /// A reply came that is no SMTP, so its code is not known.
    Unreadable(String),
}

/// Not connected, no TLS, or the login refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", .why.trim_end_matches('.'), .cause.advice(*.provider))]
pub struct NoSession {
    pub why: String,
    /// The server turned our account away: knocking soon again makes it worse.
    pub login: bool,
    /// For the words only.
    pub cause: Cause,
    pub provider: Provider,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Sent,
    Retry { at: DateTime<Utc>, reason: String },
    Failed { reason: String, blame: Blame },
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
/// After a refusal that asks for patience.
const PATIENT_WAIT: TimeDelta = TimeDelta::minutes(30);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(4);
/// Nothing waits longer than this, whatever [`wait`] it drew: a later time was noted by a wrong clock.
pub const AT_MOST: TimeDelta = TimeDelta::hours(5);
/// Characters kept of what the server said.
const REASON: usize = 300;

pub fn decide(attempt: &Attempt, tried: Tried) -> Next {
    let reason = reason(attempt);
    let (last, blame) = match attempt {
        Attempt::Delivered => return Next::Sent,
        Attempt::Refused { meaning, .. } => (meaning.is_final(), meaning.blame()),
        Attempt::Impossible(_) => (true, Blame::Recipient),
        Attempt::Unreadable(_) => (tried.attempts >= MAX_UNREADABLE, Blame::Nobody),
        Attempt::NoSession(_) => (false, Blame::Us),
        Attempt::Lost(_) => (false, Blame::Nobody),
    };
    if last {
        return Next::Failed { reason, blame };
    }
    if tried.now - tried.created_at >= MAX_AGE {
        return Next::Failed { reason: format!("given up after {} attempts: {reason}", tried.attempts), blame };
    }
    Next::Retry { at: tried.now + wait(attempt.first_wait(), tried.attempts, tried.jitter), reason }
}

impl Attempt {
    /// What the first of the waits is after this: minutes, or much longer where a provider wants to be left alone.
    pub fn first_wait(&self) -> TimeDelta {
        match self {
            Self::Refused { meaning: Meaning::TooManyToday, .. } => LONGEST_WAIT,
            Self::Refused { meaning, .. } if meaning.stops_everything() || *meaning == Meaning::Crowded => PATIENT_WAIT,
            Self::NoSession(NoSession { login: true, .. }) => PATIENT_WAIT,
            _ => FIRST_WAIT,
        }
    }
}

/// How long to wait after this many attempts: `first`, twice that …, at most 4 hours, ± a quarter by `jitter` (0.0 to
/// 1.0).
pub fn wait(first: TimeDelta, attempts: u32, jitter: f64) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(16);
    let base = (first * 2_i32.pow(doublings)).min(LONGEST_WAIT);
    let spread = 0.75 + 0.5 * jitter.clamp(0.0, 1.0);
    TimeDelta::milliseconds((base.num_milliseconds() as f64 * spread) as i64)
}

/// How long an attempt that never ended is waited for; as after the first refusals.
pub fn wait_for_end(attempts: u32, jitter: f64) -> TimeDelta {
    wait(FIRST_WAIT, attempts, jitter)
}

/// For the operator: the provider's code and words, on one line, bounded.
pub fn reason(attempt: &Attempt) -> String {
    let words = match attempt {
        Attempt::Delivered => String::new(),
        Attempt::Refused { code, text, meaning } if meaning.advice().is_empty() => format!("{code} {text}"),
        Attempt::Refused { code, text, meaning } => format!("{code} {text}; {}", meaning.advice()),
        Attempt::Impossible(text) => text.clone(),
        Attempt::NoSession(no) => format!("no session: {}", no.why),
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
        let busy = refused(451, "greylisted", Meaning::Busy);
        let waits: Vec<i64> = [1, 2, 3, 9, 40].map(|n| wait(busy.first_wait(), n, 0.5).num_minutes()).to_vec();
        assert_eq!(waits, [1, 2, 4, 240, 240]);
        assert_eq!(
            decide(&busy, tried(2)),
            Next::Retry { at: at("2011-09-26T01:02:00Z"), reason: "451 greylisted".into() }
        );
    }

    fn refused(code: u16, text: &str, meaning: Meaning) -> Attempt {
        Attempt::Refused { code, text: text.to_owned(), meaning }
    }

    fn locked_out(why: &str) -> Attempt {
        let (cause, provider) = (Cause::Credentials, Provider::Generic);
        Attempt::NoSession(NoSession { why: why.to_owned(), login: true, cause, provider })
    }

    #[test]
    fn a_provider_that_wants_to_be_left_alone_is_given_half_an_hour_then_hours_and_after_five_days_up() {
        let bulk = refused(554, "DT:SPM 163 smtp12", Meaning::Bulk);
        let waits = [1, 2, 3, 4, 5].map(|n| wait(bulk.first_wait(), n, 0.5).num_minutes());
        assert_eq!(waits, [30, 60, 120, 240, 240]);
        assert_eq!(refused(550, "RP:TRC", Meaning::TooManyToday).first_wait(), TimeDelta::hours(4));
        assert_eq!(locked_out("login: 535 no").first_wait(), TimeDelta::minutes(30));
        let Next::Retry { reason, .. } = decide(&bulk, tried(1)) else { panic!("tried again") };
        assert!(reason.starts_with("554 DT:SPM 163 smtp12; it was taken for bulk mail"), "{reason}");
        let old = Tried { now: at("2011-10-01T01:00:00Z"), ..tried(30) };
        assert!(matches!(decide(&bulk, old), Next::Failed { blame: Blame::Mail, .. }));
    }

    #[test]
    fn a_5yz_reply_ends_it_with_the_providers_words_on_one_line() {
        let no = refused(550, "5.1.1 User unknown\r\nsee https://mail.test", Meaning::Address);
        assert_eq!(
            decide(&no, tried(1)),
            Next::Failed { reason: "550 5.1.1 User unknown see https://mail.test".into(), blame: Blame::Recipient }
        );
    }

    #[test]
    fn a_refused_login_is_not_the_mails_fault() {
        assert!(matches!(decide(&locked_out("535 login fail"), tried(50)), Next::Retry { .. }));
    }

    #[test]
    fn an_unreadable_reply_is_tried_six_times() {
        let gbk = Attempt::Unreadable("HTTP/1.1 400".into());
        assert!(matches!(decide(&gbk, tried(5)), Next::Retry { .. }));
        assert!(matches!(decide(&gbk, tried(6)), Next::Failed { .. }));
    }

    #[test]
    fn after_five_days_it_is_given_up() {
        let old = Tried { now: at("2011-10-01T01:00:00Z"), ..tried(30) };
        let next = decide(&Attempt::Lost("timed out".into()), old);
        let reason = "given up after 30 attempts: connection lost: timed out".to_owned();
        assert_eq!(next, Next::Failed { reason, blame: Blame::Nobody });
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_45_seconds_nor_longer_than_five_hours(n in 0u32..100_000, jitter in 0.0..1.0f64) {
            let wait = wait_for_end(n, jitter);
            prop_assert!(wait >= TimeDelta::seconds(45) && wait <= AT_MOST);
        }

        #[test]
        fn a_reason_is_one_bounded_line(text in ".{0,2000}") {
            let Next::Failed { reason, .. } = decide(&refused(554, &text, Meaning::Mail), tried(1)) else { panic!() };
            prop_assert!(reason.chars().count() <= REASON && !reason.contains(['\r', '\n']));
        }
    }
}
