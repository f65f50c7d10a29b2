//! TLS to a mail server: rustls with ring, the system's roots and a `ca_file` beside them.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::{Fault, Kind};

/// Shakes hands over an open connection; the certificate must be valid for `host`.
pub async fn handshake(tcp: TcpStream, host: &str, ca_file: Option<&Path>) -> Result<TlsStream<TcpStream>, Fault> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Fault::new(Kind::Setup, format!("{host} is neither a host name nor an address")))?;
    let connector = TlsConnector::from(Arc::new(config(ca_file)?));
    connector.connect(name, tcp).await.map_err(|error| {
        let refused = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
        let kind = if refused { Kind::Tls } else { Kind::Network };
        Fault::new(kind, format!("no TLS: {error}"))
    })
}

fn config(ca_file: Option<&Path>) -> Result<ClientConfig, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let unreadable = |e: &dyn std::fmt::Display| {
            Fault::new(Kind::Setup, format!("ca_file {}: no PEM certificates: {e}", path.display()))
        };
        let own: Vec<CertificateDer<'static>> =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|e| unreadable(&e))?;
        if own.is_empty() {
            return Err(unreadable(&"the file holds none"));
        }
        for certificate in own {
            roots.add(certificate).map_err(|e| unreadable(&e))?;
        }
    }
    if roots.is_empty() {
        return Err(Fault::new(Kind::Tls, "the system has no root certificates (package ca-certificates)"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Fault::new(Kind::Tls, e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
