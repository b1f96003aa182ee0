//! The service: a fixed list, and nothing else.

use shared::{
    auth::Principal,
    proto::task::v1::{self as pb, task_service_server::TaskService},
};
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

#[tonic::async_trait]
impl TaskService for Stub {
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

    async fn create_task(
        &self,
        _: Request<pb::CreateTaskRequest>,
    ) -> Result<Response<pb::CreateTaskResponse>, Status> {
        Err(only_lists())
    }

    async fn get_task(
        &self,
        _: Request<pb::GetTaskRequest>,
    ) -> Result<Response<pb::GetTaskResponse>, Status> {
        Err(only_lists())
    }

    async fn update_task(
        &self,
        _: Request<pb::UpdateTaskRequest>,
    ) -> Result<Response<pb::UpdateTaskResponse>, Status> {
        Err(only_lists())
    }

    async fn delete_task(
        &self,
        _: Request<pb::DeleteTaskRequest>,
    ) -> Result<Response<pb::DeleteTaskResponse>, Status> {
        Err(only_lists())
    }

    async fn complete_task(
        &self,
        _: Request<pb::CompleteTaskRequest>,
    ) -> Result<Response<pb::CompleteTaskResponse>, Status> {
        Err(only_lists())
    }

    async fn reopen_task(
        &self,
        _: Request<pb::ReopenTaskRequest>,
    ) -> Result<Response<pb::ReopenTaskResponse>, Status> {
        Err(only_lists())
    }

    async fn toggle_task(
        &self,
        _: Request<pb::ToggleTaskRequest>,
    ) -> Result<Response<pb::ToggleTaskResponse>, Status> {
        Err(only_lists())
    }
}

fn only_lists() -> Status {
    Status::unimplemented("the stub only lists")
}
