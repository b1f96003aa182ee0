//! The service: a fixed list, and nothing else.

use futures_util::stream::Pending;
use proto::task::v1::{self as pb, task_service_server::TaskService};
use shared::auth::Principal;
use tonic::{Request, Response, Status};

/// Rows of a list, as many as the budgets speak of.
const TASKS: usize = 20;

/// Answers lists from memory.
pub struct Stub {
    /// Whether a gate is in front, so that the handler asks it whose tasks these are.
    guarded: bool,
    tasks: Vec<pb::Task>,
}

impl Stub {
    pub fn new(guarded: bool) -> Self {
        Self { guarded, tasks: (0..TASKS).map(task).collect() }
    }
}

/// A task of the size that the harness seeds real services with.
fn task(number: usize) -> pb::Task {
    let mut task = pb::Task {
        id: format!("018bcfe5-687b-7aaa-8bbb-{number:012x}"),
        user_id: "bench-user-000000".to_owned(),
        title: "Water the plants on the balcony".to_owned(),
        description: "Twice a week in summer, once in winter; ".repeat(2),
        completed: false,
        priority: pb::Priority::Medium.into(),
        etag: format!("{number:x}"),
        ..pb::Task::default()
    };
    for time in [&mut task.created_at, &mut task.updated_at] {
        let time = time.get_or_insert_default();
        (time.seconds, time.nanos) = (1_795_000_000, 123_456_000);
    }
    task
}

/// Lists; every other rpc is refused.
macro_rules! only_list {
    ($($rpc:ident($request:ident) -> $response:ident),+ $(,)?) => {
        #[tonic::async_trait]
        impl TaskService for Stub {
            type WatchTasksStream = Pending<Result<pb::WatchTasksResponse, Status>>;

            async fn watch_tasks(
                &self,
                _: Request<pb::WatchTasksRequest>,
            ) -> Result<Response<Self::WatchTasksStream>, Status> {
                Err(only_lists())
            }

            async fn list_tasks(
                &self,
                request: Request<pb::ListTasksRequest>,
            ) -> Result<Response<pb::ListTasksResponse>, Status> {
                if self.guarded {
                    // The second half of the rule is part of what the gate costs.
                    Principal::of(&request)?.owning(&request.get_ref().user_id)?;
                }
                let tasks = self.tasks.clone();
                Ok(Response::new(pb::ListTasksResponse { tasks, ..Default::default() }))
            }

            $(async fn $rpc(
                &self,
                _: Request<pb::$request>,
            ) -> Result<Response<pb::$response>, Status> {
                Err(only_lists())
            })+
        }
    };
}

only_list!(
    create_task(CreateTaskRequest) -> CreateTaskResponse,
    get_task(GetTaskRequest) -> GetTaskResponse,
    count_tasks(CountTasksRequest) -> CountTasksResponse,
    update_task(UpdateTaskRequest) -> UpdateTaskResponse,
    delete_task(DeleteTaskRequest) -> DeleteTaskResponse,
    complete_task(CompleteTaskRequest) -> CompleteTaskResponse,
    reopen_task(ReopenTaskRequest) -> ReopenTaskResponse,
    toggle_task(ToggleTaskRequest) -> ToggleTaskResponse,
    move_task(MoveTaskRequest) -> MoveTaskResponse,
    skip_task(SkipTaskRequest) -> SkipTaskResponse,
    undelete_task(UndeleteTaskRequest) -> UndeleteTaskResponse,
    sync_tasks(SyncTasksRequest) -> SyncTasksResponse,
    list_security_events(ListSecurityEventsRequest) -> ListSecurityEventsResponse,
);

fn only_lists() -> Status {
    Status::unimplemented("the stub only lists")
}
