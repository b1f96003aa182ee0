//! The domain: the task and its rules, without I/O.

pub mod due;
pub mod etag;
pub mod fingerprint;
pub mod import;
pub mod quota;
pub mod recurrence;
pub mod request_id;
pub mod task;
pub mod text;
pub mod timestamp;
pub mod zone;
