//! A wire cutter: stands between the program and its servers and, at a set turn of the conversations, lets nothing
//! through any more.
//!
//! A turn is everything that one side says before the other speaks, over all connections together. It is cut before its
//! first byte, or in the middle of its first piece.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Before(u32),
    Within(u32),
    Never,
}

/// One for all wires of a test.
pub struct Cutter {
    cut: Cut,
    turns: Mutex<u32>,
    done: AtomicBool,
    /// The turn that was cut was a server's answer to a whole mail.
    at_acceptance: AtomicBool,
}

impl Cutter {
    pub fn new(cut: Cut) -> Arc<Self> {
        let (done, at_acceptance) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { cut, turns: Mutex::new(0), done, at_acceptance })
    }

    /// Wires a server of this machine through. Returns the port to use instead.
    pub async fn wire(self: &Arc<Self>, server: u16) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cutter = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(onward) = TcpStream::connect(("127.0.0.1", server)).await else { return };
                client.set_nodelay(true).and_then(|()| onward.set_nodelay(true)).expect("options");
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = onward.into_split();
                let talk = Arc::new(Mutex::new(Talk::default()));
                tokio::spawn(forward(cutter.clone(), talk.clone(), Side::Client, (from_client, to_server)));
                tokio::spawn(forward(cutter.clone(), talk, Side::Server, (from_server, to_client)));
            }
        });
        port
    }

    pub fn is_cut(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    /// Cut where a server had accepted a mail that the client does not know of: the one place where a mail can be sent
    /// twice (RFC 5321 §6.1), under the same Message-ID.
    pub fn is_cut_at_acceptance(&self) -> bool {
        self.at_acceptance.load(Ordering::SeqCst)
    }

    pub fn turns(&self) -> u32 {
        *self.turns.lock().expect("the turns")
    }

    /// How much of this piece may pass; `None` once the wires are cut.
    fn pass(&self, talk: &Mutex<Talk>, side: Side, piece: &[u8]) -> Option<usize> {
        let mut turns = self.turns.lock().expect("the turns");
        let mut talk = talk.lock().expect("the talk");
        let mut cut = Cut::Never;
        if talk.speaker != Some(side) {
            talk.speaker = Some(side);
            *turns += 1;
            cut = self.cut;
        }
        let whole_mail = talk.whole_mail;
        talk.whole_mail = if side == Side::Client { piece.ends_with(b"\r\n.\r\n") } else { whole_mail };
        if self.is_cut() {
            return None;
        }
        let length = match cut {
            Cut::Before(n) if n == *turns => 0,
            Cut::Within(n) if n == *turns => piece.len() / 2,
            _ => return Some(piece.len()),
        };
        self.at_acceptance.store(side == Side::Server && whole_mail, Ordering::SeqCst);
        self.done.store(true, Ordering::SeqCst);
        Some(length)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// One connection.
#[derive(Default)]
struct Talk {
    speaker: Option<Side>,
    /// The client's last piece ended a mail (`.` on a line of its own).
    whole_mail: bool,
}

async fn forward(
    cutter: Arc<Cutter>,
    talk: Arc<Mutex<Talk>>,
    side: Side,
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut piece).await {
        let Some(length) = cutter.pass(&talk, side, &piece[..n]) else { return };
        if to.write_all(&piece[..length]).await.is_err() || cutter.is_cut() {
            return;
        }
    }
}
