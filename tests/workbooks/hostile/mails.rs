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
        let wrap = |inner: Vec<u8>, _| {
            let fields = "From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\nContent-Type: ";
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
