//! The only source of chance that has to be unguessable; everything else takes it as an argument.

use anyhow::{Result, anyhow};

/// 128 bits from the operating system.
///
/// # Errors
/// It has none to give.
pub fn bits() -> Result<[u8; 16]> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    Ok(bits)
}
