//! Forms (报表): what they ask, how a sheet is recognised as one, how its values are read and checked. Pure.

pub mod date;
pub mod definition;
pub mod finding;
pub mod number;
pub mod record;
pub mod value;

pub use definition::{Campaign, Column, ColumnKind, Form, FormKind, Stream};
pub use finding::{Finding, Place, Severity};
pub use record::{Datum, Record};
