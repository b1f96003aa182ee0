//! New tasks, once each, however often a caller repeats itself.

use shared::auth::Owner;

use super::{
    Tasks, at_once,
    change::{Change, Outcome},
    find,
    requests::{self, Made},
    row::likely_usage,
    write::insert,
};
use crate::{
    error::Error,
    fingerprint::fingerprint,
    task::{NewTask, Task},
};

impl Tasks {
    /// Stores a new task. With a request id that was used for the same body in the last 24
    /// hours, returns the task it made then, as it is now.
    pub async fn create(&self, owner: &Owner, new: NewTask) -> Result<Task, Error> {
        let new = match self.create_at_once(owner, new).await? {
            Ok(task) => return Ok(task),
            Err(new) => new,
        };
        let change = Change::begin_growing(self, owner, likely_usage(&new)).await?;
        let outcome = self.create_in(&change, owner, new).await;
        change.end(outcome).await
    }

    /// The short way, for what it is there for; gives `new` back otherwise.
    async fn create_at_once(
        &self,
        owner: &Owner,
        new: NewTask,
    ) -> Result<Result<Task, NewTask>, Error> {
        if new.request_id.is_some() || !at_once::can(self, &new) {
            return Ok(Err(new));
        }
        let now = self.now();
        let task = Task::new(owner.user().as_str(), new, now, 0, 0);
        at_once::insert(self, owner, task).await.map(Ok)
    }

    async fn create_in(
        &self,
        change: &Change,
        owner: &Owner,
        mut new: NewTask,
    ) -> Result<Outcome<Task>, Error> {
        let now = self.now();
        let user_id = owner.user().as_str();
        let Some(request_id) = new.request_id.take() else {
            let task = Task::new(user_id, new, now, change.revision, 0);
            insert(change, owner, &task, now).await?;
            return Ok(Outcome::Changed(task));
        };
        let fingerprint = fingerprint(&new);
        if let Some(made) = requests::find(change, owner, &request_id, &fingerprint, now).await? {
            let Made::One(made) = made else { return Err(Error::RequestIdReused) };
            return match find(&change.transaction, owner, made).await {
                Err(Error::NotFound) => Err(Error::RequestIdReused),
                found => found.map(Outcome::Unchanged),
            };
        }
        let task = Task::new(user_id, new, now, change.revision, 0);
        insert(change, owner, &task, now).await?;
        requests::remember(change, owner, &request_id, fingerprint, Made::One(task.id), now)
            .await?;
        Ok(Outcome::Changed(task))
    }
}
