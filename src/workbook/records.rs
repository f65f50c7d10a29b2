//! The record layer of binary workbooks (MS-XLS 2.1.4, BIFF5 and BIFF8) and the texts in it. Nothing here trusts a
//! length: every access is checked, and a record that is too short is `Refusal::Damaged`. Pure.

use encoding_rs::Encoding;

use super::Refusal;
use super::binary::{Fields, damaged};

const CONTINUE: u16 = 0x003C;
/// CONTINUE records one record may have: each holds 8 KB, and a shared string table of 160 MB is none.
const CONTINUES: usize = 20_000;

/// One record with the CONTINUE records that follow it.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: Fields<'a>,
    pub(super) continued: Vec<&'a [u8]>,
}

/// The records of a stream from a given place on; ends with the stream or at a record that is cut off.
pub(super) struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at }
    }

    fn split(&mut self) -> Option<(u16, &'a [u8])> {
        let rest = self.stream.get(self.at..)?;
        let head = rest.get(..4)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let data = rest.get(4..4 + length)?;
        self.at += 4 + length;
        Some((u16::from_le_bytes([head[0], head[1]]), data))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (kind, data) = self.split()?;
        let mut continued = Vec::new();
        while self.stream.get(self.at..)?.starts_with(&CONTINUE.to_le_bytes()) {
            continued.push(self.split()?.1);
        }
        Some(Record { kind, data: Fields(data), continued })
    }
}

/// How the texts of a workbook are stored.
#[derive(Clone, Copy)]
pub(super) enum Script {
    /// BIFF8: UTF-16, its high bytes left out where they are all zero.
    Unicode,
    /// BIFF5: bytes in a code page.
    Bytes(&'static Encoding),
}

impl Script {
    /// The number that Windows has for it.
    pub(super) fn code_page(self) -> u16 {
        match self {
            Self::Unicode => 1200,
            Self::Bytes(encoding) => match encoding.name() {
                "gb18030" => 54936,
                "Shift_JIS" => 932,
                "EUC-KR" => 949,
                "Big5" => 950,
                "UTF-8" => 65001,
                name => name.strip_prefix("windows-").and_then(|page| page.parse().ok()).unwrap_or(1252),
            },
        }
    }

    /// A text with its length in two bytes before it (XLUnicodeString, MS-XLS 2.5.294), which may run on in CONTINUE
    /// records.
    pub(super) fn text(self, record: &Record<'_>, at: usize) -> Result<String, Refusal> {
        let mut chunks = Chunks { now: record.data.after(at)?, later: record.continued.iter() };
        match self {
            Self::Unicode if record.data.u16(at)? == 0 => Ok(String::new()),
            Self::Unicode => chunks.string(),
            Self::Bytes(encoding) => {
                let length = chunks.fields(2)?.u16(0)?.into();
                let bytes = chunks.take(length)?;
                Ok(encoding.decode_without_bom_handling(&bytes).0.into_owned())
            }
        }
    }

    /// A text with its length in one byte before it (ShortXLUnicodeString, 2.5.240).
    pub(super) fn short_text(self, data: Fields<'_>, at: usize) -> Result<String, Refusal> {
        let length = usize::from(data.u8(at)?);
        let cut = || damaged("a text is cut off");
        match self {
            Self::Unicode => {
                let wide = data.u8(at + 1)? & 1 != 0;
                let bytes = data.after(at + 2)?.get(..length * if wide { 2 } else { 1 }).ok_or_else(cut)?;
                Ok(String::from_utf16_lossy(&units(bytes, wide)))
            }
            Self::Bytes(encoding) => {
                let bytes = data.after(at + 1)?.get(..length).ok_or_else(cut)?;
                Ok(encoding.decode_without_bom_handling(bytes).0.into_owned())
            }
        }
    }
}

/// The strings of an SST record (MS-XLS 2.4.265). The count it opens with is believed only where what follows makes no
/// string.
pub(super) fn shared_strings(record: &Record<'_>) -> Result<Vec<String>, Refusal> {
    if record.continued.len() > CONTINUES {
        return Err(Refusal::TooLarge("shared strings".into()));
    }
    let announced = record.data.u32(4)? as usize;
    let mut chunks = Chunks { now: record.data.after(8)?, later: record.continued.iter() };
    let mut strings = Vec::new();
    while !(chunks.now.is_empty() && chunks.later.len() == 0) {
        match chunks.string() {
            Err(_) if strings.len() >= announced => break,
            string => strings.push(string?),
        }
    }
    Ok(strings)
}

fn units(bytes: &[u8], wide: bool) -> Vec<u16> {
    match wide {
        true => bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect(),
        false => bytes.iter().map(|&b| b.into()).collect(),
    }
}

/// A record's bytes across its CONTINUE records.
struct Chunks<'a> {
    now: &'a [u8],
    later: std::slice::Iter<'a, &'a [u8]>,
}

impl<'a> Chunks<'a> {
    fn advance(&mut self) -> Result<(), Refusal> {
        self.now = self.later.next().ok_or_else(|| damaged("a text is cut off"))?;
        Ok(())
    }

    fn take(&mut self, mut length: usize) -> Result<Vec<u8>, Refusal> {
        let mut taken = Vec::new();
        while length > self.now.len() {
            taken.extend_from_slice(self.now);
            length -= self.now.len();
            self.advance()?;
        }
        let (here, rest) = self.now.split_at(length);
        taken.extend_from_slice(here);
        self.now = rest;
        Ok(taken)
    }

    /// Small fields never span records, except that a record may end just before them.
    fn fields(&mut self, length: usize) -> Result<Fields<'a>, Refusal> {
        while self.now.is_empty() {
            self.advance()?;
        }
        let (head, rest) = self.now.split_at_checked(length).ok_or_else(|| damaged("a text is cut off"))?;
        self.now = rest;
        Ok(Fields(head))
    }

    /// XLUnicodeRichExtendedString (MS-XLS 2.5.293): length, flags, sizes of what follows the characters: the runs of
    /// rich text, then phonetic guides. Where a CONTINUE record begins inside the characters, it opens with a flags
    /// byte of its own.
    fn string(&mut self) -> Result<String, Refusal> {
        let length = self.fields(2)?.u16(0)?;
        let mut flags = self.fields(1)?.u8(0)?;
        let runs = if flags & 8 != 0 { usize::from(self.fields(2)?.u16(0)?) * 4 } else { 0 };
        let extra = if flags & 4 != 0 { self.fields(4)?.u32(0)? as usize } else { 0 };
        let mut left = usize::from(length);
        let mut characters = Vec::with_capacity(left.min(self.now.len()));
        loop {
            let wide = flags & 1 != 0;
            let size = if wide { 2 } else { 1 };
            let here = left.min(self.now.len() / size);
            let (bytes, rest) = self.now.split_at(here * size);
            characters.extend(units(bytes, wide));
            self.now = rest;
            left -= here;
            if left == 0 {
                break;
            }
            self.advance()?;
            flags = self.fields(1)?.u8(0)?;
        }
        self.take(runs)?;
        self.take(extra)?;
        Ok(String::from_utf16_lossy(&characters))
    }
}
