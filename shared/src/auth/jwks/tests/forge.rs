//! A key pair for each algorithm, and the tokens they sign.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};

use crate::auth::{
    Refusal, TokenVerifier, Trust,
    jwks::PublicKeySource,
    tests::forge::{b64, clock, payload, policy},
};

pub struct Ed(Ed25519KeyPair);
pub struct P256(EcdsaKeyPair);
pub struct Rsa(RsaKeyPair);

/// A private key and how its public half is published, but for the closing brace.
pub trait Signer {
    fn jwk(&self) -> String;
    fn sign(&self, message: &[u8]) -> Vec<u8>;

    /// A good payload under this header.
    fn token(&self, header: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(payload(&[])));
        format!("{message}.{}", b64(self.sign(message.as_bytes())))
    }
}

pub fn ed() -> Ed {
    Ed(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed"))
}

pub fn other_ed() -> Ed {
    Ed(Ed25519KeyPair::from_seed_unchecked(&[8; 32]).expect("a seed"))
}

pub fn p256() -> P256 {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    let pkcs8 = pkcs8.expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
    P256(pair.expect("a pair"))
}

/// A pair of 2048 bits that signs nothing but these tests.
pub fn rsa() -> Rsa {
    let pkcs8 = STANDARD.decode(include_str!("rsa.pkcs8.base64").replace('\n', ""));
    Rsa(RsaKeyPair::from_pkcs8(&pkcs8.expect("base64")).expect("a pair"))
}

impl Ed {
    pub fn public(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }
}

impl P256 {
    pub fn public(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }
}

impl Rsa {
    pub fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        self.0.public().into()
    }
}

impl Signer for Ed {
    fn jwk(&self) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}""#, b64(self.public()))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

impl Signer for P256 {
    fn jwk(&self) -> String {
        let point = self.public();
        let (x, y) = (b64(&point[1..33]), b64(&point[33..]));
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }
}

impl Signer for Rsa {
    fn jwk(&self) -> String {
        let public = self.public();
        format!(r#"{{"kty":"RSA","n":"{}","e":"{}""#, b64(public.n), b64(public.e))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
        signature
    }
}

/// A published key with a name and more members (`,"use":"sig"`).
pub fn published(key: &dyn Signer, kid: &str, more: &str) -> String {
    format!(r#"{},"kid":"{kid}"{more}}}"#, key.jwk())
}

pub fn document(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// A verifier that trusts the keys of `document`.
pub fn verifier(document: &str) -> TokenVerifier {
    trusting(PublicKeySource::of(document.as_bytes()).expect("keys"))
}

pub fn trusting(source: PublicKeySource) -> TokenVerifier {
    TokenVerifier::trusting(Trust::PublicKeys(source), policy(), Arc::clone(&clock()) as _)
}

pub fn user_of(verifier: &TokenVerifier, token: &str) -> Result<String, Refusal> {
    verifier.verify(token).map(|principal| principal.user().to_string())
}
