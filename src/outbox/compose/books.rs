//! What the digest tells of mailboxes that do not add up, stored mail that is lost, and mail that could not be sent. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use super::alarm::length;
use super::{clip, listed, moment};

/// One matter, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Mails that the mailbox holds and the ledger has not, also after they were asked for; `which`: `UID 4, 7-9`.
    Missing {
        mailbox: String,
        count: usize,
        which: String,
    },
    /// The server counts more mails than it shows.
    Unseen {
        mailbox: String,
        counted: usize,
        unseen: usize,
    },
    /// Mails that were taken and have since left the mailbox.
    Gone {
        mailbox: String,
        count: u32,
    },
    Uncounted {
        mailbox: String,
        failure: String,
    },
    /// Stored mail whose file is gone or was changed.
    Lost {
        messages: Vec<i64>,
    },
    /// What is stored in the ledger is not what the program has written there; `which` names some of it.
    Changed {
        count: usize,
        which: Vec<String>,
    },
    /// No mail could be sent; `until` is empty while that lasts.
    Unsent {
        since: DateTime<Tz>,
        until: Option<DateTime<Tz>>,
        failure: String,
    },
}

pub fn line(matter: &Matter) -> String {
    match matter {
        Matter::Missing { mailbox, count, which } => format!(
            "{mailbox}：邮箱里有{count}封来信系统没有收到，补收也没有成功（{}）。\
             请登录邮箱找到这些信，把它们转发给这个邮箱自己，系统会当作新来信收下。\
             转发后会列入待核实，时间按转发算。还不行请找管理员。",
            clip(which, 120)
        ),
        Matter::Unseen { mailbox, counted, unseen } => format!(
            "{mailbox}：邮箱服务器说有{counted}封信，其中{unseen}封没有列出来。系统明晚再核对；\
             连续几天都这样，请登录网页邮箱看看，或联系邮箱服务商。"
        ),
        Matter::Gone { mailbox, count } => format!(
            "{mailbox}：有{count}封收下的来信已经不在邮箱里，可能有人删除或移走了。系统里有存底，统计不受影响；\
             如果不是自己人动的，请尽快修改邮箱密码。"
        ),
        Matter::Uncounted { mailbox, failure } => {
            format!("{mailbox}：夜里没有核对成功，系统会再核对。原话：{}", clip(failure, 120))
        }
        Matter::Lost { messages } => format!(
            "存档的来信原件缺失或被改动，编号{}。已入账的数据不受影响；请管理员从备份恢复数据文件夹里的mail文件夹。",
            listed(messages, 10, "")
        ),
        Matter::Changed { count, which } => format!(
            "台账数据库里有{count}处数据不是本系统写入的样子（{}），可能被别的程序改动，或者硬盘出错，统计数可能不准。\
             请管理员运行 taizhang verify 查明是哪些数，必要时从备份恢复。",
            which.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("、")
                + if which.len() > 5 { "等" } else { "" }
        ),
        Matter::Unsent { since, until: Some(until), failure } => format!(
            "从{}到{}（{}）邮件发不出去，现在已经恢复，积压的邮件会陆续发出。原话：{}",
            moment(*since),
            moment(*until),
            length(*until - *since),
            clip(failure, 120)
        ),
        Matter::Unsent { since, until: None, failure } => {
            format!("从{}起邮件一直发不出去，请管理员处理。原话：{}", moment(*since), clip(failure, 120))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use chrono_tz::Asia::Shanghai;

    #[test]
    fn each_matter_says_what_happened_and_what_to_do() {
        let at = |hour| Shanghai.with_ymd_and_hms(2011, 9, 26, hour, 0, 0).unwrap();
        let mailbox = || "social".to_owned();
        let lines = [
            Matter::Missing { mailbox: mailbox(), count: 2, which: "UID 4, 7".into() },
            Matter::Gone { mailbox: mailbox(), count: 3 },
            Matter::Lost { messages: (1..=12).collect() },
            Matter::Unsent { since: at(6), until: Some(at(11)), failure: "no route".into() },
            Matter::Changed { count: 7, which: (1..=6).map(|i| format!("来信编号{i}")).collect() },
        ]
        .map(|matter| line(&matter));
        assert!(lines[0].starts_with("social：邮箱里有2封来信系统没有收到，补收也没有成功（UID 4, 7）。"));
        assert!(lines[0].contains("转发后会列入待核实，时间按转发算"));
        assert!(lines[1].contains("3封收下的来信已经不在邮箱里"));
        assert!(lines[2].contains("编号1、2、3、4、5、6、7、8、9、10等12。"), "{}", lines[2]);
        assert!(lines[4].starts_with(
            "台账数据库里有7处数据不是本系统写入的样子（来信编号1、来信编号2、来信编号3、来信编号4、来信编号5等），"
        ));
        assert!(lines[3].starts_with("从9月26日06:00到9月26日11:00（5小时）邮件发不出去，现在已经恢复"));
    }
}
