//! `quarantine` and `excuse`: what a person decides, recorded for ever and acted on at once, also beside the daemon,
//! which then sends the answer.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use anyhow::Result;

use super::arguments::Quarantine;
use super::listing::{message_json, short, unit_name};
use super::trust::{self, Asked};
use super::{Office, Outcome, print, usage};
use crate::db::Db;
use crate::form::Campaign;
use crate::jobs::decide;
use crate::jobs::process::{Answers, Clerk, open_messages};
use crate::ledger::headings::{self, Question};
use crate::ledger::query::{self, Listed, Which};
use crate::ledger::store::{self, Decision};
use crate::ledger::{copies, held};
use crate::period::Period;
use crate::submission::{Disposition, Word};

pub async fn run(office: Office, action: Option<Quarantine>) -> Result<Outcome> {
    let db = office.db().await?;
    match action.unwrap_or(Quarantine::List) {
        Quarantine::List => list(&office, &db).await,
        Quarantine::Show { id } => show(&office, &db, id).await,
        Quarantine::Release { id, unit, trust, columns } => {
            let release = Release { id, unit, trust, columns };
            release.run(office, &db).await
        }
        Quarantine::Reject { id, reason } => reject(office, &db, id, reason).await,
        Quarantine::Trusted => trust::list(&office, &db).await,
        Quarantine::Distrust { address, unit } => trust::distrust(&office, &db, &address, unit.as_deref()).await,
    }
}

async fn list(office: &Office, db: &Db) -> Result<Outcome> {
    let mut conn = db.pool().acquire().await?;
    let waiting = query::messages(&mut conn, Which::Quarantined).await?;
    let zone = office.config.timezone;
    if office.json {
        print::json(&waiting.iter().map(|m| message_json(m, zone)).collect::<Vec<_>>())?;
    } else {
        let rows = waiting.iter().map(|m| {
            let unit = m.submissions.iter().map(|s| s.unit.as_str()).find(|u| !u.is_empty()).unwrap_or_default();
            vec![
                m.id.to_string(),
                short(m.received_at, zone),
                m.from.clone().unwrap_or_default(),
                unit.to_owned(),
                m.rules.join(" "),
                m.reason.clone(),
            ]
        });
        print::table(&["id", "received", "from", "unit", "rules", "reason"], rows.collect())?;
        if !waiting.is_empty() {
            print::line(
                "look: taizhang quarantine show ID    decide: taizhang quarantine release ID | reject ID --reason R",
            )?;
        }
    }
    Ok(if waiting.is_empty() { Outcome::Done } else { Outcome::NeedsPerson })
}

async fn find(db: &Db, id: i64) -> Result<Listed> {
    let mut conn = db.pool().acquire().await?;
    let found = query::messages(&mut conn, Which::One(id)).await?.pop();
    found.ok_or_else(|| usage(format!("there is no message {id}; see `taizhang quarantine list`")))
}

async fn show(office: &Office, db: &Db, id: i64) -> Result<Outcome> {
    let message = find(db, id).await?;
    let mut conn = db.pool().acquire().await?;
    let findings =
        query::findings(&mut conn, &query::Filter { message: Some(id), all: true, ..Default::default() }).await?;
    let digest: String =
        sqlx::query_scalar("SELECT digest FROM message WHERE id = ?").bind(id).fetch_one(&mut *conn).await?;
    let path = crate::ledger::mailstore::path(db.dir(), &digest);
    let questions = headings::questions(&mut conn, id).await?;
    let asked = Asked::about(&mut conn, id).await?;
    if office.json {
        let mut document = message_json(&message, office.config.timezone);
        document["findings"] = serde_json::to_value(&findings)?;
        document["stored"] = path.display().to_string().into();
        document["headings"] = questions.iter().map(question_json).collect();
        (document["asked"], document["answered"]) = asked.json(office);
        print::json(&document)?;
        return Ok(Outcome::Done);
    }
    let text = |o: &Option<String>| o.clone().unwrap_or_default();
    print::line(&format!("message {id}  {}  {}", message.mailbox, short(message.received_at, office.config.timezone)))?;
    print::line(&format!("from      {}\nsubject   {}", text(&message.from), message.subject))?;
    print::line(&format!("now       {}  {}", text(&message.disposition), message.reason))?;
    print::line(&format!("original  {}", path.display()))?;
    asked.print(office)?;
    let rows = message.submissions.iter().map(|s| {
        vec![s.unit.clone(), s.stream.clone(), s.form.clone(), s.period.clone(), s.state.clone(), s.file.clone()]
    });
    print::table(&["unit", "stream", "form", "period", "state", "file"], rows.collect())?;
    let rows = findings
        .iter()
        .map(|f| vec![f.rule.clone(), f.severity.clone(), text(&f.sheet), text(&f.cell), f.message.clone()]);
    print::table(&["rule", "severity", "sheet", "cell", "finding"], rows.collect())?;
    if !questions.is_empty() {
        let rows = questions.iter().map(|Question { heading: h, letters }| {
            vec![letters.clone(), h.shown.clone(), label(&office.config.campaign, &h.form, &h.column), h.column.clone()]
        });
        print::table(&["column", "heading", "may be", "key"], rows.collect())?;
        print::line(
            "releasing the mail confirms these headings; where one of several is right, name it: --column KEY=COLUMN",
        )?;
    }
    Ok(Outcome::Done)
}

fn question_json(question: &Question) -> serde_json::Value {
    let Question { heading, letters } = question;
    serde_json::json!({ "form": heading.form, "key": heading.column, "column": letters, "heading": heading.shown })
}

struct Release {
    id: i64,
    unit: Option<String>,
    trust: bool,
    /// Key of a form's column, letters on the sheet.
    columns: Vec<(String, String)>,
}

impl Release {
    async fn run(self, office: Office, db: &Db) -> Result<Outcome> {
        let id = self.id;
        let message = find(db, id).await?;
        let waits = message.disposition.as_deref() == Some("quarantined")
            || message.submissions.iter().any(|s| s.state == "quarantined");
        let (rejected, questions) = {
            let mut conn = db.pool().acquire().await?;
            // Whoever rejected it, or said that it is not theirs, may have been mistaken.
            let decisions = store::decisions(&mut conn, id).await?;
            let rejected = decisions.rejected.is_some()
                || decisions.books_rejected.is_some()
                || decisions.said.values().any(|w| *w == Word::NotOurs);
            (rejected, headings::questions(&mut conn, id).await?)
        };
        // What it repeats may have been rejected since.
        let copy = message.disposition.as_deref() == Some("duplicate");
        if !waits && !rejected && !copy {
            return Err(usage(format!("message {id} is not in quarantine")));
        }
        // Whoever vouches for a sender has not looked at the headings.
        let only_headings = message.rules.iter().all(|rule| rule == "H01");
        if let Some(open) = questions.iter().find(|q| !only_headings && !names(&self.columns, q)) {
            let Question { heading, letters } = open;
            let label = label(&office.config.campaign, &heading.form, &heading.column);
            let text = format!(
                "the mail also leaves open whether {letters} “{}” is “{label}”; if so, add --column {}={letters}",
                heading.shown, heading.column
            );
            return Err(usage(text));
        }
        let confirmed = confirmed(&questions, &self.columns, &office.config.campaign)?;
        let named = self.unit.map(|u| unit_name(&office, &u)).transpose()?;
        let told = message.submissions.iter().map(|s| s.unit.clone()).find(|u| !u.is_empty());
        let trusted_for = named.clone().or(told);
        if self.trust && (trusted_for.is_none() || message.from.is_none()) {
            return Err(usage("--trust needs a sender and a unit; name it with --unit"));
        }
        let now = office.clock.now();
        let mut tx = db.begin().await?;
        let decision =
            |kind| Decision { kind, who: "operator", message: Some(id), unit: named.as_deref(), ..Decision::default() };
        let campaign = &office.config.campaign;
        let mut ids = decide::enter(&mut tx, campaign, &decision("release"), now).await?;
        if self.trust {
            let trusting =
                Decision { unit: trusted_for.as_deref(), address: message.from.as_deref(), ..decision("trust") };
            ids.extend(decide::enter(&mut tx, campaign, &trusting, now).await?);
        }
        for question in &confirmed {
            headings::confirm(&mut tx, &question.heading, "operator", id, now).await?;
        }
        tx.commit().await?;
        for Question { heading, .. } in &confirmed {
            let label = label(&office.config.campaign, &heading.form, &heading.column);
            print::line(&format!("“{}” is read as “{label}” from now on", heading.shown))?;
        }
        decided(office, db, &ids).await
    }
}

/// The command line says which column of the sheet this one is.
fn names(columns: &[(String, String)], question: &Question) -> bool {
    columns.iter().any(|(key, _)| *key == question.heading.column)
}

/// Which of the headings in question are right: the one that was named for a column, else the only one. A heading can be
/// one column's only.
fn confirmed(questions: &[Question], named: &[(String, String)], campaign: &Campaign) -> Result<Vec<Question>> {
    let wanted = |q: &Question| named.iter().find(|(key, _)| *key == q.heading.column).map(|(_, letters)| letters);
    if let Some((key, _)) = named.iter().find(|(key, _)| questions.iter().all(|q| q.heading.column != *key)) {
        return Err(usage(format!("--column {key}: nothing is asked about this column")));
    }
    let column = |q: &Question| (q.heading.form.clone(), q.heading.column.clone());
    let alike = |a: &Question, b: &Question| (&a.heading.form, &a.heading.path) == (&b.heading.form, &b.heading.path);
    let mut confirmed: Vec<Question> = Vec::new();
    let (first, others): (Vec<_>, Vec<_>) = questions.iter().partition(|q| wanted(q).is_some());
    for question in first.into_iter().chain(others) {
        if confirmed.iter().any(|c| column(c) == column(question)) {
            continue;
        }
        let free = |q: &&Question| column(q) == column(question) && !confirmed.iter().any(|c| alike(c, q));
        let choices: Vec<&Question> = questions.iter().filter(free).collect();
        let chosen = match (wanted(question), choices.as_slice()) {
            (Some(letters), _) => choices.iter().find(|c| c.letters == *letters),
            // All of its headings have been said to be other columns'.
            (None, []) => continue,
            (None, [one, more @ ..]) => Some(one).filter(|_| more.iter().all(|c| c.heading == one.heading)),
        };
        let label = |q: &Question| label(campaign, &q.heading.form, &q.heading.column);
        let Some(chosen) = chosen else {
            let list: Vec<String> = choices.iter().map(|c| format!("{} “{}”", c.letters, c.heading.shown)).collect();
            let Some(example) = choices.first() else {
                return Err(usage(format!(
                    "--column: “{}” cannot be a column that is another already",
                    label(question)
                )));
            };
            let key = &question.heading.column;
            let list = list.join(" or ");
            let text = format!("“{}” may be {list}; say which: --column {key}={}", label(question), example.letters);
            return Err(usage(text));
        };
        let rival = |q: &&Question| wanted(q).is_none() && column(q) != column(chosen) && alike(q, chosen);
        if let Some(rival) = questions.iter().find(rival).filter(|_| wanted(chosen).is_none()) {
            let Question { heading, letters } = chosen;
            let (one, other) = (label(chosen), label(rival));
            let text = format!("{letters} “{}” may be “{one}” or “{other}”; say which", heading.shown);
            return Err(usage(format!("{text}: --column {}={letters}", heading.column)));
        }
        confirmed.push((*chosen).clone());
    }
    Ok(confirmed)
}

/// The heading that a column has on the blank form.
pub(super) fn label(campaign: &Campaign, form: &str, column: &str) -> String {
    let found = campaign.form(form).and_then(|f| f.column(column));
    found.map_or_else(|| column.to_owned(), |c| c.label())
}

async fn reject(office: Office, db: &Db, id: i64, reason: String) -> Result<Outcome> {
    find(db, id).await?;
    let mut tx = db.begin().await?;
    // Beside a form that counts, only the books that are held are turned away.
    let rule = held::beside_others(&mut tx, id).await?;
    let decision = Decision {
        kind: "reject",
        who: "operator",
        message: Some(id),
        reason: &reason,
        rule: rule.as_deref(),
        ..Decision::default()
    };
    let ids = decide::enter(&mut tx, &office.config.campaign, &decision, office.clock.now()).await?;
    tx.commit().await?;
    let outcome = decided(office, db, &ids).await?;
    for copy in copies::of(&mut *db.pool().acquire().await?, id).await? {
        print::line(&format!(
            "the same file also came as message {copy}; `taizhang quarantine release {copy}` takes it"
        ))?;
    }
    Ok(outcome)
}

/// Assesses the messages again in the light of the decision, then those that are in question because of what became of
/// them, and shows it. The outcome is that of the former alone.
async fn decided(office: Office, db: &Db, ids: &[i64]) -> Result<Outcome> {
    let now = office.clock.now();
    let config = Arc::new(office.config);
    let mut clerk = Clerk::new(db, &config, Answers::Send);
    let mut outcome = Outcome::Done;
    // What has come in meanwhile is left to the next pass.
    let new: BTreeSet<i64> = open_messages(db).await?.into_iter().collect();
    let mut waiting: VecDeque<i64> = ids.iter().copied().collect();
    while let Some(id) = waiting.pop_front() {
        let disposition = clerk.process(id, now).await?;
        print::line(&format!("message {id}: {}", disposition.as_str()))?;
        if disposition == Disposition::Quarantined {
            print::line(&find(db, id).await?.reason)?;
            if ids.contains(&id) {
                print::line("it still waits; if the unit is in doubt, name it with --unit")?;
                outcome = Outcome::NeedsPerson;
            }
        }
        let reopened = open_messages(db).await?;
        let more = reopened.into_iter().filter(|id| !new.contains(id) && !waiting.contains(id)).collect::<Vec<_>>();
        waiting.extend(more);
    }
    Ok(outcome)
}

pub async fn excuse(office: Office, unit: String, period: Period, reason: String) -> Result<Outcome> {
    let unit = unit_name(&office, &unit)?;
    let db = office.db().await?;
    let mut tx = db.begin().await?;
    let decision = Decision {
        kind: "excuse",
        who: "operator",
        unit: Some(&unit),
        period: Some(period.to_string()),
        reason: &reason,
        ..Decision::default()
    };
    decide::enter(&mut tx, &office.config.campaign, &decision, office.clock.now()).await?;
    tx.commit().await?;
    print::line(&format!("{unit}: excused from {period}"))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::headings::Heading;

    /// What is confirmed of these questions (column, letters, heading), or why nothing is.
    fn answer(questions: &[(&str, &str, &str)], named: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let question = |(column, letters, shown): &(&str, &str, &str)| Question {
            heading: Heading {
                form: "progress".to_owned(),
                column: (*column).to_owned(),
                shown: (*shown).to_owned(),
                path: vec![(*shown).to_owned()],
            },
            letters: (*letters).to_owned(),
        };
        let questions: Vec<Question> = questions.iter().map(question).collect();
        let named: Vec<(String, String)> = named.iter().map(|(k, l)| ((*k).to_owned(), (*l).to_owned())).collect();
        let said = |q: &Question| format!("{}={}", q.heading.column, q.letters);
        let found = confirmed(&questions, &named, &Campaign::builtin());
        found.map(|all| all.iter().map(said).collect()).map_err(|e| e.to_string())
    }

    fn list(items: &[&str]) -> Result<Vec<String>, String> {
        Ok(items.iter().map(|i| (*i).to_owned()).collect())
    }

    #[test]
    fn the_only_heading_that_is_proposed_is_confirmed() {
        let asked = [("members", "D", "党员同志数"), ("orgs", "C", "家数")];
        assert_eq!(answer(&asked, &[]), list(&["members=D", "orgs=C"]));
        assert!(answer(&asked, &[("members", "E")]).is_err());
    }

    #[test]
    fn one_heading_is_never_confirmed_for_two_columns() {
        let asked = [("members", "D", "人数"), ("orgs", "D", "人数")];
        let unsure = answer(&asked, &[]).unwrap_err();
        assert!(unsure.contains("D “人数” may be “党员总数” or “组织总数”"), "{unsure}");
        assert_eq!(answer(&asked, &[("orgs", "D")]), list(&["orgs=D"]));
        assert!(answer(&asked, &[("orgs", "D"), ("members", "D")]).is_err());
    }

    #[test]
    fn what_was_named_for_one_column_is_no_choice_of_another_any_more() {
        let asked = [("orgs", "C", "数"), ("orgs", "D", "人数"), ("members", "C", "数"), ("members", "D", "人数")];
        assert!(answer(&asked, &[]).is_err());
        assert_eq!(answer(&asked, &[("members", "D")]), list(&["members=D", "orgs=C"]));
    }
}
