//! HS256 and nothing else, as `jsonwebtoken`'s cryptography.
//!
//! The crate's own back ends bring RSA and a C build or an open advisory; without them there is
//! no asymmetric path to confuse. Every other algorithm is an error here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{Error as MacError, Signer},
};
use sha2::Sha256;

/// For signing alone: tags are verified with [`Hs256`] itself.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        keyed(*algorithm, key.as_bytes()).map(|mac| Box::new(mac) as Box<dyn JwtSigner>)
    },
    verifier_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs this as the process's provider. Where an embedding program has installed another one
/// first, that one stays; it must support HS256.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// A MAC under a key, whose set-up is done.
pub(super) struct Hs256(Hmac<Sha256>);

impl Hs256 {
    /// The MAC under `key`. `None`: no MAC takes such a key.
    pub(super) fn under(key: &[u8]) -> Option<Self> {
        keyed(Algorithm::HS256, key).ok()
    }

    /// The tag of `message`.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Whether `tag` (unpadded base64url) is that of `message`. Compares the whole tag in constant
    /// time (RFC 2104 without truncation).
    pub(super) fn verifies(&self, message: &[u8], tag: &str) -> bool {
        // Longer than any tag; what does not fit is none.
        let mut bytes = [0; 64];
        URL_SAFE_NO_PAD.decode_slice(tag, &mut bytes).is_ok_and(|length| {
            self.0.clone().chain_update(message).verify_slice(&bytes[..length]).is_ok()
        })
    }
}

fn keyed(algorithm: Algorithm, key: &[u8]) -> Result<Hs256, Error> {
    if algorithm != Algorithm::HS256 {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Hmac::new_from_slice(key).map(Hs256).map_err(|_| ErrorKind::InvalidKeyFormat.into())
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, MacError> {
        Ok(self.tag(message).to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_algorithm_is_an_error() {
        use Algorithm::{
            ES256, ES384, EdDSA, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512,
        };
        for algorithm in
            [HS384, HS512, ES256, ES384, RS256, RS384, RS512, PS256, PS384, PS512, EdDSA]
        {
            assert!(keyed(algorithm, &[7; 64]).is_err(), "{algorithm:?}");
        }
        assert!(keyed(Algorithm::HS256, &[7; 64]).is_ok());
    }
}
