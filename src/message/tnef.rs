//! winmail.dat: what Outlook sends a mail as when it is set to rich text ([MS-OXTNEF]). Pure.
//!
//! A list of attributes, some of which hold a list of MAPI properties ([MS-OXCDATA] section 2.11). Everything is handed
//! out as a slice of the bytes, so that nothing here can grow beyond them; a list ends where its lengths make no sense.

use super::charset;

/// A message, as far as we need it.
#[derive(Debug, Default)]
pub struct Tnef<'a> {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub files: Vec<File<'a>>,
}

#[derive(Debug, Default)]
pub struct File<'a> {
    /// As written: the long name if there is one. Empty where there is none.
    pub name: String,
    pub content: Content<'a>,
}

#[derive(Debug)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// A message inside this one, as a TNEF stream.
    Message(&'a [u8]),
}

impl Default for Content<'_> {
    fn default() -> Self {
        Self::Bytes(&[])
    }
}

const SIGNATURE: [u8; 4] = [0x78, 0x9F, 0x3E, 0x22];
/// Bytes of the signature and the key behind it.
const HEAD: usize = 6;
/// Files, and properties of one list, that are looked at.
const MOST: usize = 1_000;
/// Bytes of a text that are looked at.
const TEXT: usize = 512 << 10;

/// Attributes ([MS-OXTNEF] section 2.1.3.3).
mod attribute {
    pub const SUBJECT: u32 = 0x0001_8004;
    pub const BODY: u32 = 0x0002_800C;
    pub const ATTACH_DATA: u32 = 0x0006_800F;
    pub const ATTACH_TITLE: u32 = 0x0001_8010;
    pub const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
    pub const ATTACH_REND_DATA: u32 = 0x0006_9002;
    pub const ATTACHMENT: u32 = 0x0006_9005;
    pub const OEM_CODE_PAGE: u32 = 0x0006_9007;
}

/// Properties ([MS-OXPROPS]).
mod property {
    pub const SUBJECT: u16 = 0x0037;
    pub const BODY: u16 = 0x1000;
    pub const HTML: u16 = 0x1013;
    pub const DISPLAY_NAME: u16 = 0x3001;
    pub const ATTACH_DATA: u16 = 0x3701;
    pub const ATTACH_FILENAME: u16 = 0x3704;
    pub const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub const INTERNET_CODE_PAGE: u16 = 0x3FDE;
    pub const MESSAGE_CODE_PAGE: u16 = 0x3FFD;
}

/// Types of properties ([MS-OXCDATA] section 2.11.1).
mod kind {
    pub const INTEGER_32: u16 = 0x0003;
    pub const OBJECT: u16 = 0x000D;
    pub const STRING_8: u16 = 0x001E;
    pub const UNICODE: u16 = 0x001F;
    pub const BINARY: u16 = 0x0102;
    pub const MULTIPLE: u16 = 0x1000;
}

/// IID_IMessage, which stands before a message in a property.
const MESSAGE: [u8; 16] = [0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];

pub fn is_tnef(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Reads a stream; what is damaged in it is left out.
pub fn read(bytes: &[u8]) -> Tnef<'_> {
    let mut tnef = Tnef::default();
    let mut code_page = 0;
    let mut rest = bytes.get(HEAD..).unwrap_or_default();
    while let Some((id, data, after)) = attribute(rest) {
        rest = after;
        match id {
            attribute::OEM_CODE_PAGE => code_page = u32_at(data, 0).unwrap_or(0),
            attribute::SUBJECT => tnef.subject = string_8(data, code_page),
            attribute::BODY => tnef.text = string_8(data, code_page),
            attribute::MESSAGE_PROPERTIES => message(&mut tnef, data, code_page),
            attribute::ATTACH_REND_DATA if tnef.files.len() < MOST => tnef.files.push(File::default()),
            attribute::ATTACH_REND_DATA => break,
            _ => {
                if let Some(file) = tnef.files.last_mut() {
                    attachment(file, (id, data), code_page);
                }
            }
        }
    }
    tnef
}

/// The next attribute: a byte of level, its id, its length, its data and a checksum that nobody checks. Data that was
/// cut is what is there.
fn attribute(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let id = u32_at(bytes, 1)?;
    let length = u32_at(bytes, 5)? as usize;
    let rest = &bytes[9..];
    let data = &rest[..length.min(rest.len())];
    Some((id, data, rest.get(length.checked_add(2)?..).unwrap_or_default()))
}

fn message<'a>(tnef: &mut Tnef<'a>, data: &'a [u8], code_page: u32) {
    let list: Vec<Property> = Properties::of(data).take(MOST).collect();
    let number =
        |id: u16| list.iter().find(|p| p.id == id && p.kind == kind::INTEGER_32).and_then(|p| u32_at(p.value, 0));
    let code_page = number(property::MESSAGE_CODE_PAGE).filter(|page| *page != 0).unwrap_or(code_page);
    let html_page = number(property::INTERNET_CODE_PAGE).unwrap_or(code_page);
    for property in &list {
        match property.id {
            property::SUBJECT => tnef.subject = property.text(code_page),
            property::BODY => tnef.text = property.text(code_page),
            property::HTML => tnef.html = property.text(html_page),
            _ => {}
        }
    }
}

fn attachment<'a>(file: &mut File<'a>, (id, data): (u32, &'a [u8]), code_page: u32) {
    match id {
        // The long name is in the properties, which come last.
        attribute::ATTACH_TITLE => file.name = string_8(data, code_page),
        attribute::ATTACH_DATA => file.content = Content::Bytes(data),
        attribute::ATTACHMENT => {
            let mut names = [const { String::new() }; 3];
            for property in Properties::of(data).take(MOST) {
                match property.id {
                    property::ATTACH_LONG_FILENAME => names[0] = property.text(code_page),
                    property::ATTACH_FILENAME => names[1] = property.text(code_page),
                    property::DISPLAY_NAME => names[2] = property.text(code_page),
                    property::ATTACH_DATA => match property.value.strip_prefix(&MESSAGE) {
                        Some(inner) => file.content = Content::Message(inner),
                        None if property.kind == kind::BINARY => file.content = Content::Bytes(property.value),
                        None => {}
                    },
                    _ => {}
                }
            }
            let [long, short, shown] = names;
            let given = [long, std::mem::take(&mut file.name), short, shown];
            file.name = given.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        }
        _ => {}
    }
}

struct Property<'a> {
    id: u16,
    kind: u16,
    value: &'a [u8],
}

impl Property<'_> {
    fn text(&self, code_page: u32) -> String {
        match self.kind {
            kind::UNICODE => {
                let units = self.value[..self.value.len().min(TEXT)].chunks_exact(2);
                let text =
                    String::from_utf16_lossy(&units.map(|b| u16::from_le_bytes([b[0], b[1]])).collect::<Vec<_>>());
                text.trim_end_matches('\0').to_owned()
            }
            kind::STRING_8 | kind::BINARY => string_8(self.value, code_page),
            _ => String::new(),
        }
    }
}

fn string_8(bytes: &[u8], code_page: u32) -> String {
    let label = match code_page {
        0 => String::new(),
        65001 => "utf-8".to_owned(),
        54936 => "gb18030".to_owned(),
        page => format!("windows-{page}"),
    };
    let bytes = &bytes[..bytes.len().min(TEXT)];
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    charset::decode(&label, &bytes[..end])
}

/// A list of properties: their number, then each with its type and id, for named ones its name, and its values.
struct Properties<'a> {
    rest: &'a [u8],
}

impl<'a> Properties<'a> {
    fn of(data: &'a [u8]) -> Self {
        Self { rest: data.get(4..).unwrap_or_default() }
    }

    fn take_bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn take_number(&mut self) -> Option<usize> {
        u32_at(self.take_bytes(4)?, 0).map(|n| n as usize)
    }

    /// A value that says its length, filled up to four bytes.
    fn take_sized(&mut self) -> Option<&'a [u8]> {
        let length = self.take_number()?;
        let value = self.take_bytes(length)?;
        self.take_bytes((4 - length % 4) % 4);
        Some(value)
    }

    fn name(&mut self) -> Option<()> {
        self.take_bytes(16)?;
        match self.take_number()? {
            0 => self.take_bytes(4).map(drop),
            _ => self.take_sized().map(drop),
        }
    }

    fn value(&mut self, kind: u16) -> Option<&'a [u8]> {
        match kind {
            kind::STRING_8 | kind::UNICODE | kind::BINARY | kind::OBJECT => self.take_sized(),
            0x0002 | kind::INTEGER_32 | 0x0004 | 0x000A | 0x000B => self.take_bytes(4),
            0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => self.take_bytes(8),
            0x0048 => self.take_bytes(16),
            _ => None,
        }
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        let tag = u32_at(self.take_bytes(4)?, 0)?;
        let (kind, id) = ((tag & 0xFFFF) as u16, (tag >> 16) as u16);
        if id >= 0x8000 {
            self.name()?;
        }
        let single = kind & !kind::MULTIPLE;
        // Those of variable length say how many they are, even if there is but one.
        let counted = kind != single || matches!(single, kind::STRING_8 | kind::UNICODE | kind::BINARY | kind::OBJECT);
        let count = if counted { self.take_number()? } else { 1 };
        let mut first = None;
        for _ in 0..count {
            let value = self.value(single)?;
            first.get_or_insert(value);
        }
        Some(Property { id, kind: single, value: first.unwrap_or_default() })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream(attributes: &[(u32, &[u8])]) -> Vec<u8> {
        let mut out = [&SIGNATURE[..], &[1, 0]].concat();
        for (id, data) in attributes {
            let sum = data.iter().fold(0u16, |sum, &b| sum.wrapping_add(b.into()));
            out.push(2);
            out.extend(id.to_le_bytes());
            out.extend((data.len() as u32).to_le_bytes());
            out.extend(*data);
            out.extend(sum.to_le_bytes());
        }
        out
    }

    fn properties(list: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let mut out = (list.len() as u32).to_le_bytes().to_vec();
        for (kind, id, value) in list {
            out.extend(kind.to_le_bytes());
            out.extend(id.to_le_bytes());
            if *id >= 0x8000 {
                out.extend([0; 16]);
                out.extend(1u32.to_le_bytes());
                out.extend([6, 0, 0, 0, b'K', 0, b'e', 0, 0, 0, 0, 0]);
            }
            if *kind == kind::INTEGER_32 {
                out.extend(*value);
                continue;
            }
            out.extend(1u32.to_le_bytes());
            out.extend((value.len() as u32).to_le_bytes());
            out.extend(*value);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out
    }

    fn gbk(text: &str) -> Vec<u8> {
        [&encoding_rs::GBK.encode(text).0[..], b"\0"].concat()
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    fn sample() -> Vec<u8> {
        let page = 936u32.to_le_bytes();
        let inner = stream(&[(attribute::SUBJECT, b"inner\0")]);
        let long = properties(&[
            (kind::INTEGER_32, 0x8001, &page),
            (kind::STRING_8, property::ATTACH_LONG_FILENAME, &gbk("八月份活动台账.xls")),
        ]);
        let unicode = properties(&[(kind::UNICODE, property::ATTACH_LONG_FILENAME, &wide("统计表.xls"))]);
        let object = [&MESSAGE[..], &inner].concat();
        let nested = properties(&[
            (kind::OBJECT, property::ATTACH_DATA, &object),
            (kind::STRING_8, property::DISPLAY_NAME, b"forwarded\0"),
        ]);
        let body = properties(&[
            (kind::INTEGER_32, property::MESSAGE_CODE_PAGE, &page),
            (kind::UNICODE, property::SUBJECT, &wide("报表")),
            (kind::STRING_8, property::BODY, &gbk("请查收")),
        ]);
        stream(&[
            (attribute::OEM_CODE_PAGE, &[page, [0; 4]].concat()),
            (attribute::MESSAGE_PROPERTIES, &body),
            (attribute::ATTACH_REND_DATA, &[0; 14]),
            (attribute::ATTACH_TITLE, &gbk("八月份~1.XLS")),
            (attribute::ATTACH_DATA, b"one"),
            (attribute::ATTACHMENT, &long),
            (attribute::ATTACH_REND_DATA, &[0; 14]),
            (attribute::ATTACH_DATA, b"two"),
            (attribute::ATTACHMENT, &unicode),
            (attribute::ATTACH_REND_DATA, &[0; 14]),
            (attribute::ATTACH_TITLE, b"three.xls\0"),
            (attribute::ATTACH_DATA, b"three"),
            (attribute::ATTACH_REND_DATA, &[0; 14]),
            (attribute::ATTACHMENT, &nested),
        ])
    }

    #[test]
    fn a_message_and_its_files_are_read() {
        let bytes = sample();
        let tnef = read(&bytes);
        assert_eq!((tnef.subject.as_str(), tnef.text.as_str()), ("报表", "请查收"));
        let files: Vec<_> = tnef
            .files
            .iter()
            .map(|file| match file.content {
                Content::Bytes(bytes) => (file.name.as_str(), String::from_utf8_lossy(bytes).into_owned()),
                Content::Message(inner) => (file.name.as_str(), read(inner).subject),
            })
            .collect();
        let named = |name: &'static str, content: &str| (name, content.to_owned());
        assert_eq!(
            files,
            [
                named("八月份活动台账.xls", "one"),
                named("统计表.xls", "two"),
                named("three.xls", "three"),
                named("forwarded", "inner"),
            ]
        );
    }

    #[test]
    fn a_stream_that_was_cut_gives_what_it_holds() {
        let bytes = stream(&[(attribute::ATTACH_REND_DATA, b""), (attribute::ATTACH_DATA, b"a file")]);
        let tnef = read(&bytes[..bytes.len() - 5]);
        assert!(matches!(tnef.files[0].content, Content::Bytes(b"a f")));
        assert!(is_tnef(&bytes) && !is_tnef(b"PK"));
    }

    #[test]
    fn numbers_without_end_end() {
        let many = stream(&vec![(attribute::ATTACH_REND_DATA, &b""[..]); 2 * MOST]);
        assert_eq!(read(&many).files.len(), MOST);
        let endless = [&[0; 4][..], &[0x1E, 0x10, 1, 0x30], &[0xFF; 4]].concat();
        assert_eq!(Properties::of(&endless).count(), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..9),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = sample();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len()));
            for file in read(&bytes).files {
                let (Content::Bytes(held) | Content::Message(held)) = file.content;
                prop_assert!(held.len() <= bytes.len());
            }
        }
    }
}
