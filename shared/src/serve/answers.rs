//! Answers on their way to callers: each keeps its place until the last of its bytes has
//! left this process, else callers that ask and do not read would hold any number of them
//! in memory.
//!
//! What the transport has taken of a body is not sent yet, and a body that the transport
//! cannot pass on is not asked for more. So neither the end of the body nor a timer inside
//! it tells anything: the bytes themselves hold the place, and the connection looks how
//! long they have.

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

use super::places::Place;

/// The answers of one connection that have not left in whole.
#[derive(Clone)]
pub struct Answers {
    open: Arc<Mutex<Open>>,
    patience: Duration,
}

/// When each of them was given, oldest first.
#[derive(Default)]
struct Open {
    next: u64,
    given: BTreeMap<u64, Instant>,
}

impl Answers {
    /// None yet. One that takes longer than `patience` is overdue.
    pub fn new(patience: Duration) -> Self {
        Self { open: Arc::default(), patience }
    }

    /// Those of another connection: none yet.
    pub fn elsewhere(&self) -> Self {
        Self::new(self.patience)
    }

    /// `body` as it leaves, with the place of its call.
    pub fn send(&self, body: Body, place: Place) -> Body {
        let ticket = Ticket { open: self.open.clone(), number: self.note(), place };
        Body::new(Leaving { body, ticket: Arc::new(ticket) })
    }

    fn note(&self) -> u64 {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.next;
        open.next += 1;
        open.given.insert(number, Instant::now());
        number
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

/// One answer's entry and place, given back when the last of its bytes is gone.
struct Ticket {
    open: Arc<Mutex<Open>>,
    number: u64,
    #[expect(dead_code, reason = "given back when dropped")]
    place: Place,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.given.remove(&self.number);
    }
}

/// The body of an answer.
struct Leaving {
    body: Body,
    ticket: Arc<Ticket>,
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

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let kept = |bytes| Bytes::from_owner(Kept { bytes, ticket: self.ticket.clone() });
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
    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::serve::{
        Limits,
        places::{Places, Share},
    };

    #[tokio::test(start_paused = true)]
    async fn an_answer_keeps_its_place_as_long_as_its_bytes_are_somewhere() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let places = Places::new(&limits).of(&Share::new(&limits));
        let answers = Answers::new(Duration::from_secs(30));
        let place = places.take().expect("a place");
        let mut body = answers.send(Body::new(Full::from("text")), place);
        let frame = body.frame().await.expect("a frame").expect("no error");
        let bytes = frame.into_data().expect("data");
        drop(body);
        assert!(places.take().is_err(), "the transport still has the bytes");
        assert!(!answers.are_overdue());
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(answers.are_overdue());
        let slice = bytes.slice(..1);
        drop(bytes);
        assert!(places.take().is_err(), "some of the bytes");
        drop(slice);
        assert!(places.take().is_ok() && !answers.are_overdue());
    }
}
