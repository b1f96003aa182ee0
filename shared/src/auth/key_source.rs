//! The settings of published keys, which are known to builds without them as well.

use std::time::Duration;

use crate::config::{Setting, time_span};

crate::settings! {
    /// The settings of published keys.
    pub const SETTINGS: "Tokens";

    pub JWKS_URL: Option<String> = Setting::text("none"),
        "the address of public keys, with `jwks`: exactly one of the three sources";
    pub JWKS_FILE: Option<String> = Setting::text("none"), "a file of public keys";
    pub JWKS: Option<String> = Setting::text("none"), "the public keys themselves, as JSON";
    pub JWKS_REFRESH: Duration = Setting::new("10m", time_span).checked(|period| {
        let is_allowed =
            (Duration::from_secs(30)..=Duration::from_hours(24)).contains(period);
        (!is_allowed).then_some("must be from 30 seconds to 24 hours")
    }), "how often the keys are fetched";
}
