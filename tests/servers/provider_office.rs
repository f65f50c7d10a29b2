//! An office whose mail is with a public provider, played by scripted servers.

use std::io::Write as _;

use taizhang::demo::district::{self, MAILBOXES, NONPUBLIC, SOCIAL, TIDY};

use crate::office::letter::{Letter, tidy};
use crate::office::{Office, Ran};
use crate::support::fake_imap::{FakeImap, Script};
use crate::support::fake_smtp::FakeSmtp;

pub struct Branch {
    pub office: Office,
    pub imap: FakeImap,
    pub smtp: FakeSmtp,
}

impl Branch {
    /// `after`: what is done to a mail that was taken.
    pub async fn with(provider: &str, script: Script, after: &str) -> Self {
        Self::having(provider, script, &format!("after = \"{after}\"")).await
    }

    /// `keys`: more of the mailbox.
    pub async fn having(provider: &str, script: Script, keys: &str) -> Self {
        Self::of(provider, script, keys, &[]).await
    }

    /// The other committee's mail is with the same provider.
    pub async fn with_both(provider: &str, scripts: [Script; 2]) -> (Self, FakeImap) {
        let [script, other] = scripts;
        let other = FakeImap::start(other).await;
        let branch = Self::of(provider, script, "", &[(SOCIAL, other.settings().server.port)]).await;
        (branch, other)
    }

    async fn of(provider: &str, script: Script, keys: &str, others: &[(usize, u16)]) -> Self {
        let (imap, smtp) = (FakeImap::start(script).await, FakeSmtp::start(&[]).await);
        let server = |port: u16| {
            format!(
                "provider = \"{provider}\"\nhost = \"localhost\"\nport = {port}\ntls = \"none\"\n\
                 password_file = \"password\"\n"
            )
        };
        let mailbox = |(home, port): (usize, u16)| {
            let home = &MAILBOXES[home];
            format!(
                "[[mailbox]]\nkind = \"imap\"\nname = \"{}\"\naddress = \"{}\"\ncommittee = \"{}\"\nstream = \"{}\"\n{keys}\n{}",
                home.name,
                home.address,
                home.committee,
                home.stream.expect("a committee's mailbox"),
                server(port)
            )
        };
        let first = (NONPUBLIC, imap.settings().server.port);
        let mailboxes: String = std::iter::once(first).chain(others.iter().copied()).map(mailbox).collect();
        let district = district::config_toml();
        let config = format!(
            "{}[smtp]\nfrom = \"{}\"\n{}{mailboxes}",
            district.split("[smtp]").next().expect("the district's settings"),
            MAILBOXES[NONPUBLIC].address,
            server(smtp.port),
        );
        let office = Office::new(&config);
        let mut file = std::fs::File::create(office.path("password")).expect("a file");
        file.write_all(b"abcdefghijklmnop\n").expect("a code");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(office.path("password"), private).expect("permissions");
        Self { office, imap, smtp }
    }

    /// At a time of 20 September.
    pub async fn run(&self, at: &str, command: &str) -> Ran {
        self.run_on(&format!("2011-09-20T{at}+08:00"), command).await
    }

    pub async fn run_on(&self, at: &str, command: &str) -> Ran {
        let mut command = self.office.command(at, &[command]);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        Ran::of(output.expect("the program"))
    }

    pub async fn once(&self, at: &str) -> Ran {
        self.run(at, "once").await
    }

    /// A unit's return comes in.
    pub fn receive(&self, uid: u32) {
        self.receive_from(TIDY, uid);
    }

    pub fn receive_from(&self, unit: usize, uid: u32) {
        let files = tidy(unit, NONPUBLIC, "2011-08").two_files();
        let letter = Letter::new(unit, NONPUBLIC, "2011-09-20T09:10:00+08:00", files);
        self.imap.deliver(uid, &letter.with_mail(|mail| mail.write()));
    }

    pub fn logins(&self) -> usize {
        self.imap.take().iter().filter(|command| command.starts_with("LOGIN")).count()
    }
}
