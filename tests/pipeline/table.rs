//! An .xlsx as a clerk has it on the screen: the colours of its cells, its notes; and cells typed anew in it.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The parts of the file by name; sheets are numbered from 1 in their order.
pub struct Table {
    parts: Vec<(String, Vec<u8>)>,
}

impl Table {
    pub fn open(bytes: &[u8]) -> Self {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("a package");
        let names: Vec<String> = zip.file_names().map(|name| name.expect("a name").into_owned()).collect();
        let mut part = |name: String| {
            let mut bytes = Vec::new();
            zip.by_name(&name).expect("a part").read_to_end(&mut bytes).expect("its bytes");
            (name, bytes)
        };
        Self { parts: names.into_iter().map(&mut part).collect() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.parts {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("a part");
            zip.write_all(bytes).expect("its bytes");
        }
        zip.finish().expect("a package").into_inner()
    }

    fn part(&self, name: &str) -> Option<&str> {
        let (_, bytes) = self.parts.iter().find(|(own, _)| own == name)?;
        Some(std::str::from_utf8(bytes).expect("UTF-8"))
    }

    /// The number of a sheet.
    fn number(&self, sheet: &str) -> usize {
        let book = self.part("xl/workbook.xml").expect("a workbook");
        let names = pieces(book, "<sheet ", "/>").map(|element| attribute(element, "name").expect("a name"));
        1 + names.into_iter().position(|name| name == sheet).unwrap_or_else(|| panic!("no sheet {sheet}"))
    }

    fn cell<'t>(&'t self, sheet: &str, cell: &str) -> &'t str {
        let rows = self.part(&format!("xl/worksheets/sheet{}.xml", self.number(sheet))).expect("a sheet");
        element(rows, cell).unwrap_or_else(|| panic!("no cell {cell}"))
    }

    /// The fill of a cell, `FFFF8080`.
    pub fn fill(&self, sheet: &str, cell: &str) -> Option<&str> {
        let style: usize = attribute(self.cell(sheet, cell), "s")?.parse().expect("a number");
        let styles = self.part("xl/styles.xml").expect("styles");
        let (_, formats) = styles.split_once("<cellXfs").expect("formats");
        let format = pieces(formats, "<xf ", ">").nth(style).expect("a format");
        let fill: usize = attribute(format, "fillId").expect("a fill").parse().expect("a number");
        let fill = pieces(styles, "<fill>", "</fill>").nth(fill).expect("a fill");
        attribute(pieces(fill, "<fgColor ", "/>").next()?, "rgb")
    }

    /// Notes of a sheet: cell and text.
    pub fn notes(&self, sheet: &str) -> Vec<(&str, String)> {
        let relations = self.part(&format!("xl/worksheets/_rels/sheet{}.xml.rels", self.number(sheet)));
        let Some((_, rest)) = relations.and_then(|text| text.split_once("Target=\"../comments")) else {
            return Vec::new();
        };
        let number = rest.split('.').next().unwrap_or_default();
        let notes = self.part(&format!("xl/comments{number}.xml")).expect("notes");
        let text = |note| pieces(note, "<t", "</t>").map(|t| t.split_once('>').expect("a text").1).collect::<String>();
        pieces(notes, "<comment ", "</comment>")
            .map(|note| (attribute(note, "ref").expect("a cell"), text(note)))
            .collect()
    }

    /// The clerk types into a cell: a number where it is one, else a text.
    pub fn put(&mut self, sheet: &str, cell: &str, typed: &str) {
        let old = self.cell(sheet, cell).to_owned();
        let style = attribute(&old, "s").expect("a style");
        let new = match typed.parse::<f64>() {
            Ok(_) => format!("<c r=\"{cell}\" s=\"{style}\"><v>{typed}</v></c>"),
            Err(_) => format!("<c r=\"{cell}\" s=\"{style}\" t=\"inlineStr\"><is><t>{typed}</t></is></c>"),
        };
        let name = format!("xl/worksheets/sheet{}.xml", self.number(sheet));
        let (_, bytes) = self.parts.iter_mut().find(|(own, _)| *own == name).expect("a sheet");
        *bytes = String::from_utf8_lossy(bytes).replacen(&old, &new, 1).into_bytes();
    }
}

/// The element of a cell, whole.
fn element<'t>(rows: &'t str, cell: &str) -> Option<&'t str> {
    let start = rows.find(&format!("<c r=\"{cell}\""))?;
    let rest = &rows[start..];
    let tag = rest.find('>')? + 1;
    let end = if rest[..tag].ends_with("/>") { tag } else { rest.find("</c>")? + 4 };
    Some(&rest[..end])
}

fn pieces<'t>(text: &'t str, from: &'t str, to: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(from).skip(1).map(move |rest| rest.split(to).next().unwrap_or_default())
}

fn attribute<'t>(element: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = element.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}
