//! The counters under test, each with a way to advance time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::DateTime;
use fixtures::{Backend, FreshDatabase, notice};
use redis::Client;
use sea_orm::ConnectionTrait;
use server::ClientInfo;
use shared::{
    clock::ManualClock,
    config::{Env, Vars},
};

use super::super::{
    counter::{Attempt, Counter},
    key::Key,
    memory::Memory,
    redis::Redis,
};
use crate::{random, store::Store};

/// The default of `TEST_REDIS_URL`.
const REDIS: &str = "redis://127.0.0.1:6379";

/// A counter of which a test uses its own keys.
pub struct TestCounter {
    pub counter: Counter,
    pub clock: Arc<ManualClock>,
    /// A database, also for counters that do not use it.
    pub store: Store,
    redis: Option<Client>,
    _database: FreshDatabase,
}

/// A clock that stands still.
pub fn clock() -> Arc<ManualClock> {
    let start = DateTime::parse_from_rfc3339("2026-11-26T04:00:00Z").expect("a moment");
    Arc::new(ManualClock::at(start.into()))
}

/// A Redis, or `None` if none responds: then the test prints a notice and passes, unless
/// `REQUIRE_REDIS=1` makes that a failure.
pub async fn redis() -> Option<Client> {
    let url = Env.var("TEST_REDIS_URL").unwrap_or_else(|| REDIS.to_owned());
    let client = Client::open(url).expect("an address");
    let connecting = client.get_multiplexed_async_connection();
    let answers = tokio::time::timeout(Duration::from_secs(2), connecting).await;
    if matches!(answers, Ok(Ok(_))) {
        return Some(client);
    }
    let required = Env.var("REQUIRE_REDIS").is_some_and(|value| value == "1");
    assert!(!required, "Redis is required and does not answer");
    notice("not run on Redis, which does not answer");
    None
}

impl TestCounter {
    async fn with(
        backend: Backend,
        counter: impl FnOnce(&Store, Arc<ManualClock>) -> Counter,
        redis: Option<Client>,
    ) -> Option<Self> {
        let database = FreshDatabase::new(backend).await?;
        let store = Store::open(&database.url()).await.expect("opens");
        let clock = clock();
        let counter = counter(&store, clock.clone());
        Some(Self { counter, clock, store, redis, _database: database })
    }

    pub async fn memory() -> Option<Self> {
        let memory =
            |_: &Store, clock: Arc<ManualClock>| Counter::Memory(Arc::new(Memory::new(clock)));
        Self::with(Backend::Sqlite, memory, None).await
    }

    pub async fn table() -> Option<Self> {
        Self::with(
            Backend::Postgres,
            |store: &Store, _: Arc<ManualClock>| Counter::Table(Box::new(store.clone())),
            None,
        )
        .await
    }

    pub async fn redis() -> Option<Self> {
        let client = redis().await?;
        let counter = |_: &Store, clock: Arc<ManualClock>| {
            Counter::Redis(Arc::new(Redis::new(client.clone().into(), Memory::new(clock))))
        };
        Self::with(Backend::Sqlite, counter, Some(client.clone())).await
    }

    /// Advances time for these keys.
    pub async fn pass(&self, span: Duration, keys: &[Key]) {
        match &self.counter {
            Counter::Memory(_) => {
                self.clock.advance(chrono::TimeDelta::from_std(span).expect("a short time"));
            }
            Counter::Table(store) => {
                let sql = format!(
                    r#"UPDATE "attempt" SET "due" = "due" - interval '{} seconds'"#,
                    span.as_secs()
                );
                let database = store.database().writer();
                database.execute_unprepared(&sql).await.expect("writes");
            }
            Counter::Redis(_) => {
                for key in keys {
                    self.shift_in_redis(*key, -i64::try_from(span.as_micros()).expect("short"))
                        .await;
                }
            }
        }
    }

    /// Advances time while an attempt is pending.
    pub async fn pass_holding(&self, span: Duration, key: Key, attempt: Attempt) -> Attempt {
        self.pass(span, &[key]).await;
        attempt.earlier(span)
    }

    /// Moves the expiry of a key ahead, as if the clock had been set back.
    pub async fn pass_back(&self, span: Duration, key: Key) {
        if let Counter::Table(store) = &self.counter {
            let sql = format!(
                r#"UPDATE "attempt" SET "due" = "due" + interval '{} seconds' WHERE "key" = '{key}'"#,
                span.as_secs()
            );
            store.database().writer().execute_unprepared(&sql).await.expect("writes");
        } else {
            let by = i64::try_from(span.as_micros()).expect("short");
            self.shift_in_redis(key, by).await;
        }
    }

    async fn shift_in_redis(&self, key: Key, by: i64) {
        let script = r"
            local due = redis.call('GET', KEYS[1])
            if due then
                redis.call('SET', KEYS[1], string.format('%.0f', due + ARGV[1]), 'KEEPTTL')
            end";
        let client = self.redis.as_ref().expect("a Redis");
        let mut line = client.get_multiplexed_async_connection().await.expect("connects");
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(format!("auth-service:attempt:{key}")).arg(by);
        command.query_async::<()>(&mut line).await.expect("shifts");
    }
}

/// The name of an account that no other test has.
pub fn account(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{number}@example.com", std::process::id())
}

/// A client at an address that no other test has.
pub fn client() -> ClientInfo {
    ClientInfo::at(random::bytes::<16>().expect("randomness").into())
}

/// A key that no other test has.
pub fn key(name: &str) -> Key {
    Key::account(&account(name))
}

/// Runs an `async fn(TestCounter)` as three tests, `memory`, `table` and `redis`.
macro_rules! on_every_counter {
    ($($case:ident),+ $(,)?) => {$(
        mod $case {
            use super::TestCounter;

            #[tokio::test(flavor = "multi_thread")]
            async fn memory() {
                if let Some(test) = TestCounter::memory().await {
                    super::$case(test).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn table() {
                if let Some(test) = TestCounter::table().await {
                    super::$case(test).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn redis() {
                if let Some(test) = TestCounter::redis().await {
                    super::$case(test).await;
                }
            }
        }
    )+};
}
pub(super) use on_every_counter;
