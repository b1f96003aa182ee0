//! The rpcs for other services: reminders, erasure, database epoch.

use std::time::Duration;

use proto::task::v1::{
    self as pb,
    task_admin_service_server::{TaskAdminService, TaskAdminServiceServer},
};
use server::MAX_REQUEST_BYTES;
use shared::auth::ServicePrincipal;
use tonic::{Request, Response, Status, service::interceptor::InterceptedService};

use super::{
    admin_gate::AdminGate,
    stream::{HEARTBEAT, Stream, response_stream},
};
use crate::{
    api::wire,
    events::reminder_stream::ReminderStream,
    store::{ErasedUser, EveryUser, Tasks},
};

/// The audience of service tokens for these rpcs.
pub const AUDIENCE: &str = "task-service/admin";

/// The time for which one call erases, well within its deadline.
const ERASURE_TIME: Duration = Duration::from_millis(1500);

/// The service behind its gate.
pub type GuardedAdmin = InterceptedService<TaskAdminServiceServer<AdminRpcs>, AdminGate>;

/// The service behind `gate`, without which it cannot be made.
pub fn guarded_admin(gate: AdminGate, tasks: Tasks) -> GuardedAdmin {
    guarded_admin_with(gate, tasks, HEARTBEAT)
}

/// The service with another heartbeat.
pub(super) fn guarded_admin_with(
    gate: AdminGate,
    tasks: Tasks,
    heartbeat: Duration,
) -> GuardedAdmin {
    let server = TaskAdminServiceServer::new(AdminRpcs { tasks, heartbeat });
    InterceptedService::new(server.max_decoding_message_size(MAX_REQUEST_BYTES), gate)
}

/// The rpcs. Only [`guarded_admin`] makes them.
pub struct AdminRpcs {
    tasks: Tasks,
    heartbeat: Duration,
}

#[tonic::async_trait]
impl TaskAdminService for AdminRpcs {
    type WatchRemindersStream = Stream<pb::WatchRemindersResponse>;

    async fn watch_reminders(
        &self,
        request: Request<pb::WatchRemindersRequest>,
    ) -> Result<Response<Self::WatchRemindersStream>, Status> {
        let all = EveryUser::for_service(ServicePrincipal::of(&request)?);
        let cursor = wire::reminders_request(request.get_ref())?;
        let stream = ReminderStream::begin(self.tasks.clone(), all, cursor, self.heartbeat).await?;
        Ok(response_stream(stream))
    }

    async fn purge_user(
        &self,
        request: Request<pb::PurgeUserRequest>,
    ) -> Result<Response<pb::PurgeUserResponse>, Status> {
        let service = ServicePrincipal::of(&request)?;
        let user = wire::erased_user(request.get_ref())?;
        let user = ErasedUser::confirmed_by(service, user);
        let progress = self.tasks.erase(&user, ERASURE_TIME).await?;
        Ok(Response::new(progress.into()))
    }

    async fn get_database_epoch(
        &self,
        request: Request<pb::GetDatabaseEpochRequest>,
    ) -> Result<Response<pb::GetDatabaseEpochResponse>, Status> {
        ServicePrincipal::of(&request)?;
        let epoch = self.tasks.read_epoch().await?;
        Ok(Response::new(pb::GetDatabaseEpochResponse { epoch: format!("{:x}", epoch.id) }))
    }
}
