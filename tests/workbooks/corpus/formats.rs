//! Formats, and what programs get wrong in them.

use super::fixture::{Fixture, progress, register};
use crate::formats::separated::{Dialect, Encoding, encode, text};
use crate::formats::xls::{self, EXCEL_95, EXCEL_97};
use crate::formats::xlsx::Oddity;
use crate::formats::{Format, html, spreadsheetml, zip};

pub fn fixtures() -> Vec<Fixture> {
    [workbooks(), texts(), archives()].concat()
}

fn workbooks() -> Vec<Fixture> {
    let odd = |oddity| Format::OddXlsx(oddity);
    let plain = Oddity::default();
    vec![
        register("Excel 2007").format(Format::Xlsx),
        register("a macro workbook").file("台账.xlsm"),
        register("text in the cells").format(odd(Oddity { inline: true, ..plain })),
        register("prefixes on every element").format(odd(Oddity { prefixed: true, ..plain })),
        register("dates from 1904").format(odd(Oddity { from_1904: true, ..plain })),
        register("targets with a slash").format(odd(Oddity { absolute: true, ..plain })),
        register("Excel 97").format(Format::Xls(EXCEL_97)),
        register("Excel 97 with text in the cells").format(Format::Xls(xls::Dialect { inline: true, ..EXCEL_97 })),
        register("Excel 97 with dates from 1904").format(Format::Xls(xls::Dialect { from_1904: true, ..EXCEL_97 })),
        register("WPS").format(Format::Xls(EXCEL_97)).file("台账.et"),
        progress("Excel 95").format(Format::Xls(EXCEL_95)),
        register("Excel 97 without its container")
            .format(Format::Xls(EXCEL_97))
            .raw(|pages, _| xls::stream(pages, EXCEL_97)),
        register("Excel 97 with a formula that nobody computed")
            .cell("F5", "?")
            .but(0, "members", "")
            .told(&[("W06", "F5")])
            .format(Format::Xls(EXCEL_97)),
        register("Excel 2007 named as Excel 97").file("台账.xls"),
        register("Excel 97 named as Excel 2007").format(Format::Xls(EXCEL_97)).file("台账.xlsx"),
        register("Excel 2007 without any ending").file("台账"),
        register("an OpenDocument spreadsheet").format(Format::Ods),
        register("half of Excel 2007").raw(|_, bytes| bytes[..bytes.len() / 2].to_vec()).refused("damaged"),
        register("half of Excel 97")
            .format(Format::Xls(EXCEL_97))
            .raw(|_, bytes| bytes[..bytes.len() / 2].to_vec())
            .refused("damaged"),
    ]
}

fn texts() -> Vec<Fixture> {
    let separated = |encoding, delimiter| Format::Separated(Dialect { encoding, delimiter });
    let gbk = separated(Encoding::Gbk, ',');
    vec![
        register("GBK with commas").format(gbk),
        register("UTF-8 with commas").format(separated(Encoding::Utf8, ',')),
        register("UTF-8 with a mark and semicolons").format(separated(Encoding::Utf8Marked, ';')),
        register("Unicode text of Excel").format(separated(Encoding::Utf16, '\t')).file("台账.txt"),
        register("tabs named as a workbook").format(separated(Encoding::Gbk, '\t')).file("台账.xls"),
        progress("figures in GBK").format(gbk),
        register("a declared delimiter")
            .format(gbk)
            .raw(|pages, _| encode(&format!("sep=;\r\n{}", text(&pages[0], ';')), Encoding::Gbk)),
        register("a comma and a quote in a field")
            .cell("L5", "新\"办\", 已核")
            .but(0, "remark", "新\"办\", 已核")
            .format(gbk),
        register("a line break in a field").cell("L5", "新办\\n已核").but(0, "remark", "新办已核").format(gbk),
        register("line feeds alone")
            .format(gbk)
            .raw(|pages, _| encode(&text(&pages[0], ',').replace("\r\n", "\n"), Encoding::Gbk)),
        register("carriage returns alone")
            .format(gbk)
            .raw(|pages, _| encode(&text(&pages[0], ',').replace("\r\n", "\r"), Encoding::Gbk)),
        register("a text of digits in a formula").cell("C5", "=\"705801342\"").format(gbk).but(0, "code", "705801342"),
        register("a page with a table").format(Format::Html),
        register("a page in GBK")
            .format(Format::Html)
            .raw(|pages, _| encode(&html::write(&pages[0]).replace("utf-8", "gb2312"), Encoding::Gbk)),
        register("a page that declares the wrong charset")
            .format(Format::Html)
            .raw(|pages, _| encode(&html::write(&pages[0]), Encoding::Gbk)),
        register("a page whose cells are never closed")
            .format(Format::Html)
            .raw(|pages, _| html::write(&pages[0]).replace("</td>", "").replace("</tr>", "").into_bytes()),
        register("XML of Excel 2003").format(Format::SpreadsheetMl),
        register("XML of Excel 2003 in GBK").format(Format::SpreadsheetMl).raw(|pages, _| {
            encode(
                &spreadsheetml::write(pages).replace("version=\"1.0\"", "version=\"1.0\" encoding=\"gbk\""),
                Encoding::Gbk,
            )
        }),
        register("XML of Excel 2003 with a formula that nobody computed")
            .cell("F5", "?")
            .but(0, "members", "")
            .told(&[("W06", "F5")])
            .format(Format::SpreadsheetMl),
        register("XML that breaks off")
            .format(Format::SpreadsheetMl)
            .raw(|_, bytes| bytes[..bytes.len() / 2].to_vec())
            .refused("damaged"),
    ]
}

fn archives() -> Vec<Fixture> {
    vec![
        register("a zip archive").packed("报表.zip", zip::plain),
        register("a zip archive with names in GBK").file("八月台账.xlsx").packed("报表.zip", zip::gbk),
        register("a zip archive without its ending").packed("报表", zip::plain),
        register("archives in archives").nested(3),
        register("archives too deep").nested(4).refused("limit"),
        register("a zip archive that breaks off")
            .packed("报表.zip", zip::plain)
            .raw_of(|bytes| bytes[..bytes.len() - 30].to_vec())
            .refused("damaged"),
        register("a lock file beside the workbook")
            .packed("报表.zip", |files| zip::plain(&[files[0], ("~$台账.xlsx", b"x"), ("__MACOSX/台账.xlsx", b"x")])),
    ]
}
