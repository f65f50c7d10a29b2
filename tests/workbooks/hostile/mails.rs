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
    let list = vec![
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
