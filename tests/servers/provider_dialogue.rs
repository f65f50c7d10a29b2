//! What is written to and fro over a few days, at servers after NetEase's and Tencent's: a unit vouches for a stranger by
//! mail, corrects itself, writes to both committees at once, and does not get a reminder.

use taizhang::demo::district::{MAILBOXES, NONPUBLIC, SILENT, TIDY, UNITS};
use taizhang::demo::mime::Mail;
use taizhang::demo::sheets::Cell;

use crate::office::letter::{Letter, tidy, workbook};
use crate::office::reply::Reply;
use crate::office::sent::Sent;
use crate::provider_office::Branch;
use crate::support::fake_imap::{FakeImap, Script};
use crate::support::providers::{netease, qq};

const CLERK: &str = UNITS[TIDY].addresses[0];
const STRANGER: &str = "xiaowang77@duckmail.example";

/// The mails that have been sent since the last look.
fn news(branch: &Branch, seen: &mut usize) -> Vec<Sent> {
    let all = branch.smtp.mails();
    let new = all[*seen..].iter().map(|raw| Sent::read(raw.as_bytes())).collect();
    *seen = all.len();
    new
}

/// October's table with so many venues.
fn table(venues: i64, at: &str) -> Letter {
    let mut table = tidy(TIDY, NONPUBLIC, "2026-10").progress();
    let column = table.columns.iter().position(|c| c.key == "venues").expect("a column");
    table.rows[0][column] = Cell::Count(venues);
    Letter::new(TIDY, NONPUBLIC, at, vec![workbook("统计表.xlsx", &[table])])
}

fn dispositions(branch: &Branch) -> Vec<String> {
    let all = branch.office.json("2026-11-24T00:00:00+08:00", &["messages"]);
    let text = |m: &serde_json::Value| m["disposition"].as_str().expect("text").to_owned();
    all.as_array().expect("a list").iter().map(text).collect()
}

async fn a_few_days(provider: &str, script: fn() -> Script) {
    let (branch, other): (Branch, FakeImap) = Branch::with_both(provider, [script(), script()]).await;
    let seen = &mut 0;

    // A stranger reports for the unit, which is asked, and says that it is right.
    let files = tidy(TIDY, NONPUBLIC, "2026-10").two_files();
    let letter =
        Letter { from: STRANGER.to_owned(), ..Letter::new(TIDY, NONPUBLIC, "2026-11-03T09:10:00+08:00", files) };
    branch.imap.deliver(7, &letter.with_mail(|mail| mail.write()));
    branch.run_on("2026-11-03T10:00:00+08:00", "once").await;
    let asked = news(&branch, seen).into_iter().find(|mail| mail.to == CLERK).expect("an inquiry");
    assert!(asked.text.contains(STRANGER), "{}", asked.text);
    let reply = Reply::to(&asked, CLERK, "2026-11-03T10:30:00+08:00", "确认，是我们单位报的。");
    branch.imap.deliver(8, &reply.write());
    branch.run_on("2026-11-03T11:00:00+08:00", "once").await;
    let all = branch.office.json("2026-11-24T00:00:00+08:00", &["messages"]);
    assert_eq!(dispositions(&branch), ["accepted", "accepted"], "{all}");
    let answers = news(&branch, seen);
    assert!(answers.iter().any(|mail| mail.to == STRANGER && mail.text.contains("已入账")), "{answers:?}");
    assert!(answers.iter().any(|mail| mail.to == CLERK && mail.text.contains("你单位已确认")), "{answers:?}");

    // A correction, to both committees at once: answered once, with what it changes.
    let correction = table(7, "2026-11-03T14:00:00+08:00");
    let both = [MAILBOXES[0].address, MAILBOXES[1].address];
    let raw = correction.with_mail(|mail| Mail { to: &both, files: mail.files.clone(), ..*mail }.write());
    branch.imap.deliver(9, &raw);
    other.deliver(1, &[b"X-Copy: second\r\n", &raw[..]].concat());
    branch.run_on("2026-11-03T15:00:00+08:00", "once").await;
    assert_eq!(dispositions(&branch)[2..], ["accepted", "duplicate"]);
    let answers: Vec<Sent> = news(&branch, seen).into_iter().filter(|mail| mail.to == CLERK).collect();
    assert!(
        answers.len() == 1 && answers[0].text.contains("活动场所数") && answers[0].text.contains(" → 7（"),
        "{answers:?}"
    );

    // A reminder comes back; the next one goes to the unit's other address.
    reminders(&branch, "2026-11-20").await;
    let silent = UNITS[SILENT].addresses;
    let reminder = news(&branch, seen).into_iter().find(|mail| mail.to == silent[0]).expect("a reminder");
    branch.imap.deliver(10, returned(&reminder, silent[0]).as_bytes());
    branch.run_on("2026-11-20T09:30:00+08:00", "once").await;
    assert_eq!(dispositions(&branch)[4], "bounce");
    news(&branch, seen);
    reminders(&branch, "2026-11-23").await;
    let reminded: Vec<String> = news(&branch, seen).into_iter().map(|mail| mail.to).collect();
    assert!(reminded.iter().any(|to| to == silent[1]) && !reminded.iter().any(|to| to == silent[0]), "{reminded:?}");
}

/// The morning's letters, at the pace that the provider bears.
async fn reminders(branch: &Branch, day: &str) {
    for minute in 1..=4 {
        branch.run_on(&format!("{day}T09:0{minute}:30+08:00"), "once").await;
    }
}

/// As NetEase returns mail: in plain words, GBK, with the original's Message-ID below.
fn returned(mail: &Sent, to: &str) -> String {
    format!(
        "From: Postmaster@xinyou.example\r\nTo: <{}>\r\nSubject: =?gbk?B?z7XNs83L0MU=?=\r\n\
         Date: Fri, 20 Nov 2026 09:05:00 +0800\r\nMessage-ID: <bounce.1@xinyou.example>\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         抱歉，您的邮件被退回来了……\r\n收件人：{to}\r\n退信原因：收件人邮件地址不存在，邮件无法送达。\r\n\
         SMTP error, RCPT TO: 550 User not found: {to}\r\n\r\nMessage-ID: <{}>\r\n",
        MAILBOXES[NONPUBLIC].address, mail.message_id
    )
}

#[tokio::test]
async fn a_few_days_at_netease() {
    a_few_days("163", netease).await;
}

#[tokio::test]
async fn a_few_days_at_qq() {
    a_few_days("qq", qq).await;
}
