//! Headings: how one is compared with those that a form lists. Pure.
//!
//! A column's heading is a *path*, group first: `["新建党组织", "上月"]`. What is listed is found here; how like an unlisted
//! one is to those, [`Likeness`] says.

use std::collections::{BTreeSet, HashSet};

use super::definition::{Campaign, Column, Form, HeadingWords};
use super::key::key;
use super::likeness::Likeness;
use crate::workbook::{Cell, CellValue};

/// Bytes of a heading, its layout included.
const LONGEST: usize = 300;

/// How well a path fits a column. Ordered: a listed heading of the blank form beats a synonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Listed as another heading for the same thing.
    Synonym,
    /// The blank form's own heading.
    Own,
    /// A person said what exactly this one means.
    Learned,
}

/// The headings of one form, made ready for comparison.
pub struct Vocabulary<'a> {
    pub form: &'a Form,
    pub likeness: Likeness<'a>,
    words: &'a HeadingWords,
    neutral: BTreeSet<String>,
    groups: BTreeSet<String>,
    columns: Vec<Listed>,
    /// Every heading, group or part of one.
    known: HashSet<String>,
}

/// The headings of one column.
struct Listed {
    leaf: String,
    /// Several columns end in this leaf: it needs its group.
    shared: bool,
    own_groups: BTreeSet<String>,
    synonyms: BTreeSet<String>,
    within: BTreeSet<String>,
    bare: BTreeSet<String>,
    apart: BTreeSet<String>,
    /// Group and leaf in one cell, in either order.
    joined: BTreeSet<String>,
}

impl<'a> Vocabulary<'a> {
    pub fn new(campaign: &'a Campaign, form: &'a Form) -> Self {
        let words = &campaign.headings;
        let groups = form.groups.iter().flat_map(|g| std::iter::once(&g.name).chain(&g.synonyms));
        let leaves: Vec<String> = form.columns.iter().map(|c| key(c.leaf(), words)).collect();
        let columns: Vec<Listed> =
            form.columns.iter().zip(&leaves).map(|(c, leaf)| Listed::new(c, leaf, &leaves, form, words)).collect();
        let groups: BTreeSet<String> = groups.map(|g| key(g, words)).collect();
        let parts = |c: &Listed| {
            let sets = [&c.synonyms, &c.within, &c.joined];
            sets.into_iter().flatten().chain([&c.leaf]).cloned().collect::<Vec<_>>()
        };
        // 小计 below 党员总数 is a heading, but no heading by itself.
        let total = |k: &String| campaign.rows.totals.contains(k);
        let learned = form.columns.iter().flat_map(|c| c.learned.iter().flatten().cloned());
        let known = columns.iter().flat_map(parts).chain(groups.iter().cloned()).chain(learned);
        let known = known.filter(|k| !total(k)).collect();
        let likeness = Likeness::new(campaign, form);
        Self {
            form,
            likeness,
            words,
            neutral: words.neutral.iter().map(|n| key(n, words)).collect(),
            groups,
            columns,
            known,
        }
    }

    pub fn key(&self, text: &str) -> String {
        key(text, self.words)
    }

    /// The key of a cell that may be a heading: text, and not longer than any heading would be.
    pub fn cell_key(&self, cell: &Cell) -> Option<String> {
        match &cell.value {
            CellValue::Text(s) if s.len() <= LONGEST => Some(self.key(s)),
            _ => None,
        }
    }

    /// The column that a heading standing alone is listed for, as on a card.
    pub fn label(&self, key: &str) -> Option<usize> {
        let learned = |c: &Column| c.learned.iter().any(|p| matches!(p.as_slice(), [only] if only == key));
        let learned = self.form.columns.iter().position(learned);
        learned
            .or_else(|| self.columns.iter().position(|c| !c.shared && c.leaf == key))
            .or_else(|| self.columns.iter().position(|c| c.synonyms.contains(key)))
    }

    /// The column that a heading means below a group, as on a card with the group's name beside the label.
    pub fn label_within(&self, group: &str, key: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.own_groups.contains(group) && (c.within.contains(key) || c.leaf == key))
    }

    /// The heading may be another's by where it stands: 成立时间 may be the organisation's own.
    pub fn leans(&self, column: usize, path: &[String]) -> bool {
        let listed = &self.columns[column];
        self.under(listed, path).is_some_and(|u| !u.in_group && listed.apart.contains(u.leaf))
    }

    /// A heading that [leans](Self::leans), with the columns on either side of it as far as they are known: none of them
    /// is of its group, and one is of those that make it doubtful, or nothing is known.
    pub fn is_lost(&self, column: usize, neighbours: [Option<usize>; 2]) -> bool {
        let columns = &self.form.columns;
        let known = || neighbours.into_iter().flatten();
        let group = |c: usize| columns[c].parents().last();
        let kin = |c: usize| c != column && group(c).is_some() && group(c) == group(column);
        let apart = |c: usize| columns[column].apart.as_ref().is_some_and(|a| a.columns.contains(&columns[c].key));
        !known().any(kin) && (known().any(apart) || known().next().is_none())
    }

    /// The first column that a path is listed for.
    pub fn meaning(&self, path: &[String]) -> Option<usize> {
        (0..self.columns.len()).find(|c| self.listed(*c, path).is_some())
    }

    /// The heading means this column only where no other group stands above it: 电话, 名称, 成立时间.
    pub fn is_bare(&self, column: usize, path: &[String]) -> bool {
        let bare = |leaf: &String| self.columns[column].bare.contains(leaf);
        path.last().is_some_and(bare) || self.leans(column, path)
    }

    /// The heading means the column right behind this other one, if it stands elsewhere as well.
    pub fn behind(&self, column: usize, path: &[String]) -> Option<usize> {
        let behind = self.form.columns[column].behind.as_ref()?;
        let under = self.under(&self.columns[column], path).filter(|u| !u.alien)?;
        let named = behind.headings.iter().any(|h| self.key(h) == under.leaf);
        named.then(|| self.form.columns.iter().position(|c| c.key == behind.column)).flatten()
    }

    pub fn is_group(&self, key: &str) -> bool {
        self.groups.contains(key)
    }

    /// A heading, group or part of one of this form.
    pub fn knows(&self, key: &str) -> bool {
        self.known.contains(key)
    }

    pub fn is_neutral(&self, key: &str) -> bool {
        self.neutral.contains(key)
    }

    /// How a path of keys (top row first) fits the form's column number `column`, by the headings that are listed for it.
    pub fn listed(&self, column: usize, path: &[String]) -> Option<Fit> {
        if self.form.columns[column].learned.iter().any(|p| p == path) {
            return Some(Fit::Learned);
        }
        let listed = &self.columns[column];
        // 组织 above 总数: one heading cut in two.
        if let [upper @ .., above, leaf] = path
            && (listed.leaf == format!("{above}{leaf}") || listed.synonyms.contains(&format!("{above}{leaf}")))
        {
            let whole: Vec<String> = upper.iter().cloned().chain([format!("{above}{leaf}")]).collect();
            return self.listed(column, &whole).map(|_| Fit::Synonym);
        }
        let Under { leaf, above, in_group, alien } = self.under(listed, path)?;
        let own = listed.leaf == leaf && (!listed.shared || in_group);
        let other = listed.joined.contains(leaf) || listed.synonyms.contains(leaf);
        if alien && (own || other) {
            // 单独组建 below 新建党组织, 党员总数 below 上年同期: something else.
            if above.iter().any(|g| self.groups.contains(*g) || self.forbids(g)) {
                return None;
            }
            // 电话 below a group of no form may be anybody's.
            if listed.bare.contains(leaf) {
                return None;
            }
        }
        if own {
            return Some(Fit::Own);
        }
        let with_group = above.last().map(|g| format!("{g}{leaf}"));
        let joined = |p: &String| listed.synonyms.contains(p) || listed.joined.contains(p) || listed.leaf == *p;
        let below = in_group && listed.within.contains(leaf);
        (other || below || with_group.as_ref().is_some_and(joined)).then_some(Fit::Synonym)
    }

    fn under<'p>(&self, listed: &Listed, path: &'p [String]) -> Option<Under<'p>> {
        let (leaf, above) = path.split_last()?;
        let above: Vec<&str> = above.iter().map(String::as_str).filter(|k| !self.neutral.contains(*k)).collect();
        let in_group = above.iter().any(|g| listed.own_groups.contains(*g));
        Some(Under { leaf, alien: !above.is_empty() && !in_group, in_group, above })
    }

    fn forbids(&self, key: &str) -> bool {
        self.words.forbidding.iter().any(|w| key.contains(w.as_str()))
    }
}

/// A path as one column sees it.
struct Under<'p> {
    leaf: &'p str,
    /// What stands above, top row first, without neutral groups.
    above: Vec<&'p str>,
    /// One of the column's own groups stands above.
    in_group: bool,
    /// Something stands above, and none of it is the column's.
    alien: bool,
}

impl Listed {
    fn new(column: &Column, leaf: &str, leaves: &[String], form: &Form, words: &HeadingWords) -> Self {
        let keys = |list: &[String]| list.iter().map(|t| key(t, words)).collect::<BTreeSet<_>>();
        let shared = leaves.iter().filter(|l| *l == leaf).count() > 1;
        let neutral = keys(&words.neutral);
        let mut own_groups: BTreeSet<String> = keys(column.parents()).difference(&neutral).cloned().collect();
        own_groups.extend(keys(&column.groups));
        let same_group = form.groups.iter().filter(|g| own_groups.contains(&key(&g.name, words))).collect::<Vec<_>>();
        for group in same_group {
            own_groups.extend(keys(&group.synonyms));
        }
        let within = keys(&column.within);
        let heads: BTreeSet<String> = own_groups.iter().filter(|_| shared).cloned().collect();
        let mut joined = BTreeSet::new();
        for group in &heads {
            for part in within.iter().map(String::as_str).chain([leaf]) {
                joined.insert(format!("{group}{part}"));
                joined.insert(format!("{part}{group}"));
            }
        }
        let (synonyms, bare) = (keys(&column.synonyms), keys(&column.bare));
        let apart = column.apart.as_ref().map(|a| keys(&a.headings)).unwrap_or_default();
        Self { leaf: leaf.to_owned(), shared, own_groups, synonyms, within, bare, apart, joined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(form: &str, column: &str, path: &[&str]) -> Option<Fit> {
        let campaign = Campaign::builtin();
        let form = campaign.form(form).unwrap();
        let vocabulary = Vocabulary::new(&campaign, form);
        let path: Vec<String> = path.iter().map(|p| vocabulary.key(p)).collect();
        let column = form.columns.iter().position(|c| c.key == column).unwrap();
        vocabulary.listed(column, &path)
    }

    #[test]
    fn the_choices_behind_a_heading_do_not_matter() {
        for heading in ["组建形式（单独/联合/未建）", "组建形式(单独组建、联合组建、未建)", "组建形式【单建或联建】"]
        {
            assert_eq!(fit("register", "party_org_kind", &[heading]), Some(Fit::Own), "{heading}");
        }
        let asked = fit("register", "party_org_kind", &["是否建立党组织（单独、联合、未建）"]);
        assert_eq!(asked, Some(Fit::Synonym));
        assert_ne!(fit("register", "members", &["党员总数（联合）"]), Some(Fit::Own));
    }

    #[test]
    fn a_heading_cut_in_two_is_one_unless_a_group_makes_it_another() {
        assert_eq!(fit("progress", "orgs", &["组织", "总数"]), Some(Fit::Synonym));
        assert_eq!(fit("progress", "orgs_covered", &["党组织覆盖", "组织数"]), Some(Fit::Synonym));
        assert_eq!(fit("progress", "orgs", &["党组织", "总数"]), None);
        assert_eq!(fit("progress", "orgs", &["上年同期", "组织", "总数"]), None);
    }

    #[test]
    fn a_subtotal_below_its_whole_is_the_whole() {
        assert_eq!(fit("progress", "members", &["党员总数", "小计"]), Some(Fit::Synonym));
        assert_eq!(fit("progress", "party_orgs", &["党组织总数", "合计"]), Some(Fit::Synonym));
        assert_eq!(fit("progress", "members", &["小计"]), None);
        assert_eq!(fit("progress", "members", &["新发展党员", "小计"]), None);
    }

    #[test]
    fn a_shared_leaf_needs_its_group() {
        assert_eq!(fit("progress", "new_party_orgs_month", &["新建党组织", "上月"]), Some(Fit::Own));
        assert_eq!(fit("progress", "recruits_total", &["新建党组织", "累计"]), None);
        assert_eq!(fit("progress", "new_party_orgs_total", &["累计"]), None);
        assert_eq!(fit("progress", "instructors_month", &["选派党建\n指导员", "本月"]), Some(Fit::Synonym));
        assert_eq!(fit("progress", "new_party_orgs_total", &["新建党组织（累计）"]), Some(Fit::Synonym));
        assert_eq!(fit("progress", "new_party_orgs_month", &["本月新建党组织"]), Some(Fit::Synonym));
    }

    #[test]
    fn a_bare_word_below_another_group_is_not_read() {
        assert_eq!(fit("register", "phone", &["电话"]), Some(Fit::Synonym));
        assert_eq!(fit("register", "phone", &["党组织", "电话"]), None);
        assert_eq!(fit("register", "name", &["党组织", "名称"]), None);
        assert_eq!(fit("register", "party_org", &["党组织", "名称"]), Some(Fit::Synonym));
        assert_eq!(fit("register", "name", &["基本情况", "名称"]), Some(Fit::Own));
        assert_eq!(fit("register", "secretary", &["书记", "姓名"]), Some(Fit::Synonym));
    }

    #[test]
    fn a_listed_heading_below_something_else_is_something_else() {
        assert_eq!(fit("progress", "party_orgs_single", &["新建党组织", "单独组建"]), None);
        assert_eq!(fit("progress", "members", &["上年同期", "党员总数"]), None);
    }

    #[test]
    fn what_a_person_confirmed_is_surest_and_only_as_a_whole() {
        let mut campaign = Campaign::builtin();
        campaign.learn("progress", "orgs_covered", vec!["党建".to_owned(), "户数".to_owned()]);
        let vocabulary = Vocabulary::new(&campaign, campaign.form("progress").unwrap());
        let column = vocabulary.form.columns.iter().position(|c| c.key == "orgs_covered").unwrap();
        let fit =
            |path: &[&str]| vocabulary.listed(column, &path.iter().map(|p| vocabulary.key(p)).collect::<Vec<_>>());
        assert_eq!(fit(&["党建", "户数（户）"]), Some(Fit::Learned));
        assert_eq!(fit(&["户数"]), None);
    }
}
