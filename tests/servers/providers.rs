//! Public providers, played by scripted servers: what is asked of them, how often they are logged in to, and what the
//! program says when they refuse.

use taizhang::config::{After, Imap, Provider, Secret, Tls};
use taizhang::demo::district::{MAILBOXES, NONPUBLIC, TIDY, UNITS};
use taizhang::mailbox::{Cause, Connection, Cursor, Failure, Kind};

use crate::provider_office::Branch;
use crate::support::fake_imap::{FakeImap, Fault, Script, mails};
use crate::support::providers::{QQ_LOGIN_FAIL, netease, qq};
use crate::support::{LIMITS, mailbox};

/// 535 请使用授权码登录, as smtp.qq.com says it in GBK.
const CODE_WANTED: &[u8] = b"535 Error: \xc7\xeb\xca\xb9\xd3\xc3\xca\xda\xc8\xa8\xc2\xeb\xb5\xc7\xc2\xbc\r\n";
const SPAM: &[u8] = b"554 DT:SPM 163 smtp12,EMCowADXTVqS--.29699S2 1316484600,please see http://mail.test/help\r\n";

fn id() -> String {
    format!("ID (\"name\" \"taizhang\" \"version\" \"{}\" \"vendor\" \"taizhang\")", env!("CARGO_PKG_VERSION"))
}

#[tokio::test]
async fn at_netease_a_return_is_taken_moved_and_answered_with_the_base_protocol_alone() {
    let branch =
        Branch::with("163", Script { folders: vec!["\"&XfJZBHQG-\"".to_owned()], ..netease() }, "move:已处理").await;
    branch.receive(7);
    let ran = branch.once("09:30:00").await;
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), "taken 1, processed 1, sent 1, not sent 0"), "{ran:?}");
    let login = format!("LOGIN \"{}\" \"abcdefghijklmnop\"", MAILBOXES[NONPUBLIC].address);
    let told = branch.imap.take();
    let expected = [
        "CAPABILITY",
        &login,
        "CAPABILITY",
        &id(),
        "SELECT \"INBOX\"",
        "UID FETCH 1:* (UID INTERNALDATE RFC822.SIZE)",
        "UID FETCH 7 (UID BODY.PEEK[])",
        "UID FETCH 7 (UID FLAGS)",
        "UID COPY 7 \"&XfJZBHQG-\"",
        "UID STORE 7 +FLAGS.SILENT (\\Deleted)",
        // The first balance of a mailbox, and how much lies where the mail was moved to.
        "SELECT \"INBOX\"",
        "FETCH 1:1 (UID INTERNALDATE RFC822.SIZE)",
        "STATUS \"&XfJZBHQG-\" (MESSAGES)",
        "LOGOUT",
    ];
    assert_eq!(told, expected);
    assert!(branch.smtp.heard().contains(&format!("RCPT TO:<{}>", UNITS[TIDY].address())));
    assert!(branch.imap.script().mails.iter().all(|mail| mail.deleted), "nothing that a person marked is expunged");
    // What is marked as moved is not moved again.
    assert_eq!(branch.once("09:40:00").await.stdout.trim(), "taken 0, processed 0, sent 0, not sent 0");
    assert!(!branch.imap.take().iter().any(|command| command.contains("COPY")));
}

async fn open(fake: &FakeImap, provider: Provider) -> Result<Connection, Failure> {
    let mut imap = fake.settings();
    imap.server.provider = provider;
    imap.timeout = 1;
    Connection::open(&mailbox("nonpublic", imap), &LIMITS).await
}

fn logins(fake: &FakeImap) -> usize {
    fake.take().iter().filter(|command| command.starts_with("LOGIN")).count()
}

#[tokio::test]
async fn a_session_that_netease_ends_because_it_was_idle_is_opened_again_and_is_no_failure() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..netease() }).await;
    let mut connection = open(&fake, Provider::Netease163).await.expect("a connection");
    let cursor = connection.list(&Cursor::default()).await.expect("a listing").cursor;
    for _ in 0..3 {
        assert_eq!(fake.hang_up(), 1);
        assert!(connection.list(&cursor).await.expect("no failure").new.is_empty());
    }
    assert_eq!(logins(&fake), 4);
    fake.hang_up();
    connection.ready().await.expect("to be ready is to have a session or to get one");
}

#[tokio::test]
async fn at_qq_one_login_serves_all_polls_and_gbk_in_replies_does_no_harm() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..qq() }).await;
    let mut connection = open(&fake, Provider::Qq).await.expect("a connection");
    let mut cursor = Cursor::default();
    for uid in 2..=9 {
        let listing = connection.list(&cursor).await.expect("a listing");
        cursor = listing.cursor;
        let locators: Vec<String> = listing.new.into_iter().map(|listed| listed.locator).collect();
        connection.file(&locators, &After::Flag).await.expect("flagged");
        fake.deliver(uid, b"Subject: x\r\n\r\n");
    }
    connection.file(&["7:2".to_owned(), "7:5".to_owned()], &After::Flag).await.expect("no set with a comma");
    assert_eq!(logins(&fake), 1);
}

#[tokio::test]
async fn qq_that_refuses_a_login_is_left_alone_for_long_however_often_cron_starts_us() {
    let branch = Branch::with("qq", Script { always: vec![("LOGIN", QQ_LOGIN_FAIL)], ..qq() }, "flag").await;
    branch.receive(1);
    let mut tried = Vec::new();
    let minutes = [0, 1, 2, 15, 29, 30, 31, 60, 89, 90, 91, 209, 210];
    for minute in minutes {
        let ran = branch.once(&format!("{:02}:{:02}:00", 9 + minute / 60, minute % 60)).await;
        assert_eq!(ran.code, Some(3), "{ran:?}");
        for words in ["授权码", "not being switched on", "logins that are too frequent", "login frequency limited"] {
            assert!(ran.stdout.contains(words), "minute {minute}, `{words}`: {}", ran.stdout);
        }
        if branch.logins() > 0 {
            tried.push(minute);
        }
    }
    assert_eq!(tried, [0, 30, 90, 210], "half an hour, one, two");

    // A person asks, and is told at once; what was put right counts at once.
    let ran = branch.run("12:31:00", "check").await;
    assert!(ran.stdout.contains("FAIL  mailbox nonpublic: ") && branch.logins() == 1, "{}", ran.stdout);
    branch.imap.script().always.clear();
    let ran = branch.run("12:32:00", "check").await;
    assert!(ran.stdout.contains("ok    mailbox nonpublic: "), "{}", ran.stdout);
    let recovered = "taken 1, processed 1, sent 2, not sent 0; jobs: recovered nonpublic";
    assert_eq!(branch.once("12:33:00").await.stdout.trim(), recovered);
}

#[tokio::test]
async fn a_mail_that_netease_takes_for_bulk_is_sent_again_unchanged_after_a_long_while() {
    let branch = Branch::with("163", netease(), "flag").await;
    branch.receive(1);
    branch.smtp.obey(&[(".", SPAM, 1)]);
    let ran = branch.once("09:00:00").await;
    assert_eq!((ran.code, branch.smtp.count("CONNECT")), (Some(3), 1), "{ran:?}");
    assert!(ran.stdout.contains("554 DT:SPM") && ran.stdout.contains("taken for bulk"), "{}", ran.stdout);
    for soon in ["09:01:00", "09:20:00"] {
        branch.once(soon).await;
    }
    assert_eq!(branch.smtp.count("DATA"), 1, "not before half an hour or so has passed");
    let check = branch.run("09:21:00", "check").await;
    assert!(check.stdout.contains("FAIL  sending: slower until 2011-09-20 15:00: 554 DT:SPM"), "{}", check.stdout);
    assert_eq!(branch.once("09:45:00").await.stdout.trim(), "taken 0, processed 0, sent 1, not sent 0");
    let sent = branch.smtp.mails();
    assert!(sent.len() == 2 && sent[0] == sent[1], "its words are never varied");
    let quiet = branch.run("15:46:00", "check").await;
    assert!(!quiet.stdout.contains("slower"), "{}", quiet.stdout);
    assert!(quiet.stdout.contains("; 1 of 200 mails in 24 hours"), "{}", quiet.stdout);
}

#[tokio::test]
async fn a_refused_login_for_sending_is_told_in_words_and_tried_again_after_half_an_hour() {
    let branch = Branch::with("qq", qq(), "flag").await;
    branch.receive(1);
    branch.smtp.obey(&[("AUTH", CODE_WANTED, 9)]);
    let ran = branch.once("09:00:00").await;
    let words = "login: 535 Error: 请使用授权码登录; the password of the web page was used";
    assert!(ran.code == Some(3) && ran.stdout.contains(words), "{ran:?}");
    for soon in ["09:01:00", "09:10:00", "09:20:00"] {
        assert!(branch.once(soon).await.stdout.contains("mail cannot be sent: "));
    }
    assert_eq!(branch.smtp.count("AUTH"), 1);
    branch.once("09:40:00").await;
    assert_eq!(branch.smtp.count("AUTH"), 2);
    branch.smtp.obey(&[]);
    let check = branch.run("09:41:00", "check").await;
    assert!(check.stdout.contains("ok    sending: "), "{}", check.stdout);
    assert_eq!(branch.once("09:42:00").await.stdout.trim(), "taken 0, processed 0, sent 1, not sent 0");
}

#[tokio::test]
async fn where_the_clock_stands_still_a_server_gets_no_more_than_a_minutes_mails_and_the_next_pass_goes_on() {
    let branch = Branch::with("qq", qq(), "flag").await;
    let units = 0..8;
    units.for_each(|unit| branch.receive_from(unit, unit as u32 + 1));
    let ran = branch.once("09:30:00").await;
    let told = "taken 8, processed 8, sent 6, not sent 0\n\
                mail waits for [smtp] per_minute: a pass at 2011-09-20 09:31:00 or later sends on";
    assert_eq!(ran.stdout.trim(), told, "{ran:?}");
    let soon = branch.once("09:30:30").await;
    assert!(soon.stdout.starts_with("taken 0, processed 0, sent 0, not sent 0\nmail waits"), "{}", soon.stdout);
    assert_eq!(branch.once("09:31:00").await.stdout.trim(), "taken 0, processed 0, sent 2, not sent 0");
}

#[tokio::test]
async fn who_polls_faster_than_the_provider_bears_is_told_and_not_stopped() {
    let branch = Branch::having("163", netease(), "poll = \"5s\"").await;
    branch.receive(1);
    let check = branch.run("09:00:00", "check").await;
    let line = check.stdout.lines().find(|line| line.starts_with("ok    mailbox nonpublic: ")).expect("the mailbox");
    let told = "; polls every 5s; 163 is known to lock out who asks more often than every 60 s";
    assert!(line.ends_with(told), "{line}");
    assert_eq!(branch.once("09:01:00").await.stdout.trim(), "taken 1, processed 1, sent 1, not sent 0");
}

/// A failure of a server that answers so.
async fn refused(provider: Provider, script: Script) -> Failure {
    let fake = FakeImap::start(script).await;
    open(&fake, provider).await.err().expect("a failure")
}

/// A provider's reply to LOGIN, what is done about it, and what is said in English and in Chinese.
type Case = (Provider, &'static [u8], Kind, Cause, &'static str, &'static str);

#[tokio::test]
async fn what_is_the_matter_with_a_login_is_told_apart_in_the_providers_own_terms() {
    use Provider::{Exmail, Generic, Netease163, Qq};
    let cases: [Case; 9] = [
        (
            Netease163,
            b"{tag} NO LOGIN Login error or password error\r\n",
            Kind::Authentication,
            Cause::Credentials,
            "user or 授权码 is wrong",
            "授权码不对",
        ),
        (
            Netease163,
            b"{tag} NO LOGIN user is locked\r\n",
            Kind::Authentication,
            Cause::Locked,
            "account is locked",
            "锁定",
        ),
        (
            Netease163,
            b"{tag} NO LOGIN User has no permission\r\n",
            Kind::Authentication,
            Cause::ServiceOff,
            "not switched on",
            "没有开启",
        ),
        (
            Qq,
            b"{tag} NO Please using authorized code to login.\r\n",
            Kind::Limited,
            Cause::CodeWanted,
            "password of the web page",
            "不是网页登录密码",
        ),
        // 登录过于频繁
        (
            Qq,
            b"{tag} NO \xb5\xc7\xc2\xbc\xb9\xfd\xd3\xda\xc6\xb5\xb7\xb1\r\n",
            Kind::Limited,
            Cause::TooOften,
            "logged in too often",
            "过于频繁",
        ),
        (Qq, b"{tag} NO Authorization code is expired\r\n", Kind::Limited, Cause::CodeExpired, "expired", "已过期"),
        (Qq, QQ_LOGIN_FAIL, Kind::Limited, Cause::Unclear, "one reply", "没有说明原因"),
        (
            Exmail,
            b"{tag} NO login fail\r\n",
            Kind::Limited,
            Cause::Credentials,
            "客户端专用密码 is wrong",
            "客户端专用密码不对",
        ),
        (Generic, b"{tag} NO no\r\n", Kind::Authentication, Cause::Credentials, "user and password", "不对"),
    ];
    for (provider, reply, kind, cause, english, chinese) in cases {
        let failure = refused(provider, Script { always: vec![("LOGIN", reply)], ..Script::default() }).await;
        assert_eq!((failure.kind, failure.cause), (kind, cause), "{failure}");
        assert!(failure.to_string().contains(english), "{failure}");
        let told = failure.chinese();
        assert!(told.contains(chinese) && told.ends_with('。'), "{told}");
    }
    let unsafe_login = refused(Generic, Script { demands_id: true, ..Script::default() }).await;
    assert_eq!((unsafe_login.kind, unsafe_login.cause), (Kind::Refused, Cause::Unsafe));
    assert!(unsafe_login.to_string().contains("counts as unsafe"), "{unsafe_login}");
}

#[tokio::test]
async fn faults_of_the_network_are_told_apart_and_named() {
    let fake = FakeImap::start(Script { faults: vec![("LOGIN", Fault::Silence)], ..Script::default() }).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let with = |change: &dyn Fn(&mut Imap)| {
        let mut imap = Imap { timeout: 1, ..fake.settings() };
        change(&mut imap);
        imap
    };
    let cases = [
        (with(&|imap| imap.server.host = "no.such.host.test".to_owned()), Cause::NoHost, "DNS"),
        (with(&|imap| imap.server.port = closed), Cause::Closed, "nobody listens"),
        (with(&|_| ()), Cause::NoAnswer, "stays silent"),
        (with(&|imap| imap.server.tls = Tls::Implicit), Cause::Tls, "no trusted encryption"),
        (with(&|imap| imap.folder = "台账".to_owned()), Cause::NoFolder, "folder is missing"),
        (
            with(&|imap| imap.server.login = taizhang::config::Login::Password(Secret::Env("UNSET_HERE".to_owned()))),
            Cause::Setup,
            "correct the configuration",
        ),
    ];
    for (imap, cause, words) in cases {
        let failure = Connection::open(&mailbox("nonpublic", imap), &LIMITS).await.err().expect("a failure");
        assert_eq!(failure.cause, cause, "{failure}");
        assert!(failure.to_string().contains(words) && !failure.kind.refuses_login(), "{failure}");
    }
}
