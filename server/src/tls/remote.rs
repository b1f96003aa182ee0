//! TLS to the servers of others, such as Redis and task-service: always with a server that is
//! verified by its name. The files are read again for each connection, so renewed ones need no
//! restart.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use shared::config::{Reader, Setting, Vars};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{self, ClientConfig, RootCertStore, pki_types::ServerName},
};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::certificate::{FileFault, FileKind, authorities, key_fault, pair, provider};
use crate::db::Unreachable;

/// The time limit of each step of a check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The time for which a check waits for a refusal before it sends its greeting.
const REFUSAL_TIME: Duration = Duration::from_millis(100);

/// The types of TLS records (RFC 8446, section 5.1): no text begins with one.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=24;

const NO_TLS: &str = "the server speaks no TLS at this port";

/// The settings of TLS to one server, which has a scheme that asks for TLS.
pub struct RemoteSettings {
    /// The authorities of the server; by default the system's.
    pub authorities: Setting<Option<PathBuf>>,
    /// The client certificate of this process.
    pub chain: Setting<Option<PathBuf>>,
    /// Its private key.
    pub key: Setting<Option<PathBuf>>,
    /// What a file without TLS is told: "needs `rediss://` in ATTEMPT_STORE".
    pub needs: &'static str,
}

/// TLS to a server. Holds a private key, so its `Debug` shows the server alone.
#[derive(Clone)]
pub struct RemoteTls(Arc<Inner>);

struct Inner {
    host: String,
    port: u16,
    name: ServerName<'static>,
    files: Files,
    protocols: Vec<Vec<u8>>,
    last: RwLock<Arc<ClientConfig>>,
}

struct Files {
    authorities: Option<PathBuf>,
    pair: Option<[PathBuf; 2]>,
    /// The system's authorities, where no file has others.
    system: Arc<RootCertStore>,
}

impl std::fmt::Debug for RemoteTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RemoteTls").field(&self.0.host).field(&self.0.port).finish()
    }
}

impl RemoteTls {
    /// Reads the files for a `server`, host and port, that speaks `protocol` by ALPN; without a
    /// server to speak TLS to, a file that is set is a fault. Every file that is missing, damaged,
    /// expired or does not fit the others is one as well.
    pub fn read(
        reader: &mut Reader<'_, impl Vars>,
        settings: &RemoteSettings,
        server: Option<(&str, u16)>,
        protocol: Option<&[u8]>,
    ) -> Option<Self> {
        let rows = [&settings.authorities, &settings.chain, &settings.key];
        let [authorities, chain, key] = rows.map(|row| reader.get(row));
        let Some((host, port)) = server else {
            for row in rows.into_iter().filter(|row| reader.is_set(row)).collect::<Vec<_>>() {
                reader.fault(row, settings.needs);
            }
            return None;
        };
        let pair = match (chain, key) {
            (Some(chain), Some(key)) => Some([chain, key]),
            (None, None) => None,
            (chain, _) => {
                let [missing, set] = if chain.is_some() { [2, 1] } else { [1, 2] };
                reader.fault(rows[missing], format!("is missing: {} is set", rows[set].name));
                return None;
            }
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let Ok(name) = ServerName::try_from(host.clone()) else {
            reader.fault(rows[0], "is for a host whose name no certificate has");
            return None;
        };
        let system =
            if authorities.is_none() { system_authorities() } else { RootCertStore::empty() };
        if authorities.is_none() && system.is_empty() {
            reader.fault(
                rows[0],
                "is not set, and this system has no authorities: install ca-certificates, or name \
                 a file",
            );
            return None;
        }
        let files = Files { authorities, pair, system: Arc::new(system) };
        let protocols: Vec<_> = protocol.map(<[u8]>::to_vec).into_iter().collect();
        match files.load(&protocols) {
            Ok(config) => {
                let last = RwLock::new(Arc::new(config));
                Some(Self(Arc::new(Inner { host, port, name, files, protocols, last })))
            }
            Err(faults) => {
                for FileFault { file, message } in faults {
                    let row = match file {
                        FileKind::Authorities => rows[0],
                        FileKind::Chain => rows[1],
                        FileKind::Key => rows[2],
                    };
                    reader.fault(row, message);
                }
                None
            }
        }
    }

    /// Connects. The caller limits the time.
    pub async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = self.reach().await?;
        self.connector().connect(self.0.name.clone(), stream).await.map_err(explained)
    }

    /// A channel for gRPC that connects at its first call, with the settings of `endpoint`.
    #[must_use]
    pub fn channel(&self, endpoint: &Endpoint) -> Channel {
        let tls = self.clone();
        endpoint.connect_with_connector_lazy(service_fn(move |_| {
            let tls = tls.clone();
            async move { tls.connect().await.map(TokioIo::new) }
        }))
    }

    /// Connects once, and waits for an answer to `greeting`, which holds no secret: a server that
    /// demands a certificate says so only then (TLS 1.3). A server that does not answer may do so
    /// later; one that is not what was asked for will not.
    pub async fn check(&self, greeting: &[u8]) -> Result<(), Unreachable> {
        let mut error = match timeout(CHECK_TIMEOUT, self.greet(greeting)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_elapsed) => io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
        };
        // Redis without TLS waits for the rest of what to it is a line.
        if error.kind() != io::ErrorKind::InvalidData && self.answers_in_clear(greeting).await {
            error = io::Error::new(io::ErrorKind::InvalidData, NO_TLS);
        }
        Err(Unreachable {
            location: format!("{}:{}", self.0.host, self.0.port),
            is_transient: error.kind() != io::ErrorKind::InvalidData,
            why: error.to_string(),
        })
    }

    async fn greet(&self, greeting: &[u8]) -> io::Result<()> {
        let mut stream = self.connect().await?;
        // The refusal of a certificate would be lost behind a greeting that the server does not read.
        if let Ok(first) = timeout(REFUSAL_TIME, stream.read_u8()).await {
            return first.map(drop).map_err(explained);
        }
        stream.write_all(greeting).await.map_err(explained)?;
        stream.flush().await.map_err(explained)?;
        stream.read_u8().await.map(drop).map_err(explained)
    }

    async fn answers_in_clear(&self, greeting: &[u8]) -> bool {
        let first = async {
            let mut stream = self.reach().await?;
            stream.write_all(greeting).await?;
            stream.read_u8().await
        };
        let first = timeout(CHECK_TIMEOUT, first).await;
        matches!(first, Ok(Ok(first)) if !RECORD_TYPES.contains(&first))
    }

    async fn reach(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.0.host.as_str(), self.0.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The files as they are now; while they cannot be used, as they were before.
    fn connector(&self) -> TlsConnector {
        match self.0.files.load(&self.0.protocols) {
            Ok(config) => {
                let config = Arc::new(config);
                *self.0.last.write().unwrap_or_else(PoisonError::into_inner) = config.clone();
                TlsConnector::from(config)
            }
            Err(faults) => {
                for FileFault { file, message } in faults {
                    let server = &self.0.host;
                    tracing::error!(server, ?file, fault = message, "the files in use are kept");
                }
                let last = self.0.last.read().unwrap_or_else(PoisonError::into_inner);
                TlsConnector::from(last.clone())
            }
        }
    }
}

impl Files {
    fn load(&self, protocols: &[Vec<u8>]) -> Result<ClientConfig, Vec<FileFault>> {
        let mut faults = Vec::new();
        let roots = match &self.authorities {
            Some(file) => authorities(file).map(Arc::new),
            None => Ok(self.system.clone()),
        };
        let roots = roots.map_err(|fault| faults.push(fault)).ok();
        let own = self.pair.as_ref().and_then(|[chain, key]| pair(chain, key, &mut faults));
        let (Some(roots), true) = (roots, faults.is_empty()) else { return Err(faults) };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| vec![key_fault(&error)])?
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| vec![key_fault(&error)])?,
        };
        config.alpn_protocols = protocols.to_vec();
        Ok(config)
    }
}

/// The authorities of the operating system, or of `SSL_CERT_FILE`.
fn system_authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The cause of a failed handshake in words.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let text = match cause {
        Some(rustls::Error::InvalidMessage(_)) => NO_TLS.to_owned(),
        Some(cause) => format!("TLS: {cause}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server ended the TLS handshake".to_owned()
        }
        None => return error,
    };
    io::Error::new(error.kind(), text)
}
