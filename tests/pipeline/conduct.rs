//! Targets and conduct over three periods: late, missing, excused, sent back, corrected after publication, released later.

use serde_json::{Value, json};
use taizhang::demo::district::{CORRECTED, GBK, LATE, NONPUBLIC, SILENT, SOCIAL, STRANGER, TIDY, UNITS};
use taizhang::demo::returns;
use taizhang::demo::sheets::Cell;

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};

/// After September's final report.
const END: &str = "2011-10-29T10:00:00+08:00";

fn at(text: &str) -> String {
    format!("2011-{}:00+08:00", text.replace(' ', "T"))
}

impl Office {
    /// Both forms of a unit's stream.
    fn sends(&self, unit: usize, stream: usize, period: &str, when: &str) {
        self.post(&Letter::new(unit, stream, &at(when), tidy(unit, stream, period).one_file()));
    }

    /// Everybody but these units, in time.
    fn all_send_but(&self, absent: &[usize], period: &str, when: &str) {
        for unit in (0..UNITS.len()).filter(|unit| !absent.contains(unit)) {
            for stream in UNITS[unit].streams() {
                self.sends(unit, stream, period, when);
            }
        }
    }

    fn conduct(&self, when: &str, period: &str, unit: usize) -> Value {
        let all = self.json(when, &["conduct", "--period", period]);
        let units = all["units"].as_array().expect("units");
        units.iter().find(|u| u["unit"] == UNITS[unit].name).expect("the unit").clone()
    }

    fn target(&self, when: &str, period: &str, (unit, stream): (usize, &str)) -> Value {
        let all = self.json(when, &["targets", "--period", period, "--unit", UNITS[unit].name]);
        let streams = all["streams"].as_array().expect("streams");
        let of = streams.iter().find(|s| s["stream"] == stream).expect("the stream");
        assert_eq!(of["units"].as_array().expect("units").len(), 1);
        of["units"][0].clone()
    }
}

/// The tidy unit's table of a period with so many new party organisations in all.
fn founded(period: &str, when: &str, total: i64) -> Letter {
    let mut table = tidy(TIDY, NONPUBLIC, period).progress();
    let column = table.columns.iter().position(|c| c.key == "new_party_orgs_total").expect("a column");
    table.rows[0][column] = Cell::Count(total);
    Letter::new(TIDY, NONPUBLIC, &at(when), vec![workbook("棠梨非公企业统计表.xlsx", &[table])])
}

/// These keys of a tally.
fn told(tally: &Value, keys: &[&str]) -> Value {
    keys.iter().map(|key| ((*key).to_owned(), tally[*key].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// Three periods of a district; July is the opening position, in time from everybody.
fn three_periods() -> Office {
    let office = Office::open();
    office.all_send_but(&[], "2011-07", "08-20 09:00");
    office.once(&at("08-20 18:00"));
    office.once(&at("08-28 17:01"));

    // August: one unit is silent, one is excused, one late, one sends a table back that does not add up.
    office.all_send_but(&[SILENT, STRANGER, LATE, CORRECTED], "2011-08", "09-20 09:00");
    let excused = office
        .run(&at("09-20 10:00"), &["excuse", UNITS[STRANGER].name, "--period", "2011-08", "--reason", "机构合并"]);
    assert_eq!(excused.code, Some(0), "{excused:?}");
    let wrong = tidy(CORRECTED, NONPUBLIC, "2011-08");
    let slipped = vec![wrong.progress_file(returns::slip(wrong.progress())), wrong.register_file(wrong.register())];
    office.post(&Letter::new(CORRECTED, NONPUBLIC, &at("09-21 09:00"), slipped));
    office.sends(CORRECTED, SOCIAL, "2011-08", "09-21 09:10");
    office.once(&at("09-21 18:00"));
    office.post(&Letter::new(CORRECTED, NONPUBLIC, &at("09-22 09:00"), vec![wrong.progress_file(wrong.progress())]));
    office.once(&at("09-26 10:01"));
    office.sends(LATE, SOCIAL, "2011-08", "09-28 08:00");
    office.once(&at("09-28 10:00"));
    office.once(&at("09-28 17:01"));
    // The final report is out; the tidy unit changes a figure in it.
    office.post(&founded("2011-08", "09-30 09:00", 4));
    office.once(&at("09-30 18:00"));
    office
}

const COUNTS: [&str; 7] = ["due", "on_time", "late", "missing", "excused", "rejected", "corrections_after_publication"];

fn counts(numbers: [u32; 7]) -> Value {
    COUNTS.iter().map(|k| (*k).to_owned()).zip(numbers.map(Value::from)).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn each_unit_s_conduct_is_counted_and_costs_what_the_rule_says() {
    let office = three_periods();
    let now = at("09-30 19:00");
    let of = |unit: usize| office.conduct(&now, "2011-08", unit);
    let expected = [
        // A correction after the final report: three points.
        (TIDY, [8, 8, 0, 0, 0, 0, 1], 97, 3),
        (GBK, [8, 8, 0, 0, 0, 0, 0], 100, 1),
        // One table sent back: two points.
        (CORRECTED, [8, 8, 0, 0, 0, 1, 0], 98, 5),
        (STRANGER, [4, 4, 0, 0, 4, 0, 0], 100, 1),
        // Four forms are missing, fifteen points each.
        (SILENT, [8, 4, 0, 4, 0, 0, 0], 40, 8),
        // Two forms, three days each.
        (LATE, [4, 2, 2, 0, 0, 0, 0], 94, 7),
    ];
    for (unit, numbers, points, _) in expected {
        let conduct = of(unit);
        assert_eq!(told(&conduct["campaign"], &COUNTS), counts(numbers), "{}", UNITS[unit].name);
        assert_eq!(conduct["points"], points, "{}", UNITS[unit].name);
    }
    let ranks: Vec<Value> = expected.iter().map(|(unit, ..)| of(*unit)["rank"].clone()).collect();
    assert_eq!(ranks, [json!(6), json!(1), json!(5), json!(1), json!(8), json!(7)]);
    assert_eq!(of(LATE)["campaign"]["days_late"], 6);
    assert_eq!(
        told(&of(SILENT)["period"], &["due", "missing", "points"]),
        json!({"due": 4, "missing": 4, "points": 40})
    );
    assert_eq!(
        told(&of(STRANGER)["period"], &["due", "excused", "points"]),
        json!({"due": 0, "excused": 4, "points": 100})
    );
}

#[test]
fn an_excuse_lifts_what_a_unit_has_already_paid() {
    let office = three_periods();
    let now = at("09-30 19:00");
    for unit in [LATE, SILENT] {
        let ran = office.run(&now, &["excuse", UNITS[unit].name, "--period", "2011-08", "--reason", "系统故障"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(office.conduct(&now, "2011-08", unit)["points"], 100);
    }
}

#[test]
fn a_later_period_changes_nothing_as_of_an_earlier_one() {
    let office = three_periods();
    let now = at("09-30 19:00");
    let listings = [&["targets", "--period", "2011-08"][..], &["conduct", "--period", "2011-08"]];
    let before: Vec<Value> = listings.iter().map(|args| office.json(&now, args)).collect();
    office.all_send_but(&[GBK], "2011-09", "10-20 09:00");
    office.once(&at("10-20 18:00"));
    let after: Vec<Value> = listings.iter().map(|args| office.json(END, args)).collect();
    assert_eq!(before, after);
    let gbk = office.conduct(END, "2011-09", GBK);
    assert_eq!((&gbk["points"], &gbk["campaign"]["missing"]), (&json!(40), &json!(4)));
}

#[test]
fn what_waits_in_quarantine_costs_nothing_and_a_release_counts_from_its_arrival() {
    let office = three_periods();
    let from = "xiaowang77@duckmail.example".to_owned();
    let files = tidy(SILENT, SOCIAL, "2011-08").one_file();
    let letter = Letter { from, ..Letter::new(SILENT, SOCIAL, &at("09-27 09:00"), files) };
    office.post(&letter);
    office.run(&at("09-30 19:00"), &["once"]);
    assert_eq!(office.message(&letter)["disposition"], "quarantined");
    let keys = ["waiting", "missing", "late", "days_late", "points"];
    let of = |when: &str| told(&office.conduct(when, "2011-08", SILENT)["period"], &keys);
    // The other stream's two forms are still missing.
    assert_eq!(of(END), json!({"waiting": 2, "missing": 2, "late": 0, "days_late": 0, "points": 70}));
    let id = office.message(&letter)["id"].to_string();
    let ran = office.run(&at("10-28 09:00"), &["quarantine", "release", &id]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    office.once(&at("10-28 10:00"));
    // It came two days late with two forms, a month before anybody let it in; and that is no correction.
    assert_eq!(of(END), json!({"waiting": 0, "missing": 2, "late": 2, "days_late": 4, "points": 66}));
}

#[test]
fn a_quota_has_pace_and_date_once_two_periods_are_known() {
    let office = three_periods();
    let now = at("09-30 19:00");
    let july = office.target(&now, "2011-07", (TIDY, "nonpublic"));
    assert_eq!(
        (&july["done"], &july["pace"], &july["projection"]),
        (&json!(1), &json!(null), &json!("too_little_data"))
    );
    // From 1 to 4 of 5 in a month: the last one needs a third of September.
    let august = office.target(&now, "2011-08", (TIDY, "nonpublic"));
    let keys = ["quota", "done", "completion", "rank", "pace", "needed", "projection", "projected", "ahead"];
    assert_eq!(
        told(&august, &keys),
        json!({"quota": 5, "done": 4, "completion": 80.0, "rank": 1, "pace": 3.0, "needed": 0.25,
               "projection": "date", "projected": "2011-09-10", "ahead": 3.0})
    );
    assert_eq!(august["history"], json!([{"period": "2011-07", "done": 1}, {"period": "2011-08", "done": 4}]));
    let silent = office.target(&now, "2011-08", (SILENT, "nonpublic"));
    assert_eq!(
        (&silent["done"], &silent["rank"], &silent["projection"]),
        (&json!(null), &json!(null), &json!("too_little_data"))
    );
}

#[test]
fn milestones_tell_the_day_they_were_reached_or_what_is_lacking() {
    let office = three_periods();
    let now = at("09-30 19:00");
    let marks = |unit: usize, stream: &str| office.target(&now, "2011-08", (unit, stream))["milestones"].clone();
    let tidy = marks(TIDY, "nonpublic");
    assert_eq!(
        (&tidy[0]["state"], &tidy[0]["day"], &tidy[0]["period"]),
        (&json!("in_time"), &json!("2011-08-20"), &json!("2011-07"))
    );
    assert_eq!(
        (&tidy[2]["state"], &tidy[2]["lacks"], &tidy[2]["by_how_much"]),
        (&json!("open"), &json!("party_orgs"), &json!(1))
    );
    office.post(&founded("2011-10", "11-28 09:00", 5));
    office.once("2011-11-28T10:00:00+08:00");
    let october = office.target("2011-11-28T11:00:00+08:00", "2011-10", (TIDY, "nonpublic"));
    let last = &october["milestones"][2];
    assert_eq!((&last["state"], &last["day"], &last["days_late"]), (&json!("late"), &json!("2011-11-28"), &json!(3)));
    let silent = office.target("2011-11-28T11:00:00+08:00", "2011-10", (SILENT, "nonpublic"));
    assert_eq!(
        (&silent["milestones"][2]["state"], &silent["milestones"][2]["lacks"]),
        (&json!("missed"), &json!("return"))
    );
}
