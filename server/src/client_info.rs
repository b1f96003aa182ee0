//! The client of a call, from its connection and the head of its request.

use std::{
    future::Future,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use http::{Extensions, HeaderValue, Request, Uri, header::USER_AGENT};
use tracing::Span;

tokio::task_local! {
    static CURRENT: Option<ClientInfo>;
}

/// The longest user agent that is stored, in bytes: longer ones are cut.
const MAX_USER_AGENT: usize = 512;

/// The client of a call: its address, its user agent, its request id, and what it asks for. Cheap to
/// clone.
///
/// Set once per call, on both ports: as an extension of the request, which handlers read
/// ([`of`](Self::of)), and in the call's task, where the audit log ([`current`](Self::current)) and
/// lines of the log find it.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo(Arc<Parts>);

/// The other end of a connection: a client, or a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub address: SocketAddr,
    /// The name of its certificate.
    pub certificate: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Parts {
    request_id: Option<HeaderValue>,
    address: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
    certificate: Option<Arc<str>>,
    uri: Uri,
}

impl ClientInfo {
    /// The client of a call with this id, from this address.
    #[must_use]
    pub fn new<B>(request_id: HeaderValue, address: Option<IpAddr>, request: &Request<B>) -> Self {
        Self(Arc::new(Parts {
            request_id: Some(request_id),
            address: address.map(|address| address.to_canonical()),
            user_agent: request.headers().get(USER_AGENT).cloned(),
            certificate: None,
            uri: request.uri().clone(),
        }))
    }

    /// The client over a connection from `peer`, with its certificate.
    pub(crate) fn over(mut self, peer: Option<&Peer>) -> Self {
        let name = peer.and_then(|peer| peer.certificate.as_ref());
        if let (Some(name), Some(parts)) = (name, Arc::get_mut(&mut self.0)) {
            parts.certificate = Some(name.clone());
        }
        self
    }

    /// A client with a known address and nothing else.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        Self(Arc::new(Parts { address: Some(address.to_canonical()), ..Parts::default() }))
    }

    /// The client of the request with these extensions; empty where no server has set one.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// The client of the call in progress; empty outside of a call.
    #[must_use]
    pub fn current() -> Self {
        Self::of_task().unwrap_or_default()
    }

    fn of_task() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok().flatten()
    }

    /// `call`, in which this is the [current](Self::current) client.
    pub fn during<F: Future>(self, call: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(Some(self), call)
    }

    /// The result of `call`, in which this is the [current](Self::current) client.
    pub(crate) fn during_sync<R>(self, call: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(Some(self), call)
    }

    /// `work`, to be spawned, in which the current client stays the same.
    pub(crate) fn kept_in<F: Future>(work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(Self::of_task(), work)
    }

    /// The span of a line of the log: the request id and the path of the call in progress. None
    /// outside of a call.
    pub(crate) fn log_span() -> Span {
        Self::of_task().map_or_else(Span::none, |client| {
            let (id, path) = (client.request_id().unwrap_or("-"), client.0.uri.path());
            let certificate = client.certificate();
            tracing::info_span!("call", request.id = id, path, certificate)
        })
    }

    /// The address; an IPv4-mapped IPv6 address is given as IPv4.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.address
    }

    /// The [prefix](client_prefix) of the address, by which clients are counted.
    #[must_use]
    pub fn prefix(&self) -> Option<IpAddr> {
        self.0.address.map(client_prefix)
    }

    /// The user agent, cut to 512 bytes.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        // A header value that is text is ASCII: any byte is a boundary.
        let text = self.0.user_agent.as_ref()?.to_str().ok()?;
        Some(text.get(..MAX_USER_AGENT).unwrap_or(text))
    }

    /// The name of the client certificate of the connection: its first DNS name, else its SHA-256.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.0.certificate.as_deref()
    }

    /// The id under which the call is found in the log.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_ref()?.to_str().ok()
    }
}

/// The prefix by which clients are counted: a whole /64 of IPv6 is one subscriber; an IPv4-mapped
/// address counts as IPv4.
#[must_use]
pub fn client_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_is_counted_once_however_its_address_is_spelt() {
        let of = |text: &str| client_prefix(text.parse().expect("an address")).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:0:1:ffff::2"), of("2001:db8:0:1::1"));
        assert_ne!(of("2001:db8:0:2::1"), of("2001:db8:0:1::1"));
    }

    #[test]
    fn a_long_user_agent_is_cut_and_one_that_is_no_text_is_none() {
        for (sent, kept) in [
            ("curl/8".to_owned(), Some("curl/8".to_owned())),
            ("a".repeat(512), Some("a".repeat(512))),
            ("a".repeat(513), Some("a".repeat(512))),
            ("caf\u{e9}".to_owned(), None),
        ] {
            let mut request = Request::new(());
            let value = HeaderValue::from_bytes(sent.as_bytes()).expect("a header value");
            request.headers_mut().insert(USER_AGENT, value);
            let client = ClientInfo::new(HeaderValue::from_static("call-1"), None, &request);
            assert_eq!(client.user_agent().map(str::to_owned), kept, "{sent}");
        }
    }
}
