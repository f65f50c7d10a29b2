//! An official document's parts as .docx, after GB/T 9704-2012. Pure.

use std::io::Cursor;

use chrono::DateTime;
use chrono_tz::Tz;
use docx_rs::{
    AlignmentType, BorderType, Docx, Footer, HeightRule, LineSpacing, LineSpacingType, PageMargin, PageNum, Paragraph,
    ParagraphBorder, ParagraphBorderPosition, ParagraphBorders, Run, RunFonts, SpecialIndentType, TableAlignmentType,
    TableCell, TableCellMargins, TableLayoutType, TableRow, VAlignType, WidthType,
};

use crate::report::Error;
use crate::report::sheet::clean;

/// One part of the document, top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// 发文机关标志: large and red.
    Issuer(String),
    /// 发文字号, above the red line.
    Number(String),
    Title(String),
    /// Below the title: （初报）.
    Subtitle(String),
    /// 主送机关
    To(String),
    /// `一、…`
    Heading(String),
    Body(String),
    AttachmentList(String),
    Signature(String),
    Date(String),
    /// `附件1`, on a new page.
    Attachment(String),
    /// A table's title.
    Caption(String),
    /// 抄送, between two rules.
    CopyTo(String),
    Table(Table),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub header: Vec<String>,
    /// Millimetres.
    pub widths: Vec<usize>,
    /// The last one is the total.
    pub rows: Vec<Vec<String>>,
}

/// Typefaces of official documents. A machine that lacks one shows its nearest; Latin and digits are Times New Roman.
#[derive(Clone, Copy)]
enum Face {
    /// 小标宋
    Title,
    /// 仿宋
    Body,
    /// 黑体
    Heading,
    /// 宋体
    Page,
}

const RED: &str = "FF0000";
/// Half points: size 2, size 3, size 4, and the tables' small five.
const SIZE_2: usize = 44;
const SIZE_3: usize = 32;
const SIZE_4: usize = 28;
const SIZE_TABLE: usize = 20;
/// Twentieths of a point: 22 lines on a page.
const LINE: i32 = 579;
/// Twentieths of a point: one character of size 3.
const CHARACTER: i32 = 320;
/// The text block's width in points: 156 mm.
const WIDTH_POINTS: usize = 442;

/// Writes the parts as a document. `title` and `at` become its properties.
pub fn render(parts: &[Part], title: &str, at: DateTime<Tz>) -> Result<Vec<u8>, Error> {
    let created = at.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let margin = PageMargin::new()
        .top(twips(37))
        .bottom(twips(35))
        .left(twips(28))
        .right(twips(26))
        .header(twips(15))
        .footer(twips(25));
    let mut document = Docx::new()
        .page_size(twips(210) as u32, twips(297) as u32)
        .page_margin(margin)
        .default_fonts(fonts(Face::Body))
        .default_size(SIZE_3)
        .custom_property("title", clean(title))
        .created_at(&created)
        .updated_at(&created)
        .footer(page_number(true))
        .even_footer(page_number(false));
    for part in parts {
        document = match part {
            Part::Table(table) => document.add_table(table_of(table)),
            _ => document.add_paragraph(paragraph_of(part)),
        };
    }
    let mut bytes = Cursor::new(Vec::new());
    document.build().pack(&mut bytes).map_err(|e| Error::Circular(e.to_string()))?;
    Ok(bytes.into_inner())
}

fn paragraph_of(part: &Part) -> Paragraph {
    let centre = AlignmentType::Center;
    match part {
        Part::Issuer(text) => {
            let size = (WIDTH_POINTS * 2 / text.chars().count().max(1)).clamp(SIZE_2, 96) - 4;
            let run = run(text, Face::Title, size).color(RED).bold();
            Paragraph::new().add_run(run).align(centre).line_spacing(LineSpacing::new().before(240).after(480))
        }
        Part::Number(text) => {
            let mut line = line(text, Face::Body, SIZE_3).align(centre);
            let red = ParagraphBorder::new(ParagraphBorderPosition::Bottom).val(BorderType::Single);
            let red = red.size(12).space(4).color(RED);
            line.property = line.property.set_borders(ParagraphBorders::with_empty().set(red));
            line
        }
        Part::Title(text) => {
            let spacing = LineSpacing::new().before(600).line_rule(LineSpacingType::Exact).line(700);
            Paragraph::new().add_run(run(text, Face::Title, SIZE_2)).align(centre).line_spacing(spacing)
        }
        Part::Subtitle(text) => line(text, Face::Body, SIZE_3).align(centre),
        Part::To(text) => {
            let spacing = LineSpacing::new().before(LINE as u32).line_rule(LineSpacingType::Exact).line(LINE);
            line(text, Face::Body, SIZE_3).line_spacing(spacing)
        }
        Part::Heading(text) => indented(line(text, Face::Heading, SIZE_3).keep_next(true)),
        Part::Body(text) => indented(line(text, Face::Body, SIZE_3)).align(AlignmentType::Both),
        Part::AttachmentList(text) => indented(line(text, Face::Body, SIZE_3)),
        Part::Signature(text) => {
            let spacing = LineSpacing::new().before(2 * LINE as u32).line_rule(LineSpacingType::Exact).line(LINE);
            signed(line(text, Face::Body, SIZE_3), 2).line_spacing(spacing).keep_next(true)
        }
        Part::Date(text) => signed(line(text, Face::Body, SIZE_3), 4),
        Part::Attachment(text) => line(text, Face::Heading, SIZE_3).page_break_before(true),
        Part::Caption(text) => {
            let spacing = LineSpacing::new().before(200).after(200).line_rule(LineSpacingType::Exact).line(LINE);
            line(text, Face::Title, SIZE_3 + 4).align(centre).line_spacing(spacing).keep_next(true)
        }
        Part::CopyTo(text) => {
            let rule = |at| ParagraphBorder::new(at).val(BorderType::Single).size(6).space(2);
            let rules = ParagraphBorders::with_empty().set(rule(ParagraphBorderPosition::Top));
            let spacing = LineSpacing::new().before(400).line_rule(LineSpacingType::Exact).line(LINE);
            let mut line = line(text, Face::Body, SIZE_4).line_spacing(spacing);
            line.property = line.property.set_borders(rules.set(rule(ParagraphBorderPosition::Bottom)));
            line
        }
        Part::Table(_) => Paragraph::new(),
    }
}

/// A paragraph on the text's own line pitch.
fn line(text: &str, face: Face, size: usize) -> Paragraph {
    let spacing = LineSpacing::new().line_rule(LineSpacingType::Exact).line(LINE);
    Paragraph::new().add_run(run(text, face, size)).line_spacing(spacing)
}

fn indented(paragraph: Paragraph) -> Paragraph {
    paragraph.indent(Some(0), Some(SpecialIndentType::FirstLine(2 * CHARACTER)), None, None).first_line_chars(200)
}

/// Right-aligned, so many characters from the edge.
fn signed(paragraph: Paragraph, characters: i32) -> Paragraph {
    paragraph.align(AlignmentType::Right).indent(None, None, Some(characters * CHARACTER), None)
}

fn run(text: &str, face: Face, size: usize) -> Run {
    Run::new().add_text(clean(text).replace('\n', " ")).fonts(fonts(face)).size(size)
}

fn fonts(face: Face) -> RunFonts {
    let chinese = match face {
        Face::Title => "方正小标宋简体",
        Face::Body => "仿宋_GB2312",
        Face::Heading => "黑体",
        Face::Page => "宋体",
    };
    let latin = if matches!(face, Face::Page) { "宋体" } else { "Times New Roman" };
    RunFonts::new().east_asia(chinese).ascii(latin).hi_ansi(latin).cs("Times New Roman")
}

/// `— 1 —` in size 4, one character from the outer edge.
fn page_number(right: bool) -> Footer {
    let dash = |text: &str| Run::new().add_text(text).fonts(fonts(Face::Page)).size(SIZE_4);
    let number = Paragraph::new().add_run(dash("— ")).add_page_num(PageNum::new()).add_run(dash(" —"));
    let inset = Some(CHARACTER);
    Footer::new().add_paragraph(if right {
        number.align(AlignmentType::Right).indent(None, None, inset, None)
    } else {
        number.align(AlignmentType::Left).indent(inset, None, None, None)
    })
}

/// A ruled table whose rows are kept whole. The crate cannot repeat the heading; 25 units fit one page.
fn table_of(table: &Table) -> docx_rs::Table {
    let cell = |text: &str, column: usize, face: Face, left: bool| {
        let align = if left { AlignmentType::Left } else { AlignmentType::Center };
        let width = twips(table.widths.get(column).copied().unwrap_or(12) as i32) as usize;
        TableCell::new()
            .add_paragraph(Paragraph::new().add_run(run(text, face, SIZE_TABLE)).align(align))
            .width(width, WidthType::Dxa)
            .vertical_align(VAlignType::Center)
    };
    let row = |texts: &[String], face: Face, high: f32| {
        let cells = texts.iter().enumerate().map(|(i, text)| cell(text, i, face, i == 1 && high < 30.0));
        TableRow::new(cells.collect()).row_height(high * 20.0).height_rule(HeightRule::AtLeast).cant_split()
    };
    let mut rows = vec![row(&table.header, Face::Heading, 34.0)];
    for (i, texts) in table.rows.iter().enumerate() {
        let face = if i + 1 == table.rows.len() { Face::Heading } else { Face::Body };
        rows.push(row(texts, face, 19.0));
    }
    docx_rs::Table::new(rows)
        .set_grid(table.widths.iter().map(|mm| twips(*mm as i32) as usize).collect())
        .margins(TableCellMargins::new().margin(0, 50, 0, 50))
        .layout(TableLayoutType::Fixed)
        .align(TableAlignmentType::Center)
}

/// Twentieths of a point in so many millimetres.
fn twips(millimetres: i32) -> i32 {
    (f64::from(millimetres) * 1440.0 / 25.4).round() as i32
}
