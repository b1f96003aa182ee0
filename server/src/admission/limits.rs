//! The limits of a server: for one client, and for all clients together.

use std::time::Duration;

use shared::config::{Reader, Vars};

/// The largest request message, in bytes. Responses may be larger.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The largest request message of a batch, in bytes.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// Limits of a server. The defaults suit two cores.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections in total.
    pub connections: usize,
    /// Open connections from one address or IPv6 /64; for a listed proxy, the number of its
    /// connections that may have calls of one client behind it.
    pub connections_per_address: usize,
    /// Calls in progress until their response is read, in total; further ones are refused at once.
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
        Self {
            connections: 1024,
            connections_per_address: 128,
            calls: 512,
            calls_per_address: 256,
            streams: 4096,
            streams_per_address: 2048,
            public_streams: 1024,
            public_streams_per_address: 64,
            request_timeout: Duration::from_secs(5),
            upload_timeout: Duration::from_mins(10),
            answer_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(75),
            connection_age: Duration::from_mins(30),
            lame_duck: Duration::from_secs(1),
            drain: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Reads `MAX_CONNECTIONS`, `MAX_CONNECTIONS_PER_ADDRESS`, `MAX_CALLS`,
    /// `MAX_CALLS_PER_ADDRESS`, `MAX_STREAMS`, `MAX_STREAMS_PER_ADDRESS`, `REQUEST_TIMEOUT`,
    /// `UPLOAD_TIMEOUT`, `KEEP_ALIVE_TIMEOUT`, `LAME_DUCK` and `DRAIN_TIMEOUT`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let default = Self::default();
        let request_timeout = reader.duration("REQUEST_TIMEOUT", default.request_timeout);
        if request_timeout.is_zero() {
            reader.fault("REQUEST_TIMEOUT", "must be at least a second");
        }
        let upload_timeout = reader.duration("UPLOAD_TIMEOUT", default.upload_timeout);
        if upload_timeout < request_timeout {
            reader.fault("UPLOAD_TIMEOUT", "must be at least REQUEST_TIMEOUT");
        }
        let keep_alive_timeout = reader.duration("KEEP_ALIVE_TIMEOUT", default.keep_alive_timeout);
        if keep_alive_timeout.is_zero() {
            reader.fault("KEEP_ALIVE_TIMEOUT", "must be at least a second");
        }
        let mut count = |name, default: usize| {
            let default = u32::try_from(default).unwrap_or(u32::MAX);
            reader.number(name, default, 1, 1_000_000) as usize
        };
        Self {
            connections: count("MAX_CONNECTIONS", default.connections),
            connections_per_address: count(
                "MAX_CONNECTIONS_PER_ADDRESS",
                default.connections_per_address,
            ),
            calls: count("MAX_CALLS", default.calls),
            calls_per_address: count("MAX_CALLS_PER_ADDRESS", default.calls_per_address),
            streams: count("MAX_STREAMS", default.streams),
            streams_per_address: count("MAX_STREAMS_PER_ADDRESS", default.streams_per_address),
            request_timeout,
            upload_timeout,
            keep_alive_timeout,
            lame_duck: reader.duration("LAME_DUCK", default.lame_duck),
            drain: reader.duration("DRAIN_TIMEOUT", default.drain),
            ..default
        }
    }
}
