//! A unit is asked whether a return in its name is its own, and what follows from its answer.

use std::sync::Arc;

use serde_json::{Value, json};
use taizhang::config::load;
use taizhang::db::Db;
use taizhang::demo::district::{GBK, MAILBOXES, NONPUBLIC, SILENT, SOCIAL, TIDY, UNITS, registry_csv};
use taizhang::demo::mime::{File, Trace};
use taizhang::jobs::process::{Answers, Clerk, open_messages};
use taizhang::jobs::{pass::Watched, take};

use crate::office::Office;
use crate::office::letter::{Letter, tidy, time, workbook};
use crate::office::reply::Reply;
use crate::office::sent::Sent;

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const LATER: &str = "2011-09-20T14:00:00+08:00";
const AFTERNOON: &str = "2011-09-20T15:00:00+08:00";
const EVENING: &str = "2011-09-20T18:00:00+08:00";
/// Past the digest's time.
const NEXT: &str = "2011-09-21T09:10:00+08:00";
const NEXT_NOON: &str = "2011-09-21T12:00:00+08:00";

const STRANGER: &str = "xiaowang77@duckmail.example";
const CLERK: &str = UNITS[TIDY].addresses[0];
const FIGURES: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "progress");

fn stranger(at: &str, period: &str) -> Letter {
    let files = tidy(TIDY, NONPUBLIC, period).one_file();
    Letter { from: STRANGER.to_owned(), ..Letter::new(TIDY, NONPUBLIC, at, files) }
}

impl Reply {
    fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    /// Made up by somebody who has not seen the mail.
    fn under_another_token(mut self) -> Self {
        let token = "00112233445566778899aabbccddeeff";
        self.to.0 = format!("核实-{token}");
        self.in_reply_to = format!("inquiry.{token}@xinyou.example");
        self
    }

    /// The mail as the provider hands it out.
    fn deliver(&self, authserv_id: &str, result: &str) -> Vec<u8> {
        let domain = self.from.rsplit('@').next().unwrap_or_default();
        let trace = format!(
            "Return-Path: <{from}>\r\nReceived: from smtp.{domain} by {authserv_id} with ESMTP id {id}; {date}\r\n\
             Authentication-Results: {authserv_id}; dmarc={result} header.from={domain}\r\n",
            from = self.from,
            id = self.id,
            date = time(&self.at).to_rfc2822(),
        );
        [trace.into_bytes(), self.write()].concat()
    }
}

fn csv(name: &str, text: &str) -> File {
    File { name: name.to_owned(), media_type: "text/csv", bytes: text.as_bytes().to_vec() }
}

impl Office {
    /// Mail of the system's own to a unit that asks about returns.
    fn inquiries(&self) -> Vec<Sent> {
        let mut sent = self.sent();
        sent.retain(|s| s.message_id.starts_with("inquiry."));
        sent
    }

    fn hear(&self, reply: &Reply) {
        self.put(NONPUBLIC, &reply.id, &reply.deliver(MAILBOXES[NONPUBLIC].authserv_id, "pass"));
    }

    fn hear_forged(&self, reply: &Reply) {
        self.put(NONPUBLIC, &reply.id, &reply.deliver(MAILBOXES[NONPUBLIC].authserv_id, "fail"));
    }

    /// The line of `messages` about a mail with this local part of its Message-ID.
    fn line(&self, id: &str) -> Value {
        let all = self.json("", &["messages"]);
        let found = all.as_array().expect("a list").iter();
        let start = format!("<{id}@");
        let mut found = found.filter(|m| m["message_id"].as_str().is_some_and(|id| id.starts_with(&start)));
        found.next().unwrap_or_else(|| panic!("{id} is not listed")).clone()
    }

    fn sent_to(&self, address: &str) -> Vec<Sent> {
        let mut sent = self.sent();
        sent.retain(|s| s.to == address);
        sent
    }
}

/// A stranger's return waits, and its unit was asked.
fn asked() -> (Office, Letter, Sent) {
    let office = Office::open();
    let letter = stranger(MORNING, "2011-08");
    office.post(&letter);
    office.once(NOON);
    let mut inquiries = office.inquiries();
    assert_eq!(inquiries.len(), 1);
    (office, letter, inquiries.remove(0))
}

#[test]
fn the_units_own_address_is_asked_with_a_token_in_the_thread() {
    let (office, letter, inquiry) = asked();
    assert_eq!(office.message(&letter)["disposition"], "quarantined");
    assert_eq!((inquiry.to.as_str(), inquiry.kind()), (CLERK, "notice"));
    assert_eq!(inquiry.header("Auto-Submitted"), "auto-generated");
    let token = inquiry.message_id.trim_start_matches("inquiry.").split('@').next().expect("a token");
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    let (name, address) = inquiry.reply_to();
    assert_eq!((name, address.as_str()), (format!("核实-{token}"), MAILBOXES[NONPUBLIC].address));
    for words in [STRANGER, "报送两新组织报表", "附件1 统计表", "2011年8月", "行", "回复：确认"] {
        assert!(inquiry.text.contains(words), "no {words} in {}", inquiry.text);
    }
    assert!(office.sent_to(STRANGER).is_empty());
    let id = office.message(&letter)["id"].to_string();
    let shown = office.json(NOON, &["quarantine", "show", &id]);
    let asked = json!([{ "unit": UNITS[TIDY].name, "address": CLERK, "at": NOON }]);
    assert_eq!((&shown["asked"], &shown["answered"]), (&asked, &json!([])));
    office.once(AFTERNOON);
    assert_eq!(office.inquiries().len(), 1, "once a day");
    assert_ne!(inquiry.message_id, self::asked().2.message_id, "chance");
}

#[test]
fn a_confirmation_releases_the_return_and_its_sender_is_trusted_from_then_on() {
    let (office, letter, inquiry) = asked();
    let reply = Reply::to(&inquiry, CLERK, LATER, "确认，是我们单位小王报的。");
    office.hear(&reply);
    office.once(AFTERNOON);
    let heard = office.line(&reply.id);
    assert_eq!(heard["disposition"], "accepted");
    let reason = heard["reason"].as_str().expect("a text");
    assert!(reason.contains("是其报送的") && reason.contains(STRANGER), "{reason}");
    let (id, by) = (office.message(&letter)["id"].clone(), heard["id"].clone());
    assert_eq!(office.message(&letter)["disposition"], "accepted");
    let state = office.obligation(EVENING, "2011-08", FIGURES);
    assert_eq!((&state["state"], &state["received_at"]), (&json!("on_time"), &json!(MORNING)));
    assert!(office.answer(&letter).text.contains("已入账"), "the usual receipt");

    let thanks = office.sent().into_iter().find(|s| s.in_reply_to.starts_with(&reply.id)).expect("an answer");
    assert_eq!((thanks.to.as_str(), thanks.header("Auto-Submitted")), (CLERK, "auto-replied"));
    for words in ["你单位已确认", STRANGER, "如要取消"] {
        assert!(thanks.text.contains(words), "no {words} in {}", thanks.text);
    }
    let trusted = office.json(EVENING, &["quarantine", "trusted"]);
    let expected = json!([{ "address": STRANGER, "unit": UNITS[TIDY].name, "since": AFTERNOON, "who": CLERK,
                            "message": id, "by_message": by }]);
    assert_eq!(trusted, expected);
    let shown = office.json(EVENING, &["quarantine", "show", &id.to_string()]);
    assert_eq!((&shown["answered"][0]["said"], &shown["answered"][0]["from"]), (&json!("confirmed"), &json!(CLERK)));

    let next = stranger(EVENING, "2011-07");
    office.post(&next);
    office.once(NEXT);
    assert_eq!(office.message(&next)["disposition"], "accepted");
    assert_eq!(office.inquiries().len(), 1);
}

#[test]
fn a_second_confirmation_has_no_second_effect() {
    let (office, letter, inquiry) = asked();
    office.hear(&Reply::to(&inquiry, CLERK, LATER, "确认"));
    office.once(AFTERNOON);
    let trusted = office.json("", &["quarantine", "trusted"]);
    let again = Reply::to(&inquiry, CLERK, AFTERNOON, "确认");
    office.hear(&again);
    // The same letter, as the other mailbox shows it.
    office.put(SOCIAL, &again.id, &again.deliver(MAILBOXES[SOCIAL].authserv_id, "pass"));
    let thanks = Reply::to(&inquiry, CLERK, AFTERNOON, "好的，谢谢");
    office.hear(&thanks);
    office.once(EVENING);
    assert_eq!(office.json("", &["quarantine", "trusted"]), trusted);
    assert_eq!(office.answers(&letter).len(), 1);
    assert_eq!(office.message(&letter)["submissions"][0]["version"], 1);
    let told: Vec<Sent> = office.sent().into_iter().filter(|s| s.in_reply_to.starts_with(&again.id)).collect();
    assert!(told.len() == 1 && told[0].text.contains("此前已经核实并受理"), "{told:?}");
    assert_eq!(office.line(&thanks.id)["disposition"], "news");
    assert!(office.sent().iter().all(|s| !s.in_reply_to.starts_with(&thanks.id)));
}

#[test]
fn a_denial_keeps_the_return_out_and_the_department_is_told() {
    let (office, letter, inquiry) = asked();
    let reply = Reply::to(&inquiry, CLERK, LATER, "不是我们单位报送的。");
    office.hear(&reply);
    office.once(AFTERNOON);
    let message = office.message(&letter);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("rejected"), &json!(["M06"])));
    assert!(message["reason"].as_str().expect("a text").contains("不是该单位报送的"), "{message}");
    assert!(office.sent_to(STRANGER).is_empty());
    assert_eq!(office.obligation(EVENING, "2011-08", FIGURES)["state"], "pending");
    office.once(NEXT);
    let digest = office.sent().into_iter().find(|s| s.kind() == "digest").expect("a digest");
    assert!(digest.text.contains("可能冒名的来件：1件") && digest.text.contains(STRANGER), "{}", digest.text);
    assert_eq!(office.inquiries().len(), 1);

    let released = office.run(NEXT_NOON, &["quarantine", "release", &message["id"].to_string()]);
    assert_eq!(released.code, Some(0), "{released:?}");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn nobody_else_can_confirm_whatever_token_he_has() {
    let (office, letter, inquiry) = asked();
    let others = [
        (Reply::to(&inquiry, STRANGER, LATER, "确认"), "M01", "正是被询问的发件地址"),
        (Reply::to(&inquiry, UNITS[GBK].addresses[0], LATER, "确认"), "M01", "不是棠梨街道办事处登记的邮箱"),
        (Reply::to(&inquiry, CLERK, LATER, "确认"), "M02", "未通过邮箱服务商的验证"),
    ];
    office.hear(&others[0].0);
    office.hear(&others[1].0);
    office.hear_forged(&others[2].0);
    let robot = Reply::to(&inquiry, CLERK, LATER, "确认").with("Auto-Submitted: auto-replied");
    let away = Reply {
        subject: "自动回复：请核实".to_owned(),
        ..Reply::to(&inquiry, CLERK, LATER, "来信收到，确认。")
    };
    let unknown = Reply::to(&inquiry, CLERK, LATER, "确认").under_another_token();
    for reply in [&robot, &away, &unknown] {
        office.hear(reply);
    }
    office.once(AFTERNOON);
    for (reply, rule, words) in &others {
        let line = office.line(&reply.id);
        assert_eq!((&line["disposition"], &line["rules"]), (&json!("quarantined"), &json!([rule])), "{line}");
        let reason = line["reason"].as_str().expect("a text");
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(office.line(&robot.id)["disposition"], "auto");
    assert_eq!(office.line(&away.id)["disposition"], "auto");
    assert_eq!(office.line(&unknown.id)["disposition"], "news");
    assert_eq!(office.message(&letter)["disposition"], "quarantined");
    assert_eq!(office.json("", &["quarantine", "trusted"]), json!([]));
    let answered = |reply: &Reply| office.sent().iter().any(|s| s.in_reply_to.starts_with(&format!("{}@", reply.id)));
    assert!(!others.iter().map(|(reply, ..)| reply).chain([&robot, &away]).any(answered));

    // A person who has rung up vouches for the From of the third one; the first one remains a stranger's.
    for (reply, ..) in &others {
        office.run(EVENING, &["quarantine", "release", &office.line(&reply.id)["id"].to_string()]);
    }
    office.once(EVENING);
    assert_eq!(office.line(&others[0].0.id)["disposition"], "news");
    assert_eq!(office.line(&others[2].0.id)["disposition"], "accepted");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn what_is_not_understood_is_explained_and_goes_on_waiting() {
    let (office, letter, inquiry) = asked();
    let vague = Reply::to(&inquiry, CLERK, LATER, "收到，我们先查一下再确认。");
    office.hear(&vague);
    office.once(AFTERNOON);
    assert_eq!(office.line(&vague.id)["disposition"], "news");
    assert_eq!(office.message(&letter)["disposition"], "quarantined");
    let told = office.sent().into_iter().find(|s| s.in_reply_to.starts_with(&vague.id)).expect("an answer");
    assert!(told.text.contains("没有看懂") && told.text.contains("回复：确认"), "{}", told.text);
    // The answer to the explanation, by a program that keeps no thread at all.
    let clear = Reply { in_reply_to: String::new(), ..Reply::to(&told, CLERK, AFTERNOON, "确认") };
    office.hear(&clear);
    office.once(EVENING);
    assert_eq!(office.line(&clear.id)["disposition"], "accepted");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn what_waits_is_asked_about_together_once_a_day_and_for_three_days_at_most() {
    let (office, first, _) = asked();
    let second = Letter { from: "lidaye@duckmail.example".to_owned(), ..stranger(LATER, "2011-07") };
    office.post(&second);
    for at in [AFTERNOON, EVENING, "2011-09-21T08:00:00+08:00"] {
        office.once(at);
        assert_eq!(office.inquiries().len(), 1, "{at}");
    }
    for (day, count) in [(21, 2), (22, 3), (23, 4), (24, 4)] {
        for hour in ["08:40", "11:00"] {
            office.once(&format!("2011-09-{day}T{hour}:00+08:00"));
            assert_eq!(office.inquiries().len(), count, "{day} {hour}");
        }
    }
    let inquiries = office.inquiries();
    assert!(inquiries[1].text.contains("待核实：2件") && inquiries[1].text.contains("再次询问"));
    assert!(
        inquiries[3].text.contains("待核实：1件") && inquiries[3].text.contains("lidaye"),
        "the first was asked thrice"
    );
    let digests: Vec<Sent> = office.sent().into_iter().filter(|s| s.kind() == "digest").collect();
    let last = &digests.last().expect("a digest").text;
    assert!(last.contains("9月20日、9月21日、9月22日已去信棠梨街道办事处核实，还没有答复"), "{last}");

    // The second day's mail, answered late, for one of the two.
    let reply = Reply::to(&inquiries[1], CLERK, "2011-09-24T14:00:00+08:00", "第2件是我们的，第一件我们没有报过");
    office.hear(&reply);
    office.once("2011-09-24T15:00:00+08:00");
    assert_eq!(office.message(&first)["disposition"], "rejected");
    assert_eq!(office.message(&second)["disposition"], "accepted");
    let trusted = office.json("", &["quarantine", "trusted"]);
    assert_eq!(
        (trusted.as_array().map(Vec::len), &trusted[0]["address"]),
        (Some(1), &json!("lidaye@duckmail.example"))
    );
}

#[test]
fn what_came_from_the_same_address_meanwhile_need_not_be_asked_about() {
    let (office, _, inquiry) = asked();
    let more = stranger(LATER, "2011-07");
    office.post(&more);
    office.once(AFTERNOON);
    assert_eq!(office.message(&more)["disposition"], "quarantined");
    office.hear(&Reply::to(&inquiry, CLERK, AFTERNOON, "确认"));
    office.once(EVENING);
    assert_eq!(office.message(&more)["disposition"], "accepted");
}

#[test]
fn a_known_sender_reads_that_what_waited_is_taken_though_another_mail_was_asked_about() {
    let office = Office::open();
    let colleague = |at: &str, period: &str| {
        let files = tidy(TIDY, NONPUBLIC, period).one_file();
        Letter { from: UNITS[GBK].addresses[0].to_owned(), ..Letter::new(TIDY, NONPUBLIC, at, files) }
    };
    let (first, second) = (colleague(MORNING, "2011-08"), colleague(LATER, "2011-07"));
    office.post(&first);
    office.once(NOON);
    office.post(&second);
    office.once(AFTERNOON);
    assert_eq!((office.inquiries().len(), office.answers(&second).len()), (1, 1), "he was told that it waits");
    office.hear(&Reply::to(&office.inquiries()[0], CLERK, AFTERNOON, "确认"));
    office.once(EVENING);
    assert_eq!(office.message(&second)["disposition"], "accepted");
    assert_eq!(office.answers(&second).len(), 2, "and that it is taken");
}

#[test]
fn an_answer_is_no_copy_of_another_for_the_signature_that_both_carry() {
    let (office, letter, inquiry) = asked();
    let thread: &'static str = Box::leak(format!("In-Reply-To: <{}>", inquiry.message_id).into_boxed_str());
    let answer = |at: &str, words: &str| Letter {
        text: format!("{words}\n\n------------------ 原始邮件 ------------------\n请核实"),
        headers: vec![thread],
        ..Letter::new(TIDY, NONPUBLIC, at, vec![csv("签名.vcf", "BEGIN:VCARD\r\nEND:VCARD\r\n")])
    };
    let (vague, clear) = (answer(LATER, "我们查一下"), answer(AFTERNOON, "确认"));
    office.post(&vague);
    office.once(LATER);
    office.post(&clear);
    office.once(AFTERNOON);
    assert_eq!(office.message(&vague)["disposition"], "news");
    let line = office.message(&clear);
    assert_eq!(line["disposition"], "accepted", "{line}");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn whoever_only_ever_confirms_is_answered_every_time() {
    let office = Office::open_with(|config| config.replace("[smtp]", "[smtp]\nanswers_in_vain = 1"));
    for (day, period, from) in [(20, "2011-08", "a"), (21, "2011-07", "b"), (22, "2011-06", "c")] {
        let at = |hour: &str| format!("2011-09-{day}T{hour}:00+08:00");
        office.post(&Letter { from: format!("{from}{STRANGER}"), ..stranger(&at("09:10"), period) });
        office.once(&at("12:00"));
        let inquiry = office.inquiries().pop().expect("the day's inquiry");
        let reply = Reply::to(&inquiry, CLERK, &at("14:00"), "确认");
        office.hear(&reply);
        office.once(&at("15:00"));
        let told = office.sent().into_iter().any(|s| s.in_reply_to.starts_with(&format!("{}@", reply.id)));
        assert!(told, "{day}");
    }
}

#[test]
fn a_person_who_was_quicker_is_not_overruled() {
    let (office, letter, inquiry) = asked();
    let id = office.message(&letter)["id"].to_string();
    let rejected = office.run(LATER, &["quarantine", "reject", &id, "--reason", "电话核实不是"]);
    assert_eq!(rejected.code, Some(0), "{rejected:?}");
    let reply = Reply::to(&inquiry, CLERK, LATER, "确认");
    office.hear(&reply);
    office.once(AFTERNOON);
    assert_eq!(office.message(&letter)["disposition"], "rejected");
    assert_eq!(office.json("", &["quarantine", "trusted"]), json!([]));
    let told = office.sent().into_iter().find(|s| s.in_reply_to.starts_with(&reply.id)).expect("an answer");
    assert!(told.text.contains("此前已经处理，不予采用"), "{}", told.text);
}

#[test]
fn a_confirmation_settles_who_sent_it_and_no_other_doubt() {
    let office = Office::open();
    let text = format!(
        "非公有制企业活动进展情况统计表（2011年8月）\n\
         序号,单位,组织总数,党员同志数,已转组织关系,未转组织关系,党组织总数,单独组建,联合组建,本月新建党组织,累计新建党组织,\
         党组织覆盖组织数,指导员累计,工作覆盖组织数\n\
         1,{},9,5,5,0,2,1,1,0,7,3,8,5\n",
        UNITS[TIDY].name
    );
    let letter = Letter { files: vec![csv("8月统计表.csv", &text)], ..stranger(MORNING, "2011-08") };
    office.post(&letter);
    office.once(NOON);
    let inquiry = office.inquiries().remove(0);
    assert!(inquiry.text.contains("组织总数9"), "{}", inquiry.text);
    office.hear(&Reply::to(&inquiry, CLERK, LATER, "确认"));
    office.once(AFTERNOON);
    let message = office.message(&letter);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("quarantined"), &json!(["H01"])));
    let released = office.run(EVENING, &["quarantine", "release", &message["id"].to_string()]);
    assert_eq!(released.code, Some(0), "{released:?}");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn an_answer_with_a_return_in_it_is_both() {
    let (office, letter, inquiry) = asked();
    let files = tidy(TIDY, SOCIAL, "2011-08").one_file();
    let own = Letter {
        text: "确认\n\n另报社会组织的，见附件。\n\n------------------ 原始邮件 ------------------\n不是".to_owned(),
        headers: vec![Box::leak(format!("In-Reply-To: <{}>", inquiry.message_id).into_boxed_str())],
        ..Letter::new(TIDY, SOCIAL, LATER, files)
    };
    office.post(&own);
    office.once(AFTERNOON);
    assert_eq!(office.message(&letter)["disposition"], "accepted");
    let line = office.message(&own);
    assert_eq!(line["disposition"], "accepted");
    assert!(line["reason"].as_str().expect("a text").contains("是其报送的"), "{line}");
    let answers = office.answers(&own);
    assert_eq!(answers.len(), 2, "a receipt and the word on what was confirmed");
}

#[test]
fn a_unit_without_an_address_cannot_be_asked_and_the_department_reads_so() {
    let office = Office::open();
    office.write("units.csv", &registry_csv().replace(CLERK, "tangli.example"));
    office.post(&stranger(MORNING, "2011-08"));
    office.once(NOON);
    office.once(NEXT);
    assert!(office.inquiries().is_empty());
    let digest = office.sent().into_iter().find(|s| s.kind() == "digest").expect("a digest");
    assert!(digest.text.contains("棠梨街道办事处没有登记邮箱，无处去信核实，请电话联系"), "{}", digest.text);
}

#[test]
fn nobody_is_asked_about_forged_or_contradictory_mail() {
    let office = Office::open();
    let forged = stranger(MORNING, "2011-08");
    let home = &MAILBOXES[NONPUBLIC];
    let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: false, null_sender: false };
    office.put(NONPUBLIC, &forged.id, &forged.with_mail(|mail| mail.deliver(&trace)));
    let text = format!(
        "非公有制企业活动进展情况统计表（2011年8月）\n填报单位：{}、{}\n序号,单位,组织总数,党员总数\n1,,9,5\n",
        UNITS[TIDY].name, UNITS[GBK].name
    );
    let contradictory = Letter { files: vec![csv("表.csv", &text)], ..stranger(MORNING, "2011-08") };
    office.post(&contradictory);
    office.once(NOON);
    office.once(NEXT);
    assert_eq!(office.message(&forged)["disposition"], "quarantined");
    assert!(office.inquiries().is_empty(), "{:?}", office.inquiries());
}

#[test]
fn where_the_provider_delivers_subaddresses_the_token_is_one() {
    let office = Office::open_with(|config| config.replacen("committee =", "subaddress = true\ncommittee =", 1));
    let letter = stranger(MORNING, "2011-08");
    office.post(&letter);
    office.once(NOON);
    let inquiry = office.inquiries().remove(0);
    let token = inquiry.message_id.trim_start_matches("inquiry.").split('@').next().expect("a token").to_owned();
    assert_eq!(inquiry.reply_to().1, format!("jc_feigong+{token}@xinyou.example"));
    let reply = Reply { in_reply_to: String::new(), ..Reply::to(&inquiry, CLERK, LATER, "确认") };
    office.hear(&reply);
    office.once(AFTERNOON);
    assert_eq!(office.line(&reply.id)["disposition"], "accepted");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn trust_can_be_taken_back() {
    let (office, letter, inquiry) = asked();
    office.hear(&Reply::to(&inquiry, CLERK, LATER, "确认"));
    office.once(AFTERNOON);
    let wrong = office.run(EVENING, &["quarantine", "distrust", "nobody@duckmail.example"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let other = office.run(EVENING, &["quarantine", "distrust", STRANGER, "--unit", UNITS[GBK].name]);
    assert_eq!(other.code, Some(2), "{other:?}");
    let done = office.run(EVENING, &["quarantine", "distrust", STRANGER, "--unit", UNITS[TIDY].name]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(office.json("", &["quarantine", "trusted"]), json!([]));
    let next = stranger(EVENING, "2011-07");
    office.post(&next);
    office.once(NEXT);
    assert_eq!(office.message(&next)["disposition"], "quarantined");
    assert_eq!(office.message(&letter)["disposition"], "accepted", "what was accepted stays");
}

/// The confirmation is stored; then the program dies before the return is assessed again.
#[tokio::test]
async fn a_crash_between_the_answer_and_the_release_loses_nothing() {
    let office = Office::open_with(|config| format!("{config}\n[limits]\nisolate = false\n"));
    let letter = stranger(MORNING, "2011-08");
    office.post(&letter);
    office.once(NOON);
    let inquiry = office.inquiries().remove(0);
    office.hear(&Reply::to(&inquiry, CLERK, LATER, "确认"));
    {
        let config = Arc::new(load::load(&office.path("taizhang.toml")).expect("settings"));
        let db = Db::open(&config.data_dir).await.expect("the ledger");
        let now = time(AFTERNOON).to_utc();
        for w in &mut Watched::all(&config) {
            take::take(&db, &config, &w.mailbox, &mut w.connection, now).await.expect("taken");
        }
        let open = open_messages(&db).await.expect("the ledger");
        assert_eq!(open.len(), 1);
        Clerk::new(&db, &config, Answers::Send).process(open[0], now).await.expect("processed");
        assert_eq!(open_messages(&db).await.expect("the ledger").len(), 1, "the return is open again");
    }
    office.once(EVENING);
    assert_eq!(office.message(&letter)["disposition"], "accepted");
    assert_eq!(office.answers(&letter).len(), 1);
    assert_eq!(office.sent().iter().filter(|s| s.text.contains("你单位的答复已收到")).count(), 1);
}

#[test]
fn whoever_reports_for_two_units_has_each_sheet_taken_for_the_one_that_it_names() {
    let office = Office::open();
    let both = UNITS[SILENT].addresses[0];
    office.write("units.csv", &registry_csv().replace(both, &format!("{both};{CLERK}")));
    let mut tables = [TIDY, SILENT].map(|unit| tidy(unit, NONPUBLIC, "2011-08").progress());
    tables[1].sheet = "Sheet2".to_owned();
    let from = |files| Letter::new(TIDY, NONPUBLIC, MORNING, files);
    let two = from(vec![workbook("统计表.xlsx", &tables)]);
    let third = from(vec![workbook("表.xlsx", &[tidy(GBK, NONPUBLIC, "2011-08").progress()])]);
    let nobody = "非公有制企业活动进展情况统计表（2011年8月）\n序号,单位,组织总数,党员总数,已转组织关系,未转组织关系,党组织总数,\
                  单独组建,联合组建,本月新建党组织,累计新建党组织,党组织覆盖组织数,指导员累计,工作覆盖组织数\n\
                  1,本单位,9,5,5,0,2,1,1,0,7,3,8,5\n";
    let none = from(vec![csv("表.csv", nobody)]);
    for letter in [&two, &third, &none] {
        office.post(letter);
    }
    office.once(NOON);
    let message = office.message(&two);
    assert_eq!(message["disposition"], "accepted", "{message}");
    let units: Vec<&Value> = message["submissions"].as_array().expect("a list").iter().map(|s| &s["unit"]).collect();
    assert_eq!(units, [&json!(UNITS[TIDY].name), &json!(UNITS[SILENT].name)]);
    let message = office.message(&third);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("quarantined"), &json!(["M03"])), "{message}");
    assert_eq!(office.inquiries()[0].to, UNITS[GBK].addresses[0]);
    let message = office.message(&none);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("rejected"), &json!(["W04"])), "{message}");
    assert!(office.answer(&none).text.contains("看不出是哪个单位的报表"));
}
