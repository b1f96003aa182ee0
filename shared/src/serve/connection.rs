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

use super::{
    call::{Calls, Wire},
    limits::Limits,
    stopping::Stopping,
};

/// The client preface and the head of the SETTINGS frame that must follow it (RFC 9113
/// section 3.4); no request in HTTP/1.1 that names a host and asks for anything is shorter.
/// A peer that has sent less has said nothing yet.
const HANDSHAKE_BYTES: usize = 24 + 9;

/// Serves `stream` until the peer leaves, breaks the protocol, stays silent, or the server
/// drains.
pub fn serve<W: Wire>(
    stream: TcpStream,
    calls: Calls<W>,
    limits: &Limits,
    stopping: Stopping,
) -> impl Future<Output = ()> + Send + use<W> {
    let heard = Arc::new(AtomicUsize::new(0));
    let stream = Counted { stream, heard: heard.clone() };
    let silent = move || heard.load(Ordering::Relaxed) < HANDSHAKE_BYTES;
    let handshake_timeout = limits.handshake_timeout;
    // An upload that has just begun may take its time. On a stop, the drain is shorter.
    let grace = limits.upload_timeout + limits.answer_timeout;
    let age = jittered(limits.connection_age);
    let (answers, departure) = (calls.answers().clone(), calls.departure().clone());
    let to_finish = limits.request_timeout;
    async move {
        let http = http(handshake_timeout);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), calls));
        let mut handshake = pin!(tokio::time::sleep(handshake_timeout));
        let mut old = pin!(tokio::time::sleep(age));
        let mut patrol = tokio::time::interval(answers.period());
        let mut greeted = false;
        let mut leaving = false;
        let mut stopped = pin!(stopping.stopped());
        loop {
            let mut leave = None;
            tokio::select! {
                // An error here is the peer's doing, and it knows.
                _ended = connection.as_mut() => return,
                () = handshake.as_mut(), if !greeted => {
                    if silent() {
                        return;
                    }
                    greeted = true;
                }
                () = old.as_mut() => {
                    // Asked to leave a while ago, it is still here: no call may last that long.
                    if leaving {
                        return;
                    }
                    leave = Some(grace);
                }
                // One answer that is not taken costs its caller the connection; the other
                // calls on it may finish.
                _ = patrol.tick(), if !leaving => {
                    if answers.are_overdue() {
                        leave = Some(to_finish);
                    }
                }
                () = stopped.as_mut(), if !leaving => {
                    // A connection that never began would not notice a polite good-bye.
                    if silent() {
                        return;
                    }
                    leave = Some(grace);
                }
            }
            if let Some(time) = leave {
                leaving = true;
                // No new calls, and an end to the streams that have none of their own.
                connection.as_mut().graceful_shutdown();
                departure.now();
                old.as_mut().reset(Instant::now() + time);
            }
        }
    }
}

/// Both versions, within limits. In HTTP/1.1 `patience` holds for the head of each request,
/// and between requests.
fn http(patience: Duration) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
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
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.heard.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
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
