//! Separated values, in the encodings and with the delimiters that Chinese programs use.

use crate::page::Page;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    Gbk,
    Utf8,
    Utf8Marked,
    Utf16,
    Utf16Unmarked,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dialect {
    pub encoding: Encoding,
    pub delimiter: char,
}

pub fn write(page: &Page, dialect: Dialect) -> Vec<u8> {
    encode(&text(page, dialect.delimiter), dialect.encoding)
}

pub fn text(page: &Page, delimiter: char) -> String {
    let (rows, columns) = page.size();
    let field = |at| {
        let text = page.cells.get(&at).map(|ink| ink.shown()).unwrap_or_default();
        let quoted = text.contains([delimiter, '"', '\n']);
        if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let line = |row| (0..columns).map(|column| field((row, column))).collect::<Vec<_>>().join(&delimiter.to_string());
    (0..rows).map(|row| line(row) + "\r\n").collect()
}

pub fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    let wide = || text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    match encoding {
        Encoding::Gbk => encoding_rs::GB18030.encode(text).0.into_owned(),
        Encoding::Utf8 => text.into(),
        Encoding::Utf8Marked => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        Encoding::Utf16 => [&b"\xFF\xFE"[..], &wide()].concat(),
        Encoding::Utf16Unmarked => wide(),
    }
}
