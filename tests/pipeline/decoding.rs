//! Returns that old programs, Outlook and forwarding colleagues wrap up in their own ways: each is found and accepted.

use taizhang::demo::district::{MAILBOXES, NONPUBLIC, TIDY, UNITS};
use taizhang::demo::mime::File;

use crate::office::Office;
use crate::office::letter::{Letter, tidy};

const NOON: &str = "2011-09-20T12:00:00+08:00";

/// A mail of the tidy unit's clerk whose header goes on as `rest` does. It is accepted and answered, or what became of it.
fn becomes(id: &str, rest: &[u8]) -> (String, Vec<String>, Option<String>) {
    let office = Office::open();
    let head = format!(
        "Received: from a.example by b.example; Tue, 20 Sep 2011 09:10:00 +0800\r\nFrom: <{}>\r\nTo: <{}>\r\n\
         Message-ID: <{id}@qingniao.example>\r\nSubject: =?gb2312?B?1NPKwg==?=\r\nMIME-Version: 1.0\r\n",
        UNITS[TIDY].address(),
        MAILBOXES[NONPUBLIC].address
    );
    office.put(NONPUBLIC, id, &[head.as_bytes(), rest].concat());
    office.once(NOON);
    let letter = Letter { id: id.to_owned(), ..Letter::new(TIDY, NONPUBLIC, NOON, Vec::new()) };
    let message = office.message(&letter);
    let rules = message["rules"].as_array().expect("a list").iter().map(|r| r.as_str().expect("a rule").to_owned());
    let answer = office.answers(&letter).pop().map(|sent| sent.text);
    (message["disposition"].as_str().expect("a word").to_owned(), rules.collect(), answer)
}

fn is_accepted(id: &str, rest: &[u8]) {
    let (disposition, rules, answer) = becomes(id, rest);
    assert_eq!((disposition.as_str(), rules.as_slice()), ("accepted", &[][..]), "{id}");
    assert!(answer.expect("an answer").contains("已入账"), "{id}");
}

fn book() -> File {
    tidy(TIDY, NONPUBLIC, "2011-08").one_file().remove(0)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(*group.get(n).unwrap_or(&0)));
        let digit = |n: usize| if n > group.len() { '=' } else { DIGITS[(bits >> (18 - 6 * n) & 63) as usize].into() };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(57).map(|line| line.chunks(3).map(group).collect::<String>() + "\r\n").collect()
}

fn attached(kind: &str, bytes: &[u8]) -> Vec<u8> {
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(bytes)).into_bytes()
}

#[test]
fn a_uuencoded_return_is_accepted() {
    let digit = |bits: u32| if bits & 63 == 0 { '`' } else { char::from(b' ' + (bits & 63) as u8) };
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(*group.get(n).unwrap_or(&0)));
        [18, 12, 6, 0].map(|shift| digit(bits >> shift)).iter().collect::<String>()
    };
    let line =
        |line: &[u8]| format!("{}{}\r\n", digit(line.len() as u32), line.chunks(3).map(group).collect::<String>());
    let data: String = book().bytes.chunks(45).map(line).collect();
    let (name, _, _) = encoding_rs::GBK.encode("棠梨报表.xlsx");
    let rest = [&b"\r\nbegin 644 "[..], &name, b"\r\n", data.as_bytes(), b"`\r\nend\r\n"].concat();
    is_accepted("uuencoded", &rest);
}

/// A stream of [MS-OXTNEF] with one file.
fn winmail(bytes: &[u8]) -> Vec<u8> {
    let attribute = |level: u8, id: u32, data: &[u8]| {
        let sum = data.iter().fold(0u16, |sum, &b| sum.wrapping_add(b.into()));
        [&[level][..], &id.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data, &sum.to_le_bytes()].concat()
    };
    let (name, _, _) = encoding_rs::GBK.encode("棠梨报表.xlsx\0");
    let all = [attribute(2, 0x0006_9002, &[0; 14]), attribute(2, 0x0001_8010, &name), attribute(2, 0x0006_800F, bytes)];
    [&[0x78, 0x9F, 0x3E, 0x22, 1, 0][..], &all.concat()].concat()
}

#[test]
fn a_return_in_winmail_dat_is_accepted() {
    is_accepted("winmail", &attached("application/ms-tnef; name=winmail.dat", &winmail(&book().bytes)));
}

#[test]
fn a_return_in_a_mail_that_is_attached_or_zipped_is_accepted() {
    let inner = [
        b"From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n".to_vec(),
        attached("application/octet-stream; name=a.xlsx", &book().bytes),
    ]
    .concat();
    is_accepted("eml", &attached("application/octet-stream; name=a.eml", &inner));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a.eml", zip::write::SimpleFileOptions::default()).expect("a member");
    std::io::Write::write_all(&mut zip, &inner).expect("a member");
    let zip = zip.finish().expect("an archive").into_inner();
    is_accepted("zipped", &attached("application/zip; name=a.zip", &zip));
}

#[test]
fn an_enciphered_mail_is_asked_for_without_a_cipher() {
    let pgp = "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA1234567890ab\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n";
    let (disposition, rules, answer) = becomes("pgp", pgp.as_bytes());
    assert_eq!((disposition.as_str(), rules), ("rejected", vec!["W01".to_owned()]));
    let answer = answer.expect("an answer");
    assert!(answer.contains("加密") && answer.contains("普通附件"), "{answer}");
}

#[test]
fn a_saved_mail_that_holds_no_file_is_no_mere_news() {
    let empty = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n\r\nhello\r\n";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("台账.eml", zip::write::SimpleFileOptions::default()).expect("a member");
    std::io::Write::write_all(&mut zip, empty).expect("a member");
    let zip = zip.finish().expect("an archive").into_inner();
    let (disposition, rules, answer) = becomes("saved", &attached("application/zip; name=a.zip", &zip));
    assert_eq!((disposition.as_str(), rules), ("rejected", vec!["W08".to_owned()]));
    assert!(answer.expect("an answer").contains("另存的邮件"));
}
