//! Cookies: Better Auth's to the byte, and the credential in a request's cookies.

use std::sync::Arc;

use http::header::{COOKIE, HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::auth::Keyring;

use crate::{
    error::Error,
    session::Stay,
    session_token::{SessionToken, signed},
};

const SESSION_TOKEN: &str = "better-auth.session_token";
const SESSION_DATA: &str = "better-auth.session_data";
const DONT_REMEMBER: &str = "better-auth.dont_remember";

/// The characters that `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The cookies of this server.
pub struct Cookies {
    keys: Arc<Keyring>,
    /// Whether browsers reach this server over TLS: then cookies are `Secure`.
    is_secure: bool,
    session_seconds: i64,
}

impl Cookies {
    pub fn new(keys: Arc<Keyring>, is_secure: bool, session_seconds: i64) -> Self {
        Self { keys, is_secure, session_seconds }
    }

    /// The full name of the session cookie.
    pub fn session_token_name(&self) -> String {
        format!("{}{SESSION_TOKEN}", self.prefix())
    }

    /// The session token in a request's cookies, which must be signed, and whether its signature
    /// is outdated.
    pub fn credential(&self, headers: &HeaderMap) -> Option<(SessionToken, bool)> {
        let name = self.session_token_name();
        // Other cookies of the same host may hold any bytes.
        let lines =
            headers.get_all(COOKIE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
        // Signed only: otherwise a client that can write a cookie could try tokens.
        let parse = |value: &str| {
            let token = value.contains('.').then(|| SessionToken::parse(value, &self.keys));
            Some((token.flatten()?, SessionToken::is_outdated(value, &self.keys)))
        };
        lines.into_iter().find_map(|line| {
            let pairs = line.split(';').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| key.trim() == name).find_map(|(_, value)| parse(value.trim()))
        })
    }

    /// The cookies of a sign-in: the token, and for a brief stay the one that ends with the
    /// browser session.
    pub fn sign_in(&self, token: &SessionToken, stay: Stay) -> Result<Vec<HeaderValue>, Error> {
        let signed_token = token.signed(&self.keys).ok_or(Error::Unsigned)?;
        let max_age = (stay == Stay::Remembered).then_some(self.session_seconds);
        let mut cookies = vec![self.cookie(SESSION_TOKEN, &signed_token, max_age)?];
        if stay == Stay::Brief {
            let note = signed("true", &self.keys).ok_or(Error::Unsigned)?;
            cookies.push(self.cookie(DONT_REMEMBER, &note, None)?);
        }
        Ok(cookies)
    }

    /// The session data cookie, for the frontend's own server.
    pub fn session_data(&self, copy: &str, seconds: Option<i64>) -> Result<HeaderValue, Error> {
        self.cookie(SESSION_DATA, copy, seconds)
    }

    /// The cookies that expire all three.
    pub fn expired(&self) -> Result<Vec<HeaderValue>, Error> {
        [SESSION_TOKEN, SESSION_DATA, DONT_REMEMBER]
            .iter()
            .map(|name| self.cookie(name, "", Some(0)))
            .collect()
    }

    fn cookie(&self, name: &str, value: &str, max_age: Option<i64>) -> Result<HeaderValue, Error> {
        let prefix = self.prefix();
        let value = utf8_percent_encode(value, COMPONENT);
        let max_age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text =
            format!("{prefix}{name}={value}{max_age}; Path=/; HttpOnly{secure}; SameSite=Lax");
        let mut header = HeaderValue::try_from(text).map_err(|_| Error::Unsigned)?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Browsers accept a cookie with this prefix only over TLS.
    fn prefix(&self) -> &'static str {
        if self.is_secure { "__Secure-" } else { "" }
    }
}
