//! SpreadsheetML 2003, as Excel saves “XML 表格 2003” and report tools export.

use super::escaped;
use crate::page::{Ink, Page};

pub fn write(pages: &[Page]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook \
         xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\" \
         xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><Styles><Style ss:ID=\"p\"><NumberFormat \
         ss:Format=\"Percent\"/></Style><Style ss:ID=\"d\"><NumberFormat ss:Format=\"Short Date\"/></Style></Styles>\n",
    );
    for page in pages {
        out.push_str(&format!("<Worksheet ss:Name=\"{}\"><Table>\n", escaped(&page.name)));
        for column in &page.hidden_columns {
            out.push_str(&format!("<Column ss:Index=\"{}\" ss:Hidden=\"1\"/>", column + 1));
        }
        rows(page, &mut out);
        out.push_str("</Table>");
        if page.hidden {
            out.push_str(
                "<WorksheetOptions xmlns=\"urn:schemas-microsoft-com:office:excel\">\
                 <Visible>SheetHidden</Visible></WorksheetOptions>",
            );
        }
        out.push_str("</Worksheet>\n");
    }
    out + "</Workbook>\n"
}

fn rows(page: &Page, out: &mut String) {
    for row in 0..page.size().0 {
        let hidden = if page.hidden_rows.contains(&row) { " ss:Hidden=\"1\"" } else { "" };
        out.push_str(&format!("<Row ss:Index=\"{}\"{hidden}>", row + 1));
        for ((_, column), ink) in page.cells.range((row, 0)..(row + 1, 0)) {
            let merged = page.region((row, *column)).map_or(String::new(), |(first, last)| {
                format!(" ss:MergeAcross=\"{}\" ss:MergeDown=\"{}\"", last.1 - first.1, last.0 - first.0)
            });
            out.push_str(&format!("<Cell ss:Index=\"{}\"{merged}{}</Cell>", column + 1, content(ink)));
        }
        out.push_str("</Row>\n");
    }
}

/// The rest of the opening tag, and the data.
fn content(ink: &Ink) -> String {
    let data =
        |kind: &str, text: String| format!("<Data ss:Type=\"{kind}\">{}</Data>", escaped(&text).replace('\n', "&#10;"));
    match ink {
        Ink::Blank => " ss:StyleID=\"p\">".to_owned(),
        Ink::Text(text) => format!(">{}", data("String", text.clone())),
        Ink::Number(n) => format!(">{}", data("Number", n.to_string())),
        Ink::Percent(n) => format!(" ss:StyleID=\"p\">{}", data("Number", n.to_string())),
        Ink::Day(day) => format!(" ss:StyleID=\"d\">{}", data("DateTime", format!("{day}T00:00:00.000"))),
        Ink::Bool(b) => format!(">{}", data("Boolean", u8::from(*b).to_string())),
        Ink::Error(error) => format!(" ss:Formula=\"=RC[1]\">{}", data("Error", (*error).to_owned())),
        Ink::Formula(n) => format!(" ss:Formula=\"=1+1\">{}", data("Number", n.to_string())),
        Ink::Uncomputed => " ss:Formula=\"=1+1\">".to_owned(),
    }
}
