//! An office whose mail comes and goes over real servers.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use taizhang::config::{After, Imap, Server, Tls};
use taizhang::demo::district::{self, MAILBOXES};

use crate::office::Office;
use crate::office::sent::Sent;
use crate::support::stack::MailStack;

/// Whom the program sends as.
pub const ROBOT: &str = "tz_robot@xinyou.example";

/// Settings for IMAP mailboxes (position in [`MAILBOXES`]) and an SMTP server.
pub fn settings(mailboxes: &[(usize, Imap)], smtp: &Server) -> String {
    let district = district::config_toml();
    let mut text = district.split("[smtp]").next().expect("the district's settings").to_owned();
    text += &format!("[smtp]\nfrom = \"台账 <{ROBOT}>\"\ntimeout = 20\n{}", server(smtp));
    for (home, imap) in mailboxes {
        let home = &MAILBOXES[*home];
        let after = match &imap.after {
            After::Flag => "flag".to_owned(),
            After::Keep => "keep".to_owned(),
            After::Move(folder) => format!("move:{folder}"),
        };
        text += &format!(
            "\n[[mailbox]]\nkind = \"imap\"\nname = \"{}\"\naddress = \"{}\"\ncommittee = \"{}\"\nstream = \"{}\"\n\
             after = \"{after}\"\npoll = {}\nidle = {}\n{}timeout = {}\n",
            home.name,
            home.address,
            home.committee,
            home.stream.expect("a committee's mailbox"),
            imap.poll,
            imap.idle,
            server(&imap.server),
            imap.timeout,
        );
    }
    text
}

fn server(server: &Server) -> String {
    let password = server.login.file().expect("a password file");
    let tls = match server.tls {
        Tls::Implicit => "implicit",
        Tls::Starttls => "starttls",
        Tls::None => "none",
    };
    let ca_file = server.ca_file.as_ref().map(|p| format!("ca_file = \"{}\"\n", p.display())).unwrap_or_default();
    format!(
        "host = \"{}\"\nport = {}\ntls = \"{tls}\"\nuser = \"{}\"\npassword_file = \"{}\"\n{ca_file}",
        server.host,
        server.port,
        server.user,
        password.display()
    )
}

/// Servers with the program's own account and these.
pub fn stack(accounts: &[&str]) -> MailStack {
    let stack = MailStack::start();
    for account in [ROBOT].iter().chain(accounts) {
        stack.add_user(account);
        let server = stack.imap(account, Tls::None).server;
        let password = server.login.file().expect("a password file");
        std::fs::set_permissions(password, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    }
    stack
}

/// What the program has sent to an account here.
pub async fn received(stack: &MailStack, address: &str) -> Vec<Sent> {
    stack.read(address, "INBOX").await.iter().map(|stored| Sent::read(&stored.raw)).collect()
}

/// Waits until an account has so many mails, looking all the time on one session. Returns when it was.
pub async fn until_received(stack: &MailStack, address: &str, count: u32) -> Instant {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut reader = stack.reader(address).await;
    while reader.examine("INBOX").await.expect("EXAMINE").exists < count {
        assert!(Instant::now() < deadline, "{address} has not got {count} mails");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Instant::now()
}

impl Office {
    /// [`Office::once`] beside the tasks of the test.
    pub async fn once_beside(&self, at: &str) -> crate::office::Ran {
        let mut command = self.command(at, &["once"]);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        crate::office::Ran::of(output.expect("the program"))
    }
}
