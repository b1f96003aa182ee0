//! Where passwords are hashed: off the async threads, a few at a time.
//!
//! A hash is the most expensive thing anybody can ask of this service. Without a bound, a
//! few hundred callers would take gigabytes and starve everybody else.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use tokio::sync::Semaphore;

use crate::{
    password::{Password, Underivable},
    random,
};

/// How many may wait for their turn, and how long.
const QUEUE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(2);

/// Hashes and checks passwords, as many at once as there are cores.
#[derive(Clone)]
pub struct Hashing {
    at_work: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// The queue is full, or the turn did not come in time.
    #[error("too many sign-ins at once, try again")]
    Busy,
    /// The operating system gives no randomness.
    #[error("no random salt")]
    Random(#[from] getrandom::Error),
    /// No key came out.
    #[error(transparent)]
    Underivable(#[from] Underivable),
    /// The work panicked or the process is ending. What it panicked with stays out of
    /// here: it may quote the password.
    #[error("password work was lost")]
    Lost,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self {
            at_work: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(cores + QUEUE)),
        }
    }
}

impl Hashing {
    /// The stored form of `password`, under a new salt.
    pub async fn hash(&self, password: Password) -> Result<String, HashingError> {
        let salt = random::bytes()?;
        Ok(self.work(move || password.hash(salt)).await??)
    }

    /// Whether `stored` was made from `password`; takes as long where nothing is stored.
    pub async fn matches(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<bool, HashingError> {
        let check = move || {
            let matches = password.matches(stored.as_deref());
            tracing::debug!("a password was checked"); // drills count these
            matches
        };
        self.work(check).await
    }

    /// Gives `password` back, and whether it is a common one (see [`Password::is_common`]).
    pub async fn is_common(
        &self,
        password: Password,
        hints: Vec<String>,
    ) -> Result<(Password, bool), HashingError> {
        self.work(move || {
            let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
            let common = password.is_common(&hints);
            (password, common)
        })
        .await
    }

    /// The permit moves into the work: a caller that goes away does not make room for the
    /// next one while its hash goes on.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let _queued = self.queue.try_acquire().map_err(|_| HashingError::Busy)?;
        let turn = self.at_work.clone().acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await.map_err(|_| HashingError::Busy)?;
        let permit = turn.map_err(|_| HashingError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|_| HashingError::Lost)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn small() -> Hashing {
        Hashing { at_work: Arc::new(Semaphore::new(1)), queue: Arc::new(Semaphore::new(2)) }
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let hashing = small();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let slow = tokio::spawn({
            let hashing = hashing.clone();
            async move { hashing.work(move || wait.recv().is_ok()).await }
        });
        while hashing.at_work.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let queued = tokio::spawn({
            let hashing = hashing.clone();
            async move { hashing.work(|| ()).await }
        });
        while hashing.queue.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hashing.work(|| ()).await, Err(HashingError::Busy)));
        go.send(()).expect("the slow one listens");
        assert!(slow.await.expect("joins").expect("its turn"));
        assert!(queued.await.expect("joins").is_ok());
    }

    #[tokio::test]
    async fn what_lost_work_panicked_with_is_not_told() {
        let lost = small().work(|| -> () { panic!("correct horse") }).await.expect_err("lost");
        assert!(matches!(lost, HashingError::Lost));
        assert!(!format!("{lost} {lost:?}").contains("horse"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn callers_that_leave_do_not_make_room() {
        static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let hashing = small();
        for _ in 0..20 {
            let work = hashing.work(|| {
                MOST.fetch_max(AT_ONCE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                AT_ONCE.fetch_sub(1, Ordering::SeqCst);
            });
            let _ = tokio::time::timeout(Duration::from_millis(1), work).await;
        }
        assert_eq!(MOST.load(Ordering::SeqCst), 1);
    }
}
