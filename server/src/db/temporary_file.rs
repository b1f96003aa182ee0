//! A place for a SQLite file, for tests of the database handle.

use std::{fs, path::PathBuf};

use super::DatabaseUrl;

/// A folder of its own, which goes with this.
pub struct TemporaryFile {
    pub folder: PathBuf,
}

impl TemporaryFile {
    /// An empty one. Each test has a name of its own for it.
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self { folder }
    }

    /// The address of a database in it, which is made when it is first opened.
    pub fn url(&self) -> DatabaseUrl {
        let url = format!("sqlite://{}/test.db?mode=rwc", self.folder.display());
        DatabaseUrl::parse(&url, 8).expect("an address")
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
