//! `ledger merge` and `ledger split`: a person rules that two organisations are one, or two. Remembered in every rebuild.

use anyhow::Result;
use serde_json::json;

use crate::cli::arguments::Ruling;
use crate::cli::listing::unit_name;
use crate::cli::{Office, Outcome, print, usage};
use crate::form::code;
use crate::form::name::organisation_key;
use crate::jobs::decide;
use crate::ledger::merge::Ruled;
use crate::ledger::rulings::{Called, called};
use crate::ledger::store::Decision;

/// Organisations that an error names.
const NAMED: usize = 12;

pub async fn run(office: &Office, ruled: Ruled, order: Ruling) -> Result<Outcome> {
    let unit = unit_name(office, &order.unit)?;
    if let Some(stream) = order.stream.as_deref().filter(|s| office.config.campaign.stream(s).is_none()) {
        let known: Vec<&str> = office.config.campaign.streams.iter().map(|s| s.key.as_str()).collect();
        return Err(usage(format!("`{stream}` is no stream; streams: {}", known.join(", "))));
    }
    let db = office.db().await?;
    let mut tx = db.begin().await?;
    let all = called(&mut tx, &unit, order.stream.as_deref()).await?;
    let (stream, form) = book_of_both(&all, &order)?;
    let decision = Decision {
        kind: if ruled == Ruled::One { "merge" } else { "split" },
        who: &order.who,
        unit: Some(&unit),
        stream: Some(stream),
        form: Some(form),
        subject: Some(&order.name),
        other: Some(&order.other),
        reason: &order.reason,
        ..Decision::default()
    };
    decide::enter(&mut tx, &office.config.campaign, &decision, office.clock.now()).await?;
    let now = called(&mut tx, &unit, order.stream.as_deref()).await?;
    tx.commit().await?;
    let gone: Vec<&Called> = all.iter().filter(|was| !now.contains(was)).collect();
    let new: Vec<&Called> = now.iter().filter(|is| !all.contains(is)).collect();
    if office.json {
        let about = json!({ "decision": decision.kind, "unit": unit, "stream": stream, "before": gone, "now": new });
        print::json(&about)?;
        return Ok(Outcome::Done);
    }
    let (one, other) = (&order.name, &order.other);
    print::line(&match ruled {
        Ruled::One => format!("{one} and {other} are one organisation in the books of {unit} from now on"),
        Ruled::Two => format!("{one} and {other} are two organisations in the books of {unit} from now on"),
    })?;
    if gone.is_empty() && new.is_empty() {
        return print::line("the ledger had them so already; the question is settled").map(|()| Outcome::Done);
    }
    let rows = gone.iter().map(|was| row("was", was)).chain(new.iter().map(|is| row("is", is)));
    print::table(&["", "name", "names before", "code", "state", "books"], rows.collect())?;
    Ok(Outcome::Done)
}

fn row(when: &str, called: &Called) -> Vec<String> {
    let (name, before) = called.names.split_last().map(|(n, b)| (n.clone(), b.join(", "))).unwrap_or_default();
    let state = if called.vanished { "missing" } else { &called.status };
    let books = format!("{} to {}", called.first_period, called.last_period);
    vec![when.to_owned(), name, before, called.codes.last().cloned().unwrap_or_default(), state.to_owned(), books]
}

/// Stream and form of the one book that has both.
fn book_of_both<'a>(all: &'a [Called], order: &Ruling) -> Result<(&'a str, &'a str)> {
    let term = |text: &str| (organisation_key(text), code::subject(text));
    if term(&order.name) == term(&order.other) {
        return Err(usage("both are the same name; name one of them by its code".to_owned()));
    }
    let meant = |text: &str| all.iter().filter(|c| c.is(text)).collect::<Vec<_>>();
    let (ones, others) = (meant(&order.name), meant(&order.other));
    for (text, found) in [(&order.name, &ones), (&order.other, &others)] {
        if found.is_empty() {
            return Err(usage(unknown(text, all)));
        }
    }
    let book = |c: &&'a Called| (c.stream.as_str(), c.form.as_str());
    let mut books: Vec<(&str, &str)> = ones.iter().map(book).filter(|b| others.iter().any(|o| book(o) == *b)).collect();
    books.dedup();
    let [both] = books[..] else {
        let why = if books.is_empty() { "no book has both" } else { "several books have both; name one by --stream" };
        return Err(usage(format!("{why}:{}", list(ones.into_iter().chain(others)))));
    };
    for (text, found) in [(&order.name, ones), (&order.other, others)] {
        let here: Vec<&Called> = found.into_iter().filter(|c| book(c) == both).collect();
        if here.len() > 1 {
            return Err(usage(format!("`{text}` may be any of these; name it by its code:{}", list(here))));
        }
    }
    Ok(both)
}

/// What there is, nearest first.
fn unknown(text: &str, all: &[Called]) -> String {
    let key = organisation_key(text);
    let in_common = |c: &Called| {
        c.names.iter().map(|n| organisation_key(n).chars().filter(|c| key.contains(*c)).count()).max().unwrap_or(0)
    };
    let mut nearest: Vec<&Called> = all.iter().collect();
    nearest.sort_by_key(|c| std::cmp::Reverse(in_common(c)));
    nearest.truncate(NAMED);
    let some = if nearest.len() < all.len() { format!(" (the nearest of {})", all.len()) } else { String::new() };
    match all {
        [] => format!("`{text}` is not in the ledger: the unit has no books yet"),
        _ => format!("the ledger has no `{text}` of this unit; it has{some}:{}", list(nearest)),
    }
}

fn list<'a>(called: impl IntoIterator<Item = &'a Called>) -> String {
    let line = |c: &Called| {
        let code = c.codes.last().map(|code| format!("  {code}")).unwrap_or_default();
        format!("\n  {}  {}{code}  {} to {}", c.stream, c.names.join(" → "), c.first_period, c.last_period)
    };
    called.into_iter().map(line).collect()
}
