//! Mails that are odd in one way each, read with CRLF and with LF, against what they say: see tests/fixtures/make_mails.py.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::attachment::sniff;
use super::parse::{Limits, parse};
use super::sender::{Own, large_file_links, nature};
use super::{Address, Kind, Message};

#[derive(Deserialize)]
struct Truth {
    subject: String,
    from: (Option<String>, String),
    to: Option<Vec<(Option<String>, String)>>,
    text: String,
    forwarded: Vec<String>,
    files: Vec<File>,
    /// Its line ends are not to be changed.
    #[serde(default)]
    as_is: bool,
}

#[derive(Debug, Deserialize, PartialEq)]
struct File {
    name: String,
    kind: String,
    sha256: String,
}

fn read(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mails");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn zoo() -> BTreeMap<String, Truth> {
    serde_json::from_slice(&read("truth.json")).unwrap()
}

fn people(addresses: &[Address]) -> Vec<(Option<String>, String)> {
    addresses.iter().map(|a| (a.name.clone(), a.email.clone())).collect()
}

/// What is wrong with the reading of a mail.
fn differences(message: &Message, truth: &Truth) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: String, wanted: String| {
        if found != wanted {
            wrong.push(format!("{what} {found} instead of {wanted}"));
        }
    };
    same("subject", message.subject.clone(), truth.subject.clone());
    let from = message.from.as_slice();
    same("from", format!("{:?}", people(from)), format!("{:?}", [&truth.from]));
    if let Some(to) = &truth.to {
        same("to", format!("{:?}", people(&message.to)), format!("{to:?}"));
    }
    same("text", message.text.clone(), truth.text.clone());
    let forwarded: Vec<_> = message.forwarded.iter().map(|f| &f.subject).collect();
    same("forwarded", format!("{forwarded:?}"), format!("{:?}", truth.forwarded));
    let file = |a: &super::Attachment| File {
        name: a.name.clone(),
        kind: format!("{:?}", a.kind),
        sha256: Sha256::digest(&a.bytes).iter().map(|b| format!("{b:02x}")).collect(),
    };
    let files: Vec<File> = message.attachments.iter().map(file).collect();
    same("files", format!("{files:#?}"), format!("{:#?}", truth.files));
    if message.truncated {
        wrong.push("truncated".into());
    }
    wrong
}

#[test]
fn every_mail_says_what_it_was_made_to_say() {
    let zoo = zoo();
    assert!(zoo.len() > 200);
    let mut wrong = Vec::new();
    for (cause, truth) in &zoo {
        let raw = read(&format!("{cause}.eml"));
        let mut ways = vec![("as it is", raw.clone())];
        if !truth.as_is {
            ways.push(("with LF", raw.iter().copied().filter(|&b| b != b'\r').collect()));
        }
        for (way, raw) in ways {
            let found = differences(&parse(&raw, &Limits::default()), truth);
            wrong.extend(found.into_iter().map(|what| format!("{cause}, {way}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_mail_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mails");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut mails: Vec<String> = files.filter_map(|name| Some(name.strip_suffix(".eml")?.to_owned())).collect();
    mails.sort();
    assert_eq!(mails, zoo().into_keys().collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever is done to a mail: it is read, and what was found in it is no more than it held.
    #[test]
    fn no_change_to_a_mail_brings_the_reader_down(
        chosen in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..30),
        (cut, moved) in any::<(prop::sample::Index, [prop::sample::Index; 2])>(),
    ) {
        let causes: Vec<String> = zoo().into_keys().collect();
        let mut raw = read(&format!("{}.eml", chosen.get(&causes)));
        for (at, byte) in flips {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        let piece = raw[moved[0].index(raw.len())..].to_vec();
        let at = moved[1].index(raw.len());
        raw.splice(at..at, piece);
        raw.truncate(raw.len() - cut.index(raw.len()) / 4);
        let message = parse(&raw, &Limits::default());
        let held: usize = message.attachments.iter().map(|a| a.bytes.len()).sum();
        prop_assert!(held <= raw.len() * 2, "{held} bytes from {}", raw.len());
        for file in &message.attachments {
            prop_assert!(!file.name.contains(['/', '\\', '\0']) && !file.name.is_empty());
            prop_assert!(file.kind == Kind::EncryptedMail || sniff(&file.bytes, &file.name) == file.kind);
        }
        nature(&message, &Own { addresses: &[], installation: "" });
        large_file_links(&message);
    }
}
