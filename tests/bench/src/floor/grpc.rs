//! The calls over gRPC.

use prost_types::Timestamp;
use proto::task::v1 as pb;
use tonic::{Request, Status, metadata::MetadataValue};
use uuid::Uuid;

use crate::{
    service::Measured,
    store::{Store, Task},
    token::Verifier,
};

pub struct Floor {
    pub store: Store,
    pub verifier: Verifier,
}

impl Floor {
    fn check<T>(&self, request: &Request<T>, user_id: &str) -> Result<(), Status> {
        let authorization = request.metadata().get("authorization");
        let user = self.verifier.user(authorization.map(MetadataValue::as_bytes));
        match user {
            None => Err(Status::unauthenticated("no valid token")),
            Some(user) if user == user_id => Ok(()),
            Some(_) => Err(Status::permission_denied("of another user")),
        }
    }
}

#[tonic::async_trait]
impl Measured for Floor {
    async fn list(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Result<pb::ListTasksResponse, Status> {
        let user = &request.get_ref().user_id;
        self.check(&request, user)?;
        let tasks = self.store.list(user).await.map_err(unavailable)?;
        let tasks = tasks.into_iter().map(|task| message(task, user)).collect();
        Ok(pb::ListTasksResponse { tasks, ..Default::default() })
    }

    async fn get(
        &self,
        request: Request<pb::GetTaskRequest>,
    ) -> Result<pb::GetTaskResponse, Status> {
        let pb::GetTaskRequest { user_id, id } = request.get_ref();
        self.check(&request, user_id)?;
        let id = Uuid::parse_str(id).map_err(|_| Status::not_found("no such task"))?;
        let task = self.store.get(user_id, id).await.map_err(unavailable)?;
        let task = task.ok_or_else(|| Status::not_found("no such task"))?;
        Ok(pb::GetTaskResponse { task: Some(message(task, user_id)) })
    }

    async fn create(
        &self,
        request: Request<pb::CreateTaskRequest>,
    ) -> Result<pb::CreateTaskResponse, Status> {
        self.check(&request, &request.get_ref().user_id)?;
        let pb::CreateTaskRequest { user_id, title, description, .. } = request.into_inner();
        let task = self.store.create(&user_id, title, description).await.map_err(unavailable)?;
        Ok(pb::CreateTaskResponse { task: Some(message(task, &user_id)) })
    }
}

fn unavailable(_: sqlx::Error) -> Status {
    Status::unavailable("the database has failed")
}

fn message(task: Task, user: &str) -> pb::Task {
    pb::Task {
        id: task.id.to_string(),
        user_id: user.to_owned(),
        title: task.title,
        description: task.description,
        completed: task.completed_at.is_some(),
        completed_at: task.completed_at.map(timestamp),
        priority: i32::try_from(task.priority).unwrap_or_default(),
        created_at: Some(timestamp(task.created_at)),
        updated_at: Some(timestamp(task.updated_at)),
        etag: format!("{:x}", task.revision),
        position: task.position,
        ..pb::Task::default()
    }
}

fn timestamp(micros: i64) -> Timestamp {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}
