//! What went wrong with a mailbox, judged by protocol codes and never by a server's prose. Pure.

use std::fmt;
use std::time::Duration;

use super::backoff;

/// The kind decides what happens next; the text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection, or it broke.
    Network,
    /// No trusted encrypted connection.
    Tls,
    /// The server would not let us in.
    Authentication,
    /// The server asks us to come back later (RFC 5530 UNAVAILABLE, LIMIT, INUSE; BYE as a greeting).
    Throttled,
    FolderMissing,
    /// A NO to a single command; the session goes on.
    Refused,
    /// The server's answer makes no sense to us.
    Protocol,
    /// One command took longer than `timeout`.
    Timeout,
    /// Our own disk.
    Io,
    /// A setting that cannot work: password or CA file unreadable, line breaks in a name.
    Setup,
}

/// A failed step, without its place yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub kind: Kind,
    pub detail: String,
}

impl Fault {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub fn at(self, mailbox: &str, place: &str) -> Failure {
        Failure { kind: self.kind, mailbox: mailbox.to_owned(), place: place.to_owned(), detail: self.detail }
    }
}

/// A failure of one mailbox: names mailbox, host or folder, and what to do next; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    pub kind: Kind,
    /// `[[mailbox]] name`
    pub mailbox: String,
    /// `host:port`, or the Maildir's path.
    pub place: String,
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mailbox {} at {}: {}; {}", self.mailbox, self.place, self.detail, self.kind.advice())
    }
}

impl Failure {
    /// How long to wait before the next attempt: `attempt` failures in a row (from 1), `roll` in 0..1 by chance.
    pub fn retry_after(&self, attempt: u32, roll: f64) -> Duration {
        backoff::retry_after(self.kind, attempt, roll)
    }
}

impl Kind {
    /// What a person can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Network => "check host, port and the network; it is tried again",
            Self::Tls => {
                "check host, port and tls; if the server's certificate comes from a private authority, name its PEM \
                 file in ca_file"
            }
            Self::Authentication => {
                "check user and password; public providers want IMAP switched on in the web mail's settings and its \
                 authorisation code (授权码) instead of the password"
            }
            Self::Throttled => "the server is busy or limits us; it is tried again later, a longer poll helps",
            Self::FolderMissing => "check folder or path, or create it",
            Self::Refused => {
                "look into the web mail's settings: IMAP access, third-party clients, rights to the folder"
            }
            Self::Protocol => "it is tried again; if it stays, the server speaks a dialect that is not understood",
            Self::Timeout => "it is tried again; if it stays, raise timeout or check the network",
            Self::Io => "check the disk and the rights to the files",
            Self::Setup => "correct the configuration",
        }
    }

    /// Whether the session is still in a known state after this.
    pub(super) fn spares_session(self) -> bool {
        matches!(self, Self::Refused)
    }
}

/// What the client was doing when the server said NO or BAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Login,
    /// Fetching one mail.
    Mail,
    Other,
}

/// Judges a NO (`bad` false) or BAD by step and response code (RFC 3501 §7.1, RFC 5530 §3).
pub(super) fn judge(step: Step, bad: bool, code: Option<&str>) -> Kind {
    match code {
        // A mail that trips the server trips it again; the others it can serve.
        Some("SERVERBUG" | "CONTACTADMIN") if step == Step::Mail && !bad => Kind::Refused,
        Some("UNAVAILABLE" | "LIMIT" | "INUSE" | "SERVERBUG" | "CONTACTADMIN") => Kind::Throttled,
        Some("PRIVACYREQUIRED") => Kind::Tls,
        Some("AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED") => Kind::Authentication,
        _ if bad => Kind::Protocol,
        _ if step == Step::Login => Kind::Authentication,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_and_the_step_decides_where_there_is_no_code() {
        assert_eq!(judge(Step::Login, false, None), Kind::Authentication);
        assert_eq!(judge(Step::Login, false, Some("AUTHENTICATIONFAILED")), Kind::Authentication);
        assert_eq!(judge(Step::Login, false, Some("UNAVAILABLE")), Kind::Throttled);
        assert_eq!(judge(Step::Login, false, Some("PRIVACYREQUIRED")), Kind::Tls);
        assert_eq!(judge(Step::Login, true, None), Kind::Protocol);
        assert_eq!(judge(Step::Other, false, Some("LIMIT")), Kind::Throttled);
        assert_eq!(judge(Step::Other, false, Some("NOPERM")), Kind::Refused);
        assert_eq!(judge(Step::Other, true, None), Kind::Protocol);
        assert_eq!(judge(Step::Other, false, Some("SERVERBUG")), Kind::Throttled);
        assert_eq!(judge(Step::Mail, false, Some("SERVERBUG")), Kind::Refused);
        assert_eq!(judge(Step::Mail, false, Some("LIMIT")), Kind::Throttled);
    }

    #[test]
    fn a_failure_names_mailbox_place_cause_and_next_step() {
        let failure = Fault::new(Kind::Authentication, "the server refused the login").at("nonpublic", "imap.test:993");
        let text = failure.to_string();
        for part in ["nonpublic", "imap.test:993", "refused the login", "授权码"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
