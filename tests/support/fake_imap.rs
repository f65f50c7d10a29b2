//! An IMAP server made of settings: plays what providers were seen to do, and writes down every command it gets.

use std::io::Write;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};

use taizhang::config::{Imap, Secret};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// What the server is like and what lies in its only folder.
pub struct Script {
    pub greeting: &'static str,
    /// Before and after LOGIN.
    pub capabilities: [&'static str; 2],
    /// Refuse SELECT to a client that has not sent ID after LOGIN, as 163.com does.
    pub demands_id: bool,
    pub uidvalidity: u32,
    pub tells_uidnext: bool,
    /// NOOP shows new mail, as it should.
    pub noop_tells: bool,
    pub permanent_flags: &'static str,
    /// Folders that exist besides INBOX, as on the wire.
    pub folders: Vec<String>,
    pub mails: Vec<FakeMail>,
    /// What to do with the first command that begins so, instead of obeying; used up by it.
    pub faults: Vec<(&'static str, Fault)>,
    /// What is answered to every command that begins so; `{tag}` is put in.
    pub always: Vec<(&'static str, &'static [u8])>,
    /// The one message of AUTHENTICATE that is taken, in base64.
    pub token: &'static str,
}

#[derive(Clone)]
pub struct FakeMail {
    pub uid: u32,
    pub raw: Vec<u8>,
    pub deleted: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Answer with this instead; `{tag}` is put in.
    Say(&'static str),
    /// Answer with this and hang up.
    Hangup(&'static str),
    /// Never answer.
    Silence,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            greeting: "* OK ready\r\n",
            capabilities: ["IMAP4rev1", "IMAP4rev1 IDLE MOVE UIDPLUS"],
            demands_id: false,
            uidvalidity: 7,
            tells_uidnext: true,
            noop_tells: true,
            permanent_flags: "(\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)",
            folders: Vec::new(),
            mails: Vec::new(),
            faults: Vec::new(),
            always: Vec::new(),
            token: "",
        }
    }
}

/// A running server; it ends with the test's runtime.
pub struct FakeImap {
    port: u16,
    password: tempfile::NamedTempFile,
    world: Arc<World>,
}

struct World {
    script: Mutex<Script>,
    commands: Mutex<Vec<String>>,
    /// The new number of mails.
    arrivals: broadcast::Sender<usize>,
    /// Every session ends with BYE.
    farewells: broadcast::Sender<()>,
}

impl World {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("the script")
    }
}

impl FakeImap {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let world = Arc::new(World {
            script: Mutex::new(script),
            commands: Mutex::new(Vec::new()),
            arrivals: broadcast::channel(16).0,
            farewells: broadcast::channel(1).0,
        });
        let shared = world.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp, shared.clone()));
            }
        });
        let mut password = tempfile::NamedTempFile::new().expect("a file");
        password.write_all(b"p\"w\n").expect("the password");
        Self { port, password, world }
    }

    /// How to reach it, with the password `p"w`.
    pub fn settings(&self) -> Imap {
        super::imap(self.port, "dangjian@qinglan.example", Secret::File(self.password.path().to_owned()))
    }

    /// The commands since the last call, without their tags.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.world.commands.lock().expect("the commands"))
    }

    /// Changes the world while it turns.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.world.script()
    }

    /// Says BYE to all clients, as providers do to those that say nothing for a while. Returns how many there were.
    pub fn hang_up(&self) -> usize {
        self.world.farewells.send(()).unwrap_or(0)
    }

    /// A mail arrives, and clients that idle are told.
    pub fn deliver(&self, uid: u32, raw: &[u8]) {
        let count = {
            let mut script = self.script();
            script.mails.push(FakeMail { uid, raw: raw.to_vec(), deleted: false });
            script.mails.len()
        };
        // Nobody may be listening.
        let _ = self.world.arrivals.send(count);
    }
}

/// A folder of small mails with these UIDs.
pub fn mails(uids: impl IntoIterator<Item = u32>) -> Vec<FakeMail> {
    uids.into_iter().map(|uid| FakeMail { uid, raw: super::mail("return", "text"), deleted: false }).collect()
}

/// A command line without its tag; `DONE` has none.
pub fn untagged(line: &str) -> String {
    line.split_once(' ').map_or(line, |(_, command)| command).to_owned()
}

struct Talk {
    lines: tokio::io::Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
    world: Arc<World>,
    named: bool,
    logged_in: bool,
    /// How many mails the client was told of.
    told: usize,
}

async fn serve(tcp: TcpStream, world: Arc<World>) -> std::io::Result<()> {
    let (read, out) = tcp.into_split();
    let mut farewells = world.farewells.subscribe();
    let mut talk = Talk { lines: BufReader::new(read).lines(), out, world, named: false, logged_in: false, told: 0 };
    let greeting = talk.world.script().greeting;
    talk.out.write_all(greeting.as_bytes()).await?;
    loop {
        let line = tokio::select! {
            line = talk.lines.next_line() => line?,
            Ok(()) = farewells.recv() => return talk.out.write_all(b"* BYE idle for too long\r\n").await,
        };
        let Some(line) = line else { return Ok(()) };
        let command = untagged(&line);
        let tag = line.split(' ').next().unwrap_or_default();
        talk.world.commands.lock().expect("the commands").push(command.clone());
        match talk.fault(&command) {
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Say(text)) => talk.out.write_all(text.replace("{tag}", tag).as_bytes()).await?,
            Some(Fault::Hangup(text)) => {
                talk.out.write_all(text.replace("{tag}", tag).as_bytes()).await?;
                return Ok(());
            }
            None if command == "IDLE" => talk.idle(tag).await?,
            None if command.starts_with("AUTHENTICATE XOAUTH2") => talk.authenticate(&command, tag).await?,
            None => {
                let answer = talk.obey(&command, tag);
                talk.out.write_all(&answer).await?;
            }
        }
    }
}

impl Talk {
    fn fault(&self, command: &str) -> Option<Fault> {
        let mut script = self.world.script();
        let at = script.faults.iter().position(|(start, _)| command.starts_with(start))?;
        Some(script.faults.remove(at).1)
    }

    /// Takes the message with the command or after it, and tells of an error as Google does: by a second challenge.
    async fn authenticate(&mut self, command: &str, tag: &str) -> std::io::Result<()> {
        let mut message = command.split(' ').nth(2).map(str::to_owned);
        if message.is_none() {
            self.out.write_all(b"+ \r\n").await?;
            message = self.lines.next_line().await?;
        }
        if message.as_deref() == Some(self.world.script().token) {
            self.logged_in = true;
            return self.out.write_all(format!("{tag} OK in\r\n").as_bytes()).await;
        }
        self.out.write_all(b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n").await?;
        let verdict = if self.lines.next_line().await? == Some(String::new()) { "NO" } else { "BAD" };
        self.out.write_all(format!("{tag} {verdict} SASL authentication failed\r\n").as_bytes()).await
    }

    async fn idle(&mut self, tag: &str) -> std::io::Result<()> {
        let mut arrivals = self.world.arrivals.subscribe();
        self.out.write_all(b"+ idling\r\n").await?;
        let count = self.world.script().mails.len();
        if self.told != count {
            self.told = count;
            self.out.write_all(format!("* {count} EXISTS\r\n").as_bytes()).await?;
        }
        loop {
            tokio::select! {
                Ok(count) = arrivals.recv() => {
                    self.told = count;
                    self.out.write_all(format!("* {count} EXISTS\r\n").as_bytes()).await?;
                }
                line = self.lines.next_line() => {
                    let Some(line) = line? else { return Ok(()) };
                    self.world.commands.lock().expect("the commands").push(line);
                    return self.out.write_all(format!("{tag} OK idled\r\n").as_bytes()).await;
                }
            }
        }
    }

    fn obey(&mut self, command: &str, tag: &str) -> Vec<u8> {
        let mut script = self.world.script();
        if let Some((_, answer)) = script.always.iter().find(|(start, _)| command.starts_with(start)) {
            return tagged(answer, tag);
        }
        let words: Vec<&str> = command.split(' ').collect();
        // As QQ has it.
        if words.get(2).is_some_and(|set| words[0] == "UID" && set.contains(',')) {
            return tagged(b"{tag} BAD UID parameters!\r\n", tag);
        }
        let mut out = Vec::new();
        let mut say = |text: String| out.extend(text.into_bytes());
        let mut verdict = "OK done".to_owned();
        match words[..] {
            ["CAPABILITY"] => say(format!("* CAPABILITY {}\r\n", script.capabilities[usize::from(self.logged_in)])),
            ["LOGIN", ..] => self.logged_in = true,
            ["ID", ..] => {
                self.named |= self.logged_in;
                say("* ID (\"name\" \"fake\")\r\n".to_owned());
            }
            ["SELECT" | "EXAMINE", _] if script.demands_id && !self.named => {
                verdict = "NO SELECT Unsafe Login. Please contact the help desk".to_owned();
            }
            ["SELECT" | "EXAMINE", "\"INBOX\""] => {
                self.told = script.mails.len();
                say(selected(&script));
            }
            ["NOOP"] if script.noop_tells && self.told != script.mails.len() => {
                self.told = script.mails.len();
                say(format!("* {} EXISTS\r\n", self.told));
            }
            ["SELECT" | "EXAMINE", _] => verdict = "NO no such folder".to_owned(),
            ["LIST", _, "\"INBOX\""] => say("* LIST () \"/\" INBOX\r\n".to_owned()),
            ["FETCH", set, ..] => {
                let (first, last) = set.split_once(':').unwrap_or((set, set));
                let numbers = first.parse().expect("a number")..=last.parse().expect("a number");
                for (at, mail) in script.mails.iter().enumerate().filter(|(at, _)| numbers.contains(&(at + 1))) {
                    out.extend(row(at + 1, mail, command));
                }
            }
            ["STATUS", folder, ..] if script.folders.iter().any(|f| f == folder) => {
                say(format!("* STATUS {folder} (MESSAGES 12)\r\n"));
            }
            ["STATUS", ..] => verdict = "NO no such folder".to_owned(),
            ["UID", "FETCH", set, ..] => {
                let asked = range(set, &script.mails);
                for (at, mail) in script.mails.iter().enumerate().filter(|(_, m)| asked.contains(&m.uid)) {
                    out.extend(row(at + 1, mail, command));
                }
            }
            ["UID", "STORE", set, .., "(\\Deleted)"] => {
                let named = range(set, &script.mails);
                script.mails.iter_mut().filter(|m| named.contains(&m.uid)).for_each(|m| m.deleted = true);
            }
            ["UID", "COPY" | "MOVE", _, folder] if !script.folders.iter().any(|f| f == folder) => {
                verdict = "NO [TRYCREATE] no such folder".to_owned();
            }
            ["UID", verb @ ("MOVE" | "EXPUNGE"), set, ..] => {
                let (named, before) = (range(set, &script.mails), script.mails.len());
                script.mails.retain(|m| !(named.contains(&m.uid) && (verb == "MOVE" || m.deleted)));
                for _ in script.mails.len()..before {
                    self.told -= 1;
                    say("* 1 EXPUNGE\r\n".to_owned());
                }
            }
            ["CREATE", folder] => script.folders.push(folder.to_owned()),
            _ => {}
        }
        out.extend(format!("{tag} {verdict}\r\n").into_bytes());
        out
    }
}

/// Puts the tag into an answer that need not be text.
fn tagged(answer: &[u8], tag: &str) -> Vec<u8> {
    match answer.windows(5).position(|five| five == b"{tag}") {
        Some(at) => [&answer[..at], tag.as_bytes(), &answer[at + 5..]].concat(),
        None => answer.to_vec(),
    }
}

fn selected(script: &Script) -> String {
    let next = script.mails.iter().map(|m| m.uid).max().unwrap_or(0) + 1;
    let uidnext = if script.tells_uidnext { format!("* OK [UIDNEXT {next}] next\r\n") } else { String::new() };
    format!(
        "* {} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {}] valid\r\n* OK [PERMANENTFLAGS {}] kept\r\n{uidnext}",
        script.mails.len(),
        script.uidvalidity,
        script.permanent_flags
    )
}

/// The UIDs of a set (one range, or one number); `n:*` always holds the last (RFC 3501 §6.4.8).
fn range(set: &str, mails: &[FakeMail]) -> RangeInclusive<u32> {
    let last = mails.iter().map(|m| m.uid).max().unwrap_or(0);
    let number = |text: &str| if text == "*" { last } else { text.parse().expect("a UID") };
    let (from, to) = set.split_once(':').unwrap_or((set, set));
    number(from).min(number(to))..=number(from).max(number(to))
}

fn row(number: usize, mail: &FakeMail, command: &str) -> Vec<u8> {
    let flags = if mail.deleted { "\\Deleted" } else { "" };
    let mut out = format!("* {number} FETCH (UID {} FLAGS ({flags})", mail.uid).into_bytes();
    if command.contains("RFC822.SIZE") {
        let size = mail.raw.len();
        out.extend(format!(" INTERNALDATE \" 3-Nov-2026 09:05:00 +0800\" RFC822.SIZE {size}").into_bytes());
    }
    if let Some((_, section)) = command.split_once("BODY.PEEK") {
        let section = section.trim_end_matches(')');
        let whole = if section.starts_with("[HEADER]") {
            let end = mail.raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a header") + 4;
            &mail.raw[..end]
        } else {
            &mail.raw[..]
        };
        let part = match section.split_once('<').and_then(|(_, part)| part.trim_end_matches('>').split_once('.')) {
            Some((from, count)) => {
                let from = from.parse::<usize>().expect("an offset").min(whole.len());
                &whole[from..(from + count.parse::<usize>().expect("a count")).min(whole.len())]
            }
            None => whole,
        };
        let name = section.split('<').next().unwrap_or_default();
        out.extend(format!(" BODY{name} {{{}}}\r\n", part.len()).into_bytes());
        out.extend(part);
    }
    out.extend(b")\r\n");
    out
}
