//! Sockets: the accept loop, connections and their limits, clients behind proxies.

pub mod connection;
pub mod connection_limit;
pub mod connection_state;
pub mod head_timer;
pub mod listener;
pub mod proxies;
