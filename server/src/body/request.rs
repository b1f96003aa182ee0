//! The bodies of calls, as they arrive: who keeps the server waiting gives its permit back,
//! and an upload that falls silent ends.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use shared::error::refused_call;
use tokio::time::{Instant, Sleep, sleep};
use tonic::{Code, codegen::StdError};

use crate::admission::permits::Permit;

/// How long a body may pause before its call counts as waiting.
const GRACE: Duration = Duration::from_millis(50);

/// How long an upload may be waited for in all before it is held to a rate.
const HEAD_START: Duration = Duration::from_secs(10);

/// So many bytes an upload must bring for each further second it is waited for. At that pace
/// the largest one takes days: what is slower only holds on to what others wait for.
const LEAST_RATE: u64 = 1024;

/// The body of a call that gives its permit back when nothing arrives for a moment.
pub struct RequestBody<B = Incoming> {
    body: B,
    permit: Option<Permit>,
    /// The longest pause, where the call as a whole has more time than that.
    longest: Option<Duration>,
    /// How long it was waited for in all, and how much came.
    waited: Duration,
    arrived: u64,
    /// Runs while nothing arrives.
    pause: Option<Pause>,
}

struct Pause {
    timer: Pin<Box<Sleep>>,
    begun: Instant,
    is_waiting: bool,
}

/// How long nothing has arrived.
enum Silence {
    /// As long as it may take an honest caller.
    Short,
    /// Longer than that.
    Long,
    /// Longer than is waited for.
    ForGood,
}

impl<B> RequestBody<B> {
    /// What has a `longest` pause is an upload: it may take as long as it likes, but no pause
    /// in it may, nor may all of them together for what it brings.
    pub fn new(body: B, permit: Option<Permit>, longest: Option<Duration>) -> Self {
        Self { body, permit, longest, waited: Duration::ZERO, arrived: 0, pause: None }
    }

    /// Whether an upload brings too little for as long as it was waited for. What the server
    /// itself takes does not count.
    fn is_too_slow(&mut self, bytes: usize) -> bool {
        if let Some(pause) = self.pause.take() {
            self.waited += pause.begun.elapsed();
        }
        self.arrived += bytes as u64;
        let allowed = HEAD_START + Duration::from_secs(self.arrived / LEAST_RATE);
        self.longest.is_some() && self.waited > allowed
    }

    fn silence(&mut self, cx: &mut Context<'_>) -> Silence {
        let pause = self.pause.get_or_insert_with(|| Pause {
            timer: Box::pin(sleep(GRACE)),
            begun: Instant::now(),
            is_waiting: false,
        });
        if !pause.is_waiting {
            if pause.timer.as_mut().poll(cx).is_pending() {
                return Silence::Short;
            }
            pause.is_waiting = true;
            if let Some(longest) = self.longest {
                pause.timer.as_mut().reset(Instant::now() + longest.saturating_sub(GRACE));
            }
        }
        let is_over = self.longest.is_some() && pause.timer.as_mut().poll(cx).is_ready();
        if is_over { Silence::ForGood } else { Silence::Long }
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
        let allowed = if let Poll::Ready(arrived) = &frame {
            let data = arrived.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            if self.is_too_slow(data.map_or(0, Bytes::len)) {
                Err(refused_call(Code::DeadlineExceeded, "the upload is too slow"))
            } else {
                permit.resume()
            }
        } else {
            match self.silence(cx) {
                Silence::Short => Ok(()),
                Silence::Long => permit.wait(),
                Silence::ForGood => {
                    Err(refused_call(Code::DeadlineExceeded, "the upload paused for too long"))
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
    use tonic::Status;

    use super::*;
    use crate::admission::{limits::Limits, permits::Admission, refusal_log::RefusalLog};

    fn permits(calls: usize) -> Admission {
        let limits = Limits { calls, ..Limits::default() };
        Admission::new(&limits, RefusalLog::default())
    }

    #[tokio::test]
    async fn a_call_that_waits_for_its_body_keeps_nobody_out() {
        let permits = permits(1);
        let permit = permits.take().expect("a permit");
        assert!(permits.take().is_err(), "one at a time");
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let body = tokio::spawn(RequestBody::new(body, Some(permit.clone()), None).collect());
        let other = loop {
            match permits.take() {
                Ok(other) => break other,
                Err(_) => sleep(GRACE / 5).await,
            }
        };
        // While the other works, what arrives is refused; afterwards it is not.
        sender.send_data(Bytes::from_static(b"x")).await.expect("sent");
        let refused = body.await.expect("a task").expect_err("no permit to work");
        let status = refused.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::ResourceExhausted);
        drop((other, permit));
        assert!(permits.take().is_ok());
    }

    #[tokio::test]
    async fn a_body_that_is_there_never_gives_its_place_back() {
        let permits = permits(1);
        let permit = permits.take().expect("a permit");
        let body = http_body_util::Full::new(Bytes::from_static(b"whole"));
        let body =
            RequestBody::new(body, Some(permit.clone()), None).collect().await.expect("a body");
        assert_eq!(body.to_bytes(), "whole");
        assert!(permits.take().is_err(), "still at work");
    }

    /// An upload takes as long as it takes, as long as something arrives.
    #[tokio::test(start_paused = true)]
    async fn an_upload_may_be_slow_but_not_silent() {
        let (longest, permits) = (Duration::from_secs(5), permits(1));
        let permit = permits.take().expect("a permit");
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        let mut body = RequestBody::new(body, Some(permit), Some(longest));
        for _ in 0..10 {
            let slow = async {
                sleep(Duration::from_millis(4900)).await;
                sender.send_data(Bytes::from_static(&[b'x'; 8192])).await.expect("sent");
            };
            let (frame, ()) = tokio::join!(body.frame(), slow);
            assert!(frame.expect("a frame").is_ok());
            assert!(permits.take().is_err(), "back at work");
        }
        let start = Instant::now();
        let silent = body.frame().await.expect("a frame").expect_err("too long");
        assert_eq!(start.elapsed(), longest);
        assert!(permits.take().is_ok(), "it waited");
        let status = silent.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }

    /// Whoever sends a byte now and then holds nothing for long.
    #[tokio::test(start_paused = true)]
    async fn an_upload_that_only_trickles_ends() {
        let permits = permits(1);
        let permit = permits.take().expect("a permit");
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
        assert!(start.elapsed() < HEAD_START * 2, "{:?}", start.elapsed());
        let status = slow.downcast_ref::<Status>().expect("a status");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }
}
