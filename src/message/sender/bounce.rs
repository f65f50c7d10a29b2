//! Returned mail: who did not get which mail of ours, and why, in a report (RFC 3464, RFC 6533) or in plain words. Pure.
//!
//! What is read here is what a stranger claims; whether the mail was ours is looked up in the outbox.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::super::Message;
use super::{Own, is_mail_server, original};
use crate::message::parameters::Parameters;

pub use super::original::Returned;

/// A mail of ours that came back, or is held up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounce {
    /// One a recipient; empty where the mail names none.
    pub failures: Vec<Failure>,
    pub returned: Returned,
}

/// What became of the mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Lower case.
    pub address: String,
    pub cause: Cause,
    /// Enhanced status code (RFC 3463), as `5.1.1`; may be empty.
    pub status: String,
    /// The server's words on one line; may be empty.
    pub reason: String,
}

/// What a failure says about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// There is no such mailbox, or it is closed: nothing sent there arrives.
    NoSuchAddress,
    /// It takes no more mail until somebody clears it.
    Full,
    /// It came back, and nothing tells why.
    Unsaid,
    /// This mail was not wanted (spam, size, policy), which says nothing about the address.
    Refused,
    /// Its server could not be reached, or its words are not understood.
    Unreached,
    /// The server is still trying.
    Delayed,
}

impl Cause {
    pub const ALL: [Self; 6] =
        [Self::NoSuchAddress, Self::Full, Self::Unsaid, Self::Refused, Self::Unreached, Self::Delayed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchAddress => "no such address",
            Self::Full => "full",
            Self::Unsaid => "unsaid",
            Self::Refused => "refused",
            Self::Unreached => "unreached",
            Self::Delayed => "delayed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }

    /// For clerks.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::NoSuchAddress => "没有这个邮箱，或者邮箱已停用",
            Self::Full => "对方邮箱已满",
            Self::Unsaid => "退信没有写明原因",
            Self::Refused => "对方服务器拒收",
            Self::Unreached => "没有送到对方服务器",
            Self::Delayed => "暂时没有送到，服务器还在重试",
        }
    }

    /// By the enhanced status code (RFC 3463 section 3), and by the server's words where it tells nothing or lies in them.
    pub fn of(status: &str, words: &str) -> Self {
        let mut numbers = status.split('.').skip(1).map(|n| n.parse::<u32>().unwrap_or(0));
        match (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) {
            (1, 7 | 8) => Self::Refused,
            (1, 1..=6 | 10) | (2, 1) => Self::NoSuchAddress,
            (2, 2) => Self::Full,
            (2, 3) | (3, 4) | (5 | 6, _) => Self::Refused,
            // 5.7.1 is also what some servers say of users that they do not have.
            (7, _) if by_words(words) != Self::NoSuchAddress => Self::Refused,
            _ => by_words(words),
        }
    }
}

fn by_words(words: &str) -> Cause {
    static SAID: LazyLock<[(Regex, Cause); 3]> = LazyLock::new(|| {
        let pattern = |text: &str| Regex::new(text).expect("a valid pattern");
        [
            (
                pattern(
                    r"(?i)(mailbox|inbox|quota|disk|storage)[^.\n]{0,20}(full|exceed|insufficient)|over ?quota|insufficient (disk|storage|system storage)|空间不足|(邮箱|信箱|容量|空间)[^。\n]{0,6}(已满|满了)|超出?容量",
                ),
                Cause::Full,
            ),
            (
                pattern(
                    r"(?i)spam|(?-i:\b(?:DT|MI|HL|RP):|SPM)|junk|virus|policy|block(ed|list)|blacklist|reject(ed)? by|content rejected|access denied|not allowed|authenticat|dmarc|size limit|too (large|big)|too many|frequen|rate limit|垃圾|病毒|拒收|拒绝接收|频率|过于频繁|超过[^。\n]{0,8}(大小|限制)",
                ),
                Cause::Refused,
            ),
            (
                pattern(
                    r"(?i)(user|mailbox|recipient|account|address|alias)[^.\n]{0,30}(unknown|not found|not exist|n't exist|unavailable|disabled|suspended|inactive|expired|invalid)|(unknown|invalid|no such) (user|recipient|mailbox|address|account|person|local part)|no mailbox here|not (a )?(valid|known) (user|recipient|mailbox)|unavailable mail user|unrouteable|unroutable|(host|domain)[^\n]{0,40}not (found|exist)|bad (destination )?(mailbox )?address|不存在|未开通|已?停用|注销|冻结|无此(用户|邮箱)|没有(找到)?(该|此|这个)(用户|邮箱|收件人)|查无此",
                ),
                Cause::NoSuchAddress,
            ),
        ]
    });
    SAID.iter().find(|(pattern, _)| pattern.is_match(words)).map_or(Cause::Unreached, |(_, cause)| *cause)
}

/// Reads a returned mail; `None` for any other.
pub fn bounce(message: &Message, own: &Own<'_>, from: &str) -> Option<Bounce> {
    let told = told(message, from)?;
    let mut bounce = Bounce { failures: Vec::new(), returned: original::returned(message) };
    if !message.delivery_report.is_empty() {
        bounce.failures = reported(&message.delivery_report)?;
        bounce.failures.iter_mut().for_each(|failure| look_into(&message.text, failure));
    }
    if bounce.failures.is_empty() {
        let words = original::reason(&message.text);
        let status = status(&words).or_else(|| status(original::above(&message.text))).unwrap_or_default();
        let cause = match told {
            Told::Returned => Cause::of(&status, if words.is_empty() { &message.text } else { &words }),
            Told::Delayed => Cause::Delayed,
        };
        let strange = |a: &String| a != from && !is_mail_server(a) && !own.has(a);
        let addresses: BTreeSet<String> = original::recipients(message).into_iter().filter(strange).take(20).collect();
        let failure = |address| Failure { address, cause, status: status.clone(), reason: one_line(&words) };
        bounce.failures = addresses.into_iter().map(failure).collect();
    }
    let wordless = |f: &&mut Failure| f.cause == Cause::Unreached && f.status.is_empty() && f.reason.is_empty();
    bounce.failures.iter_mut().filter(wordless).for_each(|failure| failure.cause = Cause::Unsaid);
    Some(bounce)
}

/// What kind of notice a mail is, before its details are looked at.
enum Told {
    Returned,
    Delayed,
}

fn told(message: &Message, from: &str) -> Option<Told> {
    static DELAYED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)延迟|delayed|\bdelay\b|warning: (message|could not)|still being retried")
            .expect("a valid pattern")
    });
    static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)退信|邮件(被)?退回|(投递|发送|传递|传送)失败|未送达|未传递|无法(送达|投递|传递)|undeliver|returned mail|delivery (status notification|failure|failed|has failed|incomplete)|failure notice|mail (delivery|system)[^\n]{0,10}(failed|failure|error)|systems? bounce|returned to sender|non-?delivery",
        )
        .expect("a valid pattern")
    });
    static OPENS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(hi\. this is the|this message was created automatically by mail delivery|(很)?抱歉，?您?(发送)?的?邮件被退回|(很)?抱歉，?您发送的邮件被退回)")
            .expect("a valid pattern")
    });
    let types = message.header("Content-Type").map(|value| Parameters::parse(value.as_bytes()));
    let mut reports = types.filter(|t| t.value == "multipart/report");
    let report = reports.any(|t| {
        let kind = t.plain("report-type").unwrap_or_default();
        kind.eq_ignore_ascii_case("delivery-status") || (kind.is_empty() && !message.delivery_report.is_empty())
    });
    let by_server = is_mail_server(from) || message.return_path.as_deref() == Some("");
    let named = || message.header("X-Failed-Recipients").next().is_some();
    let titled = RETURNED.is_match(&message.subject);
    let in_words = || titled || OPENS.is_match(&message.text);
    let sure = by_server && (!message.delivery_report.is_empty() || named() || in_words());
    if report || sure || (titled && presents_itself_as_server(message)) {
        let delayed = DELAYED.is_match(&message.subject) && !named();
        return Some(if delayed { Told::Delayed } else { Told::Returned });
    }
    (by_server && DELAYED.is_match(&message.subject)).then_some(Told::Delayed)
}

/// From an address that may be anybody's (`10000@…`), but returned to a mail server, or by a name such as QQ邮箱管理员. A
/// person may have told about returned mail, or send again what came back.
fn presents_itself_as_server(message: &Message) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)^\W*\S{0,8}(邮箱|邮件|邮局)(系统|服务器?|投递)*(管理员|系统|助手)?\W*$|^\W*系统退信|^\W*(system|mail(er|box)?)[ -]?(admin(istrator)?|daemon|delivery|system)|postmaster",
        )
        .expect("a valid pattern")
    });
    static PASSED_ON: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)^\W*(re|fwd?|回复|答复|回覆|转发|轉發)\s*[:：]").expect("a valid pattern"));
    let name = message.from.as_ref().and_then(|from| from.name.as_deref());
    let server = message.return_path.as_deref().is_some_and(is_mail_server) || name.is_some_and(|n| NAME.is_match(n));
    let files_of_its_own = !message.attachments.is_empty() && message.forwarded.is_empty();
    server && !files_of_its_own && !PASSED_ON.is_match(&message.subject)
}

/// Recipients of the per-recipient groups whose action is `failed` or `delayed` (RFC 3464 section 2.3). `None` for a
/// report that the mail has arrived.
fn reported(report: &str) -> Option<Vec<Failure>> {
    // Lines that begin with white space continue the one before.
    let report = report.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let (mut failures, mut arrived) = (Vec::new(), false);
    for group in report.split("\n\n").flat_map(split_recipients) {
        let field = |name: &str| {
            group.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let recipients = [field("Original-Recipient"), field("Final-Recipient")];
        let Some(address) = recipients.into_iter().flatten().find_map(typed_address) else { continue };
        let action = field("Action").unwrap_or("failed").to_lowercase();
        let words = field("Diagnostic-Code").map_or("", |code| code.split_once(';').map_or(code, |(_, words)| words));
        let code = status(field("Status").unwrap_or_default()).unwrap_or_default();
        // `5.0.0` says no more than that it failed; the server's own reply may.
        let code = if code.ends_with(".0.0") { status(words).unwrap_or(code) } else { code };
        let cause = match action.as_str() {
            a if a.starts_with("failed") => Cause::of(&code, words),
            a if a.starts_with("delayed") => Cause::Delayed,
            _ => {
                arrived = true;
                continue;
            }
        };
        failures.push(Failure { address, cause, status: code, reason: one_line(words) });
    }
    (!failures.is_empty() || !arrived).then_some(failures)
}

/// Where the report tells nothing, as Exim's does of what it finds out itself, the words behind the address may.
fn look_into(text: &str, failure: &mut Failure) {
    if failure.cause != Cause::Unreached || !failure.reason.is_empty() {
        return;
    }
    let text = original::above(text);
    let behind = text.to_lowercase().find(&failure.address).and_then(|at| text.get(at + failure.address.len()..));
    let words: Vec<&str> = behind.unwrap_or_default().lines().map(str::trim).filter(|l| l.len() > 3).take(2).collect();
    failure.reason = one_line(&words.join(" "));
    failure.cause = Cause::of(&failure.status, &failure.reason);
}

/// Groups of reports that were written without an empty line between them.
fn split_recipients(group: &str) -> Vec<String> {
    let mut groups = vec![String::new()];
    for line in group.lines() {
        let begins = line.to_ascii_lowercase().starts_with("final-recipient:");
        let has_one = groups.last().is_some_and(|g| g.to_ascii_lowercase().contains("final-recipient:"));
        if begins && has_one {
            groups.push(String::new());
        }
        if let Some(last) = groups.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    groups
}

/// `rfc822; a@b`, `utf-8; …` with its escapes `\x{5F20}` (RFC 6533 section 3).
fn typed_address(field: &str) -> Option<String> {
    static ESCAPE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\\x\{([0-9A-Fa-f]{2,6})\}").expect("a valid pattern"));
    let text = field.rsplit(';').next().unwrap_or(field).trim().trim_matches(['<', '>']);
    let unescaped = ESCAPE.replace_all(text, |found: &regex::Captures<'_>| {
        let c = u32::from_str_radix(&found[1], 16).ok().and_then(char::from_u32);
        c.map_or_else(|| found[0].to_owned(), String::from)
    });
    unescaped.contains('@').then(|| unescaped.to_lowercase())
}

/// The first enhanced status code in a text; parts of IP addresses are none.
pub(super) fn status(text: &str) -> Option<String> {
    static CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:^|[^\d.])([45]\.\d{1,2}\.\d{1,3})(?:[^\d.]|\.?$|\.[^\d])").expect("a valid pattern")
    });
    CODE.captures(text).map(|found| found[1].to_owned())
}

/// At most 200 characters on one line.
fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
#[path = "bounce_tests.rs"]
mod tests;
