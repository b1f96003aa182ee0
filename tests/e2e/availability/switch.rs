//! Failover: an address that leads to a read-only server for a while.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use fixtures::Cluster;
use proto::task::v1::{WatchTasksRequest, WatchTasksResponse, watch_tasks_response::Event};
use tonic::Streaming;

use super::{PATIENCE, begin, is_ready, until, until_not_ready, until_ready};
use crate::{
    binary::Binary,
    caller::{SignedIn, Stranger},
};

/// How soon all is well after the end of a failover, and what a busy machine adds.
const RECOVERY: Duration = Duration::from_secs(5);
const SLACK: Duration = Duration::from_secs(5);

/// One address that leads to one of several servers.
struct Switch {
    address: SocketAddr,
    to: Arc<Mutex<(u16, Vec<TcpStream>)>>,
}

impl Switch {
    fn new(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let to = Arc::new(Mutex::new((port, Vec::new())));
        let there = Arc::clone(&to);
        // It ends with the process of the tests.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut there = there.lock().expect("the switch");
                let Ok(server) = TcpStream::connect(("127.0.0.1", there.0)) else { continue };
                let ends = [(&client, &server), (&server, &client)];
                for (from, into) in ends.map(|(from, into)| (copy(from), copy(into))) {
                    thread::spawn(move || pass(from, into));
                }
                there.1.extend([client, server]);
            }
        });
        Self { address, to }
    }

    /// Leads elsewhere from now on, and cuts who is connected if that is how it goes.
    fn turn(&self, port: u16, cuts: bool) {
        let mut to = self.to.lock().expect("the switch");
        to.0 = port;
        for stream in to.1.drain(..) {
            if cuts {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("another handle")
}

fn pass(mut from: TcpStream, mut into: TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if into.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = into.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

async fn creates(ada: &SignedIn) -> bool {
    let request = ada.new_task("a task");
    ada.tasks().create_task(request).await.is_ok()
}

async fn watch(ada: &SignedIn) -> Streaming<WatchTasksResponse> {
    let request = WatchTasksRequest { user_id: ada.id(), sync_token: String::new() };
    ada.tasks().watch_tasks(request).await.expect("a watch").into_inner()
}

/// Asserts that a watch, which has not ended, comes to this task.
async fn assert_sends(watch: &mut Streaming<WatchTasksResponse>, title: &str) {
    let sent = async {
        while let Some(message) = watch.message().await.expect("no end") {
            if matches!(message.event, Some(Event::Changed(task)) if task.title == title) {
                return;
            }
        }
        panic!("the watch ends");
    };
    tokio::time::timeout(PATIENCE, sent).await.expect("in time");
}

/// Asserts that writes and readiness are back soon after `since`.
async fn assert_recovers(server: &crate::process::Server, ada: &SignedIn, since: Instant) {
    until("it writes", async || creates(ada).await).await;
    until_ready(server).await;
    assert!(since.elapsed() < RECOVERY + SLACK, "{:?}\n{}", since.elapsed(), server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_by_way_of_a_standby_is_recovered_from_soon() {
    let Some(primary) = Cluster::start(&[]) else { return };
    let name = primary.database("tasks");
    let standby = primary.standby();
    let switch = Switch::new(primary.port());
    let address = name.replace(&primary.port().to_string(), &switch.address.port().to_string());
    let server = begin(Binary::Tasks, &address).wait();
    let ada = Stranger::new(server.channel(), server.channel()).minted("ada");
    ada.create("before").await;

    switch.turn(standby.port(), true);
    until_not_ready(&server).await;
    server.until_logged("the server is read-only");
    let kept = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'tasks'";
    until("none is kept", async || standby.execute(kept) == "0").await;
    assert!(!creates(&ada).await);
    // Connections to the standby stay: only new ones lead back.
    switch.turn(primary.port(), false);
    assert_recovers(&server, &ada, Instant::now()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let Some(primary) = Cluster::start(&[]) else { return };
    primary.execute("CREATE DATABASE tasks");
    let standby = primary.standby();
    let hosts = [&standby, &primary].map(|one| format!("127.0.0.1:{}", one.port())).join(",");
    let address = format!("postgres://postgres@{hosts}/tasks?target_session_attrs=read-write");
    let server = begin(Binary::Tasks, &address).wait();
    let ada = Stranger::new(server.channel(), server.channel()).minted("ada");
    ada.create("before").await;
    let own = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^task-service/'";
    assert_ne!(primary.execute(own), "0");
    assert_eq!(standby.execute(own), "0");
    let mut watch = watch(&ada).await;
    assert_sends(&mut watch, "before").await;

    primary.crash();
    // Longer than a call waits for the database.
    assert!(!creates(&ada).await);
    standby.execute("SELECT pg_promote()");
    assert_recovers(&server, &ada, Instant::now()).await;
    assert_ne!(standby.execute(own), "0");
    ada.create("after").await;
    assert_sends(&mut watch, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_answer_is_left_for_the_one_that_takes_over() {
    let Some(primary) = Cluster::start(&[]) else { return };
    primary.execute("CREATE DATABASE tasks");
    let standby = primary.standby();
    let hosts = [&primary, &standby].map(|one| format!("127.0.0.1:{}", one.port())).join(",");
    let server = begin(Binary::Tasks, &format!("postgres://postgres@{hosts}/tasks")).wait();
    let ada = Stranger::new(server.channel(), server.channel()).minted("ada");
    let mut watch = watch(&ada).await;
    ada.create("before").await;
    assert_sends(&mut watch, "before").await;

    primary.pause();
    standby.execute("SELECT pg_promote()");
    assert_recovers(&server, &ada, Instant::now()).await;
    ada.create("after").await;
    assert_sends(&mut watch, "after").await;
    primary.resume();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_turns_read_only_is_left_alone_until_it_writes_again() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = begin(Binary::Tasks, &cluster.database("tasks")).wait();
    let ada = Stranger::new(server.channel(), server.channel()).minted("ada");
    ada.create("before").await;
    cluster.execute("ALTER SYSTEM SET default_transaction_read_only = on");
    cluster.execute("SELECT pg_reload_conf()");
    until_not_ready(&server).await;
    assert!(!creates(&ada).await);
    assert!(!is_ready(&server).await);
    cluster.execute("ALTER SYSTEM RESET default_transaction_read_only");
    cluster.execute("SELECT pg_reload_conf()");
    assert_recovers(&server, &ada, Instant::now()).await;
    let log = server.log();
    assert_eq!(log.matches("\"not ready\"").count(), 1, "{log}");
}
