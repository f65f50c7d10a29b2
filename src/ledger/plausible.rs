//! Whether a book is plausible beside others: far smaller than the one before it (R15), or another's (R16). Pure.
//!
//! A book that is not is held: it waits for a person with the figures, and does not count. Both questions are settled in
//! an order in which every answer rests on earlier ones only, so whatever order books arrive in, the same are held, and
//! asking again comes to an end:
//!
//! - R16 looks at books that were received earlier, and at whether these are held for R16;
//! - R15 looks, within a unit's stream, at earlier periods and earlier versions, and at whether these are held at all.

use crate::form::Held;
use crate::period::Period;

/// A book of one unit's stream, whether it is held or counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Book {
    pub period: Period,
    /// Rows of the sheet, closed and faulty ones included.
    pub rows: usize,
    /// A person let it in.
    pub released: bool,
    /// It is held as another's (R16).
    pub foreign: bool,
    /// How many organisations the unit's figures for the period tell.
    pub told: Option<i64>,
}

/// Why a book is held, beside the one it would follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It has so many rows, that one so many.
    Smaller { rows: usize, before: Before },
    /// It has none, that one has.
    Emptied { before: Before },
    /// It has no row, and there is no book that it follows; the figures of the period do not say that there is nothing.
    Empty { told: Option<i64> },
}

/// The book that one would follow: the version before it, else the newest earlier period's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    pub period: Period,
    pub rows: usize,
}

/// Which of a unit's books of one stream and form are held, and why. Input in order of periods, then of arrival.
pub fn doubts(books: &[Book], limit: Held) -> Vec<Option<Doubt>> {
    let mut before: Option<Before> = None;
    let judge = |book: &Book| {
        let doubt = if book.released || book.foreign { None } else { doubt(book, before, limit) };
        if doubt.is_none() && (book.released || !book.foreign) {
            before = Some(Before { period: book.period, rows: book.rows });
        }
        doubt
    };
    books.iter().map(judge).collect()
}

fn doubt(book: &Book, before: Option<Before>, limit: Held) -> Option<Doubt> {
    match (book.rows, before) {
        (0, Some(before)) => (before.rows > 0).then_some(Doubt::Emptied { before }),
        (0, None) => (book.told != Some(0)).then_some(Doubt::Empty { told: book.told }),
        (rows, Some(before)) => {
            let much = before.rows >= limit.of_at_least as usize;
            let smaller = rows * 100 < before.rows * limit.smaller_than as usize;
            (much && smaller).then_some(Doubt::Smaller { rows, before })
        }
        (_, None) => None,
    }
}

/// Fewer organisations say too little about whose book it is.
const FOREIGN: usize = 3;

/// Whether a book of so many organisations is another's: nearly all of them (90 %) are in one other book, nearly none
/// (10 %) in the unit's own earlier ones. Returns the place of that other in the list, the first of those with most.
pub fn foreign(organisations: usize, own: usize, others: &[usize]) -> Option<usize> {
    let most = *others.iter().max()?;
    let found = organisations >= FOREIGN && most * 10 >= organisations * 9 && own * 10 <= organisations;
    others.iter().position(|n| *n == most).filter(|_| found)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    const LIMIT: Held = Held { smaller_than: 20, of_at_least: 5 };

    fn book(month: i32, rows: usize) -> Book {
        let first: Period = "2011-07".parse().unwrap();
        Book { period: first.plus(month), rows, released: false, foreign: false, told: None }
    }

    fn held(books: &[Book]) -> Vec<bool> {
        doubts(books, LIMIT).iter().map(Option::is_some).collect()
    }

    #[test]
    fn a_book_far_smaller_than_the_one_before_is_held_and_is_no_measure() {
        assert_eq!(held(&[book(0, 40), book(1, 4), book(2, 40)]), [false, true, false]);
        assert_eq!(held(&[book(0, 40), book(1, 4), book(2, 4)]), [false, true, true]);
        assert_eq!(held(&[book(0, 40), book(1, 8), book(2, 2)]), [false, false, false], "a fifth, and a fourth of it");
        assert_eq!(held(&[book(0, 4), book(1, 1)]), [false, false], "too few to say");
        assert_eq!(held(&[book(0, 40), book(0, 3)]), [false, true], "a correction");
        let before = Before { period: "2011-07".parse().unwrap(), rows: 40 };
        assert_eq!(doubts(&[book(0, 40), book(1, 4)], LIMIT)[1], Some(Doubt::Smaller { rows: 4, before }));
    }

    #[test]
    fn what_a_person_let_in_is_the_measure_of_the_next() {
        let released = Book { released: true, ..book(1, 4) };
        assert_eq!(held(&[book(0, 40), released, book(2, 4)]), [false, false, false]);
    }

    #[test]
    fn an_empty_book_is_believed_where_the_figures_say_so_or_the_one_before_was_empty() {
        let zero = |month| Book { told: Some(0), ..book(month, 0) };
        assert_eq!(held(&[zero(0), book(1, 0), book(2, 7)]), [false, false, false]);
        assert_eq!(held(&[book(0, 0)]), [true]);
        assert_eq!(held(&[Book { told: Some(36), ..book(0, 0) }]), [true]);
        assert_eq!(held(&[book(0, 1), zero(1)]), [false, true], "the figures may be as wrong");
    }

    #[test]
    fn a_book_is_anothers_by_nearly_all_of_it_unless_it_was_the_units_before() {
        assert_eq!(foreign(20, 0, &[3, 18]), Some(1));
        assert_eq!(foreign(20, 2, &[20]), Some(0));
        assert_eq!(foreign(20, 3, &[20]), None);
        assert_eq!(foreign(20, 0, &[17]), None);
        assert_eq!(foreign(2, 0, &[2]), None);
        assert_eq!(foreign(20, 0, &[]), None);
    }

    /// A book as it may come: of one of three units, some organisations. The order of the list is that of receiving.
    #[derive(Clone, Debug)]
    struct Sent {
        unit: u8,
        month: i32,
        organisations: BTreeSet<u8>,
        released: bool,
    }

    fn sent() -> impl Strategy<Value = Sent> {
        let organisations = prop_oneof![
            proptest::collection::btree_set(0u8..8, 0..8),
            proptest::collection::btree_set(8u8..16, 5..8),
            Just((0..8).collect()),
            Just((0..1).collect()),
        ];
        (0u8..3, 0i32..4, organisations, proptest::bool::weighted(0.1))
            .prop_map(|(unit, month, organisations, released)| Sent { unit, month, organisations, released })
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum State {
        Counts,
        Smaller,
        Foreign,
    }

    /// What the ledger would say of one book, by what it has stored of the others.
    fn judge(all: &[Sent], stored: &BTreeMap<usize, State>, at: usize) -> State {
        let book = &all[at];
        let shared = |other: &usize| all[*other].organisations.intersection(&book.organisations).count();
        let earlier = stored.iter().filter(|(i, s)| **i < at && **s != State::Foreign).map(|(i, _)| *i);
        let (own, others): (Vec<usize>, Vec<usize>) = earlier.partition(|i| all[*i].unit == book.unit);
        let own = own.iter().map(shared).max().unwrap_or_default();
        let others: Vec<usize> = others.iter().map(shared).collect();
        if !book.released && foreign(book.organisations.len(), own, &others).is_some() {
            return State::Foreign;
        }
        let mut stream: Vec<usize> = stored.keys().copied().chain([at]).filter(|i| all[*i].unit == book.unit).collect();
        stream.sort_by_key(|i| (all[*i].month, *i));
        stream.dedup();
        let books: Vec<Book> = stream
            .iter()
            .map(|i| Book {
                released: all[*i].released,
                foreign: *i != at && stored[i] == State::Foreign,
                ..self::book(all[*i].month, all[*i].organisations.len())
            })
            .collect();
        let place = stream.iter().position(|i| *i == at).unwrap();
        if doubts(&books, LIMIT)[place].is_some() { State::Smaller } else { State::Counts }
    }

    /// Brings the books in, in this order; after each, opens again what would be judged otherwise now.
    fn live(all: &[Sent], order: &[usize]) -> (BTreeMap<usize, State>, usize) {
        let (mut stored, mut steps) = (BTreeMap::new(), 0);
        let mut open: Vec<usize> = order.iter().rev().copied().collect();
        while let Some(at) = open.pop() {
            steps += 1;
            assert!(steps < 10_000, "it goes on for ever");
            let state = judge(all, &stored, at);
            stored.insert(at, state);
            let differs = |i: &usize| *i != at && !open.contains(i) && judge(all, &stored, *i) != stored[i];
            let mut again: Vec<usize> = stored.keys().copied().filter(differs).collect();
            again.reverse();
            open.extend(again);
        }
        (stored, steps)
    }

    proptest! {
        /// Opening again what is held, or is not, comes to an end, and to the same end in any order.
        #[test]
        fn in_any_order_the_same_books_are_held(
            (all, order) in proptest::collection::vec(sent(), 1..9).prop_flat_map(|all| {
                let places: Vec<usize> = (0..all.len()).collect();
                (Just(all), Just(places).prop_shuffle())
            })
        ) {
            let in_order: Vec<usize> = (0..all.len()).collect();
            let (wanted, _) = live(&all, &in_order);
            let (found, steps) = live(&all, &order);
            prop_assert_eq!(found, wanted);
            prop_assert!(steps <= all.len() * all.len() * 4, "{} steps", steps);
        }

        /// Nothing that comes later in the order of periods and versions changes what is held before.
        #[test]
        fn what_is_held_rests_on_what_lies_before(rows in proptest::collection::vec((0i32..4, 0usize..60), 1..8)) {
            let mut books: Vec<Book> = rows.into_iter().map(|(month, rows)| book(month, rows)).collect();
            books.sort_by_key(|b| b.period);
            let all = doubts(&books, LIMIT);
            prop_assert_eq!(&doubts(&books[..books.len() - 1], LIMIT)[..], &all[..books.len() - 1]);
        }
    }
}
