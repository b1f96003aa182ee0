//! Who asks: the session token of a request, from its `Authorization` or its cookies.

use http::header::HeaderMap;
use shared::auth::{Keyring, bearer};

use super::cookies::Cookies;
use crate::session_token::SessionToken;

/// What a request brings to be recognised by.
pub enum Credential {
    /// Nothing, or nothing that this server signed.
    None,
    /// Something that never was a session's token: its holder may forget it.
    Dead,
    /// What may open a session.
    Token(SessionToken),
}

impl Credential {
    /// A bearer credential (the token, or its signed form) that can be a session's goes
    /// before the cookie (the signed form alone). Beside it, whether the signature of a
    /// token is outdated.
    pub fn of(headers: &HeaderMap, keys: &Keyring, cookies: &Cookies) -> (Self, bool) {
        let given = bearer(headers).ok();
        let token = given.and_then(|given| {
            Some((SessionToken::parse(given, keys)?, SessionToken::is_outdated(given, keys)))
        });
        match token.or_else(|| cookies.credential(headers)) {
            Some((token, is_outdated)) => (Self::Token(token), is_outdated),
            // A signature vouches for what stands before the dot. Without one, nothing
            // but the missing session speaks against it.
            None if given.is_some_and(|given| !given.contains('.')) => (Self::Dead, false),
            None => (Self::None, false),
        }
    }
}
