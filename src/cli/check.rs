//! `check`: one line for each thing that must work, ok or what to do.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::books::Books;
use super::{Office, Outcome, bounced, print};
use crate::config::{Config, Login, Mailbox, SmtpKind, Source};
use crate::db::Db;
use crate::jobs::take;
use crate::mailbox::Connection;
use crate::outbox::{self, Transport, store};
use crate::reader::{Reader, Shelter};

pub(super) struct Line {
    pub what: String,
    pub result: Result<String, String>,
    /// More of it for `--json`: fields of an object, or nothing.
    pub detail: Value,
}

pub async fn run(office: Office) -> Result<Outcome> {
    let config = &office.config;
    let mut lines = vec![
        ok("configuration", config.path.display().to_string()),
        ok("registry", format!("{} units", config.registry.units.len())),
        ok("forms", forms(config)),
        ledger(config).await,
        clock(&office),
        reader(config).await,
    ];
    lines.extend(bounced::checked(config).await.into_iter().map(|(what, result)| line(&what, result)));
    let books = Books::open(&office).await;
    for mailbox in &config.mailboxes {
        let what = format!("mailbox {}", mailbox.name);
        match receiving(config, mailbox).await {
            Ok(mut connection) => {
                let haste = if let Source::Imap(imap) = &mailbox.source { imap.haste() } else { None };
                let told = [Some(connection.describe()), haste].into_iter().flatten();
                lines.push(ok(&what, told.collect::<Vec<_>>().join("; ")));
                if let Some(books) = &books {
                    lines.push(books.mailbox(&office, mailbox, &mut connection).await);
                }
                connection.close().await;
            }
            Err(failure) => lines.push(line(&what, Err(failure))),
        }
        if let Source::Imap(imap) = &mailbox.source {
            lines.extend(secret_mode(&format!("mailbox {} password", mailbox.name), &imap.server.login));
        }
    }
    if let Some(books) = &books {
        lines.extend(books.others(&office).await);
    }
    lines.push(line("sending", sending(&office).await));
    lines.extend(held_back(&office).await);
    if let SmtpKind::Server(server) = &config.smtp.kind {
        lines.extend(secret_mode("sending password", &server.login));
    }
    show(&office, &lines)
}

fn ok(what: &str, text: String) -> Line {
    line(what, Ok(text))
}

/// How many; and which of the known rules one of them does not bring, since that may be because its file is from before.
fn forms(config: &Config) -> String {
    let campaign = &config.campaign;
    let mut text = format!("{} forms, {} streams", campaign.forms.len(), campaign.streams.len());
    for (form, rules) in campaign.lacks() {
        text += &format!(
            "; {form} does not bring {}: if that is not meant so, copy their blocks from the shipped {form} file",
            rules.join(", ")
        );
    }
    text
}

fn line(what: &str, result: Result<String, String>) -> Line {
    Line { what: what.into(), result, detail: Value::Null }
}

async fn ledger(config: &Config) -> Line {
    let result = match Db::open(&config.data_dir).await {
        Ok(db) => match db.begin().await {
            Ok(tx) => {
                drop(tx);
                Ok(format!("{} can be written", db.dir().display()))
            }
            Err(e) => Err(format!("{e:#}")),
        },
        Err(e) => Err(format!("{e:#}")),
    };
    line("ledger", result)
}

/// A clock before this program was written is wrong; deadlines would be judged wrongly.
fn clock(office: &Office) -> Line {
    let now = office.now();
    let earliest = chrono::NaiveDate::from_ymd_opt(2011, 1, 1).unwrap_or_default();
    let result = match now.date_naive() < earliest {
        true => Err(format!("the clock says {now}; set it")),
        false => Ok(format!("{} {}", now.format("%Y-%m-%d %H:%M"), office.config.timezone)),
    };
    line("clock", result)
}

/// What a reader found out by trying to get out of where it is kept.
async fn reader(config: &Config) -> Line {
    let result = match Reader::new(config).shelter().await {
        Ok(Some(shelter)) => kept_in(shelter, config.limits.read.memory >> 20),
        Ok(None) => Err("[limits] isolate = false: workbooks can bring the program down; only for measuring".into()),
        Err(unavailable) => Err(unavailable.to_string()),
    };
    line("reader", result)
}

fn kept_in(shelter: Shelter, memory: u64) -> Result<String, String> {
    let Shelter { memory: bounded, files, network, landlock } = shelter;
    let open: Vec<&str> = [(bounded, "memory"), (files, "files"), (network, "network")]
        .into_iter()
        .filter_map(|(shut, what)| (!shut).then_some(what))
        .collect();
    let kernel = if landlock { "" } else { "; this kernel has no landlock, so only its own limits hold it" };
    match open.is_empty() {
        true => Ok(format!("isolated ({memory} MB of memory, no files, no network{kernel})")),
        false => {
            Err(format!("not isolated from: {}; this system does not let a process limit itself", open.join(", ")))
        }
    }
}

/// A password that others can read is no secret.
fn secret_mode(what: &str, login: &Login) -> Option<Line> {
    use std::os::unix::fs::PermissionsExt;
    let path = login.file()?;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o077;
    let text = format!("{} can be read by others; run chmod 600 on it", path.display());
    (mode != 0).then(|| line(what, Err(text)))
}

/// Logs in whatever the program itself waits for: somebody asks because something was put right. Where that is so, the
/// program need not wait any longer either.
async fn receiving(config: &Config, mailbox: &Mailbox) -> Result<Connection, String> {
    let connection = Connection::open(mailbox, &config.limits).await.map_err(|failure| failure.told())?;
    if let Ok(db) = Db::open(&config.data_dir).await {
        take::admitted(&db, &mailbox.name).await.map_err(|e| format!("{e:#}"))?;
    }
    Ok(connection)
}

async fn sending(office: &Office) -> Result<String, String> {
    let config = &office.config;
    let mut transport = Transport::new(&config.smtp, config.timezone).map_err(|e| e.to_string())?;
    transport.check().await.map_err(|no_session| no_session.to_string())?;
    let mut today = String::new();
    if let Ok(db) = Db::open(&config.data_dir).await {
        let now = office.now().to_utc();
        outbox::admitted(db.pool(), now).await.map_err(|e| format!("the ledger: {e}"))?;
        today = sent_today(&db, config, now).await.unwrap_or_default();
    }
    Ok(match &config.smtp.kind {
        SmtpKind::Server(server) => format!("logged in to {}:{}{today}", server.host, server.port),
        SmtpKind::Files(dir) => format!("mails are written to {}", dir.display()),
    })
}

/// `; 37 of 100 mails in 24 hours`, where there is a limit.
async fn sent_today(db: &Db, config: &Config, now: DateTime<Utc>) -> Option<String> {
    let most = config.smtp.per_day?;
    let mut conn = db.pool().acquire().await.ok()?;
    let sent = store::sent_between(&mut conn, now - TimeDelta::hours(24), now).await.ok()?;
    Some(format!("; {} of {most} mails in 24 hours", sent.len()))
}

/// What the provider last said against our mail, while sending waits or goes slowly for it.
async fn held_back(office: &Office) -> Vec<Line> {
    let (config, now) = (&office.config, office.now().to_utc());
    let Ok(db) = Db::open(&config.data_dir).await else { return Vec::new() };
    let Ok(mut conn) = db.pool().acquire().await else { return Vec::new() };
    let here = |at: DateTime<Utc>| at.with_timezone(&config.timezone).format("%Y-%m-%d %H:%M").to_string();
    let outage = store::outage(&mut conn).await.ok().flatten().filter(|outage| outage.lasts(now));
    let waits = outage.map(|o| format!("nothing is sent before {}: {}", here(o.until), o.reason));
    let slowdown = store::slowdown(&mut conn, now).await.ok().flatten();
    let slow = slowdown.map(|s| format!("slower until {}: {}", here(s.until), s.reason));
    let line = |text| line("sending", Err(text));
    waits.into_iter().chain(slow).map(line).collect()
}

fn show(office: &Office, lines: &[Line]) -> Result<Outcome> {
    if office.json {
        let rows = lines.iter().map(|l| {
            let (ok, text) = match &l.result {
                Ok(t) => (true, t),
                Err(t) => (false, t),
            };
            let mut row = serde_json::json!({ "what": l.what, "ok": ok, "text": text });
            if let (Value::Object(row), Value::Object(detail)) = (&mut row, &l.detail) {
                row.extend(detail.clone());
            }
            row
        });
        print::json(&rows.collect::<Vec<_>>())?;
    } else {
        for line in lines {
            match &line.result {
                Ok(text) => print::line(&format!("ok    {}: {text}", line.what))?,
                Err(text) => print::line(&format!("FAIL  {}: {text}", line.what))?,
            }
        }
    }
    Ok(if lines.iter().all(|l| l.result.is_ok()) { Outcome::Done } else { Outcome::NeedsPerson })
}
