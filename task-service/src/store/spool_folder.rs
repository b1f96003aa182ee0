//! Where imports are held back, and how much of it they may take together.

use std::{
    fs::File,
    io::{Error, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use server::{
    cli::doctor::Report,
    storage::{FileSystem, MinFree},
};

/// Beside the database, all spools together take no more, whatever is free.
const MOST_BESIDE_DATABASE: u64 = 256 * 1024 * 1024;

/// As much is asked for at a time.
const STEP: u64 = 1024 * 1024;

/// The folder of all spools of a process.
#[derive(Clone)]
pub struct SpoolFolder(Arc<Folder>);

struct Folder {
    path: PathBuf,
    min_free: MinFree,
    is_beside_database: bool,
    /// What all spools have of it.
    taken: Mutex<u64>,
}

/// What one spool has of the folder; given back when dropped.
pub struct Room {
    folder: Arc<Folder>,
    taken: u64,
}

impl SpoolFolder {
    /// The folder at `path`, for a service whose rows are in the file `database`, if they are
    /// in one.
    pub fn new(path: PathBuf, database: Option<&Path>, min_free: MinFree) -> Self {
        let device = |path: &Path| FileSystem::of(path).ok().map(|found| found.device);
        let is_beside_database = database
            .is_some_and(|file| device(file).is_some_and(|there| device(&path) == Some(there)));
        Self(Arc::new(Folder { path, min_free, is_beside_database, taken: Mutex::default() }))
    }

    /// A file without a name, which is gone with whoever holds it.
    pub fn file(&self) -> Result<File, Error> {
        tempfile::tempfile_in(&self.0.path).map_err(|error| {
            let path = self.0.path.display();
            tracing::warn!(%path, %error, "no file can be made in the spool folder (SPOOL_DIR)");
            Error::new(ErrorKind::StorageFull, error)
        })
    }

    /// No room yet.
    pub fn room(&self) -> Room {
        Room { folder: self.0.clone(), taken: 0 }
    }

    /// Says in the log what an operator should know of the folder, if there is something.
    pub fn log(&self) {
        let path = self.0.path.display();
        if let Err(error) = tempfile::tempfile_in(&self.0.path) {
            tracing::warn!(
                %path, %error,
                "no file can be made in the spool folder: only small imports work (SPOOL_DIR)"
            );
        } else if self.0.is_beside_database {
            // So it is on most machines of developers, where nothing is to be mended.
            tracing::info!(
                %path,
                "the spool folder is on the database's file system: imports get a small part \
                 of it (SPOOL_DIR)"
            );
        }
    }

    /// The same for the report of a look.
    pub fn examine(&self, report: &mut Report) {
        let Folder { path, is_beside_database, .. } = &*self.0;
        let path = path.display();
        if let Err(error) = tempfile::tempfile_in(&self.0.path) {
            report.fault(
                "spool",
                format!(
                    "no file can be made in {path}, so only small imports work: {error}; \
                         see SPOOL_DIR"
                ),
            );
            return;
        }
        match FileSystem::of(&self.0.path) {
            Ok(found) => {
                let most = self.0.most(found, 0) >> 20;
                let told = format!("imports hold back up to {most} MiB in {path}");
                if *is_beside_database {
                    let why = "it is on the file system of the database";
                    report.warn("spool", format!("{told}: {why}; see SPOOL_DIR"));
                } else {
                    report.ok("spool", told);
                }
            }
            Err(error) => report.warn("spool", format!("{path} cannot be looked at: {error}")),
        }
    }
}

impl Folder {
    /// How much all spools may have, of a file system that holds `taken` for them already.
    fn most(&self, found: FileSystem, taken: u64) -> u64 {
        let usable = (found.free + taken).saturating_sub(self.min_free.of(found));
        if self.is_beside_database {
            (usable / 8).min(MOST_BESIDE_DATABASE)
        } else {
            usable / 4 * 3
        }
    }
}

impl Room {
    /// Sees to it that there is room for `bytes` in all.
    pub fn reach(&mut self, bytes: u64) -> Result<(), Error> {
        if bytes <= self.taken {
            return Ok(());
        }
        let wanted = (bytes - self.taken).next_multiple_of(STEP);
        let found = FileSystem::of(&self.folder.path)?;
        let mut taken = self.folder.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken + wanted > self.folder.most(found, *taken) {
            return Err(Error::new(ErrorKind::StorageFull, "the spool folder has no room left"));
        }
        *taken += wanted;
        self.taken += wanted;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.folder.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken -= self.taken;
    }
}

#[cfg(test)]
mod tests {
    use server::cli::doctor::Verdict;

    use super::*;

    #[test]
    fn all_spools_together_have_a_part_of_what_is_free_and_give_it_back() {
        let path = std::env::temp_dir();
        let free = FileSystem::of(&path).expect("a file system").free;
        // Some 32 MiB are left, which others on this machine must not fill meanwhile.
        let min_free = MinFree::Bytes(free.saturating_sub(32 * STEP));
        let folder = SpoolFolder::new(path, None, min_free);
        let mut first = folder.room();
        first.reach(1).expect("a step");
        assert_eq!(first.taken, STEP);
        let error = folder.room().reach(64 * STEP).expect_err("more than there is");
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        drop(first);
        assert_eq!(*folder.0.taken.lock().expect("sound"), 0);
    }

    #[test]
    fn beside_the_database_the_part_is_small() {
        let path = std::env::temp_dir();
        let database = path.join("a.db");
        let beside = SpoolFolder::new(path.clone(), Some(&database), MinFree::Off);
        let found = FileSystem { device: 1, size: 1 << 40, free: 1 << 40 };
        assert_eq!(beside.0.most(found, 0), MOST_BESIDE_DATABASE);
        assert_eq!(beside.0.most(FileSystem { free: 80 << 20, ..found }, 0), 10 << 20);
        let mut report = Report::default();
        beside.examine(&mut report);
        assert_eq!(report.findings()[0].verdict, Verdict::Warn);
        let elsewhere = SpoolFolder::new(path, None, MinFree::Off);
        assert_eq!(elsewhere.0.most(found, 0), 3 << 38);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let path = std::env::temp_dir().join("no-such-folder");
        let folder = SpoolFolder::new(path, None, MinFree::Off);
        assert_eq!(folder.file().expect_err("no folder").kind(), ErrorKind::StorageFull);
        let mut report = Report::default();
        folder.examine(&mut report);
        let found = &report.findings()[0];
        assert_eq!(found.verdict, Verdict::Fault);
        assert!(found.message.contains("no-such-folder"), "{}", found.message);
    }
}
