//! Graceful shutdown: of the server as a whole, or of one of its connections (draining).

use std::{future::Future, io};

use tokio::sync::watch;

/// The sender of a shutdown.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(watch::Sender<bool>);

impl Shutdown {
    /// Begins the shutdown, for present and future signals.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether the shutdown has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// A signal of this shutdown.
    pub fn signal(&self) -> ShutdownSignal {
        ShutdownSignal(self.0.subscribe())
    }
}

/// The signal of a shutdown: not the first sign of it, but the end of the lame-duck time, when
/// the port has just been closed.
///
/// A stream that ended earlier would be reopened at this very replica, as balancers have not
/// noticed yet; from now on it can only be opened at another one. The server itself ends streams
/// that are marked as [`StreamKind::Watch`](super::StreamKind); this is for a service's other
/// work.
#[derive(Clone, Debug)]
pub struct ShutdownSignal(watch::Receiver<bool>);

impl ShutdownSignal {
    /// Whether the shutdown has begun.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Completes when the shutdown begins; at once if it has begun.
    pub async fn stopped(&self) {
        self.clone().into_stopped().await;
    }

    /// [`stopped`](Self::stopped) as a future with no borrow.
    pub(super) async fn into_stopped(mut self) {
        // A dropped sender means that the server has ended.
        let _ = self.0.wait_for(|stops| *stops).await;
    }
}

/// The draining of one connection: its calls learn that the client is asked to reconnect.
#[derive(Clone, Debug)]
pub struct Draining(pub(super) ShutdownSignal);

/// Completes at SIGTERM or Ctrl-C, which are caught from this call on. A second one ends
/// the process at once, with code 1.
pub fn termination_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let mut signal = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        signal().await;
        tokio::spawn(async move {
            signal().await;
            std::process::exit(1);
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_before_and_who_asks_after_both_learn_of_the_stop() {
        let stop = Shutdown::default();
        let (early, waiting) = (stop.signal(), stop.signal());
        let waiting = tokio::spawn(async move { waiting.stopped().await });
        assert!(!early.is_shutting_down());
        stop.begin();
        early.stopped().await;
        waiting.await.expect("a task");
        assert!(early.is_shutting_down() && stop.signal().is_shutting_down());
    }

    #[tokio::test]
    async fn a_server_that_is_gone_has_stopped() {
        let stopping = Shutdown::default().signal();
        stopping.stopped().await;
        assert!(stopping.is_shutting_down());
    }
}
