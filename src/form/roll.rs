//! A list of organisations from elsewhere, such as the business registry's: any table with a column of their names. Pure.
//!
//! It has few of a form's columns and many of its own, so that it is recognised by other rules than a form: headings that
//! are listed, no resemblance, no checks. Every cell stays as it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::{Campaign, Form, FormKind};
use super::grid::Grid;
use super::heading::Vocabulary;
use super::number::is_mark;
use super::row::is_total;
use super::value::raw;
use crate::workbook::{CellValue, Sheet, Workbook};

/// Other headings in lists of business and civil registries, by the key of the form's column.
const HEADINGS: [(&str, &[&str]); 5] = [
    (
        "name",
        &["企业名", "企业（机构）名称", "机构名称", "市场主体名称", "主体名称", "商户名称", "字号名称", "单位全称"],
    ),
    (
        "code",
        &[
            "统一社会信用代码/注册号",
            "社会统一信用代码",
            "统一代码",
            "机构代码",
            "工商登记号",
            "登记号",
            "企业注册号",
            "登记证书号",
        ],
    ),
    ("legal_rep", &["法定代表人姓名", "法人姓名", "负责人姓名", "经营者", "经营者姓名", "投资人", "执行事务合伙人"]),
    (
        "address",
        &["住所", "企业住所", "注册住所", "经营场所", "住所（经营场所）", "营业场所", "注册地", "企业注册地址"],
    ),
    ("category", &["行业门类", "行业名称", "国民经济行业", "主营行业"]),
];

/// A heading this long may stand at the end of a longer one: 经营场所 of 住所经营场所.
const TELLING: usize = 4;
/// Characters that a heading of names may have.
const LONGEST_NAME: usize = 16;

/// The tables of a workbook that are such lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Roll {
    pub tables: Vec<Table>,
    /// Visible sheets that hold something else.
    pub unrecognised: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub sheet: String,
    /// As they stand, left to right.
    pub headings: Vec<String>,
    /// Key of the form's column → index of the heading. `name` is always there.
    pub fields: BTreeMap<String, usize>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// From 1.
    pub row: u32,
    /// One a heading; empty where nothing stands.
    pub cells: Vec<String>,
}

impl Table {
    /// A row's cell for a key; empty where the table has no such column.
    pub fn cell<'r>(&self, row: &'r Row, key: &str) -> &'r str {
        self.fields.get(key).and_then(|i| row.cells.get(*i)).map_or("", String::as_str)
    }
}

/// The campaign with its book as a list has it: nothing but the name is required, and registries' headings are listed.
pub fn with_lists(campaign: &Campaign) -> Campaign {
    let mut campaign = campaign.clone();
    for form in campaign.forms.iter_mut().filter(|f| f.kind == FormKind::Book) {
        for column in &mut form.columns {
            column.required = column.key == form.identity;
            let more = HEADINGS.iter().find(|(key, _)| *key == column.key).map_or(&[][..], |(_, words)| *words);
            column.synonyms.extend(more.iter().map(|w| (*w).to_owned()));
        }
    }
    campaign
}

/// Reads every visible sheet. `campaign` is one [`with_lists`].
pub fn read(workbook: &Workbook, campaign: &Campaign) -> Roll {
    let mut roll = Roll::default();
    let Some(form) = campaign.forms.iter().find(|f| f.kind == FormKind::Book) else { return roll };
    let reader = Reader::new(campaign, form);
    for sheet in workbook.sheets.iter().filter(|s| !s.hidden) {
        let before = roll.tables.len();
        reader.sheet(sheet, &mut roll.tables);
        if before == roll.tables.len() && !sheet.cells.is_empty() {
            roll.unrecognised.push(sheet.name.clone());
        }
    }
    roll
}

struct Reader<'a> {
    campaign: &'a Campaign,
    form: &'a Form,
    vocabulary: Vocabulary<'a>,
    /// Every heading of the names, as a key.
    names: Vec<String>,
    /// Long headings of other columns, as keys, with the column's.
    endings: Vec<(String, &'a str)>,
}

/// The headings of a table, found.
struct Head {
    /// Columns of the sheet, left to right, with their headings.
    columns: Vec<(u32, String)>,
    fields: BTreeMap<String, usize>,
    /// The last of its rows.
    last: u32,
}

impl<'a> Reader<'a> {
    fn new(campaign: &'a Campaign, form: &'a Form) -> Self {
        let vocabulary = Vocabulary::new(campaign, form);
        let (mut names, mut endings) = (Vec::new(), Vec::new());
        for column in &form.columns {
            let keys = column.heading.iter().chain(&column.synonyms).map(|word| vocabulary.key(word));
            if column.key == form.identity {
                names.extend(keys);
            } else {
                let telling = keys.filter(|key| key.chars().count() >= TELLING);
                endings.extend(telling.map(|key| (key, column.key.as_str())));
            }
        }
        Self { campaign, form, vocabulary, names, endings }
    }

    /// What nearly every row of a long list is not, told without much ado.
    fn may_be_head(&self, grid: &Grid<'_>, row: u32) -> bool {
        let mut texts = grid.row(row).filter_map(|(_, cell)| self.text(&cell.value));
        texts.any(|text| {
            let bare: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            bare.chars().count() <= LONGEST_NAME && self.names.iter().any(|name| bare.contains(name.as_str()))
        })
    }

    fn sheet(&self, sheet: &Sheet, tables: &mut Vec<Table>) {
        let grid = Grid::new(sheet);
        let mut head: Option<Head> = None;
        for &row in grid.rows() {
            if head.as_ref().is_some_and(|h| row <= h.last) {
                continue;
            }
            if let Some(found) = self.head(&grid, row) {
                let headings = found.columns.iter().map(|(_, text)| text.clone()).collect();
                let table =
                    Table { sheet: sheet.name.clone(), headings, fields: found.fields.clone(), rows: Vec::new() };
                // Headings repeated on each page go on with the same table.
                if !tables.last().is_some_and(|t| t.sheet == table.sheet && t.headings == table.headings) {
                    tables.push(table);
                }
                head = Some(found);
                continue;
            }
            if let (Some(head), Some(table)) = (&head, tables.last_mut()) {
                table.rows.extend(self.row(&grid, head, row));
            }
        }
        tables.retain(|t| !t.rows.is_empty());
    }

    /// A row with the heading of the names, and with another one that is known unless it stands alone.
    fn head(&self, grid: &Grid<'_>, row: u32) -> Option<Head> {
        if !self.may_be_head(grid, row) {
            return None;
        }
        let cells: Vec<(u32, String)> =
            grid.row(row).filter_map(|(c, cell)| Some((c, self.text(&cell.value)?))).collect();
        let known = cells.iter().filter(|(_, text)| self.field(text).is_some()).count();
        let named = cells.iter().any(|(_, text)| self.exact(text) == Some(self.form.identity.as_str()));
        let alone = cells.len() == 1 && grid.row(row).count() == 1;
        if !named || known < 2 && !alone || known * 4 < cells.len() && known < 3 {
            return None;
        }
        let merged = |c: &u32| grid.merge(row, *c).map_or(row, |m| m.last.0.min(row + 3));
        let last = cells.iter().map(|(c, _)| merged(c)).max().unwrap_or(row);
        let width = cells.iter().map(|(c, _)| grid.merge(row, *c).map_or(*c, |m| m.last.1.min(c + 50))).max()?;
        let first = cells.first()?.0;
        let mut columns: Vec<(u32, String)> = Vec::new();
        for column in first..=width {
            let mut path: Vec<String> = (row..=last).filter_map(|r| grid.text(r, column)).collect();
            path.dedup();
            if !path.is_empty() {
                columns.push((column, path.join("/")));
            }
        }
        let fields = self.fields(&columns);
        fields.contains_key(&self.form.identity).then_some(Head { columns, fields, last })
    }

    /// Each field's column: one whose heading is listed, else one whose heading ends in a listed one.
    fn fields(&self, columns: &[(u32, String)]) -> BTreeMap<String, usize> {
        let mut fields = BTreeMap::new();
        for (i, (_, text)) in columns.iter().enumerate() {
            if let Some(key) = self.exact(text) {
                fields.entry(key.to_owned()).or_insert(i);
            }
        }
        for (i, (_, text)) in columns.iter().enumerate() {
            if let Some(key) = self.field(text).filter(|_| !fields.values().any(|used| *used == i)) {
                fields.entry(key.to_owned()).or_insert(i);
            }
        }
        fields
    }

    fn text(&self, value: &CellValue) -> Option<String> {
        match value {
            CellValue::Text(text) if text.chars().count() <= 40 => Some(text.clone()),
            _ => None,
        }
    }

    fn exact(&self, heading: &str) -> Option<&str> {
        let key = self.vocabulary.key(heading.rsplit('/').next().unwrap_or(heading));
        let whole = self.vocabulary.key(heading);
        let column = self.vocabulary.label(&whole).or_else(|| self.vocabulary.label(&key));
        column.map(|c| self.form.columns[c].key.as_str())
    }

    fn field(&self, heading: &str) -> Option<&str> {
        if let Some(key) = self.exact(heading) {
            return Some(key);
        }
        let whole = self.vocabulary.key(heading);
        let mut found = self.endings.iter().filter(|(ending, _)| whole.ends_with(ending.as_str())).map(|(_, key)| *key);
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    /// An entry: a row with a name that is no sum and no note.
    fn row(&self, grid: &Grid<'_>, head: &Head, row: u32) -> Option<Row> {
        let cell = |(column, _): &(u32, String)| grid.value(row, *column).map(raw).unwrap_or_default();
        let cells: Vec<String> = head.columns.iter().map(cell).collect();
        let name = cells.get(*head.fields.get(&self.form.identity)?)?;
        let first = cells.iter().find(|c| !c.is_empty())?;
        let entry = name.chars().count() >= 2 && !is_mark(name) && name.parse::<f64>().is_err();
        let sum = [name, first].into_iter().any(|t| is_total(self.campaign, t));
        (entry && !sum).then_some(Row { row: row + 1, cells })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbook::Cell;

    fn sheet(name: &str, rows: &[&[&str]]) -> Sheet {
        let mut cells = BTreeMap::new();
        for (r, row) in rows.iter().enumerate() {
            for (c, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                let value = CellValue::Text((*text).to_owned());
                cells.insert((r as u32, c as u32), Cell { value, percent: false, formula: false });
            }
        }
        Sheet { name: name.to_owned(), cells, ..Sheet::default() }
    }

    fn roll(sheets: Vec<Sheet>) -> Roll {
        read(&Workbook { sheets }, &with_lists(&Campaign::builtin()))
    }

    #[test]
    fn a_list_needs_no_more_than_names_and_keeps_what_else_it_has() {
        let list = roll(vec![sheet(
            "Sheet1",
            &[
                &["白鹭区企业名录"],
                &["序号", "企业名称", "统一社会信用代码/注册号", "法定代表人", "住所（经营场所）", "注册资本（万元）"],
                &["1", "远山商贸有限公司", "370100200012345", "陆一鸣", "云溪路1号", "50"],
                &["2", "青禾物流有限公司", "", "方舟", "松岭路2号", ""],
                &["", "合计", "", "", "", "50"],
            ],
        )]);
        let [table] = list.tables.as_slice() else { panic!("{list:?}") };
        assert_eq!(table.rows.len(), 2);
        let row = &table.rows[0];
        let cell = |key: &str| table.cell(row, key);
        assert_eq!([cell("name"), cell("code"), cell("legal_rep")], ["远山商贸有限公司", "370100200012345", "陆一鸣"]);
        assert_eq!((cell("address"), row.row, row.cells[5].as_str()), ("云溪路1号", 3, "50"));
    }

    #[test]
    fn every_sheet_with_names_is_one_and_the_others_are_told() {
        let names: &[&[&str]] = &[&["企业名称"], &["远山商贸有限公司"], &["青禾物流有限公司"]];
        let pages: &[&[&str]] = &[&["企业名称", "注册号"], &["甲商行", "1"], &["企业名称", "注册号"], &["乙商行", "2"]];
        let list = roll(vec![sheet("一", names), sheet("二", pages), sheet("说明", &[&["请勿外传"], &["区里提供"]])]);
        let found: Vec<(&str, usize)> = list.tables.iter().map(|t| (t.sheet.as_str(), t.rows.len())).collect();
        assert_eq!((found, list.unrecognised), (vec![("一", 2), ("二", 2)], vec!["说明".to_owned()]));
    }

    #[test]
    fn a_telephone_of_somebody_is_not_he_and_an_old_name_is_not_the_name() {
        let heads: &[&[&str]] =
            &[&["原企业名称", "企业名称", "法定代表人电话", "经营者"], &["旧商行", "新商行", "0531-1", "齐云"]];
        let list = roll(vec![sheet("一", heads)]);
        let table = &list.tables[0];
        let cell = |key: &str| table.cell(&table.rows[0], key);
        assert_eq!([cell("name"), cell("legal_rep")], ["新商行", "齐云"]);
    }
}
