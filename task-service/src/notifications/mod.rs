//! Notifications of changes: pub/sub in this process, and the messages between replicas.

pub mod notification;
pub mod pubsub;
