//! An SMTP server that refuses what it is told to, and keeps what it heard and the mails it took or refused.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to the next line that begins so, and how often: lines as sent, `CONNECT` for a new connection, `.`
/// for the end of a mail.
pub type Rule = (&'static str, &'static [u8], usize);

pub struct FakeSmtp {
    pub port: u16,
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
struct World {
    rules: Vec<Rule>,
    empty: &'static [u8],
    heard: Vec<String>,
    mails: Vec<String>,
}

impl FakeSmtp {
    pub async fn start(rules: &[Rule]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let world = Arc::new(Mutex::new(World { rules: rules.to_vec(), ..World::default() }));
        let shared = world.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp, shared.clone()));
            }
        });
        Self { port, world }
    }

    pub fn obey(&self, rules: &[Rule]) {
        self.world.lock().expect("the world").rules = rules.to_vec();
    }

    /// What an empty line is answered with, which ends an exchange that has failed (XOAUTH2).
    pub fn refuse_empty_line(&self, answer: &'static [u8]) {
        self.world.lock().expect("the world").empty = answer;
    }

    /// How often a line that begins so was heard.
    pub fn count(&self, start: &str) -> usize {
        self.world.lock().expect("the world").heard.iter().filter(|line| line.starts_with(start)).count()
    }

    pub fn heard(&self) -> Vec<String> {
        self.world.lock().expect("the world").heard.clone()
    }

    /// Every mail that was sent to the end, taken or not.
    pub fn mails(&self) -> Vec<String> {
        self.world.lock().expect("the world").mails.clone()
    }
}

impl World {
    fn answer(&mut self, line: &str) -> Vec<u8> {
        self.heard.push(line.to_owned());
        if let Some(rule) = self.rules.iter_mut().find(|(start, _, left)| line.starts_with(start) && *left > 0) {
            rule.2 -= 1;
            return rule.1.to_vec();
        }
        if line.is_empty() && !self.empty.is_empty() {
            return self.empty.to_vec();
        }
        match line.split([' ', ':']).next().unwrap_or_default() {
            "CONNECT" => b"220 mail.test ESMTP\r\n".to_vec(),
            "EHLO" => b"250-mail.test\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n".to_vec(),
            "AUTH" => b"235 ok\r\n".to_vec(),
            "DATA" => b"354 go on\r\n".to_vec(),
            "QUIT" => b"221 bye\r\n".to_vec(),
            _ => b"250 ok\r\n".to_vec(),
        }
    }
}

async fn serve(tcp: TcpStream, world: Arc<Mutex<World>>) -> std::io::Result<()> {
    let mut tcp = BufReader::new(tcp);
    let mut line = "CONNECT".to_owned();
    loop {
        let answer = world.lock().expect("the world").answer(&line);
        tcp.write_all(&answer).await?;
        if line == "DATA" && answer.starts_with(b"354") {
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                if tcp.read_line(&mut mail).await? == 0 {
                    return Ok(());
                }
            }
            world.lock().expect("the world").mails.push(mail);
            line = ".".to_owned();
            continue;
        }
        line.clear();
        if tcp.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        line.truncate(line.trim_end().len());
    }
}
