//! Whole mails that cost more than they should.

use super::{Bad, bad, many};

pub fn all() -> Vec<Bad> {
    let text = |kind: &str, one: &str, times: usize| {
        format!("Content-Type: {kind}; charset=utf-8\r\n\r\n{}", one.repeat(many(times))).into_bytes()
    };
    let parts = |one: &str, times: usize| {
        format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{}--x--\r\n", one.repeat(many(times))).into_bytes()
    };
    let file = "--x\r\nContent-Type: application/octet-stream; name=\"a.xls\"\r\nContent-Transfer-Encoding: ";
    // The same, packed into itself.
    let packed = |head: &str, layers: usize, inner: Vec<u8>| {
        let wrap = |inner: Vec<u8>, layer: usize| {
            // The outermost has its own sender already.
            let from = if layer + 1 < layers { "From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n" } else { "" };
            let fields = format!("{from}Content-Type: ");
            [fields.as_bytes(), head.as_bytes(), b"\r\n\r\n", &inner].concat()
        };
        (0..layers).fold(inner, wrap)
    };
    let quoted = "message/rfc822\r\nContent-Transfer-Encoding: quoted-printable";
    let eml = "application/octet-stream; name=a.eml\r\nContent-Transfer-Encoding: quoted-printable";
    let winmail = |attributes: &[u8], times: usize| {
        let stream = [&[0x78, 0x9F, 0x3E, 0x22, 1, 0][..], &attributes.repeat(many(times))].concat();
        packed("application/ms-tnef; name=winmail.dat", 1, stream)
    };
    let list = vec![
        ("a page without end", text("text/html", "<p>台账", 40 << 20)),
        ("line ends without end", text("text/plain", "\r", 20 << 20)),
        ("beginnings of files", text("text/plain", "begin 644 a\n", 2 << 20)),
        ("a file in a text without end", text("text/plain", &format!("begin 644 a\nM{}\n", "A".repeat(60)), 400_000)),
        ("mail in quoted-printable in itself", packed(quoted, 20, text("text/plain", "a b\r\n", 8 << 20))),
        ("mail as a file in itself", packed(eml, 20, text("text/plain", "a b\r\n", 8 << 20))),
        ("files of nothing in winmail.dat", winmail(&[2, 0x02, 0x90, 6, 0, 0, 0, 0, 0, 0, 0], 3 << 20)),
        (
            "a winmail.dat that claims what it has not",
            winmail(&[1, 0x03, 0x90, 6, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0], 1000),
        ),
        ("beginnings of base64", text("text/plain", "begin-base64 644 a\n", 2 << 20)),
        ("signatures in pieces in themselves", (0..15).fold(text("text/plain", "a b\r\n", 6 << 20), signed)),
        ("a message of Outlook's that lies in itself", {
            let head = "Content-Disposition: attachment; filename=a.msg\r\nContent-Transfer-Encoding: binary\r\n\r\n";
            [head.as_bytes(), &in_itself()].concat()
        }),
        ("multiparts in multiparts around nothing", {
            let head = |n: usize| format!("Content-Type: multipart/mixed; boundary=q{n}\r\n\r\n--q{n}\r\n");
            let heads: String = (0..19).map(head).collect();
            [heads.as_bytes(), &b"\r".repeat(many(40 << 20))].concat()
        }),
        ("a text without end", text("text/plain", "a b\r\n", 8 << 20)),
        ("links without end", text("text/html", "<a href='http://a.example/x'>b</a><br>", 1 << 20)),
        ("elements in elements", text("text/html", "<div>", 8 << 20)),
        ("parts of nothing", parts("--x\r\n\r\n", 5 << 20)),
        ("attachments without end", parts(&format!("{file}base64\r\n\r\nAAAA\r\n"), 100_000)),
        (
            "parts in parts",
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n".repeat(many(300_000)).into_bytes(),
        ),
        ("mails in mails", "Content-Type: message/rfc822\r\n\r\n".repeat(many(500_000)).into_bytes()),
        ("header fields without end", [&b"X: y\r\n".repeat(many(5 << 20))[..], b"\r\nhi\r\n"].concat()),
        (
            "a header field without end",
            [b"X-Long: ", &b"=?gb2312?B?1tA=?= ".repeat(many(1 << 20))[..], b"\r\n\r\nhi\r\n"].concat(),
        ),
        ("names in pieces", {
            let pieces: String = (0..many(200_000)).map(|n| format!(";\r\n filename*{n}*=%41")).collect();
            parts(&format!("--x\r\nContent-Disposition: attachment{pieces}\r\n\r\na\r\n"), 10)
        }),
        (
            "quoted-printable without end",
            parts(&format!("{file}quoted-printable\r\n\r\n{}\r\n", "=41=42=\r\n".repeat(many(2 << 20))), 10),
        ),
        ("base64 of nothing", parts(&format!("{file}base64\r\n\r\n{}\r\n", "!".repeat(many(20 << 20))), 10)),
    ];
    list.into_iter().map(|(name, rest)| bad(name, "eml", rest)).collect()
}

/// A body part under an opaque signature (RFC 5652) whose content comes in pieces, as a part of a mail.
fn signed(inner: Vec<u8>, _: usize) -> Vec<u8> {
    let der = |tag: u8, content: &[u8]| [&[tag, 0x84][..], &(content.len() as u32).to_be_bytes(), content].concat();
    let pieces = inner.chunks(60_000).flat_map(|piece| der(0x04, piece)).collect::<Vec<_>>();
    let content = der(0x30, &[der(0x06, b"\x2A"), der(0xA0, &der(0x24, &pieces))].concat());
    let data = der(0x30, &[der(0x02, b"\x01"), der(0x31, b""), content].concat());
    let object = der(0x30, &[der(0x06, b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02"), der(0xA0, &data)].concat());
    let head = "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    [head.as_bytes(), &object].concat()
}

/// A compound file (MS-CFB) with a message of a hundred attached messages, each of which is that message.
fn in_itself() -> Vec<u8> {
    const NONE: u32 = u32::MAX;
    const ATTACHED: u32 = 100;
    let entry = |name: &str, kind: u8, right: u32, child: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = entry.len() as u16 + 2;
        entry.resize(64, 0);
        entry.extend(length.to_le_bytes());
        entry.extend([kind, 1]);
        [NONE, right, child].into_iter().for_each(|link| entry.extend(link.to_le_bytes()));
        entry.resize(116, 0);
        entry.extend(0xFFFF_FFFE_u32.to_le_bytes());
        entry.resize(128, 0);
        entry
    };
    let mut directory = entry("Root Entry", 5, NONE, 1);
    directory.extend(entry("__properties_version1.0", 2, 2, NONE));
    directory.extend(entry("__nameid_version1.0", 1, 3, NONE));
    for n in 0..ATTACHED {
        let right = if n + 1 < ATTACHED { n + 4 } else { NONE };
        directory.extend(entry(&format!("__attach_version1.0_#{n:08X}"), 1, right, ATTACHED + 3));
    }
    directory.extend(entry("__substg1.0_3701000D", 1, NONE, 1));
    directory.resize(directory.len().next_multiple_of(512), 0);
    // Sector 0 is the FAT, the directory follows.
    let sectors = directory.len() as u32 / 512;
    let mut fat = vec![0xFFFF_FFFD];
    fat.extend((1..=sectors).map(|n| if n < sectors { n + 1 } else { 0xFFFF_FFFE }));
    fat.resize(128, NONE);
    let mut file = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    file.resize(24, 0);
    [0x3E_u16, 3, 0xFFFE, 9, 6].into_iter().for_each(|n| file.extend(n.to_le_bytes()));
    file.resize(40, 0);
    let numbers = [0, 1, 1, 0, 4096, 0xFFFF_FFFE, 0, 0xFFFF_FFFE, 0, 0];
    numbers.into_iter().chain([NONE; 108]).chain(fat).for_each(|n: u32| file.extend(n.to_le_bytes()));
    file.extend(directory);
    file
}
