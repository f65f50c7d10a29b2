//! Archives: the files inside a .zip, .7z or .rar, within limits. Pure. (Other kinds of archive are recognised, not
//! opened.)

mod rar;
mod seven_zip;
mod zip;

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::attachment::{Kind, sniff};
use super::{Attachment, name::safe, parse, walk};

/// Settings `[limits]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of all files together when unpacked.
    pub bytes: u64,
    pub members: u32,
    /// Archives within archives.
    pub depth: u32,
}

/// An archive that unpacks to more than this many times its size is a bomb.
const RATIO: u64 = 200;
/// Small files may be as empty as they like.
const RATIO_FROM: u64 = 10 << 20;

/// Why an archive could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    #[error("the archive is protected by a password")]
    Encrypted,
    /// The text is for the log.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    #[error("over a limit: {0}")]
    TooLarge(String),
    /// .gz, .tar and others, and kinds of compression that are not read
    #[error("an archive of a kind that is not opened")]
    Unknown,
}

/// The files in an archive, those of archives inside it included, each named after its way: `报表.zip/台账.xls`.
///
/// Folders, empty members and what file systems leave behind (`__MACOSX`, `Thumbs.db`) are left out. An archive inside
/// that cannot be opened is given as it is.
pub fn unpack(archive: &Attachment, limits: &Limits) -> Result<Vec<Attachment>, Refusal> {
    let mut budget = Budget { bytes: limits.bytes, members: limits.members };
    unpack_within(archive, limits.depth, &mut budget)
}

/// What all archives of one attachment may still give.
struct Budget {
    bytes: u64,
    members: u32,
}

/// A file of an archive: its path as it is stored there, and its bytes.
type Member = (String, Vec<u8>);

impl Budget {
    fn members(&mut self, count: usize) -> Result<(), Refusal> {
        let left = u32::try_from(count).ok().and_then(|count| self.members.checked_sub(count));
        self.members = left.ok_or_else(|| Refusal::TooLarge("members of the archive".into()))?;
        Ok(())
    }

    /// What a member, or an archive, of so many packed bytes may unpack to.
    fn most(&self, packed: u64) -> u64 {
        self.bytes.min(packed.saturating_mul(RATIO).max(RATIO_FROM))
    }

    /// Reads a member to its end.
    fn read(&mut self, member: impl Read, packed: u64) -> Result<Vec<u8>, Refusal> {
        let most = self.most(packed);
        let mut bytes = Vec::new();
        member.take(most + 1).read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() as u64 > most {
            return Err(Refusal::TooLarge("bytes when unpacked".into()));
        }
        self.bytes -= bytes.len() as u64;
        Ok(bytes)
    }
}

fn damaged(error: impl std::fmt::Display) -> Refusal {
    Refusal::Damaged(error.to_string())
}

fn unpack_within(archive: &Attachment, depth: u32, budget: &mut Budget) -> Result<Vec<Attachment>, Refusal> {
    if depth == 0 {
        return Err(Refusal::TooLarge("archives within archives".into()));
    }
    let members = match &archive.bytes[..] {
        [b'P', b'K', ..] => zip::members(&archive.bytes, budget)?,
        [b'7', b'z', ..] => seven_zip::members(&archive.bytes, budget)?,
        [b'R', b'a', b'r', b'!', ..] => rar::members(&archive.bytes, budget)?,
        _ => return Err(Refusal::Unknown),
    };
    let mut files = Vec::new();
    for (number, (path, bytes)) in members.into_iter().enumerate() {
        let name = safe(&path);
        let name = if name.is_empty() { format!("文件{}", number + 1) } else { name };
        let kind = sniff(&bytes, &name);
        let file = Attachment { name: format!("{}/{name}", archive.name), kind, bytes };
        files.extend(opened(file, depth, budget)?);
    }
    Ok(files)
}

/// What a file holds if it is an archive or a mail; itself where it is neither, or has nothing in it that can be taken
/// out.
fn opened(file: Attachment, depth: u32, budget: &mut Budget) -> Result<Vec<Attachment>, Refusal> {
    match file.kind {
        Kind::Archive => match unpack_within(&file, depth - 1, budget) {
            Err(refusal) if !matches!(refusal, Refusal::TooLarge(_)) => Ok(vec![file]),
            outcome => outcome,
        },
        Kind::Mail => {
            // Mails in it were opened with it.
            let inside = walk::files(&file, &parse::Limits::default());
            budget.members(inside.len())?;
            let mut files = Vec::new();
            for inner in inside {
                let inner = Attachment { name: format!("{}/{}", file.name, inner.name), ..inner };
                let archive = inner.kind == Kind::Archive;
                files.extend(if archive { opened(inner, depth, budget)? } else { vec![inner] });
            }
            Ok(if files.is_empty() { vec![file] } else { files })
        }
        _ => Ok(vec![file]),
    }
}

fn is_leftover(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    path.starts_with("__MACOSX")
        || name.starts_with("~$")
        || matches!(name.as_str(), "thumbs.db" | "desktop.ini" | ".ds_store")
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use ::zip::ZipWriter;
    use ::zip::write::SimpleFileOptions;
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { bytes: 20 << 20, members: 100, depth: 3 };
    /// Written by 7-Zip and by the `rars` package: see make_archives.py beside them.
    const LZMA2: &[u8] = include_bytes!("../../tests/fixtures/lzma2.7z");
    const LZMA: &[u8] = include_bytes!("../../tests/fixtures/lzma_solid.7z");
    const PPMD: &[u8] = include_bytes!("../../tests/fixtures/ppmd.7z");
    const LOCKED_7Z: &[u8] = include_bytes!("../../tests/fixtures/password.7z");
    const LOCKED_NAMES_7Z: &[u8] = include_bytes!("../../tests/fixtures/password_names.7z");
    const RAR_4: &[u8] = include_bytes!("../../tests/fixtures/rar4.rar");
    const RAR_5: &[u8] = include_bytes!("../../tests/fixtures/rar5_solid.rar");
    const LOCKED_RAR: &[u8] = include_bytes!("../../tests/fixtures/rar5_password.rar");
    const LOCKED_NAMES_RAR: &[u8] = include_bytes!("../../tests/fixtures/rar5_password_names.rar");

    fn archive(bytes: &[u8]) -> Attachment {
        Attachment { name: "报表.zip".into(), kind: sniff(bytes, ""), bytes: bytes.to_vec() }
    }

    fn open(bytes: &[u8], limits: Limits) -> Result<Vec<String>, Refusal> {
        Ok(unpack(&archive(bytes), &limits)?.into_iter().map(|file| file.name).collect())
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn the_files_of_every_kind_of_archive_are_named_after_their_way() {
        for bytes in [LZMA2, LZMA, RAR_4, RAR_5] {
            let files = unpack(&archive(bytes), &LIMITS).unwrap();
            assert_eq!(files.len(), 1, "leftovers are none");
            assert_eq!((files[0].name.as_str(), files[0].kind), ("报表.zip/台账.csv", Kind::Csv));
            let table = encoding_rs::GBK.decode(&files[0].bytes).0;
            assert!(
                table.starts_with("序号,名称,党员总数\n1,云溪第1商行,1\n") && table.ends_with("39,云溪第39商行,4\n")
            );
        }
    }

    #[test]
    fn passwords_and_other_kinds_are_told() {
        for bytes in [LOCKED_7Z, LOCKED_NAMES_7Z, LOCKED_RAR, LOCKED_NAMES_RAR] {
            assert_eq!(open(bytes, LIMITS), Err(Refusal::Encrypted));
        }
        for bytes in [PPMD, b"\x1F\x8B\x08\0", b"BZh9"] {
            assert_eq!(open(bytes, LIMITS), Err(Refusal::Unknown));
        }
        for bytes in [&LZMA2[..100], &RAR_5[..100], &RAR_4[..100]] {
            assert!(matches!(open(bytes, LIMITS), Err(Refusal::Damaged(_))));
        }
    }

    #[test]
    fn archives_in_archives_are_opened_down_to_a_depth() {
        let packed = zipped(&[("a/内.7z", LZMA2), ("b\\内.rar", RAR_5), ("locked.7z", LOCKED_7Z)]);
        let expected = ["报表.zip/内.7z/台账.csv", "报表.zip/内.rar/台账.csv", "报表.zip/locked.7z"];
        assert_eq!(open(&packed, LIMITS).unwrap(), expected);
        let deep = |layers: usize| (1..layers).fold(LZMA2.to_vec(), |inner, _| zipped(&[("内", &inner)]));
        assert_eq!(open(&deep(3), LIMITS).unwrap(), ["报表.zip/内/内/台账.csv"]);
        assert!(matches!(open(&deep(4), LIMITS), Err(Refusal::TooLarge(_))));
    }

    #[test]
    fn mail_in_an_archive_gives_its_files() {
        let mail = |name: &str, data: &str| {
            let kind = format!("Content-Type: application/octet-stream; name=\"{name}\"\r\n");
            format!("From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n{kind}\r\n{data}").into_bytes()
        };
        let table = mail("台账.csv", "序号,名称\r\n1,云溪商行\r\n");
        let packed = mail("内.7z", &crate::message::whole_mails::base64(LZMA2));
        let files =
            [("转发.eml", &table[..]), ("无名", &packed), ("空.eml", b"From: a@b.example\r\nSubject: s\r\n\r\n")];
        let zip = zipped(&files);
        let expected = ["报表.zip/转发.eml/台账.csv", "报表.zip/无名/内.7z/台账.csv", "报表.zip/空.eml"];
        assert_eq!(open(&zip, LIMITS).unwrap(), expected);
        assert_eq!(unpack(&archive(&zip), &LIMITS).unwrap()[2].kind, Kind::Mail);
        assert!(matches!(open(&zip, Limits { members: 4, ..LIMITS }), Err(Refusal::TooLarge(_))));
    }

    #[test]
    fn all_archives_share_one_budget() {
        let over = |bytes: &[u8], limits| matches!(open(bytes, limits), Err(Refusal::TooLarge(_)));
        for bytes in [LZMA2, LZMA, RAR_4, RAR_5] {
            assert!(over(bytes, Limits { bytes: 500, ..LIMITS }));
            assert!(over(bytes, Limits { members: 1, ..LIMITS }));
        }
        // A table has 703 bytes; each archive has two or three members, and is one itself.
        let twice = zipped(&[("a.7z", LZMA2), ("b.rar", RAR_5)]);
        let bytes = (LZMA2.len() + RAR_5.len() + 1200) as u64;
        assert!(over(&twice, Limits { bytes, ..LIMITS }));
        assert!(over(&twice, Limits { members: 5, ..LIMITS }));
        assert!(!over(&twice, Limits { members: 8, ..LIMITS }));
        let bomb = zipped(&[("b", &[0; 12 << 20])]);
        assert!(over(&bomb, LIMITS), "twelve megabytes of nothing from 12 KB");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn no_flipped_bytes_bring_it_down(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9)) {
            for bytes in [LZMA2, LZMA, RAR_4, RAR_5] {
                let mut bytes = bytes.to_vec();
                // The signature stays.
                for (at, byte) in &flips {
                    let at = 8 + at.index(bytes.len() - 8);
                    bytes[at] = *byte;
                }
                let _ = open(&bytes, LIMITS);
            }
        }
    }
}
