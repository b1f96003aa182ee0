//! Rate limits while the store of counts is unavailable.

use std::{net::SocketAddr, sync::Arc};

use redis::Client;
use sea_orm::{ConnectionTrait, DbErr};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::{
    super::{Counter, Memory, redis::Redis},
    Duration, TestCounter,
    counters::{clock, key, redis},
    refused, take, taken, ten,
};
use crate::rate_limit::Key;

/// A counter with a Redis at `address`.
fn counter(address: SocketAddr) -> Counter {
    let client = Client::open(format!("redis://{address}")).expect("an address");
    Counter::Redis(Arc::new(Redis::new(client.into(), Memory::new(clock()))))
}

/// How many of twenty are let through, and the longest that one took.
async fn let_through(counter: &Counter, key: Key) -> (usize, Duration) {
    let (mut through, mut longest) = (0, Duration::ZERO);
    for _ in 0..20 {
        let start = Instant::now();
        through += usize::from(take(counter, key).await.is_ok());
        longest = longest.max(start.elapsed());
    }
    (through, longest)
}

#[tokio::test]
async fn without_redis_each_process_limits_for_itself_and_no_call_waits_long() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = nobody.local_addr().expect("an address");
    let silent = counter(address);
    let (through, longest) = let_through(&silent, Key::account("ada")).await;
    assert_eq!(through, 5);
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    drop(nobody);
    let away = counter(address);
    let (through, _) = let_through(&away, Key::account("ada")).await;
    assert_eq!(through, 5);
}

/// A Redis behind a proxy that opens and closes.
#[tokio::test(flavor = "multi_thread")]
async fn redis_is_used_again_when_it_is_available() {
    let Some(client) = redis().await else { return };
    let real = client.get_connection_info().addr().to_string();
    let door = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = door.local_addr().expect("an address");
    let test = TestCounter::redis().await.expect("it answers");
    let (ada, counter) = (key("ada"), counter(address));

    let open = tokio::spawn(forward(door, real.clone()));
    for _ in 0..5 {
        taken(&test, ada).await;
    }
    assert!(take(&counter, ada).await.is_err(), "others have taken them");

    open.abort();
    let _ = open.await;
    let (through, _) = let_through(&counter, ada).await;
    assert_eq!(through, 5, "its own, in memory");

    let door = TcpListener::bind(address).await.expect("the same port");
    let open = tokio::spawn(forward(door, real));
    let start = Instant::now();
    loop {
        let bob = key("bob");
        for _ in 0..5 {
            taken(&test, bob).await;
        }
        // The fallback does not know these attempts.
        if take(&counter, bob).await.is_err() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "never back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    open.abort();
}

/// The proxy: forwards every connection; aborted, it drops them all.
async fn forward(door: TcpListener, real: String) {
    let mut open = tokio::task::JoinSet::new();
    while let Ok((mut near, _)) = door.accept().await {
        let real = real.clone();
        open.spawn(async move {
            let mut far = TcpStream::connect(real).await?;
            tokio::io::copy_bidirectional(&mut near, &mut far).await
        });
    }
}

/// A clock that was set back leaves times that are too far ahead.
#[tokio::test]
async fn an_impossible_expiry_limits_no_client_for_long() -> Result<(), DbErr> {
    if let Some(test) = TestCounter::redis().await {
        let key = key("ada");
        taken(&test, key).await;
        test.pass_back(Duration::from_hours(1), key).await;
        assert!(refused(&test, key).await <= Duration::from_secs(100));
        test.pass(Duration::from_secs(100), &[key]).await;
        taken(&test, key).await;
    }
    let Some(test) = TestCounter::table().await else { return Ok(()) };
    let (gone, held, key) = (key("gone"), key("held"), key("ada"));
    for key in [gone, key] {
        taken(&test, key).await;
    }
    test.pass(super::SPAN, &[]).await;
    taken(&test, held).await;
    test.pass_back(Duration::from_hours(1), key).await;
    assert!(refused(&test, key).await <= Duration::from_secs(100 * 5));
    let longest = Duration::from_micros(ten().full().unsigned_abs());
    assert_eq!(
        test.store.remove_expired_attempts(longest).await?,
        2,
        "that one, and a forgotten one"
    );
    taken(&test, key).await;
    let left = test.store.database().writer();
    let left = left.execute_unprepared(r#"DELETE FROM "attempt""#).await?;
    assert_eq!(left.rows_affected(), 2);
    Ok(())
}
