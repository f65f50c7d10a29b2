//! What a file was called. Pure.

use super::header;
use super::part::Entity;

/// The name of a file as a person would have seen it; `None` where none was given. Of contradicting names the first that
/// decodes cleanly, was not made up by a program and keeps an extension is taken, in the order in which mail programs
/// prefer them (RFC 2231 before the plain form, Content-Disposition before Content-Type).
pub fn of_file(entity: &Entity<'_>) -> Option<String> {
    let (disposition, declared) = (entity.disposition(), entity.content_type());
    let given = [
        disposition.extended("filename"),
        disposition.plain("filename"),
        declared.extended("name"),
        declared.plain("name"),
        // Some programs leave only this.
        entity.field("Content-Description").map(header::text).filter(|text| has_extension(text)),
    ];
    let given = given.into_iter().flatten().filter(|name| !name.trim().is_empty());
    let best = given.min_by_key(|name| (is_damaged(name), is_made_up(name), !has_extension(name)))?;
    Some(safe(&best)).filter(|name| !name.is_empty())
}

/// A file name without folders, control characters and text direction marks: it is shown, never used as a path.
pub fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let name: String = last.chars().filter(shown).take(200).collect();
    name.trim().trim_end_matches('.').to_owned()
}

/// Question marks stand where a server could not show a character, and no file can have them.
fn is_damaged(name: &str) -> bool {
    name.contains([char::REPLACEMENT_CHARACTER, '?']) || name.contains(char::is_control)
}

fn has_extension(name: &str) -> bool {
    let extension = name.trim().rsplit_once('.').map_or("", |(_, extension)| extension);
    (1..=5).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Names that servers and programs give to files whose own they could not read: ATT00001.bin, noname, tcmime.1.2.3.bin.
fn is_made_up(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let numbered = name.strip_prefix("att").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let words = ["noname", "untitled", "unknown", "unnamed", "tcmime.", "attachment.", "mime-attachment"];
    numbered || words.iter().any(|word| name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(header: &str) -> Option<String> {
        of_file(&Entity::part(format!("{header}\r\n\r\n").as_bytes()))
    }

    #[test]
    fn of_contradicting_names_the_one_that_a_person_saw_is_taken() {
        let disposition = "Content-Disposition: attachment;";
        for (header, wanted) in [
            ("filename=\"tongji.xls\"; filename*=utf-8''%E7%BB%9F%E8%AE%A1.xls", "统计.xls"),
            ("filename*=utf-8''%E7%BB%9F%E8; filename=\"=?gbk?B?zbO8xi54bHM=?=\"", "统计.xls"),
            ("filename*=utf-8''%3F%3F.xls; filename=\"=?gbk?B?zbO8xi54bHM=?=\"", "统计.xls"),
            ("filename*=utf-8''%E7%BB%9F%E8%AE%A1; filename=\"tongji.xls\"", "tongji.xls"),
            ("filename=\"????.xls\"\r\nContent-Type: a/b; name=\"=?gbk?B?zKjVyw==?=\"", "台账"),
            ("filename=\"ATT00012.xls\"\r\nContent-Type: a/b; name=\"=?gbk?B?zKjVyy54bHM=?=\"", "台账.xls"),
            ("filename=a.xls\r\nContent-Type: a/b; name=b.xls", "a.xls"),
            ("filename=\"\"\r\nContent-Type: a/b; name=b.xls", "b.xls"),
            ("filename=\"..\\\\..\\\\C:/x/\u{202e}a\tb.xls\"", "a b.xls"),
            ("x=y\r\nContent-Description: =?gbk?B?zKjVyy54bHM=?=", "台账.xls"),
        ] {
            assert_eq!(name(&format!("{disposition} {header}")).as_deref(), Some(wanted), "{header}");
        }
        assert_eq!(name("Content-Type: application/vnd.ms-excel\r\nContent-Description: a table"), None);
    }
}
