//! The token policy: the claims that this deployment requires, beyond a valid signature.

use std::time::Duration;

use crate::{
    config::{Reader, Row, Setting, Vars, time_span},
    origin::Origin,
};

crate::settings! {
    /// The settings of claims.
    pub const SETTINGS: "Tokens";

    pub JWT_ISSUER: Option<String> = Setting::text("the origin of `BETTER_AUTH_URL`"),
        "the exact `iss`, or `off`";
    pub JWT_AUDIENCE: Option<String> = Setting::text("the origin of `BETTER_AUTH_URL`"),
        "the exact `aud`, or `off`";
    JWT_LEEWAY: Duration = Setting::new("15s", time_span).checked(|leeway| {
        (*leeway > Duration::from_mins(5)).then_some("must be at most 5 minutes")
    }), "how far clocks may differ, at most `5m`";
    JWT_MAX_LIFETIME: Duration = Setting::new("7d", time_span).checked(|lifetime| {
        lifetime.is_zero().then_some("must be at least a second")
    }), "the longest lifetime of an access token that is accepted";
}

/// The claims that a token must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPolicy {
    /// The exact `iss`; `None` switches the check off.
    pub issuer: Option<String>,
    /// The value that `aud` must contain; `None` switches the check off.
    pub audience: Option<String>,
    /// The leeway for clock drift (RFC 8725 allows "a few minutes"; seconds are enough).
    pub leeway: Duration,
    /// The longest `exp - iat`; a token without `iat` counts from now.
    pub max_lifetime: Duration,
}

impl TokenPolicy {
    /// Reads `BETTER_AUTH_URL` (whose origin is both issuer and audience, as in Better
    /// Auth), `JWT_ISSUER`, `JWT_AUDIENCE`, `JWT_LEEWAY` and `JWT_MAX_LIFETIME`.
    /// `own` is `BETTER_AUTH_URL`, with the default of the program.
    pub fn read(reader: &mut Reader<'_, impl Vars>, own: &Setting<Option<Origin>>) -> Option<Self> {
        let given = reader.is_set(own);
        let origin = Origin::read_own(reader, own);
        let issuer = expected(reader, &JWT_ISSUER, origin.as_ref());
        let audience = expected(reader, &JWT_AUDIENCE, origin.as_ref());
        let times = Self::read_times(reader);
        let missing = issuer.is_err() || audience.is_err();
        if missing && !given {
            reader.fault(
                own,
                "is missing: set the address that browsers use, such as \
                 `https://app.example.com`, or both JWT_ISSUER and JWT_AUDIENCE (`off` \
                 switches a check off)",
            );
        }
        Some(Self { issuer: issuer.ok()?, audience: audience.ok()?, ..times })
    }

    /// Reads `JWT_LEEWAY` and `JWT_MAX_LIFETIME`, for tokens that name no parties.
    pub(super) fn read_times(reader: &mut Reader<'_, impl Vars>) -> Self {
        Self {
            issuer: None,
            audience: None,
            leeway: reader.get(&JWT_LEEWAY),
            max_lifetime: reader.get(&JWT_MAX_LIFETIME),
        }
    }
}

/// No setting gives the value of a claim; a missing one switches no check off.
struct NotConfigured;

/// The required value of a claim: as set, else the origin; `None` where it is `off`.
fn expected(
    reader: &Reader<'_, impl Vars>,
    setting: &Row,
    origin: Option<&Origin>,
) -> Result<Option<String>, NotConfigured> {
    match reader.text(setting).as_deref() {
        Some("off") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => origin.map(|origin| Some(origin.as_str().to_owned())).ok_or(NotConfigured),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::origin::BETTER_AUTH_URL;

    fn read(vars: &[(&'static str, &str)]) -> Result<TokenPolicy, crate::config::Faults> {
        let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let mut reader = Reader::new(&vars);
        let policy = TokenPolicy::read(&mut reader, &BETTER_AUTH_URL);
        reader.finish(policy)
    }

    #[test]
    fn issuer_and_audience_are_the_origin_unless_said_otherwise() {
        let url = ("BETTER_AUTH_URL", "https://app.example.com/api/auth");
        let policy = read(&[url]).expect("a policy");
        assert_eq!(policy.issuer.as_deref(), Some("https://app.example.com"));
        assert_eq!(policy.audience.as_deref(), Some("https://app.example.com"));

        let policy = read(&[url, ("JWT_AUDIENCE", "tasks"), ("JWT_ISSUER", "off")]);
        let policy = policy.expect("a policy");
        assert_eq!((policy.issuer, policy.audience.as_deref()), (None, Some("tasks")));

        assert!(read(&[("JWT_AUDIENCE", "off"), ("JWT_ISSUER", "off")]).is_ok());
    }

    #[test]
    fn nothing_is_switched_off_by_silence() {
        for vars in [
            vec![],
            vec![("JWT_ISSUER", "off")],
            vec![("BETTER_AUTH_URL", "app.example.com")],
            vec![("BETTER_AUTH_URL", "ftp://app.example.com")],
        ] {
            let faults = read(&vars).expect_err("a fault");
            assert_eq!(faults.0.len(), 1, "{vars:?}: {faults}");
        }
    }
}
