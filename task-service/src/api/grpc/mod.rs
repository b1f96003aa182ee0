//! The rpcs of tasks, which both protocols call. A handler has four beats: the owner; the request as
//! domain types; the call of the store; the response.

mod admin;
mod admin_gate;
mod bulk;
mod export;
mod stream;

use std::{sync::Arc, time::Duration};

use proto::task::v1::{
    self as pb,
    task_service_server::{TaskService, TaskServiceServer},
};
use server::MAX_REQUEST_BYTES;
use shared::auth::{Gate, Principal};
use tonic::{Request, Response, Status, service::interceptor::InterceptedService};

use self::stream::{HEARTBEAT, Stream, response_stream};
pub use self::{
    admin::{AUDIENCE, guarded_admin},
    admin_gate::AdminGate,
    bulk::{UPLOAD, guarded_bulk},
};
use crate::{
    api::wire,
    domain::{etag::Etag, task::TaskPatch},
    events::watch::Watch,
    store::Tasks,
};

/// The service behind its gate.
pub type Guarded = InterceptedService<TaskServiceServer<Rpcs>, Gate>;

/// The service behind `gate`, without which it cannot be made.
pub fn guarded(gate: &Gate, rpcs: Arc<Rpcs>) -> Guarded {
    let server = TaskServiceServer::from_arc(rpcs);
    gate.guard(server.max_decoding_message_size(MAX_REQUEST_BYTES))
}

/// The rpcs of users. Each refuses a request without the [`Principal`] that only the gate makes.
pub struct Rpcs {
    tasks: Tasks,
    heartbeat: Duration,
}

impl Rpcs {
    /// The rpcs on `tasks`.
    pub fn new(tasks: Tasks) -> Arc<Self> {
        Self::with_heartbeat(tasks, HEARTBEAT)
    }

    /// The rpcs with another heartbeat.
    pub fn with_heartbeat(tasks: Tasks, heartbeat: Duration) -> Arc<Self> {
        Arc::new(Self { tasks, heartbeat })
    }

    /// The tasks, for imports over HTTP, whose faults have line numbers.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }
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

    async fn count_tasks(
        &self,
        request: Request<pb::CountTasksRequest>,
    ) -> Result<Response<pb::CountTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let filter = wire::count_filter(request.into_inner())?;
        let counts = self.tasks.count(&owner, &filter).await?;
        Ok(Response::new(counts.into()))
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
        let pb::CompleteTaskRequest { id, etag, .. } = request.into_inner();
        let (id, etag) = (wire::task_id(&id), Etag::given(etag));
        let patch = TaskPatch::completed(true);
        let task = self.tasks.update(&owner, id, patch, etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn reopen_task(
        &self,
        request: Request<pb::ReopenTaskRequest>,
    ) -> Result<Response<pb::ReopenTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::ReopenTaskRequest { id, etag, .. } = request.into_inner();
        let (id, etag) = (wire::task_id(&id), Etag::given(etag));
        let patch = TaskPatch::completed(false);
        let task = self.tasks.update(&owner, id, patch, etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn toggle_task(
        &self,
        request: Request<pb::ToggleTaskRequest>,
    ) -> Result<Response<pb::ToggleTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::ToggleTaskRequest { id, etag, .. } = request.into_inner();
        let (id, etag) = (wire::task_id(&id), Etag::given(etag));
        let task = self.tasks.toggle(&owner, id, etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn move_task(
        &self,
        request: Request<pb::MoveTaskRequest>,
    ) -> Result<Response<pb::MoveTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let message = request.into_inner();
        let (id, target) = (wire::task_id(&message.id), wire::move_target(&message)?);
        let etag = Etag::given(message.etag);
        let task = self.tasks.move_task(&owner, id, target, etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn skip_task(
        &self,
        request: Request<pb::SkipTaskRequest>,
    ) -> Result<Response<pb::SkipTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::SkipTaskRequest { id, etag, .. } = request.into_inner();
        let etag = Etag::given(etag);
        let task = self.tasks.skip(&owner, wire::task_id(&id), etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn undelete_task(
        &self,
        request: Request<pb::UndeleteTaskRequest>,
    ) -> Result<Response<pb::UndeleteTaskResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::UndeleteTaskRequest { id, etag, .. } = request.into_inner();
        let (id, etag) = (wire::task_id(&id), Etag::given(etag));
        let task = self.tasks.undelete(&owner, id, etag.as_ref()).await?;
        Ok(Response::new(task.into()))
    }

    async fn sync_tasks(
        &self,
        request: Request<pb::SyncTasksRequest>,
    ) -> Result<Response<pb::SyncTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let wanted = wire::sync_request(request.get_ref())?;
        let changes = self.tasks.sync(&owner, &wanted).await?;
        Ok(Response::new(wire::changes(changes, owner.user().as_str())))
    }

    async fn list_security_events(
        &self,
        request: Request<pb::ListSecurityEventsRequest>,
    ) -> Result<Response<pb::ListSecurityEventsResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let wanted = wire::events_request(request.get_ref())?;
        let page = self.tasks.security_events(&owner, &wanted).await?;
        Ok(Response::new(wire::events(page)))
    }

    type WatchTasksStream = Stream<pb::WatchTasksResponse>;

    async fn watch_tasks(
        &self,
        request: Request<pb::WatchTasksRequest>,
    ) -> Result<Response<Self::WatchTasksStream>, Status> {
        let principal = Principal::of(&request)?;
        let owner = principal.owning(&request.get_ref().user_id)?;
        let after = wire::watch_request(request.get_ref())?;
        let watch = Watch::begin(self.tasks.clone(), principal, owner, after, self.heartbeat);
        Ok(response_stream(watch.await?))
    }
}

#[cfg(test)]
mod tests;
