//! What an attachment is, told from its bytes, never from its name or declared type. Pure.

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
