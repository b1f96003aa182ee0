//! The check of a token: its signature, its expiry, its user.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use serde::Deserialize;
use sha2::Sha256;

/// The secret, ready to verify.
#[derive(Clone)]
pub struct Verifier(Hmac<Sha256>);

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
}

impl Verifier {
    pub fn new(secret: &str) -> Result<Self, InvalidLength> {
        Hmac::new_from_slice(secret.as_bytes()).map(Self)
    }

    /// The user of a bearer token; `None`: not valid now.
    #[expect(clippy::disallowed_methods, reason = "the floor has no clock of ours")]
    pub fn user(&self, authorization: Option<&[u8]>) -> Option<String> {
        let token = authorization?.strip_prefix(b"Bearer ")?;
        let end = token.iter().rposition(|byte| *byte == b'.')?;
        let (message, tag) = (&token[..end], &token[end + 1..]);
        let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok()?;
        self.0.clone().chain_update(message).verify_slice(&tag).ok()?;
        let payload = message.split(|byte| *byte == b'.').nth(1)?;
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        (claims.exp > now).then_some(claims.sub)
    }
}
