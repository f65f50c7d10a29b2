//! The TOML files of a campaign → [`Campaign`], with every problem named. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use toml::Table;

use super::fields::Fields;
use super::{
    Apart, AtMost, Behind, BookColumns, BookFigure, Campaign, Choice, Column, ColumnKind, Cumulative, Form, FormKind,
    Group, HeadingWords, Held, LabelWords, RateOf, RowWords, Stream, Sum, Term, TextStyle, Unless, When,
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
const SEVERITIES: [(&str, Severity); 2] = [("error", Severity::Error), ("warning", Severity::Warning)];

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
            let form = form(&mut fields);
            fields.finish();
            check_references(file, &form, &mut problems);
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
        sums: fields.tables("sum", |f| Sum {
            whole: f.text("whole"),
            parts: f.some("parts"),
            rule: f.text("rule"),
            severity: severity(f),
        }),
        at_most: fields.tables("at_most", |f| AtMost {
            whole: f.text("whole"),
            parts: f.some("parts"),
            rule: f.text("rule"),
            severity: severity(f),
        }),
        rates: fields.tables("rate", |f| RateOf {
            rate: f.text("rate"),
            part: f.text("part"),
            whole: f.text("whole"),
            rule: f.text("rule"),
            severity: severity(f),
        }),
        cumulative: fields.tables("cumulative", |f| Cumulative { month: f.text("month"), total: f.text("total") }),
        book_figures: fields.tables("from_book", |f| BookFigure {
            figure: f.text("figure"),
            terms: f.tables("terms", |t| Term {
                column: t.optional("column"),
                value: t.optional("value"),
                sum: t.optional("sum"),
                distinct: t.optional("distinct"),
            }),
        }),
        book: fields.table("book", book),
        held: fields.table("held", |f| Held {
            smaller_than: f.number("smaller_than", 0..=100),
            of_at_least: f.number("of_at_least", 1..=1_000_000),
        }),
    }
}

fn severity(fields: &mut Fields<'_>) -> Severity {
    fields.must_be_one_of("severity", &SEVERITIES).unwrap_or(Severity::Error)
}

fn book(f: &mut Fields<'_>) -> BookColumns {
    BookColumns {
        code: f.text("code"),
        status: f.text("status"),
        closed: f.text("closed"),
        closed_reason: f.text("closed_reason"),
        closed_on: f.text("closed_on"),
        members: f.text("members"),
        members_full: f.text("members_full"),
        party_org_kind: f.text("party_org_kind"),
        single: f.text("single"),
        joint: f.text("joint"),
        mass_organisations: f.some("mass_organisations"),
        instructor: f.text("instructor"),
    }
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
    if let Some(b) = &form.book {
        let keys = vec![&b.code, &b.status, &b.closed_reason, &b.closed_on, &b.members, &b.members_full, &b.instructor];
        refer("book".into(), keys);
        refer("book: party_org_kind".into(), vec![&b.party_org_kind]);
        refer("book: mass_organisations".into(), b.mass_organisations.iter().collect());
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
