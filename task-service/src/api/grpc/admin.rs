//! The rpcs of other services: who asks; what they ask; do it; say it.

use std::time::Duration;

use proto::task::v1::{
    self as pb,
    task_admin_service_server::{TaskAdminService, TaskAdminServiceServer},
};
use server::MAX_REQUEST_BYTES;
use shared::auth::{ServiceGate, ServicePrincipal};
use tonic::{Request, Response, Status, service::interceptor::InterceptedService};

use super::stream::{HEARTBEAT, Stream, watching};
use crate::{
    api::wire,
    events::reminder_stream::Firings,
    store::{Departed, EveryUser, Tasks},
};

/// Whom service tokens for these rpcs are made out to.
pub const AUDIENCE: &str = "task-service/admin";

/// How long one call removes what is left of a user: well within the time a call has.
const PURGE: Duration = Duration::from_millis(1500);

/// The service behind its gate.
pub type GuardedAdmin = InterceptedService<TaskAdminServiceServer<AdminRpcs>, ServiceGate>;

/// The service behind `gate`. There is no way to get it without one.
pub fn guarded_admin(gate: &ServiceGate, tasks: Tasks) -> GuardedAdmin {
    guarded_admin_with(gate, tasks, HEARTBEAT)
}

/// The same with another heartbeat.
pub(super) fn guarded_admin_with(
    gate: &ServiceGate,
    tasks: Tasks,
    heartbeat: Duration,
) -> GuardedAdmin {
    let server = TaskAdminServiceServer::new(AdminRpcs { tasks, heartbeat });
    gate.guard(server.max_decoding_message_size(MAX_REQUEST_BYTES))
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
        let all = EveryUser::told_by(ServicePrincipal::of(&request)?);
        let place = wire::reminders_request(request.get_ref())?;
        let firings = Firings::begin(self.tasks.clone(), all, place, self.heartbeat).await?;
        Ok(watching(firings))
    }

    async fn purge_user(
        &self,
        request: Request<pb::PurgeUserRequest>,
    ) -> Result<Response<pb::PurgeUserResponse>, Status> {
        let service = ServicePrincipal::of(&request)?;
        let user = wire::departed_user(request.get_ref())?;
        let departed = Departed::said_by(service, user);
        let removed = self.tasks.remove_for(&departed, PURGE).await?;
        Ok(Response::new(removed.into()))
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
