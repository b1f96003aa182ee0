//! The placeholder for published keys in a build without the feature `jwks`: an empty type.

use super::trust::TOKEN_VERIFIER;
use crate::{
    auth::Refusal,
    config::{Reader, Vars},
};

/// The source of published keys, which this build lacks.
#[derive(Clone)]
pub enum PublicKeySource {}

impl PublicKeySource {
    /// Records a fault: this build has no such source.
    pub(super) fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        reader.fault(
            &TOKEN_VERIFIER,
            "is `jwks`, which is not in this build: build task-service with `--features jwks`",
        );
        None
    }

    pub(super) fn verify(
        &self,
        _alg: &str,
        _kid: Option<&str>,
        _message: &str,
        _tag: &str,
    ) -> Result<(), Refusal> {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as the real one")]
    pub(super) async fn run(self) {
        match self {}
    }

    #[expect(clippy::unused_async, reason = "as the real one")]
    pub(super) async fn loaded(self) {
        match self {}
    }

    pub(super) fn is_loaded(&self) -> bool {
        match *self {}
    }
}
