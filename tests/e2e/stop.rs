//! Graceful shutdown: announced by readiness, finishes the calls in progress, and is not delayed
//! by silent clients.

mod database;

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use fixtures::{FreshDatabase, on_both_databases};
use futures_util::stream;
use http::uri::PathAndQuery;
use proto::task::v1::{CreateTaskRequest, CreateTaskResponse};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Request, Response, Status, client::Grpc, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    binary::Binary,
    caller::{SignedIn, Stranger},
    health,
    process::{Server, Starting},
    world::channel,
};

on_both_databases!(
    a_stop_is_announced_loses_no_call_and_waits_for_no_silent_client,
    a_watcher_of_health_does_not_hold_up_the_stop_beyond_its_deadline,
);

/// Between "not ready" and the closing of the port; long enough to be seen.
const LAME_DUCK: Duration = Duration::from_secs(3);

/// How long open calls get after that.
const DRAIN: Duration = Duration::from_secs(8);

/// What a process may take beside its deadlines on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

fn start(database: &FreshDatabase) -> Server {
    start_with(database, LAME_DUCK, DRAIN)
}

/// A task-service with these spans between the signal and its end.
pub fn start_with(database: &FreshDatabase, lame_duck: Duration, drain: Duration) -> Server {
    let settings = [
        ("DATABASE_URL", database.address()),
        ("LAME_DUCK", &lame_duck.as_secs().to_string()),
        ("DRAIN_TIMEOUT", &drain.as_secs().to_string()),
        ("REQUEST_TIMEOUT", "60"),
    ];
    Starting::new(Binary::Tasks, &settings).wait()
}

/// A creation whose message is sent after `go`; `sent` resolves when its head is on the way.
fn half_a_call(
    caller: &SignedIn,
    channel: Channel,
    sent: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
) -> Call {
    let request = caller.new_task("begun before the stop");
    // Polled for the first time when the head has been written.
    let message = stream::once(async move {
        let _ = sent.send(());
        let _ = go.await;
        request
    });
    let mut request = Request::new(Box::pin(message));
    let bearer = format!("Bearer {}", caller.access_token).parse().expect("a header value");
    request.metadata_mut().insert("authorization", bearer);
    tokio::spawn(async move {
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.expect("the server is there");
        let path = PathAndQuery::from_static("/task.v1.TaskService/CreateTask");
        let codec = proto::codec::Codec::<CreateTaskRequest, CreateTaskResponse>::default();
        grpc.client_streaming(request, path, codec).await
    })
}

type Call = JoinHandle<Result<Response<CreateTaskResponse>, Status>>;

/// Polls over a new connection each time until the server reports NOT_SERVING.
async fn until_not_serving(server: &Server) {
    let end = Instant::now() + LAME_DUCK + SLACK;
    loop {
        let status = health::ask(channel(server.address()), "").await;
        match status.expect("the port is still open") {
            ServingStatus::NotServing => return,
            _ => assert!(Instant::now() < end, "it never says that it stops"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_stop_is_announced_loses_no_call_and_waits_for_no_silent_client(database: FreshDatabase) {
    let mut server = start(&database);
    let connect = || TcpStream::connect(server.address()).expect("a connection");
    let silent: Vec<TcpStream> = (0..50).map(|_| connect()).collect();
    let way = server.channel();
    let ada = Stranger::new(way.clone(), way.clone()).minted("ada");
    let ((go, wait), (sent, head)) = (oneshot::channel(), oneshot::channel());
    let begun = half_a_call(&ada, way, sent, wait);
    head.await.expect("the head is sent");
    // Both share a connection: once this is answered, the server knows of the call before it.
    ada.create("before the stop").await;
    assert!(!begun.is_finished());

    let terminated = Instant::now();
    server.terminate();
    until_not_serving(&server).await;
    // Not ready is not closed: a client that has not noticed yet is still served.
    ada.create("in the lame-duck moment").await;
    // Connections that are made now are refused sooner or later: the port closes.
    while TcpStream::connect(server.address()).is_ok() {
        assert!(terminated.elapsed() < LAME_DUCK + SLACK, "the port stays open");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(server.wait(Duration::ZERO).is_none(), "it did not wait for the call it had begun");
    go.send(()).expect("the call waits");
    let answer = begun.await.expect("it goes on").expect("it is answered").into_inner();
    let begun = answer.task.expect("a task");

    let status = server.wait(LAME_DUCK + DRAIN + SLACK).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", server.log());
    // Nothing was left to be cut at the deadline.
    assert!(terminated.elapsed() < LAME_DUCK + DRAIN, "{:?}", terminated.elapsed());
    assert!(server.log().contains("\"connections.cut\":0"), "{}", server.log());
    drop(silent);

    let again = start(&database);
    let ada = Stranger::new(again.channel(), again.channel()).minted("ada");
    assert_eq!(ada.all_tasks().await.len(), 3);
    assert_eq!(ada.get(&begun.id).await.expect("the task"), begun);
}

async fn a_watcher_of_health_does_not_hold_up_the_stop_beyond_its_deadline(
    database: FreshDatabase,
) {
    let settings =
        [("DATABASE_URL", database.address()), ("LAME_DUCK", "0"), ("DRAIN_TIMEOUT", "2")];
    let mut server = Starting::new(Binary::Tasks, &settings).wait();
    let watch = HealthClient::new(server.channel()).watch(HealthCheckRequest::default()).await;
    let mut watch = watch.expect("a stream").into_inner();
    let first = watch.message().await.expect("a message").expect("a message");
    assert_eq!(first.status(), ServingStatus::Serving);
    server.terminate();
    let second = watch.message().await.expect("a message").expect("a message");
    assert_eq!(second.status(), ServingStatus::NotServing);
    let status = server.wait(Duration::from_secs(2) + SLACK).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", server.log());
}
