//! The pure part of the program, compiled alone so that it builds quickly with a fuzzer's instrumentation, and what
//! must hold of whatever it reads.

#[path = "../../src/form/mod.rs"]
pub mod form;
#[path = "../../src/message/mod.rs"]
pub mod message;
#[path = "../../src/period.rs"]
pub mod period;
#[path = "../../src/workbook/mod.rs"]
pub mod workbook;

pub mod packed;

use std::sync::LazyLock;

use chrono::NaiveDate;

use form::reading::{Reading, Return};
use form::{Campaign, Datum, Form, Record, check, extract};
use message::{Attachment, Kind, archive};
use workbook::{Limits, Workbook, read_as};

/// The forms as shipped.
pub static CAMPAIGN: LazyLock<Campaign> = LazyLock::new(Campaign::builtin);

/// Small, so that an input is slow only if something is wrong.
const CELLS: u64 = 100_000;
const BYTES: u64 = 4 << 20;

/// Opens an attachment, archives included, and reads what is in it.
pub fn open(name: &str, bytes: &[u8]) {
    let kind = message::attachment::sniff(bytes, name);
    let file = Attachment { name: name.to_owned(), kind, bytes: bytes.to_vec() };
    let limits = archive::Limits { bytes: BYTES, members: 100, depth: 3 };
    let files = if kind == Kind::Archive { archive::unpack(&file, &limits).unwrap_or_default() } else { vec![file] };
    for file in files {
        read(file.kind, &file.bytes);
    }
}

/// Reads a workbook of a known kind.
pub fn read(kind: Kind, bytes: &[u8]) {
    let Ok(book) = read_as(kind, bytes, &Limits { bytes: BYTES, cells: CELLS }) else { return };
    let cells: usize = book.sheets.iter().map(|s| s.cells.len()).sum();
    assert!(cells as u64 <= CELLS, "{cells} cells");
    recognise(&book);
}

/// Reads the forms in a workbook and checks what must hold of every reading.
pub fn recognise(book: &Workbook) -> Reading {
    let received = NaiveDate::from_ymd_opt(2011, 9, 20).expect("a day");
    let reading = extract::read(book, &CAMPAIGN, "报表.xls", received);
    for ret in &reading.returns {
        let form = CAMPAIGN.form(&ret.form).expect("a form of the campaign");
        for record in &ret.records {
            holds(ret, form, record);
        }
        check::check(ret, form, "2011-08".parse().expect("a period"), received);
    }
    reading
}

fn holds(ret: &Return, form: &Form, record: &Record) {
    for (key, value) in &record.values {
        let column = form.column(key).expect("a column of the form");
        let cell = record.cells.get(key).expect("every value has its cell");
        match value {
            Datum::Int(n) => assert!(*n >= 0 || form.is_sequence(key), "{key} is {n}"),
            Datum::Rate(rate) => assert!(rate.is_finite() && *rate >= 0.0, "{key} is {rate}"),
            Datum::Text(text) => assert!(!text.trim().is_empty(), "{key} is blank"),
            Datum::Bool(_) => {}
            Datum::Null if column.required => {
                let told = |f: &&form::Finding| f.place.cell.as_ref() == Some(cell) && f.key.as_ref() == Some(key);
                assert!(ret.findings.iter().any(|f| told(&f)), "{key} in {cell} is missing, and nobody is told");
            }
            Datum::Null => {}
        }
    }
}
