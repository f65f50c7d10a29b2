//! Binary workbooks that are encrypted with the password Excel tries by itself. Pure.

use std::borrow::Cow;

use super::Refusal;
use super::records::Records;

const FILE_PASS: u16 = 0x002F;

pub(super) fn opened(stream: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    let locked = Records::new(stream, 0).take_while(|r| r.kind != super::xls::EOF).any(|r| r.kind == FILE_PASS);
    if locked { Err(Refusal::Encrypted) } else { Ok(stream.into()) }
}
