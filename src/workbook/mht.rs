//! Web archives (.mht, RFC 2557) that Excel and WPS save, mostly named .xls → sheets. Pure.
//!
//! One part a sheet, all pages (`html`), behind a page that frames them and lists their names; or one page that is all.
//! Pictures and style sheets are passed over. What charset a page has it says itself, or its bytes do.

use super::{Limits, Refusal, Sheet, Workbook, html};
use crate::message::attachment::text_of;
use crate::message::transfer::Encoding;

/// Parts of an archive: sheets and what hangs on them.
const PARTS: usize = 2_000;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let mut left = *limits;
    let mut names = Vec::new();
    let mut sheets: Vec<Sheet> = Vec::new();
    for (location, page) in pages(bytes)? {
        let text = text_of(&page);
        if names.is_empty() {
            names = listed(&text);
        }
        // Frames around the sheets, and the row of their names to click on.
        if text.contains("<frameset") || location.ends_with("tabstrip.htm") {
            continue;
        }
        let book = html::read(&page, &left)?;
        let cells: usize = book.sheets.iter().map(|sheet| sheet.cells.len()).sum();
        left.cells = left.cells.saturating_sub(cells as u64);
        sheets.extend(book.sheets);
    }
    // A sheet without cells has a part all the same, so that they agree unless something else is in the archive.
    if names.len() == sheets.len() {
        sheets.iter_mut().zip(names).for_each(|(sheet, (name, hidden))| (sheet.name, sheet.hidden) = (name, hidden));
    }
    if sheets.is_empty() { Err(damaged("no page in it")) } else { Ok(Workbook { sheets }) }
}

fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(format!("web archive: {what}"))
}

/// Names and visibility of the sheets, which Excel lists in a comment of the page that comes first.
fn listed(page: &str) -> Vec<(String, bool)> {
    let sheets = page.split("<x:ExcelWorksheet>").skip(1);
    let inside = |sheet: &str, tag: &str| {
        let (_, rest) = sheet.split_once(&format!("<x:{tag}>"))?;
        Some(rest.split_once('<')?.0.trim().to_owned())
    };
    let listed = sheets.filter_map(|sheet| {
        let sheet = sheet.split("</x:ExcelWorksheet>").next().unwrap_or_default();
        let hidden = inside(sheet, "Visible").is_some_and(|state| state != "SheetVisible");
        Some((inside(sheet, "Name").filter(|name| !name.is_empty())?, hidden))
    });
    listed.collect()
}

/// The pages among the parts: where each was, in lower case, and what it says, its transfer encoding undone.
fn pages(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let (head, body) = split_head(bytes);
    let Some(boundary) = boundary(&head) else { return Ok(page(bytes).into_iter().collect()) };
    let boundary = [b"--", boundary.as_bytes()].concat();
    let mut pages = Vec::new();
    let mut part: Option<usize> = None;
    let (mut at, mut parts) = (0, 0);
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(&boundary) {
            parts += 1;
            if parts > PARTS {
                return Err(Refusal::TooLarge("parts of a web archive".into()));
            }
            pages.extend(part.take().and_then(|from| page(&body[from..at])));
            // Two dashes more are the end of all.
            part = (!line[boundary.len()..].starts_with(b"--")).then_some(at + line.len());
        }
        at += line.len();
    }
    if part.is_some() { Err(damaged("it breaks off")) } else { Ok(pages) }
}

/// A part's header, its lines unfolded, and its body.
fn split_head(part: &[u8]) -> (String, &[u8]) {
    let mut end = 0;
    for line in part.split_inclusive(|&byte| byte == b'\n') {
        end += line.len();
        if line.iter().all(u8::is_ascii_whitespace) && end > line.len() {
            break;
        }
    }
    let (head, body) = part.split_at(end);
    let head = String::from_utf8_lossy(head).replace("\r\n", "\n").replace("\n\t", " ").replace("\n ", " ");
    (head, body)
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let named = |line: &&str| line.split_once(':').is_some_and(|(field, _)| field.trim().eq_ignore_ascii_case(name));
    Some(head.lines().find(named)?.split_once(':')?.1.trim())
}

fn boundary(head: &str) -> Option<String> {
    let kind = field(head, "content-type")?;
    let at = kind.to_ascii_lowercase().find("boundary=")?;
    let rest = kind[at + "boundary=".len()..].trim_start();
    let end = |rest: &str, ends: &[char]| rest.split(ends).next().map(str::to_owned);
    match rest.strip_prefix('"') {
        Some(quoted) => end(quoted, &['"']),
        None => end(rest, &[';', ' ', '\t']),
    }
}

fn page(part: &[u8]) -> Option<(String, Vec<u8>)> {
    let (head, body) = split_head(part);
    let kind = field(&head, "content-type")?.to_ascii_lowercase();
    let encoding = Encoding::named(field(&head, "content-transfer-encoding").unwrap_or_default());
    let location = field(&head, "content-location").unwrap_or_default().to_ascii_lowercase();
    kind.starts_with("text/html").then(|| (location, encoding.decode(body).into_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::attachment::{Kind, sniff};
    use crate::workbook::CellValue;

    const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 5 };

    fn quoted_printable(text: &str) -> String {
        let bytes = encoding_rs::GBK.encode(text).0.into_owned();
        let shown = |byte: &u8| match byte {
            b'=' | 0x80.. => format!("={byte:02X}"),
            byte => char::from(*byte).to_string(),
        };
        bytes.iter().map(shown).collect()
    }

    fn part(location: &str, kind: &str, text: &str) -> String {
        format!(
            "------=_NextPart_1\r\nContent-Location: file:///C:/{location}\r\nContent-Transfer-Encoding: quoted-printable\r\n\
             Content-Type: {kind};\r\n\tcharset=\"gb2312\"\r\n\r\n{}\r\n\r\n",
            quoted_printable(text)
        )
    }

    /// As Excel saves a workbook of several sheets.
    fn archive(sheets: &[&str]) -> String {
        let head = "MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related;\r\n\
                    \tboundary=\"----=_NextPart_1\"\r\n\r\nThis document is a Single File Web Page.\r\n\r\n";
        let listed = "<!--[if gte mso 9]><xml><x:ExcelWorksheets><x:ExcelWorksheet><x:Name>统计表</x:Name></x:ExcelWorksheet>
            <x:ExcelWorksheet><x:Name>上月</x:Name><x:Visible>SheetHidden</x:Visible></x:ExcelWorksheet></xml><![endif]-->";
        let mut text = head.to_owned();
        text += &part("a.htm", "text/html", &format!("<html>{listed}<frameset rows=\"*,39\"></frameset></html>"));
        text += &part("a.files/stylesheet.css", "text/css", "td{}");
        text += &part("a.files/tabstrip.htm", "text/html", "<html><body><table><tr><td>统计表</table></html>");
        for sheet in sheets {
            let page = format!("<html><meta charset=gb2312><table><tr><td x:num>36<td>{sheet}</table></html>");
            text += &part("a.files/sheet001.htm", "text/html", &page);
        }
        text + "------=_NextPart_1--\r\n"
    }

    #[test]
    fn every_sheet_is_a_part_and_has_its_name() {
        let text = archive(&["柳林街道", "槐树街道"]);
        assert_eq!(sniff(text.as_bytes(), ""), Kind::Mht);
        let book = read(text.as_bytes(), &LIMITS).unwrap();
        let named: Vec<_> = book.sheets.iter().map(|s| (s.name.as_str(), s.hidden)).collect();
        assert_eq!(named, [("统计表", false), ("上月", true)]);
        for (sheet, name) in book.sheets.iter().zip(["柳林街道", "槐树街道"]) {
            let values: Vec<_> = sheet.cells.values().map(|cell| cell.value.clone()).collect();
            assert_eq!(values, [CellValue::Number(36.0), CellValue::Text(name.into())]);
        }
    }

    #[test]
    fn a_single_page_is_a_sheet() {
        let text = "MIME-Version: 1.0\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPHRhYmxlPjx0cj48dGQ+MTwvdGFibGU+\n";
        assert_eq!(sniff(text.as_bytes(), "八月.xls"), Kind::Mht);
        assert_eq!(read(text.as_bytes(), &LIMITS).unwrap().sheets[0].cells.len(), 1);
    }

    #[test]
    fn what_breaks_off_or_is_too_much_is_refused() {
        let whole = archive(&["柳林街道"]);
        assert!(matches!(read(&whole.as_bytes()[..whole.len() - 40], &LIMITS), Err(Refusal::Damaged(_))));
        assert!(matches!(read(archive(&[]).as_bytes(), &LIMITS), Err(Refusal::Damaged(_))));
        assert!(matches!(read(archive(&["甲"; 3]).as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))), "six cells in all");
        let many = archive(&[]).replace("------=_NextPart_1\r\n", &"------=_NextPart_1\r\n".repeat(1000));
        assert!(matches!(read(many.as_bytes(), &LIMITS), Err(Refusal::TooLarge(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn no_change_to_an_archive_brings_the_reader_down(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9)) {
            let mut bytes = archive(&["柳林街道"]).into_bytes();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read(&bytes, &LIMITS);
        }
    }
}
