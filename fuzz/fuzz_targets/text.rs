//! Separated values, pages and XML: the formats that are read by our own code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taizhang_fuzz::message::Kind;
use taizhang_fuzz::message::attachment::sniff;
use taizhang_fuzz::read;

fuzz_target!(|data: &[u8]| {
    match sniff(data, "报表.csv") {
        kind @ (Kind::Csv | Kind::Html | Kind::SpreadsheetMl) => read(kind, data),
        _ => [Kind::Csv, Kind::Html, Kind::SpreadsheetMl].into_iter().for_each(|kind| read(kind, data)),
    }
});
