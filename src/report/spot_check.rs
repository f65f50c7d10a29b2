//! 抽查核查表: the organisations of a spot check, a sheet a unit, to take along and fill in. Pure.
//!
//! On the left what the ledger says, on the right room for what was found. How to draw the same sample again stands on it.

use chrono::DateTime;
use chrono_tz::Tz;
use rust_xlsxwriter::{Workbook, XlsxError};

use super::workbook::short_name;
use crate::config::Department;
use crate::form::findings_list::SPOT_CHECK;
use crate::form::record::Values;
use crate::form::{Campaign, Datum, FormKind};
use crate::period::Period;
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, new_workbook, sheet_name};
use crate::report::wording;

/// What is drawn, and from what.
#[derive(Clone, Debug)]
pub struct SpotCheck<'a> {
    pub department: &'a Department,
    pub campaign: &'a Campaign,
    pub seed: &'a str,
    /// Asked for; there may be fewer entries.
    pub size: usize,
    /// The ledger after this period's books; `None`: as it stands.
    pub as_of: Option<Period>,
    /// Only this stream was drawn from; its key.
    pub stream: Option<&'a str>,
    pub drawn_at: DateTime<Tz>,
    /// In the registry's order.
    pub units: Vec<Unit>,
}

#[derive(Clone, Debug)]
pub struct Unit {
    pub name: String,
    /// Active entries of the ledger.
    pub entries: usize,
    /// Stream and values, in the order in which they are to be visited.
    pub drawn: Vec<(String, Values)>,
}

/// Columns of the ledger that help on the spot, with their widths, as far as the form has them.
const KNOWN: [(&str, f64); 10] = [
    ("name", 17.0),
    ("code", 11.5),
    ("address", 17.0),
    ("legal_rep", 7.4),
    ("phone", 12.6),
    ("members", 5.2),
    ("party_org", 14.0),
    ("party_org_kind", 6.2),
    ("secretary", 7.4),
    ("instructor", 7.4),
];
const LEDGER: &str = "台账登记内容";
const FOUND: &str = "现场核查";

/// The workbook as .xlsx bytes.
pub fn build(check: &SpotCheck) -> Result<Vec<u8>, Error> {
    let mut book = new_workbook("抽查核查表", &check.department.name, check.drawn_at)?;
    let styles = Styles::new();
    summary(&mut book, check, &styles)?;
    let mut names: Vec<String> = Vec::new();
    for unit in check.units.iter().filter(|u| !u.drawn.is_empty()) {
        let name = free_name(&unit.name, &names);
        sheet(&mut book, check, (unit, &name), &styles)?;
        names.push(name);
    }
    Ok(book.save_to_buffer()?)
}

/// `抽样说明`: how many of which unit, and how to draw the same again.
fn summary(book: &mut Workbook, check: &SpotCheck, styles: &Styles) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name("抽样说明")?;
    let columns = vec![
        GridColumn::new("序号", Look::Centre, 8.0),
        GridColumn::new("单位", Look::Text, 40.0),
        GridColumn::new("在册数", Look::Count, 16.0),
        GridColumn::new("抽取数", Look::Count, 16.0),
        GridColumn::new("抽取比例", Look::Percent, 16.0),
    ];
    let grid = Grid::new(format!("{}台账抽查抽样说明", check.department.district), how(check), columns);
    let laid = grid.open(sheet, styles)?;
    let row = |number: Datum, name: &str, entries: usize, drawn: usize| {
        let rate = drawn as f64 * 100.0 / entries.max(1) as f64;
        let count = |n: usize| Datum::Int(n as i64);
        vec![number, Datum::Text(name.to_owned()), count(entries), count(drawn), Datum::Rate(rate)]
    };
    let mut next = laid.first_row;
    for (i, unit) in check.units.iter().enumerate() {
        let values = row(Datum::Int(i as i64 + 1), &unit.name, unit.entries, unit.drawn.len());
        grid.row(sheet, next, &values, styles)?;
        next += 1;
    }
    let (entries, drawn) = check.units.iter().fold((0, 0), |(e, d), u| (e + u.entries, d + u.drawn.len()));
    grid.row(sheet, next, &row(Datum::Null, "合计", entries, drawn), styles)?;
    for (i, text) in RULES.iter().enumerate() {
        grid.line(sheet, next + 1 + i as u32, text, styles)?;
    }
    Ok(())
}

const RULES: [&str; 3] = [
    "抽样方法：按单位分层，各单位的抽取数按在册数的比例分配（最大余额法），有台账的单位至少抽一家（总数够分时）；单位内按随机种子排出次序，取前几家。",
    "同一份台账、同样的随机种子和数量，任何时候重抽，结果都一样；其他单位的台账增减，不影响本单位的排序。",
    "每个单位一张表，打印后带到现场填写；这些表供核查用，不是报表，不用报送。",
];

/// `随机种子：…　　抽取数量：…　　台账：…　　抽取时间：…`
fn how(check: &SpotCheck) -> String {
    let ledger = check.as_of.map_or_else(|| "当前".to_owned(), |p| format!("截至{}", p.chinese()));
    let stream = check.stream.and_then(|key| check.campaign.stream(key));
    let stream = stream.map(|s| format!("（{}）", short_name(s))).unwrap_or_default();
    format!(
        "随机种子：{}　　抽取数量：{}　　台账：{ledger}{stream}　　抽取日期：{}",
        check.seed,
        check.size,
        wording::day(check.drawn_at)
    )
}

fn sheet(
    book: &mut Workbook,
    check: &SpotCheck,
    (unit, name): (&Unit, &str),
    styles: &Styles,
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(name)?;
    let Some(form) = check.campaign.forms.iter().find(|f| f.kind == FormKind::Book) else { return Ok(()) };
    let known: Vec<_> = KNOWN.iter().filter_map(|(key, width)| Some((form.column(key)?, *width))).collect();
    let mut columns = vec![GridColumn::new("序号", Look::Centre, 4.4)];
    if check.stream.is_none() {
        columns.push(GridColumn::new("条线", Look::Centre, 6.2));
    }
    let front = columns.len();
    columns.extend(known.iter().map(|(c, width)| GridColumn::under(LEDGER, c.leaf(), Look::of(c), *width)));
    let room = [("核查情况", 21.0), ("是否属实", 5.6), ("核查人", 8.0), ("日期", 8.0), ("备注", 10.0)];
    columns.extend(room.map(|(heading, width)| GridColumn::under(FOUND, heading, Look::Text, width)));
    let width = columns.len();
    let title = format!("{SPOT_CHECK}（{}）", unit.name);
    let note = format!("在册{}家，抽取{}家　　{}", unit.entries, unit.drawn.len(), how(check));
    let grid = Grid { fixed: front as u16 + 1, ..Grid::new(title, note, columns) };
    let laid = grid.open(sheet, styles)?;
    let mut next = laid.first_row;
    for (i, (stream, values)) in unit.drawn.iter().enumerate() {
        let mut row = vec![Datum::Int(i as i64 + 1)];
        if check.stream.is_none() {
            let title = check.campaign.stream(stream).map_or(stream.as_str(), short_name);
            row.push(Datum::Text(title.to_owned()));
        }
        row.extend(known.iter().map(|(c, _)| values.get(&c.key).cloned().unwrap_or(Datum::Null)));
        row.resize(width, Datum::Null);
        grid.row_at_least(sheet, next, (&row, 3), styles)?;
        next += 1;
    }
    grid.line(sheet, next, SIGNED, styles)
}

const SIGNED: &str =
    "核查人（签字）：　　　　　　　　　被核查单位负责人（签字）：　　　　　　　　　核查日期：　　　　年　　月　　日";

/// A sheet's name that no other has, whatever case it is in.
fn free_name(unit: &str, taken: &[String]) -> String {
    let wanted = sheet_name(unit);
    let numbered = (2..).map(|n| format!("{}{n}", wanted.chars().take(28).collect::<String>()));
    let free = |name: &String| !name.is_empty() && !taken.iter().any(|t| t.to_lowercase() == name.to_lowercase());
    std::iter::once(wanted.clone()).chain(numbered).find(free).unwrap_or(wanted)
}
