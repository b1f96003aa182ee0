//! Trusted origins: the sites and apps that may call from a browser (CORS) and act with cookies
//! (CSRF).
//!
//! Compared by parts, never by prefix or suffix of a text: `https://*.example.com` is every name
//! below `example.com`, not `https://evil-example.com`.

use crate::{
    address::{Address, AddressFault, is_local},
    config::{Reader, Setting, Vars},
    origin::SCHEMES,
};

crate::settings! {
    /// The setting of other origins.
    pub const SETTINGS: "Server";

    TRUSTED_ORIGINS: Vec<TrustedOrigin> = Setting::new("http://localhost:3000", all),
        "origins whose pages may call (CORS) and act with cookies (CSRF)";
}

/// Schemes whose addresses are no app's: any page can have one of them.
const SHARED_SCHEMES: [&str; 9] =
    ["about", "blob", "data", "file", "ftp", "javascript", "null", "view-source", "ws"];

/// A trusted origin: `https://app.example.com`, `http://localhost:*`, `https://*.example.com`, or an
/// app's `myapp://` or `capacitor://localhost`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedOrigin {
    text: String,
    scheme: String,
    host: Host,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// Every host of an app's own scheme.
    Any,
    One(String),
    /// Every name below this one.
    Below(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    One(u16),
    /// Schemes of apps have none.
    None,
}

/// An address that came with a request, by its parts.
struct Site {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl TrustedOrigin {
    /// Reads `TRUSTED_ORIGINS`, separated by commas.
    pub fn read_all(reader: &mut Reader<'_, impl Vars>) -> Vec<Self> {
        reader.get(&TRUSTED_ORIGINS)
    }

    /// A trusted origin as the setting spells it. A wildcard stands for a whole port, or for the
    /// first labels of a name.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressFault::Scheme)?;
        if !SCHEMES.iter().any(|web| web.eq_ignore_ascii_case(scheme)) {
            return Self::of_app(text, scheme, rest);
        }
        let (rest, port) = match rest.strip_suffix('/').unwrap_or(rest).strip_suffix(":*") {
            Some(rest) => (rest, Some(Port::Any)),
            None => (rest, None),
        };
        let below = rest.strip_prefix("*.");
        let concrete = format!("{scheme}://{}", below.unwrap_or(rest));
        let address = Address::parse(&concrete, SCHEMES).and_then(Address::bare)?;
        let port = port.unwrap_or_else(|| Port::One(address.port_or_default()));
        // Names below a single label have many owners.
        let is_owned = address.host.trim_end_matches('.').contains('.')
            && !address.host.starts_with('[')
            && address.host.parse::<std::net::Ipv4Addr>().is_err();
        let host = match below {
            None => Host::One(address.host),
            Some(_) if is_owned || address.host == "localhost" => Host::Below(address.host),
            Some(_) => return Err(AddressFault::Wildcard),
        };
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        Ok(Self { text, scheme: address.scheme.to_owned(), host, port })
    }

    fn of_app(text: &str, scheme: &str, rest: &str) -> Result<Self, AddressFault> {
        let scheme = app_scheme(scheme).ok_or(AddressFault::Scheme)?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.contains('*') {
            return Err(AddressFault::Wildcard);
        }
        let host = match host {
            "" => Host::Any,
            host => Host::One(app_host(host).ok_or(AddressFault::Host)?),
        };
        Ok(Self { text: text.to_ascii_lowercase(), scheme, host, port: Port::None })
    }

    /// The origin as the setting spells it, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the origin that a browser sent: nothing but scheme, host and port.
    #[must_use]
    pub fn is(&self, origin: &str) -> bool {
        let rest = origin.split_once("://").map_or("", |(_, rest)| rest);
        !rest.contains(['/', '?', '#']) && self.matches(origin)
    }

    /// Whether an origin or address that came with a request is at this one.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        Site::parse(text).is_some_and(|site| self.has(&site))
    }

    fn has(&self, site: &Site) -> bool {
        let has_host = match &self.host {
            Host::Any => true,
            Host::One(host) => *host == site.host,
            Host::Below(name) => {
                site.host.strip_suffix(name).is_some_and(|labels| labels.ends_with('.'))
            }
        };
        let has_port = match self.port {
            Port::Any => true,
            Port::One(port) => site.port == Some(port),
            Port::None => site.port.is_none(),
        };
        self.scheme == site.scheme && has_host && has_port
    }

    /// Whether the origin is one of this machine's own.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(&self.host, Host::One(host) | Host::Below(host) if is_local(host))
    }

    /// Whether the pages of the origin come by TLS, or with an app.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme != "http"
    }
}

impl Site {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = Address::parse(text, SCHEMES) {
            let port = Some(address.port_or_default());
            return Some(Self { scheme: address.scheme.to_owned(), host: address.host, port });
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = app_scheme(scheme)?;
        let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let host = if host.is_empty() { String::new() } else { app_host(host)? };
        Some(Self { scheme, host, port: None })
    }
}

/// A scheme of an app's own (RFC 3986 section 3.1), in lower case.
fn app_scheme(text: &str) -> Option<String> {
    let scheme = text.to_ascii_lowercase();
    let is_grammar = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_own = !SCHEMES.contains(&&*scheme) && !SHARED_SCHEMES.contains(&&*scheme);
    (is_grammar && is_own && scheme != "wss").then_some(scheme)
}

fn app_host(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (text.len() <= 253 && text.bytes().all(is_plain)).then(|| text.to_ascii_lowercase())
}

fn all(text: &str) -> Result<Vec<TrustedOrigin>, String> {
    let entry = |(position, text): (usize, &str)| {
        TrustedOrigin::parse(text).map_err(|fault| {
            format!(
                "must be origins such as `https://app.example.com`, `https://*.example.com`, \
                 `http://localhost:*` or `myapp://`, separated by commas; entry {position}: {fault}"
            )
        })
    };
    let entries = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    (1..).zip(entries).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(trusted: &str, site: &str) -> bool {
        TrustedOrigin::parse(trusted).expect(trusted).matches(site)
    }

    #[test]
    fn an_origin_is_matched_by_its_parts() {
        for (trusted, site) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://App.Example.com:443/", "https://app.example.com/sign-in?x=1"),
            ("http://localhost:*", "http://localhost:3001"),
            ("http://localhost:*", "http://localhost"),
            ("http://[::1]:*", "http://[::1]:5173"),
            ("https://*.example.com", "https://a.example.com"),
            ("https://*.example.com", "https://a.b.example.com:443"),
            ("https://*.example.com:*", "https://a.example.com:8443"),
            ("http://*.localhost:3000", "http://tenant.localhost:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("tauri://localhost", "TAURI://LOCALHOST/"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
            ("myapp://", "myapp://reset/token?x=1"),
        ] {
            assert!(matches(trusted, site), "{trusted} has {site}");
        }
        for (trusted, site) in [
            ("https://app.example.com", "http://app.example.com"),
            ("https://app.example.com", "https://app.example.com:8443"),
            ("https://app.example.com", "https://app.example.com.evil.test"),
            ("https://app.example.com", "https://app.example.com@evil.test"),
            ("http://localhost:*", "http://localhost.evil.test:3000"),
            ("http://localhost:*", "https://localhost:3000"),
            ("https://*.example.com", "https://example.com"),
            ("https://*.example.com", "https://evil-example.com"),
            ("https://*.example.com", "https://.example.com"),
            ("https://*.example.com", "https://a.example.com:8443"),
            ("https://*.example.com", "https://a.example.com.evil.test"),
            ("https://*.example.com", "https://evil.test/.example.com"),
            ("https://*.example.com", "https://evil.test?.example.com"),
            ("https://*.example.com", "https://evil.test#.example.com"),
            ("https://*.example.com", "https://evil.test\\.example.com"),
            ("capacitor://localhost", "ionic://localhost"),
            ("capacitor://localhost", "capacitor://evil"),
            ("myapp://", "myapp2://x"),
            ("myapp://", "https://myapp"),
            ("http://localhost:*", "null"),
            ("http://localhost:*", ""),
        ] {
            assert!(!matches(trusted, site), "{trusted} has not {site}");
        }
    }

    #[test]
    fn a_browser_sends_nothing_behind_the_port() {
        let trusted = TrustedOrigin::parse("https://*.example.com").expect("an origin");
        assert!(trusted.is("https://a.example.com"));
        for address in
            ["https://a.example.com/", "https://a.example.com?x", "https://a.example.com#x"]
        {
            assert!(trusted.matches(address) && !trusted.is(address), "{address}");
        }
    }

    #[test]
    fn what_would_trust_everybody_is_refused() {
        for text in [
            "*",
            "https://*",
            "https://*.com",
            "https://a.*.com",
            "https://a*.example.com",
            "http://*:3000",
            "*://example.com",
            "https://*.*.example.com",
            "http://*.127.0.0.1",
            "http://*.[::1]",
            "null",
            "file://",
            "data://",
            "javascript://x",
            "blob://x",
            "ws://x",
            "wss://x",
            "myapp://*",
            "my app://",
            "://x",
            "https://a.example/app",
            "https://u@a.example",
            "http://a:*0",
            "http://:*",
        ] {
            assert!(TrustedOrigin::parse(text).is_err(), "{text}");
        }
    }
}
