//! The response streams of watches.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt, stream, stream::BoxStream};
use proto::task::v1 as pb;
use server::StreamKind;
use tonic::{Response, Status};

use crate::{
    api::wire,
    error::Error,
    events::{reminder_stream::ReminderStream, watch::Watch},
};

/// The interval of heartbeats.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// A response stream.
pub type Stream<T> = BoxStream<'static, Result<T, Status>>;

/// The source of a response stream, which ends with an error.
pub trait EventSource: Send + Sized + 'static {
    /// The message on the wire.
    type Message: Send;

    /// The next message.
    fn next_message(&mut self) -> impl Future<Output = Result<Self::Message, Error>> + Send;
}

impl EventSource for Watch {
    type Message = pb::WatchTasksResponse;

    async fn next_message(&mut self) -> Result<Self::Message, Error> {
        let event = self.next().await?;
        Ok(wire::event(event, self.user_id()))
    }
}

impl EventSource for ReminderStream {
    type Message = pb::WatchRemindersResponse;

    async fn next_message(&mut self) -> Result<Self::Message, Error> {
        Ok(wire::reminder_event(self.next().await?))
    }
}

/// The response of a watch. Messages are made when the client is ready for them (backpressure):
/// there is no task behind the stream and no buffer.
pub fn response_stream<W: EventSource>(watch: W) -> Response<Stream<W::Message>> {
    let messages = stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        match watch.next_message().await {
            Ok(message) => Some((Ok(message), Some(watch))),
            Err(error) => Some((Err(error.into()), None)),
        }
    });
    let mut answer = Response::new(messages.boxed());
    answer.extensions_mut().insert(StreamKind::Watch);
    answer
}
