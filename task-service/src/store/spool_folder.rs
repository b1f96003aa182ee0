//! The folder of import spools, and the disk space they may take together.

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

/// The most bytes of all spools on the file system of the database.
const MOST_BESIDE_DATABASE: u64 = 256 * 1024 * 1024;

/// The step of reservations.
const STEP: u64 = 1024 * 1024;

/// The folder of all spools of a process.
#[derive(Clone)]
pub struct SpoolFolder(Arc<Folder>);

struct Folder {
    path: PathBuf,
    min_free: MinFree,
    is_beside_database: bool,
    /// The bytes reserved by all spools.
    taken: Mutex<u64>,
}

/// The disk space reserved by one spool; released when dropped.
pub struct Reservation {
    folder: Arc<Folder>,
    taken: u64,
}

impl SpoolFolder {
    /// The folder at `path`; `database` is the file of the database, if there is one.
    pub fn new(path: PathBuf, database: Option<&Path>, min_free: MinFree) -> Self {
        let device = |path: &Path| FileSystem::of(path).ok().map(|found| found.device);
        let is_beside_database = database
            .is_some_and(|file| device(file).is_some_and(|there| device(&path) == Some(there)));
        Self(Arc::new(Folder { path, min_free, is_beside_database, taken: Mutex::default() }))
    }

    /// An unnamed temporary file, deleted when closed.
    pub fn file(&self) -> Result<File, Error> {
        tempfile::tempfile_in(&self.0.path).map_err(|error| {
            let path = self.0.path.display();
            tracing::warn!(%path, %error, "no file can be made in the spool folder (SPOOL_DIR)");
            Error::new(ErrorKind::StorageFull, error)
        })
    }

    /// An empty reservation.
    pub fn reservation(&self) -> Reservation {
        Reservation { folder: self.0.clone(), taken: 0 }
    }

    /// Logs problems of the folder.
    pub fn log(&self) {
        let path = self.0.path.display();
        if let Err(error) = tempfile::tempfile_in(&self.0.path) {
            tracing::warn!(
                %path, %error,
                "no file can be made in the spool folder: only small imports work (SPOOL_DIR)"
            );
        } else if self.0.is_beside_database {
            // Usual on developers' machines, so not a warning.
            tracing::info!(
                %path,
                "the spool folder is on the database's file system: imports get a small part \
                 of it (SPOOL_DIR)"
            );
        }
    }

    /// Reports problems of the folder to `doctor`.
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
                let message = format!("imports hold back up to {most} MiB in {path}");
                if *is_beside_database {
                    let why = "it is on the file system of the database";
                    report.warn("spool", format!("{message}: {why}; see SPOOL_DIR"));
                } else {
                    report.ok("spool", message);
                }
            }
            Err(error) => report.warn("spool", format!("{path} cannot be looked at: {error}")),
        }
    }
}

impl Folder {
    /// The most bytes of all spools, of which `taken` are on the file system already.
    fn most(&self, found: FileSystem, taken: u64) -> u64 {
        let usable = (found.free + taken).saturating_sub(self.min_free.of(found));
        if self.is_beside_database {
            (usable / 8).min(MOST_BESIDE_DATABASE)
        } else {
            usable / 4 * 3
        }
    }
}

impl Reservation {
    /// Extends the reservation to `bytes` in all.
    pub fn extend_to(&mut self, bytes: u64) -> Result<(), Error> {
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

impl Drop for Reservation {
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
        // Some 32 MiB are left, which must not fill up meanwhile.
        let min_free = MinFree::Bytes(free.saturating_sub(32 * STEP));
        let folder = SpoolFolder::new(path, None, min_free);
        let mut first = folder.reservation();
        first.extend_to(1).expect("a step");
        assert_eq!(first.taken, STEP);
        let error = folder.reservation().extend_to(64 * STEP).expect_err("more than there is");
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
