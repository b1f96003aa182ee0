//! How a service runs: everything about a server that has nothing to do with accounts or tasks.
//!
//! - [`Assembly`], [`Start`], [`App`]: services, gathered, bound to ports, and served until the
//!   process is told to stop ([`ShutdownSignal`])
//! - `listen`: sockets, connections and their limits; clients behind proxies
//! - `admission`: permits, limits and load shedding
//! - `layers`, `protocol`, `body`: the chain around every call, on both wires
//! - [`http`]: routers, JSON, problems, queries, NDJSON, the documentation page
//! - [`db`]: SQLite and PostgreSQL behind one handle; [`storage`]: room on a disk, private files
//! - [`audit_log`]: security events, in the log and in a table
//! - [`cli`]: how a binary starts and ends, and `doctor`
//! - [`telemetry`]: logs that cannot hold a secret

mod admission;
mod app;
mod assembly;
pub mod audit_log;
mod body;
pub mod cli;
mod client_info;
pub mod db;
mod health;
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

pub use self::{
    admission::limits::{Limits, MAX_BATCH_BYTES, MAX_REQUEST_BYTES},
    app::App,
    assembly::Assembly,
    body::streaming::StreamKind,
    client_info::{ClientInfo, client_prefix},
    health::probe_own,
    listen::ports::BindError,
    loopback::Loopback,
    proxies::Proxies,
    settings::{Addresses, Settings},
    shutdown::{ShutdownSignal, termination_signal},
    start::Start,
};
