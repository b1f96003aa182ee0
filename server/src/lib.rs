//! How a service runs: the parts of a server that do not concern accounts or tasks.
//!
//! - [`Assembly`], [`Start`], [`App`]: services, gathered, bound to ports, and served until the
//!   process is stopped ([`ShutdownSignal`])
//! - `listen`: ports, the accept loop, connections
//! - `admission`: limits of connections and calls, permits, load shedding
//! - `tls`: certificates of the ports and of clients, and their reload; TLS to other servers
//! - [`Hop`]: the protection of a connection to another server
//! - `proxies`: trusted proxies and the client behind them
//! - `layers`, `protocol`, `body`, `allowed_headers`: the chain around every call, on both wires
//! - [`http`]: routers, JSON, problems, queries, NDJSON, the documentation page
//! - [`db`]: SQLite and PostgreSQL behind one handle; [`storage`]: disk space, private files
//! - [`audit_log`]: security events, in the log and in a table; [`cursor`]: tokens of pages
//! - [`cli`]: how a binary starts and ends, and `doctor`
//! - [`telemetry`]: logs that cannot hold a secret

mod admission;
mod allowed_headers;
mod app;
mod assembly;
pub mod audit_log;
mod body;
pub mod cli;
mod client_info;
pub mod cursor;
pub mod db;
mod health;
mod hop;
pub mod http;
mod layers;
mod listen;
mod loopback;
mod protocol;
mod proxies;
mod settings;
mod shutdown;
mod start;
pub mod storage;
pub mod telemetry;
pub mod tls;

pub use self::{
    admission::limits::{Limits, MAX_BATCH_BYTES, MAX_REQUEST_BYTES},
    allowed_headers::AllowedHeaders,
    app::App,
    assembly::Assembly,
    body::streaming::StreamKind,
    client_info::{ClientInfo, client_prefix},
    health::probe_own,
    hop::{Hop, Protection},
    layers::refused_origin::log_refused_origin,
    listen::ports::BindError,
    loopback::Loopback,
    proxies::Proxies,
    settings::{Addresses, Settings},
    shutdown::{ShutdownSignal, termination_signal},
    start::Start,
    tls::Tls,
};
