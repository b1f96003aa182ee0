//! HS256 and nothing else, as `jsonwebtoken`'s cryptography.
//!
//! The crate's own back ends bring RSA and a C build or an open advisory; without them there is
//! no asymmetric path to confuse. Every other algorithm is an error here.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{Error as MacError, Signer, Verifier},
};
use sha2::Sha256;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        keyed(*algorithm, key.as_bytes()).map(|mac| Box::new(mac) as Box<dyn JwtSigner>)
    },
    verifier_factory: |algorithm, key: &DecodingKey| {
        keyed(*algorithm, key.try_get_as_bytes()?).map(|mac| Box::new(mac) as Box<dyn JwtVerifier>)
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs this as the process's provider. Where an embedding program has installed another one
/// first, that one stays; it must support HS256.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

struct Hs256(Hmac<Sha256>);

fn keyed(algorithm: Algorithm, key: &[u8]) -> Result<Hs256, Error> {
    if algorithm != Algorithm::HS256 {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Hmac::new_from_slice(key).map(Hs256).map_err(|_| ErrorKind::InvalidKeyFormat.into())
}

/// The tag of `message` under `key`. `None`: no MAC takes such a key.
pub(super) fn tag(key: &[u8], message: &[u8]) -> Option<[u8; 32]> {
    let mac = keyed(Algorithm::HS256, key).ok()?;
    Some(mac.0.chain_update(message).finalize().into_bytes().into())
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, MacError> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// Compares the whole tag in constant time (RFC 2104 without truncation).
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), MacError> {
        self.0.clone().chain_update(message).verify_slice(tag).map_err(MacError::from_source)
    }
}

impl JwtVerifier for Hs256 {
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
