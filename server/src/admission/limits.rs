//! The limits of a server: for one client, and for all clients together.

use std::time::Duration;

use shared::config::{Reader, Setting, Unset, Vars, number, time_span};

/// The largest request message, in bytes. Responses may be larger.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The largest request message of a batch, in bytes.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

shared::settings! {
    /// The settings of limits. The defaults suit two cores.
    pub const SETTINGS: "Server";

    MAX_CONNECTIONS: usize = Setting::new("1024", count), "open connections in all";
    MAX_CONNECTIONS_PER_ADDRESS: usize = Setting::new("128", count),
        "open connections of an address";
    MAX_CALLS: usize = Setting::new("512", count),
        "calls in flight in all; as many more wait half a second, others are refused (load shedding)";
    MAX_CALLS_PER_ADDRESS: usize = Setting::new("256", count), "calls in flight of an address; as many more wait";
    MAX_STREAMS: usize = Setting::new("4096", count), "open streams in all";
    MAX_STREAMS_PER_ADDRESS: usize = Setting::new("2048", count), "open streams of an address";
    KEEP_ALIVE_TIMEOUT: Duration = Setting::new("75s", time_span).checked(zero),
        "how long an idle HTTP/1.1 connection is kept: longer than the balancer in front keeps it";
    REQUEST_TIMEOUT: Duration = Setting::new("5s", time_span).checked(zero),
        "the deadline of a call";
    UPLOAD_TIMEOUT: Duration = Setting::new("10m", time_span),
        "the deadline of an import; the same in both services";
    LAME_DUCK: Duration = Setting::new("1s", time_span),
        "how long calls are still accepted at shutdown";
    DRAIN_TIMEOUT: Duration = Setting::new("10s", time_span),
        "how long open calls may then take";
}

/// Limits of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections in total.
    pub connections: usize,
    /// Open connections from one address or IPv6 /64; for a listed proxy, the number of its
    /// connections that may have calls of one client behind it.
    pub connections_per_address: usize,
    /// Calls in progress until their response is read, in total; as many more wait for a moment,
    /// and further ones are refused at once.
    pub calls: usize,
    /// Calls in progress from one address.
    pub calls_per_address: usize,
    /// Streaming responses ([`StreamKind`](crate::StreamKind)) in total, counted apart from calls.
    pub streams: usize,
    /// Streaming responses to one address.
    pub streams_per_address: usize,
    /// Streams without a token (health watches, reflection) in total, counted apart from calls and
    /// other streams.
    pub public_streams: usize,
    /// Streams without a token to one address.
    pub public_streams_per_address: usize,
    /// The deadline of a call; a shorter `grpc-timeout` is honoured.
    pub request_timeout: Duration,
    /// The deadline of an upload, in which `request_timeout` limits each pause.
    pub upload_timeout: Duration,
    /// The longest a client may take to read a response, or one piece of a stream.
    pub answer_timeout: Duration,
    /// The time limit for a client's first call, and over HTTP/1.1 for the head of each request
    /// from its first byte.
    pub handshake_timeout: Duration,
    /// The idle time of an HTTP/1.1 connection between two requests.
    pub keep_alive_timeout: Duration,
    /// The age at which a connection is drained, so that balancers rebalance.
    pub connection_age: Duration,
    /// The time between "not ready" and the closing of the port.
    pub lame_duck: Duration,
    /// The time between the closing of the port and the end of the remaining calls.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::read(&mut Reader::new(&Unset))
    }
}

impl Limits {
    /// Reads the settings of limits.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let request_timeout = reader.get(&REQUEST_TIMEOUT);
        let upload_timeout = reader.get(&UPLOAD_TIMEOUT);
        if upload_timeout < request_timeout {
            reader.fault(&UPLOAD_TIMEOUT, "must be at least REQUEST_TIMEOUT");
        }
        Self {
            connections: reader.get(&MAX_CONNECTIONS),
            connections_per_address: reader.get(&MAX_CONNECTIONS_PER_ADDRESS),
            calls: reader.get(&MAX_CALLS),
            calls_per_address: reader.get(&MAX_CALLS_PER_ADDRESS),
            streams: reader.get(&MAX_STREAMS),
            streams_per_address: reader.get(&MAX_STREAMS_PER_ADDRESS),
            public_streams: 1024,
            public_streams_per_address: 64,
            request_timeout,
            upload_timeout,
            answer_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            keep_alive_timeout: reader.get(&KEEP_ALIVE_TIMEOUT),
            connection_age: Duration::from_mins(30),
            lame_duck: reader.get(&LAME_DUCK),
            drain: reader.get(&DRAIN_TIMEOUT),
        }
    }
}

fn count(text: &str) -> Result<usize, String> {
    number(text, 1..=1_000_000)
}

/// The fault of a time limit that is none.
fn zero(limit: &Duration) -> Option<&'static str> {
    limit.is_zero().then_some("must be at least a second")
}
