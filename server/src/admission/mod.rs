//! Admission: how many connections and calls there may be, whose they are, and what is refused (load
//! shedding, backpressure).

pub mod connection_limit;
pub mod connection_state;
pub mod fair_share;
pub mod limits;
pub mod permits;
mod queue;
pub mod refusal_log;
pub mod uploads;
