//! `sample`: a spot check that can be drawn again, with a form to take along.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::arguments::Sample;
use super::ledger::known_stream;
use super::report::write_private;
use super::{Office, Outcome, print, usage};
use crate::ledger::query;
use crate::ledger::sample::{Entry, draw};
use crate::report::spot_check::{self, SpotCheck, Unit};

pub async fn run(office: Office, options: Sample) -> Result<Outcome> {
    let Sample { size, seed, as_of, stream, out } = options;
    known_stream(&office, stream.as_deref())?;
    if size == 0 {
        return Err(usage("--size: draw one organisation at least"));
    }
    let db = office.db().await?;
    let mut entries = query::entries(&mut *db.pool().acquire().await?, as_of).await?;
    entries.retain(|e| !e.closed && stream.as_ref().is_none_or(|s| *s == e.stream));
    let all: Vec<Entry> =
        entries.iter().map(|e| Entry { unit: &e.unit, stream: &e.stream, identity: &e.identity }).collect();
    let strata = draw(&all, size, &seed);
    let known = &office.config.registry.units;
    let place = |name: &str| known.iter().position(|u| u.name == name).unwrap_or(known.len());
    let mut units: Vec<Unit> = strata
        .into_iter()
        .map(|(name, s)| {
            let drawn = s.drawn.iter().map(|i| (entries[*i].stream.clone(), entries[*i].values.clone()));
            Unit { name, entries: s.entries, drawn: drawn.collect() }
        })
        .collect();
    units.sort_by_key(|u| place(&u.name));
    let check = SpotCheck {
        department: &office.config.department,
        campaign: &office.config.campaign,
        seed: &seed,
        size,
        as_of,
        stream: stream.as_deref(),
        drawn_at: office.now(),
        units,
    };
    let drawn: usize = check.units.iter().map(|u| u.drawn.len()).sum();
    if drawn == 0 {
        return Err(usage("the ledger has no active organisation to draw from"));
    }
    let out = out.unwrap_or_else(|| PathBuf::from("抽查核查表.xlsx"));
    write_private(&out, &spot_check::build(&check)?)?;
    match office.json {
        true => print::json(&document(&check, &out.display().to_string()))?,
        false => {
            let rows =
                check.units.iter().map(|u| vec![u.name.clone(), u.entries.to_string(), u.drawn.len().to_string()]);
            print::table(&["unit", "entries", "drawn"], rows.collect())?;
            print::line("")?;
            print::line(&format!("{drawn} of {} organisations, written: {}", entries.len(), out.display()))?;
        }
    }
    Ok(Outcome::Done)
}

fn document(check: &SpotCheck, out: &str) -> serde_json::Value {
    let units = check.units.iter().map(|unit| {
        let drawn = unit.drawn.iter().map(
            |(stream, values)| json!({ "stream": stream, "name": values.get("name"), "code": values.get("code") }),
        );
        json!({ "unit": unit.name, "entries": unit.entries, "drawn": drawn.collect::<Vec<_>>() })
    });
    json!({ "file": out, "seed": check.seed, "size": check.size, "as_of": check.as_of, "stream": check.stream,
            "units": units.collect::<Vec<_>>() })
}
