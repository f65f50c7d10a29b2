//! The ledger of any day equals what it was on that day. The model is the plainest one: a copy of everything it said.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use sqlx::Row as _;

use super::*;
use crate::config::Config;
use crate::fixture::{self, at};
use crate::form::{Datum, Finding, Place, Record, Severity};
use crate::ledger::copies::{self, Incoming};
use crate::ledger::store::{self, Decision, Sighting};
use crate::ledger::{amended, inquiry};
use crate::submission::{Disposition, Fate, Head, Row, Submission, Verdict};

const UNITS: [&str; 2] = ["松岭镇人民政府", "云溪街道办事处"];
const PERIODS: [&str; 6] = ["2011-06", "2011-07", "2011-08", "2011-09", "2011-10", "2011-11"];

/// What a mail holds: everything that is said follows from it.
#[derive(Clone, Copy, Debug)]
struct Mail {
    unit: usize,
    period: usize,
    book: bool,
    content: u8,
    /// Its sender is unknown.
    stranger: bool,
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    Arrives(Mail),
    /// It came days ago, and is entered only now.
    EnteredLate(Mail),
    /// The same file as one of the mails before, from the unit itself; taken by the provider days before now.
    Copied(usize, i64),
    Released(usize),
    Rejected(usize),
    /// Opened in one pass and assessed in the next, as the unit's answer has it.
    Reopened(usize),
    /// Assessed again with the same result.
    Again(usize),
    Excused(usize, usize),
}

fn mail() -> impl Strategy<Value = Mail> {
    let shape = (0..UNITS.len(), 0..PERIODS.len(), any::<bool>(), 0u8..4, prop::bool::weighted(0.25));
    shape.prop_map(|(unit, period, book, content, stranger)| Mail { unit, period, book, content, stranger })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => mail().prop_map(Event::Arrives),
        2 => mail().prop_map(Event::EnteredLate),
        3 => (0..20usize, 0i64..9).prop_map(|(n, days)| Event::Copied(n, days)),
        3 => (0..20usize).prop_map(Event::Released),
        2 => (0..20usize).prop_map(Event::Rejected),
        1 => (0..20usize).prop_map(Event::Reopened),
        1 => (0..20usize).prop_map(Event::Again),
        1 => (0..UNITS.len(), 0..PERIODS.len()).prop_map(|(unit, period)| Event::Excused(unit, period)),
    ]
}

impl Mail {
    fn digest(self) -> String {
        format!("{} {} {} {}", self.unit, self.period, self.book, self.content)
    }

    fn rows(self) -> Vec<Row> {
        let row = |number: u32, values: Vec<(&str, Datum)>| {
            let values = values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let record = Record { sheet: "台账".to_owned(), row: number, values, ..Record::default() };
            Row { sheet: "台账".to_owned(), record, admitted: number != 8 }
        };
        let n = i64::from(self.content);
        match self.book {
            false => vec![row(5, vec![("orgs", Datum::Int(10 + n)), ("members", Datum::Int(40 + n))])],
            true => (0..=self.content)
                .map(|i| {
                    let closed = if i == 0 && self.content == 3 { "销户" } else { "正常" };
                    let name = Datum::Text(format!("甲{i}有限公司"));
                    let phone = Datum::Text(format!("{}", self.period / 2));
                    let status = Datum::Text(closed.to_owned());
                    row(5 + u32::from(i), vec![("name", name), ("phone", phone), ("status", status)])
                })
                .collect(),
        }
    }

    /// How the mail is assessed, with or without somebody having vouched for it.
    fn verdict(self, vouched: bool) -> Verdict {
        let waits = self.stranger && !vouched;
        let finding =
            |rule: &str| Finding::new(rule, Severity::Warning, Place::default(), format!("{rule} {}", self.content));
        let mut verdict = Verdict::plain(
            if waits { Disposition::Quarantined } else { Disposition::Accepted },
            if waits { "发件人未登记。" } else { "" },
        );
        if waits {
            verdict.rules.push("M01".to_owned());
            verdict.findings.push(finding("M01"));
        }
        verdict.submissions.push(Submission {
            unit: Some(UNITS[self.unit].to_owned()),
            stream: Some("nonpublic".to_owned()),
            form: if self.book { "register" } else { "progress" }.to_owned(),
            period: Some(PERIODS[self.period].parse().unwrap()),
            fate: if waits { Fate::Quarantined } else { Fate::Accepted },
            file: "报表.xlsx".to_owned(),
            digest: self.digest(),
            sheet: "台账".to_owned(),
            columns: Default::default(),
            rows: self.rows(),
            findings: vec![finding("R05")],
            doubts: Vec::new(),
        });
        verdict
    }
}

/// A ledger that events happen to, an hour apart, each with a pass.
struct Life {
    db: Db,
    config: Config,
    mails: Vec<(i64, Mail)>,
    now: DateTime<Utc>,
}

impl Life {
    async fn happens(&mut self, event: &Event) {
        self.now += TimeDelta::hours(1);
        let days = |n| self.now - TimeDelta::days(n);
        match event {
            Event::Arrives(mail) => self.comes(*mail, self.now).await,
            Event::EnteredLate(mail) => self.comes(*mail, days(9)).await,
            Event::Copied(which, before) => {
                if let Some((_, mail)) = self.mail(*which) {
                    self.comes(Mail { stranger: false, ..mail }, days(*before)).await;
                }
            }
            Event::Released(which) => self.decided(*which, "release").await,
            Event::Rejected(which) => self.decided(*which, "reject").await,
            Event::Reopened(which) => {
                if let Some((id, _)) = self.mail(*which) {
                    let mut tx = self.db.begin().await.unwrap();
                    inquiry::reopen(&mut tx, id, self.now).await.unwrap();
                    tx.commit().await.unwrap();
                }
            }
            Event::Again(which) => self.decided(*which, "").await,
            Event::Excused(unit, period) => {
                let excuse = Decision {
                    kind: "excuse",
                    unit: Some(UNITS[*unit]),
                    period: Some(PERIODS[*period].to_owned()),
                    ..Decision::default()
                };
                store::decide(&mut self.db.pool().acquire().await.unwrap(), &excuse, self.now).await.unwrap();
            }
        }
        self.pass().await;
    }

    async fn pass(&self) {
        let pass = "INSERT INTO state (key, value) VALUES ('last_pass', ?1) ON CONFLICT DO UPDATE SET value = ?1";
        sqlx::query(pass).bind(self.now.to_rfc3339()).execute(self.db.pool()).await.unwrap();
    }

    fn mail(&self, which: usize) -> Option<(i64, Mail)> {
        (!self.mails.is_empty()).then(|| self.mails[which % self.mails.len()])
    }

    async fn comes(&mut self, mail: Mail, received_at: DateTime<Utc>) {
        let digest = format!("mail {}", self.mails.len());
        let seen = Sighting { mailbox: "nonpublic", locator: &digest, digest: &digest, size: 1, received_at };
        let mut tx = self.db.begin().await.unwrap();
        let id = store::take(&mut tx, &seen, self.now).await.unwrap();
        tx.commit().await.unwrap();
        self.mails.push((id, mail));
        self.settle(id, mail).await;
    }

    async fn decided(&mut self, which: usize, kind: &str) {
        let Some((id, mail)) = self.mail(which) else { return };
        if !kind.is_empty() {
            let decision = Decision { kind, message: Some(id), ..Decision::default() };
            store::decide(&mut self.db.pool().acquire().await.unwrap(), &decision, self.now).await.unwrap();
        }
        self.settle(id, mail).await;
    }

    /// As a message is settled after it was read; see [`crate::jobs::process`].
    async fn settle(&mut self, id: i64, mail: Mail) {
        let mut tx = self.db.begin().await.unwrap();
        let decisions = store::decisions(&mut tx, id).await.unwrap();
        let released = decisions.released.is_some();
        let mut verdict = match &decisions.rejected {
            Some(_) => Verdict::plain(Disposition::Rejected, "人工处理：不予采用。"),
            None => mail.verdict(released),
        };
        let received_at = sqlx::query_scalar("SELECT received_at FROM message WHERE id = ?")
            .bind(id)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        let from = if mail.stranger { "wei@mail.test" } else { "clerk@office.test" };
        let head = Head { from: Some(from.to_owned()), fingerprint: Some(mail.digest()), ..Head::default() };
        let incoming = Incoming { id, received_at, head: &head, released, answer: false };
        let copy = match decisions.refused() {
            true => copies::Copy::default(),
            false => copies::take_out(&mut tx, incoming, &mut verdict, &self.config.campaign).await.unwrap(),
        };
        for unit in UNITS {
            rebuild::release_lines(&mut tx, unit, "nonpublic").await.unwrap();
        }
        let known_at = store::record(&mut tx, id, &head, &verdict, self.now).await.unwrap();
        presence::note(&mut tx, &self.config.campaign, id, &verdict).await.unwrap();
        copies::link(&mut tx, incoming, (&copy, &verdict), known_at).await.unwrap();
        for unit in UNITS {
            rebuild::unit_stream(&mut tx, &self.config.campaign, unit, "nonpublic").await.unwrap();
        }
        amended::compare(&mut tx, &self.config.campaign, id, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Everything that a ledger says, without the numbers of its rows.
async fn said(db: &Db) -> Vec<String> {
    const LINE: &str = "l.sheet || l.row || l.admitted || l.record || l.cells || l.raw";
    let tables = [
        format!("SELECT 'figure', f.unit, f.stream, f.form, f.period, {LINE} FROM figure f JOIN line l ON l.id = f.line ORDER BY 2, 3, 4, 5"),
        format!(
            "SELECT 'entry', e.unit, e.stream, e.form, e.identity, e.name, e.code, e.status, e.vanished, e.first_period,
             e.last_period, e.record, {LINE} FROM entry e JOIN line l ON l.id = e.line ORDER BY e.unit, e.stream, e.form, e.id"
        ),
        format!(
            "SELECT 'version', e.unit, e.identity, v.period, v.change, v.record, {LINE} FROM entry_version v
             JOIN entry e ON e.id = v.entry JOIN line l ON l.id = v.line ORDER BY e.unit, e.id, v.period"
        ),
        "SELECT 'submission', id, message, ordinal, unit, stream, form, period, state, received_at, file, sheet, columns, digest,
         idle FROM submission ORDER BY id"
            .to_owned(),
        format!("SELECT 'line', l.submission, {LINE} FROM line l ORDER BY l.submission, l.id"),
        "SELECT 'finding', f.message, f.submission, f.origin, f.rule, f.severity, f.text, f.row FROM finding f
         ORDER BY f.message, f.submission, f.origin, f.id"
            .to_owned(),
        "SELECT 'message', id, received_at, stored_at, disposition, reason, rules, duplicate_of, assessed_at FROM message ORDER BY id"
            .to_owned(),
        "SELECT 'decision', id, at, kind, message, unit FROM decision ORDER BY id".to_owned(),
    ];
    let mut all = Vec::new();
    for sql in tables {
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(db.pool()).await.unwrap() {
            let cell = |i| {
                let text = row.try_get_unchecked::<Option<String>, _>(i).unwrap();
                text.unwrap_or_else(|| "-".to_owned())
            };
            all.push((0..row.len()).map(cell).collect::<Vec<_>>().join(" | "));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn the_view_of_any_day_is_what_the_ledger_said_on_it(events in prop::collection::vec(event(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_dir, db) = fixture::ledger().await;
            let mut life = Life { db, config: fixture::config(), mails: Vec::new(), now: at("2011-12-01T00:00:00Z") };
            life.pass().await;
            let mut remembered = vec![(life.now, said(&life.db).await)];
            for event in &events {
                life.happens(event).await;
                remembered.push((life.now, said(&life.db).await));
            }
            for (when, then) in &remembered {
                for k in [*when, *when + TimeDelta::minutes(59)] {
                    let view = view(&life.db, &life.config.campaign, k).await.unwrap();
                    prop_assert_eq!(&said(&view).await, then, "as known on {}", k);
                }
            }
            let (kept, again) = (said(&life.db).await, remembered.last().unwrap());
            prop_assert_eq!(&kept, &again.1, "looking changes nothing");
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn before_the_first_mail_the_ledger_knew_nothing() {
    let (config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
    assert_eq!(beginning(&mut db.pool().acquire().await.unwrap()).await.unwrap(), None);
    fixture::all_reported(&db, &config, "2011-08", "2011-09-20T01:00:00Z").await;
    assert_eq!(beginning(&mut db.pool().acquire().await.unwrap()).await.unwrap(), Some(at("2011-09-20T01:00:00Z")));
    let before = view(&db, &config.campaign, at("2011-09-20T00:59:59Z")).await.unwrap();
    assert!(said(&before).await.is_empty());
    let after = view(&db, &config.campaign, at("2011-09-20T01:00:00Z")).await.unwrap();
    assert_eq!(said(&after).await, said(&db).await);
}

/// A table that came after this was written has to be given its place: of the past, or without one.
#[tokio::test]
async fn every_table_of_the_ledger_has_its_place_in_a_view() {
    const NO_PAST: [&str; 12] = [
        "seal",
        "basis",
        "state",
        "sighting",
        "cursor",
        "unfetched",
        "outbox",
        "bounce",
        "correspondent",
        "balance",
        "stored_files",
        "passed_over",
    ];
    let (_dir, db) = fixture::ledger().await;
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlx%'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(db.pool()).await.unwrap();
    let placed: BTreeSet<&str> = BASE.iter().chain(DERIVED).map(|(table, _)| *table).chain(NO_PAST).collect();
    let placed: BTreeSet<&str> = placed.into_iter().chain(["message", "submission", "alarm"]).collect();
    assert_eq!(tables.iter().map(String::as_str).collect::<BTreeSet<_>>(), placed);
}

/// What is kept of a row is all of it.
#[tokio::test]
async fn the_tables_of_the_past_have_the_columns_of_the_present() {
    let (_dir, db) = fixture::ledger().await;
    let mut conn = db.pool().acquire().await.unwrap();
    for (now, then, more) in [
        ("submission", "past_submission", &["until"][..]),
        ("line", "past_line", &[]),
        ("finding", "past_finding", &["known_at", "until"]),
    ] {
        let mut expected: BTreeSet<String> = columns(&mut conn, now).await.unwrap().into_iter().collect();
        expected.extend(more.iter().map(|column| (*column).to_owned()));
        assert_eq!(columns(&mut conn, then).await.unwrap().into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
