//! HTTP Strict Transport Security (RFC 6797): browsers that have seen an answer use TLS alone.
//!
//! By the address of browsers, not by the socket: behind a proxy that ends TLS the socket is in clear.

use std::{future::ready, time::Duration};

use axum::{Router, middleware::map_response, response::Response};
use http::{HeaderValue, header::STRICT_TRANSPORT_SECURITY};
use shared::origin::Origin;

/// `routes`, whose answers tell browsers to keep to TLS for `max_age` if `own` uses TLS. A local
/// host has other servers on other ports, which may have none.
pub fn layer(routes: Router, own: Option<&Origin>, max_age: Option<Duration>) -> Router {
    let is_asked_for = own.is_some_and(|own| own.is_secure() && !own.is_local());
    let value = max_age.map(|age| HeaderValue::try_from(format!("max-age={}", age.as_secs())));
    let Some(Ok(value)) = value.filter(|_| is_asked_for) else { return routes };
    routes.layer(map_response(move |mut response: Response| {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, value.clone());
        ready(response)
    }))
}
