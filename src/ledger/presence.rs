//! Presence: what the organisations of a book are known by, kept by index so that the same one is found in other books.
//!
//! One row of the table for each organisation of each book that was read. It is a function of the book's rows alone;
//! whether the book counts is asked where it is used. Runs inside the caller's transaction.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use sqlx::{Row as _, SqliteConnection};

use crate::db::Db;
use crate::form::name::organisation_key;
use crate::form::record::Values;
use crate::form::{Campaign, Datum, Form, FormKind, code};
use crate::ledger::rebuild;
use crate::submission::Verdict;

/// What an organisation is known by in any unit's book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    pub code: Option<String>,
    pub name: Option<String>,
    /// False: the code fails its check character, so that it may be a slip of the pen.
    pub tells: bool,
    pub closed: bool,
}

impl Key {
    fn of(form: &Form, values: &Values) -> Self {
        let text = |key: &str| values.get(key).and_then(Datum::text).unwrap_or_default();
        let Some(book) = &form.book else { return Self::default() };
        let code = book.code.as_deref().map(text).unwrap_or_default();
        let name = organisation_key(text(&form.identity));
        Self {
            code: code::across_registers(code),
            name: Some(name).filter(|name| !name.is_empty()),
            tells: code::tells(code),
            closed: text(&book.status) == book.closed,
        }
    }

    fn is_nobody(&self) -> bool {
        self.code.is_none() && self.name.is_none()
    }

    /// As SQL takes it: code, name, tells, closed.
    fn json(&self) -> serde_json::Value {
        serde_json::json!([self.code, self.name, i64::from(self.tells), i64::from(self.closed)])
    }
}

/// The organisations of a book with the places of their rows in it; a row that repeats one above it (R03) is none.
pub fn organisations<'a>(form: &Form, rows: impl Iterator<Item = &'a Values>) -> Vec<(usize, Key)> {
    let (mut codes, mut bare, mut names) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut list = Vec::new();
    for (at, key) in rows.map(|values| Key::of(form, values)).enumerate() {
        let same_code = key.code.as_ref().is_some_and(|c| codes.contains(c));
        // The same name with and without a code is the same organisation.
        let same_name = key.name.as_ref().is_some_and(|n| if key.code.is_none() { &names } else { &bare }.contains(n));
        if key.is_nobody() || same_code || same_name {
            continue;
        }
        codes.extend(key.code.clone());
        names.extend(key.name.clone());
        if key.code.is_none() {
            bare.extend(key.name.clone());
        }
        list.push((at, key));
    }
    list
}

/// How many of the first book's organisations are in the second: by code where both have one, else by name.
pub fn in_common(first: &[Key], second: &[Key]) -> usize {
    let codes: HashSet<&String> = second.iter().filter_map(|k| k.code.as_ref()).collect();
    let mut names: HashMap<&String, Vec<&Key>> = HashMap::new();
    for key in second {
        names.entry(key.name.as_ref().unwrap_or(&EMPTY)).or_default().push(key);
    }
    let apart = |a: &Key, b: &Key| a.code.is_some() && b.code.is_some() && a.tells && b.tells;
    let found = |key: &&Key| {
        let named = key.name.as_ref().and_then(|name| names.get(name));
        key.code.as_ref().is_some_and(|c| codes.contains(c))
            || named.is_some_and(|all| all.iter().any(|o| !apart(key, o)))
    };
    first.iter().filter(found).count()
}

static EMPTY: String = String::new();

/// A book's organisations as one value that SQL can join: `json_each` gives each as `[code, name, tells, closed]`.
pub fn as_json<'a>(keys: impl Iterator<Item = &'a Key>) -> String {
    serde_json::Value::from_iter(keys.map(Key::json)).to_string()
}

/// Notes the organisations of a message's books, which have just been stored.
pub async fn note(conn: &mut SqliteConnection, campaign: &Campaign, message: i64, verdict: &Verdict) -> Result<()> {
    for (ordinal, submission) in verdict.submissions.iter().enumerate() {
        let Some(form) = campaign.form(&submission.form).filter(|f| f.kind == FormKind::Book) else { continue };
        let id: i64 = sqlx::query_scalar("SELECT id FROM submission WHERE message = ? AND ordinal = ?")
            .bind(message)
            .bind(ordinal as i64)
            .fetch_one(&mut *conn)
            .await?;
        insert(conn, id, organisations(form, submission.rows.iter().map(|row| &row.record.values))).await?;
    }
    Ok(())
}

async fn insert(conn: &mut SqliteConnection, submission: i64, organisations: Vec<(usize, Key)>) -> Result<()> {
    let lines: Vec<i64> = sqlx::query_scalar("SELECT id FROM line WHERE submission = ? ORDER BY id")
        .bind(submission)
        .fetch_all(&mut *conn)
        .await?;
    let rows = organisations.iter().filter_map(|(at, key)| Some(serde_json::json!([lines.get(*at)?, key.json()])));
    sqlx::query(
        "INSERT INTO presence (line, submission, unit, code_key, name_key, tells, closed)
         SELECT k.value ->> 0, s.id, s.unit, k.value ->> '$[1][0]', k.value ->> '$[1][1]', k.value ->> '$[1][2]',
         k.value ->> '$[1][3]' FROM submission s, json_each(?) k WHERE s.id = ? ON CONFLICT (line) DO NOTHING",
    )
    .bind(serde_json::Value::from_iter(rows).to_string())
    .bind(submission)
    .execute(conn)
    .await?;
    Ok(())
}

/// The organisations of a stored book.
pub async fn of(conn: &mut SqliteConnection, submission: i64) -> Result<Vec<Key>> {
    let rows = sqlx::query("SELECT code_key, name_key, tells, closed FROM presence WHERE submission = ? ORDER BY line")
        .bind(submission)
        .fetch_all(conn)
        .await?;
    let read = |r: sqlx::sqlite::SqliteRow| Key { code: r.get(0), name: r.get(1), tells: r.get(2), closed: r.get(3) };
    Ok(rows.into_iter().map(read).collect())
}

/// Once, after the table was made: notes the organisations of the books stored before, and what follows from them.
pub async fn catch_up(db: &Db, campaign: &Campaign) -> Result<()> {
    let due = "DELETE FROM state WHERE key = 'presence' RETURNING key";
    let is_due = "SELECT 1 FROM state WHERE key = 'presence'";
    if sqlx::query(is_due).fetch_optional(db.pool()).await?.is_none() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    if sqlx::query(due).fetch_optional(&mut *tx).await?.is_none() {
        return Ok(());
    }
    complete(&mut tx, campaign).await?;
    let streams = "SELECT DISTINCT unit, stream FROM submission WHERE state = 'accepted' ORDER BY unit, stream";
    let streams: Vec<(String, String)> = sqlx::query_as(streams).fetch_all(&mut *tx).await?;
    for (unit, stream) in &streams {
        rebuild::unit_stream(&mut tx, campaign, unit, stream).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Notes the organisations of stored books for which none are.
pub async fn complete(conn: &mut SqliteConnection, campaign: &Campaign) -> Result<()> {
    let sql = "SELECT id FROM submission s WHERE form = ? AND unit <> ''
               AND NOT EXISTS (SELECT 1 FROM presence p WHERE p.submission = s.id)";
    for form in campaign.forms.iter().filter(|f| f.kind == FormKind::Book) {
        let books: Vec<i64> = sqlx::query_scalar(sql).bind(&form.key).fetch_all(&mut *conn).await?;
        for book in books {
            let values = values(conn, book).await?;
            insert(conn, book, organisations(form, values.iter())).await?;
        }
    }
    Ok(())
}

async fn values(conn: &mut SqliteConnection, submission: i64) -> Result<Vec<Values>> {
    let records: Vec<String> = sqlx::query_scalar("SELECT record FROM line WHERE submission = ? ORDER BY id")
        .bind(submission)
        .fetch_all(conn)
        .await?;
    records.iter().map(|r| serde_json::from_str(r).context("a stored row is not readable")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(rows: &[(&str, &str)]) -> Vec<Key> {
        let campaign = Campaign::builtin();
        let values = |(name, code): &(&str, &str)| -> Values {
            let text = |t: &str| if t.is_empty() { Datum::Null } else { Datum::Text(t.to_owned()) };
            [("name".to_owned(), text(name)), ("code".to_owned(), text(code))].into()
        };
        let rows: Vec<Values> = rows.iter().map(values).collect();
        organisations(campaign.form("register").unwrap(), rows.iter()).into_iter().map(|(_, key)| key).collect()
    }

    /// Whether an organisation of one book is the one of another.
    fn same(a: (&str, &str), b: (&str, &str)) -> bool {
        let (one, other) = (in_common(&book(&[a]), &book(&[b])), in_common(&book(&[b]), &book(&[a])));
        assert_eq!(one, other, "whichever is asked about");
        one == 1
    }

    #[test]
    fn the_code_decides_where_both_have_one_else_the_name() {
        assert!(same(("远山商行", "91350100M000100Y43"), ("远山商贸行", "91350100-M000100Y43")));
        assert!(same(("远山（北原）商行有限公司", ""), ("远山(北原)商行有限责任公司", "D2143569-X")));
        assert!(!same(("远山商行", "91350100M000100Y43"), ("远山商行", "D2143569-X")), "a common name");
        assert!(!same(("远山商行", ""), ("远川商行", "")), "one character apart");
        assert!(same(("远山商行", "91350100M000100Y43"), ("远山商行", "91350100M000100Y44")), "a slip of the pen");
        assert!(
            same(("远山商行", "９１３５０１００Ｍ０００１００Ｙ４３"), ("远山", "91350100M000100Y43")),
            "full width"
        );
        assert!(!same(("远山商行", "办理中代码未下发"), ("白水商行", "办理中代码未下发")), "words are no code");
        assert!(
            same(("远山商行", "9237038185537856XK"), ("远山商贸行", "85537856-X")),
            "it changed to its credit code"
        );
    }

    #[test]
    fn running_numbers_are_no_codes_and_words_around_one_belong_to_it() {
        assert!(!same(("远山商行", "001"), ("白水商行", "001")));
        assert!(!same(("远山商行", "000000000"), ("白水商行", "000000000")));
        assert!(!same(("甲学会", "鲁社证字第123456号"), ("乙学会", "浙社证字第123456号")));
        assert!(same(("甲学会", "鲁社证字第123456号"), ("甲学会（本部）", "鲁社证字第 123456 号")));
    }

    #[test]
    fn one_organisation_twice_in_a_book_is_there_once() {
        assert_eq!(book(&[("远山商行", ""), ("远山 商行", ""), ("", ""), ("白水商行", "D2143569-X")]).len(), 2);
        assert_eq!(book(&[("远山商行", "D2143569-X"), ("远山商行", "")]).len(), 1);
        assert_eq!(book(&[("远山商行", "D2143569-X"), ("远山商行", "91350100M000100Y43")]).len(), 2);
    }
}
