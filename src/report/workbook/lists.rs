//! 变动、问题、报送情况: plain lists, unit by unit. Pure.

use rust_xlsxwriter::{Worksheet, XlsxError};

use crate::form::record::Values;
use crate::form::{Datum, Form};
use crate::report::findings_sheet;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, YesNo};
use crate::report::standing::brief;
use crate::report::table::{Arrival, Change, OpenFinding, ReportData};
use crate::report::wording;

/// 变动: what the period's books changed.
pub fn changes(sheet: &mut Worksheet, data: &ReportData, changes: &[Change], styles: &Styles) -> Result<(), XlsxError> {
    let columns = vec![
        GridColumn::new("序号", Look::Centre, 6.0),
        GridColumn::new("单位", Look::Text, 20.0),
        GridColumn::new("条线", Look::Centre, 14.0),
        GridColumn::new("组织名称", Look::Text, 34.0),
        GridColumn::new("变动", Look::Centre, 12.0),
        GridColumn::new("内容", Look::Text, 60.0),
    ];
    let mut listed: Vec<&Change> = changes.iter().collect();
    listed.sort_by_key(|c| place(data, &c.unit));
    let rows = listed.iter().enumerate().map(|(i, change)| {
        vec![
            Datum::Int(i as i64 + 1),
            text(&change.unit),
            text(stream_title(data, &change.stream)),
            text(&change.name),
            text(change.kind.chinese()),
            Datum::Text(data.book_form().map(|f| difference(f, &change.before, &change.after)).unwrap_or_default()),
        ]
    });
    list(sheet, data, ("变动", "台账变动情况", columns), &rows.collect::<Vec<_>>(), styles)
}

/// 问题: every open finding, by unit; then those that were waived, with who and why.
pub fn findings(sheet: &mut Worksheet, data: &ReportData, styles: &Styles) -> Result<(), XlsxError> {
    let mut columns = vec![
        GridColumn::new("序号", Look::Centre, 6.0),
        GridColumn::new("单位", Look::Text, 18.0),
        GridColumn::new("条线", Look::Centre, 12.0),
        GridColumn::new("报表", Look::Centre, 9.0),
    ];
    columns.extend(findings_sheet::columns());
    columns.push(GridColumn::new("处理", Look::Text, 24.0));
    let mut listed: Vec<&OpenFinding> = data.findings.iter().collect();
    // What was settled comes last.
    listed.sort_by_key(|f| (f.waived.is_some(), place(data, &f.unit), f.finding.severity));
    let rows = listed.iter().enumerate().map(|(i, open)| {
        let mut row = vec![
            Datum::Int(i as i64 + 1),
            text(&open.unit),
            text(stream_title(data, &open.stream)),
            Datum::Text(form_title(data, &open.form)),
        ];
        row.extend(findings_sheet::values(&open.finding));
        row.push(open.waived.clone().map_or(Datum::Null, Datum::Text));
        row
    });
    list(sheet, data, ("问题", "待改问题清单", columns), &rows.collect::<Vec<_>>(), styles)
}

/// 报送情况: what arrived when, and which version counts.
pub fn arrivals(sheet: &mut Worksheet, data: &ReportData, styles: &Styles) -> Result<(), XlsxError> {
    let columns = vec![
        GridColumn::new("序号", Look::Centre, 6.0),
        GridColumn::new("收到时间", Look::Centre, 17.0),
        GridColumn::new("单位", Look::Text, 20.0),
        GridColumn::new("条线", Look::Centre, 14.0),
        GridColumn::new("报表", Look::Centre, 10.0),
        GridColumn::new("所属期", Look::Centre, 11.0),
        GridColumn::new("版本", Look::Centre, 9.0),
        GridColumn::new("处理", Look::Centre, 10.0),
        GridColumn::new("采用", Look::Centre, 7.0),
        GridColumn::new("文件", Look::Text, 34.0),
        GridColumn::new("工作表", Look::Text, 16.0),
        GridColumn::new("发件地址", Look::Text, 26.0),
    ];
    let mut listed: Vec<&Arrival> = data.arrivals.iter().collect();
    listed.sort_by_key(|a| a.received_at);
    let zone = data.generated_at.timezone();
    let rows = listed.iter().enumerate().map(|(i, arrival)| {
        let late = if arrival.period < data.period { "（补报）" } else { "" };
        vec![
            Datum::Int(i as i64 + 1),
            Datum::Text(arrival.received_at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()),
            text(&arrival.unit),
            text(stream_title(data, &arrival.stream)),
            Datum::Text(form_title(data, &arrival.form)),
            Datum::Text(format!("{}{late}", arrival.period.chinese())),
            arrival.version.map_or(Datum::Null, |v| Datum::Text(format!("第{v}版"))),
            text(arrival.outcome.chinese()),
            text(if arrival.counts { "√" } else { "" }),
            text(&arrival.file),
            text(&arrival.sheet),
            text(&arrival.from),
        ]
    });
    list(sheet, data, ("报送情况", "报送情况登记表", columns), &rows.collect::<Vec<_>>(), styles)
}

/// One filterable list: sheet name, title and columns.
fn list(
    sheet: &mut Worksheet,
    data: &ReportData,
    (name, title, columns): (&str, &str, Vec<GridColumn>),
    rows: &[Vec<Datum>],
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    let title = format!("{}{}{title}", data.department.district, data.period.chinese());
    let grid = Grid { fixed: 2, ..Grid::new(title, wording::sheet_note(data), columns) };
    let laid = grid.open(sheet, styles)?;
    let next = grid.rows(sheet, laid, rows, styles)?;
    if rows.is_empty() {
        grid.line(sheet, next, "（无）", styles)?;
    }
    Ok(())
}

/// What differs, column by column: `党员总数 3→5；书记姓名 （空）→…`. Of a new entry nothing.
fn difference(form: &Form, before: &Values, after: &Values) -> String {
    if before.is_empty() || after.is_empty() {
        return String::new();
    }
    let told = |value: &Datum, heading: &str| match value {
        Datum::Null => "（空）".to_owned(),
        Datum::Bool(b) => YesNo::of(heading).word(*b).to_owned(),
        Datum::Int(n) => n.to_string(),
        Datum::Rate(r) => format!("{r}%"),
        Datum::Text(s) => s.clone(),
    };
    let differs = |column: &&crate::form::Column| !form.is_sequence(&column.key);
    let parts = form.columns.iter().filter(differs).filter_map(|column| {
        let value = |values: &Values| values.get(&column.key).cloned().unwrap_or(Datum::Null);
        let (old, new, label) = (value(before), value(after), column.label());
        (old != new).then(|| format!("{label} {}→{}", told(&old, &label), told(&new, &label)))
    });
    parts.collect::<Vec<_>>().join("；")
}

fn text(s: &str) -> Datum {
    if s.is_empty() { Datum::Null } else { Datum::Text(s.to_owned()) }
}

fn place(data: &ReportData, unit: &str) -> usize {
    data.registry.units.iter().position(|u| u.name == unit).unwrap_or(usize::MAX)
}

fn stream_title<'a>(data: &'a ReportData, key: &'a str) -> &'a str {
    data.campaign.stream(key).map_or(key, |s| &s.title)
}

fn form_title(data: &ReportData, key: &str) -> String {
    data.campaign.form(key).map_or_else(|| key.to_owned(), |f| brief(&f.short_title))
}
