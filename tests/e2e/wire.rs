//! The two wires. A scenario calls the generated clients and does not know which one it is
//! on: over HTTP an adapter sends what the call means to the door, and turns the door's
//! answer into the rpc's.
//!
//! The adapter is a table and no judge. Whatever a door answers must stand in the table,
//! in the shape that the README promises of every answer; anything else ends the test.

mod auth;
mod differences;
mod frame;
mod moment;
mod security_event;
mod shape;
mod tasks;

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
use crate::exchange::{Asked, Reply};

/// How a scenario speaks to the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Grpc,
    Http,
}

/// A way to one service.
#[derive(Clone)]
pub enum Way {
    Grpc(Channel),
    Http(SocketAddr),
}

impl From<Channel> for Way {
    fn from(channel: Channel) -> Self {
        Self::Grpc(channel)
    }
}

impl Service<Request<Body>> for Way {
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
            Self::Http(door) => {
                let door = *door;
                async move { Ok(over_http(door, request).await) }.boxed()
            }
        }
    }
}

/// The answer of the door to what `request` asks for.
async fn over_http(door: SocketAddr, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let call = Call { door, metadata: head.headers };
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
        Some(("auth.v1.AuthService", rpc)) => auth::entrance(&call, rpc, &message).await,
        Some(("auth.v1.SessionService", rpc)) => auth::session(&call, rpc, &message).await,
        _ => panic!("{path} is no rpc that has a door"),
    };
    match answered {
        Ok(message) => frame::wrapped(&message),
        Err(status) => status.into_http(),
    }
}

/// One call of an rpc.
struct Call {
    door: SocketAddr,
    metadata: HeaderMap,
}

impl Call {
    /// Sends `asked` with what the caller sent beside the message.
    async fn send(&self, asked: Asked) -> Reply {
        self.dressed(asked).send(self.door).await
    }

    fn dressed(&self, mut asked: Asked) -> Asked {
        for name in ["authorization", "x-user-id", "x-request-id"] {
            for value in self.metadata.get_all(name) {
                asked = asked.header(name, value.to_str().expect("ASCII"));
            }
        }
        asked
    }
}

/// `status`, with the whole of `reply` in its metadata: who compares two refusals to the
/// byte compares what the door sent, not what the adapter made of it.
fn with_evidence(mut status: Status, reply: &Reply) -> Status {
    let evidence = MetadataValue::from_bytes(&reply.comparable());
    status.metadata_mut().insert_bin("http-reply-bin", evidence);
    status
}
