//! Versions of one return: corrections, duplicates, late ones, rejected ones put right.

use serde_json::{Value, json};
use taizhang::demo::district::{GBK, LATE, MESSY, NONPUBLIC, ONE_MAIL, SOCIAL, TIDY, UNITS};
use taizhang::demo::returns;
use taizhang::demo::sheets::Cell;

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const NEXT: &str = "2011-09-21T09:10:00+08:00";
const NEXT_NOON: &str = "2011-09-21T12:00:00+08:00";
const AFTER: &str = "2011-09-27T09:10:00+08:00";
const AFTER_NOON: &str = "2011-09-27T12:00:00+08:00";

const FIGURES: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "progress");
const BOOK: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "register");

/// The tidy unit's August table with more or fewer venues, which no other figure depends on.
fn table(at: &str, venues: i64) -> Letter {
    let mut table = tidy(TIDY, NONPUBLIC, "2011-08").progress();
    let column = table.columns.iter().position(|c| c.key == "venues").expect("a column");
    table.rows[0][column] = Cell::Count(venues);
    Letter::new(TIDY, NONPUBLIC, at, vec![workbook("棠梨非公企业统计表.xlsx", &[table])])
}

fn venues(office: &Office) -> Value {
    let rows = office.json("", &["export", "progress", "--unit", FIGURES.0, "--period", "2011-08"]);
    assert_eq!(rows.as_array().expect("a list").len(), 1);
    json!([rows[0]["venues"], rows[0]["version"]])
}

/// Exactly these keys, in any order.
fn has_keys(object: &Value, keys: &[&str]) {
    let mut have: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut wanted = keys.to_vec();
    have.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(have, wanted);
}

#[test]
fn a_correction_is_version_two_and_its_figures_count() {
    let office = Office::open();
    let (first, second) = (table(MORNING, 4), table(NEXT, 7));
    office.post(&first);
    office.once(NOON);
    assert_eq!(venues(&office), json!([4, 1]));
    office.post(&second);
    office.once(NEXT_NOON);
    assert_eq!(venues(&office), json!([7, 2]));
    assert!(office.answer(&second).text.contains("第2次报送（更正）"));

    let state = office.obligation(NEXT_NOON, "2011-08", FIGURES);
    assert_eq!((&state["state"], &state["version"]), (&json!("on_time"), &json!(2)));
    assert_eq!((&state["received_at"], &state["amended_at"]), (&json!(MORNING), &json!(NEXT)));
    assert_eq!(office.message(&first)["submissions"][0]["version"], 1);
    assert_eq!(office.message(&second)["submissions"][0]["version"], 2);
}

#[test]
fn a_correction_that_arrives_before_what_it_corrects_still_counts() {
    let office = Office::open();
    office.post(&table(NEXT, 7));
    office.once(NEXT_NOON);
    office.post(&table(MORNING, 4));
    office.once(AFTER_NOON);
    assert_eq!(venues(&office), json!([7, 2]));
}

#[test]
fn the_same_mail_in_another_mailbox_and_the_same_files_sent_again_are_duplicates() {
    let office = Office::open();
    let letter = table(MORNING, 4);
    office.post(&letter);
    office.post_into(SOCIAL, &letter);
    office.once(NOON);
    let again = Letter { id: "again".to_owned(), at: NEXT.to_owned(), ..letter.clone() };
    office.post(&again);
    office.once(NEXT_NOON);

    let all = office.json("", &["messages"]);
    let all = all.as_array().expect("a list");
    let mut dispositions: Vec<&str> = all.iter().map(|m| m["disposition"].as_str().expect("text")).collect();
    dispositions.sort_unstable();
    assert_eq!(dispositions, ["accepted", "duplicate", "duplicate"]);
    let original = all.iter().find(|m| m["disposition"] == "accepted").expect("the first");
    assert!(all.iter().all(|m| m["id"] == original["id"] || m["duplicate_of"] == original["id"]));
    assert_eq!(venues(&office), json!([4, 1]));
    assert_eq!(office.sent().len(), 1);
    // The copies are filed like any other mail.
    assert_eq!((office.names(NONPUBLIC, "cur").len(), office.names(SOCIAL, "cur").len()), (2, 1));
}

#[test]
fn bytes_seen_again_under_another_name_are_the_same_message() {
    let office = Office::open();
    let letter = table(MORNING, 4);
    office.post(&letter);
    office.once(NOON);
    // As a mailbox that was rebuilt shows it.
    let kept = office.path("mail/nonpublic/cur").join(&office.names(NONPUBLIC, "cur")[0]);
    office.put(NONPUBLIC, "renamed", &std::fs::read(kept).expect("the letter"));
    let passed = office.once(NEXT_NOON);
    assert_eq!((&passed["taken"], &passed["processed"]), (&json!(1), &json!(0)));
    assert_eq!(office.json("", &["messages"]).as_array().expect("a list").len(), 1);
    assert_eq!(office.names(NONPUBLIC, "cur").len(), 2);
}

#[test]
fn after_the_deadline_a_return_is_late_and_an_amended_one_is_not() {
    let office = Office::open();
    office.post(&table(MORNING, 4));
    office.once(NOON);
    let late = Letter::new(LATE, SOCIAL, AFTER, tidy(LATE, SOCIAL, "2011-08").one_file());
    let amended = table(AFTER, 7);
    office.post(&late);
    office.post(&amended);
    office.once(AFTER_NOON);

    let state = office.obligation(AFTER_NOON, "2011-08", (UNITS[LATE].name, "social", "register"));
    assert_eq!((&state["state"], &state["received_at"]), (&json!("late"), &json!(AFTER)));
    assert!(office.answer(&late).text.contains("迟报"));
    let state = office.obligation(AFTER_NOON, "2011-08", FIGURES);
    assert_eq!(
        (&state["state"], &state["version"], &state["amended_at"]),
        (&json!("on_time"), &json!(2), &json!(AFTER))
    );
    let missing = office.obligation(AFTER_NOON, "2011-08", BOOK);
    assert_eq!((&missing["state"], &missing["received_at"]), (&json!("missing"), &Value::Null));
}

#[test]
fn a_rejected_return_that_is_put_right_counts_from_then_on() {
    let office = Office::open();
    let what = tidy(TIDY, NONPUBLIC, "2011-08");
    let wrong = Letter::new(TIDY, NONPUBLIC, MORNING, vec![what.progress_file(returns::slip(what.progress()))]);
    office.post(&wrong);
    office.once(NOON);
    assert_eq!(office.message(&wrong)["disposition"], "rejected");
    assert_eq!(office.obligation(NOON, "2011-08", FIGURES)["state"], "rejected");
    assert_eq!(office.json("", &["export", "progress"]), json!([]));
    let findings = office.json("", &["findings", "--period", "2011-08"]);
    has_keys(
        &findings[0],
        &[
            &["rule", "severity", "unit", "stream", "form", "period", "file", "sheet", "cell", "row", "message"][..],
            &["id", "waived_by", "waived_reason", "waived_at"],
        ]
        .concat(),
    );
    assert_eq!((&findings[0]["rule"], &findings[0]["severity"]), (&json!("P03"), &json!("error")));
    assert_eq!(
        (&findings[0]["sheet"], &findings[0]["cell"], &findings[0]["row"]),
        (&json!("附件1"), &json!("F5"), &json!(5))
    );
    let answer = office.answer(&wrong);
    assert!(answer.text.contains("F5") && answer.text.contains("改好后直接回复本邮件"), "{}", answer.text);

    let right = Letter::new(TIDY, NONPUBLIC, NEXT, vec![what.progress_file(what.progress())]);
    office.post(&right);
    office.once(NEXT_NOON);
    let state = office.obligation(NEXT_NOON, "2011-08", FIGURES);
    assert_eq!(
        (&state["state"], &state["version"], &state["received_at"]),
        (&json!("on_time"), &json!(1), &json!(NEXT))
    );
    // The first version's error is history.
    let open = office.json("", &["findings", "--period", "2011-08"]);
    assert!(!open.as_array().expect("a list").iter().any(|f| f["rule"] == "P03"), "{open}");
    let all = office.json("", &["findings", "--period", "2011-08", "--all"]);
    assert!(all.as_array().expect("a list").iter().any(|f| f["rule"] == "P03"));
}

#[test]
fn a_register_with_wrong_rows_is_partly_taken_and_counts_as_reported() {
    let office = Office::open();
    let what = tidy(MESSY, NONPUBLIC, "2011-08");
    let letter = Letter::new(MESSY, NONPUBLIC, MORNING, vec![what.register_file(returns::mess(what.register()))]);
    office.post(&letter);
    office.once(NOON);
    assert_eq!(office.message(&letter)["disposition"], "partly");
    let state = office.obligation(NOON, "2011-08", (UNITS[MESSY].name, "nonpublic", "register"));
    assert_eq!(state["state"], "on_time");
    let rows = what.register().rows.len();
    let taken = office.json("", &["export", "register"]).as_array().expect("a list").len();
    assert!(taken > 0 && taken < rows, "{taken} of {rows}");
    let answer = office.answer(&letter);
    assert!(answer.text.contains("部分入账"), "{}", answer.text);
    let (name, bytes) = answer.files.first().unwrap_or_else(|| panic!("no marked table: {}", answer.text));
    assert!(name.ends_with("台账（已标出问题）.xlsx") && bytes.starts_with(b"PK"), "{name}");
}

#[test]
fn listings_have_the_keys_of_the_contract() {
    let office = Office::open();
    let july =
        Letter::new(ONE_MAIL, NONPUBLIC, "2011-08-20T09:00:00+08:00", tidy(ONE_MAIL, NONPUBLIC, "2011-07").one_file());
    let letter = Letter::new(ONE_MAIL, NONPUBLIC, MORNING, tidy(ONE_MAIL, NONPUBLIC, "2011-08").one_file());
    office.post(&july);
    office.post(&letter);
    office.once(NOON);

    let status = office.json(NOON, &["status"]);
    has_keys(&status, &["period", "due", "obligations"]);
    assert_eq!((&status["period"], &status["due"]), (&json!("2011-08"), &json!("2011-09-25T23:59:59+08:00")));
    let keys =
        ["unit", "stream", "form", "period", "state", "received_at", "amended_at", "version", "errors", "warnings"];
    has_keys(&status["obligations"][0], &keys);
    assert_eq!(status["obligations"].as_array().expect("a list").len(), 7 * 4 + 2);

    let message = office.message(&letter);
    for key in ["id", "mailbox", "message_id", "from", "subject", "received_at", "disposition", "reason", "rules"] {
        assert!(!message[key].is_null(), "{key}");
    }
    for key in ["unit", "stream", "form", "period", "version", "state"] {
        assert!(!message["submissions"][0][key].is_null(), "{key}");
    }
    assert_eq!((&message["from"], &message["received_at"]), (&json!(UNITS[ONE_MAIL].address()), &json!(MORNING)));

    let figures = taizhang::demo::organisations::figures(ONE_MAIL, NONPUBLIC, "2011-08".parse().expect("a period"));
    let rows = office.json("", &["export", "progress", "--period", "2011-08"]);
    let row = &rows[0];
    assert_eq!((&row["orgs"], &row["members"]), (&json!(figures.orgs), &json!(figures.members)));
    assert_eq!(row["org_coverage"], json!(figures.percent(figures.covered)));
    assert_eq!((&row["stream"], &row["period"], &row["version"]), (&json!("nonpublic"), &json!("2011-08"), &json!(1)));

    let entries = office.json("", &["export", "register", "--unit", UNITS[ONE_MAIL].name]);
    let entries = entries.as_array().expect("a list");
    let book = taizhang::demo::organisations::book(ONE_MAIL, NONPUBLIC, "2011-08".parse().expect("a period"));
    assert_eq!(entries.len(), book.len());
    for (entry, organisation) in entries.iter().zip(&book) {
        assert_eq!(entry["name"], json!(organisation.name));
        assert_eq!(entry["founded"], json!(organisation.founded));
        assert_eq!(entry["union"], json!(organisation.union));
        assert_eq!(entry["status"], json!(if organisation.closed.is_some() { "销户" } else { "正常" }));
        assert_eq!(entry["last_period"], "2011-08");
    }
    let as_of_july = office.json("", &["export", "register", "--as-of", "2011-07"]);
    assert_eq!(as_of_july.as_array().expect("a list").len(), book.len() - 1);
}

#[test]
fn a_figure_and_an_organisation_can_be_traced_to_mail_file_sheet_and_row() {
    let office = Office::open();
    let letter = Letter::new(GBK, NONPUBLIC, MORNING, tidy(GBK, NONPUBLIC, "2011-08").two_files());
    office.post(&letter);
    office.once(NOON);
    let place = |row: &Value| json!([row["file"], row["sheet"], row["row"]]);
    let figure = office.json("", &["export", "progress"]);
    assert_eq!(place(&figure[0]), json!(["附件1 石桥湾非公企业统计表.xlsx", "附件1", 5]));
    let history = office.json("", &["export", "history"]);
    assert_eq!(place(&history[0]), json!(["附件2 石桥湾非公企业台账.xlsx", "附件2", 5]));
    assert_eq!((&history[0]["change"], &history[0]["message"]), (&json!("added"), &office.message(&letter)["id"]));
}
