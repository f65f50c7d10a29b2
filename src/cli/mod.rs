//! The command line: one file a command. Tables for people, one JSON document with `--json`; logs go to stderr.

mod arguments;
mod backup;
mod books;
mod bounced;
mod check;
mod conduct;
mod daemon;
mod demo;
mod export;
mod headings;
mod history;
mod ingest;
mod known;
mod ledger;
mod listing;
mod print;
mod quarantine;
mod reconcile;
mod remind;
mod report;
mod restore;
mod sample;
mod targets;
mod template;
mod trust;
mod units;
mod verify;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::clock::Clock;
use crate::config::{Config, load};
use crate::db::Db;
use crate::db::seal::Basis;
use crate::ledger::{presence, views};
use crate::reader;
use arguments::{Arguments, Command};

/// How a command ended (contract: exit codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0
    Done,
    /// 1: told already, on stderr.
    Failed,
    /// 3: done, but something needs a person.
    NeedsPerson,
}

/// A mistake in how the command was called (exit code 2).
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn usage(text: impl Into<String>) -> anyhow::Error {
    Usage(text.into()).into()
}

/// Parses the arguments, runs the command and gives the exit code.
///
/// The runtime starts here and not in `main.rs`, because the code of everything asynchronous is generated where it is
/// awaited from outside: in the library it is compiled once, for the program and all its tests.
pub fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|first| first == reader::COMMAND) {
        return reader::serve(words);
    }
    // A library's panic message may quote what it was reading; the place is all that a log may hold.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic");
    }));
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from);
    let result = runtime.and_then(|runtime| {
        let result = runtime.block_on(run(arguments));
        // Dropped, it would wait for the workbook that is just being read; that one is taken up again at the next start.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::NeedsPerson) => ExitCode::from(3),
        Err(error) if error.is::<load::Invalid>() || error.is::<Usage>() => {
            eprintln!("taizhang: {error}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("taizhang: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn run(arguments: Arguments) -> Result<Outcome> {
    let Arguments { config, at, known_on, json, command } = arguments;
    let clock = at.map_or(Clock::System, Clock::Fixed);
    if let Command::Demo { dir } = command {
        return demo::run(&dir).await;
    }
    // On a new machine there is no configuration yet.
    if let Command::Restore { file, dir } = command {
        return restore::run(&file, &dir, json).await;
    }
    let config = load::load(&load::find(config)?)?;
    // Reading everything again would log everything again.
    log_to_stderr(if matches!(command, Command::Verify { .. }) { "off" } else { &config.log });
    let mut office = Office { config, clock, json, known_on: None };
    if let Some(when) = known_on {
        let moment = known::moment(when, &command, office.now())?;
        (office.known_on, office.clock) = (Some(moment), Clock::Fixed(moment));
    }
    match command {
        Command::Demo { .. } | Command::Restore { .. } => unreachable!("handled above: they need no configuration"),
        Command::Run => daemon::run(office).await,
        Command::Once => daemon::once(office).await,
        Command::Ingest(options) => ingest::run(office, options).await,
        Command::Status { period } => listing::status(office, period).await,
        Command::Messages { since } => {
            let since = since.map(|t| t.in_zone(office.config.timezone));
            listing::messages(office, since).await
        }
        Command::Findings { period, unit, all, waived } => {
            let which = listing::Findings { period, unit, all, waived };
            listing::findings(office, which).await
        }
        Command::Export(options) => export::run(office, options).await,
        Command::History { action } => history::run(office, action).await,
        Command::Report { period, out, send } => report::run(office, period, out, send).await,
        Command::Targets { period, unit } => targets::run(office, period, unit).await,
        Command::Conduct { period } => conduct::run(office, period).await,
        Command::Remind { period, dry_run } => remind::run(office, period, dry_run).await,
        Command::Quarantine { action } => quarantine::run(office, action).await,
        Command::Headings { action } => headings::run(office, action).await,
        Command::Ledger { action } => ledger::run(office, action).await,
        Command::Reconcile(options) => reconcile::run(office, options).await,
        Command::Sample(options) => sample::run(office, options).await,
        Command::Excuse { unit, period, reason } => quarantine::excuse(office, unit, period, reason).await,
        Command::Units { action } => units::run(office, action).await,
        Command::Template(options) => template::run(office, options).await,
        Command::Check => check::run(office).await,
        Command::Verify { quick } => verify::run(office, quick).await,
        Command::Backup { file, force } => backup::run(office, &file, force).await,
    }
}

/// What every command but `demo` starts from.
struct Office {
    config: Config,
    clock: Clock,
    json: bool,
    /// What was known then is wanted; the clock stands there.
    known_on: Option<chrono::DateTime<chrono::Utc>>,
}

impl Office {
    async fn db(&self) -> Result<Db> {
        let live = Db::open_by(&self.config.data_dir, Basis::of(&self.config)).await?;
        // After an upgrade what follows from the books is more than was stored, whether or not any mail comes.
        presence::catch_up(&live, &self.config.campaign).await?;
        views::ensure(&live, &self.config.campaign).await?;
        match self.known_on {
            Some(moment) => known::view(self, &live, moment).await,
            None => Ok(live),
        }
    }

    fn now(&self) -> chrono::DateTime<chrono_tz::Tz> {
        self.clock.now().with_timezone(&self.config.timezone)
    }

    fn open_period(&self) -> crate::period::Period {
        crate::period::Period::open_at(self.now())
    }
}

/// Logs go to stderr, without colour where it is not a terminal or `NO_COLOR` is set.
pub(crate) fn log_to_stderr(level: &str) {
    use std::io::IsTerminal;
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::prelude::*;
    // The libraries below log mail addresses and, at TRACE, passwords: they are held at their warnings.
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("taizhang", level);
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_ansi(ansi).with_target(false).with_writer(std::io::stderr);
    // A second call (the demo runs inside a test) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}
