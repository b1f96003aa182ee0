//! Where the call in progress comes from, for whatever happens in it.

use std::{future::Future, net::IpAddr};

use http::{HeaderMap, HeaderValue, header::USER_AGENT};

tokio::task_local! {
    static CURRENT: Circumstances;
}

/// The longest user agent that is kept, in characters.
const USER_AGENT_CHARS: usize = 512;

/// What is known of a call before anybody looks at it. Both wires note it the same way.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    request_id: Option<HeaderValue>,
    address: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
}

impl Circumstances {
    /// Those of a call with this id and these headers, from this address.
    #[must_use]
    pub fn new(request_id: HeaderValue, address: Option<IpAddr>, headers: &HeaderMap) -> Self {
        let address = address.map(|address| address.to_canonical());
        Self { request_id: Some(request_id), address, user_agent: headers.get(USER_AGENT).cloned() }
    }

    /// `call`, all of whose events happen in these circumstances.
    pub fn during<F: Future>(self, call: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, call)
    }

    /// Those of the call in progress; nothing is known outside of one.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// The id under which the call is found in the log.
    pub(super) fn request_id(&self) -> Option<String> {
        Some(self.request_id.as_ref()?.to_str().ok()?.to_owned())
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    pub(super) fn user_agent(&self) -> Option<String> {
        let text = self.user_agent.as_ref()?.to_str().ok()?;
        Some(text.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS).collect())
    }
}
