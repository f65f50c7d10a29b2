//! Headings that a person confirmed for a column, and how they go back into the form's file. Pure.

use super::{Campaign, Column, HeadingWords};
use crate::form::key::key;

impl Campaign {
    /// From now on a heading with this path of keys (top row first, as [`Doubt`](crate::form::Doubt) has it) is the form's
    /// column, and no other: the last word counts. Nothing happens if there is no such form or column.
    pub fn learn(&mut self, form: &str, column: &str, path: Vec<String>) {
        let Some(form) = self.forms.iter_mut().find(|f| f.key == form) else { return };
        if path.is_empty() || form.column(column).is_none() {
            return;
        }
        for other in &mut form.columns {
            other.learned.retain(|p| *p != path);
        }
        if let Some(column) = form.columns.iter_mut().find(|c| c.key == column) {
            column.learned.push(path);
        }
    }
}

impl Column {
    /// The line that makes the form's file say the same: `paths = [["新建党组织", "上月"]]`.
    pub fn paths_toml(&self) -> String {
        let text = |t: &String| toml::Value::String(t.clone()).to_string();
        let path = |p: &Vec<String>| format!("[{}]", p.iter().map(text).collect::<Vec<_>>().join(", "));
        format!("paths = [{}]", self.learned.iter().map(path).collect::<Vec<_>>().join(", "))
    }

    /// Paths as a file has them → paths of keys.
    pub(super) fn make_keys(&mut self, words: &HeadingWords) {
        for part in self.learned.iter_mut().flatten() {
            *part = key(part, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::definition::BUILTIN;

    fn path(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|p| (*p).to_owned()).collect()
    }

    #[test]
    fn what_was_learned_can_be_written_into_the_forms_file() {
        let mut campaign = Campaign::builtin();
        campaign.learn("progress", "members", path(&["党员同志数"]));
        campaign.learn("progress", "members", path(&["党员", "人头\"数"]));
        let column = campaign.form("progress").unwrap().column("members").unwrap();
        let line = column.paths_toml();
        assert_eq!(line.lines().count(), 1);
        let with = |(file, text): (&'static str, &str)| {
            (file, text.replace("key = \"members\"\n", &format!("key = \"members\"\n{line}\n")))
        };
        let files: Vec<(&str, String)> = BUILTIN.map(with).into();
        let files: Vec<(&str, &str)> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
        let read = Campaign::parse(&files).unwrap();
        let read = &read.form("progress").unwrap().column("members").unwrap().learned;
        assert_eq!(read, &[path(&["党员同志数"]), path(&["党员", "人头数"])]);
    }

    #[test]
    fn the_last_word_about_a_heading_counts() {
        let mut campaign = Campaign::builtin();
        campaign.learn("register", "members", path(&["人头数"]));
        campaign.learn("register", "employees", path(&["人头数"]));
        campaign.learn("register", "employees", path(&["人头数"]));
        campaign.learn("register", "nothing", path(&["人头数"]));
        let learned = |key: &str| campaign.form("register").unwrap().column(key).unwrap().learned.len();
        assert_eq!((learned("members"), learned("employees")), (0, 1));
    }
}
