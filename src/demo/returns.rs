//! The returns of the demo's units as files to attach: two workbooks, or one with two sheets.

use chrono::NaiveDate;

use super::district::{DemoUnit, NONPUBLIC, UNITS};
use super::forms::{self, Form, Layout};
use super::mime::File;
use super::organisations;
use super::sheets::{self, Cell, Hand, Table};
use crate::period::Period;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What one unit reports for one stream, and how its clerk lays it out.
#[derive(Clone, Copy)]
pub struct Return {
    pub unit: usize,
    pub stream: usize,
    pub period: Period,
    /// The day written on the sheet.
    pub filled: NaiveDate,
    pub layout: Layout,
    pub hand: Hand,
}

impl Return {
    fn home(&self) -> &'static DemoUnit {
        &UNITS[self.unit]
    }

    /// 非公企业 or 社会组织
    pub fn stream_word(&self) -> &'static str {
        if self.stream == NONPUBLIC { "非公企业" } else { "社会组织" }
    }

    pub fn progress(&self) -> Table {
        let columns = forms::columns(Form::Progress, self.layout);
        let figures = organisations::figures(self.unit, self.stream, self.period);
        self.table(Form::Progress, "附件1", vec![forms::progress_row(self.unit, &figures, columns)])
    }

    pub fn register(&self) -> Table {
        let columns = forms::columns(Form::Register, self.layout);
        let book = organisations::book(self.unit, self.stream, self.period);
        self.table(Form::Register, "附件2", forms::register_rows(&book, columns))
    }

    fn table(&self, form: Form, sheet: &str, rows: Vec<Vec<Cell>>) -> Table {
        let home = self.home();
        Table {
            sheet: sheet.to_owned(),
            title: form.title(self.stream),
            unit_line: format!("填报单位：{}　　　　填报时间：{}", home.name, self.filled.format("%Y年%-m月%-d日")),
            columns: forms::columns(form, self.layout).to_vec(),
            rows,
            signature: format!(
                "填表人：{}　　审核人：{}　　联系电话：8260-0{}00",
                home.clerk,
                home.reviewer,
                self.unit + 2
            ),
            hand: self.hand,
        }
    }

    /// Both forms in one workbook.
    pub fn one_file(&self) -> Vec<File> {
        vec![self.file("", "统计表和台账", &[self.progress(), self.register()])]
    }

    /// A workbook for each form.
    pub fn two_files(&self) -> Vec<File> {
        vec![self.progress_file(self.progress()), self.register_file(self.register())]
    }

    pub fn progress_file(&self, table: Table) -> File {
        self.file("附件1 ", "统计表", &[table])
    }

    pub fn register_file(&self, table: Table) -> File {
        self.file("附件2 ", "台账", &[table])
    }

    fn file(&self, number: &str, what: &str, tables: &[Table]) -> File {
        let bytes = sheets::workbook(tables, self.filled).expect("the demo's tables are within Excel's limits");
        File {
            name: format!("{number}{}{}{what}.xlsx", self.home().short, self.stream_word()),
            media_type: XLSX,
            bytes,
        }
    }
}

/// The new members were added to the total, and to neither of its parts.
pub fn slip(mut table: Table) -> Table {
    let members = position(&table, "members");
    if let Cell::Count(n) = &mut table.rows[0][members] {
        *n += 4;
    }
    table
}

/// What a hurried clerk does to a register: a row whose members do not add up, one struck off without a date, a date
/// that has not come yet.
pub fn mess(mut table: Table) -> Table {
    let [untransferred, status, founded] =
        ["members_untransferred", "status", "founded"].map(|key| position(&table, key));
    for (i, row) in table.rows.iter_mut().enumerate() {
        match i {
            4 => row[untransferred] = Cell::Count(9),
            10 => row[status] = Cell::Text("销户".to_owned()),
            16 => row[founded] = NaiveDate::from_ymd_opt(2012, 3, 1).map_or(Cell::Blank, Cell::Date),
            _ => {}
        }
    }
    table
}

fn position(table: &Table, key: &str) -> usize {
    table.columns.iter().position(|c| c.key == key).expect("a column of the layout")
}
