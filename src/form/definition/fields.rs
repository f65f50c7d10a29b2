//! One TOML table read field by field, collecting every problem instead of stopping at the first. Pure.

use toml::{Table, Value};

/// Reads the fields of one table. Call [`Fields::finish`] last: it reports the keys that nobody asked for.
pub struct Fields<'a> {
    /// `progress.toml: column 3: `
    place: String,
    table: &'a Table,
    asked: Vec<&'static str>,
    /// Not to be told of as strangers, nor as allowed.
    known: Vec<&'static str>,
    problems: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    pub fn new(place: String, table: &'a Table, problems: &'a mut Vec<String>) -> Self {
        Self { place, table, asked: Vec::new(), known: Vec::new(), problems }
    }

    pub fn problem(&mut self, key: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{}{key}: {what}", self.place));
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// Whether the key is there; it is not asked for any more, and no stranger.
    pub fn put_aside(&mut self, key: &'static str) -> bool {
        let here = self.table.contains_key(key);
        self.known.extend(here.then_some(key));
        here
    }

    /// A text that must be there.
    pub fn text(&mut self, key: &'static str) -> String {
        let value = self.optional(key);
        if value.is_none() && !self.table.contains_key(key) {
            self.problem(key, "is missing; it must be a text");
        }
        value.unwrap_or_default()
    }

    pub fn optional(&mut self, key: &'static str) -> Option<String> {
        match self.get(key)? {
            Value::String(s) if !s.trim().is_empty() => Some(s.clone()),
            _ => {
                self.problem(key, "must be a text that is not empty");
                None
            }
        }
    }

    /// A whole number within bounds that must be there.
    pub fn bounded(&mut self, key: &'static str, allowed: std::ops::RangeInclusive<u32>) -> u32 {
        let given = self.get(key).and_then(Value::as_integer).and_then(|n| u32::try_from(n).ok());
        given.filter(|n| allowed.contains(n)).unwrap_or_else(|| {
            self.problem(key, format!("must be a whole number from {} to {}", allowed.start(), allowed.end()));
            *allowed.start()
        })
    }

    pub fn flag(&mut self, key: &'static str) -> bool {
        match self.get(key) {
            None => false,
            Some(Value::Boolean(b)) => *b,
            Some(_) => {
                self.problem(key, "must be true or false");
                false
            }
        }
    }

    /// As [`Self::flag`], told apart from one that was left out.
    pub fn maybe(&mut self, key: &'static str) -> Option<bool> {
        self.table.contains_key(key).then(|| self.flag(key))
    }

    /// A whole number; `None` if left out.
    pub fn number(&mut self, key: &'static str) -> Option<i64> {
        let value = self.get(key)?;
        if value.as_integer().is_none() {
            self.problem(key, "must be a whole number");
        }
        value.as_integer()
    }

    /// One text or a list with at least one; `None` if left out.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        match self.table.get(key)? {
            Value::String(_) => self.optional(key).map(|text| vec![text]),
            _ => Some(self.some(key)),
        }
    }

    /// A list of texts; empty if left out.
    pub fn list(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let texts =
            value.as_array().map(|a| a.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>());
        match texts {
            Some(texts) if texts.len() == value.as_array().map_or(0, Vec::len) => texts,
            _ => {
                self.problem(key, "must be a list of texts");
                Vec::new()
            }
        }
    }

    /// A list of texts that must have at least one.
    pub fn some(&mut self, key: &'static str) -> Vec<String> {
        let missing = !self.table.contains_key(key);
        let list = self.list(key);
        if missing || self.table.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            self.problem(key, "must be a list with at least one text");
        }
        list
    }

    /// A list of lists of texts, none of them empty; empty if left out.
    pub fn paths(&mut self, key: &'static str) -> Vec<Vec<String>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let path = |v: &Value| v.as_array()?.iter().map(|t| t.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let paths: Option<Vec<Vec<String>>> = value.as_array().and_then(|a| a.iter().map(path).collect());
        match paths {
            Some(paths) if paths.iter().all(|p| !p.is_empty()) => paths,
            _ => {
                self.problem(key, "must be a list of headings, each a list of texts, top row first");
                Vec::new()
            }
        }
    }

    /// A table of lists of texts, its keys free; empty if left out.
    pub fn lists(&mut self, key: &'static str) -> Vec<(String, Vec<String>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let texts = |v: &Value| v.as_array()?.iter().map(|t| t.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let lists = value.as_table().and_then(|t| t.iter().map(|(k, v)| Some((k.clone(), texts(v)?))).collect());
        if lists.is_none() {
            self.problem(key, "must be a table of lists of texts");
        }
        lists.unwrap_or_default()
    }

    /// One of a few words, mapped; the first one stands in after a problem.
    pub fn one_of<T: Clone>(&mut self, key: &'static str, allowed: &[(&str, T)]) -> Option<T> {
        let word = self.get(key).map(|v| v.as_str().unwrap_or_default().to_owned())?;
        let found = allowed.iter().find(|(name, _)| *name == word).map(|(_, value)| value.clone());
        if found.is_none() {
            let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
            self.problem(key, format_args!("must be one of {}", names.join(", ")));
        }
        found
    }

    /// As [`Self::one_of`], for a key that must be there.
    pub fn must_be_one_of<T: Clone>(&mut self, key: &'static str, allowed: &[(&str, T)]) -> Option<T> {
        if !self.table.contains_key(key) {
            let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
            self.problem(key, format_args!("is missing; it must be one of {}", names.join(", ")));
        }
        self.one_of(key, allowed)
    }

    /// The tables of a list, each read by `read`.
    pub fn tables<T>(&mut self, key: &'static str, mut read: impl FnMut(&mut Fields<'_>) -> T) -> Vec<T> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.problem(key, "must be a list of tables");
            return Vec::new();
        };
        let mut read_items = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let place = format!("{}{key} {}: ", self.place, i + 1);
            match item.as_table() {
                Some(table) => {
                    let mut fields = Fields::new(place, table, self.problems);
                    read_items.push(read(&mut fields));
                    fields.finish();
                }
                None => self.problem(key, "must be a list of tables"),
            }
        }
        read_items
    }

    /// A table of its own; `None` if left out.
    pub fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let value = self.get(key)?;
        let Some(table) = value.as_table() else {
            self.problem(key, "must be a table");
            return None;
        };
        let mut fields = Fields::new(format!("{}{key}: ", self.place), table, self.problems);
        let read = read(&mut fields);
        fields.finish();
        Some(read)
    }

    /// Reports keys that were never asked for.
    pub fn finish(mut self) {
        let unknown: Vec<String> = self
            .table
            .keys()
            .filter(|k| !self.asked.iter().chain(&self.known).any(|a| a == k))
            .map(String::clone)
            .collect();
        let allowed = self.asked.join(", ");
        for key in unknown {
            self.problem(&key, format_args!("no such key; allowed are {allowed}"));
        }
    }
}
