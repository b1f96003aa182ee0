//! The task service of the servers that are compared: the calls that are measured, and no other.

use futures_util::stream::Pending;
use proto::task::v1::{self as pb, task_service_server::TaskService};
use tonic::{Request, Response, Status};

/// The calls that are measured.
#[tonic::async_trait]
pub trait Measured: Send + Sync + 'static {
    async fn list(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Result<pb::ListTasksResponse, Status>;

    async fn get(&self, _: Request<pb::GetTaskRequest>) -> Result<pb::GetTaskResponse, Status> {
        Err(not_measured())
    }

    async fn create(
        &self,
        _: Request<pb::CreateTaskRequest>,
    ) -> Result<pb::CreateTaskResponse, Status> {
        Err(not_measured())
    }
}

/// The service of the measured calls.
pub struct Service<M>(pub M);

/// The three calls; every other rpc is refused.
macro_rules! refusing {
    ($($rpc:ident($request:ident) -> $response:ident),+ $(,)?) => {
        #[tonic::async_trait]
        impl<M: Measured> TaskService for Service<M> {
            type WatchTasksStream = Pending<Result<pb::WatchTasksResponse, Status>>;

            async fn watch_tasks(
                &self,
                _: Request<pb::WatchTasksRequest>,
            ) -> Result<Response<Self::WatchTasksStream>, Status> {
                Err(not_measured())
            }

            async fn list_tasks(
                &self,
                request: Request<pb::ListTasksRequest>,
            ) -> Result<Response<pb::ListTasksResponse>, Status> {
                self.0.list(request).await.map(Response::new)
            }

            async fn get_task(
                &self,
                request: Request<pb::GetTaskRequest>,
            ) -> Result<Response<pb::GetTaskResponse>, Status> {
                self.0.get(request).await.map(Response::new)
            }

            async fn create_task(
                &self,
                request: Request<pb::CreateTaskRequest>,
            ) -> Result<Response<pb::CreateTaskResponse>, Status> {
                self.0.create(request).await.map(Response::new)
            }

            $(async fn $rpc(
                &self,
                _: Request<pb::$request>,
            ) -> Result<Response<pb::$response>, Status> {
                Err(not_measured())
            })+
        }
    };
}

refusing!(
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

fn not_measured() -> Status {
    Status::unimplemented("only what is measured is served")
}
