//! Whole calls of many tasks through the gate, in process.

use futures_util::{TryStreamExt, stream};
use proto::task::v1::task_bulk_service_client::TaskBulkServiceClient;
use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::world::World;

impl World {
    fn bulk(&self) -> TaskBulkServiceClient<GuardedBulk> {
        TaskBulkServiceClient::new(guarded_bulk(&self.gate, Rpcs::new(self.tasks())))
    }

    fn of<T>(&self, user: &str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let value = self.bearer(user).parse().expect("a header value");
        request.metadata_mut().insert("authorization", value);
        request
    }

    /// The titles of all tasks of `user`, oldest first.
    async fn exported(&self, user: &str) -> Vec<String> {
        let message = pb::ExportTasksRequest { user_id: user.into(), everything: false };
        let answer = self.bulk().export_tasks(self.of(user, message)).await.expect("an export");
        let pages: Vec<_> = answer.into_inner().try_collect().await.expect("all of it");
        pages.into_iter().flat_map(|page| page.tasks).map(|task| task.title).collect()
    }
}

fn create(user_id: &str, titles: &[&str]) -> pb::BatchCreateTasksRequest {
    let task =
        |title: &&str| pb::CreateTaskRequest { title: (*title).into(), ..Default::default() };
    let tasks = titles.iter().map(task).collect();
    pb::BatchCreateTasksRequest { user_id: user_id.into(), tasks, request_id: String::new() }
}

fn some(user_id: &str, titles: &[&str]) -> pb::ImportTasksRequest {
    let task = |title: &&str| pb::Task { title: (*title).into(), ..Default::default() };
    let tasks = titles.iter().map(task).collect();
    pb::ImportTasksRequest { user_id: user_id.into(), tasks, dry_run: false }
}

#[tokio::test]
async fn the_caller_is_checked_before_the_message() {
    let world = World::start().await;
    let mut bulk = world.bulk();
    let faulty = create("alice", &[]);
    let reply = bulk.batch_create_tasks(Request::new(faulty.clone())).await.expect_err("no token");
    assert_eq!(reply.code(), Code::Unauthenticated);
    let reply =
        bulk.batch_create_tasks(world.of("bob", faulty.clone())).await.expect_err("not his");
    assert_eq!(reply.code(), Code::PermissionDenied);
    let reply = bulk.batch_create_tasks(world.of("alice", faulty)).await.expect_err("no tasks");
    assert_eq!(reply.code(), Code::InvalidArgument);
    let foreign = pb::ExportTasksRequest { user_id: "alice".into(), everything: false };
    let reply = bulk.export_tasks(world.of("bob", foreign)).await.expect_err("not his");
    assert_eq!(reply.code(), Code::PermissionDenied);
    let update = pb::BatchUpdateTasksRequest { user_id: "alice".into(), ..Default::default() };
    let reply = bulk.batch_update_tasks(world.of("bob", update)).await.expect_err("not his");
    assert_eq!(reply.code(), Code::PermissionDenied);
    let delete = pb::BatchDeleteTasksRequest { user_id: "alice".into(), ..Default::default() };
    let reply = bulk.batch_delete_tasks(world.of("bob", delete)).await.expect_err("not his");
    assert_eq!(reply.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn every_missing_task_is_named_and_the_code_is_that_of_one() {
    let world = World::start().await;
    let mut bulk = world.bulk();
    let made = bulk.batch_create_tasks(world.of("alice", create("alice", &["a", "b"]))).await;
    let made = made.expect("created").into_inner().tasks;
    let ids = vec![made[0].id.clone(), "nonsense".into(), made[1].id.clone(), String::new()];
    let message =
        pb::BatchCompleteTasksRequest { user_id: "alice".into(), ids, ..Default::default() };
    let reply = bulk.batch_complete_tasks(world.of("alice", message)).await.expect_err("missing");
    assert_eq!(reply.code(), Code::NotFound);
    assert_eq!(reply.message(), "ids[1] is no task of yours; ids[3] is no task of yours");
    assert_eq!(reply.get_details_error_info().expect("a reason").reason, "TASK_NOT_FOUND");
    let faults = reply.get_details_bad_request().expect("faults").field_violations;
    assert_eq!(faults.len(), 2);
}

#[tokio::test]
async fn an_import_takes_any_number_of_messages_and_an_export_gives_all() {
    let world = World::start().await;
    let messages = stream::iter([some("alice", &["a", "b"]), some("alice", &["c"])]);
    let report = world.bulk().import_tasks(world.of("alice", messages)).await.expect("imported");
    let report = report.into_inner();
    assert_eq!((report.received, report.imported), (3, 3));
    let mut titles = world.exported("alice").await;
    titles.sort();
    assert_eq!(titles, ["a", "b", "c"]);
    let nothing = stream::iter([] as [pb::ImportTasksRequest; 0]);
    let report = world.bulk().import_tasks(world.of("alice", nothing)).await.expect("nothing");
    assert_eq!(report.into_inner(), pb::ImportTasksResponse::default());
}

#[tokio::test]
async fn a_message_for_another_user_ends_an_import_without_a_trace() {
    let world = World::start().await;
    for second in [some("bob", &["b"]), some("", &["b"]), some("bob", &[])] {
        let messages = stream::iter([some("alice", &["a"]), second]);
        let reply = world.bulk().import_tasks(world.of("alice", messages)).await;
        assert_eq!(reply.expect_err("not hers").code(), Code::PermissionDenied);
    }
    assert_eq!(world.exported("alice").await, [""; 0]);
    assert_eq!(world.exported("bob").await, [""; 0]);
}

#[tokio::test]
async fn an_invalid_import_names_its_faults_and_stores_nothing() {
    let world = World::start().await;
    let import = async |dry_run| {
        let first = pb::ImportTasksRequest { dry_run, ..some("alice", &["a", ""]) };
        let messages = stream::iter([first, some("alice", &["", "b"])]);
        world.bulk().import_tasks(world.of("alice", messages)).await
    };
    let reply = import(false).await.expect_err("faulty");
    assert_eq!(reply.code(), Code::InvalidArgument);
    assert!(
        reply.message().starts_with("2 of 4 tasks are faulty, and nothing was imported: line 2")
    );
    let faults = reply.get_details_bad_request().expect("faults").field_violations;
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["line 2: title", "line 3: title"]);
    let report = import(true).await.expect("a report").into_inner();
    assert_eq!((report.faulty, report.imported, report.dry_run), (2, 0, true));
    assert_eq!(report.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(world.exported("alice").await, [""; 0]);
}

#[tokio::test]
async fn a_message_of_an_export_fits_any_client() {
    let world = World::start().await;
    let description = "\u{1}".repeat(10_000);
    let task = |n: usize| pb::CreateTaskRequest {
        title: n.to_string(),
        description: description.clone(),
        ..Default::default()
    };
    for batch in 0..2 {
        let tasks = (batch * 60..(batch + 1) * 60).map(task).collect();
        let message = pb::BatchCreateTasksRequest { tasks, ..create("alice", &[]) };
        let made = world.bulk().batch_create_tasks(world.of("alice", message)).await;
        made.expect("created");
    }
    let message = pb::ExportTasksRequest { user_id: "alice".into(), everything: false };
    let answer = world.bulk().export_tasks(world.of("alice", message)).await.expect("an export");
    let pages: Vec<_> = answer.into_inner().try_collect().await.expect("all of it");
    assert_eq!(pages.iter().map(|page| page.tasks.len()).sum::<usize>(), 120);
    for page in pages {
        assert!(serde_json::to_vec(&page.tasks).expect("JSON").len() <= 512 * 1024);
    }
}
