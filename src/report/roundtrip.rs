//! What this software writes it can read again: a district's workbook at the level above, a blank form from its unit.

use crate::form::extract;
use crate::form::reading::{Origin, Reading, Return};
use crate::form::record::Values;
use crate::form::{Datum, Severity};
use crate::report::fixture::{District, at};
use crate::report::template::{self, Blank};
use crate::report::workbook;
use crate::workbook::{Limits, read::read};

fn taken(bytes: &[u8], district: &District) -> Reading {
    let book = read(bytes, &Limits { bytes: 30_000_000, cells: 5_000_000 }).unwrap();
    extract::read(&book, &district.campaign, "汇总表.xlsx", at("2011-09-26T10:00:00+08:00").date_naive())
}

fn on_sheet<'a>(reading: &'a Reading, sheet: &str) -> &'a Return {
    reading.returns.iter().find(|r| r.sheet == sheet).unwrap()
}

#[test]
fn the_books_of_a_workbook_come_back_entry_by_entry() {
    let district = District::new(8);
    let data = district.data(40);
    let reading = taken(&workbook::build(&data).unwrap(), &district);
    for (sheet, stream) in [("台账 非公企业", "nonpublic"), ("台账 社会组织", "social")] {
        let book = on_sheet(&reading, sheet);
        assert_eq!(book.form, "register");
        assert_eq!(book.findings, []);
        assert_eq!(book.said(Origin::PeriodLine).map(|h| h.text.as_str()).collect::<Vec<_>>(), ["2011年8月"]);
        let mut sent: Vec<Values> =
            data.entries.iter().filter(|e| e.stream == stream).map(|e| e.values.clone()).collect();
        let mut got: Vec<Values> = book.records.iter().map(|r| r.values.clone()).collect();
        for values in sent.iter_mut().chain(&mut got) {
            values.remove("seq");
        }
        let name = |values: &Values| values["name"].text().unwrap_or_default().to_owned();
        sent.sort_by_key(name);
        got.sort_by_key(name);
        assert_eq!(got, sent);
    }
}

#[test]
fn the_summary_comes_back_as_the_units_figures() {
    let district = District::new(8);
    let data = district.data(40);
    let reading = taken(&workbook::build(&data).unwrap(), &district);
    assert_eq!(reading.unrecognised, ["通报", "任务进度", "报送质量", "变动", "问题", "报送情况", "图表"]);
    let summary = on_sheet(&reading, "汇总");
    assert_eq!(summary.form, "progress");
    let lines: usize = data.tables().iter().map(|t| t.reported()).sum();
    assert_eq!(summary.records.len(), lines);
    for key in ["orgs", "members", "party_orgs", "new_party_orgs_total", "orgs_covered", "mass_orgs_total"] {
        let sum: i64 = summary.records.iter().filter_map(|r| r.int(key)).sum();
        assert_eq!(Some(sum), data.tables().iter().filter_map(|t| t.total(key)).reduce(|a, b| a + b), "{key}");
    }
    assert_eq!(summary.said(Origin::PeriodLine).map(|h| h.text.as_str()).collect::<Vec<_>>(), ["2011年8月"]);
    let rate = summary.records[0].get("org_coverage").rate().unwrap();
    assert!((rate - data.tables()[0].lines[0].coverage("orgs_covered").unwrap() * 100.0).abs() < 0.01);
}

fn blank(district: &District) -> Blank<'_> {
    Blank {
        campaign: &district.campaign,
        stream: &district.campaign.streams[1],
        unit: "碧溪镇人民政府",
        period: "2011-08".parse().unwrap(),
        due: at("2011-09-25T23:59:59+08:00"),
        generated_at: at("2011-09-20T09:00:00+08:00"),
    }
}

#[test]
fn a_blank_form_is_recognised_and_refused_while_it_is_blank() {
    let district = District::new(3);
    let form = district.campaign.form("progress").unwrap();
    let reading = taken(&template::progress(&blank(&district), form, None).unwrap(), &district);
    let sheet = &reading.returns[0];
    assert_eq!((sheet.form.as_str(), sheet.records.len(), sheet.columns.len()), ("progress", 1, form.columns.len()));
    let said = |origin| sheet.said(origin).map(|h| h.text.clone()).collect::<Vec<_>>();
    assert_eq!(said(Origin::UnitLine), ["碧溪镇人民政府"]);
    assert_eq!(said(Origin::PeriodLine), ["2011年8月"]);
    assert!(said(Origin::Title)[0].contains("社会组织"));
    let errors = sheet.findings.iter().filter(|f| f.rule == "P02" && f.severity == Severity::Error).count();
    assert_eq!(errors, form.columns.iter().filter(|c| c.required && c.key != "unit").count());
}

#[test]
fn a_book_to_be_filled_in_comes_back_as_it_was_sent_out() {
    let district = District::new(3);
    let data = district.data(6);
    let entries: Vec<&Values> = data.entries.iter().map(|e| &e.values).collect();
    let form = district.campaign.form("register").unwrap();
    let reading = taken(&template::register(&blank(&district), form, &entries).unwrap(), &district);
    let sheet = &reading.returns[0];
    assert_eq!(sheet.findings, []);
    assert_eq!(sheet.records.len(), entries.len());
    for (got, sent) in sheet.records.iter().zip(entries) {
        assert_eq!(got.values.iter().find(|(k, v)| *k != "seq" && sent.get(*k) != Some(v)), None);
    }
    assert!(sheet.records.iter().all(|r| *r.get("union") == Datum::Bool(true)));
}
