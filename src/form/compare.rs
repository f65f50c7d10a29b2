//! One row of figures against the last accepted ones: P05, P06, P09. Pure; the ledger brings the other side.

use super::check::Row;
use super::definition::{ColumnKind, Form, Repeated};
use super::finding::{Finding, Severity};
use super::history::Earlier;
use super::reading::Return;
use super::record::{Datum, Record, Values};

/// P05, P06, P09: one row of figures against the last accepted ones of the same unit, stream and form.
pub fn against(last: &Earlier<'_>, ret: &Return, record: &Record, form: &Form) -> Vec<Finding> {
    let row = Row { ret, form, record };
    let previous = last.values;
    let mut findings = Vec::new();
    for pair in &form.cumulative {
        let before = previous.get(&pair.total).and_then(Datum::int);
        let (Some(before), Some(now)) = (before, record.int(&pair.total)) else { continue };
        if now < before {
            let message =
                format!("{}{}小于上次的{before}，累计数不应减少，请核对。", row.subject(), row.figure(&pair.total));
            findings.push(row.finding(&pair.falls, Severity::Warning, &pair.total, message));
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
            findings.push(row.finding(&pair.adds_up, Severity::Warning, &pair.total, message));
        }
    }
    if let Some(repeated) = form.repeated.as_ref().filter(|r| is_repeated(previous, record, form, r)) {
        let period = last.period.chinese();
        let message = format!("{}所有数字都与上次（{period}）完全相同，请确认是否误报了{period}的表。", row.subject());
        let mut finding = Finding::new(&repeated.rule, Severity::Warning, row.place(&form.identity), message);
        finding.place.cell = None;
        findings.push(finding);
    }
    findings
}

/// Every figure that both have is the same, and there are some that are not zero.
fn is_repeated(previous: &Values, record: &Record, form: &Form, repeated: &Repeated) -> bool {
    let counts = form.columns.iter().filter(|c| c.kind == ColumnKind::Count && !form.is_sequence(&c.key));
    let both: Vec<(i64, i64)> =
        counts.filter_map(|c| Some((previous.get(&c.key)?.int()?, record.int(&c.key)?))).collect();
    both.len() >= repeated.figures && both.iter().all(|(a, b)| a == b) && both.iter().any(|(a, _)| *a != 0)
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

    fn july(values: &Values) -> Earlier<'_> {
        Earlier { period: "2011-07".parse().unwrap(), values }
    }

    #[test]
    fn a_total_is_the_last_one_plus_the_month_and_never_falls() {
        let campaign = Campaign::builtin();
        let form = campaign.form("progress").unwrap();
        let before = record(&[("recruits_total", Datum::Int(4))]).values;
        let check = |month: i64, total: i64| {
            let now = record(&[("recruits_month", Datum::Int(month)), ("recruits_total", Datum::Int(total))]);
            against(&july(&before), &Return::default(), &now, form)
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
        let found = against(&july(&now.values), &Return::default(), &now, form);
        assert_eq!(rules(&found), ["P09"]);
        assert_eq!(found[0].message, "第5行所有数字都与上次（2011年7月）完全相同，请确认是否误报了2011年7月的表。");
        let mut other = now.clone();
        other.values.insert("venues".into(), Datum::Int(8));
        assert!(against(&july(&now.values), &Return::default(), &other, form).is_empty());
    }
}
