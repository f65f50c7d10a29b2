//! Brings figures, entries and the findings against the ledger up to date for one unit and stream.
//!
//! Everything is derived anew from the counting submissions of that unit and stream, so that a late or corrected
//! return for an older period gives the same ledger as if it had come in time.

mod counting;
mod entries;
mod figures;
mod remarks;
mod shared;

use anyhow::Result;
use sqlx::SqliteConnection;

use super::rulings;
use crate::form::{Campaign, Form, FormKind};
use counting::Counting;

/// Must run before submissions of a message are dropped or replaced: frees their rows from the ledger.
pub async fn release_lines(conn: &mut SqliteConnection, unit: &str, stream: &str) -> Result<()> {
    for sql in ["DELETE FROM figure WHERE unit = ? AND stream = ?", "DELETE FROM entry WHERE unit = ? AND stream = ?"] {
        sqlx::query(sql).bind(unit).bind(stream).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Derives them anew from the submissions that count.
pub async fn unit_stream(conn: &mut SqliteConnection, campaign: &Campaign, unit: &str, stream: &str) -> Result<()> {
    release_lines(conn, unit, stream).await?;
    sqlx::query(
        "DELETE FROM finding WHERE origin = 'ledger' AND submission IN
         (SELECT id FROM submission WHERE unit = ? AND stream = ?)",
    )
    .bind(unit)
    .bind(stream)
    .execute(&mut *conn)
    .await?;
    let mut books: Vec<(&Form, Vec<Counting>)> = Vec::new();
    for form in campaign.forms.iter().filter(|f| f.kind == FormKind::Book) {
        let versions = counting::versions(conn, (unit, stream, &form.key)).await?;
        let rulings = rulings::load(conn, (unit, stream, &form.key), None).await?;
        entries::derive(conn, form, (unit, stream), &versions, &rulings).await?;
        books.push((form, versions));
    }
    for form in campaign.forms.iter().filter(|f| f.kind == FormKind::Figures) {
        let versions = counting::versions(conn, (unit, stream, &form.key)).await?;
        figures::derive(conn, (unit, stream, &form.key), &versions).await?;
        figures::check(conn, form, &versions, &books).await?;
    }
    shared::derive(conn, campaign, (unit, stream), &books).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
