//! Repeats: which forms of a mail came before in the same file, and what that makes of the mail. Pure.
//!
//! A return is known again by the file that holds it, wherever that lay (attached, in an archive, in a forwarded mail),
//! and by what it claims: unit, stream, form, period. Subject, file name, signature and what else is attached do not
//! matter. Nobody but the sender is told of his own errors, so a rejected or waiting form is repeated only by him.

use chrono::{DateTime, Utc};

use super::{Fate, Submission};

/// A form that an earlier mail brought in the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub submission: i64,
    pub message: i64,
    pub unit: String,
    pub stream: String,
    pub period: String,
    pub fate: Fate,
    pub received_at: DateTime<Utc>,
    /// When its sender was answered, if he was.
    pub assessed_at: DateTime<Utc>,
    /// Some of its rows have errors that keep them out of the ledger.
    pub withheld: bool,
    /// When the version came that counts in its place.
    pub replaced: Option<DateTime<Utc>>,
    pub same_sender: bool,
    /// It waits only because of how it looks beside other books.
    pub held: bool,
}

/// The mail that may repeat something.
#[derive(Clone, Copy, Debug)]
pub struct Mail {
    pub received_at: DateTime<Utc>,
    /// Its subject says that this is the version to go by.
    pub insists: bool,
    /// The provider says that its From is forged: such a mail is never passed over as somebody else's copy.
    pub forged: bool,
}

/// What a form repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// What counts in the ledger.
    Counting,
    /// A version that another one, which came then, has replaced.
    Replaced(DateTime<Utc>),
    /// What could not be used, and cannot be now.
    Rejected,
    /// What waits for a person.
    Waiting,
}

/// A form as another mail brought it before.
#[derive(Clone, Debug)]
pub struct Repeat {
    pub form: Submission,
    pub earlier: Earlier,
    pub of: Of,
}

/// What to do with one form of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing like it came before, or it may be taken now.
    New,
    Repeat(&'a Earlier, Of),
    /// The same file was taken as the return of this other stream.
    OtherStream(&'a str),
}

/// Compares a form with what came in the same file, in order of arrival.
pub fn find<'a>(form: &Submission, earlier: &'a [Earlier], mail: Mail) -> Found<'a> {
    let unit = form.unit.as_deref().unwrap_or_default();
    let stream = form.stream.as_deref().unwrap_or_default();
    let period = form.period.map(|p| p.to_string()).unwrap_or_default();
    let exact = |e: &&Earlier| (&*e.unit, &*e.stream, &*e.period) == (unit, stream, &*period);
    // Where a stranger's mailbox tells no stream, the file is still the one that was taken.
    let covered = |e: &&Earlier| {
        let agrees = |told: &str, taken: &str| told.is_empty() || told == taken;
        e.unit == unit && !unit.is_empty() && agrees(stream, &e.stream) && agrees(&period, &e.period)
    };
    let accepted = || earlier.iter().filter(|e| e.fate == Fate::Accepted && (e.same_sender || !mail.forged));
    if let Some(counting) = accepted().filter(covered).find(|e| e.replaced.is_none()) {
        return Found::Repeat(counting, Of::Counting);
    }
    if let Some((old, by)) = accepted().filter(covered).filter_map(|e| Some((e, e.replaced?))).next_back() {
        let wanted_back = mail.insists && mail.received_at > by && form.fate == Fate::Accepted;
        return if wanted_back { Found::New } else { Found::Repeat(old, Of::Replaced(by)) };
    }
    let other = accepted().find(|e| e.unit == unit && e.period == period && e.stream != stream);
    if let (Some(other), Fate::Accepted) = (other, form.fate) {
        return Found::OtherStream(&other.stream);
    }
    let again = |fate: Fate| earlier.iter().find(|e| e.fate == fate && e.same_sender && exact(e));
    match form.fate {
        // Whether this one is held is not known yet, but the same was.
        Fate::Accepted => {
            let waits = |e: &&Earlier| e.held && e.fate == Fate::Quarantined && e.same_sender && exact(e);
            earlier.iter().find(waits).map_or(Found::New, |e| Found::Repeat(e, Of::Waiting))
        }
        Fate::Rejected | Fate::Dismissed => {
            again(Fate::Rejected).map_or(Found::New, |e| Found::Repeat(e, Of::Rejected))
        }
        Fate::Quarantined => again(Fate::Quarantined).map_or(Found::New, |e| Found::Repeat(e, Of::Waiting)),
    }
}

/// What a person has to be told who sent nothing but repeats. Of what counts already there is nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A newer version counts.
    Replaced,
    /// It was meant as a correction, and corrects nothing.
    Uncorrected,
    /// Still the errors that he was told of before he sent it again.
    Uncured,
}

/// `None`: silence is right.
pub fn told(repeats: &[Repeat], mail: Mail) -> Option<Told> {
    let replaced = |r: &Repeat| matches!(r.of, Of::Replaced(by) if mail.received_at > by);
    if repeats.iter().any(replaced) {
        return Some(Told::Replaced);
    }
    let faulty = |r: &Repeat| r.of == Of::Rejected || (r.of == Of::Counting && r.earlier.withheld);
    let knew = |r: &Repeat| r.earlier.same_sender && mail.received_at > r.earlier.assessed_at;
    if repeats.iter().any(|r| faulty(r) && knew(r)) {
        return Some(Told::Uncured);
    }
    let counts = repeats.iter().all(|r| r.of == Of::Counting);
    (counts && mail.insists && !repeats.is_empty()).then_some(Told::Uncorrected)
}

/// The subject says that this version replaces others: `更正`, or expressly `以此为准`. What an answer took over from the
/// mail before it says nothing (but for the express words, which our answer asks for); a forwarded subject is another's.
pub fn insists(subject: &str) -> bool {
    const FORWARDED: [&str; 6] = ["fw:", "fw：", "fwd:", "fwd：", "转发:", "转发："];
    const ANSWERED: [&str; 6] = ["re:", "re：", "回复:", "回复：", "答复:", "答复："];
    const EXPRESS: [&str; 4] = ["以此为准", "以本次为准", "以这次为准", "以这份为准"];
    const CORRECTS: [&str; 6] = ["更正", "修改", "修正", "订正", "重报", "改正"];
    let subject = subject.trim().to_lowercase();
    let starts = |marks: &[&str]| marks.iter().any(|mark| subject.starts_with(mark));
    let says = |words: &[&str]| words.iter().any(|word| subject.contains(word));
    !starts(&FORWARDED) && (says(&EXPRESS) || (says(&CORRECTS) && !starts(&ANSWERED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    const UNIT: &str = "云溪街道办事处";

    fn form(fate: Fate) -> Submission {
        Submission {
            unit: Some(UNIT.into()),
            stream: Some("nonpublic".into()),
            form: "progress".into(),
            period: Some("2011-08".parse().unwrap()),
            fate,
            file: "统计表.xls".into(),
            digest: "d".into(),
            sheet: "Sheet1".into(),
            columns: Default::default(),
            rows: Vec::new(),
            findings: Vec::new(),
            doubts: Vec::new(),
        }
    }

    fn earlier(fate: Fate, replaced: Option<&str>, same_sender: bool) -> Earlier {
        Earlier {
            submission: 1,
            message: 7,
            unit: UNIT.into(),
            stream: "nonpublic".into(),
            period: "2011-08".into(),
            fate,
            received_at: at("2011-09-20T01:00:00Z"),
            assessed_at: at("2011-09-20T01:01:00Z"),
            withheld: false,
            replaced: replaced.map(at),
            same_sender,
            held: false,
        }
    }

    const MAIL: Mail =
        Mail { received_at: DateTime::from_timestamp_nanos(1_316_700_000_000_000_000), insists: false, forged: false };
    const BEFORE: &str = "2011-09-21T01:00:00Z";
    const AFTER: &str = "2011-09-25T01:00:00Z";

    fn of(found: Found) -> Option<Of> {
        match found {
            Found::Repeat(_, of) => Some(of),
            Found::New | Found::OtherStream(_) => None,
        }
    }

    #[test]
    fn what_counts_is_repeated_by_anybody_whatever_the_sender_may_do() {
        for fate in [Fate::Accepted, Fate::Quarantined, Fate::Rejected] {
            for same_sender in [true, false] {
                let list = [earlier(Fate::Accepted, None, same_sender)];
                assert_eq!(of(find(&form(fate), &list, MAIL)), Some(Of::Counting), "{fate:?}");
            }
        }
        let list = [earlier(Fate::Accepted, None, false)];
        let forged = Mail { forged: true, ..MAIL };
        assert_eq!(find(&form(Fate::Quarantined), &list, forged), Found::New, "a forged mail is looked at by a person");
    }

    #[test]
    fn an_old_version_comes_back_only_where_the_sender_says_so_after_it_was_replaced() {
        let list = [earlier(Fate::Accepted, Some(BEFORE), true)];
        assert_eq!(of(find(&form(Fate::Accepted), &list, MAIL)), Some(Of::Replaced(at(BEFORE))));
        let insisting = Mail { insists: true, ..MAIL };
        assert_eq!(find(&form(Fate::Accepted), &list, insisting), Found::New);
        assert!(of(find(&form(Fate::Quarantined), &list, insisting)).is_some(), "not by a stranger");
        let later = [earlier(Fate::Accepted, Some(AFTER), true)];
        assert!(of(find(&form(Fate::Accepted), &later, insisting)).is_some(), "the newer version came after this mail");
    }

    #[test]
    fn what_waited_or_was_turned_away_is_taken_as_soon_as_it_can_be() {
        for fate in [Fate::Rejected, Fate::Quarantined] {
            let mine = [earlier(fate, None, true)];
            assert_eq!(find(&form(Fate::Accepted), &mine, MAIL), Found::New);
            assert!(of(find(&form(fate), &mine, MAIL)).is_some());
            let theirs = [earlier(fate, None, false)];
            assert_eq!(find(&form(fate), &theirs, MAIL), Found::New, "he has not been told yet");
        }
    }

    #[test]
    fn one_file_for_two_streams_is_a_question() {
        let list = [Earlier { stream: "social".into(), ..earlier(Fate::Accepted, None, true) }];
        assert_eq!(find(&form(Fate::Accepted), &list, MAIL), Found::OtherStream("social"));
        let streamless = Submission { stream: None, ..form(Fate::Quarantined) };
        assert_eq!(
            of(find(&streamless, &list, MAIL)),
            Some(Of::Counting),
            "a stranger's mail to a mailbox of no stream"
        );
    }

    #[test]
    fn another_unit_or_month_is_another_return() {
        let list = [earlier(Fate::Accepted, None, true)];
        let other = Submission { unit: Some("松岭镇人民政府".into()), ..form(Fate::Accepted) };
        assert_eq!(find(&other, &list, MAIL), Found::New);
        let september = Submission { period: Some("2011-09".parse().unwrap()), ..form(Fate::Accepted) };
        assert_eq!(find(&september, &list, MAIL), Found::New);
    }

    #[test]
    fn a_sender_of_repeats_is_answered_where_silence_would_mislead() {
        let repeat = |of| Repeat { form: form(Fate::Accepted), earlier: earlier(Fate::Accepted, None, true), of };
        assert_eq!(told(&[repeat(Of::Counting)], MAIL), None);
        assert_eq!(told(&[repeat(Of::Counting)], Mail { insists: true, ..MAIL }), Some(Told::Uncorrected));
        assert_eq!(told(&[repeat(Of::Counting), repeat(Of::Replaced(at(BEFORE)))], MAIL), Some(Told::Replaced));
        assert_eq!(
            told(&[repeat(Of::Replaced(at(AFTER)))], MAIL),
            None,
            "it came late, and was replaced by its sender"
        );
        assert_eq!(told(&[repeat(Of::Waiting)], MAIL), None);
        assert_eq!(told(&[repeat(Of::Rejected)], MAIL), Some(Told::Uncured));
        let twice_in_a_row = Mail { received_at: at("2011-09-20T01:00:30Z"), ..MAIL };
        assert_eq!(told(&[repeat(Of::Rejected)], twice_in_a_row), None, "he had no answer yet");
        let partly = Repeat {
            earlier: Earlier { withheld: true, ..earlier(Fate::Accepted, None, true) },
            ..repeat(Of::Counting)
        };
        assert_eq!(told(&[partly], MAIL), Some(Told::Uncured));
    }

    #[test]
    fn a_correction_is_announced_in_the_subject_of_the_mail_itself() {
        for subject in ["更正：8月报表", "8月报表（重报）", "Re: 8月报表 以此为准", "8月台账，请以此为准"]
        {
            assert!(insists(subject), "{subject}");
        }
        for subject in ["8月报表", "回复：更正8月报表", "转发：8月报表以此为准", "Fw: 更正"] {
            assert!(!insists(subject), "{subject}");
        }
    }
}
