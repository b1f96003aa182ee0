//! The size and the free space of a file system.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

/// A snapshot of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// The device number.
    pub device: u64,
    /// The size, in bytes.
    pub size: u64,
    /// The space that this process may still fill, in bytes.
    pub free: u64,
}

impl FileSystem {
    /// The file system of `path`, which need not exist yet.
    pub fn of(path: &Path) -> io::Result<Self> {
        let here = Path::new(".");
        let there = path.ancestors().find(|path| path.exists()).unwrap_or(here);
        let there = if there.as_os_str().is_empty() { here } else { there };
        let found = rustix::fs::statvfs(there)?;
        Ok(Self {
            device: fs::metadata(there)?.dev(),
            size: found.f_blocks.saturating_mul(found.f_frsize),
            free: found.f_bavail.saturating_mul(found.f_frsize),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_yet_lies_where_it_will() {
        let folder = std::env::temp_dir();
        let there = FileSystem::of(&folder).expect("a file system");
        assert!(there.size > there.free && there.free > 0);
        let later = FileSystem::of(&folder.join("not/there/yet")).expect("the same");
        assert_eq!((later.device, later.size), (there.device, there.size));
        assert!(FileSystem::of(Path::new("not-there-yet")).is_ok());
    }
}
