//! The credential of a request: a session token in `Authorization` or a cookie.

use http::header::HeaderMap;
use shared::auth::{Keyring, bearer};

use super::cookies::Cookies;
use crate::session_token::SessionToken;

/// The credential of a request.
pub enum Credential {
    /// No credential, or none that this server signed.
    None,
    /// A value that never was a session token: its cookies are expired.
    Invalid,
    /// A possible session token.
    Token(SessionToken),
}

impl Credential {
    /// The bearer credential (the token, or its signed form) goes before the cookie (the signed
    /// form only), if it can be a session token. Also whether the signature is outdated.
    pub fn of(headers: &HeaderMap, keys: &Keyring, cookies: &Cookies) -> (Self, bool) {
        let given = bearer(headers).ok();
        let token = given.and_then(|given| {
            Some((SessionToken::parse(given, keys)?, SessionToken::is_outdated(given, keys)))
        });
        match token.or_else(|| cookies.credential(headers)) {
            Some((token, is_outdated)) => (Self::Token(token), is_outdated),
            // A value with a dot could be signed by another server; only one without a dot is
            // invalid.
            None if given.is_some_and(|given| !given.contains('.')) => (Self::Invalid, false),
            None => (Self::None, false),
        }
    }
}
