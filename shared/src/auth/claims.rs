//! A token's header and payload, parsed once and strictly. `verifier` checks the times, with the
//! leeway of `policy`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::Refusal;

/// The JOSE header (RFC 7515 section 4). Unknown parameters are ignored; a parameter that
/// is named twice is an error.
#[derive(Deserialize)]
pub(super) struct Header {
    pub alg: String,
    pub kid: Option<String>,
    #[serde(default)]
    typ: Claim<String>,
    #[serde(default)]
    crit: Claim<Value>,
    #[serde(default)]
    jwk: Claim<Value>,
    #[serde(default)]
    jku: Claim<Value>,
    #[serde(default)]
    x5u: Claim<Value>,
    #[serde(default)]
    x5c: Claim<Value>,
}

impl Header {
    /// Refuses a header that brings its own key, requires an extension (none is supported, RFC 7515
    /// section 4.1.11), or declares another type than JWT.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let brought = [&self.crit, &self.jwk, &self.jku, &self.x5u, &self.x5c];
        let is_jwt = match &self.typ {
            Claim::Absent => true,
            Claim::Valid(typ) => {
                let typ = typ.to_ascii_lowercase();
                matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
            }
            Claim::Invalid => false,
        };
        if is_jwt && brought.iter().all(|parameter| matches!(parameter, Claim::Absent)) {
            Ok(())
        } else {
            Err(Refusal::MalformedToken)
        }
    }
}

/// The claims that decide (RFC 7519 section 4.1, and `uid`). Unknown claims are ignored; a
/// claim that is named twice is an error.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    pub sub: Claim<String>,
    #[serde(default)]
    pub uid: Claim<String>,
    #[serde(default)]
    pub iss: Claim<String>,
    #[serde(default)]
    pub aud: Claim<Audience>,
    #[serde(default)]
    pub exp: Claim<NumericDate>,
    #[serde(default)]
    pub nbf: Claim<NumericDate>,
    #[serde(default)]
    pub iat: Claim<NumericDate>,
    #[serde(default)]
    token_use: Claim<String>,
    #[serde(default, rename = "type")]
    kind: Claim<String>,
}

impl Claims {
    /// Whether the token declares another purpose than access (RFC 8725 section 3.12). `type` may
    /// be a field of the user's own, so only `refresh` counts there.
    pub(super) fn has_other_purpose(&self) -> bool {
        let use_is_access = match &self.token_use {
            Claim::Absent => true,
            Claim::Valid(purpose) => purpose == "access",
            Claim::Invalid => false,
        };
        let is_refresh =
            matches!(&self.kind, Claim::Valid(kind) if kind.eq_ignore_ascii_case("refresh"));
        !use_is_access || is_refresh
    }
}

/// A claim as found. A wrong type is not the same as absent: confusing them is how checks get
/// skipped (CVE-2026-25537).
#[derive(Debug, Default, PartialEq)]
pub(super) enum Claim<T> {
    #[default]
    Absent,
    Valid(T),
    /// Present, with a wrong type. `null` is not absent.
    Invalid,
}

impl<'de, T: FromJson> Deserialize<'de> for Claim<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(T::from_json(Value::deserialize(from)?).map_or(Self::Invalid, Self::Valid))
    }
}

/// The conversion from a JSON value of the right type.
pub(super) trait FromJson: Sized {
    fn from_json(value: Value) -> Option<Self>;
}

impl FromJson for Value {
    fn from_json(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl FromJson for String {
    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

/// One audience or several (RFC 7519 section 4.1.3).
#[derive(Debug, PartialEq)]
pub(super) struct Audience(Vec<String>);

impl Audience {
    pub(super) fn contains(&self, wanted: &str) -> bool {
        self.0.iter().any(|audience| audience == wanted)
    }

    pub(super) fn is_only(&self, wanted: &str) -> bool {
        matches!(self.0.as_slice(), [only] if only == wanted)
    }
}

impl FromJson for Audience {
    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self(vec![text])),
            Value::Array(items) => {
                items.into_iter().map(String::from_json).collect::<Option<_>>().map(Self)
            }
            _ => None,
        }
    }
}

/// Seconds since 1970, perhaps with a fraction (RFC 7519 section 2). Never NaN or
/// infinite; compared as a float, so nothing can overflow.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct NumericDate(pub f64);

impl FromJson for NumericDate {
    fn from_json(value: Value) -> Option<Self> {
        value.as_f64().filter(|seconds| seconds.is_finite()).map(Self)
    }
}

/// Decodes one part: one whole JSON object.
pub(super) fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, Refusal> {
    let text = text(encoded)?;
    if !text.trim_start().starts_with('{') {
        return Err(Refusal::MalformedToken);
    }
    serde_json::from_str(&text).map_err(|_| Refusal::MalformedToken)
}

/// Canonical, unpadded base64url of valid UTF-8, also where a claim is ignored.
pub(super) fn text(encoded: &str) -> Result<String, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refusal::MalformedToken)?;
    String::from_utf8(bytes).map_err(|_| Refusal::MalformedToken)
}
