//! Merged regions of a sheet, without those that overlap: Excel refuses to open a file in which two do. Pure.

use std::collections::HashMap;

use crate::workbook::{Merge, Sheet};

/// Row and column, zero-based.
pub type At = (u32, u32);

pub struct Regions {
    pub list: Vec<Merge>,
    /// Position → index of its region.
    inside: HashMap<At, usize>,
}

impl Regions {
    /// Of two regions that overlap, the first counts. `None` where all together have more than `most` positions.
    pub fn of(sheet: &Sheet, most: u64) -> Option<Self> {
        let mut regions = Self { list: Vec::new(), inside: HashMap::new() };
        let mut left = most;
        for merge in &sheet.merges {
            left = left.checked_sub(area(merge))?;
            if positions(merge).all(|at| !regions.inside.contains_key(&at)) {
                regions.inside.extend(positions(merge).map(|at| (at, regions.list.len())));
                regions.list.push(*merge);
            }
        }
        Some(regions)
    }

    /// How many positions lie in regions.
    pub fn positions(&self) -> u64 {
        self.inside.len() as u64
    }

    pub fn at(&self, at: At) -> Option<&Merge> {
        self.inside.get(&at).map(|i| &self.list[*i])
    }

    /// Where the content of a position stands.
    pub fn origin(&self, at: At) -> At {
        self.at(at).map_or(at, |merge| merge.first)
    }

    /// The last row and column that the content of a position covers.
    pub fn end(&self, at: At) -> At {
        self.at(at).filter(|merge| merge.first == at).map_or(at, |merge| merge.last)
    }
}

fn area(merge: &Merge) -> u64 {
    u64::from(merge.last.0 - merge.first.0 + 1) * u64::from(merge.last.1 - merge.first.1 + 1)
}

fn positions(merge: &Merge) -> impl Iterator<Item = At> + use<> {
    let Merge { first, last } = *merge;
    (first.0..=last.0).flat_map(move |row| (first.1..=last.1).map(move |column| (row, column)))
}
