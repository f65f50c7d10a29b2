//! The same return again, and a correction, over real servers.

use chrono::Utc;
use taizhang::config::Tls;
use taizhang::demo::district::{MAILBOXES, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::mime::Mail;
use taizhang::demo::sheets::Cell;
use taizhang::period::Period;

use crate::branch::{ROBOT, received, settings, stack, until_received};
use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};
use crate::support::stack::MailStack;

const COMMITTEES: [&str; 2] = [MAILBOXES[NONPUBLIC].address, MAILBOXES[SOCIAL].address];
const CLERK: &str = UNITS[TIDY].addresses[0];

fn office(stack: &MailStack) -> Office {
    let imap = |mailbox: usize| (mailbox, stack.imap(MAILBOXES[mailbox].address, Tls::Implicit));
    Office::new(&settings(&[imap(NONPUBLIC), imap(SOCIAL)], &stack.smtp(ROBOT, Tls::Implicit)))
}

/// The open period's table with so many venues.
fn table(venues: i64) -> Letter {
    let period = Period::open_at(Utc::now().with_timezone(&chrono_tz::Asia::Shanghai)).to_string();
    let mut table = tidy(TIDY, NONPUBLIC, &period).progress();
    let column = table.columns.iter().position(|c| c.key == "venues").expect("a column");
    table.rows[0][column] = Cell::Count(venues);
    Letter::new(TIDY, NONPUBLIC, &Utc::now().to_rfc3339(), vec![workbook("统计表.xlsx", &[table])])
}

#[tokio::test]
async fn one_mail_to_both_committees_is_answered_once_and_a_correction_says_what_it_changed() {
    let stack = stack(&[COMMITTEES[0], COMMITTEES[1], CLERK]);
    let office = office(&stack);
    let letter = table(4);
    let raw = letter.with_mail(|mail| Mail { to: &COMMITTEES, files: mail.files.clone(), ..*mail }.write());
    for committee in COMMITTEES {
        stack.send(CLERK, committee, &raw).await.expect("sent");
        until_received(&stack, committee, 1).await;
    }
    let ran = office.once_beside("").await;
    assert_eq!(ran.stdout.trim(), "taken 2, processed 2, sent 1, not sent 0", "{}", ran.stderr);
    let all = office.json("", &["messages"]);
    let mut dispositions: Vec<&str> =
        all.as_array().expect("a list").iter().map(|m| m["disposition"].as_str().expect("text")).collect();
    dispositions.sort_unstable();
    assert_eq!(dispositions, ["accepted", "duplicate"]);

    let correction = table(7);
    stack.send(CLERK, COMMITTEES[0], &correction.with_mail(|mail| mail.write())).await.expect("sent");
    until_received(&stack, COMMITTEES[0], 2).await;
    let ran = office.once_beside("").await;
    assert_eq!(ran.stdout.trim(), "taken 1, processed 1, sent 1, not sent 0", "{}", ran.stderr);
    until_received(&stack, CLERK, 2).await;
    let receipts = received(&stack, CLERK).await;
    let answer =
        receipts.iter().find(|r| r.in_reply_to.starts_with(&format!("{}@", correction.id))).expect("a receipt");
    assert!(answer.text.contains("活动场所数 4 → 7（"), "{}", answer.text);
    for committee in COMMITTEES {
        assert!(stack.read(committee, "INBOX").await.iter().all(|m| m.flags == ["$Taizhang"]), "filed in both");
    }
}
