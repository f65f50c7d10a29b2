//! From a server's name to an open connection, for IMAP and SMTP alike: every address is tried, every step is bounded,
//! and what went wrong is told apart (name, port, silence).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::cause::Cause;
use super::failure::{Fault, Kind};
use super::tls;
use crate::config::{Server, Tls};

/// Plain or encrypted.
pub type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Connects. Without TLS only to this machine, wherever its name leads.
pub async fn connect(server: &Server, limit: Duration) -> Result<TcpStream, Fault> {
    within(limit, "connecting", dial(server, limit)).await
}

pub async fn encrypt(tcp: TcpStream, server: &Server, limit: Duration) -> Result<Stream, Fault> {
    let handshake = tls::handshake(tcp, &server.host, server.ca_file.as_deref());
    within(limit, "TLS", handshake).await.map(Either::Right)
}

pub fn peer(stream: &Stream) -> io::Result<SocketAddr> {
    match stream {
        Either::Left(tcp) => tcp.peer_addr(),
        Either::Right(tls) => tls.get_ref().0.peer_addr(),
    }
}

/// Tries every address of the host, each with its share of the time: a dead IPv6 route must not eat all of it.
async fn dial(server: &Server, limit: Duration) -> Result<TcpStream, Fault> {
    let unknown = |e: &dyn std::fmt::Display| {
        Fault::new(Kind::Network, format!("the host is not found: {e}")).because(Cause::NoHost)
    };
    let found = tokio::net::lookup_host((server.host.as_str(), server.port)).await.map_err(|e| unknown(&e))?;
    let addresses: Vec<SocketAddr> = found.collect();
    if server.tls == Tls::None && !addresses.iter().all(|address| address.ip().is_loopback()) {
        return Err(Fault::new(Kind::Setup, "tls = \"none\" is for this machine only"));
    }
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = unknown(&"it has no address");
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                // Commands are small and answers awaited. Without this option it is only slower.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(e)) => {
                let cause = match e.kind() {
                    io::ErrorKind::ConnectionRefused => Cause::Closed,
                    io::ErrorKind::TimedOut => Cause::NoAnswer,
                    _ => Cause::Broken,
                };
                last = Fault::new(Kind::Network, format!("no connection to {address}: {}", e.kind())).because(cause);
            }
            Err(_) => last = Fault::new(Kind::Timeout, format!("no connection to {address} within {share:?}")),
        }
    }
    Err(last)
}

/// Bounds one step.
pub async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Fault::new(Kind::Timeout, format!("{what}: no answer within {} s", limit.as_secs_f32()))),
    }
}
