//! One reading of a table's columns: which column is which of the form's, and what is left unsure. Pure.
//!
//! A field goes to the column that fits it best, if no other fits as well. Ties are never broken by position.

use super::heading::{Fit, Vocabulary};

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
    /// Fields that several headings fit equally, or that only a near one fits.
    pub doubts: Vec<(usize, Vec<usize>)>,
    /// Headings that are read as nothing.
    pub unread: Vec<usize>,
}

impl Assignment {
    pub fn has(&self, field: usize) -> bool {
        self.read.iter().any(|(f, _)| *f == field)
    }
}

pub fn assign(vocabulary: &Vocabulary<'_>, headings: &[Heading]) -> Assignment {
    let fields = vocabulary.form.columns.len();
    let mut result = Assignment::default();
    let mut taken_fields = vec![false; fields];
    let mut taken_headings = vec![false; headings.len()];
    for (field, heading) in told_by_place(vocabulary, headings) {
        (taken_fields[field], taken_headings[heading]) = (true, true);
        result.read.push((field, heading));
        result.resembling.push((field, heading));
    }
    let sure = [Fit::Own, Fit::Synonym, Fit::Resembles];
    let visible = sure.iter().map(|level| (*level, false));
    for (level, hidden) in visible.chain(sure.iter().map(|level| (*level, true))).chain([(Fit::Near, false)]) {
        let fits = |f: usize, h: usize| match level {
            _ if is_lost(vocabulary, headings, f, h) => Some(Fit::Near),
            Fit::Own | Fit::Synonym => vocabulary.listed(f, &headings[h].path),
            Fit::Resembles | Fit::Near => vocabulary.likeness(f, &headings[h].path),
        };
        let free: Vec<(usize, usize)> = (0..fields)
            .filter(|f| !taken_fields[*f])
            .flat_map(|f| (0..headings.len()).map(move |h| (f, h)))
            .filter(|(f, h)| headings[*h].hidden == hidden && !taken_headings[*h] && fits(*f, *h) == Some(level))
            .collect();
        for (field, taken) in taken_fields.iter_mut().enumerate() {
            let claims: Vec<usize> = free.iter().filter(|(f, _)| *f == field).map(|(_, h)| *h).collect();
            let Some(first) = claims.first() else { continue };
            let alone = claims.len() == 1 && free.iter().filter(|(_, h)| h == first).count() == 1;
            *taken = true;
            if alone && level > Fit::Near {
                taken_headings[*first] = true;
                result.read.push((field, *first));
                if level == Fit::Resembles {
                    result.resembling.push((field, *first));
                }
            } else {
                // Contested headings stay free for the other fields of this level, and are nobody's afterwards.
                result.doubts.push((field, claims));
            }
        }
        for (_, claims) in &result.doubts {
            claims.iter().for_each(|h| taken_headings[*h] = true);
        }
    }
    result.read.sort_unstable();
    result.unread = (0..headings.len()).filter(|h| !result.read.iter().any(|(_, r)| r == h)).collect();
    result
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

/// A heading that its neighbours make doubtful.
fn is_lost(vocabulary: &Vocabulary<'_>, headings: &[Heading], field: usize, heading: usize) -> bool {
    let known = |h: Option<usize>| {
        let path = &headings.get(h?)?.path;
        (0..vocabulary.form.columns.len()).find(|f| vocabulary.listed(*f, path).is_some())
    };
    vocabulary.leans(field, &headings[heading].path)
        && vocabulary.is_lost(field, [known(heading.checked_sub(1)), known(Some(heading + 1))])
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
        let found = assign(&vocabulary, &headings);
        (
            found.read.iter().map(|(f, h)| (key(*f), headings[*h].column)).collect(),
            found.doubts.iter().map(|(f, _)| key(*f)).collect(),
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
        let (read, doubts) = read(&[&["企业名称"], &["组建形式类别"]]);
        assert_eq!(read, [("name".to_owned(), 0)]);
        assert_eq!(doubts, ["party_org_kind"]);
    }
}
