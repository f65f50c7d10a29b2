use std::collections::HashMap;

use chrono_tz::Asia::Shanghai;
use proptest::prelude::*;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Sqlite, pool::PoolConnection};

use super::*;
use crate::outbox::Kind;
use crate::outbox::store::{Queued, enqueue};

const LIMITS: Limits = Limits { day: 4, thread: 3, vain: 5, zone: Shanghai };

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn ledger() -> PoolConnection<Sqlite> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    crate::db::migrate(&pool).await.unwrap();
    pool.acquire().await.unwrap()
}

/// A message is stored, and answered if it may be.
async fn comes(conn: &mut SqliteConnection, from: &str, (thread, useful): (&str, bool), now: DateTime<Utc>) -> Permit {
    let message: i64 = sqlx::query_scalar(
        "INSERT INTO message (digest, size, mailbox, received_at, stored_at)
         VALUES ((SELECT count(*) FROM message), 1, 'm', '', '') RETURNING id",
    )
    .fetch_one(&mut *conn)
    .await
    .unwrap();
    let asked = Asked { message, address: from, correspondent: from, thread, useful };
    let permit = permit(conn, &asked, &LIMITS, now).await.unwrap();
    if !matches!(permit, Permit::Withheld(_)) {
        let message_id = format!("receipt.{message}@qu.test");
        let answer = Queued {
            kind: Kind::Receipt,
            recipient: from,
            message_id: &message_id,
            subject: "回复",
            raw: b"raw",
            answers: Some(message),
            unit: None,
            period: None,
        };
        assert!(enqueue(conn, &answer, now).await.unwrap());
        note_thread(conn, &message_id, thread).await.unwrap();
    }
    permit
}

#[tokio::test]
async fn a_day_of_the_zone_has_its_budget_and_the_last_answer_is_known() {
    let mut conn = ledger().await;
    let mut told = Vec::new();
    // 20 September in Shanghai begins on the 19th at 16:00 UTC.
    for (n, time) in ["19T15:59:59Z", "19T16:00:00Z", "20T01:00:00Z", "20T02:00:00Z", "20T03:00:00Z", "20T15:59:59.5Z"]
        .into_iter()
        .enumerate()
    {
        told.push(comes(&mut conn, "one@y.test", (&n.to_string(), true), at(&format!("2011-09-{time}"))).await);
    }
    let (go, last) = (Permit::Answer, Permit::Last(Budget::Day));
    assert_eq!(told, [go, go, go, go, last, Permit::Withheld(Budget::Day)]);
    assert_eq!(comes(&mut conn, "one@y.test", ("7", true), at("2011-09-20T16:00:00Z")).await, go, "the next day");
    assert_eq!(comes(&mut conn, "two@y.test", ("8", true), at("2011-09-20T15:00:00Z")).await, go, "somebody else");
}

#[tokio::test]
async fn a_thread_has_its_budget_whoever_writes_in_it() {
    let mut conn = ledger().await;
    let now = at("2011-09-20T01:00:00Z");
    for (n, expected) in
        [Permit::Answer, Permit::Answer, Permit::Last(Budget::Thread), Permit::Withheld(Budget::Thread)]
            .into_iter()
            .enumerate()
    {
        assert_eq!(comes(&mut conn, &format!("{n}@y.test"), ("root@y.test", true), now).await, expected);
    }
    assert_eq!(comes(&mut conn, "0@y.test", ("", true), now).await, Permit::Answer, "no thread is none");
}

#[tokio::test]
async fn answering_in_vain_ends_and_begins_again_with_something_useful() {
    let mut conn = ledger().await;
    let day = |n: usize| at("2011-09-01T01:00:00Z") + TimeDelta::days(n as i64);
    for n in 0..4 {
        assert_eq!(comes(&mut conn, "one@y.test", ("", false), day(n)).await, Permit::Answer);
    }
    assert_eq!(comes(&mut conn, "one@y.test", ("", false), day(4)).await, Permit::Last(Budget::Vain));
    for n in 5..9 {
        assert_eq!(
            comes(&mut conn, "one@y.test", ("", false), day(n)).await,
            Permit::Withheld(Budget::Vain),
            "for good"
        );
    }
    let silent = [Unanswered { address: "one@y.test".into(), mails: 4, silent: true }];
    assert_eq!(unanswered(&mut conn, (day(0), day(9))).await.unwrap(), silent);
    assert_eq!(comes(&mut conn, "one@y.test", ("", true), day(9)).await, Permit::Answer);
    assert_eq!(comes(&mut conn, "one@y.test", ("", false), day(10)).await, Permit::Answer);
    assert_eq!(unanswered(&mut conn, (day(9), day(20))).await.unwrap(), []);
}

#[test]
fn a_thread_is_known_by_its_root() {
    let ids = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let mut message = Message { message_id: Some("own@y.test".into()), ..Message::default() };
    assert_eq!(thread(&message), "own@y.test");
    message.in_reply_to = ids(&["parent@y.test"]);
    assert_eq!(thread(&message), "parent@y.test");
    message.references = ids(&["root@y.test", "parent@y.test"]);
    assert_eq!(thread(&message), "root@y.test");
    assert_eq!(thread(&Message::default()), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_never_exceed_a_budget(mails in prop::collection::vec((0..3u8, 0..4u8, prop::bool::weighted(0.2), 0..600i64), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut conn = ledger().await;
            let mut now = at("2011-09-20T01:00:00Z");
            let (mut days, mut threads, mut vain) = (HashMap::new(), HashMap::new(), HashMap::new());
            for (from, thread, useful, minutes) in mails {
                now += TimeDelta::minutes(minutes);
                let day = now.with_timezone(&Shanghai).date_naive();
                let permit = comes(&mut conn, &format!("{from}@y.test"), (&format!("{thread}@y.test"), useful), now).await;
                if useful {
                    vain.insert(from, 0);
                }
                if !matches!(permit, Permit::Withheld(_)) {
                    *days.entry((from, day)).or_insert(0) += 1;
                    *threads.entry((thread, day)).or_insert(0) += 1;
                    *vain.entry(from).or_insert(0) += u32::from(!useful);
                }
            }
            assert!(days.values().all(|n| *n <= LIMITS.day), "{days:?}");
            assert!(threads.values().all(|n| *n <= LIMITS.thread), "{threads:?}");
            assert!(vain.values().all(|n| *n <= LIMITS.vain), "{vain:?}");
        });
    }
}
