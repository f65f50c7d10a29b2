//! The registry (`units`): who owes returns, and which addresses speak for whom. A .csv (UTF-8 or GBK) or .xlsx.

use std::collections::BTreeMap;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use crate::workbook::{self, CellValue, Limits};

#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub units: Vec<Unit>,
}

/// A unit (填报单位).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub aliases: Vec<String>,
    /// `street`, `town`, `zone`, `bureau`
    pub kind: String,
    /// Stream keys that the unit owes returns for.
    pub streams: Vec<String>,
    /// Whole addresses, lower case.
    pub addresses: Vec<String>,
    /// Whole domains, lower case, written in the file without `@`.
    pub domains: Vec<String>,
    pub supervisor: Option<String>,
    /// New party organisations wanted, by stream key.
    pub quotas: Vec<(String, u32)>,
}

impl Registry {
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|u| u.name == name)
    }

    /// Units that an address is registered for. A domain also covers its subdomains.
    pub fn registered(&self, email: &str) -> Vec<&Unit> {
        self.units.iter().filter(|u| u.is_registered(email)).collect()
    }

    /// Parses the file's bytes; the format is told by content.
    ///
    /// # Errors
    /// Every problem at once, each with the row (counted as the spreadsheet shows it) and what is allowed.
    pub fn parse(path: &Path, bytes: &[u8], streams: &[String]) -> Result<Self, Vec<String>> {
        let rows = if bytes.starts_with(b"PK") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
            workbook_rows(bytes)
        } else {
            csv_rows(bytes)
        };
        let rows = rows.map_err(|e| vec![format!("{}: {e}", path.display())])?;
        let mut problems = Vec::new();
        let registry = from_rows(&rows, streams, &mut problems);
        if problems.is_empty() {
            return Ok(registry);
        }
        Err(problems.into_iter().map(|p| format!("{}: {p}", path.display())).collect())
    }
}

impl Unit {
    pub fn quota(&self, stream: &str) -> Option<u32> {
        self.quotas.iter().find(|(s, _)| s == stream).map(|(_, n)| *n)
    }

    pub fn is_registered(&self, email: &str) -> bool {
        if self.addresses.iter().any(|a| a == email) {
            return true;
        }
        self.domain_of(email).is_some()
    }

    /// The registered domain that an address lies in, or below.
    pub fn domain_of(&self, email: &str) -> Option<&str> {
        let (_, host) = email.rsplit_once('@')?;
        let holds = |d: &&String| host == **d || host.strip_suffix(d.as_str()).is_some_and(|h| h.ends_with('.'));
        self.domains.iter().find(holds).map(String::as_str)
    }

    /// Where mail to the unit goes: its first whole address.
    pub fn contact(&self) -> Option<&str> {
        self.addresses.first().map(String::as_str)
    }
}

type Row = (usize, Vec<String>);

fn csv_rows(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let text = match std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let (text, _, bad) = encoding_rs::GB18030.decode(bytes);
            if bad {
                return Err("is neither UTF-8 nor GBK; save it as CSV again".into());
            }
            text.into_owned()
        }
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| format!("not readable as CSV: {e}"))?;
        let line = record.position().map_or(rows.len() + 1, |p| p.line() as usize);
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(rows)
}

/// A registry is small; what is larger is some other file.
const LIMITS: Limits = Limits { bytes: 10 << 20, cells: 200_000 };

fn workbook_rows(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let book = workbook::read(bytes, &LIMITS).map_err(|e| e.to_string())?;
    let sheet = book.sheets.first().ok_or("has no sheet")?;
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for ((row, column), cell) in &sheet.cells {
        let cells = rows.entry(*row).or_default();
        cells.resize(*column as usize, String::new());
        cells.push(match &cell.value {
            CellValue::Text(text) => text.clone(),
            CellValue::Number(number) => number.to_string(),
            other => return Err(format!("{}: {other:?} is neither text nor a number", workbook::a1(*row, *column))),
        });
    }
    Ok(rows.into_iter().map(|(row, cells)| (row as usize + 1, cells)).collect())
}

fn list(text: &str) -> Vec<String> {
    text.split([';', '；']).map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

/// Header names, each optional but `name` and `streams`; the order is free and more columns may follow.
struct Header(BTreeMap<String, usize>);

impl Header {
    fn cell<'r>(&self, row: &'r [String], name: &str) -> &'r str {
        self.0.get(name).and_then(|i| row.get(*i)).map_or("", |s| s.trim())
    }
}

fn from_rows(rows: &[Row], streams: &[String], problems: &mut Vec<String>) -> Registry {
    let mut rows = rows.iter().filter(|(_, cells)| cells.iter().any(|c| !c.trim().is_empty()));
    let Some((line, header)) = rows.next() else {
        problems.push("is empty; the first row must be name,aliases,kind,streams,addresses,supervisor,…".into());
        return Registry::default();
    };
    let names = header.iter().enumerate().map(|(i, h)| (h.trim().to_lowercase(), i));
    let header = Header(names.collect());
    for needed in ["name", "streams", "addresses"] {
        if !header.0.contains_key(needed) {
            problems.push(format!("row {line}: the column `{needed}` is missing"));
        }
    }
    if !problems.is_empty() {
        return Registry::default();
    }
    let mut units: Vec<Unit> = Vec::new();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for (line, row) in rows {
        let unit = read_unit(&header, row, streams, &mut |text| problems.push(format!("row {line}: {text}")));
        for word in std::iter::once(&unit.name).chain(&unit.aliases).filter(|w| !w.is_empty()) {
            match owners.insert(plain(word), unit.name.clone()) {
                Some(other) if other != unit.name => {
                    problems
                        .push(format!("row {line}: `{word}` is a name of {other} too; a name must point to one unit"));
                }
                Some(_) if *word == unit.name && units.iter().any(|u| u.name == unit.name) => {
                    problems.push(format!("row {line}: {word} is listed twice"));
                }
                _ => {}
            }
        }
        units.push(unit);
    }
    if units.is_empty() {
        problems.push("lists no unit below its header row".into());
    }
    Registry { units }
}

fn plain(name: &str) -> String {
    name.nfkc().filter(|c| !c.is_whitespace()).collect()
}

fn read_unit(header: &Header, row: &[String], streams: &[String], problem: &mut dyn FnMut(String)) -> Unit {
    let mut unit = Unit {
        name: header.cell(row, "name").to_owned(),
        aliases: list(header.cell(row, "aliases")),
        kind: header.cell(row, "kind").to_owned(),
        streams: list(header.cell(row, "streams")),
        supervisor: Some(header.cell(row, "supervisor").to_lowercase()).filter(|s| !s.is_empty()),
        ..Unit::default()
    };
    if unit.name.is_empty() {
        problem("name is empty".into());
    }
    if unit.streams.is_empty() {
        problem(format!("streams is empty; allowed: {}", streams.join(";")));
    }
    for stream in unit.streams.iter().filter(|s| !streams.contains(s)) {
        problem(format!("streams: `{stream}` is unknown; allowed: {}", streams.join(";")));
    }
    for text in list(&header.cell(row, "addresses").to_lowercase()) {
        match text.split_once('@') {
            Some((local, host)) if !local.is_empty() && is_domain(host) => unit.addresses.push(text),
            None if is_domain(&text) => unit.domains.push(text),
            _ => problem(format!("addresses: `{text}` is neither an address nor a domain")),
        }
    }
    if let Some(address) = unit.supervisor.as_ref().filter(|a| !a.split_once('@').is_some_and(|(_, h)| is_domain(h))) {
        problem(format!("supervisor: `{address}` is not an address"));
    }
    for stream in streams {
        let text = header.cell(row, &format!("quota_{stream}"));
        if text.is_empty() {
            continue;
        }
        match text.parse::<f64>().ok().filter(|n| n.fract() == 0.0 && (0.0..1e6).contains(n)) {
            Some(n) => unit.quotas.push((stream.clone(), n as u32)),
            None => problem(format!("quota_{stream}: `{text}` is not a whole number")),
        }
    }
    unit
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && !text.starts_with('.')
        && !text.ends_with('.')
        && text.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "name,aliases,kind,streams,addresses,supervisor,quota_nonpublic,quota_social\n";

    fn parse(bytes: &[u8]) -> Result<Registry, Vec<String>> {
        Registry::parse(Path::new("units.csv"), bytes, &["nonpublic".into(), "social".into()])
    }

    #[test]
    fn gbk_and_utf8_with_bom_read_alike() {
        let text = format!(
            "{HEADER}云溪街道办事处,云溪街道;云溪办,street,nonpublic;social,a@b.example;yx.example,ld@b.example,8,1\n"
        );
        let gbk = encoding_rs::GBK.encode(&text).0.into_owned();
        let bom = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        let (a, b) = (parse(&gbk).unwrap(), parse(&bom).unwrap());
        assert_eq!(a.units, b.units);
        assert_eq!(a.units[0].aliases, ["云溪街道", "云溪办"]);
        assert_eq!(a.units[0].domains, ["yx.example"]);
        assert_eq!(a.units[0].quota("social"), Some(1));
        assert_eq!(a.registered("someone@dj.yx.example").len(), 1);
        assert_eq!(a.registered("someone@notyx.example").len(), 0);
    }

    #[test]
    fn every_problem_is_told_with_its_row() {
        let text = format!("{HEADER}甲街道,乙镇,street,nonpublik,nobody,,x,\n乙镇,,town,,b@c.example,,,\n");
        let problems = parse(text.as_bytes()).unwrap_err();
        let all = problems.join("\n");
        for part in [
            "row 2: streams: `nonpublik`",
            "row 2: addresses: `nobody`",
            "row 2: quota_nonpublic",
            "row 3: streams is empty",
            "row 3: `乙镇` is a name of 甲街道 too",
        ] {
            assert!(all.contains(part), "{part} not in\n{all}");
        }
    }

    #[test]
    fn an_xlsx_registry_reads_like_the_csv() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, (head, value)) in
            [("name", "甲镇"), ("streams", "social"), ("addresses", "a@b.example")].iter().enumerate()
        {
            sheet.write(0, column as u16, *head).unwrap();
            sheet.write(1, column as u16, *value).unwrap();
        }
        let registry =
            Registry::parse(Path::new("u.xlsx"), &book.save_to_buffer().unwrap(), &["social".into()]).unwrap();
        assert_eq!(registry.units[0].name, "甲镇");
    }
}
