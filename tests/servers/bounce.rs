//! A reminder that a real server takes and cannot deliver: its notice comes back to us, the address is marked, the
//! department is told, and the next reminder goes to the unit's other address.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use taizhang::config::Tls;
use taizhang::demo::district::{self, MAILBOXES, NONPUBLIC, SILENT, UNITS};

use crate::branch::{ROBOT, received, settings, stack, until_received};
use crate::office::Office;

const COMMITTEE: &str = MAILBOXES[NONPUBLIC].address;
const DEPARTMENT: &str = MAILBOXES[2].address;
/// Its server takes mail for anybody of this domain, and then finds nobody there.
const GONE: &str = "left@gone.example";

#[tokio::test]
async fn a_returned_reminder_turns_the_next_one_to_the_other_address() {
    let unit = &UNITS[SILENT];
    let other = unit.addresses[1];
    let stack = stack(&[COMMITTEE, DEPARTMENT, other]);
    let config = settings(&[(NONPUBLIC, stack.imap(COMMITTEE, Tls::None))], &stack.smtp(COMMITTEE, Tls::None));
    let office = Office::new(&config.replace(ROBOT, COMMITTEE));
    let registry = district::registry_csv();
    let line = registry.lines().find(|line| line.starts_with(unit.name)).expect("the unit");
    let header = registry.lines().next().expect("a header");
    office.write("units.csv", &format!("{header}\n{}\n", line.replace(unit.addresses[0], GONE)));

    assert!(office.run("", &["remind"]).stdout.starts_with("queued for 1 units"));
    office.once_beside("").await;
    until_received(&stack, COMMITTEE, 1).await;
    let ran = office.once_beside("").await;
    assert!(ran.stdout.starts_with("taken 1, processed 1"), "{ran:?}");

    let messages = office.json("", &["messages"]);
    assert_eq!(messages[0]["disposition"], "bounce");
    assert_eq!(messages[0]["reason"], json!(format!("退信：{GONE}，没有这个邮箱，或者邮箱已停用。")));
    let marks = office.json("", &["units", "bounced"]);
    assert_eq!(marks.as_array().expect("a list").len(), 1, "{marks}");
    assert_eq!((&marks[0]["address"], &marks[0]["unit"]), (&json!(GONE), &json!(unit.name)));
    assert_eq!((&marks[0]["cause"], &marks[0]["mail"]["kind"]), (&json!("no such address"), &json!("reminder")));

    office.run("", &["remind"]);
    office.once_beside("").await;
    until_received(&stack, other, 1).await;
    assert_eq!(received(&stack, other).await[0].kind(), "reminder");

    // On a day off nothing is told.
    let mut told = None;
    for days in 1..=9 {
        let morning = (Utc::now() + TimeDelta::days(days)).format("%Y-%m-%dT00:31:00Z").to_string();
        office.once_beside(&morning).await;
        told = received(&stack, DEPARTMENT).await.into_iter().find(|mail| mail.kind() == "digest");
        if told.is_some() {
            break;
        }
    }
    let digest = told.expect("a digest").text;
    for words in [unit.name, GONE, "退回催报", "没有这个邮箱", "Unrouteable address", &format!("以后改发{other}")]
    {
        assert!(digest.contains(words), "{words}: {digest}");
    }

    let cleared = office.run("", &["units", "bounced", "--clear", GONE]);
    assert_eq!(cleared.code, Some(0), "{cleared:?}");
    assert_eq!(office.json("", &["units", "bounced"]), json!([]));
    assert_eq!(office.run("", &["units", "bounced", "--clear", GONE]).code, Some(2));
    assert_eq!(office.json("", &["remind", "--dry-run"])[0]["to"], GONE);
}
