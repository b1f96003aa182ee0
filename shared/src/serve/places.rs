//! Places: how many calls may be in progress, in all and from one address.
//!
//! A call that waits for its caller to send the rest of its body gives its place back
//! meanwhile, else a few slow callers would keep everybody out. How many may wait is limited
//! as well, more generously: waiting costs memory, and no work.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tonic::{Code, Status};

use super::{call::refusal, limits::Limits};

/// So many more calls may wait for their bodies than may be at work.
const WAITING_PER_PLACE: usize = 4;

/// How long a body may pause before its call counts as waiting.
const GRACE: Duration = Duration::from_millis(50);

/// What every call beyond the limits is told.
const BUSY: &str = "too many calls in progress, try again";

/// The places of one peer, among those of all.
#[derive(Clone)]
pub struct Places {
    at_work: Room,
    waiting: Room,
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
}

impl Share {
    /// As much as `limits` give to one address.
    pub fn new(limits: &Limits) -> Self {
        let calls = limits.calls_per_address;
        Self {
            at_work: Arc::new(Semaphore::new(calls)),
            waiting: Arc::new(Semaphore::new(calls * WAITING_PER_PLACE)),
        }
    }
}

impl Places {
    /// As many as `limits` say. Until it is known who calls, one peer may have them all.
    pub fn new(limits: &Limits) -> Self {
        Self {
            at_work: Room::of(limits.calls),
            waiting: Room::of(limits.calls * WAITING_PER_PLACE),
        }
    }

    /// Those of a peer with this share.
    pub fn of(&self, share: &Share) -> Self {
        let mut places = self.clone();
        places.at_work.of_peer = share.at_work.clone();
        places.waiting.of_peer = share.waiting.clone();
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
}

impl Place {
    /// Lets somebody else work while this call waits for its caller.
    fn wait(&self) -> Result<(), Status> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*held, Held::AtWork(_)) {
            *held = Held::Waiting(self.places.waiting.take().ok_or_else(busy)?);
        }
        Ok(())
    }

    /// Back to work.
    fn resume(&self) -> Result<(), Status> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*held, Held::Waiting(_)) {
            *held = Held::AtWork(self.places.at_work.take().ok_or_else(busy)?);
        }
        Ok(())
    }
}

/// The body of a call that gives its place back when nothing arrives for a moment.
pub struct Arriving<B = Incoming> {
    body: B,
    place: Option<Place>,
    /// Runs while nothing arrives.
    grace: Option<Pin<Box<Sleep>>>,
}

impl<B> Arriving<B> {
    pub fn new(body: B, place: Option<Place>) -> Self {
        Self { body, place, grace: None }
    }

    /// Whether nothing has arrived for longer than it takes an honest caller.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE))).as_mut().poll(cx).is_ready()
    }
}

impl<B> HttpBody for Arriving<B>
where
    B: HttpBody<Data = Bytes, Error: Into<tonic::codegen::StdError>> + Unpin,
{
    type Data = Bytes;
    type Error = tonic::codegen::StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let Some(place) = self.place.clone() else { return frame.map_err(Into::into) };
        let allowed = match frame {
            Poll::Pending if self.is_late(cx) => place.wait(),
            Poll::Pending => Ok(()),
            Poll::Ready(_) => place.resume(),
        };
        match allowed {
            Ok(()) => {
                if frame.is_ready() {
                    self.grace = None;
                }
                frame.map_err(Into::into)
            }
            Err(status) => Poll::Ready(Some(Err(status.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, channel::Channel};

    use super::*;

    fn places(calls: usize) -> Places {
        let limits = Limits { calls, ..Limits::default() };
        Places::new(&limits).of(&Share::new(&limits))
    }

    #[tokio::test]
    async fn a_call_that_waits_for_its_body_keeps_nobody_out() {
        let places = places(1);
        let place = places.take().expect("a place");
        assert!(places.take().is_err(), "one at a time");
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let body = tokio::spawn(Arriving::new(body, Some(place.clone())).collect());
        let other = loop {
            match places.take() {
                Ok(other) => break other,
                Err(_) => sleep(GRACE / 5).await,
            }
        };
        // While the other works, what arrives is refused; afterwards it is not.
        sender.send_data(Bytes::from_static(b"x")).await.expect("sent");
        let refused = body.await.expect("a task").expect_err("no place to work");
        let status = refused.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::ResourceExhausted);
        drop((other, place));
        assert!(places.take().is_ok());
    }

    #[tokio::test]
    async fn a_body_that_is_there_never_gives_its_place_back() {
        let places = places(1);
        let place = places.take().expect("a place");
        let body = http_body_util::Full::new(Bytes::from_static(b"whole"));
        let body = Arriving::new(body, Some(place.clone())).collect().await.expect("a body");
        assert_eq!(body.to_bytes(), "whole");
        assert!(places.take().is_err(), "still at work");
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
}
