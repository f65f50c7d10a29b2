//! What the department is told of mail that came back and of mail that was not answered, and what it should do. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use super::{clip, moment};
use crate::message::sender::Cause;
use crate::outbox::budget::Budget;
use crate::outbox::mail::Kind;

/// A mail of ours that came back, or a notice that claims so.
#[derive(Clone, Debug)]
pub struct Bounced {
    pub whose: Whose,
    pub address: String,
    pub at: DateTime<Tz>,
    pub cause: Cause,
    /// The server's words; may be empty.
    pub reason: String,
    /// Kind and subject of the mail; `None` for a notice about a mail that is not ours.
    pub mail: Option<(String, String)>,
    /// Where reminders go now.
    pub instead: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Unit by name.
    Unit(String),
    /// Supervisor of a unit.
    Supervisor(String),
    /// The department's own, or a committee's.
    Ours,
    Nobodys,
}

/// An address that writes more than it is answered.
#[derive(Clone, Debug)]
pub struct Unanswered {
    pub unit: String,
    pub address: String,
    pub mails: u32,
    /// Answering it brought nothing; it is not answered until it sends something usable.
    pub silent: bool,
}

pub fn bounced(b: &Bounced) -> String {
    let whose = match &b.whose {
        Whose::Unit(unit) => format!("{unit}的邮箱"),
        Whose::Supervisor(unit) => format!("{unit}分管领导的邮箱"),
        Whose::Ours => "我们自己的邮箱".to_owned(),
        Whose::Nobodys => String::new(),
    };
    let Some((kind, subject)) = &b.mail else {
        return format!(
            "{whose}{}：{}来了一封退信，但不是我们最近发出的邮件，可能是冒充的，没有按退信处理。",
            b.address,
            moment(b.at)
        );
    };
    let words = if b.reason.is_empty() { String::new() } else { format!("（{}）", clip(&b.reason, 80)) };
    format!(
        "{whose}{}：{}退回{}《{}》，{}{words}。{}",
        b.address,
        moment(b.at),
        title(kind),
        clip(subject, 40),
        b.cause.chinese(),
        to_do(b)
    )
}

fn to_do(b: &Bounced) -> String {
    match (&b.whose, b.cause, &b.instead) {
        (Whose::Ours, ..) => "请检查这个邮箱，或告知系统管理员更改设置。".to_owned(),
        (_, Cause::Refused, _) => "不是地址的问题，以后照发；如果好几个单位都这样，请告知系统管理员。".to_owned(),
        (_, Cause::Unreached | Cause::Delayed, _) => "以后照发；如果反复退信，请打电话核对。".to_owned(),
        (Whose::Unit(_), Cause::NoSuchAddress, Some(other)) => format!("以后改发{other}；请核对登记的邮箱。"),
        (Whose::Unit(_), Cause::NoSuchAddress, None) => "没有别的邮箱可发，请打电话联系，并更正登记的邮箱。".to_owned(),
        (Whose::Unit(_), Cause::Full, Some(other)) if *other != b.address => {
            format!("请通知对方清理，清理之前改发{other}。")
        }
        (Whose::Unit(_), Cause::Unsaid, Some(other)) if *other != b.address => {
            format!("以后改发{other}；请打电话核对这个邮箱，它来信后恢复使用。")
        }
        (_, Cause::Unsaid, _) => "以后照发；请打电话核对这个邮箱。".to_owned(),
        (_, Cause::Full, _) => "请通知对方清理邮箱，重要事项请打电话。".to_owned(),
        (_, Cause::NoSuchAddress, _) => "请核对这个邮箱。".to_owned(),
    }
}

/// What a mail of this kind (of the outbox) is called.
fn title(kind: &str) -> &'static str {
    let kinds = [Kind::Receipt, Kind::Reminder, Kind::Overdue, Kind::Report, Kind::Digest, Kind::Notice];
    match kinds.into_iter().find(|k| k.as_str() == kind) {
        Some(Kind::Receipt) => "回执",
        Some(Kind::Reminder) => "催报",
        Some(Kind::Overdue) => "逾期催报",
        Some(Kind::Report) => "汇总报表",
        Some(Kind::Digest) => "待处理事项",
        Some(Kind::Notice) | None => "邮件",
    }
}

pub fn unanswered(u: &Unanswered) -> String {
    let unit = if u.unit.is_empty() { String::new() } else { format!("{} ", u.unit) };
    let why = if u.silent {
        "多次回复后来信仍没有带来可用的报表（可能是对方邮箱在自动回信），已停止自动回复。请打电话问一下；收到可用的报表后自动恢复"
    } else {
        "回复次数已达当天上限"
    };
    format!("{unit}{}：有{}封来信没有自动回复，都已照常处理。{why}。", u.address, u.mails)
}

/// What the last answer within a budget says of it.
pub fn last_answer(budget: Budget) -> &'static str {
    match budget {
        Budget::Day => "今天给您的自动回复次数已到上限：今天再发来的邮件照常收取、处理，但不再逐封回复。",
        Budget::Thread => {
            "这组往来邮件今天的自动回复次数已到上限：再发来的照常收取、处理，但今天不再逐封回复；需要时请另写一封新邮件。"
        }
        Budget::Vain => {
            "您近来多次来信，系统里都没有新的可用报表，所以不再自动回复；来信照常收取、处理，收到可用的报表后恢复回复。如有困难请打电话。"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn returned(cause: Cause, instead: Option<&str>) -> Bounced {
        Bounced {
            whose: Whose::Unit("云岭街道".into()),
            address: "gone@yunling.test".into(),
            at: chrono_tz::Asia::Shanghai.with_ymd_and_hms(2011, 9, 20, 9, 3, 0).unwrap(),
            cause,
            reason: "550 5.1.1 User unknown".into(),
            mail: Some(("reminder".into(), "催报".into())),
            instead: instead.map(str::to_owned),
        }
    }

    #[test]
    fn the_department_reads_what_happened_and_what_to_do() {
        assert_eq!(
            bounced(&returned(Cause::NoSuchAddress, Some("two@yunling.test"))),
            "云岭街道的邮箱gone@yunling.test：9月20日09:03退回催报《催报》，没有这个邮箱，或者邮箱已停用\
             （550 5.1.1 User unknown）。以后改发two@yunling.test；请核对登记的邮箱。"
        );
        assert!(
            bounced(&returned(Cause::NoSuchAddress, None))
                .ends_with("没有别的邮箱可发，请打电话联系，并更正登记的邮箱。")
        );
        assert!(bounced(&returned(Cause::Refused, None)).contains("不是地址的问题"));
        let unsaid = |instead| bounced(&Bounced { reason: String::new(), ..returned(Cause::Unsaid, instead) });
        assert!(unsaid(Some("two@yunling.test")).ends_with(
            "退回催报《催报》，退信没有写明原因。以后改发two@yunling.test；请打电话核对这个邮箱，它来信后恢复使用。"
        ));
        assert!(unsaid(Some("gone@yunling.test")).ends_with("退信没有写明原因。以后照发；请打电话核对这个邮箱。"));
        let forged = Bounced { mail: None, ..returned(Cause::NoSuchAddress, None) };
        assert!(bounced(&forged).contains("可能是冒充的"));
        let own = Bounced { whose: Whose::Ours, ..returned(Cause::Full, None) };
        assert!(bounced(&own).contains("请检查这个邮箱"));
    }
}
