//! Real Dovecot and Exim, one private pair a test: unprivileged, on loopback and free ports, gone when dropped.
//!
//! Both run under one shell that ends them when its standard input closes, so they cannot outlive a killed test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use async_imap::types::Flag;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, SmtpTransport, Transport};
use taizhang::config::{Imap, Secret, Server, Tls};

const PACKAGES: &str = "dovecot-imapd dovecot-lmtpd exim4-daemon-light";
/// The account that servers started by root drop to.
const NOBODY: &str = "nobody";

pub struct MailStack {
    dir: tempfile::TempDir,
    ports: Ports,
    account: Account,
    shell: Child,
}

#[derive(Clone, Copy)]
struct Ports {
    imap: u16,
    imaps: u16,
    smtp: u16,
    smtps: u16,
}

/// A mail as its reader sees it.
#[derive(Debug)]
pub struct Stored {
    pub flags: Vec<String>,
    pub internal_date: DateTime<Utc>,
    pub raw: Vec<u8>,
}

impl MailStack {
    /// Starts both servers and waits until they greet.
    ///
    /// # Panics
    /// With a clear message if a server is missing or does not come up: such a test fails, it is never skipped.
    pub fn start() -> Self {
        for program in ["dovecot", "exim4", "openssl"] {
            assert!(
                which(program),
                "{program} is missing. These tests need real mail servers: run scripts/test, or install {PACKAGES}"
            );
        }
        let dir = tempfile::Builder::new().prefix("tz").tempdir().expect("a temporary folder");
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let ports = Ports { imap: free_port(), imaps: free_port(), smtp: free_port(), smtps: free_port() };
        let account = Account::find(dir.path());
        for part in ["run/dovecot", "state", "log", "mail", "spool", "tls"] {
            std::fs::create_dir_all(dir.path().join(part)).expect("a folder");
        }
        certificates(&dir.path().join("tls"));
        for (name, template) in
            [("dovecot.conf", include_str!("dovecot.conf")), ("exim.conf", include_str!("exim.conf"))]
        {
            std::fs::write(dir.path().join(name), render(template, dir.path(), ports, &account)).expect("a file");
        }
        for name in ["users", "refuse"] {
            std::fs::write(dir.path().join(name), "").expect("a file");
        }
        account.give(dir.path());
        let shell = account.shell(dir.path());
        let mut stack = Self { dir, ports, account, shell };
        stack.await_greetings();
        stack
    }

    fn await_greetings(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        for (port, word) in [(self.ports.imap, "* OK"), (self.ports.smtp, "220")] {
            while !greets(port, word) {
                let ended = self.shell.try_wait().expect("the shell's state").is_some();
                assert!(!ended && Instant::now() < deadline, "the mail servers did not come up:\n{}", self.logs());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let socket = self.dir.path().join("run/dovecot/lmtp");
        assert!(socket.exists(), "no LMTP socket:\n{}", self.logs());
    }

    fn logs(&self) -> String {
        let log = self.dir.path().join("log");
        let files = std::fs::read_dir(log).expect("the log folder").flatten();
        files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
    }

    /// Adds an account with the password [`password`].
    pub fn add_user(&self, address: &str) {
        let path = self.dir.path().join("users");
        let line = format!("{address}:{{PLAIN}}{}::::::\n", password(address));
        let mut file = std::fs::OpenOptions::new().append(true).open(path).expect("users");
        file.write_all(line.as_bytes()).expect("users");
        std::fs::write(self.password_path(address), password(address)).expect("password file");
    }

    /// Answers RCPT TO for an address with a code of our choice: `451 4.7.1 later`.
    pub fn refuse(&self, address: &str, reply: &str) {
        std::fs::write(self.dir.path().join("refuse"), format!("{address}: {reply}\n")).expect("refuse");
    }

    fn password_path(&self, address: &str) -> PathBuf {
        self.dir.path().join(format!("{address}.password"))
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("tls/ca.pem")
    }

    /// Settings to read an account's INBOX.
    pub fn imap(&self, address: &str, tls: Tls) -> Imap {
        let port = if tls == Tls::Implicit { self.ports.imaps } else { self.ports.imap };
        let mut imap = super::imap(port, address, Secret::File(self.password_path(address)));
        imap.server.tls = tls;
        imap.server.ca_file = Some(self.ca_file());
        imap
    }

    /// Settings to submit mail as an account.
    pub fn smtp(&self, address: &str, tls: Tls) -> Server {
        let port = if tls == Tls::Implicit { self.ports.smtps } else { self.ports.smtp };
        Server { port, ..self.imap(address, tls).server }
    }

    /// Sends a mail by SMTP and returns when the server has taken it. An account here logs in, others need not.
    pub async fn send(&self, from: &str, to: &str, raw: &[u8]) -> Result<(), lettre::transport::smtp::Error> {
        let mut smtp = SmtpTransport::builder_dangerous("127.0.0.1").port(self.ports.smtp);
        if self.password_path(from).exists() {
            smtp = smtp.credentials(Credentials::new(from.to_owned(), password(from)));
        }
        let address = |text: &str| text.parse::<Address>().expect("an address");
        let envelope = lettre::address::Envelope::new(Some(address(from)), vec![address(to)]).expect("an envelope");
        let (smtp, raw) = (smtp.build(), raw.to_vec());
        tokio::task::spawn_blocking(move || smtp.send_raw(&envelope, &raw).map(drop)).await.expect("no panic")
    }

    /// Puts a mail straight into a folder, as taken at `internal_date` (`03-Nov-2026 09:05:00 +0800`).
    pub async fn append(&self, address: &str, folder: &str, internal_date: &str, raw: &[u8]) {
        let mut reader = self.reader(address).await;
        reader.append(folder, None, Some(&format!("\"{internal_date}\"")), raw).await.expect("APPEND");
    }

    /// Every mail in a folder (its name as it goes over the wire), oldest first.
    pub async fn read(&self, address: &str, folder: &str) -> Vec<Stored> {
        let mut reader = self.reader(address).await;
        if reader.examine(folder).await.expect("EXAMINE").exists == 0 {
            return Vec::new();
        }
        let mails = reader.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])").await.expect("FETCH");
        let mails: Vec<_> = mails.try_collect().await.expect("every mail");
        let stored = mails.iter().map(|mail| Stored {
            flags: mail.flags().filter(|flag| *flag != Flag::Recent).map(|flag| flag_name(&flag)).collect(),
            internal_date: mail.internal_date().expect("a date").to_utc(),
            raw: mail.body().expect("a body").to_vec(),
        });
        stored.collect()
    }

    /// An independent client, logged in.
    pub async fn reader(&self, address: &str) -> async_imap::Session<tokio::net::TcpStream> {
        let tcp = tokio::net::TcpStream::connect(("127.0.0.1", self.ports.imap)).await.expect("Dovecot");
        let mut client = async_imap::Client::new(tcp);
        client.read_response().await.expect("a greeting");
        client.login(address, password(address)).await.map_err(|(e, _)| e).expect("LOGIN")
    }

    /// Makes the file of the mail with this subject one that Dovecot may not read, whoever it runs as.
    pub fn forbid(&self, address: &str, subject: &str) {
        let maildir = self.dir.path().join("mail").join(address).join("Maildir");
        let files = ["cur", "new"].map(|part| std::fs::read_dir(maildir.join(part)).expect("a folder"));
        // Dovecot keeps mails without the CR.
        let line = format!("Subject: {subject}\n").into_bytes();
        for file in files.into_iter().flatten() {
            let path = file.expect("a mail").path();
            let raw = std::fs::read(&path).expect("a mail");
            if raw.windows(line.len()).any(|part| part == line) {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).expect("permissions");
            }
        }
    }

    /// Writes many small mails straight into the INBOX of a user who has not logged in yet, as of an hour ago: Dovecot
    /// reads a folder that has just changed again and again.
    pub fn fill(&self, address: &str, count: u32) {
        let maildir = self.dir.path().join("mail").join(address).join("Maildir");
        for part in ["new", "tmp", "cur"] {
            std::fs::create_dir_all(maildir.join(part)).expect("a folder");
        }
        let cur = maildir.join("cur");
        for n in 0..count {
            let raw = super::mail(&format!("old {n}"), "old");
            let name = format!("{}.{n}.test,S={}:2,S", 1_300_000_000 + n, raw.len());
            std::fs::write(cur.join(name), raw).expect("a mail");
        }
        let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::open(&cur).and_then(|dir| dir.set_modified(hour_ago)).expect("an older folder");
        self.account.give(&self.dir.path().join("mail"));
    }
}

impl Drop for MailStack {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Killed with all the others of its group; nothing of this is needed any more.
        let _ = self.shell.wait();
    }
}

/// Who the servers run as.
struct Account {
    user: String,
    group: String,
    ids: Option<(u32, u32)>,
}

impl Account {
    fn find(dir: &Path) -> Self {
        let root = std::fs::metadata(dir).expect("the folder").uid() == 0;
        let id = |option: &str| {
            let mut command = Command::new("id");
            command.arg(option).args(root.then_some(NOBODY));
            let out = command.output().expect("id").stdout;
            String::from_utf8_lossy(&out).trim().to_owned()
        };
        let number = |option: &str| id(option).parse::<u32>().expect("a number");
        Self { user: id("-un"), group: id("-gn"), ids: root.then(|| (number("-u"), number("-g"))) }
    }

    /// Hands a folder and all in it to the account.
    fn give(&self, path: &Path) {
        let Some((uid, gid)) = self.ids else { return };
        chown(path, Some(uid), Some(gid)).expect("chown");
        if path.is_dir() {
            for entry in std::fs::read_dir(path).expect("a folder") {
                self.give(&entry.expect("an entry").path());
            }
        }
    }

    fn shell(&self, dir: &Path) -> Child {
        const SCRIPT: &str = r#"
            dovecot -F -c "$1/dovecot.conf" >"$1/log/dovecot.out" 2>&1 </dev/null &
            exim4 -C "$1/exim.conf" -bdf -q2s >"$1/log/exim.out" 2>&1 </dev/null &
            cat >/dev/null
            kill -KILL 0"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "sh"]).arg(dir).env("PATH", path()).current_dir(dir);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some((uid, gid)) = self.ids {
            shell.uid(uid).gid(gid);
        }
        shell.spawn().expect("a shell")
    }
}

/// The password of every test account.
pub fn password(address: &str) -> String {
    format!("pw-{}", address.split('@').next().unwrap_or_default())
}

fn flag_name(flag: &Flag<'_>) -> String {
    match flag {
        Flag::Seen => "\\Seen".to_owned(),
        Flag::Flagged => "\\Flagged".to_owned(),
        Flag::Deleted => "\\Deleted".to_owned(),
        Flag::Custom(name) => name.to_string(),
        other => format!("{other:?}"),
    }
}

fn render(template: &str, dir: &Path, ports: Ports, account: &Account) -> String {
    template
        .replace("@DIR@", &dir.display().to_string())
        .replace("@USER@", &account.user)
        .replace("@GROUP@", &account.group)
        .replace("@IMAP_PORT@", &ports.imap.to_string())
        .replace("@IMAPS_PORT@", &ports.imaps.to_string())
        .replace("@SMTP_PORT@", &ports.smtp.to_string())
        .replace("@SMTPS_PORT@", &ports.smtps.to_string())
}

/// `ca.pem`, `server.pem` and `server.key`, by openssl, which Debian's Dovecot depends on.
fn certificates(dir: &Path) {
    const SCRIPT: &str = r#"set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=taizhang test CA" \
            -keyout ca.key -out ca.pem \
            -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
            -keyout server.key -out server.csr
        printf '%s\n' basicConstraints=critical,CA:FALSE extendedKeyUsage=serverAuth \
            subjectAltName=DNS:localhost,IP:127.0.0.1 >server.ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 2 -extfile server.ext -out server.pem
        chmod 644 ca.pem"#;
    let out = Command::new("sh").args(["-c", SCRIPT]).current_dir(dir).output().expect("a shell");
    assert!(out.status.success(), "no certificates: {}", String::from_utf8_lossy(&out.stderr));
}

/// Servers live in sbin, which is not on everybody's path.
fn path() -> String {
    format!("{}:/usr/local/sbin:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

fn which(program: &str) -> bool {
    path().split(':').any(|dir| Path::new(dir).join(program).is_file())
}

/// A port below the range that outgoing connections use, never the same twice in one process.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 500) as u16 * 24;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn greets(port: u16, word: &str) -> bool {
    let Ok(mut tcp) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = tcp.set_read_timeout(Some(Duration::from_secs(2)));
    let mut start = [0; 4];
    tcp.read_exact(&mut start[..word.len()]).is_ok() && start.starts_with(word.as_bytes())
}
