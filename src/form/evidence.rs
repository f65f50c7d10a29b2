//! What speaks for a heading as one of the form's columns, and what against it: the words, the values below it, its
//! neighbours, and the form's identities as witnesses. Pure.
//!
//! The bounds are set so that no renamed heading of the tests is read as the wrong column; better evidence, not lower
//! bounds, is how more are read.

use super::assign::Heading;
use super::heading::Vocabulary;
use super::sample::{Agreement, Sample};
use super::witness::{Testimony, Witness};

/// As like as a heading must be to be read by its words.
const READ: f64 = 0.85;
/// As like as it must be where the values leave no other reading.
const CONFIRMED: f64 = 0.4;
/// As like as it must be to be asked about.
const ASKED: f64 = 0.5;
/// As like as it must be to be asked about where the form cannot do without the column.
const FEW: f64 = 0.3;
/// Nothing but words that ask nothing else tells it from a listed one.
const SAME: f64 = 0.999;
/// How much better than any other a reading must be.
pub const MARGIN: f64 = 0.15;
/// What an identity that holds or breaks adds or takes; less than two different meanings do.
const WITNESSED: f64 = 0.3;
/// What a neighbour in the form's order adds: less than the margin, as order alone decides nothing.
const BESIDE: f64 = 0.03;
/// How much likelier a heading may be another open column's and still be asked about.
const TIED: f64 = 0.1;
/// How far behind the likeliest a heading may be and still be asked about.
const BEHIND: f64 = 0.25;

pub struct Evidence<'a> {
    pub vocabulary: &'a Vocabulary<'a>,
    pub headings: &'a [Heading],
    /// Heading of each field that has been read.
    pub layout: Vec<Option<usize>>,
    witness: Witness<'a>,
    /// Likeness of each heading to each field, where the values below it allow it.
    likeness: Vec<Vec<Option<f64>>>,
}

impl<'a> Evidence<'a> {
    pub fn new(vocabulary: &'a Vocabulary<'a>, headings: &'a [Heading], sample: &'a Sample<'a>) -> Self {
        let fields = 0..vocabulary.form.columns.len();
        let listed = |h: &Heading| fields.clone().any(|f| vocabulary.listed(f, &h.path).is_some());
        let of = |h: usize| -> Vec<Option<f64>> {
            if headings[h].path.is_empty() || listed(&headings[h]) {
                return vec![None; fields.len()];
            }
            let mut likeness = vocabulary.likeness.of(&headings[h].path);
            for (like, column) in likeness.iter_mut().zip(&vocabulary.form.columns) {
                if *like > Some(0.0) && sample.agreement(h, column) == Agreement::Against {
                    *like = None;
                }
            }
            likeness
        };
        Self {
            vocabulary,
            headings,
            layout: vec![None; vocabulary.form.columns.len()],
            witness: Witness { form: vocabulary.form, sample },
            likeness: (0..headings.len()).map(of).collect(),
        }
    }

    fn like(&self, field: usize, heading: usize) -> f64 {
        self.likeness[heading][field].unwrap_or(0.0)
    }

    /// The heading may be the organisation's own: what stands beside it and below it decides.
    pub fn leans(&self, field: usize, heading: usize) -> bool {
        self.vocabulary.leans(field, &self.headings[heading].path)
    }

    /// A heading that [leans](Self::leans), and neither the values below it nor its neighbours hold it.
    pub fn is_lost(&self, field: usize, heading: usize) -> bool {
        let mut layout = self.layout.clone();
        layout[field] = Some(heading);
        let known = |h: Option<usize>| {
            let path = &self.headings.get(h?)?.path;
            let read = self.layout.iter().position(|l| *l == h);
            read.or_else(|| (0..self.layout.len()).find(|f| self.vocabulary.listed(*f, path).is_some()))
        };
        let neighbours = || [known(heading.checked_sub(1)), known(Some(heading + 1))];
        let held = self.witness.hear_unless(&layout, field);
        held.map_or_else(|| self.vocabulary.is_lost(field, neighbours()), |held| !held)
    }

    /// What the pairing weighs; 0 for what is out of the question.
    pub fn weight(&self, field: usize, heading: usize) -> f64 {
        let like = self.like(field, heading);
        if like < CONFIRMED {
            return 0.0;
        }
        let said = self.hear(field, heading, &[]);
        let witnessed = match said {
            _ if said.confirms() || self.tells(field, heading) => WITNESSED,
            _ if said.speaks_against() => -WITNESSED,
            _ => 0.0,
        };
        (like + witnessed + self.beside(field, heading)).max(0.0)
    }

    /// Neighbours that the form has beside this column as well.
    fn beside(&self, field: usize, heading: usize) -> f64 {
        let read =
            |f: Option<usize>, h: Option<usize>| h.is_some() && f.is_some_and(|f| self.layout.get(f) == Some(&h));
        let left = read(field.checked_sub(1), heading.checked_sub(1));
        let right = read(Some(field + 1), Some(heading + 1));
        f64::from(u8::from(left) + u8::from(right)) * BESIDE
    }

    fn hear(&self, field: usize, heading: usize, others: &[(usize, usize)]) -> Testimony {
        let mut layout = self.layout.clone();
        for (f, h) in others.iter().filter(|(f, h)| self.like(*f, *h) >= READ) {
            layout[*f] = Some(*h);
        }
        layout[field] = Some(heading);
        self.witness.hear(&layout, field)
    }

    fn tells(&self, field: usize, heading: usize) -> bool {
        self.witness.sample.tells(heading, &self.vocabulary.form.columns[field])
    }

    /// How much likelier a heading is this field's than one that is read already.
    fn ahead(&self, field: usize, heading: usize) -> f64 {
        let read = (0..self.layout.len()).filter(|f| self.layout[*f].is_some());
        let elsewhere = read.map(|f| self.like(f, heading)).fold(0.0, f64::max);
        self.like(field, heading) - elsewhere
    }

    /// Whether a heading is surely this field's, beside the other pairs and the headings that are free. The margin over
    /// other pairings is the caller's to see.
    pub fn is_clear(&self, field: usize, heading: usize, (pairs, free): (&[(usize, usize)], &[usize])) -> bool {
        let (like, column) = (self.like(field, heading), &self.vocabulary.form.columns[field]);
        let agreement = self.witness.sample.agreement(heading, column);
        if agreement == Agreement::Unsure || self.ahead(field, heading) < MARGIN || self.barred(field, heading) {
            return false;
        }
        if like < READ {
            return self.hear(field, heading, &[]).confirms() || self.tells(field, heading);
        }
        // A slip of the sender's is told as such, unless another column would make the sums right.
        let better = |h: &usize| *h != heading && self.like(field, *h) > 0.0 && self.hear(field, *h, pairs).confirms();
        !self.hear(field, heading, pairs).speaks_against() || like >= SAME && !free.iter().any(better)
    }

    /// Something is filled in where this field would have nothing.
    fn barred(&self, field: usize, heading: usize) -> bool {
        let mut layout = self.layout.clone();
        layout[field] = Some(heading);
        self.witness.hear_unless(&layout, field) == Some(false)
    }

    /// The headings to ask about for a field, the likeliest first.
    pub fn candidates(&self, field: usize, fields: &[usize], headings: &[usize]) -> Vec<usize> {
        let mut found: Vec<(f64, usize)> =
            headings.iter().filter_map(|h| Some((self.asked(field, *h, fields)?, *h))).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let most = found.first().map_or(0.0, |(like, _)| *like);
        found.retain(|(like, _)| *like >= most - BEHIND);
        found.into_iter().map(|(_, h)| h).collect()
    }

    /// The heading is listed for the field, but not below the group that stands above it, and something is filled in: that
    /// it is not read must not go unsaid. A required column is looked for below no other group of the form.
    pub fn is_dropped(&self, field: usize, heading: usize) -> bool {
        let (vocabulary, sample) = (self.vocabulary, self.witness.sample);
        let [groups @ .., leaf] = self.headings[heading].path.as_slice() else { return false };
        let elsewhere = vocabulary.form.columns[field].required && groups.iter().any(|g| vocabulary.is_group(g));
        let named = !groups.is_empty() && !elsewhere && vocabulary.label(leaf) == Some(field);
        let meant = named && vocabulary.meaning(&self.headings[heading].path).is_none();
        meant && !vocabulary.likeness.forbids(groups) && (0..sample.rows()).any(|row| sample.filled(heading, row))
    }

    /// How likely a heading is, if it is worth a question.
    fn asked(&self, field: usize, heading: usize, fields: &[usize]) -> Option<f64> {
        let (path, column) = (&self.headings[heading].path, &self.vocabulary.form.columns[field]);
        if (0..self.layout.len()).any(|f| self.vocabulary.listed(f, path).is_some()) {
            return self.leans(field, heading).then_some(1.0);
        }
        let agrees = || self.witness.sample.agreement(heading, column) == Agreement::Agrees;
        let told = self.hear(field, heading, &[]).confirms() || self.tells(field, heading);
        // A required column may be called what it likes if its values or its place give it away.
        let shown = told || column.required && self.beside(field, heading) > BESIDE && agrees();
        let like = match self.likeness[heading][field] {
            None if !shown || self.vocabulary.likeness.forbids(path) => return None,
            like => like.unwrap_or(0.0),
        };
        let others = fields.iter().filter(|f| **f != field).map(|f| self.like(*f, heading));
        let ahead = others.fold(self.ahead(field, heading), |ahead, other| ahead.min(like - other + TIED));
        let enough = if column.required { FEW } else { ASKED };
        (ahead >= 0.0 && (shown || like >= enough)).then_some(if told { like + WITNESSED } else { like })
    }
}
