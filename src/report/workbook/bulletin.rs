//! 通报: who reported on time, late or not at all; per stream the ranking by quota and the coverage against its goals.
//! Pure.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::{Block, formula, number, ranges, sum_formula, sum_where};
use crate::form::Datum;
use crate::ledger::obligation::State;
use crate::report::digest;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Fit, Look, Styles, height, lines, paper, span};
use crate::report::standing::{self, STATES};
use crate::report::table::{COVERED, FOUNDED_MONTH, FOUNDED_TOTAL, Line, ReportData, StreamTable, WORK_COVERED};
use crate::report::wording;
use crate::workbook::a1;

/// Columns of a stream's table, zero-based.
const QUOTA: u16 = 2;
const MONTH: u16 = 3;
const TOTAL: u16 = 4;
const COMPLETION: u16 = 5;
const SHORTFALL: u16 = 6;
const PACE: u16 = 7;
const ENTRIES: u16 = 8;
/// Covered, rate, goal and difference of the organisations; the same of the work from `WORK` on.
const COVER: u16 = 9;
const WORK: u16 = 13;
const LAST: u16 = 16;

/// Fills the sheet; returns where each stream's rows lie, for the chart of coverage against its goal.
pub fn write(
    sheet: &mut Worksheet,
    data: &ReportData,
    tables: &[StreamTable],
    styles: &Styles,
) -> Result<Vec<Block>, XlsxError> {
    sheet.set_name("通报")?;
    let title = wording::join(&data.campaign.title, "活动进展情况通报");
    let title = format!("{}{title}（{}）", data.department.district, data.period.chinese());
    let grid = Grid::new(title, wording::sheet_note(data), columns(data));
    grid.banners(sheet, styles)?;
    paper(sheet, Fit::OnePage, None)?;
    sheet.set_freeze_panes(2, 0)?;
    let mut next = overview(sheet, (data, tables), &grid, styles)?;
    let mut blocks = Vec::new();
    let mut breaks = Vec::new();
    for (i, table) in tables.iter().filter(|t| !t.lines.is_empty()).enumerate() {
        breaks.push(next);
        let number = ["三", "四", "五", "六", "七"].get(i).copied().unwrap_or("附");
        let heading = format!("{number}、{}任务完成和覆盖情况", table.stream.title);
        sheet.write_string_with_format(next, 0, heading, &styles.section)?;
        sheet.set_row_height(next, 22.0)?;
        let first = grid.head(sheet, next + 1, styles)? + 1;
        let after = stream_table(sheet, first, (data, table), &grid, styles)?;
        let rows = (first, after - 2);
        let values = Some((COVER + 1, COVER + 2));
        blocks.push(Block { stream: table.stream.title.clone(), rows, unit: 1, values });
        next = remarks(sheet, after, (data, table), &grid, styles)? + 1;
    }
    sheet.set_page_breaks(&breaks)?;
    Ok(blocks)
}

fn columns(data: &ReportData) -> Vec<GridColumn> {
    let month = format!("{}月", data.period.month());
    let rate = |group: &str| {
        [
            GridColumn::under(group, "覆盖数", Look::Count, 8.0),
            GridColumn::under(group, "覆盖率", Look::Percent, 9.0),
            GridColumn::under(group, "目标", Look::Percent, 9.0),
            GridColumn::under(group, "相差\n百分点", Look::Decimal, 8.0),
        ]
    };
    let mut columns = vec![
        GridColumn::new("排名", Look::Centre, 6.0),
        GridColumn::new("单位", Look::Text, 20.0),
        GridColumn::under("新建党组织", "任务数", Look::Count, 8.0),
        GridColumn::under("新建党组织", &month, Look::Count, 8.0),
        GridColumn::under("新建党组织", "累计", Look::Count, 8.0),
        GridColumn::under("新建党组织", "完成率", Look::Percent, 9.0),
        GridColumn::under("新建党组织", "尚差", Look::Count, 8.0),
        GridColumn::under("新建党组织", "每月还需", Look::Decimal, 8.0),
        GridColumn::new("台账在册数", Look::Count, 8.0),
    ];
    columns.extend(rate("组织覆盖"));
    columns.extend(rate("工作覆盖"));
    columns
}

/// 一、报送情况: one line a state with its count and units. 二、主要数据 in words. Returns the next free row.
fn overview(
    sheet: &mut Worksheet,
    (data, tables): (&ReportData, &[StreamTable]),
    grid: &Grid,
    styles: &Styles,
) -> Result<u32, XlsxError> {
    sheet.write_string_with_format(2, 0, "一、报送情况", &styles.section)?;
    sheet.set_row_height(2, 22.0)?;
    grid.line(sheet, 3, &digest::reporting(data), styles)?;
    let merged = [(0, 1, "情况"), (2, 2, "件数"), (3, 3, "单位数"), (4, LAST, "单位（只列部分报表的注明报表）")];
    for (first, last, text) in merged {
        span(sheet, (4, 4), (first, last), text, &styles.head)?;
    }
    sheet.set_row_height(4, 22.0)?;
    let mut row = 5;
    let room: f64 = grid.columns[4..].iter().map(|c| c.width).sum();
    for state in STATES {
        let (pieces, named) = (standing::count(data, state), standing::units_in(data, state));
        if pieces == 0 && matches!(state, State::Pending | State::Rejected | State::Quarantined) {
            continue;
        }
        let names = if named.is_empty() { "无".to_owned() } else { named.join("、") };
        span(sheet, (row, row), (0, 1), state.chinese(), styles.body(Look::Centre))?;
        number(sheet, (row, 2), Some(pieces as f64), styles.body(Look::Count))?;
        number(sheet, (row, 3), Some(named.len() as f64), styles.body(Look::Count))?;
        span(sheet, (row, row), (4, LAST), &names, styles.body(Look::Text))?;
        sheet.set_row_height(row, height(lines(&names, room)) + 4.0)?;
        row += 1;
    }
    row += 1;
    sheet.write_string_with_format(row, 0, "二、主要数据", &styles.section)?;
    sheet.set_row_height(row, 22.0)?;
    for table in tables.iter().filter(|t| !t.lines.is_empty()) {
        row += 1;
        grid.line(sheet, row, &digest::progress(data, table), styles)?;
    }
    Ok(row + 2)
}

/// The units by place, and the district's row; returns the row after it.
fn stream_table(
    sheet: &mut Worksheet,
    first: u32,
    (data, table): (&ReportData, &StreamTable),
    grid: &Grid,
    styles: &Styles,
) -> Result<u32, XlsxError> {
    let mut row = first;
    for line in table.ranking() {
        grid.row(sheet, row, &unit_values(data, table, line), styles)?;
        row += 1;
    }
    district_row(sheet, (row, (first, row - 1)), (data, table), styles)?;
    Ok(row + 1)
}

fn unit_values(data: &ReportData, table: &StreamTable, line: &Line) -> Vec<Datum> {
    let int = |n: Option<i64>| n.map_or(Datum::Null, Datum::Int);
    let percent = |f: Option<f64>| f.map_or(Datum::Null, |f| Datum::Rate(f * 100.0));
    let cover = |part: &str, goal: f64| {
        let rate = line.coverage(part);
        let gap = rate.map_or(Datum::Null, |r| Datum::Rate(r * 100.0 - goal));
        [int(line.entries.and(line.int(part))), percent(rate), Datum::Rate(goal), gap]
    };
    let mut values = vec![
        int(line.rank.map(i64::from)),
        Datum::Text(line.unit.name.clone()),
        int(line.quota),
        int(line.int(FOUNDED_MONTH)),
        int(line.int(FOUNDED_TOTAL)),
        percent(line.completion()),
        int(line.shortfall()),
        table.pace(line.shortfall()).map_or(Datum::Null, Datum::Rate),
        int(line.entries),
    ];
    values.extend(cover(COVERED, data.targets.org_coverage));
    values.extend(cover(WORK_COVERED, data.targets.work_coverage));
    values
}

/// 全区: sums and rates as live formulas.
fn district_row(
    sheet: &mut Worksheet,
    (row, rows): (u32, (u32, u32)),
    (data, table): (&ReportData, &StreamTable),
    styles: &Styles,
) -> Result<(), XlsxError> {
    let float = |n: Option<i64>| n.map(|n| n as f64);
    let (count, percent, decimal) =
        (styles.total(Look::Count), styles.total(Look::Percent), styles.total(Look::Decimal));
    sheet.set_row_height(row, 20.0)?;
    span(sheet, (row, row), (0, 1), "合计", styles.total(Look::Centre))?;
    number(sheet, (row, QUOTA), float(table.target()), count)?;
    for (column, now) in [
        (MONTH, table.total(FOUNDED_MONTH)),
        (TOTAL, table.total(FOUNDED_TOTAL)),
        (ENTRIES, table.entries()),
        (COVER, table.covered(COVERED)),
        (WORK, table.covered(WORK_COVERED)),
    ] {
        formula(sheet, (row, column), &sum_formula(column, &[rows]), float(now), count)?;
    }
    let cell = |column: u16| a1(row, u32::from(column));
    let (done, quota) = (cell(TOTAL), cell(QUOTA));
    let text = format!("=IF(AND(ISNUMBER({done}),N({quota})>0),{done}/{quota},\"—\")");
    formula(sheet, (row, COMPLETION), &text, table.completion(), percent)?;
    let text = format!("=IF(AND(ISNUMBER({done}),ISNUMBER({quota})),MAX({quota}-{done},0),\"—\")");
    formula(sheet, (row, SHORTFALL), &text, float(table.shortfall()), count)?;
    let pace = table.pace(table.shortfall());
    let text = match table.months_left {
        months @ 1.. => format!("=IF(ISNUMBER({0}),{0}/{months},\"—\")", cell(SHORTFALL)),
        _ => "=\"—\"".to_owned(),
    };
    formula(sheet, (row, PACE), &text, pace, decimal)?;
    for (at, part, goal) in
        [(COVER, COVERED, data.targets.org_coverage), (WORK, WORK_COVERED, data.targets.work_coverage)]
    {
        let rate = table.coverage(part);
        let (whole, covered) = (ranges(ENTRIES, &[rows]), sum_where(ENTRIES, at, &[rows]));
        let text = format!("=IF(SUM({whole})>0,({covered})/SUM({whole}),\"—\")");
        formula(sheet, (row, at + 1), &text, rate, percent)?;
        number(sheet, (row, at + 2), Some(goal / 100.0), percent)?;
        let text = format!("=IF(ISNUMBER({0}),({0}-{1})*100,\"—\")", cell(at + 1), cell(at + 2));
        formula(sheet, (row, at + 3), &text, rate.map(|r| r * 100.0 - goal), decimal)?;
    }
    Ok(())
}

/// What the reader must know beside the figures; returns the next free row.
fn remarks(
    sheet: &mut Worksheet,
    row: u32,
    (data, table): (&ReportData, &StreamTable),
    grid: &Grid,
    styles: &Styles,
) -> Result<u32, XlsxError> {
    let names = |f: &dyn Fn(&Line) -> bool| -> Vec<&str> {
        table.lines.iter().filter(|l| f(l)).map(|l| l.unit.name.as_str()).collect()
    };
    let mut text = format!(
        "注：覆盖率＝覆盖数÷台账在册数；排名按累计新建占任务数的比例，并列的名次相同。目标日期{}，",
        wording::day(data.targets.by)
    );
    text += &match table.months_left {
        months @ 1.. => format!("本期之后还有{months}个月。"),
        _ => "已经到期。".to_owned(),
    };
    let silent = names(&|l| l.values.is_none());
    if !silent.is_empty() {
        text += &format!("未含尚无统计表数据的单位：{}。", silent.join("、"));
    }
    let unbooked = names(&|l| l.values.is_some() && l.entries.is_none());
    if !unbooked.is_empty() {
        text += &format!("已报统计表、台账无在册组织的单位（不计入覆盖率）：{}。", unbooked.join("、"));
    }
    grid.line(sheet, row, &text, styles)?;
    Ok(row + 1)
}
