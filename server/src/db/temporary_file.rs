//! A temporary SQLite file, for tests.

use std::{fs, path::PathBuf};

use super::DatabaseUrl;

/// A temporary folder, removed on drop.
pub struct TemporaryFile {
    pub folder: PathBuf,
}

impl TemporaryFile {
    /// An empty folder with a name of the test's own.
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self { folder }
    }

    /// The address of a database in the folder, created when it is first opened.
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
