//! The program dies between any two steps, or anywhere, and starts again: the same ledger, one answer a letter.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use taizhang::config::{Config, load};
use taizhang::db::Db;
use taizhang::demo::district::{GBK, NONPUBLIC, SOCIAL, TIDY};
use taizhang::jobs::pass::Watched;
use taizhang::jobs::process::{self, Answers, Clerk};
use taizhang::jobs::{file, take};
use taizhang::ledger::store as ledger;
use taizhang::outbox::deliver::Settings;
use taizhang::outbox::{self, Transport, store};

use crate::office::Office;
use crate::office::letter::{Letter, tidy, time};

const NOON: &str = "2011-09-20T12:00:00+08:00";
/// Past the lease of an attempt that never ended.
const EVENING: &str = "2011-09-20T18:00:00+08:00";

fn letters() -> Vec<Letter> {
    let two = |unit, stream, at| Letter::new(unit, stream, at, tidy(unit, stream, "2011-08").two_files());
    vec![
        two(TIDY, NONPUBLIC, "2011-09-20T09:10:00+08:00"),
        two(GBK, SOCIAL, "2011-09-20T09:20:00+08:00"),
        Letter::new(GBK, NONPUBLIC, "2011-09-20T09:30:00+08:00", Vec::new()),
    ]
}

fn office(letters: &[Letter]) -> Office {
    // The steps are taken by this test, which could not be started as a reader.
    let office = Office::open_with(|config| format!("{config}\n[limits]\nisolate = false\n"));
    letters.iter().for_each(|letter| office.post(letter));
    office
}

/// After the next pass nothing tells that there was a crash.
fn is_unharmed(office: &Office, letters: &[Letter], ledger: &str, when: &str) {
    office.once(EVENING);
    assert!(office.ledger() == ledger, "another ledger after {when}");
    for letter in letters {
        assert_eq!(office.answers(letter).len(), 1, "answers after {when}");
    }
    let filed = office.names(NONPUBLIC, "cur").len() + office.names(SOCIAL, "cur").len();
    assert_eq!(filed, letters.len(), "{when}");
    for mailbox in [NONPUBLIC, SOCIAL] {
        assert!(office.names(mailbox, "new").is_empty(), "{when}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Step {
    Take,
    BeginToAssess,
    ProcessOne,
    ProcessAll,
    FileOne,
    FileAll,
    BeginToDeliver,
    DeliverAll,
}

const STEPS: [Step; 8] = [
    Step::Take,
    Step::BeginToAssess,
    Step::ProcessOne,
    Step::ProcessAll,
    Step::FileOne,
    Step::FileAll,
    Step::BeginToDeliver,
    Step::DeliverAll,
];

/// Everything that a process holds; dropping it is dying.
struct Process {
    db: Db,
    config: Arc<Config>,
    watched: Vec<Watched>,
    now: DateTime<Utc>,
}

impl Process {
    async fn start(office: &Office) -> Self {
        let config = Arc::new(load::load(&office.path("taizhang.toml")).expect("settings"));
        let db = Db::open(&config.data_dir).await.expect("the ledger");
        Self { db, watched: Watched::all(&config), config, now: time(NOON).to_utc() }
    }

    async fn go(&mut self, step: Step) {
        let Self { db, config, watched, now } = self;
        let open = || async { process::open_messages(db).await.expect("the ledger") };
        match step {
            Step::Take => {
                for w in watched {
                    take::take(db, config, &w.mailbox, &mut w.connection, *now).await.expect("taken");
                }
            }
            Step::BeginToAssess => {
                let mut conn = db.pool().acquire().await.expect("the ledger");
                ledger::begin_assessment(&mut conn, 1).await.expect("begun");
            }
            Step::ProcessOne | Step::ProcessAll => {
                let some = if step == Step::ProcessOne { 1 } else { usize::MAX };
                let mut clerk = Clerk::new(db, config, Answers::Send);
                for id in open().await.into_iter().take(some) {
                    clerk.process(id, *now).await.expect("processed");
                }
            }
            Step::FileOne | Step::FileAll => {
                let some = if step == Step::FileOne { 1 } else { watched.len() };
                for w in &mut watched[..some] {
                    file::file(db, &w.mailbox, &mut w.connection, *now).await.expect("filed");
                }
            }
            Step::BeginToDeliver => {
                let mut conn = db.pool().acquire().await.expect("the ledger");
                let lease = *now + Settings::of(&config.smtp).lease;
                let due = store::due(&mut conn, *now, 1).await.expect("the queue");
                store::begin_attempt(&mut conn, due[0], *now, lease).await.expect("begun").expect("due");
            }
            Step::DeliverAll => {
                let mut transport = Transport::new(&config.smtp, config.timezone).expect("a folder");
                let settings = Settings::of(&config.smtp);
                outbox::deliver_due(db.pool(), &mut transport, &settings, *now).await.expect("delivered");
            }
        }
    }
}

#[tokio::test]
async fn after_every_step_of_the_walk() {
    let letters = letters();
    let undisturbed = office(&letters);
    undisturbed.once(NOON);
    let ledger = undisturbed.ledger();
    for last in STEPS {
        let office = office(&letters);
        let mut process = Process::start(&office).await;
        for step in STEPS.into_iter().take_while(|step| *step <= last) {
            process.go(step).await;
        }
        drop(process);
        is_unharmed(&office, &letters, &ledger, &format!("{last:?}"));
    }
}

#[test]
fn killed_at_any_moment() {
    let letters = letters();
    let undisturbed = office(&letters);
    let start = Instant::now();
    undisturbed.once(NOON);
    let whole = start.elapsed();
    let ledger = undisturbed.ledger();
    const MOMENTS: u32 = 20;
    for moment in 0..MOMENTS {
        let office = office(&letters);
        let mut command = office.command(NOON, &["once"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
        let wait = whole * moment / MOMENTS;
        // Polled, because sleeping exactly is what machines cannot do.
        let start = Instant::now();
        while start.elapsed() < wait && child.try_wait().expect("the program").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("the end");
        child.wait().expect("the end");
        is_unharmed(&office, &letters, &ledger, &format!("{wait:?} of {whole:?}"));
    }
}
