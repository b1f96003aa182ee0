//! Csrf protection (cross-site request forgery): the web sites that may make a browser act here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    Method,
    header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER},
};
use shared::{origin::Origin, trusted_origin::TrustedOrigin};

use super::api_error::ApiError;
use crate::error_code;

/// The shortest time between two lines about refused origins.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

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
                log_refused(site);
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

    /// Whether `address` is at this server's own or a trusted origin. Compared by parts.
    fn trusts(&self, address: &str) -> bool {
        self.trusted.iter().any(|trusted| trusted.matches(address))
            || Origin::parse(address).is_ok_and(|origin| self.own.as_ref() == Some(&origin))
    }
}

/// Names a refused origin and the setting that would trust it, for the developer of a new frontend.
fn log_refused(site: &HeaderValue) {
    static LOGGED: Mutex<Option<Instant>> = Mutex::new(None);
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.is_some_and(|at| at.elapsed() < LOG_INTERVAL) {
        return;
    }
    *logged = Some(Instant::now());
    // A Referer can hold more of an address than its origin, and an address a password.
    let text = site.to_str().unwrap_or_default();
    let web = Origin::parse(text).map(|origin| origin.as_str().to_owned());
    let origin = web.or_else(|_| TrustedOrigin::parse(text).map(|app| app.as_str().to_owned()));
    let origin = origin.as_deref().unwrap_or("not an origin");
    tracing::info!(origin, "refused: if it is one of yours, add it to TRUSTED_ORIGINS");
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
