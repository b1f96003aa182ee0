//! The response body of a call: it keeps the permit until its last byte has left this process, else
//! clients that send requests and do not read would hold any number of responses in memory.
//!
//! The transport buffers a body, and does not poll one that it cannot send. So neither the end of
//! the body nor a timer inside shows progress: the bytes themselves hold the permit, and the
//! connection checks their age.
//!
//! A stream is tracked piece by piece: it may be silent without limit, but each piece must be
//! read in time. So a slow reader holds what the transport buffers, and not for long.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use crate::admission::permits::{Permit, PermitGuard};

/// The response bodies of one connection that are not sent in full, and the unsent pieces of
/// streams.
#[derive(Clone)]
pub struct ResponseBodies {
    pending: Arc<Mutex<Pending>>,
    timeout: Duration,
}

/// The time at which each began, oldest first.
#[derive(Default)]
struct Pending {
    next: u64,
    started: BTreeMap<u64, Instant>,
}

impl ResponseBodies {
    /// No bodies yet. One that takes longer than `timeout` is overdue.
    pub fn new(timeout: Duration) -> Self {
        Self { pending: Arc::default(), timeout }
    }

    /// The bodies of another connection.
    pub fn for_connection(&self) -> Self {
        Self::new(self.timeout)
    }

    /// `body`, tracked as a whole, with the permit of its call.
    pub fn send(&self, body: Body, permit: &Permit) -> Body {
        let ticket = Arc::new(Ticket::new(&self.pending, permit.guard()));
        Body::new(TrackedBody { body, ticket: move || ticket.clone() })
    }

    /// A streaming `body`, tracked piece by piece.
    pub fn stream(&self, body: Body, permit: &Permit) -> Body {
        let (pending, guard) = (self.pending.clone(), permit.guard());
        Body::new(TrackedBody {
            body,
            ticket: move || Arc::new(Ticket::new(&pending, guard.clone())),
        })
    }

    /// Whether the client has not read a response in time.
    pub fn are_overdue(&self) -> bool {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending
            .started
            .first_key_value()
            .is_some_and(|(_, started)| started.elapsed() > self.timeout)
    }

    /// The period of the checks.
    pub fn check_interval(&self) -> Duration {
        (self.timeout / 4).max(Duration::from_millis(10))
    }
}

/// The entry of bytes that are sent together, with the permit of their call; released when the
/// last of them is sent.
struct Ticket {
    pending: Arc<Mutex<Pending>>,
    number: u64,
    #[expect(dead_code, reason = "released when dropped")]
    guard: PermitGuard,
}

impl Ticket {
    /// A new entry, as of now.
    fn new(pending: &Arc<Mutex<Pending>>, guard: PermitGuard) -> Self {
        let mut entries = pending.lock().unwrap_or_else(PoisonError::into_inner);
        let number = entries.next;
        entries.next += 1;
        entries.started.insert(number, Instant::now());
        Self { pending: pending.clone(), number, guard }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.started.remove(&self.number);
    }
}

/// A response body, with the source of tickets for its bytes.
struct TrackedBody<F> {
    body: Body,
    ticket: F,
}

/// Bytes of a body, with their ticket.
struct TrackedBytes {
    bytes: Bytes,
    #[expect(dead_code, reason = "lives as long as the bytes")]
    ticket: Arc<Ticket>,
}

impl AsRef<[u8]> for TrackedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<F: Fn() -> Arc<Ticket> + Unpin> HttpBody for TrackedBody<F> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let tracked = |bytes| Bytes::from_owner(TrackedBytes { bytes, ticket: (self.ticket)() });
        frame.map_ok(|frame| frame.map_data(tracked))
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
    use http_body_util::{BodyExt, Full, channel::Channel};

    use super::*;
    use crate::admission::{limits::Limits, permits::Admission, refusal_log::RefusalLog};

    #[tokio::test(start_paused = true)]
    async fn a_response_keeps_its_permit_until_its_bytes_are_sent() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let admission = Admission::new(&limits, RefusalLog::default());
        let responses = ResponseBodies::new(Duration::from_secs(30));
        let permit = admission.acquire().expect("a permit");
        let mut body = responses.send(Body::new(Full::from("text")), &permit);
        drop(permit);
        let frame = body.frame().await.expect("a frame").expect("no error");
        let bytes = frame.into_data().expect("data");
        drop(body);
        assert!(admission.acquire().is_err(), "the transport still has the bytes");
        assert!(!responses.are_overdue());
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(responses.are_overdue());
        let slice = bytes.slice(..1);
        drop(bytes);
        assert!(admission.acquire().is_err(), "some of the bytes");
        drop(slice);
        assert!(admission.acquire().is_ok() && !responses.are_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_overdue_when_a_piece_is_not_read_and_never_for_its_age() {
        let limits = Limits { calls: 1, streams: 1, ..Limits::default() };
        let admission = Admission::new(&limits, RefusalLog::default());
        let responses = ResponseBodies::new(Duration::from_secs(30));
        let permit = admission.acquire().expect("a permit");
        permit.become_stream().expect("a slot");
        let (mut sender, body) = Channel::<Bytes, Status>::new(1);
        let mut body = responses.stream(Body::new(body), &permit);
        drop(permit);
        let mut piece = async |text: &'static str| {
            sender.send_data(Bytes::from_static(text.as_bytes())).await.expect("sent");
            body.frame().await.expect("a frame").expect("no error").into_data().expect("data")
        };
        for _ in 0..3 {
            tokio::time::advance(Duration::from_hours(1)).await;
            assert!(!responses.are_overdue());
            drop(piece("taken").await);
        }
        let left = piece("left").await;
        tokio::time::advance(Duration::from_secs(29)).await;
        let later = piece("later").await;
        assert!(!responses.are_overdue());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(responses.are_overdue());
        drop(left);
        assert!(!responses.are_overdue(), "the other has time left");
        drop(body);
        let too_many_streams =
            |admission: &Admission| admission.acquire().expect("a permit").become_stream().is_err();
        assert!(too_many_streams(&admission), "its last piece keeps the slot");
        drop(later);
        assert!(!too_many_streams(&admission));
    }
}
