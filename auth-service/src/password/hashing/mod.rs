//! Password hashing: off the async threads, bounded, in a fair queue.
//!
//! A hash is the most expensive operation of this service. Without a bound, a few hundred calls
//! would take gigabytes; without fairness, one client would take all permits.
//!
//! - `fair_queue`: permits, fair by client; `concurrency`: their number

mod concurrency;
mod fair_queue;

use std::{num::NonZero, time::Duration};

use server::ClientInfo;
use shared::error::Refusal;

#[cfg(test)]
pub use self::concurrency::default_concurrency;
pub use self::concurrency::{HASH_BYTES, memory_limit, read_concurrency};
use self::fair_queue::FairQueue;
use crate::{
    password::{Password, Underivable},
    random,
};

/// The longest wait for a permit.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Bounded password hashing, fair by client.
#[derive(Clone)]
pub struct Hashing(FairQueue);

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// The queue is full, or the wait took too long.
    #[error("{}", Refusal::Busy)]
    Busy,
    /// The operating system has no randomness.
    #[error("no random salt")]
    Random(#[from] getrandom::Error),
    /// No key was derived.
    #[error(transparent)]
    Underivable(#[from] Underivable),
    /// The work panicked or the process is ending. The panic message is dropped: it may quote the
    /// password.
    #[error("password work was lost")]
    Lost,
}

impl Hashing {
    /// Hashing with so many permits.
    pub fn new(concurrency: NonZero<usize>) -> Self {
        Self(FairQueue::new(concurrency.get()))
    }

    /// The stored hash of `password`, under a new salt.
    pub async fn hash(
        &self,
        password: Password,
        client: &ClientInfo,
    ) -> Result<String, HashingError> {
        let salt = random::bytes()?;
        Ok(self.work(client, move || password.hash(salt)).await??)
    }

    /// Whether `stored` is the hash of `password`; takes as long without a hash.
    pub async fn matches(
        &self,
        password: Password,
        stored: Option<String>,
        client: &ClientInfo,
    ) -> Result<bool, HashingError> {
        let check = move || {
            let matches = password.matches(stored.as_deref());
            tracing::debug!("a password was checked"); // drills count these
            matches
        };
        self.work(client, check).await
    }

    /// Returns `password`, and whether it is common (see [`Password::is_common`]).
    pub async fn is_common(
        &self,
        password: Password,
        hints: Vec<String>,
        client: &ClientInfo,
    ) -> Result<(Password, bool), HashingError> {
        self.work(client, move || {
            let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
            let common = password.is_common(&hints);
            (password, common)
        })
        .await
    }

    /// Runs work under a permit. The permit moves into the work: a client that disconnects does
    /// not free it while its hash goes on.
    async fn work<T: Send + 'static>(
        &self,
        client: &ClientInfo,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let turn = tokio::time::timeout(MAX_WAIT, self.0.acquire(client.prefix())).await;
        let permit = turn.ok().flatten().ok_or(HashingError::Busy)?;
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

    fn one_at_once() -> Hashing {
        Hashing::new(NonZero::<usize>::MIN)
    }

    #[tokio::test]
    async fn the_panic_of_lost_work_is_not_reported() {
        let work = || -> () { panic!("correct horse") };
        let hashing = one_at_once();
        let lost = hashing.work(&ClientInfo::default(), work).await.expect_err("lost");
        assert!(matches!(lost, HashingError::Lost));
        assert!(!format!("{lost} {lost:?}").contains("horse"));
        assert!(hashing.work(&ClientInfo::default(), || ()).await.is_ok(), "its permit is back");
    }

    #[tokio::test]
    async fn a_call_without_a_permit_is_refused_in_time() {
        let hashing = one_at_once();
        let permit = hashing.0.acquire(None).await.expect("nobody is before");
        let began = std::time::Instant::now();
        assert!(matches!(
            hashing.work(&ClientInfo::default(), || ()).await,
            Err(HashingError::Busy)
        ));
        assert!(began.elapsed() >= MAX_WAIT);
        drop(permit);
        assert!(hashing.work(&ClientInfo::default(), || ()).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn clients_that_disconnect_free_no_permit() {
        static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
        static MAX_CONCURRENCY: AtomicUsize = AtomicUsize::new(0);
        let (hashing, client) = (one_at_once(), ClientInfo::default());
        for _ in 0..20 {
            let work = hashing.work(&client, || {
                MAX_CONCURRENCY
                    .fetch_max(AT_ONCE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                AT_ONCE.fetch_sub(1, Ordering::SeqCst);
            });
            let _ = tokio::time::timeout(Duration::from_millis(1), work).await;
        }
        assert_eq!(MAX_CONCURRENCY.load(Ordering::SeqCst), 1);
    }
}
