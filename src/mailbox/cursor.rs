//! What to fetch next, from how far we have read and what SELECT said (RFC 3501 §2.3.1.1). Pure.
//!
//! A UID means nothing without its UIDVALIDITY: when that changes, the folder is read anew, and the ledger knows the
//! messages again by their digest.

/// How far a folder has been read. The default is "not at all".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub uidvalidity: u32,
    pub last_uid: u32,
}

/// What the server said when the folder was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selected {
    pub exists: u32,
    /// 0 where the server names none.
    pub uidvalidity: u32,
    /// Some servers (Coremail among them) leave it out.
    pub uidnext: Option<u32>,
    /// Keywords can be stored: PERMANENTFLAGS has `\*`, names ours, or is absent (§7.1: then all can).
    pub keywords: bool,
}

/// One ascending range of UIDs; `last` is open (`*`) where the server tells no UIDNEXT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub first: u32,
    pub last: Option<u32>,
}

/// How many UIDs are asked for at once: bounds the answer, and with it the time one command takes.
pub(super) const WIDTH: u32 = 1000;

/// The first window to ask for, or `None` if there cannot be anything new: then no FETCH is sent at all.
pub(super) fn window(cursor: Cursor, selected: &Selected) -> Option<Window> {
    let read = if cursor.uidvalidity == selected.uidvalidity { cursor.last_uid } else { 0 };
    from(read, WIDTH, selected)
}

/// The window after one in which no message was found, twice as wide: UIDs may start in the thousand millions.
pub(super) fn after_empty(window: Window, selected: &Selected) -> Option<Window> {
    let last = window.last?;
    let width = (last - window.first).saturating_add(1).saturating_mul(2);
    from(last, width, selected)
}

fn from(read: u32, width: u32, selected: &Selected) -> Option<Window> {
    let first = read.checked_add(1)?;
    if selected.exists == 0 {
        return None;
    }
    match selected.uidnext {
        Some(next) if next <= first => None,
        Some(next) => Some(Window { first, last: Some((next - 1).min(first.saturating_add(width - 1))) }),
        None => Some(Window { first, last: None }),
    }
}

/// Whether there may be more above this window.
pub(super) fn more(window: Window, selected: &Selected) -> bool {
    window.last.is_some_and(|last| from(last, WIDTH, selected).is_some())
}

impl Window {
    /// As a sequence set: one ascending range, the only form that every provider takes.
    pub fn set(self) -> String {
        match self.last {
            Some(last) if last == self.first => last.to_string(),
            Some(last) => format!("{}:{last}", self.first),
            None => format!("{}:*", self.first),
        }
    }

    /// Whether a UID was asked for. `n:*` always yields the last message, even one below n (RFC 3501 §6.4.8).
    pub fn holds(self, uid: u32) -> bool {
        uid >= self.first && self.last.is_none_or(|last| uid <= last)
    }
}

/// Consecutive runs of UIDs as ascending ranges: QQ refuses sets with commas.
pub(super) fn runs(mut uids: Vec<u32>) -> Vec<Window> {
    uids.sort_unstable();
    uids.dedup();
    let mut runs: Vec<Window> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some(run) if run.last.and_then(|last| last.checked_add(1)) == Some(uid) => run.last = Some(uid),
            _ => runs.push(Window { first: uid, last: Some(uid) }),
        }
    }
    runs
}

/// `UIDVALIDITY:UID`
pub(super) fn locator(uidvalidity: u32, uid: u32) -> String {
    format!("{uidvalidity}:{uid}")
}

pub(super) fn parse_locator(locator: &str) -> Option<(u32, u32)> {
    let (validity, uid) = locator.split_once(':')?;
    Some((validity.parse().ok()?, uid.parse().ok()?))
}

/// Locators for people: `UID 4, 7-9`, or the names of a Maildir; the first twenty runs of them.
pub fn shown(locators: &[String]) -> String {
    const MOST: usize = 20;
    let uids: Option<Vec<u32>> = locators.iter().map(|l| parse_locator(l).map(|(_, uid)| uid)).collect();
    let parts: Vec<String> = match &uids {
        Some(uids) => runs(uids.clone()).into_iter().map(|run| run.set().replace(':', "-")).collect(),
        None => locators.to_vec(),
    };
    let more = if parts.len() > MOST { ", …" } else { "" };
    let kind = if uids.is_some() { "UID " } else { "" };
    format!("{kind}{}{more}", parts[..parts.len().min(MOST)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selected(exists: u32, uidnext: Option<u32>) -> Selected {
        Selected { exists, uidvalidity: 7, uidnext, keywords: true }
    }

    #[test]
    fn nothing_is_asked_for_when_uidnext_shows_nothing_new() {
        let cursor = Cursor { uidvalidity: 7, last_uid: 20_000 };
        assert_eq!(window(cursor, &selected(20_000, Some(20_001))), None);
    }

    #[test]
    fn only_what_lies_above_the_cursor_is_asked_for() {
        let cursor = Cursor { uidvalidity: 7, last_uid: 20_000 };
        let asked = window(cursor, &selected(20_002, Some(20_003))).expect("two new mails");
        assert_eq!(asked.set(), "20001:20002");
    }

    #[test]
    fn a_new_uidvalidity_starts_from_the_beginning() {
        let cursor = Cursor { uidvalidity: 6, last_uid: 20_000 };
        assert_eq!(window(cursor, &selected(3, Some(4))).map(Window::set), Some("1:3".to_owned()));
    }

    #[test]
    fn without_uidnext_the_range_is_open_and_the_old_last_mail_is_not_taken_for_new() {
        let cursor = Cursor { uidvalidity: 7, last_uid: 41 };
        let asked = window(cursor, &selected(5, None)).expect("must ask");
        assert_eq!(asked.set(), "42:*");
        assert!(!asked.holds(41));
        assert!(asked.holds(42));
    }

    #[test]
    fn an_empty_folder_is_not_asked() {
        assert_eq!(window(Cursor::default(), &selected(0, None)), None);
    }

    #[test]
    fn the_highest_uid_of_all_ends_the_folder() {
        assert_eq!(window(Cursor { uidvalidity: 7, last_uid: u32::MAX }, &selected(1, None)), None);
    }

    #[test]
    fn uids_that_start_high_are_reached_in_few_steps() {
        let box_ = selected(2, Some(1_320_000_003));
        let mut asked = window(Cursor::default(), &box_).expect("two mails");
        let mut steps = 1;
        while !asked.holds(1_320_000_001) {
            asked = after_empty(asked, &box_).expect("not reached yet");
            steps += 1;
        }
        assert!(steps <= 24, "{steps} steps");
    }

    #[test]
    fn runs_never_reach_over_a_message_that_was_not_named() {
        let sets: Vec<String> = runs(vec![9, 3, 4, 5, 4, 7]).into_iter().map(Window::set).collect();
        assert_eq!(sets, ["3:5", "7", "9"]);
    }

    proptest! {
        #[test]
        fn windows_follow_each_other_without_gap_up_to_uidnext(read in 0u32..100_000, new in 0u32..100_000) {
            let next = read + new + 1;
            let box_ = selected(1, Some(next));
            let mut at = read;
            let mut asked = window(Cursor { uidvalidity: 7, last_uid: read }, &box_);
            while let Some(w) = asked {
                prop_assert_eq!(w.first, at + 1);
                at = w.last.expect("uidnext is known");
                asked = after_empty(w, &box_);
                prop_assert_eq!(more(w, &box_), asked.is_some());
            }
            prop_assert_eq!(at, next - 1);
        }

        #[test]
        fn a_locator_reads_back(validity: u32, uid: u32) {
            prop_assert_eq!(parse_locator(&locator(validity, uid)), Some((validity, uid)));
        }
    }
}
