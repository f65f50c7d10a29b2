//! A wire tap: stands between our client and a real server and writes down every line the client sends.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub struct Tap {
    pub port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Tap {
    /// Listens, and forwards every connection to `server` on this machine.
    pub async fn on(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = lines.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server, heard.clone()));
            }
        });
        Self { port, lines }
    }

    /// The commands since the last call, without their tags.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().expect("the lines"))
    }
}

async fn forward(client: TcpStream, server: u16, heard: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let onward = TcpStream::connect(("127.0.0.1", server)).await?;
    client.set_nodelay(true)?;
    onward.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = onward.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut lines = BufReader::new(from_client).lines();
    while let Some(line) = lines.next_line().await? {
        heard.lock().expect("the lines").push(super::fake_imap::untagged(&line));
        to_server.write_all(format!("{line}\r\n").as_bytes()).await?;
    }
    Ok(())
}
