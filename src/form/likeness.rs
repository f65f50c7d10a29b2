//! How like an unlisted heading is to the headings that a form lists for its columns: by what the words mean. Pure.

use std::collections::BTreeSet;

use super::definition::{Campaign, Column, Form, Group, HeadingWords};
use super::key::key;
use super::words::{Lexicon, Token};

/// The head of a heading (企业 in 党员企业数) is not what the column asks for.
const OTHER_HEAD: f64 = 0.6;
const MISSPELT: f64 = 0.95;
/// A remark of another kind above a heading weighs less than the same in it.
const ABOVE: f64 = 0.4;
/// What the column's group says need not be said again.
const IMPLIED: f64 = 0.35;

/// The headings of a form by their meaning.
pub struct Likeness<'a> {
    form: &'a Form,
    lexicon: Lexicon<'a>,
    neutral: BTreeSet<String>,
    columns: Vec<Senses>,
}

/// What a column's headings mean.
struct Senses {
    /// Each listed heading, and whether it counts only where no group stands above.
    senses: Vec<(BTreeSet<Token>, bool)>,
    /// May stand beside them: the column's groups.
    free: BTreeSet<Token>,
    /// May stand beside them, but not as the head: what the whole form is about.
    subject: BTreeSet<Token>,
}

impl<'a> Likeness<'a> {
    pub fn new(campaign: &'a Campaign, form: &'a Form) -> Self {
        let words = &campaign.headings;
        let lexicon = Lexicon::new(words);
        let neutral: BTreeSet<String> = words.neutral.iter().map(|n| key(n, words)).collect();
        let leaves: Vec<&str> = form.columns.iter().map(Column::leaf).collect();
        let of = |column: &'a Column| {
            let shared = leaves.iter().filter(|l| **l == column.leaf()).count() > 1;
            Senses::new(&Known { column, shared, form, words, neutral: &neutral }, &lexicon)
        };
        let columns = form.columns.iter().map(of).collect();
        Self { form, lexicon, neutral, columns }
    }

    /// From 0 to 1: the share of what a path (keys, top row first) and a column's likeliest heading say in common.
    /// `None` if the path says what rules the column out.
    pub fn of(&self, column: usize, path: &[String]) -> Option<f64> {
        let said = self.said(column, path);
        let Senses { senses, free, subject } = &self.columns[column];
        let grouped = path.len() > 1;
        let likest = senses.iter().filter(|(_, bare)| !(*bare && grouped)).filter_map(|(sense, _)| {
            let beside = |t: &&Token| !sense.contains(t) && !free.contains(t);
            let extra = said.tokens.iter().filter(beside).filter(|t| !subject.contains(t));
            if extra.clone().any(|t| self.lexicon.is_decisive(t)) {
                return None;
            }
            let common: f64 = sense.iter().filter(|t| said.tokens.contains(t)).map(|t| self.lexicon.weight(t)).sum();
            let implied = |t: &Token| if free.contains(t) { IMPLIED } else { 1.0 };
            let missing = sense.iter().filter(|t| !said.tokens.contains(t));
            let missing: f64 = missing.map(|t| self.lexicon.weight(t) * implied(t)).sum();
            let aside = |t: &Token| if said.above.contains(t) { ABOVE } else { 1.0 };
            let extra: f64 = extra.map(|t| self.lexicon.weight(t) * aside(t)).sum();
            let at_home = |t: &Token| sense.contains(t) || free.contains(t) || matches!(t, Token::Unknown(_));
            let headed = said.head.as_ref().is_none_or(at_home);
            let share = if common > 0.0 { common / (common + missing + extra) } else { 0.0 };
            Some(if headed { share } else { share * OTHER_HEAD })
        });
        likest.max_by(f64::total_cmp).map(|share| if said.misspelt { share * MISSPELT } else { share })
    }

    /// Whether a cell may be a heading of the form, or a part of one: all it says is said by one listed heading, and
    /// nothing is left over.
    pub fn may_head(&self, key: &str) -> bool {
        let fits = |column: usize| {
            let said = self.said(column, std::slice::from_ref(&key.to_owned()));
            let known = |t: &Token| matches!(t, Token::Meaning(_));
            let Senses { senses, free, .. } = &self.columns[column];
            !said.tokens.is_empty()
                && said.tokens.iter().all(known)
                && senses.iter().any(|(s, _)| said.tokens.iter().all(|t| s.contains(t) || free.contains(t)))
        };
        (0..self.columns.len()).any(fits)
    }

    fn said(&self, column: usize, path: &[String]) -> Said {
        let read = |part: &String| self.lexicon.read(part, &self.form.columns[column]);
        let Some((leaf, groups)) = path.split_last() else { return Said::default() };
        let leaf = read(leaf);
        let mut said =
            Said { tokens: leaf.tokens, head: leaf.head, misspelt: leaf.misspelt, above: BTreeSet::default() };
        for group in groups.iter().filter(|g| !self.neutral.contains(*g)) {
            let group = read(group);
            said.misspelt |= group.misspelt;
            let only_above = group.tokens.difference(&said.tokens).cloned().collect::<Vec<_>>();
            said.above.extend(only_above.into_iter().filter(|t| matches!(t, Token::Unknown(_))));
            said.tokens.extend(group.tokens);
        }
        said
    }
}

/// What a path says to one column.
#[derive(Default)]
struct Said {
    tokens: BTreeSet<Token>,
    /// Unknown words of the groups.
    above: BTreeSet<Token>,
    head: Option<Token>,
    misspelt: bool,
}

/// A column with what is needed to understand its headings.
struct Known<'a> {
    column: &'a Column,
    /// Its leaf is another column's as well.
    shared: bool,
    form: &'a Form,
    words: &'a HeadingWords,
    neutral: &'a BTreeSet<String>,
}

impl Known<'_> {
    /// The groups of the column by all their names.
    fn groups(&self) -> Vec<String> {
        let own: Vec<String> =
            self.column.parents().iter().chain(&self.column.groups).map(|g| key(g, self.words)).collect();
        let named = |g: &&Group| own.contains(&key(&g.name, self.words));
        let synonyms = self.form.groups.iter().filter(named).flat_map(|g| &g.synonyms).map(|g| key(g, self.words));
        own.iter().cloned().chain(synonyms).filter(|g| !self.neutral.contains(g)).collect()
    }

    /// Each listed heading as a path, and whether it counts only where no group stands above.
    fn headings(&self, groups: &[String]) -> Vec<(Vec<String>, bool)> {
        let Column { synonyms, like, within, bare, .. } = self.column;
        let leaf = self.column.leaf().to_owned();
        let alone = synonyms.iter().chain(like).map(|h| (vec![h.clone()], bare.contains(h)));
        let below: Vec<&String> = within.iter().chain(Some(&leaf).filter(|_| self.shared)).collect();
        let grouped = groups.iter().flat_map(|g| below.iter().map(move |w| (vec![g.clone(), (*w).clone()], false)));
        let own = Some((vec![leaf.clone()], bare.contains(&leaf))).filter(|_| !self.shared);
        alone.chain(grouped).chain(own).collect()
    }
}

impl Senses {
    fn new(known: &Known<'_>, lexicon: &Lexicon<'_>) -> Self {
        let tokens = |path: &[String]| -> BTreeSet<Token> {
            path.iter().flat_map(|h| lexicon.read(&key(h, known.words), known.column).tokens).collect()
        };
        let groups = known.groups();
        let senses: Vec<(BTreeSet<Token>, bool)> = known
            .headings(&groups)
            .iter()
            .map(|(path, bare)| (tokens(path), *bare))
            .filter(|s| !s.0.is_empty())
            .collect();
        // Where the group is part of what is asked (新建党组织/上月) none of it may be added or left out.
        let free = if known.shared { BTreeSet::new() } else { tokens(&groups) };
        let free = free.into_iter().filter(|t| !lexicon.is_forbidding(t)).collect();
        let about = known.form.subject.iter().filter(|_| known.column.key != known.form.identity);
        Self { senses, free, subject: about.filter_map(|name| lexicon.named(name)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(form: &str, column: &str, path: &[&str]) -> Option<f64> {
        let campaign = Campaign::builtin();
        let form = campaign.form(form).unwrap();
        let likeness = Likeness::new(&campaign, form);
        let path: Vec<String> = path.iter().map(|p| key(p, &campaign.headings)).collect();
        likeness.of(form.columns.iter().position(|c| c.key == column).unwrap(), &path)
    }

    #[test]
    fn other_words_for_the_same_are_the_same() {
        for (form, column, path) in [
            ("progress", "members", &["党员总人数"] as &[&str]),
            ("progress", "members_transferred", &["已接转组织关系"]),
            ("progress", "new_party_orgs_month", &["新组建的党组织", "上个月"]),
            ("progress", "orgs_3plus", &["3名以上正式党员的组织"]),
            ("progress", "org_coverage", &["党组织覆盖面"]),
            ("register", "members_full", &["正式党员总数"]),
            ("register", "secretary_phone", &["支部书记手机号"]),
            ("register", "union", &["是否建立工会"]),
        ] {
            assert!(like(form, column, path) > Some(0.94), "{path:?} {:?}", like(form, column, path));
        }
    }

    #[test]
    fn opposites_and_forbidding_words_rule_a_column_out() {
        for (form, column, path) in [
            ("progress", "members_transferred", &["未转组织关系"] as &[&str]),
            ("progress", "members_transferred", &["未办理转入"]),
            ("progress", "org_coverage", &["工作覆盖率"]),
            ("progress", "orgs", &["个体工商户数"]),
            ("register", "members", &["正式党员数"]),
            ("register", "instructor", &["党建联络员"]),
            ("progress", "members", &["上年党员总数"]),
            ("progress", "members", &["上年同期", "党员总数"]),
            ("progress", "party_orgs_single", &["新建党组织", "单独组建"]),
            ("progress", "instructors_total", &["选派党建指导员", "上月"]),
            ("register", "phone", &["书记电话"]),
            ("register", "legal_rep", &["法人身份证号"]),
        ] {
            assert!(like(form, column, path).is_none_or(|l| l < 0.4), "{path:?} {:?}", like(form, column, path));
        }
    }

    #[test]
    fn what_is_counted_stands_last() {
        assert!(like("progress", "members", &["企业党员数"]) > Some(0.94));
        assert!(like("progress", "members", &["党员企业数"]) < Some(0.7));
    }

    #[test]
    fn a_word_nobody_knows_makes_a_heading_less_like() {
        let (known, unknown) = (like("progress", "members", &["党员数"]), like("progress", "members", &["先进党员数"]));
        assert!(known > Some(0.99) && unknown < Some(0.6), "{known:?} {unknown:?}");
    }
}
