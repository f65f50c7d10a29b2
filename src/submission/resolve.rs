//! For whom, in which stream and for which month a return is: what the sheet, the names and the sender say. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::{Registry, Unit};
use crate::form::month::{MonthKind, PeriodHint, find_period};
use crate::form::reading::{Origin, Return};
use crate::form::{Campaign, Finding, Place, Severity, find_streams};
use crate::period::Period;
use crate::submission::body;
use crate::submission::units::{find_units, only_a_part};

/// What stands around a return: the names of its file and mail, and who sent it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    pub registry: &'a Registry,
    pub campaign: &'a Campaign,
    /// Path inside archives included.
    pub file: &'a str,
    /// The subject, and those of forwarded messages inside.
    pub subjects: &'a [String],
    /// What the sender wrote in the mail itself.
    pub words: &'a str,
    /// The one unit that the other sheets of the mail name.
    pub sibling: Option<&'a str>,
    /// Units that the sender is registered for or trusted with.
    pub sender: &'a [&'a Unit],
    /// The mailbox's stream.
    pub mailbox_stream: Option<&'a str>,
    pub received: DateTime<Tz>,
}

/// Which unit a return is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForWhom {
    Known(String),
    /// Two units are named and both may be meant (W04).
    Contradiction(Vec<String>),
    /// The sheet names an office, but none of the registry's (W04).
    Unregistered(String),
    /// Nothing names one (W04).
    Unknown,
}

/// The unit: named on the sheet, else by sheet, file or subject, else the sender's only one, unless the mail says that
/// it is sent for another; else the one that the mail names.
///
/// `rows` are the unit cells of the rows concerned.
pub fn unit(ret: &Return, rows: &[&str], around: &Around) -> ForWhom {
    let on_sheet = named(ret, rows, around.registry);
    if let Some(stranger) = stranger(ret, rows, around.registry) {
        return ForWhom::Unregistered(stranger);
    }
    let beside = [vec![around.file.to_owned()], around.subjects.to_vec()];
    let beside: Vec<Vec<&Unit>> = beside.iter().map(|texts| distinct(texts, around.registry)).collect();
    match on_sheet.as_slice() {
        [one] => {
            // The sheet and the file name differ, and the sender speaks for both: either may be the slip.
            let speaks_for = |u: &&&Unit| around.sender.iter().any(|s| s.name == u.name);
            let other = beside.first().and_then(|units| match units.as_slice() {
                [u] if u.name != one.name => Some(*u),
                _ => None,
            });
            match other.filter(|u| speaks_for(&u) && speaks_for(&one)) {
                Some(u) => ForWhom::Contradiction(vec![one.name.clone(), u.name.clone()]),
                None => ForWhom::Known(one.name.clone()),
            }
        }
        [] => match beside.iter().find(|units| !units.is_empty()).map(Vec::as_slice) {
            Some([one]) => ForWhom::Known(one.name.clone()),
            Some(several) => ForWhom::Contradiction(several.iter().map(|u| u.name.clone()).collect()),
            None => match around.sibling {
                Some(named) => ForWhom::Known(named.to_owned()),
                None => match body::units(around.words, around.registry, around.sender).as_slice() {
                    [] => ForWhom::Unknown,
                    [one] => ForWhom::Known(one.name.clone()),
                    several => ForWhom::Contradiction(several.iter().map(|u| u.name.clone()).collect()),
                },
            },
        },
        several => ForWhom::Contradiction(several.iter().map(|u| u.name.clone()).collect()),
    }
}

/// What stands behind 填报单位, or in the unit cell of the row, and names an office that nobody registered.
pub fn stranger(ret: &Return, rows: &[&str], registry: &Registry) -> Option<String> {
    let lines = ret.said(Origin::UnitLine).map(|h| h.text.as_str());
    let cells = rows.iter().copied().filter(|_| rows.len() == 1);
    let unknown =
        |text: &&str| names_an_office(text) && (find_units(text, registry).is_empty() || only_a_part(text, registry));
    lines.chain(cells).find(unknown).map(|text| text.trim().to_owned())
}

/// `南关街道办事处`, but not `本单位`, a stamp's place or a person's name.
fn names_an_office(text: &str) -> bool {
    const ENDINGS: [&str; 13] =
        ["街道", "办事处", "镇", "乡", "政府", "委员会", "管委会", "局", "开发区", "园区", "党委", "党工委", "办"];
    // 党建办 and its like sit in every office.
    const INSIDE: [&str; 4] = ["党建", "党政", "组织", "综合"];
    let text = text.trim().trim_end_matches(['）', ')']);
    let text = text.split(['（', '(']).next().unwrap_or_default().trim();
    let inside = text.ends_with('办') && INSIDE.iter().any(|word| text.contains(word));
    !inside && !text.starts_with('本') && text.chars().count() >= 3 && ENDINGS.iter().any(|e| text.ends_with(e))
}

/// Units that the sheet names: its unit line, unit cells and title together; its own name only where those are silent.
pub fn named<'a>(ret: &Return, rows: &[&str], registry: &'a Registry) -> Vec<&'a Unit> {
    let of = |origin: Origin| -> Vec<String> { ret.said(origin).map(|h| h.text.clone()).collect() };
    let mut texts = of(Origin::UnitLine);
    texts.extend(rows.iter().map(|t| (*t).to_owned()));
    texts.extend(of(Origin::Title));
    let strong = distinct(&texts, registry);
    if strong.is_empty() { distinct(&of(Origin::SheetName), registry) } else { strong }
}

fn distinct<'a>(texts: &[String], registry: &'a Registry) -> Vec<&'a Unit> {
    let mut units: Vec<&Unit> = Vec::new();
    for unit in texts.iter().flat_map(|t| find_units(t, registry)) {
        if !units.iter().any(|u| u.name == unit.name) {
            units.push(unit);
        }
    }
    units
}

/// What told the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// The sheet, or the names of its file and mail.
    Words,
    /// The unit owes no other.
    Unit,
    /// Nothing but the mailbox that it came to.
    Mailbox,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForStream {
    pub key: String,
    pub told_by: ToldBy,
}

/// The stream: the first of title, headings, sheet name, file name, subject that names exactly one; else the only one
/// that the unit owes; else the mailbox's. `None` is W09.
pub fn stream(ret: &Return, unit: Option<&Unit>, around: &Around) -> Option<ForStream> {
    let texts_of = |origin: Origin| ret.said(origin).map(|h| h.text.clone()).collect::<Vec<_>>();
    let mut groups: Vec<Vec<String>> = [Origin::Title, Origin::Heading, Origin::SheetName].map(texts_of).into();
    groups.push(vec![around.file.to_owned()]);
    groups.push(around.subjects.to_vec());
    for texts in groups {
        let mut found: Vec<&str> = Vec::new();
        for text in &texts {
            found.extend(find_streams(text, around.campaign).iter().map(|s| s.key.as_str()));
        }
        found.sort_unstable();
        found.dedup();
        if let [one] = found.as_slice() {
            return Some(ForStream { key: (*one).to_owned(), told_by: ToldBy::Words });
        }
    }
    let only = unit.filter(|u| u.streams.len() == 1).map(|u| (u.streams[0].as_str(), ToldBy::Unit));
    let (key, told_by) = only.or(around.mailbox_stream.map(|s| (s, ToldBy::Mailbox)))?;
    Some(ForStream { key: key.to_owned(), told_by })
}

/// The period that a return is for, with what the sender should be told about how it was read.
#[derive(Clone, Debug)]
pub struct ForWhen {
    pub period: Period,
    pub told: Vec<Finding>,
}

/// Title, 填报时间/所属期 line, sheet name, file name, subject, in that order; else what the mail itself says; else the
/// open period.
///
/// # Errors
/// A W05 finding: the month named lies outside the window that returns are taken for.
pub fn period(ret: &Return, around: &Around) -> Result<ForWhen, Box<Finding>> {
    let open = Period::open_at(around.received);
    let place = |cell: Option<&String>| Place {
        file: Some(ret.file.clone()),
        sheet: Some(ret.sheet.clone()),
        cell: cell.cloned(),
        row: None,
    };
    let mut found: Vec<(PeriodHint, Place)> = Vec::new();
    let origins = [Origin::Title, Origin::PeriodLine, Origin::FilledLine, Origin::SheetName];
    for hint in origins.into_iter().flat_map(|o| ret.said(o)) {
        if let Some(p) = find_period(&hint.text, around.received, MonthKind::of(hint.origin)) {
            found.push((p, place(hint.cell.as_ref())));
        }
    }
    for text in std::iter::once(around.file).chain(around.subjects.iter().map(String::as_str)) {
        if let Some(p) = find_period(text, around.received, MonthKind::Reported) {
            found.push((p, place(None)));
        }
    }
    let earliest = open.plus(-WINDOW);
    let Some((first, at)) = found.first() else {
        let hint = body::period(around.words, around.received).filter(|h| (earliest..=open).contains(&h.period));
        let told = match &hint {
            Some(hint) => Some(body::explanation(hint)),
            None => body::other_month(around.words, around.received, open).map(|said| body::doubt(&said, open)),
        };
        let told = told.map(|text| Finding::new("H02", Severity::Info, place(None), text));
        return Ok(ForWhen { told: told.into_iter().collect(), period: hint.map_or(open, |h| h.period) });
    };
    if first.period > open || first.period < earliest {
        let text = format!("报表写的月份是“{}”，本期应报{}；请核对月份，改正后重新发送。", first.said, open.chinese());
        return Err(Box::new(Finding::new("W05", Severity::Error, at.clone(), text)));
    }
    Ok(ForWhen { period: first.period, told: told(&found, open) })
}

/// Months back that a late or amended return is still taken for: less than a year, so that a year written wrongly is seen.
const WINDOW: i32 = 11;

fn told(found: &[(PeriodHint, Place)], open: Period) -> Vec<Finding> {
    let (first, at) = &found[0];
    let mut list = Vec::new();
    if let Some(note) = first.explanation() {
        list.push(Finding::new("H02", Severity::Info, at.clone(), note));
    }
    if let Some((other, place)) = found.iter().find(|(p, _)| p.period != first.period) {
        let text = format!(
            "所属期按{}读取；但另一处写的是{}，如不符请更正后重新发送。",
            first.period.chinese(),
            other.period.chinese()
        );
        list.push(Finding::new("H02", Severity::Info, place.clone(), text));
    } else if first.period < open && !first.reinterpreted {
        let text =
            format!("这份报表按{}（补报或更正以前月份）登记，本期应报的是{}。", first.period.chinese(), open.chinese());
        list.push(Finding::new("H02", Severity::Info, at.clone(), text));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::reading::Hint;

    fn registry() -> Registry {
        let unit = |name: &str, aliases: &[&str], streams: &[&str]| Unit {
            name: name.into(),
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
            streams: streams.iter().map(|s| (*s).to_owned()).collect(),
            ..Unit::default()
        };
        let both = &["nonpublic", "social"][..];
        Registry {
            units: vec![
                unit("云溪街道办事处", &["云溪街道", "云溪办"], both),
                unit("松岭镇人民政府", &["松岭镇"], both),
                unit("白鹭区民政局", &["区民政局"], &["social"]),
            ],
        }
    }

    fn hint(origin: Origin, text: &str) -> Hint {
        Hint { origin, text: text.into(), cell: Some("A1".into()) }
    }

    fn sheet(hints: &[(Origin, &str)]) -> Return {
        let hints = hints.iter().map(|(o, t)| hint(*o, t)).collect();
        Return { form: "progress".into(), file: "表.xlsx".into(), sheet: "Sheet1".into(), hints, ..Return::default() }
    }

    /// What stands around a sheet that came on 12 September 2011.
    struct Mail<'a> {
        file: &'a str,
        subject: &'a str,
        words: &'a str,
        sender: &'a [&'a str],
        stream: Option<&'a str>,
        sibling: Option<&'a str>,
    }

    const PLAIN: Mail = Mail {
        file: "报表.xlsx",
        subject: "报表",
        words: "",
        sender: &["云溪街道办事处"],
        stream: Some("nonpublic"),
        sibling: None,
    };

    fn around<T>(mail: &Mail, ask: impl FnOnce(&Around) -> T) -> T {
        let (registry, campaign) = (registry(), Campaign::builtin());
        let sender: Vec<&Unit> = mail.sender.iter().filter_map(|n| registry.unit(n)).collect();
        let received = DateTime::parse_from_rfc3339("2011-09-12T10:00:00+08:00").unwrap();
        ask(&Around {
            registry: &registry,
            campaign: &campaign,
            file: mail.file,
            subjects: &[mail.subject.to_owned()],
            words: mail.words,
            sender: &sender,
            sibling: mail.sibling,
            mailbox_stream: mail.stream,
            received: received.with_timezone(&chrono_tz::Asia::Shanghai),
        })
    }

    fn for_whom(mail: &Mail, hints: &[(Origin, &str)]) -> ForWhom {
        around(mail, |a| unit(&sheet(hints), &[], a))
    }

    #[test]
    fn the_sheet_says_whose_it_is_before_file_name_subject_and_sender() {
        let known = |n: &str| ForWhom::Known(n.to_owned());
        let line = [(Origin::UnitLine, "松岭镇（公章）")];
        assert_eq!(for_whom(&PLAIN, &line), known("松岭镇人民政府"));
        assert_eq!(for_whom(&Mail { file: "松岭镇报表.xls", ..PLAIN }, &[]), known("松岭镇人民政府"));
        assert_eq!(for_whom(&Mail { subject: "松岭镇8月报表", ..PLAIN }, &[]), known("松岭镇人民政府"));
        assert_eq!(for_whom(&PLAIN, &[]), known("云溪街道办事处"));
    }

    #[test]
    fn a_month_that_only_the_mail_speaks_of_is_told_whether_it_counts_or_not() {
        let told = |words: &str| {
            let read = around(&Mail { words, ..PLAIN }, |a| period(&sheet(&[]), a)).unwrap();
            (read.period.to_string(), read.told.iter().map(|f| f.message.clone()).collect::<String>())
        };
        assert!(matches!(told("现报送7月份报表"), (p, said) if p == "2011-07" && said.contains("邮件正文里的“7月份”")));
        assert!(matches!(told("上次报的7月份报表有误"), (p, said) if p == "2011-08" && said.contains("提到“7月份”")));
        assert_eq!(told("报表见附件"), ("2011-08".into(), String::new()));
    }

    #[test]
    fn a_return_of_another_unit_is_asked_about_where_only_the_mail_names_it() {
        let sent = Mail { words: "现报送松岭镇8月份报表", ..PLAIN };
        assert!(matches!(for_whom(&sent, &[]), ForWhom::Contradiction(names) if names.len() == 2));
        let spoken_of = Mail { words: "松岭镇的经验很好。现报送报表", ..PLAIN };
        assert_eq!(for_whom(&spoken_of, &[]), ForWhom::Known("云溪街道办事处".into()));
    }

    #[test]
    fn somebody_who_reports_for_two_units_must_say_which() {
        let both = &["云溪街道办事处", "松岭镇人民政府"][..];
        assert_eq!(for_whom(&Mail { sender: both, ..PLAIN }, &[]), ForWhom::Unknown);
        // The table beside it says whose mail this is.
        let beside = Mail { sender: both, sibling: Some("松岭镇人民政府"), ..PLAIN };
        assert_eq!(for_whom(&beside, &[]), ForWhom::Known("松岭镇人民政府".into()));
        let line = [(Origin::UnitLine, "松岭镇")];
        let slip = Mail { sender: both, file: "云溪办报表.xls", ..PLAIN };
        assert!(matches!(for_whom(&slip, &line), ForWhom::Contradiction(names) if names.len() == 2));
        // Somebody who speaks for one unit only has merely kept an old file name.
        assert_eq!(
            for_whom(&Mail { file: "松岭镇报表.xls", ..PLAIN }, &[(Origin::UnitLine, "云溪办")]),
            ForWhom::Known("云溪街道办事处".into())
        );
    }

    #[test]
    fn an_office_that_nobody_registered_is_asked_about_not_taken_for_the_sender() {
        let line = [(Origin::UnitLine, "南关街道办事处（公章）")];
        assert!(matches!(for_whom(&PLAIN, &line), ForWhom::Unregistered(said) if said.starts_with("南关")));
        let row = around(&PLAIN, |a| unit(&sheet(&[]), &["南关街道办事处"], a));
        assert!(matches!(row, ForWhom::Unregistered(_)));
        for harmless in ["本街道办事处", "（盖章）", "王小明"] {
            assert_eq!(for_whom(&PLAIN, &[(Origin::UnitLine, harmless)]), ForWhom::Known("云溪街道办事处".into()));
        }
    }

    #[test]
    fn two_units_on_one_sheet_are_a_contradiction() {
        let hints = [(Origin::UnitLine, "云溪街道"), (Origin::Title, "松岭镇活动台账")];
        assert!(matches!(for_whom(&PLAIN, &hints), ForWhom::Contradiction(_)));
    }

    #[test]
    fn the_title_names_the_stream_before_the_mailbox_does() {
        let of = |mail: &Mail, hints: &[(Origin, &str)]| {
            around(mail, |a| stream(&sheet(hints), a.registry.unit("云溪街道办事处"), a)).map(|s| s.key)
        };
        assert_eq!(of(&PLAIN, &[(Origin::Title, "社会组织活动台账")]).as_deref(), Some("social"));
        // A subject that names both says nothing.
        assert_eq!(of(&Mail { subject: "报送非公、社会组织报表", ..PLAIN }, &[]).as_deref(), Some("nonpublic"));
        assert_eq!(of(&Mail { stream: None, ..PLAIN }, &[]), None);
        let bureau =
            around(&Mail { stream: None, ..PLAIN }, |a| stream(&sheet(&[]), a.registry.unit("白鹭区民政局"), a));
        assert_eq!(bureau.map(|s| s.key).as_deref(), Some("social"));
    }

    fn when(hints: &[(Origin, &str)], mail: &Mail) -> Result<(String, usize), String> {
        let found = around(mail, |a| period(&sheet(hints), a));
        found.map(|w| (w.period.to_string(), w.told.len())).map_err(|f| f.rule)
    }

    #[test]
    fn a_return_that_names_no_month_is_for_the_open_period_without_a_word() {
        assert_eq!(when(&[], &PLAIN), Ok(("2011-08".into(), 0)));
    }

    #[test]
    fn september_on_a_sheet_sent_in_september_means_august_and_is_told() {
        assert_eq!(when(&[(Origin::Title, "活动台账（2011年9月）")], &PLAIN), Ok(("2011-08".into(), 1)));
        assert_eq!(when(&[(Origin::FilledLine, "2011年9月10日")], &PLAIN), Ok(("2011-08".into(), 0)));
    }

    #[test]
    fn places_that_name_different_months_are_told_and_the_title_wins() {
        let (period, told) =
            when(&[(Origin::Title, "活动台账（2011年8月）")], &Mail { file: "2011年7月.xls", ..PLAIN }).unwrap();
        assert_eq!((period.as_str(), told), ("2011-08", 1));
        let earlier = when(&[(Origin::PeriodLine, "2011年7月")], &PLAIN).unwrap();
        assert_eq!(earlier, ("2011-07".into(), 1));
    }

    #[test]
    fn a_month_to_come_or_long_gone_is_refused() {
        assert_eq!(when(&[(Origin::Title, "活动台账（2011年12月）")], &PLAIN), Err("W05".into()));
        assert_eq!(when(&[(Origin::Title, "活动台账（2009年8月）")], &PLAIN), Err("W05".into()));
    }
}
