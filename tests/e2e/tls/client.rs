//! A client with TLS, which trusts one authority and may have a certificate.

use std::{io, net::SocketAddr, sync::Arc};

use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
        version::{TLS12, TLS13},
    },
};
use tonic::transport::{Channel, Endpoint};

use super::certificates::Certificates;

#[derive(Clone)]
pub struct Client {
    roots: Arc<RootCertStore>,
    own: Option<Arc<(CertificateDer<'static>, PrivateKeyDer<'static>)>>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Client {
    /// A client that trusts the authority of this name.
    pub fn trusting(files: &Certificates, authority: &str) -> Self {
        let mut roots = RootCertStore::empty();
        let path = files.path(&format!("{authority}.pem"));
        roots.add(CertificateDer::from_pem_file(path).expect("a certificate")).expect("added");
        Self { roots: Arc::new(roots), own: None, versions: vec![&TLS12, &TLS13] }
    }

    pub fn with_certificate(self, files: &Certificates, name: &str) -> Self {
        let [chain, key] = ["pem", "key"].map(|kind| files.path(&format!("{name}.{kind}")));
        let chain = CertificateDer::from_pem_file(chain).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        Self { own: Some(Arc::new((chain, key))), ..self }
    }

    /// The same with one version of TLS alone.
    pub fn only(&self, version: &'static SupportedProtocolVersion) -> Self {
        Self { versions: vec![version], ..self.clone() }
    }

    pub async fn connect(
        &self,
        address: SocketAddr,
        protocol: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&self.versions)
            .expect("versions")
            .with_root_certificates(self.roots.clone());
        let mut config = match &self.own {
            None => config.with_no_client_auth(),
            Some(own) => {
                let (chain, key) = (vec![own.0.clone()], own.1.clone_key());
                config.with_client_auth_cert(chain, key).expect("a certificate")
            }
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// A channel for gRPC, which connects at its first call.
    pub fn channel(&self, address: SocketAddr) -> Channel {
        let client = self.clone();
        let connector = tower::service_fn(move |_| {
            let client = client.clone();
            async move { client.connect(address, "h2").await.map(TokioIo::new) }
        });
        Endpoint::from_static("http://localhost").connect_with_connector_lazy(connector)
    }
}

/// The whole answer to a GET over HTTP/1.1, on a connection of its own.
pub async fn get(client: &Client, address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = client.connect(address, "http/1.1").await?;
    ask(&mut stream, path, "close").await?;
    read_all(stream).await
}

/// The head of the answer to a GET on an open connection.
pub async fn get_on(stream: &mut TlsStream<TcpStream>, path: &str) -> io::Result<String> {
    ask(stream, path, "keep-alive").await?;
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer).await?;
    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
    if text.contains("200 OK") { Ok(text) } else { Err(io::Error::other(text)) }
}

/// What comes back when a GET is sent without TLS.
pub async fn get_in_clear(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    ask(&mut stream, path, "close").await.expect("sent");
    read_all(stream).await.unwrap_or_default()
}

async fn ask(
    stream: &mut (impl AsyncWrite + Unpin),
    path: &str,
    connection: &str,
) -> io::Result<()> {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: {connection}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await
}

async fn read_all(mut stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
