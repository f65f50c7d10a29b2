//! Files that are not sent on to others: programs, pages with scripts, macros, what nobody can look into. Pure.

use super::{Attachment, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// It can be run, or runs something when it is opened.
    Program,
    Macros,
    /// Locked by a password.
    Locked,
    /// An archive that could not be looked into.
    Unknown,
}

/// Why a file is not sent on, as far as its name and bytes tell. What lies in an archive has to be asked about
/// one by one ([`by_name`]).
pub fn risk(file: &Attachment) -> Option<Risk> {
    let program = [&b"MZ"[..], b"\x7FELF", b"#!", b"\x4C\0\0\0\x01\x14\x02\0", b"\xCA\xFE\xBA\xBE"];
    if program.iter().any(|mark| file.bytes.starts_with(mark)) || matches!(file.kind, Kind::Html | Kind::Mht) {
        return Some(Risk::Program);
    }
    if file.kind == Kind::Encrypted {
        return Some(Risk::Locked);
    }
    let macros: [&[u8]; 2] = [b"vbaProject.bin", b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0"];
    // An archive of documents is no document: its members are asked about.
    let holds = |mark: &[u8]| file.bytes.windows(mark.len()).any(|window| window == mark);
    if file.kind != Kind::Archive && macros.iter().any(|mark| holds(mark)) {
        return Some(Risk::Macros);
    }
    by_name(&file.name)
}

/// What a file's extension says it does when it is opened.
pub fn by_name(name: &str) -> Option<Risk> {
    const PROGRAMS: [&str; 37] = [
        "exe", "com", "scr", "pif", "bat", "cmd", "msi", "msp", "dll", "cpl", "sys", "js", "jse", "vbs", "vbe", "wsf",
        "wsh", "hta", "ps1", "jar", "lnk", "url", "reg", "chm", "hlp", "inf", "iso", "img", "vhd", "htm", "html",
        "xhtml", "mht", "mhtml", "svg", "swf", "apk",
    ];
    const MACROS: [&str; 9] = ["docm", "dotm", "xlsm", "xltm", "xlam", "pptm", "potm", "ppsm", "ppam"];
    // Windows passes over blanks and dots at the end.
    let name = name.trim_end_matches(|c: char| c.is_whitespace() || c == '.').to_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if PROGRAMS.contains(&extension) {
        return Some(Risk::Program);
    }
    MACROS.contains(&extension).then_some(Risk::Macros)
}

/// A document of an office program, by its extension.
pub fn is_document(name: &str) -> bool {
    const DOCUMENTS: [&str; 14] =
        ["doc", "docx", "xls", "xlsx", "ppt", "pptx", "pdf", "wps", "et", "dps", "odt", "ods", "odp", "rtf"];
    let name = name.to_lowercase();
    name.rsplit_once('.').is_some_and(|(_, extension)| DOCUMENTS.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, kind: Kind, bytes: &[u8]) -> Option<Risk> {
        risk(&Attachment { name: name.into(), kind, bytes: bytes.to_vec() })
    }

    #[test]
    fn what_runs_is_known_by_its_bytes_or_its_name() {
        assert_eq!(of("照片.jpg", Kind::Other, b"MZ\x90\0"), Some(Risk::Program));
        assert_eq!(of("照片.jpg .EXE. ", Kind::Other, b"x"), Some(Risk::Program));
        assert_eq!(of("通知.doc", Kind::Html, b"<html>"), Some(Risk::Program));
        assert_eq!(of("总结.doc", Kind::Word, b"..._\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0"), Some(Risk::Macros));
        assert_eq!(of("总结.docx", Kind::Word, b"PK word/vbaProject.bin"), Some(Risk::Macros));
        assert_eq!(of("总结.docx", Kind::Encrypted, b""), Some(Risk::Locked));
    }

    #[test]
    fn documents_pictures_and_films_are_sent_on() {
        for (name, kind) in
            [("总结.doc", Kind::Word), ("合影.jpg", Kind::Picture), ("纪实.mp4", Kind::Other), ("a", Kind::Pdf)]
        {
            assert_eq!(of(name, kind, b"whatever"), None, "{name}");
        }
    }
}
