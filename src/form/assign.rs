//! One reading of a table's columns: which column is which of the form's, and what is left unsure. Pure.
//!
//! Listed headings come first, level by level, and ties among them are never broken by position. What is left is read by
//! all the evidence there is ([`evidence`](super::evidence)), in one pairing that is best as a whole; what is not clearly
//! better than any other reading is asked about.

use super::evidence::{Evidence, MARGIN};
use super::heading::{Fit, Vocabulary};
use super::matching;
use super::sample::Sample;

/// A column of a table with its heading.
#[derive(Clone, Debug)]
pub struct Heading {
    pub column: u32,
    /// The lowest heading cell, for H01 and quoting.
    pub row: u32,
    /// Keys, top row first.
    pub path: Vec<String>,
    /// As it stands on the sheet, in one line.
    pub shown: String,
    /// The column is hidden: it is read only where no visible one is.
    pub hidden: bool,
}

/// Indexes of the form's columns and of the headings.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// (field, heading), in the form's order.
    pub read: Vec<(usize, usize)>,
    /// Those of `read` that were read by resemblance.
    pub resembling: Vec<(usize, usize)>,
    pub questions: Vec<Question>,
    /// Headings that are read as nothing.
    pub unread: Vec<usize>,
}

/// A field that several headings fit equally, or that none fits surely.
#[derive(Clone, Debug)]
pub struct Question {
    pub field: usize,
    /// The likeliest first.
    pub headings: Vec<usize>,
    /// The headings are listed for the field.
    pub listed: bool,
}

impl Assignment {
    pub fn has(&self, field: usize) -> bool {
        self.read.iter().any(|(f, _)| *f == field)
    }

    pub fn asks(&self, field: usize) -> Option<&Question> {
        self.questions.iter().find(|q| q.field == field)
    }
}

pub fn assign(vocabulary: &Vocabulary<'_>, headings: &[Heading], sample: &Sample<'_>) -> Assignment {
    let mut reader = Reader {
        evidence: Evidence::new(vocabulary, headings, sample),
        result: Assignment::default(),
        spent: vec![false; headings.len()],
    };
    for (field, heading) in told_by_place(vocabulary, headings) {
        reader.take(field, heading);
        reader.result.resembling.push((field, heading));
    }
    for hidden in [false, true] {
        for level in [Fit::Learned, Fit::Own, Fit::Synonym] {
            reader.listed(hidden, |reader, f, h| {
                let path = &reader.evidence.headings[h].path;
                !reader.evidence.leans(f, h) && reader.evidence.vocabulary.listed(f, path) == Some(level)
            });
        }
        while reader.resembling(hidden) {}
        reader.listed(hidden, |reader, f, h| reader.evidence.leans(f, h) && !reader.evidence.is_lost(f, h));
    }
    reader.ask();
    let mut result = reader.result;
    result.read.sort_unstable();
    result.resembling.sort_unstable();
    result.questions.sort_by_key(|q| q.field);
    result.unread = (0..headings.len()).filter(|h| !result.read.iter().any(|(_, r)| r == h)).collect();
    result
}

/// A table on the way to being read.
struct Reader<'a> {
    evidence: Evidence<'a>,
    result: Assignment,
    /// Headings that are read, or that fields contest: nobody's afterwards.
    spent: Vec<bool>,
}

impl Reader<'_> {
    fn take(&mut self, field: usize, heading: usize) {
        self.spent[heading] = true;
        self.evidence.layout[field] = Some(heading);
        self.result.read.push((field, heading));
    }

    fn free_fields(&self) -> Vec<usize> {
        (0..self.evidence.layout.len()).filter(|f| !self.result.has(*f) && self.result.asks(*f).is_none()).collect()
    }

    fn free_headings(&self, hidden: bool) -> Vec<usize> {
        let headings = self.evidence.headings;
        (0..headings.len()).filter(|h| headings[*h].hidden == hidden && !self.spent[*h]).collect()
    }

    /// Reads the fields that one heading alone is listed for, and asks about those for which several are.
    fn listed(&mut self, hidden: bool, fits: impl Fn(&Self, usize, usize) -> bool) {
        let (fields, headings) = (self.free_fields(), self.free_headings(hidden));
        let fit = |f: usize| headings.iter().filter(|h| fits(self, f, **h)).copied().collect::<Vec<usize>>();
        let claims: Vec<(usize, Vec<usize>)> =
            fields.into_iter().map(|f| (f, fit(f))).filter(|(_, c)| !c.is_empty()).collect();
        let claimed = |h: usize| claims.iter().filter(|(_, c)| c.contains(&h)).count();
        let alone = |c: &[usize]| c.len() == 1 && claimed(c[0]) == 1;
        for (field, headings) in &claims {
            match headings.as_slice() {
                [one] if alone(headings) => self.take(*field, *one),
                _ => {
                    headings.iter().for_each(|h| self.spent[*h] = true);
                    let question = Question { field: *field, headings: headings.clone(), listed: true };
                    self.result.questions.push(question);
                }
            }
        }
    }

    /// Reads what the evidence makes clear; `true` if there was anything, so that it can be evidence for the rest.
    fn resembling(&mut self, hidden: bool) -> bool {
        let (fields, headings) = (self.free_fields(), self.free_headings(hidden));
        let weigh = |f: &usize| headings.iter().map(|h| self.evidence.weight(*f, *h)).collect();
        let weights: Vec<Vec<f64>> = fields.iter().map(weigh).collect();
        let paired = matching::best(&weights);
        let pairs: Vec<(usize, usize)> =
            paired.iter().enumerate().filter_map(|(row, c)| Some((fields[row], headings[(*c)?]))).collect();
        let margin = |row: usize| matching::margin(&weights, &paired, row);
        let clear: Vec<(usize, usize)> = (0..fields.len())
            .filter_map(|row| Some((row, fields[row], headings[paired[row]?])))
            .filter(|(row, f, h)| self.evidence.is_clear(*f, *h, (&pairs, &headings)) && margin(*row) >= MARGIN)
            .map(|(_, f, h)| (f, h))
            .collect();
        for (field, heading) in &clear {
            self.take(*field, *heading);
            self.result.resembling.push((*field, *heading));
        }
        !clear.is_empty()
    }

    /// Asks about the fields that are left and have something like them among the headings that are left.
    fn ask(&mut self) {
        let (fields, headings) = (self.free_fields(), self.free_headings(false));
        let questions = fields.iter().filter_map(|field| {
            let headings = self.evidence.candidates(*field, &fields, &headings);
            (!headings.is_empty()).then_some(Question { field: *field, headings, listed: false })
        });
        let questions: Vec<Question> = questions.collect();
        self.result.questions.extend(questions);
        let asked = |h: &usize| self.result.questions.iter().any(|q| q.headings.contains(h));
        let left: Vec<usize> = headings.into_iter().filter(|h| !asked(h)).collect();
        for field in self.free_fields() {
            let headings: Vec<usize> = left.iter().copied().filter(|h| self.evidence.is_dropped(field, *h)).collect();
            if !headings.is_empty() {
                self.result.questions.push(Question { field, headings, listed: false });
            }
        }
    }
}

/// One of two equal headings that stands right behind the column it goes with: 书记姓名, 联系电话. The sender is told.
fn told_by_place(vocabulary: &Vocabulary<'_>, headings: &[Heading]) -> Vec<(usize, usize)> {
    let listed = |field: usize, h: usize| !headings[h].hidden && vocabulary.listed(field, &headings[h].path).is_some();
    let mut told = Vec::new();
    for field in (0..vocabulary.form.columns.len()).filter(|f| (0..headings.len()).all(|h| !listed(*f, h))) {
        let placed: Vec<usize> = (1..headings.len())
            .filter(|h| vocabulary.behind(field, &headings[*h].path).is_some_and(|front| listed(front, h - 1)))
            .collect();
        let [one] = placed.as_slice() else { continue };
        let twin = |h: usize| h != *one && !headings[h].hidden && headings[h].path.last() == headings[*one].path.last();
        if (0..headings.len()).filter(|h| twin(*h)).count() == 1 {
            told.push((field, *one));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    fn read(headings: &[&[&str]]) -> (Vec<(String, u32)>, Vec<String>) {
        let campaign = Campaign::builtin();
        let vocabulary = Vocabulary::new(&campaign, campaign.form("register").unwrap());
        let headings: Vec<Heading> = headings
            .iter()
            .enumerate()
            .map(|(i, path)| Heading {
                column: i as u32,
                row: 0,
                path: path.iter().map(|p| vocabulary.key(p)).collect(),
                shown: path.join("/"),
                hidden: path[0].starts_with('~'),
            })
            .collect();
        let key = |f: usize| vocabulary.form.columns[f].key.clone();
        let found = assign(&vocabulary, &headings, &Sample::default());
        (
            found.read.iter().map(|(f, h)| (key(*f), headings[*h].column)).collect(),
            found.questions.iter().map(|q| key(q.field)).collect(),
        )
    }

    #[test]
    fn the_forms_own_heading_wins_over_a_synonym() {
        let (read, doubts) = read(&[&["电话"], &["联系电话"], &["企业名称"]]);
        assert_eq!(read, [("name".to_owned(), 2), ("phone".to_owned(), 1)]);
        assert!(doubts.is_empty());
    }

    #[test]
    fn two_headings_that_fit_equally_are_not_chosen_between() {
        let (read, doubts) = read(&[&["企业名称"], &["单位名称"], &["党员总数"]]);
        assert_eq!(read, [("members".to_owned(), 2)]);
        assert_eq!(doubts, ["name"]);
    }

    #[test]
    fn a_hidden_column_gives_way_to_a_visible_one() {
        let (read, doubts) = read(&[&["企业名称"], &["~单位名称"], &["~党员总数"]]);
        assert_eq!(read, [("name".to_owned(), 0), ("members".to_owned(), 2)]);
        assert!(doubts.is_empty());
    }

    #[test]
    fn a_heading_that_may_be_the_organisations_own_is_not_read_beside_its_columns() {
        let party = read(&[&["企业名称"], &["党组织名称"], &["成立时间"], &["备注"]]);
        assert!(party.0.contains(&("founded".to_owned(), 2)) && party.1.is_empty());
        let group = read(&[&["企业名称"], &["党组织", "成立时间"]]);
        assert!(group.0.contains(&("founded".to_owned(), 1)));
        let own = read(&[&["企业名称"], &["成立时间"], &["地址"], &["党组织名称"]]);
        assert!(own.0.iter().all(|(key, _)| key != "founded"));
        assert_eq!(own.1, ["founded"]);
        let end = read(&[&["企业名称"], &["地址"], &["成立时间"], &["党员总数"]]);
        assert_eq!(end.1, ["founded"]);
        let work = read(&[&["企业名称"], &["指导员单位"], &["成立时间"], &["党员总数"]]);
        assert!(work.0.contains(&("founded".to_owned(), 2)) && work.1.is_empty());
        let both = read(&[&["企业名称"], &["成立时间"], &["地址"], &["党组织成立时间"]]);
        assert!(both.0.contains(&("founded".to_owned(), 3)) && both.1.is_empty());
    }

    #[test]
    fn one_of_two_equal_headings_is_told_by_the_column_in_front_of_it() {
        let (found, doubts) = read(&[&["企业名称"], &["法人"], &["联系电话"], &["书记姓名"], &["联系电话"]]);
        assert!(found.contains(&("phone".to_owned(), 2)) && found.contains(&("secretary_phone".to_owned(), 4)));
        assert!(doubts.is_empty());
        let alone = read(&[&["企业名称"], &["书记姓名"], &["联系电话"]]).0;
        assert!(alone.contains(&("phone".to_owned(), 2)), "the form's own heading");
        let three = read(&[&["联系电话"], &["书记姓名"], &["联系电话"], &["指导员姓名"], &["联系电话"]]);
        assert_eq!(three.1, ["phone"]);
        let neither = read(&[&["企业名称"], &["联系电话"], &["备注"], &["联系电话"]]);
        assert_eq!(neither.1, ["phone"]);
    }

    #[test]
    fn a_near_heading_is_asked_about_not_read() {
        let (read, doubts) = read(&[&["企业名称"], &["党员同志数"]]);
        assert_eq!(read, [("name".to_owned(), 0)]);
        assert_eq!(doubts, ["members"]);
    }
}
