//! 报送质量: each unit's returns counted by what became of them, its points and its place. Pure.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::{formula, ranges};
use crate::form::Datum;
use crate::report::appraisal;
use crate::report::conduct::{self, Conduct, Tally};
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, span};
use crate::report::table::ReportData;
use crate::report::wording;

/// First column that is counted, zero-based.
const COUNTED: u16 = 4;

/// Fills the sheet.
pub fn write(sheet: &mut Worksheet, data: &ReportData, styles: &Styles) -> Result<(), XlsxError> {
    sheet.set_name("报送质量")?;
    let title = format!("{}{}报送质量评分表", data.department.district, data.period.chinese());
    let grid = Grid { fixed: 2, ..Grid::new(title, wording::sheet_note(data), columns(data)) };
    let laid = grid.open(sheet, styles)?;
    let list = conduct::assess(data);
    let rows: Vec<Vec<Datum>> = conduct::ranking(&list).into_iter().map(row).collect();
    let next = grid.rows(sheet, laid, &rows, styles)?;
    if rows.is_empty() {
        return grid.line(sheet, next, "（无）", styles);
    }
    let mut all = Tally::default();
    let mut now = Tally::default();
    list.iter().for_each(|c| (all += c.campaign, now += c.period).0);
    span(sheet, (next, next), (0, COUNTED - 1), "合计", styles.total(Look::Centre))?;
    for (i, value) in counts(&all).into_iter().chain(counts_now(&now)).enumerate() {
        let column = COUNTED + i as u16;
        let sum = format!("=SUM({})", ranges(column, &[(laid.first_row, next - 1)]));
        let now = value.unwrap_or(0) as f64;
        formula(sheet, (next, column), &sum, Some(now), styles.total(Look::Count))?;
    }
    sheet.set_row_height(next, 22.0)?;
    grid.line(sheet, next + 1, &format!("注：{}空格为零。", appraisal::rule(data.conduct)), styles)
}

fn columns(data: &ReportData) -> Vec<GridColumn> {
    let first = data.course.months.first().map_or(data.period, |m| m.period);
    let since = format!("{}以来", first.chinese());
    let mut columns = vec![
        GridColumn::new("名次", Look::Centre, 6.0),
        GridColumn::new("单位", Look::Text, 24.0),
        GridColumn::new("得分", Look::Count, 7.0),
        GridColumn::new("本期得分", Look::Count, 7.0),
    ];
    let counted = ["应报", "按时", "迟报", "迟报天数", "未报", "待处理", "免报", "退回次数", "终报后更正", "待改问题"];
    columns.extend(counted.map(|heading| GridColumn::under(&since, heading, Look::Count, 7.5)));
    let now = ["应报", "按时", "迟报", "迟报天数", "未报", "退回次数"];
    columns.extend(now.map(|heading| GridColumn::under("其中：本期", heading, Look::Count, 7.5)));
    columns
}

fn row(c: &Conduct) -> Vec<Datum> {
    let int = |n: i64| Datum::Int(n);
    let mut values = vec![
        c.rank.map_or(Datum::Null, |rank| int(i64::from(rank))),
        Datum::Text(c.unit.name.clone()),
        int(c.points),
        int(c.points_period),
    ];
    values.extend(counts(&c.campaign).into_iter().chain(counts_now(&c.period)).map(|n| n.map_or(Datum::Null, int)));
    values
}

/// In the order of the columns; a zero is an empty cell.
fn counts(t: &Tally) -> Vec<Option<i64>> {
    let counted = [t.due, t.on_time, t.late];
    let after = [t.missing, t.waiting, t.excused, t.rejected, t.corrections, t.open];
    let all = counted.into_iter().map(i64::from).chain([t.days_late]).chain(after.map(i64::from));
    all.map(|n| (n != 0).then_some(n)).collect()
}

fn counts_now(t: &Tally) -> Vec<Option<i64>> {
    let all = [t.due, t.on_time, t.late].map(i64::from).into_iter().chain([t.days_late]);
    all.chain([t.missing, t.rejected].map(i64::from)).map(|n| (n != 0).then_some(n)).collect()
}
