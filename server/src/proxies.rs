//! Trusted proxies: the client behind a proxy, by `X-Forwarded-For` or the PROXY protocol.
//!
//! Only listed proxies are trusted. Only `X-Forwarded-For` is read, which every proxy writes:
//! with `Forwarded` beside it, the two could differ, and a client could send the one that the
//! proxy does not overwrite.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net};
use shared::config::{Reader, Setting, Vars, switch};
use tonic::codegen::http::HeaderMap;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The prefix length of IPv4-mapped addresses in IPv6.
const MAPPED: u8 = 96;

shared::settings! {
    /// The setting of proxies.
    pub const SETTINGS: "Server";

    TRUSTED_PROXIES: Proxies = Setting::new("none", Proxies::parse),
        "proxies whose `X-Forwarded-For` is believed";
    PROXY_PROTOCOL: bool = Setting::new("off", switch),
        "whether these proxies begin each connection with a PROXY header";
}

/// The networks of trusted proxies.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    networks: Arc<[IpNet]>,
    /// Whether their connections begin with a header of the PROXY protocol.
    send_headers: bool,
}

impl Proxies {
    /// Reads `TRUSTED_PROXIES`: addresses and networks, separated by commas. Not set, or `none`: no
    /// proxy is trusted. And `PROXY_PROTOCOL`, which is for these proxies.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let proxies = reader.get(&TRUSTED_PROXIES);
        let send_headers = reader.get(&PROXY_PROTOCOL);
        if send_headers && proxies.networks.is_empty() {
            reader.fault(&PROXY_PROTOCOL, "needs TRUSTED_PROXIES");
        }
        Self { send_headers, ..proxies }
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let networks = entries.map(network).collect::<Option<Arc<[_]>>>();
        networks.map(|networks| Self { networks, send_headers: false }).ok_or_else(|| {
            "must be addresses or networks such as `10.0.0.0/8, 2001:db8::7`, or `none`".to_owned()
        })
    }

    /// The client behind `peer`: the peer itself, unless it is a trusted proxy. Each hop appends an
    /// address, so the client is the right-most address that is no proxy's. A malformed entry is
    /// not trusted: then the client is the peer.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.contains(peer.ip()) {
            return peer;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut furthest = peer;
        loop {
            match hops.next().map(hop) {
                None => return furthest,
                Some(None) => return peer,
                Some(Some(address)) => {
                    furthest = SocketAddr::new(address, 0);
                    if !self.contains(address) {
                        return furthest;
                    }
                }
            }
        }
    }

    /// Whether every peer is trusted: then addresses have no meaning.
    #[must_use]
    pub fn trust_all(&self) -> bool {
        self.networks.iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether the address is a trusted proxy's.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether connections from the address begin with a header of the PROXY protocol.
    pub(super) fn sends_header(&self, address: IpAddr) -> bool {
        self.send_headers && self.contains(address)
    }
}

/// A network, or one address. IPv4-mapped addresses are IPv4, as in a header.
fn network(entry: &str) -> Option<IpNet> {
    let Ok(network) = entry.parse() else {
        return entry.parse().ok().map(|address: IpAddr| address.to_canonical().into());
    };
    let IpNet::V6(written) = network else { return Some(network) };
    let Some(address) = written.addr().to_ipv4_mapped() else { return Some(network) };
    let prefix = written.prefix_len().checked_sub(MAPPED)?;
    Ipv4Net::new(address, prefix).ok().map(IpNet::V4)
}

/// The address of one hop, which some proxies write with its port.
fn hop(bytes: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|hop: SocketAddr| hop.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::codegen::http::HeaderValue;

    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> String {
        let proxies = Proxies::parse(trusted).expect("proxies");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a header value"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        proxies.client(peer, &headers).ip().to_string()
    }

    #[test]
    fn no_proxy_is_trusted_unless_listed() {
        for trusted in ["none", "10.0.0.1"] {
            assert_eq!(client(trusted, "192.0.2.9", &["198.51.100.7"]), "192.0.2.9", "{trusted}");
        }
    }

    #[test]
    fn the_last_address_that_a_trusted_proxy_has_seen_is_the_client() {
        let ours = "10.0.0.0/8, 2001:db8:ffff::/48, 127.0.0.1";
        for (lines, expected) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (&["1.1.1.1, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            (&["1.1.1.1", "198.51.100.7", "10.1.2.3 ,127.0.0.1"], "198.51.100.7"),
            (&["198.51.100.7:5999"], "198.51.100.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:443, 2001:db8:ffff::1"], "2001:db8::7"),
            (&["::ffff:198.51.100.7, ::ffff:10.0.0.2"], "198.51.100.7"),
            (&["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        ] {
            assert_eq!(client(ours, "10.0.0.1", lines), expected, "{lines:?}");
            assert_eq!(client(ours, "::ffff:10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_network_is_the_same_in_either_notation() {
        for trusted in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:a00:0/104"] {
            for (peer, expected) in [("10.9.9.9", "198.51.100.7"), ("11.0.0.1", "11.0.0.1")] {
                assert_eq!(client(trusted, peer, &["198.51.100.7"]), expected, "{trusted}");
            }
        }
        assert_eq!(client("::ffff:0:0/96", "192.0.2.9", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_malformed_header_is_not_trusted() {
        for lines in [
            &[][..],
            &[""],
            &["198.51.100.7, unknown"],
            &["198.51.100.7,"],
            &["198.51.100.7, 10.0.0.2, _hidden"],
            &["198.51.100.7 1.1.1.1"],
            &["198.51.100.256"],
            &["198.51.100.7/32"],
        ] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
    }

    #[test]
    fn listed_proxies_alone_send_a_header_and_only_if_the_setting_says_so() {
        let read = |vars: &[(&'static str, &str)]| {
            let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
            let mut reader = Reader::new(&vars);
            let proxies = Proxies::read(&mut reader);
            reader.finish(Some(proxies))
        };
        let listed = ("TRUSTED_PROXIES", "10.0.0.0/8");
        let on = read(&[listed, ("PROXY_PROTOCOL", "on")]).expect("proxies");
        for (address, sends) in [("10.0.0.1", true), ("::ffff:10.0.0.1", true), ("11.0.0.1", false)]
        {
            assert_eq!(on.sends_header(address.parse().expect("an address")), sends, "{address}");
        }
        let off = read(&[listed]).expect("proxies");
        assert!(!off.sends_header(IpAddr::from([10, 0, 0, 1])));
        let fault = read(&[("PROXY_PROTOCOL", "on")]).expect_err("no proxy").to_string();
        assert!(fault.contains("PROXY_PROTOCOL") && fault.contains("TRUSTED_PROXIES"), "{fault}");
    }

    #[test]
    fn a_list_is_read_whole_or_is_a_fault() {
        for text in ["none", "10.0.0.1", "::1, 10.0.0.0/8,", "::ffff:10.0.0.1"] {
            assert!(Proxies::parse(text).is_ok(), "{text}");
        }
        for text in [
            "all",
            "*",
            "10.0.0.0/33",
            "::ffff:10.0.0.0/90",
            "10.0.0.1 10.0.0.2",
            "proxy.internal",
            "10.0.0",
        ] {
            let vars = HashMap::from([("TRUSTED_PROXIES", text.to_owned())]);
            let mut reader = Reader::new(&vars);
            Proxies::read(&mut reader);
            assert!(reader.finish(Some(())).is_err(), "{text}");
        }
    }
}
