//! OpenDocument spreadsheets, as LibreOffice and WPS save them (ODF 1.2, part 1).

use super::{escaped, zip};
use crate::page::{Ink, Page};

pub fn write(pages: &[Page]) -> Vec<u8> {
    package(&content(pages))
}

/// A spreadsheet with this content.
pub fn package(content: &str) -> Vec<u8> {
    let manifest = "<?xml version=\"1.0\"?><manifest:manifest \
                    xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"><manifest:file-entry \
                    manifest:full-path=\"/\" manifest:media-type=\"application/vnd.oasis.opendocument.spreadsheet\"/>\
                    <manifest:file-entry manifest:full-path=\"content.xml\" manifest:media-type=\"text/xml\"/>\
                    </manifest:manifest>";
    zip::plain(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
        ("META-INF/manifest.xml", manifest.as_bytes()),
    ])
}

pub const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-content \
     xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
     xmlns:style=\"urn:oasis:names:tc:opendocument:xmlns:style:1.0\" \
     xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" \
     xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" office:version=\"1.2\">\
     <office:automatic-styles><style:style style:name=\"gone\" style:family=\"table\">\
     <style:table-properties table:display=\"false\"/></style:style></office:automatic-styles>\
     <office:body><office:spreadsheet>";
pub const TAIL: &str = "</office:spreadsheet></office:body></office:document-content>";

fn content(pages: &[Page]) -> String {
    let mut out = HEAD.to_owned();
    for page in pages {
        let style = if page.hidden { " table:style-name=\"gone\"" } else { "" };
        out.push_str(&format!("<table:table table:name=\"{}\"{style}>", escaped(&page.name)));
        let (rows, columns) = page.size();
        for column in 0..columns {
            let hidden = page.hidden_columns.contains(&column);
            out.push_str(&format!("<table:table-column{}/>", collapsed(hidden)));
        }
        for row in 0..rows {
            out.push_str(&format!("<table:table-row{}>", collapsed(page.hidden_rows.contains(&row))));
            (0..columns).for_each(|column| out.push_str(&cell(page, (row, column))));
            out.push_str("</table:table-row>\n");
        }
        // What every such file ends in: the rest of the sheet, as if it were there.
        out.push_str("<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>");
        out.push_str("</table:table>");
    }
    out + TAIL
}

fn collapsed(hidden: bool) -> &'static str {
    if hidden { " table:visibility=\"collapse\"" } else { "" }
}

fn cell(page: &Page, at: (u32, u32)) -> String {
    let region = page.region(at);
    if region.is_some_and(|(first, _)| first != at) {
        return "<table:covered-table-cell/>".to_owned();
    }
    let spans = region.map_or(String::new(), |(first, last)| {
        let (down, across) = (last.0 - first.0 + 1, last.1 - first.1 + 1);
        format!(" table:number-rows-spanned=\"{down}\" table:number-columns-spanned=\"{across}\"")
    });
    let ink = page.cells.get(&at).unwrap_or(&Ink::Blank);
    let value = |kind: &str, value: String| format!(" office:value-type=\"{kind}\"{value}");
    let number = |n: &f64| format!(" office:value=\"{n}\"");
    let attributes = match ink {
        Ink::Blank => String::new(),
        Ink::Text(_) => value("string", String::new()),
        Ink::Number(n) => value("float", number(n)),
        Ink::Percent(n) => value("percentage", number(n)),
        Ink::Day(day) => value("date", format!(" office:date-value=\"{day}\"")),
        Ink::Bool(b) => value("boolean", format!(" office:boolean-value=\"{b}\"")),
        Ink::Error(_) => {
            " table:formula=\"of:=#REF!\" office:value-type=\"string\" office:string-value=\"\"".to_owned()
        }
        Ink::Formula(n) => format!(" table:formula=\"of:=1+1\"{}", value("float", number(n))),
        Ink::Uncomputed => " table:formula=\"of:=1+1\"".to_owned(),
    };
    let shown = ink.shown();
    let paragraphs: String = shown.lines().map(|line| format!("<text:p>{}</text:p>", escaped(line))).collect();
    format!("<table:table-cell{attributes}{spans}>{paragraphs}</table:table-cell>")
}
