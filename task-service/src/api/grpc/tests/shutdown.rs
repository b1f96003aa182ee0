//! Shutdown: the server ends the streams of watches at once.

use std::{net::SocketAddr, time::Duration};

use server::{AllowedHeaders, Assembly, Limits, Proxies, Settings};
use tokio::{sync::oneshot, time::timeout};

use super::*;

/// The longest wait of this test.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_a_watch_as_unavailable() {
    let world = World::start().await;
    let mut assembly = Assembly::default();
    assembly.add(guarded(&world.gate, Rpcs::new(world.tasks())));
    // Longer than the test waits: a stop that waits for the watch fails it.
    let drain = Duration::from_mins(5);
    let limits = Limits { lame_duck: Duration::ZERO, drain, ..Limits::default() };
    let grpc_addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let (http_addr, trusted_origins) = (None, Vec::new());
    let settings = Settings {
        grpc_addr,
        http_addr,
        trusted_origins,
        allowed_headers: AllowedHeaders::default(),
        trusted_proxies: Proxies::default(),
        tls: None,
        reflection: false,
        limits,
    };
    let app = assembly.bind(&settings).await.expect("a free port");
    let address = format!("http://{}", app.grpc_addr());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async { drop(stopped.await) }));

    let mut client = TaskServiceClient::connect(address).await.expect("a connection");
    let message = pb::WatchTasksRequest { user_id: "alice".into(), ..Default::default() };
    let answer = client.watch_tasks(world.by("alice", message)).await.expect("a stream");
    let mut reply = answer.into_inner();
    stop.send(()).expect("it runs");
    let end = timeout(PATIENCE, reply.message()).await.expect("in time");
    assert_eq!(end.expect_err("no event").code(), Code::Unavailable);
    timeout(PATIENCE, running).await.expect("in time").expect("no panic");
}
