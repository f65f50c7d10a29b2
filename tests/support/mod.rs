//! What tests with real and with scripted mail servers share.

pub mod fake_imap;
pub mod fake_smtp;
pub mod providers;
pub mod stack;
pub mod tap;

use std::time::Duration;

use taizhang::config::{After, Imap, Limits, Login, Mailbox, Provider, ReadLimits, Secret, Server, Source, Tls};

pub const LIMITS: Limits = Limits {
    mail_bytes: 4 * 1024 * 1024,
    workbook_bytes: 30 * 1024 * 1024,
    workbook_cells: 5_000_000,
    archive_bytes: 200 * 1024 * 1024,
    archive_members: 100,
    archive_depth: 3,
    mail_time: Duration::from_secs(120),
    workbook_rows: 5_000,
    read: ReadLimits { time: Duration::from_secs(20), memory: 1 << 30, isolate: false },
};

/// Settings for INBOX on this machine, without TLS, a second per command, the password in `password`.
pub fn imap(port: u16, user: &str, password: Secret) -> Imap {
    let server = Server {
        provider: Provider::Generic,
        host: "localhost".to_owned(),
        port,
        tls: Tls::None,
        user: user.to_owned(),
        login: Login::Password(password),
        ca_file: None,
    };
    Imap { server, folder: "INBOX".to_owned(), after: After::Flag, poll: 60, idle: true, timeout: 10 }
}

pub fn mailbox(name: &str, imap: Imap) -> Mailbox {
    Mailbox {
        name: name.to_owned(),
        address: imap.server.user.clone(),
        committee: "白鹭区非公党工委".to_owned(),
        stream: Some("nonpublic".to_owned()),
        authserv_id: None,
        subaddress: false,
        since: None,
        source: Source::Imap(imap),
    }
}

/// A small mail with CRLF line ends.
pub fn mail(subject: &str, body: &str) -> Vec<u8> {
    format!("From: office@taoyuan.example\r\nTo: dangjian@qinglan.example\r\nSubject: {subject}\r\n\r\n{body}\r\n")
        .into_bytes()
}
