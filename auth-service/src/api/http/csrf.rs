//! Csrf protection (cross-site request forgery): the web sites that may make a browser act here.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    Method,
    header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER},
};
use server::{ClientInfo, log_refused_origin};
use shared::{origin::Origin, trusted_origin::TrustedOrigin};

use super::api_error::ApiError;
use crate::error_code;

/// The origin of an app in Expo, whose requests have no `Origin`.
const EXPO_ORIGIN: HeaderName = HeaderName::from_static("expo-origin");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The csrf check against this server's origin and trusted origins.
pub struct OriginCheck {
    own: Option<Origin>,
    trusted: Vec<TrustedOrigin>,
}

impl OriginCheck {
    pub fn new(own: Option<Origin>, trusted: Vec<TrustedOrigin>) -> Self {
        Self { own, trusted }
    }

    /// Refuses a write with cookies that no trusted origin sent.
    fn guard(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        let acts = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if acts && headers.contains_key(COOKIE) { self.expect_trusted(headers) } else { Ok(()) }
    }

    /// Refuses a sign-in from a foreign site, which needs no cookie. Requests without an origin
    /// are not from a browser's form: servers may sign in without `Origin`.
    fn guard_sign_in(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if headers.contains_key(COOKIE) {
            return self.expect_trusted(headers);
        }
        let says = |name, value: &str| headers.get(name).is_some_and(|given| given == value);
        if says(SEC_FETCH_SITE, "cross-site") && says(SEC_FETCH_MODE, "navigate") {
            return Err(ApiError::of(&error_code::CROSS_SITE_NAVIGATION));
        }
        let names_a_site =
            [ORIGIN, EXPO_ORIGIN, REFERER].iter().any(|name| headers.contains_key(name));
        if names_a_site { self.expect_trusted(headers) } else { Ok(()) }
    }

    /// Every `Origin` of the request must be trusted, or else every `expo-origin`, which apps send
    /// that have none, or else every `Referer`.
    fn expect_trusted(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let given = |name: HeaderName| -> Vec<&HeaderValue> {
            headers.get_all(name).iter().filter(|value| !value.is_empty()).collect()
        };
        let names = [ORIGIN, EXPO_ORIGIN, REFERER];
        let sites = names.into_iter().map(given).find(|sites| !sites.is_empty());
        let sites = sites.unwrap_or_default();
        if sites.is_empty() || sites.iter().any(|site| *site == "null") {
            return Err(ApiError::of(&error_code::MISSING_OR_NULL_ORIGIN));
        }
        let trusted = |site: &HeaderValue| site.to_str().is_ok_and(|text| self.trusts(text));
        match sites.into_iter().find(|site| !trusted(site)) {
            None => Ok(()),
            Some(site) => {
                log_refused_origin(site);
                Err(ApiError::of(&error_code::INVALID_ORIGIN))
            }
        }
    }

    /// Refuses a callback URL that is neither a path nor at a trusted origin. Empty is none.
    pub fn expect_trusted_url(&self, callback_url: Option<&str>) -> Result<(), ApiError> {
        let is_ours = |url: &str| url.is_empty() || is_path(url) || self.trusts(url);
        if callback_url.is_none_or(is_ours) {
            return Ok(());
        }
        Err(ApiError::of(&error_code::INVALID_CALLBACK_URL))
    }

    /// Whether `address` is at this server's own or a trusted origin. Compared by parts. On the
    /// developer's machine its own origin may have another of the machine's names.
    fn trusts(&self, address: &str) -> bool {
        let is_own = |own: &Origin, origin: &Origin| {
            own == origin || own.is_same_loopback(origin) && is_from_this_machine()
        };
        self.trusted.iter().any(|trusted| trusted.matches(address))
            || Origin::parse(address)
                .is_ok_and(|origin| self.own.as_ref().is_some_and(|own| is_own(own, &origin)))
    }
}

/// Whether the call in progress came from this machine itself.
fn is_from_this_machine() -> bool {
    ClientInfo::current().address().is_some_and(|address| address.is_loopback())
}

/// Whether `url` is a path, with or without a query, of characters that every browser reads
/// alike: `//host`, `/\host` and what decodes to them are a host.
fn is_path(url: &str) -> bool {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.+/@".contains(&b);
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(plain)
        && query.bytes().all(|b| plain(b) || b"=&%".contains(&b))
}

/// The csrf check of every route.
pub async fn guard(
    State(origin_check): State<Arc<OriginCheck>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    origin_check.guard(request.method(), request.headers())?;
    Ok(next.run(request).await)
}

/// The csrf check of the sign-in routes.
pub async fn guard_sign_in(
    State(origin_check): State<Arc<OriginCheck>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    origin_check.guard_sign_in(request.headers())?;
    Ok(next.run(request).await)
}
