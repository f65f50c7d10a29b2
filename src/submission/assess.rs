//! Assess: one raw message in, one [`Verdict`] out. Pure, and repeatable with the same decisions.
//!
//! In two steps, because opening what is attached is no pure matter: [`Letter::parse`] tells what is to be opened, and
//! [`assess`] goes on with what was found in it.

use chrono::DateTime;
use chrono_tz::Tz;

use super::documents::{File, Opened};
use super::forms;
use super::intent;
use super::{Decisions, Disposition, Fate, Head, Submission, Verdict};
use crate::config::{Config, Mailbox, Unit};
use crate::form::{Finding, Place, Severity};
use crate::message::sender::{self, Authentication, Bounce, Cause, Nature, Own};
use crate::message::{Attachment, Message, parse};

/// What a message is judged by.
pub struct Context<'a> {
    pub config: &'a Config,
    pub mailbox: &'a Mailbox,
    /// When the provider took it, in the configured zone.
    pub received: DateTime<Tz>,
    pub decisions: &'a Decisions,
    /// Bytes on the server; more than `raw` where the mail was over the limit and only its header was taken.
    pub size: u64,
}

/// A message with what became of it.
pub struct Assessed {
    pub message: Message,
    pub nature: Nature,
    pub head: Head,
    pub verdict: Verdict,
}

/// A message that was read, but not what is attached to it.
pub struct Letter {
    message: Message,
    nature: Nature,
    head: Head,
}

impl Letter {
    pub fn parse(raw: &[u8], config: &Config) -> Self {
        let message = parse::parse(raw, &parse::Limits::default());
        let addresses = own_addresses(config);
        let own = Own { addresses: &addresses, installation: &config.smtp.address };
        let nature = sender::nature(&message, &own);
        let head = Head::of(&message, sender::fingerprint(&message.attachments));
        Self { message, nature, head }
    }

    /// The attachments that are to be opened: none of a mail on which they have no bearing. They are taken out, because
    /// nobody needs their bytes afterwards.
    pub fn to_open(&mut self, context: &Context) -> Vec<Attachment> {
        let attachments = std::mem::take(&mut self.message.attachments);
        let matter = match self.nature {
            Nature::Own | Nature::Bounce(_) => false,
            // No return is put away unseen, whatever its header says.
            Nature::Auto { .. } | Nature::List { .. } | Nature::Desk | Nature::Person => true,
        };
        let undecided = context.decisions.rejected.is_none();
        let within_limit = context.size <= context.config.limits.mail_bytes;
        if matter && undecided && within_limit { attachments } else { Vec::new() }
    }
}

/// `files` is what was found in [`Letter::to_open`].
pub fn assess(letter: Letter, files: Vec<File>, context: &Context) -> Assessed {
    let Letter { message, nature, head } = letter;
    let opened = Opened::of(files, &context.config.campaign);
    let verdict = verdict(&message, &nature, opened, context);
    Assessed { message, nature, head, verdict }
}

fn own_addresses(config: &Config) -> Vec<String> {
    let mut addresses: Vec<String> = config.mailboxes.iter().map(|m| m.address.clone()).collect();
    addresses.push(config.smtp.address.clone());
    addresses
}

fn verdict(message: &Message, nature: &Nature, mut opened: Opened, context: &Context) -> Verdict {
    match nature {
        Nature::Own => return Verdict::plain(Disposition::Auto, "本系统自己发出的邮件。"),
        Nature::Auto { why } => {
            return automatic(message, opened, format!("自动回复或自动生成的邮件（{why}）。"), context);
        }
        Nature::List { why } => return automatic(message, opened, format!("群发邮件（{why}）。"), context),
        Nature::Desk => return automatic(message, opened, "从本系统自己的邮箱发来的邮件。".to_owned(), context),
        Nature::Bounce(bounce) => return Verdict::plain(Disposition::Bounce, returned(bounce)),
        Nature::Person => {}
    }
    let sender = Sender::of(message, context);
    let mut verdict = if let Some(reason) = &context.decisions.rejected {
        rejected_by_hand(reason)
    } else if context.size > context.config.limits.mail_bytes {
        too_large(context)
    } else {
        if message.truncated {
            opened.findings.push(too_many_parts());
        }
        match opened.has_forms() {
            true => with_forms(message, opened, &sender, context),
            false => without_forms(message, opened, &sender, context),
        }
    };
    verdict.answer = verdict.answer && sender.known() && sender.failure.is_none();
    verdict.sender_units = sender.units.iter().map(|u| u.name.clone()).collect();
    verdict.rules.sort();
    verdict.rules.dedup();
    verdict
}

/// A person has decided against it. Somebody known, who was told that it waits, is told that, too.
fn rejected_by_hand(reason: &str) -> Verdict {
    let text = format!("经人工核实，这封邮件里的报表不予采用：{reason}。");
    let mut verdict = Verdict::plain(Disposition::Rejected, format!("人工处理：不予采用（{reason}）。"));
    verdict.findings = vec![Finding::new("M06", Severity::Error, Place::default(), text)];
    verdict.answer = true;
    verdict
}

/// What came back, for the listing.
fn returned(bounce: &Bounce) -> String {
    let Some(first) = bounce.failures.first() else {
        return "退信：我们发出的邮件没有送达。".to_owned();
    };
    let others = bounce.failures.len() - 1;
    let more = if others > 0 { format!("等{}个地址", others + 1) } else { String::new() };
    let notice = if first.cause == Cause::Delayed { "延迟通知" } else { "退信" };
    format!("{notice}：{}{more}，{}。", first.address, first.cause.chinese())
}

/// Automatic mail is not answered. But an office's own system may send its return: that waits for a person.
fn automatic(message: &Message, opened: Opened, why: String, context: &Context) -> Verdict {
    let sender = Sender::of(message, context);
    let released = context.decisions.released.is_some();
    if let Some(reason) = &context.decisions.rejected {
        return Verdict { answer: false, ..rejected_by_hand(reason) };
    }
    if opened.has_forms() {
        let mut verdict = with_forms(message, opened, &sender, context);
        verdict.answer = false;
        // Whether a machine may report for an office is for the department to say.
        verdict.to_ask.clear();
        verdict.sender_units = sender.units.iter().map(|u| u.name.clone()).collect();
        if !released {
            verdict.submissions.iter_mut().for_each(|s| s.fate = Fate::Quarantined);
            verdict.disposition = Disposition::Quarantined;
            verdict.reason = format!("{why}里面有报表，须核实是否为该单位报送。");
        }
        return verdict;
    }
    Verdict::plain(Disposition::Auto, why)
}

/// The units that an address is registered for or trusted with.
fn speaks_for<'a>(email: &str, context: &Context<'a>) -> Vec<&'a Unit> {
    let registry = &context.config.registry;
    let mut units = registry.registered(email);
    for (_, unit) in context.decisions.trusted.iter().filter(|(address, _)| address == email) {
        units.extend(registry.unit(unit).filter(|u| !units.iter().any(|k| k.name == u.name)));
    }
    units
}

const SEVERAL_AUTHORS: &str = "发件人写了两个或更多地址，无法确定是谁发的，须人工核实。";

/// Who the message is from, as far as it can be believed.
pub(super) struct Sender<'a> {
    pub units: Vec<&'a Unit>,
    /// Why it cannot be believed who wrote it (M02): a sentence for clerks.
    pub failure: Option<String>,
}

impl<'a> Sender<'a> {
    fn of(message: &Message, context: &Context<'a>) -> Self {
        let from = message.from.iter().map(|a| a.email.as_str());
        let each: Vec<Vec<&Unit>> =
            from.chain(message.also_from.iter().map(String::as_str)).map(|email| speaks_for(email, context)).collect();
        let units = each.iter().flatten().copied().fold(Vec::new(), |mut units: Vec<&Unit>, unit| {
            if !units.iter().any(|u| u.name == unit.name) {
                units.push(unit);
            }
            units
        });
        // RFC 7489 section 6.6.1: with several authors there is nothing to check. Colleagues may write together.
        let of_all = |unit: &&Unit| each.iter().all(|of| of.iter().any(|u| u.name == unit.name));
        let failure = match sender::authentication(message, context.mailbox.authserv_id.as_deref()) {
            Authentication::Fail { why } => Some(forged(&why)),
            _ if each.len() > 1 && !units.iter().any(of_all) => Some(SEVERAL_AUTHORS.to_owned()),
            Authentication::Pass | Authentication::Unknown => None,
        };
        let units = if failure.is_none() { units.into_iter().filter(of_all).collect() } else { units };
        Self { units, failure }
    }

    pub fn known(&self) -> bool {
        !self.units.is_empty()
    }
}

fn too_large(context: &Context) -> Verdict {
    let most = context.config.limits.mail_bytes / (1024 * 1024);
    let text = format!(
        "这封邮件有{}MB，超过{most}MB的上限，系统没有读取；请只附报表，压缩图片或分几封发送。",
        context.size / (1024 * 1024)
    );
    let mut verdict = Verdict::plain(Disposition::Rejected, "邮件超过大小上限。");
    verdict.rules = vec!["W07".into()];
    verdict.findings = vec![Finding::new("W07", Severity::Error, Place::default(), text)];
    verdict.answer = true;
    verdict
}

/// Attachments may be among what was left out, so the sender must know.
fn too_many_parts() -> Finding {
    let text = "这封邮件的组成部分太多，系统只读了前面一部分；请只附报表，另发一封新邮件（不要转发或引用旧邮件）。";
    Finding::new("W07", Severity::Error, Place::default(), text)
}

fn with_forms(message: &Message, mut opened: Opened, sender: &Sender, context: &Context) -> Verdict {
    let submissions = forms::submissions(message, &mut opened, sender, context);
    let mut verdict = Verdict::plain(Disposition::Accepted, "");
    verdict.findings = opened.findings.iter().cloned().chain(opened.left_aside()).collect();
    verdict.answer = true;
    verdict.rules = opened.findings.iter().map(|f| f.rule.clone()).collect();
    verdict.rules.extend(submissions.iter().flat_map(|s| s.rules.clone()));
    verdict.to_ask = submissions.iter().filter_map(|s| s.ask.clone()).collect();
    verdict.to_ask.sort();
    verdict.to_ask.dedup();
    verdict.submissions = submissions.into_iter().map(|s| s.submission).collect();
    verdict.disposition = disposition(&verdict);
    verdict.reason = reason(&verdict);
    verdict
}

/// Judges what is left of a message of which some forms were taken out, or became a question.
pub fn reconsider(verdict: &mut Verdict) {
    verdict.disposition = disposition(verdict);
    verdict.reason = reason(verdict);
    verdict.rules.sort();
    verdict.rules.dedup();
}

/// One word for everything in a message (domain.md, Check).
fn disposition(verdict: &Verdict) -> Disposition {
    let fates = |fate: Fate| verdict.submissions.iter().filter(|s| s.fate == fate).count();
    let (accepted, quarantined) = (fates(Fate::Accepted), fates(Fate::Quarantined));
    let whole = |s: &Submission| s.rows.iter().all(|r| r.admitted);
    match (accepted, quarantined) {
        (0, 0) => Disposition::Rejected,
        (0, _) => Disposition::Quarantined,
        _ if accepted == verdict.submissions.len()
            && verdict.submissions.iter().all(whole)
            && !verdict.findings.iter().any(Finding::is_error) =>
        {
            Disposition::Accepted
        }
        _ => Disposition::Partly,
    }
}

fn reason(verdict: &Verdict) -> String {
    let all = verdict.submissions.iter().flat_map(|s| &s.findings).chain(&verdict.findings);
    let errors: Vec<&Finding> = all.filter(|f| f.is_error()).collect();
    let waiting = verdict.submissions.iter().filter(|s| s.fate == Fate::Quarantined).flat_map(|s| &s.findings);
    match verdict.disposition {
        Disposition::Accepted => format!("{}份报表已入账。", verdict.submissions.len()),
        Disposition::Quarantined => {
            // The question itself, not what the rows say besides; questions come last.
            let waiting: Vec<&Finding> = waiting.collect();
            let question =
                |initial: char| waiting.iter().rev().find(|f| f.rule.starts_with(initial) && f.rule != "W06");
            // Releasing a mail confirms its headings, so whoever does must have read about them.
            let heading = waiting.iter().rev().find(|f| f.rule == "H01" && f.is_error());
            let first =
                question('M').or(question('W')).or(heading).or(question('H')).or(held(&waiting)).or(waiting.first());
            let Some(first) = first else { return "需要人工核实。".to_owned() };
            let also = heading.filter(|h| h.message != first.message).map_or("", |h| h.message.as_str());
            format!("{}{also}", first.message)
        }
        _ => {
            // What a person has to decide comes before what the sender has to put right.
            let first = held(&errors).or(errors.first()).map(|f| f.message.clone()).unwrap_or_default();
            if errors.len() > 1 { format!("{first}（另有{}处错误）", errors.len() - 1) } else { first }
        }
    }
}

/// Why a book waits though nothing is wrong with its rows.
fn held<'f, 'a>(findings: &'f [&'a Finding]) -> Option<&'f &'a Finding> {
    findings.iter().find(|f| f.is_error() && matches!(f.rule.as_str(), "R15" | "R16"))
}

/// For the person who looks at what waits; the sender is told only that it is being handled.
pub const BROKE_DOWN: &str = "系统未能读取这封邮件（程序故障，与来信人无关），请人工打开原件处理，并告知系统管理员。";

/// No form in the mail: news, a document in place of a table, or a workbook that cannot be used.
fn without_forms(message: &Message, opened: Opened, sender: &Sender, context: &Context) -> Verdict {
    if let Some(why) = sender.failure.as_ref().filter(|_| context.decisions.released.is_none()) {
        let mut verdict = Verdict::plain(Disposition::Quarantined, why.clone());
        verdict.rules = vec!["M02".into()];
        return verdict;
    }
    let mut news = Verdict::plain(Disposition::News, "没有报表附件，按信息类邮件登记。");
    news.rules = vec!["M04".into()];
    if !sender.known() || context.mailbox.stream.is_none() {
        return news;
    }
    let wanted = !intent::is_mere_reply(message);
    let nothing = opened.nothing_found();
    let mut findings = opened.findings;
    findings.extend(nothing);
    if sender::large_file_links(message) && findings.is_empty() {
        let text = "邮件里只有网盘或“超大附件”链接，系统不能下载；请把报表作为普通附件发送。";
        findings.push(Finding::new("M05", Severity::Error, Place::default(), text));
    }
    let refused = findings.iter().any(Finding::is_error);
    if findings.is_empty() {
        return Verdict { answer: wanted, ..news };
    }
    let mut verdict = if refused { Verdict::plain(Disposition::Rejected, findings[0].message.clone()) } else { news };
    verdict.rules = findings.iter().map(|f| f.rule.clone()).collect();
    verdict.findings = findings;
    // The picture under the signature of a “收到” needs no answer.
    verdict.answer = refused || wanted;
    verdict
}

fn forged(why: &str) -> String {
    format!("发件人地址未通过邮箱服务商的验证（{why}），可能是冒名邮件，须人工核实。")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// How many of a letter's attachments are opened.
    fn opened(from: &str, header: &str, decisions: &Decisions, size: u64) -> usize {
        let config = fixture::config();
        let raw = format!(
            "From: {from}\r\nTo: x@y.test\r\nSubject: s\r\n{header}MIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n\
             Content-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n--b--\r\n"
        );
        let received = fixture::at("2011-09-20T04:00:00Z").with_timezone(&config.timezone);
        let context = Context { config: &config, mailbox: &config.mailboxes[0], received, decisions, size };
        let mut letter = Letter::parse(raw.as_bytes(), &config);
        let files = letter.to_open(&context);
        assert!(letter.head.fingerprint.is_some(), "told from all of them, opened or not");
        assert!(letter.message.attachments.is_empty(), "nobody else holds their bytes");
        files.len()
    }

    /// What becomes of a letter without a file that is from these addresses.
    fn judged(from: &str, config: &Config) -> (Disposition, Vec<String>, bool, String) {
        let raw = format!("From: {from}\r\nTo: x@y.test\r\nSubject: s\r\n\r\nhello\r\n");
        let received = fixture::at("2011-09-20T04:00:00Z").with_timezone(&config.timezone);
        let decisions = Decisions::default();
        let context = Context { config, mailbox: &config.mailboxes[0], received, decisions: &decisions, size: 1 };
        let verdict = assess(Letter::parse(raw.as_bytes(), config), Vec::new(), &context).verdict;
        (verdict.disposition, verdict.rules, verdict.answer, verdict.reason)
    }

    #[test]
    fn of_several_authors_none_is_believed_unless_all_are_of_one_unit() {
        let mut config = fixture::config();
        config.registry.units[0].addresses = vec!["a@one.test".into(), "b@one.test".into()];
        config.registry.units[1].addresses = vec!["c@two.test".into()];
        for from in [
            "a@one.test, x@else.test",
            "x@else.test, a@one.test",
            "a@one.test, c@two.test",
            "<x@else.test> <a@one.test>",
            "a@one.test\r\nFrom: x@else.test",
            "x@else.test\r\nFROM: A <a@one.test>",
        ] {
            let (disposition, rules, answer, reason) = judged(from, &config);
            assert_eq!((disposition, answer), (Disposition::Quarantined, false), "{from}");
            assert_eq!(rules, ["M02"], "{from}");
            assert!(reason.contains("无法确定是谁发的"), "{reason}");
        }
        for from in [
            "a@one.test",
            "a@one.test, B <b@one.test>",
            "A@one.test\r\nFrom: <a@one.test>",
            "\"x@else.test, 王丽\" <a@one.test>",
            "x@else.test <a@one.test>",
        ] {
            assert_eq!(judged(from, &config).0, Disposition::News, "{from}");
        }
    }

    #[test]
    fn only_what_has_a_bearing_on_the_verdict_is_opened() {
        let clerk = fixture::config().registry.units[0].addresses[0].clone();
        let (stranger, undecided) = ("someone@office.test", Decisions::default());
        let rejected = Decisions { rejected: Some("重复".into()), ..Decisions::default() };
        let automatic = "Auto-Submitted: auto-generated\r\n";
        assert_eq!(opened(&clerk, "", &undecided, 1), 1);
        assert_eq!(opened(stranger, "", &undecided, 1), 1, "it may be a return from a new address");
        assert_eq!(opened(&clerk, automatic, &undecided, 1), 1, "an office's own system");
        assert_eq!(opened(stranger, automatic, &undecided, 1), 1, "no return is put away unseen");
        assert_eq!(opened(stranger, "Return-Path: <>\r\nX-Failed-Recipients: a@b.test\r\n", &undecided, 1), 0, "ours");
        assert_eq!(opened(&clerk, "", &rejected, 1), 0);
        assert_eq!(opened(&clerk, "", &undecided, u64::MAX), 0);
    }
}
