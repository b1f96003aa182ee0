//! What one caller, and all callers together, may take.

use std::time::Duration;

use shared::config::{Reader, Vars};

/// The largest request message, in bytes. Ours are small; answers may be larger.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The same where many things come in one message; whoever takes it says so.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// Limits of a server. The defaults suit two cores.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections, all together.
    pub connections: usize,
    /// Open connections from one address, or one IPv6 /64, unless it is a listed proxy: then
    /// on so many of its connections there may be calls of one client behind it.
    pub connections_per_address: usize,
    /// Calls in progress until their answer is read, all together; the next one is refused
    /// at once.
    pub calls: usize,
    /// Calls in progress from one address.
    pub calls_per_address: usize,
    /// Streams that last (see [`StreamKind`](super::StreamKind)), all together. They are no calls
    /// in progress.
    pub streams: usize,
    /// Streams that last, from one address.
    pub streams_per_address: usize,
    /// Streams that need no token (health watches, reflection), all together. They are
    /// neither calls in progress nor among the other streams.
    pub public_streams: usize,
    /// Streams that need no token, from one address.
    pub public_streams_per_address: usize,
    /// The longest until a call is answered; a shorter `grpc-timeout` is honoured.
    pub request_timeout: Duration,
    /// The longest until an upload is answered; in it, `request_timeout` is for each pause.
    pub upload_timeout: Duration,
    /// The longest a caller may take to read an answer, or a piece of one that lasts.
    pub answer_timeout: Duration,
    /// How long a peer may take to its first call, and over HTTP/1.1 for the head of each
    /// request from its first byte on.
    pub handshake_timeout: Duration,
    /// How long a connection over HTTP/1.1 is kept between two requests.
    pub keep_alive_timeout: Duration,
    /// A connection older than this is asked to move on, so that balancers rebalance.
    pub connection_age: Duration,
    /// Between "not ready" and the closing of the port.
    pub lame_duck: Duration,
    /// Between the closing of the port and the cutting of what is still open.
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
