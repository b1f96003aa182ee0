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

pub(super) type Permits = [OwnedSemaphorePermit; 2];

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

    /// A permit for one call at once, until its last clone is dropped.
    #[cfg(test)]
    pub fn acquire(&self) -> Result<Permit, Status> {
        let entry = self.enter()?;
        Ok(self.permit(self.running()?, entry))
    }

    /// The entry of a call on its connection.
    pub(super) fn enter(&self) -> Result<Entry, Status> {
        let in_progress = self.connection.as_ref().map(ConnectionState::begin_call);
        let is_only = in_progress.as_ref().is_some_and(CallInProgress::is_only);
        let connection =
            (self.is_shared && is_only).then(|| self.acquire_connection()).transpose()?;
        Ok(Entry { in_progress, connection })
    }

    /// The permit of a call that may run.
    pub(super) fn permit(&self, running: Permits, entry: Entry) -> Permit {
        let held = Mutex::new(HeldPermits::Running(running));
        Permit(Arc::new(Call { held, admission: self.clone(), entry }))
    }

    /// Permits to run now; `None` if there are none.
    pub(super) fn running_now(&self) -> Option<Permits> {
        let (of_client, total) = self.running_pools();
        let of_client = of_client.clone().try_acquire_owned().ok()?;
        Some([total.clone().try_acquire_owned().ok()?, of_client])
    }

    /// The pools of permits to run: of the client, and in total.
    pub(super) fn running_pools(&self) -> (&Arc<Semaphore>, &Arc<Semaphore>) {
        (&self.share.pools().running, &self.total.running)
    }

    /// Records a refusal by a limit.
    pub(super) fn record(&self, limit: Limit) {
        self.log.record(limit, self.share.client());
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
            entry: Entry { in_progress: None, connection: None },
        })))
    }

    fn running(&self) -> Result<Permits, Status> {
        let limits = (Limit::Calls, Limit::CallsPerAddress);
        self.acquire_from(|pools| &pools.running, limits).ok_or_else(too_many_calls)
    }

    fn acquire_connection(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.share.acquire_connection().ok_or_else(|| {
            self.record(Limit::ConnectionsPerAddress);
            too_many_calls()
        })
    }

    /// Permits from one pool of the client and of the total; `None` if either is exhausted.
    pub(super) fn acquire_from(
        &self,
        pool: impl Fn(&PermitPools) -> &Arc<Semaphore>,
        (total, per_address): (Limit, Limit),
    ) -> Option<Permits> {
        let acquire = |pools: &PermitPools, limit| {
            let permit = pool(pools).clone().try_acquire_owned();
            permit.map_err(|_| self.record(limit)).ok()
        };
        let of_client = acquire(self.share.pools(), per_address)?;
        Some([acquire(&self.total, total)?, of_client])
    }
}

pub(super) fn too_many_calls() -> Status {
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
    #[expect(dead_code, reason = "released when dropped")]
    entry: Entry,
}

/// A call on its connection; over when dropped.
#[expect(dead_code, reason = "released when dropped")]
pub(super) struct Entry {
    in_progress: Option<CallInProgress>,
    connection: Option<OwnedSemaphorePermit>,
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
#[path = "permits_tests.rs"]
mod tests;
