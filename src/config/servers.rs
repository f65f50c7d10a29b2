//! `[[mailbox]]` and `[smtp]`: servers, folders and where the passwords are.

use std::path::Path;

use super::reader::{Problems, Reader};
use super::{After, Imap, Mailbox, Maildir, Secret, Server, Smtp, SmtpKind, Source, Tls};

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
    let poll = r.seconds("poll", 120, 1..=86_400);
    let kind = r.required_text("kind", "\"imap\" or \"maildir\"");
    let source = match kind.as_str() {
        "imap" => imap(&r, base, after.clone(), poll).map(Source::Imap),
        "maildir" => {
            let path = base.join(r.required_text("path", "the Maildir's folder"));
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

fn imap(r: &Reader, base: &Path, after: Option<After>, poll: u64) -> Option<Imap> {
    let folder = r.text("folder", "INBOX");
    let idle = r.bool("idle", true);
    let timeout = r.seconds("timeout", 60, 1..=600);
    let server = server(r, base, (993, 143), "imap.163.com");
    Some(Imap { server: server?, folder, after: after?, poll, idle, timeout })
}

fn server(r: &Reader, base: &Path, ports: (u16, u16), example: &str) -> Option<Server> {
    let host = r.required_text("host", &format!("the server's name, such as {example}"));
    let tls: Option<Tls> = r.parsed("tls", "implicit");
    let default = if tls == Some(Tls::Implicit) { ports.0 } else { ports.1 };
    let port = r.number("port", u64::from(default), 1..=65_535) as u16;
    if tls == Some(Tls::None) && !is_loopback(&host) {
        r.problem("tls", "\"none\" is allowed to this machine only (127.0.0.1, ::1, localhost)");
    }
    let user = r.required_text("user", "the login name");
    let ca_file = r.optional_text("ca_file").map(|p| base.join(p));
    if let Some(path) = ca_file.as_ref().filter(|p| !p.is_file()) {
        r.problem("ca_file", &format!("{} is not there", path.display()));
    }
    let password = secret(r, base);
    Some(Server { host, port, tls: tls?, user, password: password?, ca_file })
}

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
    let kind = match r.text("kind", "smtp").as_str() {
        "smtp" => server(&r, base, (465, 587), "smtp.163.com").map(SmtpKind::Server),
        "file" => Some(SmtpKind::Files(base.join(r.required_text("dir", "the folder for the .eml files")))),
        other => {
            r.problem("kind", &format!("`{other}` is unknown; allowed: \"smtp\", \"file\""));
            None
        }
    };
    let from = r.required_text("from", "the sender's address: \"台账系统 <ledger@office.example>\"");
    let address = from.rsplit_once('<').map_or(from.as_str(), |(_, a)| a.trim_end_matches('>')).trim().to_lowercase();
    if !from.is_empty() && !is_address(&address) {
        r.problem("from", &format!("`{from}` is not an address"));
    }
    let smtp = Smtp {
        kind: kind?,
        from,
        address,
        per_minute: r.number("per_minute", 20, 1..=10_000) as u32,
        answers_per_day: r.number("answers_per_day", 20, 1..=1000) as u32,
        answer_within_days: r.number("answer_within_days", 62, 1..=3660) as u32,
        timeout: r.seconds("timeout", 60, 1..=600),
    };
    r.finish();
    Some(smtp)
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
