//! What is hidden and was read all the same: rows, whether by hand or by a filter, and columns. Pure.

use super::SheetReader;
use crate::form::finding::{Finding, Severity};
use crate::form::reading::Return;
use crate::form::recognise::Table;
use crate::workbook::{a1, column_letters};

impl SheetReader<'_> {
    /// H05 of the hidden rows among those that were read.
    pub(super) fn hidden_rows(&self, data: &[u32], ret: &mut Return) {
        let hidden: Vec<u32> = data.iter().copied().filter(|r| self.sheet.hidden_rows.contains(r)).collect();
        let Some(&first) = hidden.first() else { return };
        let message = format!(
            "第{}行是隐藏行（或被筛选隐藏），也已读取；如果不该报，请删除后重报。",
            ranges(&hidden.iter().map(|r| r + 1).collect::<Vec<_>>())
        );
        ret.findings.push(Finding::new("H05", Severity::Info, self.place(None, Some(first)), message));
    }

    /// H05 of the hidden columns that were read because no visible one asks the same.
    pub(super) fn hidden_columns(&self, table: &Table, ret: &mut Return) {
        let form = &self.campaign.forms[table.form];
        for (field, heading) in &table.assignment.read {
            let (column, heading) = (&form.columns[*field], &table.headings[*heading]);
            let filled = self.grid.rows_between(table.header.1 + 1, table.end);
            if !heading.hidden || !filled.iter().any(|r| self.grid.own(*r, heading.column).is_some()) {
                continue;
            }
            let message = format!(
                "{}列“{}”（{}）是隐藏的，也已读取；如果不该报，请删除该列后重报。",
                column_letters(heading.column),
                heading.shown,
                a1(heading.row, heading.column)
            );
            let place = self.place(Some((heading.row, heading.column)), None);
            ret.findings.push(Finding::new("H05", Severity::Info, place, message).about(&column.key));
        }
    }
}

/// `3、5-8、12`, at most ten parts.
fn ranges(numbers: &[u32]) -> String {
    let runs: Vec<&[u32]> = numbers.chunk_by(|a, b| *b == a + 1).collect();
    let part = |run: &&[u32]| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    };
    let shown: Vec<String> = runs.iter().take(10).map(part).collect();
    let more = if runs.len() > shown.len() { format!("等{}", numbers.len()) } else { String::new() };
    format!("{}{more}", shown.join("、"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_in_ranges() {
        assert_eq!(ranges(&[3, 5, 6, 7, 12]), "3、5-7、12");
        let odd: Vec<u32> = (0..30).map(|n| n * 2 + 1).collect();
        assert_eq!(ranges(&odd), "1、3、5、7、9、11、13、15、17、19等30");
    }
}
