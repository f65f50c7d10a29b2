//! Zip archives, with names in whatever bytes a packer writes.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive with names in UTF-8, deflated.
pub fn plain(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        // Offices' first member says what the file is and must stand there as it is.
        let stored = *name == "mimetype";
        let method = if stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("a member");
        zip.write_all(content).expect("a member");
    }
    zip.finish().expect("an archive").into_inner()
}

/// An archive as Chinese Windows packs it: names in GBK, and no flag that says so. Members are stored.
pub fn gbk(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let name = encoding_rs::GBK.encode(name).0;
        let sizes = [crc(content), content.len() as u32, content.len() as u32].map(u32::to_le_bytes).concat();
        let lengths = [name.len() as u16, 0].map(u16::to_le_bytes).concat();
        let offset = out.len() as u32;
        // Version, flags, method, time, date (APPNOTE 4.3.7 and 4.3.12).
        let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x3F][..], &sizes, &lengths].concat();
        out.extend([b"PK\x03\x04", &common[..], &name, content].concat());
        let place = [&[0; 10][..], &offset.to_le_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &place, &name].concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let place = [directory.len() as u32, out.len() as u32].map(u32::to_le_bytes).concat();
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &place, &[0, 0]].concat();
    [out, directory, end].concat()
}

/// CRC-32 of ISO 3309.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 })
    };
    !bytes.iter().fold(!0, step)
}
