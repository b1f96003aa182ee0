//! That something ends: the server as a whole, or one of its connections.

use std::{future::Future, io};

use tokio::sync::watch;

/// Says that it ends.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(watch::Sender<bool>);

impl Shutdown {
    /// Says so, now and to whoever asks later.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// A handle for those who want to know.
    pub fn handle(&self) -> ShutdownSignal {
        ShutdownSignal(self.0.subscribe())
    }
}

/// Tells when the server stops: not at the first signal, but at the end of the lame-duck
/// moment, when the port has just been closed.
///
/// A stream that ended earlier would be opened again at this very replica, as balancers
/// have not looked away yet; from now on it can only be opened at another one. Streams that
/// are marked as [`StreamKind`](super::StreamKind) are ended by the server itself; this is for
/// what else a service has going.
#[derive(Clone, Debug)]
pub struct ShutdownSignal(watch::Receiver<bool>);

impl ShutdownSignal {
    /// Whether the server stops, or is gone.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Completes when the server stops; at once if it does so already.
    pub async fn stopped(&self) {
        self.clone().into_stopped().await;
    }

    /// The same, for whoever needs a future of its own.
    pub(super) async fn into_stopped(mut self) {
        // Whoever could have said so is gone: so is the server.
        let _ = self.0.wait_for(|stops| *stops).await;
    }
}

/// Tells one connection's calls when the peer is asked to move to another connection.
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
        let (early, waiting) = (stop.handle(), stop.handle());
        let waiting = tokio::spawn(async move { waiting.stopped().await });
        assert!(!early.is_shutting_down());
        stop.now();
        early.stopped().await;
        waiting.await.expect("a task");
        assert!(early.is_shutting_down() && stop.handle().is_shutting_down());
    }

    #[tokio::test]
    async fn a_server_that_is_gone_has_stopped() {
        let stopping = Shutdown::default().handle();
        stopping.stopped().await;
        assert!(stopping.is_shutting_down());
    }
}
