//! What it means when a server refuses a mail: whose fault it is, and whether to be patient. Pure.
//!
//! Judged by stage and code. NetEase's own codes of two parts (`DT:SPM`) are codes too. Tencent has one code for
//! everything, 550, and the phrases behind it are published or reported: these are taken for codes where the provider is
//! known. Words that speak of frequency count everywhere. Phrases only ever make us more patient. A mail that is taken for
//! bulk is sent again later as it is: its words are never varied to slip past a filter.

use crate::config::Provider;

/// What the server was asked when it refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// MAIL FROM: our account.
    Sender,
    /// RCPT TO: the address.
    Recipient,
    /// DATA and what follows: the mail.
    Content,
}

/// Whose fault it is that a mail was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The address does not take mail: it is wrong, closed or full.
    Recipient,
    /// This mail: too large, or its content is refused.
    Mail,
    /// Our account, or what it is allowed to do.
    Us,
    /// It is not known; nothing may be concluded about the address.
    Nobody,
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// 4yz: not now.
    Busy,
    /// Never to this address.
    Address,
    /// Never this mail.
    Mail,
    /// Never this mail from us.
    Forbidden,
    /// Our account may not send at all, until somebody sees to it.
    Account,
    /// More than the server takes from us in a while.
    TooFast,
    /// More than it takes in a day.
    TooManyToday,
    /// It looks like bulk mail.
    Bulk,
    /// The recipient gets too much mail just now.
    Crowded,
}

/// NetEase's codes that say what our account or address may not do. All others of these families are about rate.
const NETEASE_ACCOUNT: [&str; 11] =
    ["DT:SUM", "DT:RBL", "HL:IPB", "MI:NHD", "MI:IMF", "MI:SPF", "MI:DMA", "MI:SPB", "RP:FRL", "WM:BLI", "WM:BLU"];
const NETEASE_DAY: [&str; 3] = ["MI:STC", "RP:TRC", "HL:ITC"];
const NETEASE_FAMILIES: [&str; 5] = ["DT", "HL", "MI", "RP", "WM"];

/// What else NetEase is known to say, lower case.
const NETEASE: [(&str, Meaning); 7] = [
    ("user has no permission", Meaning::Account),
    ("in blacklist", Meaning::Account),
    ("ip is rejected", Meaning::TooFast),
    ("too many", Meaning::TooFast),
    ("too much", Meaning::TooFast),
    ("anti-spam engine", Meaning::Bulk),
    ("spam", Meaning::Bulk),
];

/// Tencent's phrases behind 550, lower case.
const TENCENT: [(&str, Meaning); 8] = [
    ("frequency limited", Meaning::TooFast),
    ("too many", Meaning::TooFast),
    ("daily", Meaning::TooManyToday),
    ("mail content denied", Meaning::Bulk),
    ("content rejected", Meaning::Bulk),
    ("spam", Meaning::Bulk),
    ("suspend", Meaning::Account),
    ("mailbox unavailable or access denied", Meaning::Crowded),
];

/// Whoever says so behind a 5yz, lower case, wants us to come more slowly.
const FREQUENT: [&str; 10] = [
    "frequency limited",
    "too frequent",
    "too many",
    "too much mail",
    "rate limit",
    "try again later",
    "频繁",
    "频率",
    "发送过多",
    "邮件过多",
];

/// Beside these words the others do not speak of us: no such user, and a mail that goes round in circles.
const NOT_OF_US: [&str; 6] = ["unknown", "not found", "not exist", "no such", "hops", "loop"];

/// Judges a reply of 4yz or 5yz.
pub fn meaning(provider: Provider, stage: Stage, code: u16, text: &str) -> Meaning {
    if let Some(meaning) = two_part(text) {
        return meaning;
    }
    let phrases: &[(&str, Meaning)] = match provider {
        p if p.is_netease() => &NETEASE,
        p if p.is_tencent() => &TENCENT,
        _ => &[],
    };
    let lower = text.to_lowercase();
    if let Some((_, meaning)) = phrases.iter().find(|(phrase, _)| lower.contains(phrase)) {
        return *meaning;
    }
    match (stage, code) {
        // RFC 5321 §4.5.3.1.10: a 552 to RCPT is a 452 by old custom.
        (_, ..=499) | (Stage::Recipient, 552) => Meaning::Busy,
        // RFC 4954 §6: authentication required, too weak, or only over TLS.
        (_, 530 | 534 | 535 | 538) => Meaning::Account,
        _ if is_frequent(&lower) => Meaning::TooFast,
        (Stage::Recipient, _) => recipient(code, text),
        (Stage::Sender, _) => Meaning::Account,
        (Stage::Content, 550 | 554) if !phrases.is_empty() => Meaning::Bulk,
        (Stage::Content, _) => Meaning::Mail,
    }
}

/// RFC 3463 §3: class 1 is the address, whatever is said of it.
fn is_frequent(lower: &str) -> bool {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    says(&FREQUENT) && !says(&NOT_OF_US) && !lower.starts_with("5.1.")
}

/// RFC 3463 §3: class 1 is the address, 2 its mailbox, 7 policy. Without an enhanced code, the plain one tells.
fn recipient(code: u16, text: &str) -> Meaning {
    match text.split_whitespace().next().and_then(|word| word.strip_prefix("5.")).map(|rest| rest.as_bytes()) {
        Some([b'1' | b'2', b'.', ..]) => Meaning::Address,
        Some([b'7', b'.', ..]) => Meaning::Forbidden,
        _ if matches!(code, 550 | 551 | 553) => Meaning::Address,
        _ => Meaning::Forbidden,
    }
}

/// `DT:SPM` among the first words of a reply.
fn two_part(text: &str) -> Option<Meaning> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == ',').take(3);
    let code = words.find(|word| {
        let upper = |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_uppercase());
        word.split_once(':').is_some_and(|(family, rest)| NETEASE_FAMILIES.contains(&family) && upper(rest, 3))
    })?;
    Some(match code {
        "DT:SPM" => Meaning::Bulk,
        code if NETEASE_ACCOUNT.contains(&code) => Meaning::Account,
        code if NETEASE_DAY.contains(&code) => Meaning::TooManyToday,
        _ => Meaning::TooFast,
    })
}

impl Meaning {
    /// It will be refused for ever, for everybody's sake.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Address | Self::Mail | Self::Forbidden)
    }

    /// No other mail would fare better now.
    pub fn stops_everything(self) -> bool {
        matches!(self, Self::Account | Self::TooFast | Self::TooManyToday | Self::Bulk)
    }

    pub fn blame(self) -> Blame {
        match self {
            Self::Address => Blame::Recipient,
            Self::Mail | Self::Bulk => Blame::Mail,
            Self::Forbidden | Self::Account | Self::TooFast | Self::TooManyToday => Blame::Us,
            Self::Busy | Self::Crowded => Blame::Nobody,
        }
    }

    /// For the operator; empty where the server's words say it all.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Busy | Self::Address | Self::Mail | Self::Forbidden => "",
            Self::Account => {
                "our account may not send so: log in on the web page, see that SMTP is switched on and that `from` is \
                 the account's own address"
            }
            Self::TooFast => {
                "the provider limits how fast we send: all mail waits and goes on later by itself; if it comes back, set \
                 a smaller per_minute"
            }
            Self::TooManyToday => "the provider takes no more today: it waits by itself; set per_day below its limit",
            Self::Bulk => "it was taken for bulk mail: sending waits and goes on more slowly by itself, unchanged",
            Self::Crowded => "the provider keeps mail from this recipient just now: it is tried again much later",
        }
    }

    /// For the department, without a full stop.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Busy => "对方邮件系统暂时不收，系统会自动重试",
            Self::Address => "这个地址收不到信，请核对登记的邮箱",
            Self::Mail => "服务商不收这封信（可能太大或内容受限）",
            Self::Forbidden => "服务商不允许我们给这个地址发信",
            Self::Account => "服务商不允许我们的邮箱发信，请在网页上登录邮箱查看提示，并请系统管理员检查发信设置",
            Self::TooFast => "服务商认为发信太快，系统已自动暂停，稍后会继续发",
            Self::TooManyToday => "今天发信数量已到服务商的上限，系统会自动延后再发",
            Self::Bulk => "服务商把信当成了群发广告，系统会放慢速度、稍后原样重发",
            Self::Crowded => "对方邮箱短时间内收信太多，服务商暂时不收，系统稍后会重试",
        }
    }
}

impl Blame {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Mail => "mail",
            Self::Us => "us",
            Self::Nobody => "nobody",
        }
    }

    /// For the department, of a mail that was given up; without a full stop. `blame` as stored.
    pub fn chinese(blame: &str) -> &'static str {
        match blame {
            "recipient" => "这个地址收不到信，请核对登记的邮箱",
            "mail" => "服务商不收这封信的内容",
            "us" => "我们的发信邮箱受到限制，请系统管理员查看",
            _ => "多次重试仍未送达",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &str = "\
163     Content   554 Bulk         DT:SPM 163 smtp12,EMCowADXTVq--.29699S2 1535264926,please see http://mail.163.com/help
generic Content   554 Bulk         DT:SPM 126 smtp5
163     Content   451 Bulk         DT:SPM ,please try again
163     Content   554 Account      DT:SUM
generic Content   554 TooManyToday 5.5.0 MI:STC
163     Recipient 550 TooManyToday RP:TRC
163     Sender    421 TooFast      HL:REP
163     Sender    451 TooFast      MI:SFQ
163     Sender    550 Account      MI:NHD
163     Sender    550 Account      User has no permission
163     Sender    550 Account      User suspended
163     Recipient 550 Address      User suspended
163     Recipient 550 Address      User not found: nobody
126     Recipient 550 TooFast      Requested mail action not taken: too much recipient
yeah    Content   552 TooFast      too many same size mails
163     Content   552 Mail         Illegal Attachment
163     Content   554 Bulk         rejected
qq      Recipient 550 TooFast      Connection frequency limited
qq      Sender    550 TooFast      Sender frequency limited
qq      Content   550 Bulk         Mail content denied.
qq      Recipient 550 Address      Mailbox not found
qq      Recipient 550 Crowded      Mailbox unavailable or access denied
exmail  Sender    550 Account      suspend
generic Recipient 550 TooFast      Connection frequency limited
generic Recipient 550 TooFast      Domain frequency limited. http://mail.test
generic Sender    550 TooFast      Requested mail action not taken: too much mail
generic Content   552 TooFast      发送邮件过多，请稍后再试 too many mails
generic Content   554 TooFast      发送过于频繁
generic Content   554 TooFast      5.7.1 Rate limit exceeded, please try again later
generic Sender    535 Account      5.7.8 too many failed logins
generic Recipient 550 Address      5.1.1 too many mails went to this address that nobody has
generic Recipient 550 Address      User not found, check the address and try again later
generic Content   554 Mail         5.4.6 Too many hops
generic Content   451 Busy         too many mails
generic Recipient 550 Address      5.1.1 User unknown
generic Recipient 554 Address      5.2.1 mailbox disabled
generic Recipient 550 Forbidden    5.7.1 relaying denied
generic Recipient 554 Forbidden    no
generic Recipient 552 Busy         too many recipients
generic Recipient 450 Busy         greylisted
generic Sender    530 Account      5.7.0 Authentication required
generic Content   535 Account      5.7.3 not authenticated
generic Content   554 Mail         5.6.0 no
generic Content   452 Busy         out of space";

    #[test]
    fn who_is_to_blame_and_whether_to_be_patient_is_told_by_stage_code_and_provider() {
        for case in CASES.lines() {
            let rest: Vec<&str> = case.split_whitespace().collect();
            let provider: Provider = rest[0].parse().unwrap();
            let stage = match rest[1] {
                "Sender" => Stage::Sender,
                "Recipient" => Stage::Recipient,
                _ => Stage::Content,
            };
            let text = case.split_once(rest[3]).unwrap().1.trim_start();
            let meaning = meaning(provider, stage, rest[2].parse().unwrap(), text);
            assert_eq!(format!("{meaning:?}"), rest[3], "{case}");
        }
    }

    #[test]
    fn only_the_address_itself_is_blamed_on_the_recipient() {
        for meaning in [Meaning::Busy, Meaning::Mail, Meaning::Forbidden, Meaning::TooFast, Meaning::Crowded] {
            assert_ne!(meaning.blame(), Blame::Recipient, "{meaning:?}");
        }
        assert_eq!(Meaning::Address.blame(), Blame::Recipient);
    }
}
