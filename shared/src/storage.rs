//! How much room a file system has, and how much of it stays free.

mod file_system;
mod floor;
mod min_free;

pub use self::{
    file_system::FileSystem,
    floor::{SpaceFloor, StorageFull},
    min_free::{MinFree, bytes},
};

/// `ErrorInfo.reason` of what is refused because there is no room for it.
pub const STORAGE_FULL: &str = "STORAGE_FULL";

/// `ErrorInfo.reason` of what is refused because its owner has enough.
pub const QUOTA_EXCEEDED: &str = "QUOTA_EXCEEDED";
