//! One month of the district's mail, mail by mail: the opening position of July, and August with everything that
//! goes wrong in an ordinary month. Deterministic: the same bytes every time.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone};

use super::district::{
    CORRECTED, GBK, LATE, MAILBOXES, MESSY, NONPUBLIC, ONE_MAIL, SILENT, SOCIAL, STRANGER, TIDY, UNITS,
};
use super::forms::Layout;
use super::mime::{File, Mail, Program, Trace};
use super::organisations::{current, opening};
use super::reply::Reply;
use super::returns::{self, Return};
use super::sheets::Hand;
use super::{district, locked};

const NEWS: usize = 2;

/// All that arrives, and when the simulated clock stops to let the daemon's passes run.
pub struct Story {
    /// What belongs into `taizhang.toml`, beside `units.csv`.
    pub config_toml: String,
    /// `units.csv`
    pub registry_csv: String,
    /// In order of arrival.
    pub mails: Vec<Delivery>,
    /// What is answered to mails of the program, in order of arrival.
    pub replies: Vec<Reply>,
    /// In order of time. Mail that arrived since the last stop is there at the next one.
    pub stops: Vec<Stop>,
}

/// One mail into one mailbox.
pub struct Delivery {
    pub at: DateTime<FixedOffset>,
    /// `nonpublic`, `social`, `news`
    pub mailbox: &'static str,
    /// A name for it in a Maildir's `new` folder.
    pub file_name: String,
    /// RFC 5322, lines ending in CRLF.
    pub raw: Vec<u8>,
}

pub struct Stop {
    pub at: DateTime<FixedOffset>,
    /// A few English words for the progress line.
    pub what: &'static str,
}

/// The whole story.
pub fn story() -> Story {
    let mut teller = Teller { mails: Vec::new(), replies: Vec::new(), stops: Vec::new() };
    teller.july();
    teller.the_returns_that_work();
    teller.the_returns_that_do_not();
    teller.what_else_arrives();
    teller.the_calendar();
    teller.mails.sort_by_key(|m| m.at);
    teller.stops.sort_by_key(|s| s.at);
    for (i, mail) in teller.mails.iter_mut().enumerate() {
        mail.file_name = format!("{}.M{i:04}.demo", mail.at.timestamp());
    }
    Story {
        config_toml: district::config_toml(),
        registry_csv: district::registry_csv(),
        mails: teller.mails,
        replies: teller.replies,
        stops: teller.stops,
    }
}

/// China kept one zone and no summer time in 2011. `month`, `day`, `hour`, `minute` of that year.
fn at(month: u32, day: u32, hour: u32, minute: u32) -> DateTime<FixedOffset> {
    let zone = FixedOffset::east_opt(8 * 3600).expect("eight hours");
    zone.with_ymd_and_hms(2011, month, day, hour, minute, 0).single().expect("a time of 2011")
}

/// A return for August, as the department laid it out.
fn august(unit: usize, stream: usize, day: u32) -> Return {
    let filled = NaiveDate::from_ymd_opt(2011, 9, day).expect("a day of September");
    Return { unit, stream, period: current(), filled, layout: Layout::Issued, hand: Hand::Tidy }
}

struct Teller {
    mails: Vec<Delivery>,
    replies: Vec<Reply>,
    stops: Vec<Stop>,
}

impl Teller {
    fn stop(&mut self, at: DateTime<FixedOffset>, what: &'static str) {
        self.stops.push(Stop { at, what });
    }

    fn deliver(&mut self, mailbox: usize, mail: &Mail<'_>, pass: bool) {
        let home = &MAILBOXES[mailbox];
        let null_sender = mail.extra.iter().any(|h| h.starts_with("Auto-Submitted"));
        let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass, null_sender };
        let raw = mail.deliver(&trace);
        self.mails.push(Delivery { at: mail.at, mailbox: home.name, file_name: String::new(), raw });
    }

    /// A unit's ordinary mail to the committee of its stream.
    fn send(&mut self, what: &Return, at: DateTime<FixedOffset>, files: Vec<File>, program: Program) {
        let unit = &UNITS[what.unit];
        let month = what.period.month();
        let subject = format!("{}{month}月份{}统计表、台账", unit.short, what.stream_word());
        let text = format!(
            "您好：\n    现报上{}{}“建组织、扩覆盖”活动{month}月份统计表和台账，请查收。\n\n{}　{}\n",
            unit.name,
            what.stream_word(),
            unit.name,
            unit.clerk
        );
        let id = format!("{:08X}.{}{}", at.timestamp(), what.unit, what.stream);
        let mail = Mail {
            at,
            from: (unit.clerk, unit.address()),
            to: &[MAILBOXES[what.stream].address],
            subject: &subject,
            text: &text,
            files,
            program,
            extra: &[],
            id: &id,
        };
        self.deliver(what.stream, &mail, true);
    }

    /// A mail without a return in it.
    fn note(&mut self, mailbox: usize, at: DateTime<FixedOffset>, from: (&str, &str), words: (&str, &str)) {
        self.note_with(mailbox, at, (from, &[]), words);
    }

    fn note_with(
        &mut self,
        mailbox: usize,
        at: DateTime<FixedOffset>,
        (from, extra): ((&str, &str), &[&str]),
        (subject, text): (&str, &str),
    ) {
        let id = format!("{:08X}.note", at.timestamp());
        let to = &[MAILBOXES[mailbox].address];
        let mail = Mail { at, from, to, subject, text, files: Vec::new(), program: Program::Modern, extra, id: &id };
        self.deliver(mailbox, &mail, true);
    }

    /// Everybody reports the opening position in time.
    fn july(&mut self) {
        for (unit, home) in UNITS.iter().enumerate() {
            let day = 15 + unit as u32 / 2;
            let program = if unit == GBK { Program::Gbk } else { Program::Modern };
            for stream in home.streams() {
                let filled = NaiveDate::from_ymd_opt(2011, 8, day).expect("a day of August");
                let layout = if unit == GBK { Layout::Renamed } else { Layout::Issued };
                let what = Return { unit, stream, period: opening(), filled, layout, hand: Hand::Tidy };
                let files = if unit % 2 == 0 { what.one_file() } else { what.two_files() };
                self.send(&what, at(8, day, 9 + unit as u32 % 2 * 5, 12 + 7 * stream as u32), files, program);
            }
        }
        self.stop(at(8, 18, 18, 0), "July: every unit reports its opening position");
        self.stop(at(8, 26, 10, 1), "July: the report's day");
    }

    fn the_returns_that_work(&mut self) {
        let (one, two) = (august(TIDY, NONPUBLIC, 5), august(TIDY, SOCIAL, 5));
        self.send(&one, at(9, 5, 10, 12), one.one_file(), Program::Modern);
        self.send(&two, at(9, 5, 10, 20), two.two_files(), Program::Modern);
        self.stop(at(9, 5, 18, 0), "a tidy return in two mails");

        for stream in [NONPUBLIC, SOCIAL] {
            let what = Return { layout: Layout::Renamed, ..august(GBK, stream, 13) };
            let program = if stream == NONPUBLIC { Program::Gbk } else { Program::Raw };
            self.send(&what, at(9, 13, 14, 5 + stream as u32), what.two_files(), program);
        }
        self.stop(at(9, 13, 18, 0), "renamed and moved columns, GBK names");

        self.one_mail_to_both();
        for unit in [CORRECTED, STRANGER, MESSY] {
            let what = august(unit, SOCIAL, 20);
            self.send(&what, at(9, 20, 15, 30 + unit as u32), what.one_file(), Program::Modern);
        }
        self.stop(at(9, 20, 18, 0), "three returns after the reminder");
    }

    /// All four forms in one mail, addressed to both committees: the second copy is a duplicate.
    fn one_mail_to_both(&mut self) {
        let files = [NONPUBLIC, SOCIAL].map(|s| august(ONE_MAIL, s, 14).two_files()).concat();
        let unit = &UNITS[ONE_MAIL];
        let mut mail = Mail {
            at: at(9, 14, 9, 40),
            from: (unit.clerk, unit.address()),
            to: &[MAILBOXES[NONPUBLIC].address, MAILBOXES[SOCIAL].address],
            subject: "鹤鸣街道8月份两新组织报表（非公、社会组织）",
            text: "两个党工委：\n    我街道8月份报表一并报上，共四个附件，请查收。\n",
            files,
            program: Program::Modern,
            extra: &[],
            id: "4E700C3C.both",
        };
        self.deliver(NONPUBLIC, &mail, true);
        mail.at = at(9, 14, 9, 41);
        self.deliver(SOCIAL, &mail, true);
        self.stop(at(9, 14, 18, 0), "one mail to both committees");
    }

    fn the_returns_that_do_not(&mut self) {
        let messy = Return { hand: Hand::Typed, ..august(MESSY, NONPUBLIC, 15) };
        let files = vec![messy.progress_file(messy.progress()), messy.register_file(returns::mess(messy.register()))];
        self.send(&messy, at(9, 15, 16, 48), files, Program::Gbk);
        self.stop(at(9, 15, 18, 0), "a register with errors and many warnings");

        let wrong = august(CORRECTED, NONPUBLIC, 19);
        let slipped = wrong.progress_file(returns::slip(wrong.progress()));
        self.send(&wrong, at(9, 19, 11, 2), vec![slipped, wrong.register_file(wrong.register())], Program::Modern);
        self.stop(at(9, 19, 18, 0), "a table that does not add up");
        let fixed = august(CORRECTED, NONPUBLIC, 21);
        self.send(&fixed, at(9, 21, 8, 55), vec![fixed.progress_file(fixed.progress())], Program::Modern);

        self.a_stranger();
        self.forged();
        self.late_in_the_end();
    }

    /// The clerk is on leave, and a colleague sends the return from an address of her own. The clerk is asked, and says
    /// that it is right.
    fn a_stranger(&mut self) {
        let what = august(STRANGER, NONPUBLIC, 21);
        let mail = Mail {
            at: at(9, 21, 16, 20),
            from: ("小万同事", "xiaomaque1986@duckmail.example"),
            to: &[MAILBOXES[NONPUBLIC].address],
            subject: "芦花荡镇8月份非公企业报表",
            text: "老师您好，万新苗休假，我代她报上8月份报表。\n",
            files: what.one_file(),
            program: Program::Modern,
            extra: &[],
            id: "4E79A2E4.stranger",
        };
        self.deliver(NONPUBLIC, &mail, true);
        self.stop(at(9, 21, 18, 0), "the correction; a return from an unknown address");
        let text = "确认。我在休假，请小万代报的。";
        self.replies.push(Reply { at: at(9, 22, 8, 20), unit: STRANGER, mailbox: NONPUBLIC, text });
        self.stop(at(9, 22, 8, 30), "its unit, asked by mail, confirms it");
    }

    /// Somebody writes in the name of a unit; the provider notes that its checks failed.
    fn forged(&mut self) {
        let what = august(TIDY, NONPUBLIC, 22);
        let unit = &UNITS[TIDY];
        let mail = Mail {
            at: at(9, 22, 3, 14),
            from: (unit.clerk, unit.address()),
            to: &[MAILBOXES[NONPUBLIC].address],
            subject: "棠梨街道更正台账",
            text: "请以此件为准。\n",
            files: vec![what.register_file(returns::mess(what.register()))],
            program: Program::Modern,
            extra: &[],
            id: "4E7A3C18.forged",
        };
        self.deliver(NONPUBLIC, &mail, false);
        self.stop(at(9, 22, 18, 0), "a forged correction");
    }

    /// The bureau: first a password, then no attachment, then right, but two days after the deadline.
    fn late_in_the_end(&mut self) {
        let locked = File {
            name: "文化局社会组织统计表和台账.xlsx".to_owned(),
            media_type: "application/octet-stream",
            bytes: locked::workbook(),
        };
        self.send(&august(LATE, SOCIAL, 16), at(9, 16, 17, 10), vec![locked], Program::Modern);
        self.stop(at(9, 16, 18, 0), "a password-protected workbook");
        self.note(
            SOCIAL,
            at(9, 23, 16, 31),
            (UNITS[LATE].clerk, UNITS[LATE].address()),
            ("区文化局8月份社会组织报表", "密码已去掉，报表见附件。\n"),
        );
        self.stop(at(9, 23, 18, 0), "a forgotten attachment; an automatic answer");
        let what = august(LATE, SOCIAL, 27);
        self.send(&what, at(9, 27, 10, 26), what.one_file(), Program::Modern);
        self.stop(at(9, 27, 18, 0), "a late return");
    }

    fn what_else_arrives(&mut self) {
        let silent = UNITS[SILENT].addresses;
        let bounce = format!(
            "This is the mail system at host mx.qingniao.example.\n\nI'm sorry to have to inform you that your message could \
             not be delivered.\n\n<{0}>: host mx.qingniao.example said: 550 5.1.1 User unknown\n\n\
             Final-Recipient: rfc822; {0}\nAction: failed\nStatus: 5.1.1\n",
            silent[0]
        );
        let daemon = ("Mail Delivery System", "MAILER-DAEMON@qingniao.example");
        self.note_with(
            NONPUBLIC,
            at(9, 20, 9, 3),
            (daemon, &["Auto-Submitted: auto-replied"]),
            ("Undelivered Mail Returned to Sender", &bounce),
        );
        self.note_with(
            NONPUBLIC,
            at(9, 23, 9, 4),
            ((UNITS[SILENT].clerk, silent[1]), &["Auto-Submitted: auto-replied"]),
            ("自动回复：催报", "您好，我于9月19日至30日外出学习，来信回来后处理。\n"),
        );
        self.note(
            NEWS,
            at(9, 21, 10, 10),
            (UNITS[TIDY].clerk, UNITS[TIDY].address()),
            (
                "【创新做法】棠梨街道“楼宇党建联盟”经验材料",
                "区委组织部：\n    我街道以商务楼宇为单位建立党建联盟，共享阵地、共过组织生活，现将做法报上。\n",
            ),
        );
    }

    /// When the calendar has something to do: reminders on the 20th and 23rd (the 25th is a Sunday), overdue notices
    /// from the 26th, the first report, the final one.
    fn the_calendar(&mut self) {
        self.stop(at(9, 20, 9, 1), "reminders");
        self.stop(at(9, 23, 9, 1), "reminders");
        self.stop(at(9, 23, 15, 1), "reminders of Sunday the 25th, on Friday");
        self.stop(at(9, 26, 9, 1), "overdue notices");
        self.stop(at(9, 26, 10, 1), "the first report");
        self.stop(at(9, 27, 9, 1), "overdue notices");
        self.stop(at(9, 28, 9, 1), "overdue notices");
        self.stop(at(9, 28, 17, 1), "the final report");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_the_same_every_time() {
        let (a, b) = (story(), story());
        assert_eq!(a.mails.len(), b.mails.len());
        assert!(a.mails.iter().zip(&b.mails).all(|(a, b)| a.raw == b.raw && a.file_name == b.file_name));
    }

    #[test]
    fn every_mail_is_taken_at_a_stop_on_its_own_day() {
        let story = story();
        assert!(story.mails.is_sorted_by_key(|m| m.at) && story.stops.is_sorted_by_key(|s| s.at));
        for mail in story.mails.iter().filter(|m| m.at > at(9, 1, 0, 0)) {
            let stop = story.stops.iter().find(|s| s.at > mail.at).unwrap();
            assert_eq!(stop.at.date_naive(), mail.at.date_naive(), "{}", stop.what);
        }
    }

    #[test]
    fn every_address_is_of_a_reserved_domain() {
        for mail in story().mails {
            let (text, _, _) = encoding_rs::GBK.decode(&mail.raw);
            for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "@._-".contains(c))) {
                let domain = word.trim_end_matches('.').rsplit_once('@').map(|(_, domain)| domain);
                assert!(domain.is_none_or(|d| d.is_empty() || d.ends_with(".example")), "{word}");
            }
        }
    }
}
