//! How like an unlisted heading is to the headings that a form lists for its columns: by what the words mean. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::definition::{Campaign, Column, Form, Group, HeadingWords};
use super::key::key;
use super::words::{Lexicon, Token, kind};

/// The head of a heading (企业 in 党员企业数) is not what the column asks for.
const OTHER_HEAD: f64 = 0.6;
const MISSPELT: f64 = 0.95;
/// A remark of another kind above a heading weighs less than the same in it.
const ABOVE: f64 = 0.4;
/// What the column's group says need not be said again.
const IMPLIED: f64 = 0.35;

/// The headings of a form by their meaning.
pub struct Likeness<'a> {
    lexicon: Lexicon<'a>,
    neutral: BTreeSet<String>,
    columns: Vec<Senses>,
}

/// What a column's headings mean.
struct Senses {
    kind: &'static str,
    /// Each listed heading, and whether it counts only where no group stands above.
    senses: BTreeSet<(BTreeSet<Token>, bool)>,
    /// May stand beside them: the column's groups.
    free: BTreeSet<Token>,
    /// May stand beside them, but not as the head: what the whole form is about.
    subject: BTreeSet<Token>,
    /// Its group has to be said: without it a heading may be the organisation's own.
    distinct: bool,
}

impl<'a> Likeness<'a> {
    pub fn new(campaign: &'a Campaign, form: &'a Form) -> Self {
        let words = &campaign.headings;
        let lexicon = Lexicon::new(words);
        let neutral: BTreeSet<String> = words.neutral.iter().map(|n| key(n, words)).collect();
        let leaves: Vec<&str> = form.columns.iter().map(Column::leaf).collect();
        // Groups and leaves come again and again.
        let mut read: HashMap<(&str, String), BTreeSet<Token>> = HashMap::new();
        let mut tokens = |kind: &'static str, path: &[String]| -> BTreeSet<Token> {
            let part = |part: &String| {
                let read = read.entry((kind, part.clone()));
                read.or_insert_with(|| lexicon.read(&key(part, words), kind).tokens).clone()
            };
            path.iter().flat_map(part).collect()
        };
        let of = |column: &'a Column| {
            let shared = leaves.iter().filter(|l| **l == column.leaf()).count() > 1;
            Senses::new(&Known { column, shared, form, words, neutral: &neutral }, &lexicon, &mut tokens)
        };
        let columns = form.columns.iter().map(of).collect();
        Self { lexicon, neutral, columns }
    }

    /// For each column, from 0 to 1: the share of what a path (keys, top row first) and the column's likeliest heading say
    /// in common. `None` where the path says what rules the column out.
    pub fn of(&self, path: &[String]) -> Vec<Option<f64>> {
        let mut said: BTreeMap<&str, Said> = BTreeMap::new();
        let like = |senses: &Senses| {
            let said = said.entry(senses.kind).or_insert_with(|| self.said(senses.kind, path));
            let grouped = path.len() > 1;
            let counts = senses.senses.iter().filter(|(_, bare)| !(*bare && grouped));
            let likest = counts.filter_map(|(sense, _)| self.share(senses, sense, said)).max_by(f64::total_cmp);
            likest.map(|share| if said.misspelt { share * MISSPELT } else { share })
        };
        self.columns.iter().map(like).collect()
    }

    /// What a path and one listed heading of a column have in common.
    fn share(&self, senses: &Senses, sense: &BTreeSet<Token>, said: &Said) -> Option<f64> {
        let Senses { free, subject, .. } = senses;
        let extra = || said.tokens.iter().filter(|t| !sense.contains(t) && !free.contains(t) && !subject.contains(t));
        if extra().any(|t| self.lexicon.is_decisive(t)) {
            return None;
        }
        // 单位 for 企业: both name what the form is about.
        let named = |tokens: &BTreeSet<Token>| tokens.iter().any(|t| subject.contains(t));
        let about = named(sense) && named(&said.tokens);
        let weight = |t: &Token| match said.tokens.contains(t) {
            false if about && subject.contains(t) => 0.0,
            false if free.contains(t) && !senses.distinct => IMPLIED,
            _ => self.lexicon.weight(t),
        };
        let common: f64 = sense.iter().filter(|t| said.tokens.contains(t)).map(weight).sum();
        let missing: f64 = sense.iter().filter(|t| !said.tokens.contains(t)).map(weight).sum();
        let aside = |t: &Token| if said.above.contains(t) { ABOVE } else { 1.0 };
        let extra: f64 = extra().map(|t| self.lexicon.weight(t) * aside(t)).sum();
        let at_home = |t: &Token| {
            sense.contains(t) || free.contains(t) || about && subject.contains(t) || matches!(t, Token::Unknown(_))
        };
        let share = if common > 0.0 { common / (common + missing + extra) } else { 0.0 };
        Some(if said.head.as_ref().is_none_or(at_home) { share } else { share * OTHER_HEAD })
    }

    /// Whether a cell may be a heading of the form, or a part of one: all it says is said by one listed heading, and
    /// nothing is left over.
    pub fn may_head(&self, key: &str) -> bool {
        let mut read: BTreeMap<&str, BTreeSet<Token>> = BTreeMap::new();
        self.columns.iter().any(|Senses { kind, senses, free, .. }| {
            let tokens = read.entry(kind).or_insert_with(|| self.lexicon.read(key, kind).tokens);
            let known = |t: &Token| matches!(t, Token::Meaning(_));
            let said_by = |sense: &BTreeSet<Token>| tokens.iter().all(|t| sense.contains(t) || free.contains(t));
            !tokens.is_empty() && tokens.iter().all(known) && senses.iter().any(|(sense, _)| said_by(sense))
        })
    }

    /// Whether a path has one of the words that no form asks for.
    pub fn forbids(&self, path: &[String]) -> bool {
        path.iter().any(|part| self.lexicon.read(part, "").tokens.iter().any(|t| self.lexicon.is_forbidding(t)))
    }

    fn said(&self, kind: &str, path: &[String]) -> Said {
        let read = |part: &String| self.lexicon.read(part, kind);
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
        let Column { synonyms, like, within, bare, apart, .. } = self.column;
        let doubtful = |h: &&String| !apart.as_ref().is_some_and(|a| a.headings.contains(h));
        let leaf = self.column.leaf().to_owned();
        let alone = synonyms.iter().chain(like).filter(doubtful).map(|h| (vec![h.clone()], bare.contains(h)));
        let below: Vec<&String> = within.iter().chain(Some(&leaf).filter(|_| self.shared)).collect();
        let grouped = groups.iter().flat_map(|g| below.iter().map(move |w| (vec![g.clone(), (*w).clone()], false)));
        let own = Some((vec![leaf.clone()], bare.contains(&leaf))).filter(|_| !self.shared);
        alone.chain(grouped).chain(own).collect()
    }
}

impl Senses {
    /// `read` understands a path of headings of a kind.
    fn new(
        known: &Known<'_>,
        lexicon: &Lexicon<'_>,
        read: &mut impl FnMut(&'static str, &[String]) -> BTreeSet<Token>,
    ) -> Self {
        let kind = kind(known.column);
        let groups = known.groups();
        let headings = known.headings(&groups).into_iter();
        let senses: BTreeSet<(BTreeSet<Token>, bool)> =
            headings.map(|(path, bare)| (read(kind, &path), bare)).filter(|s| !s.0.is_empty()).collect();
        // Where the group is part of what is asked (新建党组织/上月) none of it may be added or left out.
        let free = if known.shared { BTreeSet::new() } else { read(kind, &groups) };
        let free = free.into_iter().filter(|t| !lexicon.is_forbidding(t)).collect();
        let distinct = known.column.apart.is_some();
        let about = known.form.subject.iter().filter(|_| known.column.key != known.form.identity && !distinct);
        let subject = about.filter_map(|name| lexicon.named(name)).collect();
        Self { kind, senses, free, subject, distinct }
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
        likeness.of(&path)[form.columns.iter().position(|c| c.key == column).unwrap()]
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
