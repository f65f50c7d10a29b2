//! Whose book each row of a master ledger is in. Pure.

use std::collections::BTreeMap;

use super::UNIT;
use crate::config::Registry;
use crate::form::reading::Return;
use crate::form::streams::{find_streams, normal};
use crate::form::{Campaign, Finding, Form, FormKind, Place, Record, Severity};
use crate::submission::resolve;
use crate::submission::units::{find_units, only_a_part};

/// Rows that are named one by one; of more, the number is told.
const NAMED: usize = 10;

/// The owner of each record, in their order; `None` has an error among the findings.
pub struct Placed {
    pub owners: Vec<Option<String>>,
    pub findings: Vec<Finding>,
}

/// What tells whose a row is.
#[derive(Clone)]
enum Said {
    Unit(String),
    /// Written, but nobody's in the registry.
    Stranger(String),
    Nothing,
}

impl Placed {
    pub fn of(ret: &Return, form: &Form, (registry, campaign): (&Registry, &Campaign)) -> Self {
        let mut placed = Self { owners: Vec::new(), findings: Vec::new() };
        let key = if form.kind == FormKind::Book { UNIT } else { form.identity.as_str() };
        let cells: Vec<Option<String>> = placed.filled_down(ret, key);
        let of_sheet = of_sheet(ret, (registry, campaign));
        let sections = sections(ret, key, (registry, campaign));
        let mut said: Vec<Said> = Vec::with_capacity(cells.len());
        for (record, cell) in ret.records.iter().zip(&cells) {
            said.push(match cell {
                Some(text) => registered(text, registry),
                None => in_section(&sections, record).unwrap_or_else(|| on_card(ret, record, registry)),
            });
        }
        if let Said::Unit(unit) = &of_sheet {
            placed.settle(ret, key, &mut said, unit);
        }
        placed.tell(ret, key, &said, &of_sheet);
        placed.owners = said.into_iter().map(|s| if let Said::Unit(unit) = s { Some(unit) } else { None }).collect();
        placed
    }

    /// The unit's cells; where each unit is named once above its rows, the blanks below are its rows as well.
    fn filled_down(&mut self, ret: &Return, key: &str) -> Vec<Option<String>> {
        let own = |r: &Record| r.text(key).map(str::to_owned);
        let mut cells: Vec<Option<String>> = ret.records.iter().map(own).collect();
        let repeats = cells.windows(2).any(|pair| pair[0].is_some() && pair[0] == pair[1]);
        let blank = cells.iter().filter(|c| c.is_none()).count();
        let first = cells.first().is_some_and(Option::is_some);
        let cards = ret.columns.is_empty();
        if blank == 0 || repeats || !first || cards {
            return cells;
        }
        for i in 1..cells.len() {
            if cells[i].is_none() {
                cells[i] = cells[i - 1].clone();
            }
        }
        let text = format!(
            "工作表“{}”有{blank}行没有写填报单位，按上面一行的单位导入；如不对请逐行填写后重新导入。",
            ret.sheet
        );
        self.findings.push(super::about(ret, "H03", Severity::Info, text));
        cells
    }

    /// What a sheet of one unit says of rows that say nothing, or all something that no registry knows (a district's
    /// book at the level above names its streets), or all another unit.
    fn settle(&mut self, ret: &Return, key: &str, said: &mut [Said], unit: &str) {
        let strangers = said.iter().filter(|s| matches!(s, Said::Stranger(_))).count();
        let named: Vec<&String> =
            said.iter().filter_map(|s| if let Said::Unit(u) = s { Some(u) } else { None }).collect();
        let other = named.first().filter(|_| strangers == 0 && named.len() == said.len());
        if let Some(other) = other.filter(|o| o.as_str() != unit && named.iter().all(|u| u == *o)) {
            let text = format!(
                "工作表“{}”的标题或名称写的是{unit}，“填报单位”一列写的却都是{other}；请改正后重新导入。",
                ret.sheet
            );
            self.findings.push(super::about(ret, "W04", Severity::Error, text));
            said.iter_mut().for_each(|s| *s = Said::Nothing);
            return;
        }
        let none_known = named.is_empty() && strangers > 0 && key == UNIT;
        if none_known {
            let text =
                format!("工作表“{}”的“填报单位”一列写的都不是登记表里的单位，按标题作为{unit}的台账导入。", ret.sheet);
            self.findings.push(super::about(ret, "H03", Severity::Info, text));
        }
        for s in said.iter_mut() {
            if matches!(s, Said::Nothing) || none_known && matches!(s, Said::Stranger(_)) {
                *s = Said::Unit(unit.to_owned());
            }
        }
    }

    /// One error for each unknown unit, and one for all rows that name none.
    fn tell(&mut self, ret: &Return, key: &str, said: &[Said], of_sheet: &Said) {
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        let mut unknown: BTreeMap<Option<&str>, Vec<&Record>> = BTreeMap::new();
        for (record, said) in ret.records.iter().zip(said) {
            match said {
                Said::Unit(_) => {}
                Said::Stranger(name) => unknown.entry(Some(name)).or_default().push(record),
                Said::Nothing => unknown.entry(None).or_default().push(record),
            }
        }
        for (name, records) in unknown {
            let rows = rows(&records);
            let text = match (name, of_sheet) {
                (Some(name), _) => not_registered(&format!("{rows}的填报单位“{name}”"), name),
                (None, Said::Stranger(name)) => {
                    not_registered(&format!("工作表“{}”的填报单位“{name}”", ret.sheet), name)
                }
                (None, _) if records.len() == ret.records.len() => format!(
                    "看不出工作表“{}”是哪个单位的；请加上“填报单位”一列，或用单位名称作工作表名，再重新导入。如果写的单位还没有登记，请先加到单位登记表里。",
                    ret.sheet
                ),
                (None, _) => format!("{rows}没有写填报单位，没有导入；请补填后重新导入。"),
            };
            let first = records.first();
            let place = Place {
                file: Some(ret.file.clone()),
                sheet: first.map(|r| r.sheet.clone()),
                cell: first.and_then(|r| r.cells.get(key).cloned()),
                row: first.map(|r| r.row),
            };
            self.findings.push(Finding::new("W04", Severity::Error, place, text));
        }
    }
}

fn not_registered(what: &str, name: &str) -> String {
    format!(
        "{what}不在单位登记表里，没有导入；请在登记表加一行“{name}”，或把它写进所属单位的 aliases（别名）一栏，再重新导入。"
    )
}

/// `第5、6、7行`, `第5行等300行`
fn rows(records: &[&Record]) -> String {
    if records.len() > NAMED {
        return format!("第{}行等{}行", records[0].row, records.len());
    }
    let numbers: Vec<String> = records.iter().map(|r| r.row.to_string()).collect();
    format!("第{}行", numbers.join("、"))
}

fn registered(text: &str, registry: &Registry) -> Said {
    match find_units(text, registry).as_slice() {
        [one] if !only_a_part(text, registry) => Said::Unit(one.name.clone()),
        [] => by_stem(text, registry).map_or_else(|| Said::Stranger(text.trim().to_owned()), Said::Unit),
        _ => Said::Stranger(text.trim().to_owned()),
    }
}

/// Endings of offices' names that a department leaves out in its own tables: 棠梨 for 棠梨街道办事处.
const ENDINGS: [&str; 10] = [
    "街道办事处",
    "街道",
    "镇人民政府",
    "乡人民政府",
    "镇",
    "乡",
    "开发区管理委员会",
    "园区管理委员会",
    "管理委员会",
    "管委会",
];

/// The one unit whose name begins with all of this text, and only ends otherwise.
fn by_stem(text: &str, registry: &Registry) -> Option<String> {
    let text = normal(text);
    let called = |name: &String| {
        let name = normal(name);
        ENDINGS.iter().any(|ending| name.strip_suffix(ending) == Some(text.as_str()))
    };
    let mut units = registry.units.iter().filter(|u| std::iter::once(&u.name).chain(&u.aliases).any(called));
    let found = units.next().filter(|_| text.chars().count() >= 2)?;
    units.next().is_none().then(|| found.name.clone())
}

/// A sheet's name without what it says of stream and form: `棠梨（非公台账）` is 棠梨's.
fn bare_name(sheet: &str, campaign: &Campaign) -> String {
    let words = campaign.streams.iter().flat_map(|s| &s.words).chain(campaign.forms.iter().flat_map(|f| &f.words));
    let mut words: Vec<String> = words.map(|w| normal(w)).collect();
    words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    let name = words.iter().fold(normal(sheet), |name, word| name.replace(word.as_str(), ""));
    name.chars().filter(|c| c.is_alphanumeric() && !c.is_ascii_digit()).collect()
}

/// Rows across a table that has no column for the unit, each with the unit that it names. Where some name one, another lone
/// text is taken for one that is not registered: the rows below it are not the last unit's.
fn sections(ret: &Return, key: &str, (registry, campaign): (&Registry, &Campaign)) -> Vec<(u32, Said)> {
    if ret.columns.contains_key(key) {
        return Vec::new();
    }
    let parts = |text: &str| {
        campaign.rows.sections.iter().any(|s| text.contains(s.as_str())) || !find_streams(text, campaign).is_empty()
    };
    let said = |(row, text): &(u32, String)| match registered(text, registry) {
        Said::Stranger(text) if parts(&text) => None,
        said => Some((*row, said)),
    };
    let found: Vec<(u32, Said)> = ret.sections.iter().filter_map(said).collect();
    let units = found.iter().any(|(_, said)| matches!(said, Said::Unit(_)));
    if units { found } else { Vec::new() }
}

/// What the last of them above a row says.
fn in_section(sections: &[(u32, Said)], record: &Record) -> Option<Said> {
    sections.iter().rev().find(|(row, _)| *row < record.row).map(|(_, said)| said.clone())
}

/// The sheet of one card may be named after its unit.
fn on_card(ret: &Return, record: &Record, registry: &Registry) -> Said {
    let names = find_units(&record.sheet, registry);
    match names.as_slice() {
        [one] if ret.columns.is_empty() => Said::Unit(one.name.clone()),
        _ => Said::Nothing,
    }
}

/// What the sheet says as a whole: unit line and title, its name, else the file's.
fn of_sheet(ret: &Return, (registry, campaign): (&Registry, &Campaign)) -> Said {
    let named = resolve::named(ret, &[], registry);
    let file = || find_units(&ret.file, registry);
    let stranger = resolve::stranger(ret, &[], registry);
    match (named.as_slice(), stranger) {
        ([one], None) => Said::Unit(one.name.clone()),
        (_, Some(stranger)) => Said::Stranger(stranger),
        ([], None) => {
            let short = by_stem(&bare_name(&ret.sheet, campaign), registry).filter(|_| !ret.columns.is_empty());
            match (short, file().as_slice()) {
                (Some(unit), _) => Said::Unit(unit),
                (None, [one]) => Said::Unit(one.name.clone()),
                _ => Said::Nothing,
            }
        }
        _ => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Unit;
    use crate::form::reading::{Hint, Origin};
    use crate::form::{Datum, reading};

    fn registry() -> Registry {
        let unit = |name: &str| Unit { name: name.into(), ..Unit::default() };
        Registry { units: ["云溪街道办事处", "松岭镇人民政府", "白鹭区"].map(unit).into() }
    }

    /// Owners of the rows of a sheet with these unit cells and this title, and the rules and words of what is told.
    fn placed(sheet: &str, title: &str, cells: &[&str]) -> (Vec<Option<String>>, Vec<(String, String)>) {
        among(&[], sheet, title, cells)
    }

    /// The same with lone texts in these rows; the first record is in row 5.
    fn among(
        sections: &[(u32, &str)],
        sheet: &str,
        title: &str,
        cells: &[&str],
    ) -> (Vec<Option<String>>, Vec<(String, String)>) {
        let record = |(i, text): (usize, &&str)| {
            let value = if text.is_empty() { Datum::Null } else { Datum::Text((*text).to_owned()) };
            let values = [(UNIT.to_owned(), value)].into();
            Record { sheet: sheet.to_owned(), row: i as u32 + 5, values, ..Record::default() }
        };
        let hint = |origin, text: &str| Hint { origin, text: text.to_owned(), cell: None };
        let ret = reading::Return {
            form: "register".into(),
            file: "总台账.xls".into(),
            sheet: sheet.to_owned(),
            columns: [("name".to_owned(), "B".to_owned())].into(),
            hints: vec![hint(Origin::Title, title), hint(Origin::SheetName, sheet)],
            records: cells.iter().enumerate().map(record).collect(),
            sections: sections.iter().map(|(row, text)| (*row, (*text).to_owned())).collect(),
            ..reading::Return::default()
        };
        let campaign = Campaign::builtin();
        let placed = Placed::of(&ret, campaign.form("register").unwrap(), (&registry(), &campaign));
        (placed.owners, placed.findings.into_iter().map(|f| (f.rule, f.message)).collect())
    }

    fn owners(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|n| Some((*n).to_owned()).filter(|n| !n.is_empty())).collect()
    }

    const STREET: &str = "云溪街道办事处";
    const TOWN: &str = "松岭镇人民政府";

    #[test]
    fn a_unit_named_once_above_its_rows_is_theirs_and_told() {
        let (found, told) = placed("Sheet1", "活动台账", &["云溪街道", "", "松岭镇", ""]);
        assert_eq!(found, owners(&[STREET, STREET, TOWN, TOWN]));
        assert!(told.len() == 1 && told[0].1.contains("有2行没有写填报单位"), "{told:?}");
    }

    #[test]
    fn a_row_across_the_table_names_the_unit_of_those_below_and_a_stranger_s_rows_are_nobody_s() {
        let rows = ["", "", "", ""];
        let known = [(4, "云溪街道"), (5, "规模以上企业"), (6, "松岭镇")];
        assert_eq!(among(&known, "Sheet1", "活动台账", &rows), (owners(&[STREET, STREET, TOWN, TOWN]), Vec::new()));
        let (found, told) = among(&[(4, "云溪街道"), (6, "望湖街道")], "Sheet1", "活动台账", &rows);
        assert_eq!(found, owners(&[STREET, STREET, "", ""]));
        assert!(told.len() == 1 && told[0].1.contains("望湖街道"), "{told:?}");
        let (found, _) = among(&[(6, "松岭镇")], "Sheet1", "活动台账", &rows);
        assert_eq!(found, owners(&["", "", TOWN, TOWN]));
    }

    #[test]
    fn a_blank_among_rows_that_each_name_theirs_is_nobody_s() {
        let (found, told) = placed("Sheet1", "活动台账", &["云溪街道", "云溪街道", "", "松岭"]);
        assert_eq!(found, owners(&[STREET, STREET, "", TOWN]));
        assert_eq!(told, [("W04".to_owned(), "第7行没有写填报单位，没有导入；请补填后重新导入。".to_owned())]);
    }

    #[test]
    fn a_sheet_may_be_called_by_the_stem_of_its_unit() {
        for sheet in ["云溪", "云溪（非公）", "云溪非公企业台账", "云溪街道"] {
            assert_eq!(placed(sheet, "活动台账", &["", ""]), (owners(&[STREET, STREET]), Vec::new()), "{sheet}");
        }
        let (found, told) = placed("望湖", "活动台账", &["", ""]);
        assert_eq!(found, owners(&["", ""]));
        assert!(told[0].1.contains("看不出工作表“望湖”是哪个单位的"), "{told:?}");
    }

    #[test]
    fn a_column_that_contradicts_the_sheet_throughout_is_an_error_and_several_units_are_none() {
        let (found, told) = placed("松岭镇", "活动台账", &["云溪街道", "云溪街道"]);
        assert_eq!(found, owners(&["", ""]));
        assert!(told.len() == 1 && told[0].1.contains("写的却都是云溪街道办事处"), "{told:?}");
        assert_eq!(placed("松岭镇", "活动台账", &["云溪街道", "松岭镇"]), (owners(&[STREET, TOWN]), Vec::new()));
    }

    #[test]
    fn the_book_of_a_whole_district_is_the_district_s_above_it() {
        let (found, told) = placed("台账", "白鹭区非公有制企业活动台账", &["甲街道", "乙镇"]);
        assert_eq!(found, owners(&["白鹭区", "白鹭区"]));
        assert!(told.len() == 1 && told[0].0 == "H03", "{told:?}");
        let (found, told) = placed("台账", "白鹭区非公有制企业活动台账", &["甲街道", "云溪街道"]);
        assert_eq!(found, owners(&["", STREET]));
        assert!(told[0].1.contains("第5行的填报单位“甲街道”不在单位登记表里"), "{told:?}");
    }
}
