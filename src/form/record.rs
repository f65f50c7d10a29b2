//! One row of a return, read: values by column key, and the cell that each came from. Pure.

use std::collections::BTreeMap;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

/// A value as the ledger keeps it and JSON shows it.
///
/// Counts are integers, rates percent (`56.0`), dates `YYYY-MM-DD` or `YYYY-MM` text, yes/no booleans.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Rate(f64),
    Text(String),
}

/// By hand: the derived one tries each variant in turn and writes an error for each that does not fit, which takes a third
/// of the time of reading the ledger.
impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyDatum)
    }
}

struct AnyDatum;

impl Visitor<'_> for AnyDatum {
    type Value = Datum;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a number, a text, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<Datum, E> {
        Ok(Datum::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Datum, E> {
        Ok(Datum::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Datum, E> {
        Ok(Datum::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Datum, E> {
        Ok(i64::try_from(value).map_or(Datum::Rate(value as f64), Datum::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Datum, E> {
        Ok(Datum::Rate(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Datum, E> {
        Ok(Datum::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Datum, E> {
        Ok(Datum::Text(value))
    }
}

impl Datum {
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    pub fn rate(&self) -> Option<f64> {
        match self {
            Self::Rate(r) => Some(*r),
            Self::Int(n) => Some(*n as f64),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(s) => Some(s),
            _ => None,
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// As a person would write it: `12`, `56.2%`, `2011-09-05`, 是; nothing for null.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(b) => if *b { "是" } else { "否" }.to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Rate(r) => format!("{}%", (r * 1e6).round() / 1e6),
            Self::Text(s) => s.clone(),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Values by column key. A key that is absent was no column of the sheet; `Null` was a blank cell.
pub type Values = BTreeMap<String, Datum>;

/// One organisation of a register, or one unit's line of a progress table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The sheet it stands on; cards of one return stand on several.
    #[serde(default)]
    pub sheet: String,
    /// Row number on the sheet, from 1; of a card, the row of its first label.
    pub row: u32,
    pub values: Values,
    /// Key to A1 cell.
    pub cells: BTreeMap<String, String>,
    /// Key to what the cell shows, where that is not the value as [`Datum::shown`] has it: `十二` for 12. Only of rows
    /// that were just read: the ledger keeps the values.
    #[serde(default)]
    pub raw: BTreeMap<String, String>,
}

impl Record {
    pub fn get(&self, key: &str) -> &Datum {
        self.values.get(key).unwrap_or(&Datum::Null)
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key).int()
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).text()
    }

    /// `（原填“十二”）` behind a value that was written otherwise, else nothing.
    pub fn as_written(&self, key: &str) -> String {
        self.raw.get(key).map(|raw| format!("（原填“{}”）", shortened(raw))).unwrap_or_default()
    }
}

/// At most 30 characters, for quoting in a sentence.
pub fn shortened(text: &str) -> String {
    if text.chars().count() > 30 { text.chars().take(29).chain(['…']).collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn datum() -> impl Strategy<Value = Datum> {
        let rate = (-1e9..1e9).prop_map(Datum::Rate);
        let text = "\\PC{0,12}".prop_map(Datum::Text);
        prop_oneof![
            Just(Datum::Null),
            any::<bool>().prop_map(Datum::Bool),
            any::<i64>().prop_map(Datum::Int),
            rate,
            text,
            "[0-9]{1,18}".prop_map(Datum::Text),
        ]
    }

    proptest! {
        #[test]
        fn a_value_comes_back_from_the_ledger_as_it_went_in(datum in datum()) {
            let stored = serde_json::to_string(&datum).unwrap();
            prop_assert_eq!(serde_json::from_str::<Datum>(&stored).unwrap(), datum);
        }
    }

    #[test]
    fn what_no_cell_can_hold_is_refused() {
        for text in ["[1]", "{\"a\":1}", ""] {
            assert!(serde_json::from_str::<Datum>(text).is_err(), "{text}");
        }
    }
}
