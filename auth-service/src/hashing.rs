//! Where passwords are hashed: off the async threads, a few at a time, by turns.
//!
//! A hash is the most expensive thing anybody can ask of this service. Without a bound, a
//! few hundred callers would take gigabytes; without turns, one of them would take all of it.
//!
//! - `fair_queue`: who is next; `concurrency`: how many at once

mod concurrency;
mod fair_queue;

use std::{num::NonZero, time::Duration};

use server::ClientInfo;

#[cfg(test)]
pub use self::concurrency::default_concurrency;
pub use self::concurrency::{HASH_BYTES, memory_limit, read_concurrency};
use self::fair_queue::FairQueue;
use crate::{
    error_code::{self, grpc_message},
    password::{Password, Underivable},
    random,
};

/// How long a caller waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// Hashes and checks passwords, a few at once; addresses that wait take turns.
#[derive(Clone)]
pub struct Hashing(FairQueue);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// Too many wait, or the turn did not come in time.
    #[error("{}", grpc_message(&error_code::BUSY))]
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

impl Hashing {
    /// So many at once.
    pub fn new(concurrency: NonZero<usize>) -> Self {
        Self(FairQueue::new(concurrency.get()))
    }

    /// The stored form of `password`, under a new salt.
    pub async fn hash(
        &self,
        password: Password,
        client: &ClientInfo,
    ) -> Result<String, HashingError> {
        let salt = random::bytes()?;
        Ok(self.work(client, move || password.hash(salt)).await??)
    }

    /// Whether `stored` was made from `password`; takes as long where nothing is stored.
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

    /// Gives `password` back, and whether it is a common one (see [`Password::is_common`]).
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

    /// The permit moves into the work: a caller that goes away does not make room for the
    /// next one while its hash goes on.
    async fn work<T: Send + 'static>(
        &self,
        client: &ClientInfo,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let turn = tokio::time::timeout(PATIENCE, self.0.acquire(client.prefix())).await;
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
    async fn what_lost_work_panicked_with_is_not_told() {
        let work = || -> () { panic!("correct horse") };
        let hashing = one_at_once();
        let lost = hashing.work(&ClientInfo::default(), work).await.expect_err("lost");
        assert!(matches!(lost, HashingError::Lost));
        assert!(!format!("{lost} {lost:?}").contains("horse"));
        assert!(hashing.work(&ClientInfo::default(), || ()).await.is_ok(), "its permit is back");
    }

    #[tokio::test]
    async fn whose_turn_does_not_come_is_told_in_time() {
        let hashing = one_at_once();
        let permit = hashing.0.acquire(None).await.expect("nobody is before");
        let began = std::time::Instant::now();
        assert!(matches!(
            hashing.work(&ClientInfo::default(), || ()).await,
            Err(HashingError::Busy)
        ));
        assert!(began.elapsed() >= PATIENCE);
        drop(permit);
        assert!(hashing.work(&ClientInfo::default(), || ()).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn callers_that_leave_do_not_make_room() {
        static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let (hashing, client) = (one_at_once(), ClientInfo::default());
        for _ in 0..20 {
            let work = hashing.work(&client, || {
                MOST.fetch_max(AT_ONCE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                AT_ONCE.fetch_sub(1, Ordering::SeqCst);
            });
            let _ = tokio::time::timeout(Duration::from_millis(1), work).await;
        }
        assert_eq!(MOST.load(Ordering::SeqCst), 1);
    }
}
