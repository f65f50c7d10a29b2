//! `[targets]` with its milestones, and `[conduct]`: what the campaign wants, and what careless reporting costs.

use chrono::{Datelike as _, NaiveDate};

use super::reader::{Problems, Reader};
use crate::period::Period;

/// `[targets]`: data of the campaign.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The period of the opening position: pace and conduct are reckoned from here.
    pub first: Period,
    pub by: NaiveDate,
    /// New party organisations wanted, by stream key.
    pub new_party_orgs: Vec<(String, u32)>,
    /// Percent.
    pub org_coverage: f64,
    pub work_coverage: f64,
    /// In the order of the file.
    pub milestones: Vec<Milestone>,
}

/// `[[targets.milestone]]`: asked of every unit in every stream that it owes.
#[derive(Clone, Debug, PartialEq)]
pub struct Milestone {
    /// `摸底数`
    pub name: String,
    /// The last day on which it is in time.
    pub by: NaiveDate,
    pub measure: Measure,
}

/// What a milestone is measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// A first register was accepted.
    Register,
    /// A register was accepted in which no row had an error.
    RegisterWithoutErrors,
    /// As many new party organisations as the quota asks for.
    Quota,
    /// Percent, at least.
    OrgCoverage(f64),
    WorkCoverage(f64),
}

impl Measure {
    const NAMES: [&str; 5] = ["register", "register_without_errors", "quota", "org_coverage", "work_coverage"];

    /// As the settings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => Self::NAMES[0],
            Self::RegisterWithoutErrors => Self::NAMES[1],
            Self::Quota => Self::NAMES[2],
            Self::OrgCoverage(_) => Self::NAMES[3],
            Self::WorkCoverage(_) => Self::NAMES[4],
        }
    }

    /// A coverage, so that it depends on the ledger of each period.
    pub fn is_coverage(self) -> bool {
        matches!(self, Self::OrgCoverage(_) | Self::WorkCoverage(_))
    }
}

/// `[conduct]`: points for how a unit reports. Every cost is zero or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    pub start: i64,
    /// For each calendar day after the day a return was due.
    pub late_per_day: i64,
    /// What one late return costs at the most.
    pub late_at_most: i64,
    /// For a return that was due and of which nothing usable came.
    pub missing: i64,
    /// For each return that was sent back; not on top of `missing`.
    pub rejected: i64,
    /// For each correction that came after the period's final report was out.
    pub correction: i64,
    /// Points never fall below this.
    pub floor: i64,
}

pub(super) fn targets(r: Reader, streams: &[String], problems: &Problems) -> Option<Targets> {
    let (first, by) = (r.parsed::<Period>("first", "2011-07"), date(&r, "by", Some("2011-12-30")));
    if let (Some(first), Some(by)) = (first, by)
        && first >= Period::of(by)
    {
        r.problem("first", &format!("must be a month before the one of `by` ({})", Period::of(by)));
    }
    let new_party_orgs = r.counts("new_party_orgs");
    for (stream, _) in new_party_orgs.iter().filter(|(s, _)| !streams.is_empty() && !streams.contains(s)) {
        r.problem("new_party_orgs", &format!("`{stream}` is no stream; allowed: {}", streams.join(", ")));
    }
    let (org_coverage, work_coverage) = (r.percent("org_coverage", 60.0), r.percent("work_coverage", 100.0));
    let tables = r.tables("milestone").into_iter().enumerate();
    let milestones = tables
        .filter_map(|(i, table)| {
            let path = format!("[[targets.milestone]] {}:", i + 1);
            milestone(Reader::new(table, &path, problems), org_coverage, work_coverage)
        })
        .collect();
    r.finish();
    Some(Targets { first: first?, by: by?, new_party_orgs, org_coverage, work_coverage, milestones })
}

/// `at_least` belongs to the coverages; without it the campaign's own goal is meant.
fn milestone(r: Reader, org_coverage: f64, work_coverage: f64) -> Option<Milestone> {
    let name = r.required_text("name", "what the stage is called, such as 摸底数");
    let by = date(&r, "by", None);
    let measure = match r.required_text("measure", &format!("one of {}", Measure::NAMES.join(", "))).as_str() {
        "register" => Some(Measure::Register),
        "register_without_errors" => Some(Measure::RegisterWithoutErrors),
        "quota" => Some(Measure::Quota),
        "org_coverage" => Some(Measure::OrgCoverage(r.percent("at_least", org_coverage))),
        "work_coverage" => Some(Measure::WorkCoverage(r.percent("at_least", work_coverage))),
        "" => None,
        other => {
            r.problem("measure", &format!("`{other}` is unknown; allowed: {}", Measure::NAMES.join(", ")));
            None
        }
    };
    r.finish();
    Some(Milestone { name, by: by?, measure: measure? })
}

fn date(r: &Reader, key: &str, default: Option<&str>) -> Option<NaiveDate> {
    let text = match default {
        Some(default) => r.text(key, default),
        None => r.required_text(key, "a date, such as 2011-09-25"),
    };
    let parsed: Option<NaiveDate> = text.parse().ok().filter(|d: &NaiveDate| (1900..2200).contains(&d.year()));
    if parsed.is_none() && !text.is_empty() {
        r.problem(key, &format!("`{text}` is no date, such as 2011-12-30"));
    }
    parsed
}

pub(super) fn conduct(r: Reader) -> Conduct {
    let conduct = Conduct {
        start: r.integer("start", 100, 0..=10_000),
        late_per_day: r.integer("late_per_day", -1, -10_000..=0),
        late_at_most: r.integer("late_at_most", -10, -10_000..=0),
        missing: r.integer("missing", -15, -10_000..=0),
        rejected: r.integer("rejected", -2, -10_000..=0),
        correction: r.integer("correction_after_publication", -3, -10_000..=0),
        floor: r.integer("floor", 0, -1_000_000..=10_000),
    };
    if conduct.floor > conduct.start {
        r.problem("floor", "must not lie above `start`");
    }
    r.finish();
    conduct
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<Targets>, Vec<String>) {
        let problems = Problems::default();
        let table: toml::Table = text.parse().unwrap();
        let targets = targets(Reader::new(&table, "[targets]", &problems), &["nonpublic".to_owned()], &problems);
        (targets, problems.take())
    }

    #[test]
    fn a_milestone_on_a_coverage_means_the_campaign_s_goal_unless_it_says_another() {
        let (targets, problems) = parsed(
            "org_coverage = 55.0
             milestone = [
               { name = \"甲\", by = \"2011-10-25\", measure = \"org_coverage\" },
               { name = \"乙\", by = \"2011-11-25\", measure = \"work_coverage\", at_least = 80 },
               { name = \"丙\", by = \"2011-11-25\", measure = \"register_without_errors\" },
             ]",
        );
        assert_eq!(problems, [""; 0]);
        let measures: Vec<Measure> = targets.unwrap().milestones.iter().map(|m| m.measure).collect();
        let wanted = [Measure::OrgCoverage(55.0), Measure::WorkCoverage(80.0), Measure::RegisterWithoutErrors];
        assert_eq!(measures, wanted);
    }

    #[test]
    fn every_slip_in_a_milestone_is_told_with_its_number() {
        let (_, problems) = parsed(
            "first = \"2011-12\"
             by = \"2011-12-30\"
             milestone = [
               { name = \"甲\", by = \"25.9.\", measure = \"census\" },
               { by = \"2011-10-25\", measure = \"quota\", at_least = 3 },
             ]",
        );
        let all = problems.join("\n");
        for part in [
            "[targets] first: must be a month before the one of `by` (2011-12)",
            "[[targets.milestone]] 1: by: `25.9.` is no date",
            "[[targets.milestone]] 1: measure: `census` is unknown; allowed: register, register_without_errors, quota",
            "[[targets.milestone]] 2: name: is missing",
            "[[targets.milestone]] 2: at_least: is not a key here",
        ] {
            assert!(all.contains(part), "`{part}` is not in\n{all}");
        }
        assert_eq!(problems.len(), 5, "{all}");
    }

    #[test]
    fn a_cost_that_would_be_a_reward_is_refused() {
        let problems = Problems::default();
        let table: toml::Table = "missing = 15\nfloor = 101".parse().unwrap();
        conduct(Reader::new(&table, "[conduct]", &problems));
        let told = problems.take();
        assert!(told.contains(&"[conduct] missing: must be a whole number from -10000 to 0".to_owned()), "{told:?}");
        assert!(told.contains(&"[conduct] floor: must not lie above `start`".to_owned()), "{told:?}");
    }
}
