//! `check`: one line for each thing that must work, ok or what to do.

use anyhow::Result;

use super::{Office, Outcome, bounced, print};
use crate::config::{Config, SmtpKind, Source};
use crate::db::Db;
use crate::mailbox::Connection;
use crate::outbox::Transport;
use crate::reader::{Reader, Shelter};

struct Line {
    what: String,
    result: Result<String, String>,
}

pub async fn run(office: Office) -> Result<Outcome> {
    let config = &office.config;
    let mut lines = vec![
        ok("configuration", config.path.display().to_string()),
        ok("registry", format!("{} units", config.registry.units.len())),
        ok("forms", format!("{} forms, {} streams", config.campaign.forms.len(), config.campaign.streams.len())),
        ledger(config).await,
        clock(&office),
        reader(config).await,
    ];
    lines.extend(bounced::checked(config).await.into_iter().map(|(what, result)| Line { what, result }));
    for mailbox in &config.mailboxes {
        let what = format!("mailbox {}", mailbox.name);
        let result = match Connection::open(mailbox, &config.limits).await {
            Ok(connection) => {
                let place = connection.describe();
                connection.close().await;
                Ok(place)
            }
            Err(failure) => Err(failure.to_string()),
        };
        lines.push(Line { what, result });
        if let Source::Imap(imap) = &mailbox.source {
            lines.extend(secret_mode(&format!("mailbox {} password", mailbox.name), &imap.server.password));
        }
    }
    lines.push(Line { what: "sending".into(), result: sending(config).await });
    if let SmtpKind::Server(server) = &config.smtp.kind {
        lines.extend(secret_mode("sending password", &server.password));
    }
    show(&office, &lines)
}

fn ok(what: &str, text: String) -> Line {
    Line { what: what.into(), result: Ok(text) }
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
    Line { what: "ledger".into(), result }
}

/// A clock before this program was written is wrong; deadlines would be judged wrongly.
fn clock(office: &Office) -> Line {
    let now = office.now();
    let earliest = chrono::NaiveDate::from_ymd_opt(2011, 1, 1).unwrap_or_default();
    let result = match now.date_naive() < earliest {
        true => Err(format!("the clock says {now}; set it")),
        false => Ok(format!("{} {}", now.format("%Y-%m-%d %H:%M"), office.config.timezone)),
    };
    Line { what: "clock".into(), result }
}

/// What a reader found out by trying to get out of where it is kept.
async fn reader(config: &Config) -> Line {
    let result = match Reader::new(config).shelter().await {
        Ok(Some(shelter)) => kept_in(shelter, config.limits.read.memory >> 20),
        Ok(None) => Err("[limits] isolate = false: workbooks can bring the program down; only for measuring".into()),
        Err(unavailable) => Err(unavailable.to_string()),
    };
    Line { what: "reader".into(), result }
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
fn secret_mode(what: &str, secret: &crate::config::Secret) -> Option<Line> {
    use std::os::unix::fs::PermissionsExt;
    let crate::config::Secret::File(path) = secret else { return None };
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o077;
    let text = format!("{} can be read by others; run chmod 600 on it", path.display());
    (mode != 0).then(|| Line { what: what.into(), result: Err(text) })
}

async fn sending(config: &Config) -> Result<String, String> {
    let mut transport = Transport::new(&config.smtp, config.timezone).map_err(|e| e.to_string())?;
    transport.check().await?;
    Ok(match &config.smtp.kind {
        SmtpKind::Server(server) => format!("logged in to {}:{}", server.host, server.port),
        SmtpKind::Files(dir) => format!("mails are written to {}", dir.display()),
    })
}

fn show(office: &Office, lines: &[Line]) -> Result<Outcome> {
    if office.json {
        let rows = lines.iter().map(|l| {
            let (ok, text) = match &l.result {
                Ok(t) => (true, t),
                Err(t) => (false, t),
            };
            serde_json::json!({ "what": l.what, "ok": ok, "text": text })
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
