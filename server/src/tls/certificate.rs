//! The files of TLS: a certificate chain, its private key, and the authorities of clients.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use shared::clock::{Clock, SystemClock};
use tokio_rustls::rustls::{
    CertificateError, Error, RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{self, PemObject},
    },
    server::WebPkiClientVerifier,
};
use webpki::EndEntityCert;

/// The protocols by ALPN, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files that a server's TLS is made from.
pub(super) struct Files {
    pub chain: PathBuf,
    pub key: PathBuf,
    pub clients: Option<ClientCertificates>,
}

/// The client certificates that are accepted.
pub(super) struct ClientCertificates {
    /// Their authorities.
    pub file: PathBuf,
    /// Whether a client without one is refused.
    pub is_required: bool,
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Chain,
    Key,
    Authorities,
}

/// A file that cannot be used. The message holds nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileFault {
    pub file: FileKind,
    pub message: String,
}

/// The names and the validity of a certificate.
#[derive(Debug)]
pub struct Validity {
    /// The DNS names.
    pub names: Vec<String>,
    /// Why clients refuse the certificate now, if they do.
    pub refusal: Option<&'static str>,
}

impl Files {
    /// The configuration of a server with these files, or every fault.
    pub fn load(&self) -> Result<ServerConfig, Vec<FileFault>> {
        let mut faults = Vec::new();
        let pair = pair(&self.chain, &self.key, &mut faults);
        let authorities = self.clients.as_ref().map(|clients| authorities(&clients.file));
        let authorities = authorities.and_then(|one| one.map_err(|fault| faults.push(fault)).ok());
        let (Some((chain, key)), true) = (pair, faults.is_empty()) else { return Err(faults) };
        self.configure(chain, key, authorities).map_err(|fault| vec![fault])
    }

    /// The chain and its key.
    pub fn own(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let chain = certificates(&self.chain, FileKind::Chain);
        chain.and_then(|chain| Ok((chain, private_key(&self.key)?))).map_err(|fault| fault.message)
    }

    fn configure(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authorities: Option<RootCertStore>,
    ) -> Result<ServerConfig, FileFault> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| FileFault { file: FileKind::Chain, message: error.to_string() })?;
        let builder = match (authorities, &self.clients) {
            (Some(roots), Some(clients)) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
                let verifier =
                    if clients.is_required { verifier } else { verifier.allow_unauthenticated() };
                let verifier = verifier.build().map_err(|error| FileFault {
                    file: FileKind::Authorities,
                    message: error.to_string(),
                })?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| key_fault(&error))?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }

    /// The validity of the certificate as of now.
    pub fn validity(&self) -> Result<Validity, String> {
        let chain = certificates(&self.chain, FileKind::Chain).map_err(|fault| fault.message)?;
        let names = EndEntityCert::try_from(&chain[0])
            .map(|own| own.valid_dns_names().map(str::to_owned).collect())
            .map_err(|error| format!("is no certificate of a server: {error}"))?;
        Ok(Validity { names, refusal: refusal_of(&chain) })
    }
}

/// The name of a client certificate: its first DNS name, else the SHA-256 of the certificate, in
/// hexadecimal digits.
#[must_use]
pub fn name_of(certificate: &CertificateDer<'_>) -> String {
    let name = EndEntityCert::try_from(certificate).ok();
    let name = name.and_then(|own| own.valid_dns_names().next().map(str::to_owned));
    name.unwrap_or_else(|| {
        use std::fmt::Write;
        Sha256::digest(certificate).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    })
}

/// The cryptography of all TLS.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates in a file: at least one.
fn certificates(path: &Path, file: FileKind) -> Result<Vec<CertificateDer<'static>>, FileFault> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = read.map_err(|error| unreadable(file, &error, "certificate"))?;
    if all.is_empty() {
        return Err(unreadable(file, &pem::Error::NoItemsFound, "certificate"));
    }
    Ok(all)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, FileFault> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| unreadable(FileKind::Key, &error, "private key"))
}

/// A certificate chain that is valid now, and a private key; what is wrong with them is added to
/// `faults`.
pub(super) fn pair(
    chain: &Path,
    key: &Path,
    faults: &mut Vec<FileFault>,
) -> Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let file = FileKind::Chain;
    let chain = certificates(chain, file).and_then(|chain| match refusal_of(&chain) {
        Some(refusal) => Err(FileFault { file, message: refusal.to_owned() }),
        None => Ok(chain),
    });
    let chain = chain.map_err(|fault| faults.push(fault)).ok();
    let key = private_key(key).map_err(|fault| faults.push(fault)).ok();
    chain.zip(key)
}

/// The fault of a key that cannot be used with its certificate.
pub(super) fn key_fault(error: &Error) -> FileFault {
    let message = match error {
        Error::InconsistentKeys(_) => "is not the key of the certificate".to_owned(),
        error => format!("cannot be used: {error}"),
    };
    FileFault { file: FileKind::Key, message }
}

/// The authorities in a file that are valid now: at least one. The verifier would not look at the
/// dates of what it trusts.
pub(super) fn authorities(path: &Path) -> Result<RootCertStore, FileFault> {
    let file = FileKind::Authorities;
    let mut roots = RootCertStore::empty();
    let mut refusal = None;
    for certificate in certificates(path, file)? {
        refusal = refusal_of(std::slice::from_ref(&certificate));
        if refusal.is_some() {
            continue;
        }
        roots.add(certificate).map_err(|error| {
            let message = format!("has a certificate that cannot be used: {error}");
            FileFault { file, message }
        })?;
    }
    match refusal {
        Some(refusal) if roots.is_empty() => Err(FileFault {
            file,
            message: format!("has no authority that is valid: it {refusal}"),
        }),
        _ => Ok(roots),
    }
}

/// Why clients refuse the chain now, whomever they trust: its own certificate is not valid at this
/// time, or damaged.
fn refusal_of(chain: &[CertificateDer<'static>]) -> Option<&'static str> {
    const DAMAGED: &str = "is no certificate of a server";
    let (own, issuers) = chain.split_first()?;
    let mut roots = RootCertStore::empty();
    if roots.add(issuers.last().unwrap_or(own).clone()).is_err() {
        return Some(DAMAGED);
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let any = ServerName::try_from("localhost").ok()?;
    // Names and issuers are the clients' to judge. The time is checked first.
    let now = UnixTime::since_unix_epoch(Duration::from_secs(
        SystemClock.now().timestamp().cast_unsigned(),
    ));
    match verifier.ok()?.verify_server_cert(own, issuers, &any, &[], now) {
        Err(Error::InvalidCertificate(error)) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Some("has expired")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Some("is not valid yet")
            }
            CertificateError::BadEncoding => Some(DAMAGED),
            _ => None,
        },
        _ => None,
    }
}

fn unreadable(file: FileKind, error: &pem::Error, what: &str) -> FileFault {
    let message = match error {
        pem::Error::NoItemsFound => format!("has no {what} in PEM"),
        pem::Error::Io(error) => format!("cannot be read: {error}"),
        _ => format!("has a {what} that is damaged"),
    };
    FileFault { file, message }
}
