//! Forms (报表): what they ask, how a sheet is recognised as one, how its values are read and checked. Pure.

pub mod definition;
pub mod finding;
pub mod findings_list;
pub mod record;

mod date;
mod number;
mod value;

mod grid;
mod key;

mod words;

mod likeness;

mod evidence;
mod heading;
mod matching;
mod sample;
mod witness;

mod assign;
mod bands;
mod card;
mod groups;
mod info;
mod lines;
mod recognise;
mod row;
mod totals;

pub mod check;
pub mod code;
pub mod compare;
pub mod name;
pub mod resemblance;

pub mod book_figures;
mod expect;
pub mod history;

pub mod extract;
pub mod month;
pub mod reading;
pub mod roll;
pub mod streams;

pub use definition::{Campaign, Column, ColumnKind, Form, FormKind, Held, Stream};
pub use finding::{Finding, Place, Severity};
pub use month::{MonthKind, PeriodHint, find_period};
pub use reading::{Candidate, Doubt, Hint, Origin, Reading, Return};
pub use record::{Datum, Record};
pub use streams::find_streams;

#[cfg(test)]
mod other_campaign;
