//! Whether the sender may report for the unit, and who can say so. Pure.

use super::assess::Sender;
use super::forms::{Judged, Named};
use super::{Decisions, Fate, Submission, Word};
use crate::config::Unit;
use crate::form::reading::Return;
use crate::form::{Finding, Place, Severity};

/// One return with its sender. What a person released is not looked at here.
pub(super) struct Who<'a> {
    /// The unit that the return names.
    pub owner: Option<&'a Unit>,
    /// Nothing contradicts that.
    pub unit_is_sure: bool,
    pub stream: Option<&'a str>,
    pub sender: &'a Sender<'a>,
    pub decisions: &'a Decisions,
}

impl Who<'_> {
    fn said(&self) -> Option<Word> {
        self.decisions.said.get(&self.owner?.name).copied()
    }

    /// The unit says that the return is not its own.
    pub fn is_disowned(&self) -> bool {
        self.said() == Some(Word::NotOurs)
    }

    /// The unit whose word would settle the matter. Of forged mail only a person decides, and nobody is asked about a
    /// return that may be another unit's.
    pub fn may_be_asked(&self) -> Option<String> {
        let alone = self.unit_is_sure && self.sender.failure.is_none() && self.said().is_none();
        self.owner.filter(|o| alone && !self.speaks_for(o)).map(|o| o.name.clone())
    }

    fn speaks_for(&self, unit: &Unit) -> bool {
        self.sender.units.iter().any(|u| u.name == unit.name)
    }

    /// What somebody has to decide about who sent what (M01–M03, W09). A unit's word settles M01 and M03 only.
    pub fn questions(&self, whole: &dyn Fn(&str, String) -> Finding) -> Vec<Finding> {
        let mut asked = Vec::new();
        let vouched = self.said() == Some(Word::Ours);
        if !vouched && !self.sender.known() {
            asked.push(whole("M01", "发件地址没有登记，须核实是否代表该单位报送。".into()));
        } else if let Some(unit) = self.owner.filter(|o| !vouched && !self.speaks_for(o)) {
            let mine: Vec<&str> = self.sender.units.iter().map(|u| u.name.as_str()).collect();
            let text = format!("发件地址登记的是{}，报表却是{}的，须核实。", mine.join("、"), unit.name);
            asked.push(whole("M03", text));
        }
        // The last is the one that listings show.
        if let Some(why) = &self.sender.failure {
            asked.push(whole("M02", why.clone()));
        }
        if let (Some(unit), Some(stream)) = (self.owner, self.stream)
            && !unit.streams.iter().any(|s| s == stream)
        {
            asked.push(whole("W09", format!("{}不需要报这一条线的报表，须核实是否发错。", unit.name)));
        }
        asked
    }
}

/// A return that its unit disowns: nothing of it is looked at any further (M06).
pub(super) fn disowned(ret: Return, (unit, stream, period): Named) -> Judged {
    let place = Place { file: Some(ret.file.clone()), sheet: Some(ret.sheet.clone()), ..Place::default() };
    let text = format!("{}答复：这份报表不是该单位报送的，不予采用。", unit.as_deref().unwrap_or_default());
    let submission = Submission {
        // It is no version of anything that the unit owes.
        unit: None,
        stream,
        form: ret.form,
        period,
        fate: Fate::Rejected,
        digest: String::new(),
        file: ret.file,
        sheet: ret.sheet,
        columns: ret.columns,
        rows: Vec::new(),
        findings: vec![Finding::new("M06", Severity::Error, place, text)],
        doubts: Vec::new(),
    };
    Judged { submission, rules: vec!["M06".into()], ask: None }
}
