use super::*;
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

fn outgoing() -> Outgoing {
    Outgoing {
        kind: Kind::Receipt,
        from: "台账系统 <robot@office.test>".into(),
        to: vec!["yunling@street.test".into()],
        cc: vec!["lead@street.test".into()],
        reply_to: Some("committee@dept.test".into()),
        subject: "回复：云岭街道2011年8月非公有制企业活动进展情况统计表和活动台账".into(),
        text: "已入账。\n第二行\n".into(),
        html: "<p>已入账。</p>".into(),
        attachments: vec![Attached {
            name: "云岭街道-问题清单.xlsx".into(),
            mime: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".into(),
            bytes: b"plain ASCII that must still go as base64".to_vec(),
        }],
        message_id: message_id(Kind::Receipt, ("secret", "anything"), "office.test"),
        in_reply_to: Some("abc@street.test".into()),
        references: vec!["root@street.test".into(), "abc@street.test".into()],
        auto_submitted: AutoSubmitted::Replied,
        date: "2011-09-26T01:00:00Z".parse().unwrap(),
    }
}

fn rendered(mail: &Outgoing) -> String {
    String::from_utf8(render(mail).unwrap()).unwrap()
}

/// Header field as it stands on the wire, unfolded.
fn field<'a>(raw: &'a str, name: &str) -> Vec<&'a str> {
    let start = raw.find(&format!("\r\n{name}: ")).unwrap_or_else(|| panic!("no {name}")) + name.len() + 4;
    let rest = &raw[start..];
    let end = rest.match_indices("\r\n").find(|(i, _)| !rest[i + 2..].starts_with([' ', '\t'])).unwrap().0;
    rest[..end].split("\r\n").map(str::trim).collect()
}

#[test]
fn the_headers_keep_robots_quiet_and_the_thread_together() {
    let raw = rendered(&outgoing());
    for line in [
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        "X-Taizhang: receipt robot@office.test",
        "In-Reply-To: <abc@street.test>",
        "References: <root@street.test> <abc@street.test>",
        "Date: Mon, 26 Sep 2011 01:00:00 +0000",
        "MIME-Version: 1.0",
    ] {
        assert!(raw.contains(&format!("{line}\r\n")), "{line}\n{raw}");
    }
    let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some(outgoing().subject.as_str()));
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("台账系统"), Some("robot@office.test")));
    assert_eq!(parsed.message_id(), Some(outgoing().message_id.as_str()));
    assert_eq!(parsed.cc().unwrap().first().unwrap().address(), Some("lead@street.test"));
}

#[test]
fn both_bodies_and_the_attachment_come_back_as_they_were() {
    let raw = rendered(&outgoing());
    let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), "已入账。\n第二行");
    assert_eq!(parsed.body_html(0).unwrap().trim_end(), "<p>已入账。</p>");
    let file = parsed.attachment(0).unwrap();
    assert_eq!(file.attachment_name(), Some("云岭街道-问题清单.xlsx"));
    assert_eq!(file.contents(), outgoing().attachments[0].bytes);
    assert!(raw.is_ascii());
}

#[test]
fn a_chinese_file_name_stands_in_both_forms() {
    let raw = rendered(&outgoing());
    let word = "=?UTF-8?B?5LqR5bKt6KGX6YGTLemXrumimOa4heWNlS54bHN4?=";
    let part = &raw[raw.find("application/vnd").unwrap() - 20..];
    assert_eq!(field(part, "Content-Type")[1], format!("name=\"{word}\""));
    let disposition = field(part, "Content-Disposition");
    assert_eq!(disposition[1], format!("filename=\"{word}\";"));
    assert_eq!(
        disposition[2],
        "filename*=UTF-8''%E4%BA%91%E5%B2%AD%E8%A1%97%E9%81%93-%E9%97%AE%E9%A2%98%E6%B8%85%E5%8D%95.xlsx"
    );
    assert_eq!(field(part, "Content-Transfer-Encoding"), ["base64"]);
}

#[test]
fn the_same_mail_renders_to_the_same_bytes() {
    assert_eq!(render(&outgoing()).unwrap(), render(&outgoing()).unwrap());
}

#[test]
fn a_message_id_can_be_computed_again_but_by_nobody_else() {
    let id = |secret, key| message_id(Kind::Reminder, (secret, key), "x.test");
    let reminder = id("ours", "2011-08 云岭街道");
    assert!(reminder.is_ascii() && reminder.starts_with("reminder.") && reminder.ends_with("@x.test"));
    assert_eq!(reminder, id("ours", "2011-08 云岭街道"));
    assert_ne!(reminder, id("ours", "2011-08 松溪镇"));
    assert_ne!(reminder, id("theirs", "2011-08 云岭街道"));
    assert_eq!(domain_of("台账系统 <robot@office.test>"), "office.test");
}

#[test]
fn what_strangers_wrote_cannot_add_a_header() {
    let mail = Outgoing {
        subject: "8月\r\nBcc: evil@x.test".into(),
        in_reply_to: Some("a@b>\r\nBcc: <evil@x.test".into()),
        references: vec!["a b@c".into(), "<x@y>".into(), "no-at".into(), "长@x.test".into(), "ok@x.test".into()],
        attachments: vec![Attached {
            name: "a\"\r\nBcc: evil.xlsx".into(),
            mime: "text/x\r\nBcc: y".into(),
            bytes: vec![],
        }],
        ..outgoing()
    };
    let raw = rendered(&mail);
    assert!(!raw.contains("\r\nBcc"), "{raw}");
    assert!(!raw.contains("In-Reply-To"));
    assert!(raw.contains("References: <ok@x.test>\r\n"));
}

#[test]
fn an_endless_thread_is_bounded_to_its_root_and_newest_part() {
    let mail = Outgoing { references: (0..500).map(|n| format!("m{n}@x.test")).collect(), ..outgoing() };
    let raw = rendered(&mail);
    let ids = field(&raw, "References").join(" ");
    assert!(ids.starts_with("<m0@x.test> <m491@x.test>") && ids.ends_with("<m499@x.test>"), "{ids}");
}

#[test]
fn a_bad_address_is_an_error_that_names_it() {
    let mail = Outgoing { to: vec!["nobody".into()], ..outgoing() };
    assert_eq!(render(&mail).unwrap_err().to_string(), "`nobody` is not a mail address");
    assert!(matches!(render(&Outgoing { to: vec![], ..outgoing() }), Err(Unsendable::NoRecipient)));
}

proptest! {
    #[test]
    fn every_attachment_name_survives_within_line_limits(name in "[\\PC]{1,120}\\.xlsx", subject in "\\PC{0,200}") {
        let mut mail = outgoing();
        mail.attachments[0].name = name.clone();
        mail.subject = subject;
        let raw = rendered(&mail);
        prop_assert!(raw.lines().all(|line| line.len() <= 998));
        let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
        let read = parsed.attachment(0).unwrap().attachment_name().unwrap_or("").to_owned();
        prop_assert!(read.chars().count() <= 60 && read.ends_with(".xlsx"), "{read}");
        let strip = |s: &str| s.split_whitespace().collect::<String>();
        prop_assert_eq!(strip(&read), strip(&file_name(&name)));
    }
}
