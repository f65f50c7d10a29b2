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

pub struct Witness<'a> {
    pub form: &'a Form,
    pub sample: &'a Sample<'a>,
}

impl Witness<'_> {
    /// What the identities that a column (by index) is part of say about a layout.
    pub fn hear(&self, layout: &Layout, field: usize) -> Testimony {
        let key = self.form.columns[field].key.as_str();
        let mut said = Testimony::default();
        for row in 0..self.sample.rows() {
            let of = |key: &String| self.sample.count(self.heading(layout, key)?, row);
            for sum in self.form.sums.iter().filter(|s| s.whole == key || s.parts.iter().any(|p| p == key)) {
                let parts: Option<Vec<i64>> = sum.parts.iter().map(of).collect();
                if let (Some(whole), Some(parts)) = (of(&sum.whole), parts) {
                    said.add(parts.iter().sum::<i64>() == whole, parts.iter().filter(|n| **n > 0).count() > 1);
                }
            }
            for bound in self.form.at_most.iter() {
                let parts = bound.parts.iter().filter(|p| bound.whole == key || *p == key);
                for (part, whole) in parts.filter_map(|p| of(p).zip(of(&bound.whole))) {
                    said.add(part <= whole, false);
                }
            }
            let pairs = self.form.cumulative.iter().filter(|c| c.month == key || c.total == key);
            for (month, total) in pairs.filter_map(|c| of(&c.month).zip(of(&c.total))) {
                said.add(month <= total, false);
            }
            for rate in self.form.rates.iter().filter(|r| [&r.rate, &r.part, &r.whole].iter().any(|k| *k == key)) {
                let given = self.heading(layout, &rate.rate).and_then(|h| self.sample.rates(h, row));
                if let (Some((given, ratio)), Some((part, whole))) = (given, of(&rate.part).zip(of(&rate.whole)))
                    && whole > 0
                {
                    let expected = part as f64 * 100.0 / whole as f64;
                    let near = |n: f64| (n - expected).abs() <= ROUNDING;
                    said.add(near(given) || ratio.is_some_and(near), 0 < part && part < whole);
                }
            }
        }
        said
    }

    /// Whether a column is blank where another one says that nothing belongs there (`unless`), and only there.
    pub fn hear_unless(&self, layout: &Layout, field: usize) -> Option<bool> {
        let column = &self.form.columns[field];
        let unless = column.unless.as_ref()?;
        let (own, other) = (layout[field]?, self.heading(layout, &unless.column)?);
        let condition = self.form.column(&unless.column)?;
        // Rows: [filled, blank] where nothing belongs there, and where something does.
        let (mut barred, mut open) = ([0, 0], [0, 0]);
        for row in 0..self.sample.rows() {
            let Some(value) = self.sample.choice(other, row, condition) else { continue };
            let rows = if value == unless.value { &mut barred } else { &mut open };
            rows[usize::from(!self.sample.filled(own, row))] += 1;
        }
        match (barred, open) {
            ([filled, blank], _) if filled > blank => Some(false),
            ([0, blank], [given, missing]) if blank > 0 && given > missing => Some(true),
            _ => None,
        }
    }

    fn heading(&self, layout: &Layout, key: &str) -> Option<usize> {
        layout[self.form.columns.iter().position(|c| c.key == key)?]
    }
}
