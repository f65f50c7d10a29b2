use super::*;
use crate::config::Secret;
use crate::outbox::refusal::Meaning;
use crate::outbox::scripted_smtp::{Answer, Scripted, friendly};

const RAW: &[u8] = b"Subject: x\r\n\r\n.one line that begins with a dot\r\n";

fn no_secret() -> Secret {
    Secret::Env("TAIZHANG_TEST_UNSET".into())
}

fn transport(server: &Scripted) -> Transport {
    Transport::new(&server.settings("", no_secret()), chrono_tz::Asia::Shanghai).unwrap()
}

fn parcel(recipient: &str) -> Parcel<'_> {
    Parcel { id: 7, created_at: "2011-09-26T01:00:00Z".parse().unwrap(), recipient, raw: RAW }
}

#[tokio::test]
async fn two_mails_of_a_batch_go_over_one_connection() {
    let server = Scripted::start(friendly).await;
    let mut transport = transport(&server);
    assert_eq!(transport.send(parcel("one@y.test")).await, Attempt::Delivered);
    assert_eq!(transport.send(parcel("two@y.test")).await, Attempt::Delivered);
    transport.close().await;
    let heard = server.heard();
    assert_eq!((server.count("CONNECT"), server.count("QUIT")), (1, 1));
    assert!(heard.contains(&"MAIL FROM:<robot@office.test>".to_owned()), "{heard:?}");
    assert!(heard.contains(&"RCPT TO:<two@y.test>".to_owned()));
    assert_eq!(server.count("BODY:Subject: x\r\n\r\n..one line"), 2);
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_connection_for_the_next_mail() {
    let server = Scripted::start(|line| match line {
        "RCPT TO:<gone@y.test>" => Answer::Say(b"550-5.1.1 User unknown\r\n550 go away\r\n"),
        "RCPT TO:<full@y.test>" => Answer::Say(b"452 4.2.2 Mailbox full\r\n"),
        other => friendly(other),
    })
    .await;
    let mut transport = transport(&server);
    let refused = transport.send(parcel("gone@y.test")).await;
    assert!(
        matches!(&refused, Attempt::Refused { code: 550, text, meaning: Meaning::Address } if text.contains("User unknown")),
        "{refused:?}"
    );
    assert!(matches!(transport.send(parcel("full@y.test")).await, Attempt::Refused { code: 452, .. }));
    assert_eq!(transport.send(parcel("one@y.test")).await, Attempt::Delivered);
    assert_eq!((server.count("CONNECT"), server.count("RSET")), (1, 2));
}

#[tokio::test]
async fn a_refusal_is_kept_though_the_server_falls_silent_after_it() {
    let server = Scripted::start(|line| match line {
        "RCPT TO:<gone@y.test>" => Answer::Say(b"550 no\r\n"),
        "RSET" => Answer::Silence,
        other => friendly(other),
    })
    .await;
    let mut transport = transport(&server);
    assert!(matches!(transport.send(parcel("gone@y.test")).await, Attempt::Refused { code: 550, .. }));
    assert_eq!(transport.send(parcel("one@y.test")).await, Attempt::Delivered);
    assert_eq!(server.count("CONNECT"), 2);
}

#[tokio::test]
async fn silence_ends_after_the_timeout_wherever_it_sets_in() {
    for (silent_at, in_session) in [("CONNECT", false), ("EHLO", false), ("MAIL", true), ("BODY", true)] {
        let server =
            Scripted::start(move |line| if line.starts_with(silent_at) { Answer::Silence } else { friendly(line) })
                .await;
        let attempt = transport(&server).send(parcel("one@y.test")).await;
        match attempt {
            Attempt::Lost(_) => assert!(in_session, "{silent_at}"),
            Attempt::NoSession(_) => assert!(!in_session, "{silent_at}"),
            other => panic!("{silent_at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_broken_connection_is_not_used_again() {
    let server =
        Scripted::start(|line| if line == "RCPT TO:<cut@y.test>" { Answer::HangUp } else { friendly(line) }).await;
    let mut transport = transport(&server);
    assert!(matches!(transport.send(parcel("cut@y.test")).await, Attempt::Lost(_)));
    assert_eq!(transport.send(parcel("one@y.test")).await, Attempt::Delivered);
    assert_eq!(server.count("CONNECT"), 2);
}

#[tokio::test]
async fn a_cancelled_mail_leaves_no_half_spoken_session() {
    let server =
        Scripted::start(|line| if line == "RCPT TO:<slow@y.test>" { Answer::Silence } else { friendly(line) }).await;
    let mut transport = transport(&server);
    assert_eq!(transport.send(parcel("one@y.test")).await, Attempt::Delivered);
    let cut = tokio::time::timeout(Duration::from_millis(100), transport.send(parcel("slow@y.test"))).await;
    assert!(cut.is_err());
    assert_eq!(transport.send(parcel("two@y.test")).await, Attempt::Delivered);
    assert_eq!(server.count("CONNECT"), 2);
}

#[tokio::test]
async fn a_reply_in_gbk_keeps_its_code_and_its_words() {
    let server = Scripted::start(|line| match line {
        line if line.starts_with("BODY") => Answer::Say(b"554 \xd3\xca\xbc\xfe\xb1\xbb\xbe\xdc\xbe\xf8\r\n"),
        other => friendly(other),
    })
    .await;
    let attempt = transport(&server).send(parcel("one@y.test")).await;
    assert_eq!(attempt, Attempt::Refused { code: 554, text: "邮件被拒绝".into(), meaning: Meaning::Mail });
}

#[tokio::test]
async fn what_is_no_smtp_at_all_is_told_apart_from_a_lost_connection() {
    let server = Scripted::start(|line| match line {
        line if line.starts_with("BODY") => Answer::Say(b"HTTP/1.1 400 Bad Request\r\n"),
        other => friendly(other),
    })
    .await;
    let attempt = transport(&server).send(parcel("one@y.test")).await;
    assert!(matches!(attempt, Attempt::Unreadable(_)), "{attempt:?}");
}

#[tokio::test]
async fn a_refused_login_is_no_refused_mail_and_never_shows_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, "correct horse\n").unwrap();
    let server = Scripted::start(|line| match line {
        line if line.starts_with("AUTH") => Answer::Say(b"535 5.7.8 authentication failed\r\n"),
        other => friendly(other),
    })
    .await;
    let settings = server.settings("robot", Secret::File(secret));
    let mut transport = Transport::new(&settings, chrono_tz::Asia::Shanghai).unwrap();
    let Attempt::NoSession(no) = transport.send(parcel("one@y.test")).await else { panic!("no session expected") };
    assert!(no.login && no.why.ends_with(": login: 535 5.7.8 authentication failed"), "{no}");
    assert!(!no.to_string().contains("horse"));
    assert!(transport.check().await.is_err_and(|no| no.to_string().contains("check user and password")));
}

#[tokio::test]
async fn what_is_no_address_is_not_dialled() {
    let server = Scripted::start(friendly).await;
    let mut transport = transport(&server);
    for bad in ["", "nobody", "a@b c", "张三@y.test", "a@y.test>\r\nRCPT TO:<b@y.test"] {
        assert!(matches!(transport.send(parcel(bad)).await, Attempt::Impossible(_)), "{bad}");
    }
    assert_eq!(server.count("CONNECT"), 0);
}

#[tokio::test]
async fn without_tls_only_loopback_is_dialled() {
    let server = Scripted::start(friendly).await;
    let mut settings = server.settings("", no_secret());
    if let SmtpKind::Server(server) = &mut settings.kind {
        server.host = "192.0.2.1".into();
    }
    let mut transport = Transport::new(&settings, chrono_tz::Asia::Shanghai).unwrap();
    let Attempt::NoSession(no) = transport.send(parcel("one@y.test")).await else { panic!("no session expected") };
    assert!(no.why.contains("for this machine only"), "{no}");
}

#[tokio::test]
async fn a_mail_written_twice_is_one_file_that_only_its_owner_reads() {
    let folder = tempfile::tempdir().unwrap();
    let outgoing = folder.path().join("sent");
    let settings = config::Smtp {
        kind: SmtpKind::Files(outgoing.clone()),
        from: "robot@office.test".into(),
        address: "robot@office.test".into(),
        per_minute: 1,
        per_day: None,
        answers_per_day: 1,
        answers_per_thread: 8,
        answers_in_vain: 10,
        answer_within_days: 1,
        timeout: 1,
    };
    let mut transport = Transport::new(&settings, chrono_tz::Asia::Shanghai).unwrap();
    for _ in 0..2 {
        assert_eq!(transport.send(parcel("../one@y.test")).await, Attempt::Delivered);
    }
    let names: Vec<_> = std::fs::read_dir(&outgoing).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["20110926T090000-0007-.._one@y.test.eml"]);
    let path = outgoing.join(&names[0]);
    assert_eq!(std::fs::read(&path).unwrap(), RAW);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
