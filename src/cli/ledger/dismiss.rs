//! `ledger dismiss` and `ledger reopen`: a finding that was looked into is told no more, or again.

use anyhow::Result;

use crate::cli::{Office, Outcome, print, usage};
use crate::db::Db;
use crate::ledger::query::{self, Filter, Told};
use crate::ledger::waiver::{self, Word};

pub async fn dismiss(office: &Office, reference: &str, word: Word<'_>) -> Result<Outcome> {
    let db = office.db().await?;
    let found = find(&db, reference, word).await?;
    let open: Vec<&Told> = found.iter().filter(|f| f.waived.is_none()).collect();
    if let Some(error) = open.iter().find(|f| f.severity == "error") {
        let form = error.form.as_deref().unwrap_or("its form");
        return Err(usage(format!(
            "{reference} is an error ({}): what it is about is not in the ledger, which waiving would hide. The unit \
             has to send a corrected return; if the rule is too strict, set its severity in the forms folder ({form}.toml, [[rule]])",
            error.rule
        )));
    }
    if open.is_empty() && !word.from_now_on {
        return Err(usage(format!("{reference} is waived already; see `taizhang findings --waived`")));
    }
    // One that is waived for its month can still be waived from now on.
    let meant: Vec<&Told> = if open.is_empty() { found.iter().collect() } else { open };
    write(office, &db, &meant, |_| word).await?;
    let until = if word.from_now_on { "from this period on" } else { "for this period" };
    print::line(&format!("waived {until}, as long as it rests on the same"))?;
    Ok(Outcome::Done)
}

pub async fn reopen(office: &Office, reference: &str, word: Word<'_>) -> Result<Outcome> {
    let db = office.db().await?;
    let found = find(&db, reference, word).await?;
    let waived: Vec<&Told> = found.iter().filter(|f| f.waived.is_some()).collect();
    if waived.is_empty() {
        return Err(usage(format!("{reference} is not waived; see `taizhang findings --waived`")));
    }
    // What was waived for later periods as well is told again in them.
    let onwards = |told: &Told| told.waived.as_ref().is_some_and(|w| w.since.is_some());
    write(office, &db, &waived, |told| Word { from_now_on: onwards(told), ..word }).await?;
    print::line("it is told again")?;
    Ok(Outcome::Done)
}

/// The findings of that id: of versions that count, waived or not.
async fn find(db: &Db, reference: &str, word: Word<'_>) -> Result<Vec<Told>> {
    if word.reason.trim().is_empty() || word.who.trim().is_empty() {
        return Err(usage("--reason and --who must say something"));
    }
    let mut conn = db.pool().acquire().await?;
    let mut list = query::findings(&mut conn, &Filter { waived: true, ..Filter::default() }).await?;
    list.retain(|f| f.id.eq_ignore_ascii_case(reference));
    if list.is_empty() {
        return Err(usage(format!("there is no finding {reference}; see the ids of `taizhang findings`")));
    }
    Ok(list)
}

async fn write<'a>(office: &Office, db: &Db, list: &[&Told], word: impl Fn(&Told) -> Word<'a>) -> Result<()> {
    let mut tx = db.begin().await?;
    let mut written = Vec::new();
    for told in list.iter().filter(|told| told.severity != "error") {
        // Several may say the same of one organisation.
        if !written.contains(&&told.matter) {
            waiver::decide(&mut tx, &told.matter, word(told), office.clock.now()).await?;
            written.push(&told.matter);
        }
        print::line(&format!("{} {}", told.rule, told.message))?;
    }
    tx.commit().await
}
