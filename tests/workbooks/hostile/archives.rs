//! Archives that cost more than they should.

use super::{Bad, bad, many};
use crate::formats::zip;

pub fn all() -> Vec<Bad> {
    let zeros = vec![0_u8; many(150 << 20)];
    let large = zip::plain(&[("a.xls", &zeros)]);
    let list = vec![
        ("a bomb", large.clone()),
        ("a bomb in an archive", zip::plain(&[("内.zip", &large)])),
        ("many bombs", zip::plain(&(0..50).map(|_| ("内.zip", &large[..])).collect::<Vec<_>>()[..1])),
        ("archives in archives", nested(12, b"x".to_vec())),
        ("many archives in archives", wide()),
        ("members without end", members(20_000)),
        (
            "members of nothing",
            (0..99).map(|_| ("空.xls", &b""[..])).collect::<Vec<_>>().chunks(99).map(zip::gbk).next().expect("one"),
        ),
        (
            "names that climb",
            zip::gbk(&[
                ("../../../../tmp/taizhang.xls", b"x"),
                ("/etc/taizhang.xls", b"x"),
                ("C:\\甲.xls", b"x"),
                ("\0", b"x"),
            ]),
        ),
        ("a name without end", zip::gbk(&[(&"甲".repeat(many(30_000)), b"x")])),
        ("a member with a password", encrypted()),
        ("a member that claims too much", claims()),
        ("a member of an unknown method", method(99)),
        ("members upon each other", overlapping()),
        ("nothing but an end", b"PK\x05\x06\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0".to_vec()),
        ("an archive that breaks off", large[..large.len() / 2].to_vec()),
    ];
    let mut all: Vec<Bad> = list.into_iter().map(|(name, bytes)| bad(name, "zip", bytes)).collect();
    all.extend([
        bad("nothing but a beginning", "7z", b"7z\xBC\xAF\x27\x1C\0\x04".to_vec()),
        bad("a header beyond the end", "7z", [&b"7z\xBC\xAF\x27\x1C\0\x04"[..], &[0xFF; 24]].concat()),
        bad("nothing but a beginning", "rar", b"Rar!\x1A\x07\0".to_vec()),
        bad("blocks without end", "rar", [&b"Rar!\x1A\x07\x01\0"[..], &[0xFF; 4000]].concat()),
        bad("a compressed file", "gz", b"\x1F\x8B\x08\0\0\0\0\0\0\0".to_vec()),
    ]);
    all
}

fn nested(depth: usize, inner: Vec<u8>) -> Vec<u8> {
    (0..depth).fold(inner, |inside, n| zip::plain(&[(&format!("{n}.zip"), &inside)]))
}

/// Sixteen archives in each of sixteen, three deep.
fn wide() -> Vec<u8> {
    (0..3).fold(b"x".to_vec(), |inside, _| {
        let names: Vec<String> = (0..16).map(|n| format!("{n}.zip")).collect();
        zip::plain(&names.iter().map(|n| (n.as_str(), &inside[..])).collect::<Vec<_>>())
    })
}

fn members(count: usize) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|n| format!("{n}.xls")).collect();
    zip::gbk(&names.iter().map(|n| (n.as_str(), &b"x"[..])).collect::<Vec<_>>())
}

/// Local and central header agree on a changed number at this offset from the version.
fn changed(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = zip::gbk(&[("甲.xls", b"0123456789")]);
    let central = file.windows(4).position(|w| w == b"PK\x01\x02").expect("a directory");
    for start in [4, central + 6] {
        file[start + offset..start + offset + bytes.len()].copy_from_slice(bytes);
    }
    file
}

fn encrypted() -> Vec<u8> {
    changed(2, &[1, 0])
}

fn method(number: u8) -> Vec<u8> {
    changed(4, &[number, 0])
}

/// Uncompressed size of 4 GB.
fn claims() -> Vec<u8> {
    changed(18, &[0xFE, 0xFF, 0xFF, 0xFF])
}

/// Ninety-nine members that are all the same bytes, which are much.
fn overlapping() -> Vec<u8> {
    let single = zip::plain(&[("a.csv", &vec![b','; many(8 << 20)])]);
    let central = single.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
    let end = single.windows(4).rposition(|w| w == b"PK\x05\x06").expect("an end");
    let entry = &single[central..end];
    let mut tail = single[end..].to_vec();
    tail[8..10].copy_from_slice(&99_u16.to_le_bytes());
    tail[10..12].copy_from_slice(&99_u16.to_le_bytes());
    tail[12..16].copy_from_slice(&(entry.len() as u32 * 99).to_le_bytes());
    [&single[..central], &entry.repeat(99), &tail].concat()
}
