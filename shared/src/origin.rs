//! Web origins, as browsers send them (RFC 6454).

use crate::{
    address::{Address, AddressFault, is_local},
    config::{Reader, Setting, Vars},
};

crate::settings! {
    /// The setting of this deployment's own origin.
    pub const OWN: "Tokens";

    pub BETTER_AUTH_URL: Option<Origin> = Setting::optional("required", own),
        "the address that browsers use; its origin is issuer and audience of tokens";
}

/// The schemes of web addresses.
pub(crate) const SCHEMES: &[&str] = &["http", "https"];

/// The names of this machine in the addresses of a developer's browser.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// `scheme://host[:port]` of an http or https address, in lower case and without the
/// scheme's own port, as browsers spell it. Compared as a whole, never by prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of an address; what follows the host is left out.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        Address::parse(text, SCHEMES).map(|address| Self::of(&address))
    }

    fn of(address: &Address<'_>) -> Self {
        let Address { scheme, host, port, .. } = address;
        Self(match port {
            Some(port) if *port != address.default_port() => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        })
    }

    /// Reads `BETTER_AUTH_URL`, the address that browsers use for the pair, with the default of
    /// the program. It may have a path, as Better Auth's may, which is left out.
    pub fn read_own(
        reader: &mut Reader<'_, impl Vars>,
        own: &Setting<Option<Self>>,
    ) -> Option<Self> {
        reader.valid(own).flatten()
    }

    /// The origin as a browser sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the host is local: a name or address of this machine itself.
    #[must_use]
    pub fn is_local(&self) -> bool {
        Address::parse(&self.0, SCHEMES).is_ok_and(|address| is_local(&address.host))
    }

    /// Whether both are this machine under the names that a developer uses for it: `localhost`,
    /// `127.0.0.1` and `[::1]`, by the same scheme and at the same port.
    #[must_use]
    pub fn is_same_loopback(&self, other: &Self) -> bool {
        let parts = |origin: &'_ Self| -> Option<(String, String)> {
            let (scheme, rest) = origin.0.split_once("://")?;
            let port = LOOPBACK_NAMES.iter().find_map(|name| rest.strip_prefix(name))?;
            (port.is_empty() || port.starts_with(':')).then(|| (scheme.to_owned(), port.to_owned()))
        };
        parts(self).is_some_and(|own| parts(other) == Some(own))
    }

    /// Whether the origin uses TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }
}

fn own(text: &str) -> Result<Option<Origin>, String> {
    let address = Address::parse(text, SCHEMES).and_then(Address::without_query);
    address
        .map(|address| Some(Origin::of(&address)))
        .map_err(|fault| format!("must be an address such as `https://app.example.com`: {fault}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::trusted_origin::TrustedOrigin;

    /// The message of the setting's fault, if it has one.
    fn fault_of(name: &'static str, text: &str) -> Option<String> {
        let vars = HashMap::from([(name, text.to_owned())]);
        let mut reader = Reader::new(&vars);
        match name {
            "TRUSTED_ORIGINS" => drop(TrustedOrigin::read_all(&mut reader)),
            _ => drop(Origin::read_own(&mut reader, &BETTER_AUTH_URL)),
        }
        reader.finish(Some(())).err().map(|faults| faults.to_string())
    }

    #[test]
    fn settings_are_held_to_the_whole_grammar_and_never_quoted() {
        for (name, text, said) in [
            ("TRUSTED_ORIGINS", "http://localhost:**", "entry 1: its port"),
            ("TRUSTED_ORIGINS", "https://a.example, http://b.example:03000", "entry 2: its port"),
            ("TRUSTED_ORIGINS", "https://*.s3cret", "entry 1: it has a wildcard"),
            ("TRUSTED_ORIGINS", "https://a.example/app", "entry 1: it has a path"),
            ("TRUSTED_ORIGINS", "https://a.example?x", "entry 1: it has a query"),
            ("TRUSTED_ORIGINS", "https://a.example#x", "entry 1: it has a fragment"),
            ("TRUSTED_ORIGINS", "https://s3cret@a.example", "entry 1: it has a name or a password"),
            ("TRUSTED_ORIGINS", "https://a.example;https://b.example", "entry 1: its port"),
            ("BETTER_AUTH_URL", "http://localhost:abc", "its port"),
            ("BETTER_AUTH_URL", "https://u:s3cret@a.example", "it has a name or a password"),
            ("BETTER_AUTH_URL", "https://a.example/api/auth?x", "it has a query"),
            ("BETTER_AUTH_URL", "a.example", "it has another scheme, or none"),
        ] {
            let told = fault_of(name, text).unwrap_or_else(|| panic!("{text} was taken"));
            assert!(told.contains(said) && !told.contains("s3cret"), "{text}: {told}");
        }
        for (name, text) in [
            ("TRUSTED_ORIGINS", "https://a.example/, http://[::1]:3000,"),
            ("BETTER_AUTH_URL", "https://a.example/api/auth/"),
        ] {
            assert_eq!(fault_of(name, text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_cut_to_what_a_browser_sends() {
        for (text, origin) in [
            ("https://App.Example.com/api/auth?x=1", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("HTTP://LOCALHOST", "http://localhost"),
        ] {
            assert_eq!(Origin::parse(text).expect(text).as_str(), origin);
        }
        let is_local = |text: &str| Origin::parse(text).expect(text).is_local();
        for local in
            ["http://localhost:3000", "http://127.1.2.3", "https://[::1]:8", "http://a.localhost"]
        {
            assert!(is_local(local), "{local}");
        }
        for public in ["https://localhost.example.com", "http://10.0.0.1", "http://[2001:db8::1]"] {
            assert!(!is_local(public), "{public}");
        }
        assert!(Origin::parse("https://a.b").expect("an origin").is_secure());
        assert!(!Origin::parse("http://a.b").expect("an origin").is_secure());
    }

    #[test]
    fn a_machine_has_three_names_for_its_developer() {
        let is_same = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| Origin::parse(text).expect(text));
            assert_eq!(one.is_same_loopback(&other), other.is_same_loopback(&one));
            one.is_same_loopback(&other)
        };
        let own = "http://localhost:8000";
        for same in [own, "http://127.0.0.1:8000", "http://[::1]:8000"] {
            assert!(is_same(own, same), "{same}");
        }
        assert!(is_same("https://localhost", "https://127.0.0.1"));
        for other in [
            "http://localhost:8001",
            "http://127.0.0.1",
            "https://127.0.0.1:8000",
            "http://127.0.0.2:8000",
            "http://localhost.example:8000",
            "http://127.0.0.1.example:8000",
            "http://a.localhost:8000",
        ] {
            assert!(!is_same(own, other), "{other}");
        }
        let public = "https://app.example.com";
        assert!(!is_same(public, public), "no name of this machine");
    }

    #[test]
    fn what_is_no_web_address_has_no_origin() {
        for text in [
            "",
            "null",
            "*",
            "app.example.com",
            "//app.example.com",
            "ftp://app.example.com",
            "https://",
            "https://*.example.com",
            "https://user@example.com",
            "https://example.com:99999",
            "https://example.com:+80",
            "file:///etc/passwd",
        ] {
            assert!(Origin::parse(text).is_err(), "{text:?}");
        }
    }
}
