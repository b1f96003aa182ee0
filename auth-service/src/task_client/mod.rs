//! The client of task-service, over gRPC.
//!
//! Each call carries a credential of its own: a service token to purge a user, an access token of
//! the user to read, so that task-service's ownership rule holds here too.

mod address;
mod export_stream;
pub mod probe;

use std::{sync::Arc, time::Duration};

use http::Uri;
use proto::task::v1::{
    self as pb, task_admin_service_client::TaskAdminServiceClient,
    task_bulk_service_client::TaskBulkServiceClient, task_service_client::TaskServiceClient,
};
use server::Loopback;
use shared::{
    auth::{InvalidServiceName, IssueError, Keyring, ServiceTokenIssuer, USER_ID_METADATA, UserId},
    clock::Clock,
};
use tokio::time::timeout;
use tonic::{
    Request, Status,
    metadata::{AsciiMetadataValue, errors::InvalidMetadataValue},
    transport::{Channel, Endpoint},
};

pub use self::{
    address::{SETTINGS, TaskServiceAddress},
    export_stream::{Batch, EventPage, ExportStream},
};
use crate::json_list::objects;

/// The name of this service in its tokens.
const NAME: &str = "auth-service";

/// The audience of service tokens.
const AUDIENCE: &str = "task-service/admin";

/// The metadata in which a call of this service names the user for routers. A service has no user of
/// its own, so the user cannot be in `x-user-id`.
const ROUTING_KEY: &str = "x-routing-key";

/// The timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// HTTP/2 keep-alive, interval and timeout: a lost machine closes no connection.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(4);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// The timeout of a call, and of each message of a stream.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The page size of events.
const EVENTS: i32 = 100;

/// Why a call to task-service failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskClientError {
    /// task-service responded with an error, or is unavailable.
    #[error("task-service does not answer as it should")]
    Status(#[from] Box<Status>),
    /// The call timed out.
    #[error("task-service does not answer in time")]
    Timeout,
    /// No token could be issued.
    #[error("cannot make a token for task-service")]
    Token(#[from] IssueError),
    /// The token fits no header.
    #[error("cannot send a token to task-service")]
    Header(#[from] InvalidMetadataValue),
}

impl From<Status> for TaskClientError {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

/// The client of task-service. It connects at first use, and reconnects.
#[derive(Clone)]
pub struct TaskClient {
    channel: Channel,
    tokens: Arc<ServiceTokenIssuer>,
}

impl TaskClient {
    /// The client for `address`; `None`: no task-service. `own` is the loopback channel.
    pub fn new(
        address: &TaskServiceAddress,
        own: &Loopback,
        keys: Arc<Keyring>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, InvalidServiceName> {
        let Some(channel) = channel(address, own) else { return Ok(None) };
        let tokens = Arc::new(ServiceTokenIssuer::new(keys, NAME, AUDIENCE, clock)?);
        Ok(Some(Self { channel, tokens }))
    }

    /// Purges some of the data of `user`, and returns whether nothing is left.
    pub async fn purge(&self, user: &UserId) -> Result<bool, TaskClientError> {
        let mut client = TaskAdminServiceClient::new(self.channel.clone());
        let message = pb::PurgeUserRequest { user_id: user.as_str().to_owned() };
        let mut request = with_token(message, &self.tokens.issue()?)?;
        name_user(&mut request, ROUTING_KEY, user);
        request.set_timeout(TIMEOUT);
        let answer = within(client.purge_user(request)).await?;
        Ok(answer.into_inner().done)
    }

    /// The epoch of its database, which changes when a backup is restored.
    pub async fn epoch(&self) -> Result<String, TaskClientError> {
        let mut client = TaskAdminServiceClient::new(self.channel.clone());
        let mut request = with_token(pb::GetDatabaseEpochRequest {}, &self.tokens.issue()?)?;
        request.set_timeout(TIMEOUT);
        Ok(within(client.get_database_epoch(request)).await?.into_inner().epoch)
    }

    /// The export of `user`, with the user's access token. Nothing is buffered: each batch is
    /// read on demand.
    pub async fn export(
        &self,
        user: &UserId,
        access_token: &str,
    ) -> Result<ExportStream, TaskClientError> {
        let mut client = TaskBulkServiceClient::new(self.channel.clone());
        let user_id = user.as_str().to_owned();
        let message = pb::ExportTasksRequest { user_id, everything: true };
        let answer = within(client.export_tasks(of_user(message, user, access_token)?)).await?;
        Ok(ExportStream::new(answer.into_inner()))
    }

    /// A page of the security events of `user`, with the user's access token, newest first; an
    /// empty `page_token` is the first.
    pub async fn security_events(
        &self,
        user: &UserId,
        access_token: &str,
        page_token: String,
    ) -> Result<EventPage, TaskClientError> {
        let mut client = TaskServiceClient::new(self.channel.clone());
        let user_id = user.as_str().to_owned();
        let message = pb::ListSecurityEventsRequest { user_id, page_size: EVENTS, page_token };
        let answer = within(client.list_security_events(of_user(message, user, access_token)?));
        let answer = answer.await?.into_inner();
        let next = Some(answer.next_page_token).filter(|token| !token.is_empty());
        Ok(EventPage { events: objects(&answer.events), next })
    }
}

/// The channel to `address`, which connects at first use; `None`: no task-service.
pub fn channel(address: &TaskServiceAddress, own: &Loopback) -> Option<Channel> {
    let endpoint = |uri: &Uri| {
        let endpoint = Endpoint::from(uri.clone()).connect_timeout(CONNECT_TIMEOUT);
        let endpoint = endpoint.http2_keep_alive_interval(KEEP_ALIVE_INTERVAL);
        endpoint.keep_alive_timeout(KEEP_ALIVE_TIMEOUT).keep_alive_while_idle(true)
    };
    match address {
        TaskServiceAddress::Off => None,
        TaskServiceAddress::Clear(uri) => Some(endpoint(uri).connect_lazy()),
        TaskServiceAddress::Tls(uri, tls) => Some(tls.channel(&endpoint(uri))),
        TaskServiceAddress::Loopback => Some(own.channel(CONNECT_TIMEOUT)),
    }
}

/// A call of `user`.
fn of_user<T>(message: T, user: &UserId, token: &str) -> Result<Request<T>, TaskClientError> {
    let mut request = with_token(message, token)?;
    name_user(&mut request, USER_ID_METADATA, user);
    Ok(request)
}

/// Names `user` in the metadata too, by which a router finds the task-service of the user. An id that
/// metadata cannot have is left out.
fn name_user<T>(request: &mut Request<T>, key: &'static str, user: &UserId) {
    if let Ok(user) = AsciiMetadataValue::try_from(user.as_str()) {
        request.metadata_mut().insert(key, user);
    }
}

fn with_token<T>(message: T, token: &str) -> Result<Request<T>, TaskClientError> {
    let mut request = Request::new(message);
    let mut value = AsciiMetadataValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(true);
    request.metadata_mut().insert("authorization", value);
    Ok(request)
}

/// The response to a call within the timeout, connecting included.
async fn within<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, TaskClientError> {
    Ok(timeout(TIMEOUT, call).await.map_err(|_| TaskClientError::Timeout)??)
}
