//! Sheets built from the words of the forms, in any order and place.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use taizhang_fuzz::workbook::{Cell, CellValue, Merge, Sheet, Workbook};
use taizhang_fuzz::{CAMPAIGN, recognise};

fuzz_target!(|data: &[u8]| {
    // Bytes that run out leave what was built so far.
    let mut input = Unstructured::new(data);
    let mut sheet = Sheet { name: "表".to_owned(), ..Sheet::default() };
    while !input.is_empty() && fill(&mut input, &mut sheet, &WORDS).is_ok() {}
    recognise(&Workbook { sheets: vec![sheet] });
});

/// A cell, a merged region or a hidden row or column more.
fn fill(input: &mut Unstructured<'_>, sheet: &mut Sheet, words: &[String]) -> Result<()> {
    let at = (u32::from(input.arbitrary::<u8>()? % 24), u32::from(input.arbitrary::<u8>()? % 30));
    match input.arbitrary::<u8>()? % 16 {
        0 => {
            let size = (u32::from(input.arbitrary::<u8>()? % 4), u32::from(input.arbitrary::<u8>()? % 6));
            sheet.merges.push(Merge { first: at, last: (at.0 + size.0, at.1 + size.1) });
        }
        1 => drop(sheet.hidden_rows.insert(at.0)),
        2 => drop(sheet.hidden_columns.insert(at.1)),
        kind => {
            let value = match kind {
                3..6 => CellValue::Number(f64::from(input.arbitrary::<u8>()?)),
                6 => CellValue::Number(input.arbitrary()?),
                7 => CellValue::Uncached,
                8 => CellValue::Text(input.arbitrary::<&str>()?.chars().take(40).collect()),
                _ => CellValue::Text(input.choose(words)?.clone()),
            };
            sheet.cells.insert(at, Cell { value, percent: kind == 5, formula: kind == 7 });
        }
    }
    Ok(())
}

static WORDS: LazyLock<Vec<String>> = LazyLock::new(words);

/// Everything that the forms say of themselves.
fn words() -> Vec<String> {
    let campaign = &*CAMPAIGN;
    let columns = campaign.forms.iter().flat_map(|f| &f.columns);
    let headings = columns.flat_map(|c| c.heading.iter().chain(&c.synonyms).chain(&c.within));
    let groups = campaign.forms.iter().flat_map(|f| &f.groups).map(|g| &g.name);
    let others = campaign.labels.unit.iter().chain(&campaign.rows.totals).chain(&campaign.rows.notes);
    let mut words: Vec<String> = headings.chain(groups).chain(others).cloned().collect();
    words
        .extend(["填报单位：", "2011年8月", "甲公司", "单独组建", "无", "有", "同上", "例", "合计"].map(str::to_owned));
    words
}
