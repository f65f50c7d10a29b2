//! Waived findings: what a person has looked into and does not want to be told again, with who and why.
//!
//! A decision names what the finding is about (unit, stream, form, period, rule, column, organisation) and what it rests on, and
//! no row of the database: so it outlives corrections and rebuilding. What rests on something else is another finding, and is
//! told. An error cannot be waived, because its row is not in the ledger.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection};

use super::store::{self, Decision};
use crate::form::finding::without_places;
use crate::form::name::organisation_key;
use crate::form::{Finding, Severity};
use crate::period::Period;
use crate::submission::Submission;

/// What a finding is about and rests on. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matter {
    pub unit: String,
    pub stream: String,
    pub form: String,
    /// `2011-08`
    pub period: String,
    pub rule: String,
    /// The column's.
    pub key: String,
    /// The organisation, by its name as written.
    pub subject: String,
    pub evidence: String,
}

/// Who has waived a finding, why and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waived {
    pub who: String,
    pub reason: String,
    pub at: DateTime<Utc>,
    /// From this period on; `None`: for the finding's own.
    #[serde(skip)]
    pub since: Option<String>,
}

/// A stored finding as [`Matter`] needs it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub key: Option<String>,
    pub subject: Option<String>,
    pub rests_on: Option<String>,
    pub text: String,
}

impl Matter {
    /// A finding of one submission.
    pub fn of(submission: &Submission, finding: &Finding) -> Self {
        Self {
            unit: submission.unit.clone().unwrap_or_default(),
            stream: submission.stream.clone().unwrap_or_default(),
            form: submission.form.clone(),
            period: submission.period.map(|p| p.to_string()).unwrap_or_default(),
            ..Self::about(finding)
        }
    }

    /// Without whose it is.
    pub fn about(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            key: finding.key.clone().unwrap_or_default(),
            subject: finding.subject.clone().unwrap_or_default(),
            evidence: finding.evidence(),
            ..Self::default()
        }
    }

    /// With what the ledger keeps of a finding.
    pub fn with(self, stored: Stored) -> Self {
        Self {
            key: stored.key.unwrap_or_default(),
            subject: stored.subject.unwrap_or_default(),
            evidence: stored.rests_on.unwrap_or_else(|| without_places(&stored.text)),
            ..self
        }
    }

    /// Eight hexadecimal digits by which people call the finding: the same after a correction and a rebuild, and also when what
    /// it rests on changes, as long as it is about a column or an organisation.
    pub fn reference(&self) -> String {
        let subject = organisation_key(&self.subject);
        let nameless = subject.is_empty() && self.key.is_empty();
        let parts = [&self.unit, &self.stream, &self.form, &self.period, &self.rule, &self.key];
        let last = if nameless { &self.evidence } else { &subject };
        let text = parts.into_iter().chain([last]).map(String::as_str).collect::<Vec<_>>().join("\u{0}");
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(4).fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// All that was decided about findings, the last word last.
#[derive(Clone, Debug, Default)]
pub struct Waivers(BTreeMap<(String, String), Vec<Ruling>>);

#[derive(Clone, Debug)]
struct Ruling {
    /// False: it is to be told again.
    waives: bool,
    about: Matter,
    by: Waived,
}

impl Ruling {
    fn covers(&self, matter: &Matter) -> bool {
        let mine = &self.about;
        let same = (&mine.stream, &mine.form, &mine.key, &mine.evidence)
            == (&matter.stream, &matter.form, &matter.key, &matter.evidence);
        let period = self.by.since.as_ref().map_or(mine.period == matter.period, |since| *since <= matter.period);
        same && period && organisation_key(&mine.subject) == organisation_key(&matter.subject)
    }
}

impl Waivers {
    /// What was decided; `known_on`: by then.
    pub async fn load(conn: &mut SqliteConnection, known_on: Option<DateTime<Utc>>) -> Result<Self> {
        let rows = sqlx::query(
            "SELECT kind, at, who, reason, since, coalesce(unit, ''), coalesce(stream, ''), coalesce(form, ''),
             coalesce(period, ''), coalesce(rule, ''), coalesce(key, ''), coalesce(subject, ''), evidence FROM decision
             WHERE kind IN ('dismiss', 'reopen') AND evidence IS NOT NULL AND (?1 IS NULL OR at <= ?1) ORDER BY at, id",
        )
        .bind(known_on)
        .fetch_all(conn)
        .await?;
        let mut waivers = Self::default();
        for row in rows {
            let by = Waived { at: row.get(1), who: row.get(2), reason: row.get(3), since: row.get(4) };
            let about = Matter {
                unit: row.get(5),
                stream: row.get(6),
                form: row.get(7),
                period: row.get(8),
                rule: row.get(9),
                key: row.get(10),
                subject: row.get(11),
                evidence: row.get(12),
            };
            waivers.add(Ruling { waives: row.get::<&str, _>(0) == "dismiss", about, by });
        }
        Ok(waivers)
    }

    fn add(&mut self, ruling: Ruling) {
        let key = (ruling.about.unit.clone(), ruling.about.rule.clone());
        self.0.entry(key).or_default().push(ruling);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who has waived it; `None`: it is to be told.
    pub fn waived(&self, matter: &Matter, severity: Severity) -> Option<&Waived> {
        if severity == Severity::Error || self.is_empty() {
            return None;
        }
        let rulings = self.0.get(&(matter.unit.clone(), matter.rule.clone()))?;
        let last = rulings.iter().rev().find(|ruling| ruling.covers(matter))?;
        last.waives.then_some(&last.by)
    }

    /// The findings of a submission that are to be told.
    pub fn open<'a>(&'a self, submission: &'a Submission) -> impl Iterator<Item = &'a Finding> {
        let waived = |f: &Finding| self.waived(&Matter::of(submission, f), f.severity).is_some();
        submission.findings.iter().filter(move |f| self.is_empty() || !waived(f))
    }
}

/// What a person decides about one finding.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// `dismiss`, `reopen`
    pub kind: &'static str,
    pub who: &'a str,
    pub reason: &'a str,
    /// Also in later periods.
    pub from_now_on: bool,
}

/// Writes it down.
pub async fn decide(conn: &mut SqliteConnection, matter: &Matter, word: Word<'_>, now: DateTime<Utc>) -> Result<()> {
    let some = |text: &'_ str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let period = some(&matter.period);
    let (period, since) = if word.from_now_on { (None, period) } else { (period, None) };
    let decision = Decision {
        kind: word.kind,
        who: word.who,
        unit: Some(matter.unit.as_str()).filter(|t| !t.is_empty()),
        stream: Some(matter.stream.as_str()).filter(|t| !t.is_empty()),
        form: Some(matter.form.as_str()).filter(|t| !t.is_empty()),
        period,
        rule: Some(&matter.rule),
        subject: Some(matter.subject.as_str()).filter(|t| !t.is_empty()),
        reason: word.reason,
        ..Decision::default()
    };
    store::decide(conn, &decision, now).await?;
    sqlx::query("UPDATE decision SET key = ?, evidence = ?, since = ? WHERE id = last_insert_rowid()")
        .bind(some(&matter.key))
        .bind(&matter.evidence)
        .bind(since)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many warnings of each submission of a period are waived.
pub async fn waived_warnings(conn: &mut SqliteConnection, period: Period) -> Result<BTreeMap<i64, u32>> {
    let waivers = Waivers::load(conn, None).await?;
    let mut counts = BTreeMap::new();
    if waivers.is_empty() {
        return Ok(counts);
    }
    let rows = sqlx::query(
        "SELECT s.id, s.unit, s.stream, s.form, s.period, f.rule, f.key, f.subject, f.rests_on, f.text
         FROM submission s JOIN finding f ON f.submission = s.id WHERE s.period = ? AND f.severity = 'warning'",
    )
    .bind(period.to_string())
    .fetch_all(conn)
    .await?;
    for row in rows {
        let stored = Stored { key: row.get(6), subject: row.get(7), rests_on: row.get(8), text: row.get(9) };
        let matter = Matter {
            unit: row.get(1),
            stream: row.get(2),
            form: row.get(3),
            period: row.get(4),
            rule: row.get(5),
            ..Matter::default()
        };
        if waivers.waived(&matter.with(stored), Severity::Warning).is_some() {
            *counts.entry(row.get(0)).or_default() += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn matter(period: &str, evidence: &str) -> Matter {
        Matter {
            unit: "松岭镇人民政府".into(),
            stream: "nonpublic".into(),
            form: "register".into(),
            period: period.into(),
            rule: "R06".into(),
            key: "party_org_kind".into(),
            subject: "远山科技有限公司".into(),
            evidence: evidence.into(),
        }
    }

    fn word(kind: &'static str, from_now_on: bool) -> Word<'static> {
        Word { kind, who: "甲某", reason: "正在筹建", from_now_on }
    }

    const DAYS: [&str; 3] = ["2011-09-20T02:00:00Z", "2011-09-21T02:00:00Z", "2011-09-22T02:00:00Z"];

    /// The waivers after these words, one a day, as they were known on a day.
    async fn after(words: &[(Matter, Word<'_>)], known_on: Option<&str>) -> Waivers {
        let (_dir, db) = fixture::ledger().await;
        let mut conn = db.pool().acquire().await.unwrap();
        for ((matter, word), day) in words.iter().zip(DAYS) {
            decide(&mut conn, matter, *word, fixture::at(day)).await.unwrap();
        }
        Waivers::load(&mut conn, known_on.map(fixture::at)).await.unwrap()
    }

    fn hidden(waivers: &Waivers, matter: &Matter) -> bool {
        waivers.waived(matter, Severity::Warning).is_some()
    }

    #[test]
    fn a_reference_is_the_finding_s_wherever_it_stands() {
        let one = matter("2011-08", "有3名");
        assert_eq!(one.reference().len(), 8);
        let spelled =
            Matter { subject: "远山科技　有限责任公司".into(), evidence: "有4名".into(), ..one.clone() };
        assert_eq!(one.reference(), spelled.reference());
        let others = [
            Matter { unit: "云溪街道办事处".into(), ..one.clone() },
            Matter { period: "2011-09".into(), ..one.clone() },
            Matter { rule: "R07".into(), ..one.clone() },
            Matter { key: "members".into(), ..one.clone() },
            Matter { subject: "别的公司".into(), ..one.clone() },
        ];
        let references: std::collections::BTreeSet<String> = others.iter().map(Matter::reference).collect();
        assert!(references.len() == 5 && !references.contains(&one.reference()));
        let nameless = |evidence: &str| {
            Matter { key: String::new(), subject: String::new(), ..matter("2011-08", evidence) }.reference()
        };
        assert_ne!(nameless("甲"), nameless("乙"));
    }

    #[tokio::test]
    async fn a_waiver_hides_what_it_is_about_and_only_as_long_as_that_rests_on_the_same() {
        let waivers = after(&[(matter("2011-08", "有3名"), word("dismiss", false))], None).await;
        let by = waivers.waived(&matter("2011-08", "有3名"), Severity::Warning).unwrap();
        assert_eq!((by.who.as_str(), by.reason.as_str(), by.at), ("甲某", "正在筹建", fixture::at(DAYS[0])));
        assert!(!hidden(&waivers, &matter("2011-08", "有4名")), "other evidence");
        assert!(!hidden(&waivers, &matter("2011-09", "有3名")), "another month");
        let other = Matter { subject: "别的公司".into(), ..matter("2011-08", "有3名") };
        assert!(!hidden(&waivers, &other), "another organisation");
        assert!(waivers.waived(&matter("2011-08", "有3名"), Severity::Error).is_none(), "an error is never waived");
    }

    #[tokio::test]
    async fn from_now_on_is_no_earlier_month_and_the_last_word_counts() {
        let months = |waivers: &Waivers| {
            ["2011-07", "2011-08", "2011-10"].map(|period| hidden(waivers, &matter(period, "有3名")))
        };
        let dismissed = (matter("2011-08", "有3名"), word("dismiss", true));
        assert_eq!(months(&after(std::slice::from_ref(&dismissed), None).await), [false, true, true]);
        let reopened = [dismissed, (matter("2011-10", "有3名"), word("reopen", true))];
        assert_eq!(months(&after(&reopened, None).await), [false, true, false]);
        assert_eq!(months(&after(&reopened, Some(DAYS[0])).await), [false, true, true], "as it was known then");
        assert_eq!(months(&after(&reopened, Some("2011-09-19T00:00:00Z")).await), [false; 3]);
    }
}
