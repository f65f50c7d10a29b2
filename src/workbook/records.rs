//! The record layer of binary workbooks (MS-XLS 2.1.4, BIFF5 and BIFF8), as far as marks and checks need it. Pure.

use encoding_rs::GBK;

use super::Refusal;
use super::marks::At;

const CONTINUE: u16 = 0x003C;
/// CONTINUE records one record may have: each holds 8 KB, and a shared string table of 160 MB is none.
const CONTINUES: usize = 20_000;

pub(super) fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(format!("binary workbook: {what}"))
}

/// One record with the CONTINUE records that follow it.
pub(super) struct Record<'a> {
    /// Where it begins in the stream; its data begin four bytes later.
    pub(super) at: usize,
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
        let at = self.at;
        let (kind, data) = self.split()?;
        let mut continued = Vec::new();
        while self.stream.get(self.at..)?.starts_with(&CONTINUE.to_le_bytes()) {
            continued.push(self.split()?.1);
        }
        Some(Record { at, kind, data: Fields(data), continued })
    }
}

/// The bytes of one record, read by offset.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Refusal> {
        let bytes = at.checked_add(N).and_then(|end| self.0.get(at..end));
        bytes.and_then(|b| b.try_into().ok()).ok_or_else(|| damaged("a record is too short"))
    }

    pub(super) fn u8(self, at: usize) -> Result<u8, Refusal> {
        self.array::<1>(at).map(|[b]| b)
    }

    pub(super) fn u16(self, at: usize) -> Result<u16, Refusal> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(self, at: usize) -> Result<u32, Refusal> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn after(self, at: usize) -> Result<&'a [u8], Refusal> {
        self.0.get(at..).ok_or_else(|| damaged("a record is too short"))
    }

    /// Row and column, which open every cell record.
    pub(super) fn position(self) -> Result<At, Refusal> {
        Ok((self.u16(0)?.into(), self.u16(2)?.into()))
    }

    /// A text (length in two bytes, in BIFF8 a byte of flags, the characters) ends within its record. calamine would
    /// cut it off there.
    pub(super) fn whole_text(self, at: usize, biff8: bool) -> Result<(), Refusal> {
        let length = usize::from(self.u16(at)?);
        let needed = match (length, biff8) {
            (0, _) => 0,
            (_, true) => 1 + length * if self.u8(at + 2)? & 1 != 0 { 2 } else { 1 },
            (_, false) => length,
        };
        if self.after(at + 2)?.len() < needed { Err(damaged("a text is cut off")) } else { Ok(()) }
    }
}

/// The code of a Format record (MS-XLS 2.4.126); in BIFF5 its length takes one byte and its text is in a code page.
pub(super) fn format_code(data: Fields<'_>, biff8: bool) -> Result<String, Refusal> {
    if !biff8 {
        let code = data.after(3)?.get(..data.u8(2)?.into()).ok_or_else(|| damaged("a text is cut off"))?;
        return Ok(GBK.decode_without_bom_handling(code).0.into_owned());
    }
    data.whole_text(2, true)?;
    let (length, wide) = (usize::from(data.u16(2)?), data.u8(4)? & 1 != 0);
    let units: Vec<u16> = match wide {
        true => data.after(5)?.chunks_exact(2).take(length).map(|b| u16::from_le_bytes([b[0], b[1]])).collect(),
        false => data.after(5)?.iter().take(length).map(|&b| b.into()).collect(),
    };
    Ok(String::from_utf16_lossy(&units))
}

/// The characters of each string of an SST record (MS-XLS 2.4.265); the counts it opens with are not believed.
pub(super) fn string_lengths(record: &Record<'_>) -> Result<Vec<u32>, Refusal> {
    if record.continued.len() > CONTINUES {
        return Err(Refusal::TooLarge("shared strings".into()));
    }
    let mut chunks = Chunks { now: record.data.after(8)?, later: record.continued.iter() };
    let mut lengths = Vec::new();
    while !(chunks.now.is_empty() && chunks.later.len() == 0) {
        lengths.push(chunks.pass_string()?);
    }
    Ok(lengths)
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

    fn skip(&mut self, mut bytes: usize) -> Result<(), Refusal> {
        while bytes > self.now.len() {
            bytes -= self.now.len();
            self.advance()?;
        }
        self.now = &self.now[bytes..];
        Ok(())
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

    /// XLUnicodeRichExtendedString (MS-XLS 2.5.293): length, flags, sizes of what follows the characters. Where a
    /// CONTINUE record begins inside the characters, it opens with a flags byte of its own.
    fn pass_string(&mut self) -> Result<u32, Refusal> {
        let length = self.fields(2)?.u16(0)?;
        let mut flags = self.fields(1)?.u8(0)?;
        let runs = if flags & 8 != 0 { usize::from(self.fields(2)?.u16(0)?) * 4 } else { 0 };
        let extra = if flags & 4 != 0 { self.fields(4)?.u32(0)? as usize } else { 0 };
        let mut left = usize::from(length);
        loop {
            let size = if flags & 1 != 0 { 2 } else { 1 };
            let here = left.min(self.now.len() / size);
            self.now = &self.now[here * size..];
            left -= here;
            if left == 0 {
                break;
            }
            self.advance()?;
            flags = self.fields(1)?.u8(0)?;
        }
        self.skip(runs)?;
        self.skip(extra)?;
        Ok(length.into())
    }
}
