//! Places: how many calls may be in progress, in all and from one client.
//!
//! A call that waits for its caller to send the rest of its body gives its place back
//! meanwhile, else a few slow callers would keep everybody out. How many may wait is limited
//! as well, more generously: waiting costs memory, and no work. So it is with a call whose
//! answer lasts: it gives its place back for good. Streams that need no token are counted
//! apart from the others, so that strangers cannot use up those of users.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};

use super::{
    limits::Limits,
    refusal_log::{Limit, RefusalLog},
};
use crate::{
    admission::fair_share::{Rooms, Share},
    layers::call::refusal,
    listen::connection_state::{CallInProgress, ConnectionState},
};

/// What every call beyond the limits is told.
const BUSY: &str = "too many calls in progress, try again";

/// What every stream beyond the limits is told.
const CROWDED: &str = "too many open streams, try again";

/// The places of one client, among those of all.
#[derive(Clone)]
pub struct Places {
    in_all: Arc<Rooms>,
    share: Share,
    connection: Option<Arc<ConnectionState>>,
    is_shared: bool,
    log: RefusalLog,
}

type Permits = [OwnedSemaphorePermit; 2];

impl Places {
    /// As many as `limits` say, for somebody who is not known yet.
    pub fn new(limits: &Limits, log: RefusalLog) -> Self {
        let (in_all, share) = (Arc::new(Rooms::of_all(limits)), Share::new(limits));
        Self { in_all, share, connection: None, is_shared: false, log }
    }

    /// The same for a client with this share.
    pub fn of(&self, share: &Share) -> Self {
        Self { share: share.clone(), ..self.clone() }
    }

    /// The same for calls on this connection; `is_shared`: it is a proxy's, with calls of
    /// several clients.
    pub fn on(mut self, connection: Arc<ConnectionState>, is_shared: bool) -> Self {
        (self.connection, self.is_shared) = (Some(connection), is_shared);
        self
    }

    /// A place for one call, until it and its copies are dropped.
    pub fn take(&self) -> Result<Place, Status> {
        let in_progress = self.connection.as_ref().map(ConnectionState::begin_call);
        let is_only = in_progress.as_ref().is_some_and(CallInProgress::is_only);
        let connection = (self.is_shared && is_only).then(|| self.take_connection()).transpose()?;
        let held = Held::AtWork(self.at_work()?);
        Ok(Place(Arc::new(Call {
            held: Mutex::new(held),
            places: self.clone(),
            _connection: connection,
            _in_progress: in_progress,
        })))
    }

    /// A place for a stream that needs no token, until it and its copies are dropped. It
    /// does not keep its connection from being closed to make room.
    pub fn take_public(&self) -> Result<Place, Status> {
        let limits = (Limit::PublicStreams, Limit::PublicStreamsPerAddress);
        let permits = self.take_of(|rooms| &rooms.public, limits).ok_or_else(crowded)?;
        Ok(Place(Arc::new(Call {
            held: Mutex::new(Held::Lasting(permits)),
            places: self.clone(),
            _connection: None,
            _in_progress: None,
        })))
    }

    fn at_work(&self) -> Result<Permits, Status> {
        let limits = (Limit::Calls, Limit::CallsPerAddress);
        self.take_of(|rooms| &rooms.at_work, limits).ok_or_else(busy)
    }

    fn take_connection(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.share.take_connection().ok_or_else(|| {
            self.log.record(Limit::ConnectionsPerAddress, self.share.client());
            busy()
        })
    }

    /// `None`: all are taken, or all that one client may take.
    fn take_of(
        &self,
        room: impl Fn(&Rooms) -> &Arc<Semaphore>,
        (in_all, per_address): (Limit, Limit),
    ) -> Option<Permits> {
        let take = |rooms: &Rooms, limit| {
            let permit = room(rooms).clone().try_acquire_owned();
            permit.map_err(|_| self.log.record(limit, self.share.client())).ok()
        };
        let of_client = take(self.share.rooms(), per_address)?;
        Some([take(&self.in_all, in_all)?, of_client])
    }
}

fn busy() -> Status {
    refusal(Code::ResourceExhausted, BUSY)
}

fn crowded() -> Status {
    refusal(Code::ResourceExhausted, CROWDED)
}

/// The place of one call.
#[derive(Clone)]
pub struct Place(Arc<Call>);

/// What a call has taken; given back when dropped.
struct Call {
    held: Mutex<Held>,
    places: Places,
    _connection: Option<OwnedSemaphorePermit>,
    _in_progress: Option<CallInProgress>,
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
pub struct Hold(Arc<Call>);

impl Place {
    /// Lets somebody else work while this call waits for its caller.
    pub fn wait(&self) -> Result<(), Status> {
        let (mut held, places) = self.parts();
        if matches!(*held, Held::AtWork(_)) {
            let limits = (Limit::Bodies, Limit::BodiesPerAddress);
            let permits = places.take_of(|rooms| &rooms.waiting, limits);
            *held = Held::Waiting(permits.ok_or_else(busy)?);
        }
        Ok(())
    }

    /// Back to work.
    pub fn resume(&self) -> Result<(), Status> {
        let (mut held, places) = self.parts();
        if matches!(*held, Held::Waiting(_)) {
            *held = Held::AtWork(places.at_work()?);
        }
        Ok(())
    }

    /// Lets somebody else work from now on: the answer lasts.
    pub fn outlast(&self) -> Result<(), Status> {
        let (mut held, places) = self.parts();
        if !matches!(*held, Held::Lasting(_)) {
            let limits = (Limit::Streams, Limit::StreamsPerAddress);
            let permits = places.take_of(|rooms| &rooms.lasting, limits);
            *held = Held::Lasting(permits.ok_or_else(crowded)?);
        }
        Ok(())
    }

    /// What it holds, until the last copy of either is dropped.
    pub fn hold(&self) -> Hold {
        Hold(self.0.clone())
    }

    fn parts(&self) -> (std::sync::MutexGuard<'_, Held>, &Places) {
        (self.0.held.lock().unwrap_or_else(PoisonError::into_inner), &self.0.places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::fair_share::WAITING_PER_PLACE;

    fn all(limits: &Limits) -> Places {
        Places::new(limits, RefusalLog::default())
    }

    #[test]
    fn those_who_wait_are_counted_too() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let places = all(&limits).of(&Share::new(&limits));
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

    /// Streams are counted apart from calls, in all and by client.
    #[test]
    fn what_lasts_gives_its_place_back_and_takes_a_seat() {
        let limits = Limits { calls: 1, streams: 2, streams_per_address: 1, ..Limits::default() };
        let all = all(&limits);
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

    #[test]
    fn streams_without_a_token_use_up_nothing_else_and_protect_no_connection() {
        let limits = Limits {
            calls: 1,
            streams: 1,
            public_streams: 2,
            public_streams_per_address: 1,
            ..Limits::default()
        };
        let all = all(&limits);
        let (here, there) = (Share::new(&limits), Share::new(&limits));
        let connection = ConnectionState::new();
        let places = all.of(&here).on(connection.clone(), false);
        let first = places.take_public().expect("the first");
        assert!(places.take_public().is_err(), "one of each client");
        assert!(connection.idle_since().is_some());
        let _second = all.of(&there).take_public().expect("of another");
        assert!(all.of(&Share::new(&limits)).take_public().is_err(), "two in all");
        let call = places.take().expect("a place");
        assert!(connection.idle_since().is_none());
        call.outlast().expect("a stream of a user");
        drop(first);
        assert!(places.take_public().is_ok());
    }

    /// Through a proxy a client has calls on no more connections than it could open itself.
    #[test]
    fn a_client_behind_a_proxy_does_not_have_all_its_connections() {
        let limits = Limits { connections_per_address: 1, ..Limits::default() };
        let all = all(&limits);
        let (here, there) = (Share::new(&limits), Share::new(&limits));
        let (first, second) = (ConnectionState::new(), ConnectionState::new());
        let on_first = all.of(&here).on(first, true);
        let one = on_first.take().expect("the first connection");
        let _two = on_first.take().expect("another call on it");
        assert!(all.of(&here).on(second.clone(), true).take().is_err());
        assert!(second.idle_since().is_some(), "refused");
        let other = all.of(&there).on(second.clone(), true);
        assert!(other.take().is_ok(), "of another client");
        drop(one);
        assert!(all.of(&here).on(second, true).take().is_ok());
    }
}
