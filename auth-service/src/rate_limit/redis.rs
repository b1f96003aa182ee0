//! The rate limit counter in Redis, by its clock.
//!
//! While Redis is unavailable, each process counts in memory: attempts stay limited, per replica,
//! and no client is locked out.

use std::time::Duration;

use redis::{RedisError, aio::MultiplexedConnection};
use tokio::{sync::Mutex, time::Instant};

use super::{
    gcra::{Decision, Limit},
    key::Key,
    memory::Memory,
    redis_server::RedisServer,
};

/// The pause before the next connection attempt.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// `Limit::check` in Lua, whose numbers hold microseconds exactly until the year 2255.
const TAKE: &str = r"
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local interval, slack = tonumber(ARGV[1]), tonumber(ARGV[2])
    local before = tonumber(redis.call('GET', KEYS[1]) or now)
    local due = math.min(math.max(before, now), now + slack + interval)
    local left = due <= now + slack
    if left then due = due + interval end
    if left or due < before then
        local life = math.ceil((due - now) / 1000)
        redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', life)
    end
    return {left and 1 or 0, due, now}";

const REFUND: &str = r"
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local due = tonumber(redis.call('GET', KEYS[1]) or now) - tonumber(ARGV[1])
    if tonumber(ARGV[2]) <= now then return end
    if due <= now then
        redis.call('DEL', KEYS[1])
    else
        local life = math.ceil((due - now) / 1000)
        redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', life)
    end";

/// Keys in Redis, and in memory while it is unavailable.
pub struct Redis {
    server: RedisServer,
    connection: Mutex<Connection>,
    fallback: Memory,
}

/// The state of the connection.
enum Connection {
    /// Not connected yet.
    New,
    Open(MultiplexedConnection),
    /// Redis is unavailable; the next attempt is at this time.
    Unavailable(Instant),
}

impl Redis {
    /// A counter in the Redis of `server`; connects at first use.
    pub fn new(server: RedisServer, fallback: Memory) -> Self {
        Self { server, connection: Mutex::new(Connection::New), fallback }
    }

    /// The counter while Redis is unavailable.
    pub fn fallback(&self) -> &Memory {
        &self.fallback
    }

    /// Counts an attempt, if one is left. `None`: Redis is unavailable.
    pub async fn take(&self, key: Key, limit: Limit) -> Option<Decision> {
        let numbers = [limit.interval(), limit.slack()];
        let (left, due, now): (bool, i64, i64) = self.eval(TAKE, key, numbers).await?;
        Some(if left {
            Decision::Taken { due }
        } else {
            Decision::Refused { due, wait: limit.wait(due, now) }
        })
    }

    /// Refunds the attempt that left `key` at `taken`, unless it has expired.
    pub async fn refund(&self, key: Key, limit: Limit, taken: i64) {
        self.eval::<()>(REFUND, key, [limit.interval(), taken]).await;
    }

    async fn eval<T: redis::FromRedisValue>(
        &self,
        script: &str,
        key: Key,
        numbers: [i64; 2],
    ) -> Option<T> {
        let mut connection = self.connection().await?;
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(format!("auth-service:attempt:{key}")).arg(&numbers);
        match command.query_async(&mut connection).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.disconnected(&error).await;
                None
            }
        }
    }

    /// A connection, or `None` while Redis is unavailable. One call at a time reconnects; the
    /// others do not wait for it, except for the first connection.
    async fn connection(&self) -> Option<MultiplexedConnection> {
        let mut connection = self.connection.lock().await;
        match &*connection {
            Connection::Open(open) => return Some(open.clone()),
            Connection::New => {
                let connected = self.server.connect().await;
                return match connected {
                    Ok(open) => {
                        *connection = Connection::Open(open.clone());
                        Some(open)
                    }
                    Err(error) => {
                        *connection = unavailable(&error);
                        None
                    }
                };
            }
            Connection::Unavailable(until) if *until > Instant::now() => return None,
            Connection::Unavailable(_) => {
                *connection = Connection::Unavailable(Instant::now() + RECONNECT_AFTER);
            }
        }
        drop(connection);
        let open = self.server.connect().await.ok()?;
        *self.connection.lock().await = Connection::Open(open.clone());
        tracing::info!("Redis is available: attempts are counted there again");
        Some(open)
    }

    /// Marks Redis unavailable: one log connection for all concurrent calls.
    async fn disconnected(&self, error: &RedisError) {
        let mut connection = self.connection.lock().await;
        if matches!(*connection, Connection::Open(_)) {
            *connection = unavailable(error);
        }
    }
}

fn unavailable(error: &RedisError) -> Connection {
    tracing::warn!(%error, "Redis is unavailable: attempts are counted in memory");
    Connection::Unavailable(Instant::now() + RECONNECT_AFTER)
}
