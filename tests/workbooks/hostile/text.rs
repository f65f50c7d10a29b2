//! Text that costs more than it should: separated values, pages, XML.

use super::{Bad, bad, many};
use crate::formats::{ods, zip};

pub fn all() -> Vec<Bad> {
    let name = |(name, bytes), ending| bad(name, ending, bytes);
    let mut list: Vec<Bad> = separated().into_iter().map(|b| name(b, "csv")).collect();
    list.extend(pages().into_iter().map(|(n, text)| name((n, text.into_bytes()), "xls")));
    list.extend(spreadsheetml().into_iter().map(|(n, text)| name((n, text.into_bytes()), "xls")));
    list.extend(open_documents().into_iter().map(|(n, text)| name((n, ods::package(&text)), "ods")));
    list.push(bad("a hundred megabytes of commas", "zip", zip::plain(&[("a.csv", &vec![b','; many(100 << 20)])])));
    list
}

fn separated() -> Vec<(&'static str, Vec<u8>)> {
    let head = "序号,名称,党员总数,正式党员数,组建形式,备注\n";
    vec![
        ("twenty megabytes of commas", vec![b','; many(20 << 20)]),
        ("commas on lines", b",,,,,,,,,,\n".repeat(many(1 << 20))),
        ("a line without end", vec![b'a'; many(20 << 20)]),
        ("a line of headings without end", "党员总数,".repeat(many(700_000)).into_bytes()),
        ("a quote that is never closed", [head.as_bytes(), b"1,\"", &vec![b'a'; many(10 << 20)]].concat()),
        ("quotes alone", vec![b'"'; many(10 << 20)]),
        ("nulls", [head.as_bytes(), &vec![0; many(5 << 20)]].concat()),
        ("nulls between characters", head.bytes().flat_map(|b| [b, 0]).collect()),
        ("line feeds alone", vec![b'\n'; 20 << 20]),
        ("carriage returns alone", [head.as_bytes(), &vec![b'\r'; 10 << 20]].concat()),
        ("a mark alone", b"\xEF\xBB\xBF".to_vec()),
        ("half a character of UTF-16", b"\xFF\xFE,".to_vec()),
        (
            "bytes of no charset",
            (0..4 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect(),
        ),
        ("a million rows", [head.as_bytes(), "1,甲公司,1,1,联合,\n".repeat(many(300_000)).as_bytes()].concat()),
        ("headings on every line", head.repeat(many(40_000)).into_bytes()),
        ("totals on every line", format!("{head}{}", "合计,,1,1,,\n".repeat(many(100_000))).into_bytes()),
        ("labels on every line", "填报单位：甲街道,所属期：2011年8月,".repeat(many(200_000)).into_bytes()),
    ]
}

fn pages() -> Vec<(&'static str, String)> {
    let table = |inside: &str| format!("<html><body><table>{inside}</table></body></html>");
    vec![
        ("spans without end", table("<tr><td rowspan=4294967295 colspan=4294967295>甲</td><td>乙</td></tr>")),
        ("spans on every row", table(&"<tr><td rowspan=65535 colspan=1000>甲</td></tr>".repeat(5000))),
        ("spans of spans", table(&format!("<tr>{}</tr>", "<td rowspan=65535>甲</td>".repeat(5000)).repeat(50))),
        ("tables in tables", format!("<html>{}", "<table><tr><td>".repeat(many(100_000)))),
        ("elements in elements", table(&"<div><b>".repeat(many(300_000)))),
        ("attributes without end", table(&format!("<tr><td {}>甲", "a=1 ".repeat(many(500_000))))),
        ("an attribute without end", table(&format!("<tr><td style=\"{}", "x:".repeat(many(3 << 20))))),
        ("entities alone", table(&format!("<tr><td>{}", "&#x7532;&nbsp;&undefined;".repeat(many(400_000))))),
        ("comments without end", table(&"<!-- <!--".repeat(many(700_000)))),
        ("less than", table(&"<".repeat(many(5 << 20)))),
        ("rows without end", table(&"<tr>".repeat(many(2_000_000)))),
        ("cells without end", table(&"<td>".repeat(many(2_000_000)))),
        ("styles without end", format!("<html><style>{}</style><table>", "a{b:c}".repeat(many(1_000_000)))),
        ("a script without end", format!("<html><table><script>{}", "x".repeat(many(8 << 20)))),
    ]
}

fn spreadsheetml() -> Vec<(&'static str, String)> {
    let head = "<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">";
    let of = |inside: &str| format!("{head}<Worksheet ss:Name=\"1\"><Table>{inside}</Table></Worksheet></Workbook>");
    let data = "<Data ss:Type=\"Number\">1</Data>";
    let levels: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    vec![
        (
            "places beyond all",
            of(&format!(
                "<Row ss:Index=\"4294967295\"><Cell ss:Index=\"4294967295\" ss:MergeAcross=\"4294967295\" ss:MergeDown=\"4294967295\">{data}</Cell></Row>"
            )),
        ),
        ("places before the first", of(&format!("<Row ss:Index=\"-1\"><Cell ss:Index=\"0\">{data}</Cell></Row>"))),
        (
            "merges on every cell",
            of(&format!(
                "<Row>{}</Row>",
                format!("<Cell ss:MergeAcross=\"16000\" ss:MergeDown=\"60000\">{data}</Cell>").repeat(many(20_000))
            )),
        ),
        (
            "rows that repeat",
            of(&format!("<Row ss:Span=\"1000000\" ss:Hidden=\"1\"><Cell>{data}</Cell></Row>").repeat(1000)),
        ),
        ("columns that repeat", of(&"<Column ss:Index=\"1\" ss:Span=\"4294967295\" ss:Hidden=\"1\"/>".repeat(5000))),
        ("elements in elements", of(&"<Row><Cell>".repeat(many(200_000)))),
        (
            "entities upon entities",
            format!(
                "<?xml version=\"1.0\"?><!DOCTYPE W [<!ENTITY l0 \"哈\">{levels}]>{}",
                &of("<Row><Cell><Data ss:Type=\"String\">&l9;</Data></Cell></Row>")[21..]
            ),
        ),
        (
            "sheets without end",
            format!("{head}{}", "<Worksheet ss:Name=\"1\"><Table/></Worksheet>".repeat(many(100_000))),
        ),
        (
            "styles without end",
            format!(
                "{head}<Styles>{}</Styles>",
                "<Style ss:ID=\"a\" ss:Parent=\"a\"><NumberFormat ss:Format=\"0%\"/></Style>".repeat(many(100_000))
            ),
        ),
        (
            "styles in circles",
            format!(
                "{head}<Styles><Style ss:ID=\"a\" ss:Parent=\"b\"/><Style ss:ID=\"b\" ss:Parent=\"a\"/></Styles><Worksheet ss:Name=\"1\"><Table><Row><Cell ss:StyleID=\"a\">{data}</Cell></Row></Table></Worksheet></Workbook>"
            ),
        ),
        ("a text without end", of(&format!("<Row><Cell><Data ss:Type=\"String\">{}", "甲".repeat(many(3 << 20))))),
    ]
}

fn open_documents() -> Vec<(&'static str, String)> {
    let of = |inside: &str| format!("{}<table:table table:name=\"1\">{inside}</table:table>{}", ods::HEAD, ods::TAIL);
    let cell = "<table:table-cell office:value-type=\"float\" office:value=\"1\"><text:p>1</text:p></table:table-cell>";
    vec![
        (
            "a row over and over",
            of(&format!("<table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row>")),
        ),
        (
            "a cell over and over",
            of(
                "<table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"float\" office:value=\"1\"><text:p>1</text:p></table:table-cell></table:table-row>",
            ),
        ),
        (
            "rows beyond all",
            of(&format!(
                "<table:table-row table:number-rows-repeated=\"18446744073709551615\">{cell}</table:table-row><table:table-row table:number-rows-repeated=\"-1\">{cell}</table:table-row>"
            )),
        ),
        (
            "a long text over and over",
            of(&format!(
                "<table:table-row table:number-rows-repeated=\"20000\"><table:table-cell office:value-type=\"string\"><text:p>{}</text:p></table:table-cell></table:table-row>",
                "甲".repeat(many(32_000))
            )),
        ),
        (
            "spaces without end",
            of(
                "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>甲<text:s text:c=\"4294967295\"/>乙</text:p></table:table-cell></table:table-row>",
            ),
        ),
        (
            "spans without end",
            of(
                "<table:table-row><table:table-cell table:number-rows-spanned=\"4294967295\" table:number-columns-spanned=\"4294967295\" office:value-type=\"float\" office:value=\"1\"/></table:table-row>",
            ),
        ),
        ("rows in rows", of(&"<table:table-row><table:table-cell>".repeat(many(150_000)))),
        ("groups in groups", of(&"<table:table-row-group>".repeat(many(150_000)))),
        (
            "tables without end",
            format!(
                "{}{}{}",
                ods::HEAD,
                "<table:table table:name=\"1\"></table:table>".repeat(many(100_000)),
                ods::TAIL
            ),
        ),
        (
            "columns over and over",
            of(&"<table:table-column table:number-columns-repeated=\"4294967295\" table:visibility=\"collapse\"/>"
                .repeat(1000)),
        ),
        (
            "dates beyond time",
            of(
                "<table:table-row><table:table-cell office:value-type=\"date\" office:date-value=\"999999999-99-99\"/><table:table-cell office:value-type=\"time\" office:time-value=\"PT999999999999H\"/><table:table-cell office:value-type=\"float\" office:value=\"1e999\"/></table:table-row>",
            ),
        ),
    ]
}
