//! The check of settings that are valid but questionable.

use shared::{
    auth::{JWT_AUDIENCE, JWT_ISSUER, Keyring, TokenPolicy},
    origin::Origin,
    trusted_origin::TrustedOrigin,
};

use super::Report;
use crate::{
    proxies::Proxies,
    settings::Settings,
    tls::{Tls, Validity},
};

/// Reports questionable settings among those of every service. `own` is the address of browsers,
/// where known.
pub fn settings(
    report: &mut Report,
    keys: &Keyring,
    policy: &TokenPolicy,
    own: Option<&Origin>,
    trusted: &[TrustedOrigin],
) {
    let ids = keys.ids();
    match &ids[..] {
        _ if !keys.is_configured() => report.ok(
            "secret",
            "none is set: public keys verify access tokens, and no service's calls are taken",
        ),
        [only] => report.ok("secret", format!("one secret signs and verifies (key.id {only})")),
        [signing, others @ ..] => report.warn(
            "secret",
            format!(
                "{signing} signs, and {} still verifies: when the rotation is over, take it \
                 out of BETTER_AUTH_SECRETS",
                others.join(", ")
            ),
        ),
        [] => {}
    }
    for (name, value) in [(JWT_ISSUER.name, &policy.issuer), (JWT_AUDIENCE.name, &policy.audience)]
    {
        if value.is_none() {
            report.warn(
                "settings",
                format!(
                    "{name} is `off`: tokens made for another deployment pass if they share \
                         the secret"
                ),
            );
        }
    }
    let Some(own) = own else {
        return;
    };
    if own.is_secure() || own.is_local() {
        report.ok("settings", format!("browsers are at {}", own.as_str()));
    } else {
        report.warn(
            "settings",
            "BETTER_AUTH_URL is http on a host that others reach: passwords and tokens cross the \
             network in clear, and cookies are not kept to TLS; put TLS in front and write https",
        );
    }
    for origin in trusted.iter().filter(|origin| !own.is_local() && !origin.matches(own.as_str())) {
        if origin.is_local() {
            report.warn(
                "settings",
                format!("TRUSTED_ORIGINS has {}, of a developer's machine", origin.as_str()),
            );
        } else if !origin.is_secure() {
            report.warn(
                "settings",
                format!(
                    "TRUSTED_ORIGINS has {} without TLS: whoever is on its network may act \
                         for its visitors",
                    origin.as_str()
                ),
            );
        }
    }
}

/// Reports questionable settings of the ports.
pub fn server(report: &mut Report, settings: &Settings) {
    proxies(report, &settings.trusted_proxies);
    tls(report, settings.tls.as_ref());
}

/// Reports that every peer counts as a trusted proxy.
fn proxies(report: &mut Report, trusted: &Proxies) {
    if trusted.trust_all() {
        report.warn(
            "settings",
            "TRUSTED_PROXIES has a network of all addresses: every caller chooses the address that \
             its attempts are counted by; list your proxies alone",
        );
    }
}

/// Reports the certificate of the ports, if they have one.
fn tls(report: &mut Report, tls: Option<&Tls>) {
    let Some(tls) = tls else { return };
    let clients = match tls.demands_certificates() {
        Some(true) => "client certificates are required",
        Some(false) => "client certificates are optional",
        None => "client certificates are not asked for",
    };
    match tls.validity() {
        Ok(Validity { names, refusal: None }) => {
            report.ok("tls", format!("certificate for {}; {clients}", names.join(", ")));
        }
        Ok(Validity { refusal: Some(refusal), .. }) => {
            report.fault("tls", format!("the certificate in TLS_CERT_FILE {refusal}"));
        }
        Err(message) => report.fault("tls", format!("TLS_CERT_FILE {message}")),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::Duration};

    use super::*;
    use crate::cli::doctor::Verdict;
    use shared::{
        auth::{Secret, TokenKind},
        config::Reader,
    };

    const NEW: &str = "new-0b5f1c9e7a3d48626e2f9b04c7d1583a";
    const OLD: &str = "old-5a7d3e9b1c0f46288c1e07d2f4b39a65";

    fn judge(secrets: &[&str], audience: Option<&str>, own: &str, trusted: &[&str]) -> Vec<String> {
        let secret = |text: &&str| Secret::parse((*text).to_owned()).expect("strong");
        let secrets: Vec<Secret> = secrets.iter().map(secret).collect();
        let policy = TokenPolicy {
            issuer: Some(own.to_owned()),
            audience: audience.map(str::to_owned),
            leeway: Duration::from_secs(15),
            max_lifetime: Duration::from_hours(1),
        };
        let origin = |text: &&str| Origin::parse(text).expect("an origin");
        let parsed = |text: &&str| TrustedOrigin::parse(text).expect("an origin");
        let trusted: Vec<_> = trusted.iter().map(parsed).collect();
        let mut report = Report::default();
        let keys = Keyring::new(&secrets[0], &secrets[1..]);
        settings(&mut report, &keys, &policy, Some(&origin(&own)), &trusted);
        let questionable = report.findings().iter().filter(|f| f.verdict != Verdict::Ok);
        questionable.map(|finding| finding.message.clone()).collect()
    }

    #[test]
    fn what_is_questionable_is_named_and_what_is_usual_is_not() {
        let sound = judge(&[NEW], Some("x"), "https://a.example", &["https://b.example"]);
        assert!(sound.is_empty(), "{sound:?}");
        let local = "http://localhost:3000";
        assert!(judge(&[NEW], Some("x"), local, &[local]).is_empty());

        let all = judge(&[NEW, OLD], None, "http://a.example", &[local, "http://b.example"]);
        let names = ["BETTER_AUTH_SECRETS", "JWT_AUDIENCE", "BETTER_AUTH_URL"];
        for (message, name) in all.iter().zip(names.iter().chain(&["TRUSTED_ORIGINS"; 2])) {
            assert!(message.contains(name), "{message}");
        }
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|message| !message.contains("0b5f") && !message.contains("5a7d")));
    }

    #[test]
    fn a_secret_that_is_not_configured_is_not_reported_as_one() {
        let vars = HashMap::from([("TOKEN_VERIFIER", "jwks".to_owned())]);
        let keys = TokenKind::Jwks.read_keys(&mut Reader::new(&vars)).expect("random numbers");
        let policy = TokenPolicy {
            issuer: None,
            audience: None,
            leeway: Duration::ZERO,
            max_lifetime: Duration::from_hours(1),
        };
        let mut report = Report::default();
        settings(&mut report, &keys, &policy, None, &[]);
        assert!(report.text(false).contains("none is set"), "{}", report.text(false));
        assert!(!report.text(false).contains("key.id"), "{}", report.text(false));
    }

    #[test]
    fn trusting_every_peer_is_questionable_and_a_private_network_is_not() {
        for (list, warnings) in
            [("none", 0), ("10.0.0.0/8,::1", 0), ("0.0.0.0/0", 1), ("127.0.0.1,::/0", 1)]
        {
            let vars = HashMap::from([("TRUSTED_PROXIES", list.to_owned())]);
            let mut report = Report::default();
            proxies(&mut report, &Proxies::read(&mut Reader::new(&vars)));
            assert_eq!(report.findings().len(), warnings, "{list}");
        }
    }
}
