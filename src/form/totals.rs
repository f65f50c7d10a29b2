//! H06: a stated total that is not the sum of the rows it totals. Pure.
//!
//! Which rows those are is said by its name (小计: its own section; else all) and by the figures themselves: the reading
//! that agrees in most columns holds. Rates are not summed; a column with a cell that could not be read is left alone.

use std::collections::HashSet;

use super::definition::{ColumnKind, Form};
use super::finding::{Finding, Place, Severity};
use super::reading::{Return, Total};
use super::record::Record;

/// Columns of one row that get a finding each; more are told in one.
const EACH: usize = 3;
/// How a total of a section is called.
const SECTION: &str = "小计";

struct Difference<'a> {
    key: &'a str,
    cell: &'a str,
    stated: i64,
    sum: i64,
}

/// The findings about all totals of a return. They have a cell, but no row of the data.
pub fn check(ret: &Return, form: &Form) -> Vec<Finding> {
    if ret.totals.is_empty() || ret.records.is_empty() {
        return Vec::new();
    }
    let told = ret.findings.iter().filter(|f| f.severity != Severity::Info);
    let unsure: HashSet<(&str, &str)> =
        told.filter_map(|f| Some((f.place.sheet.as_deref()?, f.place.cell.as_deref()?))).collect();
    let mut findings = Vec::new();
    for total in &ret.totals {
        let ways: Vec<Vec<Difference<'_>>> =
            scopes(ret, form, total).iter().map(|rows| differences(form, total, rows, &unsure)).collect();
        // The first of the best: the order of the scopes decides between equals.
        if let Some(best) = ways.iter().min_by_key(|w| w.len()) {
            findings.extend(tell(ret, form, total, best));
        }
    }
    findings
}

/// The rows that a total may sum up, the likeliest first.
fn scopes<'r>(ret: &'r Return, form: &Form, total: &Total) -> Vec<Vec<&'r Record>> {
    let here = |r: &&Record| r.sheet == total.record.sheet;
    let row = total.record.row;
    let all: Vec<&Record> = ret.records.iter().collect();
    let above: Vec<&Record> = ret.records.iter().filter(|r| here(r) && r.row < row).collect();
    let others = || ret.totals.iter().map(|t| &t.record).filter(here).map(|r| r.row);
    let before = others().filter(|r| *r < row).max().unwrap_or(0);
    let after = others().filter(|r| *r > row).min().unwrap_or(u32::MAX);
    let section: Vec<&Record> = above.iter().filter(|r| r.row > before).copied().collect();
    let below: Vec<&Record> = ret.records.iter().filter(|r| here(r) && (row..after).contains(&r.row)).collect();
    let mut scopes = match total.label.contains(SECTION) {
        true => vec![section, below, above, all],
        false => vec![all, above, section, below],
    };
    scopes.retain(|rows| !rows.is_empty());
    if let Some(book) = &form.book {
        let open = |r: &&&Record| r.text(&book.status) != Some(book.closed.as_str());
        let active: Vec<Vec<&Record>> = scopes.iter().map(|rows| rows.iter().filter(open).copied().collect()).collect();
        scopes.extend(active);
    }
    scopes
}

fn differences<'a>(
    form: &'a Form,
    total: &'a Total,
    rows: &[&Record],
    unsure: &HashSet<(&str, &str)>,
) -> Vec<Difference<'a>> {
    let counts = form.columns.iter().filter(|c| c.kind == ColumnKind::Count && !form.is_sequence(&c.key));
    let difference = |key: &'a str| {
        let stated = total.record.int(key)?;
        // A dash in a total states nothing.
        if stated == 0 && total.record.raw.contains_key(key) {
            return None;
        }
        let sure =
            |r: &&Record| r.cells.get(key).is_none_or(|cell| !unsure.contains(&(r.sheet.as_str(), cell.as_str())));
        let sum: i64 = rows.iter().filter_map(|r| r.int(key)).fold(0, i64::saturating_add);
        let cell = total.record.cells.get(key)?;
        (stated != sum && rows.iter().all(sure)).then_some(Difference { key, cell, stated, sum })
    };
    counts.filter_map(|c| difference(&c.key)).collect()
}

fn tell(ret: &Return, form: &Form, total: &Total, differences: &[Difference<'_>]) -> Vec<Finding> {
    let label = if total.label.is_empty() { "合计" } else { &total.label };
    let place = |d: &Difference<'_>| Place {
        file: Some(ret.file.clone()),
        sheet: Some(total.record.sheet.clone()),
        cell: Some(d.cell.to_owned()),
        row: None,
    };
    let finding =
        |d: &Difference<'_>, message: String| Finding::new("H06", Severity::Warning, place(d), message).about(d.key);
    let named = |d: &Difference<'_>| format!("“{}”（{}）填的是{}", form.label(d.key), d.cell, d.stated);
    let row = total.record.row;
    match differences {
        [first, second, third, .., last] if differences.len() > EACH => {
            let few: Vec<String> =
                [first, second, third].iter().map(|d| format!("{}，各行之和为{}", named(d), d.sum)).collect();
            let message = format!(
                "第{row}行“{label}”有{}处与各行之和不符：{}……直到{}，请核对。",
                differences.len(),
                few.join("；"),
                last.cell
            );
            vec![finding(first, message)]
        }
        few => {
            let one = |d: &Difference<'_>| {
                finding(d, format!("第{row}行“{label}”{}，各行之和为{}，请核对。", named(d), d.sum))
            };
            few.iter().map(one).collect()
        }
    }
}
