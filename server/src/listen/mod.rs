//! Sockets: the accept loop, one connection, the timer of its requests.

pub mod connection;
pub mod head_timer;
pub mod listener;
pub mod ports;
pub mod proxy_header;
