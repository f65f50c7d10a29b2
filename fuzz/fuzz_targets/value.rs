//! One cell of one column, with any content.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use taizhang_fuzz::workbook::{Cell, CellValue, Sheet, Workbook};
use taizhang_fuzz::{CAMPAIGN, recognise};

fuzz_target!(|data: &[u8]| {
    let _ = table(&mut Unstructured::new(data)).map(|sheet| recognise(&Workbook { sheets: vec![sheet] }));
});

/// All columns of a form in one row of headings, and below them a row with this content everywhere.
fn table(input: &mut Unstructured<'_>) -> Result<Sheet> {
    let campaign = &*CAMPAIGN;
    let form = &campaign.forms[usize::from(input.arbitrary::<bool>()?)];
    let value = match input.arbitrary::<u8>()? % 4 {
        0 => CellValue::Number(input.arbitrary()?),
        1 => CellValue::Bool(input.arbitrary()?),
        _ => CellValue::Text(String::from_utf8_lossy(input.bytes(input.len().min(60))?).into_owned()),
    };
    let cell = |value| Cell { value, percent: false, formula: false };
    let mut sheet = Sheet::default();
    for (column, of) in form.columns.iter().enumerate() {
        for (row, heading) in of.heading.iter().rev().enumerate() {
            sheet.cells.insert((1 - row as u32, column as u32), cell(CellValue::Text(heading.clone())));
        }
        sheet.cells.insert((2, column as u32), cell(value.clone()));
    }
    Ok(sheet)
}
