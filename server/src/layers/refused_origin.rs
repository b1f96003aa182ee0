//! The log line of a refused origin, for the developer of a new frontend.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::HeaderValue;
use shared::{origin::Origin, trusted_origin::TrustedOrigin};

/// The shortest time between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// Names a refused origin and the setting that would trust it, at most once a second. Nothing but
/// the origin is named of an address.
pub fn log_refused_origin(site: &HeaderValue) {
    static LOGGED: Mutex<Option<Instant>> = Mutex::new(None);
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.is_some_and(|at| at.elapsed() < INTERVAL) {
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
