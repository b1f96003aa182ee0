//! The client certificates that may call, by their names.

use std::sync::Arc;

use crate::client_info::ClientInfo;

/// The longest name: a DNS name, or a SHA-256 in hexadecimal digits.
const MAX_LENGTH: usize = 253;

/// The names of client certificates that may call; the default is any, and none at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientNames(Option<Arc<[String]>>);

impl ClientNames {
    /// Names as in the log, separated by commas, or `any`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self::default());
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte);
        let is_name =
            |name: &str| (1..=MAX_LENGTH).contains(&name.len()) && name.bytes().all(is_plain);
        let names: Vec<_> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        if names.iter().all(|name| is_name(name)) {
            return Ok(Self(Some(names.into())));
        }
        Err("must be DNS names or SHA-256 digests of certificates, separated by commas, or `any`"
            .to_owned())
    }

    /// Whether calls need a certificate with one of the names.
    #[must_use]
    pub fn are_listed(&self) -> bool {
        self.0.is_some()
    }

    /// Whether this client may call.
    #[must_use]
    pub fn allow(&self, client: &ClientInfo) -> bool {
        let Some(names) = &self.0 else { return true };
        let name = client.certificate().map(str::to_ascii_lowercase);
        name.is_some_and(|name| names.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::client_info::Peer;

    fn client(certificate: Option<&str>) -> ClientInfo {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let certificate = certificate.map(Into::into);
        ClientInfo::at(address.ip()).over(Some(&Peer { address, certificate }))
    }

    #[test]
    fn a_list_allows_its_names_alone() {
        let any = ClientNames::parse("any").expect("a value");
        let listed = ClientNames::parse("auth.internal, Billing.internal").expect("names");
        for (certificate, is_listed) in [
            (Some("auth.internal"), true),
            (Some("billing.INTERNAL"), true),
            (Some("xauth.internal"), false),
            (Some("auth.internal, billing.internal"), false),
            (Some("any"), false),
            (None, false),
        ] {
            assert!(any.allow(&client(certificate)));
            assert_eq!(listed.allow(&client(certificate)), is_listed, "{certificate:?}");
        }
    }

    #[test]
    fn an_empty_entry_is_a_fault() {
        for bad in ["a,,b", "a b", ",", "any,*?"] {
            assert!(ClientNames::parse(bad).is_err(), "{bad}");
        }
    }
}
