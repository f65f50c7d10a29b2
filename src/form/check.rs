//! The rules over what was read: the form's arithmetic and conditions, its dates, codes and repeated rows. Pure.
//!
//! A value that could not be read has its finding already; rules are silent about what they cannot see.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::code;
use super::definition::{BookColumns, ColumnKind, Form, FormKind};
use super::expect;
use super::finding::{Finding, Place, Severity};
use super::name::organisation_key;
use super::reading::Return;
use super::record::Record;
use crate::period::Period;

/// Checks one return, `form` being its form. `received` is the day it came, in the configured zone.
///
/// An error with a row withholds that row (book) or the return (figures); see [`Faults`].
pub fn check(ret: &Return, form: &Form, period: Period, received: NaiveDate) -> Vec<Finding> {
    let mut findings = Vec::new();
    let told = Told::of(ret);
    for record in &ret.records {
        let row = Row { ret, form, record };
        row.sums(&mut findings);
        row.at_most(&mut findings);
        row.cumulative(&mut findings);
        row.rates(&mut findings);
        row.dates(period, received, &mut findings);
        if let Some(book) = &form.book {
            row.code(book, &mut findings);
        }
        findings.extend(expect::breaches(&row, &told));
    }
    if form.kind == FormKind::Book {
        findings.extend(twice(ret, form));
    }
    findings
}

/// Cells that have a finding of the reader, by sheet and A1.
pub(super) struct Told<'a>(HashSet<(&'a str, &'a str)>);

impl<'a> Told<'a> {
    fn of(ret: &'a Return) -> Self {
        let cell = |f: &'a Finding| Some((f.place.sheet.as_deref()?, f.place.cell.as_deref()?));
        Self(ret.findings.iter().filter_map(cell).collect())
    }

    pub fn holds(&self, record: &Record, key: &str) -> bool {
        record.cells.get(key).is_some_and(|cell| self.0.contains(&(record.sheet.as_str(), cell.as_str())))
    }
}

/// Where a return's errors are, so that each of its records can be asked about at once.
pub struct Faults<'a> {
    cells: HashSet<(&'a str, &'a str)>,
    rows: HashSet<(&'a str, u32)>,
    /// An error with neither cell nor row concerns the whole return.
    whole: bool,
    any: bool,
}

impl<'a> Faults<'a> {
    pub fn of(findings: &'a [Finding]) -> Self {
        let mut faults = Self { cells: HashSet::new(), rows: HashSet::new(), whole: false, any: false };
        for f in findings.iter().filter(|f| f.is_error()) {
            faults.any = true;
            let sheet = f.place.sheet.as_deref().unwrap_or_default();
            match (&f.place.cell, f.place.row) {
                (Some(cell), _) => drop(faults.cells.insert((sheet, cell.as_str()))),
                (None, Some(row)) => drop(faults.rows.insert((sheet, row))),
                (None, None) => faults.whole = true,
            }
        }
        faults
    }

    /// Whether an error keeps this record out of the ledger.
    pub fn withhold(&self, record: &Record) -> bool {
        let sheet = record.sheet.as_str();
        // On a card the cells of one record stand in many rows.
        self.rows.contains(&(sheet, record.row))
            || record.cells.values().any(|cell| self.cells.contains(&(sheet, cell.as_str())))
    }

    /// Whether nothing of a return can be used: any error in figures; in a book an error that concerns it whole, or
    /// errors on every row.
    pub fn reject(&self, ret: &Return, form: &Form) -> bool {
        match form.kind {
            FormKind::Figures => self.any,
            FormKind::Book => self.whole || !ret.records.is_empty() && ret.records.iter().all(|r| self.withhold(r)),
        }
    }
}

/// One record with what is needed to speak about it.
pub(super) struct Row<'a> {
    pub ret: &'a Return,
    pub form: &'a Form,
    pub record: &'a Record,
}

impl Row<'_> {
    pub fn place(&self, key: &str) -> Place {
        Place {
            file: Some(self.ret.file.clone()),
            sheet: Some(self.record.sheet.clone()),
            cell: self.record.cells.get(key).cloned(),
            row: Some(self.record.row),
        }
    }

    pub fn finding(&self, rule: &str, severity: Severity, key: &str, message: String) -> Finding {
        Finding::new(rule, severity, self.place(key), message).about(key)
    }

    /// `第12行` or, of a book, `第12行“某公司”`
    pub fn subject(&self) -> String {
        let name = self.record.text(&self.form.identity).filter(|_| self.form.kind == FormKind::Book);
        name.map_or_else(|| format!("第{}行", self.record.row), |n| format!("第{}行“{n}”", self.record.row))
    }

    /// `“党员总数”（F5）27`, or `“党员总数”（F5）27（原填“二十七”）`
    pub fn figure(&self, key: &str) -> String {
        let value = self.record.int(key).map(|n| n.to_string()).unwrap_or_default();
        format!("“{}”{}{value}{}", self.form.label(key), self.cell(key), self.record.as_written(key))
    }

    fn sums(&self, findings: &mut Vec<Finding>) {
        for sum in &self.form.sums {
            let Some(whole) = self.record.int(&sum.whole) else { continue };
            let known: Vec<(&String, i64)> =
                sum.parts.iter().filter_map(|p| self.record.int(p).map(|n| (p, n))).collect();
            let total: i64 = known.iter().map(|(_, n)| n).sum();
            let complete = known.len() == sum.parts.len();
            // Where a part is blank, the others alone can still be too many.
            if complete && total != whole || total > whole {
                let named: Vec<String> = known.iter().map(|(p, _)| self.figure(p)).collect();
                let parts =
                    if named.len() > 1 { format!("{}之和{total}", named.join("、")) } else { named.concat() };
                let (subject, whole) = (self.subject(), self.figure(&sum.whole));
                let message = if complete {
                    format!("{subject}{whole}与{parts}不相等，请核对。")
                } else {
                    format!("{subject}{parts}大于{whole}，请核对。")
                };
                findings.push(self.finding(&sum.rule, sum.severity, &sum.whole, message));
            }
        }
    }

    fn at_most(&self, findings: &mut Vec<Finding>) {
        for bound in &self.form.at_most {
            for part in &bound.parts {
                self.bounded(part, &bound.whole, (&bound.rule, bound.severity), findings);
            }
        }
    }

    fn cumulative(&self, findings: &mut Vec<Finding>) {
        for pair in &self.form.cumulative {
            self.bounded(&pair.month, &pair.total, (&pair.exceeds, Severity::Error), findings);
        }
    }

    fn bounded(&self, part: &str, whole: &str, rule: (&str, Severity), findings: &mut Vec<Finding>) {
        if let (Some(n), Some(most)) = (self.record.int(part), self.record.int(whole))
            && n > most
        {
            let message = format!("{}{}大于{}，请核对。", self.subject(), self.figure(part), self.figure(whole));
            findings.push(self.finding(rule.0, rule.1, part, message));
        }
    }

    fn rates(&self, findings: &mut Vec<Finding>) {
        for rate in &self.form.rates {
            let Some(given) = self.record.get(&rate.rate).rate() else { continue };
            let head = format!("{}“{}”{}", self.subject(), self.form.label(&rate.rate), self.cell(&rate.rate));
            let written = self.record.as_written(&rate.rate);
            if given > 100.0 + 1e-9 {
                let message = format!("{head}为{}%{written}，超过了100%，请改正。", percent(given));
                findings.push(self.finding(&rate.rule, Severity::Error, &rate.rate, message));
                continue;
            }
            let (Some(part), Some(whole)) = (self.record.int(&rate.part), self.record.int(&rate.whole)) else {
                continue;
            };
            if whole == 0 {
                continue;
            }
            let expected = part as f64 * 100.0 / whole as f64;
            if (given - expected).abs() > 0.1 + 1e-6 {
                let message = format!(
                    "{head}为{}%{written}，按{part}÷{whole}应为{}%，请核对。",
                    percent(given),
                    percent(expected)
                );
                findings.push(self.finding(&rate.rule, rate.severity, &rate.rate, message));
            }
        }
    }

    /// `（F5）`
    pub fn cell(&self, key: &str) -> String {
        self.record.cells.get(key).map(|c| format!("（{c}）")).unwrap_or_default()
    }

    /// R10: a date that is still to come, lies after the period, or before there could be one.
    fn dates(&self, period: Period, received: NaiveDate, findings: &mut Vec<Finding>) {
        for column in self.form.columns.iter().filter(|c| c.kind == ColumnKind::Date) {
            let Some(text) = self.record.text(&column.key) else { continue };
            // Of a month only its first day is sure.
            let first = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
            let Ok(date) = first.parse::<NaiveDate>() else { continue };
            let what = if date > received {
                "是以后的日期"
            } else if date > period.last_day() {
                "晚于本期"
            } else if column.earliest.is_some_and(|e| date < e) {
                "过早"
            } else {
                continue;
            };
            let message = format!(
                "{}“{}”{}为{text}{}，{what}，请核对。",
                self.subject(),
                column.label(),
                self.cell(&column.key),
                self.record.as_written(&column.key)
            );
            findings.push(self.finding("R10", Severity::Warning, &column.key, message));
        }
    }

    fn code(&self, book: &BookColumns, findings: &mut Vec<Finding>) {
        let Some((key, text)) = book.code.as_ref().and_then(|key| Some((key, self.record.text(key)?))) else { return };
        if let Some(standard) = code::fails(text) {
            let message = format!("{}{standard}“{text}”{}校验位不对，请核对是否抄错。", self.subject(), self.cell(key));
            findings.push(self.finding("R04", Severity::Warning, key, message));
        }
    }
}

fn percent(rate: f64) -> String {
    let text = format!("{rate:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// R03: the later of two rows about the same organisation: the same code where both have one, else the same name.
fn twice(ret: &Return, form: &Form) -> Vec<Finding> {
    let mut by_code: HashMap<String, usize> = HashMap::new();
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    let mut findings = Vec::new();
    let code_of = |r: &Record| r.text(form.book.as_ref()?.code.as_ref()?).map(code::subject).filter(|c| !c.is_empty());
    for (i, record) in ret.records.iter().enumerate() {
        let code = code_of(record);
        let name = record.text(&form.identity).map(organisation_key);
        let same_code = code.as_ref().and_then(|c| by_code.get(c)).copied();
        let same_name = name
            .as_ref()
            .and_then(|n| by_name.get(n))
            .and_then(|rows| rows.iter().copied().find(|r| code.is_none() || code_of(&ret.records[*r]).is_none()));
        if let Some(first) = same_code.or(same_name) {
            let row = Row { ret, form, record };
            let earlier = &ret.records[first];
            let place =
                if earlier.sheet == record.sheet { String::new() } else { format!("工作表“{}”", earlier.sheet) };
            let (subject, cell) = (row.subject(), row.cell(&form.identity));
            let other = earlier.text(&form.identity).filter(|other| Some(organisation_key(other)) != name);
            let message = match other {
                // Who is who cannot be told: one of the codes is wrong, or one of the names.
                Some(other) if same_code.is_some() => format!(
                    "{subject}{cell}与{place}第{}行“{other}”填了同一个代码（{}），同一代码两个名称：是两家的请改正代码，是同一家的请删去一行。",
                    earlier.row,
                    form.book.as_ref().and_then(|book| record.text(book.code.as_ref()?)).unwrap_or_default()
                ),
                _ => format!("{subject}{cell}与{place}第{}行重复，请删去一行。", earlier.row),
            };
            findings.push(row.finding("R03", Severity::Error, &form.identity, message));
            continue;
        }
        if let Some(code) = code {
            by_code.entry(code).or_insert(i);
        }
        if let Some(name) = name {
            by_name.entry(name).or_default().push(i);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::form::Campaign;
    use crate::form::record::Datum;

    fn record(row: u32, values: &[(&str, Datum)]) -> Record {
        let cells =
            |(i, (k, _)): (usize, &(&str, Datum))| ((*k).to_owned(), format!("{}{row}", (b'A' + i as u8) as char));
        Record {
            sheet: "台账".into(),
            row,
            values: values.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            cells: values.iter().enumerate().map(cells).collect::<BTreeMap<_, _>>(),
            ..Record::default()
        }
    }

    fn text(t: &str) -> Datum {
        Datum::Text(t.into())
    }

    fn check_all(form: &str, records: Vec<Record>) -> Vec<Finding> {
        let ret = Return { records, ..Return::default() };
        let received = NaiveDate::from_ymd_opt(2011, 9, 20).unwrap();
        check(&ret, Campaign::builtin().form(form).unwrap(), "2011-08".parse().unwrap(), received)
    }

    fn rules(form: &str, values: &[(&str, Datum)]) -> Vec<String> {
        check_all(form, vec![record(5, values)]).into_iter().map(|f| f.rule).collect()
    }

    /// An organisation about which there is nothing to say, with something changed.
    fn entry(changes: &[(&'static str, Datum)]) -> Vec<(&'static str, Datum)> {
        let mut values = vec![
            ("name", text("远山科技有限公司")),
            ("members", Datum::Int(3)),
            ("members_full", Datum::Int(3)),
            ("party_org_kind", text("单独组建")),
            ("union", Datum::Bool(true)),
            ("youth_league", Datum::Null),
            ("womens_fed", Datum::Null),
            ("instructor", Datum::Null),
            ("status", text("正常")),
        ];
        for (key, value) in changes {
            values.retain(|(k, _)| k != key);
            values.push((key, value.clone()));
        }
        values
    }

    #[test]
    fn parts_add_up_and_stay_below_their_whole() {
        let sums = |members: i64, moved: i64, rest: i64| {
            rules(
                "progress",
                &[
                    ("members", Datum::Int(members)),
                    ("members_transferred", Datum::Int(moved)),
                    ("members_untransferred", Datum::Int(rest)),
                ],
            )
        };
        assert!(sums(5, 3, 2).is_empty());
        assert_eq!(sums(5, 3, 1), ["P03"]);
        assert_eq!(rules("progress", &[("orgs", Datum::Int(3)), ("orgs_large", Datum::Int(4))]), ["P03"]);
        assert_eq!(rules("progress", &[("recruits_month", Datum::Int(3)), ("recruits_total", Datum::Int(2))]), ["P03"]);
        assert!(rules("progress", &[("recruits_month", Datum::Int(3)), ("recruits_total", Datum::Null)]).is_empty());
        let found = check_all("progress", vec![record(6, &[("orgs", Datum::Int(3)), ("orgs_large", Datum::Int(4))])]);
        assert_eq!(found[0].message, "第6行“其中：规模以上”（B6）4大于“组织总数”（A6）3，请核对。");
    }

    #[test]
    fn a_rate_may_differ_by_a_tenth_of_a_point() {
        let rate = |given: f64| {
            let found = check_all(
                "progress",
                vec![record(
                    5,
                    &[("orgs", Datum::Int(48)), ("orgs_covered", Datum::Int(17)), ("org_coverage", Datum::Rate(given))],
                )],
            );
            found.iter().map(|f| (f.rule.clone(), f.severity)).collect::<Vec<_>>()
        };
        assert!(rate(35.4).is_empty() && rate(35.42).is_empty());
        assert_eq!(rate(35.0), [("P04".to_owned(), Severity::Warning)]);
        assert_eq!(rate(135.4), [("P04".to_owned(), Severity::Error)]);
    }

    #[test]
    fn the_campaign_asks_for_founding_by_the_number_of_full_members() {
        let kind = |full: i64, kind: &str| {
            rules("register", &entry(&[("members_full", Datum::Int(full)), ("party_org_kind", text(kind))]))
        };
        assert!(kind(3, "单独组建").is_empty() && kind(2, "单独组建").is_empty() && kind(1, "联合组建").is_empty());
        assert_eq!(kind(3, "联合组建"), ["R06"]);
        assert_eq!(kind(2, "未建"), ["R07"]);
        assert_eq!(kind(1, "单独组建"), ["R07"]);
        assert!(kind(0, "未建").is_empty());
    }

    #[test]
    fn nobody_at_all_is_told_only_where_all_columns_are_there() {
        let none = [("members", Datum::Int(0)), ("members_full", Datum::Int(0)), ("party_org_kind", text("未建"))];
        let mut lonely = entry(&none);
        lonely.retain(|(k, _)| *k != "union");
        assert!(rules("register", &lonely).is_empty(), "there is no column for the union");
        lonely.push(("union", Datum::Bool(false)));
        assert_eq!(rules("register", &lonely), ["R08"]);
        lonely.retain(|(k, _)| *k != "instructor");
        lonely.push(("instructor", text("甲某")));
        assert!(rules("register", &lonely).is_empty());
    }

    #[test]
    fn a_closed_organisation_needs_reason_and_date_and_is_spared_the_rest() {
        let closed = |reason: Datum, on: Datum| {
            let changes = [
                ("status", text("销户")),
                ("party_org_kind", text("未建")),
                ("closed_reason", reason),
                ("closed_on", on),
            ];
            rules("register", &entry(&changes))
        };
        assert!(closed(text("注销"), text("2011-08-03")).is_empty());
        assert_eq!(closed(text("注销"), Datum::Null), ["R09"]);
        assert_eq!(closed(Datum::Null, Datum::Null), ["R09"]);
        let open = check_all("register", vec![record(5, &entry(&[("closed_on", text("2011-08-03"))]))]);
        assert_eq!((open.len(), open[0].rule.as_str(), open[0].severity), (1, "R09", Severity::Warning));
    }

    #[test]
    fn a_reason_for_closing_without_its_being_closed_is_told() {
        let reason = ("closed_reason", text("注销"));
        let on = ("closed_on", text("2011-08-03"));
        assert_eq!(rules("register", &entry(&[reason.clone(), on.clone()])), ["R09"]);
        let mut no_status = entry(&[on]);
        no_status.retain(|(key, _)| *key != "status");
        assert_eq!(rules("register", &no_status), ["R09"]);
        assert!(rules("register", &entry(&[("closed_reason", Datum::Null)])).is_empty());
    }

    #[test]
    fn dates_lie_in_the_past_of_the_period() {
        let founded = |date: &str| rules("register", &entry(&[("founded", text(date))]));
        assert!(founded("2011-08-31").is_empty() && founded("2011-08").is_empty() && founded("1999-10").is_empty());
        for date in ["2011-09-01", "2012-01-01", "2011-09", "1911-01-01"] {
            assert_eq!(founded(date), ["R10"], "{date}");
        }
    }

    #[test]
    fn members_of_a_book_add_up_too() {
        assert_eq!(rules("register", &entry(&[("members", Datum::Int(2))])), ["R05"]);
        let moved = [("members_transferred", Datum::Int(1)), ("members_untransferred", Datum::Int(1))];
        assert_eq!(rules("register", &entry(&moved)), ["R05"]);
        let alone = |n: i64| {
            let moved = [("members_transferred", Datum::Null), ("members_untransferred", Datum::Int(n))];
            check_all("register", vec![record(5, &entry(&moved))])
        };
        assert!(alone(3).is_empty() && alone(2).is_empty());
        let found = alone(4);
        assert_eq!((found.len(), found[0].rule.as_str()), (1, "R05"), "a part larger than its whole, the other blank");
        assert!(found[0].message.ends_with("4大于“党员总数”（B5）3，请核对。"), "{}", found[0].message);
    }

    #[test]
    fn the_later_row_of_two_about_one_organisation_is_the_error() {
        let row = |row: u32, name: &str, code: Datum| record(row, &entry(&[("name", text(name)), ("code", code)]));
        let found = |rows: Vec<Record>| {
            let twice = check_all("register", rows).into_iter().filter(|f| f.rule == "R03");
            twice.map(|f| f.place.row.unwrap()).collect::<Vec<_>>()
        };
        let (a, b) = (text("D2143569-X"), text("D2143569X"));
        assert_eq!(
            found(vec![row(5, "甲（北）有限公司", Datum::Null), row(6, "甲(北)有限责任公司", Datum::Null)]),
            [6]
        );
        assert_eq!(found(vec![row(5, "甲公司", a.clone()), row(6, "乙公司", b)]), [6]);
        assert_eq!(found(vec![row(5, "甲公司", a.clone()), row(6, "甲公司", Datum::Null)]), [6]);
        assert!(found(vec![row(5, "甲公司", a), row(6, "甲公司", text("110108000000016"))]).is_empty());
    }

    #[test]
    fn one_code_with_two_names_is_told_as_that_and_names_a_character_apart_are_two() {
        let row = |row: u32, name: &str, code: Datum| record(row, &entry(&[("name", text(name)), ("code", code)]));
        let code = || text("D2143569-X");
        let found = |rows| check_all("register", rows).into_iter().find(|f| f.rule == "R03").map(|f| f.message);
        assert_eq!(
            found(vec![row(5, "远山商行", code()), row(6, "白水商行", code())]).unwrap(),
            "第6行“白水商行”（I6）与第5行“远山商行”填了同一个代码（D2143569-X），同一代码两个名称：\
             是两家的请改正代码，是同一家的请删去一行。"
        );
        assert!(
            found(vec![row(5, "远山商行", code()), row(6, "远山商行", code())])
                .unwrap()
                .ends_with("重复，请删去一行。")
        );
        assert_eq!(found(vec![row(5, "远山商行", Datum::Null), row(6, "远川商行", Datum::Null)]), None);
    }

    #[test]
    fn an_error_withholds_its_own_row_only() {
        let rows =
            vec![record(5, &entry(&[("members", Datum::Int(2))])), record(6, &entry(&[("name", text("别的公司"))]))];
        let findings = check_all("register", rows.clone());
        assert_eq!(rows.iter().map(|r| Faults::of(&findings).withhold(r)).collect::<Vec<_>>(), [true, false]);
        let campaign = Campaign::builtin();
        let register = campaign.form("register").unwrap();
        let of = |records: &[Record]| Return { records: records.to_vec(), ..Return::default() };
        assert!(!Faults::of(&findings).reject(&of(&rows), register));
        assert!(Faults::of(&findings).reject(&of(&rows[..1]), register));
        assert!(Faults::of(&findings).reject(&of(&rows), campaign.form("progress").unwrap()));
        let whole = [Finding::new("P01", Severity::Error, Place::default(), "缺列")];
        assert!(Faults::of(&whole).reject(&of(&rows), register) && !Faults::of(&[]).reject(&of(&[]), register));
    }
}
