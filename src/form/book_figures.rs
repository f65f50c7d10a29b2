//! One row of figures against the unit's own book of the same period, cell by cell: P07. Pure; the ledger brings both.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Row;
use super::definition::{BookFigure, Form, Term, Test};
use super::finding::{Finding, Severity};
use super::name::organisation_key;
use super::reading::Return;
use super::record::Record;

/// So many places are named one by one.
const NAMED: usize = 3;

/// The unit's own book for the same period.
pub struct Book<'a> {
    pub form: &'a Form,
    /// The file it came in.
    pub file: &'a str,
    /// Every row as it was sent, without those that are in it twice (R03): a row withheld for another reason still counts.
    pub records: &'a [&'a Record],
    /// Cells with an error, by sheet and A1: what they say decides nothing.
    pub wrong: &'a BTreeSet<(String, String)>,
}

impl Book<'_> {
    fn is_wrong(&self, record: &Record, key: &str) -> bool {
        let cell = record.cells.get(key);
        cell.is_some_and(|cell| self.wrong.contains(&(record.sheet.clone(), cell.clone())))
    }
}

/// What a term comes to, over which rows and cells.
struct Counted<'a> {
    value: i64,
    rows: Vec<&'a Record>,
    /// The column whose cells are named: what was added, else what was asked, else what was counted.
    key: &'a str,
}

/// P07: figures that the book gives otherwise, each with the cells on both sides.
pub fn against_book(ret: &Return, record: &Record, form: &Form, book: &Book<'_>) -> Vec<Finding> {
    let row = Row { ret, form, record };
    let differs = |figure: &BookFigure| {
        let given = record.int(&figure.figure)?;
        let terms: Vec<Counted<'_>> = figure.terms.iter().map(|t| counted(t, book)).collect::<Option<_>>()?;
        let sum = terms.iter().map(|t| t.value).fold(0, i64::saturating_add);
        if given == sum {
            return None;
        }
        let named: Vec<String> = figure.terms.iter().zip(&terms).map(|(t, c)| described(t, c, book)).collect();
        let of_it = if named.len() > 1 { format!("，合计{sum}") } else { String::new() };
        let message = format!(
            "{}{}与台账不一致：“{}”的{}{of_it}{}，请核对两张表。",
            row.subject(),
            row.figure(&figure.figure),
            book.file,
            named.join("，"),
            closed(figure, book, given),
        );
        let finding = row.finding(&figure.rule, Severity::Warning, &figure.figure, message);
        Some(finding.resting_on(format!("“{}”{given}，台账{sum}", form.label(&figure.figure))))
    };
    form.book_figures.iter().filter_map(differs).collect()
}

/// `None` where the book does not tell: a cell that is needed is blank, or the column absent.
fn counted<'a>(term: &'a Term, book: &'a Book<'_>) -> Option<Counted<'a>> {
    over(term, book.records.iter().copied().filter(|r| !book.form.is_closed(r)), book)
}

fn over<'a>(term: &'a Term, records: impl Iterator<Item = &'a Record>, book: &'a Book<'_>) -> Option<Counted<'a>> {
    let mut rows = Vec::new();
    for record in records {
        let mut all = true;
        for condition in &term.when {
            let told = !book.is_wrong(record, &condition.column);
            all &= condition.holds(record, false).filter(|_| told)?;
        }
        if all {
            rows.push(record);
        }
    }
    let (value, key) = match (&term.sum, &term.distinct) {
        (Some(key), _) => (rows.iter().try_fold(0, |sum: i64, r| Some(sum.saturating_add(r.int(key)?)))?, key),
        (None, Some(key)) => {
            let names: BTreeSet<String> =
                rows.iter().map(|r| r.text(key).map(organisation_key)).collect::<Option<_>>()?;
            (names.len() as i64, key)
        }
        (None, None) => (rows.len() as i64, &book.form.identity),
    };
    let asked = term.when.first().filter(|_| term.sum.is_none());
    let key = asked.map_or(key, |condition| &condition.column);
    Some(Counted { value, rows, key })
}

/// `工作表“台账”I5:I44“党员总数”合计27`, `工作表“台账”N5:N44“组建形式”为“单独组建”的共3行`
fn described(term: &Term, counted: &Counted<'_>, book: &Book<'_>) -> String {
    let label = |key: &str| format!("“{}”", book.form.label(key));
    let of: Vec<String> = term.when.iter().map(|c| format!("{}{}", label(&c.column), asked(&c.test))).collect();
    let of = of.join("、");
    let place = if counted.rows.is_empty() { String::new() } else { places(&counted.rows, counted.key) };
    let value = counted.value;
    match (&term.sum, &term.distinct) {
        (Some(key), _) if of.is_empty() => format!("{place}{}合计{value}", label(key)),
        (Some(key), _) => format!("{place}{of}的{}合计{value}", label(key)),
        (None, Some(key)) if of.is_empty() => format!("{place}不同的{}共{value}个", label(key)),
        (None, Some(key)) => format!("{place}{of}的不同{}共{value}个", label(key)),
        (None, None) if of.is_empty() => format!("{place}未销户的共{value}行"),
        (None, None) => format!("{place}{of}的共{value}行"),
    }
}

fn asked(test: &Test) -> String {
    match test {
        Test::Is(words) => format!("为“{}”", words.join("”或“")),
        Test::IsNot(words) => format!("不是“{}”", words.join("”或“")),
        Test::Within(Some(least), None) => format!("{least}及以上"),
        Test::Within(None, Some(most)) => format!("{most}及以下"),
        Test::Within(Some(least), Some(most)) if least == most => format!("为{least}"),
        Test::Within(least, most) => format!("{}至{}", least.unwrap_or_default(), most.unwrap_or_default()),
        Test::Blank(true) | Test::Yes(false) => "没有".to_owned(),
        Test::Blank(false) | Test::Yes(true) => "有".to_owned(),
    }
}

/// The cells of a column on one sheet.
struct Range<'a> {
    sheet: &'a str,
    letters: &'a str,
    first: u32,
    last: u32,
}

/// The cells of one column: a range for each sheet and column that they stand in, as `工作表“台账”I5:I44`.
fn places(rows: &[&Record], key: &str) -> String {
    let mut ranges: Vec<Range<'_>> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for record in rows {
        let Some(cell) = record.cells.get(key) else { continue };
        let (sheet, letters) = (record.sheet.as_str(), cell.trim_end_matches(|c: char| c.is_ascii_digit()));
        let Ok(at) = cell[letters.len()..].parse::<u32>() else { continue };
        let index = *known.entry((sheet, letters)).or_insert_with(|| {
            ranges.push(Range { sheet, letters, first: at, last: at });
            ranges.len() - 1
        });
        let range = &mut ranges[index];
        (range.first, range.last) = (range.first.min(at), range.last.max(at));
    }
    let named = ranges.iter().take(NAMED).map(|Range { sheet, letters, first, last }| match first == last {
        true => format!("工作表“{sheet}”{letters}{first}"),
        false => format!("工作表“{sheet}”{letters}{first}:{letters}{last}"),
    });
    let named = named.collect::<Vec<_>>().join("、");
    if ranges.len() > NAMED { format!("{named}等{}处", ranges.len()) } else { named }
}

/// Closed organisations that were counted on the other side, where they are few and exactly the difference.
fn closed(figure: &BookFigure, book: &Book<'_>, given: i64) -> String {
    let out: Vec<&Record> = book.records.iter().copied().filter(|r| book.form.is_closed(r)).collect();
    let with_all: Option<i64> =
        figure.terms.iter().map(|t| over(t, book.records.iter().copied(), book).map(|c| c.value)).sum();
    if out.is_empty() || out.len() > NAMED || with_all != Some(given) {
        return String::new();
    }
    let rows: Vec<String> = out.iter().map(|r| format!("第{}行", r.row)).collect();
    format!("（{}已销户，没有计入）", rows.join("、"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;
    use crate::form::record::Datum;

    fn record(row: u32, values: &[(&str, Datum)]) -> Record {
        let cell =
            |(i, (key, _)): (usize, &(&str, Datum))| ((*key).to_owned(), format!("{}{row}", (b'A' + i as u8) as char));
        Record {
            sheet: "表".into(),
            row,
            values: values.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            cells: values.iter().enumerate().map(cell).collect(),
            ..Record::default()
        }
    }

    fn text(t: &str) -> Datum {
        Datum::Text(t.into())
    }

    fn organisation(row: u32, kind: &str, org: &str, status: &str, members: i64) -> Record {
        let values = [
            ("name", text(&format!("第{row}家公司"))),
            ("members", Datum::Int(members)),
            ("members_full", Datum::Int(members)),
            ("party_org_kind", text(kind)),
            ("party_org", text(org)),
            ("status", text(status)),
        ];
        record(row, &values)
    }

    fn given(figures: &[(&str, i64)], rows: &[Record]) -> Vec<Finding> {
        given_with(figures, rows, &BTreeSet::new())
    }

    fn given_with(figures: &[(&str, i64)], rows: &[Record], wrong: &BTreeSet<(String, String)>) -> Vec<Finding> {
        let campaign = Campaign::builtin();
        let (progress, register) = (campaign.form("progress").unwrap(), campaign.form("register").unwrap());
        let records: Vec<&Record> = rows.iter().collect();
        let book = Book { form: register, file: "台账.xlsx", records: &records, wrong };
        let figures: Vec<(&str, Datum)> = figures.iter().map(|(key, n)| (*key, Datum::Int(*n))).collect();
        against_book(&Return::default(), &record(5, &figures), progress, &book)
    }

    fn rows() -> Vec<Record> {
        vec![
            organisation(5, "单独组建", "甲支部", "正常", 3),
            organisation(6, "联合组建", "联合支部", "正常", 1),
            organisation(7, "联合组建", "联合 支部", "正常", 1),
            organisation(9, "单独组建", "乙支部", "销户", 9),
        ]
    }

    #[test]
    fn figures_are_compared_with_the_active_rows_of_the_book() {
        let all = |orgs, members, party_orgs, large| {
            let figures = [("orgs", orgs), ("members", members), ("party_orgs", party_orgs), ("orgs_3plus", large)];
            given(&figures, &rows())
        };
        assert!(all(3, 5, 2, 1).is_empty());
        let found = all(4, 6, 3, 2);
        assert!(found.iter().all(|f| f.rule == "P07" && f.severity == Severity::Warning));
        let said: Vec<&str> = found.iter().map(|f| f.message.split_once("：").unwrap().1).collect();
        assert_eq!(
            said,
            [
                "“台账.xlsx”的工作表“表”A5:A7未销户的共3行（第9行已销户，没有计入），请核对两张表。",
                "“台账.xlsx”的工作表“表”C5“正式党员数”3及以上的共1行（第9行已销户，没有计入），请核对两张表。",
                "“台账.xlsx”的工作表“表”B5:B7“党员总数”合计5，请核对两张表。",
                "“台账.xlsx”的工作表“表”D5“党组织/组建形式”为“单独组建”的共1行，\
                 工作表“表”D6:D7“党组织/组建形式”为“联合组建”的不同“党组织/党组织名称”共1个，合计2\
                 （第9行已销户，没有计入），请核对两张表。",
            ]
        );
        assert!(found[2].message.starts_with("第5行“党员总数”（B5）6与台账不一致："));
        assert_eq!(found[2].evidence(), "“党员总数”6，台账5");
    }

    #[test]
    fn cells_of_cards_are_named_one_by_one_as_far_as_they_are_few() {
        let mut cards = rows();
        for (card, name) in cards.iter_mut().zip(["甲", "乙", "丙", "丁"]) {
            card.sheet = name.into();
        }
        let found = given(&[("members", 6)], &cards);
        assert!(found[0].message.contains("的工作表“甲”B5、工作表“乙”B6、工作表“丙”B7“党员总数”合计5，"));
        cards.push(Record { sheet: "戊".into(), ..organisation(5, "未建", "", "正常", 0) });
        let found = given(&[("members", 6)], &cards);
        assert!(found[0].message.contains("、工作表“丙”B7等4处“党员总数”合计5，"), "{}", found[0].message);
    }

    #[test]
    fn a_cell_with_an_error_does_not_decide_what_an_organisation_is() {
        let wrong = [("表".to_owned(), "C6".to_owned())].into();
        assert!(given_with(&[("orgs_3plus", 2)], &rows(), &wrong).is_empty());
        assert_eq!(given_with(&[("orgs", 4)], &rows(), &wrong).len(), 1);
    }

    #[test]
    fn a_book_that_does_not_tell_is_not_compared() {
        let blank = |key: &'static str| vec![record(5, &[("name", text("甲公司")), (key, Datum::Null)])];
        assert!(given(&[("members", 9), ("party_orgs", 9), ("orgs_3plus", 9)], &blank("members")).is_empty());
        assert!(given(&[("members", 9), ("party_orgs", 9)], &blank("party_org_kind")).is_empty());
        assert_eq!(given(&[("orgs", 9)], &blank("members")).len(), 1);
    }
}
