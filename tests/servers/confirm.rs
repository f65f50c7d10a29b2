//! A unit confirms a stranger's return by answering the mail that really arrived in its mailbox.

use chrono::Utc;
use serde_json::json;
use taizhang::config::Tls;
use taizhang::demo::district::{MAILBOXES, NONPUBLIC, TIDY, UNITS};
use taizhang::period::Period;

use crate::branch::{ROBOT, received, settings, stack, until_received};
use crate::office::Office;
use crate::office::letter::{Letter, tidy};
use crate::office::reply::Reply;

const COMMITTEE: &str = MAILBOXES[NONPUBLIC].address;
const CLERK: &str = UNITS[TIDY].addresses[0];
const STRANGER: &str = "xiaowang77@duckmail.example";

#[tokio::test]
async fn a_return_is_released_by_the_answer_of_its_unit() {
    let stack = stack(&[COMMITTEE, CLERK, STRANGER]);
    let smtp = stack.smtp(ROBOT, Tls::Implicit);
    let office = Office::new(&settings(&[(NONPUBLIC, stack.imap(COMMITTEE, Tls::Implicit))], &smtp));
    let now = Utc::now();
    let open = Period::open_at(now.with_timezone(&chrono_tz::Asia::Shanghai)).to_string();
    let files = tidy(TIDY, NONPUBLIC, &open).one_file();
    let letter = Letter { from: STRANGER.to_owned(), ..Letter::new(TIDY, NONPUBLIC, &now.to_rfc3339(), files) };
    stack.send(STRANGER, COMMITTEE, &letter.with_mail(|mail| mail.write())).await.expect("sent");
    until_received(&stack, COMMITTEE, 1).await;
    let waits = office.once_beside("").await;
    assert_eq!((waits.code, waits.stdout.trim()), (Some(3), "taken 1, processed 1, sent 1, not sent 0"), "{waits:?}");

    until_received(&stack, CLERK, 1).await;
    let inquiry = received(&stack, CLERK).await.remove(0);
    assert!(inquiry.text.contains(STRANGER), "{}", inquiry.text);
    let reply = Reply::to(&inquiry, CLERK, &Utc::now().to_rfc3339(), "确认，是我们单位报的。");
    assert_eq!(reply.to.1, COMMITTEE);
    stack.send(CLERK, &reply.to.1, &reply.write()).await.expect("sent");
    until_received(&stack, COMMITTEE, 2).await;
    let released = office.once_beside("").await;
    assert_eq!(released.stdout.trim(), "taken 1, processed 2, sent 2, not sent 0", "{released:?}");

    let messages = office.json("", &["messages"]);
    let dispositions: Vec<_> = messages.as_array().expect("a list").iter().map(|m| &m["disposition"]).collect();
    assert_eq!(dispositions, [&json!("accepted"), &json!("accepted")]);
    until_received(&stack, CLERK, 2).await;
    until_received(&stack, STRANGER, 1).await;
    let thanks = received(&stack, CLERK).await.remove(1);
    assert_eq!(thanks.in_reply_to, format!("{}@qingniao.example", reply.id));
    assert!(thanks.references.contains(&inquiry.message_id), "one thread");
    assert!(received(&stack, STRANGER).await[0].text.contains("已入账"));
}
