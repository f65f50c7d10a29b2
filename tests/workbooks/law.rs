//! The law of this program: whatever the layout and the format, the rows that were known come back, or a finding says
//! of every cell that differs that it does. And most files come back whole, so that a finding is no way out.

use std::cell::Cell;
use std::path::Path;
use std::sync::LazyLock;

use chrono::NaiveDate;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use taizhang::form::extract;
use taizhang::form::reading::{Reading, Return};
use taizhang::form::{Campaign, Datum, Finding, Record};
use taizhang::message::attachment::sniff;
use taizhang::message::{Attachment, Kind, archive};
use taizhang::workbook::{Limits, read_as};

use crate::formats::{separated, zip};
use crate::known::{Known, Row};
use crate::layout::{Case, Layout, case};
use crate::render::{columns, pages};

/// Files that one run tries; more with `TAIZHANG_CASES`, others with `TAIZHANG_SEED`.
const CASES: u32 = 250;
/// Of a hundred files so many must come back whole.
const FLOOR: f64 = 97.0;

static CAMPAIGN: LazyLock<Campaign> = LazyLock::new(Campaign::builtin);

pub fn received() -> NaiveDate {
    NaiveDate::from_ymd_opt(2011, 9, 20).expect("a day")
}

/// Opens a file as a mail's attachment is opened.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<Reading>, String> {
    let limits = archive::Limits { bytes: 100 << 20, members: 100, depth: 3 };
    let file = Attachment { name: name.to_owned(), kind: sniff(bytes, name), bytes: bytes.to_vec() };
    let files = match file.kind {
        Kind::Archive => archive::unpack(&file, &limits).map_err(|e| e.to_string())?,
        _ => vec![file],
    };
    let limits = Limits { bytes: 30 << 20, cells: 5_000_000 };
    files
        .iter()
        .map(|file| {
            let book = read_as(file.kind, &file.bytes, &limits).map_err(|e| e.to_string())?;
            Ok(extract::read(&book, &CAMPAIGN, &file.name, received()))
        })
        .collect()
}

impl Case {
    /// The file and its name.
    fn file(&self) -> (String, Vec<u8>) {
        let bytes = self.format.write(&pages(self));
        let ending = match (self.misnamed, self.format.extension()) {
            (false, own) => own,
            // A text file is known by its name alone; some programs name it as a workbook.
            (true, "csv" | "xlsx") => "xls",
            (true, _) => "xlsx",
        };
        let name = format!("棠梨8月报表.{ending}");
        match self.packed {
            0 => (name, bytes),
            1 => ("报表.zip".to_owned(), zip::plain(&[(&name, &bytes)])),
            _ => ("报表.zip".to_owned(), zip::gbk(&[(&name, &bytes)])),
        }
    }
}

/// What came of one known form.
#[derive(Debug, PartialEq)]
enum Outcome {
    Whole,
    /// Not everything was read, and a finding says what.
    Told(String),
    Wrong(String),
}

fn outcome(case: &Case) -> Outcome {
    let (name, bytes) = case.file();
    let readings = match read(&name, &bytes) {
        Ok(readings) => readings,
        Err(refusal) => return Outcome::Told(format!("refused: {refusal}")),
    };
    let returns: Vec<&Return> = readings.iter().flat_map(|r| &r.returns).collect();
    if returns.len() > case.tables.len() {
        return Outcome::Wrong(format!("{} forms were read of {}", returns.len(), case.tables.len()));
    }
    let mut told = None;
    for (known, layout) in &case.tables {
        let Some(ret) = returns.iter().find(|r| r.form == known.form.key()) else {
            told = Some(format!("no {} was found", known.form.key()));
            continue;
        };
        match compare(known, layout, ret) {
            Outcome::Whole => {}
            Outcome::Told(what) => told = Some(what),
            wrong => return wrong,
        }
    }
    told.map_or(Outcome::Whole, Outcome::Told)
}

fn compare(known: &Known, layout: &Layout, ret: &Return) -> Outcome {
    if !ret.doubts.is_empty() {
        return Outcome::Told(format!("a person is asked: {:?}", ret.doubts[0].message));
    }
    let whole = |f: &Finding| f.is_error() && f.place.row.is_none() && f.place.cell.is_none();
    if let Some(finding) = ret.findings.iter().find(|f| whole(f)) {
        return Outcome::Told(finding.message.clone());
    }
    let mut told = None;
    let mut records: Vec<&Record> = ret.records.iter().collect();
    // A line that is no row, read as one: no harm if an error keeps it out.
    let faulty = |r: &Record| ret.findings.iter().any(|f| f.is_error() && f.place.row == Some(r.row));
    if records.len() > known.rows.len() {
        records.retain(|r| !faulty(r));
        told = Some("a line that is no row was read as one".to_owned());
    }
    if records.len() != known.rows.len() {
        let names: Vec<_> = ret.records.iter().map(|r| (r.row, r.text("name"))).collect();
        return Outcome::Wrong(format!("{} rows were read of {}: {names:?}", ret.records.len(), known.rows.len()));
    }
    let columns: Vec<&str> = columns(known.form, layout).map(|(_, c)| c.key).filter(|key| *key != "seq").collect();
    for (row, record) in known.rows.iter().zip(records) {
        for key in &columns {
            let Some(difference) = difference(key, row, record) else { continue };
            match ret.findings.iter().find(|f| explains(f, key, record)) {
                Some(finding) => told = Some(finding.message.clone()),
                None => return Outcome::Wrong(difference),
            }
        }
        if let Some(key) = record.values.keys().find(|key| *key != "seq" && !columns.contains(&key.as_str())) {
            return Outcome::Wrong(format!("{key} was never written"));
        }
    }
    let told =
        told.or_else(|| ret.findings.iter().find(|f| f.is_error()).map(|f| format!("needlessly: {}", f.message)));
    told.map_or(Outcome::Whole, Outcome::Told)
}

/// In words, if the record does not say what the row says.
fn difference(key: &str, row: &Row, record: &Record) -> Option<String> {
    let (read, value) = (record.values.get(key), &row[key]);
    let same = match (read, value) {
        (Some(Datum::Rate(a)), Datum::Rate(b)) => (a - b).abs() < 1e-6,
        (read, value) => read == Some(value),
    };
    let place = record.cells.get(key);
    (!same).then(|| format!("{key} of row {} is {value:?}, read as {read:?} from {place:?}", record.row))
}

/// The finding is on that cell, or says that the column was not read. That a heading was read by resemblance explains
/// no wrong value.
fn explains(finding: &Finding, key: &str, record: &Record) -> bool {
    let about = finding.key.as_deref() == Some(key);
    let cell = finding.place.cell.is_some() && finding.place.cell.as_ref() == record.cells.get(key);
    about && (cell && finding.rule != "H01" || !record.values.contains_key(key))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The file that failed, as text; it is also kept to be opened.
fn kept(case: &Case) -> String {
    let (name, bytes) = case.file();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("a file");
    let sheets: Vec<String> = pages(case)
        .iter()
        .map(|p| format!("-- {} merged: {:?}\n{}", p.name, p.merges, separated::text(p, '|')))
        .collect();
    format!("{:?}, {}\n{}", case.format, path.display(), sheets.concat())
}

#[test]
fn whatever_the_layout_and_the_format_the_rows_come_back_or_a_finding_says_why_not() {
    let cases = number("TAIZHANG_CASES").map_or(CASES, |n| n as u32);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("TAIZHANG_SEED").unwrap_or(0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (whole, told) = (Cell::new(0), Cell::new(0));
    let verdict = runner.run(&case(), |case| match outcome(&case) {
        Outcome::Whole => {
            whole.set(whole.get() + 1);
            Ok(())
        }
        Outcome::Told(what) => {
            told.set(told.get() + 1);
            eprintln!("{:?}: {what}", case.format);
            Ok(())
        }
        Outcome::Wrong(what) => Err(TestCaseError::fail(what)),
    });
    match verdict {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("{why}\n{}", kept(&case)),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
    let share = 100.0 * f64::from(whole.get()) / f64::from(whole.get() + told.get());
    println!("{} files came back whole, of {} a finding said why not: {share:.1} %", whole.get(), told.get());
    assert!(share >= FLOOR, "only {share:.1} % came back whole");
}
