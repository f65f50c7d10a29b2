//! What people ruled about organisations: that two are one, or that they are two. Pure.
//!
//! A ruling names organisations as people do, by a name or by a code, and outlasts every rebuild.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::form::code;
use crate::form::name::organisation_key;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruled {
    One,
    Two,
}

/// A name or a code, as it is compared with both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Term {
    name: String,
    code: String,
}

impl Term {
    fn of(text: &str) -> Self {
        Self { name: organisation_key(text), code: code::subject(text) }
    }

    fn is(&self, known: &Known) -> bool {
        known.names.contains(&self.name)
            || !self.code.is_empty() && known.codes.iter().any(|c| code::subject(c) == self.code)
    }
}

/// The last word about each two organisations.
#[derive(Clone, Debug, Default)]
pub struct Rulings {
    /// All that is one organisation, also by way of a third.
    one: Vec<BTreeSet<Term>>,
    two: Vec<(Term, Term)>,
}

impl Rulings {
    /// Of rulings about two organisations each, oldest first.
    pub fn of<'a>(said: impl IntoIterator<Item = (Ruled, &'a str, &'a str)>) -> Self {
        let mut last: BTreeMap<(Term, Term), Ruled> = BTreeMap::new();
        for (ruled, a, b) in said {
            let (a, b) = (Term::of(a), Term::of(b));
            last.insert(if a <= b { (a, b) } else { (b, a) }, ruled);
        }
        let mut rulings = Self::default();
        for (pair, ruled) in last {
            match ruled {
                Ruled::One => rulings.one.push([pair.0, pair.1].into()),
                Ruled::Two => rulings.two.push(pair),
            }
        }
        rulings.unite();
        rulings
    }

    pub fn is_empty(&self) -> bool {
        self.one.is_empty() && self.two.is_empty()
    }

    /// Whether any organisations are ruled to be one.
    pub(super) fn joins(&self) -> bool {
        !self.one.is_empty()
    }

    /// Only what keeps organisations apart.
    pub(super) fn apart(&self) -> Self {
        Self { one: Vec::new(), two: self.two.clone() }
    }

    /// The group of organisations, all one, that this is of.
    pub(super) fn group(&self, known: &Known) -> Option<usize> {
        self.one.iter().position(|terms| terms.iter().any(|t| t.is(known)))
    }

    pub(super) fn are_two(&self, a: &Known, b: &Known) -> bool {
        self.two.iter().any(|(one, other)| one.is(a) && other.is(b) || one.is(b) && other.is(a))
    }

    /// Where several entries are of one group, the group is known by all their names. Whether that was news.
    pub(super) fn join(&mut self, entries: &[Known]) -> bool {
        let mut news = false;
        for group in 0..self.one.len() {
            let of_group = |known: &&Known| self.one[group].iter().any(|t| t.is(known));
            let members: Vec<&Known> = entries.iter().filter(of_group).collect();
            let stand_apart = |known: &Known| members.iter().all(|m| std::ptr::eq(*m, known) || self.are_two(m, known));
            let joined: Vec<&&Known> = members.iter().filter(|m| !stand_apart(m)).collect();
            // A name that others have too says nothing about who is meant.
            let own = |name: &&String| entries.iter().filter(|k| k.names.contains(name)).count() == 1;
            let names: Vec<Term> =
                joined.iter().flat_map(|k| k.names.iter().filter(own)).map(|n| Term::of(n)).collect();
            for term in names {
                news |= self.one[group].insert(term);
            }
        }
        self.unite();
        news
    }

    fn unite(&mut self) {
        let mut united: Vec<BTreeSet<Term>> = Vec::new();
        for mut terms in std::mem::take(&mut self.one) {
            let (touched, apart) = united.into_iter().partition(|other| !other.is_disjoint(&terms));
            united = apart;
            terms.extend(Vec::into_iter(touched).flatten());
            united.push(terms);
        }
        self.one = united;
    }
}
