//! Web origins: who a browser says it speaks for (RFC 6454).

use http::Uri;

use crate::config::{Reader, Vars};

/// Where a frontend is during development.
const DEFAULT_TRUSTED: &str = "http://localhost:3000";

/// `scheme://host[:port]` of an http or https address, in lower case and without the
/// scheme's own port, as browsers spell it. Compared as a whole, never by prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of an address; what follows the host is left out.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = || "must be an address such as `https://app.example.com`".to_owned();
        let uri: Uri = text.parse().map_err(|_| fault())?;
        let (scheme, own_port) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            _ => return Err(fault()),
        };
        let authority = uri.authority().ok_or_else(fault)?;
        let host = authority.host().to_ascii_lowercase();
        let port =
            authority.port().is_none_or(|port| port.as_str().bytes().all(|b| b.is_ascii_digit()));
        if !port || host.is_empty() || host.contains('*') || authority.as_str().contains('@') {
            return Err(fault());
        }
        Ok(Self(match authority.port_u16() {
            Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
            None if authority.as_str().ends_with(|c: char| c.is_ascii_digit() || c == ':')
                && authority.as_str().len() > host.len() =>
            {
                return Err(fault()); // a port that is none
            }
            _ => format!("{scheme}://{host}"),
        }))
    }

    /// Reads `BETTER_AUTH_URL`, the address that browsers use for the pair; `default` where
    /// it is not set.
    pub fn read_own(reader: &mut Reader<'_, impl Vars>, default: Option<&str>) -> Option<Self> {
        if reader.is_set("BETTER_AUTH_URL") {
            return reader.parsed("BETTER_AUTH_URL", Self::parse);
        }
        default.and_then(|address| Self::parse(address).ok())
    }

    /// Reads `TRUSTED_ORIGINS`, separated by commas.
    pub fn read_trusted(reader: &mut Reader<'_, impl Vars>) -> Vec<Self> {
        let parse = |text: &str| {
            let origins = text.split(',').map(str::trim).filter(|text| !text.is_empty());
            origins.map(Self::parse).collect::<Result<Vec<_>, _>>().map_err(|_| {
                "must be addresses such as `https://app.example.com`, separated by commas, \
                 without wildcards"
                    .to_owned()
            })
        };
        let given = reader.parsed("TRUSTED_ORIGINS", parse);
        given.unwrap_or_else(|| Self::parse(DEFAULT_TRUSTED).into_iter().collect())
    }

    /// The origin as a browser sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nobody else can be there: a name or address of this machine itself.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let host = match host.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let is_loopback = |ip: std::net::IpAddr| ip.to_canonical().is_loopback();
        host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(is_loopback)
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
