//! XOAUTH2 with a token command, against servers that take one token and no other.

use taizhang::config::{Imap, Login, Server, Smtp, SmtpKind, TokenCommand};
use taizhang::mailbox::{Connection, Failure, Kind};
use taizhang::outbox::Transport;

use crate::support::fake_imap::{FakeImap, Script};
use crate::support::fake_smtp::FakeSmtp;
use crate::support::{LIMITS, imap, mailbox};

/// User and token `ya29.good` as one message.
const GOOD: &str = "dXNlcj1kYW5namlhbkBxaW5nbGFuLmV4YW1wbGUBYXV0aD1CZWFyZXIgeWEyOS5nb29kAQE=";

/// Logs in with what this shell prints.
fn with_token(mut server: Server, script: &str) -> Server {
    let arguments = ["-c", script].map(str::to_owned).to_vec();
    server.login = Login::Token(TokenCommand { program: "sh".to_owned(), arguments });
    server
}

async fn open(fake: &FakeImap, script: &str) -> Result<Connection, Failure> {
    let imap = fake.settings();
    let imap = Imap { server: with_token(imap.server.clone(), script), ..imap };
    Connection::open(&mailbox("nonpublic", imap), &LIMITS).await
}

fn server(capabilities: &'static str) -> Script {
    Script { capabilities: [capabilities, "IMAP4rev1"], token: GOOD, ..Script::default() }
}

#[tokio::test]
async fn the_token_goes_along_where_the_server_takes_it_and_else_after_its_challenge() {
    for (capabilities, first) in [
        ("IMAP4rev1 AUTH=XOAUTH2 SASL-IR LOGINDISABLED", format!("AUTHENTICATE XOAUTH2 {GOOD}")),
        ("IMAP4rev1 AUTH=XOAUTH2", "AUTHENTICATE XOAUTH2".to_owned()),
    ] {
        let fake = FakeImap::start(server(capabilities)).await;
        open(&fake, "echo ya29.good").await.expect("logged in");
        assert_eq!(fake.take()[1], first);
    }
}

#[tokio::test]
async fn the_command_is_run_anew_for_each_login() {
    let fake = FakeImap::start(server("IMAP4rev1 AUTH=XOAUTH2 SASL-IR")).await;
    let dir = tempfile::tempdir().expect("a folder");
    let count = dir.path().join("count");
    let script = format!("echo . >> {}; echo ya29.good", count.display());
    for runs in 1..=2 {
        open(&fake, &script).await.expect("logged in");
        assert_eq!(std::fs::read_to_string(&count).expect("it ran").lines().count(), runs);
    }
}

#[tokio::test]
async fn a_refused_token_and_a_command_that_fails_are_told_apart_and_no_token_is_shown() {
    for capabilities in ["IMAP4rev1 AUTH=XOAUTH2 SASL-IR", "IMAP4rev1 AUTH=XOAUTH2"] {
        let fake = FakeImap::start(server(capabilities)).await;
        let refused = open(&fake, "echo ya29.old").await.err().expect("refused");
        assert_eq!(refused.kind, Kind::Authentication);
        let text = refused.to_string();
        assert!(text.contains("NO to AUTHENTICATE") && !text.contains("ya29") && !text.contains("dXNl"), "{text}");
    }
    let fake = FakeImap::start(server("IMAP4rev1 AUTH=XOAUTH2")).await;
    let failed = open(&fake, "echo ya29.secret; echo 'consent is needed' >&2; exit 3").await.err().expect("no token");
    assert_eq!(failed.kind, Kind::Setup);
    let text = failed.to_string();
    assert!(text.contains("token_command sh: exit status: 3: consent is needed"), "{text}");
    assert!(!text.contains("ya29.secret"), "{text}");
    assert!(!fake.take().iter().any(|command| command.starts_with("AUTH")));
}

fn smtp(fake: &FakeSmtp, script: &str) -> Transport {
    let server = imap(fake.port, "dangjian@qinglan.example", taizhang::config::Secret::Env("UNSET".to_owned())).server;
    let settings = Smtp {
        kind: SmtpKind::Server(with_token(server, script)),
        from: "dangjian@qinglan.example".to_owned(),
        address: "dangjian@qinglan.example".to_owned(),
        per_minute: 20,
        per_day: None,
        answers_per_day: 20,
        answers_per_thread: 8,
        answers_in_vain: 10,
        answer_within_days: 62,
        timeout: 10,
    };
    Transport::new(&settings, chrono_tz::Asia::Shanghai).expect("an address")
}

#[tokio::test]
async fn mail_is_sent_with_a_token_too_and_the_error_behind_the_challenge_is_fetched() {
    let fake = FakeSmtp::start(&[]).await;
    smtp(&fake, "echo ya29.good").check().await.expect("logged in");
    assert!(fake.heard().contains(&format!("AUTH XOAUTH2 {GOOD}")), "{:?}", fake.heard());

    let json = b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n";
    let fake = FakeSmtp::start(&[("AUTH", json, 1)]).await;
    fake.refuse_empty_line(b"535 5.7.8 not accepted\r\n");
    let refused = smtp(&fake, "echo ya29.old").check().await.expect_err("refused");
    assert!(refused.login && refused.why.ends_with(": login: 535 5.7.8 not accepted"), "{refused}");
}
