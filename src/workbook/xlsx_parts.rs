//! What the sheets of an OOXML workbook share: strings, cell formats, the list of sheets (ECMA-376 part 1, 18.2, 18.4,
//! 18.8). Pure.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::events::Event;

use super::Refusal;
use super::draft::SHEETS;
use super::number_format::{Formats, Shown};
use super::package::{Xml, attribute, flag, local, resolved};

/// How many shared strings and formats a workbook may have.
const STRINGS: usize = 5_000_000;
const STRING_BYTES: usize = 128 << 20;
const FORMATS: usize = 1_000_000;

/// A sheet as the workbook lists it.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) hidden: bool,
    pub(super) relationship: String,
}

/// The sheets in their order, and whether days are counted from 1904.
pub(super) fn index(mut xml: Xml<impl BufRead>) -> Result<(Vec<Listed>, bool), Refusal> {
    let (mut sheets, mut is_1904) = (Vec::new(), false);
    while let Some(event) = xml.next()? {
        let Event::Start(e) = event else { continue };
        match local(&e) {
            "workbookPr" => is_1904 = flag(&e, "date1904"),
            "sheet" if sheets.len() == SHEETS => return Err(Refusal::TooLarge("sheets".into())),
            "sheet" => sheets.push(Listed {
                name: unescape(&attribute(&e, "name").unwrap_or_default()),
                hidden: attribute(&e, "state").is_some_and(|state| state != "visible"),
                relationship: attribute(&e, "id").unwrap_or_default(),
            }),
            _ => {}
        }
    }
    Ok((sheets, is_1904))
}

/// Each string whole: the runs of rich text joined, phonetic guides (`rPh`) left out.
pub(super) fn shared_strings(mut xml: Xml<impl BufRead>) -> Result<Vec<String>, Refusal> {
    let mut strings = Vec::new();
    let mut bytes = 0;
    let mut text = RichText::default();
    while let Some(event) = xml.next()? {
        if let Event::End(e) = &event
            && e.local_name().as_ref() == "si"
        {
            let string = text.take();
            bytes += string.len();
            if strings.len() == STRINGS || bytes > STRING_BYTES {
                return Err(Refusal::TooLarge("shared strings".into()));
            }
            strings.push(string);
            continue;
        }
        text.event(&event);
    }
    Ok(strings)
}

/// The text of a string item (CT_Rst) while its elements pass by.
#[derive(Default)]
pub(super) struct RichText {
    whole: String,
    in_text: bool,
    in_phonetic: bool,
}

impl RichText {
    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(e) => self.tag(local(e), true),
            Event::End(e) => self.tag(e.local_name().as_ref(), false),
            _ if !self.in_text || self.in_phonetic => {}
            event => push(event, &mut self.whole),
        }
    }

    fn tag(&mut self, name: &str, opens: bool) {
        match name {
            "t" => self.in_text = opens,
            "rPh" => self.in_phonetic = opens,
            _ => {}
        }
    }

    pub(super) fn take(&mut self) -> String {
        unescape(&std::mem::take(self).whole)
    }
}

/// Appends what an event says in characters.
pub(super) fn push(event: &Event<'_>, text: &mut String) {
    match event {
        Event::Text(more) => text.push_str(more),
        Event::CData(more) => text.push_str(more),
        Event::GeneralRef(reference) => text.push_str(&resolved(reference)),
        _ => {}
    }
}

/// The format of each cell format (`cellXfs`).
pub(super) fn formats(mut xml: Xml<impl BufRead>) -> Result<Formats, Refusal> {
    let mut codes: HashMap<u32, Shown> = HashMap::new();
    let mut ids = Vec::new();
    let (mut in_codes, mut in_cells) = (false, false);
    while let Some(event) = xml.next()? {
        let (name, e) = match &event {
            Event::Start(e) => (local(e), Some(e)),
            Event::End(e) => (e.local_name().into_inner(), None),
            _ => continue,
        };
        let number = |e| attribute(e, "numFmtId").and_then(|id| id.trim().parse().ok()).unwrap_or(0);
        match (name, e) {
            ("numFmts", e) => in_codes = e.is_some(),
            ("cellXfs", e) => in_cells = e.is_some(),
            ("numFmt", Some(e)) if in_codes && codes.len() < FORMATS => {
                codes.insert(number(e), Shown::of_code(&attribute(e, "formatCode").unwrap_or_default()));
            }
            ("xf", Some(_)) if ids.len() == FORMATS => return Err(Refusal::TooLarge("cell formats".into())),
            ("xf", Some(e)) if in_cells => ids.push(number(e)),
            _ => {}
        }
    }
    let shown = |id: u32| codes.get(&id).copied().unwrap_or(Shown::of_built_in(id.try_into().unwrap_or(0)));
    Ok(Formats { shown: ids.into_iter().map(shown).collect(), is_1904: false })
}

/// ST_Xstring (22.9.2.19): `_x000D_` is the UTF-16 unit of that number, `_x005F_` the underscore before what only looks
/// like one.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let mut units = Vec::new();
        rest = &rest[before.len()..];
        while let Some((unit, after)) = escaped_unit(rest) {
            units.push(unit);
            rest = after;
        }
        plain.push_str(&String::from_utf16_lossy(&units));
        if units.is_empty() {
            plain.push_str("_x");
            rest = after;
        }
    }
    plain + rest
}

/// `_x000D_` at the beginning: its unit, and what follows.
fn escaped_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, after) = text.strip_prefix("_x")?.split_at_checked(4)?;
    let digits = digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digits)?;
    Some((u16::from_str_radix(digits, 16).ok()?, after.strip_prefix('_')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_characters_are_read_and_what_only_looks_like_one_is_kept() {
        assert_eq!(unescape("甲_x000D_\n乙_x000a_"), "甲\r\n乙\n");
        assert_eq!(unescape("_x005F_x000D_"), "_x000D_");
        assert_eq!(unescape("_xD840__xDC0B_店_xD800_"), "𠀋店\u{FFFD}");
        for text in ["_x", "_x00", "_x000D", "_x00漢字_", "a_xyzzy_", "__x_"] {
            assert_eq!(unescape(text), text);
        }
    }

    #[test]
    fn formats_are_those_of_the_cells() {
        let xml = r#"<styleSheet><numFmts><numFmt numFmtId="176" formatCode="0.0%"/></numFmts>
            <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf/><xf numFmtId="176"/><xf numFmtId="14"><x/></xf>
            <xf numFmtId="31"/></cellXfs><dxfs><dxf><numFmt numFmtId="0" formatCode="0%"/></dxf></dxfs></styleSheet>"#;
        let formats = formats(Xml::new(xml.as_bytes())).unwrap();
        assert_eq!(formats.shown, [Shown::Plain, Shown::Percent, Shown::Day, Shown::Day]);
    }
}
