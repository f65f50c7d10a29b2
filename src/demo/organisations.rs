//! The demo's organisations and the figures that follow from them. No chance is involved: everything is worked out
//! from the unit's position and a running number, so that every run tells the same story.

use chrono::{Datelike, Days, NaiveDate};

use super::district::{DemoUnit, MESSY, NONPUBLIC, SOCIAL, UNITS};
use super::names;
use crate::period::Period;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyKind {
    /// 单独组建
    Single,
    /// 联合组建
    Joint,
    /// 未建
    None,
}

impl PartyKind {
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Single => "单独组建",
            Self::Joint => "联合组建",
            Self::None => "未建",
        }
    }
}

/// One organisation as its unit's book shows it for a period.
#[derive(Clone, Debug)]
pub struct Organisation {
    pub name: String,
    pub code: String,
    pub category: &'static str,
    pub address: String,
    pub legal_rep: String,
    pub phone: String,
    pub employees: i64,
    pub members: i64,
    pub members_full: i64,
    pub members_transferred: i64,
    pub party_org: Option<String>,
    pub kind: PartyKind,
    /// Founded of members whose papers lie elsewhere (“兼合式”).
    pub mixed: bool,
    pub founded: Option<NaiveDate>,
    pub secretary: Option<String>,
    pub instructor: Option<String>,
    pub instructed_in: Option<Period>,
    pub union: bool,
    pub youth_league: bool,
    pub womens_fed: bool,
    pub venue: bool,
    /// Reason and date, once it is closed.
    pub closed: Option<(&'static str, NaiveDate)>,
}

/// The line of the progress table that a book gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub orgs: i64,
    pub orgs_large: i64,
    pub orgs_3plus: i64,
    pub members: i64,
    pub members_transferred: i64,
    pub single: i64,
    pub joint: i64,
    pub mixed: i64,
    pub new_month: i64,
    pub new_total: i64,
    pub covered: i64,
    pub instructors_month: i64,
    pub instructors_total: i64,
    pub work_covered: i64,
    pub recruits_month: i64,
    pub recruits_total: i64,
    pub venues: i64,
}

/// The campaign's first period: what was founded before it is not new.
pub fn opening() -> Period {
    Period::new(2011, 7).expect("a month")
}

/// The story's period.
pub fn current() -> Period {
    opening().next()
}

/// Members, full members, members whose papers were transferred, and since when there is a party organisation.
struct Role {
    members: i64,
    full: i64,
    transferred: i64,
    party: PartyKind,
    since: Since,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Before,
    Opening,
    Current,
}

const ROLES: [Role; 10] = [
    Role { members: 6, full: 5, transferred: 4, party: PartyKind::Single, since: Since::Before },
    Role { members: 0, full: 0, transferred: 0, party: PartyKind::None, since: Since::Before },
    Role { members: 2, full: 2, transferred: 0, party: PartyKind::Single, since: Since::Current },
    Role { members: 1, full: 1, transferred: 1, party: PartyKind::Joint, since: Since::Before },
    Role { members: 12, full: 10, transferred: 9, party: PartyKind::Single, since: Since::Before },
    Role { members: 0, full: 0, transferred: 0, party: PartyKind::None, since: Since::Before },
    Role { members: 3, full: 3, transferred: 1, party: PartyKind::Single, since: Since::Opening },
    Role { members: 1, full: 1, transferred: 0, party: PartyKind::Joint, since: Since::Before },
    Role { members: 0, full: 0, transferred: 0, party: PartyKind::None, since: Since::Current },
    Role { members: 4, full: 3, transferred: 3, party: PartyKind::Single, since: Since::Before },
];

/// The whole book of a unit and stream as of `period`, closed organisations included.
pub fn book(unit: usize, stream: usize, period: Period) -> Vec<Organisation> {
    let size = UNITS[unit].sizes[stream];
    let grown = if size >= 8 && period < current() { size - 1 } else { size };
    (0..grown).map(|i| organisation(unit, stream, i, period)).collect()
}

fn organisation(unit: usize, stream: usize, i: usize, period: Period) -> Organisation {
    let home = &UNITS[unit];
    let number = running_number(unit, stream, i);
    let place = (i + 3 * unit) % ROLES.len();
    let role = &ROLES[place];
    // The messy unit has been told to found organisations, and has not done so.
    let ready = role.since != Since::Current || (period >= current() && unit != MESSY);
    let kind = if ready { role.party } else { PartyKind::None };
    let more = if role.members > 3 { (number % 4) as i64 } else { 0 };
    let instructed = role.members == 0 && ready;
    let instructed_in = instructed.then(|| if role.since == Since::Current { current() } else { opening() });
    let person = |k: usize| names::person(number * 7 + k);
    let (name, category) = names::organisation(home.short, stream, number);
    Organisation {
        code: if unit == MESSY && i % 6 == 2 {
            mistyped(names::code(stream, number))
        } else {
            names::code(stream, number)
        },
        category,
        address: names::address(home.short, number),
        legal_rep: person(0),
        phone: names::phone(number),
        employees: 8 + (number as i64 * 13) % 60 + role.members * 15,
        members: role.members + more,
        members_full: role.full + more,
        members_transferred: role.transferred + more,
        party_org: party_org(home, &name, kind),
        kind,
        mixed: kind == PartyKind::Single && role.transferred * 2 < role.members,
        founded: (kind != PartyKind::None).then(|| founded(role.since, number)),
        secretary: (kind != PartyKind::None).then(|| person(3)),
        instructor: instructed.then(|| person(5)),
        instructed_in,
        union: role.members > 4,
        youth_league: place == 4,
        womens_fed: place == 0,
        venue: role.members > 5,
        closed: closed(place, unit, i, period),
        name,
    }
}

/// Copied wrongly once, and carried from month to month ever since.
fn mistyped(mut code: String) -> String {
    let last = code.pop();
    code.push(if last == Some('7') { '1' } else { '7' });
    code
}

/// Distinct over the whole district, so that no two books share a name, a code or a person by accident.
fn running_number(unit: usize, stream: usize, i: usize) -> usize {
    let before: usize = UNITS[..unit].iter().map(|u| u.sizes[NONPUBLIC] + u.sizes[SOCIAL]).sum();
    before + if stream == SOCIAL { UNITS[unit].sizes[NONPUBLIC] } else { 0 } + i
}

fn party_org(home: &DemoUnit, name: &str, kind: PartyKind) -> Option<String> {
    match kind {
        PartyKind::Single => Some(format!("{}党支部", name.trim_end_matches("有限公司"))),
        PartyKind::Joint => Some(format!("{}片区联合党支部", home.short)),
        PartyKind::None => None,
    }
}

fn founded(since: Since, number: usize) -> NaiveDate {
    let first = match since {
        Since::Before => NaiveDate::from_ymd_opt(2004 + (number % 6) as i32, 1 + (number % 12) as u32, 1),
        Since::Opening => Some(opening().first_day()),
        Since::Current => Some(current().first_day()),
    };
    first.expect("a first of month") + Days::new(number as u64 * 5 % 27)
}

/// In August one organisation without members is struck off in every second unit.
fn closed(place: usize, unit: usize, i: usize, period: Period) -> Option<(&'static str, NaiveDate)> {
    let struck = place == 1 && i < 10 && unit.is_multiple_of(2) && period >= current();
    let reason = if unit.is_multiple_of(4) { "注销" } else { "迁移" };
    struck.then(|| (reason, current().first_day() + Days::new(11)))
}

/// What the progress table says, given the books of this period and the last one.
pub fn figures(unit: usize, stream: usize, period: Period) -> Figures {
    let book = book(unit, stream, period);
    let active: Vec<&Organisation> = book.iter().filter(|o| o.closed.is_none()).collect();
    let count = |test: fn(&Organisation) -> bool| active.iter().filter(|o| test(o)).count() as i64;
    let founded = |p: Period| {
        active.iter().filter(|o| o.kind == PartyKind::Single && o.founded.map(Period::of) == Some(p)).count() as i64
    };
    let instructed = |p: Period| active.iter().filter(|o| o.instructed_in == Some(p)).count() as i64;
    let new_month = founded(period);
    let instructors_month = instructed(period);
    let recruits_month = (unit as i64 + i64::from(period.first_day().month())) % 3;
    let last = if period > opening() { figures(unit, stream, period.prev()) } else { Figures::default() };
    Figures {
        orgs: active.len() as i64,
        orgs_large: count(|o| o.employees >= 150),
        orgs_3plus: count(|o| o.members_full >= 3),
        members: active.iter().map(|o| o.members).sum(),
        members_transferred: active.iter().map(|o| o.members_transferred).sum(),
        single: count(|o| o.kind == PartyKind::Single),
        joint: i64::from(active.iter().any(|o| o.kind == PartyKind::Joint)),
        mixed: count(|o| o.mixed),
        new_month,
        new_total: last.new_total + new_month,
        covered: count(|o| o.kind != PartyKind::None),
        instructors_month,
        instructors_total: last.instructors_total + instructors_month,
        work_covered: count(|o| o.kind != PartyKind::None || o.instructor.is_some() || o.union),
        recruits_month,
        recruits_total: last.recruits_total + recruits_month,
        venues: count(|o| o.venue),
    }
}

impl Figures {
    pub fn party_orgs(&self) -> i64 {
        self.single + self.joint
    }

    pub fn members_untransferred(&self) -> i64 {
        self.members - self.members_transferred
    }

    /// Percent of `orgs`, to one decimal, as a clerk's sheet shows it.
    pub fn percent(&self, part: i64) -> f64 {
        if self.orgs == 0 { 0.0 } else { (part as f64 * 1000.0 / self.orgs as f64).round() / 10.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn every_book() -> impl Iterator<Item = (usize, usize, Period)> {
        (0..UNITS.len()).flat_map(|u| UNITS[u].streams().flat_map(move |s| [(u, s, opening()), (u, s, current())]))
    }

    #[test]
    fn no_two_organisations_share_a_name_or_a_code() {
        let (mut names, mut codes) = (HashSet::new(), HashSet::new());
        for (unit, stream, period) in every_book().filter(|(_, _, p)| *p == current()) {
            for o in book(unit, stream, period) {
                assert!(names.insert(o.name.clone()), "{}", o.name);
                assert!(codes.insert(o.code.clone()), "{}", o.code);
            }
        }
    }

    #[test]
    fn a_book_contradicts_itself_nowhere() {
        for (unit, stream, period) in every_book() {
            for o in book(unit, stream, period) {
                assert!(o.members_transferred <= o.members && o.members_full <= o.members, "{o:?}");
                assert_eq!(o.party_org.is_some(), o.kind != PartyKind::None, "{o:?}");
                assert!(o.founded.is_none_or(|d| Period::of(d) <= period), "{o:?}");
                assert!(o.closed.is_none() || o.members == 0, "{o:?}");
            }
        }
    }

    #[test]
    fn the_figures_keep_the_identities_of_the_form() {
        for (unit, stream, period) in every_book() {
            let f = figures(unit, stream, period);
            assert!(f.covered <= f.work_covered && f.work_covered <= f.orgs, "{f:?}");
            assert!(f.mixed <= f.party_orgs() && f.orgs_3plus <= f.orgs && f.orgs_large <= f.orgs, "{f:?}");
            assert!(f.new_month <= f.new_total && f.instructors_month <= f.instructors_total, "{f:?}");
        }
    }

    #[test]
    fn the_month_brings_new_party_organisations_and_closures() {
        let sum = |period, f: fn(&Figures) -> i64| -> i64 {
            every_book().filter(|(_, _, p)| *p == period).map(|(u, s, p)| f(&figures(u, s, p))).sum()
        };
        assert!(sum(current(), |f| f.new_month) > 5);
        assert!(sum(current(), |f| f.covered) > sum(opening(), |f| f.covered));
        assert!(every_book().any(|(u, s, p)| book(u, s, p).iter().any(|o| o.closed.is_some())));
    }
}
