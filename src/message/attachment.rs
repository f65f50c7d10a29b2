//! What an attachment is, told from its bytes, never from its name or declared type. Pure.

use std::io::Cursor;

use zip::ZipArchive;

use super::cfb::{Compound, is_compound};

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OOXML workbook (.xlsx, .xlsm)
    Xlsx,
    /// Binary workbook in a compound file (.xls, .et)
    Xls,
    /// An OOXML package wrapped in encryption (a compound file with `EncryptedPackage`)
    Encrypted,
    /// .zip, .rar, .7z and other archives
    Archive,
    /// .doc, .docx
    Word,
    Pdf,
    Picture,
    /// A spreadsheet in a format that is not read yet (.xlsb, .ods, HTML table, SpreadsheetML 2003, CSV)
    OtherSpreadsheet,
    Other,
}

/// How much of a text file is looked at.
const HEAD: usize = 8192;
/// Entries of a zip directory that are looked at.
const MEMBERS: usize = 1000;

/// Tells what a file is. `name` decides only whether plain text is a spreadsheet (CSV has no mark of its own).
pub fn sniff(bytes: &[u8], name: &str) -> Kind {
    if is_compound(bytes) {
        return compound(bytes);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") || bytes.starts_with(b"PK\x07\x08") {
        return zip(bytes);
    }
    by_magic(bytes).unwrap_or_else(|| text(bytes, name))
}

fn by_magic(bytes: &[u8]) -> Option<Kind> {
    const MARKS: &[(usize, &[u8], Kind)] = &[
        (0, b"\x89PNG", Kind::Picture),
        (0, b"\xFF\xD8\xFF", Kind::Picture),
        (0, b"GIF8", Kind::Picture),
        (0, b"II*\0", Kind::Picture),
        (0, b"MM\0*", Kind::Picture),
        (8, b"WEBP", Kind::Picture),
        (4, b"ftypheic", Kind::Picture),
        (4, b"ftypmif1", Kind::Picture),
        (0, b"Rar!\x1A\x07", Kind::Archive),
        (0, b"7z\xBC\xAF\x27\x1C", Kind::Archive),
        (0, b"\x1F\x8B\x08", Kind::Archive),
        (0, b"BZh", Kind::Archive),
        (0, b"\xFD7zXZ\0", Kind::Archive),
        (257, b"ustar", Kind::Archive),
        (0, b"{\\rtf", Kind::Word),
        // A BIFF stream without its compound file, as some exporters write it.
        (0, b"\x09\x08\x08\x00\x00\x05", Kind::Xls),
        (0, b"\x09\x08\x10\x00\x00\x06", Kind::Xls),
    ];
    let found = MARKS.iter().find(|(at, mark, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    if let Some(&(_, _, kind)) = found {
        return Some(kind);
    }
    // BMP: "BM", then the file's own length.
    let bitmap = bytes.starts_with(b"BM") && bytes.get(2..6) == Some(&(bytes.len() as u32).to_le_bytes());
    // Readers accept a PDF header anywhere in the first kilobyte.
    let pdf = bytes[..bytes.len().min(1024)].windows(5).any(|w| w == b"%PDF-");
    bitmap.then_some(Kind::Picture).or_else(|| pdf.then_some(Kind::Pdf))
}

fn compound(bytes: &[u8]) -> Kind {
    let Some(file) = Compound::open(bytes) else { return damaged_compound(bytes) };
    if file.has("EncryptedPackage") {
        Kind::Encrypted
    } else if file.has("Workbook") || file.has("Book") {
        Kind::Xls
    } else if file.has("WordDocument") {
        Kind::Word
    } else {
        Kind::Other
    }
}

/// The directory cannot be followed: a stream's name somewhere in the bytes still tells what it was meant to be.
fn damaged_compound(bytes: &[u8]) -> Kind {
    let named = |name: &str| {
        let wanted: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(wanted.len()).any(|w| w == wanted)
    };
    if named("Workbook\0") || named("Book\0") {
        Kind::Xls
    } else if named("WordDocument\0") {
        Kind::Word
    } else {
        Kind::Other
    }
}

fn zip(bytes: &[u8]) -> Kind {
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else {
        // Cut short. An OOXML package begins with its list of content types.
        let office = bytes.get(30..).is_some_and(|rest| rest.starts_with(b"[Content_Types].xml"));
        return if office { Kind::Xlsx } else { Kind::Archive };
    };
    if bytes.get(30..).is_some_and(|rest| rest.starts_with(b"mimetypeapplication/vnd.oasis.opendocument.")) {
        let document = &bytes[30 + b"mimetypeapplication/vnd.oasis.opendocument.".len()..];
        return match document {
            [b's', b'p', b'r', ..] => Kind::OtherSpreadsheet,
            [b't', b'e', b'x', ..] => Kind::Word,
            _ => Kind::Other,
        };
    }
    let names: Vec<String> = archive
        .file_names_raw()
        .take(MEMBERS)
        .map(|n| String::from_utf8_lossy(n).replace('\\', "/").to_lowercase())
        .collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    if has("xl/workbook.bin") {
        Kind::OtherSpreadsheet
    } else if has("[content_types].xml") && names.iter().any(|n| n.starts_with("xl/") || n.ends_with("workbook.xml")) {
        Kind::Xlsx
    } else if has("word/document.xml") {
        Kind::Word
    } else if has("ofd.xml") {
        // OFD (GB/T 33190), the national counterpart of PDF.
        Kind::Pdf
    } else if has("[content_types].xml") {
        Kind::Other
    } else {
        Kind::Archive
    }
}

/// HTML tables and SpreadsheetML 2003 are often sent under an .xls name; CSV under its own.
fn text(bytes: &[u8], name: &str) -> Kind {
    let head = &bytes[..bytes.len().min(HEAD)];
    let utf16 = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    let head: Vec<u8> = head.iter().copied().filter(|&b| !utf16 || b != 0).map(|b| b.to_ascii_lowercase()).collect();
    if head.contains(&0) {
        return Kind::Other;
    }
    let contains = |word: &str| head.windows(word.len()).any(|w| w == word.as_bytes());
    let markup = head.iter().find(|b| b.is_ascii() && !b.is_ascii_whitespace() && **b != 0) == Some(&b'<');
    let spreadsheet = contains("urn:schemas-microsoft-com:office:spreadsheet")
        || contains("<table")
        || contains("office:excel")
        || (contains("mime-version:") && contains("application/vnd.ms-excel"));
    if spreadsheet && (markup || contains("mime-version:")) {
        return Kind::OtherSpreadsheet;
    }
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "csv" | "tsv" if !head.is_empty() && !markup => Kind::OtherSpreadsheet,
        // Plain columns of text that a program saved under a workbook's name.
        "xls" | "xlsx" | "et" if contains("\t") || contains(",") => Kind::OtherSpreadsheet,
        _ => Kind::Other,
    }
}
