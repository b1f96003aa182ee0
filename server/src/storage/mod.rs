//! How much room a file system has, and how much of it stays free; files for one user alone.

mod file_system;
mod min_free;
pub mod private_file;
mod space_floor;

pub use self::{
    file_system::FileSystem,
    min_free::{MinFree, bytes},
    space_floor::SpaceFloor,
};
