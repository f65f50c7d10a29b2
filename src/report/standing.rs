//! Who reported: obligations told by unit and by state, for the bulletin sheet and the circular. Pure.

use crate::config::Unit;
use crate::ledger::obligation::{Obligation, State};
use crate::report::table::ReportData;

/// The order in which states are listed, the good ones first.
pub const STATES: [State; 7] =
    [State::OnTime, State::Late, State::Missing, State::Rejected, State::Quarantined, State::Pending, State::Excused];

/// A unit and all that it owes for the period.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    pub unit: &'a Unit,
    /// The worst state among its obligations; excused ones count only when all are.
    pub state: State,
    pub obligations: Vec<&'a Obligation>,
}

/// Every unit with an obligation, in the registry's order.
pub fn standings<'a>(data: &'a ReportData) -> Vec<Standing<'a>> {
    let of = |unit: &'a Unit| -> Option<Standing<'a>> {
        let obligations: Vec<&Obligation> = data.obligations.iter().filter(|o| o.unit == unit.name).collect();
        let state = obligations.iter().map(|o| o.state).max_by_key(|s| badness(*s))?;
        Some(Standing { unit, state, obligations })
    };
    data.registry.units.iter().filter_map(of).collect()
}

/// How many obligations are in a state.
pub fn count(data: &ReportData, state: State) -> usize {
    data.obligations.iter().filter(|o| o.state == state).count()
}

/// The units with obligations in a state, each with those obligations in words, in the registry's order:
/// `松涛镇（非公有制企业统计表、台账）`. Where it is all that the unit owes, the name alone.
pub fn units_in(data: &ReportData, state: State) -> Vec<String> {
    let told = |standing: &Standing| {
        let these: Vec<&&Obligation> = standing.obligations.iter().filter(|o| o.state == state).collect();
        match these.len() {
            0 => None,
            n if n == standing.obligations.len() => Some(standing.unit.name.clone()),
            _ => Some(format!("{}（{}）", standing.unit.name, items(data, &these))),
        }
    };
    standings(data).iter().filter_map(told).collect()
}

/// `非公有制企业统计表、台账；社会组织台账`
fn items(data: &ReportData, obligations: &[&&Obligation]) -> String {
    let of_stream = |key: &str, title: &str| {
        let forms =
            data.campaign.forms.iter().filter(|f| obligations.iter().any(|o| o.stream == key && o.form == f.key));
        let forms: Vec<String> = forms.map(|f| brief(&f.short_title)).collect();
        (!forms.is_empty()).then(|| format!("{title}{}", forms.join("、")))
    };
    let streams: Vec<String> = data.campaign.streams.iter().filter_map(|s| of_stream(&s.key, &s.title)).collect();
    streams.join("；")
}

/// A form's short title without its attachment number: `附件1 统计表` → `统计表`.
pub fn brief(short_title: &str) -> String {
    short_title.rsplit(char::is_whitespace).next().unwrap_or(short_title).to_owned()
}

fn badness(state: State) -> u8 {
    match state {
        State::Missing => 6,
        State::Rejected => 5,
        State::Quarantined => 4,
        State::Pending => 3,
        State::Late => 2,
        State::OnTime => 1,
        State::Excused => 0,
    }
}
