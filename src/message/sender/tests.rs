use super::*;
use crate::message::{Address, Kind};

const CLERK: &str = "wang@liulin.example";

fn mail(from: &str, subject: &str, headers: &[(&str, &str)]) -> Message {
    Message {
        from: Some(Address { name: None, email: from.into() }),
        subject: subject.into(),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        ..Message::default()
    }
}

fn with_file(message: Message) -> Message {
    let file = Attachment { name: "a.xls".into(), kind: Kind::Xls, bytes: vec![] };
    Message { attachments: vec![file], ..message }
}

fn saying(text: &str) -> Message {
    Message { text: text.into(), ..mail(CLERK, "Re: 催报", &[]) }
}

fn told(message: &Message) -> &'static str {
    let own = Own { addresses: &["in@qu.example".to_owned()], installation: "in@qu.example" };
    match nature(message, &own) {
        Nature::Person => "person",
        Nature::Auto { .. } => "auto",
        Nature::List { .. } => "list",
        Nature::Bounce(_) => "bounce",
        Nature::Own => "own",
        Nature::Desk => "desk",
    }
}

#[test]
fn the_header_tells_machines_and_lists_from_people() {
    for (field, value, who) in [
        ("Auto-Submitted", "no", "person"),
        ("Auto-Submitted", "(by hand; really) No (x) ; a=b", "person"),
        ("Auto-Submitted", "", "person"),
        ("auto-submitted", "Auto-Replied; a=b", "auto"),
        ("Auto-Submitted", "auto-notified; owner-email=\"a@b.example\"", "auto"),
        ("Auto-Submitted", "x-anything-else", "auto"),
        ("X-Autoreply", "yes", "auto"),
        ("X-Autoreply", "no", "person"),
        ("X-Autorespond", "催报", "auto"),
        ("X-Auto-Response-Suppress", "All", "auto"),
        ("X-Loop", "somebody@liulin.example", "auto"),
        ("Delivered-To", "Autoresponder", "auto"),
        ("Precedence", "auto_reply", "auto"),
        ("Precedence", "first-class", "person"),
        ("Precedence", "Bulk", "list"),
        ("Precedence", "junk (really)", "list"),
        ("List-Id", "<a.example>", "list"),
        ("list-unsubscribe", "<mailto:leave@a.example>", "list"),
        ("Mailing-List", "contact x", "list"),
        ("X-Mailer", "Foxmail 7.2", "person"),
        ("X-Mailer", "vacation 1.2.6", "auto"),
        ("Content-Type", "multipart/report; report-type=disposition-notification", "auto"),
        ("Content-Type", "multipart/report; report-type=\"feedback-report\"; boundary=b", "auto"),
        ("Content-Type", "multipart/report; boundary=b", "auto"),
        ("Content-Type", "multipart/mixed; boundary=\"disposition-notification\"", "person"),
        ("Content-Type", "text/calendar; method=REPLY", "auto"),
        ("Content-Class", "urn:content-classes:calendarmessage", "auto"),
        ("X-Spam-Flag", "YES", "auto"),
        ("X-Spam-Flag", "no", "person"),
        ("X-Spam-Status", "Yes, score=9.1", "auto"),
        ("X-Spam-Status", "No, score=0.1", "person"),
        (MARKER, "receipt another@city.example", "auto"),
        (MARKER, "receipt in@qu.example", "auto"),
    ] {
        assert_eq!(told(&mail(CLERK, "八月份报表", &[(field, value)])), who, "{field}: {value}");
    }
    let said_twice = [("Auto-Submitted", "no"), ("Auto-Submitted", "auto-replied")];
    assert_eq!(told(&mail(CLERK, "x", &said_twice)), "auto", "any of them");
    let no_return = Message { return_path: Some(String::new()), ..mail(CLERK, "x", &[]) };
    assert_eq!(told(&no_return), "auto");
}

#[test]
fn gateways_mark_peoples_mail_too_so_a_file_speaks_for_a_person() {
    for (field, value) in [("X-Auto-Response-Suppress", "All"), ("X-Loop", "somebody@liulin.example")] {
        assert_eq!(told(&with_file(mail(CLERK, "x", &[(field, value)]))), "person", "{field}");
    }
    assert_eq!(told(&with_file(mail(CLERK, "x", &[("X-Loop", "<In@qu.example>")]))), "auto", "it was here before");
}

#[test]
fn the_subjects_of_autoresponders_are_known_and_those_of_people_are_not_mistaken() {
    for subject in [
        "自动回复：催报",
        "自动回复: Re: 催报",
        "自动回复",
        "自动回复 催报",
        "【自动回复】催报",
        "[自动答复] 催报",
        "系统自动回复：您好",
        "外出自动回复",
        "自動回覆: 催報",
        "休假中：催报",
        "【出差中】",
        "不在办公室：催报",
        "Auto: 催报",
        "Automatic reply: x",
        "AutoReply: x",
        "Out of Office: x",
        "Out of Office AutoReply: x",
        "已读：催报",
        "阅读回执：催报",
        "邮件已读回执",
        "Read: 催报",
        "已接受: 会议",
        "撤回: 8月报表",
        "[SPAM] 发票",
        "【垃圾邮件】发票",
    ] {
        assert_eq!(told(&mail(CLERK, subject, &[])), "auto", "{subject}");
    }
    for subject in [
        "回复：自动回复：催报",
        "Re: 自动回复：催报",
        "答复: Automatic reply: x",
        "关于自动回复的说明",
        "自动回复的说明",
        "外出考察报告",
        "会议回执：8月报表",
        "回执",
        "Read me",
        "休假人员统计表",
        "系统退信请处理",
        "",
    ] {
        assert_eq!(told(&mail(CLERK, subject, &[])), "person", "{subject}");
    }
}

#[test]
fn a_short_text_that_says_so_itself_is_automatic() {
    for text in [
        "您好，您的来信已收到，我会尽快回复您。这是一封自动回复邮件",
        "您好，我已出差，邮件已收到，将尽快回复。\n（这是一封自动回复邮件）",
        "此邮件为系统自动回复，谢谢！\n\n----- 原始邮件 -----\n本邮件由系统自动发出。",
        "此邮件由系统自动发出，请勿回复。",
        "This is an automated response. I am away.",
    ] {
        assert_eq!(told(&saying(text)), "auto", "{text}");
    }
    let quoted = "收到，谢谢。\n\n------------------ 原始邮件 ------------------\n这是一封自动回复邮件";
    let ours = "收到，谢谢。\n本邮件由系统自动发出。\n有疑问请打电话：区委组织部";
    let about = format!("我们的邮箱会发出自动回复邮件，请不要介意。{}", "另外说明情况。".repeat(80));
    for text in [quoted, ours, &about, "收到", "报表稍后发来"] {
        assert_eq!(told(&saying(text)), "person", "{text}");
    }
    assert_eq!(told(&with_file(saying("这是一封自动回复邮件"))), "person", "a file speaks for a person");
}

#[test]
fn nobody_reads_what_is_sent_to_a_server_or_a_system() {
    for from in [
        "noreply@liulin.example",
        "oa-no-reply@liulin.example",
        "owner-dangjian@liulin.example",
        "dangjian-request@liulin.example",
        "postmaster@liulin.example",
        "listserv@liulin.example",
    ] {
        assert_eq!(told(&mail(from, "通知", &[])), "auto", "{from}");
    }
}

#[test]
fn our_own_mail_is_known_by_marker_and_address_and_only_by_its_outer_header() {
    let marker = [(MARKER, "reminder in@qu.example")];
    assert_eq!(told(&mail("in@qu.example", "x", &marker)), "own");
    assert_eq!(told(&mail("in+a1b2@qu.example", "x", &marker)), "own");
    assert_eq!(told(&mail("in@qu.example", "x", &[])), "desk");
    assert_eq!(told(&mail("in+tag@qu.example", "x", &[])), "desk");
    assert_eq!(told(&mail("in2@qu.example", "x", &[])), "person");
    let ours = super::super::Forwarded { message_id: Some("reminder.1@qu.example".into()), ..Default::default() };
    let forwarded = Message { forwarded: vec![ours], ..with_file(mail(CLERK, "转发：催报", &[])) };
    assert_eq!(told(&forwarded), "person");
}

#[test]
fn only_a_server_returns_mail() {
    assert_eq!(told(&mail("postmaster@liulin.example", "系统退信", &[])), "bounce");
    assert_eq!(told(&mail(CLERK, "系统退信", &[])), "person");
    let relayed = Message { return_path: Some(String::new()), ..mail(CLERK, "系统退信", &[]) };
    assert_eq!(told(&relayed), "bounce");
}

#[test]
fn a_server_may_write_from_an_address_of_any_kind() {
    let named = |name: &str, from: &str, subject: &str, return_path: &str| Message {
        from: Some(Address { name: Some(name.into()), email: from.into() }),
        return_path: Some(return_path.into()),
        ..mail(from, subject, &[])
    };
    let (path, clerk) = ("postmaster@box.example", "10000@box.example");
    assert_eq!(told(&named("QQ邮箱管理员", "10000@box.example", "系统退信", path)), "bounce");
    assert_eq!(told(&named("QQ邮箱管理员", "10000@box.example", "系统退信", clerk)), "bounce");
    assert_eq!(told(&named("Mail Administrator", "10000@box.example", "Returned mail: x", clerk)), "bounce");
    assert_eq!(told(&named("", "10000@box.example", "来自box.example的退信", path)), "bounce");
    for (name, from, subject, path) in [
        ("QQ邮箱管理员", "10000@box.example", "邮箱升级通知", path),
        ("QQ邮箱管理员", "10000@box.example", "转发：系统退信", path),
        ("王丽", CLERK, "系统退信", CLERK),
        ("王丽（邮箱管理员的同事）", CLERK, "系统退信", CLERK),
        ("王丽", CLERK, "Re: 系统退信", path),
    ] {
        assert_eq!(told(&named(name, from, subject, path)), "person", "{name} {subject}");
    }
    assert_eq!(
        told(&with_file(named("邮箱管理员", CLERK, "系统退信，重新报送", CLERK))),
        "person",
        "a file of its own"
    );
}
