//! Phrases that several documents share. Pure.

use chrono::{DateTime, Datelike};
use chrono_tz::Tz;

use crate::form::{Campaign, Form, Stream};
use crate::report::table::ReportData;

/// Two titles in one, an overlap said once: `“…”活动` and `活动台账` → `“…”活动台账`.
pub fn join(first: &str, second: &str) -> String {
    let overlap = second.char_indices().map(|(i, c)| i + c.len_utf8()).filter(|end| first.ends_with(&second[..*end]));
    let overlap = overlap.max().unwrap_or(0);
    format!("{first}{}", &second[overlap..])
}

/// A form's whole title for one stream: `非公有制企业“…”活动台账`.
pub fn form_title(campaign: &Campaign, form: &Form, stream: &Stream) -> String {
    format!("{}{}", stream.title, join(&campaign.title, &form.title))
}

/// The line below a sheet's title. The period comes last: what stands behind its label is read as the period.
pub fn sheet_note(data: &ReportData) -> String {
    format!(
        "{}（数据截至{}）　　　制表：{}　　　所属期：{}",
        data.edition.chinese(),
        moment(data.generated_at),
        data.department.name,
        data.period.chinese(),
    )
}

/// `2011年9月26日`
pub fn day(date: impl Datelike) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// `2011年9月26日10:00`
pub fn moment(at: DateTime<Tz>) -> String {
    format!("{}{}", day(at), at.format("%H:%M"))
}

/// `12.3%`, from a fraction.
pub fn percent(fraction: f64) -> String {
    format!("{:.1}%", tenths(fraction * 100.0))
}

/// A pace without a pointless decimal: `3`, `14.3`.
pub fn decimal(n: f64) -> String {
    let text = format!("{:.1}", tenths(n));
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Rounded to one decimal as spreadsheets show it: halves away from zero.
pub fn tenths(n: f64) -> f64 {
    (n * 10.0).round() / 10.0
}
