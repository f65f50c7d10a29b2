//! Headings: how one is compared with those that a form lists. Pure.
//!
//! A column's heading is a *path*, group first: `["新建党组织", "上月"]`. A listed heading is read; one that differs only in
//! words that ask nothing else *resembles* it (rule H01); anything else is left alone.

use std::collections::{BTreeSet, HashSet};

use unicode_normalization::UnicodeNormalization;

use super::definition::{Campaign, Column, ColumnKind, Form, HeadingWords};
use crate::workbook::{Cell, CellValue};

/// Bytes of a heading, its layout included.
const LONGEST: usize = 300;

/// A heading reduced to what is compared: NFKC, lower case, no white space, punctuation, number in front, 其中 or remark
/// in brackets.
pub fn key(text: &str, words: &HeadingWords) -> String {
    let circled = |c: char| matches!(c, '\u{2460}'..='\u{2473}');
    let text: String = text.trim_start().trim_start_matches(circled).nfkc().collect::<String>().to_lowercase();
    let mut out = String::new();
    let mut rest = unnumbered(&text);
    while let Some(open) = rest.find(['(', '[', '【', '〔']) {
        out.push_str(&bare(&rest[..open]));
        let inner = &rest[open..];
        let close = inner.find([')', ']', '】', '〕']).unwrap_or(inner.len());
        let remark = &inner[..close];
        if !words.notes.iter().any(|n| squash(n) == squash(remark)) && !lists_choices(remark, words) {
            out.push_str(&bare(remark));
        }
        rest = &inner[close..];
    }
    out.push_str(&bare(rest));
    let stripped = words.prefixes.iter().find_map(|p| out.strip_prefix(p.as_str())).filter(|s| !s.is_empty());
    stripped.map(str::to_owned).unwrap_or(out)
}

/// `3.党员总数`, `（三）党员总数`, `三、党员总数` without the number.
fn unnumbered(text: &str) -> &str {
    let text = text.trim_start();
    let (inner, bracketed) = text.strip_prefix('(').map_or((text, false), |inner| (inner, true));
    let rest = inner.trim_start_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
    let length = inner.len() - rest.len();
    let signs: &[char] = if bracketed { &[')'] } else { &['.', '、', ')', '．'] };
    match rest.strip_prefix(signs) {
        Some(after) if (1..=6).contains(&length) && !after.starts_with(|c: char| c.is_ascii_digit()) => after,
        _ => text,
    }
}

/// `(单独/联合/未建`: nothing but what may be filled in.
fn lists_choices(remark: &str, words: &HeadingWords) -> bool {
    let parts: Vec<String> =
        remark.split(['/', '、', ',', '|', ';', '或', '(', '[', ' ']).map(squash).filter(|p| !p.is_empty()).collect();
    parts.len() > 1 && parts.iter().all(|p| words.choices.contains(p))
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
    /// What an unlisted heading may be like.
    loose: Vec<Loose>,
    count: bool,
}

/// A listed heading for comparison with unlisted ones.
struct Loose {
    skeleton: String,
    pairs: Vec<(char, char)>,
    /// It means the column only below one of its groups.
    needs_group: bool,
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
        let known = columns.iter().flat_map(parts).chain(groups.iter().cloned()).filter(|k| !total(k)).collect();
        Self { form, words, neutral: words.neutral.iter().map(|n| key(n, words)).collect(), groups, columns, known }
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
        self.columns
            .iter()
            .position(|c| !c.shared && c.leaf == key)
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

    /// How far an unlisted path is like the headings of a column.
    pub fn likeness(&self, column: usize, path: &[String]) -> Option<Fit> {
        let listed = &self.columns[column];
        let Under { leaf, above, in_group, alien } = self.under(listed, path)?;
        if self.forbids(leaf) || above.iter().any(|g| self.forbids(g) || alien && self.groups.contains(*g)) {
            return None;
        }
        if alien && listed.bare.contains(leaf) {
            return Some(Fit::Near);
        }
        let skeleton = self.skeleton(leaf, listed.count);
        let same = listed.loose.iter().any(|l| l.skeleton == skeleton && (in_group || !l.needs_group && !alien));
        // A skeleton of one character (数, 人) says nothing.
        if same && skeleton.chars().count() > 1 {
            return Some(Fit::Resembles);
        }
        let leaf = pairs(leaf);
        listed.loose.iter().any(|l| !l.needs_group && alike(&l.pairs, &leaf) >= 0.6).then_some(Fit::Near)
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

    fn skeleton(&self, key: &str, count: bool) -> String {
        skeleton(key, count, self.words)
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

/// The key without the words that ask nothing.
fn skeleton(key: &str, count: bool, words: &HeadingWords) -> String {
    let mut out = key.to_owned();
    let counts = words.count_fillers.iter().filter(|_| count);
    for filler in words.fillers.iter().chain(counts) {
        if out.contains(filler.as_str()) {
            out = out.replace(filler.as_str(), "");
        }
    }
    out
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
        let count = column.kind == ColumnKind::Count;
        let anywhere = synonyms.iter().chain(&joined).filter(|k| !bare.contains(*k)).map(|k| (k.clone(), false));
        let loose = anywhere
            .chain(within.iter().map(|k| (k.clone(), true)))
            .chain([(leaf.to_owned(), shared)])
            .map(|(key, needs_group)| Loose { skeleton: skeleton(&key, count, words), pairs: pairs(&key), needs_group })
            .collect();
        Self { leaf: leaf.to_owned(), shared, own_groups, synonyms, within, bare, apart, joined, loose, count }
    }
}

/// The pairs of neighbouring characters of a text.
fn pairs(text: &str) -> Vec<(char, char)> {
    text.chars().zip(text.chars().skip(1)).collect()
}

/// Likeness of two texts by their pairs of characters (Dice's coefficient), 0 to 1.
fn alike(a: &[(char, char)], b: &[(char, char)]) -> f64 {
    let shared = a.iter().filter(|p| b.contains(p)).count();
    if a.is_empty() || b.is_empty() { 0.0 } else { 2.0 * shared as f64 / (a.len() + b.len()) as f64 }
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
        vocabulary.listed(column, &path).or_else(|| vocabulary.likeness(column, &path))
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
    fn a_number_in_front_of_a_heading_does_not_matter() {
        let words = Campaign::builtin().headings;
        for text in [
            "6.党员总数",
            "6、党员总数",
            "（6）党员总数",
            "（六）党员总数",
            "六、党员总数",
            "⑥党员总数",
            "12. 党员总数",
        ] {
            assert_eq!(key(text, &words), "党员总数", "{text}");
        }
        assert_eq!(key("3名以上党员企业数", &words), "3名以上党员企业数");
        assert_eq!(key("一户", &words), "一户");
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
