//! A mailbox that is silent for long is told once, and once more when it speaks again; no restart repeats it.

use taizhang::demo::district::{NONPUBLIC, SOCIAL, TIDY};

use crate::desk::until;
use crate::office::Office;
use crate::office::daemon::Daemon;
use crate::office::letter::{Letter, tidy};
use crate::office::sent::Sent;

fn notices(office: &Office) -> Vec<Sent> {
    let mut sent = office.sent();
    sent.retain(|mail| mail.kind() == "notice");
    sent
}

/// A pass at this time of the 20th.
fn pass(office: &Office, time: &str) -> Option<i32> {
    office.run(&format!("2011-09-20T{time}:00+08:00"), &["once"]).code
}

/// The mailbox's folder is not there, or is again.
fn away(office: &Office, away: bool) {
    let (home, other) = (office.path("mail/social"), office.path("mail/elsewhere"));
    let (from, to) = if away { (home, other) } else { (other, home) };
    std::fs::rename(from, to).expect("renamed");
}

#[test]
fn one_alarm_and_one_word_of_recovery_an_outage_however_often_the_program_starts() {
    let office = Office::open();
    assert_eq!(pass(&office, "09:00"), Some(0));
    away(&office, true);
    for time in ["09:01", "09:30", "10:59"] {
        assert_eq!(pass(&office, time), Some(3), "{time}");
        assert!(notices(&office).is_empty(), "{time}");
    }
    for time in ["11:00", "11:01", "12:00", "15:00"] {
        assert_eq!(pass(&office, time), Some(3));
        assert_eq!(notices(&office).len(), 1, "{time}");
    }
    let alarm = &notices(&office)[0];
    assert!(alarm.subject.contains("收不到信"), "{}", alarm.subject);
    for words in ["从9月20日09:00起", "已有2小时", "找不到指定的文件夹"] {
        assert!(alarm.text.contains(words), "no {words} in:\n{}", alarm.text);
    }

    away(&office, false);
    let at = "2011-09-20T14:00:00+08:00";
    office.post(&Letter::new(TIDY, SOCIAL, at, tidy(TIDY, SOCIAL, "2011-08").one_file()));
    for time in ["15:10", "15:11"] {
        assert_eq!(pass(&office, time), Some(0));
        assert_eq!(notices(&office).len(), 2);
    }
    let recovered = &notices(&office)[1].text;
    assert!(recovered.contains("从9月20日09:00到9月20日15:10") && recovered.contains("补收1封"), "{recovered}");

    // The next outage needs a whole two hours of its own.
    away(&office, true);
    for time in ["15:12", "17:10"] {
        pass(&office, time);
        assert_eq!(notices(&office).len(), 2, "{time}");
    }
    pass(&office, "17:11");
    assert_eq!(notices(&office).len(), 3);
}

#[test]
fn a_mailbox_that_was_never_read_is_told_of_from_the_first_attempt_on() {
    let office = Office::open_with(|config| config.replace("[department]", "[department]\nalarm_after = \"30m\""));
    away(&office, true);
    for (time, told) in [("09:00", 0), ("09:29", 0), ("09:30", 1), ("09:31", 1)] {
        pass(&office, time);
        assert_eq!(notices(&office).len(), told, "{time}");
    }
}

#[test]
fn a_clock_that_was_a_year_ahead_neither_raises_an_alarm_nor_silences_the_next() {
    let office = Office::open();
    assert_eq!(office.run("2012-09-20T09:00:00+08:00", &["once"]).code, Some(0));
    away(&office, true);
    for (time, told) in [("09:00", 0), ("10:59", 0), ("11:00", 1), ("11:01", 1)] {
        pass(&office, time);
        assert_eq!(notices(&office).len(), told, "{time}");
    }
}

/// The mailbox's own task rests for a minute or more after a failure; the alarm does not wait for it.
#[test]
fn the_daemon_raises_it_though_the_mailbox_is_left_alone() {
    let office = Office::open();
    pass(&office, "09:00");
    away(&office, true);
    pass(&office, "09:01");
    let daemon = Daemon::start(&office, "2011-09-20T11:30:00+08:00");
    until("the alarm", || !notices(&office).is_empty());
    daemon.stop();
    let again = Daemon::start(&office, "2011-09-20T11:45:00+08:00");
    let letter = Letter::new(TIDY, NONPUBLIC, "2011-09-20T11:40:00+08:00", tidy(TIDY, NONPUBLIC, "2011-08").one_file());
    office.post(&letter);
    until("an answer", || !office.answers(&letter).is_empty());
    again.stop();
    assert_eq!(notices(&office).len(), 1);
}

/// Nobody can be mailed that nobody can be mailed.
#[test]
fn mail_that_cannot_be_sent_is_told_by_the_exit_code_by_check_and_by_a_later_digest() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let server = format!(
        "[smtp]\nfrom = \"robot@xinyou.example\"\nhost = \"127.0.0.1\"\nport = {closed}\ntls = \"none\"\n\
         user = \"robot\"\npassword_file = \"password\"\n"
    );
    let mut files = String::new();
    let office = Office::open_with(|config| {
        let (before, after) = config.split_once("[smtp]").expect("settings");
        let rest = after.find("\n[").map_or("", |at| &after[at..]);
        files = config.clone();
        format!("{before}{server}{rest}")
    });
    office.write("password", "secret");
    let at = "2011-09-20T08:50:00+08:00";
    office.post(&Letter::new(TIDY, NONPUBLIC, at, tidy(TIDY, NONPUBLIC, "2011-08").one_file()));
    for time in ["09:00", "10:00", "11:30"] {
        assert_eq!(pass(&office, time), Some(3), "{time}");
    }
    let check = office.run("2011-09-20T11:31:00+08:00", &["check"]);
    assert_eq!(check.code, Some(3));
    assert!(check.stdout.contains("FAIL  mail that waits: "), "{}", check.stdout);
    assert!(check.stdout.contains("wait since 2011-09-20 09:00, nothing can be sent"), "{}", check.stdout);
    office.write("taizhang.toml", &files);
    pass(&office, "16:00");
    office.run("2011-09-21T09:00:00+08:00", &["once"]);
    let sent = office.sent();
    let digest = sent.iter().find(|mail| mail.kind() == "digest").expect("a digest");
    assert!(digest.text.contains("从9月20日09:00到9月20日16:00（7小时）邮件发不出去，现在已经恢复"), "{}", digest.text);
    assert!(notices(&office).is_empty());
}
