//! Headings: how one is compared with those that a form lists. Pure.
//!
//! A column's heading is a *path*, group first: `["新建党组织", "上月"]`. A listed heading is read; one that differs only in
//! words that ask nothing else *resembles* it (rule H01); anything else is left alone.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::definition::{Campaign, Column, ColumnKind, Form, HeadingWords};

/// A heading reduced to what is compared: NFKC, lower case, no white space, punctuation, 其中 or remark in brackets.
pub fn key(text: &str, words: &HeadingWords) -> String {
    let text: String = text.nfkc().collect::<String>().to_lowercase();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find(['(', '[', '【', '〔']) {
        out.push_str(&bare(&rest[..open]));
        let inner = &rest[open..];
        let close = inner.find([')', ']', '】', '〕']).unwrap_or(inner.len());
        let remark = &inner[..close];
        if !words.notes.iter().any(|n| squash(n) == squash(remark)) {
            out.push_str(&bare(remark));
        }
        rest = &inner[close..];
    }
    out.push_str(&bare(rest));
    let stripped = words.prefixes.iter().find_map(|p| out.strip_prefix(p.as_str())).filter(|s| !s.is_empty());
    stripped.map(str::to_owned).unwrap_or(out)
}

/// Letters, digits and Chinese characters only.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// As [`bare`], but a remark that is nothing but a sign (`%`) keeps it.
fn squash(text: &str) -> String {
    let text: String = text.nfkc().filter(|c| !c.is_whitespace() && !"()[]【】〔〕".contains(*c)).collect();
    let letters = bare(&text);
    if letters.is_empty() { text } else { letters }
}

/// How well a path fits a column. Ordered: a listed heading of the blank form beats a synonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Not listed, but close enough to ask a person.
    Near,
    /// Differs from a listed heading only in filler words.
    Resembles,
    /// Listed as another heading for the same thing.
    Synonym,
    /// The blank form's own heading.
    Own,
}

/// The headings of one form, made ready for comparison.
pub struct Vocabulary<'a> {
    pub form: &'a Form,
    words: &'a HeadingWords,
    neutral: BTreeSet<String>,
    groups: BTreeSet<String>,
    columns: Vec<Listed>,
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
    /// Group and leaf in one cell, in either order.
    joined: BTreeSet<String>,
    count: bool,
}

impl<'a> Vocabulary<'a> {
    pub fn new(campaign: &'a Campaign, form: &'a Form) -> Self {
        let words = &campaign.headings;
        let groups = form.groups.iter().flat_map(|g| std::iter::once(&g.name).chain(&g.synonyms));
        let columns = form.columns.iter().map(|c| Listed::new(c, form, words)).collect();
        Self {
            form,
            words,
            neutral: words.neutral.iter().map(|n| key(n, words)).collect(),
            groups: groups.map(|g| key(g, words)).collect(),
            columns,
        }
    }

    pub fn key(&self, text: &str) -> String {
        key(text, self.words)
    }

    /// The column that a heading standing alone is listed for, as on a card.
    pub fn label(&self, key: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|c| !c.shared && c.leaf == key)
            .or_else(|| self.columns.iter().position(|c| c.synonyms.contains(key)))
    }

    /// The column that a heading means below a group, as on a card with the group's name beside the label.
    pub fn label_within(&self, group: &str, key: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.own_groups.contains(group) && (c.within.contains(key) || c.leaf == key))
    }

    pub fn is_group(&self, key: &str) -> bool {
        self.groups.contains(key)
    }

    /// A heading, group or part of one of this form.
    pub fn knows(&self, key: &str) -> bool {
        let leaf =
            |c: &Listed| c.leaf == key || c.synonyms.contains(key) || c.within.contains(key) || c.joined.contains(key);
        self.groups.contains(key) || self.columns.iter().any(leaf)
    }

    pub fn is_neutral(&self, key: &str) -> bool {
        self.neutral.contains(key)
    }

    /// How a path of keys (top row first) fits the form's column number `column`.
    pub fn fit(&self, column: usize, path: &[String]) -> Option<Fit> {
        let listed = &self.columns[column];
        let (leaf, above) = path.split_last()?;
        let above: Vec<&str> = above.iter().map(String::as_str).filter(|k| !self.neutral.contains(*k)).collect();
        let in_group = above.iter().any(|g| listed.own_groups.contains(*g));
        let alien = !above.is_empty() && !in_group;
        let listed_leaf = listed.leaf == *leaf && (!listed.shared || in_group);
        let joined_leaf = listed.joined.contains(leaf) || listed.synonyms.contains(leaf);
        // 单独组建 below 新建党组织, 党员总数 below 上年同期, 电话 below a group of no form: something else, or anybody's.
        let elsewhere = |g: &&str| self.groups.contains(*g) || self.forbids(g);
        if (listed_leaf || joined_leaf) && alien && (listed.bare.contains(leaf) || above.iter().any(elsewhere)) {
            return (!above.iter().any(elsewhere)).then_some(Fit::Near);
        }
        if listed_leaf {
            return Some(Fit::Own);
        }
        let with_group = above.last().map(|g| format!("{g}{leaf}"));
        let joined_path = with_group
            .as_ref()
            .is_some_and(|p| listed.synonyms.contains(p) || listed.joined.contains(p) || listed.leaf == *p);
        if joined_leaf || joined_path || in_group && listed.within.contains(leaf) {
            return Some(Fit::Synonym);
        }
        self.resemblance(listed, leaf, in_group, alien)
    }

    fn forbids(&self, key: &str) -> bool {
        self.words.forbidding.iter().any(|w| key.contains(w.as_str()))
    }

    fn resemblance(&self, listed: &Listed, leaf: &str, in_group: bool, alien: bool) -> Option<Fit> {
        if self.forbids(leaf) {
            return None;
        }
        let skeleton = self.skeleton(leaf, listed.count);
        let same = |k: &String| self.skeleton(k, listed.count) == skeleton;
        let loose = || listed.synonyms.iter().chain(&listed.joined).filter(|k| !listed.bare.contains(*k));
        let alone = (!listed.shared && same(&listed.leaf)) || loose().any(same);
        let below = in_group && (same(&listed.leaf) || listed.within.iter().any(same));
        // A skeleton of one character (数, 人) says nothing.
        if skeleton.chars().count() > 1 && (below || alone && !alien) {
            return Some(Fit::Resembles);
        }
        let near = |k: &String| alike(k, leaf) >= 0.6;
        let mut names = std::iter::once(&listed.leaf).filter(|_| !listed.shared).chain(loose());
        names.any(near).then_some(Fit::Near)
    }

    /// The key without the words that ask nothing.
    fn skeleton(&self, key: &str, count: bool) -> String {
        let mut out = key.to_owned();
        let counts = self.words.count_fillers.iter().filter(|_| count);
        for filler in self.words.fillers.iter().chain(counts) {
            out = out.replace(filler.as_str(), "");
        }
        out
    }
}

impl Listed {
    fn new(column: &Column, form: &Form, words: &HeadingWords) -> Self {
        let keys = |list: &[String]| list.iter().map(|t| key(t, words)).collect::<BTreeSet<_>>();
        let leaf = key(column.leaf(), words);
        let shared = form.columns.iter().filter(|c| key(c.leaf(), words) == leaf).count() > 1;
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
            for part in within.iter().chain([&leaf]) {
                joined.insert(format!("{group}{part}"));
                joined.insert(format!("{part}{group}"));
            }
        }
        Self {
            leaf,
            shared,
            own_groups,
            synonyms: keys(&column.synonyms),
            within,
            bare: keys(&column.bare),
            joined,
            count: column.kind == ColumnKind::Count,
        }
    }
}

/// Likeness of two texts by their pairs of characters (Dice's coefficient), 0 to 1.
fn alike(a: &str, b: &str) -> f64 {
    let pairs = |s: &str| {
        let chars: Vec<char> = s.chars().collect();
        chars.windows(2).map(|w| (w[0], w[1])).collect::<BTreeSet<_>>()
    };
    let (a, b) = (pairs(a), pairs(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(form: &str, column: &str, path: &[&str]) -> Option<Fit> {
        let campaign = Campaign::builtin();
        let form = campaign.form(form).unwrap();
        let vocabulary = Vocabulary::new(&campaign, form);
        let path: Vec<String> = path.iter().map(|p| vocabulary.key(p)).collect();
        vocabulary.fit(form.columns.iter().position(|c| c.key == column).unwrap(), &path)
    }

    #[test]
    fn layout_in_a_heading_does_not_matter() {
        let words = Campaign::builtin().headings;
        for text in ["组织覆盖率（%）", "组 织\n覆盖率", "组织覆盖率%", "组织覆盖率 （％）", "其中：组织覆盖率"]
        {
            assert_eq!(key(text, &words), "组织覆盖率", "{text}");
        }
        assert_eq!(key("法定代表人（负责人）", &words), "法定代表人负责人");
        assert_eq!(key("№", &words), "no");
        assert_eq!(key("其中", &words), "其中");
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
    fn opposites_never_resemble_each_other() {
        for (form, column, heading) in [
            ("progress", "members_transferred", "未转组织关系"),
            ("progress", "org_coverage", "工作覆盖率"),
            ("progress", "orgs", "个体工商户数"),
            ("register", "members", "正式党员数"),
            ("register", "instructor", "党建联络员"),
            ("progress", "members", "上年党员总数"),
            ("register", "union", "工会人数"),
        ] {
            assert!(fit(form, column, &[heading]) < Some(Fit::Resembles), "{heading}");
        }
        assert_eq!(fit("progress", "party_orgs_single", &["新建党组织", "单独组建"]), None);
        assert_eq!(fit("progress", "members", &["上年同期", "党员总数"]), None);
    }

    #[test]
    fn filler_words_are_resemblance() {
        assert_eq!(fit("progress", "members", &["党员总人数"]), Some(Fit::Resembles));
        assert_eq!(fit("register", "members_full", &["正式党员总数"]), Some(Fit::Resembles));
        assert_eq!(fit("progress", "orgs_3plus", &["3名以上正式党员的组织"]), Some(Fit::Resembles));
    }
}
