use super::*;
use crate::config::{Provider, Secret, SmtpKind};
use crate::outbox::mail::Kind;
use crate::outbox::scripted_smtp::{Answer, Scripted, friendly};
use crate::outbox::store::{Counts, Queued};
use sqlx::sqlite::SqlitePoolOptions;

async fn ledger(recipients: &[&str]) -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    crate::db::migrate(&pool).await.unwrap();
    for recipient in recipients {
        enqueue(&pool, recipient, at(0)).await;
    }
    pool
}

async fn enqueue(pool: &SqlitePool, recipient: &str, now: DateTime<Utc>) {
    let mail = Queued {
        kind: Kind::Receipt,
        recipient,
        message_id: &format!("receipt.{recipient}"),
        subject: "回复：8月报表",
        raw: b"Subject: x\r\n\r\nx\r\n",
        answers: None,
        unit: None,
        period: None,
    };
    assert!(store::enqueue(&mut pool.acquire().await.unwrap(), &mail, now).await.unwrap());
}

/// Seconds after nine o'clock.
fn at(seconds: i64) -> DateTime<Utc> {
    "2011-09-26T01:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn to(server: &Scripted) -> (Transport, Settings) {
    let smtp = server.settings("", Secret::Env("TAIZHANG_TEST_UNSET".into()));
    (Transport::new(&smtp, chrono_tz::Asia::Shanghai).unwrap(), Settings::of(&smtp))
}

async fn counts(pool: &SqlitePool) -> Counts {
    store::counts(&mut pool.acquire().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn one_refused_mail_does_not_hold_up_the_next() {
    let server = Scripted::start(|line| match line {
        "RCPT TO:<gone@y.test>" => Answer::Say(b"550 User unknown\r\n"),
        "RCPT TO:<busy@y.test>" => Answer::Say(b"451 later\r\n"),
        other => friendly(other),
    })
    .await;
    let pool = ledger(&["gone@y.test", "busy@y.test", "one@y.test"]).await;
    let (mut transport, settings) = to(&server);
    let done = deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap();
    assert_eq!((done.sent, done.deferred, done.failed.as_slice()), (1, 1, &["550 User unknown".to_owned()][..]));
    assert_eq!(counts(&pool).await, Counts { queued: 1, sending: 0, sent: 1, failed: 1 });
    let again = done.next_at.unwrap();
    assert!(again >= at(45) && again <= at(75), "{again}");

    let done = deliver_due(&pool, &mut transport, &settings, at(1)).await.unwrap();
    assert_eq!(done, Delivered { next_at: Some(again), ..Delivered::default() }, "nothing is due, nothing is dialled");
    assert_eq!(server.count("CONNECT"), 1);
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_is_left_alone_ever_longer_and_nothing_is_lost() {
    let server = Scripted::start(|_| Answer::Say(b"421 too many connections\r\n")).await;
    let pool = ledger(&["one@y.test", "two@y.test", "three@y.test"]).await;
    let (mut transport, settings) = to(&server);
    let mut now = at(0);
    for (knocks, shortest, longest) in [(1, 45, 75), (2, 90, 150), (3, 180, 300)] {
        let done = deliver_due(&pool, &mut transport, &settings, now).await.unwrap();
        assert_eq!((done.sent, done.deferred), (0, 1));
        assert!(done.unavailable.unwrap().contains("too many connections"));
        assert_eq!(server.count("CONNECT"), knocks, "the others are not tried");
        let next = done.next_at.unwrap();
        assert!((shortest..=longest).contains(&(next - now).num_seconds()), "{}", next - now);

        // Neither the rows that were due nor one that comes in meanwhile knocks at the door.
        enqueue(&pool, &format!("new{knocks}@y.test"), now).await;
        let done = deliver_due(&pool, &mut transport, &settings, next - TimeDelta::seconds(1)).await.unwrap();
        assert!(done.unavailable.unwrap().contains("too many connections"));
        assert_eq!((done.next_at, server.count("CONNECT")), (Some(next), knocks));
        now = next;
    }
    assert_eq!(counts(&pool).await, Counts { queued: 6, ..Counts::default() });
    let tried: u32 = sqlx::query_scalar("SELECT sum(attempts) FROM outbox").fetch_one(&pool).await.unwrap();
    assert_eq!(tried, 3, "what was not tried is not charged");

    let server = Scripted::start(friendly).await;
    let (mut transport, settings) = to(&server);
    let done = deliver_due(&pool, &mut transport, &settings, now).await.unwrap();
    assert_eq!(done, Delivered { sent: 6, ..Delivered::default() });
    assert_eq!(store::outage(&mut pool.acquire().await.unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn an_outage_that_a_wrong_clock_noted_does_not_last() {
    let server = Scripted::start(friendly).await;
    let pool = ledger(&["one@y.test"]).await;
    let outage =
        Outage { attempts: 1, until: at(86_400), reason: "login".into(), chinese: String::new(), asked: false };
    store::begin_outage(&mut pool.acquire().await.unwrap(), &outage).await.unwrap();
    let (mut transport, settings) = to(&server);
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap().sent, 1);
}

#[tokio::test]
async fn the_rate_limit_holds_across_a_restart() {
    let server = Scripted::start(friendly).await;
    let recipients: Vec<String> = (0..5).map(|n| format!("u{n}@y.test")).collect();
    let pool = ledger(&recipients.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (mut transport, _) = to(&server);
    let settings = Settings { per_minute: Some(2), per_day: None, lease: TimeDelta::seconds(32) };
    let first = deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap();
    assert_eq!((first.sent, first.next_at), (2, Some(at(60))));
    // A new process knows nothing but the rows.
    let (mut transport, _) = to(&server);
    let early = deliver_due(&pool, &mut transport, &settings, at(59)).await.unwrap();
    assert_eq!((early.sent, early.next_at), (0, Some(at(60))));
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(60)).await.unwrap().sent, 2);
    let last = deliver_due(&pool, &mut transport, &settings, at(120)).await.unwrap();
    assert_eq!((last.sent, last.next_at), (1, None));
    assert_eq!(server.count("BODY"), 5);
}

#[tokio::test]
async fn the_attempt_is_on_record_before_the_server_hears_of_it() {
    let pool = ledger(&["one@y.test"]).await;
    let server = Scripted::start(|line| if line.starts_with("BODY") { Answer::Silence } else { friendly(line) }).await;
    let (mut transport, settings) = to(&server);
    // The process is cut off while the server thinks about the mail.
    let step = deliver_due(&pool, &mut transport, &settings, at(0));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(300), step).await.is_err());
    assert_eq!(counts(&pool).await, Counts { sending: 1, ..Counts::default() });

    let server = Scripted::start(friendly).await;
    let (mut transport, settings) = to(&server);
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(20)).await.unwrap().sent, 0, "the lease still runs");
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(90)).await.unwrap().sent, 1);
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(9000)).await.unwrap(), Delivered::default());
}

#[test]
fn jitter_spreads_over_the_whole_range() {
    let drawn: Vec<f64> = (1..200).map(|id| jitter(id, 1)).collect();
    assert!(drawn.iter().all(|j| (0.0..1.0).contains(j)));
    assert!(drawn.iter().any(|j| *j < 0.1) && drawn.iter().any(|j| *j > 0.9));
}

/// A mail to each, on a server of this provider that answers so.
async fn provider(
    provider: Provider,
    recipients: &[&str],
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> (Scripted, SqlitePool, Transport, Settings) {
    let server = Scripted::start(answer).await;
    let mut smtp = server.settings("", Secret::Env("TAIZHANG_TEST_UNSET".into()));
    if let SmtpKind::Server(server) = &mut smtp.kind {
        server.provider = provider;
    }
    smtp.per_day = Some(3);
    let transport = Transport::new(&smtp, chrono_tz::Asia::Shanghai).unwrap();
    (server, ledger(recipients).await, transport, Settings::of(&smtp))
}

#[tokio::test]
async fn a_days_limit_holds_across_a_restart_and_opens_again_mail_by_mail() {
    let to = ["a@y.test", "b@y.test", "c@y.test", "d@y.test"];
    let (server, pool, mut transport, settings) = provider(Provider::Generic, &to, friendly).await;
    let first = deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap();
    assert_eq!((first.sent, first.next_at), (3, Some(at(86_400))));
    assert_eq!(first.unavailable.unwrap(), "3 mails have gone out in 24 hours, the most that per_day allows");
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(86_399)).await.unwrap().sent, 0);
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(86_400)).await.unwrap().sent, 1);
    assert_eq!(server.count("BODY"), 4);
}

#[tokio::test]
async fn what_looks_like_bulk_rests_all_mail_for_minutes_and_this_one_for_half_an_hour() {
    let (server, pool, mut transport, settings) =
        provider(Provider::Netease163, &["a@y.test", "b@y.test"], |line| match line {
            line if line.starts_with("BODY") => Answer::Say(b"554 DT:SPM 163 smtp12\r\n"),
            other => friendly(other),
        })
        .await;
    let first = deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap();
    assert_eq!((first.deferred, server.count("DATA")), (1, 1), "the next one is not tried at once");
    let rest = first.next_at.unwrap();
    assert!((at(225)..=at(375)).contains(&rest), "{rest}");
    let mut conn = pool.acquire().await.unwrap();
    let slow = store::slowdown(&mut conn, rest).await.unwrap().unwrap();
    assert_eq!((slow.refusals, slow.pace(20), slow.pace(1)), (1, 10, 1));
    drop(conn);
    let second = deliver_due(&pool, &mut transport, &settings, rest).await.unwrap();
    assert_eq!(server.count("RCPT TO:<b@y.test>"), 1, "the other mail, not the same");
    let mut conn = pool.acquire().await.unwrap();
    let longer = store::outage(&mut conn).await.unwrap().unwrap().until - rest;
    assert!((450..=750).contains(&longer.num_seconds()), "{longer}");
    let again = second.next_at.unwrap();
    assert!((at(1350)..=at(2250)).contains(&again), "the first mail, half an hour after it was refused: {again}");
    assert_eq!(store::slowdown(&mut conn, rest).await.unwrap().unwrap().refusals, 2);
    assert_eq!(store::slowdown(&mut conn, at(8 * 3600)).await.unwrap(), None, "it passes");
}

#[tokio::test]
async fn a_rate_that_tencent_names_stops_all_mail_and_marks_no_address() {
    let (server, pool, mut transport, settings) =
        provider(Provider::Qq, &["a@y.test", "b@y.test"], |line| match line {
            line if line.starts_with("RCPT") => Answer::Say(b"550 Sender frequency limited\r\n"),
            other => friendly(other),
        })
        .await;
    let first = deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap();
    assert_eq!((first.deferred, first.failed.len(), server.count("RCPT")), (1, 0, 1));
    assert!(first.unavailable.unwrap().contains("limits how fast we send"));
    let until = first.next_at.unwrap();
    assert!((at(1350)..=at(2250)).contains(&until), "{until}");
    // That the login works changes nothing about it.
    admitted(&pool, at(60)).await.unwrap();
    let outage = store::outage(&mut pool.acquire().await.unwrap()).await.unwrap().unwrap();
    assert!(outage.asked && outage.chinese.contains("发信太快"), "{outage:?}");
    deliver_due(&pool, &mut transport, &settings, until - TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(server.count("CONNECT"), 1);
}

#[tokio::test]
async fn whoever_says_too_frequent_is_left_alone_and_gets_every_mail_when_he_relents_but_an_unknown_user_is_final() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let cross = Arc::new(AtomicBool::new(true));
    let strict = cross.clone();
    let server = Scripted::start(move |line| match line {
        "RCPT TO:<gone@y.test>" => Answer::Say(b"550 User not found: gone@y.test\r\n"),
        line if line.starts_with("RCPT") && strict.load(Ordering::Relaxed) => {
            Answer::Say(b"550 Domain frequency limited. http://mail.test\r\n")
        }
        other => friendly(other),
    })
    .await;
    let six = ["a@y.test", "b@y.test", "c@y.test", "d@y.test", "e@y.test", "f@y.test"];
    let pool = ledger(&[&["gone@y.test"][..], &six].concat()).await;
    let (mut transport, settings) = to(&server);
    let first = deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap();
    assert_eq!((first.failed.len(), first.deferred, server.count("RCPT")), (1, 1, 2), "the five others are not tried");
    assert!(first.unavailable.unwrap().contains("Domain frequency limited"));
    let until = first.next_at.unwrap();
    assert!((at(1350)..=at(2250)).contains(&until), "{until}");
    cross.store(false, Ordering::Relaxed);
    let sent = deliver_due(&pool, &mut transport, &settings, until).await.unwrap().sent;
    assert_eq!(sent, 6);
    assert_eq!(server.count("RCPT TO:<gone@y.test>"), 1);
}

#[tokio::test]
async fn whose_fault_a_failure_is_stays_on_record() {
    let (_server, pool, mut transport, settings) =
        provider(Provider::Generic, &["gone@y.test", "no@y.test", "big@y.test"], |line| match line {
            "RCPT TO:<gone@y.test>" => Answer::Say(b"550 5.1.1 User unknown\r\n"),
            "RCPT TO:<no@y.test>" => Answer::Say(b"554 5.7.1 relaying denied\r\n"),
            line if line.starts_with("BODY") => Answer::Say(b"552 5.3.4 too large\r\n"),
            other => friendly(other),
        })
        .await;
    assert_eq!(deliver_due(&pool, &mut transport, &settings, at(0)).await.unwrap().failed.len(), 3);
    let told = store::undelivered(&mut pool.acquire().await.unwrap(), at(-1)).await.unwrap();
    let blamed: Vec<_> = told.iter().map(|u| (u.recipient.as_str(), u.blame.as_str())).collect();
    assert_eq!(blamed, [("gone@y.test", "recipient"), ("no@y.test", "us"), ("big@y.test", "mail")]);
    let avoided = bounced::avoided(&mut pool.acquire().await.unwrap()).await.unwrap();
    assert_eq!(avoided.into_keys().collect::<Vec<_>>(), ["gone@y.test"], "the next reminder goes elsewhere");
}
