//! TLS on both ports: the certificate of the server, the certificates of clients (mTLS), and their
//! reload while connections stay open; and TLS to the servers of others.
//!
//! TLS 1.2 and 1.3, with rustls; HTTP/2 and HTTP/1.1 by ALPN (RFC 7301).

mod certificate;
mod client_names;
pub(crate) mod probe;
mod reload;
mod remote;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use shared::config::{Reader, Row, Setting, Vars, either};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use self::certificate::{ClientCertificates, FileFault, FileKind, Files};
pub use self::{
    certificate::{Validity, name_of},
    client_names::ClientNames,
    remote::{RemoteSettings, RemoteTls},
};

shared::settings! {
    /// The settings of TLS.
    pub const SETTINGS: "Server";

    TLS_CERT_FILE: Option<PathBuf> = file("none: both ports are in clear"),
        "certificate chain (PEM) of both ports, the server's own first; read again when it changes";
    TLS_KEY_FILE: Option<PathBuf> = file("none"),
        "private key (PEM) of the certificate";
    pub TLS_CLIENT_CA_FILE: Option<PathBuf> = file("none"),
        "authorities (PEM) of client certificates, which are then demanded (mTLS)";
    TLS_CLIENT_CERT: bool = Setting::new("required", |text| {
        either(text, [("required", true), ("optional", false)])
    }), "whether clients need a certificate of TLS_CLIENT_CA_FILE: `required`, or `optional`";
}

/// A setting that names a file, or none, which means what `default` says.
#[must_use]
pub const fn file(default: &'static str) -> Setting<Option<PathBuf>> {
    Setting::optional(default, |text| Ok(Some(text.into())))
}

/// The TLS of a server. Holds a private key, so its `Debug` shows nothing.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: Files,
    config: RwLock<Arc<ServerConfig>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads `TLS_CERT_FILE`, `TLS_KEY_FILE`, `TLS_CLIENT_CA_FILE` and `TLS_CLIENT_CERT`, and the
    /// files; `None` where both ports are in clear. Every file that is missing, damaged, expired or
    /// does not fit the others is a fault.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        let [chain, key, authorities] =
            [&TLS_CERT_FILE, &TLS_KEY_FILE, &TLS_CLIENT_CA_FILE].map(|file| reader.get(file));
        let is_required = reader.get(&TLS_CLIENT_CERT);
        let (chain, key) = match (chain, key) {
            (Some(chain), Some(key)) => (chain, key),
            (None, None) => {
                if authorities.is_some() {
                    reader.fault(&TLS_CLIENT_CA_FILE, "needs TLS_CERT_FILE and TLS_KEY_FILE");
                }
                return None;
            }
            (None, Some(_)) => {
                reader.fault(&TLS_CERT_FILE, "is missing: TLS_KEY_FILE is set");
                return None;
            }
            (Some(_), None) => {
                reader.fault(&TLS_KEY_FILE, "is missing: TLS_CERT_FILE is set");
                return None;
            }
        };
        let clients = authorities.map(|file| ClientCertificates { file, is_required });
        let files = Files { chain, key, clients };
        match files.load() {
            Ok(config) => {
                let config = RwLock::new(Arc::new(config));
                Some(Self(Arc::new(Inner { files, config })))
            }
            Err(faults) => {
                for FileFault { file, message } in faults {
                    reader.fault(&file.row(), message);
                }
                None
            }
        }
    }

    /// The TLS handshake of a connection. The caller limits its time.
    pub fn accept(
        &self,
        stream: TcpStream,
    ) -> impl Future<Output = io::Result<TlsStream<TcpStream>>> + Send + use<> {
        let config = self.0.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(config).accept(stream)
    }

    /// The validity of the certificate file as of now, with its names.
    pub fn validity(&self) -> Result<Validity, String> {
        self.0.files.validity()
    }

    /// Whether client certificates are demanded, and then whether they are required.
    #[must_use]
    pub fn demands_certificates(&self) -> Option<bool> {
        self.0.files.clients.as_ref().map(|clients| clients.is_required)
    }
}

impl FileKind {
    /// The setting with the path of the file.
    fn row(self) -> Row {
        match self {
            Self::Chain => TLS_CERT_FILE.row(),
            Self::Key => TLS_KEY_FILE.row(),
            Self::Authorities => TLS_CLIENT_CA_FILE.row(),
        }
    }
}
