//! `[[mailbox]]` and `[smtp]`: servers, folders and how to log in. What a provider is known for is the default.

use std::path::Path;

use super::provider::{Habits, Provider};
use super::reader::{Problems, Reader};
use super::{After, Imap, Login, Mailbox, Maildir, Secret, Server, Smtp, SmtpKind, Source, Tls, TokenCommand};

pub(super) fn mailboxes(top: &Reader, base: &Path, streams: &[String], problems: &Problems) -> Vec<Mailbox> {
    let tables = top.tables("mailbox");
    if tables.is_empty() {
        top.problem("[[mailbox]]", "is missing; at least one mailbox is needed");
    }
    let read = |(i, table): (usize, &&toml::Table)| {
        let label = match table.get("name").and_then(toml::Value::as_str) {
            Some(name) => format!("[[mailbox]] {name}:"),
            None => format!("[[mailbox]] no. {}:", i + 1),
        };
        mailbox(Reader::new(table, &label, problems), base, streams)
    };
    let list: Vec<Mailbox> = tables.iter().enumerate().filter_map(read).collect();
    for (i, m) in list.iter().enumerate() {
        if list[..i].iter().any(|other| other.name == m.name) {
            top.problem("[[mailbox]]", &format!("name `{}` is used twice", m.name));
        }
    }
    list
}

fn mailbox(r: Reader, base: &Path, streams: &[String]) -> Option<Mailbox> {
    let name = r.required_text("name", "a short name for logs and listings");
    let address = r.required_text("address", "the mailbox's own address").to_lowercase();
    if !address.is_empty() && !is_address(&address) {
        r.problem("address", &format!("`{address}` is not a mail address"));
    }
    let stream = r.optional_text("stream").filter(|s| !s.is_empty());
    if let Some(s) = stream.as_ref().filter(|s| !streams.is_empty() && !streams.contains(s)) {
        r.problem("stream", &format!("`{s}` is no stream; allowed: {} (leave it out for news)", streams.join(", ")));
    }
    let since = r
        .optional_text("since")
        .and_then(|t| t.parse().map_err(|_| r.problem("since", &format!("`{t}` is no date, such as 2011-08-01"))).ok());
    let after = r.parsed("after", "flag");
    let kind = r.required_text("kind", "\"imap\" or \"maildir\"");
    let source = match kind.as_str() {
        "imap" => imap(&r, base, &address, after.clone()).map(Source::Imap),
        "maildir" => {
            let path = base.join(r.required_text("path", "the Maildir's folder"));
            let poll = r.seconds("poll", POLL, 1..=LONGEST_POLL);
            after.clone().map(|after| Source::Maildir(Maildir { path, after, poll }))
        }
        "" => None,
        other => {
            r.problem("kind", &format!("`{other}` is unknown; allowed: \"imap\", \"maildir\""));
            return None;
        }
    };
    let (committee, authserv_id) = (r.text("committee", ""), r.optional_text("authserv_id").filter(|s| !s.is_empty()));
    let subaddress = r.bool("subaddress", false);
    r.finish();
    Some(Mailbox { name, address, committee, stream, authserv_id, subaddress, since, source: source? })
}

/// Seconds between two polls, and the most that can be set.
const POLL: u64 = 120;
const LONGEST_POLL: u64 = 86_400;

fn imap(r: &Reader, base: &Path, address: &str, after: Option<After>) -> Option<Imap> {
    let provider = provider(r);
    let habits = provider.habits();
    let folder = r.text("folder", "INBOX");
    let idle = r.bool("idle", habits.idle);
    let poll = r.seconds("poll", POLL.max(habits.smallest_poll), 1..=LONGEST_POLL);
    let timeout = r.seconds("timeout", 60, 1..=600);
    let known = Known { provider, host: habits.imap, ports: (993, 143), user: address };
    let server = server(r, base, &known);
    Some(Imap { server: server?, folder, after: after?, poll, idle, timeout })
}

/// As written, else whose server `host` is.
fn provider(r: &Reader) -> Provider {
    match r.has("provider") {
        true => r.parsed("provider", "").unwrap_or_default(),
        false => Provider::of_host(&r.text("host", "")),
    }
}

/// What need not be said of a server.
struct Known<'a> {
    provider: Provider,
    /// Empty: to be given.
    host: &'static str,
    /// For implicit TLS, and else.
    ports: (u16, u16),
    user: &'a str,
}

fn server(r: &Reader, base: &Path, known: &Known) -> Option<Server> {
    let (host, user) = match known.host {
        "" => (
            r.required_text("host", "the server's name, or provider = \"163\", \"126\", \"yeah\", \"qq\", \"exmail\""),
            r.required_text("user", "the login name"),
        ),
        host => (r.text("host", host), r.text("user", known.user)),
    };
    let tls: Option<Tls> = r.parsed("tls", "implicit");
    let default = if tls == Some(Tls::Implicit) { known.ports.0 } else { known.ports.1 };
    let port = r.number("port", u64::from(default), 1..=65_535) as u16;
    if tls == Some(Tls::None) && !is_loopback(&host) {
        r.problem("tls", "\"none\" is allowed to this machine only (127.0.0.1, ::1, localhost)");
    }
    let ca_file = r.optional_text("ca_file").map(|p| base.join(p));
    if let Some(path) = ca_file.as_ref().filter(|p| !p.is_file()) {
        r.problem("ca_file", &format!("{} is not there", path.display()));
    }
    let login = login(r, base);
    Some(Server { provider: known.provider, host, port, tls: tls?, user, login: login?, ca_file })
}

/// `auth`: a password, or XOAUTH2 with a command for the token; who names a command means that.
fn login(r: &Reader, base: &Path) -> Option<Login> {
    let default = if r.has("token_command") { "xoauth2" } else { "password" };
    match r.text("auth", default).as_str() {
        "password" => {
            if r.texts("token_command").is_some() {
                r.problem("token_command", "is for auth = \"xoauth2\" only");
            }
            secret(r, base).map(Login::Password)
        }
        "xoauth2" => {
            for key in PASSWORD_KEYS.into_iter().filter(|key| r.optional_text(key).is_some()) {
                r.problem(key, "does not go with auth = \"xoauth2\", which takes a token");
            }
            token_command(r).map(Login::Token)
        }
        other => {
            r.problem("auth", &format!("`{other}` is unknown; allowed: \"password\", \"xoauth2\""));
            secret(r, base).map(Login::Password)
        }
    }
}

fn token_command(r: &Reader) -> Option<TokenCommand> {
    const WRITTEN: &str = "a program and its arguments, each in quotes: [\"/usr/bin/oauth\", \"imap\"]";
    if r.is_text("token_command") {
        // It is not repeated here: an argument may be a secret.
        r.problem("token_command", &format!("must be a list, since no shell reads it; give {WRITTEN}"));
    }
    let mut words = r.texts("token_command").unwrap_or_default().into_iter();
    let program = words.next().filter(|program| !program.is_empty());
    if program.is_none() {
        r.problem("token_command", &format!("is missing; give {WRITTEN}"));
    }
    Some(TokenCommand { program: program?, arguments: words.collect() })
}

const PASSWORD_KEYS: [&str; 3] = ["password_file", "password_env", "password_credential"];

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn secret(r: &Reader, base: &Path) -> Option<Secret> {
    if r.has("password") {
        let _ = r.optional_text("password");
        r.problem("password", "must not stand in this file; use password_file, password_env or password_credential");
        return None;
    }
    let file = r.optional_text("password_file").map(|p| Secret::File(base.join(p)));
    let env = r.optional_text("password_env").map(Secret::Env);
    let credential = r.optional_text("password_credential").map(Secret::Credential);
    let mut given = [file, env, credential].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(secret), None) => Some(secret),
        (None, _) => {
            r.problem("password_file", "is missing; give one of password_file, password_env, password_credential");
            None
        }
        _ => {
            r.problem("password_file", "give only one of password_file, password_env, password_credential");
            None
        }
    }
}

pub(super) fn smtp(r: Reader, base: &Path) -> Option<Smtp> {
    let from = r.required_text("from", "the sender's address: \"台账系统 <ledger@office.example>\"");
    let address = from.rsplit_once('<').map_or(from.as_str(), |(_, a)| a.trim_end_matches('>')).trim().to_lowercase();
    if !from.is_empty() && !is_address(&address) {
        r.problem("from", &format!("`{from}` is not an address"));
    }
    let mut habits = Provider::Generic.habits();
    let kind = match r.text("kind", "smtp").as_str() {
        "smtp" => submission(&r, base, &address, &mut habits).map(SmtpKind::Server),
        "file" => Some(SmtpKind::Files(base.join(r.required_text("dir", "the folder for the .eml files")))),
        other => {
            r.problem("kind", &format!("`{other}` is unknown; allowed: \"smtp\", \"file\""));
            None
        }
    };
    let smtp = Smtp {
        kind: kind?,
        from,
        address,
        per_minute: r.number("per_minute", u64::from(habits.per_minute), 1..=10_000) as u32,
        per_day: Some(r.number("per_day", u64::from(habits.per_day), 0..=1_000_000) as u32).filter(|most| *most > 0),
        answers_per_day: r.number("answers_per_day", 20, 1..=10_000) as u32,
        answers_per_thread: r.number("answers_per_thread", 8, 1..=10_000) as u32,
        answers_in_vain: r.number("answers_in_vain", 10, 1..=10_000) as u32,
        answer_within_days: r.number("answer_within_days", 62, 1..=3660) as u32,
        timeout: r.seconds("timeout", 60, 1..=600),
    };
    r.finish();
    Some(smtp)
}

fn submission(r: &Reader, base: &Path, address: &str, habits: &mut Habits) -> Option<Server> {
    let provider = provider(r);
    *habits = provider.habits();
    server(r, base, &Known { provider, host: habits.smtp, ports: (465, 587), user: address })
}

impl std::str::FromStr for Tls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "implicit" => Ok(Self::Implicit),
            "starttls" => Ok(Self::Starttls),
            "none" => Ok(Self::None),
            other => Err(format!("`{other}` is unknown; allowed: \"implicit\", \"starttls\", \"none\"")),
        }
    }
}

impl std::str::FromStr for After {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.split_once(':')) {
            ("flag", _) => Ok(Self::Flag),
            ("keep", _) => Ok(Self::Keep),
            (_, Some(("move", folder))) if !folder.trim().is_empty() => Ok(Self::Move(folder.trim().to_owned())),
            _ => Err(format!("`{text}` is unknown; allowed: \"flag\", \"keep\", \"move:FOLDER\"")),
        }
    }
}

pub(super) fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(l, h)| !l.is_empty() && h.contains('.')) && !text.contains(char::is_whitespace)
}
