//! Erasure of a user by a service, and by no other caller.

use std::time::Duration;

use proto::task::v1::task_admin_service_client::TaskAdminServiceClient;
use server::tls::ClientNames;
use shared::auth::{ServiceGate, ServiceTokenIssuer};
use tokio::time::timeout;

use super::{
    super::{AdminGate, admin::GuardedAdmin},
    *,
};

struct Service {
    world: World,
    issuer: ServiceTokenIssuer,
    client: TaskAdminServiceClient<GuardedAdmin>,
}

impl Service {
    async fn start() -> Self {
        let world = World::start().await;
        let (keys, clock) = (world.keys.clone(), world.clock.clone());
        let issuer = ServiceTokenIssuer::new(keys.clone(), "auth-service", AUDIENCE, clock.clone());
        let gate = ServiceGate::new(keys, AUDIENCE, Duration::ZERO, clock);
        let gate = AdminGate::new(gate, ClientNames::default());
        let client = TaskAdminServiceClient::new(guarded_admin(gate, world.tasks()));
        Self { world, issuer: issuer.expect("a name"), client }
    }

    async fn purge(&mut self, user: &str) -> Result<pb::PurgeUserResponse, Status> {
        let mut request = Request::new(pb::PurgeUserRequest { user_id: user.into() });
        let bearer = format!("Bearer {}", self.issuer.issue().expect("a token"));
        request.metadata_mut().insert("authorization", bearer.parse().expect("a value"));
        Ok(self.client.purge_user(request).await?.into_inner())
    }

    async fn make(&self, user: &str) {
        let new =
            pb::CreateTaskRequest { user_id: user.into(), title: "a".into(), ..Default::default() };
        let made = self.world.client().create_task(self.world.by(user, new)).await;
        made.expect("created");
    }

    async fn count(&self, user: &str) -> i64 {
        let message = pb::CountTasksRequest { user_id: user.into(), ..Default::default() };
        let counted = self.world.client().count_tasks(self.world.by(user, message)).await;
        counted.expect("counted").into_inner().total
    }
}

#[tokio::test]
async fn a_service_erases_one_user_and_learns_when_it_is_done() {
    let mut service = Service::start().await;
    for user in ["alice", "alice", "bob"] {
        service.make(user).await;
    }
    let reply = service.purge("alice").await.expect("purged");
    assert_eq!(reply, pb::PurgeUserResponse { done: true, tasks: 2 });
    assert_eq!((service.count("alice").await, service.count("bob").await), (0, 1));
    let reply = service.purge("alice").await.expect("again");
    assert_eq!(reply, pb::PurgeUserResponse { done: true, tasks: 0 });
}

#[tokio::test]
async fn a_user_erases_no_user() {
    let mut service = Service::start().await;
    service.make("alice").await;
    let message = pb::PurgeUserRequest { user_id: "alice".into() };
    let nobody = service.client.purge_user(Request::new(message.clone())).await;
    assert_eq!(nobody.expect_err("nobody").code(), Code::Unauthenticated);
    let herself = service.client.purge_user(service.world.by("alice", message)).await;
    assert_eq!(herself.expect_err("a user").code(), Code::Unauthenticated);
    assert_eq!(service.count("alice").await, 1);
}

#[tokio::test]
async fn an_invalid_user_id_is_a_fault_of_the_field() {
    let mut service = Service::start().await;
    for user in ["", "a\0", "service:auth-service", &"x".repeat(256)] {
        let reply = service.purge(user).await.expect_err("no user");
        assert_eq!(reply.code(), Code::InvalidArgument, "{user:?}");
        let faults = reply.get_details_bad_request().expect("violations").field_violations;
        assert_eq!(faults[0].field, "user_id");
    }
}

#[tokio::test]
async fn an_erasure_ends_the_watches_of_the_user() {
    let mut service = Service::start().await;
    service.make("alice").await;
    service.make("bob").await;
    let mut client = service.world.client();
    let mut watches = Vec::new();
    for user in ["alice", "bob"] {
        let message = pb::WatchTasksRequest { user_id: user.into(), sync_token: String::new() };
        let reply = client.watch_tasks(service.world.by(user, message)).await;
        let mut reply = reply.expect("a stream").into_inner();
        reply.message().await.expect("no end").expect("the task there is");
        watches.push(reply);
    }
    service.purge("alice").await.expect("purged");
    let over = timeout(Duration::from_secs(5), watches[0].message()).await.expect("in time");
    let over = over.expect_err("an end");
    assert_eq!(over.code(), Code::OutOfRange);
    assert_eq!(over.get_details_error_info().expect("a reason").reason, "SYNC_TOKEN_TOO_OLD");
    let silent = timeout(Duration::from_millis(100), watches[1].message()).await;
    assert!(silent.is_err(), "his goes on");
}
