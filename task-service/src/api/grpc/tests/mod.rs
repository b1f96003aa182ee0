//! Whole calls through the gate, in process: the errors of clients, and their order.

mod erasure;
mod reminders;
mod shutdown;
mod watch;

use proto::task::v1::task_service_client::TaskServiceClient;
use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::world::World;

impl World {
    /// A client of the guarded service. There is no other kind.
    fn client(&self) -> TaskServiceClient<Guarded> {
        TaskServiceClient::new(guarded(&self.gate, Rpcs::new(self.tasks())))
    }

    fn by<T>(&self, user: &str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let value = self.bearer(user).parse().expect("a header value");
        request.metadata_mut().insert("authorization", value);
        request
    }
}

fn get(user_id: &str, id: &str) -> pb::GetTaskRequest {
    pb::GetTaskRequest { user_id: user_id.into(), id: id.into() }
}

#[tokio::test]
async fn the_caller_is_checked_before_the_message() {
    let world = World::start().await;
    let mut client = world.client();
    let faulty = pb::CreateTaskRequest { user_id: "alice".into(), ..Default::default() };
    let reply = client.create_task(Request::new(faulty.clone())).await.expect_err("no token");
    assert_eq!(reply.code(), Code::Unauthenticated);
    let reply = client.create_task(world.by("bob", faulty.clone())).await.expect_err("not his");
    assert_eq!(reply.code(), Code::PermissionDenied);
    let reply = client.create_task(world.by("alice", faulty)).await.expect_err("no title");
    assert_eq!(reply.code(), Code::InvalidArgument);
    let violations = reply.get_details_bad_request().expect("violations").field_violations;
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].field, "title");
}

#[tokio::test]
async fn a_foreign_an_unknown_and_a_malformed_id_get_the_very_same_answer() {
    let world = World::start().await;
    let mut client = world.client();
    let new = pb::CreateTaskRequest {
        user_id: "alice".into(),
        title: "hers".into(),
        ..Default::default()
    };
    let made = client.create_task(world.by("alice", new)).await.expect("created").into_inner();
    let id = made.task.expect("a task").id;
    let mut answers = Vec::new();
    for id in [id.as_str(), "018bcfe5-687b-7aaa-8bbb-0123456789ab", "", "nonsense"] {
        let reply = client.get_task(world.by("bob", get("bob", id))).await.expect_err("not his");
        let reason = reply.get_details_error_info().expect("a reason").reason;
        assert_eq!((reply.code(), reason.as_str()), (Code::NotFound, "TASK_NOT_FOUND"));
        answers.push((reply.message().to_owned(), reply.details().to_vec()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let own = client.get_task(world.by("alice", get("alice", &id))).await.expect("hers");
    assert_eq!(own.into_inner().task.expect("a task").title, "hers");
}

#[tokio::test]
async fn a_faulty_field_comes_before_an_unknown_id() {
    let world = World::start().await;
    let mut client = world.client();
    let nothing = pb::UpdateTaskRequest {
        user_id: "alice".into(),
        id: "nonsense".into(),
        ..Default::default()
    };
    let reply = client.update_task(world.by("alice", nothing.clone())).await.expect_err("faulty");
    assert_eq!(reply.code(), Code::InvalidArgument);
    let something = pb::UpdateTaskRequest { completed: Some(true), ..nothing };
    let reply = client.update_task(world.by("alice", something)).await.expect_err("unknown");
    assert_eq!(reply.code(), Code::NotFound);
}
