//! The sender's own table sent back (退表): every sheet as it came, the cells with findings filled and noted, and in front
//! a list of all findings. Corrected and sent back, it is read as the original would be. Pure.
//!
//! Kept are names, positions, values with their types, merged regions and what is hidden; formulas but the sums of
//! totals have become their values, and looks are made anew, since none are read. Only workbooks that were read within their limits come here.

mod copy;
mod layout;
mod looks;
mod marks;
mod regions;
mod sums;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use chrono_tz::Tz;
use rust_xlsxwriter::{Color, Worksheet};

use self::copy::Copy;
use self::layout::{Block, Layout};
use self::looks::{Kind, Palette};
use self::marks::{Mark, marks, place};
use self::regions::{At, Regions};
use self::sums::sums;
use super::Error;
use super::findings_sheet::{Line, Listing};
use super::sheet::{Styles, new_workbook};
use crate::form::{Finding, Severity, findings_list};
use crate::workbook::{Cell, CellValue, Sheet, Workbook, a1};

/// Cells, merged positions, ruled empty cells and hidden rows together; an honest book of ten thousand rows fits.
const WEIGHT: u64 = 300_000;
/// Of the finished file, so that no provider refuses the mail that it is attached to.
pub const BYTES: usize = 5 << 20;
/// 应建未建, 应派未派.
const WORK: [&str; 3] = ["R06", "R07", "R08"];
/// Findings of one table.
const LISTED: usize = 10_000;
/// The file format's limit for a cell's text, in UTF-16 units.
const LONGEST: usize = 32_767;
/// What the name of such a file ends in.
const MARKED: &str = "（已标出问题）";
/// A file's name is cut to so many characters; its end says more than its beginning.
const NAME: usize = 80;

/// The finding is about a cell or a row, which can be marked.
pub fn is_placed(finding: &Finding) -> bool {
    let place = &finding.place;
    place.sheet.is_some() && (place.cell.is_some() || place.row.is_some())
}

/// There is something to put right or to check in a cell. What says only that work is still to be done for an
/// organisation is no fault of the table, and is told in the receipt.
pub fn is_worth_it<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> bool {
    findings.into_iter().any(|f| f.severity != Severity::Info && is_placed(f) && !WORK.contains(&f.rule.as_str()))
}

/// `报表.zip/松涛镇/台账.xls` → `报表_松涛镇_台账（已标出问题）.xlsx`: unit and month are still told by the name.
pub fn file_name(path: &str) -> String {
    let stem = |part: &str| {
        let extension = part.rsplit_once('.').filter(|(stem, extension)| {
            let short = (2..=4).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
            !stem.is_empty() && short && extension.contains(|c: char| c.is_ascii_alphabetic())
        });
        extension.map_or(part, |(stem, _)| stem).trim().to_owned()
    };
    let parts: Vec<String> = path.split('/').map(stem).filter(|part| !part.is_empty()).collect();
    let barred = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    let name = parts.join("_").replace(MARKED, "").replace(barred, "_");
    let skipped = name.chars().count().saturating_sub(NAME);
    format!("{}{MARKED}.xlsx", name.chars().skip(skipped).collect::<String>())
}

/// The workbook as .xlsx bytes. `findings` are those of this file; `author` signs the notes; `at` is its creation time.
/// `None` where it would be too large to be sent.
pub fn build(book: &Workbook, findings: &[Finding], author: &str, at: DateTime<Tz>) -> Result<Option<Vec<u8>>, Error> {
    // The list of a table that comes back with findings once more is made anew.
    let sheets: Vec<&Sheet> = book.sheets.iter().filter(|sheet| !findings_list::is_ours(sheet)).collect();
    let Some(pages) = pages(&sheets, findings).filter(|_| findings.len() <= LISTED) else { return Ok(None) };
    let mut out = new_workbook(findings_list::NAME, author, at)?;
    let mut palette = Palette::default();
    list(out.add_worksheet(), &pages, findings)?;
    for page in &pages {
        let sheet = out.add_worksheet().set_name(&page.name)?;
        sheet.set_hidden(page.sheet.hidden);
        let Page { sheet: from, regions, layout, marks, sums, .. } = page;
        Copy { sheet: from, regions, layout, marks, sums, author }.write(sheet, &mut palette)?;
    }
    Ok(Some(out.save_to_buffer()?).filter(|bytes| bytes.len() <= BYTES))
}

/// A sheet, what it will be called, and all that was found out about it.
struct Page<'a> {
    sheet: &'a Sheet,
    name: String,
    regions: Regions,
    layout: Layout,
    marks: BTreeMap<At, Mark>,
    sums: BTreeMap<At, (u32, u32)>,
}

/// `None` where all together would be too large.
fn pages<'a>(sheets: &[&'a Sheet], findings: &[Finding]) -> Option<Vec<Page<'a>>> {
    let mut left = WEIGHT;
    let mut names = BTreeSet::from([findings_list::NAME.to_owned()]);
    let mut pages = Vec::new();
    for sheet in sheets {
        left = left.checked_sub((sheet.cells.len() + sheet.hidden_rows.len()) as u64)?;
        let regions = Regions::of(sheet, left)?;
        let marks = marks(sheet, &regions, findings);
        let wrong = marks.iter().filter(|(_, mark)| mark.severity != Severity::Info).map(|(at, _)| at.0);
        let layout = Layout::of(sheet, &regions, &wrong.collect());
        let ruled: u64 = layout.blocks.iter().map(Block::area).sum();
        left = left.checked_sub(regions.positions() + ruled.saturating_sub(sheet.cells.len() as u64))?;
        let sums = sums(sheet, &layout.blocks);
        pages.push(Page { sheet, name: name(&sheet.name, &mut names), regions, layout, marks, sums });
    }
    Some(pages)
}

/// A name that Excel allows, nearest to the sheet's own, and not taken yet. Most are left as they are.
fn name(own: &str, taken: &mut BTreeSet<String>) -> String {
    let allowed = |c: char| if "*?:[]\\/".contains(c) || c.is_control() { '_' } else { c };
    let plain: String = own.chars().map(allowed).collect();
    let plain = plain.trim_matches('\'');
    let plain = if plain.is_empty() { "Sheet" } else { plain };
    let numbered = (1..).map(|n| {
        let number = if n == 1 { String::new() } else { format!(" ({n})") };
        format!("{}{number}", prefix(plain, 31 - number.len()).trim_end_matches('\''))
    });
    let name = numbered.into_iter().find(|name| !taken.contains(&name.to_lowercase())).unwrap_or_default();
    taken.insert(name.to_lowercase());
    name
}

/// Every finding, each with a link to its cell.
fn list(out: &mut Worksheet, pages: &[Page], findings: &[Finding]) -> Result<(), Error> {
    out.set_name(findings_list::NAME)?.set_tab_color(Color::Red);
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity);
    let lines: Vec<Line> = sorted.into_iter().map(|finding| line(pages, finding)).collect();
    let listing =
        Listing { title: findings_list::TITLE.to_owned(), note: note(pages, findings), lines, in_one_file: true };
    Ok(listing.write(out, &Styles::new())?)
}

fn line<'a>(pages: &'a [Page], finding: &'a Finding) -> Line<'a> {
    let placed = pages.iter().find_map(|page| Some((page, place(page.sheet, &page.regions, finding)?)));
    let Some((page, at)) = placed else { return Line::new(finding) };
    let hidden = page.sheet.hidden_rows.contains(&at.0) || page.sheet.hidden_columns.contains(&at.1);
    Line {
        link: Some(format!("internal:'{}'!{}", page.name.replace('\'', "''"), a1(at.0, at.1))),
        content: finding.place.cell.as_ref().and_then(|_| page.sheet.cells.get(&at)).map(shown),
        remark: if hidden { "（在隐藏的行列里）" } else { "" },
        ..Line::new(finding)
    }
}

fn note(pages: &[Page], findings: &[Finding]) -> String {
    let of = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let counts = [
        (of(Severity::Error), "处错误（红色），改正后才能入账"),
        (of(Severity::Warning), "处提醒（黄色），请核对"),
        (of(Severity::Info), "处说明（蓝色）"),
    ];
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count}{what}")).collect();
    let mut lines = vec![
        format!("{}。", told.join("；")),
        "在后面各表的有色单元格里直接改，鼠标移到该格可以看批注；点下面“单元格”一栏可以跳到该格。".to_owned(),
        match of(Severity::Error) {
            0 => "情况属实的不用改；要改的，改好后保存，直接回复邮件、附上本文件即可。".to_owned(),
            _ => "改好后保存，直接回复邮件、附上本文件即可；没有颜色的格也可以改。".to_owned(),
        },
    ];
    if pages.iter().any(|page| page.sheet.cells.values().any(|cell| cell.formula)) {
        lines.push("原表里的公式，除合计行的求和外，在这里已换成当时的数；没有存下数的留空。".to_owned());
    }
    lines.join("\n")
}

/// A cell as the sender sees it, about.
fn shown(cell: &Cell) -> Cow<'_, str> {
    let rounded = |n: f64| (n * 1e8).round() / 1e8;
    match &cell.value {
        CellValue::Text(text) | CellValue::Error(text) => Cow::Borrowed(text),
        CellValue::Number(n) if Kind::of(cell) == Kind::PercentExact => format!("{:.2}%", n * 100.0).into(),
        CellValue::Number(n) if cell.percent => format!("{}%", n * 100.0).into(),
        CellValue::Number(n) => rounded(*n).to_string().into(),
        CellValue::Bool(yes) => Cow::Borrowed(if *yes { "TRUE" } else { "FALSE" }),
        CellValue::Date(at) => at.date().to_string().into(),
        CellValue::Uncached => Cow::Borrowed("（公式，没有存数）"),
        CellValue::Disputed(readings) => readings.join("、").into(),
    }
}

/// A text that a cell can hold.
fn shortened(text: &str) -> &str {
    prefix(text, LONGEST)
}

/// The beginning of a text, of at most so many UTF-16 units.
fn prefix(text: &str, units: usize) -> &str {
    let mut left = units;
    let mut room = |c: char| left.checked_sub(c.len_utf16()).inspect(|rest| left = *rest).is_some();
    let end = text.char_indices().find(|(_, c)| !room(*c)).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
mod tests;
