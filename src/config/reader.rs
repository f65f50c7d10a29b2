//! Reads one TOML table key by key and collects every problem instead of stopping at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use toml::{Table, Value};

/// Problems of a whole configuration, in the order they were met: `[mailbox 2] port: …`.
#[derive(Clone, Default)]
pub struct Problems(Rc<RefCell<Vec<String>>>);

impl Problems {
    /// Two questions about one key may meet the same problem: it is told once.
    pub fn add(&self, text: String) {
        let mut list = self.0.borrow_mut();
        if !list.contains(&text) {
            list.push(text);
        }
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut())
    }
}

/// One table. Keys that nobody asked for are problems when [`Reader::finish`] is called.
pub struct Reader<'a> {
    table: &'a Table,
    /// `[smtp]`, `[mailbox 2]`; empty at the top.
    path: String,
    problems: Problems,
    known: RefCell<BTreeSet<String>>,
}

impl<'a> Reader<'a> {
    pub fn new(table: &'a Table, path: &str, problems: &Problems) -> Self {
        Self { table, path: path.to_owned(), problems: problems.clone(), known: RefCell::default() }
    }

    pub fn problem(&self, key: &str, text: &str) {
        let place = if self.path.is_empty() { key.to_owned() } else { format!("{} {key}", self.path) };
        self.problems.add(format!("{place}: {text}"));
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub fn is_text(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(Value::is_str)
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    pub fn optional_text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::String(s) => Some(s.trim().to_owned()),
            other => {
                self.problem(key, &format!("must be text in quotes, not {}", other.type_str()));
                None
            }
        }
    }

    pub fn text(&self, key: &str, default: &str) -> String {
        self.optional_text(key).unwrap_or_else(|| default.to_owned())
    }

    /// A text that must be there and not empty.
    pub fn required_text(&self, key: &str, what: &str) -> String {
        let absent = !self.has(key);
        let text = self.optional_text(key).unwrap_or_default();
        if absent {
            self.problem(key, &format!("is missing; give {what}"));
        } else if text.is_empty() {
            self.problem(key, &format!("is empty; give {what}"));
        }
        text
    }

    pub fn bool(&self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Value::Boolean(b)) => *b,
            Some(other) => {
                self.problem(key, &format!("must be true or false, not {}", other.type_str()));
                default
            }
        }
    }

    pub fn number(&self, key: &str, default: u64, allowed: std::ops::RangeInclusive<u64>) -> u64 {
        let Some(value) = self.get(key) else { return default };
        match value.as_integer().and_then(|n| u64::try_from(n).ok()).filter(|n| allowed.contains(n)) {
            Some(n) => n,
            None => {
                self.problem(key, &format!("must be a whole number from {} to {}", allowed.start(), allowed.end()));
                default
            }
        }
    }

    /// As [`Self::number`], but it may be below zero.
    pub fn integer(&self, key: &str, default: i64, allowed: std::ops::RangeInclusive<i64>) -> i64 {
        let Some(value) = self.get(key) else { return default };
        match value.as_integer().filter(|n| allowed.contains(n)) {
            Some(n) => n,
            None => {
                self.problem(key, &format!("must be a whole number from {} to {}", allowed.start(), allowed.end()));
                default
            }
        }
    }

    pub fn percent(&self, key: &str, default: f64) -> f64 {
        let Some(value) = self.get(key) else { return default };
        let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
        match number.filter(|n| (0.0..=100.0).contains(n)) {
            Some(n) => n,
            None => {
                self.problem(key, "must be a percentage from 0 to 100");
                default
            }
        }
    }

    /// Seconds: a whole number, or text with a unit (`"90s"`, `"5m"`, `"1h"`).
    pub fn seconds(&self, key: &str, default: u64, allowed: std::ops::RangeInclusive<u64>) -> u64 {
        let Some(value) = self.get(key) else { return default };
        let seconds = match value {
            Value::Integer(n) => u64::try_from(*n).ok(),
            Value::String(s) => parse_seconds(s),
            _ => None,
        };
        match seconds.filter(|n| allowed.contains(n)) {
            Some(n) => n,
            None => {
                let (a, b) = (allowed.start(), allowed.end());
                self.problem(key, &format!("must be {a} to {b} seconds, such as 60 or \"5m\""));
                default
            }
        }
    }

    /// A text parsed by its type; the type's own error says what is allowed.
    pub fn parsed<T: std::str::FromStr<Err = String>>(&self, key: &str, default: &str) -> Option<T> {
        let text = self.text(key, default);
        text.parse().map_err(|e: String| self.problem(key, &e)).ok()
    }

    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let texts = match value {
            Value::String(s) => Some(vec![s.trim().to_owned()]),
            Value::Array(items) => items.iter().map(|v| v.as_str().map(|s| s.trim().to_owned())).collect(),
            _ => None,
        };
        if texts.is_none() {
            self.problem(key, "must be a list of texts, as in [\"a\", \"b\"]");
        }
        texts
    }

    pub fn parsed_list<T: std::str::FromStr<Err = String>>(&self, key: &str, default: &[&str]) -> Vec<T> {
        let texts = self.texts(key).unwrap_or_else(|| default.iter().map(|s| (*s).to_owned()).collect());
        let parse = |t: String| t.parse().map_err(|e: String| self.problem(key, &e)).ok();
        texts.into_iter().filter_map(parse).collect()
    }

    /// A table of whole numbers, such as `[targets.new_party_orgs]`.
    pub fn counts(&self, key: &str) -> Vec<(String, u32)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.as_table() else {
            self.problem(key, "must be a table of whole numbers");
            return Vec::new();
        };
        let one = |(k, v): (&String, &Value)| match v.as_integer().and_then(|n| u32::try_from(n).ok()) {
            Some(n) => Some((k.clone(), n)),
            None => {
                self.problem(&format!("{key}.{k}"), "must be a whole number");
                None
            }
        };
        table.iter().filter_map(one).collect()
    }

    pub fn table(&self, key: &str) -> Option<&'a Table> {
        let value = self.get(key)?;
        if value.as_table().is_none() {
            self.problem(key, "must be a table: write it as a [section]");
        }
        value.as_table()
    }

    pub fn tables(&self, key: &str) -> Vec<&'a Table> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let tables: Option<Vec<&Table>> = value.as_array().map(|a| a.iter().filter_map(Value::as_table).collect());
        if tables.is_none() {
            self.problem(key, &format!("must be written as [[{key}]] sections"));
        }
        tables.unwrap_or_default()
    }

    /// Reports every key that was not asked for.
    pub fn finish(self) {
        let known = self.known.borrow();
        for key in self.table.keys().filter(|k| !known.contains(*k)) {
            let list: Vec<&str> = known.iter().map(String::as_str).collect();
            self.problem(key, &format!("is not a key here; known keys: {}", list.join(", ")));
        }
    }
}

fn parse_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
