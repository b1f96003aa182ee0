//! Places: how many calls may be in progress, in all and from one address.
//!
//! A call that waits for its caller to send the rest of its body gives its place back
//! meanwhile, else a few slow callers would keep everybody out. How many may wait is limited
//! as well, more generously: waiting costs memory, and no work. So it is with a call whose
//! answer lasts: it gives its place back for good.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};

use super::{call::refusal, limits::Limits};

/// So many more calls may wait for their bodies than may be at work.
const WAITING_PER_PLACE: usize = 4;

/// What every call beyond the limits is told.
const BUSY: &str = "too many calls in progress, try again";

/// What every stream beyond the limits is told.
const CROWDED: &str = "too many open streams, try again";

/// The places of one peer, among those of all.
#[derive(Clone)]
pub struct Places {
    at_work: Room,
    waiting: Room,
    lasting: Room,
}

/// What all peers together may take of something, and what one of them may.
#[derive(Clone)]
struct Room {
    in_all: Arc<Semaphore>,
    of_peer: Arc<Semaphore>,
}

type Permits = [OwnedSemaphorePermit; 2];

impl Room {
    fn of(in_all: usize) -> Self {
        let in_all = Arc::new(Semaphore::new(in_all));
        Self { of_peer: in_all.clone(), in_all }
    }

    /// `None`: all are taken, or all that one peer may take.
    fn take(&self) -> Option<Permits> {
        let in_all = self.in_all.clone().try_acquire_owned().ok()?;
        Some([in_all, self.of_peer.clone().try_acquire_owned().ok()?])
    }
}

/// What the connections of one address share.
#[derive(Clone)]
pub struct Share {
    at_work: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    lasting: Arc<Semaphore>,
}

impl Share {
    /// As much as `limits` give to one address.
    pub fn new(limits: &Limits) -> Self {
        let calls = limits.calls_per_address;
        Self {
            at_work: Arc::new(Semaphore::new(calls)),
            waiting: Arc::new(Semaphore::new(calls * WAITING_PER_PLACE)),
            lasting: Arc::new(Semaphore::new(limits.streams_per_address)),
        }
    }
}

impl Places {
    /// As many as `limits` say. Until it is known who calls, one peer may have them all.
    pub fn new(limits: &Limits) -> Self {
        Self {
            at_work: Room::of(limits.calls),
            waiting: Room::of(limits.calls * WAITING_PER_PLACE),
            lasting: Room::of(limits.streams),
        }
    }

    /// Those of a peer with this share.
    pub fn of(&self, share: &Share) -> Self {
        let mut places = self.clone();
        places.at_work.of_peer = share.at_work.clone();
        places.waiting.of_peer = share.waiting.clone();
        places.lasting.of_peer = share.lasting.clone();
        places
    }

    /// A place for one call, until it and its copies are dropped.
    pub fn take(&self) -> Result<Place, Status> {
        let permits = self.at_work.take().ok_or_else(busy)?;
        let held = Arc::new(Mutex::new(Held::AtWork(permits)));
        Ok(Place { places: self.clone(), held })
    }
}

fn busy() -> Status {
    refusal(Code::ResourceExhausted, BUSY)
}

/// The place of one call.
#[derive(Clone)]
pub struct Place {
    places: Places,
    held: Arc<Mutex<Held>>,
}

/// What a call holds just now.
#[expect(dead_code, reason = "given back when dropped")]
enum Held {
    AtWork(Permits),
    Waiting(Permits),
    Lasting(Permits),
}

/// Keeps what a call holds from being given back.
#[derive(Clone)]
#[expect(dead_code, reason = "given back when dropped")]
pub struct Hold(Arc<Mutex<Held>>);

impl Place {
    /// Lets somebody else work while this call waits for its caller.
    pub fn wait(&self) -> Result<(), Status> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*held, Held::AtWork(_)) {
            *held = Held::Waiting(self.places.waiting.take().ok_or_else(busy)?);
        }
        Ok(())
    }

    /// Back to work.
    pub fn resume(&self) -> Result<(), Status> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*held, Held::Waiting(_)) {
            *held = Held::AtWork(self.places.at_work.take().ok_or_else(busy)?);
        }
        Ok(())
    }

    /// Lets somebody else work from now on: the answer lasts.
    pub fn outlast(&self) -> Result<(), Status> {
        let crowded = || refusal(Code::ResourceExhausted, CROWDED);
        let permits = self.places.lasting.take().ok_or_else(crowded)?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Held::Lasting(permits);
        Ok(())
    }

    /// What it holds, until the last copy of either is dropped.
    pub fn hold(&self) -> Hold {
        Hold(self.held.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(calls: usize) -> Places {
        let limits = Limits { calls, ..Limits::default() };
        Places::new(&limits).of(&Share::new(&limits))
    }

    #[test]
    fn those_who_wait_are_counted_too() {
        let places = places(1);
        let waiting: Vec<_> = (0..WAITING_PER_PLACE)
            .map(|_| {
                let place = places.take().expect("a place");
                place.wait().expect("room to wait");
                place
            })
            .collect();
        let one_more = places.take().expect("a place");
        assert!(one_more.wait().is_err());
        assert!(waiting[0].resume().is_err(), "one works");
        drop(one_more);
        assert!(waiting[0].resume().is_ok());
    }

    /// Streams are counted apart from calls, in all and by address.
    #[test]
    fn what_lasts_gives_its_place_back_and_takes_a_seat() {
        let limits = Limits { calls: 1, streams: 2, streams_per_address: 1, ..Limits::default() };
        let all = Places::new(&limits);
        let (here, there) = (Share::new(&limits), Share::new(&limits));
        let open = |share: &Share| {
            let place = all.of(share).take().expect("a place");
            place.outlast().map(|()| place)
        };
        let first = open(&here).expect("a seat");
        assert_eq!(open(&here).err().expect("one from here").code(), Code::ResourceExhausted);
        let _second = open(&there).expect("a seat");
        assert!(open(&Share::new(&limits)).is_err(), "two in all");
        assert!(first.resume().is_ok() && all.of(&here).take().is_ok(), "it needs no place");
        let hold = first.hold();
        drop(first);
        assert!(open(&here).is_err(), "still held");
        drop(hold);
        assert!(open(&here).is_ok());
    }
}
