//! The two wires. A scenario calls the generated clients and does not know which one it is
//! on: over HTTP an adapter sends the call as a request, and turns the
//! answer into the rpc's.
//!
//! The adapter is a table and no judge. Every response must stand in the table,
//! in the shape that the README promises of every answer; anything else ends the test.

mod auth;
mod differences;
mod frame;
mod security_event;
mod shape;
mod tasks;
mod timestamp;

use std::net::SocketAddr;

use futures_util::FutureExt;
use http::{HeaderMap, Request, Response};
use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Context, Poll, Service, StdError},
    metadata::MetadataValue,
    transport::Channel,
};

pub use self::{differences::Difference, shape::assert_surrounded, tasks::Problem};
use crate::exchange::{HttpRequest, Reply};

/// How a scenario speaks to the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Grpc,
    Http,
}

/// A way to one service.
#[derive(Clone)]
pub enum Transport {
    Grpc(Channel),
    Http(SocketAddr),
}

impl From<Channel> for Transport {
    fn from(channel: Channel) -> Self {
        Self::Grpc(channel)
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = StdError;
    type Future = BoxFuture<Response<Body>, StdError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        match self {
            Self::Grpc(channel) => channel.poll_ready(context).map_err(Into::into),
            Self::Http(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Self::Grpc(channel) => channel.call(request).map(|sent| Ok(sent?)).boxed(),
            Self::Http(address) => {
                let address = *address;
                async move { Ok(over_http(address, request).await) }.boxed()
            }
        }
    }
}

/// The HTTP response to the request that stands for the call.
async fn over_http(address: SocketAddr, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let call = Call { address, metadata: head.headers };
    let messages = frame::unwrapped(body).await;
    let message = messages.first().cloned().unwrap_or_default();
    let path = head.uri.path();
    if path == "/task.v1.TaskService/WatchTasks" {
        return tasks::watch(&call, &message).await.unwrap_or_else(Status::into_http);
    }
    let answered = match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some(("task.v1.TaskService", rpc)) => tasks::answer(&call, rpc, &message).await,
        Some(("task.v1.TaskBulkService", "ImportTasks")) => tasks::import(&call, &messages).await,
        Some(("task.v1.TaskBulkService", rpc)) => tasks::bulk(&call, rpc, &message).await,
        Some(("auth.v1.AuthService", rpc)) => auth::sign_in(&call, rpc, &message).await,
        Some(("auth.v1.SessionService", rpc)) => auth::session(&call, rpc, &message).await,
        _ => panic!("{path} is no rpc that has a address"),
    };
    match answered {
        Ok(message) => frame::wrapped(&message),
        Err(status) => status.into_http(),
    }
}

/// One call of an rpc.
struct Call {
    address: SocketAddr,
    metadata: HeaderMap,
}

impl Call {
    /// Sends `asked` with what the caller sent beside the message.
    async fn send(&self, asked: HttpRequest) -> Reply {
        self.dressed(asked).send(self.address).await
    }

    fn dressed(&self, mut asked: HttpRequest) -> HttpRequest {
        for name in ["authorization", "x-user-id", "x-request-id"] {
            for value in self.metadata.get_all(name) {
                asked = asked.header(name, value.to_str().expect("ASCII"));
            }
        }
        asked
    }
}

/// `status`, with the whole of `reply` in its metadata: who compares two refusals to the
/// byte compares the HTTP response, not the adapter's conversion of it.
fn with_evidence(mut status: Status, reply: &Reply) -> Status {
    let evidence = MetadataValue::from_bytes(&reply.comparable());
    status.metadata_mut().insert_bin("http-reply-bin", evidence);
    status
}
