//! All mail read once more: the same messages, assessed in the same order at the same times, with what people had decided by
//! then, by the same code that reads new mail. Nobody is answered.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::Progress;
use crate::config::Config;
use crate::db::Db;
use crate::jobs::decide;
use crate::jobs::process::{Answers, Clerk, open_messages};
use crate::ledger::assessment::{self, Known};
use crate::ledger::headings::{self, Heading};
use crate::ledger::store::Decision;

/// Assessments that are read at one time.
const PAGE: u32 = 500;

/// Reads everything that `live` has assessed into `fresh`, an empty ledger beside the same mail. Returns how many
/// assessments that were.
pub async fn replay(
    live: &mut SqliteConnection,
    (fresh, config): (&Db, &Arc<Config>),
    progress: Progress<'_>,
) -> Result<i64> {
    messages(live, fresh).await?;
    inquiries(live, fresh).await?;
    let total = assessment::count(live).await?;
    let mut clerk = Clerk::new(fresh, config, Answers::Withhold);
    let (mut done, mut last, mut until, mut when) = (0_i64, 0, Known::default(), DateTime::UNIX_EPOCH);
    loop {
        let page = assessment::after(live, last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for next in page {
            until = decided(live, (fresh, config), (until, next.known)).await?;
            clerk.process(next.message, next.at).await?;
            (done, last, when) = (done + 1, next.id, next.at);
            progress("read again", done.unsigned_abs(), total.unsigned_abs());
        }
    }
    let all = assessment::known(live).await?;
    decided(live, (fresh, config), (until, all)).await?;
    left(live, fresh, &mut clerk, when).await?;
    Ok(total)
}

/// What today's code opens again and yesterday's did not.
async fn left(live: &mut SqliteConnection, fresh: &Db, clerk: &mut Clerk<'_>, when: DateTime<Utc>) -> Result<()> {
    for id in open_messages(fresh).await? {
        let done = sqlx::query("SELECT 1 FROM message WHERE id = ? AND disposition IS NOT NULL").bind(id);
        if done.fetch_optional(&mut *live).await?.is_some() {
            clerk.process(id, when).await?;
        }
    }
    Ok(())
}

/// The messages as they were taken. What came early by another mailbox counts from then; a copy that was found out to be
/// earlier is found out again.
async fn messages(live: &mut SqliteConnection, fresh: &Db) -> Result<()> {
    let page = "SELECT m.id, m.digest, m.size, m.mailbox, m.stored_at, coalesce(
         (SELECT min(s.received_at) FROM sighting s WHERE s.message = m.id AND (m.assessed_at IS NULL OR s.seen_at <=
             (SELECT min(a.at) FROM assessment a WHERE a.message = m.id))), m.received_at)
         FROM message m WHERE m.id > ? ORDER BY m.id LIMIT ?";
    let mut last = 0_i64;
    loop {
        let rows = sqlx::query(page).bind(last).bind(PAGE).fetch_all(&mut *live).await?;
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.get(0);
        let mut tx = fresh.begin().await?;
        for row in rows {
            sqlx::query(
                "INSERT INTO message (id, digest, size, mailbox, stored_at, received_at) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(row.get::<i64, _>(0))
            .bind(row.get::<&str, _>(1))
            .bind(row.get::<i64, _>(2))
            .bind(row.get::<&str, _>(3))
            .bind(row.get::<&str, _>(4))
            .bind(row.get::<&str, _>(5))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
    }
}

/// Which tokens were given out. What was said to them is read again.
async fn inquiries(live: &mut SqliteConnection, fresh: &Db) -> Result<()> {
    let asked: Vec<[String; 6]> = sqlx::query("SELECT token, unit, recipient, message_id, day, at FROM inquiry")
        .fetch_all(&mut *live)
        .await?
        .iter()
        .map(|r| [r.get(0), r.get(1), r.get(2), r.get(3), r.get(4), r.get(5)])
        .collect();
    let lines: Vec<(String, i64, i64)> =
        sqlx::query_as("SELECT inquiry, number, message FROM inquiry_line").fetch_all(live).await?;
    let mut tx = fresh.begin().await?;
    for row in asked {
        let mut insert =
            sqlx::query("INSERT INTO inquiry (token, unit, recipient, message_id, day, at) VALUES (?, ?, ?, ?, ?, ?)");
        for value in row {
            insert = insert.bind(value);
        }
        insert.execute(&mut *tx).await?;
    }
    for (inquiry, number, message) in lines {
        let insert = sqlx::query("INSERT INTO inquiry_line (inquiry, number, message) VALUES (?, ?, ?)");
        insert.bind(inquiry).bind(number).bind(message).execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// What people decided after the first and up to the second mark; what units said by mail is heard again instead.
async fn decided(
    live: &mut SqliteConnection,
    (fresh, config): (&Db, &Config),
    (since, until): (Known, Known),
) -> Result<Known> {
    let mut tx = fresh.begin().await?;
    if until.decision > since.decision {
        let rows = sqlx::query(
            "SELECT at, kind, who, message, unit, period, address, reason, stream, form, rule, subject, other FROM decision
             WHERE id > ? AND id <= ? AND by_message IS NULL ORDER BY id",
        );
        for row in rows.bind(since.decision).bind(until.decision).fetch_all(&mut *live).await? {
            let decision = Decision {
                kind: row.get(1),
                who: row.get(2),
                message: row.get(3),
                unit: row.get(4),
                period: row.get(5),
                address: row.get(6),
                reason: row.get(7),
                by_message: None,
                stream: row.get(8),
                form: row.get(9),
                rule: row.get(10),
                subject: row.get(11),
                other: row.get(12),
            };
            decide::enter(&mut tx, &config.campaign, &decision, row.try_get(0)?).await?;
        }
    }
    confirmed(live, &mut tx, (since.heading, until.heading)).await?;
    revoked(live, &mut tx, until.revoked).await?;
    tx.commit().await?;
    // A mark never falls, whatever the order in which two processes took their turns.
    let (decision, heading) = (since.decision.max(until.decision), since.heading.max(until.heading));
    Ok(Known { decision, heading, ..until })
}

async fn confirmed(
    live: &mut SqliteConnection,
    fresh: &mut SqliteConnection,
    (since, until): (i64, i64),
) -> Result<()> {
    let rows = sqlx::query(
        "SELECT form, column_key, shown, path, at, who, message FROM heading WHERE id > ? AND id <= ? ORDER BY id",
    );
    for row in rows.bind(since).bind(until).fetch_all(live).await? {
        let heading = Heading {
            form: row.get(0),
            column: row.get(1),
            shown: row.get(2),
            path: serde_json::from_str(row.get(3))?,
        };
        headings::confirm(fresh, &heading, row.get(5), row.try_get(6)?, row.try_get(4)?).await?;
    }
    Ok(())
}

/// The first so many headings that were taken back.
async fn revoked(live: &mut SqliteConnection, fresh: &mut SqliteConnection, count: i64) -> Result<()> {
    let rows = sqlx::query_as(
        "SELECT id, revoked_at FROM heading WHERE revoked_at IS NOT NULL ORDER BY julianday(revoked_at), id LIMIT ?",
    );
    let rows: Vec<(i64, DateTime<Utc>)> = rows.bind(count).fetch_all(live).await?;
    for (id, at) in rows {
        // One that made room for another column's is taken back already.
        headings::revoke(fresh, id, at).await?;
    }
    Ok(())
}
