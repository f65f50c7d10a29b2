//! Workbooks and archives of every kind, as they are attached.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use taizhang_fuzz::{open, packed};

fuzz_target!(|data: &[u8]| open("报表.xls", data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Now and then the archive itself.
    let inside = if seed % 8 == 0 { None } else { packed::mutate(&mut data[..max_size], size, seed, fuzzer_mutate) };
    inside.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
