//! The free-space limit, below which no new data are stored.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::error::Refusal;

use super::{FileSystem, MinFree};

/// The time for which a sample is valid, so that not every call measures the disk.
const SAMPLE: Duration = Duration::from_millis(500);

/// The free-space limit of a database's file system. It leaves space for what must continue:
/// reading, ending sessions, deleting.
#[derive(Clone, Default)]
pub struct FreeSpaceLimit(Option<Arc<Watched>>);

struct Watched {
    path: PathBuf,
    min_free: MinFree,
    last: Mutex<Option<Sample>>,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    is_full: bool,
}

impl FreeSpaceLimit {
    /// The limit for the file system of `path`.
    #[must_use]
    pub fn at(path: PathBuf, min_free: MinFree) -> Self {
        let watched = || Arc::new(Watched { path, min_free, last: Mutex::default() });
        Self((min_free != MinFree::Off).then(watched))
    }

    /// Refuses below the limit. Without a measurement nothing is refused.
    pub fn check(&self) -> Result<(), Refusal> {
        match &self.0 {
            Some(watched) if watched.is_full() => Err(Refusal::StorageFull),
            _ => Ok(()),
        }
    }
}

impl Watched {
    fn is_full(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(sample) = *last
            && now.duration_since(sample.at) < SAMPLE
        {
            return sample.is_full;
        }
        let was_full = last.is_some_and(|sample| sample.is_full);
        let is_full = self.measure(was_full);
        *last = Some(Sample { at: now, is_full });
        is_full
    }

    fn measure(&self, was_full: bool) -> bool {
        let Ok(found) = FileSystem::of(&self.path) else { return false };
        let (path, min) = (self.path.display(), self.min_free.of(found));
        let is_full = found.free < min;
        match (was_full, is_full) {
            (false, true) => tracing::warn!(
                %path, free = found.free, min = min,
                "the disk is nearly full: nothing more is stored (STORAGE_MIN_FREE)"
            ),
            (true, false) => {
                tracing::info!(%path, free = found.free, min = min, "there is room again");
            }
            _ => {}
        }
        is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_refused_and_a_look_is_good_for_a_moment() {
        let path = std::env::temp_dir();
        let free = FileSystem::of(&path).expect("a file system").free;
        let free_space = |min_free| FreeSpaceLimit::at(path.clone(), min_free);
        assert_eq!(free_space(MinFree::Bytes(free * 2)).check(), Err(Refusal::StorageFull));
        assert_eq!(free_space(MinFree::Bytes(free / 2)).check(), Ok(()));
        assert_eq!(free_space(MinFree::Off).check(), Ok(()));
        assert_eq!(FreeSpaceLimit::default().check(), Ok(()));

        let free_space = free_space(MinFree::Bytes(free * 2));
        assert_eq!(free_space.check(), Err(Refusal::StorageFull));
        let watched = free_space.0.as_ref().expect("a floor");
        let first = watched.last.lock().expect("sound").map(|sample| sample.at);
        assert_eq!(free_space.check(), Err(Refusal::StorageFull));
        assert_eq!(watched.last.lock().expect("sound").map(|sample| sample.at), first);
    }
}
