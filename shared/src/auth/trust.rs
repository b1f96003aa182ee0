//! The trusted kind of token, chosen by configuration, never by a token.

use std::{future::Future, sync::Arc};

use super::{
    Keyring, TokenPolicy,
    jwks::PublicKeySource,
    policy::{JWT_AUDIENCE, JWT_ISSUER},
};
use crate::{
    config::{Reader, Setting, Vars},
    origin::Origin,
};

crate::settings! {
    /// The setting of the verifier.
    pub const SETTINGS: "Tokens";

    pub TOKEN_VERIFIER: TokenKind = Setting::new("hs256", TokenKind::parse),
        "`hs256`, `session-cache` or `jwks`: which tokens are accepted";
}

/// The kind of access token that is trusted (`TOKEN_VERIFIER`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `hs256`: signed under the shared secret, for the user in `sub`. Issued by auth-service.
    Hs256,
    /// `session-cache`: the cookie `session_data` of a Better Auth server whose
    /// `session.cookieCache` has the strategy "jwt".
    SessionCache,
    /// `jwks`: signed with a private key whose public half is published. Issued by Better Auth's
    /// plugin `jwt()`.
    Jwks,
}

impl TokenKind {
    /// Reads `TOKEN_VERIFIER`; a fault is recorded and the default used.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        reader.get(&TOKEN_VERIFIER)
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "hs256" => Ok(Self::Hs256),
            "session-cache" => Ok(Self::SessionCache),
            "jwks" => Ok(Self::Jwks),
            _ => Err("must be `hs256`, `session-cache` or `jwks`: exactly one".to_owned()),
        }
    }

    /// Records a fault unless verifiers accept `hs256`: auth-service issues no others.
    pub fn refuse_others(reader: &mut Reader<'_, impl Vars>) {
        if reader.check_elsewhere(&TOKEN_VERIFIER) != Self::Hs256 {
            reader.fault(
                &TOKEN_VERIFIER,
                "must be `hs256` where auth-service makes the tokens: run task-service alone \
                 beside a Better Auth server",
            );
        }
    }

    /// Reads the shared secret. Public keys need none: a random one takes its place, so that no
    /// service token is valid either.
    pub fn read_keys(self, reader: &mut Reader<'_, impl Vars>) -> Option<Keyring> {
        if self == Self::Jwks && !Keyring::is_set(reader) {
            return Keyring::random();
        }
        Keyring::read(reader)
    }

    /// Reads the policy for tokens of this kind. A session cache has neither issuer nor audience,
    /// so a setting to check them is a fault.
    pub fn read_policy(
        self,
        reader: &mut Reader<'_, impl Vars>,
        own: &Setting<Option<Origin>>,
    ) -> Option<TokenPolicy> {
        if self != Self::SessionCache {
            return TokenPolicy::read(reader, own);
        }
        for party in [JWT_ISSUER.row(), JWT_AUDIENCE.row()] {
            if reader.text(&party).is_some_and(|text| text != "off") {
                reader.fault(&party, "cannot be checked: a session cache does not name one");
            }
        }
        Some(TokenPolicy::read_times(reader))
    }

    /// Reads the source of the keys, which for the other two kinds are `keys`.
    pub fn read_trust(
        self,
        reader: &mut Reader<'_, impl Vars>,
        keys: &Arc<Keyring>,
    ) -> Option<Trust> {
        match self {
            Self::Hs256 => Some(Trust::Secrets(keys.clone())),
            Self::SessionCache => Some(Trust::SessionCache(keys.clone())),
            Self::Jwks => PublicKeySource::read(reader).map(Trust::PublicKeys),
        }
    }
}

/// The kind of token, with the keys that it is verified with.
#[derive(Clone)]
pub enum Trust {
    /// Access tokens under a shared secret.
    Secrets(Arc<Keyring>),
    /// Session caches under a shared secret.
    SessionCache(Arc<Keyring>),
    /// Access tokens under published keys.
    PublicKeys(PublicKeySource),
}

impl Trust {
    /// Refreshes published keys, in the background, once per process; returns at once where there
    /// are none to fetch.
    pub fn refresh(&self) -> impl Future<Output = ()> + Send + use<> {
        let source = self.source().cloned();
        async move {
            if let Some(source) = source {
                source.run().await;
            }
        }
    }

    /// Completes once tokens can be verified.
    pub fn loaded(&self) -> impl Future<Output = ()> + Send + use<> {
        let source = self.source().cloned();
        async move {
            if let Some(source) = source {
                source.loaded().await;
            }
        }
    }

    /// Whether tokens can be verified from the start.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.source().is_none_or(PublicKeySource::is_loaded)
    }

    fn source(&self) -> Option<&PublicKeySource> {
        match self {
            Self::Secrets(_) | Self::SessionCache(_) => None,
            Self::PublicKeys(source) => Some(source),
        }
    }
}
