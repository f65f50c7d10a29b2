//! Pages → files, as the programs that offices use save them.

pub mod compound;
pub mod html;
pub mod ods;
pub mod separated;
pub mod spreadsheetml;
pub mod xls;
pub mod xlsx;
pub mod zip;

use crate::page::Page;

/// A format, with what programs do differently in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    /// As Excel and its like write it.
    Xlsx,
    /// As exporters write it, by hand.
    OddXlsx(xlsx::Oddity),
    /// Excel 97 to 2003; WPS's .et is the same.
    Xls(xls::Dialect),
    Separated(separated::Dialect),
    Html,
    SpreadsheetMl,
    Ods,
}

impl Format {
    /// Merged regions survive.
    pub fn merges(self) -> bool {
        !matches!(self, Self::Separated(_) | Self::Xls(xls::Dialect { biff8: false, .. }))
    }

    /// More than one sheet, and hidden rows, columns and sheets survive.
    pub fn is_workbook(self) -> bool {
        !matches!(self, Self::Separated(_) | Self::Html)
    }

    pub fn write(self, pages: &[Page]) -> Vec<u8> {
        match self {
            Self::Xlsx => xlsx::write(pages),
            Self::OddXlsx(oddity) => xlsx::write_oddly(pages, oddity),
            Self::Xls(dialect) => xls::write(pages, dialect),
            Self::Separated(dialect) => separated::write(&pages[0], dialect),
            Self::Html => html::write(&pages[0]).into_bytes(),
            Self::SpreadsheetMl => spreadsheetml::write(pages).into_bytes(),
            Self::Ods => ods::write(pages),
        }
    }

    /// What programs call such a file.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Xlsx | Self::OddXlsx(_) => "xlsx",
            Self::Xls(_) | Self::Html | Self::SpreadsheetMl => "xls",
            Self::Separated(_) => "csv",
            Self::Ods => "ods",
        }
    }
}

/// Text in XML or HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
