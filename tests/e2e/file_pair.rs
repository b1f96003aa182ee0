//! A standalone on SQLite files in a folder of their own.

use std::{fs, path::PathBuf};

use crate::{
    binary::Binary,
    process::{Server, Starting},
};

/// Both databases, and the folder they are in, which goes with this.
pub struct FilePair {
    folder: PathBuf,
    /// `AUTH_DATABASE_URL` and `TASK_DATABASE_URL`.
    pub settings: [(&'static str, String); 2],
}

impl Drop for FilePair {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl FilePair {
    /// No file yet. Each test has a name of its own for the folder.
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = |name: &str| format!("sqlite://{}/{name}.db", folder.display());
        let settings = [("AUTH_DATABASE_URL", file("auth")), ("TASK_DATABASE_URL", file("tasks"))];
        Self { folder, settings }
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A server on them, with these settings on top.
    pub fn serve(&self, more: &[(&'static str, &str)]) -> Server {
        let own = self.settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        Starting::new(Binary::Standalone, &[&own, more].concat()).wait()
    }
}
