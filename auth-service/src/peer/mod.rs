//! task-service, as this service calls it: by its contract, over gRPC.
//!
//! Each call carries a credential made for it. Removing what is left of a user takes a
//! service token; what is read of a user is read with an access token of theirs, so that
//! the rule of task-service about whose tasks are whose holds here too.

mod address;
mod exported;
pub mod probe;

use std::{sync::Arc, time::Duration};

use proto::task::v1::{
    self as pb, task_admin_service_client::TaskAdminServiceClient,
    task_bulk_service_client::TaskBulkServiceClient, task_service_client::TaskServiceClient,
};
use server::Loopback;
use shared::{
    auth::{InvalidServiceName, IssueError, Keyring, ServiceTokenIssuer, UserId},
    clock::Clock,
};
use tokio::time::timeout;
use tonic::{
    Request, Status,
    metadata::{AsciiMetadataValue, errors::InvalidMetadataValue},
    transport::{Channel, Endpoint},
};

pub use self::{
    address::TaskServiceAddress,
    exported::{EventPage, Exported, Piece},
};
use crate::json_list::objects;

/// This service, as it is named in its tokens.
const NAME: &str = "auth-service";

/// Whom the tokens are for.
const ADMIN: &str = "task-service/admin";

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);

/// How often to ask whether the other end is still there, and how long it may take to say
/// so: a machine that is gone closes nothing.
const PING: Duration = Duration::from_secs(4);
const PONG: Duration = Duration::from_secs(2);

/// How long a call may take, and each message of an answer that is long.
const PATIENCE: Duration = Duration::from_secs(4);

/// How many events a page of them has.
const EVENTS: i32 = 100;

/// Why task-service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PeerFault {
    /// It says so, or it is not there.
    #[error("task-service does not answer as it should")]
    Status(#[from] Box<Status>),
    /// It is silent.
    #[error("task-service does not answer in time")]
    Silent,
    /// No token could be made for it.
    #[error("cannot make a token for task-service")]
    Token(#[from] IssueError),
    /// A token that no header takes.
    #[error("cannot send a token to task-service")]
    Header(#[from] InvalidMetadataValue),
}

impl From<Status> for PeerFault {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

/// A way to task-service. It connects when it is first used, and again whenever it must.
#[derive(Clone)]
pub struct TaskService {
    channel: Channel,
    tokens: Arc<ServiceTokenIssuer>,
}

impl TaskService {
    /// The one at `address`; `None` where there is none. `own` is where this process is.
    pub fn new(
        address: &TaskServiceAddress,
        own: &Loopback,
        keys: Arc<Keyring>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, InvalidServiceName> {
        let channel = match address {
            TaskServiceAddress::Off => return Ok(None),
            TaskServiceAddress::At(uri) => {
                let endpoint = Endpoint::from(uri.clone()).connect_timeout(CONNECT);
                let endpoint = endpoint.http2_keep_alive_interval(PING).keep_alive_timeout(PONG);
                endpoint.keep_alive_while_idle(true).connect_lazy()
            }
            TaskServiceAddress::Here => own.channel(CONNECT),
        };
        let tokens = Arc::new(ServiceTokenIssuer::new(keys, NAME, ADMIN, clock)?);
        Ok(Some(Self { channel, tokens }))
    }

    /// Removes some of what is kept of `user`, and tells whether nothing is left.
    pub async fn purge(&self, user: &UserId) -> Result<bool, PeerFault> {
        let mut client = TaskAdminServiceClient::new(self.channel.clone());
        let message = pb::PurgeUserRequest { user_id: user.as_str().to_owned() };
        let mut request = with_token(message, &self.tokens.issue()?)?;
        request.set_timeout(PATIENCE);
        let answer = within(client.purge_user(request)).await?;
        Ok(answer.into_inner().done)
    }

    /// Which state of its database it works on: another one once that was restored.
    pub async fn epoch(&self) -> Result<String, PeerFault> {
        let mut client = TaskAdminServiceClient::new(self.channel.clone());
        let mut request = with_token(pb::GetDatabaseEpochRequest {}, &self.tokens.issue()?)?;
        request.set_timeout(PATIENCE);
        Ok(within(client.get_database_epoch(request)).await?.into_inner().epoch)
    }

    /// Everything that is kept of `user`, whose `access_token` this is. Nothing of it is
    /// held here: what comes next is asked for when it is read.
    pub async fn export(&self, user: &UserId, access_token: &str) -> Result<Exported, PeerFault> {
        let mut client = TaskBulkServiceClient::new(self.channel.clone());
        let user_id = user.as_str().to_owned();
        let message = pb::ExportTasksRequest { user_id, everything: true };
        let answer = within(client.export_tasks(with_token(message, access_token)?)).await?;
        Ok(Exported::new(answer.into_inner()))
    }

    /// What happened there in the name of `user`, whose `access_token` this is, newest
    /// first: the page of this token, which is empty for the first.
    pub async fn security_events(
        &self,
        user: &UserId,
        access_token: &str,
        page_token: String,
    ) -> Result<EventPage, PeerFault> {
        let mut client = TaskServiceClient::new(self.channel.clone());
        let user_id = user.as_str().to_owned();
        let message = pb::ListSecurityEventsRequest { user_id, page_size: EVENTS, page_token };
        let answer = within(client.list_security_events(with_token(message, access_token)?));
        let answer = answer.await?.into_inner();
        let next = Some(answer.next_page_token).filter(|token| !token.is_empty());
        Ok(EventPage { events: objects(&answer.events), next })
    }
}

fn with_token<T>(message: T, token: &str) -> Result<Request<T>, PeerFault> {
    let mut request = Request::new(message);
    let mut value = AsciiMetadataValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(true);
    request.metadata_mut().insert("authorization", value);
    Ok(request)
}

/// The answer to a call that takes no longer than it may, connecting included.
async fn within<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, PeerFault> {
    Ok(timeout(PATIENCE, call).await.map_err(|_| PeerFault::Silent)??)
}
