//! One connection, HTTP/2 or HTTP/1.1, from its first byte to its end.

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
    net::TcpStream,
    time::Instant,
};

use super::head_timer::HeadTimer;
use crate::{
    admission::{connection_state::ConnectionState, limits::Limits},
    layers::call::{CallChain, Protocol},
    shutdown::ShutdownSignal,
};

/// The client preface and the head of the SETTINGS frame that must follow it (RFC 9113
/// section 3.4); no request in HTTP/1.1 that names a host and asks for anything is shorter.
/// A peer that has sent less has said nothing yet.
const HANDSHAKE_BYTES: usize = 24 + 9;

/// How long a peer without a call has for its good-bye: over HTTP/2 it is told first that the
/// connection is to close, so that a call on its way is not lost.
const GOOD_BYE: Duration = Duration::from_secs(1);

/// Serves `stream` until the peer leaves, breaks the protocol, stays silent, must make room,
/// or the server drains.
pub fn serve<W: Protocol>(
    stream: TcpStream,
    calls: CallChain<W>,
    limits: &Limits,
    stopping: ShutdownSignal,
    state: Arc<ConnectionState>,
) -> impl Future<Output = ()> + Send + use<W> {
    let heard = Arc::new(AtomicUsize::new(0));
    let heads = HeadTimer::new(limits.handshake_timeout);
    let stream = Counted { stream, heard: heard.clone(), heads: heads.clone() };
    let silent = move || heard.load(Ordering::Relaxed) < HANDSHAKE_BYTES;
    let (handshake_timeout, keep_alive) = (limits.handshake_timeout, limits.keep_alive_timeout);
    // An upload that has just begun may take its time. On a stop, the drain is shorter.
    let grace = limits.upload_timeout + limits.answer_timeout;
    let age = jittered(limits.connection_age);
    let (answers, draining) = (calls.answers().clone(), calls.draining().clone());
    let to_finish = limits.request_timeout;
    async move {
        let http = http(handshake_timeout, heads.clone());
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), calls));
        let mut handshake = pin!(tokio::time::sleep(handshake_timeout));
        let mut old = pin!(tokio::time::sleep(age));
        let mut patrol = tokio::time::interval(answers.period().min(keep_alive / 4));
        let mut greeted = false;
        let mut leaving = None;
        let mut evicted = false;
        let mut stopped = pin!(stopping.stopped());
        loop {
            let mut leave = None;
            tokio::select! {
                // An error here is the peer's doing, and it knows.
                _ended = connection.as_mut() => return,
                () = handshake.as_mut(), if !greeted => {
                    greeted = true;
                    if !state.has_called() {
                        // In HTTP/1.1 there is no word for it.
                        if silent() || heads.is_used() {
                            return;
                        }
                        leave = Some(GOOD_BYE);
                    }
                }
                () = old.as_mut() => {
                    // RequestInfo to leave a while ago, it is still here: no call may last that long.
                    let is_idle = state.idle_since().is_some();
                    if leaving.is_some_and(|time| time != GOOD_BYE || is_idle) {
                        return;
                    }
                    leave = Some(grace);
                }
                at_once = state.evicted(), if !evicted => {
                    if at_once || silent() {
                        return;
                    }
                    evicted = true;
                    leave = Some(GOOD_BYE);
                }
                // One answer that is not taken costs its caller the connection; the other
                // calls on it may finish.
                _ = patrol.tick(), if leaving.is_none() => {
                    if answers.are_overdue() {
                        leave = Some(to_finish);
                    } else if heads.idle().is_some_and(|idle| idle >= keep_alive)
                        // A request may have come together with the one before it.
                        && state.idle_since().is_some()
                    {
                        leave = Some(GOOD_BYE);
                    }
                }
                () = stopped.as_mut(), if leaving.is_none() => {
                    // A connection that never began would not notice a polite good-bye.
                    if silent() {
                        return;
                    }
                    leave = Some(grace);
                }
            }
            if let Some(time) = leave {
                leaving = leave;
                // No new calls, and an end to the streams that have none of their own.
                connection.as_mut().graceful_shutdown();
                draining.now();
                old.as_mut().reset(Instant::now() + time);
            }
        }
    }
}

/// Both versions, within limits. In HTTP/1.1 `patience` holds for the head of each request.
fn http(patience: Duration, heads: HeadTimer) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(heads)
        .header_read_timeout(patience)
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

/// Up to a tenth more than `age`, so that connections made together do not leave together.
fn jittered(age: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    age.mul_f64(1.0 + share / 10.0)
}

/// Counts the bytes the peer has sent.
struct Counted {
    stream: TcpStream,
    heard: Arc<AtomicUsize>,
    heads: HeadTimer,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let more = buffer.filled().len() - before;
        if more > 0 {
            self.heard.fetch_add(more, Ordering::Relaxed);
            self.heads.hear();
        }
        polled
    }
}

impl AsyncWrite for Counted {
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
