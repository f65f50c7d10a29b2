use super::*;
use crate::db::Db;
use crate::fixture::{self, at};
use crate::message::sender::bounce::Returned;
use crate::submission::{Disposition, Verdict};

const MORNING: &str = "2011-09-20T01:00:00Z";
const NOON: &str = "2011-09-20T04:00:00Z";

fn failure(address: &str, cause: Cause) -> Failure {
    Failure { address: address.into(), cause, status: "5.1.1".into(), reason: "550 no".into() }
}

fn notice_of(failures: Vec<Failure>, message_id: Option<&str>, subject: Option<&str>) -> Bounce {
    let returned = Returned { message_id: message_id.map(str::to_owned), subject: subject.map(str::to_owned) };
    Bounce { failures, returned }
}

/// A notice comes at noon. Returns what the department is told of it.
async fn comes(db: &Db, config: &Config, bounce: &Bounce) -> Vec<Bounced> {
    arrives(db, config, bounce, false).await
}

async fn arrives(db: &Db, config: &Config, bounce: &Bounce, forged: bool) -> Vec<Bounced> {
    let id = fixture::came(db, &Verdict::plain(Disposition::Bounce, ""), NOON, NOON).await;
    let mut conn = db.pool().acquire().await.unwrap();
    note(&mut conn, config, Notice { message: id, received_at: at(NOON), forged }, bounce, at(NOON)).await.unwrap();
    told(&mut conn, config, (at("2011-09-20T03:00:00Z"), at("2011-09-20T05:00:00Z"))).await.unwrap()
}

async fn reached(db: &Db, config: &Config) -> Option<String> {
    let mut conn = db.pool().acquire().await.unwrap();
    Directory::load(&mut conn).await.unwrap().reach(&config.registry.units[0]).address
}

/// The settings with two addresses for the first unit, and a reminder to the first of them, sent in the morning.
async fn reminded() -> (Config, tempfile::TempDir, Db, String) {
    let mut config = fixture::config();
    config.registry.units[0].addresses = vec!["one@yunxi.test".into(), "two@yunxi.test".into()];
    let (dir, db) = fixture::ledger().await;
    fixture::sent(&mut db.pool().acquire().await.unwrap(), "one@yunxi.test", MORNING).await;
    (config, dir, db, format!("{MORNING}.one@yunxi.test"))
}

#[tokio::test]
async fn a_returned_reminder_marks_its_address_and_the_next_goes_to_the_other() {
    let (config, _dir, db, id) = reminded().await;
    let dead = notice_of(vec![failure("one@yunxi.test", Cause::NoSuchAddress)], Some(&id), None);
    let told = comes(&db, &config, &dead).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].whose, Whose::Unit(config.registry.units[0].name.clone()));
    assert_eq!(told[0].instead.as_deref(), Some("two@yunxi.test"));
    assert_eq!(told[0].mail.as_ref().unwrap().0, "reminder");
    assert_eq!(reached(&db, &config).await.as_deref(), Some("two@yunxi.test"));
    // The mark ends when the address writes, and not by what it had written before.
    let mut conn = db.pool().acquire().await.unwrap();
    assert!(!bounced::end(&mut conn, "one@yunxi.test", at("2011-09-20T03:59:00Z")).await.unwrap());
    assert!(bounced::end(&mut conn, "one@yunxi.test", at("2011-09-20T04:01:00Z")).await.unwrap());
    drop(conn);
    assert_eq!(reached(&db, &config).await.as_deref(), Some("one@yunxi.test"));
}

#[tokio::test]
async fn refused_and_late_mail_says_nothing_about_the_address() {
    for cause in [Cause::Refused, Cause::Unreached, Cause::Delayed] {
        let (config, _dir, db, id) = reminded().await;
        let told = comes(&db, &config, &notice_of(vec![failure("one@yunxi.test", cause)], Some(&id), None)).await;
        assert_eq!(told.len(), usize::from(cause != Cause::Delayed));
        assert_eq!(reached(&db, &config).await.as_deref(), Some("one@yunxi.test"), "{cause:?}");
    }
}

#[tokio::test]
async fn without_a_message_id_recipient_and_subject_tell_the_mail() {
    let gone = || vec![failure("one@yunxi.test", Cause::NoSuchAddress)];
    for (subject, ours) in [
        (Some("催报：还缺8月报表"), true),
        (Some("催报： 还缺8月 报表"), true),
        (Some("催报：还缺8月…"), false),
        (Some("发票"), false),
        (None, false),
    ] {
        let (config, _dir, db, _) = reminded().await;
        let told = comes(&db, &config, &notice_of(gone(), None, subject)).await;
        assert_eq!(told[0].mail.is_some(), ours, "{subject:?}");
        assert_eq!(reached(&db, &config).await.as_deref() == Some("two@yunxi.test"), ours, "{subject:?}");
    }
    assert!(same_subject("催报：云岭街道还缺8月报表", "催报：云岭街道还缺…"));
    let (config, _dir, db, id) = reminded().await;
    let subject = Some("催报：还缺8月报表");
    assert!(arrives(&db, &config, &notice_of(gone(), None, subject), true).await[0].mail.is_none(), "forged");
    assert_eq!(reached(&db, &config).await.as_deref(), Some("one@yunxi.test"));
    // Nobody else can know the id; and servers in between do spoil signatures.
    let told = arrives(&db, &config, &notice_of(gone(), Some(&id), None), true).await;
    assert!(told.iter().any(|bounced| bounced.mail.is_some()));
}

#[tokio::test]
async fn a_notice_about_a_mail_that_is_not_ours_marks_nothing_and_is_told_of_those_we_know() {
    let (config, _dir, db, _) = reminded().await;
    let (known, stranger) = (failure("one@yunxi.test", Cause::NoSuchAddress), failure("x@else.test", Cause::Full));
    let forged = notice_of(vec![known, stranger], Some("somebody.else@mail.test"), None);
    let told = comes(&db, &config, &forged).await;
    assert_eq!(
        told.iter().map(|b| (b.address.as_str(), b.mail.is_some())).collect::<Vec<_>>(),
        [("one@yunxi.test", false)]
    );
    assert_eq!(reached(&db, &config).await.as_deref(), Some("one@yunxi.test"));
}

#[tokio::test]
async fn where_mail_is_passed_on_the_address_itself_is_not_blamed() {
    let (config, _dir, db, id) = reminded().await;
    let passed_on = notice_of(vec![failure("private@else.test", Cause::NoSuchAddress)], Some(&id), None);
    let told = comes(&db, &config, &passed_on).await;
    assert_eq!((told[0].address.as_str(), told[0].cause), ("one@yunxi.test", Cause::Unreached));
    assert!(told[0].reason.contains("转发地址private@else.test"));
    assert_eq!(comes(&db, &config, &passed_on).await.len(), 1, "the same is told once");
    assert_eq!(reached(&db, &config).await.as_deref(), Some("one@yunxi.test"));
}

#[tokio::test]
async fn what_came_back_without_a_reason_turns_the_next_mail_to_the_other_address() {
    let wordless =
        || Failure { status: String::new(), reason: String::new(), ..failure("one@yunxi.test", Cause::Unsaid) };
    for failures in [vec![wordless()], vec![]] {
        let (config, _dir, db, id) = reminded().await;
        let told = comes(&db, &config, &notice_of(failures, Some(&id), None)).await;
        assert_eq!((told[0].address.as_str(), told[0].cause), ("one@yunxi.test", Cause::Unsaid));
        assert_eq!(told[0].instead.as_deref(), Some("two@yunxi.test"));
        assert_eq!(reached(&db, &config).await.as_deref(), Some("two@yunxi.test"));
    }
}

#[tokio::test]
async fn mail_to_the_department_that_comes_back_is_told_once_a_week() {
    let (mut config, (_dir, db)) = (fixture::config(), fixture::ledger().await);
    config.department.addresses = vec!["chief@dept.test".into()];
    fixture::sent(&mut db.pool().acquire().await.unwrap(), "chief@dept.test", MORNING).await;
    let full = notice_of(vec![failure("chief@dept.test", Cause::Full)], None, None);
    let told = comes(&db, &config, &full).await;
    assert_eq!(told[0].whose, Whose::Ours);
    assert_eq!(comes(&db, &config, &full).await.len(), 1, "else each digest that comes back would bring up the next");
}
