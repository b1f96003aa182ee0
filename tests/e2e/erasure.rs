//! What is kept of a user goes with the account, in both services, and nothing of others.

use std::time::Duration;

use chrono::TimeDelta;
use proto::{
    auth::v1::DeleteUserRequest,
    task::v1::{PurgeUserRequest, Reminder, task_admin_service_client::TaskAdminServiceClient},
};
use serde_json::json;
use shared::clock::ManualClock;
use tokio::time::{Instant, sleep};
use tonic::{Code, Request, Status};

use crate::{
    answer::Refused,
    caller::{Bearer, SignedIn, at},
    forge,
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock, over_grpc_alone},
    world::{SECRET, World, channel},
};

in_both_worlds!(
    a_deleted_users_tasks_go_within_seconds_and_no_others,
    without_a_task_service_an_account_just_goes,
);

in_both_worlds_with_manual_clock!(tasks_written_with_an_old_token_go_when_it_has_expired);

over_grpc_alone!(
    because "services speak gRPC to each other":
    only_a_service_removes_a_users_tasks,
);

/// How long what takes moments may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tables of task-service that have rows of users.
const TABLES: [&str; 4] = ["task", "task_reminder", "task_request", "task_revision"];

/// Waits until `is_so`.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whose rows there are, in any table of task-service.
async fn owners(world: &World) -> Vec<String> {
    let mut owners = Vec::new();
    for table in TABLES {
        owners.extend(world.task_table(table).await.column::<String>("user_id").await);
    }
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// Leaves a row in each of the tables.
async fn furnish(caller: &SignedIn) {
    let made = caller.make("remind me", |new| {
        new.request_id = "once".into();
        new.reminders =
            vec![Reminder { at: Some(at("2101-01-31T08:00:00Z")), minutes_before: None }];
    });
    made.await.expect("a task");
    let gone = caller.create("in the trash").await;
    caller.delete(&gone.id).await.expect("deleted");
}

async fn delete(caller: &SignedIn) {
    let request = DeleteUserRequest { password: None };
    caller.sessions().delete_user(request).await.expect("deleted");
}

async fn a_deleted_users_tasks_go_within_seconds_and_no_others(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    furnish(&alice).await;
    furnish(&bob).await;
    let mut both = vec![alice.id(), bob.id()];
    both.sort_unstable();
    assert_eq!(owners(world).await, both);
    delete(&alice).await;
    until("her tasks are gone", async || owners(world).await == [bob.id()]).await;
    assert_eq!(bob.all_tasks().await.len(), 1);
    // The order stays until the last of her tokens has expired.
    let orders = world.auth_table("erasure").await;
    assert_eq!(orders.column::<String>("user_id").await, [alice.id()]);
}

async fn without_a_task_service_an_account_just_goes(world: &World) {
    let alone = world.another(&[("TASK_SERVICE_URL", "off")]).await;
    let alice = alone.alice().await;
    alice.create("hers").await;
    delete(&alice).await;
    assert!(!alice.session_lives().await);
    let orders = alone.auth_table("erasure").await;
    assert!(orders.column::<String>("user_id").await.is_empty());
    alone.stop().await;
}

async fn tasks_written_with_an_old_token_go_when_it_has_expired(
    world: &World,
    clock: &ManualClock,
) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    alice.create("hers").await;
    bob.create("his").await;
    delete(&alice).await;
    until("her tasks are gone", async || owners(world).await == [bob.id()]).await;
    // No call checks whether the account still exists.
    clock.advance(TimeDelta::minutes(14));
    alice.create("late").await;
    assert_eq!(owners(world).await.len(), 2);
    clock.advance(TimeDelta::minutes(20));
    until("the late one is gone too", async || owners(world).await == [bob.id()]).await;
    let orders = world.auth_table("erasure").await;
    let forgotten = async || orders.column::<String>("user_id").await.is_empty();
    until("the order is gone", forgotten).await;
}

async fn only_a_service_removes_a_users_tasks(world: &World) {
    let alice = world.alice().await;
    furnish(&alice).await;
    let purge = async |token: &str| -> Result<(), Status> {
        let channel = channel(world.tasks_grpc());
        let mut admin = TaskAdminServiceClient::with_interceptor(channel, Bearer::new(token));
        admin.purge_user(Request::new(PurgeUserRequest { user_id: alice.id() })).await.map(drop)
    };
    let of = |changes| forge::service(SECRET, &changes);
    for token in [
        "garbage".to_owned(),
        alice.access_token.clone(),
        alice.session_token.clone(),
        forge::token(SECRET, &alice.id(), &json!({})),
        forge::service(forge::FOREIGN, &json!({})),
        of(json!({ "aud": "task-service" })),
        of(json!({ "sub": alice.id() })),
    ] {
        assert_eq!(purge(&token).await.status().code(), Code::Unauthenticated);
    }
    assert_eq!(alice.all_tasks().await.len(), 1);
    purge(&of(json!({}))).await.expect("a service");
    assert!(owners(world).await.is_empty());
}
