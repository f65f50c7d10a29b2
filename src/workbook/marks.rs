//! What a sheet says besides its values and calamine does not tell: which cells are percentages or formulas, which
//! rows and columns are hidden. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

const COLUMN_RANGES: usize = 1_000;

/// Row and column, zero-based.
pub(super) type At = (u32, u32);

/// What a formula can result in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    /// Anything, the empty text included.
    Any,
    /// A number: an empty text stored as its result means that nobody computed it.
    Number,
}

/// The marks of one sheet.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// Cells whose number is shown as a percentage. Binary workbooks only: for OOXML calamine knows the format.
    pub(super) percent: HashSet<At>,
    pub(super) formulas: HashMap<At, Formula>,
    pub(super) hidden_rows: BTreeSet<u32>,
    pub(super) hidden_columns: Vec<RangeInclusive<u32>>,
    /// The sheet lists merged regions. OOXML only.
    pub(super) merged: bool,
}

impl Marks {
    pub(super) fn hide_columns(&mut self, columns: RangeInclusive<u32>) {
        if self.hidden_columns.len() < COLUMN_RANGES {
            self.hidden_columns.push(columns);
        }
    }
}

/// A number format shows a percentage: its first section (positive numbers) has a `%` outside quoted text, escapes
/// and brackets (ECMA-376 part 1, 18.8.31).
pub(super) fn is_percent(code: &str) -> bool {
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => return true,
            ';' => return false,
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '[' => while chars.next().is_some_and(|c| c != ']') {},
            '\\' | '_' | '*' => drop(chars.next()),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_formats_are_told_from_formats_that_only_mention_the_sign() {
        for code in ["0%", "0.00%", "[Red]0.0%", "0.0_ %;-0%", "0\"约\"%"] {
            assert!(is_percent(code), "{code}");
        }
        for code in ["General", "0\"%\"", "0\\%", "[%]0", "0;0%", "G/通用格式", "yyyy\"年\"m\"月\"", "0_%", "\"%"]
        {
            assert!(!is_percent(code), "{code}");
        }
    }
}
