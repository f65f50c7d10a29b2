//! What a correction changes, as a sheet to go with the receipt where the mail has no room for all of it. Pure.
//!
//! Its title marks it as ours, so that nobody reads it as a form when it comes back with a table.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::form::{Datum, findings_list};
use crate::ledger::changes::{Cell, Change, What};
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, new_workbook};

/// The changes of one form against the version before it.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// `附件2 台账，非公有制企业，2011年8月`
    pub form: String,
    /// `第1次报送`
    pub against: String,
    pub changes: &'a [Change],
}

/// All changes as .xlsx bytes, a row a value.
pub fn build(parts: &[Part<'_>], author: &str, at: DateTime<Tz>) -> Result<Vec<u8>, Error> {
    let mut book = new_workbook(findings_list::CHANGES, author, at)?;
    let rows: Vec<Vec<Datum>> = parts.iter().flat_map(|part| part.changes.iter().flat_map(|c| rows(part, c))).collect();
    let columns = [
        ("报表", Look::Text, 30.0),
        ("比照", Look::Centre, 12.0),
        ("变化", Look::Centre, 8.0),
        ("对象", Look::Text, 30.0),
        ("栏目", Look::Text, 20.0),
        ("原来", Look::Text, 22.0),
        ("现在", Look::Text, 22.0),
        ("位置", Look::Centre, 10.0),
    ];
    let columns = columns.map(|(heading, look, width)| GridColumn::new(heading, look, width)).to_vec();
    let note = format!("共{}处。位置是这次所报文件里的单元格或行；“不再有”的没有位置。", rows.len());
    let sheet = book.add_worksheet().set_name(findings_list::CHANGES)?;
    let grid = Grid::new(findings_list::CHANGES_TITLE.to_owned(), note, columns);
    let styles = Styles::new();
    let laid = grid.open(sheet, &styles)?;
    grid.rows(sheet, laid, &rows, &styles)?;
    Ok(book.save_to_buffer()?)
}

fn rows(part: &Part, change: &Change) -> Vec<Vec<Datum>> {
    let text = |text: &str| Datum::Text(text.to_owned());
    let row = |kind: &str, name: &str, cell: Option<&Cell>, place: String| {
        let [label, before, now] = cell.map_or(["", "", ""], |c| [&*c.label, &*c.before, &*c.now]);
        [&part.form, &*part.against, kind, name, label, before, now, &place].map(text).to_vec()
    };
    let at = |cell: &Cell| cell.cell.clone().unwrap_or_else(|| format!("第{}行", change.row));
    match &change.what {
        What::Figures(cells) => cells.iter().map(|c| row("改动", "", Some(c), at(c))).collect(),
        What::Changed(name, cells) => cells.iter().map(|c| row("改动", name, Some(c), at(c))).collect(),
        What::Added(name) => vec![row("新增", name, None, format!("第{}行", change.row))],
        What::Removed(name) => vec![row("不再有", name, None, String::new())],
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;
    use crate::report::fixture::at;

    #[test]
    fn each_value_has_a_row() {
        let cell = Cell { label: "党员总数".into(), before: "3".into(), now: "4".into(), cell: Some("I7".into()) };
        let change = |what| Change { what, sheet: "台账".into(), row: 7, withheld: false, was_withheld: false };
        let changes = [change(What::Changed("甲公司".into(), vec![cell])), change(What::Removed("乙公司".into()))];
        let part = Part { form: "附件2 台账".into(), against: "第1次报送".into(), changes: &changes };
        let bytes = build(&[part], "白鹭区", at("2011-09-20T09:00:00+08:00")).unwrap();
        let range = Xlsx::new(Cursor::new(bytes)).unwrap().worksheet_range_at(0).unwrap().unwrap();
        let rows: Vec<Vec<String>> = range.rows().map(|r| r.iter().map(Data::to_string).collect()).collect();
        assert_eq!(rows[3], ["附件2 台账", "第1次报送", "改动", "甲公司", "党员总数", "3", "4", "I7"]);
        assert_eq!(rows[4], ["附件2 台账", "第1次报送", "不再有", "乙公司", "", "", "", ""]);
    }
}
