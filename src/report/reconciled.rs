//! 名单比对结果: a list from elsewhere beside the ledger: 汇总、未摸排、不在名单、一致、疑似. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use chrono_tz::Tz;
use rust_xlsxwriter::{Workbook, XlsxError};

use super::workbook::short_name;
use crate::config::{Department, Registry};
use crate::form::{Campaign, Datum};
use crate::ledger::reconcile::{By, Organisation, Outcome, Pair, Similar, differences};
use crate::period::Period;
use crate::report::Error;
use crate::report::grid::{Grid, GridColumn};
use crate::report::sheet::{Look, Styles, new_workbook};
use crate::report::wording;

/// Both sides and what the comparison found. The indexes of `outcome` are places in `listed` and `kept`.
#[derive(Clone, Debug)]
pub struct Reconciled<'a> {
    pub department: &'a Department,
    pub registry: &'a Registry,
    pub campaign: &'a Campaign,
    /// The list's file.
    pub file: &'a str,
    /// The ledger after this period's books; `None`: as it stands.
    pub as_of: Option<Period>,
    /// Only this stream of the ledger; its key.
    pub stream: Option<&'a str>,
    pub at: DateTime<Tz>,
    /// Headings of the list that are none of the four that are compared.
    pub others: Vec<String>,
    pub listed: Vec<Listed>,
    pub kept: Vec<Kept>,
    pub outcome: Outcome,
}

/// A row of the list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub organisation: Organisation,
    /// Where a street column or the address names one.
    pub unit: Option<String>,
    /// `Sheet1 第12行`
    pub place: String,
    /// One for each of the other headings.
    pub others: Vec<String>,
}

/// An entry of the ledger.
#[derive(Clone, Debug)]
pub struct Kept {
    pub organisation: Organisation,
    pub unit: String,
    pub stream: String,
}

/// No unit is known.
const NOBODY: &str = "（未能判断）";
/// Columns of the list that are shown beside the compared ones, at most; one sheet ends somewhere.
const MOST_OTHERS: usize = 40;

impl Reconciled<'_> {
    /// The registry's order; what is nobody's comes last.
    fn place(&self, unit: Option<&str>) -> usize {
        let units = &self.registry.units;
        unit.and_then(|name| units.iter().position(|u| u.name == name)).unwrap_or(units.len())
    }

    fn stream(&self, key: &str) -> Datum {
        Datum::Text(self.campaign.stream(key).map_or(key, short_name).to_owned())
    }

    fn sorted(&self, indexes: &[usize], unit: impl Fn(usize) -> Option<String>) -> Vec<usize> {
        let mut sorted = indexes.to_vec();
        sorted.sort_by_cached_key(|i| {
            let unit = unit(*i);
            (self.place(unit.as_deref()), unit, *i)
        });
        sorted
    }

    /// The likeliest other of each that is on one side only.
    fn proposals(&self, side: impl Fn(&Similar) -> (usize, usize)) -> BTreeMap<usize, usize> {
        let mut found = BTreeMap::new();
        for (this, other) in self.outcome.similar.iter().map(side) {
            found.entry(this).or_insert(other);
        }
        found
    }

    fn note(&self) -> String {
        let ledger = self.as_of.map_or_else(|| "当前".to_owned(), |p| format!("截至{}", p.chinese()));
        let stream = self.stream.and_then(|key| self.campaign.stream(key));
        let stream = stream.map(|s| format!("（{}）", short_name(s))).unwrap_or_default();
        format!(
            "名单：{}　　台账：{ledger}{stream}　　制表：{}　　{}",
            self.file,
            self.department.name,
            wording::day(self.at)
        )
    }
}

/// The workbook as .xlsx bytes.
pub fn build(data: &Reconciled) -> Result<Vec<u8>, Error> {
    let mut book = new_workbook("名单比对结果", &data.department.name, data.at)?;
    let styles = Styles::new();
    summary(&mut book, data, &styles)?;
    unsurveyed(&mut book, data, &styles)?;
    unlisted(&mut book, data, &styles)?;
    same(&mut book, data, &styles)?;
    if !data.outcome.similar.is_empty() {
        similar(&mut book, data, &styles)?;
    }
    Ok(book.save_to_buffer()?)
}

const RULES: [&str; 4] = [
    "一致：代码相同；代码无法比较时，名称相同（全角半角、括号、“有限责任公司”与“有限公司”不作区别）。",
    "未摸排：名单上有，各单位台账里都没有。单位按名单的街道（镇）一列或地址判断，判断不了的排在最后。",
    "不在名单：台账里有（未销户），名单上没有；可能是没有登记、已注销、名称写错或迁到区外。",
    "疑似：很像同一家但不能确定，没有算作一致，仍列在“未摸排”和“不在名单”里，请人工核对。",
];

fn summary(book: &mut Workbook, data: &Reconciled, styles: &Styles) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name("汇总")?;
    let counts = ["台账在册", "其中一致", "不在名单", "未摸排"];
    let mut columns = vec![GridColumn::new("序号", Look::Centre, 8.0), GridColumn::new("单位", Look::Text, 40.0)];
    columns.extend(counts.map(|heading| GridColumn::new(heading, Look::Count, 16.0)));
    let title = format!("{}名单与台账比对汇总", data.department.district);
    let grid = Grid::new(title, data.note(), columns);
    let laid = grid.open(sheet, styles)?;
    let matched: BTreeSet<usize> = data.outcome.same.iter().map(|p| p.kept).collect();
    let mut rows: BTreeMap<(usize, String), [i64; 4]> = BTreeMap::new();
    let mut count = |unit: Option<&str>, column: usize| {
        let name = unit.unwrap_or(NOBODY).to_owned();
        rows.entry((data.place(unit), name)).or_default()[column] += 1;
    };
    for (i, kept) in data.kept.iter().enumerate().filter(|(_, k)| !k.organisation.closed) {
        count(Some(&kept.unit), 0);
        count(Some(&kept.unit), if matched.contains(&i) { 1 } else { 2 });
    }
    data.outcome.unsurveyed.iter().for_each(|i| count(data.listed[*i].unit.as_deref(), 3));
    let total = rows.values().fold([0; 4], |sum, row| [0, 1, 2, 3].map(|i| sum[i] + row[i]));
    let values = |number: Datum, name: &str, counts: &[i64; 4]| {
        [number, Datum::Text(name.to_owned())].into_iter().chain(counts.map(Datum::Int)).collect::<Vec<_>>()
    };
    let mut next = laid.first_row;
    for (i, ((_, unit), counts)) in rows.iter().enumerate() {
        grid.row(sheet, next, &values(Datum::Int(i as i64 + 1), unit, counts), styles)?;
        next += 1;
    }
    grid.row(sheet, next, &values(Datum::Null, "合计", &total), styles)?;
    let closed = data.outcome.same.iter().filter(|p| data.kept[p.kept].organisation.closed).count();
    // The table counts who is in the books; the list may still have one that was closed.
    let closed =
        if closed > 0 { format!("（{closed}行是台账里已销户的，不计入上表）") } else { String::new() };
    let list = format!(
        "名单共{}行：一致{}行{closed}，未摸排{}行；其中与前面的行重复的{}行。疑似{}对。",
        data.listed.len(),
        data.listed.len() - data.outcome.unsurveyed.len(),
        data.outcome.unsurveyed.len(),
        data.outcome.repeats.len(),
        data.outcome.similar.len()
    );
    for (i, text) in std::iter::once(list.as_str()).chain(RULES).enumerate() {
        grid.line(sheet, next + 1 + i as u32, text, styles)?;
    }
    Ok(())
}

fn unsurveyed(book: &mut Workbook, data: &Reconciled, styles: &Styles) -> Result<(), XlsxError> {
    let others = &data.others[..data.others.len().min(MOST_OTHERS)];
    let mut columns = front(&["单位（推断）"]);
    columns.extend(organisation());
    columns.extend(others.iter().map(|heading| GridColumn::new(heading, Look::Text, 12.0)));
    columns.extend([GridColumn::new("名单位置", Look::Text, 15.0), GridColumn::new("备注", Look::Text, 24.0)]);
    let proposed = data.proposals(|s| (s.listed, s.kept));
    let order = data.sorted(&data.outcome.unsurveyed, |i| data.listed[i].unit.clone());
    let rows = order.into_iter().enumerate().map(|(n, i)| {
        let listed = &data.listed[i];
        let mut row = vec![Datum::Int(n as i64 + 1), text(listed.unit.as_deref().unwrap_or_default())];
        row.extend(cells(&listed.organisation));
        row.extend(listed.others.iter().take(others.len()).map(|t| text(t)));
        let similar = proposed.get(&i).map(|k| {
            let kept = &data.kept[*k];
            format!("疑似{}台账的“{}”", kept.unit, kept.organisation.name)
        });
        let repeat = data.outcome.repeats.get(&i).map(|first| format!("名单中与{}重复", data.listed[*first].place));
        let remark: Vec<String> = similar.into_iter().chain(repeat).collect();
        row.extend([text(&listed.place), text(&remark.join("；"))]);
        row
    });
    list(book, data, ("未摸排", "未摸排名单", columns), rows.collect(), styles)
}

fn unlisted(book: &mut Workbook, data: &Reconciled, styles: &Styles) -> Result<(), XlsxError> {
    let mut columns = front(&["单位", "条线"]);
    columns.extend(organisation());
    columns.push(GridColumn::new("备注", Look::Text, 28.0));
    let proposed = data.proposals(|s| (s.kept, s.listed));
    let order = data.sorted(&data.outcome.unlisted, |k| Some(data.kept[k].unit.clone()));
    let rows = order.into_iter().enumerate().map(|(n, k)| {
        let kept = &data.kept[k];
        let mut row = vec![Datum::Int(n as i64 + 1), text(&kept.unit), data.stream(&kept.stream)];
        row.extend(cells(&kept.organisation));
        let similar = proposed
            .get(&k)
            .map(|i| format!("疑似名单上的“{}”（{}）", data.listed[*i].organisation.name, data.listed[*i].place));
        row.push(text(&similar.unwrap_or_default()));
        row
    });
    list(book, data, ("不在名单", "台账中不在名单上的组织", columns), rows.collect(), styles)
}

fn same(book: &mut Workbook, data: &Reconciled, styles: &Styles) -> Result<(), XlsxError> {
    let mut columns = front(&["单位", "条线"]);
    for (group, look, width) in BOTH {
        columns.extend(["台账", "名单"].map(|side| GridColumn::under(group, side, look, width)));
    }
    columns.extend([
        GridColumn::new("认定依据", Look::Centre, 6.4),
        GridColumn::new("差异", Look::Text, 14.0),
        GridColumn::new("名单位置", Look::Text, 12.0),
    ]);
    let all: Vec<usize> = (0..data.outcome.same.len()).collect();
    let order = data.sorted(&all, |p| Some(data.kept[data.outcome.same[p].kept].unit.clone()));
    let rows = order.into_iter().enumerate().map(|(n, p)| {
        let Pair { listed, kept, by } = data.outcome.same[p];
        let (listed_at, listed) = (data.listed[listed].place.as_str(), &data.listed[listed].organisation);
        let kept = &data.kept[kept];
        let mut row = vec![Datum::Int(n as i64 + 1), text(&kept.unit), data.stream(&kept.stream)];
        row.extend(both(&kept.organisation, listed));
        row.push(text(if by == By::Code { "代码" } else { "名称" }));
        row.extend([text(&differences(listed, &kept.organisation).join("；")), text(listed_at)]);
        row
    });
    list(book, data, ("一致", "名单与台账一致的组织", columns), rows.collect(), styles)
}

fn similar(book: &mut Workbook, data: &Reconciled, styles: &Styles) -> Result<(), XlsxError> {
    let mut columns = front(&["单位", "条线"]);
    columns.push(GridColumn::new("疑似的理由", Look::Text, 16.0));
    for (group, look, width) in BOTH {
        columns.extend(["台账", "名单"].map(|side| GridColumn::under(group, side, look, width)));
    }
    columns.extend([GridColumn::new("名单位置", Look::Text, 12.0), GridColumn::new("是否同一家", Look::Centre, 7.0)]);
    let all: Vec<usize> = (0..data.outcome.similar.len()).collect();
    let order = data.sorted(&all, |s| Some(data.kept[data.outcome.similar[s].kept].unit.clone()));
    let rows = order.into_iter().enumerate().map(|(n, s)| {
        let similar = &data.outcome.similar[s];
        let (listed, kept) = (&data.listed[similar.listed], &data.kept[similar.kept]);
        let mut row =
            vec![Datum::Int(n as i64 + 1), text(&kept.unit), data.stream(&kept.stream), text(&similar.reason)];
        row.extend(both(&kept.organisation, &listed.organisation));
        row.extend([text(&listed.place), Datum::Null]);
        row
    });
    list(book, data, ("疑似", "疑似同一家、需要人工核对的组织", columns), rows.collect(), styles)
}

/// What is shown of both sides, side by side.
const BOTH: [(&str, Look, f64); 4] = [
    ("名称", Look::Text, 17.0),
    ("代码", Look::Digits, 11.5),
    ("法定代表人", Look::Text, 7.4),
    ("地址", Look::Text, 16.0),
];

fn both(kept: &Organisation, listed: &Organisation) -> Vec<Datum> {
    cells(kept).into_iter().zip(cells(listed)).flat_map(|(kept, listed)| [kept, listed]).collect()
}

fn front(headings: &[&str]) -> Vec<GridColumn> {
    let mut columns = vec![GridColumn::new("序号", Look::Centre, 6.0)];
    columns.extend(headings.iter().map(|h| GridColumn::new(h, Look::Text, if *h == "条线" { 9.4 } else { 16.0 })));
    columns
}

fn organisation() -> [GridColumn; 4] {
    [
        GridColumn::new("名称", Look::Text, 28.0),
        GridColumn::new("代码", Look::Digits, 19.0),
        GridColumn::new("法定代表人（负责人）", Look::Text, 11.0),
        GridColumn::new("地址", Look::Text, 28.0),
    ]
}

fn cells(o: &Organisation) -> [Datum; 4] {
    [text(&o.name), text(&o.code), text(&o.legal_rep), text(&o.address)]
}

fn text(s: &str) -> Datum {
    if s.is_empty() { Datum::Null } else { Datum::Text(s.to_owned()) }
}

/// One filterable list: sheet name, title and columns.
fn list(
    book: &mut Workbook,
    data: &Reconciled,
    (name, title, columns): (&str, &str, Vec<GridColumn>),
    rows: Vec<Vec<Datum>>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(name)?;
    let title = format!("{}{title}（共{}条）", data.department.district, rows.len());
    let wide = columns.iter().map(|c| c.width).sum::<f64>() > 230.0;
    let grid = Grid { fixed: 2, two_pages: wide, ..Grid::new(title, data.note(), columns) };
    let laid = grid.open(sheet, styles)?;
    let next = grid.rows(sheet, laid, &rows, styles)?;
    if rows.is_empty() {
        grid.line(sheet, next, "（无）", styles)?;
    }
    Ok(())
}
