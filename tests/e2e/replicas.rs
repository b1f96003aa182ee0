//! Several processes of one service on one database.

use std::collections::BTreeSet;

use fixtures::{FreshDatabase, on_both_databases};
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{
    availability::until_ready,
    binary::Binary,
    caller::{SignedIn, Stranger},
    health,
    process::{Server, Starting},
    table::Table,
};

on_both_databases!(
    three_task_services_that_start_at_once_share_their_tasks,
    three_auth_services_that_start_at_once_share_their_accounts,
);

/// Three processes that start at the same time on an empty database.
fn three(binary: Binary, database: &FreshDatabase) -> Vec<Server> {
    let settings = [("DATABASE_URL", database.address()), ("DATABASE_MAX_CONNECTIONS", "4")];
    let starting: Vec<_> = (0..3).map(|_| Starting::new(binary, &settings)).collect();
    starting.into_iter().map(Starting::wait).collect()
}

/// Waits until all are ready: one that finds the file locked by another listens, and waits for it.
async fn until_all_ready(servers: &[Server], services: &[&str]) {
    for server in servers {
        until_ready(server).await;
        for service in services {
            let status = health::ask(server.channel(), service).await.expect("an answer");
            assert_eq!(status, ServingStatus::Serving, "{service:?}");
        }
    }
}

async fn assert_migrated_once(database: &FreshDatabase, table: &'static str) {
    let table = Table::open(database.address(), table).await;
    let versions: Vec<String> = table.column("version").await;
    let distinct: BTreeSet<&String> = versions.iter().collect();
    assert!(!versions.is_empty() && distinct.len() == versions.len(), "{versions:?}");
}

async fn three_task_services_that_start_at_once_share_their_tasks(database: FreshDatabase) {
    let servers = three(Binary::Tasks, &database);
    until_all_ready(&servers, &["task.v1.TaskService"]).await;
    assert_migrated_once(&database, "task_service_migration").await;

    let ada: Vec<SignedIn> = servers
        .iter()
        .map(|server| Stranger::new(server.channel(), server.channel()).minted("ada"))
        .collect();
    let task = ada[0].create("made on the first").await;
    for there in &ada {
        assert_eq!(there.get(&task.id).await.expect("the task"), task);
        assert_eq!(there.all_tasks().await, std::slice::from_ref(&task));
    }
    // A request id counts wherever it arrives.
    let request = proto::task::v1::CreateTaskRequest {
        request_id: "once".into(),
        ..ada[0].new_task("made anywhere")
    };
    let everywhere = ada.iter().cycle().take(12).map(|there| {
        let (mut tasks, request) = (there.tasks(), request.clone());
        async move { tasks.create_task(request).await }
    });
    let ids: BTreeSet<String> = futures_util::future::join_all(everywhere)
        .await
        .into_iter()
        .map(|answer| answer.expect("a task").into_inner().task.expect("a task").id)
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(ada[2].all_tasks().await.len(), 2);
}

async fn three_auth_services_that_start_at_once_share_their_accounts(database: FreshDatabase) {
    let servers = three(Binary::Auth, &database);
    until_all_ready(&servers, &["auth.v1.AuthService", "auth.v1.SessionService"]).await;
    assert_migrated_once(&database, "auth_service_migration").await;

    let ways: Vec<Stranger> =
        servers.iter().map(|server| Stranger::new(server.channel(), server.channel())).collect();
    let ada = ways[0].sign_up("ada@example.com").await;
    let there = ways[1].sign_in("ada@example.com").await;
    assert_eq!(there.id(), ada.id());
    // A session opened on one lives on all, and dies on all.
    let elsewhere = SignedIn { ways: ways[2].clone(), ..ada.clone() };
    assert!(elsewhere.session_lives().await);
    let request = proto::auth::v1::RevokeSessionsRequest {};
    elsewhere.sessions().revoke_sessions(request).await.expect("revoked");
    assert!(!ada.session_lives().await && !there.session_lives().await);
}
