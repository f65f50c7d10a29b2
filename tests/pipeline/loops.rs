//! Machines that answer machines: whatever writes back, the exchange ends by itself, and nothing that came is lost.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Value, json};
use taizhang::demo::district::{self, GBK, MAILBOXES, NONPUBLIC, TIDY, UNITS};
use taizhang::demo::mime::File;
use taizhang::demo::returns;

use crate::office::Office;
use crate::office::letter::{Letter, tidy, time, workbook};
use crate::office::sent::Sent;

const CLERK: &str = UNITS[TIDY].addresses[0];
const COMMITTEE: &str = MAILBOXES[NONPUBLIC].address;
/// Before anything is due this month; a Thursday.
const START: &str = "2011-09-01T09:00:00+08:00";
/// Exchanges that have not ended by then never do.
const ROUNDS: usize = 40;

/// What one mail of ours brings back, if anything. The number counts the letters so far.
type Responder = dyn Fn(&Sent, usize) -> Option<Letter>;

/// A letter of the clerk's machine.
fn reply(subject: String, text: &str, files: Vec<File>) -> Letter {
    Letter { subject, text: text.to_owned(), ..Letter::new(TIDY, NONPUBLIC, START, files) }
}

fn in_thread(letter: Letter, mail: &Sent) -> Letter {
    let root = mail.references.first().unwrap_or(&mail.message_id);
    let lines = [format!("In-Reply-To: <{}>", mail.message_id), format!("References: <{root}> <{}>", mail.message_id)];
    Letter { headers: [letter.headers, lines.map(leaked).to_vec()].concat(), ..letter }
}

/// Header lines live as long as the test.
fn leaked(line: String) -> &'static str {
    line.leak()
}

/// A workbook without any form in it, other bytes every time.
fn broken(n: usize) -> Vec<File> {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write(0, 0, format!("第{n}次")).expect("a cell");
    let bytes = book.save_to_buffer().expect("a workbook");
    vec![File { name: "报表.xlsx".to_owned(), media_type: "application/octet-stream", bytes }]
}

struct Exchange {
    office: Office,
    now: DateTime<FixedOffset>,
    /// Letters that came, to be found again in the listing.
    letters: Vec<Letter>,
    read: usize,
}

impl Exchange {
    fn new() -> Self {
        let office = Office::open();
        office.once(START);
        Self { office, now: time(START), letters: Vec::new(), read: 0 }
    }

    fn post(&mut self, letter: Letter) {
        let letter = Letter { at: self.now.to_rfc3339(), ..letter };
        self.office.post(&letter);
        self.letters.push(letter);
    }

    /// What we have sent since the last look, but to ourselves.
    fn sent(&mut self) -> Vec<Sent> {
        let ours: Vec<&str> = MAILBOXES.iter().map(|m| m.address).collect();
        let mut all = self.office.sent();
        let new = all.split_off(self.read);
        self.read += new.len();
        new.into_iter().filter(|mail| !ours.contains(&mail.to.as_str())).collect()
    }

    /// The clerk writes, and the machine answers everything that we send until nothing comes any more. Returns how many
    /// mails we sent.
    fn run(&mut self, first: Letter, responder: &Responder) -> usize {
        self.post(first);
        let mut count = 0;
        for _ in 0..ROUNDS {
            self.now += TimeDelta::minutes(1);
            self.office.once(&self.now.to_rfc3339());
            let sent = self.sent();
            if sent.is_empty() {
                return count;
            }
            for mail in sent {
                count += 1;
                if let Some(letter) = responder(&mail, self.letters.len()) {
                    self.post(letter);
                }
            }
        }
        panic!("it does not end: {count} mails in {ROUNDS} rounds")
    }

    /// Every letter is listed under some disposition. Returns how many were not answered for want of budget.
    fn listed(&self) -> usize {
        let messages = self.office.json(&self.now.to_rfc3339(), &["messages"]);
        let messages = messages.as_array().expect("a list");
        let ids: BTreeSet<&str> = messages.iter().filter_map(|m| m["message_id"].as_str()).collect();
        for letter in &self.letters {
            assert!(ids.iter().any(|id| id.starts_with(&format!("<{}@", letter.id))), "{} is lost", letter.subject);
        }
        assert!(messages.iter().all(|m| m["disposition"] != Value::Null));
        messages.iter().filter(|m| m["answer_withheld"] != Value::Null).count()
    }

    fn digest(&mut self, when: &str) -> String {
        self.now = time(when);
        self.office.once(when);
        let digest = self.office.sent().into_iter().rfind(|mail| mail.kind() == "digest");
        digest.expect("a digest").text
    }
}

/// A mail that forgot its attachment, which is answered.
fn forgotten() -> Letter {
    reply("8月份报表".to_owned(), "报表见附件。", Vec::new())
}

fn answered(responder: &Responder) -> (usize, usize) {
    let mut exchange = Exchange::new();
    let count = exchange.run(forgotten(), responder);
    (count, exchange.listed())
}

#[test]
fn an_autoresponder_that_says_so_gets_one_answer() {
    for headers in [
        vec!["Auto-Submitted: auto-replied"],
        vec!["X-Autoreply: yes", "Precedence: auto_reply"],
        vec!["Precedence: bulk"],
        vec!["X-Auto-Response-Suppress: All"],
    ] {
        let polite = move |mail: &Sent, _| {
            let letter = reply(format!("Re: {}", mail.subject), "报表见附件。已收到。", Vec::new());
            Some(in_thread(Letter { headers: headers.clone(), ..letter }, mail))
        };
        assert_eq!(answered(&polite), (1, 0));
    }
}

#[test]
fn an_autoresponder_without_any_header_is_known_by_its_words() {
    for (subject, text) in [
        ("自动回复：", "您好，来信收到，报表见附件。"),
        ("自动回复: Re: ", "附件已收到。"),
        ("【自动回复】", "附件"),
        ("Re: ", "您好，您的来信已收到，我会尽快回复您，附件稍后发。这是一封自动回复邮件"),
        ("Re: ", "您好，来信收到，我会尽快处理。"),
    ] {
        let silent =
            move |mail: &Sent, _| Some(in_thread(reply(format!("{subject}{}", mail.subject), text, vec![]), mail));
        assert_eq!(answered(&silent), (1, 0), "{subject} {text}");
    }
}

#[test]
fn one_that_sends_our_attachments_back_ends_within_the_thread_s_budget() {
    let mut exchange = Exchange::new();
    let what = tidy(TIDY, NONPUBLIC, "2011-08");
    // With mistakes, so that the answer brings a marked table to send back.
    let files = vec![workbook("报表.xlsx", &[what.progress(), returns::mess(what.register())])];
    let echo = |mail: &Sent, _| {
        let files = mail.files.iter().map(|(name, bytes)| File {
            name: name.clone(),
            media_type: "application/octet-stream",
            bytes: bytes.clone(),
        });
        let files: Vec<File> = files.collect();
        let text = format!("附件\n\n{}", mail.text);
        Some(in_thread(reply(format!("Re: {}", mail.subject), &text, files), mail))
    };
    let first = Letter { files, ..forgotten() };
    let count = exchange.run(first, &echo);
    assert!(exchange.office.sent().iter().any(|mail| !mail.files.is_empty()));
    assert_eq!(count, 8);
    exchange.listed();
}

#[test]
fn one_that_sends_a_new_broken_workbook_every_time_is_not_answered_for_ever() {
    let mut exchange = Exchange::new();
    // No thread, no header: each of its mails looks like a new one of the clerk's.
    let endless = |_: &Sent, n: usize| Some(reply("8月份报表".to_owned(), "见附件", broken(n)));
    let mut counts = Vec::new();
    for day in 1..=4 {
        exchange.now = time(&format!("2011-09-0{day}T10:00:00+08:00"));
        let first = reply("8月份报表".to_owned(), "见附件", broken(1000 + day));
        counts.push(exchange.run(first, &endless));
    }
    assert_eq!(counts, [10, 0, 0, 0], "the guard ends it for good");
    assert_eq!(exchange.listed(), 4);
    let last = exchange.office.answers(&exchange.letters[9]);
    assert!(last[0].text.contains("不再自动回复"), "{}", last[0].text);
    let digest = exchange.digest("2011-09-05T08:31:00+08:00");
    assert!(
        digest.contains(CLERK) && digest.contains("已停止自动回复") && digest.contains("请打电话问一下"),
        "{digest}"
    );
    let marks = exchange.office.json("", &["units", "bounced"]);
    assert_eq!((&marks[0]["address"], &marks[0]["cause"]), (&json!(CLERK), &json!("not answered")));

    // Something usable ends the silence.
    let real = Letter::new(TIDY, NONPUBLIC, START, tidy(TIDY, NONPUBLIC, "2011-08").two_files());
    assert_eq!(exchange.run(real, &|_, _| None), 1);
    assert_eq!(exchange.office.json("", &["units", "bounced"]), json!([]));
    assert_eq!(exchange.run(reply("8月份报表".to_owned(), "见附件", broken(5000)), &|_, _| None), 1);
}

#[test]
fn one_that_sends_the_same_return_in_ever_new_files_ends_too() {
    let mut exchange = Exchange::new();
    let files = || tidy(TIDY, NONPUBLIC, "2011-08").two_files();
    // A note beside them makes other attachments of the same figures.
    let endless = move |_: &Sent, n: usize| {
        let note =
            File { name: format!("说明{n}.txt"), media_type: "text/plain", bytes: format!("{n}").into_bytes() };
        Some(Letter::new(TIDY, NONPUBLIC, START, [files(), vec![note]].concat()))
    };
    let first = Letter::new(TIDY, NONPUBLIC, START, tidy(TIDY, NONPUBLIC, "2011-08").two_files());
    let count = exchange.run(first, &endless);
    assert_eq!(count, 1, "the others are copies");
    exchange.listed();
}

#[test]
fn one_that_writes_in_our_own_name_is_not_answered() {
    let mut exchange = Exchange::new();
    let ours = |mail: &Sent, n: usize| {
        let letter = reply(format!("Re: {}", mail.subject), "见附件", broken(n));
        Some(in_thread(Letter { from: COMMITTEE.to_owned(), ..letter }, mail))
    };
    assert_eq!(exchange.run(forgotten(), &ours), 1);
    exchange.listed();
}

#[test]
fn one_that_writes_in_another_units_name_ends_with_the_thread() {
    let mut exchange = Exchange::new();
    let other = |mail: &Sent, n: usize| {
        let letter = reply(format!("Re: {}", mail.subject), "见附件", broken(n));
        let from = if mail.to == CLERK { UNITS[GBK].address() } else { CLERK };
        Some(in_thread(Letter { from: from.to_owned(), ..letter }, mail))
    };
    assert_eq!(exchange.run(forgotten(), &other), 8);
    assert_eq!(exchange.listed(), 1);
    let answers = exchange.office.sent();
    assert!(answers.last().expect("answers").text.contains("这组往来邮件今天的自动回复次数已到上限"));
}

/// Two installations, each a unit in the other's registry; `strip` takes out of each mail what would tell. Returns how
/// many mails each sent to the other before they fell silent.
fn two_installations(strip: fn(&str) -> bool) -> [usize; 2] {
    let other = |address: &str| address.replace("jc_", "zhou_");
    let offices = [Office::open(), Office::open_with(|config| config.replace("jc_", "zhou_"))];
    let addresses = [COMMITTEE.to_owned(), other(COMMITTEE)];
    for (office, neighbour) in offices.iter().zip(addresses.iter().rev()) {
        office.write("units.csv", &district::registry_csv().replace(CLERK, neighbour));
        office.once("2011-09-20T08:00:00+08:00");
    }
    let mut now = time("2011-09-20T09:01:00+08:00");
    let mut traffic = [0, 0];
    let mut read = [0, 0];
    for _ in 0..ROUNDS {
        offices.iter().for_each(|office| drop(office.once(&now.to_rfc3339())));
        let before = traffic;
        for (me, office) in offices.iter().enumerate() {
            for raw in sent_since(office, &mut read[me]) {
                if Sent::read(raw.as_bytes()).to == addresses[1 - me] {
                    traffic[me] += 1;
                    let raw = delivered(&raw, (&addresses[me], now), strip);
                    offices[1 - me].put(NONPUBLIC, &format!("{me}.{}", traffic[me]), raw.as_bytes());
                }
            }
        }
        now += TimeDelta::minutes(5);
        if traffic == before {
            for (me, office) in offices.iter().enumerate() {
                let messages = office.json(&now.to_rfc3339(), &["messages"]);
                let listed = messages.as_array().expect("a list");
                assert!(listed.iter().all(|m| m["disposition"] != Value::Null));
                assert_eq!(listed.len(), traffic[1 - me], "each mail is listed");
            }
            return traffic;
        }
    }
    panic!("two installations go on writing to each other: {traffic:?}")
}

/// Mails as they were sent, from the given one on.
fn sent_since(office: &Office, from: &mut usize) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(office.path("sent")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|e| e.expect("a file").path()).collect();
    paths.sort();
    let new = paths.split_off(*from);
    *from += new.len();
    new.iter().map(|path| std::fs::read_to_string(path).expect("a mail")).collect()
}

/// A mail as the recipient's server puts it down.
fn delivered(raw: &str, (from, at): (&str, DateTime<FixedOffset>), strip: fn(&str) -> bool) -> String {
    let (head, body) = raw.split_once("\r\n\r\n").expect("a header");
    let head: Vec<&str> = head.split("\r\n").filter(|line| !strip(line)).collect();
    let trace = format!("Return-Path: <{from}>\r\nReceived: from mx.example by mx.example; {}\r\n", at.to_rfc2822());
    format!("{trace}{}\r\n\r\n{body}", head.join("\r\n"))
}

#[test]
fn two_installations_that_remind_each_other_stop_at_that() {
    assert_eq!(two_installations(|_| false), [1, 1]);
}

#[test]
fn and_they_stop_even_where_gateways_take_out_every_header_that_tells() {
    let telling = |line: &str| {
        let line = line.to_ascii_lowercase();
        ["auto-submitted:", "x-auto-response-suppress:", "x-taizhang:"].iter().any(|name| line.starts_with(name))
    };
    // Two threads, one from each reminder: a reminder, the answer to the other's, and ten in vain.
    assert_eq!(two_installations(telling), [12, 12]);
}
