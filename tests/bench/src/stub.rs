//! The stub: a fixed list, and nothing else.

use proto::task::v1 as pb;
use shared::auth::Principal;
use tonic::{Request, Status};

use crate::service::Measured;

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

#[tonic::async_trait]
impl Measured for Stub {
    async fn list(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Result<pb::ListTasksResponse, Status> {
        if self.guarded {
            // The second half of the rule is part of what the gate costs.
            Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        }
        Ok(pb::ListTasksResponse { tasks: self.tasks.clone(), ..Default::default() })
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
