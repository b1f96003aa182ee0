//! The rpcs: who asks and is it theirs; what they ask; do it; say it.

use shared::{
    auth::{Gate, Principal},
    proto::task::v1::{
        self as pb,
        task_service_server::{TaskService, TaskServiceServer},
    },
    serve::MAX_REQUEST_BYTES,
};
use tonic::{Request, Response, Status, service::interceptor::InterceptedService};

use crate::{etag::Etag, store::Tasks, wire};

/// The service behind its gate.
pub type Guarded = InterceptedService<TaskServiceServer<Rpcs>, Gate>;

/// The service behind `gate`. There is no way to get it without one.
pub fn guarded(gate: &Gate, tasks: Tasks) -> Guarded {
    let server = TaskServiceServer::new(Rpcs { tasks });
    gate.guard(server.max_decoding_message_size(MAX_REQUEST_BYTES))
}

/// The rpcs. Only [`guarded`] makes them.
pub struct Rpcs {
    tasks: Tasks,
}

#[tonic::async_trait]
impl TaskService for Rpcs {
    async fn create_task(
        &self,
        request: Request<pb::CreateTaskRequest>,
    ) -> Result<Response<pb::CreateTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let new = wire::new_task(request.into_inner())?;
        let task = self.tasks.create(&owner, new).await?;
        Ok(Response::new(task.into()))
    }

    async fn get_task(
        &self,
        request: Request<pb::GetTaskRequest>,
    ) -> Result<Response<pb::GetTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let id = wire::task_id(&request.get_ref().id);
        let task = self.tasks.get(&owner, id).await?;
        Ok(Response::new(task.into()))
    }

    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Result<Response<pb::ListTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let wanted = wire::page_request(request.get_ref())?;
        let page = self.tasks.list(&owner, &wanted).await?;
        Ok(Response::new(page.into()))
    }

    async fn update_task(
        &self,
        request: Request<pb::UpdateTaskRequest>,
    ) -> Result<Response<pb::UpdateTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let wire::Update { id, patch, etag } = wire::update(request.into_inner())?;
        let task = self.tasks.update(&owner, id, patch, etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn delete_task(
        &self,
        request: Request<pb::DeleteTaskRequest>,
    ) -> Result<Response<pb::DeleteTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::DeleteTaskRequest { id, etag, .. } = request.into_inner();
        self.tasks.delete(&owner, wire::task_id(&id), Etag::given(etag).as_ref()).await?;
        Ok(Response::new(pb::DeleteTaskResponse {}))
    }

    async fn complete_task(
        &self,
        request: Request<pb::CompleteTaskRequest>,
    ) -> Result<Response<pb::CompleteTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let id = wire::task_id(&request.get_ref().id);
        let task = self.tasks.complete(&owner, id).await?;
        Ok(Response::new(task.into()))
    }

    async fn reopen_task(
        &self,
        request: Request<pb::ReopenTaskRequest>,
    ) -> Result<Response<pb::ReopenTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let id = wire::task_id(&request.get_ref().id);
        let task = self.tasks.reopen(&owner, id).await?;
        Ok(Response::new(task.into()))
    }

    async fn toggle_task(
        &self,
        request: Request<pb::ToggleTaskRequest>,
    ) -> Result<Response<pb::ToggleTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let id = wire::task_id(&request.get_ref().id);
        let task = self.tasks.toggle(&owner, id).await?;
        Ok(Response::new(task.into()))
    }
}

#[cfg(test)]
#[path = "grpc_tests.rs"]
mod tests;
