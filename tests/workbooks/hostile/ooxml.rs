//! OOXML workbooks that cost more than they should.

use std::collections::BTreeMap;

use super::{Bad, bad, many};
use crate::formats::xlsx::{Oddity, element, package, relationships};
use crate::formats::zip;

pub fn all() -> Vec<Bad> {
    let mut list = sheets();
    list.extend(strings());
    list.extend(parts());
    list.into_iter().map(|(name, bytes)| bad(name, "xlsx", bytes)).collect()
}

const PLAIN: Oddity = Oddity { inline: false, prefixed: false, from_1904: false, absolute: false };

/// A workbook whose first sheet has this inside, and further parts.
fn book(sheet: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{kinds}/{kind}\" Target=\"{target}\"/>")
    };
    let relations = relation("rId1", "worksheet", "worksheets/sheet1.xml")
        + &relation("rId2", "sharedStrings", "sharedStrings.xml")
        + &relation("rId3", "styles", "styles.xml");
    let mut all: BTreeMap<String, String> = BTreeMap::from([
        (
            "xl/workbook.xml".into(),
            element(PLAIN, "workbook", "<sheets><sheet name=\"表\" sheetId=\"1\" r:id=\"rId1\"/></sheets>"),
        ),
        ("xl/_rels/workbook.xml.rels".into(), relationships(&relations)),
        ("xl/worksheets/sheet1.xml".into(), element(PLAIN, "worksheet", sheet)),
    ]);
    all.extend(more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    package(&all)
}

fn rows(inside: &str) -> Vec<u8> {
    book(&format!("<sheetData>{inside}</sheetData>"), &[])
}

fn sheets() -> Vec<(&'static str, Vec<u8>)> {
    let empty = "<sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row></sheetData>";
    let merges = |regions: &str| book(&format!("{empty}<mergeCells>{regions}</mergeCells>"), &[]);
    let each = |n: usize, one: &dyn Fn(usize) -> String| (0..many(n)).map(one).collect::<String>();
    vec![
        (
            "far cell",
            rows(
                "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
            ),
        ),
        (
            "far empty cell",
            rows("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\" s=\"0\"/></row>"),
        ),
        ("cell beyond all", rows("<row r=\"4294967295\"><c r=\"AAAAAAAAAAAA99999999999\"><v>1</v></c></row>")),
        (
            "rows backwards",
            rows(&each(20_000, &|n| format!("<row r=\"{0}\"><c r=\"A{0}\"><v>1</v></c></row>", many(20_000) - n))),
        ),
        ("one cell over and over", rows(&"<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>".repeat(many(300_000)))),
        ("six million cells", rows(&format!("<row>{}</row>", "<c><v>1</v></c>".repeat(600)).repeat(many(10_000)))),
        ("spaces", rows(&" ".repeat(many(200 << 20)))),
        ("merges of everything", merges(&"<mergeCell ref=\"A1:XFD1048576\"/>".repeat(1000))),
        ("many merges", merges(&each(300_000, &|n| format!("<mergeCell ref=\"A{0}:B{0}\"/>", n + 1)))),
        ("merges inside merges", merges(&each(3000, &|n| format!("<mergeCell ref=\"A1:XFD{}\"/>", n + 2)))),
        (
            "merge backwards",
            merges("<mergeCell ref=\"XFD1048576:A1\"/><mergeCell ref=\"A0:A0\"/><mergeCell ref=\":\"/>"),
        ),
        (
            "hidden columns without end",
            book(
                &format!(
                    "<cols>{}</cols>{empty}",
                    "<col min=\"1\" max=\"4294967295\" hidden=\"1\"/>".repeat(many(10_000))
                ),
                &[],
            ),
        ),
        ("deep elements", rows(&format!("{}{}", "<row>".repeat(many(300_000)), "</row>".repeat(many(300_000))))),
        (
            "deep text",
            rows(&format!(
                "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is>{}甲{}</is></c></row>",
                "<r>".repeat(many(200_000)),
                "</r>".repeat(many(200_000))
            )),
        ),
        ("element never closed", book(&format!("<sheetData><row r=\"1\"><c r=\"{}", "A".repeat(many(5 << 20))), &[])),
        ("attributes without end", rows(&format!("<row {}/>", each(200_000, &|n| format!("a{n}=\"1\" "))))),
        ("a long number", rows(&format!("<row r=\"1\"><c r=\"A1\"><v>{}</v></c></row>", "9".repeat(many(10 << 20))))),
        (
            "numbers that are none",
            rows(
                "<row r=\"1\"><c r=\"A1\"><v>NaN</v></c><c r=\"B1\"><v>1e999</v></c><c r=\"C1\" s=\"0\"><v>-1e308</v></c><c r=\"D1\" t=\"s\"><v>99</v></c><c r=\"E1\" t=\"s\"><v>-1</v></c></row>",
            ),
        ),
        (
            "formulas without end",
            rows(
                &"<row><c t=\"str\"><f t=\"shared\" ref=\"A1:XFD1048576\" si=\"0\">A1</f><v/></c></row>"
                    .repeat(many(50_000)),
            ),
        ),
    ]
}

fn strings() -> Vec<(&'static str, Vec<u8>)> {
    let shared = |attributes: &str, inside: &str, sheet: &str| {
        let strings = format!(
            "<?xml version=\"1.0\"?><sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" {attributes}>{inside}</sst>"
        );
        book(&format!("<sheetData>{sheet}</sheetData>"), &[("xl/sharedStrings.xml", &strings)])
    };
    let first = "<row><c t=\"s\"><v>0</v></c></row>";
    let laughs = || {
        let levels: String =
            (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
        let strings = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE sst [<!ENTITY l0 \"哈\">{levels}]><sst><si><t>&l9;</t></si></sst>"
        );
        book(&format!("<sheetData>{first}</sheetData>"), &[("xl/sharedStrings.xml", &strings)])
    };
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE sst [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><sst><si><t>&f;</t></si></sst>";
    vec![
        ("strings claimed", shared("count=\"100000000000\" uniqueCount=\"100000000000\"", "<si><t>甲</t></si>", first)),
        ("empty strings", shared("", &"<si/>".repeat(many(6_000_000)), first)),
        ("short strings", shared("", &"<si><t>甲</t></si>".repeat(many(2_000_000)), first)),
        (
            "one string in many cells",
            shared(
                "",
                &format!("<si><t>{}</t></si>", "甲".repeat(many(32_000))),
                &"<row><c t=\"s\"><v>0</v></c></row>".repeat(many(16_000)),
            ),
        ),
        ("a long string", shared("", &format!("<si><t>{}</t></si>", "甲".repeat(many(15 << 20))), first)),
        ("runs without end", shared("", &format!("<si>{}</si>", "<r><t>甲</t></r>".repeat(many(1_000_000))), first)),
        ("entities upon entities", laughs()),
        (
            "an entity from outside",
            book(&format!("<sheetData>{first}</sheetData>"), &[("xl/sharedStrings.xml", outside)]),
        ),
    ]
}

fn parts() -> Vec<(&'static str, Vec<u8>)> {
    let workbook = |inside: &str| book("<sheetData/>", &[("xl/workbook.xml", &element(PLAIN, "workbook", inside))]);
    let relation = |target: &str| {
        let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet";
        let relations = relationships(&format!("<Relationship Id=\"rId1\" Type=\"{kind}\" Target=\"{target}\"/>"));
        book("<sheetData/>", &[("xl/_rels/workbook.xml.rels", &relations)])
    };
    let one = "<sheets><sheet name=\"表\" sheetId=\"1\" r:id=\"rId1\"/></sheets>";
    let sheets: String =
        (0..many(20_000)).map(|n| format!("<sheet name=\"{n}\" sheetId=\"{n}\" r:id=\"rId1\"/>")).collect();
    let names: String =
        (0..many(200_000)).map(|n| format!("<definedName name=\"n{n}\">表!$A$1</definedName>")).collect();
    let style = |inside: &str| book("<sheetData/>", &[("xl/styles.xml", &element(PLAIN, "styleSheet", inside))]);
    let formats: String = (0..many(200_000))
        .map(|n| format!("<numFmt numFmtId=\"{n}\" formatCode=\"{}\"/>", "[$-1]".repeat(9)))
        .collect();
    vec![
        ("twenty thousand sheets", workbook(&format!("<sheets>{sheets}</sheets>"))),
        ("names without end", workbook(&format!("{one}<definedNames>{names}</definedNames>"))),
        ("a sheet without its part", relation("worksheets/none.xml")),
        ("a sheet outside", relation("../../../../../../etc/passwd")),
        ("a sheet elsewhere", relation("https://files.example/sheet1.xml")),
        ("a sheet that is the workbook", relation("workbook.xml")),
        (
            "styles without end",
            style(&format!("<cellXfs>{}</cellXfs>", "<xf numFmtId=\"14\"/>".repeat(many(1_000_000)))),
        ),
        ("formats without end", style(&format!("<numFmts>{formats}</numFmts>"))),
        ("no sheet at all", workbook("<sheets/>")),
        ("nothing but a list of types", zip::plain(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"")])),
    ]
}
