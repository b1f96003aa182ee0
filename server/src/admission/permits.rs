//! Permits: the limit of calls in progress, in total and from one client.
//!
//! A call that waits for the rest of its body releases its permit meanwhile, else a few slow
//! clients would block all others. The number of waiting calls has a limit of its own, a larger
//! one: waiting costs memory and no work. A call with a streaming response releases its permit
//! for good. Streams without a token are counted apart, so that strangers cannot use up those of
//! users.

use std::sync::{Arc, Mutex, PoisonError};

use shared::error::{Kind, refused_call};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use super::{
    connection_state::{CallInProgress, ConnectionState},
    fair_share::{ClientShare, PermitPools},
    limits::Limits,
    refusal_log::{Limit, RefusalLog},
};

/// The message to calls beyond the limits.
const TOO_MANY_CALLS: &str = "too many calls in progress, try again";

/// The message to streams beyond the limits.
const TOO_MANY_STREAMS: &str = "too many open streams, try again";

/// The admission of calls: permits from the share of one client and from the total.
#[derive(Clone)]
pub struct Admission {
    total: Arc<PermitPools>,
    share: ClientShare,
    connection: Option<Arc<ConnectionState>>,
    is_shared: bool,
    log: RefusalLog,
}

type Permits = [OwnedSemaphorePermit; 2];

impl Admission {
    /// The admission of a client that is not known yet.
    pub fn new(limits: &Limits, log: RefusalLog) -> Self {
        let (total, share) = (Arc::new(PermitPools::total(limits)), ClientShare::new(limits));
        Self { total, share, connection: None, is_shared: false, log }
    }

    /// The admission of a client with this share.
    pub fn of(&self, share: &ClientShare) -> Self {
        Self { share: share.clone(), ..self.clone() }
    }

    /// The admission of calls on this connection; `is_shared`: a proxy's, with calls of several
    /// clients.
    pub fn on(mut self, connection: Arc<ConnectionState>, is_shared: bool) -> Self {
        (self.connection, self.is_shared) = (Some(connection), is_shared);
        self
    }

    /// A permit for one call, until its last clone is dropped.
    pub fn acquire(&self) -> Result<Permit, Status> {
        let in_progress = self.connection.as_ref().map(ConnectionState::begin_call);
        let is_only = in_progress.as_ref().is_some_and(CallInProgress::is_only);
        let connection =
            (self.is_shared && is_only).then(|| self.acquire_connection()).transpose()?;
        let held = HeldPermits::Running(self.running()?);
        Ok(Permit(Arc::new(Call {
            held: Mutex::new(held),
            admission: self.clone(),
            _connection: connection,
            _in_progress: in_progress,
        })))
    }

    /// A permit for a stream without a token, until its last clone is dropped. The connection may
    /// still be evicted.
    pub fn acquire_public(&self) -> Result<Permit, Status> {
        let limits = (Limit::PublicStreams, Limit::PublicStreamsPerAddress);
        let permits = self
            .acquire_from(|pools| &pools.public_streams, limits)
            .ok_or_else(too_many_streams)?;
        Ok(Permit(Arc::new(Call {
            held: Mutex::new(HeldPermits::Stream(permits)),
            admission: self.clone(),
            _connection: None,
            _in_progress: None,
        })))
    }

    fn running(&self) -> Result<Permits, Status> {
        let limits = (Limit::Calls, Limit::CallsPerAddress);
        self.acquire_from(|pools| &pools.running, limits).ok_or_else(too_many_calls)
    }

    fn acquire_connection(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.share.acquire_connection().ok_or_else(|| {
            self.log.record(Limit::ConnectionsPerAddress, self.share.client());
            too_many_calls()
        })
    }

    /// Permits from one pool of the client and of the total; `None` if either is exhausted.
    fn acquire_from(
        &self,
        pool: impl Fn(&PermitPools) -> &Arc<Semaphore>,
        (total, per_address): (Limit, Limit),
    ) -> Option<Permits> {
        let acquire = |pools: &PermitPools, limit| {
            let permit = pool(pools).clone().try_acquire_owned();
            permit.map_err(|_| self.log.record(limit, self.share.client())).ok()
        };
        let of_client = acquire(self.share.pools(), per_address)?;
        Some([acquire(&self.total, total)?, of_client])
    }
}

fn too_many_calls() -> Status {
    refused_call(Kind::TooMany, TOO_MANY_CALLS)
}

fn too_many_streams() -> Status {
    refused_call(Kind::TooMany, TOO_MANY_STREAMS)
}

/// The permit of a call.
#[derive(Clone)]
pub struct Permit(Arc<Call>);

/// The permits of a call; released when dropped.
struct Call {
    held: Mutex<HeldPermits>,
    admission: Admission,
    _connection: Option<OwnedSemaphorePermit>,
    _in_progress: Option<CallInProgress>,
}

/// The permits that a call holds now.
#[expect(dead_code, reason = "released when dropped")]
enum HeldPermits {
    Running(Permits),
    Waiting(Permits),
    Stream(Permits),
}

/// Keeps the permits of a call from being released.
#[derive(Clone)]
#[expect(dead_code, reason = "released when dropped")]
pub struct PermitGuard(Arc<Call>);

impl Permit {
    /// Releases the permit while this call waits for its client.
    pub fn start_waiting(&self) -> Result<(), Status> {
        let (mut held, admission) = self.parts();
        if matches!(*held, HeldPermits::Running(_)) {
            let limits = (Limit::Bodies, Limit::BodiesPerAddress);
            let permits = admission.acquire_from(|pools| &pools.waiting, limits);
            *held = HeldPermits::Waiting(permits.ok_or_else(too_many_calls)?);
        }
        Ok(())
    }

    /// Takes a permit again when the body continues.
    pub fn resume(&self) -> Result<(), Status> {
        let (mut held, admission) = self.parts();
        if matches!(*held, HeldPermits::Waiting(_)) {
            *held = HeldPermits::Running(admission.running()?);
        }
        Ok(())
    }

    /// Releases the permit for good: the response is a stream.
    pub fn become_stream(&self) -> Result<(), Status> {
        let (mut held, admission) = self.parts();
        if !matches!(*held, HeldPermits::Stream(_)) {
            let limits = (Limit::Streams, Limit::StreamsPerAddress);
            let permits = admission.acquire_from(|pools| &pools.streams, limits);
            *held = HeldPermits::Stream(permits.ok_or_else(too_many_streams)?);
        }
        Ok(())
    }

    /// A guard that keeps the permits until its last clone is dropped.
    pub fn guard(&self) -> PermitGuard {
        PermitGuard(self.0.clone())
    }

    fn parts(&self) -> (std::sync::MutexGuard<'_, HeldPermits>, &Admission) {
        (self.0.held.lock().unwrap_or_else(PoisonError::into_inner), &self.0.admission)
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::admission::fair_share::WAITING_PER_PERMIT;

    fn all(limits: &Limits) -> Admission {
        Admission::new(limits, RefusalLog::default())
    }

    #[test]
    fn waiting_calls_have_a_limit() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let permits = all(&limits).of(&ClientShare::new(&limits));
        let waiting: Vec<_> = (0..WAITING_PER_PERMIT)
            .map(|_| {
                let permit = permits.acquire().expect("a permit");
                permit.start_waiting().expect("room to wait");
                permit
            })
            .collect();
        let one_more = permits.acquire().expect("a permit");
        assert!(one_more.start_waiting().is_err());
        assert!(waiting[0].resume().is_err(), "one works");
        drop(one_more);
        assert!(waiting[0].resume().is_ok());
    }

    /// Streams are counted apart from calls, in all and by client.
    #[test]
    fn a_stream_releases_the_permit_of_its_call() {
        let limits = Limits { calls: 1, streams: 2, streams_per_address: 1, ..Limits::default() };
        let all = all(&limits);
        let (here, there) = (ClientShare::new(&limits), ClientShare::new(&limits));
        let open = |share: &ClientShare| {
            let permit = all.of(share).acquire().expect("a permit");
            permit.become_stream().map(|()| permit)
        };
        let first = open(&here).expect("a slot");
        assert_eq!(open(&here).err().expect("one from here").code(), Code::ResourceExhausted);
        let _second = open(&there).expect("a slot");
        assert!(open(&ClientShare::new(&limits)).is_err(), "two in all");
        assert!(first.resume().is_ok() && all.of(&here).acquire().is_ok(), "it needs no permit");
        let guard = first.guard();
        drop(first);
        assert!(open(&here).is_err(), "still held");
        drop(guard);
        assert!(open(&here).is_ok());
    }

    #[test]
    fn streams_without_a_token_take_no_other_permit_and_do_not_prevent_eviction() {
        let limits = Limits {
            calls: 1,
            streams: 1,
            public_streams: 2,
            public_streams_per_address: 1,
            ..Limits::default()
        };
        let all = all(&limits);
        let (here, there) = (ClientShare::new(&limits), ClientShare::new(&limits));
        let connection = ConnectionState::new();
        let permits = all.of(&here).on(connection.clone(), false);
        let first = permits.acquire_public().expect("the first");
        assert!(permits.acquire_public().is_err(), "one of each client");
        assert!(connection.idle_since().is_some());
        let _second = all.of(&there).acquire_public().expect("of another");
        assert!(all.of(&ClientShare::new(&limits)).acquire_public().is_err(), "two in all");
        let call = permits.acquire().expect("a permit");
        assert!(connection.idle_since().is_none());
        call.become_stream().expect("a stream of a user");
        drop(first);
        assert!(permits.acquire_public().is_ok());
    }

    /// Through a proxy a client has calls on no more connections than it could open itself.
    #[test]
    fn a_client_behind_a_proxy_does_not_have_all_its_connections() {
        let limits = Limits { connections_per_address: 1, ..Limits::default() };
        let all = all(&limits);
        let (here, there) = (ClientShare::new(&limits), ClientShare::new(&limits));
        let (first, second) = (ConnectionState::new(), ConnectionState::new());
        let on_first = all.of(&here).on(first, true);
        let one = on_first.acquire().expect("the first connection");
        let _two = on_first.acquire().expect("another call on it");
        assert!(all.of(&here).on(second.clone(), true).acquire().is_err());
        assert!(second.idle_since().is_some(), "refused");
        let other = all.of(&there).on(second.clone(), true);
        assert!(other.acquire().is_ok(), "of another client");
        drop(one);
        assert!(all.of(&here).on(second, true).acquire().is_ok());
    }
}
