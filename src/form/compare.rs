//! The rules that look beyond one sheet: P05, P06 and P09 against the last accepted return, P07 against the unit's own
//! book. Pure; the ledger brings the other side.

use std::collections::BTreeSet;

use super::check::Row;
use super::definition::{ColumnKind, Form, Term};
use super::finding::{Finding, Severity};
use super::name::organisation_key;
use super::reading::Return;
use super::record::{Datum, Record, Values};

/// P05, P06, P09: one row of figures against the last accepted ones of the same unit, stream and form.
pub fn against(previous: &Values, ret: &Return, record: &Record, form: &Form) -> Vec<Finding> {
    let row = Row { ret, form, record };
    let mut findings = Vec::new();
    for pair in &form.cumulative {
        let before = previous.get(&pair.total).and_then(Datum::int);
        let (Some(before), Some(now)) = (before, record.int(&pair.total)) else { continue };
        if now < before {
            let message =
                format!("{}{}小于上次的{before}，累计数不应减少，请核对。", row.subject(), row.figure(&pair.total));
            findings.push(row.finding("P06", Severity::Warning, &pair.total, message));
        }
        if let Some(month) = record.int(&pair.month)
            && before + month != now
        {
            let message = format!(
                "{}{}不等于上次累计{before}加本次{}，应为{}，请核对。",
                row.subject(),
                row.figure(&pair.total),
                row.figure(&pair.month),
                before + month
            );
            findings.push(row.finding("P05", Severity::Warning, &pair.total, message));
        }
    }
    if is_repeated(previous, record, form) {
        let message = format!("{}所有数字都与上次完全相同，请确认是否误报了上月的表。", row.subject());
        let mut finding = Finding::new("P09", Severity::Warning, row.place(&form.identity), message);
        finding.place.cell = None;
        findings.push(finding);
    }
    findings
}

/// Every figure that both have is the same, and there are some that are not zero.
fn is_repeated(previous: &Values, record: &Record, form: &Form) -> bool {
    let counts = form.columns.iter().filter(|c| c.kind == ColumnKind::Count && !form.is_sequence(&c.key));
    let both: Vec<(i64, i64)> =
        counts.filter_map(|c| Some((previous.get(&c.key)?.int()?, record.int(&c.key)?))).collect();
    both.len() >= 5 && both.iter().all(|(a, b)| a == b) && both.iter().any(|(a, _)| *a != 0)
}

/// The unit's own book for the same period.
pub struct Book<'a> {
    pub form: &'a Form,
    /// Every row as it was sent, without those that are in it twice (R03): a row withheld for another reason still counts.
    pub records: &'a [&'a Record],
}

/// P07: one row of figures against the unit's own book.
pub fn against_book(ret: &Return, record: &Record, form: &Form, book: &Book<'_>) -> Vec<Finding> {
    let row = Row { ret, form, record };
    let mut findings = Vec::new();
    for figure in &form.book_figures {
        let Some(given) = record.int(&figure.figure) else { continue };
        let values: Option<Vec<i64>> = figure.terms.iter().map(|t| term(t, book)).collect();
        let Some(counted) = values.map(|v| v.iter().sum::<i64>()) else { continue };
        if given != counted {
            let source = describe(&figure.terms, book);
            let message = format!(
                "{}{}与台账不一致：台账{source}为{counted}，请核对两张表。",
                row.subject(),
                row.figure(&figure.figure)
            );
            findings.push(row.finding("P07", Severity::Warning, &figure.figure, message));
        }
    }
    findings
}

/// `None` where the book does not tell: a cell that is needed is blank, or the column absent.
fn term(term: &Term, book: &Book<'_>) -> Option<i64> {
    let closed = |r: &Record| book.form.book.as_ref().is_some_and(|b| r.text(&b.status) == Some(b.closed.as_str()));
    let active = book.records.iter().filter(|r| !closed(r));
    let mut rows = Vec::new();
    for record in active {
        match (&term.column, &term.value) {
            (Some(column), Some(value)) if record.text(column)? == value => rows.push(record),
            (Some(_), Some(_)) => {}
            _ => rows.push(record),
        }
    }
    if let Some(column) = &term.sum {
        return rows.iter().map(|r| r.int(column)).sum();
    }
    if let Some(column) = &term.distinct {
        let names: Option<BTreeSet<String>> = rows.iter().map(|r| r.text(column).map(organisation_key)).collect();
        return names.map(|n| n.len() as i64);
    }
    Some(rows.len() as i64)
}

/// `“党员总数”（I列）合计`, `未销户的行数`, `“组建形式”（N列）为“单独组建”的行数`
fn describe(terms: &[Term], book: &Book<'_>) -> String {
    let column = |key: &str| {
        let cell = book.records.iter().find_map(|r| r.cells.get(key));
        let letters = cell.map(|c| c.trim_end_matches(|d: char| d.is_ascii_digit()));
        let place = letters.map(|l| format!("（{l}列）")).unwrap_or_default();
        format!("“{}”{place}", book.form.label(key))
    };
    let one = |term: &Term| match (&term.column, &term.value, &term.sum, &term.distinct) {
        (_, _, Some(sum), _) => format!("{}合计", column(sum)),
        (Some(key), Some(value), None, Some(distinct)) => {
            format!("{}为“{value}”的不同{}数", column(key), column(distinct))
        }
        (Some(key), Some(value), None, None) => format!("{}为“{value}”的行数", column(key)),
        _ => "未销户的行数".to_owned(),
    };
    terms.iter().map(one).collect::<Vec<_>>().join("加")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    fn record(values: &[(&str, Datum)]) -> Record {
        Record {
            sheet: "表".into(),
            row: 5,
            values: values.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            cells: values
                .iter()
                .enumerate()
                .map(|(i, (k, _))| ((*k).to_owned(), format!("{}5", (b'A' + i as u8) as char)))
                .collect(),
            ..Record::default()
        }
    }

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.rule.as_str()).collect()
    }

    #[test]
    fn a_total_is_the_last_one_plus_the_month_and_never_falls() {
        let campaign = Campaign::builtin();
        let form = campaign.form("progress").unwrap();
        let before = record(&[("recruits_total", Datum::Int(4))]).values;
        let check = |month: i64, total: i64| {
            let now = record(&[("recruits_month", Datum::Int(month)), ("recruits_total", Datum::Int(total))]);
            against(&before, &Return::default(), &now, form)
        };
        assert!(check(2, 6).is_empty());
        assert_eq!(rules(&check(2, 7)), ["P05"]);
        assert_eq!(rules(&check(0, 3)), ["P06", "P05"]);
        assert_eq!(
            check(2, 7)[0].message,
            "第5行“新发展党员/累计”（B5）7不等于上次累计4加本次“新发展党员/上月”（A5）2，应为6，请核对。"
        );
    }

    #[test]
    fn the_same_figures_again_are_told() {
        let campaign = Campaign::builtin();
        let form = campaign.form("progress").unwrap();
        let figures = ["orgs", "members", "party_orgs", "orgs_covered", "venues"].map(|k| (k, Datum::Int(7)));
        let now = record(&figures);
        assert_eq!(rules(&against(&now.values, &Return::default(), &now, form)), ["P09"]);
        let mut other = now.clone();
        other.values.insert("venues".into(), Datum::Int(8));
        assert!(against(&now.values, &Return::default(), &other, form).is_empty());
    }

    #[test]
    fn figures_are_compared_with_the_active_rows_of_the_book() {
        let campaign = Campaign::builtin();
        let (progress, register) = (campaign.form("progress").unwrap(), campaign.form("register").unwrap());
        let row = |kind: &str, org: &str, status: &str, members: i64| {
            let text = |t: &str| Datum::Text(t.into());
            record(&[
                ("members", Datum::Int(members)),
                ("party_org_kind", text(kind)),
                ("party_org", text(org)),
                ("status", text(status)),
            ])
        };
        let rows = [
            row("单独组建", "甲支部", "正常", 3),
            row("联合组建", "联合支部", "正常", 1),
            row("联合组建", "联合 支部", "正常", 1),
            row("单独组建", "乙支部", "销户", 9),
        ];
        let records: Vec<&Record> = rows.iter().collect();
        let book = Book { form: register, records: &records };
        let given = |orgs: i64, members: i64, party_orgs: i64| {
            let now = record(&[
                ("orgs", Datum::Int(orgs)),
                ("members", Datum::Int(members)),
                ("party_orgs", Datum::Int(party_orgs)),
            ]);
            against_book(&Return::default(), &now, progress, &book)
        };
        assert!(given(3, 5, 2).is_empty());
        let found = given(4, 6, 3);
        assert_eq!(rules(&found), ["P07", "P07", "P07"]);
        assert_eq!(
            found[1].message,
            "第5行“党员总数”（B5）6与台账不一致：台账“党员总数”（A列）合计为5，请核对两张表。"
        );
    }

    #[test]
    fn a_book_that_does_not_tell_is_not_compared() {
        let campaign = Campaign::builtin();
        let (progress, register) = (campaign.form("progress").unwrap(), campaign.form("register").unwrap());
        let blank = record(&[("members", Datum::Null)]);
        let records = [&blank];
        let now = record(&[("members", Datum::Int(9)), ("party_orgs", Datum::Int(9))]);
        let book = Book { form: register, records: &records };
        assert!(against_book(&Return::default(), &now, progress, &book).is_empty());
    }
}
