//! Tokens signed by hand, with any secret and any content.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shared::clock::{Clock, SystemClock};

use crate::world::URL;

/// A strong secret that is not the services'.
pub const FOREIGN: &str = "foreign-5a7d3e9b1c0f4628-3e9b1c0f46285a7d";

/// The claims of a good token for `user`, with `changes` laid over them.
pub fn claims(user: &str, changes: &Value) -> Value {
    let now = SystemClock.now().timestamp();
    let mut claims = json!({ "sub": user, "iss": URL, "aud": URL, "iat": now, "exp": now + 300 });
    if let (Some(claims), Some(changes)) = (claims.as_object_mut(), changes.as_object()) {
        claims.extend(changes.clone());
    }
    claims
}

/// A good token for `user`, but for `changes`, signed with `secret`.
pub fn token(secret: &str, user: &str, changes: &Value) -> String {
    compact(secret, &json!({ "alg": "HS256", "typ": "JWT" }), &claims(user, changes))
}

/// A good token of a service for the rpcs of other services, but for `changes`.
pub fn service(secret: &str, changes: &Value) -> String {
    let now = SystemClock.now().timestamp();
    let mut claims = json!({
        "sub": "service:e2e", "aud": "task-service/admin", "iat": now, "exp": now + 60,
    });
    if let (Some(claims), Some(changes)) = (claims.as_object_mut(), changes.as_object()) {
        claims.extend(changes.clone());
    }
    compact(secret, &json!({ "alg": "HS256", "typ": "JWT" }), &claims)
}

/// A token for `user` that claims to need no signature, with the one it would have.
pub fn unsigned(secret: &str, user: &str) -> String {
    compact(secret, &json!({ "alg": "none", "typ": "JWT" }), &claims(user, &json!({})))
}

/// A token that ended an hour ago.
pub fn expired(secret: &str, user: &str) -> String {
    let then = SystemClock.now().timestamp() - 3600;
    token(secret, user, &json!({ "iat": then - 300, "exp": then }))
}

/// A session token in the form of Better Auth's cookie.
pub fn signed_session(secret: &str, session_token: &str) -> String {
    format!("{session_token}.{}", STANDARD.encode(mac(secret, session_token)))
}

fn compact(secret: &str, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let tag = URL_SAFE_NO_PAD.encode(mac(secret, &message));
    format!("{message}.{tag}")
}

fn mac(secret: &str, message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}
