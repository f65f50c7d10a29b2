//! For tests: an SMTP server that answers each line as it is told to, and keeps what it heard.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::config::{Login, Provider, Secret, Server, Smtp, SmtpKind, Tls};

pub enum Answer {
    Say(&'static [u8]),
    /// Keeps the connection open and says nothing more.
    Silence,
    HangUp,
}

pub struct Scripted {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

/// What a friendly server says. Lines are as sent; `CONNECT` stands for a new connection, `BODY` for the end of a mail.
pub fn friendly(line: &str) -> Answer {
    Answer::Say(match line.split([' ', ':']).next().unwrap_or("") {
        "CONNECT" => b"220 mail.test ESMTP\r\n",
        "EHLO" => b"250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
        "AUTH" => b"235 ok\r\n",
        "DATA" => b"354 go on\r\n",
        "QUIT" => b"221 bye\r\n",
        _ => b"250 ok\r\n",
    })
}

impl Scripted {
    pub async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (heard.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move { converse(stream, &log, &*answer).await });
            }
        });
        Self { port, heard }
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// How often a line that begins so was heard.
    pub fn count(&self, start: &str) -> usize {
        self.heard().iter().filter(|line| line.starts_with(start)).count()
    }

    /// Settings that lead here. An empty user does not log in.
    pub fn settings(&self, user: &str, password: Secret) -> Smtp {
        let server = Server {
            provider: Provider::Generic,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: Tls::None,
            user: user.into(),
            login: Login::Password(password),
            ca_file: None,
        };
        Smtp {
            kind: SmtpKind::Server(server),
            from: "台账系统 <robot@office.test>".into(),
            address: "robot@office.test".into(),
            per_minute: 20,
            per_day: None,
            answers_per_day: 10,
            answers_per_thread: 8,
            answers_in_vain: 10,
            answer_within_days: 62,
            timeout: 1,
        }
    }
}

async fn converse(stream: TcpStream, log: &Mutex<Vec<String>>, answer: &(impl Fn(&str) -> Answer + Sync)) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut body) = ("CONNECT".to_owned(), None::<String>);
    loop {
        if body.is_none() {
            log.lock().unwrap().push(line.clone());
            match answer(&line) {
                Answer::Say(words) => {
                    if stream.write_all(words).await.is_err() {
                        return;
                    }
                    if line == "DATA" && words.starts_with(b"354") {
                        body = Some(String::new());
                    }
                }
                Answer::Silence => std::future::pending().await,
                Answer::HangUp => return,
            }
        }
        line.clear();
        match stream.read_line(&mut line).await {
            Ok(n) if n > 0 => {}
            _ => return,
        }
        if let Some(text) = &mut body {
            if line == ".\r\n" {
                line = format!("BODY:{text}");
                body = None;
            } else {
                text.push_str(&line);
            }
        } else {
            line.truncate(line.trim_end().len());
        }
    }
}
