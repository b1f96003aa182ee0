//! Addresses in settings: `scheme://host[:port][/path][?query][#fragment]`, by the whole grammar
//! (RFC 3986), as parsers differ on what they skip.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// The reason why a text is no address. It does not quote the text, which can hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Another scheme, or none.
    #[error("it has another scheme, or none")]
    Scheme,
    /// A name or a password before the host.
    #[error("it has a name or a password before the host")]
    UserInfo,
    /// Nothing where the host should be.
    #[error("it has no host")]
    NoHost,
    /// `*`.
    #[error("it has a wildcard")]
    Wildcard,
    /// The host cannot be one.
    #[error(
        "its host is none: letters, digits, `-`, `_` and `.`, other scripts as `xn--…`, or an \
         address, IPv6 in brackets"
    )]
    Host,
    /// The port is no number that can be one.
    #[error("its port is no number from 1 to 65535, written without a leading zero")]
    Port,
    /// A path where none is allowed.
    #[error("it has a path")]
    Path,
    /// A query that must not be there.
    #[error("it has a query")]
    Query,
    /// A fragment that must not be there.
    #[error("it has a fragment")]
    Fragment,
    /// Characters that no address has.
    #[error("it has characters that no address has")]
    Characters,
}

/// An address in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The scheme, one of those allowed.
    pub scheme: &'static str,
    /// The host, in lower case as browsers spell it: IPv6 in brackets and at its shortest.
    pub host: String,
    /// The port, if given.
    pub port: Option<u16>,
    /// The path, with its slash, or nothing.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: Option<&'a str>,
    /// The fragment, without its hash sign.
    pub fragment: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// An address of one of these schemes.
    pub fn parse(text: &'a str, schemes: &[&'static str]) -> Result<Self, AddressFault> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressFault::Scheme)?;
        let scheme = schemes.iter().find(|known| known.eq_ignore_ascii_case(scheme));
        let scheme = *scheme.ok_or(AddressFault::Scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = host_and_port(authority)?;
        if text.parse::<Uri>().is_err() {
            return Err(AddressFault::Characters);
        }
        let (rest, fragment) = split(rest, '#');
        let (path, query) = split(rest, '?');
        Ok(Self { scheme, host, port, path, query, fragment })
    }

    /// The port of a web address that names none.
    pub fn default_port(&self) -> u16 {
        if self.scheme == "https" { 443 } else { 80 }
    }

    /// The port of a web address.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.default_port())
    }

    /// The address, if it is nothing but host and port; a slash at the end is ignored.
    pub fn bare(self) -> Result<Self, AddressFault> {
        if !matches!(self.path, "" | "/") {
            return Err(AddressFault::Path);
        }
        self.without_query()
    }

    /// The address, if it has neither query nor fragment.
    pub fn without_query(self) -> Result<Self, AddressFault> {
        if self.query.is_some() {
            return Err(AddressFault::Query);
        }
        self.without_fragment()
    }

    /// The address, if it has no fragment.
    pub fn without_fragment(self) -> Result<Self, AddressFault> {
        if self.fragment.is_some() { Err(AddressFault::Fragment) } else { Ok(self) }
    }
}

/// Whether a host, IPv6 with or without brackets, is this machine itself: `localhost`, a name below
/// it, or a loopback address.
#[must_use]
pub fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(is_loopback)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), AddressFault> {
    if authority.contains('@') {
        return Err(AddressFault::UserInfo);
    }
    let end = match authority.strip_prefix('[') {
        Some(inner) => inner.find(']').ok_or(AddressFault::Host)? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    if host.is_empty() {
        return Err(AddressFault::NoHost);
    }
    if authority.contains('*') && !port.contains('*') {
        return Err(AddressFault::Wildcard);
    }
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port_of(port).ok_or(AddressFault::Port)?),
        None if port.is_empty() => None,
        None => return Err(AddressFault::Host),
    };
    Ok((host_of(host).ok_or(AddressFault::Host)?, port))
}

fn port_of(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_number)
}

/// A host in the spelling that browsers send.
fn host_of(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('[') {
        return inner.strip_suffix(']')?.parse().ok().map(ipv6);
    }
    let host = text.to_ascii_lowercase();
    let name = host.strip_suffix('.').unwrap_or(&host);
    let last = name.rsplit('.').next().unwrap_or_default();
    // A name that ends in a number is an IPv4 address to a browser, or invalid.
    if last.bytes().all(|byte| byte.is_ascii_digit()) || number(last).is_some() {
        return ipv4(name).map(|address| address.to_string());
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_plain);
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    is_name.then_some(host)
}

/// An IPv4 address as browsers read it (WHATWG URL, "IPv4 parser"): up to four numbers, the last
/// of which stands for all bytes that are left.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers = text.split('.').map(number).collect::<Option<Vec<u64>>>()?;
    let (last, first) = numbers.split_last()?;
    let left = 4_usize.checked_sub(first.len()).filter(|left| *left > 0)?;
    if first.iter().any(|number| *number > 255) || *last >> (8 * left) > 0 {
        return None;
    }
    let high: u64 = first.iter().zip([24, 16, 8]).map(|(number, shift)| number << shift).sum();
    u32::try_from(high + last).ok().map(Ipv4Addr::from)
}

/// A number in decimal, in octal after `0`, or in hexadecimal after `0x`.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix('0')) {
        (Some(hex), _) => (hex, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (text, 10),
    };
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

/// An IPv6 address as browsers spell it: in hexadecimal alone, also where it stands for one of
/// IPv4.
fn ipv6(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => format!("[::ffff:{high:x}:{low:x}]"),
        _ => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &[&str] = &["http", "https"];

    #[test]
    fn a_host_is_spelt_as_browsers_do() {
        for (text, host, port) in [
            ("https://App.Example.com", "app.example.com", None),
            ("HTTP://LOCALHOST:3000/x", "localhost", Some(3000)),
            ("http://[2001:DB8:0:0:0:0:0:1]:1?q", "[2001:db8::1]", Some(1)),
            ("http://127.0.0.1:65535#f", "127.0.0.1", Some(65535)),
            ("http://127.1", "127.0.0.1", None),
            ("http://0x7f.0.0.010", "127.0.0.8", None),
            ("http://10.66051", "10.1.2.3", None),
            ("http://[::ffff:10.0.0.1]", "[::ffff:a00:1]", None),
            ("http://task-service_2.internal.:80", "task-service_2.internal.", Some(80)),
            ("https://xn--bcher-kva.example", "xn--bcher-kva.example", None),
        ] {
            let address =
                Address::parse(text, WEB).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!((&*address.host, address.port), (host, port), "{text}");
        }
    }

    #[test]
    fn whatever_breaks_the_grammar_is_refused_by_name() {
        use AddressFault::{Characters, Host, NoHost, Port, Scheme, UserInfo, Wildcard};
        for (text, fault) in [
            ("", Scheme),
            ("null", Scheme),
            ("*", Scheme),
            ("app.example.com", Scheme),
            ("//app.example.com", Scheme),
            ("localhost:3000", Scheme),
            ("ftp://app.example.com", Scheme),
            ("https:/app.example.com", Scheme),
            (" https://app.example.com", Scheme),
            ("https://", NoHost),
            ("https:///path", NoHost),
            ("https://:443", NoHost),
            ("https://?q", NoHost),
            ("https://user@example.com", UserInfo),
            ("https://user:pw@example.com:443", UserInfo),
            ("https://@example.com", UserInfo),
            ("https://*", Wildcard),
            ("https://*.example.com", Wildcard),
            ("https://app.*:3000", Wildcard),
            ("http://localhost:*", Port),
            ("http://*:*", Port),
            ("http://localhost:", Port),
            ("http://localhost:abc", Port),
            ("http://localhost:03000", Port),
            ("http://localhost:0", Port),
            ("http://localhost:+80", Port),
            ("http://localhost:65536", Port),
            ("http://localhost:99999999999", Port),
            ("http://localhost:80:80", Port),
            ("http://localhost: 80", Port),
            ("http://[::1]:x", Port),
            ("http://[::1]8000", Host),
            ("http://[::1", Host),
            ("http://[app.example.com]", Host),
            ("http://::1", NoHost),
            ("http://app..example.com", Host),
            ("http://.example.com", Host),
            ("http://app example.com", Host),
            ("http://app,example.com", Host),
            ("http://app%2eexample.com", Host),
            ("http://bücher.example", Host),
            ("http://app\\example.com", Host),
            ("http://256.1.1.1", Host),
            ("http://1.2.3.4.5", Host),
            ("http://1.2.3.256", Host),
            ("http://1.2.65536", Host),
            ("http://a.example.1", Host),
            ("http://app.example.com ", Host),
            ("http://app.example.com/a b", Characters),
        ] {
            let found = Address::parse(text, WEB);
            assert_eq!(found.as_ref().err(), Some(&fault), "{text:?}: {found:?}");
        }
        let long = format!("http://{}.example", "a".repeat(64));
        assert_eq!(Address::parse(&long, WEB).err(), Some(Host));
    }

    #[test]
    fn a_local_host_is_this_machine_itself() {
        for host in [
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "127.1.2.3",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in ["", "localhost.example.com", "xlocalhost", "10.0.0.1", "[2001:db8::1]"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn what_follows_the_host_is_refused_where_it_means_nothing() {
        use AddressFault::{Fragment, Path, Query};
        let bare = |text| Address::parse(text, WEB).and_then(Address::bare).err();
        for (text, fault) in [
            ("http://a", None),
            ("http://a/", None),
            ("http://a/x", Some(Path)),
            ("http://a//", Some(Path)),
            ("http://a/?", Some(Query)),
            ("http://a?q=1", Some(Query)),
            ("http://a/#", Some(Fragment)),
            ("http://a#top?", Some(Fragment)),
        ] {
            assert_eq!(bare(text), fault, "{text}");
        }
        let address = Address::parse("http://a/x/y?q=1#top", WEB).expect("an address");
        assert_eq!((address.path, address.query), ("/x/y", Some("q=1")));
        assert_eq!(address.without_query().err(), Some(Query));
    }
}
