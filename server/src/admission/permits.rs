//! Permits: how many calls may be in progress, in all and from one client.
//!
//! A call that waits for its caller to send the rest of its body gives its permit back
//! meanwhile, else a few slow callers would keep everybody out. How many may wait is limited
//! as well, more generously: waiting costs memory, and no work. So it is with a call whose
//! answer lasts: it gives its permit back for good. Streams that need no token are counted
//! apart from the others, so that strangers cannot use up those of users.

use std::sync::{Arc, Mutex, PoisonError};

use shared::error::refused_call;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};

use super::{
    connection_state::{CallInProgress, ConnectionState},
    fair_share::{Rooms, Share},
    limits::Limits,
    refusal_log::{Limit, RefusalLog},
};

/// What every call beyond the limits is told.
const BUSY: &str = "too many calls in progress, try again";

/// What every stream beyond the limits is told.
const CROWDED: &str = "too many open streams, try again";

/// The admission of calls: permits for one client, among those of all.
#[derive(Clone)]
pub struct Admission {
    in_all: Arc<Rooms>,
    share: Share,
    connection: Option<Arc<ConnectionState>>,
    is_shared: bool,
    log: RefusalLog,
}

type Permits = [OwnedSemaphorePermit; 2];

impl Admission {
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

    /// A permit for one call, until it and its copies are dropped.
    pub fn take(&self) -> Result<Permit, Status> {
        let in_progress = self.connection.as_ref().map(ConnectionState::begin_call);
        let is_only = in_progress.as_ref().is_some_and(CallInProgress::is_only);
        let connection = (self.is_shared && is_only).then(|| self.take_connection()).transpose()?;
        let held = Held::AtWork(self.at_work()?);
        Ok(Permit(Arc::new(Call {
            held: Mutex::new(held),
            admission: self.clone(),
            _connection: connection,
            _in_progress: in_progress,
        })))
    }

    /// A permit for a stream that needs no token, until it and its copies are dropped. It
    /// does not keep its connection from being closed to make room.
    pub fn take_public(&self) -> Result<Permit, Status> {
        let limits = (Limit::PublicStreams, Limit::PublicStreamsPerAddress);
        let permits = self.take_of(|rooms| &rooms.public, limits).ok_or_else(crowded)?;
        Ok(Permit(Arc::new(Call {
            held: Mutex::new(Held::Stream(permits)),
            admission: self.clone(),
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
    refused_call(Code::ResourceExhausted, BUSY)
}

fn crowded() -> Status {
    refused_call(Code::ResourceExhausted, CROWDED)
}

/// The permit of one call.
#[derive(Clone)]
pub struct Permit(Arc<Call>);

/// What a call has taken; given back when dropped.
struct Call {
    held: Mutex<Held>,
    admission: Admission,
    _connection: Option<OwnedSemaphorePermit>,
    _in_progress: Option<CallInProgress>,
}

/// What a call holds just now.
#[expect(dead_code, reason = "given back when dropped")]
enum Held {
    AtWork(Permits),
    Waiting(Permits),
    Stream(Permits),
}

/// Keeps what a call holds from being given back.
#[derive(Clone)]
#[expect(dead_code, reason = "given back when dropped")]
pub struct Hold(Arc<Call>);

impl Permit {
    /// Lets somebody else work while this call waits for its caller.
    pub fn wait(&self) -> Result<(), Status> {
        let (mut held, admission) = self.parts();
        if matches!(*held, Held::AtWork(_)) {
            let limits = (Limit::Bodies, Limit::BodiesPerAddress);
            let permits = admission.take_of(|rooms| &rooms.waiting, limits);
            *held = Held::Waiting(permits.ok_or_else(busy)?);
        }
        Ok(())
    }

    /// Back to work.
    pub fn resume(&self) -> Result<(), Status> {
        let (mut held, admission) = self.parts();
        if matches!(*held, Held::Waiting(_)) {
            *held = Held::AtWork(admission.at_work()?);
        }
        Ok(())
    }

    /// Lets somebody else work from now on: the answer lasts.
    pub fn outlast(&self) -> Result<(), Status> {
        let (mut held, admission) = self.parts();
        if !matches!(*held, Held::Stream(_)) {
            let limits = (Limit::Streams, Limit::StreamsPerAddress);
            let permits = admission.take_of(|rooms| &rooms.lasting, limits);
            *held = Held::Stream(permits.ok_or_else(crowded)?);
        }
        Ok(())
    }

    /// What it holds, until the last copy of either is dropped.
    pub fn hold(&self) -> Hold {
        Hold(self.0.clone())
    }

    fn parts(&self) -> (std::sync::MutexGuard<'_, Held>, &Admission) {
        (self.0.held.lock().unwrap_or_else(PoisonError::into_inner), &self.0.admission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::fair_share::WAITING_PER_PERMIT;

    fn all(limits: &Limits) -> Admission {
        Admission::new(limits, RefusalLog::default())
    }

    #[test]
    fn those_who_wait_are_counted_too() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let permits = all(&limits).of(&Share::new(&limits));
        let waiting: Vec<_> = (0..WAITING_PER_PERMIT)
            .map(|_| {
                let permit = permits.take().expect("a permit");
                permit.wait().expect("room to wait");
                permit
            })
            .collect();
        let one_more = permits.take().expect("a permit");
        assert!(one_more.wait().is_err());
        assert!(waiting[0].resume().is_err(), "one works");
        drop(one_more);
        assert!(waiting[0].resume().is_ok());
    }

    /// Streams are counted apart from calls, in all and by client.
    #[test]
    fn a_stream_gives_back_the_permit_of_its_call() {
        let limits = Limits { calls: 1, streams: 2, streams_per_address: 1, ..Limits::default() };
        let all = all(&limits);
        let (here, there) = (Share::new(&limits), Share::new(&limits));
        let open = |share: &Share| {
            let permit = all.of(share).take().expect("a permit");
            permit.outlast().map(|()| permit)
        };
        let first = open(&here).expect("a slot");
        assert_eq!(open(&here).err().expect("one from here").code(), Code::ResourceExhausted);
        let _second = open(&there).expect("a slot");
        assert!(open(&Share::new(&limits)).is_err(), "two in all");
        assert!(first.resume().is_ok() && all.of(&here).take().is_ok(), "it needs no permit");
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
        let permits = all.of(&here).on(connection.clone(), false);
        let first = permits.take_public().expect("the first");
        assert!(permits.take_public().is_err(), "one of each client");
        assert!(connection.idle_since().is_some());
        let _second = all.of(&there).take_public().expect("of another");
        assert!(all.of(&Share::new(&limits)).take_public().is_err(), "two in all");
        let call = permits.take().expect("a permit");
        assert!(connection.idle_since().is_none());
        call.outlast().expect("a stream of a user");
        drop(first);
        assert!(permits.take_public().is_ok());
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
