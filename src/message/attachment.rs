//! What an attachment is, told from its bytes, never from its name or declared type. Pure.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

use super::cfb::{Compound, is_compound};
use super::signed::{self, Cms};
use super::zip_directory::Directory;
use super::{body, charset, outlook, part, tnef};

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// OOXML workbook (.xlsx, .xlsm)
    Xlsx,
    /// The same with its parts in binary records (.xlsb)
    Xlsb,
    /// Binary workbook in a compound file (.xls, .et)
    Xls,
    /// OpenDocument spreadsheet (.ods, and .fods in one flat file)
    Ods,
    /// An OOXML package wrapped in encryption (a compound file with `EncryptedPackage`)
    Encrypted,
    /// .zip, .rar, .7z and other archives
    Archive,
    /// .doc, .docx
    Word,
    Pdf,
    Picture,
    /// Separated values: .csv, .tsv, text saved from a workbook
    Csv,
    /// A page with tables, mostly named .xls
    Html,
    /// SpreadsheetML 2003, mostly named .xls
    SpreadsheetMl,
    /// A web archive of pages (.mht), mostly named .xls
    Mht,
    /// A spreadsheet in a format that is not read (.xls of Excel 2 to 4)
    OtherSpreadsheet,
    /// A mail saved as a file: .eml, .msg, winmail.dat, or signed as a whole
    Mail,
    /// Mail in a cipher (S/MIME, PGP)
    EncryptedMail,
    Other,
}

impl Kind {
    /// As listings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Xlsb => "xlsb",
            Self::Xls => "xls",
            Self::Ods => "ods",
            Self::Encrypted => "encrypted",
            Self::Mail => "mail",
            Self::EncryptedMail => "encrypted mail",
            Self::Archive => "archive",
            Self::Word => "word",
            Self::Pdf => "pdf",
            Self::Picture => "picture",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::SpreadsheetMl => "spreadsheetml",
            Self::Mht => "mht",
            Self::OtherSpreadsheet => "spreadsheet",
            Self::Other => "other",
        }
    }
}

/// How much of a text file is looked at. Pages may have a long style sheet before their table.
const HEAD: usize = 1 << 16;
/// Where a text file declares its charset, if it does.
const DECLARATION: usize = 4096;

/// Tells what a file is. `name` decides only whether plain text is a spreadsheet (CSV has no mark of its own).
pub fn sniff(bytes: &[u8], name: &str) -> Kind {
    if is_compound(bytes) {
        return compound(bytes);
    }
    if is_zip(bytes) {
        return zip(bytes);
    }
    by_magic(bytes).or_else(|| mail(bytes, name)).unwrap_or_else(|| text(bytes, name))
}

/// Whether bytes begin as no text does.
pub fn has_mark(bytes: &[u8]) -> bool {
    is_compound(bytes)
        || is_zip(bytes)
        || tnef::is_tnef(bytes)
        || marked(bytes).is_some()
        || bytes.starts_with(b"%PDF-")
}

fn is_zip(bytes: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|mark| bytes.starts_with(mark))
}

fn marked(bytes: &[u8]) -> Option<Kind> {
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
        // The same of Excel 2 to 4 (BIFF2 to BIFF4).
        (0, b"\x09\x00\x04\x00", Kind::OtherSpreadsheet),
        (0, b"\x09\x02\x06\x00", Kind::OtherSpreadsheet),
        (0, b"\x09\x04\x06\x00", Kind::OtherSpreadsheet),
    ];
    let found = MARKS.iter().find(|(at, mark, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    found.map(|&(_, _, kind)| kind)
}

fn by_magic(bytes: &[u8]) -> Option<Kind> {
    if let Some(kind) = marked(bytes) {
        return Some(kind);
    }
    // BMP: "BM", then the file's own length.
    let bitmap = bytes.starts_with(b"BM") && bytes.get(2..6) == Some(&(bytes.len() as u32).to_le_bytes());
    // Readers accept a PDF header anywhere in the first kilobyte.
    let pdf = bytes[..bytes.len().min(1024)].windows(5).any(|w| w == b"%PDF-");
    bitmap.then_some(Kind::Picture).or_else(|| pdf.then_some(Kind::Pdf))
}

/// Mail that is a file. A page or workbook saved as a web archive has the form of mail, too.
fn mail(bytes: &[u8], name: &str) -> Option<Kind> {
    if tnef::is_tnef(bytes) {
        return Some(Kind::Mail);
    }
    let extension = extension(name);
    if extension == "p7m" {
        return match signed::open(bytes) {
            Cms::Signed(_) => Some(Kind::Mail),
            Cms::Enciphered => Some(Kind::EncryptedMail),
            Cms::Other => None,
        };
    }
    if body::is_enciphered(&bytes[..bytes.len().min(HEAD)]) {
        return Some(Kind::EncryptedMail);
    }
    let fields = part::mail_fields(bytes);
    let mail = fields >= 3 || (fields >= 1 && extension == "eml");
    (mail && text(bytes, name) != Kind::Mht).then_some(Kind::Mail)
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase()
}

fn compound(bytes: &[u8]) -> Kind {
    let Some(file) = Compound::open(bytes) else { return damaged_compound(bytes) };
    if file.has("EncryptedPackage") {
        Kind::Encrypted
    } else if file.has("Workbook") || file.has("Book") {
        Kind::Xls
    } else if file.has("WordDocument") {
        Kind::Word
    } else if outlook::is_message(&file) {
        Kind::Mail
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
    let Some(directory) = Directory::of(bytes) else {
        // Cut short. An OOXML package begins with its list of content types.
        let office = bytes.get(30..).is_some_and(|rest| rest.starts_with(b"[Content_Types].xml"));
        return if office { Kind::Xlsx } else { Kind::Archive };
    };
    const OPEN_DOCUMENT: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument.";
    if let Some(document) = bytes.get(30..).and_then(|rest| rest.strip_prefix(OPEN_DOCUMENT)) {
        return match document {
            [b's', b'p', b'r', ..] => Kind::Ods,
            [b't', b'e', b'x', ..] => Kind::Word,
            _ => Kind::Other,
        };
    }
    // By part name: separators and letter case differ between writers.
    let is = |name: &[u8], wanted: &str| {
        let same = |(a, b): (&u8, u8)| a.eq_ignore_ascii_case(&b) || (b == b'/' && *a == b'\\');
        name.len() >= wanted.len() && name.iter().zip(wanted.bytes()).all(same)
    };
    let has = |wanted: &str| directory.into_iter().any(|name| name.len() == wanted.len() && is(name, wanted));
    let inside = |folder: &str| directory.into_iter().any(|name| is(name, folder));
    let ends = |end: &[u8]| directory.into_iter().any(|name| name.to_ascii_lowercase().ends_with(end));
    if has("[content_types].xml") && ends(b"workbook.bin") {
        Kind::Xlsb
    } else if has("[content_types].xml") && (inside("xl/") || ends(b"workbook.xml")) {
        Kind::Xlsx
    } else if has("word/document.xml") {
        Kind::Word
    } else if has("content.xml") && has("meta-inf/manifest.xml") {
        // OpenDocument, packed again by a program that does not put its type first, or leaves it out.
        Kind::Ods
    } else if has("ofd.xml") {
        // OFD (GB/T 33190), the national counterpart of PDF.
        Kind::Pdf
    } else if has("[content_types].xml") {
        Kind::Other
    } else {
        Kind::Archive
    }
}

fn text(bytes: &[u8], name: &str) -> Kind {
    let head = text_of(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let head = head.trim_start();
    if head.is_empty() || head.contains('\0') {
        return Kind::Other;
    }
    let extension = extension(name);
    let workbook = matches!(extension.as_str(), "xls" | "xlsx" | "et");
    if head.starts_with('<') {
        return markup(head);
    }
    // A web archive, as Excel and WPS save it.
    let web_archive = workbook || matches!(extension.as_str(), "mht" | "mhtml");
    if head.contains("mime-version:") && (web_archive || head.contains("x-document-type: workbook")) {
        return Kind::Mht;
    }
    let table = match extension.as_str() {
        "csv" | "tsv" => true,
        // Columns of text that a program saved under a workbook's name.
        _ if workbook => head.contains(SEPARATORS),
        "txt" | "" => is_table(head),
        _ => false,
    };
    if table { Kind::Csv } else { Kind::Other }
}

/// `head` is in lower case.
fn markup(head: &str) -> Kind {
    if head.contains("application/vnd.oasis.opendocument.spreadsheet") {
        Kind::Ods
    } else if head.contains("urn:schemas-microsoft-com:office:spreadsheet") && !head.contains("<html") {
        Kind::SpreadsheetMl
    } else if head.contains("<table") || head.contains("urn:schemas-microsoft-com:office:excel") {
        Kind::Html
    } else {
        Kind::Other
    }
}

const SEPARATORS: [char; 3] = [',', '\t', ';'];

/// A third of the lines are split into the same number of fields, at least five: prose is not.
fn is_table(text: &str) -> bool {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    SEPARATORS.iter().any(|&separator| {
        let mut alike = BTreeMap::new();
        for line in lines() {
            *alike.entry(line.matches(separator).count()).or_insert(0) += 1;
        }
        let most = alike.range(4..).map(|(_, lines)| *lines).max().unwrap_or(0);
        most >= 2 && most * 3 >= lines().count()
    })
}

/// The characters of a text file: by its byte order mark, else as it declares (where its bytes do not contradict).
pub fn text_of(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    unmarked_utf16(bytes).unwrap_or_else(|| charset::decode(&declared_charset(bytes), bytes))
}

/// `<?xml … encoding="…"?>` or the `charset=…` of a page's meta element; else nothing.
fn declared_charset(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION)]).to_ascii_lowercase();
    let head = head.trim_start();
    let declaration = head.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let xml = declaration.and_then(|(xml, _)| xml.split_once("encoding="));
    let page = || head.split_once("charset=").filter(|_| head.starts_with('<'));
    let (_, rest) = xml.or_else(page).unwrap_or_default();
    let name = rest.trim_start_matches([' ', '"', '\'']);
    let name = name.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).next().unwrap_or_default();
    // Who could read this byte by byte has not read UTF-16.
    if name.starts_with("utf-16") { String::new() } else { name.to_owned() }
}

/// UTF-16 without a mark: the zero bytes of ASCII characters stand nearly all on one side.
fn unmarked_utf16(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|&&b| b == 0).count();
    let encoding = match (zeros(0), zeros(1)) {
        (high, low) if low > 4 * high => UTF_16LE,
        (high, low) if high > 4 * low => UTF_16BE,
        _ => return None,
    };
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbk(text: &str) -> Vec<u8> {
        encoding_rs::GBK.encode(text).0.into_owned()
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn text_is_read_in_the_encodings_that_chinese_programs_write() {
        let text = "序号,单位,备注\r\n1,云溪街道,一\r\n";
        let little = utf16(text, u16::to_le_bytes);
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        let all = [
            gbk(text),
            text.into(),
            marked(b"\xEF\xBB\xBF", text.as_bytes()),
            marked(b"\xFF\xFE", &little),
            marked(b"\xFE\xFF", &utf16(text, u16::to_be_bytes)),
            utf16(text, u16::to_be_bytes),
            little,
        ];
        for (n, bytes) in all.iter().enumerate() {
            assert_eq!(text_of(bytes), text, "{n}");
        }
    }

    #[test]
    fn a_declared_charset_is_believed_unless_the_bytes_contradict() {
        let page = |charset: &str| format!("<html><META content='text/html; charset={charset}'><td>云溪街道</td>");
        let xml = |charset: &str| format!("<?xml version='1.0' encoding='{charset}'?><Workbook>云溪街道 charset=big5");
        for charset in ["gb2312", "GB18030", "utf-8", "utf-16", "windows-1252", "x-none", "\"gbk\""] {
            for text in [page(charset), xml(charset)] {
                assert_eq!(text_of(text.as_bytes()), text, "{charset}");
                assert_eq!(text_of(&gbk(&text)), text, "{charset}");
            }
        }
        let traditional = page("big5");
        assert_eq!(text_of(&encoding_rs::BIG5.encode(&traditional).0), traditional);
    }

    #[test]
    fn tables_of_text_are_told_from_other_text() {
        let rows = gbk("统计表,,,,\n1,云溪街道,3,4,5\n2,槐树街道,3,4,5\n");
        let notes = "各位同事：\n本月报表见附件, 请查收; 谢谢, 辛苦, 再见, 祝好。\n云溪街道\n".as_bytes();
        for (bytes, name, kind) in [
            (&rows[..], "八月.csv", Kind::Csv),
            (&rows, "八月.XLS", Kind::Csv),
            (&rows, "八月.txt", Kind::Csv),
            (&rows, "附件1", Kind::Csv),
            (&rows, "八月.ics", Kind::Other),
            (notes, "说明.txt", Kind::Other),
            (notes, "附件1", Kind::Other),
            (notes, "八月.csv", Kind::Csv),
            (b" \n", "空.csv", Kind::Other),
            (b"\x01\0\0\x02,,,,\n", "a.csv", Kind::Other),
        ] {
            assert_eq!(sniff(bytes, name), kind, "{name}");
        }
    }

    #[test]
    fn markup_is_told_by_what_it_holds_whatever_its_name() {
        let page = format!("<html><style>{}</style><TABLE border=1>", "td{color:red}".repeat(2000));
        let of = |text: &str| sniff(text.as_bytes(), "八月.xls");
        assert_eq!(of(&page), Kind::Html);
        assert_eq!(sniff(&utf16(&page, u16::to_le_bytes), ""), Kind::Html);
        let namespace = "xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"";
        assert_eq!(of(&format!("<?xml version=\"1.0\"?>\n<Workbook {namespace}>")), Kind::SpreadsheetMl);
        assert_eq!(of(&format!("<html {namespace}><table>")), Kind::Html);
        assert_eq!(of("<html><p>没有表格"), Kind::Other);
        assert_eq!(of("MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n"), Kind::Mht);
    }
}
