//! 任务进度: per stream and unit the pace so far and still needed, when the quota will be reached, and each milestone. Pure.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::{formula, number, sum_formula};
use crate::form::Datum;
use crate::report::appraisal::{self, Tallied};
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Fit, Look, Styles, height, lines, paper, span};
use crate::report::table::{ReportData, StreamTable};
use crate::report::targets::{self, Standing, Targets};
use crate::report::wording;
use crate::workbook::a1;

/// Columns of a stream's table, zero-based; one a milestone follows.
const QUOTA: u16 = 2;
const DONE: u16 = 3;
const COMPLETION: u16 = 4;
const PACE: u16 = 5;
const NEEDED: u16 = 6;
const PROJECTED: u16 = 7;
const AHEAD: u16 = 8;
const FIRST_MILESTONE: u16 = 9;

/// Fills the sheet.
pub fn write(
    sheet: &mut Worksheet,
    data: &ReportData,
    tables: &[StreamTable],
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name("任务进度")?;
    let title = format!("{}{}任务进度和时间节点", data.department.district, data.period.chinese());
    let grid = Grid::new(title, wording::sheet_note(data), columns(data));
    grid.banners(sheet, styles)?;
    paper(sheet, Fit::OnePage, None)?;
    sheet.set_freeze_panes(2, 0)?;
    let mut next = 2;
    let mut breaks = Vec::new();
    for (i, targets) in targets::assess(data, tables).iter().enumerate() {
        if i > 0 {
            breaks.push(next);
        }
        sheet.write_string_with_format(next, 0, &targets.table.stream.title, &styles.section)?;
        sheet.set_row_height(next, 22.0)?;
        let first = grid.head(sheet, next + 1, styles)? + 1;
        let mut row = first;
        for unit in &targets.units {
            let marks = unit.marks.iter().map(|(_, mark)| Datum::Text(appraisal::mark(mark, data.period)));
            let place = unit.line.rank.map_or(Datum::Null, |rank| Datum::Int(i64::from(rank)));
            let mut values = vec![place, Datum::Text(unit.unit.name.clone())];
            values.extend(standing(data, &unit.standing));
            values.extend(marks);
            grid.row(sheet, row, &values, styles)?;
            row += 1;
        }
        district_row(sheet, (row, (first, row - 1)), (data, targets), &grid, styles)?;
        grid.line(sheet, row + 1, &remark(data, targets), styles)?;
        next = row + 3;
    }
    sheet.set_page_breaks(&breaks)?;
    Ok(())
}

fn columns(data: &ReportData) -> Vec<GridColumn> {
    let mut columns = vec![
        GridColumn::new("排名", Look::Centre, 6.0),
        GridColumn::new("单位", Look::Text, 24.0),
        GridColumn::under("新建党组织", "任务数", Look::Count, 8.0),
        GridColumn::under("新建党组织", "累计", Look::Count, 8.0),
        GridColumn::under("新建党组织", "完成率", Look::Percent, 9.0),
        GridColumn::under("进度", "目前月均", Look::Decimal, 9.0),
        GridColumn::under("进度", "每月还需", Look::Decimal, 9.0),
        GridColumn::under("进度", "预计完成", Look::Centre, 19.0),
        GridColumn::under("进度", "比匀速进度\n多（少）", Look::Decimal, 12.0),
    ];
    columns.extend(data.targets.milestones.iter().map(|m| {
        let heading = format!("{}\n（{}前）", m.name, appraisal::short_day(m.by, data.period));
        GridColumn::under("时间节点", &heading, Look::Centre, 19.0)
    }));
    columns
}

fn standing(data: &ReportData, s: &Standing) -> Vec<Datum> {
    let int = |n: Option<i64>| n.map_or(Datum::Null, Datum::Int);
    let decimal = |n: Option<f64>| n.map_or(Datum::Null, |n| Datum::Rate(wording::tenths(n)));
    let projected = appraisal::projected(s.projection, data.period);
    vec![
        int(s.quota),
        int(s.done),
        s.completion.map_or(Datum::Null, |f| Datum::Rate(f * 100.0)),
        decimal(s.pace),
        decimal(s.needed),
        if projected.is_empty() { Datum::Null } else { Datum::Text(projected) },
        decimal(s.ahead),
    ]
}

/// 合计: what adds up as live formulas.
fn district_row(
    sheet: &mut Worksheet,
    (row, rows): (u32, (u32, u32)),
    (data, targets): (&ReportData, &Targets),
    grid: &Grid,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let (count, centre, decimal) = (styles.total(Look::Count), styles.total(Look::Centre), styles.total(Look::Decimal));
    let district = &targets.district;
    let cell = |column: u16| a1(row, u32::from(column));
    span(sheet, (row, row), (0, 1), "合计", centre)?;
    number(sheet, (row, QUOTA), district.quota.map(|n| n as f64), count)?;
    formula(sheet, (row, DONE), &sum_formula(DONE, &[rows]), district.done.map(|n| n as f64), count)?;
    let (done, quota) = (cell(DONE), cell(QUOTA));
    let completion = format!("=IF(AND(ISNUMBER({done}),N({quota})>0),{done}/{quota},\"—\")");
    formula(sheet, (row, COMPLETION), &completion, district.completion, styles.total(Look::Percent))?;
    let paces = targets.units.iter().filter_map(|u| u.standing.pace).map(wording::tenths);
    let pace = district.pace.map(|_| paces.sum());
    formula(sheet, (row, PACE), &sum_formula(PACE, &[rows]), pace, decimal)?;
    number(sheet, (row, NEEDED), district.needed.map(wording::tenths), decimal)?;
    let projected = appraisal::projected(district.projection, data.period);
    span(sheet, (row, row), (PROJECTED, PROJECTED), &projected, centre)?;
    number(sheet, (row, AHEAD), district.ahead.map(wording::tenths), decimal)?;
    let mut high = lines(&projected, grid.columns[usize::from(PROJECTED)].width);
    for (i, tallied) in appraisal::milestones(data, targets).iter().enumerate() {
        let (column, text) = (FIRST_MILESTONE + i as u16, tally(tallied));
        high = high.max(lines(&text, grid.columns[usize::from(column)].width));
        span(sheet, (row, row), (column, column), &text, centre)?;
    }
    sheet.set_row_height(row, height(high))?;
    Ok(())
}

/// `完成7/8个（迟1个）`
fn tally(t: &Tallied) -> String {
    let late = if t.late > 0 { format!("（迟{}个）", t.late) } else { String::new() };
    format!("完成{}/{}个{late}", t.in_time + t.late, t.asked)
}

fn remark(data: &ReportData, targets: &Targets) -> String {
    let left = match targets.table.months_left {
        months @ 1.. => format!("本期之后还有{months}个月"),
        _ => "已经到期".to_owned(),
    };
    let silent: Vec<&str> =
        targets.units.iter().filter(|u| u.standing.done.is_none()).map(|u| u.unit.name.as_str()).collect();
    let mut text = format!(
        "注：目前月均＝（本期累计－首次报送的累计）÷相隔月数，未报的月份不作零计；预计完成按目前月均推算，只有一期数据的\
         为“数据不足”。匀速进度＝任务数×（{}至本期的月数÷至目标日期的月数）。目标日期{}，{left}。",
        data.targets.first.chinese(),
        wording::day(data.targets.by)
    );
    if !silent.is_empty() {
        text += &format!("本期未报统计表、未计入的单位：{}。", silent.join("、"));
    }
    text
}
