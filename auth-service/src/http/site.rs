//! Which web sites may make a browser act here (cross-site request forgery).

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
use shared::origin::Origin;

use super::refusal::Refused;
use crate::error_code;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The origins that are ours.
pub struct Site {
    own: Option<Origin>,
    trusted: Vec<Origin>,
}

impl Site {
    pub fn new(own: Option<Origin>, trusted: Vec<Origin>) -> Self {
        Self { own, trusted }
    }

    /// Refuses an act with cookies that no trusted site asked for.
    fn guard(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
        let acts = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if acts && headers.contains_key(COOKIE) { self.expect_trusted(headers) } else { Ok(()) }
    }

    /// Refuses to let a foreign site sign its visitors in, which takes no cookie. What names
    /// no site at all is no browser's form: servers may sign in without an `Origin`.
    fn guard_entrance(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if headers.contains_key(COOKIE) {
            return self.expect_trusted(headers);
        }
        let says = |name, value: &str| headers.get(name).is_some_and(|given| given == value);
        if says(SEC_FETCH_SITE, "cross-site") && says(SEC_FETCH_MODE, "navigate") {
            return Err(Refused::of(&error_code::CROSS_SITE_NAVIGATION));
        }
        let names_a_site = headers.contains_key(ORIGIN) || headers.contains_key(REFERER);
        if names_a_site { self.expect_trusted(headers) } else { Ok(()) }
    }

    /// Every `Origin` of the request, or else every `Referer`, has to be at a trusted one.
    fn expect_trusted(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let given = |name: HeaderName| -> Vec<&HeaderValue> {
            headers.get_all(name).iter().filter(|value| !value.is_empty()).collect()
        };
        let mut sites = given(ORIGIN);
        if sites.is_empty() {
            sites = given(REFERER);
        }
        if sites.is_empty() || sites.iter().any(|site| *site == "null") {
            return Err(Refused::of(&error_code::MISSING_OR_NULL_ORIGIN));
        }
        let trusted = |site: &HeaderValue| site.to_str().is_ok_and(|text| self.trusts(text));
        if !sites.into_iter().all(trusted) {
            return Err(Refused::of(&error_code::INVALID_ORIGIN));
        }
        Ok(())
    }

    /// Refuses to send a browser anywhere but to a path of the site it is on, or to one of
    /// our origins. Empty is nowhere.
    pub fn expect_ours(&self, callback_url: Option<&str>) -> Result<(), Refused> {
        let is_ours = |url: &str| url.is_empty() || is_path(url) || self.trusts(url);
        if callback_url.is_none_or(is_ours) {
            return Ok(());
        }
        Err(Refused::of(&error_code::INVALID_CALLBACK_URL))
    }

    /// Whether `address` is at one of our origins. Compared whole, never by prefix.
    fn trusts(&self, address: &str) -> bool {
        Origin::parse(address)
            .is_ok_and(|origin| self.own.iter().chain(&self.trusted).any(|ours| *ours == origin))
    }
}

/// A path, perhaps with a query, of characters that no browser reads as anything else:
/// `//host`, `/\host` and what decodes to them name a host.
fn is_path(url: &str) -> bool {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.+/@".contains(&b);
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(plain)
        && query.bytes().all(|b| plain(b) || b"=&%".contains(&b))
}

/// Around every route.
pub async fn guard(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    site.guard(request.method(), request.headers())?;
    Ok(next.run(request).await)
}

/// Around the routes that sign somebody in.
pub async fn guard_entrance(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    site.guard_entrance(request.headers())?;
    Ok(next.run(request).await)
}
