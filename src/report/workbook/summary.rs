//! 汇总: every unit in every stream with the form's figures, the quota and the place; totals as live formulas. Pure.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::{Block, district_coverage, formula, ranges, short_name, sum_formula, sum_where};
use crate::form::definition::RateOf;
use crate::form::{Column, Datum, Form};
use crate::ledger::obligation::Obligation;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles};
use crate::report::table::{FOUNDED_TOTAL, Line, ORGS, ReportData, StreamTable, adds_up, ratio, sum};
use crate::report::wording;
use crate::workbook::a1;

/// Group of the columns about the quota.
const QUOTA: &str = "任务完成情况";
const NOTE: &str = "注：空格表示未报，不作零计，也不计入合计。各单位的覆盖率按本单位填报数重新计算；小计、合计的覆盖率以台账在册数为分母，只计已建台账单位的覆盖数。每月还需＝（任务数－累计新建）÷距目标日期的月数。";

/// Where each column lies, zero-based.
struct Layout<'a> {
    form: &'a Form,
    columns: Vec<(&'a Column, u16)>,
    stream: u16,
    state: u16,
    entries: u16,
    quota: u16,
    completion: u16,
    rank: u16,
    pace: u16,
}

impl Layout<'_> {
    fn of(&self, key: &str) -> Option<u16> {
        self.columns.iter().find(|(c, _)| c.key == key).map(|(_, at)| *at)
    }
}

/// Fills the sheet; returns where each stream's rows lie, for the chart of founded organisations against quotas.
pub fn write(
    sheet: &mut Worksheet,
    data: &ReportData,
    tables: &[StreamTable],
    styles: &Styles,
) -> Result<Vec<Block>, XlsxError> {
    sheet.set_name("汇总")?;
    let Some(form) = data.figures_form() else { return Ok(Vec::new()) };
    let (grid, layout) = plan(data, form, tables);
    let laid = grid.open(sheet, styles)?;
    let mut next = laid.first_row;
    let mut blocks: Vec<Block> = Vec::new();
    let mut breaks = Vec::new();
    let shown: Vec<&StreamTable> = tables.iter().filter(|t| !t.lines.is_empty()).collect();
    for table in &shown {
        let first = next;
        for line in &table.lines {
            let values = unit_values(data, &layout, table, line, next - laid.first_row + 1 - blocks.len() as u32);
            grid.row(sheet, next, &values, styles)?;
            unit_formulas(sheet, next, &layout, (table, line), styles)?;
            next += 1;
        }
        let rows = (first, next - 1);
        let label = format!("小计（{}）", table.stream.title);
        total_row(sheet, (next, &label), &layout, (&[*table], &[rows]), styles)?;
        let values = layout.of(FOUNDED_TOTAL).map(|bars| (bars, layout.quota));
        blocks.push(Block { stream: table.stream.title.clone(), rows, unit: layout.stream - 1, values });
        next += 1;
        breaks.push(next);
    }
    breaks.pop();
    sheet.set_page_breaks(&breaks)?;
    if shown.len() > 1 {
        let rows: Vec<(u32, u32)> = blocks.iter().map(|b| b.rows).collect();
        total_row(sheet, (next, "合计"), &layout, (&shown, &rows), styles)?;
        next += 1;
    }
    sheet.autofilter(laid.header_end, 0, next.saturating_sub(1).max(laid.header_end), layout.pace)?;
    grid.line(sheet, next, NOTE, styles)?;
    Ok(blocks)
}

fn plan<'a>(data: &ReportData, form: &'a Form, tables: &[StreamTable]) -> (Grid, Layout<'a>) {
    let mut columns: Vec<GridColumn> = Vec::new();
    let mut at = Vec::new();
    let mut stream = 1;
    for column in &form.columns {
        at.push((column, columns.len() as u16));
        // No number in the column is wider than the one in its last row.
        let total = sum(tables.iter().map(|t| t.total(&column.key))).map(Datum::Int);
        let mut grid_column = GridColumn::of_form(form, column, total.iter());
        if column.key == form.identity {
            grid_column.width = 16.0;
            columns.push(grid_column);
            stream = columns.len() as u16;
            columns.push(GridColumn::new("条线", Look::Centre, 8.6));
        } else {
            columns.push(grid_column);
        }
    }
    let state = columns.len() as u16;
    columns.extend([
        GridColumn::new("报送情况", Look::Centre, 5.4),
        GridColumn::new("台账在册数", Look::Count, 5.4),
        GridColumn::under(QUOTA, "任务数", Look::Count, 5.2),
        GridColumn::under(QUOTA, "完成率", Look::Percent, 6.8),
        GridColumn::under(QUOTA, "排名", Look::Count, 4.5),
        GridColumn::under(QUOTA, "每月还需", Look::Decimal, 5.2),
    ]);
    let [entries, quota, completion, rank, pace] = [1, 2, 3, 4, 5].map(|n| state + n);
    let title = format!(
        "{}{}（{}）",
        data.department.district,
        wording::join(&data.campaign.title, &form.title),
        data.period.chinese()
    );
    let grid = Grid { fixed: stream + 1, ..Grid::new(title, wording::sheet_note(data), columns) };
    (grid, Layout { form, columns: at, stream, state, entries, quota, completion, rank, pace })
}

/// The row's plain values; cells that hold formulas stay empty here.
fn unit_values(data: &ReportData, layout: &Layout, table: &StreamTable, line: &Line, seq: u32) -> Vec<Datum> {
    let mut values = vec![Datum::Null; usize::from(layout.pace) + 1];
    for (column, at) in &layout.columns {
        values[usize::from(*at)] = match column.key.as_str() {
            key if layout.form.is_sequence(key) => Datum::Int(i64::from(seq)),
            key if key == layout.form.identity => Datum::Text(line.unit.name.clone()),
            key if layout.form.rates.iter().any(|r| r.rate == key) => Datum::Null,
            key => line.values.and_then(|v| v.get(key)).cloned().unwrap_or(Datum::Null),
        };
    }
    let own = |o: &&Obligation| o.unit == line.unit.name && o.stream == table.stream.key && o.form == layout.form.key;
    let state = data.obligations.iter().find(own).map(|o| o.state.chinese().to_owned());
    let int = |n: Option<i64>| n.map_or(Datum::Null, Datum::Int);
    values[usize::from(layout.stream)] = Datum::Text(short_name(table.stream).to_owned());
    values[usize::from(layout.state)] = state.map_or(Datum::Null, Datum::Text);
    values[usize::from(layout.entries)] = int(line.entries);
    values[usize::from(layout.quota)] = int(line.quota);
    values[usize::from(layout.rank)] = int(line.rank.map(i64::from));
    values
}

/// Rates and pace as live formulas, where they are known; an unknown one stays an empty cell.
fn unit_formulas(
    sheet: &mut Worksheet,
    row: u32,
    layout: &Layout,
    (table, line): (&StreamTable, &Line),
    styles: &Styles,
) -> Result<(), XlsxError> {
    let cell = |column: u16| a1(row, u32::from(column));
    let mut known = |at: u16, text: String, now: Option<f64>, look: Look| match now {
        Some(_) => formula(sheet, (row, at), &text, now, styles.body(look)),
        None => Ok(()),
    };
    for rate in &layout.form.rates {
        let columns = (layout.of(&rate.rate), layout.of(&rate.part), layout.of(&rate.whole));
        if let (Some(at), Some(part), Some(whole)) = columns {
            known(at, divide(&cell(part), &cell(whole)), line.form_rate(rate), Look::Percent)?;
        }
    }
    if let Some(founded) = layout.of(FOUNDED_TOTAL) {
        let (done, quota) = (cell(founded), cell(layout.quota));
        known(layout.completion, divide(&done, &quota), line.completion(), Look::Percent)?;
        let text = pace_formula(&done, &quota, table.months_left);
        known(layout.pace, text, table.pace(line.shortfall()), Look::Decimal)?;
    }
    Ok(())
}

/// A row of sums over the rows of `tables`, which lie in `rows`.
fn total_row(
    sheet: &mut Worksheet,
    (row, label): (u32, &str),
    layout: &Layout,
    (tables, rows): (&[&StreamTable], &[(u32, u32)]),
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_row_height(row, 22.0)?;
    for column in 0..=layout.pace {
        sheet.write_blank(row, column, styles.total(Look::Centre))?;
    }
    sheet.merge_range(row, 0, row, layout.stream, label, styles.total(Look::Centre))?;
    let add = |f: &dyn Fn(&StreamTable) -> Option<i64>| sum(tables.iter().map(|t| f(t))).map(|n| n as f64);
    let count = styles.total(Look::Count);
    for (column, at) in layout.columns.iter().filter(|(c, _)| adds_up(layout.form, c)) {
        formula(sheet, (row, *at), &sum_formula(*at, rows), add(&|t| t.total(&column.key)), count)?;
    }
    formula(sheet, (row, layout.entries), &sum_formula(layout.entries, rows), add(&|t| t.entries()), count)?;
    for rate in &layout.form.rates {
        total_rate(sheet, row, layout, (rate, tables, rows), styles)?;
    }
    let target = add(&|t| t.target());
    super::number(sheet, (row, layout.quota), target, count)?;
    if let Some(founded) = layout.of(FOUNDED_TOTAL) {
        let (done, quota) = (a1(row, u32::from(founded)), a1(row, u32::from(layout.quota)));
        let founded = add(&|t| t.total(FOUNDED_TOTAL));
        let (done_now, target_now) = (founded.map(|n| n as i64), target.map(|n| n as i64));
        let completion = ratio(done_now, target_now);
        formula(sheet, (row, layout.completion), &divide(&done, &quota), completion, styles.total(Look::Percent))?;
        let left = target_now.zip(done_now).map(|(target, done)| target.saturating_sub(done).max(0));
        let months = tables.first().map_or(0, |t| t.months_left);
        let pace = tables.first().and_then(|t| t.pace(left));
        let text = pace_formula(&done, &quota, months);
        formula(sheet, (row, layout.pace), &text, pace, styles.total(Look::Decimal))?;
    }
    Ok(())
}

/// A rate over the rows of `tables`: of organisations by the active ledger entries, else by the sums of part and whole.
fn total_rate(
    sheet: &mut Worksheet,
    row: u32,
    layout: &Layout,
    (rate, tables, rows): (&RateOf, &[&StreamTable], &[(u32, u32)]),
    styles: &Styles,
) -> Result<(), XlsxError> {
    let columns = (layout.of(&rate.rate), layout.of(&rate.part), layout.of(&rate.whole));
    let (Some(at), Some(part), Some(whole)) = columns else { return Ok(()) };
    let format = styles.total(Look::Percent);
    if rate.whole != ORGS {
        let total = |key: &str| sum(tables.iter().map(|t| t.total(key)));
        let text = divide(&a1(row, u32::from(part)), &a1(row, u32::from(whole)));
        return formula(sheet, (row, at), &text, ratio(total(&rate.part), total(&rate.whole)), format);
    }
    let (whole, covered) = (ranges(layout.entries, rows), sum_where(layout.entries, part, rows));
    let text = format!("=IF(SUM({whole})>0,({covered})/SUM({whole}),\"—\")");
    formula(sheet, (row, at), &text, district_coverage(tables, &rate.part), format)
}

/// `part ÷ whole`, a dash where either is unknown or the whole is zero.
fn divide(part: &str, whole: &str) -> String {
    format!("=IF(AND(ISNUMBER({part}),N({whole})>0),{part}/{whole},\"—\")")
}

fn pace_formula(done: &str, quota: &str, months: i32) -> String {
    match months {
        1.. => format!("=IF(AND(ISNUMBER({done}),ISNUMBER({quota})),MAX({quota}-{done},0)/{months},\"—\")"),
        _ => "=\"—\"".to_owned(),
    }
}
