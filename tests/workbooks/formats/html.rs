//! A page with a table, as exporters of web systems write it and name it .xls.

use super::escaped;
use crate::page::{Ink, Page};

pub fn write(page: &Page) -> String {
    let (rows, columns) = page.size();
    let mut out = String::from(
        "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><head><meta http-equiv=Content-Type \
         content=\"text/html; charset=utf-8\"><style>td{mso-number-format:General}</style></head><body>\n<table border=1>\n",
    );
    for row in 0..rows {
        out.push_str(if page.hidden_rows.contains(&row) { "<tr style='display:none'>" } else { "<tr>" });
        for column in 0..columns {
            let at = (row, column);
            let region = page.region(at);
            if region.is_some_and(|(first, _)| first != at) {
                continue;
            }
            let (first, last) = region.unwrap_or((at, at));
            let ink = page.cells.get(&at).unwrap_or(&Ink::Blank);
            let noted = match ink {
                Ink::Number(n) | Ink::Formula(n) => format!(" x:num=\"{n}\""),
                Ink::Percent(ratio) => format!(" x:num=\"{ratio}\""),
                _ => String::new(),
            };
            let shown = escaped(&ink.shown()).replace('\n', "<br>");
            let shown = if shown.is_empty() { "&nbsp;" } else { &shown };
            let (down, across) = (last.0 - first.0 + 1, last.1 - first.1 + 1);
            out.push_str(&format!("<td rowspan={down} colspan={across}{noted}>{shown}</td>"));
        }
        out.push_str("</tr>\n");
    }
    out + "</table></body></html>\n"
}
