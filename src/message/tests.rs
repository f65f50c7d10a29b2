//! Mails as they arrive, read whole.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::archive::{Limits as ArchiveLimits, Refusal, unpack};
use super::parse::{Limits, parse};
use super::sender::{Nature, Own, fingerprint, large_file_links, nature};
use super::*;

const WORKBOOK: &[u8] = include_bytes!("../../tests/fixtures/excel97.xls");
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n....";

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A part with a file in base64.
fn file(headers: &str, bytes: &[u8]) -> Vec<u8> {
    format!("{headers}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", base64(bytes)).into_bytes()
}

fn multipart(kind: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        out.extend(format!("--{boundary}\r\n").bytes());
        out.extend(part);
        out.extend(b"\r\n");
    }
    out.extend(format!("--{boundary}--\r\n").bytes());
    out
}

fn mail(headers: &str, rest: &[u8]) -> Message {
    let raw =
        [b"From: \"Wang Li\" <Wang.Li@Liulin.example>\r\nTo: in@qu.example\r\n", headers.as_bytes(), rest].concat();
    parse(&raw, &Limits::default())
}

fn names(message: &Message) -> Vec<&str> {
    message.attachments.iter().map(|a| a.name.as_str()).collect()
}

/// A .zip of these members. Names that are no UTF-8 go in under a placeholder of their length, since the writer takes
/// text only, and are put in place afterwards.
fn zipped(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let text = String::from_utf8(name.to_vec()).unwrap_or_else(|_| "x".repeat(name.len()));
        zip.start_file(text, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let mut out = zip.finish().unwrap().into_inner();
    for (name, _) in members.iter().filter(|(name, _)| std::str::from_utf8(name).is_err()) {
        let placeholder = vec![b'x'; name.len()];
        for _ in ["local header", "directory"] {
            let at = out.windows(name.len()).position(|w| w == placeholder).unwrap();
            out[at..at + name.len()].copy_from_slice(name);
        }
    }
    out
}

fn archive(name: &str, bytes: Vec<u8>) -> Attachment {
    Attachment { name: name.into(), kind: Kind::Archive, bytes }
}

const ARCHIVE_LIMITS: ArchiveLimits = ArchiveLimits { bytes: 20 << 20, members: 10, depth: 3 };

#[test]
fn the_header_is_read() {
    let raw = b"Return-Path: <wang.li@liulin.example>\r\n\
        Received: from a by mx.qu.example; Tue, 20 Sep 2011 09:14:06 +0800\r\n\
        Received: from b by a; Tue, 20 Sep 2011 09:10:00 +0800\r\n\
        From: =?gb2312?B?zfXA9g==?= <Wang.Li@Liulin.example>\r\n\
        To: in@qu.example, \"Zhang\" <zhang@qu.example>\r\nCc: li@qu.example\r\n\
        Subject: =?gb2312?Q?=B1=A8?=\r\n =?gb2312?Q?=B1=ED?=\r\nDate: Tue, 20 Sep 2011 09:09:00 +0800\r\n\
        Message-ID: <1@liulin.example>\r\nIn-Reply-To: <r@qu.example>\r\nReferences: <p@qu.example> <r@qu.example>\r\n\
        \r\nbody\r\n";
    let m = parse(raw, &Limits::default());
    assert_eq!(m.from, Some(Address { name: Some("王丽".into()), email: "wang.li@liulin.example".into() }));
    assert_eq!(m.return_path.as_deref(), Some("wang.li@liulin.example"));
    assert_eq!(
        m.to.iter().map(|a| a.email.as_str()).collect::<Vec<_>>(),
        ["in@qu.example", "zhang@qu.example", "li@qu.example"]
    );
    assert_eq!((m.subject.as_str(), m.text.as_str()), ("报表", "body"));
    assert_eq!(m.message_id.as_deref(), Some("1@liulin.example"));
    assert_eq!((m.in_reply_to.len(), m.references.len()), (1, 2));
    assert_eq!(m.received.unwrap().to_rfc3339(), "2011-09-20T01:14:06+00:00");
    assert_eq!(m.date.unwrap().to_rfc3339(), "2011-09-20T01:09:00+00:00");
    assert_eq!(m.header("received").count(), 2);
}

#[test]
fn raw_gbk_is_read_in_headers_names_and_bodies() {
    let mut raw = b"From: ".to_vec();
    raw.extend(gbk("\"柳林街道\" <dj@liulin.example>\r\nSubject: 八月份报表\r\n"));
    raw.extend(multipart(
        "mixed",
        "b",
        &[
            gbk("Content-Type: text/plain\r\n\r\n请查收附件"),
            [&gbk("Content-Disposition: attachment; filename=\"统计表.xls\"")[..], b"\r\n\r\nx"].concat(),
        ],
    ));
    let m = parse(&raw, &Limits::default());
    assert_eq!(m.from.as_ref().unwrap().name.as_deref(), Some("柳林街道"));
    assert_eq!((m.subject.as_str(), m.text.as_str()), ("八月份报表", "请查收附件"));
    assert_eq!(names(&m), ["统计表.xls"]);
}

#[test]
fn a_file_without_a_name_is_told_by_its_content() {
    let found = |headers: &str| {
        let m = mail("", &multipart("mixed", "b", &[file(headers, WORKBOOK)]));
        (m.attachments[0].name.clone(), m.attachments[0].kind)
    };
    for kind in ["application/octet-stream", "application/vnd.ms-excel", "text/plain", "image/gif", "x"] {
        assert_eq!(found(&format!("Content-Type: {kind}")), ("附件1".into(), Kind::Xls), "{kind}");
    }
}

#[test]
fn bodies_are_told_from_files_and_inline_pictures() {
    let html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>\xE8\xAF\xB7</p><img src=\"cid:logo\"><a href=\"http://x.example/?a=1&amp;b=2\">y</a>";
    let related = multipart(
        "related",
        "r",
        &[
            html.to_vec(),
            file("Content-Type: image/png\r\nContent-ID: <logo>", PICTURE),
            file("Content-Type: image/png", PICTURE),
        ],
    );
    let parts = [
        related,
        file(
            "Content-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo>\r\nContent-Disposition: attachment",
            PICTURE,
        ),
        file(
            "Content-Type: image/jpeg; name=\"scan.jpg\"\r\nContent-ID: <other>\r\nContent-Disposition: attachment",
            PICTURE,
        ),
        file("Content-Type: text/plain; name=\"a.csv\"", b"a,b\n"),
        file("Content-Type: text/html; name=\"a.xls\"", b"<table><tr><td>1</td></tr></table>"),
    ];
    let m = mail("", &multipart("mixed", "m", &parts));
    assert_eq!(m.text, "请\ny");
    assert_eq!(m.links, ["http://x.example/?a=1&b=2"]);
    let kinds: Vec<_> = m.attachments.iter().map(|a| (a.name.as_str(), a.kind)).collect();
    assert_eq!(kinds, [("a.csv", Kind::Csv), ("a.xls", Kind::Html), ("scan.jpg", Kind::Picture)]);
}

#[test]
fn files_of_forwarded_mail_are_found_however_deep() {
    let inner = [
        b"From: a@b.example\r\nSubject: inner\r\nMessage-ID: <i@b.example>\r\n".to_vec(),
        multipart(
            "mixed",
            "i",
            &[b"\r\nhello".to_vec(), file("Content-Disposition: attachment; filename=a.xls", WORKBOOK)],
        ),
    ]
    .concat();
    let as_message = [b"Content-Type: message/rfc822\r\n\r\n", inner.as_slice()].concat();
    let middle = [b"Subject: middle\r\n".to_vec(), multipart("mixed", "m", &[as_message])].concat();
    let as_file = file("Content-Type: application/octet-stream; name=\"=?utf-8?B?6L2s5Y+R?=.eml\"", &middle);
    let m = mail("", &multipart("mixed", "o", &[as_file, file("Content-Type: message/rfc822", &inner)]));
    assert_eq!(names(&m), ["a.xls", "a.xls"]);
    let inside: Vec<_> = m.forwarded.iter().map(|f| (f.subject.as_str(), f.text.as_str())).collect();
    assert_eq!(inside, [("middle", ""), ("inner", "hello"), ("inner", "hello")]);
    assert_eq!(m.forwarded[1].message_id.as_deref(), Some("i@b.example"));
}

#[test]
fn a_bad_part_does_not_lose_the_others() {
    let parts = [
        b"Content-Type: multipart/mixed; boundary=never\r\n\r\nlost".to_vec(),
        b"Content-Type: \xFF\xFE/;;;=\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!".to_vec(),
        file("Content-Disposition: attachment; filename=a.xls", WORKBOOK),
    ];
    let mut raw = multipart("mixed", "b", &parts);
    raw.truncate(raw.len() - 12);
    let m = mail("", &raw);
    assert_eq!(m.attachments.last().unwrap().bytes, WORKBOOK);
    assert_eq!(m.text, "lost");
}

#[test]
fn encoded_messages_are_read_and_cost_no_part_behind_them() {
    let inner = [
        b"From: a@b.example\r\nSubject: inner\r\n".to_vec(),
        multipart("mixed", "i", &[file("Content-Disposition: attachment; filename=a.xls", WORKBOOK)]),
    ]
    .concat();
    let packed = file("Content-Type: message/RFC822; name=\"a.eml\"", &inner);
    let quoted = b"Content-Type: message/global\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSubject: =\r\nquoted\r\nTo: a@b.example\r\n".to_vec();
    let last = file("Content-Disposition: attachment; filename=b.xls", WORKBOOK);
    let m = mail("", &multipart("mixed", "o", &[packed.clone(), packed, quoted, last]));
    assert_eq!(names(&m), ["a.xls", "a.xls", "b.xls"]);
    let inside: Vec<_> = m.forwarded.iter().map(|f| f.subject.as_str()).collect();
    assert_eq!(inside, ["inner", "inner", "quoted"]);
}

#[test]
fn parts_are_decoded_up_to_their_delimiter() {
    let parts = [
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nbody=20a=\r\n".to_vec(),
        b"Content-Disposition: attachment; filename=q\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n"
            .to_vec(),
        b"Content-Disposition: attachment; filename=r\r\nContent-Transfer-Encoding: base64\r\n\r\nYWI=\r\n-- sent --\r\n"
            .to_vec(),
        file("Content-Disposition: attachment; filename=b", b"abc"),
    ];
    let raw = multipart("mixed", "b", &parts);
    for cut in ["", "--\r\n", "\r\n--b--\r\n"] {
        let m = mail("", raw.strip_suffix(cut.as_bytes()).unwrap());
        let files: Vec<_> = m.attachments.iter().map(|a| (a.name.as_str(), a.bytes.as_slice())).collect();
        assert_eq!(m.text, "body a");
        assert_eq!(files, [("q", &b""[..]), ("r", b"ab"), ("b", b"abc")], "without {cut:?}");
    }
}

#[test]
fn missing_ends_lose_no_part() {
    let file = |name| file(&format!("Content-Disposition: attachment; filename={name}"), WORKBOOK);
    // Inner multiparts without their closing delimiters, one in the other.
    let texts = b"Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nhello\r\n".to_vec();
    // Forwarded headers without the empty line behind them.
    let forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: one\r\nTo: a@b.example".to_vec();
    let m = mail("", &multipart("mixed", "m", &[texts, file("1"), forwarded.clone(), forwarded, file("2")]));
    assert_eq!((m.text.as_str(), names(&m)), ("hello", vec!["1", "2"]));
    let inside: Vec<_> = m.forwarded.iter().map(|f| (f.subject.as_str(), f.text.as_str())).collect();
    assert_eq!(inside, [("one", ""), ("one", "")]);
    // The empty line is missing in the outermost header, and the mail ends in the header of its last part.
    let raw = multipart("mixed", "m", &[b"Content-Disposition: attachment; filename=1\r\n\r\nx".to_vec(), file("2")]);
    let empty_line = raw.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let end = raw.windows(5).rposition(|w| w == b"base6").unwrap();
    let m = mail("", &[&raw[..empty_line], &raw[empty_line + 2..end]].concat());
    let files: Vec<_> = m.attachments.iter().map(|a| (a.name.as_str(), a.bytes.as_slice())).collect();
    assert_eq!(files, [("1", &b"x"[..]), ("2", b"")]);
}

#[test]
fn odd_headers_and_boundaries_are_read() {
    let raw = b"From x\nSubject: a\n b\nX: \n\nbody\n";
    let m = parse(raw, &Limits::default());
    assert_eq!((m.subject.as_str(), m.header("x").count(), m.text.as_str()), ("a b", 1, "body"));
    assert_eq!(parse(b"\r\nbody", &Limits::default()).text, "body");
    assert_eq!(parse(b"Subject: only", &Limits::default()).subject, "only");
    let parts = b"Content-Type: multipart/mixed; boundary=\"b\"\n\npre\n--b\n\none\n--b  \n\ntwo\n--b--\nepilogue\n";
    assert_eq!(parse(parts, &Limits::default()).text, "one\ntwo");
}

#[test]
fn limits_on_parts_depth_and_text_are_kept_and_told() {
    let many: Vec<_> = (0..1000).map(|_| file("Content-Disposition: attachment; filename=a", b"x")).collect();
    let m = mail("", &multipart("mixed", "b", &many));
    assert!(m.attachments.len() <= Limits::default().parts && m.attachments.len() > 400);
    let mut deep = file("Content-Disposition: attachment; filename=a", b"x");
    for _ in 0..5000 {
        deep = [b"Content-Type: message/rfc822\r\n\r\n", deep.as_slice()].concat();
    }
    let m = mail("", &deep);
    assert!(m.truncated && m.attachments.is_empty());
    let parameters = format!("Content-Type: a/b{}\r\n\r\n", ";a*1=x".repeat(1 << 20));
    let m = mail("Subject: a\r\n", parameters.as_bytes());
    assert!(m.truncated && m.subject == "a");
    let m = mail("\r\n", "长".repeat(200_000).as_bytes());
    assert!(!m.truncated && m.text.len() <= Limits::default().text && m.text.ends_with('长'));
}

#[test]
fn messages_are_unpacked_one_in_the_other_only_up_to_a_limit() {
    let inner = mail_bytes(&file("Content-Disposition: attachment; filename=a.xls", WORKBOOK));
    let packed = |inner: &[u8], kind: &str| mail_bytes(&file(&format!("Content-Type: {kind}"), inner));
    for kind in ["message/rfc822", "application/octet-stream; name=a.eml", "application/octet-stream"] {
        let twice = packed(&packed(&inner, kind), kind);
        let read = |unpacked| parse(&twice, &Limits { unpacked, ..Limits::default() });
        let whole = read(2 * twice.len());
        assert!(!whole.truncated && whole.attachments[0].bytes == WORKBOOK, "{kind}");
        let cut = read(twice.len());
        assert!(cut.truncated && cut.attachments.is_empty() && cut.forwarded.len() == 1, "{kind}");
    }
}

fn mail_bytes(rest: &[u8]) -> Vec<u8> {
    [b"From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n", rest].concat()
}

#[test]
fn the_same_files_have_one_fingerprint_in_any_order_under_any_name() {
    let of = |files: &[&[u8]]| {
        let files: Vec<_> = files
            .iter()
            .map(|b| Attachment { name: b.len().to_string(), kind: Kind::Other, bytes: b.to_vec() })
            .collect();
        fingerprint(&files)
    };
    assert_eq!(of(&[b"a", b"bc"]), of(&[b"bc", b"a"]));
    assert_ne!(of(&[b"a", b"bc"]), of(&[b"ab", b"c"]));
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[b"a"]).unwrap().len(), 64);
}

#[test]
fn archives_are_opened_with_the_names_their_packer_meant() {
    let inner = zipped(&[(&gbk("台账.xls"), WORKBOOK)]);
    let bytes = zipped(&[
        (&gbk("报表/统计表.xls"), WORKBOOK),
        ("说明·甲.txt".as_bytes(), b"text"),
        (b"__MACOSX/._a", b"x"),
        (b"inner.zip", &inner),
    ]);
    assert_eq!(attachment::sniff(&bytes, ""), Kind::Archive);
    let files = unpack(&archive("八月.zip", bytes), &ARCHIVE_LIMITS).unwrap();
    let found: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.kind)).collect();
    assert_eq!(
        found,
        [
            ("八月.zip/统计表.xls", Kind::Xls),
            ("八月.zip/说明·甲.txt", Kind::Other),
            ("八月.zip/inner.zip/台账.xls", Kind::Xls)
        ]
    );
}

#[test]
fn archives_over_a_limit_damaged_or_locked_are_refused() {
    let too_large =
        |bytes: Vec<u8>| matches!(unpack(&archive("a.zip", bytes), &ARCHIVE_LIMITS), Err(Refusal::TooLarge(_)));
    assert!(too_large(zipped(&[(b"zeros", &vec![0; 12 << 20])])), "ratio");
    assert!(too_large(zipped(&b"abcdefghijk".chunks(1).map(|name| (name, &b""[..])).collect::<Vec<_>>())), "members");
    let mut nested = zipped(&[(b"a", b"x")]);
    for _ in 0..3 {
        nested = zipped(&[(b"n.zip", &nested)]);
    }
    assert!(too_large(nested), "depth");
    let whole = zipped(&[(b"a", b"x")]);
    assert!(matches!(unpack(&archive("a.zip", whole[..20].to_vec()), &ARCHIVE_LIMITS), Err(Refusal::Damaged(_))));
    assert_eq!(unpack(&archive("a.rar", b"Rar!\x1A\x07".to_vec()), &ARCHIVE_LIMITS).unwrap_err(), Refusal::Unknown);
    // The flag bit of encryption, in the local header and in the directory.
    let mut locked = whole.clone();
    locked[6] |= 1;
    let directory = locked.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    locked[directory + 8] |= 1;
    assert_eq!(unpack(&archive("a.zip", locked), &ARCHIVE_LIMITS).unwrap_err(), Refusal::Encrypted);
}

#[test]
fn links_to_large_files_are_noticed_in_text_and_html() {
    assert!(large_file_links(&mail("\r\n", "从QQ邮箱发来的超大附件".as_bytes())));
    let link = b"Content-Type: text/html\r\n\r\n<a href='http://mail.post.example/cgi-bin/ftnExs_download?k=1'>a</a>";
    assert!(large_file_links(&mail("", link)));
    assert!(!large_file_links(&mail("\r\n", "附件是报表，请查收".as_bytes())));
}

#[test]
fn a_delivery_report_names_the_failed_address_and_our_mail() {
    let report = multipart(
        "report; report-type=delivery-status",
        "b",
        &[
            b"\r\nsorry".to_vec(),
            b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.qu.example\r\n\r\n\
              Final-Recipient: rfc822; Gone@Liulin.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
              Final-Recipient: rfc822; slow@liulin.example\r\nAction: delayed\r\n"
                .to_vec(),
            b"Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-ID: <ours@qu.example>\r\n".to_vec(),
        ],
    );
    let own = Own { addresses: &[], installation: "qu" };
    let Nature::Bounce(bounce) = nature(&mail("", &report), &own) else { panic!("a bounce") };
    assert_eq!(bounce.failures[0].address, "gone@liulin.example");
    assert_eq!(bounce.returned.message_id.as_deref(), Some("ours@qu.example"));
    // A person who forwards such a report is a person.
    let forwarded = multipart("mixed", "f", &[[b"Content-Type: message/rfc822\r\n\r\n", report.as_slice()].concat()]);
    assert_eq!(nature(&mail("", &forwarded), &own), Nature::Person);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_a_mail(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let m = parse(&bytes, &Limits::default());
        prop_assert!(m.attachments.iter().all(|a| !a.name.contains(['/', '\\'])));
    }

    #[test]
    fn no_change_to_a_mail_brings_the_reader_down(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let encoded = "Content-Disposition: attachment;\r\n filename*0*=gb2312''%CC%A8; filename*1=\"=?gbk?Q?=D5?=.xls\"";
        let inner = [&b"Content-Type: message/rfc822\r\n\r\nSubject: =?gb2312?B?wfjB?= =?gb2312?Q?=D6?=\r\n"[..], &file(encoded, b"x")].concat();
        let html = b"Content-Type: text/html; charset=gb2312\r\n\r\n<p>&#x4e2d;<a href=\"x\">\xB1\xED</a>".to_vec();
        let mut raw = [&b"From: \"a\\\"b\" <a@b.example>\r\nReturn-Path: <>\r\n"[..], &multipart("mixed", "b", &[html, inner])].concat();
        for (at, byte) in flips {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        raw.truncate(cut.index(raw.len()));
        let m = parse(&raw, &Limits::default());
        nature(&m, &Own { addresses: &[], installation: "" });
        large_file_links(&m);
    }

    #[test]
    fn any_bytes_have_a_kind(mut bytes in prop::collection::vec(any::<u8>(), 0..1200), magic in 0..4usize) {
        let magics: [&[u8]; 4] = [b"", b"PK\x03\x04", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"<html"];
        bytes.splice(..0, magics[magic].iter().copied());
        attachment::sniff(&bytes, "a.csv");
        let _ = unpack(&archive("a", bytes), &ARCHIVE_LIMITS);
    }
}

#[test]
fn two_from_fields_that_differ_are_no_one_sender() {
    let from = |fields: &str| {
        let raw = format!("{fields}Subject: s\r\n\r\nx\r\n");
        let message = parse(raw.as_bytes(), &Limits::default());
        message.from.map(|from| from.email).filter(|_| message.also_from.is_empty())
    };
    let (one, other) = ("From: a@b.example\r\n", "From: x@y.test\r\n");
    assert_eq!(from(one).as_deref(), Some("a@b.example"));
    assert_eq!(from(&format!("{one}From : \"A\" <A@b.example>\r\n")).as_deref(), Some("a@b.example"));
    assert_eq!(from(&format!("{one}{other}")), None);
    assert_eq!(from(&format!("{other}X: y\r\nfrom : a@b.example\r\n")), None);
    assert_eq!(from("X: y\rFrom: a@b.example\r\nFrom: x@y.test\r\n").as_deref(), Some("x@y.test"));
}
