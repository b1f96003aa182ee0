//! The rpcs of batches, export and import.

use std::sync::Arc;

use proto::task::v1::{
    self as pb,
    task_bulk_service_server::{TaskBulkService, TaskBulkServiceServer},
};
use server::{ClientInfo, MAX_BATCH_BYTES, StreamKind};
use shared::auth::{Gate, Principal};
use tonic::{Request, Response, Status, Streaming, service::interceptor::InterceptedService};

use super::{
    Rpcs,
    export::{ExportCursor, exported},
    stream::Stream,
};
use crate::{
    api::wire,
    domain::{import::Report, task::Task},
    store::Import,
};

/// The path of the upload.
pub const UPLOAD: &str = "/task.v1.TaskBulkService/ImportTasks";

/// The number of tasks after which the parser yields to other work on the thread.
const YIELD_EVERY: u64 = 16;

/// The service behind its gate.
pub type GuardedBulk = InterceptedService<TaskBulkServiceServer<Rpcs>, Gate>;

/// The service behind `gate`, without which it cannot be made.
pub fn guarded_bulk(gate: &Gate, rpcs: Arc<Rpcs>) -> GuardedBulk {
    let server = TaskBulkServiceServer::from_arc(rpcs);
    gate.guard(server.max_decoding_message_size(MAX_BATCH_BYTES))
}

#[tonic::async_trait]
impl TaskBulkService for Rpcs {
    type ExportTasksStream = Stream<pb::ExportTasksResponse>;

    async fn batch_create_tasks(
        &self,
        request: Request<pb::BatchCreateTasksRequest>,
    ) -> Result<Response<pb::BatchCreateTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let (new, request_id) = wire::new_tasks(request.into_inner()).await?;
        let tasks = encode_tasks(self.tasks.create_all(&owner, new, request_id).await?);
        Ok(Response::new(pb::BatchCreateTasksResponse { tasks }))
    }

    async fn batch_update_tasks(
        &self,
        request: Request<pb::BatchUpdateTasksRequest>,
    ) -> Result<Response<pb::BatchUpdateTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let wire::BatchUpdate { ids, patch, request_id } =
            wire::batch_update(request.into_inner())?;
        let tasks = encode_tasks(self.tasks.update_all(&owner, &ids, &patch, request_id).await?);
        Ok(Response::new(pb::BatchUpdateTasksResponse { tasks }))
    }

    async fn batch_complete_tasks(
        &self,
        request: Request<pb::BatchCompleteTasksRequest>,
    ) -> Result<Response<pb::BatchCompleteTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::BatchCompleteTasksRequest { ids, request_id, .. } = request.into_inner();
        let (ids, request_id) = wire::named_tasks(&ids, request_id)?;
        let tasks = encode_tasks(self.tasks.complete_all(&owner, &ids, request_id).await?);
        Ok(Response::new(pb::BatchCompleteTasksResponse { tasks }))
    }

    async fn batch_delete_tasks(
        &self,
        request: Request<pb::BatchDeleteTasksRequest>,
    ) -> Result<Response<pb::BatchDeleteTasksResponse>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let pb::BatchDeleteTasksRequest { ids, request_id, .. } = request.into_inner();
        let (ids, request_id) = wire::named_tasks(&ids, request_id)?;
        self.tasks.delete_all(&owner, &ids, request_id).await?;
        Ok(Response::new(pb::BatchDeleteTasksResponse {}))
    }

    async fn export_tasks(
        &self,
        request: Request<pb::ExportTasksRequest>,
    ) -> Result<Response<Self::ExportTasksStream>, Status> {
        let owner = Principal::of(&request)?.owning(&request.get_ref().user_id)?;
        let cursor = ExportCursor::beginning(request.get_ref().everything);
        let mut answer = Response::new(exported(self.tasks.clone(), owner, cursor).await?);
        answer.extensions_mut().insert(StreamKind::Export);
        Ok(answer)
    }

    async fn import_tasks(
        &self,
        request: Request<Streaming<pb::ImportTasksRequest>>,
    ) -> Result<Response<pb::ImportTasksResponse>, Status> {
        let principal = Principal::of(&request)?.clone();
        let from = ClientInfo::of(request.extensions()).address();
        let mut messages = request.into_inner();
        let (mut import, mut line) = (None::<Import>, 0);
        while let Some(message) = messages.message().await? {
            // Each message names its user, so each is authorized.
            let owner = principal.owning(&message.user_id)?;
            let import = match &mut import {
                Some(import) => import,
                none => none.insert(self.tasks.import(owner, from, message.dry_run)?),
            };
            for task in message.tasks {
                line += 1;
                if line % YIELD_EVERY == 0 {
                    tokio::task::yield_now().await;
                }
                import.take(line, wire::import_task(task)).await?;
            }
        }
        let report = match import {
            Some(import) => import.finish().await?,
            None => Report::default(),
        };
        Ok(Response::new(wire::import_report(report)))
    }
}

/// The tasks as the contract spells them.
pub(super) fn encode_tasks(tasks: Vec<Task>) -> Vec<pb::Task> {
    tasks.into_iter().map(pb::Task::from).collect()
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
