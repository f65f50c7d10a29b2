//! What the department is told of inquiries, beside the mails that wait.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use crate::config::Config;
use crate::ledger::inquiry;
use crate::outbox::compose::digest::Disowned;

/// `9月20日、9月21日已去信棠梨街道办事处核实，还没有答复`; that nobody can be asked; empty where nobody need be.
pub async fn told(conn: &mut SqliteConnection, config: &Config, message: i64) -> Result<String> {
    let asked = inquiry::asked_about(conn, message).await?;
    let replies = inquiry::replies(conn, message).await?;
    let units: Vec<String> = sqlx::query_scalar("SELECT unit FROM sender_question WHERE message = ? ORDER BY unit")
        .bind(message)
        .fetch_all(conn)
        .await?;
    let mut list = Vec::new();
    for unit in units {
        let days = asked.iter().filter(|a| a.unit == unit).map(|a| day(config, a.at));
        let days: Vec<String> = days.collect();
        let whole_address = config.registry.unit(&unit).is_some_and(|u| !u.addresses.is_empty());
        let unclear: Vec<String> =
            replies.iter().filter(|r| r.unit == unit && r.said == "unclear").map(|r| r.message.to_string()).collect();
        list.push(match (days.is_empty(), whole_address) {
            (true, false) => format!("{unit}没有登记邮箱，无处去信核实，请电话联系"),
            (true, true) => continue,
            (false, _) if unclear.is_empty() => format!("{}已去信{unit}核实，还没有答复", days.join("、")),
            (false, _) => {
                format!("{}已去信{unit}核实，答复没有看懂（编号{}）", days.join("、"), unclear.join("、"))
            }
        });
    }
    Ok(list.join("；"))
}

fn day(config: &Config, at: DateTime<Utc>) -> String {
    at.with_timezone(&config.timezone).format("%-m月%-d日").to_string()
}

/// Returns that units disowned after the first and up to the second of these times.
pub async fn disowned(
    conn: &mut SqliteConnection,
    config: &Config,
    window: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Disowned>> {
    let line = |d: inquiry::Disowned| Disowned {
        id: d.message,
        received: d.received_at.with_timezone(&config.timezone),
        from: d.from,
        subject: d.subject,
        unit: d.unit,
    };
    Ok(inquiry::disowned(conn, window).await?.into_iter().map(line).collect())
}
