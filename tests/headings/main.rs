//! The recogniser measured on headings it has not seen, as a classifier: read right, asked about, refused, wrong.
//!
//! Both forms are drawn with honest values, a third of the headings renamed, other columns among them, shuffled, under one
//! or two rows of headings. Two lists of new words: one that the recogniser's words were chosen with, and one that was
//! written first and kept aside.

mod elsewhere;
mod rows;
mod sheets;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rows::Chance;
use sheets::{Made, Words, table};
use taizhang::form::{Campaign, Form, Reading, extract};
use taizhang::workbook::{Sheet, Workbook};

const OTHERS: &str = include_str!("others.txt");

pub fn read(campaign: &Campaign, sheet: Sheet) -> Reading {
    let day = NaiveDate::from_ymd_opt(2011, 9, 20).unwrap();
    extract::read(&Workbook { sheets: vec![sheet] }, campaign, "报表.xls", day)
}

#[derive(Default, Debug)]
struct Score {
    forms: usize,
    /// Every required column read, and nothing asked.
    right: usize,
    /// A person has to confirm something.
    asked: usize,
    /// A required column is said to be missing, or no form was found.
    refused: usize,
    wrong: usize,
    columns: usize,
    columns_right: usize,
    columns_asked: usize,
}

impl Score {
    fn add(&mut self, campaign: &Campaign, form: &Form, made: Made) -> Vec<String> {
        let reading = read(campaign, made.sheet);
        self.forms += 1;
        self.columns += made.renamed.len();
        let found = reading.returns.iter().find(|r| r.form == form.key);
        let mut missed = Vec::new();
        let Some(ret) = found.filter(|_| reading.returns.len() == 1) else {
            self.refused += 1;
            return vec!["no form".to_owned()];
        };
        for (key, words) in &made.renamed {
            let asked =
                ret.doubts.iter().any(|d| d.key == *key && d.candidates.iter().any(|c| c.letters == made.truth[key]));
            if ret.columns.get(key) == Some(&made.truth[key]) {
                self.columns_right += 1;
            } else {
                self.columns_asked += usize::from(asked);
                missed.push(format!("{}.{key}: {words}{}", form.key, if asked { " (asked)" } else { "" }));
            }
        }
        let wrong: Vec<String> = ret
            .columns
            .iter()
            .filter(|(key, letters)| made.truth.get(*key) != Some(letters))
            .map(|(key, letters)| {
                let finding = ret.findings.iter().find(|f| f.key.as_ref() == Some(key)).map(|f| f.message.clone());
                format!("WRONG {key} from {letters}: {finding:?}, renamed {:?}", made.renamed.get(key))
            })
            .collect();
        let whole = form.columns.iter().filter(|c| c.required).all(|c| ret.columns.contains_key(&c.key));
        match (wrong.is_empty(), ret.doubts.is_empty(), whole) {
            (false, _, _) => self.wrong += 1,
            (true, false, _) => self.asked += 1,
            (true, true, true) => self.right += 1,
            (true, true, false) => self.refused += 1,
        }
        missed.extend(wrong);
        missed
    }
}

fn measure(name: &str, words: &Words, seeds: std::ops::Range<u64>) -> Score {
    let campaign = Campaign::builtin();
    let mut score = Score::default();
    let mut missed: BTreeMap<String, usize> = BTreeMap::new();
    for seed in seeds {
        let form = &campaign.forms[seed as usize % campaign.forms.len()];
        let made = table(&mut Chance(seed), form, words, 3);
        for miss in score.add(&campaign, form, made) {
            *missed.entry(miss).or_default() += 1;
        }
    }
    let percent = |n: usize, of: usize| 100.0 * n as f64 / of as f64;
    println!(
        "{name}: {} forms: {:.1} % read right, {:.1} % asked, {:.1} % refused, {} wrong; of {} renamed columns {:.1} % read, {:.1} % asked",
        score.forms,
        percent(score.right, score.forms),
        percent(score.asked, score.forms),
        percent(score.refused, score.forms),
        score.wrong,
        score.columns,
        percent(score.columns_right, score.columns),
        percent(score.columns_asked, score.columns),
    );
    if std::env::var_os("SHOW_MISSED").is_some() {
        missed.iter().for_each(|(miss, n)| println!("  {n:4} {miss}"));
    }
    for wrong in missed.keys().filter(|m| m.starts_with("WRONG")) {
        println!("  {wrong}");
    }
    score
}

#[test]
fn renamed_headings_are_read_or_asked_about_and_never_read_wrong() {
    let words = Words::new(include_str!("renamed.txt"), OTHERS, "");
    let score = measure("renamed", &words, 0..150);
    assert_eq!(score.wrong, 0);
    assert!(score.right * 100 >= score.forms * 90, "{score:?}");
}

#[test]
fn headings_nobody_thought_of_are_not_read_wrong_either() {
    let words = Words::new(include_str!("unseen.txt"), OTHERS, "unseen ");
    let score = measure("unseen", &words, 0..150);
    assert_eq!(score.wrong, 0);
    assert!(score.right * 100 >= score.forms * 70, "{score:?}");
}
