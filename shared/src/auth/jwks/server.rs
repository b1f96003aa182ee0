//! The server that publishes the keys: one bounded request over HTTP/1.1.

use std::{io, sync::Arc, time::Duration};

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use super::document::{DocumentFault, PublicKeys};
use crate::address::{Address, is_local};

/// The time limit of the exchange, name resolution included.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest response.
const MAX_BYTES: usize = 64 * 1024;

/// The largest response head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A key server's address.
pub(super) struct KeyServer {
    host: String,
    port: u16,
    /// The `host` header.
    authority: String,
    path: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// The failure of a fetch, without quoting the server.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    #[error("it takes longer than {} s", TIMEOUT.as_secs())]
    Slow,
    #[error("no connection: {0}")]
    Connection(#[from] io::Error),
    #[error("it does not speak HTTP, or ended early")]
    Http(#[from] hyper::Error),
    #[error("its address makes no request")]
    Request(#[from] http::Error),
    #[error("it answers {0}; redirects are not followed")]
    Status(StatusCode),
    #[error("its answer is cut off, or longer than {} KiB", MAX_BYTES / 1024)]
    Body,
    #[error("its document is refused: {0}")]
    Document(#[from] DocumentFault),
}

impl KeyServer {
    /// Parses an http or https address. Certificates are checked against the system's roots.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let must = "must be an address such as `https://app.example.com/api/auth/jwks`";
        let address = Address::parse(text, &["http", "https"]).and_then(Address::without_fragment);
        let address = address.map_err(|fault| format!("{must}: {fault}"))?;
        let host = address.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_secure = address.scheme == "https";
        let tls = if is_secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| must)?;
            Some((connector(system_roots()?)?, name))
        } else {
            None
        };
        let path = if address.path.is_empty() { "/" } else { address.path };
        Ok(Self {
            port: address.port.unwrap_or(if is_secure { 443 } else { 80 }),
            authority: match address.port {
                Some(port) => format!("{}:{port}", address.host),
                None => address.host,
            },
            path: match address.query {
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            },
            host,
            tls,
        })
    }

    /// Another server on `localhost`, whose certificate one of `roots` vouches for.
    #[cfg(test)]
    pub(super) fn with_roots(port: u16, roots: RootCertStore) -> Result<Self, String> {
        let plain = Self::parse(&format!("http://localhost:{port}/jwks"))?;
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        Ok(Self { tls: Some((connector(roots)?, name)), ..plain })
    }

    /// Whether the keys travel in clear over a network.
    pub(super) fn is_plaintext(&self) -> bool {
        self.tls.is_none() && !is_local(&self.host)
    }

    /// The server's name, without path and query.
    pub(super) fn name(&self) -> &str {
        &self.authority
    }

    /// Fetches the current keys.
    pub(super) async fn fetch(&self) -> Result<PublicKeys, FetchFault> {
        let exchange = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            let Some((tls, name)) = &self.tls else { return self.request_keys(stream).await };
            self.request_keys(tls.connect(name.clone(), stream).await?).await
        };
        let text = timeout(TIMEOUT, exchange).await.map_err(|_| FetchFault::Slow)??;
        Ok(PublicKeys::parse(&text)?)
    }

    async fn request_keys(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Bytes, FetchFault> {
        let mut http = http1::Builder::new();
        http.max_buf_size(MAX_HEAD_BYTES);
        let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await?;
        let mut driving = JoinSet::new(); // ends with this question
        driving.spawn(connection);
        let request = Request::get(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::ACCEPT, "application/json")
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())?;
        let answer: Response<Incoming> = sender.send_request(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchFault::Status(answer.status()));
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        Ok(body.map_err(|_| FetchFault::Body)?.to_bytes())
    }
}

fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let (usable, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        return Err("is https, and this system has no certificates to check it with: install \
                    ca-certificates, or name a file in SSL_CERT_FILE"
            .to_owned());
    }
    Ok(roots)
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| "is https, which this build cannot speak".to_owned())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
