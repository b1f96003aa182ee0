//! Published keys (JWKS, RFC 7517): tokens of an issuer without a shared secret.
//!
//! A token selects one of the loaded keys by id, and nothing else: it cannot bring a key, choose
//! an algorithm, or delay its own verification. Keys are fetched by one background job; an
//! unknown id is refused at once and triggers a refresh, at most once in half a minute.

mod document;
mod key;
mod refresh;
mod server;

#[cfg(test)]
mod tests;

use std::{fs, sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};

use self::{document::PublicKeys, refresh::Refresh, server::KeyServer};
use super::key_source::{JWKS, JWKS_FILE, JWKS_REFRESH, JWKS_URL};
use crate::{
    auth::Refusal,
    config::{Reader, Vars},
};

/// The largest file, as for a server's response.
const MAX_BYTES: usize = 64 * 1024;

/// The source of published keys, with the loaded keys. Clones share them.
#[derive(Clone)]
pub struct PublicKeySource {
    known: watch::Receiver<Option<Arc<PublicKeys>>>,
    /// Notified when a token names an unknown key.
    missed: Arc<Notify>,
    refresh: Option<Arc<Refresh>>,
}

impl PublicKeySource {
    /// Reads `JWKS_URL` with `JWKS_REFRESH`, `JWKS_FILE` or `JWKS`: exactly one source.
    pub(super) fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        let period = reader.get(&JWKS_REFRESH);
        let [url, file, text] = [JWKS_URL.row(), JWKS_FILE.row(), JWKS.row()];
        let given: Vec<_> = [url, file, text].into_iter().filter(|n| reader.is_set(n)).collect();
        match given[..] {
            [only] if only == url => {
                let server = reader.parsed(&url, KeyServer::parse)?;
                Some(Self::from_server(server, period))
            }
            [only] if only == file => {
                reader.parsed(&file, |path| fixed(&read_file(path)?)).map(Self::fixed)
            }
            [_] => reader.parsed(&text, |text| fixed(text.as_bytes())).map(Self::fixed),
            [] => {
                reader.fault(
                    &url,
                    "is missing: set the address of the public keys, such as \
                     `https://app.example.com/api/auth/jwks`, or JWKS_FILE or JWKS",
                );
                None
            }
            [first, ..] => {
                reader.fault(&first, "is not the only one: set JWKS_URL, JWKS_FILE or JWKS");
                None
            }
        }
    }

    /// The keys of a document.
    #[cfg(test)]
    pub(super) fn of(text: &[u8]) -> Result<Self, String> {
        fixed(text).map(Self::fixed)
    }

    fn fixed(keys: PublicKeys) -> Self {
        let (_, known) = watch::channel(Some(Arc::new(keys)));
        Self { known, missed: Arc::default(), refresh: None }
    }

    fn from_server(server: KeyServer, period: Duration) -> Self {
        let (publish, known) = watch::channel(None);
        let missed = Arc::new(Notify::new());
        let refresh = Refresh { server, period, publish, missed: missed.clone() };
        Self { known, missed, refresh: Some(Arc::new(refresh)) }
    }

    /// Verifies that `tag` is the signature of `message` by the key that `kid` names, with that
    /// key's algorithm. Never waits.
    pub(super) fn verify(
        &self,
        alg: &str,
        kid: Option<&str>,
        message: &str,
        tag: &str,
    ) -> Result<(), Refusal> {
        if !["EdDSA", "ES256", "RS256"].contains(&alg) {
            return Err(Refusal::InvalidTokenSignature);
        }
        let keys = self.known.borrow().clone().ok_or(Refusal::KeysUnavailable)?;
        let Some(key) = keys.find(kid) else {
            self.missed.notify_one();
            return Err(Refusal::InvalidTokenSignature);
        };
        key.check(alg, message, tag)
    }

    /// Refreshes keys from a server; never ends. Returns at once for other sources.
    pub(super) async fn run(self) {
        if let Some(refresh) = self.refresh {
            refresh.run().await;
        }
    }

    /// Completes when the first keys are loaded.
    pub(super) async fn loaded(mut self) {
        // An error means that the refresh has ended: then this never completes.
        if self.known.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether keys are loaded.
    pub(super) fn is_loaded(&self) -> bool {
        self.known.borrow().is_some()
    }
}

fn read_file(path: &str) -> Result<Vec<u8>, String> {
    let fault = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    let size = fs::metadata(path).map_err(fault)?.len();
    if size > MAX_BYTES as u64 {
        return Err(format!("is longer than {} KiB", MAX_BYTES / 1024));
    }
    fs::read(path).map_err(fault)
}

fn fixed(text: &[u8]) -> Result<PublicKeys, String> {
    PublicKeys::parse(text).map_err(|fault| format!("does not hold public keys: {fault}"))
}
