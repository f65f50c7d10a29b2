//! The fold against a plain model: the test invents organisations and their lives and knows which row is whose; the fold
//! has only the rows, in any order.

use std::fmt::Write as _;

use super::*;

const PEOPLE: usize = 5;
const PERIODS: i32 = 6;

/// What a unit's clerk does with one organisation in one month.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Keep,
    Rename,
    Close,
    Reopen,
    LeaveOut,
    Spoil,
}

fn deeds() -> impl Strategy<Value = Vec<Vec<(Deed, i64, u8)>>> {
    let deed = prop_oneof![
        6 => Just(Deed::Keep),
        2 => Just(Deed::Rename),
        2 => Just(Deed::Close),
        1 => Just(Deed::Reopen),
        3 => Just(Deed::LeaveOut),
        2 => Just(Deed::Spoil),
    ];
    prop::collection::vec(prop::collection::vec((deed, 0i64..3, any::<u8>()), PEOPLE), 1..=PERIODS as usize)
}

/// Its life as it is, and as the ledger ought to have it.
#[derive(Default)]
struct Life {
    renamed: bool,
    closed: bool,
    in_ledger: Option<State>,
    changes: String,
    names: Vec<String>,
}

#[derive(Clone, PartialEq)]
struct State {
    name: String,
    members: i64,
    closed: bool,
    vanished: bool,
    last: Period,
}

fn name(of: usize, renamed: bool) -> String {
    let own = ["远山", "长青", "云岭", "白石", "金桥"][of];
    format!("{own}{}机械制造有限公司", if renamed { "精密" } else { "" })
}

/// Every second organisation has a code.
fn code_of(of: usize) -> String {
    if of.is_multiple_of(2) { right_code(&format!("{}", of + 1)) } else { String::new() }
}

fn row_of(of: usize, life: &Life, members: i64, admitted: bool) -> Row {
    let status = if life.closed { "销户" } else { "正常" };
    let person = format!("负责{of}");
    let (name, code) = (name(of, life.renamed), code_of(of));
    let pairs = [("name", name.as_str()), ("code", &code), ("legal_rep", &person), ("status", status)];
    let mut row = row(of as i64, &pairs);
    row.values.insert("members".to_owned(), Datum::Int(members));
    row.admitted = admitted;
    row
}

impl Life {
    /// What the clerk's deed makes of the row; `None`: there is none.
    fn live(&mut self, deed: Deed) -> Option<bool> {
        match deed {
            Deed::LeaveOut => return None,
            // One that is closed is not renamed: without a code nobody could know it again.
            Deed::Rename if !self.closed && self.in_ledger.as_ref().is_none_or(|s| !s.closed) => {
                self.renamed = !self.renamed;
            }
            Deed::Close => self.closed = true,
            Deed::Reopen => self.closed = false,
            _ => {}
        }
        Some(deed != Deed::Spoil)
    }

    /// domain.md, “The ledger”, sentence by sentence.
    fn enter(&mut self, period: Period, row: Option<(State, bool)>, told: &mut Vec<String>) {
        let change = match (self.in_ledger.take(), row) {
            (None, Some((now, true))) => {
                self.names.push(now.name.clone());
                self.in_ledger = Some(now);
                "added"
            }
            (None, _) => return,
            (Some(was), Some((_, false))) => {
                self.in_ledger = Some(State { vanished: false, last: period, ..was.clone() });
                if was.vanished { "changed" } else { return }
            }
            (Some(was), Some((now, true))) => {
                if was.name != now.name {
                    self.names.push(now.name.clone());
                    told.push(format!("{period} R13 {} {}", was.name, now.name));
                }
                if was.closed && !now.closed {
                    told.push(format!("{period} R14 {}", was.name));
                }
                let same = State { last: was.last, ..now.clone() } == was;
                let change = match (was.closed, now.closed) {
                    (false, true) => "closed",
                    (true, false) => "reopened",
                    _ if same => "",
                    _ => "changed",
                };
                self.in_ledger = Some(now);
                change
            }
            (Some(was), None) => {
                let vanishes = !was.closed && !was.vanished;
                self.in_ledger = Some(State { vanished: !was.closed, ..was.clone() });
                if !vanishes {
                    return;
                }
                told.push(format!("{period} R11 {}", was.name));
                "vanished"
            }
        };
        if !change.is_empty() {
            let _ = write!(self.changes, "{period} {change} ");
        }
    }
}

fn told_by(folded: &Folded, books: &[Book]) -> Vec<String> {
    let name = |period: &Period, line: i64| {
        let book = books.iter().find(|b| b.period == *period).unwrap();
        text(&book.rows.iter().find(|r| r.line == line).unwrap().values, "name").to_owned()
    };
    let say = |(period, remark): &(Period, Remark)| match remark {
        Remark::Missing { was } => format!("{period} R11 {}", was.name),
        Remark::Renamed { line, was, .. } => format!("{period} R13 {} {}", was.name, name(period, *line)),
        Remark::Back { closed, .. } => format!("{period} R14 {}", closed.name),
        Remark::Twice { .. } => "R03".to_owned(),
    };
    folded.remarks.iter().map(say).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_fold_is_the_model(history in deeds()) {
        let mut lives: Vec<Life> = (0..PEOPLE).map(|_| Life::default()).collect();
        let (mut books, mut told) = (Vec::new(), Vec::new());
        for (i, month) in history.iter().enumerate() {
            let period = "2011-07".parse::<Period>().unwrap().plus(i as i32);
            let mut rows = Vec::new();
            for (of, (deed, members, place)) in month.iter().enumerate() {
                let life = &mut lives[of];
                let kept = life.live(*deed).map(|admitted| {
                    rows.push((*place, row_of(of, life, *members, admitted)));
                    let name = name(of, life.renamed);
                    (State { name, members: *members, closed: life.closed, vanished: false, last: period }, admitted)
                });
                life.enter(period, kept, &mut told);
            }
            rows.sort_by_key(|(place, row)| (*place, row.line));
            books.push(Book { period, rows: rows.into_iter().map(|(_, row)| row).collect() });
        }
        let folded = plain(&books);
        let mut expected: Vec<String> = lives.iter().filter_map(|life| {
            let state = life.in_ledger.as_ref()?;
            let State { name, members, closed, vanished, last } = state;
            Some(format!("{name} {members} {closed} {vanished} {last} {}{:?}", life.changes, life.names))
        }).collect();
        let mut found: Vec<String> = folded.entries.iter().map(|entry| {
            let changes = entry.versions.iter().map(|v| format!("{} {} ", v.period, v.change.as_str()));
            let members = entry.values["members"].int().unwrap();
            format!("{} {members} {} {} {} {}{:?}", entry.name(), entry.closed, entry.vanished, entry.last_period,
                    changes.collect::<String>(), names(entry))
        }).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
        let mut remarked = told_by(&folded, &books);
        remarked.sort();
        told.sort();
        prop_assert_eq!(remarked, told);
    }
}
