//! The record layer of binary workbooks (MS-XLS 2.1.4, BIFF5 and BIFF8): records, numbers, strings. Pure.
//!
//! Nothing here trusts a length: every access is checked and a short record is `Refusal::Damaged`.

use encoding_rs::{Encoding, GB18030, WINDOWS_1252};

use super::{CellValue, Refusal};

const CONTINUE: u16 = 0x003C;

pub(super) fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(format!("binary workbook: {what}"))
}

/// One record with the CONTINUE records that follow it.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: Fields<'a>,
    pub(super) continued: Vec<&'a [u8]>,
}

/// The records of a stream from a given place on; ends with the stream or at a record that is cut off.
pub(super) struct Records<'a>(pub(super) &'a [u8]);

impl<'a> Records<'a> {
    fn split(&mut self) -> Option<(u16, &'a [u8])> {
        let head = self.0.get(..4)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let data = self.0.get(4..4 + length)?;
        self.0 = &self.0[4 + length..];
        Some((u16::from_le_bytes([head[0], head[1]]), data))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (kind, data) = self.split()?;
        let mut continued = Vec::new();
        while self.0.starts_with(&CONTINUE.to_le_bytes()) {
            continued.push(self.split()?.1);
        }
        Some(Record { kind, data: Fields(data), continued })
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

    pub(super) fn f64(self, at: usize) -> Result<f64, Refusal> {
        self.array(at).map(f64::from_le_bytes)
    }

    pub(super) fn after(self, at: usize) -> Result<&'a [u8], Refusal> {
        self.0.get(at..).ok_or_else(|| damaged("a record is too short"))
    }

    /// Row and column, which open every cell record.
    pub(super) fn position(self) -> Result<(u32, u32), Refusal> {
        Ok((self.u16(0)?.into(), self.u16(2)?.into()))
    }

    /// RkNumber (MS-XLS 2.5.217): 30 bits of an integer or a double, perhaps in hundredths.
    pub(super) fn rk(self, at: usize) -> Result<f64, Refusal> {
        let bits = self.u32(at)?;
        let number = if bits & 2 != 0 {
            f64::from(bits as i32 >> 2)
        } else {
            f64::from_bits(u64::from(bits & 0xFFFF_FFFC) << 32)
        };
        Ok(if bits & 1 != 0 { number / 100.0 } else { number })
    }

    /// Bes (MS-XLS 2.5.10): a boolean or an error code and the byte that tells which.
    pub(super) fn bool_or_error(self, value: usize, is_error: bool) -> Result<CellValue, Refusal> {
        let byte = self.u8(value)?;
        Ok(if is_error { CellValue::Error(error_name(byte).into()) } else { CellValue::Bool(byte != 0) })
    }
}

fn error_name(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        _ => "#N/A",
    }
}

/// How a workbook stores text.
#[derive(Clone, Copy)]
pub(super) enum Charset {
    /// BIFF8: UTF-16, with the upper bytes left out where all are zero.
    Unicode,
    /// BIFF5: bytes in a code page.
    Bytes(&'static Encoding),
}

impl Charset {
    /// By the number in the CODEPAGE record. Chinese offices' files often carry none or a western one over GBK text,
    /// so those are decided by the bytes.
    pub(super) fn code_page(number: u16) -> Self {
        Self::Bytes(match number {
            932 => encoding_rs::SHIFT_JIS,
            949 => encoding_rs::EUC_KR,
            950 => encoding_rs::BIG5,
            65001 => encoding_rs::UTF_8,
            _ => GB18030,
        })
    }

    fn decode(encoding: &'static Encoding, bytes: &[u8]) -> String {
        match encoding.decode_without_bom_handling(bytes) {
            (text, false) => text.into_owned(),
            (_, true) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }

    /// A string whose length field is one byte (`wide` false) or two, at the start of `bytes`.
    pub(super) fn text(self, bytes: &[u8], wide: bool) -> Result<String, Refusal> {
        let fields = Fields(bytes);
        let (length, at) = if wide { (fields.u16(0)?, 2) } else { (fields.u8(0)?.into(), 1) };
        match self {
            Self::Unicode => Chunks::new(fields.after(at)?, &[]).characters(length.into()),
            Self::Bytes(encoding) => {
                let body = fields.after(at)?.get(..length.into()).ok_or_else(|| damaged("a text is cut off"))?;
                Ok(Self::decode(encoding, body))
            }
        }
    }
}

/// A record's bytes across its CONTINUE records.
pub(super) struct Chunks<'a> {
    now: &'a [u8],
    later: std::slice::Iter<'a, &'a [u8]>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(first: &'a [u8], later: &'a [&'a [u8]]) -> Self {
        Self { now: first, later: later.iter() }
    }

    fn advance(&mut self) -> Result<(), Refusal> {
        self.now = self.later.next().ok_or_else(|| damaged("a text is cut off"))?;
        Ok(())
    }

    pub(super) fn skip(&mut self, mut bytes: usize) -> Result<(), Refusal> {
        while bytes > self.now.len() {
            bytes -= self.now.len();
            self.advance()?;
        }
        self.now = &self.now[bytes..];
        Ok(())
    }

    pub(super) fn at_end(&self) -> bool {
        self.now.is_empty() && self.later.len() == 0
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

    /// XLUnicodeRichExtendedString (MS-XLS 2.5.293); runs and phonetic text are passed over.
    pub(super) fn rich_text(&mut self) -> Result<String, Refusal> {
        let length = self.fields(2)?.u16(0)?;
        self.characters(length.into())
    }

    /// The flags byte, the characters, and whatever the flags say follows them. Where a CONTINUE record begins
    /// inside the characters, it opens with a flags byte of its own.
    fn characters(&mut self, mut length: usize) -> Result<String, Refusal> {
        let flags = self.fields(1)?.u8(0)?;
        let runs = if flags & 8 != 0 { usize::from(self.fields(2)?.u16(0)?) * 4 } else { 0 };
        let extra = if flags & 4 != 0 { self.fields(4)?.u32(0)? as usize } else { 0 };
        let mut wide = flags & 1 != 0;
        let mut units = Vec::new();
        loop {
            let size = if wide { 2 } else { 1 };
            let here = length.min(self.now.len() / size);
            let (text, rest) = self.now.split_at(here * size);
            if wide {
                units.extend(text.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])));
            } else {
                units.extend(text.iter().map(|&b| u16::from(b)));
            }
            self.now = rest;
            length -= here;
            if length == 0 {
                break;
            }
            self.advance()?;
            wide = self.fields(1)?.u8(0)? & 1 != 0;
        }
        self.skip(runs)?;
        self.skip(extra)?;
        Ok(String::from_utf16_lossy(&units))
    }
}
