//! A set of published keys: the document that a key server answers with.

use serde::Deserialize;
use serde_json::Value;

use super::key::PublicKey;
use crate::json::Object;

/// The most keys a document may hold. Better Auth publishes one for each rotation.
const MAX_KEYS: usize = 64;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The reason why a document as a whole is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DocumentFault {
    #[error("it is not JSON of the form {{\"keys\":[…]}}")]
    Malformed,
    #[error("it holds more than {MAX_KEYS} keys")]
    TooMany,
    #[error("two of its keys have the same `kid`, or none")]
    Ambiguous,
    #[error("none of its keys can verify EdDSA, ES256 or RS256 signatures")]
    Empty,
}

/// The published keys: at least one, with distinct ids.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PublicKeys(Vec<PublicKey>);

impl PublicKeys {
    /// Parses the usable keys and skips the others, as RFC 7517 section 5 requires; each is logged.
    pub(super) fn parse(text: &[u8]) -> Result<Self, DocumentFault> {
        let Object::<Document>(document) =
            serde_json::from_slice(text).map_err(|_| DocumentFault::Malformed)?;
        if document.keys.len() > MAX_KEYS {
            return Err(DocumentFault::TooMany);
        }
        let mut keys: Vec<PublicKey> = Vec::new();
        for (place, json) in (1..).zip(document.keys) {
            match PublicKey::parse(json) {
                Ok(key) if keys.iter().any(|known| known.id == key.id) => {
                    return Err(DocumentFault::Ambiguous);
                }
                Ok(key) => keys.push(key),
                Err(reason) => tracing::warn!(place, %reason, "a published key is left alone"),
            }
        }
        if keys.is_empty() { Err(DocumentFault::Empty) } else { Ok(Self(keys)) }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key with this id. A token without an id means the only key there is.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&PublicKey> {
        match (id, self.0.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
        }
    }
}
