//! The request body of a call: the call releases its permit while the body pauses (backpressure),
//! and an upload that stalls ends.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use shared::error::{Kind, refused_call};
use tokio::time::{Instant, Sleep, sleep};
use tonic::codegen::StdError;

use crate::admission::permits::Permit;

/// The pause after which a call counts as waiting.
const PAUSE_GRACE: Duration = Duration::from_millis(50);

/// The waiting time of an upload before the minimum rate applies.
const RATE_GRACE: Duration = Duration::from_secs(10);

/// The minimum rate of an upload, per second of waiting. At that rate the largest upload takes
/// days: a slower one only occupies resources.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// The body of a call, which releases the call's permit when nothing arrives for a moment.
pub struct RequestBody<B = Incoming> {
    body: B,
    permit: Option<Permit>,
    /// The longest pause of an upload.
    max_pause: Option<Duration>,
    /// The total waiting time, and the bytes received.
    waiting_time: Duration,
    received: u64,
    /// The current pause.
    pause: Option<Pause>,
}

struct Pause {
    timer: Pin<Box<Sleep>>,
    begun: Instant,
    is_waiting: bool,
}

/// The state of a pause.
enum PauseState {
    /// A short pause, as networks have.
    Short,
    /// Longer: the call waits.
    Waiting,
    /// Too long: the upload ends.
    TimedOut,
}

impl<B> RequestBody<B> {
    /// A body with `max_pause` is an upload: limited by each pause and by its rate, not in total
    /// time.
    pub fn new(body: B, permit: Option<Permit>, max_pause: Option<Duration>) -> Self {
        Self { body, permit, max_pause, waiting_time: Duration::ZERO, received: 0, pause: None }
    }

    /// Whether an upload is below the minimum rate. Time that the server itself takes does not
    /// count.
    fn is_too_slow(&mut self, bytes: usize) -> bool {
        if let Some(pause) = self.pause.take() {
            self.waiting_time += pause.begun.elapsed();
        }
        self.received += bytes as u64;
        let allowed = RATE_GRACE + Duration::from_secs(self.received / MIN_BYTES_PER_SECOND);
        self.max_pause.is_some() && self.waiting_time > allowed
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> PauseState {
        let pause = self.pause.get_or_insert_with(|| Pause {
            timer: Box::pin(sleep(PAUSE_GRACE)),
            begun: Instant::now(),
            is_waiting: false,
        });
        if !pause.is_waiting {
            if pause.timer.as_mut().poll(cx).is_pending() {
                return PauseState::Short;
            }
            pause.is_waiting = true;
            if let Some(max_pause) = self.max_pause {
                pause.timer.as_mut().reset(Instant::now() + max_pause.saturating_sub(PAUSE_GRACE));
            }
        }
        let is_over = self.max_pause.is_some() && pause.timer.as_mut().poll(cx).is_ready();
        if is_over { PauseState::TimedOut } else { PauseState::Waiting }
    }
}

impl<B> HttpBody for RequestBody<B>
where
    B: HttpBody<Data = Bytes, Error: Into<StdError>> + Unpin,
{
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let Some(permit) = self.permit.clone() else { return frame.map_err(Into::into) };
        let allowed = if let Poll::Ready(received) = &frame {
            let data = received.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            if self.is_too_slow(data.map_or(0, Bytes::len)) {
                Err(refused_call(Kind::TimedOut, "the upload is too slow"))
            } else {
                permit.resume()
            }
        } else {
            match self.poll_pause(cx) {
                PauseState::Short => Ok(()),
                PauseState::Waiting => permit.start_waiting(),
                PauseState::TimedOut => {
                    Err(refused_call(Kind::TimedOut, "the upload paused for too long"))
                }
            }
        };
        match allowed {
            Ok(()) => frame.map_err(Into::into),
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
    use tonic::{Code, Status};

    use super::*;
    use crate::admission::{limits::Limits, permits::Admission, refusal_log::RefusalLog};

    fn admission(calls: usize) -> Admission {
        let limits = Limits { calls, ..Limits::default() };
        Admission::new(&limits, RefusalLog::default())
    }

    #[tokio::test]
    async fn a_call_that_waits_for_its_body_blocks_no_other() {
        let admission = admission(1);
        let permit = admission.acquire().expect("a permit");
        assert!(admission.acquire().is_err(), "one at a time");
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let body = tokio::spawn(RequestBody::new(body, Some(permit.clone()), None).collect());
        let other = loop {
            match admission.acquire() {
                Ok(other) => break other,
                Err(_) => sleep(PAUSE_GRACE / 5).await,
            }
        };
        // While the other works, what arrives is refused; afterwards it is not.
        sender.send_data(Bytes::from_static(b"x")).await.expect("sent");
        let refused = body.await.expect("a task").expect_err("no permit to work");
        let status = refused.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::ResourceExhausted);
        drop((other, permit));
        assert!(admission.acquire().is_ok());
    }

    #[tokio::test]
    async fn a_complete_body_keeps_its_permit() {
        let admission = admission(1);
        let permit = admission.acquire().expect("a permit");
        let body = http_body_util::Full::new(Bytes::from_static(b"whole"));
        let body =
            RequestBody::new(body, Some(permit.clone()), None).collect().await.expect("a body");
        assert_eq!(body.to_bytes(), "whole");
        assert!(admission.acquire().is_err(), "still at work");
    }

    /// An upload takes as long as it takes, as long as something arrives.
    #[tokio::test(start_paused = true)]
    async fn an_upload_may_be_slow_but_not_silent() {
        let (max_pause, admission) = (Duration::from_secs(5), admission(1));
        let permit = admission.acquire().expect("a permit");
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let mut body = RequestBody::new(body, Some(permit), Some(max_pause));
        for _ in 0..10 {
            let slow = async {
                sleep(Duration::from_millis(4900)).await;
                sender.send_data(Bytes::from_static(&[b'x'; 8192])).await.expect("sent");
            };
            let (frame, ()) = tokio::join!(body.frame(), slow);
            assert!(frame.expect("a frame").is_ok());
            assert!(admission.acquire().is_err(), "back at work");
        }
        let start = Instant::now();
        let silent = body.frame().await.expect("a frame").expect_err("too long");
        assert_eq!(start.elapsed(), max_pause);
        assert!(admission.acquire().is_ok(), "it waited");
        let status = silent.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }

    /// Whoever sends a byte now and then holds nothing for long.
    #[tokio::test(start_paused = true)]
    async fn an_upload_below_the_minimum_rate_ends() {
        let admission = admission(1);
        let permit = admission.acquire().expect("a permit");
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let mut body = RequestBody::new(body, Some(permit), Some(Duration::from_secs(5)));
        let start = Instant::now();
        let slow = loop {
            let trickle = async {
                sleep(Duration::from_secs(1)).await;
                sender.send_data(Bytes::from_static(b"{\"title\": \"a")).await.expect("sent");
            };
            let (frame, ()) = tokio::join!(body.frame(), trickle);
            if let Err(slow) = frame.expect("a frame") {
                break slow;
            }
        };
        assert!(start.elapsed() < RATE_GRACE * 2, "{:?}", start.elapsed());
        let status = slow.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }
}
