//! Admission: how many calls may be in progress, whose they are, and what is refused (load
//! shedding, backpressure).

pub mod fair_share;
pub mod limits;
pub mod permits;
pub mod refusal_log;
pub mod uploads;
