//! Documents: whether a Word file plainly speaks of something, so that the answer can say what was seen in it. Pure.
//!
//! Nothing is taken from a document; it is only searched for a few words.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::zip_directory;

/// Bytes of a document's text that are searched.
const SEARCHED: u64 = 4 << 20;
/// Parts of a package.
const MEMBERS: usize = 10_000;

/// The first of these texts that a Word document (.docx, .doc) holds, white space put aside. A file that cannot be
/// opened holds nothing.
pub fn holds<'w>(bytes: &[u8], texts: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if bytes.starts_with(b"PK") {
        let text = docx_text(bytes)?;
        return texts.into_iter().find(|wanted| text.contains(*wanted));
    }
    // [MS-DOC] keeps text as UTF-16 or, for old files, in the code page of the writer.
    let bytes = &bytes[..bytes.len().min(SEARCHED as usize)];
    let held = |wanted: &str| {
        let wide: Vec<u8> = wanted.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (gbk, _, _) = encoding_rs::GBK.encode(wanted);
        [&wide[..], &gbk].into_iter().any(|w| w.len() > 3 && bytes.windows(w.len()).any(|held| held == w))
    };
    texts.into_iter().find(|wanted| held(wanted))
}

/// Text of the main part (ECMA-376 part 1, 11.3.10), without tags and white space.
fn docx_text(bytes: &[u8]) -> Option<String> {
    if !zip_directory::within(bytes, MEMBERS) {
        return None;
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut xml = Vec::new();
    archive.by_name("word/document.xml").ok()?.take(SEARCHED).read_to_end(&mut xml).ok()?;
    let mut text = String::new();
    let mut in_tag = false;
    for c in String::from_utf8_lossy(&xml).chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag && !c.is_whitespace() => text.push(c),
            _ => {}
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use docx_rs::{Docx, Paragraph, Run, Table, TableCell, TableRow};

    use super::*;

    #[test]
    fn a_table_in_a_word_file_is_seen_though_its_title_is_cut_into_runs() {
        let title = Paragraph::new()
            .add_run(Run::new().add_text("“建组织”活动"))
            .add_run(Run::new().add_text("进展情况").bold())
            .add_run(Run::new().add_text("统 计表"));
        let cell = TableCell::new().add_paragraph(Paragraph::new().add_run(Run::new().add_text("组织总数")));
        let mut bytes = Cursor::new(Vec::new());
        let table = Table::new(vec![TableRow::new(vec![cell])]);
        Docx::new().add_paragraph(title).add_table(table).build().pack(&mut bytes).unwrap();
        let bytes = bytes.into_inner();
        assert_eq!(holds(&bytes, ["活动台账", "活动进展情况统计表"]), Some("活动进展情况统计表"));
        assert_eq!(holds(&bytes, ["活动台账"]), None);
        assert_eq!(holds(&bytes[..bytes.len() / 2], ["组织总数"]), None);
    }

    #[test]
    fn an_old_word_file_is_searched_in_both_its_encodings() {
        let wide: Vec<u8> = "街道活动台账".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [wide, encoding_rs::GBK.encode("街道活动台账").0.into_owned()] {
            let mut file = vec![0xD0, 0xCF, 0x11, 0xE0];
            file.write_all(&bytes).unwrap();
            assert_eq!(holds(&file, ["活动台账"]), Some("活动台账"));
            assert_eq!(holds(&file, ["活动进展情况统计表"]), None);
        }
    }
}
