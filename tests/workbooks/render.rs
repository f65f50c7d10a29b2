//! Known rows in a layout → pages.

use chrono::NaiveDate;
use taizhang::form::Datum;

use crate::columns::{Column, Kind};
use crate::known::{Form, Known, Row, UNIT};
use crate::layout::{Case, Header, Layout};
use crate::page::{At, Ink, Page};
use crate::spelling::ink;

/// A column of the sheet.
enum Placed {
    Form { column: &'static Column, number: usize, heading: &'static str },
    Foreign(&'static str),
    Empty,
}

const FOREIGN: [&str; 4] = ["邮政编码", "传真", "网址", "门牌颜色"];

pub fn pages(case: &Case) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    if case.others > 1 {
        let mut cover = Page::new("封面");
        cover.write((3, 2), "报表汇编");
        pages.push(cover);
    }
    for (i, (known, layout)) in case.tables.iter().enumerate() {
        let names = if known.form == Form::Progress { ["统计表", "附件1"] } else { ["台账", "附件2"] };
        let name = names[usize::from(layout.titles % 2)];
        if layout.cards == 1 {
            for (n, row) in known.rows.iter().enumerate() {
                let mut page = Page::new(&format!("{}", n + 1));
                cards(&mut page, known, layout, std::slice::from_ref(row));
                pages.push(page);
            }
            continue;
        }
        if !(case.together && i > 0) {
            pages.push(Page::new(name));
        }
        let page = pages.last_mut().expect("a page");
        if layout.cards > 1 { cards(page, known, layout, &known.rows) } else { table(page, known, layout) }
    }
    if case.others > 0 {
        let mut other = Page::new("填表说明");
        for (row, text) in ["一、本表每月报送一次。", "二、没有的请填0。"].iter().enumerate() {
            other.write((row as u32, 0), *text);
        }
        pages.push(other);
    }
    if case.old {
        let (known, layout) = &case.tables[0];
        let old = Known::of(known.form, known.enterprises, 3, 7);
        let mut page = Page { hidden: true, ..Page::new("上月") };
        table(&mut page, &old, layout);
        pages.push(page);
    }
    pages
}

/// The columns that are there, with their numbers in the form.
pub fn columns(form: Form, layout: &Layout) -> impl Iterator<Item = (usize, &'static Column)> {
    form.columns().iter().enumerate().filter(|(i, c)| c.required || !layout.absent[*i])
}

/// The table's columns, left to right.
fn placed(known: &Known, layout: &Layout) -> Vec<Placed> {
    let mut columns: Vec<(usize, &'static Column)> = columns(known.form, layout).collect();
    columns.sort_by_key(|(_, c)| layout.order[usize::from(c.block)]);
    let mut out: Vec<Placed> = Vec::new();
    for (n, (number, column)) in columns.iter().enumerate() {
        let inside = n > 0 && columns[n - 1].1.block == column.block;
        for (i, (before, empty)) in layout.foreign.iter().enumerate() {
            if usize::from(*before) == n && !inside && n > 0 {
                out.push(if *empty { Placed::Empty } else { Placed::Foreign(FOREIGN[i % FOREIGN.len()]) });
            }
        }
        let choice = usize::from(layout.words[*number]);
        // Half of the headings are the form's own.
        let heading = column.headings[choice.saturating_sub(4) % column.headings.len()];
        out.push(Placed::Form { column, number: *number, heading });
    }
    out
}

fn table(page: &mut Page, known: &Known, layout: &Layout) {
    let columns = placed(known, layout);
    let left = u32::from(layout.offset.1);
    let right = left + columns.len() as u32 - 1;
    let top = match page.size().0 {
        0 => u32::from(layout.offset.0),
        used => used + 1 + u32::from(layout.gap),
    };
    let mut row = above(page, known, layout, (top, left, right));
    row += header(page, &columns, layout, (row, left));
    if layout.numbered {
        for n in 0..columns.len() as u32 {
            page.put((row, left + n), Ink::Number(f64::from(n + 1)));
        }
        row += 1;
    }
    let first = row;
    let mut at = Vec::new();
    for (n, values) in known.rows.iter().enumerate() {
        line(page, values, layout, (row, left), &columns);
        at.push(row);
        row += 1 + u32::from(layout.blank_rows.iter().any(|b| usize::from(*b) == n));
        if layout.totals == 2 && n == 2 && known.rows.len() > 4 {
            total(page, &known.rows[..3], (row, left), &columns, "小计");
            row += 1;
        }
    }
    if layout.merged_down && known.form == Form::Register {
        merge_down(page, known, &columns, &at, left);
    }
    if let Some(hidden) = layout.hidden_row {
        page.hidden_rows.insert(first + u32::from(hidden) % known.rows.len() as u32);
    }
    if layout.hidden_columns {
        let foreign = columns.iter().enumerate().filter(|(_, c)| !matches!(c, Placed::Form { .. }));
        page.hidden_columns.extend(foreign.map(|(n, _)| left + n as u32));
    }
    if layout.totals > 0 && known.rows.len() > 1 {
        total(page, &known.rows, (row, left), &columns, "合 计");
        row += 1;
    }
    below(page, layout, (row, left, right));
}

/// Titles and the line that names unit and month; the row after them is returned.
fn above(page: &mut Page, known: &Known, layout: &Layout, (top, left, right): (u32, u32, u32)) -> u32 {
    let stream = if known.enterprises { "非公有制企业" } else { "社会组织" };
    let what = if known.form == Form::Progress { "活动进展情况统计表" } else { "活动台账" };
    let month = ["（2011年8月）", "", "（2011.8）", "", "（八月份）"][usize::from(layout.line)];
    let mut row = top;
    if layout.titles > 1 {
        page.write((row, left), if known.form == Form::Progress { "附件1：" } else { "附件2" });
        row += 1;
    }
    if layout.titles > 0 || layout.line == 0 {
        page.merge((row, left), (row, right), Ink::text(format!("{stream}{what}{month}")));
        row += 1;
    }
    match layout.line {
        0 => page.write((row, left), format!("填报单位：{UNIT}（盖章）        填报时间：2011年9月8日")),
        1 => {
            page.write((row, left), format!("填报单位：{UNIT}"));
            page.write((row, right), "所属期：2011年8月");
        }
        2 => {
            page.write((row, left), "填报单位：");
            page.write((row, left + 1), UNIT);
            page.write((row, right - 1), "填报日期：");
            page.put((row, right), Ink::Day(NaiveDate::from_ymd_opt(2011, 9, 8).expect("a day")));
        }
        3 => page.merge((row, left), (row, right), Ink::text(format!("报送单位：棠梨街道   {stream}   2011年8月"))),
        _ => page.write((row, left), format!("填 报 单 位：{UNIT}（公章）")),
    }
    row + 1 + u32::from(layout.gap)
}

/// How a heading looks on the sheet.
fn look(heading: &str, kind: Kind, look: u8) -> String {
    let characters: Vec<String> = heading.chars().map(String::from).collect();
    let cut = characters.len() / 2;
    match (look, kind) {
        (1, _) => format!("{}\n{}", characters[..cut].concat(), characters[cut..].concat()),
        (2, _) => characters.join(" "),
        (3, _) => format!(" {heading} "),
        (4, Kind::Count(unit)) => format!("{heading}（{unit}）"),
        (5, Kind::Count(unit)) => format!("{heading}\n({unit})"),
        _ => heading.to_owned(),
    }
}

/// Returns how many rows it takes.
fn header(page: &mut Page, columns: &[Placed], layout: &Layout, (top, left): At) -> u32 {
    let group = |c: &Placed| if let Placed::Form { column, .. } = c { column.group } else { "" };
    let over = |c: &Placed| if let Placed::Form { column, .. } = c { column.over } else { "" };
    let grouped = columns.iter().any(|c| !group(c).is_empty());
    let deep = layout.header == Header::Deep && columns.iter().any(|c| !over(c).is_empty());
    let joined = layout.header == Header::Joined || !grouped;
    let rows = if joined { 1 } else { 2 + u32::from(deep) };
    if deep {
        run(page, columns, (top, left), over, true);
    }
    if !joined {
        let level = top + u32::from(deep);
        match layout.header {
            Header::Repeated => {
                for (n, c) in columns.iter().enumerate().filter(|(_, c)| !group(c).is_empty()) {
                    page.write((level, left + n as u32), group(c));
                }
            }
            other => run(page, columns, (level, left), group, other != Header::Cut),
        }
    }
    for (n, c) in columns.iter().enumerate() {
        let at = left + n as u32;
        let text = match c {
            Placed::Form { column, number, heading } => {
                let whole = match column.group {
                    _ if !joined => (*heading).to_owned(),
                    "其中" if layout.words[*number].is_multiple_of(2) => format!("其中：{heading}"),
                    // 指导员累计 says itself whose it is.
                    group if column.shared && heading.chars().count() < 4 => format!("{group}{heading}"),
                    _ => (*heading).to_owned(),
                };
                look(&whole, column.kind, layout.looks[*number])
            }
            Placed::Foreign(heading) => (*heading).to_owned(),
            Placed::Empty => continue,
        };
        let from =
            if group(c).is_empty() || joined { top + u32::from(deep && !over(c).is_empty()) } else { top + rows - 1 };
        let down = !matches!(layout.header, Header::Cut | Header::Repeated);
        page.merge((from, at), (if down { top + rows - 1 } else { from }, at), Ink::text(text));
    }
    rows
}

/// Names above the columns that share them, once for each run of columns.
fn run(page: &mut Page, columns: &[Placed], (row, left): At, name: impl Fn(&Placed) -> &'static str, merged: bool) {
    let mut from = 0;
    while from < columns.len() {
        let to =
            (from + 1..columns.len()).find(|n| name(&columns[*n]) != name(&columns[from])).unwrap_or(columns.len());
        if !name(&columns[from]).is_empty() {
            let last = if merged { to - 1 } else { from };
            page.merge((row, left + from as u32), (row, left + last as u32), Ink::text(name(&columns[from])));
        }
        from = to;
    }
}

fn line(page: &mut Page, values: &Row, layout: &Layout, (row, left): At, columns: &[Placed]) {
    for (n, c) in columns.iter().enumerate() {
        let at = (row, left + n as u32);
        match c {
            Placed::Form { column, number, heading } => {
                let turn = *number + values.get("seq").and_then(Datum::int).unwrap_or(0) as usize * 7;
                let spelling = layout.spellings[turn % layout.spellings.len()];
                if let Some(ink) = value(values, column, heading, spelling) {
                    page.put(at, ink);
                }
            }
            Placed::Foreign("邮政编码") => page.write(at, "250000"),
            Placed::Foreign(_) => page.write(at, "绿"),
            Placed::Empty => {}
        }
    }
}

fn value(values: &Row, column: &Column, heading: &str, spelling: u8) -> Option<Ink> {
    let value = &values[column.key];
    match (heading, value) {
        ("是否销户", Datum::Text(status)) => Some(Ink::text(if status == "销户" { "是" } else { "否" })),
        _ => ink(value, column.kind, column.required, spelling),
    }
}

fn total(page: &mut Page, rows: &[Row], (row, left): At, columns: &[Placed], name: &str) {
    page.write((row, left), name);
    for (n, c) in columns.iter().enumerate().filter(|(n, _)| *n > 0) {
        if let Placed::Form { column: Column { key, kind: Kind::Count(_), .. }, .. } = c {
            let sum: i64 = rows.iter().filter_map(|r| r[key].int()).sum();
            page.put((row, left + n as u32), Ink::Number(sum as f64));
        }
    }
}

fn merge_down(page: &mut Page, known: &Known, columns: &[Placed], at: &[u32], left: u32) {
    for (n, c) in columns.iter().enumerate() {
        let Placed::Form { column: Column { key: key @ ("party_org" | "category"), .. }, .. } = c else { continue };
        let column = left + n as u32;
        let mut from = 0;
        while from < at.len() {
            let same = |to: &usize| {
                known.rows[*to][key] == known.rows[from][key]
                    && at[*to] - at[*to - 1] == 1
                    && page.cells.contains_key(&(at[*to], column))
            };
            let to = (from + 1..at.len()).take_while(same).last().unwrap_or(from);
            if to > from && !known.rows[from][key].is_null() && page.cells.contains_key(&(at[from], column)) {
                (from + 1..=to).for_each(|n| drop(page.cells.remove(&(at[n], column))));
                page.merges.push(((at[from], column), (at[to], column)));
            }
            from = to + 1;
        }
    }
}

fn below(page: &mut Page, layout: &Layout, (row, left, right): (u32, u32, u32)) {
    let mut row = row;
    if layout.tail & 1 == 1 {
        row += 1;
        page.write((row, left), "填表人：章一鹤");
        page.write((row, left + 3), "审核人：顾长林");
        page.write((row, right), "联系电话：0531-88001234");
    }
    if layout.tail & 2 == 2 {
        row += 1;
        page.merge((row, left), (row, right), Ink::text("注：本表于每月25日前报送，没有的填0。"));
    }
    for n in 1..=u32::from(layout.formatted) {
        (left..=right).for_each(|column| page.put((row + n, column), Ink::Blank));
    }
}

/// Labels with their values, two pairs a line, one card below or beside the other.
fn cards(page: &mut Page, known: &Known, layout: &Layout, rows: &[Row]) {
    let columns: Vec<(usize, &Column)> = columns(known.form, layout).filter(|(_, c)| c.key != "seq").collect();
    let (mut top, mut left) = (u32::from(layout.offset.0), u32::from(layout.offset.1));
    for values in rows {
        let stream = if known.enterprises { "非公有制企业" } else { "社会组织" };
        page.merge((top, left), (top, left + 3), Ink::text(format!("{stream}活动台账")));
        page.write((top + 1, left), format!("填报单位：{UNIT}"));
        let mut row = top + 2;
        for pair in columns.chunks(2) {
            for (i, (number, column)) in pair.iter().enumerate() {
                let at = left + 2 * i as u32;
                // On a card a label stands alone, so it has to be the form's own or as good.
                page.write((row, at), look(column.headings[0], column.kind, layout.looks[*number] % 4));
                let turn = number + values["seq"].int().unwrap_or(0) as usize;
                let spelling = layout.spellings[turn % layout.spellings.len()];
                if let Some(ink) = value(values, column, column.headings[0], spelling) {
                    page.put((row, at + 1), ink);
                }
            }
            row += 1;
        }
        if layout.cards == 3 { left += 5 } else { top = row + 1 + u32::from(layout.gap) }
    }
}
