//! 图表: per stream two native charts, drawn from 汇总 and 通报: founded organisations against the quotas, and coverage
//! against its goal. One page a stream. Pure.

use rust_xlsxwriter::{
    Chart, ChartDataLabel, ChartEmptyCells, ChartFont, ChartFormat, ChartLegendPosition, ChartLine, ChartLineDashType,
    ChartMarker, ChartMarkerType, ChartSolidFill, ChartType, Color, Worksheet, XlsxError,
};

use super::Block;
use crate::report::sheet::{Fit, SONG, Styles, paper};
use crate::report::table::ReportData;

/// Pixels of one chart; two make an A4 page in landscape.
const WIDE: u32 = 1080;
const HIGH: u32 = 316;
/// Rows of a page, of 20 pixels each, the title's included.
const PAGE_ROWS: u32 = 34;

/// `quotas` are rows of 汇总, `coverage` rows of 通报.
pub fn write(sheet: &mut Worksheet, data: &ReportData, quotas: &[Block], coverage: &[Block]) -> Result<(), XlsxError> {
    sheet.set_name("图表")?.set_default_row_height_pixels(20);
    let styles = Styles::new();
    let mut breaks = Vec::new();
    for (i, (quota, cover)) in quotas.iter().zip(coverage).enumerate() {
        let top = i as u32 * PAGE_ROWS;
        let title = format!("{}{}{}进展图", data.department.district, data.period.chinese(), quota.stream);
        sheet.merge_range(top, 0, top, 14, &title, &styles.title)?;
        sheet.set_row_height_pixels(top, 32)?;
        let founded = Plot {
            sheet: "汇总",
            title: format!("{}新建党组织累计数与任务数", quota.stream),
            bars: "累计新建党组织",
            line: "任务数",
            format: "0",
            colour: 0x4472C4,
        };
        sheet.insert_chart_with_offset(top + 1, 0, &founded.chart(quota, Some(ChartMarkerType::LongDash)), 6, 4)?;
        let covered = Plot {
            sheet: "通报",
            title: format!("{}组织覆盖率与目标", cover.stream),
            bars: "组织覆盖率",
            line: "目标",
            format: "0%",
            colour: 0x70AD47,
        };
        sheet.insert_chart_with_offset(top + 18, 0, &covered.chart(cover, None), 6, 4)?;
        breaks.push(top + PAGE_ROWS);
    }
    breaks.pop();
    paper(sheet, Fit::OnePage, None)?;
    sheet.set_page_breaks(&breaks)?;
    sheet.set_screen_gridlines(false);
    Ok(())
}

/// Bars by unit with a line across.
struct Plot {
    sheet: &'static str,
    title: String,
    bars: &'static str,
    line: &'static str,
    format: &'static str,
    colour: u32,
}

impl Plot {
    /// The line is drawn through its points, or, with a marker, as one dash above each bar.
    fn chart(&self, block: &Block, marker: Option<ChartMarkerType>) -> Chart {
        let mut chart = Chart::new(ChartType::Column);
        let Some((bars, line)) = block.values else { return chart };
        let (first, last) = block.rows;
        let range = |column: u16| (self.sheet, first, column, last, column);
        let font = |size: f64| ChartFont::new().set_name(SONG).set_size(size).clone();
        chart
            .add_series()
            .set_name(self.bars)
            .set_categories(range(block.unit))
            .set_values(range(bars))
            .set_gap(60)
            .set_data_label(ChartDataLabel::new().show_value().set_num_format(self.format).set_font(&font(8.0)))
            .set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(Color::RGB(self.colour))));
        let red = Color::RGB(0xC0_0000);
        let mut target = Chart::new(ChartType::Line);
        let mut stroke = ChartLine::new();
        stroke.set_color(red).set_width(2.0).set_dash_type(ChartLineDashType::Dash);
        let series = target.add_series().set_name(self.line);
        series.set_categories(range(block.unit)).set_values(range(line));
        match marker {
            None => {
                series.set_format(ChartFormat::new().set_line(&stroke)).set_marker(ChartMarker::new().set_none());
            }
            Some(kind) => {
                let mut fill = ChartFormat::new();
                fill.set_solid_fill(ChartSolidFill::new().set_color(red));
                let mut mark = ChartMarker::new();
                mark.set_type(kind).set_size(9).set_format(&mut fill);
                series.set_format(ChartFormat::new().set_no_line()).set_marker(&mark);
            }
        }
        chart.combine(&target).set_width(WIDE).set_height(HIGH).show_empty_cells_as(ChartEmptyCells::Gaps);
        chart.title().set_name(&self.title).set_font(font(12.0).set_bold());
        chart.x_axis().set_font(font(9.0).set_rotation(-45));
        let pale = ChartLine::new().set_color(Color::RGB(0xD9_D9D9)).clone();
        chart.y_axis().set_font(&font(9.0)).set_num_format(self.format).set_min(0).set_major_gridlines_line(&pale);
        chart.legend().set_position(ChartLegendPosition::Top).set_font(&font(9.0));
        chart
    }
}
