//! Binary workbooks and compound files that cost more than they should.

use super::{Bad, bad, many};
use crate::formats::compound;
use crate::formats::xls::{EXCEL_95, EXCEL_97, bof, head, record};

pub fn all() -> Vec<Bad> {
    let mut list = sheets();
    list.extend(globals());
    list.extend(containers());
    list.into_iter().map(|(name, bytes)| bad(name, "xls", bytes)).collect()
}

const END: [u8; 4] = [0x0A, 0, 0, 0];

/// A workbook of one sheet: records of the globals, and of the sheet.
fn stream(globals: &[u8], sheet: &[u8]) -> Vec<u8> {
    let start = bof(EXCEL_97, 5);
    let name = [&[1, 1][..], "表".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>().as_slice()].concat();
    let at = start.len() + 4 + 6 + name.len() + globals.len() + END.len();
    let bound = record(0x85, &[&(at as u32).to_le_bytes()[..], &[0, 0], &name].concat());
    [&start, &bound[..], globals, &END, &bof(EXCEL_97, 0x10), sheet, &END].concat()
}

fn book(globals: &[u8], sheet: &[u8]) -> Vec<u8> {
    compound::file("Workbook", &stream(globals, sheet))
}

fn number(row: u32, column: u32, value: f64) -> Vec<u8> {
    record(0x203, &[&head((row, column), 0)[..], &value.to_le_bytes()].concat())
}

fn sheets() -> Vec<(&'static str, Vec<u8>)> {
    let of = |records: Vec<Vec<u8>>| book(&[], &records.concat());
    let words =
        |kind: u16, numbers: &[u16]| record(kind, &numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>());
    let merges: Vec<u16> = std::iter::once(1000).chain((0..1000).flat_map(|_| [0, 65_535, 0, 255])).collect();
    let formula = |tokens: &[u8]| {
        let head = [&head((0, 0), 0)[..], &[0; 14]].concat();
        record(0x06, &[&head[..], &(tokens.len() as u16).to_le_bytes(), tokens].concat())
    };
    vec![
        ("far cell", of(vec![number(0, 0, 1.0), number(65_535, 255, 1.0)])),
        ("far cells on the way", of((0..60).map(|n| number(n * 1000, n * 4, 1.0)).collect())),
        ("dimensions of everything", of(vec![record(0x200, &[0xFF; 14]), number(0, 0, 1.0)])),
        ("merges of everything", of((0..200).map(|_| words(0xE5, &merges)).collect())),
        ("merges that are not there", of(vec![words(0xE5, &[60_000, 0, 1, 0, 1])])),
        ("multiple numbers backwards", of(vec![words(0xBD, &[0, 200, 0, 0, 0, 3])])),
        ("multiple numbers of one byte", of(vec![record(0xBD, &[0])])),
        ("cells cut short", of((0..8).map(|n| record(0x203, &vec![0; n])).collect())),
        (
            "dates beyond time",
            of([1e308, -1e300, f64::NAN, f64::INFINITY, -1.0]
                .iter()
                .enumerate()
                .map(|(n, v)| number(n as u32, 0, *v))
                .collect()),
        ),
        ("a formula that is itself", of(vec![formula(&[0x01, 0, 0, 0, 0]), record(0x4BC, &[0; 10])])),
        ("a formula of brackets", of(vec![formula(&[&[0x1E, 1, 0][..], &[0x15; 8000]].concat())])),
        ("a formula of operations", of(vec![formula(&[0x03; 8000])])),
        (
            "a formula longer than its record",
            of(vec![record(0x06, &[&head((0, 0), 0)[..], &[0; 14], &[0xFF, 0xFF]].concat())]),
        ),
        ("formulas without end", of((0..20_000).map(|_| formula(&[0x44, 0, 0, 0, 0])).collect())),
        ("rows hidden without end", of((0..30_000).map(|n| words(0x208, &[n, 0, 256, 0, 0, 0, 0x20, 0])).collect())),
        ("sheets in sheets", of((0..30_000).map(|_| bof(EXCEL_97, 0x20)).collect())),
        ("records of nothing", of(vec![END[2..].repeat(many(500_000))])),
    ]
}

fn globals() -> Vec<(&'static str, Vec<u8>)> {
    let cell = |string: u32| record(0xFD, &[&head((0, 0), 0)[..], &string.to_le_bytes()].concat());
    let sst =
        |counts: [u32; 2], rest: &[u8]| record(0xFC, &[&counts.map(u32::to_le_bytes).concat()[..], rest].concat());
    let text = |length: usize| {
        let long = [&(length as u16).to_le_bytes()[..], &[0], &vec![b'a'; 8000]].concat();
        let mut out = sst([1, 1], &long);
        (0..length.saturating_sub(8000) / 8000)
            .for_each(|_| out.extend(record(0x3C, &[&[0][..], &vec![b'a'; 8000]].concat())));
        out
    };
    let cells =
        |n: u32| (0..n).flat_map(|n| record(0xFD, &[&head((n, 0), 0)[..], &[0; 4]].concat())).collect::<Vec<u8>>();
    let bounds: Vec<u8> = (0..30_000).flat_map(|_| record(0x85, &[0, 0, 0, 0, 0, 0, 1, 0, b'a'])).collect();
    let names: Vec<u8> = (0..30_000)
        .flat_map(|n: u32| {
            record(0x18, &[&[0, 0, 0, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &n.to_le_bytes(), &[0; 8]].concat())
        })
        .collect();
    vec![
        ("strings claimed", book(&sst([u32::MAX, u32::MAX], &[1, 0, 0, b'a']), &cell(0))),
        ("a string that is not there", book(&sst([1, 1], &[1, 0, 0, b'a']), &cell(70_000))),
        ("a string longer than the file", book(&sst([1, 1], &[0xFF, 0xFF, 1, b'a']), &cell(0))),
        (
            "a string with runs and more",
            book(&sst([1, 1], &[1, 0, 0x0C, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, b'a']), &cell(0)),
        ),
        ("one string in many cells", book(&text(64_000), &cells(60_000))),
        (
            "strings going on without end",
            book(&[sst([1, 1], &[1]), record(0x3C, &[]).repeat(many(100_000))].concat(), &[]),
        ),
        ("thirty thousand sheets that are the workbook", book(&bounds, &[])),
        ("names without end", book(&names, &[])),
        ("names cut short", book(&record(0x18, &[0; 5]), &[])),
        ("references cut short", book(&record(0x17, &[0xFF, 0xFF, 0, 0]), &[])),
        (
            "a sheet beyond the end",
            compound::file(
                "Workbook",
                &[bof(EXCEL_97, 5), record(0x85, &[0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 1, 0, b'a']), END.to_vec()].concat(),
            ),
        ),
        ("nothing but its beginning", compound::file("Book", &bof(EXCEL_95, 5))),
        ("a password", book(&record(0x2F, &[1, 0, 1, 0, 1, 0]), &[])),
        ("a format of one byte", book(&record(0x41E, &[0]), &number(0, 0, 1.0))),
        ("styles cut short", book(&record(0xE0, &[0]), &number(0, 0, 1.0))),
    ]
}

/// The same file with numbers of its container changed.
fn containers() -> Vec<(&'static str, Vec<u8>)> {
    let whole = || compound::file("Workbook", &stream(&[], &number(0, 0, 1.0).repeat(2000)));
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole();
        let at = if at < 512 { at } else { at - 1024 + file.len() };
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let number = |n: u32| n.to_le_bytes();
    let file = whole();
    let sectors = file.len() / 512 - 1;
    let fat = file.len() - 512 * usize::from(file[44]);
    let with_fat = |entry: usize, value: u32| {
        let mut file = whole();
        file[fat + entry * 4..fat + entry * 4 + 4].copy_from_slice(&number(value));
        file
    };
    let directory = 512 + 512 * (sectors - usize::from(file[44]) - 1);
    let with_entry = |offset: usize, value: u32| {
        let mut file = whole();
        file[directory + offset..directory + offset + 4].copy_from_slice(&number(value));
        file
    };
    vec![
        ("a stream that goes in circles", with_fat(3, 0)),
        ("a stream that is its own end", with_fat(0, 0)),
        (
            "a directory that goes in circles",
            with_fat(sectors - usize::from(file[44]) - 1, sectors as u32 - u32::from(file[44]) - 1),
        ),
        ("an entry that is its own brother", with_entry(128 + 68, 1)),
        ("an entry that is its own child", with_entry(76, 0)),
        ("a stream of four gigabytes", with_entry(128 + 120, u32::MAX)),
        ("a stream that begins nowhere", with_entry(128 + 116, 0x00FF_FFFF)),
        ("sectors of four gigabytes", changed(30, &[32, 0])),
        ("sectors of one byte", changed(30, &[0, 0])),
        ("tables without end", changed(44, &number(u32::MAX))),
        ("a list of tables that goes in circles", changed(68, &[number(0), number(u32::MAX)].concat())),
        ("short sectors that go in circles", changed(60, &[number(0), number(u32::MAX)].concat())),
        ("a cutoff beyond the file", changed(56, &number(u32::MAX))),
        ("nothing but a container's beginning", whole()[..512].to_vec()),
    ]
}
