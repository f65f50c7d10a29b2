//! Histories as sentences, and the fold against a plain model of the rules.

use proptest::prelude::*;

use super::*;
use crate::form::code;

fn entries(books: &[Book]) -> Vec<Entry> {
    fold(books, &Rulings::default()).entries
}

fn row(line: i64, pairs: &[(&str, &str)]) -> Row {
    let values = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), if v.is_empty() { Datum::Null } else { Datum::Text((*v).to_owned()) }));
    Row { line, admitted: true, values: values.collect() }
}

fn book(period: &str, rows: Vec<Row>) -> Book {
    Book { period: period.parse().unwrap(), rows }
}

fn changes(entry: &Entry) -> Vec<&str> {
    entry.versions.iter().map(|v| v.change.as_str()).collect()
}

#[test]
fn a_blank_cell_is_blank_now_but_a_missing_column_keeps_its_values() {
    let july = book("2011-07", vec![row(1, &[("name", "甲公司"), ("phone", "1"), ("address", "路1号")])]);
    let august = book("2011-08", vec![row(2, &[("name", "甲公司"), ("phone", "")])]);
    let entries = entries(&[july, august]);
    assert_eq!(entries[0].values["phone"], Datum::Null);
    assert_eq!(entries[0].values["address"], Datum::Text("路1号".into()));
    assert_eq!(changes(&entries[0]), ["added", "changed"]);
}

#[test]
fn a_column_that_comes_all_blank_where_there_was_none_is_no_change() {
    let without = || row(1, &[("name", "甲公司"), ("address", "路1号")]);
    let blank = || row(2, &[("name", "甲公司"), ("address", "路1号"), ("phone", "")]);
    let filled = || row(3, &[("name", "甲公司"), ("phone", "1")]);
    let books = |list: Vec<Row>| -> Vec<Book> {
        ["2011-07", "2011-08", "2011-09"].into_iter().zip(list).map(|(at, row)| book(at, vec![row])).collect()
    };
    assert_eq!(changes(&entries(&books(vec![without(), blank(), without()]))[0]), ["added"]);
    assert_eq!(changes(&entries(&books(vec![without(), filled(), blank()]))[0]), ["added", "changed", "changed"]);
}

#[test]
fn a_row_that_is_kept_out_because_it_carries_anothers_code_has_not_vanished() {
    let (x, y) = (right_code("1"), right_code("2"));
    let a = |line| row(line, &[("name", "甲公司"), ("code", &x)]);
    let b = |code: &str, admitted| Row { admitted, ..row(2, &[("name", "乙公司"), ("code", code)]) };
    let july = || book("2011-07", vec![a(1), b(&y, true)]);
    let found = entries(&[july(), book("2011-08", vec![a(3), b(&x, false)])]);
    assert_eq!(changes(&found[1]), ["added"]);
    assert_eq!((found[1].vanished, found[1].last_period.to_string().as_str()), (false, "2011-08"));
    assert_eq!(text(&found[1].values, "code"), y, "the wrong code is not taken over");
    // Kept out for another reason, with a code of its own, it may well be another one of the same name.
    let other = entries(&[july(), book("2011-08", vec![a(3), b(&right_code("3"), false)])]);
    assert!(other[1].vanished);
}

#[test]
fn gone_without_closing_is_marked_and_coming_back_is_seen() {
    let a = || row(1, &[("name", "甲公司")]);
    let b = || row(2, &[("name", "乙公司")]);
    let entries =
        entries(&[book("2011-07", vec![a(), b()]), book("2011-08", vec![a()]), book("2011-09", vec![a(), b()])]);
    assert_eq!(changes(&entries[0]), ["added"]);
    assert_eq!(changes(&entries[1]), ["added", "vanished", "changed"]);
    assert!(!entries[1].vanished && entries[1].last_period.to_string() == "2011-09");
}

#[test]
fn a_closed_organisation_stays_closed_until_it_comes_back() {
    let open = || row(1, &[("name", "甲公司"), ("status", "正常")]);
    let shut = row(2, &[("name", "甲公司"), ("status", "销户")]);
    let none = || book("2011-09", vec![row(9, &[("name", "乙公司")])]);
    let entries =
        entries(&[book("2011-07", vec![open()]), book("2011-08", vec![shut]), none(), book("2011-10", vec![open()])]);
    assert_eq!(changes(&entries[0]), ["added", "closed", "reopened"]);
}

#[test]
fn a_row_kept_out_by_an_error_has_not_vanished() {
    let mut wrong = row(2, &[("name", "甲公司"), ("phone", "9")]);
    wrong.admitted = false;
    let entries =
        entries(&[book("2011-07", vec![row(1, &[("name", "甲公司"), ("phone", "1")])]), book("2011-08", vec![wrong])]);
    assert!(!entries[0].vanished);
    assert_eq!(entries[0].values["phone"], Datum::Text("1".into()));
}

#[test]
fn the_code_decides_where_both_sides_have_one() {
    let july = book(
        "2011-07",
        vec![row(1, &[("name", "甲公司"), ("code", "1234-5")]), row(2, &[("name", "乙公司"), ("code", "999")])],
    );
    let august = book(
        "2011-08",
        vec![row(3, &[("name", "甲公司（新名）"), ("code", "12345")]), row(4, &[("name", "乙公司"), ("code", "")])],
    );
    let entries = entries(&[july, august]);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].name(), "甲公司（新名）");
}

#[test]
fn a_name_with_a_number_sign_is_a_name_like_any_other() {
    let codes = [right_code("1"), right_code("2"), right_code("3")];
    let rows = codes.iter().map(|c| row(1, &[("name", "加油站#2"), ("code", c)]));
    let mut all: Vec<Row> = rows.collect();
    all.push(row(2, &[("name", "加油站"), ("code", &right_code("4"))]));
    all.push(row(3, &[("name", "加油站"), ("code", &right_code("5"))]));
    let entries = entries(&[book("2011-07", all)]);
    let identities: BTreeSet<&str> = entries.iter().map(|e| e.identity.as_str()).collect();
    assert_eq!((entries.len(), identities.len()), (5, 5));
}

#[test]
fn a_mistyped_code_makes_no_second_organisation() {
    let july = book("2011-07", vec![row(1, &[("name", "甲公司"), ("code", &right_code("1234567"))])]);
    let mut wrong = right_code("1234567");
    let last = wrong.pop().and_then(|c| c.to_digit(10)).unwrap();
    wrong.push_str(&((last + 1) % 10).to_string());
    let august = book("2011-08", vec![row(2, &[("name", "甲公司"), ("code", &wrong)])]);
    assert_eq!(entries(&[july.clone(), august]).len(), 1);
    let other = book("2011-08", vec![row(2, &[("name", "甲公司"), ("code", &right_code("7654321"))])]);
    assert_eq!(entries(&[july, other]).len(), 2);
}

/// A registration number of GS 15 with the right last digit.
fn right_code(seed: &str) -> String {
    let body = format!("{seed:0>14}");
    let with = (0..10).map(|d| format!("{body}{d}")).find(|c| code::fails(c).is_none());
    with.expect("one of ten digits is right")
}

fn told(folded: &Folded) -> Vec<String> {
    let say = |(period, remark): &(Period, Remark)| match remark {
        Remark::Missing { was } => format!("{period} R11 {}@{}", was.name, was.line),
        Remark::Renamed { line, was, why } => {
            let why = match why {
                Why::SameCode(code) => code.clone(),
                Why::FormerName => "former".to_owned(),
                Why::Alike { legal_rep, .. } => legal_rep.clone(),
            };
            format!("{period} R13 {}@{}→{line} {why}", was.name, was.line)
        }
        Remark::Back { line, closed, reason, on } => {
            format!("{period} R14 {}@{}→{line} {reason} {on}", closed.name, closed.line)
        }
        Remark::Twice { line, other } => format!("{period} R03 {line}={other}"),
    };
    folded.remarks.iter().map(say).collect()
}

fn names(entry: &Entry) -> Vec<&str> {
    entry.names.iter().map(|n| n.name.as_str()).collect()
}

/// Name and legal representative.
fn of(line: i64, name: &str, rep: &str) -> Row {
    row(line, &[("name", name), ("legal_rep", rep)])
}

fn with_code(line: i64, name: &str, code: &str) -> Row {
    row(line, &[("name", name), ("code", code)])
}

fn plain(books: &[Book]) -> Folded {
    fold(books, &Rulings::default())
}

#[test]
fn an_organisation_under_a_new_name_is_one_with_two_names() {
    let july = book("2011-07", vec![of(1, "远山科技有限公司", "甲一"), of(2, "长青商贸有限公司", "乙一")]);
    let august = book("2011-08", vec![of(3, "长青商贸有限公司", "乙一"), of(4, "远山信息科技有限公司", "甲 一")]);
    let folded = plain(&[july, august]);
    assert_eq!(told(&folded), ["2011-08 R13 远山科技有限公司@1→4 甲 一"]);
    assert_eq!(folded.entries.len(), 2);
    assert_eq!(names(&folded.entries[0]), ["远山科技有限公司", "远山信息科技有限公司"]);
    assert_eq!(folded.entries[0].identity, "远山科技有限公司");
    assert_eq!(changes(&folded.entries[0]), ["added", "changed"]);
}

#[test]
fn a_name_alone_or_a_person_alone_makes_no_rename() {
    let july = || book("2011-07", vec![of(1, "远山科技有限公司", "甲一")]);
    for august in
        [of(2, "远山信息科技有限公司", "乙一"), of(2, "远山信息科技有限公司", ""), of(2, "长青商贸有限公司", "甲一")]
    {
        let folded = plain(&[july(), book("2011-08", vec![august])]);
        assert_eq!(told(&folded), ["2011-08 R11 远山科技有限公司@1"]);
        assert_eq!(folded.entries.len(), 2);
    }
}

#[test]
fn whoever_is_in_the_book_himself_is_no_older_name_of_another() {
    let july = book("2011-07", vec![of(1, "远山科技有限公司", "甲一")]);
    let august = book("2011-08", vec![of(2, "远山信息科技有限公司", "甲一"), of(3, "远山科技有限公司", "甲一")]);
    assert!(told(&plain(&[july, august])).is_empty());
    let x = right_code("77");
    let july = book("2011-07", vec![with_code(1, "甲公司", &x), with_code(2, "乙公司", "")]);
    let august = book("2011-08", vec![with_code(3, "甲公司", ""), with_code(4, "乙公司", &x)]);
    let folded = plain(&[july, august]);
    assert_eq!((told(&folded), folded.entries.len()), (vec![], 2), "the code stood in the wrong row");
}

#[test]
fn between_two_that_are_equally_near_nobody_guesses() {
    let july = book("2011-07", vec![of(1, "远山机械有限公司", "甲一"), of(2, "远海机械有限公司", "甲一")]);
    let august = book("2011-08", vec![of(3, "远河机械有限公司", "甲一")]);
    let folded = plain(&[july, august]);
    assert_eq!(told(&folded), ["2011-08 R11 远山机械有限公司@1", "2011-08 R11 远海机械有限公司@2"]);
}

#[test]
fn two_right_codes_that_differ_are_two_organisations_and_one_is_enough() {
    let (x, y) = (right_code("7"), right_code("8"));
    let coded = |line: i64, name: &str, code: &str| row(line, &[("name", name), ("legal_rep", "甲一"), ("code", code)]);
    let history = |before: &str, now: &str| {
        let july = book("2011-07", vec![coded(1, "远山科技有限公司", before)]);
        plain(&[july, book("2011-08", vec![coded(2, "远山信息科技有限公司", now)])]).entries.len()
    };
    assert_eq!((history(&x, &y), history(&x, ""), history("", &y), history(&x, &x)), (2, 1, 1, 1));
}

#[test]
fn a_registration_number_and_then_a_credit_code_are_of_one_organisation() {
    let july = book("2011-07", vec![with_code(1, "甲公司", &right_code("9"))]);
    let august = book("2011-08", vec![with_code(2, "甲公司", "9237038185537856XK")]);
    let september = book("2011-09", vec![with_code(3, "甲集团", "85537856-X")]);
    let folded = plain(&[july, august, september]);
    assert_eq!(told(&folded), ["2011-09 R13 甲公司@2→3 85537856-X"]);
    assert_eq!(folded.entries.len(), 1);
}

#[test]
fn a_cell_filled_with_one_character_is_no_code() {
    let july = book("2011-07", vec![with_code(1, "甲公司", "000000000")]);
    let august = book("2011-08", vec![with_code(2, "乙公司", "000000000")]);
    assert_eq!(plain(&[july, august]).entries.len(), 2);
}

#[test]
fn closed_it_comes_back_by_name_or_code_but_is_nobody_s_older_name() {
    let shut = |name: &str, code: &str| {
        let pairs = [("name", name), ("legal_rep", "甲一"), ("code", code), ("status", "销户")];
        row(1, &[&pairs[..], &[("closed_reason", "注销"), ("closed_on", "2011-07-08")]].concat())
    };
    let july = || book("2011-07", vec![shut("远山科技有限公司", "12345")]);
    let back = plain(&[july(), book("2011-08", vec![row(2, &[("name", "远山科技有限公司"), ("status", "正常")])])]);
    assert_eq!(told(&back), ["2011-08 R14 远山科技有限公司@1→2 注销 2011-07-08"]);
    let renamed = row(3, &[("name", "长青商贸"), ("code", "12345"), ("status", "正常")]);
    let back = plain(&[july(), book("2011-08", vec![renamed])]);
    assert_eq!(told(&back).len(), 2, "R13 and R14: {:?}", told(&back));
    let alike = row(4, &[("name", "远山信息科技有限公司"), ("legal_rep", "甲一"), ("status", "正常")]);
    let other = plain(&[july(), book("2011-08", vec![alike])]);
    assert_eq!((told(&other), other.entries.len()), (vec![], 2));
}

#[test]
fn missing_is_told_once_and_a_row_with_an_error_is_not_missing() {
    let mut wrong = of(5, "远山信息科技有限公司", "甲一");
    wrong.admitted = false;
    let july = || book("2011-07", vec![of(1, "远山科技有限公司", "甲一"), of(2, "长青商贸有限公司", "乙一")]);
    let other = |period: &str, line| book(period, vec![of(line, "长青商贸有限公司", "乙一")]);
    let folded = plain(&[july(), other("2011-08", 3), other("2011-09", 4)]);
    assert_eq!(told(&folded), ["2011-08 R11 远山科技有限公司@1"]);
    assert_eq!(folded.entries[0].absences[0].until, None);
    let mut august = other("2011-08", 3);
    august.rows.push(wrong);
    let folded = plain(&[july(), august]);
    assert!(told(&folded).is_empty() && folded.entries.len() == 2 && !folded.entries[0].vanished);
}

#[test]
fn what_was_ruled_to_be_one_is_one_in_every_book() {
    let books = [
        book("2011-07", vec![of(1, "远山科技", "甲一"), of(2, "长青商贸", "乙一")]),
        book("2011-08", vec![of(3, "长青商贸", "乙一")]),
        book("2011-09", vec![of(4, "远山科技", "甲一"), of(5, "长青商贸", "乙一")]),
    ];
    let ruled = Rulings::of([(Ruled::One, "长青商贸", "远山科技")]);
    let folded = fold(&books, &ruled);
    assert_eq!(folded.entries.len(), 1);
    assert_eq!(told(&folded), ["2011-07 R03 2=1", "2011-09 R03 5=4"]);
    let taken_back = Rulings::of([(Ruled::One, "长青商贸", "远山科技"), (Ruled::Two, "远山科技", "长青商贸")]);
    assert_eq!(fold(&books, &taken_back).entries.len(), 2);
}

#[test]
fn of_two_rows_that_are_one_the_open_one_counts() {
    let mut old = of(1, "远山科技", "甲一");
    old.values.insert("status".into(), Datum::Text("销户".into()));
    let books = [book("2011-07", vec![old, of(2, "长青商贸", "乙一")])];
    let folded = fold(&books, &Rulings::of([(Ruled::One, "远山科技", "长青商贸")]));
    assert!(!folded.entries[0].closed);
    assert_eq!((folded.entries[0].name(), told(&folded)), ("长青商贸", vec!["2011-07 R03 1=2".to_owned()]));
}

#[test]
fn ruled_to_be_one_they_bring_their_older_names() {
    // 远山 was renamed by itself; then it is ruled to be 长青 under its new name.
    let books = [
        book("2011-07", vec![of(1, "远山科技有限公司", "甲一"), of(2, "长青商贸", "乙一")]),
        book("2011-08", vec![of(3, "远山信息科技有限公司", "甲一"), of(4, "长青商贸", "乙一")]),
    ];
    let folded = fold(&books, &Rulings::of([(Ruled::One, "远山信息科技有限公司", "长青商贸")]));
    assert_eq!((folded.entries.len(), told(&folded)), (1, vec!["2011-07 R03 2=1".into(), "2011-08 R03 4=3".into()]));
}

#[test]
fn what_was_ruled_to_be_two_is_no_rename_not_even_by_code() {
    let july = || book("2011-07", vec![row(1, &[("name", "远山科技"), ("legal_rep", "甲一"), ("code", "12345")])]);
    let august =
        || book("2011-08", vec![row(2, &[("name", "远山信息科技"), ("legal_rep", "甲一"), ("code", "12345")])]);
    assert_eq!(plain(&[july(), august()]).entries.len(), 1);
    let folded = fold(&[july(), august()], &Rulings::of([(Ruled::Two, "远山信息科技", "远山科技")]));
    assert_eq!((folded.entries.len(), told(&folded)), (2, vec!["2011-08 R11 远山科技@1".to_owned()]));
}

#[test]
fn a_ruling_can_name_organisations_by_their_codes() {
    let (x, y) = (right_code("7"), right_code("8"));
    let books = [book("2011-07", vec![with_code(1, "甲公司", &x)]), book("2011-08", vec![with_code(2, "甲公司", &y)])];
    assert_eq!(plain(&books).entries.len(), 2);
    let folded = fold(&books, &Rulings::of([(Ruled::One, x.as_str(), y.as_str())]));
    assert_eq!((folded.entries.len(), told(&folded).len()), (1, 0));
}

#[path = "model.rs"]
mod model;

proptest! {
    /// Folding one more book never changes what the earlier periods said.
    #[test]
    fn history_only_grows(names in prop::collection::vec(prop::collection::vec(0u8..6, 0..6), 1..5)) {
        let books: Vec<Book> = names.iter().enumerate().map(|(i, list)| {
            let mut seen = BTreeSet::new();
            let rows = list.iter().filter(|n| seen.insert(**n)).map(|n| row(i64::from(*n), &[("name", &format!("组织{n}"))]));
            Book { period: "2011-07".parse::<Period>().unwrap().plus(i as i32), rows: rows.collect() }
        }).collect();
        let (all, fewer) = (entries(&books), entries(&books[..books.len() - 1]));
        for entry in &fewer {
            let same = all.iter().find(|e| e.identity == entry.identity).unwrap();
            prop_assert_eq!(&same.versions[..entry.versions.len()], &entry.versions[..]);
        }
    }
}
