//! The request headers that pages of trusted origins may send (CORS).

use http::{HeaderName, HeaderValue};
use shared::config::Setting;

shared::settings! {
    /// The setting of CORS beside the trusted origins.
    pub const SETTINGS: "Server";

    pub CORS_ALLOWED_HEADERS: AllowedHeaders = Setting::new("none", AllowedHeaders::parse),
        "further request headers that pages may send";
}

/// The request headers that pages may always send.
const ALLOWED_HEADERS: &str = "authorization,content-type,idempotency-key,if-match,if-none-match,last-event-id,\
     x-request-id,x-requested-with,x-user-id,x-grpc-web,x-user-agent,grpc-timeout,\
     traceparent,tracestate,baggage,sentry-trace";

/// The request headers that pages may send, as a list for browsers.
#[derive(Clone, Debug)]
pub struct AllowedHeaders(HeaderValue);

impl AllowedHeaders {
    /// The list of names.
    pub(crate) fn list(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Reads `CORS_ALLOWED_HEADERS`: names separated by commas, or `none`.
    fn parse(text: &str) -> Result<Self, String> {
        let text = if text == "none" { "" } else { text };
        let (mut allowed, mut faults) = (ALLOWED_HEADERS.to_owned(), Vec::new());
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (position, entry) in (1..).zip(entries) {
            // With credentials, `*` would not be a wildcard but a name.
            match HeaderName::from_bytes(entry.as_bytes()).ok().filter(|_| !entry.contains('*')) {
                Some(name) => allowed.extend([",", name.as_str()]),
                None => faults.push(position.to_string()),
            }
        }
        let list = HeaderValue::try_from(allowed).ok().filter(|_| faults.is_empty());
        list.map(Self).ok_or_else(|| {
            let faults = faults.join(", ");
            format!(
                "must be names such as `x-tenant, x-trace`, or `none`; not a name: entry {faults}"
            )
        })
    }
}

impl Default for AllowedHeaders {
    fn default() -> Self {
        CORS_ALLOWED_HEADERS.default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_headers_is_read_whole_or_each_bad_entry_is_named() {
        let list = |text| AllowedHeaders::parse(text).map(|headers| headers.0);
        assert_eq!(list("none").expect("a list"), ALLOWED_HEADERS);
        let more = list("X-Tenant , x-trace,").expect("a list");
        assert_eq!(more, format!("{ALLOWED_HEADERS},x-tenant,x-trace"));
        for (text, positions) in [("*", "1"), ("x-*", "1"), ("x a, x-b, x:c, x-d,ü", "1, 3, 5")] {
            let fault = list(text).expect_err(text);
            assert!(fault.ends_with(&format!("not a name: entry {positions}")), "{text}: {fault}");
        }
    }
}
