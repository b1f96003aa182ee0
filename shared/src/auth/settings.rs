//! The lists of settings that programs read for tokens.

use super::{key_source, keyring, policy, trust};
use crate::{
    config::{Row, Setting},
    origin::Origin,
};

/// The settings of secrets and claims, with the program's own `BETTER_AUTH_URL`.
#[must_use]
pub fn token_settings(own: &Setting<Option<Origin>>) -> Vec<Row> {
    [keyring::SETTINGS, &[own.row()], policy::SETTINGS].concat()
}

/// The settings of a verifier that may accept tokens of other issuers.
#[must_use]
pub fn verifier_settings() -> Vec<Row> {
    [trust::SETTINGS, published_key_settings()].concat()
}

/// The settings that are read for published keys alone.
#[must_use]
pub fn published_key_settings() -> &'static [Row] {
    key_source::SETTINGS
}
