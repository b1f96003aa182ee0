//! The free space below which nothing is stored that takes more.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::error::StorageFull;

use super::{FileSystem, MinFree};

/// What was found is good for so long: calls cost no look at the disk each.
const SAMPLE: Duration = Duration::from_millis(500);

/// Keeps some of the file system of a database free, so that what must go on can: reading,
/// ending sessions, deleting.
#[derive(Clone, Default)]
pub struct SpaceFloor(Option<Arc<Watched>>);

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

impl SpaceFloor {
    /// Keeps `min_free` of the file system that `path` lies on.
    #[must_use]
    pub fn at(path: PathBuf, min_free: MinFree) -> Self {
        let watched = || Arc::new(Watched { path, min_free, last: Mutex::default() });
        Self((min_free != MinFree::Off).then(watched))
    }

    /// Refuses where less is free than is to stay free. What the operating system does not
    /// tell refuses nothing.
    pub fn check(&self) -> Result<(), StorageFull> {
        match &self.0 {
            Some(watched) if watched.is_full() => Err(StorageFull),
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
        let is_full = self.look(was_full);
        *last = Some(Sample { at: now, is_full });
        is_full
    }

    fn look(&self, was_full: bool) -> bool {
        let Ok(found) = FileSystem::of(&self.path) else { return false };
        let (path, least) = (self.path.display(), self.min_free.of(found));
        let is_full = found.free < least;
        match (was_full, is_full) {
            (false, true) => tracing::warn!(
                %path, free = found.free, min = least,
                "the disk is nearly full: nothing more is stored (STORAGE_MIN_FREE)"
            ),
            (true, false) => {
                tracing::info!(%path, free = found.free, min = least, "there is room again");
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
        let floor = |min_free| SpaceFloor::at(path.clone(), min_free);
        assert_eq!(floor(MinFree::Bytes(free * 2)).check(), Err(StorageFull));
        assert_eq!(floor(MinFree::Bytes(free / 2)).check(), Ok(()));
        assert_eq!(floor(MinFree::Off).check(), Ok(()));
        assert_eq!(SpaceFloor::default().check(), Ok(()));

        let floor = floor(MinFree::Bytes(free * 2));
        assert_eq!(floor.check(), Err(StorageFull));
        let watched = floor.0.as_ref().expect("a floor");
        let first = watched.last.lock().expect("sound").map(|sample| sample.at);
        assert_eq!(floor.check(), Err(StorageFull));
        assert_eq!(watched.last.lock().expect("sound").map(|sample| sample.at), first);
    }
}
