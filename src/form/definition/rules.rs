//! The rules of a form and how much each weighs: what forms.md says, unless the form's file says otherwise. Pure.
//!
//! Some rules can only be set within bounds. Where nothing could be taken in, there must be an error; a cell that was left
//! out must at least be told; what other returns decide about a return must not take it out of the ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Campaign, Form, FormKind};
use crate::form::finding::{Finding, Severity};

/// All rules of a form by their ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rules(BTreeMap<String, Rule>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rule {
    default: Severity,
    /// Only findings of this weight are set: the others of the rule say that a required value is missing, or only remark.
    of: Option<Severity>,
    /// What the file sets; the inner `None` is `off`.
    set: Option<Option<Severity>>,
}

/// How far a file may set a rule, and why no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Any,
    /// Not `off`: a cell that is left out has to be told.
    Told,
    /// No `error`.
    Compared,
    /// `warning` or `info`.
    Remark,
    /// `error` alone.
    Fixed(&'static str),
}

/// The rules that are no arithmetic: id, whose they are (`None`: every form's), weight, how far it can be set.
const BUILTIN: [(&str, Option<FormKind>, Severity, Room); 16] = {
    use FormKind::{Book, Figures};
    use Severity::{Error, Info, Warning};
    const NO_FIGURE: &str =
        "without the figure there is nothing to take in; make the column `required = false` instead";
    const NO_CELL: &str =
        "without a required cell there is no row to take in; make the column `required = false` instead";
    [
        ("P01", Some(Figures), Error, Room::Fixed(NO_FIGURE)),
        ("P02", Some(Figures), Error, Room::Fixed(NO_FIGURE)),
        ("R01", Some(Book), Error, Room::Fixed(NO_CELL)),
        ("R02", None, Warning, Room::Told),
        ("R03", Some(Book), Error, Room::Fixed("of two rows about one organisation only one can be its entry")),
        ("R04", Some(Book), Warning, Room::Any),
        ("R10", None, Warning, Room::Told),
        ("R11", Some(Book), Warning, Room::Compared),
        ("R12", Some(Book), Warning, Room::Compared),
        ("R13", Some(Book), Warning, Room::Compared),
        ("R14", Some(Book), Warning, Room::Compared),
        ("W06", None, Warning, Room::Told),
        ("H01", None, Info, Room::Remark),
        ("H03", None, Info, Room::Remark),
        ("H05", None, Info, Room::Compared),
        ("H06", None, Warning, Room::Compared),
    ]
};

impl Room {
    /// Why it cannot be set so.
    fn refuses(self, set: Option<Severity>) -> Option<&'static str> {
        match (self, set) {
            (Self::Fixed(why), set) if set != Some(Severity::Error) => Some(why),
            (Self::Told, None) => Some("what was left out has to be told; info is the least"),
            (Self::Remark, None) => Some("how a table was read has to be told; info is the least"),
            (Self::Remark, Some(Severity::Error)) => Some("it tells how a table was read, and refuses nothing"),
            (Self::Compared, Some(Severity::Error)) => {
                Some("it compares with other figures, which may be the wrong ones: nothing is refused for it")
            }
            _ => None,
        }
    }

    fn allowed(self) -> String {
        let all = LEVELS.iter().filter(|(_, set)| self.refuses(*set).is_none());
        all.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

const LEVELS: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("info", Some(Severity::Info)),
    ("off", None),
];

/// One `[[rule]]` of a file.
pub(super) struct Setting {
    id: String,
    severity: Option<Severity>,
}

pub(super) fn setting(fields: &mut Fields<'_>) -> Setting {
    let severity = fields.must_be_one_of("severity", &LEVELS).unwrap_or(Some(Severity::Error));
    Setting { id: fields.text("id"), severity }
}

/// All rules of a form, with what its file sets.
pub(super) fn all(file: &str, form: &Form, settings: &[Setting], problems: &mut Vec<String>) -> Rules {
    let mut rooms: BTreeMap<&str, Vec<Room>> = BTreeMap::new();
    let mut rules = Rules::default();
    for (id, kind, default, room) in BUILTIN {
        if kind.is_none_or(|k| k == form.kind) {
            rooms.entry(id).or_default().push(room);
            rules.0.insert(id.to_owned(), Rule { default, of: Some(default), set: None });
        }
    }
    for (id, default, room) in used(form) {
        rooms.entry(id).or_default().push(room);
        // Above 100 % a rate is an error, however much a difference weighs.
        let rates = form.rates.iter().any(|r| r.rule == id);
        let of = rates.then_some(default);
        rules.0.entry(id.to_owned()).or_insert(Rule { default, of, set: None }).of = of;
    }
    for (i, Setting { id, severity }) in settings.iter().enumerate() {
        let place = format!("{file}: rule {}", i + 1);
        let known: Vec<&str> = rooms.keys().copied().collect();
        let Some(rule) = rules.0.get_mut(id) else {
            problems.push(format!("{place}: id: there is no rule `{id}`; known are {}", known.join(", ")));
            continue;
        };
        if rule.set.replace(*severity).is_some() {
            problems.push(format!("{place}: id: {id} is set twice"));
        }
        let refused = rooms[id.as_str()].iter().find_map(|room| Some((room, room.refuses(*severity)?)));
        if let Some((room, why)) = refused {
            problems.push(format!("{place}: severity: {id} can be {} only: {why}", room.allowed()));
        }
    }
    rules
}

/// The ids that the form's own arithmetic and conditions name.
fn used(form: &Form) -> Vec<(&str, Severity, Room)> {
    let mut list: Vec<(&str, Severity, Room)> = Vec::new();
    list.extend(form.sums.iter().map(|s| (s.rule.as_str(), s.severity, Room::Any)));
    list.extend(form.at_most.iter().map(|b| (b.rule.as_str(), b.severity, Room::Any)));
    list.extend(form.rates.iter().map(|r| (r.rule.as_str(), r.severity, Room::Any)));
    list.extend(form.expects.iter().map(|e| (e.rule.as_str(), e.severity, Room::Any)));
    list.extend(form.cumulative.iter().map(|c| (c.exceeds.as_str(), Severity::Error, Room::Any)));
    let compared = form.cumulative.iter().flat_map(|c| [&c.adds_up, &c.falls]);
    let compared = compared.chain(form.book_figures.iter().map(|b| &b.rule));
    let compared = compared.chain(form.repeated.iter().map(|r| &r.rule)).chain(form.history.iter().map(|h| &h.rule));
    list.extend(compared.map(|rule| (rule.as_str(), Severity::Warning, Room::Compared)));
    list
}

impl Rules {
    fn severity(&self, id: &str) -> Option<Severity> {
        let rule = self.0.get(id)?;
        rule.set.unwrap_or(Some(rule.default))
    }

    fn weigh(&self, finding: &mut Finding) -> bool {
        let Some(Rule { of, set: Some(set), .. }) = self.0.get(&finding.rule) else { return true };
        if of.is_some_and(|of| of != finding.severity) {
            return true;
        }
        finding.severity = set.unwrap_or(finding.severity);
        set.is_some()
    }
}

impl Campaign {
    /// Rules that the shipped form of the same key has and this campaign's has not: form and ids. Who keeps form files of
    /// an earlier version, or wrote their own, should know what is not looked at.
    pub fn lacks(&self) -> Vec<(&str, Vec<String>)> {
        let shipped = Self::builtin();
        let lacks = |form: &'_ Form| -> Vec<String> {
            let known = shipped.form(&form.key).into_iter().flat_map(|s| s.rules.0.keys());
            known.filter(|id| !form.rules.0.contains_key(*id)).cloned().collect()
        };
        let all = self.forms.iter().map(|form| (form.key.as_str(), lacks(form)));
        all.filter(|(_, ids)| !ids.is_empty()).collect()
    }
}

impl Form {
    /// How much a finding of this rule weighs in this form; `None`: the rule is off, or none of the form's.
    pub fn severity(&self, rule: &str) -> Option<Severity> {
        self.rules.severity(rule)
    }

    /// Gives each finding the weight that the form's file sets for its rule; those of rules that are off are dropped.
    ///
    /// Of a rule that reads cells (R02, R10, W06) only the warnings are set: about a required cell it stays an error, and
    /// how something was understood stays a remark. A rate above 100 % stays an error too.
    pub fn weigh(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.retain_mut(|finding| self.rules.weigh(finding));
        findings
    }
}

#[cfg(test)]
mod tests {
    use crate::form::definition::{BUILTIN, Campaign};
    use crate::form::{Finding, Place, Severity};

    /// The shipped forms with lines added to one of them.
    fn with(form: &str, lines: &str) -> Result<Campaign, Vec<String>> {
        let added = |(file, text): (&'static str, &str)| {
            (file, if file == form { format!("{text}\n{lines}") } else { text.to_owned() })
        };
        let files: Vec<(&str, String)> = BUILTIN.map(added).into();
        Campaign::parse(&files.iter().map(|(file, text)| (*file, text.as_str())).collect::<Vec<_>>())
    }

    fn set(id: &str, severity: &str) -> String {
        format!("[[rule]]\nid = \"{id}\"\nseverity = \"{severity}\"\n")
    }

    fn weighed(campaign: &Campaign, rule: &str, severity: Severity) -> Vec<Severity> {
        let finding = Finding::new(rule, severity, Place::default(), "某事");
        campaign.form("register").unwrap().weigh(vec![finding]).iter().map(|f| f.severity).collect()
    }

    #[test]
    fn a_rule_weighs_what_forms_md_says_unless_the_file_sets_it() {
        let plain = Campaign::builtin();
        let (progress, register) = (plain.form("progress").unwrap(), plain.form("register").unwrap());
        for (rule, severity) in [("R06", Severity::Warning), ("R05", Severity::Error), ("R11", Severity::Warning)] {
            assert_eq!(register.severity(rule), Some(severity), "{rule}");
        }
        for (rule, severity) in [("P03", Severity::Error), ("P04", Severity::Warning), ("P08", Severity::Warning)] {
            assert_eq!(progress.severity(rule), Some(severity), "{rule}");
        }
        assert_eq!((progress.severity("R06"), register.severity("P03")), (None, None));
        let changed = with("register.toml", &(set("R06", "error") + &set("R08", "off") + &set("R11", "info"))).unwrap();
        let register = changed.form("register").unwrap();
        assert_eq!(register.severity("R06"), Some(Severity::Error));
        assert_eq!((register.severity("R08"), register.severity("R11")), (None, Some(Severity::Info)));
        assert_eq!(weighed(&changed, "R06", Severity::Warning), [Severity::Error]);
        assert_eq!(weighed(&changed, "R08", Severity::Warning), []);
        assert_eq!(weighed(&changed, "R07", Severity::Warning), [Severity::Warning]);
    }

    #[test]
    fn what_a_required_cell_lacks_stays_an_error_and_a_remark_stays_one() {
        let soft = with("register.toml", &set("R02", "info")).unwrap();
        assert_eq!(weighed(&soft, "R02", Severity::Error), [Severity::Error]);
        assert_eq!(weighed(&soft, "R02", Severity::Warning), [Severity::Info]);
        let hard = with("register.toml", &set("R02", "error")).unwrap();
        assert_eq!(weighed(&hard, "R02", Severity::Warning), [Severity::Error]);
        assert_eq!(weighed(&hard, "R02", Severity::Info), [Severity::Info]);
        let rates = with("progress.toml", &set("P04", "info")).unwrap();
        let rate = |severity| Finding::new("P04", severity, Place::default(), "某事");
        let rates = rates.form("progress").unwrap().weigh(vec![rate(Severity::Warning), rate(Severity::Error)]);
        assert_eq!(rates.iter().map(|f| f.severity).collect::<Vec<_>>(), [Severity::Info, Severity::Error]);
        // Two of a rule's own weights become one.
        let even = with("register.toml", &set("R09", "info")).unwrap();
        assert_eq!(weighed(&even, "R09", Severity::Error), [Severity::Info]);
    }

    /// The shipped files, of one all that follows a line left out, and other text in its place.
    fn cut(form: &str, from: &str, instead: &str) -> Result<Campaign, Vec<String>> {
        let cut = |(file, text): (&'static str, &str)| match text.split_once(from).filter(|_| file == form) {
            Some((before, _)) => (file, format!("{before}{instead}")),
            None => (file, text.to_owned()),
        };
        let files: Vec<(&str, String)> = BUILTIN.map(cut).into();
        Campaign::parse(&files.iter().map(|(file, text)| (*file, text.as_str())).collect::<Vec<_>>())
    }

    #[test]
    fn a_form_file_of_an_earlier_version_says_what_to_take_over() {
        let before = "[book]\ncode = \"code\"\nstatus = \"status\"\nclosed = \"销户\"\nclosed_on = \"closed_on\"\n\
                      single = \"单独组建\"\ninstructor = \"instructor\"\n";
        let problems = cut("register.toml", "\n[[expect]]", before).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].starts_with("register.toml: book: closed_on: is from an earlier version"), "{problems:?}");
        assert!(problems[0].ends_with("and delete here closed_on, single, instructor"), "{problems:?}");
    }

    #[test]
    fn rules_that_a_form_does_not_bring_are_told() {
        assert_eq!(Campaign::builtin().lacks(), []);
        let book = "\n[book]\ncode = \"code\"\nstatus = \"status\"\nclosed = \"销户\"\n";
        let bare = cut("register.toml", "\n[[expect]]", book).unwrap();
        let expected: Vec<String> = bare.lacks()[0].1.iter().filter(|id| *id < &"R17".to_owned()).cloned().collect();
        assert_eq!(
            (bare.lacks()[0].0, &expected[..]),
            ("register", &["R06", "R07", "R08", "R09"].map(String::from)[..])
        );
        let bare = cut("progress.toml", "\n[repeated]", "").unwrap();
        assert_eq!(bare.lacks(), [("progress", ["P07", "P08", "P09"].map(String::from).to_vec())]);
    }

    #[test]
    fn what_cannot_be_set_so_is_refused_with_file_key_and_reason() {
        for (file, id, severity, told) in [
            ("progress.toml", "P01", "warning", "rule 1: severity: P01 can be error only: without the figure"),
            ("progress.toml", "P02", "off", "rule 1: severity: P02 can be error only: "),
            ("register.toml", "R01", "info", "rule 1: severity: R01 can be error only: without a required cell"),
            ("register.toml", "R03", "warning", "rule 1: severity: R03 can be error only: of two rows"),
            (
                "register.toml",
                "R02",
                "off",
                "rule 1: severity: R02 can be error, warning, info only: what was left out",
            ),
            ("progress.toml", "P07", "error", "rule 1: severity: P07 can be warning, info, off only: it compares"),
            ("progress.toml", "P05", "error", "rule 1: severity: P05 can be warning, info, off only: it compares"),
            ("register.toml", "R12", "error", "rule 1: severity: R12 can be warning, info, off only: it compares"),
            ("register.toml", "H01", "off", "rule 1: severity: H01 can be warning, info only: how a table was read"),
            ("register.toml", "R06", "severe", "rule 1: severity: must be one of error, warning, info, off"),
            ("register.toml", "P03", "info", "rule 1: id: there is no rule `P03`; known are H01, H03, H05, H06, R01"),
            ("progress.toml", "P99", "info", "rule 1: id: there is no rule `P99`; known are H01, "),
        ] {
            let problems = with(file, &set(id, severity)).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(&format!("{file}: {told}")), "{problems:?}");
        }
        let twice = with("register.toml", &(set("R06", "info") + &set("R06", "off"))).unwrap_err();
        assert_eq!(twice, ["register.toml: rule 2: id: R06 is set twice"]);
    }
}
