//! The small change of the binary formats (MS-XLS and MS-XLSB share it): bytes read by offset, packed numbers, errors by
//! their numbers. Pure.

use super::draft::At;
use super::{CellValue, Refusal};

pub(super) fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(format!("binary workbook: {what}"))
}

/// The bytes of one record, read by offset.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Refusal> {
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

    pub(super) fn f64(self, at: usize) -> Result<f64, Refusal> {
        self.array(at).map(f64::from_le_bytes)
    }
}

/// RkNumber (2.5.217): thirty bits of a whole number or of a double's upper half, perhaps in hundredths.
pub(super) fn rk(bits: u32) -> f64 {
    let number = match bits & 2 {
        0 => f64::from_bits(u64::from(bits & !3) << 32),
        _ => f64::from(bits as i32 >> 2),
    };
    if bits & 1 != 0 { number / 100.0 } else { number }
}

/// Bes (2.5.10): a truth value, or an error by its number.
pub(super) fn truth_or_error(code: u8, error: bool) -> CellValue {
    let name = match code {
        _ if !error => return CellValue::Bool(code != 0),
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        _ => "#VALUE!",
    };
    CellValue::Error(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_are_whole_or_not_and_in_hundredths_or_not() {
        let whole = |n: i32, hundredths: u32| rk((n << 2) as u32 | 2 | hundredths);
        let double = |n: f64, hundredths: u32| rk((n.to_bits() >> 32) as u32 | hundredths);
        assert_eq!((whole(36, 0), whole(-36, 0), whole(5625, 1)), (36.0, -36.0, 56.25));
        assert_eq!((double(12.5, 0), double(150.0, 1)), (12.5, 1.5));
    }
}
