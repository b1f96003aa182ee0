//! ResponseBodies on their way to callers: each keeps its permit until the last of its bytes has
//! left this process, else callers that ask and do not read would hold any number of them
//! in memory.
//!
//! What the transport has taken of a body is not sent yet, and a body that the transport
//! cannot pass on is not asked for more. So neither the end of the body nor a timer inside
//! it tells anything: the bytes themselves hold the permit, and the connection looks how
//! long they have.
//!
//! An answer that lasts is watched piece by piece: it may be silent for as long as it likes,
//! but what it sends must be taken in time. So a slow reader holds what the transport
//! buffers, and not for long.

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

use crate::admission::permits::{Hold, Permit};

/// The answers of one connection that have not left in whole, and the pieces of those that
/// last.
#[derive(Clone)]
pub struct ResponseBodies {
    open: Arc<Mutex<Open>>,
    patience: Duration,
}

/// When each of them was given, oldest first.
#[derive(Default)]
struct Open {
    next: u64,
    given: BTreeMap<u64, Instant>,
}

impl ResponseBodies {
    /// None yet. One that takes longer than `patience` is overdue.
    pub fn new(patience: Duration) -> Self {
        Self { open: Arc::default(), patience }
    }

    /// Those of another connection: none yet.
    pub fn elsewhere(&self) -> Self {
        Self::new(self.patience)
    }

    /// `body` as it leaves, with the permit of its call.
    pub fn send(&self, body: Body, permit: &Permit) -> Body {
        let ticket = Arc::new(Ticket::new(&self.open, permit.hold()));
        Body::new(Leaving { body, ticket: move || ticket.clone() })
    }

    /// A `body` that lasts, piece by piece.
    pub fn stream(&self, body: Body, permit: &Permit) -> Body {
        let (open, hold) = (self.open.clone(), permit.hold());
        Body::new(Leaving { body, ticket: move || Arc::new(Ticket::new(&open, hold.clone())) })
    }

    /// Whether a caller has not taken an answer in time.
    pub fn are_overdue(&self) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.given.first_key_value().is_some_and(|(_, given)| given.elapsed() > self.patience)
    }

    /// How often to ask.
    pub fn period(&self) -> Duration {
        (self.patience / 4).max(Duration::from_millis(10))
    }
}

/// The entry of bytes that are to leave together, and what their call holds; given back
/// when the last of them is gone.
struct Ticket {
    open: Arc<Mutex<Open>>,
    number: u64,
    #[expect(dead_code, reason = "given back when dropped")]
    hold: Hold,
}

impl Ticket {
    /// From now on.
    fn new(open: &Arc<Mutex<Open>>, hold: Hold) -> Self {
        let mut entries = open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = entries.next;
        entries.next += 1;
        entries.given.insert(number, Instant::now());
        Self { open: open.clone(), number, hold }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.given.remove(&self.number);
    }
}

/// The body of an answer, with what says which ticket its next bytes have.
struct Leaving<F> {
    body: Body,
    ticket: F,
}

/// Bytes of it, wherever they are.
struct Kept {
    bytes: Bytes,
    #[expect(dead_code, reason = "lives as long as the bytes")]
    ticket: Arc<Ticket>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<F: Fn() -> Arc<Ticket> + Unpin> HttpBody for Leaving<F> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let kept = |bytes| Bytes::from_owner(Kept { bytes, ticket: (self.ticket)() });
        frame.map_ok(|frame| frame.map_data(kept))
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
    async fn an_answer_keeps_its_place_as_long_as_its_bytes_are_somewhere() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let permits = Admission::new(&limits, RefusalLog::default());
        let answers = ResponseBodies::new(Duration::from_secs(30));
        let permit = permits.take().expect("a permit");
        let mut body = answers.send(Body::new(Full::from("text")), &permit);
        drop(permit);
        let frame = body.frame().await.expect("a frame").expect("no error");
        let bytes = frame.into_data().expect("data");
        drop(body);
        assert!(permits.take().is_err(), "the transport still has the bytes");
        assert!(!answers.are_overdue());
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(answers.are_overdue());
        let slice = bytes.slice(..1);
        drop(bytes);
        assert!(permits.take().is_err(), "some of the bytes");
        drop(slice);
        assert!(permits.take().is_ok() && !answers.are_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_overdue_when_a_piece_is_not_taken_and_never_for_its_age() {
        let limits = Limits { calls: 1, streams: 1, ..Limits::default() };
        let permits = Admission::new(&limits, RefusalLog::default());
        let answers = ResponseBodies::new(Duration::from_secs(30));
        let permit = permits.take().expect("a permit");
        permit.outlast().expect("a slot");
        let (mut sender, body) = Channel::<Bytes, Status>::new(1);
        let mut body = answers.stream(Body::new(body), &permit);
        drop(permit);
        let mut piece = async |text: &'static str| {
            sender.send_data(Bytes::from_static(text.as_bytes())).await.expect("sent");
            body.frame().await.expect("a frame").expect("no error").into_data().expect("data")
        };
        for _ in 0..3 {
            tokio::time::advance(Duration::from_hours(1)).await;
            assert!(!answers.are_overdue());
            drop(piece("taken").await);
        }
        let left = piece("left").await;
        tokio::time::advance(Duration::from_secs(29)).await;
        let later = piece("later").await;
        assert!(!answers.are_overdue());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(answers.are_overdue());
        drop(left);
        assert!(!answers.are_overdue(), "the other has time left");
        drop(body);
        let crowded = |permits: &Admission| permits.take().expect("a permit").outlast().is_err();
        assert!(crowded(&permits), "its last piece keeps the slot");
        drop(later);
        assert!(!crowded(&permits));
    }
}
