//! Attempts counted in Redis, by its clock.
//!
//! While Redis is away, each process counts in its memory: attempts stay limited, per
//! replica, and nobody is locked out.

use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};
use tokio::{sync::Mutex, time::Instant};

use super::{
    key::Key,
    limit::{Limit, Verdict},
    memory::Memory,
};

/// How long anybody waits for Redis. It answers within a millisecond, or is away.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long it is left alone after that.
const PAUSE: Duration = Duration::from_secs(1);

/// As `Limit::judge` has it. Microseconds are exact in Lua's numbers until the year 2255.
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

const GIVE_BACK: &str = r"
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

/// Keys in Redis, and in memory while there is none.
pub struct Redis {
    client: Client,
    line: Mutex<Line>,
    instead: Memory,
}

/// How things stand with Redis.
enum Line {
    /// Nobody has called yet.
    New,
    Open(MultiplexedConnection),
    /// It did not answer, and is left alone until then.
    Away(Instant),
}

impl Redis {
    /// Keys in the Redis of `client`; connects when it is first asked.
    pub fn new(client: Client, instead: Memory) -> Self {
        Self { client, line: Mutex::new(Line::New), instead }
    }

    /// Where attempts are counted while Redis is away.
    pub fn instead(&self) -> &Memory {
        &self.instead
    }

    /// Counts an attempt, if one is left. `None`: Redis is away.
    pub async fn take(&self, key: Key, limit: Limit) -> Option<Verdict> {
        let numbers = [limit.interval(), limit.slack()];
        let (left, due, now): (bool, i64, i64) = self.ask(TAKE, key, numbers).await?;
        Some(if left {
            Verdict::Taken { due }
        } else {
            Verdict::Refused { due, wait: limit.wait(due, now) }
        })
    }

    /// Takes an attempt back that left its key at `taken`, unless time has done so.
    pub async fn give_back(&self, key: Key, limit: Limit, taken: i64) {
        self.ask::<()>(GIVE_BACK, key, [limit.interval(), taken]).await;
    }

    async fn ask<T: redis::FromRedisValue>(
        &self,
        script: &str,
        key: Key,
        numbers: [i64; 2],
    ) -> Option<T> {
        let mut line = self.line().await?;
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(format!("auth-service:attempt:{key}")).arg(&numbers);
        match command.query_async(&mut line).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.lost(&error).await;
                None
            }
        }
    }

    /// A connection, or `None` while Redis is left alone. One caller at a time finds out
    /// whether it is back; the others do not wait for that, except for the very first.
    async fn line(&self) -> Option<MultiplexedConnection> {
        let mut line = self.line.lock().await;
        match &*line {
            Line::Open(open) => return Some(open.clone()),
            Line::New => {
                let connected = self.connect().await;
                return match connected {
                    Ok(open) => {
                        *line = Line::Open(open.clone());
                        Some(open)
                    }
                    Err(error) => {
                        *line = away(&error);
                        None
                    }
                };
            }
            Line::Away(until) if *until > Instant::now() => return None,
            Line::Away(_) => *line = Line::Away(Instant::now() + PAUSE),
        }
        drop(line);
        let open = self.connect().await.ok()?;
        *self.line.lock().await = Line::Open(open.clone());
        tracing::info!("Redis is back: attempts are counted there again");
        Some(open)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        // The library's own limit is for each step of it.
        tokio::time::timeout(PATIENCE, connecting)
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
    }

    /// Notes that Redis is away: one line for all that find out at the same time.
    async fn lost(&self, error: &RedisError) {
        let mut line = self.line.lock().await;
        if matches!(*line, Line::Open(_)) {
            *line = away(error);
        }
    }
}

fn away(error: &RedisError) -> Line {
    tracing::warn!(%error, "Redis is away: attempts are counted in memory until it is back");
    Line::Away(Instant::now() + PAUSE)
}
