//! Outages: task-service is unavailable when accounts are deleted, and an auth-service dies
//! meanwhile.

use std::net::SocketAddr;

use fixtures::{Backend, FreshDatabase, on_both_databases};
use http::{Method, StatusCode};
use proto::auth::v1::DeleteUserRequest;
use tonic::Code;

use crate::{
    answer::Refused,
    binary::Binary,
    caller::{SignedIn, Stranger},
    data_export::exported,
    erasure::until,
    exchange::HttpRequest,
    process::{Server, Starting},
    table::Table,
    world::channel,
};

on_both_databases!(
    what_was_deleted_meanwhile_goes_when_task_service_is_back_whichever_replica_is_left,
);

fn auth(database: &FreshDatabase, tasks: SocketAddr) -> Server {
    let url = format!("http://{tasks}");
    let settings = [
        ("DATABASE_URL", database.address()),
        ("DATABASE_MAX_CONNECTIONS", "4"),
        ("TASK_SERVICE_URL", &url),
    ];
    Starting::new(Binary::Auth, &settings).wait()
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_calls_itself_and_stops_all_the_same() {
    let [auth_data, task_data] = [
        FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there"),
        FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there"),
    ];
    let settings =
        [("AUTH_DATABASE_URL", auth_data.address()), ("TASK_DATABASE_URL", task_data.address())];
    let mut server = Starting::new(Binary::Standalone, &settings).wait();
    let stranger = Stranger::new(server.channel(), server.channel());
    let alice = stranger.sign_up("alice@example.com").await;
    alice.create("a task").await;
    let document = String::from_utf8(exported(&alice).await.expect("a document")).expect("UTF-8");
    assert!(document.contains("\"a task\""), "{document}");
    let request = DeleteUserRequest { password: None };
    alice.sessions().delete_user(request).await.expect("deleted");
    let table = Table::open(task_data.address(), "task").await;
    until("the task is gone", async || owners(&table).await.is_empty()).await;
    server.terminate();
    let ended = server.wait(std::time::Duration::from_secs(30)).expect("it stops");
    assert!(ended.success(), "{}", server.log());
    assert!(!server.log().contains("connections.cut\":1"), "{}", server.log());
}

async fn owners(tasks: &Table) -> Vec<String> {
    let mut owners = tasks.column::<String>("user_id").await;
    owners.sort_unstable();
    owners
}

async fn what_was_deleted_meanwhile_goes_when_task_service_is_back_whichever_replica_is_left(
    database: FreshDatabase,
) {
    let task_data = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let tasks = Server::start(Binary::Tasks, task_data.address());
    let address = tasks.address();
    let replicas = [auth(&database, address), auth(&database, address)];

    let mut users: Vec<SignedIn> = Vec::new();
    for n in 0..5 {
        let replica = &replicas[n % 2];
        let stranger = Stranger::new(replica.channel(), channel(address));
        users.push(stranger.sign_up(&format!("user-{n}@example.com")).await);
        users[n].create("a task").await;
    }
    let stays = users.pop().expect("the last one");
    tasks.kill();

    for user in &users {
        // Answered without a call to task-service.
        let request = DeleteUserRequest { password: None };
        user.sessions().delete_user(request).await.expect("deleted");
    }
    let [killed, left] = replicas;
    let stays = SignedIn { ways: Stranger::new(left.channel(), channel(address)), ..stays };
    exported(&stays).await.refused(Code::Unavailable, "");
    let asked =
        HttpRequest::new(Method::GET, "/api/auth/export-user-data").bearer(&stays.session_token);
    let reply = asked.send(left.http_address()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    assert!(!reply.headers.contains_key("content-disposition"), "{reply:?}");
    killed.kill();
    for table in ["account", "session"] {
        let left: Vec<String> = Table::open(database.address(), table).await.column("userId").await;
        assert_eq!(left, [stays.id()], "{table}");
    }
    let orders = Table::open(database.address(), "erasure").await;
    assert_eq!(orders.column::<String>("user_id").await.len(), users.len());

    let again = address.to_string();
    let settings = [("DATABASE_URL", task_data.address()), ("GRPC_ADDR", &again)];
    let tasks = Starting::new(Binary::Tasks, &settings).wait();
    let table = Table::open(task_data.address(), "task").await;
    until("the tasks are gone", async || owners(&table).await == [stays.id()]).await;
    assert_eq!(stays.all_tasks().await.len(), 1);
    exported(&stays).await.expect("a document");
    assert!(!left.log().contains("@example.com"));
    drop(tasks);
}
