//! Answers that last: what a watcher reads.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt, stream, stream::BoxStream};
use proto::task::v1 as pb;
use server::StreamKind;
use tonic::{Response, Status};

use crate::{
    api::wire,
    error::Error,
    events::{reminder_stream::Firings, watch::Watch},
};

/// How often a watcher is told at least that nothing happened.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a watcher reads.
pub type Stream<T> = BoxStream<'static, Result<T, Status>>;

/// Something that goes on until it fails.
pub trait Watching: Send + Sized + 'static {
    /// What is told on the wire.
    type EventView: Send;

    /// The next thing to tell.
    fn tell(&mut self) -> impl Future<Output = Result<Self::EventView, Error>> + Send;
}

impl Watching for Watch {
    type EventView = pb::WatchTasksResponse;

    async fn tell(&mut self) -> Result<Self::EventView, Error> {
        let event = self.next().await?;
        Ok(wire::event(event, self.user_id()))
    }
}

impl Watching for Firings {
    type EventView = pb::WatchRemindersResponse;

    async fn tell(&mut self) -> Result<Self::EventView, Error> {
        Ok(wire::firing(self.next().await?))
    }
}

/// The answer of a watch. What it says is made when it is read, by whoever reads it: there
/// is no task behind it, and nothing is made for those who do not read.
pub fn watching<W: Watching>(watch: W) -> Response<Stream<W::EventView>> {
    let told = stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        match watch.tell().await {
            Ok(told) => Some((Ok(told), Some(watch))),
            Err(error) => Some((Err(error.into()), None)),
        }
    });
    let mut answer = Response::new(told.boxed());
    answer.extensions_mut().insert(StreamKind::Watch);
    answer
}
