//! What went wrong with a mailbox, judged by protocol codes and never by a server's prose. Pure.

use std::fmt;
use std::time::Duration;

use super::backoff;
use super::cause::Cause;
use crate::config::Provider;

/// The kind decides what happens next; the text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection, or it broke.
    Network,
    /// No trusted encrypted connection.
    Tls,
    /// The server would not let us in.
    Authentication,
    /// The server would not let us in, and may mean that we come too often: Tencent says the same to everything.
    Limited,
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
pub struct Fault {
    pub kind: Kind,
    pub detail: String,
    /// For the words only.
    pub cause: Cause,
}

impl Fault {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), cause: kind.cause() }
    }

    /// More is known than the kind tells.
    pub fn because(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    pub fn at(self, mailbox: &str, place: &str, provider: Provider) -> Failure {
        let Self { kind, detail, cause } = self;
        Failure { kind, mailbox: mailbox.to_owned(), place: place.to_owned(), detail, cause, provider }
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
    /// What seems to be the matter; for the words only.
    pub cause: Cause,
    pub provider: Provider,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mailbox {} at {}", self.mailbox, self.told())
    }
}

impl Failure {
    /// Where it names the mailbox anyway: place, what was said there, and what to do.
    pub fn told(&self) -> String {
        let detail = self.detail.trim_end_matches('.');
        format!("{}: {detail}; {}", self.place, self.cause.advice(self.provider))
    }

    /// How long to wait before the next attempt: `attempt` failures in a row (from 1), `roll` in 0..1 by chance.
    pub fn retry_after(&self, attempt: u32, roll: f64) -> Duration {
        backoff::retry_after(self.kind, attempt, roll)
    }

    /// For the department: what is the matter, and what to do.
    pub fn chinese(&self) -> String {
        format!("{}。", self.cause.chinese(self.provider))
    }
}

impl Kind {
    /// What is the matter, as far as the kind alone tells.
    fn cause(self) -> Cause {
        match self {
            Self::Network => Cause::Broken,
            Self::Tls => Cause::Tls,
            Self::Authentication => Cause::Credentials,
            Self::Limited => Cause::Unclear,
            Self::Throttled => Cause::Busy,
            Self::FolderMissing => Cause::NoFolder,
            Self::Refused => Cause::Denied,
            Self::Protocol => Cause::Dialect,
            Self::Timeout => Cause::NoAnswer,
            Self::Io => Cause::Disk,
            Self::Setup => Cause::Setup,
        }
    }

    /// The server turned us away at the door: until it has waited, nothing of this mailbox may be tried.
    pub fn refuses_login(self) -> bool {
        matches!(self, Self::Authentication | Self::Limited)
    }

    /// It is about the whole mailbox and not about what was just asked for.
    pub fn means_everything(self) -> bool {
        self.refuses_login() || self == Self::Throttled
    }

    /// Whether the session is still in a known state after this.
    pub(super) fn spares_session(self) -> bool {
        matches!(self, Self::Refused)
    }
}

/// What the client was doing when the server said NO or BAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Login {
        /// The server says the same to a wrong password and to logins that are too frequent.
        unclear: bool,
    },
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
        _ => match step {
            Step::Login { unclear: true } => Kind::Limited,
            Step::Login { unclear: false } => Kind::Authentication,
            Step::Mail | Step::Other => Kind::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_and_the_step_decides_where_there_is_no_code() {
        let login = Step::Login { unclear: false };
        assert_eq!(judge(Step::Login { unclear: true }, false, None), Kind::Limited);
        assert_eq!(judge(Step::Login { unclear: true }, false, Some("AUTHENTICATIONFAILED")), Kind::Authentication);
        assert_eq!(judge(login, false, None), Kind::Authentication);
        assert_eq!(judge(login, false, Some("AUTHENTICATIONFAILED")), Kind::Authentication);
        assert_eq!(judge(login, false, Some("UNAVAILABLE")), Kind::Throttled);
        assert_eq!(judge(login, false, Some("PRIVACYREQUIRED")), Kind::Tls);
        assert_eq!(judge(login, true, None), Kind::Protocol);
        assert_eq!(judge(Step::Other, false, Some("LIMIT")), Kind::Throttled);
        assert_eq!(judge(Step::Other, false, Some("NOPERM")), Kind::Refused);
        assert_eq!(judge(Step::Other, true, None), Kind::Protocol);
        assert_eq!(judge(Step::Other, false, Some("SERVERBUG")), Kind::Throttled);
        assert_eq!(judge(Step::Mail, false, Some("SERVERBUG")), Kind::Refused);
        assert_eq!(judge(Step::Mail, false, Some("LIMIT")), Kind::Throttled);
    }

    #[test]
    fn a_failure_names_mailbox_place_cause_and_next_step() {
        let failure = Fault::new(Kind::Authentication, "the server refused the login").at(
            "nonpublic",
            "imap.test:993",
            Provider::Generic,
        );
        let text = failure.to_string();
        for part in ["nonpublic", "imap.test:993", "refused the login", "授权码"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let told = failure.chinese();
        assert!(told.contains("授权码") && told.ends_with('。'), "{told}");
    }
}
