//! Two ledgers compared, table by table and row by row, both read in the same order, so that neither is held in memory.

use std::cmp::Ordering;

use anyhow::Result;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::cause::Cause;

/// Rows that are compared with each other.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// What one row is.
    pub what: &'static str,
    /// SQL of six columns: the key by which rows are the same; where the row belongs, as a JSON object; what is compared,
    /// as a JSON object; more of it (column key → value) and the cells it stood in (column key → A1), or NULL. In the order
    /// of the keys.
    sql: &'static str,
}

pub const TABLES: &[Table] = &[
    Table {
        what: "mail",
        sql: "SELECT printf('%012d', id) AS k, json_object('message', id),
              json_object('disposition', disposition, 'rules', rules, 'duplicate_of', duplicate_of,
              'received_at', received_at, 'from', from_address, 'subject', subject, 'message_id', message_id,
              'attachments', fingerprint), NULL, NULL FROM message ORDER BY k",
    },
    Table {
        what: "submission",
        sql: "SELECT printf('%012d/%06d', s.message, s.ordinal) AS k, json_object('message', s.message, 'unit', s.unit,
              'stream', s.stream, 'form', s.form, 'period', s.period, 'file', s.file, 'sheet', s.sheet),
              json_object('unit', s.unit, 'stream', s.stream, 'form', s.form, 'period', s.period, 'state', s.state,
              'received_at', s.received_at, 'file', s.file, 'sheet', s.sheet, 'digest', s.digest, 'idle', s.idle),
              s.columns, NULL FROM submission s ORDER BY k",
    },
    Table {
        what: "row",
        sql: "SELECT printf('%012d/%06d/%s/%08d/', s.message, s.ordinal, l.sheet, l.row)
              || printf('%06d', row_number() OVER (PARTITION BY l.submission, l.sheet, l.row ORDER BY l.id)) AS k,
              json_object('message', s.message, 'unit', s.unit, 'stream', s.stream, 'form', s.form, 'period', s.period,
              'name', json_extract(l.record, '$.name'), 'file', s.file, 'sheet', l.sheet, 'row', l.row),
              json_object('admitted', l.admitted), l.record, l.cells
              FROM line l JOIN submission s ON s.id = l.submission ORDER BY k",
    },
    Table {
        what: "figure",
        sql: "SELECT f.unit || '/' || f.stream || '/' || f.form || '/' || f.period AS k,
              json_object('message', s.message, 'unit', f.unit, 'stream', f.stream, 'form', f.form, 'period', f.period,
              'file', s.file, 'sheet', l.sheet, 'row', l.row),
              json_object('source', printf('mail %d, form %d, %s row %d', s.message, s.ordinal, l.sheet, l.row)), NULL, NULL
              FROM figure f JOIN line l ON l.id = f.line JOIN submission s ON s.id = l.submission ORDER BY k",
    },
    Table {
        what: "organisation",
        sql: "SELECT e.unit || '/' || e.stream || '/' || e.form || '/' || e.identity AS k,
              json_object('message', s.message, 'unit', e.unit, 'stream', e.stream, 'form', e.form, 'period', e.last_period,
              'name', e.name, 'file', s.file, 'sheet', l.sheet, 'row', l.row),
              json_object('listed name', e.name, 'listed code', e.code, 'standing', e.status, 'vanished', e.vanished,
              'first_period', e.first_period, 'last_period', e.last_period,
              'source', printf('mail %d, form %d, %s row %d', s.message, s.ordinal, l.sheet, l.row)), e.record, l.cells
              FROM entry e JOIN line l ON l.id = e.line JOIN submission s ON s.id = l.submission ORDER BY k",
    },
    Table {
        what: "change",
        sql: "SELECT e.unit || '/' || e.stream || '/' || e.form || '/' || e.identity || '/' || v.period AS k,
              json_object('message', s.message, 'unit', e.unit, 'stream', e.stream, 'form', e.form, 'period', v.period,
              'name', e.name, 'file', s.file, 'sheet', l.sheet, 'row', l.row),
              json_object('change', v.change,
              'source', printf('mail %d, form %d, %s row %d', s.message, s.ordinal, l.sheet, l.row)), v.record, l.cells
              FROM entry_version v JOIN entry e ON e.id = v.entry JOIN line l ON l.id = v.line
              JOIN submission s ON s.id = l.submission ORDER BY k",
    },
    // Of a finding its rule and place; its words may be chosen better by now, and are under seal.
    Table {
        what: "finding",
        sql: "SELECT g || printf('/%06d', row_number() OVER (PARTITION BY g ORDER BY text)), place,
              json_object('finding', rule || ' ' || severity), NULL, NULL FROM (
              SELECT printf('%012d/%06d/%s/%s/%s/%s/%s/%s/%08d/%s', f.message, coalesce(s.ordinal, -1), f.origin, f.rule,
              f.severity, coalesce(f.file, ''), coalesce(f.sheet, ''), coalesce(f.cell, ''), coalesce(f.row, 0),
              coalesce(f.key, '')) AS g,
              json_object('message', f.message, 'unit', s.unit, 'stream', s.stream, 'form', s.form, 'period', s.period,
              'file', f.file, 'sheet', f.sheet, 'cell', f.cell, 'row', f.row, 'derived', f.origin = 'ledger') AS place,
              f.rule, f.severity, f.text FROM finding f LEFT JOIN submission s ON s.id = f.submission) ORDER BY 1",
    },
    Table {
        what: "unit's word",
        sql: "SELECT printf('%012d/%012d/%s/%s', by_message, coalesce(message, 0), coalesce(unit, ''), kind)
              || printf('/%06d', row_number() OVER (PARTITION BY by_message, message, unit, kind ORDER BY id)) AS k,
              json_object('message', by_message, 'unit', unit),
              json_object('about', message, 'word', kind, 'address', address, 'reason', reason), NULL, NULL
              FROM decision WHERE by_message IS NOT NULL ORDER BY k",
    },
];

/// One value that is stored in another way than it is read now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub what: &'static str,
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: String,
    /// The organisation.
    pub name: String,
    /// A column's key; empty where the row as a whole is on one side only.
    pub column: String,
    /// `None`: there is no such row, or nothing in it.
    pub stored: Option<String>,
    pub now: Option<String>,
    pub message: Option<i64>,
    pub file: String,
    pub sheet: String,
    /// A1, or `row 7` where only that is known.
    pub cell: String,
    pub cause: Cause,
}

/// Compares one table of both ledgers.
pub async fn table(
    live: &mut SqliteConnection,
    fresh: &mut SqliteConnection,
    table: &'static Table,
    mut told: impl FnMut(Difference),
) -> Result<()> {
    let mut stored = sqlx::query(table.sql).fetch(live);
    let mut read = sqlx::query(table.sql).fetch(fresh);
    let (mut a, mut b) = (next(stored.try_next().await?)?, next(read.try_next().await?)?);
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key.cmp(&b.key),
        };
        match (order, &a, &b) {
            (Ordering::Less, Some(row), _) => {
                told(Difference { stored: Some(row.summary()), ..row.difference(table.what, "") })
            }
            (Ordering::Greater, _, Some(row)) => {
                told(Difference { now: Some(row.summary()), ..row.difference(table.what, "") })
            }
            (_, Some(a), Some(b)) => a.compare(b, table.what, &mut told),
            _ => {}
        }
        if order != Ordering::Greater {
            a = next(stored.try_next().await?)?;
        }
        if order != Ordering::Less {
            b = next(read.try_next().await?)?;
        }
    }
}

struct Line {
    key: String,
    place: Map<String, Value>,
    fields: Map<String, Value>,
    cells: Map<String, Value>,
}

fn next(row: Option<SqliteRow>) -> Result<Option<Line>> {
    // What is no JSON any more was changed, and is compared as it stands.
    let object = |text: Option<&str>| match text.map(serde_json::from_str) {
        Some(Ok(Value::Object(map))) => map,
        Some(_) => Map::from_iter([("text".to_owned(), Value::from(text.unwrap_or_default()))]),
        None => Map::new(),
    };
    let read = |row: SqliteRow| -> Result<Line> {
        let mut fields = object(row.try_get(2)?);
        fields.extend(object(row.try_get(3)?));
        Ok(Line { key: row.try_get(0)?, place: object(row.try_get(1)?), fields, cells: object(row.try_get(4)?) })
    };
    row.map(read).transpose()
}

impl Line {
    fn place(&self, key: &str) -> String {
        self.place.get(key).map(text).unwrap_or_default()
    }

    fn difference(&self, what: &'static str, column: &str) -> Difference {
        let row = || Some(self.place("row")).filter(|row| !row.is_empty()).map(|row| format!("row {row}"));
        let cell = || Some(self.place("cell")).filter(|cell| !cell.is_empty());
        Difference {
            what,
            unit: self.place("unit"),
            stream: self.place("stream"),
            form: self.place("form"),
            period: self.place("period"),
            name: self.place("name"),
            column: column.to_owned(),
            message: self.place.get("message").and_then(Value::as_i64),
            file: self.place("file"),
            sheet: self.place("sheet"),
            cell: self.cells.get(column).map(text).or_else(cell).or_else(row).unwrap_or_default(),
            cause: if self.place("derived") == "1" { Cause::Derived } else { Cause::default() },
            ..Difference::default()
        }
    }

    /// In a few words what the row is, for one that is on one side only.
    fn summary(&self) -> String {
        let list: Vec<String> =
            self.fields.iter().filter(|(_, v)| !v.is_null()).take(4).map(|(k, v)| format!("{k} {}", text(v))).collect();
        list.join(", ")
    }

    fn compare(&self, now: &Self, what: &'static str, told: &mut impl FnMut(Difference)) {
        let keys = self.fields.keys().chain(now.fields.keys().filter(|key| !self.fields.contains_key(*key)));
        for key in keys {
            let (a, b) = (self.fields.get(key), now.fields.get(key));
            if a.unwrap_or(&Value::Null) != b.unwrap_or(&Value::Null) {
                let from = if self.cells.contains_key(key) { self } else { now };
                let place = Difference { cell: from.difference(what, key).cell, ..self.difference(what, key) };
                told(Difference {
                    stored: a.filter(|v| !v.is_null()).map(text),
                    now: b.filter(|v| !v.is_null()).map(text),
                    ..place
                });
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
