//! A connection, HTTP/2 or HTTP/1.1: handshake deadline, keep-alive, draining (GOAWAY), eviction.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::head_timer::HeadTimer;
use crate::{
    admission::{connection_state::ConnectionState, limits::Limits},
    layers::call::ConnectionCalls,
    shutdown::ShutdownSignal,
};

/// The client preface and the head of the SETTINGS frame that must follow it (RFC 9113 section
/// 3.4); no valid request in HTTP/1.1 is shorter. A client that has sent less is silent.
const HANDSHAKE_BYTES: usize = 24 + 9;

/// The grace period after GOAWAY for a client without a call: over HTTP/2 it learns first that
/// the connection is to close, so that no call is lost in flight.
const GOAWAY_GRACE: Duration = Duration::from_secs(1);

/// The closing of a connection.
enum Closing {
    /// Of one without a call in progress.
    Idle,
    /// Of one whose calls may finish within this time.
    Draining(Duration),
}

impl Closing {
    /// The time after which the connection is cut.
    fn limit(&self) -> Duration {
        match self {
            Self::Idle => GOAWAY_GRACE,
            Self::Draining(limit) => *limit,
        }
    }
}

/// Serves `stream` until the client disconnects, breaks the protocol, stays silent or is evicted,
/// or the server drains.
pub fn serve(
    stream: Box<dyn Stream>,
    calls: ConnectionCalls,
    limits: &Limits,
    stopping: ShutdownSignal,
    state: Arc<ConnectionState>,
) -> impl Future<Output = ()> + Send + use<> {
    let received = Arc::new(AtomicUsize::new(0));
    let head_timer = HeadTimer::new(limits.handshake_timeout);
    let stream =
        CountedStream { stream, received: received.clone(), head_timer: head_timer.clone() };
    let is_silent = move || received.load(Ordering::Relaxed) < HANDSHAKE_BYTES;
    let (handshake_timeout, keep_alive) = (limits.handshake_timeout, limits.keep_alive_timeout);
    // An upload that has just begun gets its full time. On shutdown the drain deadline is shorter.
    let grace = limits.upload_timeout + limits.answer_timeout;
    let age = jittered(limits.connection_age);
    let (response_bodies, draining) = (calls.response_bodies.clone(), calls.draining.clone());
    let to_finish = limits.request_timeout;
    async move {
        let http = http(handshake_timeout, head_timer.clone());
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), calls));
        let mut handshake = pin!(tokio::time::sleep(handshake_timeout));
        let mut age_limit = pin!(tokio::time::sleep(age));
        let mut check_timer =
            tokio::time::interval(response_bodies.check_interval().min(keep_alive / 4));
        let mut handshake_done = false;
        let mut closing: Option<Closing> = None;
        let mut evicted = false;
        let mut stopped = pin!(stopping.stopped());
        loop {
            let mut next = None;
            tokio::select! {
                // An error here is the client's, which knows it.
                _ended = connection.as_mut() => return,
                () = handshake.as_mut(), if !handshake_done => {
                    handshake_done = true;
                    if !state.has_called() {
                        // HTTP/1.1 has no GOAWAY.
                        if is_silent() || head_timer.is_used() {
                            return;
                        }
                        next = Some(Closing::Idle);
                    }
                }
                () = age_limit.as_mut() => {
                    match closing {
                        // No call may last that long.
                        Some(Closing::Draining(_)) => return,
                        Some(Closing::Idle) if state.idle_since().is_some() => return,
                        _ => {}
                    }
                    next = Some(Closing::Draining(grace));
                }
                immediately = state.evicted(), if !evicted => {
                    if immediately || is_silent() {
                        return;
                    }
                    evicted = true;
                    next = Some(Closing::Idle);
                }
                // One overdue response costs the client the connection; its other calls may finish.
                _ = check_timer.tick(), if closing.is_none() => {
                    if response_bodies.are_overdue() {
                        next = Some(Closing::Draining(to_finish));
                    } else if head_timer.idle().is_some_and(|idle| idle >= keep_alive)
                        // A pipelined request may be in progress.
                        && state.idle_since().is_some()
                    {
                        next = Some(Closing::Idle);
                    }
                }
                () = stopped.as_mut(), if closing.is_none() => {
                    // A connection without a handshake would not receive GOAWAY.
                    if is_silent() {
                        return;
                    }
                    next = Some(Closing::Draining(grace));
                }
            }
            if let Some(next) = next {
                // No new calls, and an end to endless streams.
                connection.as_mut().graceful_shutdown();
                draining.begin();
                age_limit.as_mut().reset(Instant::now() + next.limit());
                closing = Some(next);
            }
        }
    }
}

/// Both HTTP versions, within limits. In HTTP/1.1 `head_timeout` holds for the head of each
/// request.
fn http(head_timeout: Duration, head_timer: HeadTimer) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(head_timer)
        .header_read_timeout(head_timeout)
        .max_headers(100)
        .max_buf_size(16 * 1024);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(16 * 1024)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    http
}

/// Up to a tenth more than `age`, so that connections opened together do not close together.
fn jittered(age: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    age.mul_f64(1.0 + share / 10.0)
}

/// The bytes of a connection: of a socket, of TLS, or within the process.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream that counts the bytes received.
struct CountedStream {
    stream: Box<dyn Stream>,
    received: Arc<AtomicUsize>,
    head_timer: HeadTimer,
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let more = buffer.filled().len() - before;
        if more > 0 {
            self.received.fetch_add(more, Ordering::Relaxed);
            self.head_timer.on_bytes();
        }
        polled
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
