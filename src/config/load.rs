//! From the file to a [`Config`]: reads, checks everything, and reports all problems together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{NaiveTime, TimeDelta};
use chrono_tz::Tz;

use super::reader::{Problems, Reader};
use super::servers::{is_address, mailboxes, smtp};
use super::targets::{conduct, targets};
use super::{Config, Department, Limits, ReadLimits, Registry, Reminders, ReportSettings, Sources};
use crate::calendar::Calendar;
use crate::form::Campaign;
use crate::period::Deadline;

/// Where a configuration is looked for when none is named.
pub const DEFAULT_PATHS: [&str; 2] = ["config/taizhang.toml", "/etc/taizhang/taizhang.toml"];

/// What is wrong with a configuration: one line a problem.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Invalid(pub Vec<String>);

/// Reads a configuration with everything it names (registry, forms). Relative paths start at the file's folder.
///
/// # Errors
/// [`Invalid`] with every problem, each with file, key or row, and what is allowed.
pub fn load(path: &Path) -> Result<Config, Invalid> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Invalid(vec![format!("{}: {e}; copy config/taizhang.example.toml there", path.display())]))?;
    parse(path, &text)
}

pub fn parse(path: &Path, text: &str) -> Result<Config, Invalid> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].lines().count().max(1));
        Invalid(vec![format!("{}: line {line}: {}", path.display(), e.message())])
    })?;
    let problems = Problems::default();
    let config = read(path, &table, &problems).map(|mut config| {
        config.sources.settings = text.to_owned();
        config
    });
    let found = problems.take();
    match config {
        Some(config) if found.is_empty() => Ok(config),
        _ => Err(Invalid(found.into_iter().map(|p| format!("{}: {p}", path.display())).collect())),
    }
}

fn read(path: &Path, table: &toml::Table, problems: &Problems) -> Option<Config> {
    let base = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let top = Reader::new(table, "", problems);
    let timezone = zone(&top);
    let data_dir = base.join(top.required_text("data_dir", "the folder for the ledger and the stored mail"));
    let mut sources = Sources::default();
    let campaign = campaign(&top, base, (problems, &mut sources));
    let streams: Vec<String> = campaign.iter().flat_map(|c| c.streams.iter().map(|s| s.key.clone())).collect();
    let registry = registry(&top, base, &streams, (problems, &mut sources));
    let section = |name: &str| top.table(name).cloned().unwrap_or_default();
    let (d, dl, rm, rp, tg) =
        (section("department"), section("deadline"), section("reminders"), section("report"), section("targets"));
    let department = department(Reader::new(&d, "[department]", problems));
    let deadline = deadline(Reader::new(&dl, "[deadline]", problems), timezone);
    let reminders = reminders(Reader::new(&rm, "[reminders]", problems));
    let report = report(Reader::new(&rp, "[report]", problems));
    let targets = targets(Reader::new(&tg, "[targets]", problems), &streams, problems);
    let conduct = conduct(Reader::new(&section("conduct"), "[conduct]", problems));
    let (cl, sm, lm, lg, wb) =
        (section("calendar"), section("smtp"), section("limits"), section("log"), section("web"));
    let calendar = calendar(Reader::new(&cl, "[calendar]", problems));
    let smtp = smtp(Reader::new(&sm, "[smtp]", problems), base);
    let limits = limits(Reader::new(&lm, "[limits]", problems));
    let log = log(Reader::new(&lg, "[log]", problems));
    web(Reader::new(&wb, "[web]", problems));
    let mailboxes = mailboxes(&top, base, &streams, problems);
    top.finish();
    Some(Config {
        path: path.to_owned(),
        sources,
        timezone,
        data_dir,
        registry: registry?,
        campaign: campaign?,
        department: department?,
        deadline,
        reminders: reminders?,
        report: report?,
        targets: targets?,
        conduct,
        calendar,
        mailboxes,
        smtp: smtp?,
        limits,
        log,
    })
}

fn zone(top: &Reader) -> Tz {
    let text = top.text("timezone", "Asia/Shanghai");
    text.parse().unwrap_or_else(|_| {
        top.problem("timezone", &format!("`{text}` is no IANA zone name, such as Asia/Shanghai"));
        chrono_tz::Asia::Shanghai
    })
}

fn campaign(top: &Reader, base: &Path, (problems, sources): (&Problems, &mut Sources)) -> Option<Campaign> {
    let parsed = match top.optional_text("forms") {
        None => Ok(Campaign::builtin()),
        Some(folder) => {
            let folder = base.join(folder);
            match form_files(&folder) {
                Err(e) => Err(vec![format!("forms: {}: {e}", folder.display())]),
                Ok(files) => {
                    sources.forms = files;
                    let files: Vec<_> = sources.forms.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
                    Campaign::parse(&files)
                }
            }
        }
    };
    parsed.map_err(|list| list.into_iter().for_each(|p| problems.add(p))).ok()
}

fn form_files(folder: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

fn registry(
    top: &Reader,
    base: &Path,
    streams: &[String],
    (problems, sources): (&Problems, &mut Sources),
) -> Option<Registry> {
    let name = top.required_text("units", "the registry file (.csv or .xlsx)");
    if name.is_empty() {
        return None;
    }
    let path = base.join(name);
    let bytes = std::fs::read(&path).map_err(|e| problems.add(format!("units: {}: {e}", path.display()))).ok()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    sources.registry = (name, bytes.clone());
    Registry::parse(&path, &bytes, streams).map_err(|list| list.into_iter().for_each(|p| problems.add(p))).ok()
}

fn addresses(r: &Reader, key: &str) -> Vec<String> {
    let list = r.texts(key).unwrap_or_default();
    for address in list.iter().filter(|a| !is_address(a)) {
        r.problem(key, &format!("`{address}` is not a mail address"));
    }
    list.into_iter().map(|a| a.to_lowercase()).collect()
}

fn department(r: Reader) -> Option<Department> {
    let (digest, balance) = (r.parsed("digest", "30 8 * * *"), r.parsed("balance", "30 2 * * *"));
    let alarm_after = r.seconds("alarm_after", 7200, 60..=2_592_000);
    let department = Department {
        name: r.required_text("name", "the department's full name"),
        district: r.text("district", ""),
        addresses: addresses(&r, "addresses"),
        contact: r.text("contact", ""),
        digest: digest?,
        balance: balance?,
        alarm_after: TimeDelta::seconds(alarm_after.cast_signed()),
        digest_bytes: r.number("digest_mb", 15, 1..=40) << 20,
    };
    if department.addresses.is_empty() && !r.has("addresses") {
        r.problem("addresses", "is missing; give the addresses that receive the report");
    }
    r.finish();
    Some(department)
}

fn deadline(r: Reader, zone: Tz) -> Deadline {
    let day = r.number("day", 25, 1..=28) as u32;
    let text = r.text("time", "23:59:59");
    let parsed = NaiveTime::parse_from_str(&text, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M"));
    let time = parsed.unwrap_or_else(|_| {
        r.problem("time", &format!("`{text}` is no time of day, such as 23:59:59"));
        NaiveTime::MIN
    });
    r.finish();
    Deadline { day, time, zone }
}

fn reminders(r: Reader) -> Option<Reminders> {
    let reminders = Reminders {
        enabled: r.bool("enabled", true),
        schedule: r.parsed_list("schedule", &["0 9 20,23,25 * *", "0 15 25 * *"]),
        overdue: r.parsed_list("overdue", &["0 9 26,27,28 * *"]),
    };
    r.finish();
    Some(reminders)
}

fn report(r: Reader) -> Option<ReportSettings> {
    let (first, last) = (r.parsed("first", "0 10 26 * *"), r.parsed("last", "0 17 28 * *"));
    let (enabled, committees) = (r.bool("enabled", true), r.bool("committees", true));
    r.finish();
    Some(ReportSettings { enabled, first: first?, last: last?, committees })
}

fn calendar(r: Reader) -> Calendar {
    let days = |key: &str| {
        let texts = r.texts(key).unwrap_or_default();
        let day =
            |t: &String| t.parse().map_err(|_| r.problem(key, &format!("`{t}` is no date, such as 2011-10-01"))).ok();
        texts.iter().filter_map(day).collect()
    };
    let calendar = Calendar { holidays: days("holidays"), workdays: days("workdays") };
    r.finish();
    calendar
}

fn limits(r: Reader) -> Limits {
    const MB: u64 = 1024 * 1024;
    let limits = Limits {
        mail_bytes: r.number("mail_mb", 50, 1..=500) * MB,
        mail_time: Duration::from_secs(r.number("mail_seconds", 120, 1..=3600)),
        workbook_bytes: r.number("workbook_mb", 30, 1..=500) * MB,
        workbook_cells: r.number("workbook_cells", 5_000_000, 1000..=50_000_000),
        workbook_rows: r.number("workbook_rows", 5_000, 100..=1_000_000),
        archive_bytes: r.number("archive_mb", 200, 1..=2000) * MB,
        archive_members: r.number("archive_members", 100, 1..=10_000) as u32,
        archive_depth: r.number("archive_depth", 3, 1..=10) as u32,
        read: ReadLimits {
            time: Duration::from_secs(r.number("read_seconds", 20, 1..=600)),
            memory: r.number("read_memory_mb", 1024, 64..=65_536) * MB,
            isolate: r.bool("isolate", true),
        },
    };
    r.finish();
    limits
}

fn log(r: Reader) -> String {
    let level = r.text("level", "info");
    if !["error", "warn", "info", "debug"].contains(&level.as_str()) {
        r.problem("level", "must be error, warn, info or debug");
    }
    r.finish();
    level
}

/// `[web]` is reserved for the page of a later version; it may be switched off, not on.
fn web(r: Reader) {
    if r.bool("enabled", false) {
        r.problem("enabled", "this version has no web page; write false or leave the section out");
    }
    r.finish();
}

/// The configuration to use: the one named, else the first default that exists.
pub fn find(named: Option<PathBuf>) -> Result<PathBuf, Invalid> {
    if let Some(path) = named {
        return Ok(path);
    }
    let found = DEFAULT_PATHS.iter().map(PathBuf::from).find(|p| p.is_file());
    found.ok_or_else(|| {
        Invalid(vec![format!(
            "no configuration: neither {} nor {} is there; copy config/taizhang.example.toml, or name one with -c FILE",
            DEFAULT_PATHS[0], DEFAULT_PATHS[1]
        )])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{After, Provider, SmtpKind, Source};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
    }

    fn example() -> String {
        std::fs::read_to_string(folder().join("taizhang.example.toml")).unwrap()
    }

    fn problems(text: &str) -> Vec<String> {
        parse(&folder().join("taizhang.toml"), text).unwrap_err().0
    }

    #[test]
    fn the_shipped_example_is_valid_and_names_three_mailboxes() {
        let config = parse(&folder().join("taizhang.toml"), &example()).unwrap();
        assert_eq!(config.mailboxes.len(), 3);
        assert_eq!(config.registry.units.len(), 4);
        assert_eq!(config.campaign.forms.len(), 2);
        let Source::Imap(imap) = &config.mailboxes[0].source else { panic!("the first mailbox is IMAP") };
        assert_eq!((imap.server.port, imap.poll, &imap.after), (993, 120, &After::Flag));
    }

    #[test]
    fn all_problems_are_told_at_once_each_with_its_key_and_what_is_allowed() {
        let text = example()
            .replace("day = 25", "day = 31")
            .replace("per_minute = 20", "per_minutes = 20")
            .replace("password_file = \"secrets/social\"", "password = \"123456\"")
            .replace("after = \"flag\"", "after = \"delete\"")
            .replace("stream = \"social\"", "stream = \"sozial\"")
            .replace("\"0 10 26 * *\"", "\"0 10 26 * 1\"");
        let found = problems(&text);
        let all = found.join("\n");
        for part in [
            "[deadline] day: must be a whole number from 1 to 28",
            "[smtp] per_minutes: is not a key here; known keys:",
            "[[mailbox]] social: password: must not stand in this file",
            "[[mailbox]] nonpublic: after: `delete` is unknown; allowed:",
            "[[mailbox]] social: stream: `sozial` is no stream; allowed: nonpublic, social",
            "[report] first: `0 10 26 * 1`: write weekdays as names",
        ] {
            assert!(all.contains(part), "`{part}` is not in\n{all}");
        }
        assert_eq!(found.len(), 6, "{all}");
        assert!(found.iter().all(|p| p.contains("taizhang.toml: ")));
    }

    #[test]
    fn no_password_means_no_mailbox_and_plain_text_only_to_this_machine() {
        let text = example()
            .replace("password_file = \"secrets/nonpublic\"", "")
            .replace("tls = \"implicit\"", "tls = \"none\"");
        let all = problems(&text).join("\n");
        assert!(all.contains("[[mailbox]] nonpublic: password_file: is missing"), "{all}");
        assert!(all.contains("[[mailbox]] nonpublic: tls: \"none\" is allowed to this machine only"), "{all}");
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        let found = problems("timezone = \"Asia/Shanghai\"\nunits = \n");
        assert!(found[0].contains("line 2"), "{found:?}");
    }

    /// The example with the server of its first mailbox, and of the post office, described anew.
    fn with_servers(mailbox: &str, smtp: &str) -> String {
        let text = example();
        let (head, rest) = text.split_once("provider = \"generic\"").unwrap();
        let (_, tail) = rest.split_once("authserv_id").unwrap();
        let (middle, rest) = tail.split_once("provider = \"generic\"").unwrap();
        let (_, end) = rest.split_once("answers_per_day").unwrap();
        format!("{head}{mailbox}\nauthserv_id{middle}from = \"robot@mail.example\"\n{smtp}\nanswers_per_day{end}")
            .replace("poll = \"2m\"", "")
            .replace("idle = true", "")
    }

    #[test]
    fn a_provider_brings_its_servers_and_habits_and_a_key_still_wins() {
        let secret = "password_env = \"SECRET\"";
        let known = format!("provider = \"126\"\n{secret}");
        let own = format!("provider = \"qq\"\n{secret}\nhost = \"localhost\"\nuser = \"me\"\nper_day = 9");
        let config = parse(&folder().join("taizhang.toml"), &with_servers(&known, &own)).unwrap();
        let Source::Imap(imap) = &config.mailboxes[0].source else { panic!("the first mailbox is IMAP") };
        let server = &imap.server;
        assert_eq!((server.provider, server.host.as_str()), (Provider::Netease126, "imap.126.com"));
        assert_eq!((server.port, server.user.as_str()), (993, "fgdgw@mail.example"));
        let SmtpKind::Server(server) = &config.smtp.kind else { panic!("a server") };
        assert_eq!((server.host.as_str(), server.port, server.user.as_str()), ("localhost", 465, "me"));
        assert_eq!((config.smtp.per_minute, config.smtp.per_day), (6, Some(9)));
    }

    #[test]
    fn two_ways_to_log_in_are_a_problem() {
        let mailbox = "auth = \"password\"\nprovider = \"qq\"\npassword_env = \"SECRET\"\ntoken_command = [\"oauth\"]";
        let smtp = "provider = \"sina\"\nauth = \"xoauth2\"\npassword_env = \"SECRET\"";
        let all = problems(&with_servers(mailbox, smtp)).join("\n");
        for part in [
            "[[mailbox]] nonpublic: token_command: is for auth = \"xoauth2\" only",
            "[smtp] provider: `sina` is unknown; allowed: \"163\", \"126\"",
        ] {
            assert!(all.contains(part), "`{part}` is not in\n{all}");
        }
        let text = "provider = \"qq\"\ntoken_command = \"oauth imap\"";
        let all = problems(&with_servers(text, text)).join("\n");
        assert!(all.contains("[smtp] token_command: must be a list, since no shell reads it; give a program"), "{all}");
        let both = "provider = \"qq\"\nauth = \"xoauth2\"\npassword_env = \"SECRET\"";
        let all = problems(&with_servers("provider = \"qq\"\nauth = \"plain\"", both)).join("\n");
        for part in [
            "[[mailbox]] nonpublic: auth: `plain` is unknown; allowed: \"password\", \"xoauth2\"",
            "[smtp] password_env: does not go with auth = \"xoauth2\"",
            "[smtp] token_command: is missing",
        ] {
            assert!(all.contains(part), "`{part}` is not in\n{all}");
        }
    }

    #[test]
    fn a_known_host_brings_the_habits_unless_the_provider_is_called_generic() {
        let server = |host: &str| format!("host = \"{host}\"\nuser = \"me\"\npassword_env = \"SECRET\"");
        let read =
            |mailbox: &str, smtp: &str| parse(&folder().join("taizhang.toml"), &with_servers(mailbox, smtp)).unwrap();
        let imap = |config: &Config| match &config.mailboxes[0].source {
            Source::Imap(imap) => (imap.server.provider, imap.idle, imap.server.host.clone()),
            Source::Maildir(_) => panic!("the first mailbox is IMAP"),
        };
        let config = read(&server("imap.163.com"), &server("smtp.exmail.qq.com"));
        assert_eq!(imap(&config), (Provider::Netease163, false, "imap.163.com".to_owned()));
        assert_eq!((config.smtp.per_minute, config.smtp.per_day), (10, Some(200)));
        let generic = |host: &str| format!("provider = \"generic\"\n{}", server(host));
        let config = read(&generic("imap.163.com"), &generic("smtp.qq.com"));
        assert_eq!(imap(&config), (Provider::Generic, true, "imap.163.com".to_owned()));
        assert_eq!((config.smtp.per_minute, config.smtp.per_day), (20, None));
    }

    #[test]
    fn polling_faster_than_a_provider_bears_is_allowed_and_told() {
        let haste = |poll: &str| {
            let smtp = "provider = \"163\"\npassword_env = \"SECRET\"";
            let mailbox = format!("{smtp}\npoll = {poll}");
            match &parse(&folder().join("taizhang.toml"), &with_servers(&mailbox, smtp)).unwrap().mailboxes[0].source {
                Source::Imap(imap) => imap.haste(),
                Source::Maildir(_) => panic!("the first mailbox is IMAP"),
            }
        };
        let told = "polls every 5s; 163 is known to lock out who asks more often than every 60 s";
        assert_eq!(haste("5").as_deref(), Some(told));
        assert_eq!(haste("60"), None);
    }

    #[test]
    fn a_token_command_alone_means_xoauth2() {
        let known =
            "provider = \"generic\"\nhost = \"mail.example\"\nuser = \"me\"\ntoken_command = [\"oauth\", \"imap\"]";
        let config = parse(&folder().join("taizhang.toml"), &with_servers(known, known)).unwrap();
        let SmtpKind::Server(server) = &config.smtp.kind else { panic!("a server") };
        let crate::config::Login::Token(command) = &server.login else { panic!("a token") };
        assert_eq!((command.program.as_str(), command.arguments.as_slice()), ("oauth", &["imap".to_owned()][..]));
    }
}
