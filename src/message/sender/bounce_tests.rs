use super::*;
use crate::message::parse::{Limits, parse};

fn read(raw: &str) -> Option<Bounce> {
    let message = parse(raw.replace('\n', "\r\n").as_bytes(), &Limits::default());
    let own = Own { addresses: &["in@qu.example".to_owned()], installation: "in@qu.example" };
    let from = message.from.as_ref().map(|a| a.email.clone()).unwrap_or_default();
    bounce(&message, &own, &from)
}

fn plain(from: &str, subject: &str, body: &str) -> Bounce {
    let raw = format!(
        "Return-Path: <>\nFrom: {from}\nTo: in@qu.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}"
    );
    read(&raw).unwrap_or_else(|| panic!("{subject} is a bounce"))
}

fn page(from: &str, subject: &str, body: &str) -> Bounce {
    let raw = format!(
        "Return-Path: <>\nFrom: {from}\nTo: in@qu.example\nSubject: {subject}\nContent-Type: text/html; charset=utf-8\n\n{body}"
    );
    read(&raw).unwrap_or_else(|| panic!("{subject} is a bounce"))
}

/// Address, cause and status of each recipient.
fn failed(bounce: &Bounce) -> Vec<(&str, Cause, &str)> {
    bounce.failures.iter().map(|f| (f.address.as_str(), f.cause, f.status.as_str())).collect()
}

fn subject(bounce: &Bounce) -> &str {
    bounce.returned.subject.as_deref().unwrap_or_default()
}

fn report(groups: &str) -> String {
    format!(
        "From: MAILER-DAEMON@post.example\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b;\n \
         report-type=delivery-status\n\n--b\n\nsorry\n--b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.post.example\n\n{groups}\n--b\nContent-Type: text/rfc822-headers\n\nSubject: ours\n\
         Message-ID: <reminder.1@qu.example>\n--b--\n"
    )
}

#[test]
fn a_report_names_each_recipient_with_its_status_and_the_servers_words() {
    let bounce = read(&report(
        "Final-Recipient: rfc822; Gone@Liulin.example\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1\n <gone@liulin.example> User unknown\n\n\
         Final-Recipient: rfc822; full@liulin.example\nAction: failed\nStatus: 5.2.2 (quota)\n\n\
         Final-Recipient: rfc822; slow@liulin.example\nAction: delayed\nStatus: 4.4.1\n\n\
         Final-Recipient: rfc822; happy@liulin.example\nAction: relayed\nStatus: 2.0.0\n",
    ))
    .unwrap();
    assert_eq!(
        failed(&bounce),
        [
            ("gone@liulin.example", Cause::NoSuchAddress, "5.1.1"),
            ("full@liulin.example", Cause::Full, "5.2.2"),
            ("slow@liulin.example", Cause::Delayed, "4.4.1")
        ]
    );
    assert_eq!(bounce.failures[0].reason, "550 5.1.1 <gone@liulin.example> User unknown");
    assert_eq!((bounce.returned.message_id.as_deref(), subject(&bounce)), (Some("reminder.1@qu.example"), "ours"));
}

#[test]
fn a_report_that_the_mail_has_arrived_is_no_bounce() {
    assert_eq!(
        read(&report("Final-Recipient: rfc822; happy@liulin.example\nAction: delivered\nStatus: 2.0.0\n")),
        None
    );
}

#[test]
fn groups_without_an_empty_line_between_them_are_told_apart() {
    let bounce = read(&report(
        "Final-Recipient: rfc822; a@liulin.example\nAction: failed\nStatus: 5.1.1\n\
         Final-Recipient: rfc822; b@liulin.example\nAction: failed\nStatus: 5.7.1\n",
    ))
    .unwrap();
    let both = [("a@liulin.example", Cause::NoSuchAddress, "5.1.1"), ("b@liulin.example", Cause::Refused, "5.7.1")];
    assert_eq!(failed(&bounce), both);
}

#[test]
fn an_internationalised_report_tells_the_address_in_its_own_script() {
    let raw = report("Final-Recipient: utf-8; \\x{7EFC}\\x{5408}@liulin.example\nAction: failed\nStatus: 5.1.1\n")
        .replace("message/delivery-status", "message/global-delivery-status");
    assert_eq!(failed(&read(&raw).unwrap()), [("综合@liulin.example", Cause::NoSuchAddress, "5.1.1")]);
}

#[test]
fn exims_status_says_nothing_and_its_words_do() {
    let bounce = read(&report(
        "Final-Recipient: rfc822;gone@liulin.example\nAction: failed\nStatus: 5.0.0\n\
         Diagnostic-Code: smtp; 550 5.1.1 <gone@liulin.example>: User not found\n",
    ))
    .unwrap();
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::NoSuchAddress, "5.1.1")]);
    let text = "This message was created automatically by mail delivery software.\n\n  gone@liulin.example\n    Unrouteable \
                address\n\n------ This is a copy of the message, including all the headers. ------\n\n\
                Message-ID: <reminder.1@qu.example>\nTo: gone@liulin.example, other@liulin.example\n";
    let bounce = plain("Mailer-Daemon@qu.example", "Mail delivery failed: returning message to sender", text);
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::NoSuchAddress, "")]);
    assert_eq!(bounce.returned.message_id.as_deref(), Some("reminder.1@qu.example"));
}

#[test]
fn netease_writes_labels_with_and_without_colons() {
    let text = "抱歉，您的邮件被退回来了……\n      原邮件信息：\n            时  间 2011-09-20 09:00:40\n            \
                主  题 【催报】云岭街道还缺8月报表\n            收件人 gone@post.example\n\n      退信原因：\n            \
                垃圾邮件让邮箱小易很烦心，现在您发送的邮件被怀疑为是垃圾邮件，拒绝接收。\n            \
                英文说明:SMTP error, DATA: 554 DT:SPM post smtp5,D9GowABXX\n\n      建议解决方案：\n            温馨提示：请适当修改标题\n";
    let bounce = plain("Postmaster@post.example", "系统退信", text);
    assert_eq!(failed(&bounce), [("gone@post.example", Cause::Refused, "")]);
    assert_eq!(subject(&bounce), "【催报】云岭街道还缺8月报表");
    assert!(bounce.failures[0].reason.contains("554 DT:SPM"), "{bounce:?}");

    let both = "抱歉，您的邮件被退回来了……/\nSorry, your mail is returned...\n原邮件信息/\nOriginal e-mail message : \t\n\
                时间/Time : \t2011-09-20 09:33:59\n主题/Subject : \t催报：云岭街道\n收件人/To : \tgone@post.example\n\
                退信原因/\nBounce reason : \t\n收件人邮箱地址不存在。\nUser not found.\n";
    let bounce = plain("Postmaster@post.example", "系统退信", both);
    assert_eq!(failed(&bounce), [("gone@post.example", Cause::NoSuchAddress, "")]);
    assert_eq!(subject(&bounce), "催报：云岭街道");
}

#[test]
fn a_page_of_neteases_is_read_as_its_text_is() {
    let html = "<h1>抱歉，您的邮件被退回来了……</h1><table><tr><th>原邮件信息：</th><td><table>\
                <tr><th>时　间：</th><td>2011-09-20 09:00:05</td></tr>\n<tr><th>主　题：</th><td>催报：云岭街道</td></tr>\n\
                <tr><th>收件人：</th><td>gone@post.example</td></tr>\n</table></td></tr>\n<tr><th>退信原因：</th><td>\
                <div>您可能写错了地址。</div><div>英文说明:SMTP error, RCPT TO: Host post.example said 550 User not found: \
                gone@post.example</div></td></tr></table>";
    let bounce = page("Postmaster@post.example", "系统退信", html);
    assert_eq!(failed(&bounce), [("gone@post.example", Cause::NoSuchAddress, "")]);
    assert_eq!(subject(&bounce), "催报：云岭街道");
}

#[test]
fn where_somebody_got_a_copy_only_the_servers_words_tell_who_failed() {
    let text = |why: &str| {
        format!(
            "抱歉，您的邮件被退回来了……\n原邮件信息：\n主　题：逾期催报\n收件人：a@post.example\n抄　送：b@post.example\n退信原因：\n{why}\n"
        )
    };
    let unsaid = plain("Postmaster@post.example", "系统退信", &text("对方邮箱已满。"));
    assert_eq!(failed(&unsaid), []);
    let said = plain("Postmaster@post.example", "系统退信", &text("550 User not found: b@post.example"));
    assert_eq!(failed(&said), [("b@post.example", Cause::NoSuchAddress, "")]);
}

#[test]
fn qq_names_the_recipient_behind_cannot_be_sent_to() {
    let text = "很抱歉您发送的邮件被退回，以下是该邮件的相关信息：\n\n被退回邮件\n主 题：催报：云岭街道\n时 间：2011-09-20 10:20:31\n\n\
                无法发送到 gone@qq.example\n\n退信原因\n收件人邮件地址（gone@qq.example）不存在，邮件无法送达。\n\n解决方案\n\
                请联系您的收件人，重新核实邮箱地址。\n";
    let bounce = plain("PostMaster@qq.example", "系统退信/Systems bounce", text);
    assert_eq!(failed(&bounce), [("gone@qq.example", Cause::NoSuchAddress, "")]);
    assert_eq!(subject(&bounce), "催报：云岭街道");

    let html = "<p>很抱歉您发送的邮件被退回，以下是该邮件的相关信息：</p>\n<table><tr><td>被退回邮件</td>\n\
                <td>主 题：[催报] 云岭街道 <br/>时 间：2011-09-20 14:31:25 </td></tr></table>\n\
                <table><tr><td colspan=\"2\">无法发送到 gone@mail.example</td></tr>\n<tr><td>退信原因</td><td> 未知原因 <br /> \
                host mx.mail.example[192.0.2.184]\nsaid: 550 5.7.515 Access denied, sending domain does not meet the \
                required level</td></tr></table>";
    let bounce = page("PostMaster@qq.example", "来自mail.example的退信", html);
    assert_eq!(failed(&bounce), [("gone@mail.example", Cause::Refused, "5.7.515")]);
    assert_eq!(subject(&bounce), "[催报] 云岭街道");
}

#[test]
fn postfix_qmail_and_exchange_write_in_words_of_their_own() {
    let postfix = "This is the mail system at host mx.post.example.\n\nI'm sorry to have to inform you that your message \
                   could not be delivered.\n\n<gone@liulin.example>: host mx.liulin.example[192.0.2.1] said: 452 4.2.2 \
                   Mailbox full (in reply to RCPT TO command)\n";
    let bounce = plain("MAILER-DAEMON@post.example", "Undelivered Mail Returned to Sender", postfix);
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::Full, "4.2.2")]);

    let qmail = "Hi. This is the qmail-send program at post.example.\nI'm afraid I wasn't able to deliver your message.\n\n\
                 <gone@liulin.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of \
                 the message.\n\nMessage-ID: <reminder.1@qu.example>\nTo: other@liulin.example\n";
    let bounce = plain("MAILER-DAEMON@post.example", "failure notice", qmail);
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::NoSuchAddress, "5.1.1")]);
    assert_eq!(bounce.returned.message_id.as_deref(), Some("reminder.1@qu.example"));

    let exchange = "未能向以下收件人或组传递邮件:\n\ngone@liulin.example\n找不到你输入的电子邮件地址。\n\n\
                    用于管理员的诊断信息:\n#550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found ##\n";
    let from = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@liulin.example";
    let bounce = plain(from, "未送达: 催报：云岭街道", exchange);
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::NoSuchAddress, "5.1.10")]);
    assert_eq!(subject(&bounce), "催报：云岭街道");
}

#[test]
fn a_notice_may_give_no_reason() {
    let bounce = plain("postmaster@post.example", "系统退信", "抱歉，您的邮件被退回来了……收件人：gone@liulin.example");
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::Unsaid, "")]);
    let unread = "抱歉，您的邮件被退回来了\n收件人：gone@liulin.example\n退信原因：网络繁忙";
    assert_eq!(failed(&plain("postmaster@post.example", "系统退信", unread))[0].1, Cause::Unreached, "one it gives");
}

#[test]
fn a_delay_is_no_failure() {
    let text = "Message to gone@liulin.example has been delayed. It will be retried for 3 more days.\n";
    let bounce = plain("MAILER-DAEMON@post.example", "Delivery Status Notification (Delay)", text);
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::Delayed, "")]);
    let bounce = plain("postmaster@post.example", "投递延迟通知", "发往 gone@liulin.example 的邮件延迟，系统仍在重试");
    assert_eq!(failed(&bounce), [("gone@liulin.example", Cause::Delayed, "")]);
}

#[test]
fn what_a_failure_says_of_the_address() {
    for (status, words, cause) in [
        ("5.1.1", "", Cause::NoSuchAddress),
        ("5.1.2", "", Cause::NoSuchAddress),
        ("5.1.8", "bad sender", Cause::Refused),
        ("4.2.2", "", Cause::Full),
        ("5.7.1", "Message rejected", Cause::Refused),
        ("5.7.1", "550 5.7.1 user unknown", Cause::NoSuchAddress),
        ("5.0.0", "550 Mailbox not found. http://help.example/?id=20022", Cause::NoSuchAddress),
        ("", "550 User suspended", Cause::NoSuchAddress),
        ("", "553 The account has been disabled", Cause::NoSuchAddress),
        ("", "552 Message size exceeds size limit", Cause::Refused),
        ("", "收件人空间不足", Cause::Full),
        ("", "该用户不存在", Cause::NoSuchAddress),
        ("", "Host or domain name not found", Cause::NoSuchAddress),
        ("4.4.1", "connection timed out", Cause::Unreached),
        ("", "", Cause::Unreached),
    ] {
        assert_eq!(Cause::of(status, words), cause, "{status} {words}");
    }
    assert_eq!(status("from 10.5.7.1 came 550 5.1.1 x").as_deref(), Some("5.1.1"));
    assert_eq!(status("host 4.3.2.1 said no"), None);
}
