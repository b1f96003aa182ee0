//! Disk space: the minimum of free space; and private files.

mod file_system;
mod free_space;
mod min_free;
pub mod private_file;

pub use self::{
    file_system::FileSystem,
    free_space::FreeSpaceLimit,
    min_free::{MinFree, SETTINGS, bytes},
};
