//! The TOML files of a campaign → [`Campaign`], with every problem named. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use toml::Table;

use super::fields::Fields;
use super::rules::{self, Rules, Setting};
use super::{
    Apart, Behind, BookColumns, Campaign, Choice, Column, ColumnKind, Form, FormKind, Group, HeadingWords, Held,
    LabelWords, RowWords, Stream, TextStyle, Unless, When, arithmetic, expect,
};
use crate::form::finding::Severity;

const CAMPAIGN: &str = "campaign.toml";
/// Kind or style of a column, and the key of its fillers.
const KIND_FILLERS: [(&str, &str); 6] = [
    ("count", "count_fillers"),
    ("yesno", "yesno_fillers"),
    ("name", "name_fillers"),
    ("person", "person_fillers"),
    ("phone", "phone_fillers"),
    ("code", "code_fillers"),
];
const SEVERITIES: [(&str, Severity); 3] =
    [("error", Severity::Error), ("warning", Severity::Warning), ("info", Severity::Info)];

pub fn campaign(files: &[(&str, &str)]) -> Result<Campaign, Vec<String>> {
    let mut problems = Vec::new();
    let mut campaign = None;
    let mut forms = Vec::new();
    for (file, text) in files {
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(e) => {
                problems.push(format!("{file}: {}", e.to_string().trim_end()));
                continue;
            }
        };
        let mut fields = Fields::new(format!("{file}: "), &table, &mut problems);
        if *file == CAMPAIGN {
            campaign = Some(head(&mut fields));
            fields.finish();
        } else {
            let mut form = form(&mut fields);
            let settings: Vec<Setting> = fields.tables("rule", rules::setting);
            fields.finish();
            check_references(file, &form, &mut problems);
            form.rules = rules::all(file, &form, &settings, &mut problems);
            forms.push(form);
        }
    }
    let Some(mut campaign) = campaign else {
        problems.push(format!("{CAMPAIGN}: is missing; it names the campaign and its streams"));
        return Err(problems);
    };
    if forms.is_empty() {
        problems.push("no form file beside campaign.toml".to_owned());
    }
    check_keys(&campaign, &forms, &mut problems);
    check_terms(&forms, &mut problems);
    campaign.headings.choices = choices(&forms);
    forms.iter_mut().flat_map(|f| &mut f.columns).for_each(|c| c.make_keys(&campaign.headings));
    campaign.forms = forms;
    if problems.is_empty() { Ok(campaign) } else { Err(problems) }
}

fn choices(forms: &[Form]) -> BTreeSet<String> {
    let of = |c: &Column| match &c.kind {
        ColumnKind::OneOf(choices) => choices.clone(),
        _ => Vec::new(),
    };
    let all = forms.iter().flat_map(|f| f.columns.iter().flat_map(of));
    all.flat_map(|c| c.spellings.into_iter().chain([c.value])).collect()
}

fn head(fields: &mut Fields<'_>) -> Campaign {
    Campaign {
        title: fields.text("title"),
        streams: fields.tables("stream", |f| Stream {
            key: f.text("key"),
            title: f.text("title"),
            organisation: f.text("organisation"),
            words: longest_first(f.some("words")),
        }),
        forms: Vec::new(),
        headings: fields
            .table("headings", |f| HeadingWords {
                neutral: f.list("neutral"),
                prefixes: f.list("prefixes"),
                notes: f.list("notes"),
                fillers: f.list("fillers"),
                kind_fillers: KIND_FILLERS.iter().map(|(kind, key)| ((*kind).to_owned(), f.list(key))).collect(),
                forbidding: f.list("forbidding"),
                variants: variants(&f.list("variants")),
                meanings: f.lists("meanings"),
                mild: f.list("mild").into_iter().collect(),
                weak: f.list("weak").into_iter().collect(),
                choices: BTreeSet::new(),
            })
            .unwrap_or_default(),
        rows: fields
            .table("rows", |f| RowWords {
                totals: f.list("totals"),
                notes: longest_first(f.list("notes")),
                examples: f.list("examples"),
                sections: f.list("sections"),
                ditto: f.list("ditto"),
            })
            .unwrap_or_default(),
        labels: fields
            .table("labels", |f| LabelWords {
                unit: longest_first(f.list("unit")),
                period: longest_first(f.list("period")),
                filled: longest_first(f.list("filled")),
            })
            .unwrap_or_default(),
    }
}

/// `党黨`: the first character is meant by each of the others.
fn variants(groups: &[String]) -> BTreeMap<char, char> {
    let of = |group: &String| {
        let meant = group.chars().next();
        group.chars().skip(1).filter_map(move |c| Some((c, meant?))).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of).collect()
}

fn longest_first(mut words: Vec<String>) -> Vec<String> {
    words.sort_by_key(|w| std::cmp::Reverse(w.chars().count()));
    words
}

fn form(fields: &mut Fields<'_>) -> Form {
    Form {
        key: fields.text("key"),
        kind: fields
            .must_be_one_of("kind", &[("figures", FormKind::Figures), ("book", FormKind::Book)])
            .unwrap_or_default(),
        title: fields.text("title"),
        short_title: fields.text("short_title"),
        words: longest_first(fields.some("words")),
        sequence: fields.optional("sequence"),
        identity: fields.text("identity"),
        subject: fields.list("subject"),
        cards: fields.flag("cards"),
        groups: fields.tables("group", |f| Group { name: f.text("name"), synonyms: f.list("synonyms") }),
        columns: fields.tables("column", column),
        sums: fields.tables("sum", arithmetic::sum),
        at_most: fields.tables("at_most", arithmetic::at_most),
        rates: fields.tables("rate", arithmetic::rate),
        cumulative: fields.tables("cumulative", arithmetic::cumulative),
        expects: fields.tables("expect", expect::expect),
        book_figures: fields.tables("from_book", arithmetic::from_book),
        repeated: fields.table("repeated", arithmetic::repeated),
        history: fields.table("history", arithmetic::history),
        book: fields.table("book", |f| {
            moved(f);
            BookColumns { code: f.optional("code"), status: f.text("status"), closed: f.text("closed") }
        }),
        held: fields.table("held", |f| Held {
            smaller_than: f.bounded("smaller_than", 0..=100),
            of_at_least: f.bounded("of_at_least", 1..=1_000_000),
        }),
        rules: Rules::default(),
    }
}

/// Keys of `[book]` by which files of before said what R06–R09 ask.
fn moved(book: &mut Fields<'_>) {
    const KEYS: [&str; 9] = [
        "closed_reason",
        "closed_on",
        "members",
        "members_full",
        "party_org_kind",
        "single",
        "joint",
        "mass_organisations",
        "instructor",
    ];
    let here: Vec<&str> = KEYS.into_iter().filter(|key| book.put_aside(key)).collect();
    if let [first, ..] = here[..] {
        let text = format_args!(
            "is from an earlier version, in which R06, R07, R08 and R09 were built in; they are [[expect]] blocks now: copy these \
             from the shipped form file of this version, and delete here {}",
            here.join(", ")
        )
        .to_string();
        book.problem(first, text);
    }
}

pub(super) fn severity(fields: &mut Fields<'_>) -> Severity {
    fields.must_be_one_of("severity", &SEVERITIES).unwrap_or(Severity::Error)
}

fn column(fields: &mut Fields<'_>) -> Column {
    const KINDS: [(&str, ColumnKind); 6] = [
        ("count", ColumnKind::Count),
        ("rate", ColumnKind::Rate),
        ("date", ColumnKind::Date),
        ("text", ColumnKind::Text),
        ("yesno", ColumnKind::YesNo),
        ("choice", ColumnKind::OneOf(Vec::new())),
    ];
    const STYLES: [(&str, TextStyle); 5] = [
        ("plain", TextStyle::Plain),
        ("name", TextStyle::Name),
        ("person", TextStyle::Person),
        ("phone", TextStyle::Phone),
        ("code", TextStyle::Code),
    ];
    let mut kind = fields.must_be_one_of("kind", &KINDS).unwrap_or_default();
    let choices = fields.tables("choices", |f| Choice { value: f.text("value"), spellings: f.list("spellings") });
    match &mut kind {
        ColumnKind::OneOf(list) if !choices.is_empty() => *list = choices,
        ColumnKind::OneOf(_) => fields.problem("choices", "a choice needs at least one value"),
        _ if !choices.is_empty() => fields.problem("choices", "only a column of kind choice has them"),
        _ => {}
    }
    let earliest = fields.optional("earliest").and_then(|text| {
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        if date.is_none() {
            fields.problem("earliest", "must be a date such as 1921-07-01");
        }
        date
    });
    Column {
        key: fields.text("key"),
        heading: fields.some("heading"),
        synonyms: fields.list("synonyms"),
        within: fields.list("within"),
        groups: fields.list("groups"),
        bare: fields.list("bare"),
        apart: fields.table("apart", |f| Apart { headings: f.some("headings"), columns: f.some("columns") }),
        behind: fields.table("behind", |f| Behind { column: f.text("column"), headings: f.some("headings") }),
        like: fields.list("like"),
        learned: fields.paths("paths"),
        unless: fields.table("unless", |f| Unless { column: f.text("column"), value: f.text("value") }),
        kind,
        style: fields.one_of("text", &STYLES).unwrap_or_default(),
        required: fields.flag("required"),
        default: fields.optional("default"),
        when: fields.tables("when", |f| When {
            heading: f.text("heading"),
            yes: f.optional("yes"),
            no: f.optional("no"),
        }),
        earliest,
    }
}

/// Keys that identities and rules name must be columns of their form.
fn check_references(file: &str, form: &Form, problems: &mut Vec<String>) {
    let known: BTreeSet<&str> = form.columns.iter().map(|c| c.key.as_str()).collect();
    let mut refer = |place: String, keys: Vec<&String>| {
        for key in keys.into_iter().filter(|k| !k.is_empty() && !known.contains(k.as_str())) {
            problems.push(format!("{file}: {place}: there is no column `{key}`"));
        }
    };
    refer("identity".into(), vec![&form.identity]);
    refer("sequence".into(), form.sequence.iter().collect());
    for apart in form.columns.iter().filter_map(|c| c.apart.as_ref()) {
        refer("apart".into(), apart.columns.iter().collect());
    }
    for behind in form.columns.iter().filter_map(|c| c.behind.as_ref()) {
        refer("behind".into(), vec![&behind.column]);
    }
    for unless in form.columns.iter().filter_map(|c| c.unless.as_ref()) {
        refer("unless".into(), vec![&unless.column]);
    }
    for (i, s) in form.sums.iter().enumerate() {
        refer(format!("sum {}: whole", i + 1), vec![&s.whole]);
        refer(format!("sum {}: parts", i + 1), s.parts.iter().collect());
    }
    for (i, s) in form.at_most.iter().enumerate() {
        refer(format!("at_most {}: whole", i + 1), vec![&s.whole]);
        refer(format!("at_most {}: parts", i + 1), s.parts.iter().collect());
    }
    for (i, r) in form.rates.iter().enumerate() {
        refer(format!("rate {}", i + 1), vec![&r.rate, &r.part, &r.whole]);
    }
    for (i, c) in form.cumulative.iter().enumerate() {
        refer(format!("cumulative {}", i + 1), vec![&c.month, &c.total]);
    }
    for (i, b) in form.book_figures.iter().enumerate() {
        refer(format!("from_book {}: figure", i + 1), vec![&b.figure]);
    }
    for (i, e) in form.expects.iter().enumerate() {
        e.refers().into_iter().for_each(|(what, key)| refer(format!("expect {}: {what}", i + 1), vec![key]));
    }
    refer("history: except".into(), form.history.iter().flat_map(|h| &h.except).collect());
    if let Some(b) = &form.book {
        refer("book".into(), [Some(&b.status), b.code.as_ref()].into_iter().flatten().collect());
    }
    for (i, e) in form.expects.iter().enumerate() {
        let wrong = e.when.iter().chain(&e.must).filter_map(|c| c.mismatch(form));
        problems.extend(wrong.map(|why| format!("{file}: expect {}: {why}", i + 1)));
    }
}

/// The terms of `from_book` name columns of a book.
fn check_terms(forms: &[Form], problems: &mut Vec<String>) {
    let books: Vec<&Form> = forms.iter().filter(|f| f.kind == FormKind::Book).collect();
    for form in forms {
        for (i, term) in form.book_figures.iter().enumerate().flat_map(|(i, b)| b.terms.iter().map(move |t| (i, t))) {
            let place = format!("form {}: from_book {}", form.key, i + 1);
            let conditions = term.when.iter().map(|c| &c.column);
            for key in conditions.chain(&term.sum).chain(&term.distinct).filter(|k| !k.is_empty()) {
                if books.iter().all(|b| b.column(key).is_none()) {
                    problems.push(format!("{place}: no book has a column `{key}`"));
                }
            }
            let wrong = term.when.iter().filter_map(|c| books.iter().find_map(|b| c.mismatch(b)));
            problems.extend(wrong.map(|why| format!("{place}: {why}")));
        }
    }
}

/// Keys of streams, forms and columns are unique.
/// Keys become names in JSON and SQL, so they are plain words, and no two are the same.
fn check_keys(campaign: &Campaign, forms: &[Form], problems: &mut Vec<String>) {
    let word = |key: &str| {
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(rest)
    };
    let mut twice = |place: &str, keys: Vec<&String>| {
        let mut seen = BTreeSet::new();
        for key in keys.into_iter().filter(|k| !k.is_empty()) {
            if !seen.insert(key) {
                problems.push(format!("{place}: the key `{key}` is used twice"));
            }
            if !word(key) {
                problems.push(format!("{place}: the key `{key}` may only have a-z, 0-9 and _, a letter first"));
            }
        }
    };
    twice(CAMPAIGN, campaign.streams.iter().map(|s| &s.key).collect());
    twice("forms", forms.iter().map(|f| &f.key).collect());
    for form in forms {
        twice(&format!("form {}", form.key), form.columns.iter().map(|c| &c.key).collect());
    }
    if campaign.streams.is_empty() {
        problems.push(format!("{CAMPAIGN}: stream: at least one is needed"));
    }
}
