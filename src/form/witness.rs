//! Witnesses: whether the identities of a form hold, row by row, if its columns are read in a certain way. Pure.

use super::definition::Form;
use super::sample::Sample;

/// Points of a rate that rounding may lose.
const ROUNDING: f64 = 0.1 + 1e-6;

/// Which heading each of the form's columns is read from.
pub type Layout = [Option<usize>];

/// What the rows say about one column of a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Testimony {
    pub kept: usize,
    pub broken: usize,
    /// Rows in which an identity leaves only this one value, and it is no trivial one.
    pub exact: usize,
}

impl Testimony {
    /// Every row bears the reading out, by an identity that leaves no other value.
    pub fn confirms(self) -> bool {
        self.exact > 0 && self.broken == 0
    }

    /// It breaks identities in as many rows as it keeps them.
    pub fn speaks_against(self) -> bool {
        self.broken > 0 && self.broken >= self.kept
    }

    fn add(&mut self, holds: bool, exact: bool) {
        self.kept += usize::from(holds);
        self.broken += usize::from(!holds);
        self.exact += usize::from(holds && exact);
    }
}

/// How often something is filled in and how often not, where nothing belongs there and where something does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filled {
    barred: [usize; 2],
    open: [usize; 2],
}

impl Filled {
    pub fn add(&mut self, barred: bool, filled: bool) {
        let counts = if barred { &mut self.barred } else { &mut self.open };
        counts[usize::from(!filled)] += 1;
    }

    /// Whether it is blank where nothing belongs there, and only there. `None` if that cannot be said.
    pub fn held(self) -> Option<bool> {
        match (self.barred, self.open) {
            ([filled, blank], _) if filled > blank => Some(false),
            ([0, blank], [given, missing]) if blank > 0 && given > missing => Some(true),
            _ => None,
        }
    }
}

pub struct Witness<'a> {
    pub form: &'a Form,
    pub sample: &'a Sample<'a>,
}

impl Witness<'_> {
    /// What the identities that a column (by index) is part of say about a layout.
    pub fn hear(&self, layout: &Layout, field: usize) -> Testimony {
        let key = self.form.columns[field].key.as_str();
        let mut said = Testimony::default();
        let at = |key: &String| self.heading(layout, key);
        for sum in self.form.sums.iter().filter(|s| s.whole == key || s.parts.iter().any(|p| p == key)) {
            let parts: Option<Vec<usize>> = sum.parts.iter().map(at).collect();
            if let (Some(whole), Some(parts)) = (at(&sum.whole), parts) {
                self.hear_sum(whole, &parts, &mut said);
            }
        }
        for bound in &self.form.at_most {
            let parts = bound.parts.iter().filter(|p| bound.whole == key || *p == key);
            parts.filter_map(|p| at(p).zip(at(&bound.whole))).for_each(|pair| self.hear_bound(pair, &mut said));
        }
        for pair in self.form.cumulative.iter().filter(|c| c.month == key || c.total == key) {
            at(&pair.month).zip(at(&pair.total)).into_iter().for_each(|pair| self.hear_bound(pair, &mut said));
        }
        for rate in self.form.rates.iter().filter(|r| [&r.rate, &r.part, &r.whole].iter().any(|k| *k == key)) {
            if let (Some(rate), Some(parts)) = (at(&rate.rate), at(&rate.part).zip(at(&rate.whole))) {
                self.hear_rate(rate, parts, &mut said);
            }
        }
        said
    }

    fn hear_sum(&self, whole: usize, parts: &[usize], said: &mut Testimony) {
        for row in 0..self.sample.rows() {
            let given: Option<Vec<i64>> = parts.iter().map(|p| self.sample.count(*p, row)).collect();
            if let (Some(whole), Some(given)) = (self.sample.count(whole, row), given) {
                said.add(given.iter().sum::<i64>() == whole, given.iter().filter(|n| **n > 0).count() > 1);
            }
        }
    }

    fn hear_bound(&self, (part, whole): (usize, usize), said: &mut Testimony) {
        for row in 0..self.sample.rows() {
            if let Some((part, whole)) = self.sample.count(part, row).zip(self.sample.count(whole, row)) {
                said.add(part <= whole, false);
            }
        }
    }

    fn hear_rate(&self, rate: usize, (part, whole): (usize, usize), said: &mut Testimony) {
        for row in 0..self.sample.rows() {
            let parts = self.sample.count(part, row).zip(self.sample.count(whole, row)).filter(|(_, whole)| *whole > 0);
            if let (Some((given, ratio)), Some((part, whole))) = (self.sample.rates(rate, row), parts) {
                let expected = part as f64 * 100.0 / whole as f64;
                let near = |n: f64| (n - expected).abs() <= ROUNDING;
                said.add(near(given) || ratio.is_some_and(near), 0 < part && part < whole);
            }
        }
    }

    /// Whether a column is blank where another one says that nothing belongs there (`unless`), and only there.
    pub fn hear_unless(&self, layout: &Layout, field: usize) -> Option<bool> {
        let column = &self.form.columns[field];
        let unless = column.unless.as_ref()?;
        let (own, other) = (layout[field]?, self.heading(layout, &unless.column)?);
        let condition = self.form.column(&unless.column)?;
        let mut filled = Filled::default();
        for row in 0..self.sample.rows() {
            if let Some(value) = self.sample.choice(other, row, condition) {
                filled.add(value == unless.value, self.sample.filled(own, row));
            }
        }
        filled.held()
    }

    fn heading(&self, layout: &Layout, key: &str) -> Option<usize> {
        layout[self.form.columns.iter().position(|c| c.key == key)?]
    }
}
